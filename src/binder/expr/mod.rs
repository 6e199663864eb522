//! Binds expressions, with one method for each kind.

mod all_columns;
mod call;
mod null_text;
mod operator;
mod path;
mod special;
mod tuple;
mod typed;

use self::operator::WrittenOperator;
use super::function::Call;
use super::scope::Binding;
use super::{Bind, Binder, Failed};
use crate::diagnostic::{Code, Diagnostic};
use crate::expr::{Expr, fold, visit};
use crate::plan::{AggregateExpr, LogicalPlan};
use crate::syntax::ast::{self, ParsedExprKind};
use crate::types::Schema;

/// The aggregates in an expression of `summarize`. Their results are columns after the keys.
#[derive(Debug, Default)]
pub(super) struct Aggregates {
    /// The aggregates in order of appearance.
    pub found: Vec<AggregateExpr>,
    /// For each call, by its span, the name of its first result column.
    pub names: super::naming::CallNames,
    /// The number of key columns.
    pub keys: usize,
    /// The input columns that are keys; `*` does not include them.
    pub key_columns: Vec<usize>,
}

pub(super) use tuple::ResultColumn;

/// The columns to which an expression can refer, and the place for its aggregates.
pub(super) struct ExprContext<'c> {
    /// The columns of the rows over which the expression is computed.
    pub schema: &'c Schema,
    /// Collects the aggregates; None if aggregates are not allowed.
    pub aggregates: Option<&'c mut Aggregates>,
}

