//! Packs the literals of a long list after `in` or `has_any` into one array, such as those of a watchlist. An array is
//! prepared once, but literals are arguments, which are evaluated and prepared for every batch.

use crate::diagnostic::Result;
use crate::expr::{Expr, ExprKind, visit as expressions};
use crate::functions::EvalContext;
use crate::plan::{LogicalPlan, visit};
use crate::types::dynamic::ArrayWriter;
use crate::types::{Type, Value};

/// Minimum number of literals that are packed.
const LONG: usize = 32;

/// The operators that prepare an array once.
const OPERATORS: [&str; 5] = ["in", "!in", "in~", "!in~", "has_any"];

pub fn apply(plan: LogicalPlan, _: &EvalContext) -> Result<LogicalPlan> {
    visit::transform_up(plan, &mut |node| {
        visit::map_expressions(node, &mut |expr| expressions::transform_up(expr, &mut |part| Ok(packed(part))))
    })
}

fn packed(mut expr: Expr) -> Expr {
    if let ExprKind::Call { function, arguments, .. } = &mut expr.kind
        && OPERATORS.contains(&function.name)
        && arguments.len() > LONG
        && let Some(array) = array_of(&arguments[1..])
    {
        arguments.truncate(1);
        arguments.push(Expr::literal(array, expr.span).cast(Type::Dynamic));
    }
    expr
}

/// Returns an array of the items; None if one of them is not a literal string or integer. Elements of other types would
/// be compared differently.
fn array_of(items: &[Expr]) -> Option<Value> {
    let mut array = ArrayWriter::new();
    for item in items {
        match item.as_literal()? {
            value @ (Value::String(_) | Value::Long(_)) => array.push(value),
            _ => return None,
        }
    }
    Some(Value::dynamic(array.finish()))
}
