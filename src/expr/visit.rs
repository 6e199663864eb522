//! The shape of an expression: its children, and rebuilding it from others.

use super::{Expr, ExprKind};

/// The direct parts of an expression.
#[must_use]
pub fn children(expr: &Expr) -> Vec<&Expr> {
    match &expr.kind {
        ExprKind::Column(_) | ExprKind::Literal(_) => Vec::new(),
        ExprKind::Call { arguments, .. } => arguments.iter().collect(),
        ExprKind::Cast(input) | ExprKind::Path { input, .. } => vec![input],
    }
}

/// The expression with each direct part replaced by what `replace` makes of it.
pub fn map_children<E>(expr: Expr, replace: &mut impl FnMut(Expr) -> Result<Expr, E>) -> Result<Expr, E> {
    let Expr { kind, ty, span } = expr;
    let kind = match kind {
        ExprKind::Column(_) | ExprKind::Literal(_) => kind,
        ExprKind::Call { function, overload, arguments } => {
            let arguments = arguments.into_iter().map(replace).collect::<Result<_, E>>()?;
            ExprKind::Call { function, overload, arguments }
        }
        ExprKind::Cast(input) => ExprKind::Cast(Box::new(replace(*input)?)),
        ExprKind::Path { input, path } => {
            // A path into a replaced path becomes one path.
            let input = replace(*input)?;
            return Ok(input.path(path, span));
        }
    };
    Ok(Expr { kind, ty, span })
}

/// The expression rebuilt from the leaves up.
pub fn transform_up<E>(expr: Expr, rule: &mut impl FnMut(Expr) -> Result<Expr, E>) -> Result<Expr, E> {
    let expr = map_children(expr, &mut |child| transform_up(child, rule))?;
    rule(expr)
}

/// Calls `see` for the expression and all of its parts.
pub fn walk<'a>(expr: &'a Expr, see: &mut impl FnMut(&'a Expr)) {
    see(expr);
    for child in children(expr) {
        walk(child, see);
    }
}

/// The number of its parts, itself included.
#[must_use]
pub fn size(expr: &Expr) -> usize {
    let mut parts = 0;
    walk(expr, &mut |_| parts += 1);
    parts
}

/// The number of parts on its longest way down.
#[must_use]
pub fn height(expr: &Expr) -> usize {
    1 + children(expr).into_iter().map(height).max().unwrap_or(0)
}

/// The columns that occur, sorted, each once.
#[must_use]
pub fn columns(expr: &Expr) -> Vec<usize> {
    let mut found = Vec::new();
    walk(expr, &mut |part| found.extend(part.as_column()));
    found.sort_unstable();
    found.dedup();
    found
}

/// The expression with column `i` replaced by `replacements[i]`.
#[must_use]
pub fn substitute(expr: Expr, replacements: &[Expr]) -> Expr {
    let replaced = transform_up(expr, &mut |part| {
        Ok::<_, std::convert::Infallible>(match part.as_column() {
            Some(index) => Expr { span: part.span, ..replacements[index].clone() },
            None => part,
        })
    });
    match replaced {
        Ok(expr) => expr,
        Err(never) => match never {},
    }
}
