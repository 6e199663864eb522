//! Visits the parts of expressions.

use super::{ParsedExpr, ParsedExprKind};

/// Returns the direct operands of an expression. Expressions inside a table are not included.
#[must_use]
pub fn operands(expr: &ParsedExpr) -> Vec<&ParsedExpr> {
    match &expr.kind {
        ParsedExprKind::Literal(_) | ParsedExprKind::Name(_) | ParsedExprKind::Star | ParsedExprKind::Pipeline(_) => {
            Vec::new()
        }
        ParsedExprKind::Unary { operand, .. } => vec![operand],
        ParsedExprKind::Binary { left, right, .. } => vec![left, right],
        ParsedExprKind::Membership { left, list, .. } => std::iter::once(&**left).chain(list).collect(),
        ParsedExprKind::Between { operand, low, high, .. } => vec![operand, low, high],
        ParsedExprKind::Call { arguments, .. } => arguments.iter().map(|argument| &argument.value).collect(),
        ParsedExprKind::Member { base, .. } => vec![base],
        ParsedExprKind::Index { base, index } => vec![base, index],
        ParsedExprKind::Parenthesised(inner) => vec![inner],
    }
}
