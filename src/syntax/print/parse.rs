//! Prints `parse`, `parse-where` and `parse-kv`.

use super::super::ast::{DatatableColumn, Parameter, ParsedExpr, PatternPart, PatternPartKind};
use super::{Printer, value as values};
use crate::types::Value;

impl Printer {
    /// Prints `parse`, or `parse-where` if rows that do not match are dropped.
    pub(super) fn parse(
        &mut self,
        drops_unmatched: bool,
        parameters: &[Parameter],
        value: &ParsedExpr,
        pattern: &[PatternPart],
    ) {
        self.text(if drops_unmatched { "parse-where " } else { "parse " });
        self.parameters(parameters);
        self.expr(value);
        self.text(" with");
        for part in pattern {
            self.text(" ");
            match &part.kind {
                PatternPartKind::Star => self.text("*"),
                PatternPartKind::Text(text) => self.text(&values::literal(&Value::string(text.as_str()))),
                PatternPartKind::Column { name, ty } => {
                    self.name(name);
                    self.text(&ty.map_or_else(String::new, |ty| format!(":{ty}")));
                }
            }
        }
    }

    pub(super) fn parse_kv(&mut self, value: &ParsedExpr, keys: &[DatatableColumn], properties: &[Parameter]) {
        self.keyword("parse-kv", value, Self::expr);
        self.text(" as (");
        self.list(keys, Self::declared_column);
        self.text(")");
        if !properties.is_empty() {
            self.text(" with (");
            self.list(properties, Self::parameter);
            self.text(")");
        }
    }
}
