//! Binds functions that treat some strings as null, if they are applied to them directly.
//!
//! A string is never null in KQL. Measurements of the engine show two exceptions: the results of `substring` for a
//! null position and of `format_datetime` for a null datetime are null for `isnull`, `isnotnull` and `strlen`. As
//! soon as they are stored in a column, they are empty strings. Strings have no nulls in this program, so the binder
//! makes the function test the arguments instead.

use crate::binder::{Bind, Binder};
use crate::diagnostic::{Code, Diagnostic, Span};
use crate::expr::Expr;
use crate::functions::{self, ScalarFunction};
use crate::syntax::ast;
use crate::types::{Type, Value};

impl Binder<'_> {
    /// If `function` is applied to a string that is null when another value is null, returns an expression that tests
    /// that value. Returns None if the call needs no special handling.
    pub(super) fn call_on_null_text(
        &mut self,
        function: &'static ScalarFunction,
        name: &ast::Name,
        arguments: &[Expr],
        span: Span,
    ) -> Bind<Option<Expr>> {
        let ([text], "isnull" | "isnotnull" | "strlen") = (arguments, function.name) else { return Ok(None) };
        let deciding: Vec<Expr> = deciding(text).into_iter().cloned().collect();
        if deciding.is_empty() {
            return Ok(None);
        }
        if let Some(changing) = deciding.iter().find(|value| !value.is_repeatable()) {
            let message = "whether the string is null depends on a value that changes each time it is computed";
            let diagnostic = Diagnostic::new(Code::UnsupportedSyntax, changing.span, message);
            return Err(self.report(diagnostic.help("make it a column first: | extend position = ...")));
        }
        let null = self.any_null(deciding, name.span, span)?;
        let answer = match function.name {
            "isnull" => null,
            "isnotnull" => self.named_call("not", vec![null], name.span, span)?,
            _ => {
                let length = self.plain_call(function, name, arguments.to_vec(), span)?;
                let unknown = Expr::literal(Value::Null(Type::Long), span);
                self.named_call("iff", vec![null, unknown, length], name.span, span)?
            }
        };
        Ok(Some(answer))
    }

    /// Returns an expression that is true if any of `values` is null.
    fn any_null(&mut self, values: Vec<Expr>, at: Span, span: Span) -> Bind<Expr> {
        let mut any: Option<Expr> = None;
        for value in values {
            let null = self.named_call("isnull", vec![value], at, span)?;
            any = Some(match any {
                None => null,
                Some(before) => self.operator_call("or", at, vec![before, null], span)?,
            });
        }
        Ok(any.unwrap_or_else(|| Expr::literal(Value::Bool(false), span)))
    }

    /// Binds a call of the scalar function `function`; errors are reported at `at`.
    fn named_call(&mut self, function: &str, arguments: Vec<Expr>, at: Span, span: Span) -> Bind<Expr> {
        let name = ast::Name { text: function.into(), span: at };
        match functions::scalar_function(function) {
            Some(function) => self.plain_call(function, &name, arguments, span),
            None => Err(self.unknown_function(&name)),
        }
    }
}

/// Returns the values that make `text` null if one of them is null; constants that are not null are left out.
fn deciding(text: &Expr) -> Vec<&Expr> {
    let parts = match text.as_call() {
        Some(("substring", parts)) => &parts[1..],
        Some(("format_datetime", parts)) => &parts[..1],
        _ => return Vec::new(),
    };
    parts.iter().filter(|part| part.as_literal().is_none_or(Value::is_null)).collect()
}
