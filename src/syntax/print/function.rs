//! Functions that a query defines.

use super::super::ast::{Function, FunctionParameter, LetValue, ParameterKind};
use super::{Printer, value};

impl Printer {
    /// Prints on one line, because functions may be nested.
    pub(super) fn function(&mut self, function: &Function) {
        self.text(if function.view { "view (" } else { "(" });
        self.list(&function.parameters, Self::function_parameter);
        self.text(") { ");
        for statement in &function.body.lets {
            self.statement(statement);
            self.text(" ");
        }
        match &function.body.result {
            LetValue::Expr(value) => self.expr(value),
            LetValue::Pipeline(pipeline) => self.pipeline(pipeline, " | "),
            LetValue::Function(function) => self.function(function),
        }
        self.text(" }");
    }

    fn function_parameter(&mut self, parameter: &FunctionParameter) {
        self.name(&parameter.name);
        self.text(":");
        match &parameter.kind {
            ParameterKind::Scalar { ty, default } => {
                self.text(ty.name());
                if let Some(default) = default {
                    self.text(" = ");
                    self.expr(default);
                }
            }
            ParameterKind::Tabular(columns) if columns.is_empty() => self.text("(*)"),
            ParameterKind::Tabular(columns) => {
                self.text("(");
                self.list(columns, |printer, column| {
                    printer.text(&format!("{}:{}", value::name(&column.name.text), column.ty.name()));
                });
                self.text(")");
            }
        }
    }
}
