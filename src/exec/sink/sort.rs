//! All rows in order: in memory where they fit, by sorted runs in temporary files and their merge where not.

use std::cmp::Ordering;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::Array;
use arrow::datatypes::DataType;

use super::order::{Comparator, ordered};
use super::{Part, fold};
use crate::diagnostic::Result;
use crate::exec::context::ExecContext;
use crate::exec::memory::Reservation;
use crate::exec::physical::Pipeline;
use crate::exec::spill::{self, Chunk, Keys, Merge, Run, SpillFile, SpillWriter, rows};
use crate::expr::evaluate;
use crate::plan::SortKey;
use crate::scan::{BatchIterator, Partition};
use crate::types::{Batch, Column, Schema, SharedMemory, Type, Value};

/// Batches that a partition of sorted rows gives.
const BATCHES_PER_PARTITION: usize = 8;
/// Rows that would take so many times their memory in a file stay there while they fit.
const SHARED: usize = 4;
/// Bytes that the place and the keys of a row take while rows are put in order, about.
const PLACE: usize = 32;
/// Bytes that a text of a dictionary takes once it stands for itself, as it does then.
const VIEW: usize = 16;

/// Bytes that rows take besides their own while they are put in order.
fn order_bytes(batch: &Batch) -> usize {
    let is_dictionary =
        |column: &&Column| column.as_array().is_some_and(|array| matches!(array.data_type(), DataType::Dictionary(..)));
    batch.rows() * (PLACE + VIEW * batch.columns().iter().filter(is_dictionary).count())
}

/// All rows of `input`, ordered by `keys`.
pub fn sort(input: &Pipeline, schema: &Schema, keys: &[SortKey], context: &ExecContext) -> Result<Pipeline> {
    let types: Vec<Type> = schema.fields().iter().map(|field| field.ty).collect();
    let new = || Ok(Sorter::new(&types, keys, context));
    let mut whole = new()?;
    fold(input, context, &new, &mut |part| whole.append(part))?;
    whole.finish()
}

/// Takes rows and gives them out in order. Rows that tie keep the order they came in.
pub struct Sorter<'a> {
    order: RowOrder,
    /// Types of the columns, and of the keys that are no columns.
    types: Vec<Type>,
    keys: &'a [SortKey],
    context: &'a ExecContext,
    runs: Vec<SpilledRun>,
    /// The rows behind those of the runs.
    held: Vec<Held>,
    memory: SharedMemory,
    reservation: Reservation,
}

/// A batch, and a row in it: there are fewer than 2^32 of either.
type Place = (u32, u32);

fn wide(places: &[Place]) -> Vec<(usize, usize)> {
    places.iter().map(|(batch, row)| (*batch as usize, *row as usize)).collect()
}

/// Some rows in memory.
struct Held {
    batch: Batch,
    /// Once the batch is without what its strings do not need: the bytes that it takes in a file.
    written: Option<usize>,
}

/// Which columns rows are ordered by, and which come out.
#[derive(Clone, Debug)]
struct RowOrder {
    /// Column, descending, nulls first.
    keys: Arc<[(usize, bool, bool)]>,
    /// The columns that come out; the others are keys only.
    width: usize,
}

/// A sorted run in a file.
#[derive(Clone, Debug)]
struct SpilledRun {
    file: Arc<SpillFile>,
    /// Its first row.
    first: Batch,
    /// Rows that were written at once.
    step: usize,
}

/// The keys of a batch.
struct RowKeys(Vec<Comparator>);

impl Keys for RowKeys {
    fn compare(&self, row: usize, other: &Self, other_row: usize) -> Ordering {
        let pairs = self.0.iter().zip(&other.0);
        pairs.map(|(a, b)| a.compare(row, b, other_row)).find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
    }
}

impl RowOrder {
    fn keys_of(&self, batch: &Batch) -> Result<RowKeys> {
        let comparator = |(column, descending, nulls_first): &(usize, bool, bool)| {
            Comparator::new(batch.column(*column), *descending, *nulls_first)
        };
        self.keys.iter().map(comparator).collect::<Result<_>>().map(RowKeys)
    }

