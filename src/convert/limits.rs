//! The memory limits of a conversion, and the sizes derived from them.

use crate::exec::spill;

/// Chunks consist of multiples of this many rows. The writer checks its page size only at multiples, so chunk
/// boundaries do not affect the file.
const STEP: usize = 1024;
/// The maximum number of rows of a chunk.
const MOST_ROWS: usize = 8 * STEP;

/// Bounds of the bytes merged at once, whatever the memory limit.
const MIN_MERGE: usize = 8 << 20;
const MAX_MERGE: usize = 64 << 20;

/// The resources of a conversion.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// The memory limit in bytes.
    pub max_memory: u64,
    /// The number of threads.
    pub threads: usize,
    /// Rows that are merged and passed on at once.
    pub chunk_rows: usize,
    /// Rows that are written to a temporary file at once.
    pub spill_rows: usize,
}

impl Limits {
    /// Creates limits before the size of the rows is known.
    pub fn new(max_memory: u64, threads: usize) -> Self {
        Self { max_memory, threads: threads.max(1), chunk_rows: STEP, spill_rows: STEP }
    }

    /// Returns limits for rows of `row_bytes` on average.
    pub fn for_rows(self, row_bytes: u64) -> Self {
        // A chunk exists several times: as rows of the runs, merged, and encoded.
        let fitting = usize::try_from(self.max_memory / 32 / row_bytes.max(1)).unwrap_or(usize::MAX);
        let chunk_rows = (fitting.clamp(STEP, MOST_ROWS) / STEP).next_power_of_two() * STEP;
        Self { chunk_rows: chunk_rows.min(MOST_ROWS), spill_rows: spill::chunk_rows(row_bytes), ..self }
    }

    /// Bytes of rows that are buffered before they are spilled.
    pub fn buffer_bytes(&self) -> u64 {
        // While a run is written, the next rows are buffered.
        if self.threads > 1 { self.max_memory / 4 } else { self.max_memory / 2 }
    }

    /// Maximum bytes of dictionary entries kept in memory.
    pub fn dictionary_bytes(&self) -> u64 {
        self.max_memory / 8
    }

    /// Bytes of rows collected into a block.
    pub fn block_bytes(&self) -> u64 {
        self.max_memory / 32
    }

    /// Maximum bytes of rows that are merged and passed on at once. It limits long rows only: with short rows, the
    /// writer must check its page size at fixed row numbers.
    pub fn merge_bytes(&self) -> usize {
        usize::try_from(self.max_memory / 8).unwrap_or(usize::MAX).clamp(MIN_MERGE, MAX_MERGE)
    }

    /// The number of temporary files that may be open at once.
    pub fn open_runs(&self) -> usize {
        spill::open_files(self.max_memory)
    }
}
