//! Rows in many temporary files, told apart by the hash of a key.

use std::sync::Arc;

use arrow::array::UInt32Array;

use super::{SpillFile, SpillFolder, SpillWriter, rows};
use crate::diagnostic::Result;
use crate::types::{Batch, Type};

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
