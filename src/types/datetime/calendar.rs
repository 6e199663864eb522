//! Calendar arithmetic: periods, their starts and ends, and the boundaries between two datetimes.
//!
//! Weeks start on Sunday, except in week numbers, which are those of ISO 8601.

use chrono::{Datelike, NaiveDate};

use super::{
    DatetimeParts, MAX, TICKS_PER_DAY, TICKS_PER_HOUR, TICKS_PER_MICROSECOND, TICKS_PER_MILLISECOND, TICKS_PER_MINUTE,
    TICKS_PER_SECOND, add, days_from_date, days_in_month, from_parts, in_range, naive_date, to_parts,
};

/// A period of the calendar or the clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is the period of that name")]
pub enum Period {
    Year,
    Quarter,
    Month,
    Week,
    Day,
    Hour,
    Minute,
    Second,
    Millisecond,
    Microsecond,
    Nanosecond,
}

/// The length of a period, in the unit in which it is constant.
enum Length {
    Months(i64),
    Ticks(i64),
    /// A nanosecond, which is a hundredth of a tick.
    Nanosecond,
}

const PERIODS: [(&str, Period); 11] = [
    ("year", Period::Year),
    ("quarter", Period::Quarter),
    ("month", Period::Month),
    ("week", Period::Week),
    ("day", Period::Day),
    ("hour", Period::Hour),
    ("minute", Period::Minute),
    ("second", Period::Second),
    ("millisecond", Period::Millisecond),
    ("microsecond", Period::Microsecond),
    ("nanosecond", Period::Nanosecond),
];

impl Period {
    /// Looks up a period by name, ignoring case.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        PERIODS.iter().find(|(word, _)| word.eq_ignore_ascii_case(name)).map(|(_, period)| *period)
    }

    /// Returns the names of all periods.
    pub fn names() -> impl Iterator<Item = &'static str> {
        PERIODS.iter().map(|(name, _)| *name)
    }

    fn length(self) -> Length {
        match self {
            Self::Year => Length::Months(12),
            Self::Quarter => Length::Months(3),
            Self::Month => Length::Months(1),
            Self::Week => Length::Ticks(7 * TICKS_PER_DAY),
            Self::Day => Length::Ticks(TICKS_PER_DAY),
            Self::Hour => Length::Ticks(TICKS_PER_HOUR),
            Self::Minute => Length::Ticks(TICKS_PER_MINUTE),
            Self::Second => Length::Ticks(TICKS_PER_SECOND),
            Self::Millisecond => Length::Ticks(TICKS_PER_MILLISECOND),
            Self::Microsecond => Length::Ticks(TICKS_PER_MICROSECOND),
            Self::Nanosecond => Length::Nanosecond,
        }
    }
}

/// Returns `ticks` plus `amount` periods; None outside the years 1 to 9999. If the target month is too short for the
/// day, its last day is used. Nanoseconds are truncated to whole ticks.
#[must_use]
pub fn add_periods(ticks: i64, period: Period, amount: i64) -> Option<i64> {
    match period.length() {
        Length::Ticks(length) => add(ticks, amount.checked_mul(length)?),
        Length::Nanosecond => add(ticks, amount / 100),
        Length::Months(months) => {
            let parts = to_parts(ticks);
            let index = month_index(&parts).checked_add(amount.checked_mul(months)?)?;
            let (year, month) = year_and_month(index)?;
            from_parts(&DatetimeParts { year, month, day: parts.day.min(days_in_month(year, month)), ..parts })
        }
    }
}

/// Counts the starts of a period after `from` and up to and including `to`; negative if `to` is earlier. None if the
/// count does not fit 64 bits.
#[must_use]
pub fn boundaries(to: i64, from: i64, period: Period) -> Option<i64> {
    match period.length() {
        Length::Nanosecond => to.checked_sub(from)?.checked_mul(100),
        Length::Months(months) => {
            let index = |ticks| month_index(&to_parts(ticks)).div_euclid(months);
            Some(index(to) - index(from))
        }
        Length::Ticks(_) if period == Period::Week => Some(week_index(to) - week_index(from)),
        Length::Ticks(length) => Some(to.div_euclid(length) - from.div_euclid(length)),
    }
}

/// Returns the number of months since January of year 0.
fn month_index(parts: &DatetimeParts) -> i64 {
    i64::from(parts.year) * 12 + i64::from(parts.month) - 1
}

fn year_and_month(index: i64) -> Option<(i32, u32)> {
    let year = i32::try_from(index.div_euclid(12)).ok()?;
    Some((year, u32::try_from(index.rem_euclid(12) + 1).ok()?))
}

/// Returns the number of weeks since the day before 0001-01-01, a Sunday.
fn week_index(ticks: i64) -> i64 {
    (ticks.div_euclid(TICKS_PER_DAY) + 1).div_euclid(7)
}

/// Returns the start of the day, week, month, quarter or year that is `offset` periods after the one that contains
/// `ticks`; None outside the years 1 to 9999. Starts of shorter periods are multiples of their length.
#[must_use]
pub fn start_of(ticks: i64, period: Period, offset: i64) -> Option<i64> {
    edge(ticks, period, offset).and_then(in_range)
}

