//! Converts strings and numbers to datetimes, by the rules of the readers of text: numeric dates in the order that the
//! dates of the files prove, and counts of a unit since an epoch.

use std::sync::Arc;

use super::FileInTable;
use crate::entra::RowKind;
use crate::entra::counted_times::parse_counted_time;
use crate::entra::numeric_dates::{DateOrder, DateOrderVerdict, DateOrders, DateRead, NumericDate};
use crate::scan::{ColumnNote, Damage, ScanReport};
use crate::types::{Type, Value, datetime, decimal};

/// Reads the times of one file.
#[derive(Clone, Debug)]
pub(super) struct TimeReader {
    /// The order of numeric dates in the files of the table; None if it is not known.
    dates: Option<Arc<dyn DateOrders>>,
    /// The position of the file among them.
    file: usize,
}

/// What must be reported about a value that was converted from a string or number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum ConversionFinding {
    /// It has no counterpart in the type of the column, and became null.
    Unconverted,
    /// It is a date read in this order, which no evidence proves.
    Ambiguous(DateOrder),
    /// It is a date of a file whose dates contradict each other.
    Contradictory,
    /// It is a date read in the order that other dates prove.
    Proven(DateOrder),
    /// It is a time given as a count of this unit.
    Counted(&'static str),
}

impl TimeReader {
    /// The reader for the file of `table`.
    pub fn of(table: &FileInTable) -> Self {
        Self { dates: table.dates.clone(), file: table.index }
    }

    /// Reads a string. Returns its ticks, and what must be reported; neither for whitespace.
    pub fn read_string(&self, text: &str) -> (Option<i64>, Option<ConversionFinding>) {
        let text = text.trim();
        if text.is_empty() {
            return (None, None);
        }
        if let Some(date) = NumericDate::of(text, RowKind::Flat) {
            return self.read_date(&date);
        }
        if let Some(ticks) = datetime::parse(text) {
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

/// Returns the ticks of a time that is given as a number, and the unit of the number. None for other numbers and types.
pub(super) fn counted_time(number: &Value) -> Option<(i64, &'static str)> {
    match number {
        Value::Int(_) | Value::Long(_) => parse_counted_time(&number.as_i64()?.to_string()),
        Value::Real(real) => parse_counted_time(&real.to_string()),
        Value::Decimal(number) => parse_counted_time(&decimal::to_text(*number)),
        _ => None,
    }
}

impl ConversionFinding {
    /// Reports `count` values of `column`, whose type is `target`, in `file`.
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
