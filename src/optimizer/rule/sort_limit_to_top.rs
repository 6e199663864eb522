//! Replaces a limit above a sort with a top, which keeps only the rows that are needed.

use crate::diagnostic::Result;
use crate::functions::EvalContext;
use crate::plan::{LogicalPlan, visit};

/// Maximum number of rows of a top; for more, sorting everything is faster.
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
