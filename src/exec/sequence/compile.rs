//! Prepares the expressions of the steps of a `scan`: parts that read only the current row are computed for whole
//! batches.

use std::ops::Range;

use std::convert::Infallible;

use crate::diagnostic::{Error, Result};
use crate::expr::{Expr, ExprKind, evaluate, visit};
use crate::functions::EvalContext;
use crate::plan::Sequence;
use crate::types::{Batch, Column, Value};

/// The prepared expressions of all steps of a `scan`.
#[derive(Debug)]
pub struct CompiledSteps {
    /// Expressions over the input that are evaluated once per batch.
    pub row_columns: Vec<Expr>,
    /// The expressions of each step.
    pub steps: Vec<CompiledStep>,
}

/// The prepared expressions of one step.
#[derive(Debug)]
pub struct CompiledStep {
    /// The parts of the condition, joined by `and`, that read only the current row: bool expressions over the input.
    pub row_conditions: Vec<Expr>,
    /// The other parts of the condition; None if there are none.
    pub condition: Option<StateExpr>,
    /// True if `condition` reads values of the last record of this step.
    pub reads_own: bool,
    /// True if `condition` reads values of the last record of the previous step.
    pub reads_previous: bool,
    /// The values that the step assigns, in the order of the plan.
    pub values: Vec<StateExpr>,
}

/// An expression whose columns are values of the state, followed by columns of the batch.
#[derive(Debug)]
pub struct StateExpr {
    /// The expression; its columns are [`Self::state`], followed by [`Self::columns`].
    expr: Expr,
    /// The values that the expression reads, as positions in the state.
    state: Vec<usize>,
    /// The columns that the expression reads, as positions in [`CompiledSteps::row_columns`].
    columns: Vec<usize>,
}

impl CompiledSteps {
    /// Prepares the expressions of `plan`.
    pub fn new(plan: &Sequence) -> Self {
        let inputs = plan.input.schema().len();
        let mut split = RowParts { inputs, state: plan.state.len(), row_columns: Vec::new() };
        let steps = plan.steps.iter().enumerate().map(|(position, step)| {
            let conjuncts = conjuncts(&step.condition);
            let (row, state): (Vec<&Expr>, Vec<&Expr>) =
                conjuncts.into_iter().partition(|part| split.reads_only_the_row(part));
            let condition = state.into_iter().cloned().reduce(both).map(|state| split.state_expr(state));
            let reads = |step: usize| {
                condition.as_ref().is_some_and(|expr| expr.state.iter().any(|at| plan.state[*at].step == step))
            };
            CompiledStep {
                row_conditions: row.into_iter().cloned().collect(),
                reads_own: reads(position),
                reads_previous: position.checked_sub(1).is_some_and(reads),
                condition,
                values: step.assignments.iter().map(|assigned| split.state_expr(assigned.value.clone())).collect(),
            }
        });
        let steps = steps.collect();
        Self { row_columns: split.row_columns, steps }
    }

    /// Computes the row columns for the rows of `batch`.
    pub fn row_batch(&self, batch: &Batch, context: &EvalContext) -> Result<Batch> {
        let columns = self.row_columns.iter().map(|expr| evaluate(expr, batch, context)).collect::<Result<_>>()?;
        Ok(Batch::new(columns, batch.rows()))
    }
}

impl StateExpr {
    /// Returns the value of the expression for one row.
    pub fn value_at(&self, row_batch: &Batch, row: usize, state: &[Value], context: &EvalContext) -> Result<Value> {
        match (self.expr.as_column(), self.state.as_slice(), self.columns.as_slice()) {
            (Some(_), [position], []) => Ok(state[*position].clone()),
            (Some(_), [], [column]) => Ok(row_batch.column(*column).value(row)),
            _ => Ok(self.evaluate(row_batch, row..row + 1, state, context)?.value(0)),
        }
    }

    /// Returns the values of the expression for the rows at `rows`, provided that the state stays `state`. If the
    /// result for all rows is too large, it returns those of the first rows only.
    pub fn evaluate(
        &self,
        row_batch: &Batch,
        rows: Range<usize>,
        state: &[Value],
        context: &EvalContext,
    ) -> Result<Column> {
        let count = rows.len();
        let constants = self.state.iter().map(|position| Column::constant(state[*position].clone(), count));
        let columns = self.columns.iter().map(|column| row_batch.column(*column).slice(rows.start, count));
        let batch = Batch::new(constants.chain(columns).collect(), count);
        match evaluate(&self.expr, &batch, context) {
            Err(Error::BatchTooLarge(_)) if count > 1 => {
                self.evaluate(row_batch, rows.start..rows.start + count / 2, state, context)
            }
            outcome => outcome,
        }
    }
}

/// Divides expressions into parts that read only the current row, and the rest.
struct RowParts {
    /// The number of columns of the input. In the expressions of the plan, the state follows them.
    inputs: usize,
    /// The number of values of the state. In divided expressions, the row columns follow them.
    state: usize,
    row_columns: Vec<Expr>,
}

impl RowParts {
    fn reads_only_the_row(&self, expr: &Expr) -> bool {
        visit::columns(expr).iter().all(|column| *column < self.inputs) && visit::is_closed(expr)
    }

    fn state_expr(&mut self, expr: Expr) -> StateExpr {
        let divided = self.divided(expr);
        let read = visit::columns(&divided);
        let expr = renumbered(divided, &|column| read.binary_search(&column).unwrap_or_default());
        let (state, columns): (Vec<usize>, Vec<usize>) = read.into_iter().partition(|column| *column < self.state);
        StateExpr { expr, state, columns: columns.into_iter().map(|column| column - self.state).collect() }
    }

    /// Replaces the largest parts of an expression that read only the row with row columns.
    fn divided(&mut self, expr: Expr) -> Expr {
        if matches!(expr.kind, ExprKind::Literal(_) | ExprKind::Reference(_)) {
            return expr;
        }
        if self.reads_only_the_row(&expr) && expr.is_repeatable() {
            let (ty, span) = (expr.ty, expr.span);
            let at = self.row_columns.iter().position(|other| *other == expr).unwrap_or(self.row_columns.len());
            if at == self.row_columns.len() {
                self.row_columns.push(expr);
            }
            return Expr::column(self.state + at, ty, span);
        }
        if let Some(column) = expr.as_column() {
            return Expr::column(column - self.inputs, expr.ty, expr.span);
        }
        let Ok(divided) = visit::map_children(expr, &mut |child| Ok::<_, Infallible>(self.divided(child)));
        divided
    }
}

fn renumbered(expr: Expr, position: &dyn Fn(usize) -> usize) -> Expr {
    if let Some(column) = expr.as_column() {
        return Expr::column(position(column), expr.ty, expr.span);
    }
    let Ok(renumbered) = visit::map_children(expr, &mut |child| Ok::<_, Infallible>(renumbered(child, position)));
    renumbered
}

/// Splits a condition into its parts, which are joined by `and`.
fn conjuncts(condition: &Expr) -> Vec<&Expr> {
    match condition.as_call() {
        Some(("and", arguments)) => arguments.iter().flat_map(conjuncts).collect(),
        _ => vec![condition],
    }
}

fn both(left: Expr, right: Expr) -> Expr {
    let span = left.span.to(right.span);
    Expr::operator("and", vec![left, right], span)
}
