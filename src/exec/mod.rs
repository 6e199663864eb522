//! Runs plans on batches of columns, with the partitions of the input in parallel, and without async.
//!
//! `planner` turns a plan into a `pipeline`: partitions, and the operators that run inside them. Nodes that need all
//! rows first (`aggregate`, `sort`, the build side of `join`) consume one pipeline and start another.

pub mod context;
pub mod dynamic_filter;
pub mod metrics;
pub mod operator;
pub mod spill;

mod aggregate;
mod fold;
mod hash;
mod join;
mod late;
pub(crate) mod parallel;
mod per_row;
mod pipeline;
mod planner;
mod scan;
mod scheduler;
mod sequence;
mod series;
mod shared_scan;
mod sort;
mod table_call;
mod time_range;
mod window;

pub use context::ExecContext;
pub use metrics::{Clock, NodeMetrics, PlanMetrics};
pub use scheduler::{Flow, for_each};
pub use shared_scan::{SharedRows, SharingScan, read_shared};
pub use time_range::time_range;

use crate::diagnostic::Result;
use crate::memory::Reservation;
use crate::plan::{LogicalPlan, PlanNode, visit};
use crate::storage::counters::ScanCount;
use crate::types::{Batch, SharedMemory};

/// Runs `plan` and calls `consume` with its rows in order, batch by batch, until `consume` returns a break.
pub fn execute(
    plan: &LogicalPlan,
    context: &ExecContext,
    consume: &mut dyn FnMut(Batch) -> Result<Flow>,
) -> Result<()> {
    count_expected(plan, context);
    planner::plan(PlanNode::root(plan), context)?.run(context, consume)
}

/// Counts the files and bytes that the plan will read, for progress messages.
fn count_expected(plan: &LogicalPlan, context: &ExecContext) {
    if let LogicalPlan::Scan(scan) = plan {
        let (files, bytes) = scan.table.extent();
        context.report.counters.add(ScanCount::FilesExpected, files);
        context.report.counters.add(ScanCount::BytesExpected, bytes);
    }
    visit::inputs(plan).into_iter().for_each(|input| count_expected(input, context));
}

/// Runs `plan`, a subquery, and returns all of its rows.
///
/// # Errors
/// Errors of the plan, and [`Error::Limit`](crate::diagnostic::Error::Limit) if the rows do not fit in memory.
pub fn collect(plan: &LogicalPlan, context: &ExecContext) -> Result<Vec<Batch>> {
    collect_reserved(plan, context).map(|(batches, _)| batches)
}

/// Like [`collect`], but also returns the memory reserved for the rows.
fn collect_reserved(plan: &LogicalPlan, context: &ExecContext) -> Result<(Vec<Batch>, Reservation)> {
    let (mut batches, mut memory) = (Vec::new(), SharedMemory::default());
    let mut reservation = context.memory.reservation();
    execute(plan, context, &mut |batch| {
        let batch = batch.compacted();
        reservation.grow(memory.add(&batch));
        if reservation.exceeds_alone() {
            return Err(context.memory.exceeded("a subquery", reservation.bytes()));
        }
        batches.push(batch);
        Ok(Flow::Continue(()))
    })?;
    Ok((batches, reservation))
}
