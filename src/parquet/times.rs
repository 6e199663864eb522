//! Converts strings and numbers to datetimes, with the rules that the readers of text have: numeric dates are read in
//! the order that the dates of the files prove, and numbers count a unit since an epoch.

use std::sync::Arc;

use super::FileInTable;
use crate::entra::RowKind;
use crate::entra::counted_times::parse_counted_time;
use crate::entra::iso_times::parse_export_time;
use crate::entra::numeric_dates::{DateOrder, DateOrderVerdict, DateOrders, DateRead, NumericDate};
use crate::scan::{ColumnNote, Damage, ScanReport};
use crate::types::{Type, Value, decimal};

/// Reads the datetimes of one file.
#[derive(Clone, Debug)]
pub(super) struct TimeReader {
    /// Determines the order of day and month in numeric dates; None if it is not known.
    dates: Option<Arc<dyn DateOrders>>,
    /// The index of the file in the table.
    file: usize,
}

/// What must be reported about a value that was converted from a string or number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum ConversionFinding {
    /// The type of the column cannot represent the value; it became null.
    Unconverted,
    /// The value is a date that was read in this order, which no other date proves.
    Ambiguous(DateOrder),
    /// The value is a date of a file whose dates contradict each other.
    Contradictory,
    /// The value is a date that was read in the order that other dates prove.
    Proven(DateOrder),
    /// The value is a time that is given as a count of this unit.
    Counted(&'static str),
}

impl TimeReader {
    /// Returns the reader for the file of `table`.
    pub fn of(table: &FileInTable) -> Self {
        Self { dates: table.dates.clone(), file: table.index }
    }

    /// Reads a string. Returns its ticks and what must be reported; both are None for whitespace.
    pub fn read_string(&self, text: &str) -> (Option<i64>, Option<ConversionFinding>) {
        let text = text.trim();
        if text.is_empty() {
            return (None, None);
        }
        if let Some(date) = NumericDate::of(text, RowKind::Flat) {
            return self.read_date(&date);
        }
        if let Some(ticks) = parse_export_time(text) {
            return (Some(ticks), None);
        }
        match parse_counted_time(text) {
            Some((ticks, unit)) => (Some(ticks), Some(ConversionFinding::Counted(unit))),
            None => (None, Some(ConversionFinding::Unconverted)),
        }
    }

    fn read_date(&self, date: &NumericDate) -> (Option<i64>, Option<ConversionFinding>) {
        let verdict = self.dates.as_ref().map_or(DateOrderVerdict::Unknown, |dates| dates.verdict(self.file, date));
        match date.read(verdict) {
            DateRead::Never => (None, Some(ConversionFinding::Unconverted)),
            DateRead::Certain(ticks) => (Some(ticks), None),
            DateRead::Proven(ticks, order) => (Some(ticks), Some(ConversionFinding::Proven(order))),
            DateRead::Contradictory(ticks) => (Some(ticks), Some(ConversionFinding::Contradictory)),
            DateRead::Ambiguous(ticks, order) => (Some(ticks), Some(ConversionFinding::Ambiguous(order))),
        }
    }
}

/// Returns the ticks of a time that is given as a number, and the unit that the number counts; None for other numbers
/// and types.
pub(super) fn counted_time(number: &Value) -> Option<(i64, &'static str)> {
    match number {
        Value::Int(_) | Value::Long(_) => parse_counted_time(&number.as_i64()?.to_string()),
        Value::Real(real) => parse_counted_time(&real.to_string()),
        Value::Decimal(number) => parse_counted_time(&decimal::to_text(*number)),
        _ => None,
    }
}

impl ConversionFinding {
    /// Reports this finding for `count` values of `column`, which has the type `target`.
    pub fn report(self, column: &str, target: Type, file: &str, count: usize, report: &ScanReport) {
        let (column, count) = (column.to_owned(), count as u64);
        let damage = match self {
            Self::Unconverted if target == Type::Datetime => Damage::UnreadableTime(column),
            Self::Unconverted => Damage::UnreadableValue(column, target),
            Self::Ambiguous(order) => Damage::AmbiguousDates(column, order),
            Self::Contradictory => Damage::ContradictoryDates(column),
            Self::Proven(order) => return report.note_times(ColumnNote::DateOrderProven { column, order }, count),
            Self::Counted(unit) => return report.note_times(ColumnNote::CountedTimes { column, unit }, count),
        };
        report.damaged(damage, file, count);
    }
}
