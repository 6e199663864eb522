//! Sorts rows: in memory if they fit, otherwise by writing sorted runs to temporary files and merging them.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::Array;
use arrow::datatypes::DataType;

use super::order::{KeyColumn, RowOrder, RowPosition, interleave_indices};
use super::runs::{MergedRuns, SortedRun, merged, split};
use crate::diagnostic::Result;
use crate::exec::context::ExecContext;
use crate::exec::fold::{PartialState, fold};
use crate::exec::pipeline::ExecPipeline;
use crate::exec::scheduler::Flow;
use crate::exec::spill::{self, rows};
use crate::expr::evaluate;
use crate::memory::Reservation;
use crate::plan::SortKey;
use crate::scan::{BatchIterator, Partition};
use crate::types::{Batch, Column, Schema, SharedMemory, Type, Value};

/// The number of batches in a partition of the sorted rows.
const BATCHES_PER_PARTITION: usize = 8;
/// Rows that would take more than this many times their memory in a file are not spilled while they fit in memory.
const MAX_SPILL_GROWTH: usize = 4;
/// Approximate number of bytes that sorting needs for each row: its position and its keys.
const SORT_BYTES: usize = 32;
/// Number of bytes of a string view, by which each dictionary code is replaced for sorting.
const VIEW_BYTES: usize = 16;

/// Returns the number of bytes that sorting the rows of `batch` takes, in addition to the rows themselves.
fn sort_bytes(batch: &Batch) -> usize {
    let is_dictionary =
        |column: &&Column| column.as_array().is_some_and(|array| matches!(array.data_type(), DataType::Dictionary(..)));
    batch.rows() * (SORT_BYTES + VIEW_BYTES * batch.columns().iter().filter(is_dictionary).count())
}

/// Returns all rows of `input`, ordered by `keys`.
pub fn sort(input: &ExecPipeline, schema: &Schema, keys: &[SortKey], context: &ExecContext) -> Result<ExecPipeline> {
    let types: Vec<Type> = schema.fields().iter().map(|field| field.ty).collect();
    let new = || Ok(Sorter::new(&types, keys, context));
    let mut whole = new()?;
    fold(input, context, &new, &mut |later| whole.append(later))?;
    whole.finish()
}

/// Sorts the rows that are pushed. Rows with equal keys keep the order in which they were pushed.
pub struct Sorter<'a> {
    order: RowOrder,
    /// The types of the columns, and then of the keys that are not columns.
    types: Vec<Type>,
    keys: &'a [SortKey],
    context: &'a ExecContext,
    runs: Vec<SortedRun>,
    /// The rows that were pushed after those in the runs.
    buffered: Vec<BufferedBatch>,
    memory: SharedMemory,
    reservation: Reservation,
}

/// A batch in memory.
struct BufferedBatch {
    batch: Batch,
    /// The number of bytes that the batch takes in a file; None until the batch has been compacted.
    spilled_bytes: Option<usize>,
}

impl<'a> Sorter<'a> {
    /// Returns a sorter for rows with columns of `types`.
    #[must_use]
    pub fn new(types: &[Type], keys: &'a [SortKey], context: &'a ExecContext) -> Self {
        let mut all_types = types.to_vec();
        let key_column = |key: &SortKey| {
            let column = key.expr.as_column().unwrap_or_else(|| {
                all_types.push(key.expr.ty);
                all_types.len() - 1
            });
            KeyColumn { column, descending: key.descending, nulls_first: key.nulls_first }
        };
        let order = RowOrder { keys: keys.iter().map(key_column).collect(), width: types.len() };
        let reservation = context.memory.reservation();
        let (runs, buffered, memory) = (Vec::new(), Vec::new(), SharedMemory::default());
        Self { order, types: all_types, keys, context, runs, buffered, memory, reservation }
    }

    /// Leaves the last `count` columns out of the result: they are only keys.
    #[must_use]
    pub fn hiding(mut self, count: usize) -> Self {
        self.order.width -= count;
        self
    }