    /// The order of the rows of several batches.
    fn places(&self, batches: &[&Batch]) -> Result<Vec<Place>> {
        let key = |(column, descending, nulls_first): &(usize, bool, bool)| {
            let parts: Vec<&Column> = batches.iter().map(|batch| batch.column(*column)).collect();
            let ty = parts.first().map_or(Type::Long, |part| part.ty());
            Comparator::new(&Column::concat(ty, &parts)?, *descending, *nulls_first)
        };
        let comparators = self.keys.iter().map(key).collect::<Result<Vec<_>>>()?;
        let rows = batches.iter().map(|batch| batch.rows()).sum();
        let rows_of = |batch: &&Batch| (0..).take(batch.rows());
        let all: Vec<Place> =
            (0..).zip(batches).flat_map(|(number, batch)| rows_of(batch).map(move |row| (number, row))).collect();
        let order = ordered(&comparators, rows, usize::MAX)?;
        Ok(order.into_iter().map(|index| all[index as usize]).collect())
    }

    /// Only the columns that come out.
    fn output(&self, batch: Batch) -> Batch {
        if batch.columns().len() == self.width { batch } else { batch.project(&(0..self.width).collect::<Vec<_>>()) }
    }
}

impl<'a> Sorter<'a> {
    /// No rows yet; they have columns of `types`.
    #[must_use]
    pub fn new(types: &[Type], keys: &'a [SortKey], context: &'a ExecContext) -> Self {
        let mut all = types.to_vec();
        let key = |key: &SortKey| {
            let column = key.expr.as_column().unwrap_or_else(|| {
                all.push(key.expr.ty);
                all.len() - 1
            });
            (column, key.descending, key.nulls_first)
        };
        let order = RowOrder { keys: keys.iter().map(key).collect(), width: types.len() };
        let reservation = context.memory.reservation();
        let (runs, held, memory) = (Vec::new(), Vec::new(), SharedMemory::default());
        Self { order, types: all, keys, context, runs, held, memory, reservation }
    }

    /// The last `count` columns are to order the rows by, and do not come out.
    #[must_use]
    pub fn hiding(mut self, count: usize) -> Self {
        self.order.width -= count;
        self
    }

    /// Appends rows that come behind these.
    fn append(&mut self, later: Self) -> Result<()> {
        if !later.runs.is_empty() {
            self.spill()?;
            self.runs.extend(later.runs);
        }
        self.held.extend(later.held);
        self.reservation.absorb(later.reservation);
        self.relieve()
    }

    /// Writes what is held to a file where it is too much.
    fn relieve(&mut self) -> Result<()> {
        if !self.reservation.is_much() {
            return Ok(());
        }
        for held in self.held.iter_mut().filter(|held| held.written.is_none()) {
            held.batch = held.batch.compacted();
            held.written = Some(held.batch.written_out_bytes());
        }
        self.memory.clear();
        let (memory, batches) = (&mut self.memory, self.held.iter().map(|held| &held.batch));
        self.reservation.set(batches.map(|batch| memory.add(batch) + order_bytes(batch)).sum());
        // Rows that share their strings, as those of mv-expand do, take much more in a file.
        let written: usize = self.held.iter().filter_map(|held| held.written).sum();
        let is_shared = written / SHARED > self.reservation.bytes();
        let is_too_much = self.reservation.is_much() && (!is_shared || self.reservation.is_hopeless());
        if is_too_much { self.spill() } else { Ok(()) }
    }

    fn take(&mut self) -> Result<Vec<Batch>> {
        let held = std::mem::take(&mut self.held);
        held.iter().filter(|held| held.batch.rows() > 0).map(|held| rows::plain(&held.batch)).collect()
    }

