//! Sorted runs in temporary files, and their merge.

use std::sync::Arc;

use super::order::{RowKeys, RowOrder};
use crate::diagnostic::Result;
use crate::exec::context::ExecContext;
use crate::exec::spill::{Chunk, Merge, Run, SpillFile, SpillWriter, rows};
use crate::scan::{BatchIterator, Partition};
use crate::types::{Batch, Type, Value};

/// A sorted run in a temporary file.
#[derive(Clone, Debug)]
pub struct SortedRun {
    file: Arc<SpillFile>,
    first_row: Batch,
    /// The number of rows in each chunk that is written or read at once.
    pub chunk_rows: usize,
}

impl SortedRun {
    /// Writes chunks of rows, which must be in order; returns None if there are none. A column with a value in
    /// `constants` has that value in every row.
    pub fn write(
        mut chunks: impl Iterator<Item = Result<Batch>>,
        types: &[Type],
        constants: &[Option<Value>],
        context: &ExecContext,
    ) -> Result<Option<Self>> {
        let Some(chunk) = chunks.next().transpose()? else { return Ok(None) };
        let (first_row, chunk_rows) = (chunk.slice(0, 1), chunk.rows());
        let first_row = first_row.columns().iter().map(rows::detached).collect::<Result<_>>()?;
        let mut writer = SpillWriter::new(&context.spill, types, constants, false)?;
        writer.write(&chunk, 1)?;
        for chunk in chunks {
            context.check_cancelled()?;
            writer.write(&chunk?, 1)?;
        }
        Ok(Some(Self { file: Arc::new(writer.finish()?), first_row: Batch::new(first_row, 1), chunk_rows }))
    }
}

/// The settings of a merge: the number of threads, and the maximum bytes of a batch.
#[derive(Clone, Copy, Debug)]
pub struct MergeSettings {
    threads: usize,
    batch_bytes: usize,
}

impl From<&ExecContext> for MergeSettings {
    fn from(context: &ExecContext) -> Self {
        Self { threads: context.threads, batch_bytes: context.memory.batch_bytes() }
    }
}

/// Returns the rows of several runs in order, in batches of `max_rows` rows, or fewer if rows are long.
pub fn merged(
    runs: &[SortedRun],
    order: &RowOrder,
    max_rows: usize,
    settings: MergeSettings,
) -> Result<impl Iterator<Item = Result<Batch>> + Send + use<>> {
    let run = |run: &SortedRun| -> Result<Run<RowKeys>> {
        let (keys, file) = (order.clone(), Arc::clone(&run.file));
        let chunk = move |batch: Result<Batch>| {
            let batch = batch?;
            Ok(Chunk { keys: keys.keys_of(&batch)?, batch })
        };
        let open = Box::new(move || Ok(Box::new(file.read()?.map(chunk)) as Box<_>));
        Ok(Run { first: order.keys_of(&run.first_row)?, open })
    };
    let runs = runs.iter().map(run).collect::<Result<Vec<_>>>()?;
    let mut merge = Merge::new(runs, settings.threads, settings.batch_bytes);
    Ok(std::iter::from_fn(move || merge.next(max_rows, &|_, _| None).transpose()))
}

/// Splits a batch into batches of at most `max_bytes` bytes of strings.
pub fn split(batch: Result<Batch>, max_bytes: usize) -> impl Iterator<Item = Result<Batch>> {
    let (pieces, error) = match batch {
        Ok(batch) => (batch.pieces(max_bytes), None),
        Err(error) => (Vec::new(), Some(Err(error))),
    };
    pieces.into_iter().map(Ok).chain(error)
}

/// The rows of several sorted runs, which are merged when they are read.
#[derive(Debug)]
pub struct MergedRuns {
    /// The runs, in the order in which their rows were in the input.
    pub runs: Vec<SortedRun>,
    /// The order by which the runs are sorted.
    pub order: RowOrder,
    /// The maximum number of rows of a batch.
    pub batch_rows: usize,
    /// The settings of the merge.
    pub settings: MergeSettings,
}

impl Partition for MergedRuns {
    fn read(&self) -> Result<BatchIterator<'_>> {
        let max_bytes = self.settings.batch_bytes;
        let batches = merged(&self.runs, &self.order, self.batch_rows.max(1), self.settings)?;
        Ok(Box::new(batches.flat_map(move |batch| split(batch.map(|batch| self.order.output(batch)), max_bytes))))
    }
}
