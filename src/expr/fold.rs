//! Constants computed beforehand, with the same kernels that compute rows.

use super::{Expr, ExprKind, evaluate, visit};
use crate::diagnostic::Result;
use crate::functions::{EvalContext, Volatility};
use crate::types::Batch;

/// The expression with every part that is the same for all rows of a run replaced by its value.
pub fn fold(expr: Expr, context: &EvalContext) -> Result<Expr> {
    visit::transform_up(expr, &mut |part| fold_one(part, context))
}

fn fold_one(expr: Expr, context: &EvalContext) -> Result<Expr> {
    let foldable = match &expr.kind {
        ExprKind::Column(_) | ExprKind::Literal(_) => false,
        ExprKind::Call { function, .. } => function.volatility != Volatility::Row,
        ExprKind::Cast(_) | ExprKind::Path { .. } => true,
    };
    if !foldable || !visit::children(&expr).iter().all(|child| child.as_literal().is_some()) {
        return Ok(expr);
    }
    let value = evaluate(&expr, &Batch::new(Vec::new(), 1), context)?.value(0);
    // A kernel may answer the null of its own type; the expression's type is the binder's word.
    let value = if value.is_null() { crate::types::Value::null(expr.ty) } else { value };
    Ok(Expr { kind: ExprKind::Literal(value), ..expr })
}
