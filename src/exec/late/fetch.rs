//! Reads the rows at some positions of a table.

use std::sync::Arc;

use arrow::array::{AsArray, BooleanArray};
use arrow::buffer::BooleanBuffer;
use arrow::datatypes::Int64Type;

use super::narrow::NarrowPlan;
use crate::diagnostic::{Error, Result};
use crate::exec::context::ExecContext;
use crate::exec::metrics;
use crate::exec::operator::Project;
use crate::exec::pipeline::ExecPipeline;
use crate::exec::scheduler::Flow;
use crate::exec::spill::rows;
use crate::memory::Reservation;
use crate::plan::LogicalPlan;
use crate::scan::{RowFilter, ScanColumn, ScanRequest};
use crate::types::{Batch, SharedMemory};

/// Assumed size in bytes of a row. If rows of that size do not fit in memory, none is read.
const ROW_BYTES: usize = 4096;

/// Rows in memory, which are found by their positions.
#[derive(Debug)]
pub struct FetchedRows {
    batches: Vec<Batch>,
    /// The positions of the rows of all batches, in ascending order.
    positions: Vec<i64>,
    /// For each batch, the number of rows in the batches before it.
    starts: Vec<usize>,
    /// The memory of the rows, until they are dropped.
    _reservation: Reservation,
}

impl FetchedRows {
    /// Reads the rows of `plan`, which has no filters, at `positions`, which are in ascending order. Returns None if
    /// some of them cannot be read, or if they do not fit in memory.
    pub fn read(plan: &NarrowPlan, positions: &Arc<[i64]>, context: &ExecContext) -> Result<Option<Self>> {
        if positions.len().saturating_mul(ROW_BYTES) > context.memory.limit() / 2 {
            return Ok(None);
        }
        // This scan is not a node of the plan.
        let _unmeasured = metrics::enter(None);
        let pipeline = pipeline(&plan.plan, positions, context)?;
        let (mut batches, mut found, mut starts) = (Vec::new(), Vec::with_capacity(positions.len()), Vec::new());
        let (mut memory, mut reservation) = (SharedMemory::default(), context.memory.reservation());
        pipeline.run(context, &mut |batch| {
            let batch = rows::plain(&batch)?.compacted();
            reservation.grow(memory.add(&batch));
            starts.push(found.len());
            found.extend(row_positions(&batch, batch.columns().len() - 1).flatten());
            batches.push(batch);
            Ok(if reservation.should_spill() { Flow::Break(()) } else { Flow::Continue(()) })
        })?;
        let is_complete = found == **positions;
        Ok(is_complete.then_some(Self { batches, positions: found, starts, _reservation: reservation }))
    }

    /// Returns the rows at `positions`, in that order.
    pub fn gather(&self, positions: impl Iterator<Item = Option<i64>>) -> Result<Batch> {
        let location = |position: Option<i64>| {
            let row = self.positions.binary_search(&position?).ok()?;
            let batch = self.starts.partition_point(|start| *start <= row) - 1;
            Some((batch, row - self.starts[batch]))
        };
        let missing = || Error::internal("a row that is needed was not read");
        let indices = positions.map(|position| location(position).ok_or_else(missing)).collect::<Result<Vec<_>>>()?;
        rows::gather(&self.batches.iter().collect::<Vec<_>>(), &indices, 1)
    }
}

/// Returns the positions in the column at `index`; None for nulls.
pub fn row_positions(batch: &Batch, index: usize) -> impl Iterator<Item = Option<i64>> + '_ {
    (0..batch.rows()).map(move |row| batch.column(index).i64_at(row))
}

fn pipeline(plan: &LogicalPlan, positions: &Arc<[i64]>, context: &ExecContext) -> Result<ExecPipeline> {
    match plan {
        LogicalPlan::Scan(scan) => {
            let column = scan.columns.last().cloned().into_iter().collect();
            let filter = Arc::new(PositionFilter { column, positions: Arc::clone(positions) });
            let request = context.scan_request(scan.columns.clone());
            let request = ScanRequest { prune: scan.prune.clone(), filter: Some(filter), ..request };
            Ok(ExecPipeline::of(scan.table.scan(&request)?))
        }
        LogicalPlan::Project { input, expressions, .. } => {
            Ok(pipeline(input, positions, context)?.then(Arc::new(Project::new(expressions.clone(), context))))
        }
        _ => Err(Error::internal("rows can be fetched only from scans and projections")),
    }
}

/// Keeps the rows at some positions.
#[derive(Debug)]
struct PositionFilter {
    /// The column with the positions.
    column: Vec<ScanColumn>,
    /// The positions of the rows to keep, in ascending order.
    positions: Arc<[i64]>,
}

impl RowFilter for PositionFilter {
    fn columns(&self) -> &[ScanColumn] {
        &self.column
    }

    fn evaluate(&self, columns: &Batch) -> Result<BooleanArray> {
        let array = columns.column(0).to_array();
        let read = array.as_primitive::<Int64Type>().values();
        let first = read.first().map_or(0, |first| self.positions.partition_point(|position| position < first));
        let mut kept = self.positions[first..].iter().peekable();
        // Positions increase in the order of the rows.
        let is_kept = |row: usize| {
            while kept.next_if(|position| **position < read[row]).is_some() {}
            kept.next_if(|position| **position == read[row]).is_some()
        };
        Ok(BooleanArray::from(BooleanBuffer::collect_bool(columns.rows(), is_kept)))
    }
}
