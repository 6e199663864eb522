//! Binds `top-hitters`, which returns the values of a column that are the most frequent, or that have the largest
//! sum.

use crate::binder::{Bind, Binder};
use crate::diagnostic::{Code, Span};
use crate::expr::Expr;
use crate::functions;
use crate::plan::{AggregateExpr, LogicalPlan, SortKey};
use crate::syntax::ast::{self, Assignment};
use crate::types::{Field, Schema};

impl Binder<'_> {
    /// Binds `top-hitters`. Kusto estimates the counts and sums; here they are exact. `by` is the summed expression,
    /// or the position of the keyword if rows are counted.
    /// Source: the reference's page on the top-hitters operator, and the analyzer for the names of the columns.
    pub(super) fn top_hitters(
        &mut self,
        input: LogicalPlan,
        count: &ast::ParsedExpr,
        of: &ast::ParsedExpr,
        by: Result<&Assignment, Span>,
    ) -> Bind<LogicalPlan> {
        let count = self.row_count(count)?;
        let (key, field) = self.value_column(of, input.schema())?;
        let aggregate = match by {
            Ok(by) => self.hitter_sum(by, input.schema())?,
            Err(keyword) => self.hitter("count", Vec::new(), &format!("approximate_count_{}", field.name), keyword)?,
        };
        let total = Expr::column(1, aggregate.fields[0].ty, aggregate.span);
        let schema = Schema::new([field, aggregate.fields[0].clone()]);
        let (keys, aggregates) = (vec![key], vec![aggregate]);
        let grouped = LogicalPlan::Aggregate { input: Box::new(input), keys, aggregates, schema };
        let keys = vec![SortKey { expr: total, descending: true, nulls_first: false }];
        Ok(LogicalPlan::Top { input: Box::new(grouped), keys, count })
    }

    fn hitter_sum(&mut self, by: &Assignment, schema: &Schema) -> Bind<AggregateExpr> {
        let value = self.expr(&by.value, schema)?;
        let name = by.names.first().map(|name| name.text.clone()).or_else(|| Self::own_name(&by.value));
        self.hitter("sum", vec![value], &format!("approximate_sum_{}", name.unwrap_or_default()), by.value.span)
    }

    /// Returns a call of the aggregate `function` whose result has the name `name`.
    pub(super) fn hitter(
        &mut self,
        function: &str,
        arguments: Vec<Expr>,
        name: &str,
        span: Span,
    ) -> Bind<AggregateExpr> {
        let Some(aggregate) = functions::aggregate_function(function) else {
            return self.error(Code::UnsupportedOperator, span, "the operator is not supported here");
        };
        let call = ast::Name { text: function.to_owned(), span };
        let names = vec![None; arguments.len()];
        let (arguments, mut fields) = self.aggregate_signature(aggregate, &call, arguments, &names)?;
        fields.truncate(1);
        fields.iter_mut().for_each(|field| *field = Field::new(name, field.ty));
        Ok(AggregateExpr { function: aggregate, arguments, fields, span })
    }
}