    /// Adds rows.
    pub fn push(&mut self, batch: Batch) -> Result<()> {
        let mut columns = batch.columns().to_vec();
        for key in self.keys.iter().filter(|key| key.expr.as_column().is_none()) {
            columns.push(evaluate(&key.expr, &batch, &self.context.eval)?);
        }
        let batch = Batch::new(columns, batch.rows());
        self.reservation.grow(self.memory.add(&batch) + sort_bytes(&batch));
        self.buffered.push(BufferedBatch { batch, spilled_bytes: None });
        self.maybe_spill()
    }

    /// Adds all rows of `input` and returns the sorted rows.
    pub fn consume(mut self, input: &ExecPipeline) -> Result<ExecPipeline> {
        let context = self.context;
        input.run(context, &mut |batch| {
            self.push(batch)?;
            Ok(Flow::Continue(()))
        })?;
        self.finish()
    }

    /// Adds the rows of `later`, which come after the rows of this sorter.
    fn append(&mut self, later: Self) -> Result<()> {
        if !later.runs.is_empty() {
            self.spill()?;
            self.runs.extend(later.runs);
        }
        self.buffered.extend(later.buffered);
        self.reservation.absorb(later.reservation);
        self.maybe_spill()
    }

    /// Writes the buffered rows to a file if they use too much memory.
    fn maybe_spill(&mut self) -> Result<()> {
        if !self.reservation.should_spill() {
            return Ok(());
        }
        for buffered in self.buffered.iter_mut().filter(|buffered| buffered.spilled_bytes.is_none()) {
            buffered.batch = buffered.batch.compacted();
            buffered.spilled_bytes = Some(buffered.batch.written_out_bytes());
        }
        self.memory.clear();
        let (memory, batches) = (&mut self.memory, self.buffered.iter().map(|buffered| &buffered.batch));
        self.reservation.set(batches.map(|batch| memory.add(batch) + sort_bytes(batch)).sum());
        // Rows that share their strings, such as those of mv-expand, take much more in a file.
        let spilled_bytes: usize = self.buffered.iter().filter_map(|buffered| buffered.spilled_bytes).sum();
        let is_shared = spilled_bytes / MAX_SPILL_GROWTH > self.reservation.bytes();
        let must_spill = self.reservation.should_spill() && (!is_shared || self.reservation.exceeds_alone());
        if must_spill { self.spill() } else { Ok(()) }
    }

    /// Removes and returns the buffered batches, with dictionaries decoded.
    fn take_buffered(&mut self) -> Result<Vec<Batch>> {
        let buffered = std::mem::take(&mut self.buffered);
        let filled = buffered.iter().filter(|buffered| buffered.batch.rows() > 0);
        filled.map(|buffered| rows::plain(&buffered.batch)).collect()
    }

    /// Writes the buffered rows to a file, as a sorted run.
    fn spill(&mut self) -> Result<()> {
        let bytes: usize = self.buffered.iter().map(|buffered| buffered.batch.written_out_bytes()).sum();
        let batches = self.take_buffered()?;
        let batches: Vec<&Batch> = batches.iter().collect();
        if !batches.is_empty() {
            let positions = self.order.sorted(&batches)?;
            let chunk_rows = spill::chunk_rows((bytes / positions.len()) as u64);
            let constants = constants(&batches, &self.types, &self.order);
            let chunks = positions.chunks(chunk_rows);
            let chunks = chunks.map(|positions| rows::gather(&batches, &interleave_indices(positions), 1));
            self.runs.extend(SortedRun::write(chunks, &self.types, &constants, self.context)?);
        }
        self.memory.clear();
        self.reservation.set(0);
        Ok(())
    }

