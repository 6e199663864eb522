//! Binds `toscalar(...)` of rows of a subquery that runs for each row or value, such as `toscalar(P | count)` after
//! `as P`. The value is not known before the subquery runs, so it becomes a column: it is joined to the rows below
//! the operator that contains the call.

use super::expr::ExprContext;
use super::scope::Binding;
use super::segments::reads_rows;
use super::{Bind, Binder, window};
use crate::diagnostic::Span;
use crate::expr::Expr;
use crate::functions;
use crate::functions::special::{Expansion, ScalarForm};
use crate::plan::{Join, JoinColumn, JoinKey, JoinKind, LogicalPlan, Side};
use crate::syntax::ast::{Argument, ParsedExpr, ParsedExprKind, visit::operands};
use crate::types::{Field, Schema, Value};

impl Binder<'_> {
    /// Appends columns to `input`, the rows of a subquery: one for each `toscalar` in `expressions` whose table reads
    /// rows of the subquery, too. When such a call is bound later, it becomes a reference to its column.
    pub(super) fn with_row_scalars(&mut self, input: LogicalPlan, expressions: &[&ParsedExpr]) -> Bind<LogicalPlan> {
        if !reads_rows(&input) {
            return Ok(input);
        }
        let mut calls = Vec::new();
        expressions.iter().for_each(|expression| find_calls(expression, &mut calls));
        let schema = input.schema().clone();
        let mut plan = input;
        for call in calls {
            let mut context = ExprContext { schema: &schema, aggregates: None };
            let Some(Binding::Table(table, _)) = self.table_or_value(call.table, &mut context)? else { continue };
            let Some(first) = table.schema().fields().first().filter(|_| reads_rows(&table)).cloned() else { continue };
            self.windows.insert(call.span, (plan.schema().len(), first.ty));
            // The join keeps the order of the rows.
            let is_ordered = window::has_order(&plan);
            plan = beside(plan, table, &first);
            if is_ordered {
                plan = window::ordered(plan);
            }
        }
        Ok(plan)
    }

    /// Returns the column for a call of `toscalar`, if [`Binder::with_row_scalars`] made one.
    pub(super) fn row_scalar(&self, span: Span) -> Option<Expr> {
        self.windows.get(&span).map(|(column, ty)| Expr::column(*column, *ty, span))
    }
}

/// A call of `toscalar` in the syntax tree.
struct ScalarCall<'e> {
    table: &'e ParsedExpr,
    span: Span,
}

/// Appends the calls of `toscalar` in `expression` to `calls`.
fn find_calls<'e>(expression: &'e ParsedExpr, calls: &mut Vec<ScalarCall<'e>>) {
    if let ParsedExprKind::Call { function, arguments } = &expression.kind
        && let [Argument { value: table, .. }] = arguments.as_slice()
        && functions::special_form(&function.text)
            .is_some_and(|form| form.expansion == Expansion::Scalar(ScalarForm::ToScalar))
    {
        calls.push(ScalarCall { table, span: expression.span });
        return;
    }
    operands(expression).into_iter().for_each(|operand| find_calls(operand, calls));
}

/// Returns the rows with an additional column: the first value of the first row of `table`, or null if it has no
/// rows.
fn beside(rows: LogicalPlan, table: LogicalPlan, first: &Field) -> LogicalPlan {
    let field = Field::new("$scalar", first.ty);
    let first_row = LogicalPlan::Limit { input: Box::new(table), count: 1 };
    let value = first_row.project([(field.name.clone(), Expr::column(0, first.ty, Span::default()))]);
    let columns = (0..rows.schema().len()).map(|column| JoinColumn { side: Side::Left, column });
    let output = columns.chain([JoinColumn { side: Side::Right, column: 0 }]).collect();
    let schema = Schema::new(rows.schema().fields().iter().cloned().chain([field]));
    let zero = || Expr::literal(Value::Long(0), Span::default());
    LogicalPlan::Join(Join {
        left: Box::new(rows),
        right: Box::new(value),
        kind: JoinKind::LeftOuter,
        keys: vec![JoinKey { left: zero(), right: zero() }],
        build: Side::Right,
        output,
        schema,
        window: None,
    })
}
