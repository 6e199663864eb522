//! Prints `scan`.

use super::super::ast::{ScanOperator, ScanStep};
use super::Printer;

impl Printer {
    pub(super) fn scan(&mut self, scan: &ScanOperator) {
        self.text("scan ");
        self.parameters(&scan.parameters);
        if !scan.declared.is_empty() {
            self.text("declare (");
            self.list(&scan.declared, |printer, column| {
                printer.name(&column.name);
                printer.text(&format!(":{}", column.ty));
                if let Some(default) = &column.default {
                    printer.keyword(" =", default, Self::expr);
                }
            });
            self.text(") ");
        }
        self.text("with (");
        for (position, step) in scan.steps.iter().enumerate() {
            self.text(if position > 0 { " " } else { "" });
            self.scan_step(step);
        }
        self.text(")");
    }

    fn scan_step(&mut self, step: &ScanStep) {
        self.keyword("step", &step.name, Self::name);
        self.text(if step.optional.is_some() { " optional" } else { "" });
        if let Some(output) = step.output {
            self.text(&format!(" output={}", output.word()));
        }
        self.keyword(":", &step.condition, Self::expr);
        if !step.assignments.is_empty() {
            self.text(" => ");
            self.list(&step.assignments, Self::assignment);
        }
        self.text(";");
    }
}
