//! The range of a column that files state, so that their rows need not be read for it.

use std::sync::atomic::{AtomicI64, Ordering};

/// The first and the last value of a datetime column in row groups that a scan skips, because their statistics state both
/// exactly.
#[derive(Debug)]
pub struct StatedRange {
    /// The position of the column in the table.
    pub column: usize,
    first: AtomicI64,
    last: AtomicI64,
}

impl StatedRange {
    /// No rows yet.
    #[must_use]
    pub fn new(column: usize) -> Self {
        Self { column, first: AtomicI64::new(i64::MAX), last: AtomicI64::new(i64::MIN) }
    }

    /// Adds the first and the last value of some rows, in ticks.
    pub fn add(&self, first: i64, last: i64) {
        self.first.fetch_min(first, Ordering::Relaxed);
        self.last.fetch_max(last, Ordering::Relaxed);
    }

    /// The first and the last value so far; None if there are none.
    #[must_use]
    pub fn range(&self) -> Option<[i64; 2]> {
        let [first, last] = [&self.first, &self.last].map(|end| end.load(Ordering::Relaxed));
        (first <= last).then_some([first, last])
    }
}
