//! A sort of which only the first rows are wanted keeps no others.

use crate::diagnostic::Result;
use crate::functions::EvalContext;
use crate::plan::{LogicalPlan, visit};

/// Beyond so many rows sorting all is the better way.
const MOST: usize = 100_000;

pub fn apply(plan: LogicalPlan, _: &EvalContext) -> Result<LogicalPlan> {
    visit::transform_up(plan, &mut |node| {
        Ok(match node {
            LogicalPlan::Limit { input, count } if count <= MOST => match *input {
                LogicalPlan::Sort { input, keys } => LogicalPlan::Top { input, keys, count },
                other => LogicalPlan::Limit { input: Box::new(other), count },
            },
            other => other,
        })
    })
}
