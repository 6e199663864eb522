//! The memory budget that the scans and operators of a run share.
//!
//! An operator keeps a [`Reservation`] of the bytes that it uses, updates it batch by batch, and asks it when to spill.
//! If it cannot spill, it returns an error that names the operator. A scan cannot spill: it reserves what it holds, so
//! that operators spill earlier, and returns an error beyond [`MemoryBudget::scan_bytes`].

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::diagnostic::Error;

/// An operator that uses less than one part in this many of the budget does not spill, even if others exceed it.
const MIN_SHARE: usize = 16;
/// Every operator may use this many bytes, however small the budget is, before it returns an error.
const MIN_LIMIT: usize = 16 << 20;
/// A batch uses about one part in this many of the budget: a thread works on several at a time.
const BATCH_SHARE: usize = 64;
/// The maximum size of a batch in bytes, however large the budget is; a batch of one row may be larger.
const MAX_BATCH_BYTES: usize = 8 << 20;
/// The size that a batch may have in bytes, however small the budget is.
const MIN_BATCH_BYTES: usize = 256 << 10;
/// All batches in queues together may use one part in this many of the budget.
const QUEUE_SHARE: usize = 8;
/// The maximum size of a value in bytes, however large the budget is.
const MAX_VALUE_BYTES: usize = 256 << 20;
/// A thread may use this many bytes to read a table, however small the budget is, before it returns an error.
const MIN_SCAN_BYTES: usize = 64 << 20;

/// The limit of a run, and how much of it is in use.
#[derive(Debug)]
pub struct MemoryBudget {
    limit: usize,
    operators: AtomicUsize,
    scans: AtomicUsize,
}

/// The bytes that a scan or an operator uses, or its share on one thread; released when it is dropped.
#[derive(Debug)]
pub struct Reservation {
    budget: Arc<MemoryBudget>,
    is_scan: bool,
    bytes: usize,
}

impl MemoryBudget {
    /// A budget of `limit` bytes.
    #[must_use]
    pub fn new(limit: u64) -> Arc<Self> {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        Arc::new(Self { limit, operators: AtomicUsize::new(0), scans: AtomicUsize::new(0) })
    }

    /// The bytes that all operators of the run may use together.
    #[must_use]
    pub fn limit(&self) -> usize {
        self.limit
    }

    /// The maximum bytes of the strings of a batch; operators split larger batches.
    #[must_use]
    pub fn batch_bytes(&self) -> usize {
        (self.limit / BATCH_SHARE).clamp(MIN_BATCH_BYTES, MAX_BATCH_BYTES)
    }

    /// The maximum bytes of all batches in a queue.
    #[must_use]
    pub fn queue_bytes(&self) -> usize {
        (self.limit / QUEUE_SHARE).max(2 * self.batch_bytes())
    }

    /// The maximum bytes of a value that an aggregate builds; its result takes as much again.
    #[must_use]
    pub fn value_bytes(&self) -> usize {
        (self.limit.max(MIN_LIMIT) / 4).min(MAX_VALUE_BYTES)
    }

    /// The maximum bytes that each of `threads` threads may use to read a table.
    #[must_use]
    pub fn scan_bytes(&self, threads: usize) -> usize {
        (self.limit / threads.max(1)).max(MIN_SCAN_BYTES)
    }

    /// An empty reservation for an operator, or for its share on one thread.
    #[must_use]
    pub fn reservation(self: &Arc<Self>) -> Reservation {
        Reservation { budget: Arc::clone(self), is_scan: false, bytes: 0 }
    }

    /// An empty reservation for the share of a scan on one thread.
    #[must_use]
    pub fn scan_reservation(self: &Arc<Self>) -> Reservation {
        Reservation { budget: Arc::clone(self), is_scan: true, bytes: 0 }
    }

    /// True if scans and operators together exceed the limit once operators use `more` bytes. Scans take at most half
    /// of it from operators, so that operators spill in runs of a useful size.
    fn is_exceeded_with(&self, more: usize) -> bool {
        let scans = self.scans.load(Ordering::Relaxed).min(self.limit / 2);
        self.operators.load(Ordering::Relaxed).saturating_add(scans).saturating_add(more) > self.limit
    }

    /// The error of an operator that uses `bytes` and cannot spill.
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
    /// The bytes in use.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Sets the bytes in use.
    pub fn set(&mut self, bytes: usize) {
        let used = if self.is_scan { &self.budget.scans } else { &self.budget.operators };
        if bytes > self.bytes {
            used.fetch_add(bytes - self.bytes, Ordering::Relaxed);
        } else if bytes < self.bytes {
            used.fetch_sub(self.bytes - bytes, Ordering::Relaxed);
        }
        self.bytes = bytes;
    }

    /// Adds to the bytes in use.
    pub fn grow(&mut self, bytes: usize) {
        self.set(self.bytes.saturating_add(bytes));
    }

    /// An empty reservation of the same budget.
    #[must_use]
    pub fn another(&self) -> Self {
        self.budget.reservation()
    }

    /// Takes over the bytes of `other`.
    pub fn absorb(&mut self, mut other: Self) {
        self.bytes = self.bytes.saturating_add(std::mem::take(&mut other.bytes));
    }

    /// True if scans and operators together exceed the budget, and this operator has a notable share in that.
    #[must_use]
    pub fn exceeds_budget(&self) -> bool {
        self.bytes > self.budget.limit / MIN_SHARE && self.budget.is_exceeded_with(0)
    }

    /// True if a copy of the operator's rows would exceed the budget, and this operator has a notable share in that:
    /// states that are partitioned are copied.
    #[must_use]
    pub fn should_partition(&self) -> bool {
        self.bytes > self.budget.limit / MIN_SHARE && self.budget.is_exceeded_with(self.bytes)
    }

    /// True if the operator should spill: some memory must be left to sort and to write its rows.
    #[must_use]
    pub fn should_spill(&self) -> bool {
        self.bytes > self.budget.limit / 2 || self.exceeds_budget()
    }

    /// True if this operator alone exceeds the budget: it returns an error if it cannot spill.
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
