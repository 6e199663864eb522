//! Constant folding: computes constant parts of expressions with the kernels that also evaluate rows.

use super::{Expr, ExprKind, evaluate, visit};
use crate::diagnostic::Result;
use crate::functions::{EvalContext, Volatility};
use crate::types::Batch;

/// Replaces each part of an expression that is constant during a run with its value.
pub fn fold(expr: Expr, context: &EvalContext) -> Result<Expr> {
    visit::transform_up(expr, &mut |part| fold_one(part, context))
}

fn fold_one(expr: Expr, context: &EvalContext) -> Result<Expr> {
    let foldable = match &expr.kind {
        ExprKind::Shared { body, .. } if body.as_literal().is_some() => {
            return Ok(Expr { span: expr.span, ..(**body).clone() });
        }
        ExprKind::Column(_) | ExprKind::Literal(_) | ExprKind::Reference(_) | ExprKind::Shared { .. } => false,
        ExprKind::Call { function, .. } => match function.volatility {
            Volatility::Row => false,
            Volatility::Run => !context.keeps_clock,
            Volatility::Pure => true,
        },
        ExprKind::Cast(_) | ExprKind::Path { .. } => true,
    };
    if !foldable || !visit::children(&expr).iter().all(|child| child.as_literal().is_some()) {
        return Ok(expr);
    }
    let value = evaluate(&expr, &Batch::new(Vec::new(), 1), context)?.value(0);
    // A kernel may return a null of another type; the binder decides the type of the expression.
    let value = if value.is_null() { crate::types::Value::null(expr.ty) } else { value };
    Ok(Expr { kind: ExprKind::Literal(value), ..expr })
}
