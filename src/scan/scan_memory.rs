//! The memory that a thread may use to read a table, and what it holds.

use std::sync::Arc;

use crate::diagnostic::{Error, Result};
use crate::memory::{MemoryBudget, Reservation};

/// Memory limits of one scanning thread.
#[derive(Clone, Debug)]
pub struct ScanMemory {
    /// Approximate maximum bytes of the strings in a batch; a batch of one row may have more.
    pub batch_bytes: usize,
    /// Maximum bytes that the thread holds at a time: of text, of the decompressed pages of a Parquet file, of columns.
    pub max_bytes: usize,
    budget: Arc<MemoryBudget>,
}

impl ScanMemory {
    /// The limits of each of `threads` threads that share `budget`.
    #[must_use]
    pub fn new(budget: &Arc<MemoryBudget>, threads: usize) -> Self {
        let (batch_bytes, max_bytes) = (budget.batch_bytes(), budget.scan_bytes(threads));
        Self { batch_bytes, max_bytes, budget: Arc::clone(budget) }
    }

    /// An empty reservation for a thread.
    #[must_use]
    pub fn reservation(&self) -> ScanReservation {
        ScanReservation { held: self.budget.scan_reservation(), max_bytes: self.max_bytes }
    }
}

impl Default for ScanMemory {
    /// Enough for usual files.
    fn default() -> Self {
        let budget = MemoryBudget::new(1 << 30);
        Self { batch_bytes: 8 << 20, max_bytes: 1 << 30, budget }
    }
}

/// The bytes that a thread holds to read a table.
#[derive(Debug)]
pub struct ScanReservation {
    held: Reservation,
    max_bytes: usize,
}

impl ScanReservation {
    /// Sets the bytes held, of which `file` is the reason.
    ///
    /// # Errors
    /// If the thread may not hold as many.
    pub fn try_set(&mut self, bytes: usize, file: &str) -> Result<()> {
        self.held.set(bytes);
        if bytes > self.max_bytes { Err(self.exceeded(bytes, file)) } else { Ok(()) }
    }

    /// Sets the bytes held, for bytes that have limits of their own.
    pub fn set(&mut self, bytes: usize) {
        self.held.set(bytes);
    }

    /// The error of a thread that needs `bytes` to read `file`.
    #[must_use]
    pub fn exceeded(&self, bytes: usize, file: &str) -> Error {
        let (needed, allowed) = (bytes.div_ceil(1 << 20), self.max_bytes >> 20);
        Error::Limit(format!(
            "{file}: its long records need {needed} MiB of memory at once, and --max-memory leaves {allowed} MiB to each \
             thread: raise it, or use fewer threads"
        ))
    }
}
