//! Determines whether the files cover the time range of a query: finding no rows outside the covered range is not
//! evidence of absence.

use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};

use super::{Comparison, Predicate, TimeGap};
use crate::types::datetime::TICKS_PER_HOUR;
use crate::types::{Schema, Type, Value};

/// Gaps shorter than this, in ticks, are not reported: exports are often cut by the hour, and there may have been no
/// sign-ins.
const TOLERANCE: i64 = TICKS_PER_HOUR;

/// The time range that a query requests, and the range of times that the scan has seen.
#[derive(Debug)]
pub struct TimeCoverage {
    table: String,
    column: String,
    index: usize,
    from: Option<i64>,
    to: Option<i64>,
    first: AtomicI64,
    last: AtomicI64,
    /// Number of partitions that have not been read to their end.
    unread: AtomicUsize,
}

impl TimeCoverage {
    /// Returns the range of a datetime column to which the predicates `prune` restrict the rows; None if they
    /// restrict no such column.
    #[must_use]
    pub fn requested(table: &str, schema: &Schema, prune: &[Predicate]) -> Option<Self> {
        let mut bounds = Vec::new();
        collect(prune, &mut bounds);
        let index =
            bounds.iter().map(|(column, ..)| *column).find(|column| schema.field(*column).ty == Type::Datetime)?;
        let of_column = || bounds.iter().filter(|(column, ..)| *column == index);
        let from = of_column().filter(|(_, comparison, _)| !is_upper(*comparison)).map(|(.., ticks)| *ticks).max();
        let to = of_column().filter(|(_, comparison, _)| !is_lower(*comparison)).map(|(.., ticks)| *ticks).min();
        Some(Self {
            table: table.to_owned(),
            column: schema.field(index).name.clone(),
            index,
            from,
            to,
            first: AtomicI64::new(i64::MAX),
            last: AtomicI64::new(i64::MIN),
            unread: AtomicUsize::new(usize::MAX),
        })
    }

    /// Returns the position of the datetime column in the table.
    #[must_use]
    pub fn column(&self) -> usize {
        self.index
    }

    /// Records the first and last time of some rows of the files, whether or not they match the query.
    pub fn record(&self, first: i64, last: i64) {
        self.first.fetch_min(first, Ordering::Relaxed);
        self.last.fetch_max(last, Ordering::Relaxed);
    }

    /// Sets the number of partitions of the scan.
    pub fn expect(&self, partitions: usize) {
        self.unread.store(partitions, Ordering::Relaxed);
    }

    /// Records that a partition was read to its end.
    pub fn end_partition(&self) {
        self.unread.fetch_sub(1, Ordering::Relaxed);
    }

    /// Returns the gap if the files do not cover the requested range. Returns None if they do, or if not all
    /// partitions were read to their end. `skipped` is true if the prefilter skipped records, so that only the times
    /// of some are known.
    #[must_use]
    pub fn gap(&self, skipped: bool) -> Option<TimeGap> {
        let (first, last) = (self.first.load(Ordering::Relaxed), self.last.load(Ordering::Relaxed));
        if self.unread.load(Ordering::Relaxed) > 0 || first > last {
            return None;
        }
        let late = self.from.is_some_and(|from| first.saturating_sub(from) > TOLERANCE || from > last);
        let early = self.to.is_some_and(|to| to.saturating_sub(last) > TOLERANCE || to < first);
        (late || early).then(|| TimeGap {
            table: self.table.clone(),
            column: self.column.clone(),
            from: self.from,
            to: self.to,
            covered: [first, last],
            is_estimate: skipped,
        })
    }
}

fn is_upper(comparison: Comparison) -> bool {
    matches!(comparison, Comparison::Less | Comparison::LessOrEqual)
}

fn is_lower(comparison: Comparison) -> bool {
    matches!(comparison, Comparison::Greater | Comparison::GreaterOrEqual)
}

/// Collects the comparisons with datetimes that are true for every matching row.
fn collect(predicates: &[Predicate], bounds: &mut Vec<(usize, Comparison, i64)>) {
    for predicate in predicates {
        match predicate {
            Predicate::Compare { column, comparison, value: Value::Datetime(ticks) } => {
                bounds.push((*column, *comparison, *ticks));
            }
            Predicate::All(list) => collect(list, bounds),
            Predicate::Compare { .. } | Predicate::OneOf { .. } | Predicate::Contains { .. } | Predicate::Any(_) => {}
        }
    }
}
