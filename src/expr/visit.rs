//! Visits the parts of expressions, and rebuilds expressions from changed parts.

use std::collections::BTreeSet;

use super::{Expr, ExprKind};

/// Returns the direct operands of an expression.
#[must_use]
pub fn children(expr: &Expr) -> Vec<&Expr> {
    match &expr.kind {
        ExprKind::Column(_) | ExprKind::Literal(_) | ExprKind::Reference(_) => Vec::new(),
        ExprKind::Call { arguments, .. } => arguments.iter().collect(),
        ExprKind::Cast(input) | ExprKind::Path { input, .. } => vec![input],
        ExprKind::Shared { values, body } => values.iter().map(|(_, value)| value).chain([&**body]).collect(),
    }
}

/// Replaces each direct operand with the result of `replace`.
pub fn map_children<E>(expr: Expr, replace: &mut impl FnMut(Expr) -> Result<Expr, E>) -> Result<Expr, E> {
    let Expr { kind, ty, span } = expr;
    let kind = match kind {
        ExprKind::Column(_) | ExprKind::Literal(_) | ExprKind::Reference(_) => kind,
        ExprKind::Call { function, overload, arguments } => {
            let arguments = arguments.into_iter().map(replace).collect::<Result<_, E>>()?;
            ExprKind::Call { function, overload, arguments }
        }
        ExprKind::Cast(input) => ExprKind::Cast(Box::new(replace(*input)?)),
        ExprKind::Shared { values, body } => {
            let values = values.into_iter().map(|(id, value)| Ok((id, replace(value)?)));
            let values = values.collect::<Result<_, E>>()?;
            ExprKind::Shared { values, body: Box::new(replace(*body)?) }
        }
        ExprKind::Path { input, path } => {
            // If the new input is a path, the two become one path.
            let input = replace(*input)?;
            return Ok(input.path(path, span));
        }
    };
    Ok(Expr { kind, ty, span })
}

/// Replaces every part of an expression with the result of `rule`, operands before the parts that contain them.
pub fn transform_up<E>(expr: Expr, rule: &mut impl FnMut(Expr) -> Result<Expr, E>) -> Result<Expr, E> {
    let expr = map_children(expr, &mut |child| transform_up(child, rule))?;
    rule(expr)
}

/// Calls `visit` with the expression and with each of its parts.
pub fn walk<'a>(expr: &'a Expr, visit: &mut impl FnMut(&'a Expr)) {
    visit(expr);
    for child in children(expr) {
        walk(child, visit);
    }
}

/// Returns the number of parts of an expression, including itself.
#[must_use]
pub fn size(expr: &Expr) -> usize {
    let mut parts = 0;
    walk(expr, &mut |_| parts += 1);
    parts
}

/// Returns the height of the expression as a tree; 1 for a column or literal.
#[must_use]
pub fn height(expr: &Expr) -> usize {
    1 + children(expr).into_iter().map(height).max().unwrap_or(0)
}

/// Returns the positions of the columns that the expression reads, sorted and without duplicates.
#[must_use]
pub fn columns(expr: &Expr) -> Vec<usize> {
    let mut found = Vec::new();
    walk(expr, &mut |part| found.extend(part.as_column()));
    found.sort_unstable();
    found.dedup();
    found
}

/// True if the expression defines all shared values that it refers to.
#[must_use]
pub fn is_closed(expr: &Expr) -> bool {
    let (mut defined, mut used) = (BTreeSet::new(), BTreeSet::new());
    walk(expr, &mut |part| {
        if let ExprKind::Shared { values, .. } = &part.kind {
            defined.extend(values.iter().map(|(id, _)| *id));
        }
        if let ExprKind::Reference(id) = part.kind {
            used.insert(id);
        }
    });
    used.is_subset(&defined)
}

/// Replaces column `i` with `replacements[i]`.
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
