//! Plans -> rows: vectorized, parallel by partitions, without async.

pub mod bound;
pub mod context;
pub mod memory;
pub mod metrics;
pub mod operator;
pub mod physical;
pub mod pipeline;
pub mod sink;
pub mod spill;

mod byte_table;
mod group_codes;
mod group_keys;
mod group_table;
mod page_checksums;
pub(crate) mod parallel;
pub(crate) mod row_groups;
mod sealed;

pub use context::ExecContext;
pub use metrics::{Clock, NodeMetrics, PlanMetrics};
pub use pipeline::{Flow, for_each};

use crate::diagnostic::Result;
use crate::plan::{LogicalPlan, visit};
use crate::storage::counters::Count;
use crate::types::{Batch, SharedMemory};

/// Runs `plan` and calls `consume` with its rows in order, batch by batch, until it breaks off.
pub fn execute(
    plan: &LogicalPlan,
    context: &ExecContext,
    consume: &mut dyn FnMut(Batch) -> Result<Flow>,
) -> Result<()> {
    expect(plan, context);
    physical::Pipeline::new(plan, context)?.run(context, consume)
}

/// Counts what there is to read, so that it can be told how much of it is done.
fn expect(plan: &LogicalPlan, context: &ExecContext) {
    if let LogicalPlan::Scan(scan) = plan {
        let (files, bytes) = scan.table.extent();
        context.report.counters.add(Count::FilesExpected, files);
        context.report.counters.add(Count::BytesExpected, bytes);
    }
    visit::inputs(plan).into_iter().for_each(|input| expect(input, context));
}

/// The rows of `plan`, a subquery, all in memory.
///
/// # Errors
/// Those of the plan, and where the rows do not fit the memory.
pub fn collect(plan: &LogicalPlan, context: &ExecContext) -> Result<Vec<Batch>> {
    let (mut batches, mut memory) = (Vec::new(), SharedMemory::default());
    let mut held = context.memory.reservation();
    execute(plan, context, &mut |batch| {
        let batch = batch.compacted();
        held.grow(memory.add(&batch));
        if held.is_hopeless() {
            return Err(context.memory.exceeded("a subquery", held.bytes()));
        }
        batches.push(batch);
        Ok(Flow::Continue(()))
    })?;
    Ok(batches)
}
