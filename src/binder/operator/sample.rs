//! Binds `sample` and `sample-distinct`.

use super::project::identity;
use crate::binder::{Bind, Binder};
use crate::diagnostic::{Code, Diagnostic, Span};
use crate::expr::Expr;
use crate::functions;
use crate::plan::{LogicalPlan, SortKey};
use crate::syntax::ast::{self, ParsedExprKind};
use crate::types::{Field, Schema, Type};

/// The hidden column of random numbers by which the rows of a sample are chosen.
const CHANCE: &str = "$chance";

impl Binder<'_> {
    /// Binds `sample`: the rows that have the largest random numbers.
    pub(super) fn sample(&mut self, input: LogicalPlan, count: &ast::ParsedExpr, keyword: Span) -> Bind<LogicalPlan> {
        let count = self.row_count(count)?;
        let Some(rand) = functions::scalar_function("rand") else {
            return self.error(Code::UnsupportedOperator, keyword, "`sample` is not supported here");
        };
        let name = ast::Name { text: rand.name.to_owned(), span: keyword };
        let chance = self.function_call(rand, &name, Vec::new(), keyword)?;
        let (columns, ty) = (identity(input.schema()), chance.ty);
        let key = Expr::column(columns.len(), ty, keyword);
        let with_chance = input.project(columns.iter().cloned().chain([(CHANCE.to_owned(), chance)]));
        let keys = vec![SortKey { expr: key, descending: true, nulls_first: false }];
        Ok(LogicalPlan::Top { input: Box::new(with_chance), keys, count }.project(columns))
    }

    /// Binds `sample-distinct`: the first distinct values, which are a biased sample.
    /// Source: the reference's page on the sample-distinct operator, which allows this.
    pub(super) fn sample_distinct(
        &mut self,
        input: LogicalPlan,
        count: &ast::ParsedExpr,
        of: &ast::ParsedExpr,
    ) -> Bind<LogicalPlan> {
        let count = self.row_count(count)?;
        let (key, field) = self.value_column(of, input.schema())?;
        let schema = Schema::new([field]);
        let distinct =
            LogicalPlan::Aggregate { input: Box::new(input), keys: vec![key], aggregates: Vec::new(), schema };
        Ok(LogicalPlan::Limit { input: Box::new(distinct), count })
    }

    /// Returns a constant number of rows or values; reports a negative one.
    pub(in crate::binder) fn row_count(&mut self, count: &ast::ParsedExpr) -> Bind<usize> {
        match usize::try_from(self.constant_number(count)?) {
            Ok(count) => Ok(count),
            Err(_) => self.error(Code::InvalidValue, count.span, "the number of rows cannot be negative"),
        }
    }

    /// Binds the column after `of`, whose values are grouped.
    pub(super) fn value_column(&mut self, of: &ast::ParsedExpr, schema: &Schema) -> Bind<(Expr, Field)> {
        let column = self.expr(of, schema)?;
        let (ParsedExprKind::Name(name), Some(index)) = (&of.kind, column.as_column()) else {
            let message = "the name of a column is required after `of`";
            let help = "compute the column in an `extend` before this operator";
            return Err(self.report(Diagnostic::new(Code::NotAllowedHere, of.span, message).help(help)));
        };
        if column.ty == Type::Dynamic {
            self.not_dynamic(&column, "grouped")?;
        }
        Ok((Expr::column(index, column.ty, of.span), Field::new(&name.text, column.ty)))
    }
}
