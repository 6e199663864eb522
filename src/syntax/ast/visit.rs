//! Visits the parts of expressions.

use super::{Expr, ExprKind};

/// The direct operands of an expression; those inside a table are not among them.
#[must_use]
pub fn operands(expr: &Expr) -> Vec<&Expr> {
    match &expr.kind {
        ExprKind::Literal(_) | ExprKind::Name(_) | ExprKind::Star | ExprKind::Pipeline(_) => Vec::new(),
        ExprKind::Unary { operand, .. } => vec![operand],
        ExprKind::Binary { left, right, .. } => vec![left, right],
        ExprKind::Membership { left, list, .. } => std::iter::once(&**left).chain(list).collect(),
        ExprKind::Between { operand, low, high, .. } => vec![operand, low, high],
        ExprKind::Call { arguments, .. } => arguments.iter().map(|argument| &argument.value).collect(),
        ExprKind::Member { base, .. } => vec![base],
        ExprKind::Index { base, index } => vec![base, index],
        ExprKind::Parenthesised(inner) => vec![inner],
    }
}