/// Returns the last tick of the period whose start is [`start_of`] of the same arguments.
#[must_use]
pub fn end_of(ticks: i64, period: Period, offset: i64) -> Option<i64> {
    edge(ticks, period, offset.checked_add(1)?).and_then(|next| in_range(next.checked_sub(1)?))
}

/// Like [`start_of`], but the start of the year 10000 is valid, too.
fn edge(ticks: i64, period: Period, offset: i64) -> Option<i64> {
    match period.length() {
        Length::Nanosecond => add(ticks, offset / 100),
        Length::Ticks(length) => {
            let start = match period {
                Period::Week => (week_index(ticks) * 7 - 1) * TICKS_PER_DAY,
                _ => ticks.div_euclid(length) * length,
            };
            start.checked_add(offset.checked_mul(length)?).filter(|start| *start <= MAX + 1)
        }
        Length::Months(months) => {
            let index = month_index(&to_parts(ticks)).div_euclid(months).checked_add(offset)?.checked_mul(months)?;
            let (year, month) = year_and_month(index)?;
            if (year, month) == (10_000, 1) {
                return Some(MAX + 1);
            }
            Some(days_from_date(year, month, 1)? * TICKS_PER_DAY)
        }
    }
}

/// Returns the day of the week: 0 is Sunday.
#[must_use]
pub fn day_of_week(ticks: i64) -> i64 {
    date_of(ticks).weekday().num_days_from_sunday().into()
}

/// Returns the day of the year, 1 to 366.
#[must_use]
pub fn day_of_year(ticks: i64) -> i64 {
    date_of(ticks).ordinal().into()
}

/// Returns the ISO 8601 week number: weeks start on Monday, and the first week of a year contains its first Thursday.
#[must_use]
pub fn week_of_year(ticks: i64) -> i64 {
    date_of(ticks).iso_week().week().into()
}

fn date_of(ticks: i64) -> NaiveDate {
    naive_date(ticks.div_euclid(TICKS_PER_DAY))
}

/// A component of a datetime that is a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is the part of that name")]
pub enum DatetimePart {
    Year,
    Quarter,
    Month,
    WeekOfYear,
    Day,
    DayOfYear,
    Hour,
    Minute,
    Second,
    /// The milliseconds within the second. The finer components are counted within the second, too.
    Millisecond,
    Microsecond,
    Nanosecond,
}

const PARTS: [(&str, DatetimePart); 12] = [
    ("year", DatetimePart::Year),
    ("quarter", DatetimePart::Quarter),
    ("month", DatetimePart::Month),
    ("week_of_year", DatetimePart::WeekOfYear),
    ("day", DatetimePart::Day),
    ("dayOfYear", DatetimePart::DayOfYear),
    ("hour", DatetimePart::Hour),
    ("minute", DatetimePart::Minute),
    ("second", DatetimePart::Second),
    ("millisecond", DatetimePart::Millisecond),
    ("microsecond", DatetimePart::Microsecond),
    ("nanosecond", DatetimePart::Nanosecond),
];

impl DatetimePart {
    /// Looks up a component by name, ignoring case.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        PARTS.iter().find(|(word, _)| word.eq_ignore_ascii_case(name)).map(|(_, part)| *part)
    }

    /// Returns the names of all components.
    pub fn names() -> impl Iterator<Item = &'static str> {
        PARTS.iter().map(|(name, _)| *name)
    }
}

/// Returns the value of a component of a datetime.
#[must_use]
pub fn part_of(ticks: i64, part: DatetimePart) -> i64 {
    let parts = to_parts(ticks);
    let fraction = i64::from(parts.ticks);
    match part {
        DatetimePart::Year => i64::from(parts.year),
        DatetimePart::Quarter => i64::from(parts.month.div_ceil(3)),
        DatetimePart::Month => i64::from(parts.month),
        DatetimePart::WeekOfYear => week_of_year(ticks),
        DatetimePart::Day => i64::from(parts.day),
        DatetimePart::DayOfYear => day_of_year(ticks),
        DatetimePart::Hour => i64::from(parts.hour),
        DatetimePart::Minute => i64::from(parts.minute),
        DatetimePart::Second => i64::from(parts.second),
        DatetimePart::Millisecond => fraction / TICKS_PER_MILLISECOND,
        DatetimePart::Microsecond => fraction / TICKS_PER_MICROSECOND,
        DatetimePart::Nanosecond => fraction * 100,
    }
}

#[cfg(test)]
mod tests {
    use super::super::{MIN, parse, to_text};
    use super::*;

    fn at(text: &str) -> i64 {
        parse(text).unwrap_or_else(|| panic!("{text}"))
    }

    fn text(ticks: Option<i64>) -> String {
        ticks.map_or_else(|| "null".to_owned(), |ticks| to_text(ticks).replace("T00:00:00.0000000Z", ""))
    }

