//! Finds plans that return no rows, without running them.

use crate::plan::{JoinKind, LogicalPlan, visit};

/// True if `plan` certainly returns no rows, because tables that it reads have none.
pub(super) fn returns_nothing(plan: &LogicalPlan) -> bool {
    match plan {
        LogicalPlan::Scan(scan) => scan.table.is_known_empty(),
        LogicalPlan::Filter { input, .. }
        | LogicalPlan::Project { input, .. }
        | LogicalPlan::Sort { input, .. }
        | LogicalPlan::Limit { input, .. }
        | LogicalPlan::Top { input, .. } => returns_nothing(input),
        // Without keys, there is one group of no rows.
        LogicalPlan::Aggregate { input, keys, .. } => !keys.is_empty() && returns_nothing(input),
        LogicalPlan::Union { .. } => visit::inputs(plan).into_iter().all(returns_nothing),
        LogicalPlan::Unnest(_) | LogicalPlan::Parse(_) | LogicalPlan::Window(_) | LogicalPlan::Sequence(_) => {
            visit::inputs(plan).into_iter().all(returns_nothing)
        }
        LogicalPlan::PerRow(per_row) => returns_nothing(&per_row.input),
        LogicalPlan::TableCall(call) => call.function.is_row_wise() && returns_nothing(&call.input),
        LogicalPlan::Join(join) => {
            let (left, right) = (returns_nothing(&join.left), returns_nothing(&join.right));
            match join.kind {
                JoinKind::InnerUnique | JoinKind::Inner | JoinKind::LeftSemi | JoinKind::RightSemi => left || right,
                JoinKind::LeftOuter | JoinKind::LeftAnti => left,
                JoinKind::RightOuter | JoinKind::RightAnti => right,
                JoinKind::FullOuter => left && right,
            }
        }
        LogicalPlan::Series(_) | LogicalPlan::Rows(_) => false,
    }
}
