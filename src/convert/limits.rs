//! The memory limits of a conversion, and the sizes that follow from them.

use crate::exec::spill;

/// Number of rows of which the size of a chunk is a multiple. The Parquet writer checks the size of its page only at
/// such multiples, so the boundaries of chunks do not affect the file.
const STEP: usize = 1024;
/// Maximum number of rows in a chunk.
const MOST_ROWS: usize = 8 * STEP;

/// Lower bound, in bytes, of the rows that are merged at once, however small the memory limit is.
const MIN_MERGE: usize = 8 << 20;
/// Upper bound, in bytes, of the rows that are merged at once, however large the memory limit is.
const MAX_MERGE: usize = 64 << 20;

/// The resources that a conversion may use.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// The memory limit in bytes.
    pub max_memory: u64,
    /// The number of threads.
    pub threads: usize,
    /// Number of rows that are merged and passed on at once.
    pub chunk_rows: usize,
    /// Number of rows that are written to a temporary file at once.
    pub spill_rows: usize,
}

impl Limits {
    /// Creates limits for rows whose size is not known yet.
    pub fn new(max_memory: u64, threads: usize) -> Self {
        Self { max_memory, threads: threads.max(1), chunk_rows: STEP, spill_rows: STEP }
    }

    /// Returns the limits for rows that have `row_bytes` bytes on average.
    pub fn for_rows(self, row_bytes: u64) -> Self {
        // A chunk exists several times: as rows of the runs, merged, and encoded.
        let fitting = usize::try_from(self.max_memory / 32 / row_bytes.max(1)).unwrap_or(usize::MAX);
        let chunk_rows = (fitting.clamp(STEP, MOST_ROWS) / STEP).next_power_of_two() * STEP;
        Self { chunk_rows: chunk_rows.min(MOST_ROWS), spill_rows: spill::chunk_rows(row_bytes), ..self }
    }

    /// Returns the number of bytes of rows that are collected before they are spilled.
    pub fn buffer_bytes(&self) -> u64 {
        // While a run is written, the next rows are buffered.
        if self.threads > 1 { self.max_memory / 4 } else { self.max_memory / 2 }
    }

    /// Returns the maximum number of bytes of all dictionaries.
    pub fn dictionary_bytes(&self) -> u64 {
        self.max_memory / 8
    }

    /// Returns the number of bytes of rows that are collected into a block.
    pub fn block_bytes(&self) -> u64 {
        self.max_memory / 32
    }

    /// Returns the maximum number of bytes of rows that are merged and passed on at once. It takes effect only for
    /// long rows: with short rows, the writer must check its page size at fixed row numbers.
    pub fn merge_bytes(&self) -> usize {
        usize::try_from(self.max_memory / 8).unwrap_or(usize::MAX).clamp(MIN_MERGE, MAX_MERGE)
    }

    /// Returns the number of temporary files that may be open at once.
    pub fn open_runs(&self) -> usize {
        spill::open_files(self.max_memory)
    }
}
