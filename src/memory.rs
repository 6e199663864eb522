//! The memory budget that the scans and operators of a run share.
//!
//! An operator has a [`Reservation`] for the bytes that it uses. It updates the reservation with each batch, and the
//! reservation tells it when to spill. An operator that cannot spill returns an error that names it. A scan cannot
//! spill, but it reserves the memory that it uses, so that operators spill earlier; beyond
//! [`MemoryBudget::scan_bytes`] it returns an error.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::diagnostic::Error;

/// An operator that uses less than this fraction of the budget does not spill, even if the budget is exceeded.
const MIN_SHARE: usize = 16;
/// Number of bytes that every operator may use before it returns an error, however small the budget is.
const MIN_LIMIT: usize = 16 << 20;
/// A batch uses about this fraction of the budget, because a thread works on several batches at a time.
const BATCH_SHARE: usize = 64;
/// Maximum size of a batch in bytes, however large the budget is. A batch of one row may be larger.
const MAX_BATCH_BYTES: usize = 8 << 20;
/// Size in bytes that a batch may have, however small the budget is.
const MIN_BATCH_BYTES: usize = 256 << 10;
/// All batches in queues together may use this fraction of the budget.
const QUEUE_SHARE: usize = 8;
/// Maximum size of a value in bytes, however large the budget is.
const MAX_VALUE_BYTES: usize = 256 << 20;
/// Number of bytes that a thread may use to read a table before it returns an error, however small the budget is.
const MIN_SCAN_BYTES: usize = 64 << 20;

/// The memory limit of a run, and the bytes in use.
#[derive(Debug)]
pub struct MemoryBudget {
    limit: usize,
    operators: AtomicUsize,
    scans: AtomicUsize,
}

/// The bytes that a scan or an operator uses, or that it uses on one thread. They are released when it is dropped.
#[derive(Debug)]
pub struct Reservation {
    budget: Arc<MemoryBudget>,
    is_scan: bool,
    bytes: usize,
}

impl MemoryBudget {
    /// Creates a budget of `limit` bytes.
    #[must_use]
    pub fn new(limit: u64) -> Arc<Self> {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        Arc::new(Self { limit, operators: AtomicUsize::new(0), scans: AtomicUsize::new(0) })
    }

    /// Returns the number of bytes that all operators of the run may use together.
    #[must_use]
    pub fn limit(&self) -> usize {
        self.limit
    }

    /// Returns the maximum number of bytes of the strings in a batch. Operators split larger batches.
    #[must_use]
    pub fn batch_bytes(&self) -> usize {
        (self.limit / BATCH_SHARE).clamp(MIN_BATCH_BYTES, MAX_BATCH_BYTES)
    }

    /// Returns the maximum number of bytes of all batches in a queue.
    #[must_use]
    pub fn queue_bytes(&self) -> usize {
        (self.limit / QUEUE_SHARE).max(2 * self.batch_bytes())
    }

    /// Returns the maximum number of bytes of a value that an aggregate builds. Its result takes as many bytes again.
    #[must_use]
    pub fn value_bytes(&self) -> usize {
        (self.limit.max(MIN_LIMIT) / 4).min(MAX_VALUE_BYTES)
    }

    /// Returns the maximum number of bytes that each of `threads` threads may use to read a table.
    #[must_use]
    pub fn scan_bytes(&self, threads: usize) -> usize {
        (self.limit / threads.max(1)).max(MIN_SCAN_BYTES)
    }

    /// Returns an empty reservation for an operator, or for the part of an operator on one thread.
    #[must_use]
    pub fn reservation(self: &Arc<Self>) -> Reservation {
        Reservation { budget: Arc::clone(self), is_scan: false, bytes: 0 }
    }

    /// Returns an empty reservation for the part of a scan on one thread.
    #[must_use]
    pub fn scan_reservation(self: &Arc<Self>) -> Reservation {
        Reservation { budget: Arc::clone(self), is_scan: true, bytes: 0 }
    }