    /// Writes what is held to a sorted run.
    fn spill(&mut self) -> Result<()> {
        let bytes: usize = self.held.iter().map(|held| held.batch.written_out_bytes()).sum();
        let batches = self.take()?;
        let batches: Vec<&Batch> = batches.iter().collect();
        if !batches.is_empty() {
            let places = self.order.places(&batches)?;
            let step = spill::chunk_rows((bytes / places.len()) as u64);
            let constants = constants(&batches, &self.types, &self.order);
            let chunks = places.chunks(step).map(|places| rows::gather(&batches, &wide(places), 1));
            let run = self.write(chunks, &constants)?;
            self.runs.extend(run);
        }
        self.memory.clear();
        self.reservation.set(0);
        Ok(())
    }

    /// Writes chunks that come in order; None where there are none.
    fn write(
        &self,
        mut chunks: impl Iterator<Item = Result<Batch>>,
        constants: &[Option<Value>],
    ) -> Result<Option<SpilledRun>> {
        let Some(chunk) = chunks.next().transpose()? else { return Ok(None) };
        let (first, step) = (chunk.slice(0, 1), chunk.rows());
        let first = first.columns().iter().map(rows::detached).collect::<Result<_>>()?;
        let mut writer = SpillWriter::new(&self.context.spill, &self.types, constants, false)?;
        writer.write(&chunk, 1)?;
        for chunk in chunks {
            self.context.check_cancelled()?;
            writer.write(&chunk?, 1)?;
        }
        Ok(Some(SpilledRun { file: Arc::new(writer.finish()?), first: Batch::new(first, 1), step }))
    }

    /// The rows in order.
    pub fn finish(mut self) -> Result<Pipeline> {
        if self.runs.is_empty() {
            return self.finish_in_memory();
        }
        self.spill()?;
        let most = spill::open_files((self.context.memory.limit() as u64).saturating_mul(2));
        while self.runs.len() > most {
            let mut longer = Vec::new();
            let runs = std::mem::take(&mut self.runs);
            for group in runs.chunks(most) {
                let step = group.iter().map(|run| run.step).min().unwrap_or(1);
                let mut chunks = merged(group, &self.order, step, self.context.into())?;
                longer.extend(self.write(&mut chunks, &vec![None; self.types.len()])?);
            }
            self.runs = longer;
        }
        let Self { runs, order, context, .. } = self;
        let rows = MergedRuns { runs, order, batch_rows: context.batch_rows, merging: context.into() };
        Ok(Pipeline::of(vec![Arc::new(rows)]))
    }

    fn finish_in_memory(mut self) -> Result<Pipeline> {
        let batches = self.take()?;
        let places = self.order.places(&batches.iter().collect::<Vec<_>>())?;
        let (rows, step) = (places.len(), self.context.batch_rows.max(1));
        let batch_bytes = self.context.memory.batch_bytes();
        let sorted = Arc::new(Sorted { batches, places, order: self.order, batch_bytes });
        let per_partition = step.saturating_mul(BATCHES_PER_PARTITION);
        let partition = |start: usize| {
            let range = start..rows.min(start.saturating_add(per_partition));
            Arc::new(SortedPartition { sorted: Arc::clone(&sorted), range, step }) as Arc<dyn Partition>
        };
        let partitions = (0..rows).step_by(per_partition).map(partition).collect();
        Ok(Pipeline::of(partitions).holding(self.reservation))
    }
}

impl Part for Sorter<'_> {
    fn push(&mut self, batch: Batch) -> Result<()> {
        Sorter::push(self, batch)
    }
}

impl Sorter<'_> {
    /// Takes in rows.
    pub fn push(&mut self, batch: Batch) -> Result<()> {
        let mut columns = batch.columns().to_vec();
        for key in self.keys.iter().filter(|key| key.expr.as_column().is_none()) {
            columns.push(evaluate(&key.expr, &batch, &self.context.eval)?);
        }
        let batch = Batch::new(columns, batch.rows());
        self.reservation.grow(self.memory.add(&batch) + order_bytes(&batch));
        self.held.push(Held { batch, written: None });
        self.relieve()
    }
}

