//! Pushes limits into scans, so that they do not read rows beyond the limit.

use crate::diagnostic::Result;
use crate::functions::EvalContext;
use crate::plan::{LogicalPlan, Parse, visit};

pub fn apply(plan: LogicalPlan, _: &EvalContext) -> Result<LogicalPlan> {
    visit::transform_down(plan, &mut |node| {
        Ok(match node {
            LogicalPlan::Limit { input, count } => {
                LogicalPlan::Limit { input: Box::new(set_limit(*input, count)), count }
            }
            other => other,
        })
    })
}

fn set_limit(plan: LogicalPlan, count: usize) -> LogicalPlan {
    match plan {
        LogicalPlan::Scan(mut scan) => {
            scan.limit = Some(scan.limit.map_or(count, |limit| limit.min(count)));
            LogicalPlan::Scan(scan)
        }
        LogicalPlan::Project { input, expressions, schema } => {
            LogicalPlan::Project { input: Box::new(set_limit(*input, count)), expressions, schema }
        }
        LogicalPlan::Parse(parse) if !parse.drops_unmatched => {
            LogicalPlan::Parse(Parse { input: Box::new(set_limit(*parse.input, count)), ..parse })
        }
        other => other,
    }
}
