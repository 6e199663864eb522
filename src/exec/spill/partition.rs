//! Rows in many temporary files, told apart by the hash of a key.

use std::sync::Arc;

use arrow::array::{Int64Array, UInt32Array};

use super::{SpillFile, SpillFolder, SpillWriter, rows};
use crate::diagnostic::Result;
use crate::exec::context::ExecContext;
use crate::exec::group_table::hashes;
use crate::types::{Batch, Column, Type};

/// Files that rows are divided among.
pub const FAN: usize = 16;
/// How often rows are divided at most: by then, 16 million groups of keys are told apart.
pub const MOST_DIVISIONS: u32 = 6;
/// Bytes that are collected for a file before they are written.
const PENDING: u64 = 256 << 10;
/// The same in rows.
const PENDING_ROWS: usize = 4096;

/// The file of a key with this hash.
#[must_use]
pub fn part_of(hash: u64) -> usize {
    // The upper bits: tables use the lower ones.
    usize::try_from(hash >> 60).unwrap_or(0)
}

/// The rows of `batch` by the file that the hash of each says, and only those files that get any.
pub fn divide(batch: &Batch, hashes: &[u64]) -> Result<Vec<(usize, Batch)>> {
    let mut positions: Vec<Vec<u32>> = vec![Vec::new(); FAN];
    (0_u32..).zip(hashes).for_each(|(row, hash)| positions[part_of(*hash)].push(row));
    let some = positions.into_iter().enumerate().filter(|(_, rows)| !rows.is_empty());
    some.map(|(part, rows)| Ok((part, batch.take(&UInt32Array::from(rows))?))).collect()
}

/// The rows with their position behind their columns; `next` is that of the next row.
#[must_use]
pub fn numbered(batch: &Batch, next: &mut i64) -> Batch {
    let positions: Int64Array = (*next..).take(batch.rows()).collect();
    *next = positions.values().last().map_or(*next, |last| last + 1);
    let mut columns = batch.columns().to_vec();
    columns.push(Column::array(Type::Long, Arc::new(positions)));
    Batch::new(columns, batch.rows())
}

/// Rows in a file for each part, by their first columns, which are the key.
pub struct DividedRows {
    types: Vec<Type>,
    keys: usize,
    round: u32,
    parts: Vec<RowWriter>,
}

impl DividedRows {
    /// No rows yet; they have columns of `types`, of which the first `keys` are the key. Another round divides those
    /// rows that this one keeps together.
    #[must_use]
    pub fn new(types: Vec<Type>, keys: usize, round: u32) -> Self {
        Self { types, keys, round, parts: (0..FAN).map(|_| RowWriter::default()).collect() }
    }

    /// Appends rows.
    pub fn push(&mut self, batch: &Batch, context: &ExecContext) -> Result<()> {
        let hashes = hashes(&batch.columns()[..self.keys], batch.rows(), context.eval.seed, self.round);
        for (part, batch) in divide(batch, &hashes)? {
            self.parts[part].push(&batch, &self.types, &context.spill)?;
        }
        Ok(())
    }

    /// The file of each part, None where it has no rows.
    pub fn finish(mut self, context: &ExecContext) -> Result<Vec<Option<Arc<SpillFile>>>> {
        self.parts.iter_mut().map(|part| part.finish(&self.types, &context.spill)).collect()
    }
}

/// Collects rows for a file, which is made when it is worth it.
#[derive(Default)]
pub struct RowWriter {
    pending: Vec<Batch>,
    pending_rows: usize,
    pending_bytes: u64,
    writer: Option<SpillWriter>,
}

impl RowWriter {
    /// Appends rows with columns of `types`.
    pub fn push(&mut self, batch: &Batch, types: &[Type], folder: &SpillFolder) -> Result<()> {
        let columns = batch.columns().iter().map(rows::detached).collect::<Result<_>>()?;
        let batch = Batch::new(columns, batch.rows());
        self.pending_rows += batch.rows();
        self.pending_bytes += rows::bytes(&batch);
        self.pending.push(batch);
        if self.pending_bytes > PENDING || self.pending_rows >= PENDING_ROWS {
            self.write(types, folder)
        } else {
            Ok(())
        }
    }

    fn write(&mut self, types: &[Type], folder: &SpillFolder) -> Result<()> {
        let pending = std::mem::take(&mut self.pending);
        (self.pending_rows, self.pending_bytes) = (0, 0);
        let writer = match &mut self.writer {
            Some(writer) => writer,
            none => none.insert(SpillWriter::new(folder, types, &vec![None; types.len()], true)?),
        };
        writer.write(&Batch::concat(types, &pending)?, 1)
    }

    /// The rows so far in a file, None where there are none; the next ones will be in another.
    pub fn finish(&mut self, types: &[Type], folder: &SpillFolder) -> Result<Option<Arc<SpillFile>>> {
        if self.pending_rows > 0 {
            self.write(types, folder)?;
        }
        self.writer.take().map(|writer| writer.finish().map(Arc::new)).transpose()
    }
}
