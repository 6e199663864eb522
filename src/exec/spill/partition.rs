//! Partitions rows by the hash of their keys into temporary files, one for each partition.

use std::sync::Arc;

use arrow::array::{Int64Array, UInt32Array};

use super::{SpillFile, SpillFolder, SpillWriter, rows};
use crate::diagnostic::Result;
use crate::exec::context::ExecContext;
use crate::exec::hash::hashes;
use crate::types::{Batch, Column, Type};

/// The number of partitions into which one pass divides rows.
pub const FANOUT: usize = 16;
/// Maximum number of passes; together they make 16 million partitions.
pub const MAX_PASSES: u32 = 6;
/// Number of buffered bytes at which a partition writes its rows to the file.
const BUFFERED_BYTES: u64 = 256 << 10;
/// Number of buffered rows at which a partition writes them to the file.
const BUFFERED_ROWS: usize = 4096;

/// Returns the partition of a key with this hash.
#[must_use]
pub fn partition_of(hash: u64) -> usize {
    // The upper bits: hash tables use the lower ones.
    usize::try_from(hash >> 60).unwrap_or(0)
}

/// Divides the rows of `batch` by the hash of each row. Returns the partitions that get rows, by number, and their
/// rows.
pub fn partition(batch: &Batch, hashes: &[u64]) -> Result<Vec<(usize, Batch)>> {
    let mut positions: Vec<Vec<u32>> = vec![Vec::new(); FANOUT];
    (0_u32..).zip(hashes).for_each(|(row, hash)| positions[partition_of(*hash)].push(row));
    let filled = positions.into_iter().enumerate().filter(|(_, rows)| !rows.is_empty());
    filled.map(|(partition, rows)| Ok((partition, batch.take(&UInt32Array::from(rows))?))).collect()
}

/// Returns the rows with their positions as an additional last column. `next` is the position of the first row, and is
/// set to the position after the last row.
#[must_use]
pub fn append_positions(batch: &Batch, next: &mut i64) -> Batch {
    let positions: Int64Array = (*next..).take(batch.rows()).collect();
    *next = positions.values().last().map_or(*next, |last| last + 1);
    let mut columns = batch.columns().to_vec();
    columns.push(Column::array(Type::Long, Arc::new(positions)));
    Batch::new(columns, batch.rows())
}

/// Rows partitioned by their first columns, which are the key.
pub struct PartitionedRows {
    types: Vec<Type>,
    key_columns: usize,
    /// The number of times that the rows were partitioned before; each pass uses another hash function.
    pass: u32,
    seed: u64,
    folder: Arc<SpillFolder>,
    partitions: Vec<PartitionWriter>,
}

impl PartitionedRows {
    /// Returns partitions without rows. Rows will have columns of `types`, of which the first `key_columns` are the
    /// key.
    #[must_use]
    pub fn new(types: Vec<Type>, key_columns: usize, pass: u32, context: &ExecContext) -> Self {
        let partitions = (0..FANOUT).map(|_| PartitionWriter::default()).collect();
        let (seed, folder) = (context.eval.seed, Arc::clone(&context.spill));
        Self { types, key_columns, pass, seed, folder, partitions }
    }

    /// Appends rows.
    pub fn push(&mut self, batch: &Batch) -> Result<()> {
        let hashes = hashes(&batch.columns()[..self.key_columns], batch.rows(), self.seed, self.pass);
        for (index, batch) in partition(batch, &hashes)? {
            self.partitions[index].push(&batch, &self.types, &self.folder)?;
        }
        Ok(())
    }

    /// Returns the file of each partition; None if it has no rows.
    pub fn finish(mut self) -> Result<Vec<Option<Arc<SpillFile>>>> {
        self.partitions.iter_mut().map(|partition| partition.finish(&self.types, &self.folder)).collect()
    }
}

/// Buffers the rows of a partition and writes them to a file.
#[derive(Default)]
pub struct PartitionWriter {
    buffered: Vec<Batch>,
    buffered_rows: usize,
    buffered_bytes: u64,
    /// The writer of the file; None until the first buffer is full.
    writer: Option<SpillWriter>,
}

impl PartitionWriter {
    /// Appends rows with columns of `types`.
    pub fn push(&mut self, batch: &Batch, types: &[Type], folder: &SpillFolder) -> Result<()> {
        let columns = batch.columns().iter().map(rows::detached).collect::<Result<_>>()?;
        let batch = Batch::new(columns, batch.rows());
        self.buffered_rows += batch.rows();
        self.buffered_bytes += rows::bytes(&batch);
        self.buffered.push(batch);
        if self.buffered_bytes > BUFFERED_BYTES || self.buffered_rows >= BUFFERED_ROWS {
            self.write(types, folder)
        } else {
            Ok(())
        }
    }

    fn write(&mut self, types: &[Type], folder: &SpillFolder) -> Result<()> {
        let buffered = std::mem::take(&mut self.buffered);
        (self.buffered_rows, self.buffered_bytes) = (0, 0);
        let writer = match &mut self.writer {
            Some(writer) => writer,
            none => none.insert(SpillWriter::new(folder, types, &vec![None; types.len()], true)?),
        };
        writer.write(&Batch::concat(types, &buffered)?, 1)
    }

    /// Returns a file of the rows so far, or None if there are none. Rows that are pushed later go to another file.
    pub fn finish(&mut self, types: &[Type], folder: &SpillFolder) -> Result<Option<Arc<SpillFile>>> {
        if self.buffered_rows > 0 {
            self.write(types, folder)?;
        }
        self.writer.take().map(|writer| writer.finish().map(Arc::new)).transpose()
    }
}