/// The values that columns have in every row. At least one column is stored, since a file must say how many rows it
/// has.
fn constants(batches: &[&Batch], types: &[Type], order: &RowOrder) -> Vec<Option<Value>> {
    let is_stored = |index: usize| index == 0 || order.keys.iter().any(|(column, ..)| *column == index);
    let constant = |index: usize| {
        let parts: Vec<&Column> = batches.iter().map(|batch| batch.column(index)).collect();
        rows::common_constant(&parts).filter(|_| !is_stored(index)).cloned()
    };
    (0..types.len()).map(constant).collect()
}

/// How rows of runs are put together.
#[derive(Clone, Copy, Debug)]
struct Merging {
    threads: usize,
    batch_bytes: usize,
}

impl From<&ExecContext> for Merging {
    fn from(context: &ExecContext) -> Self {
        Self { threads: context.threads, batch_bytes: context.memory.batch_bytes() }
    }
}

/// The rows of several runs in order, `step` at a time, fewer where they are long.
fn merged(
    runs: &[SpilledRun],
    order: &RowOrder,
    step: usize,
    merging: Merging,
) -> Result<impl Iterator<Item = Result<Batch>> + Send + use<>> {
    let run = |run: &SpilledRun| -> Result<Run<RowKeys>> {
        let (keys, file) = (order.clone(), Arc::clone(&run.file));
        let chunk = move |batch: Result<Batch>| {
            let batch = batch?;
            Ok(Chunk { keys: keys.keys_of(&batch)?, batch })
        };
        let open = Box::new(move || Ok(Box::new(file.read()?.map(chunk)) as Box<_>));
        Ok(Run { first: order.keys_of(&run.first)?, open })
    };
    let runs = runs.iter().map(run).collect::<Result<Vec<_>>>()?;
    let mut merge = Merge::new(runs, merging.threads, merging.batch_bytes);
    Ok(std::iter::from_fn(move || merge.next(step, &|_, _| None).transpose()))
}

/// A batch in pieces of at most so many bytes of strings.
fn in_pieces(batch: Result<Batch>, max_bytes: usize) -> impl Iterator<Item = Result<Batch>> {
    let (pieces, error) = match batch {
        Ok(batch) => (batch.pieces(max_bytes), None),
        Err(error) => (Vec::new(), Some(Err(error))),
    };
    pieces.into_iter().map(Ok).chain(error)
}

/// Rows in memory and their order.
#[derive(Debug)]
struct Sorted {
    batches: Vec<Batch>,
    places: Vec<Place>,
    order: RowOrder,
    batch_bytes: usize,
}

/// Some of the sorted rows.
#[derive(Debug)]
struct SortedPartition {
    sorted: Arc<Sorted>,
    range: Range<usize>,
    step: usize,
}

impl Partition for SortedPartition {
    fn read(&self) -> Result<BatchIterator<'_>> {
        let Sorted { batches, places, order, batch_bytes } = &*self.sorted;
        let batches: Vec<&Batch> = batches.iter().collect();
        let starts = self.range.clone().step_by(self.step);
        Ok(Box::new(starts.flat_map(move |start| {
            let end = self.range.end.min(start.saturating_add(self.step));
            let batch = rows::gather(&batches, &wide(&places[start..end]), 1).map(|batch| order.output(batch));
            in_pieces(batch, *batch_bytes)
        })))
    }
}

/// Sorted runs in files.
#[derive(Debug)]
struct MergedRuns {
    runs: Vec<SpilledRun>,
    order: RowOrder,
    batch_rows: usize,
    merging: Merging,
}

impl Partition for MergedRuns {
    fn read(&self) -> Result<BatchIterator<'_>> {
        let max_bytes = self.merging.batch_bytes;
        let batches = merged(&self.runs, &self.order, self.batch_rows.max(1), self.merging)?;
        Ok(Box::new(batches.flat_map(move |batch| in_pieces(batch.map(|batch| self.order.output(batch)), max_bytes))))
    }
}