impl Binder<'_> {
    /// Binds an expression over rows of `schema`, and folds constants.
    pub(super) fn expr(&mut self, expr: &ast::ParsedExpr, schema: &Schema) -> Bind<Expr> {
        let bound = self.bind_expr(expr, &mut ExprContext { schema, aggregates: None })?;
        Ok(fold::fold(bound, &self.context)?)
    }

    /// Binds an expression in `context`.
    pub(super) fn bind_expr(&mut self, expr: &ast::ParsedExpr, context: &mut ExprContext<'_>) -> Bind<Expr> {
        self.nested(expr.span, |binder| binder.bind_kind(expr, context))
    }

    fn bind_kind(&mut self, expr: &ast::ParsedExpr, context: &mut ExprContext<'_>) -> Bind<Expr> {
        match &expr.kind {
            ParsedExprKind::Literal(value) => Ok(Expr::literal(value.clone(), expr.span)),
            ParsedExprKind::Name(name) => self.bind_name(name, context),
            ParsedExprKind::Star => self.error(Code::NotAllowedHere, expr.span, "`*` is not allowed here"),
            ParsedExprKind::Unary { operator, operand } => self.bind_unary(*operator, operand, expr.span, context),
            ParsedExprKind::Binary { operator, operator_span, left, right } => self.bind_binary(
                WrittenOperator { operator: *operator, span: *operator_span },
                left,
                right,
                expr.span,
                context,
            ),
            ParsedExprKind::Membership { operator, operator_span, left, list } => self.bind_membership(
                WrittenOperator { operator: *operator, span: *operator_span },
                left,
                list,
                expr.span,
                context,
            ),
            ParsedExprKind::Between { negated, operator_span, operand, low, high } => {
                let symbol = if *negated { "!between" } else { "between" };
                let operands = self.all([operand, low, high], |binder, part| binder.bind_expr(part, context))?;
                self.operator_call(symbol, *operator_span, operands, expr.span)
            }
            ParsedExprKind::Call { function, arguments } => self.bind_call(function, arguments, expr.span, context),
            ParsedExprKind::Member { base, name } => self.bind_member(base, name, expr.span, context),
            ParsedExprKind::Index { base, index } => self.bind_index(base, index, expr.span, context),
            ParsedExprKind::Parenthesised(inner) => self.bind_expr(inner, context),
            ParsedExprKind::Pipeline(_) => {
                let message = "a table is used where a value is required";
                let help = "use toscalar(...) to get one value from a table";
                Err(self.report(Diagnostic::new(Code::ExpectedTable, expr.span, message).help(help)))
            }
        }
    }

    /// Binds a name: a column, or else a `let` or a parameter. A column hides a `let` of the same name.
    fn bind_name(&mut self, name: &ast::Name, context: &mut ExprContext<'_>) -> Bind<Expr> {
        if let Some(index) = context.schema.index_of(&name.text) {
            if context.aggregates.is_some() {
                return Err(self.outside_of_aggregate(&format!("the column `{}`", name.text), name.span));
            }
            return Ok(Expr::column(index, context.schema.field(index).ty, name.span));
        }
        match self.scope.get(&name.text).cloned() {
            Some(Binding::RowValue(_, pipelines)) if pipelines != self.pipelines => {
                let message =
                    format!("`{}` differs from row to row, so it cannot be used in a table expression", name.text);
                let help = "table expressions inside a function require arguments that are the same for all rows";
                Err(self.report(Diagnostic::new(Code::NotAllowedHere, name.span, message).help(help)))
            }
            Some(Binding::Function(function)) => self.called_value(&function, &Call::bare(name), context),
            Some(Binding::Value(value) | Binding::RowValue(value, _)) => {
                if value.as_literal().is_none() {
                    self.reuse(visit::size(&value), name.span)?;
                }
                Ok(Expr { span: name.span, ..value })
            }
            Some(Binding::Table(..)) => {
                let message = format!("`{}` is a table where a value is required", name.text);
                self.error(Code::ExpectedTable, name.span, message)
            }
            Some(Binding::Pattern(_)) => {
                let message = format!("`{}` is a pattern, which needs arguments", name.text);
                self.error(Code::ExpectedTable, name.span, message)
            }
            Some(Binding::Unconverted(diagnostic)) => Err(self.report(*diagnostic)),
            Some(Binding::Failed) => Err(Failed::Reported),
            None => match self.stored_function(name)? {
                Some(function) => self.called_value(&function, &Call::bare(name), context),
                None => Err(self.unknown_column(name, context.schema)),
            },
        }
    }

    /// Records that a column was not found, so that the caller can search it in the records.
    pub(super) fn miss(&self, column: &str) {
        self.environment.missing.borrow_mut().insert(column.to_owned());
    }

    pub(super) fn unknown_column(&mut self, name: &ast::Name, schema: &Schema) -> Failed {
        let is_of_input = |input: &LogicalPlan| input.schema().index_of(&name.text).is_some();
        // The body of a function does not see the columns of its caller.
        if self.calls.is_empty() && schema.fields().is_empty() && self.inputs.last().is_some_and(is_of_input) {
            let message = format!("`{}` is a column, and a constant value is required here", name.text);
            return self.report(Diagnostic::new(Code::NotConstant, name.span, message));
        }
        let is_value = |binding: &Binding| matches!(binding, Binding::Value(_) | Binding::RowValue(..));
        let known = schema.names().map(str::to_owned).chain(self.scope.names(is_value)).collect::<Vec<_>>();
        self.miss(&name.text);
        let message = format!("unknown column `{}`", name.text);
        let diagnostic = Diagnostic::new(Code::UnknownColumn, name.span, message)
            .suggest(&name.text, known.iter().map(String::as_str));
        self.report(diagnostic)
    }

    /// Binds an expression of `summarize`, and moves the aggregates in it to `aggregates`.
    pub(super) fn aggregate_expr(
        &mut self,
        expr: &ast::ParsedExpr,
        schema: &Schema,
        aggregates: &mut Aggregates,
    ) -> Bind<Expr> {
        let bound = self.bind_expr(expr, &mut ExprContext { schema, aggregates: Some(aggregates) })?;
        Ok(fold::fold(bound, &self.context)?)
    }
}