    #[test]
    fn adding() {
        for (start, period, amount, expected) in [
            ("2017-01-01", Period::Year, -5, "2012-01-01"),
            ("2017-01-01", Period::Quarter, 12, "2020-01-01"),
            ("2017-01-01", Period::Month, -15, "2015-10-01"),
            ("2017-01-01", Period::Week, 100, "2018-12-02"),
            ("2024-01-31", Period::Month, 1, "2024-02-29"),
            ("2024-02-29", Period::Year, 1, "2025-02-28"),
            ("2024-01-01", Period::Microsecond, 1, "2024-01-01T00:00:00.0000010Z"),
            ("9999-12-01", Period::Month, 1, "null"),
            ("0001-01-01", Period::Quarter, -1, "null"),
            ("2024-01-01", Period::Year, i64::MAX, "null"),
            ("2024-01-01", Period::Day, i64::MIN, "null"),
        ] {
            assert_eq!(text(add_periods(at(start), period, amount)), expected, "{start} {period:?} {amount}");
        }
    }

    #[test]
    fn differences_count_boundaries() {
        for (period, to, from, expected) in [
            (Period::Year, "2017-01-01", "2000-12-31", 17),
            (Period::Quarter, "2017-07-01", "2017-03-30", 2),
            (Period::Month, "2017-01-01", "2015-12-30", 13),
            (Period::Week, "2017-10-29 00:00", "2017-09-30 23:59", 5),
            (Period::Week, "2024-03-05", "2024-01-01", 9),
            (Period::Day, "2017-10-29 00:00", "2017-09-30 23:59", 29),
            (Period::Hour, "2017-10-31 01:00", "2017-10-30 23:59", 2),
            (Period::Minute, "2017-10-30 23:05:01", "2017-10-30 23:00:59", 5),
            (Period::Second, "2017-10-30 23:00:10.100", "2017-10-30 23:00:00.900", 10),
            (Period::Millisecond, "2017-10-30 23:00:00.200100", "2017-10-30 23:00:00.100900", 100),
            (Period::Microsecond, "2017-10-30 23:00:00.1009001", "2017-10-30 23:00:00.1008009", 100),
            (Period::Nanosecond, "2017-10-30 23:00:00.0000000", "2017-10-30 23:00:00.0000007", -700),
        ] {
            assert_eq!(boundaries(at(to), at(from), period), Some(expected), "{period:?}");
            assert_eq!(boundaries(at(from), at(to), period), Some(-expected), "{period:?}");
        }
        assert_eq!(boundaries(MAX, MIN, Period::Nanosecond), None);
    }

    #[test]
    fn starts_and_ends() {
        let noon = at("2017-01-01 10:10:17");
        for (period, offset, start, end) in [
            (Period::Day, -1, "2016-12-31", "2016-12-31T23:59:59.9999999Z"),
            (Period::Week, 0, "2017-01-01", "2017-01-07T23:59:59.9999999Z"),
            (Period::Week, 1, "2017-01-08", "2017-01-14T23:59:59.9999999Z"),
            (Period::Month, 1, "2017-02-01", "2017-02-28T23:59:59.9999999Z"),
            (Period::Year, -1, "2016-01-01", "2016-12-31T23:59:59.9999999Z"),
        ] {
            assert_eq!(text(start_of(noon, period, offset)), start);
            assert_eq!(text(end_of(noon, period, offset)), end);
        }
        for period in [Period::Day, Period::Month, Period::Quarter, Period::Year] {
            assert_eq!(end_of(MAX, period, 0), Some(MAX), "{period:?}");
            assert_eq!(start_of(MIN, period, 0), Some(MIN), "{period:?}");
            for offset in [i64::MIN, -1, 1, i64::MAX] {
                let from = if offset < 0 { MIN } else { MAX };
                assert_eq!((start_of(from, period, offset), end_of(from, period, offset)), (None, None), "{period:?}");
            }
        }
        assert_eq!(start_of(MIN, Period::Week, 0), None, "the week began before the first datetime");
    }

    #[test]
    fn weeks_and_days() {
        for (date, week, day, weekday) in [
            ("0001-01-01", 1, 1, 1),
            ("2000-01-01", 52, 1, 6),
            ("2020-12-31", 53, 366, 4),
            ("2026-03-02", 10, 61, 1),
            ("9999-12-31", 52, 365, 5),
        ] {
            let ticks = at(date);
            assert_eq!((week_of_year(ticks), day_of_year(ticks), day_of_week(ticks)), (week, day, weekday), "{date}");
        }
    }

    #[test]
    fn parts() {
        let ticks = at("2017-10-30 01:02:03.7654321");
        let numbers: Vec<_> =
            DatetimePart::names().map(|name| part_of(ticks, DatetimePart::from_name(name).unwrap())).collect();
        assert_eq!(numbers, [2017, 4, 10, 44, 30, 303, 1, 2, 3, 765, 765_432, 765_432_100]);
        assert_eq!(DatetimePart::from_name("dayofyear"), Some(DatetimePart::DayOfYear));
        assert_eq!(DatetimePart::from_name("weekday"), None);
        assert_eq!(Period::from_name("Week"), Some(Period::Week));
        assert_eq!(Period::from_name("week_of_year"), None);
    }
}
