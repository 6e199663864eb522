//! Binds statements: `let`, `set`, `declare query_parameters`, and queries.

use super::expr::ExprContext;
use super::scope::Binding;
use super::{Bind, Binder, BoundResult, Failed, Results};
use crate::diagnostic::{Code, Diagnostic, Error};
use crate::expr::{Expr, fold};
use crate::syntax::ast::{self, LetValue, ParsedExprKind, StatementKind};
use crate::types::{Schema, Type, Value, cast, datetime};

impl Binder<'_> {
    /// Binds all statements. Returns the results of the queries among them.
    pub(super) fn query(&mut self, query: &ast::Query) -> Bind<Vec<BoundResult>> {
        let mut results = Results::default();
        let mut failed = false;
        for statement in &query.statements {
            let outcome = match &statement.kind {
                StatementKind::Let { name, value } => self.let_statement(name, value),
                StatementKind::Set { option, value } => self.set_statement(option, value.as_ref()),
                StatementKind::DeclareParameters(list) => self.all(list, super::Binder::parameter).map(|_| ()),
                StatementKind::DeclarePattern(pattern) => self.declare_pattern(pattern),
                StatementKind::Query(pipeline) => self.query_results(pipeline, &mut results),
            };
            match outcome {
                Ok(()) => {}
                Err(Failed::Reported) => failed = true,
                Err(fatal) => return Err(fatal),
            }
        }
        match results.bound.is_empty() {
            _ if failed => Err(Failed::Reported),
            true => Err(Failed::Fatal(Error::internal("the parser reports a text without a query"))),
            false => Ok(results.bound),
        }
    }

    /// Binds a `let`.
    pub(super) fn let_statement(&mut self, name: &ast::Name, value: &LetValue) -> Bind<()> {
        let binding = match value {
            LetValue::Pipeline(pipeline) => self.labelled_table(pipeline),
            LetValue::Expr(expr) => self.let_expr(expr).map(|binding| match binding {
                Binding::RowValue(value, pipelines) => Binding::RowValue(self.shared_value(value), pipelines),
                other => other,
            }),
            LetValue::Function(definition) => self.function(name, definition),
        };
        self.define_or_fail(name, binding)
    }

    /// Binds a value, or a name or call that stands for a table.
    pub(super) fn let_expr(&mut self, expr: &ast::ParsedExpr) -> Bind<Binding> {
        let no_columns = Schema::new([]);
        let context = &mut ExprContext { schema: &no_columns, aggregates: None };
        if let Some(binding) = self.table_or_value(expr, context)? {
            return Ok(binding);
        }
        if let ParsedExprKind::Name(name) = &expr.kind
            && self.is_unknown(name, context)
        {
            return Err(self.unknown_table(name));
        }
        let value = self.constant_or_volatile(expr)?;
        Ok(self.value_binding(value))
    }

    /// Defines `name`. If its definition has an error, uses of it report nothing, because the definition already did.
    pub(super) fn define_or_fail(&mut self, name: &ast::Name, binding: Bind<Binding>) -> Bind<()> {
        match binding {
            Ok(binding) => self.define(name, binding),
            Err(Failed::Reported) => self.define(name, Binding::Failed).and(Err(Failed::Reported)),
            Err(fatal) => Err(fatal),
        }
    }

    pub(super) fn define(&mut self, name: &ast::Name, binding: Binding) -> Bind<()> {
        self.scope.define(&name.text, binding, name.span).map_err(|earlier| {
            let message = format!("`{}` is already defined", name.text);
            self.report(Diagnostic::new(Code::DuplicateName, name.span, message).label(earlier, "here"))
        })
    }

    /// Binds a value without columns. It is computed now, unless each use must be computed again.
    fn constant_or_volatile(&mut self, expr: &ast::ParsedExpr) -> Bind<Expr> {
        let bound = self.expr(expr, &Schema::new([]))?;
        Ok(fold::fold(bound, &self.context)?)
    }

    /// Computes a constant value; reports an expression that is not constant.
    pub(super) fn constant(&mut self, expr: &ast::ParsedExpr) -> Bind<Value> {
        let bound = self.constant_or_volatile(expr)?;
        match bound.as_literal() {
            Some(value) => Ok(value.clone()),
            None => self.error(Code::NotConstant, expr.span, "a constant value is required"),
        }
    }

    /// Computes a constant whole number.
    pub(super) fn constant_number(&mut self, expr: &ast::ParsedExpr) -> Bind<i64> {
        let value = self.constant(expr)?;
        match (value.as_i64(), &value) {
            (Some(number), _) => Ok(number),
            (None, Value::Real(number)) if number.fract() == 0.0 && number.abs() < 1e15 =>
            {
                #[expect(clippy::cast_possible_truncation, reason = "the guard keeps it in range")]
                Ok(*number as i64)
            }
            _ => self.error(
                Code::InvalidValue,
                expr.span,
                format!("a whole number is required, not a value of type {}", value.ty()),
            ),
        }
    }

    fn parameter(&mut self, declaration: &ast::ParameterDeclaration) -> Bind<()> {
        let value = self.parameter_value(declaration);
        let name = &declaration.name;
        self.define_or_fail(name, value.map(|value| Binding::Value(Expr::literal(value, name.span))))
    }

    fn parameter_value(&mut self, declaration: &ast::ParameterDeclaration) -> Bind<Value> {
        let name = &declaration.name;
        let given = self.environment.parameters.get(&name.text);
        match (given, &declaration.default) {
            (Some(text), _) => {
                let value = given_value(text, declaration.ty)?;
                if value.is_null() && !matches!(text.as_str(), "" | "null") {
                    let message = format!("the value given for `{}` is not a valid {}", name.text, declaration.ty);
                    let diagnostic = Diagnostic::new(Code::InvalidValue, name.span, message);
                    return Err(self.report(match example_of(declaration.ty) {
                        Some(example) => diagnostic.help(format!("write it as {example}")),
                        None => diagnostic,
                    }));
                }
                Ok(value)
            }
            (None, Some(default)) => Ok(cast::cast(&self.constant(default)?, declaration.ty).map_err(Error::from)?),
            (None, None) => {
                let message = format!("the query parameter `{}` has no value", name.text);
                let help = format!("set it with --param {}=VALUE", name.text);
                Err(self.report(Diagnostic::new(Code::MissingParameter, name.span, message).help(help)))
            }
        }
    }
}

/// Parses the value of a query parameter; null if it is not of this type. Unlike in the query itself, a time must be
/// in the form of ISO 8601 or RFC 3339.
fn given_value(text: &str, ty: Type) -> Result<Value, Error> {
    match ty {
        Type::Datetime => Ok(datetime::parse_iso8601(text).map_or(Value::null(ty), Value::Datetime)),
        _ => cast::cast(&Value::string(text), ty).map_err(Error::from),
    }
}

/// Returns an example of a value, for types that have several common notations; otherwise None.
fn example_of(ty: Type) -> Option<&'static str> {
    match ty {
        Type::Datetime => Some("2026-03-01 or 2026-03-01T09:00:00Z"),
        Type::Timespan => Some("7d, 36h or 1.12:00:00"),
        _ => None,
    }
}
