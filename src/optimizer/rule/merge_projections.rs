//! Merges consecutive projections, and removes projections that change nothing.

use crate::diagnostic::Result;
use crate::expr::{Expr, ExprKind, visit as expr_visit};
use crate::functions::EvalContext;
use crate::plan::{LogicalPlan, visit};

pub fn apply(plan: LogicalPlan, _: &EvalContext) -> Result<LogicalPlan> {
    visit::transform_up(plan, &mut |node| {
        Ok(match node {
            LogicalPlan::Project { input, expressions, schema } => match *input {
                LogicalPlan::Project { input, expressions: inner, .. }
                    if keeps_cost(&expressions, &inner) && keeps_height(&expressions, &inner) =>
                {
                    let merged = expressions.into_iter().map(|expr| expr_visit::substitute(expr, &inner));
                    remove_identity(LogicalPlan::Project { input, expressions: merged.collect(), schema })
                }
                other => remove_identity(LogicalPlan::Project { input: Box::new(other), expressions, schema }),
            },
            other => other,
        })
    })
}

/// True if the merged projection evaluates no computed expression more often than the two projections did.
fn keeps_cost(outer: &[Expr], inner: &[Expr]) -> bool {
    let mut uses = vec![0_usize; inner.len()];
    for expr in outer {
        expr_visit::walk(expr, &mut |part| {
            if let Some(column) = part.as_column() {
                uses[column] += 1;
            }
        });
    }
    uses.iter().zip(inner).all(|(uses, expr)| *uses <= 1 || is_free(expr))
}

/// Maximum height of a merged expression, because evaluating it recurses as deep.
const MAX_HEIGHT: usize = 64;

/// True if the merged expressions are not higher than [`MAX_HEIGHT`].
fn keeps_height(outer: &[Expr], inner: &[Expr]) -> bool {
    let height = |expressions: &[Expr]| expressions.iter().map(expr_visit::height).max().unwrap_or(0);
    let (outer, inner) = (height(outer), height(inner));
    outer <= 1 || inner <= 1 || outer + inner <= MAX_HEIGHT
}

fn is_free(expr: &Expr) -> bool {
    matches!(expr.kind, ExprKind::Column(_) | ExprKind::Literal(_))
}

/// Returns the input of a projection that changes no column; returns any other plan itself.
fn remove_identity(plan: LogicalPlan) -> LogicalPlan {
    match plan {
        LogicalPlan::Project { input, expressions, schema }
            if *input.schema() == schema
                && expressions.iter().enumerate().all(|(index, expr)| expr.as_column() == Some(index)) =>
        {
            *input
        }
        other => other,
    }
}
