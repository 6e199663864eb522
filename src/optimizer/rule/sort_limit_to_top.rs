//! Replaces a limit over a sort by a top, which keeps no other rows.

use crate::diagnostic::Result;
use crate::functions::EvalContext;
use crate::plan::{LogicalPlan, visit};

/// For more rows, sorting everything is faster.
const MAX_TOP_ROWS: usize = 100_000;

pub fn apply(plan: LogicalPlan, _: &EvalContext) -> Result<LogicalPlan> {
    visit::transform_up(plan, &mut |node| {
        Ok(match node {
            LogicalPlan::Limit { input, count } if count <= MAX_TOP_ROWS => match *input {
                LogicalPlan::Sort { input, keys } => LogicalPlan::Top { input, keys, count },
                other => LogicalPlan::Limit { input: Box::new(other), count },
            },
            other => other,
        })
    })
}
