//! Prints functions and patterns that a query defines.

use super::super::ast::{
    Function, FunctionBody, FunctionParameter, LetValue, Name, ParameterKind, PatternCase, PatternDeclaration,
};
use super::super::string::encode;
use super::{Printer, value};
use crate::types::Type;

impl Printer {
    /// Prints a function on one line, because functions may be nested.
    pub(super) fn function(&mut self, function: &Function) {
        self.text(if function.view { "view (" } else { "(" });
        self.list(&function.parameters, Self::function_parameter);
        self.text(") ");
        self.function_body(&function.body);
    }

    fn function_body(&mut self, body: &FunctionBody) {
        self.text("{ ");
        for statement in &body.lets {
            self.statement(statement);
            self.text(" ");
        }
        match &body.result {
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

impl Printer {
    /// Prints `declare pattern`, with one case on each line.
    pub(super) fn pattern_statement(&mut self, pattern: &PatternDeclaration) {
        self.text("declare pattern ");
        self.name(&pattern.name);
        if let Some(mapping) = &pattern.mapping {
            self.text(" = (");
            self.list(&mapping.parameters, Self::pattern_parameter);
            self.text(")");
            if let Some(path) = &mapping.path {
                self.text("[");
                self.pattern_parameter(path);
                self.text("]");
            }
            self.text(" {");
            mapping.cases.iter().for_each(|case| self.pattern_case(case));
            self.text("\n}");
        }
        self.text(";");
    }

    fn pattern_parameter(&mut self, (name, ty): &(Name, Type)) {
        self.name(name);
        self.text(":");
        self.text(ty.name());
    }

    fn pattern_case(&mut self, case: &PatternCase) {
        self.text("\n    (");
        self.list(&case.arguments, |printer, argument| printer.text(&encode(argument)));
        self.text(")");
        if let Some(path) = &case.path {
            self.text(".[");
            self.text(&encode(path));
            self.text("]");
        }
        self.text(" = ");
        self.function_body(&case.body);
        self.text(";");
    }
}
