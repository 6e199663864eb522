//! How much memory a conversion takes, and what follows from it.

use crate::exec::spill;

/// Rows that chunks are made of. The writer looks at its pages once in so many rows: where chunks begin must not show
/// in the file.
const STEP: usize = 1024;
/// Rows of a chunk at most.
const MOST_ROWS: usize = 8 * STEP;

/// Bounds of the bytes that are merged at once, whatever the memory.
const MIN_MERGE: usize = 8 << 20;
const MAX_MERGE: usize = 64 << 20;

/// What a conversion may use.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Bytes of memory.
    pub max_memory: u64,
    /// Threads.
    pub threads: usize,
    /// Rows that are merged and handed on at once.
    pub chunk_rows: usize,
    /// Rows that are written to a temporary file at once.
    pub spill_rows: usize,
}

impl Limits {
    /// Before anything is known of the rows.
    pub fn new(max_memory: u64, threads: usize) -> Self {
        Self { max_memory, threads: threads.max(1), chunk_rows: STEP, spill_rows: STEP }
    }

    /// For rows of `row_bytes` on average.
    pub fn for_rows(self, row_bytes: u64) -> Self {
        // A chunk is there several times over: as rows of the runs, put together, and encoded.
        let fitting = usize::try_from(self.max_memory / 32 / row_bytes.max(1)).unwrap_or(usize::MAX);
        let chunk_rows = (fitting.clamp(STEP, MOST_ROWS) / STEP).next_power_of_two() * STEP;
        Self { chunk_rows: chunk_rows.min(MOST_ROWS), spill_rows: spill::chunk_rows(row_bytes), ..self }
    }

    /// Bytes of rows that are gathered before they are written to a temporary file.
    pub fn buffer_bytes(&self) -> u64 {
        // While some are written, the next ones are gathered.
        if self.threads > 1 { self.max_memory / 4 } else { self.max_memory / 2 }
    }

    /// Bytes that texts which stay in memory may take.
    pub fn word_bytes(&self) -> u64 {
        self.max_memory / 8
    }

    /// Bytes of rows that are put together to a block.
    pub fn block_bytes(&self) -> u64 {
        self.max_memory / 32
    }

    /// Bytes of rows that are merged and handed on at once, where they are long: the writer must not look at its pages at
    /// other rows because of short ones.
    pub fn merge_bytes(&self) -> usize {
        usize::try_from(self.max_memory / 8).unwrap_or(usize::MAX).clamp(MIN_MERGE, MAX_MERGE)
    }

    /// Temporary files that are open at once.
    pub fn open_runs(&self) -> usize {
        spill::open_files(self.max_memory)
    }
}
