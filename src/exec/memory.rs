//! The memory that the operators of a run may hold together.
//!
//! An operator says with a [`Reservation`] how much it holds, a batch at a time, and asks whether that is too much. Who
//! holds too much writes what it has to temporary files (`spill`); what cannot be written is an error that names it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::diagnostic::Error;
use crate::scan::ScanMemory;

/// An operator that holds less than this part of the budget is not at fault where others hold too much.
const BLAMELESS: usize = 16;
/// What any operator may hold however small the budget is, in bytes: less than this is not worth an error.
const LEAST: usize = 16 << 20;
/// A batch takes about this part of the budget: a thread has several of them at hand.
const BATCH_SHARE: usize = 64;
/// Bytes that a batch takes at most, whatever the budget; a batch of one row may take more.
const MAX_BATCH: usize = 8 << 20;
/// Bytes that a batch may take however small the budget is.
const MIN_BATCH: usize = 256 << 10;
/// Batches that wait for their turn may take this part of the budget, all together.
const QUEUE_SHARE: usize = 8;
/// Bytes that one value may take at most, whatever the budget.
const MAX_VALUE: usize = 256 << 20;
/// Bytes besides the budget that reading and writing may take.
const INPUT_OUTPUT: usize = 256 << 20;

/// Bytes that may be held, and are.
#[derive(Debug)]
pub struct MemoryBudget {
    limit: usize,
    held: AtomicUsize,
}

/// What one operator holds, or its share on one thread; given back when it is dropped.
#[derive(Debug)]
pub struct Reservation {
    budget: Arc<MemoryBudget>,
    bytes: usize,
}

impl MemoryBudget {
    /// A budget of `limit` bytes.
    #[must_use]
    pub fn new(limit: u64) -> Arc<Self> {
        Arc::new(Self { limit: usize::try_from(limit).unwrap_or(usize::MAX), held: AtomicUsize::new(0) })
    }

    /// Bytes that all operators of the run may hold together.
    #[must_use]
    pub fn limit(&self) -> usize {
        self.limit
    }

    /// Bytes that the strings of a batch may take; operators cut larger ones into several.
    #[must_use]
    pub fn batch_bytes(&self) -> usize {
        (self.limit / BATCH_SHARE).clamp(MIN_BATCH, MAX_BATCH)
    }

    /// Bytes of the batches that wait for their turn.
    #[must_use]
    pub fn queue_bytes(&self) -> usize {
        (self.limit / QUEUE_SHARE).max(2 * self.batch_bytes())
    }

    /// Bytes that one value may take which an aggregate makes of many: what is made of the value takes as much again.
    #[must_use]
    pub fn value_bytes(&self) -> usize {
        (self.limit.max(LEAST) / 4).min(MAX_VALUE)
    }

    /// What each of so many threads may take to read a table.
    #[must_use]
    pub fn scan(&self, threads: usize) -> ScanMemory {
        let page_bytes = self.limit.saturating_add(INPUT_OUTPUT) / threads.max(1);
        ScanMemory { batch_bytes: self.batch_bytes(), page_bytes }
    }

    /// Nothing yet, for an operator or its share on a thread.
    #[must_use]
    pub fn reservation(self: &Arc<Self>) -> Reservation {
        Reservation { budget: Arc::clone(self), bytes: 0 }
    }

    /// The error of an operator that needs `bytes` and cannot do with less.
    #[must_use]
    pub fn exceeded(&self, operator: &str, bytes: usize) -> Error {
        let (needed, limit) = (mebibytes(bytes), mebibytes(self.limit));
        let what = format!("{operator} needs {needed} of memory at once, and --max-memory is {limit}");
        Error::Limit(format!("{what}: raise it, or narrow the query: fewer rows, columns or values in a group"))
    }
}

fn mebibytes(bytes: usize) -> String {
    format!("{} MiB", bytes.div_ceil(1 << 20))
}

impl Reservation {
    /// Bytes held.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Says that `bytes` are held now.
    pub fn set(&mut self, bytes: usize) {
        if bytes >= self.bytes {
            self.budget.held.fetch_add(bytes - self.bytes, Ordering::Relaxed);
        } else {
            self.budget.held.fetch_sub(self.bytes - bytes, Ordering::Relaxed);
        }
        self.bytes = bytes;
    }

    /// Says that `bytes` more are held.
    pub fn grow(&mut self, bytes: usize) {
        self.set(self.bytes.saturating_add(bytes));
    }

    /// Nothing yet, of the same budget.
    #[must_use]
    pub fn another(&self) -> Self {
        self.budget.reservation()
    }

    /// Takes over what `other` holds.
    pub fn absorb(&mut self, mut other: Self) {
        self.bytes = self.bytes.saturating_add(std::mem::take(&mut other.bytes));
    }

    /// True where too much is held, and more than a little of it here.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.budget.held.load(Ordering::Relaxed) > self.budget.limit && self.bytes > self.budget.limit / BLAMELESS
    }

    /// True where this should not all be held: some memory must be left to put it in order and to write it.
    #[must_use]
    pub fn is_much(&self) -> bool {
        self.bytes > self.budget.limit / 2 || self.is_over()
    }

    /// True where what is held here alone is more than anyone may hold who cannot do with less.
    #[must_use]
    pub fn is_hopeless(&self) -> bool {
        self.bytes > self.budget.limit.max(LEAST)
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.set(0);
    }
}

#[cfg(test)]
mod tests {
    use super::MemoryBudget;

    #[test]
    fn who_holds_much_is_over_and_what_is_dropped_is_free() {
        let budget = MemoryBudget::new(1600);
        let (mut large, mut small) = (budget.reservation(), budget.reservation());
        large.grow(1600);
        assert!(large.is_much() && !large.is_over());
        small.grow(100);
        assert!(large.is_over() && !small.is_over() && !small.is_much());
        let mut third = budget.reservation();
        third.set(300);
        small.absorb(third);
        assert!(small.is_over() && small.bytes() == 400);
        drop(large);
        assert!(!small.is_over());
    }
}
