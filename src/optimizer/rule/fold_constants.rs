//! Evaluates constant expressions, and removes filters that are always true.

use crate::diagnostic::Result;
use crate::expr::fold;
use crate::functions::EvalContext;
use crate::plan::{LogicalPlan, visit};
use crate::types::Value;

pub fn apply(plan: LogicalPlan, context: &EvalContext) -> Result<LogicalPlan> {
    visit::transform_up(plan, &mut |node| {
        let node = visit::map_expressions(node, &mut |expr| fold::fold(expr, context))?;
        Ok(match node {
            LogicalPlan::Filter { input, predicate } if predicate.as_literal() == Some(&Value::Bool(true)) => *input,
            other => other,
        })
    })
}