    /// True if scans and operators together would exceed the limit if operators used `more` bytes in addition. Scans
    /// count for at most half of the limit, so that operators spill in runs of a useful size.
    fn is_exceeded_with(&self, more: usize) -> bool {
        let scans = self.scans.load(Ordering::Relaxed).min(self.limit / 2);
        self.operators.load(Ordering::Relaxed).saturating_add(scans).saturating_add(more) > self.limit
    }

    /// Returns the error of an operator that uses `bytes` bytes and cannot spill.
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
    /// Returns the number of bytes in use.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Sets the number of bytes in use.
    pub fn set(&mut self, bytes: usize) {
        let used = if self.is_scan { &self.budget.scans } else { &self.budget.operators };
        if bytes > self.bytes {
            used.fetch_add(bytes - self.bytes, Ordering::Relaxed);
        } else if bytes < self.bytes {
            used.fetch_sub(self.bytes - bytes, Ordering::Relaxed);
        }
        self.bytes = bytes;
    }

    /// Adds `bytes` to the bytes in use.
    pub fn grow(&mut self, bytes: usize) {
        self.set(self.bytes.saturating_add(bytes));
    }

    /// Returns an empty reservation for an operator with the same budget.
    #[must_use]
    pub fn another(&self) -> Self {
        self.budget.reservation()
    }

    /// Takes over the bytes of `other`, which is dropped.
    pub fn absorb(&mut self, mut other: Self) {
        self.bytes = self.bytes.saturating_add(std::mem::take(&mut other.bytes));
    }

    /// True if scans and operators together exceed the budget, and this operator uses a considerable part of it.
    #[must_use]
    pub fn exceeds_budget(&self) -> bool {
        self.bytes > self.budget.limit / MIN_SHARE && self.budget.is_exceeded_with(0)
    }

    /// True if a copy of the operator's rows would exceed the budget, and this operator uses a considerable part of
    /// it. Rows are copied when they are partitioned.
    #[must_use]
    pub fn should_partition(&self) -> bool {
        self.bytes > self.budget.limit / MIN_SHARE && self.budget.is_exceeded_with(self.bytes)
    }

    /// True if the operator should spill now. Some memory must remain to sort its rows and to write them.
    #[must_use]
    pub fn should_spill(&self) -> bool {
        self.bytes > self.budget.limit / 2 || self.exceeds_budget()
    }

    /// True if this operator alone exceeds the budget. It then returns an error if it cannot spill.
    #[must_use]
    pub fn exceeds_alone(&self) -> bool {
        self.bytes > self.budget.limit.max(MIN_LIMIT)
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
    fn large_reservations_exceed_the_budget_and_dropped_ones_are_free() {
        let budget = MemoryBudget::new(1600);
        let (mut large, mut small) = (budget.reservation(), budget.reservation());
        large.grow(1600);
        assert!(large.should_spill() && !large.exceeds_budget());
        small.grow(100);
        assert!(large.exceeds_budget() && !small.exceeds_budget() && !small.should_spill());
        let mut third = budget.reservation();
        third.set(300);
        small.absorb(third);
        assert!(small.exceeds_budget() && small.bytes() == 400);
        drop(large);
        assert!(!small.exceeds_budget());
    }

    #[test]
    fn operators_spill_earlier_while_scans_hold_memory_and_always_have_half_of_it() {
        let budget = MemoryBudget::new(1600);
        let (mut operator, mut scan) = (budget.reservation(), budget.scan_reservation());
        operator.set(1400);
        scan.set(200);
        assert!(!operator.exceeds_budget());
        scan.set(300);
        assert!(operator.exceeds_budget());
        operator.set(800);
        scan.set(1 << 30);
        assert!(!operator.should_spill());
        drop(scan);
        operator.set(1600);
        assert!(!operator.exceeds_budget());
    }
}
