//! Whether files cover the time range that a query asks for: finding nothing outside the range that they cover proves nothing.

use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};

use super::{Comparison, Predicate};
use crate::types::datetime::TICKS_PER_HOUR;
use crate::types::{Schema, Type, Value, datetime};

/// A gap shorter than this is not spoken of: exports are cut by the hour, and nobody may have signed in.
const TOLERANCE: i64 = TICKS_PER_HOUR;

/// A range of time that a scan is asked for, and the times that it met.
#[derive(Debug)]
pub struct TimeCoverage {
    table: String,
    column: String,
    index: usize,
    from: Option<i64>,
    to: Option<i64>,
    first: AtomicI64,
    last: AtomicI64,
    /// Partitions that were not read to their end.
    unread: AtomicUsize,
}

impl TimeCoverage {
    /// The range that `prune`, all of which holds for wanted rows, sets to a datetime column; None without one.
    #[must_use]
    pub fn asked(table: &str, schema: &Schema, prune: &[Predicate]) -> Option<Self> {
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

    /// The position of the column in the table.
    #[must_use]
    pub fn column(&self) -> usize {
        self.index
    }

    /// Rows have these times, wanted or not.
    pub fn saw(&self, first: i64, last: i64) {
        self.first.fetch_min(first, Ordering::Relaxed);
        self.last.fetch_max(last, Ordering::Relaxed);
    }

    /// The scan has so many partitions.
    pub fn expect(&self, partitions: usize) {
        self.unread.store(partitions, Ordering::Relaxed);
    }

    /// A partition was read to its end.
    pub fn end_partition(&self) {
        self.unread.fetch_sub(1, Ordering::Relaxed);
    }

    /// What there is to say where the archive does not reach over the range; None also where not all was read. Where
    /// records were `skipped`, only the times of some were met.
    #[must_use]
    pub fn gap(&self, skipped: bool) -> Option<String> {
        let (first, last) = (self.first.load(Ordering::Relaxed), self.last.load(Ordering::Relaxed));
        if self.unread.load(Ordering::Relaxed) > 0 || first > last {
            return None;
        }
        let late = self.from.is_some_and(|from| first.saturating_sub(from) > TOLERANCE || from > last);
        let early = self.to.is_some_and(|to| to.saturating_sub(last) > TOLERANCE || to < first);
        let text = |ticks: Option<i64>, word: &str| {
            ticks.map_or(String::new(), |ticks| format!(" {word} {}", datetime::to_text(ticks)))
        };
        let by = if skipped { ", by their first and last records" } else { "" };
        (late || early).then(|| {
            format!(
                "the query asks for {} by {}{}{}, but these files cover only {} to {}{by}; finding nothing outside that \
                 range proves nothing",
                self.table,
                self.column,
                text(self.from, "from"),
                text(self.to, "to"),
                datetime::to_text(first),
                datetime::to_text(last)
            )
        })
    }
}

fn is_upper(comparison: Comparison) -> bool {
    matches!(comparison, Comparison::Less | Comparison::LessOrEqual)
}

fn is_lower(comparison: Comparison) -> bool {
    matches!(comparison, Comparison::Greater | Comparison::GreaterOrEqual)
}

/// The comparisons with times that must all be true.
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
