//! The memory that a thread may use to read a table, and the memory that it uses.

use std::sync::Arc;

use crate::diagnostic::{Error, Result};
use crate::memory::{MemoryBudget, Reservation};

/// The memory limits of one scanning thread.
#[derive(Clone, Debug)]
pub struct ScanMemory {
    /// Approximate maximum size of the strings in a batch, in bytes; a batch of one row may be larger.
    pub batch_bytes: usize,
    /// Maximum number of bytes that the thread may use at a time for text, decompressed Parquet pages and columns.
    pub max_bytes: usize,
    budget: Arc<MemoryBudget>,
}

impl ScanMemory {
    /// Returns the limits of each of `threads` threads that share `budget`.
    #[must_use]
    pub fn new(budget: &Arc<MemoryBudget>, threads: usize) -> Self {
        let (batch_bytes, max_bytes) = (budget.batch_bytes(), budget.scan_bytes(threads));
        Self { batch_bytes, max_bytes, budget: Arc::clone(budget) }
    }

    /// Returns an empty reservation for one thread.
    #[must_use]
    pub fn reservation(&self) -> ScanReservation {
        ScanReservation { held: self.budget.scan_reservation(), max_bytes: self.max_bytes }
    }
}

impl Default for ScanMemory {
    /// Returns limits that suffice for most files; used in tests.
    fn default() -> Self {
        let budget = MemoryBudget::new(1 << 30);
        Self { batch_bytes: 8 << 20, max_bytes: 1 << 30, budget }
    }
}

/// The bytes that a thread uses to read a table.
#[derive(Debug)]
pub struct ScanReservation {
    held: Reservation,
    max_bytes: usize,
}

impl ScanReservation {
    /// Sets the number of bytes in use, which `file` needs.
    ///
    /// # Errors
    /// The thread may not use as many bytes.
    pub fn try_set(&mut self, bytes: usize, file: &str) -> Result<()> {
        self.held.set(bytes);
        if bytes > self.max_bytes { Err(self.exceeded(bytes, file)) } else { Ok(()) }
    }

    /// Sets the number of bytes in use without checking the limit, for bytes that have a limit of their own.
    pub fn set(&mut self, bytes: usize) {
        self.held.set(bytes);
    }

    /// Returns the error of a thread that needs `bytes` bytes to read `file`.
    #[must_use]
    pub fn exceeded(&self, bytes: usize, file: &str) -> Error {
        let (needed, allowed) = (bytes.div_ceil(1 << 20), self.max_bytes >> 20);
        Error::Limit(format!(
            "{file}: its long records need {needed} MiB of memory at once, and --max-memory leaves {allowed} MiB to each \
             thread: raise it, or use fewer threads"
        ))
    }
}