    /// Returns all rows in order.
    pub fn finish(mut self) -> Result<ExecPipeline> {
        if self.runs.is_empty() {
            return self.finish_in_memory();
        }
        self.spill()?;
        let max_runs = spill::open_files((self.context.memory.limit() as u64).saturating_mul(2));
        while self.runs.len() > max_runs {
            self.merge_runs(max_runs)?;
        }
        let Self { runs, order, context, .. } = self;
        let rows = MergedRuns { runs, order, batch_rows: context.batch_rows, settings: context.into() };
        Ok(ExecPipeline::of(vec![Arc::new(rows)]))
    }

    /// Merges runs in groups of `max_runs`, each of which becomes one run.
    fn merge_runs(&mut self, max_runs: usize) -> Result<()> {
        let mut longer = Vec::new();
        for group in std::mem::take(&mut self.runs).chunks(max_runs) {
            let chunk_rows = group.iter().map(|run| run.chunk_rows).min().unwrap_or(1);
            let chunks = merged(group, &self.order, chunk_rows, self.context.into())?;
            longer.extend(SortedRun::write(chunks, &self.types, &vec![None; self.types.len()], self.context)?);
        }
        self.runs = longer;
        Ok(())
    }

    fn finish_in_memory(mut self) -> Result<ExecPipeline> {
        let batches = self.take_buffered()?;
        let positions = self.order.sorted(&batches.iter().collect::<Vec<_>>())?;
        let (rows, batch_rows) = (positions.len(), self.context.batch_rows.max(1));
        let batch_bytes = self.context.memory.batch_bytes();
        let sorted = Arc::new(SortedBatches { batches, positions, order: self.order, batch_rows, batch_bytes });
        let per_partition = batch_rows.saturating_mul(BATCHES_PER_PARTITION);
        let partition = |start: usize| {
            let range = start..rows.min(start.saturating_add(per_partition));
            Arc::new(SortedPartition { sorted: Arc::clone(&sorted), range }) as Arc<dyn Partition>
        };
        let partitions = (0..rows).step_by(per_partition).map(partition).collect();
        Ok(ExecPipeline::of(partitions).holding(self.reservation))
    }
}

impl PartialState for Sorter<'_> {
    fn push(&mut self, batch: Batch) -> Result<()> {
        Sorter::push(self, batch)
    }
}

/// Returns the value of each column that has the same value in all rows. None for columns that must be stored in the
/// file: columns that differ, the keys, and the first column, because a file needs a column to have rows.
fn constants(batches: &[&Batch], types: &[Type], order: &RowOrder) -> Vec<Option<Value>> {
    let is_stored = |index: usize| index == 0 || order.keys.iter().any(|key| key.column == index);
    let constant = |index: usize| {
        let chunks: Vec<&Column> = batches.iter().map(|batch| batch.column(index)).collect();
        rows::common_constant(&chunks).filter(|_| !is_stored(index)).cloned()
    };
    (0..types.len()).map(constant).collect()
}

/// Rows in memory, and the positions of the rows in sorted order.
#[derive(Debug)]
struct SortedBatches {
    batches: Vec<Batch>,
    positions: Vec<RowPosition>,
    order: RowOrder,
    batch_rows: usize,
    batch_bytes: usize,
}

/// A partition of the sorted rows.
#[derive(Debug)]
struct SortedPartition {
    sorted: Arc<SortedBatches>,
    range: Range<usize>,
}

impl Partition for SortedPartition {
    fn read(&self) -> Result<BatchIterator<'_>> {
        let SortedBatches { batches, positions, order, batch_rows, batch_bytes } = &*self.sorted;
        let batches: Vec<&Batch> = batches.iter().collect();
        let starts = self.range.clone().step_by(*batch_rows);
        Ok(Box::new(starts.flat_map(move |start| {
            let end = self.range.end.min(start.saturating_add(*batch_rows));
            let indices = interleave_indices(&positions[start..end]);
            split(rows::gather(&batches, &indices, 1).map(|batch| order.output(batch)), *batch_bytes)
        })))
    }
}
