//! datetime: ticks of 100 ns since 0001-01-01T00:00:00Z, with its calendar, text form and conversions.
//!
//! Readers and writers call these functions for every row, so they neither allocate nor interpret a format string,
//! unless their name says so. The calendar is the proleptic Gregorian one, without leap seconds.

mod calendar;
mod iso;
mod parse;
mod pattern;

use std::fmt;

use chrono::{Datelike, NaiveDate};

pub use calendar::{
    DatetimePart, Period, add_periods, boundaries, day_of_week, day_of_year, end_of, part_of, start_of, week_of_year,
};
pub use iso::parse_iso8601;
pub use parse::{parse, parse_literal, with_plain_spaces};
pub use pattern::TimePattern;

use super::number;

/// Number of ticks in a microsecond.
pub const TICKS_PER_MICROSECOND: i64 = 10;
/// Number of ticks in a millisecond.
pub const TICKS_PER_MILLISECOND: i64 = 10_000;
/// Number of ticks in a second.
pub const TICKS_PER_SECOND: i64 = 10_000_000;
/// Number of ticks in a minute.
pub const TICKS_PER_MINUTE: i64 = 60 * TICKS_PER_SECOND;
/// Number of ticks in an hour.
pub const TICKS_PER_HOUR: i64 = 60 * TICKS_PER_MINUTE;
/// Number of ticks in a day.
pub const TICKS_PER_DAY: i64 = 24 * TICKS_PER_HOUR;

/// The first datetime, 0001-01-01T00:00:00Z, in ticks.
pub const MIN: i64 = 0;
/// The last datetime, 9999-12-31T23:59:59.9999999Z, in ticks.
pub const MAX: i64 = 3_155_378_975_999_999_999;
/// The datetime 1970-01-01T00:00:00Z, in ticks.
pub const UNIX_EPOCH: i64 = 621_355_968_000_000_000;

/// Returns `ticks` if they are a datetime in the years 1 to 9999, otherwise None.
#[must_use]
pub fn in_range(ticks: i64) -> Option<i64> {
    (MIN..=MAX).contains(&ticks).then_some(ticks)
}

/// Adds a timespan; None if the sum is outside the years 1 to 9999.
#[must_use]
pub fn add(ticks: i64, span: i64) -> Option<i64> {
    ticks.checked_add(span).and_then(in_range)
}

/// Subtracts a timespan; None if the result is outside the years 1 to 9999.
#[must_use]
pub fn subtract(ticks: i64, span: i64) -> Option<i64> {
    ticks.checked_sub(span).and_then(in_range)
}

/// The components of a datetime, in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DatetimeParts {
    /// The year, 1 to 9999.
    pub year: i32,
    /// The month, 1 to 12.
    pub month: u32,
    /// The day of the month, 1 to 31.
    pub day: u32,
    /// The hour, 0 to 23.
    pub hour: u32,
    /// The minute, 0 to 59.
    pub minute: u32,
    /// The second, 0 to 59.
    pub second: u32,
    /// The ticks within the second, 0 to 9,999,999.
    pub ticks: u32,
}

impl DatetimeParts {
    /// Returns the start of a day, midnight.
    #[must_use]
    pub fn date(year: i32, month: u32, day: u32) -> Self {
        Self { year, month, day, hour: 0, minute: 0, second: 0, ticks: 0 }
    }
}

/// Converts components to ticks; None if one is out of range, as in 30 February or the year 10000.
#[must_use]
pub fn from_parts(parts: &DatetimeParts) -> Option<i64> {
    let days = days_from_date(parts.year, parts.month, parts.day)?;
    if parts.hour > 23 || parts.minute > 59 || parts.second > 59 || parts.ticks > 9_999_999 {
        return None;
    }
    Some(
        days * TICKS_PER_DAY
            + i64::from(parts.hour) * TICKS_PER_HOUR
            + i64::from(parts.minute) * TICKS_PER_MINUTE
            + i64::from(parts.second) * TICKS_PER_SECOND
            + i64::from(parts.ticks),
    )
}

/// Splits `ticks` into components. Ticks outside the years 1 to 9999 are clamped to the nearest datetime.
#[must_use]
pub fn to_parts(ticks: i64) -> DatetimeParts {
    let ticks = ticks.clamp(MIN, MAX);
    let (year, month, day) = date_from_days(ticks / TICKS_PER_DAY);
    let time = ticks % TICKS_PER_DAY;
    DatetimeParts {
        year,
        month,
        day,
        hour: small(time / TICKS_PER_HOUR),
        minute: small(time / TICKS_PER_MINUTE % 60),
        second: small(time / TICKS_PER_SECOND % 60),
        ticks: small(time % TICKS_PER_SECOND),
    }
}

/// Converts a number that is known to be small and not negative.
fn small(n: i64) -> u32 {
    u32::try_from(n).unwrap_or(0)
}

/// True if `year` is a leap year.
#[must_use]
pub fn is_leap_year(year: i32) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

/// Returns the number of days in a month; 0 if `month` is not 1 to 12.
#[must_use]
pub fn days_in_month(year: i32, month: u32) -> u32 {
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if is_leap_year(year) => 29,
        2 => 28,
        _ => 0,
    }
}

/// Returns the number of days from 0001-01-01 to a date; None if there is no such date in the years 1 to 9999.
///
/// Readers call it for every datetime in a file; the same conversion by chrono takes one and a half times as long.
#[must_use]
pub fn days_from_date(year: i32, month: u32, day: u32) -> Option<i64> {
    if !(1..=9999).contains(&year) || day == 0 || day > days_in_month(year, month) {
        return None;
    }
    // Years are counted from March: the leap day is then the last day, and the months before it have a regular pattern
    // of lengths.
    let (year, month) = (i64::from(year), i64::from(month));
    let (year, month) = if month < 3 { (year - 1, month + 9) } else { (year, month - 3) };
    let day_of_year = (153 * month + 2) / 5 + i64::from(day) - 1;
    Some(year * 365 + year / 4 - year / 100 + year / 400 + day_of_year - DAYS_BEFORE_YEAR_ONE)
}

/// Number of days from 1 March of year 0 to 1 January of year 1.
const DAYS_BEFORE_YEAR_ONE: i64 = 306;

/// Returns year, month and day of a number of days since 0001-01-01, which must be in the range of datetime.
#[must_use]
pub fn date_from_days(days: i64) -> (i32, u32, u32) {
    let date = naive_date(days);
    (date.year(), date.month(), date.day())
}

/// Converts a number of days since 0001-01-01 to a date; 1970-01-01 if it is far outside the range of datetime.
fn naive_date(days: i64) -> NaiveDate {
    let date = days.checked_add(1).and_then(|days| i32::try_from(days).ok());
    date.and_then(NaiveDate::from_num_days_from_ce_opt).unwrap_or_default()
}

/// Returns the string form, ISO 8601 with seven fractional digits and Z, as ASCII bytes.
#[must_use]
pub fn to_bytes(ticks: i64) -> [u8; 28] {
    let parts = to_parts(ticks);
    let mut text = *b"0000-00-00T00:00:00.0000000Z";
    write_digits(&mut text[0..4], parts.year.unsigned_abs());
    write_digits(&mut text[5..7], parts.month);
    write_digits(&mut text[8..10], parts.day);
    write_digits(&mut text[11..13], parts.hour);
    write_digits(&mut text[14..16], parts.minute);
    write_digits(&mut text[17..19], parts.second);
    write_digits(&mut text[20..27], parts.ticks);
    text
}

/// Fills `text` from its end with the last digits of `n`.
fn write_digits(text: &mut [u8], mut n: u32) {
    for byte in text.iter_mut().rev() {
        *byte = b'0' + (n % 10) as u8;
        n /= 10;
    }
}

/// Writes the string form without allocating.
///
/// # Errors
/// Only errors of `out`.
pub fn write_text(ticks: i64, out: &mut impl fmt::Write) -> fmt::Result {
    let bytes = to_bytes(ticks);
    out.write_str(std::str::from_utf8(&bytes).map_err(|_| fmt::Error)?)
}

/// Returns what `tostring()` returns for a datetime: ISO 8601 with seven fractional digits and Z.
#[must_use]
pub fn to_text(ticks: i64) -> String {
    let mut text = String::with_capacity(28);
    // Writing to a String cannot fail.
    let _ = write_text(ticks, &mut text);
    text
}

/// A unit in which other systems count the time since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnixUnit {
    /// Seconds.
    Seconds,
    /// Milliseconds.
    Milliseconds,
    /// Microseconds.
    Microseconds,
    /// Nanoseconds, finer than a tick.
    Nanoseconds,
}

impl UnixUnit {
    /// Returns the number of ticks in a unit; None for nanoseconds, which are shorter than a tick.
    fn ticks(self) -> Option<i64> {
        match self {
            Self::Seconds => Some(TICKS_PER_SECOND),
            Self::Milliseconds => Some(TICKS_PER_MILLISECOND),
            Self::Microseconds => Some(TICKS_PER_MICROSECOND),
            Self::Nanoseconds => None,
        }
    }
}

/// Number of nanoseconds in a tick.
const NANOSECONDS_PER_TICK: i64 = 100;

/// Converts `count` units since 1970 to a datetime; None outside the years 1 to 9999. Nanoseconds are truncated to
/// whole ticks.
#[must_use]
pub fn from_unix(count: i64, unit: UnixUnit) -> Option<i64> {
    let ticks = match unit.ticks() {
        Some(ticks) => count.checked_mul(ticks)?,
        None => count.div_euclid(NANOSECONDS_PER_TICK),
    };
    add(UNIX_EPOCH, ticks)
}

/// Like [`from_unix`], for a count with a fraction, which is rounded to whole ticks; None if it is not finite.
#[must_use]
pub fn from_unix_real(count: f64, unit: UnixUnit) -> Option<i64> {
    let whole = count.floor();
    let start = from_unix(number::real_to_ticks(whole)?, unit)?;
    let Some(ticks) = unit.ticks() else { return Some(start) };
    let fraction = (count - whole) * number::long_to_real(ticks);
    add(start, number::real_to_ticks(fraction.round())?)
}

/// Returns the largest count of units that is not after `ticks`; None if it does not fit 64 bits (nanoseconds reach
/// from 1677 to 2262).
///
/// With this function, comparisons of values `t` that are counted in units become comparisons with whole units:
/// `t >= x` is `t >= to_unix_ceil(x)`, and `t <= x` is `t <= to_unix_floor(x)`, even if `x` is not a multiple of the
/// unit. For nanoseconds, of which a tick has a hundred, see [`last_nanosecond`].
#[must_use]
pub fn to_unix_floor(ticks: i64, unit: UnixUnit) -> Option<i64> {
    let since = ticks.checked_sub(UNIX_EPOCH)?;
    match unit.ticks() {
        Some(ticks) => Some(since.div_euclid(ticks)),
        None => since.checked_mul(NANOSECONDS_PER_TICK),
    }
}

/// Returns the smallest count of units that is not before `ticks`; None if it does not fit 64 bits.
#[must_use]
pub fn to_unix_ceil(ticks: i64, unit: UnixUnit) -> Option<i64> {
    let since = ticks.checked_sub(UNIX_EPOCH)?;
    match unit.ticks() {
        Some(ticks) => Some(since.div_euclid(ticks) + i64::from(since.rem_euclid(ticks) != 0)),
        None => since.checked_mul(NANOSECONDS_PER_TICK),
    }
}

/// Returns the last nanosecond since 1970 that [`from_unix`] truncates to `ticks`; None if it does not fit 64 bits.
#[must_use]
pub fn last_nanosecond(ticks: i64) -> Option<i64> {
    to_unix_floor(ticks, UnixUnit::Nanoseconds)?.checked_add(NANOSECONDS_PER_TICK - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_day_of_the_calendar_goes_there_and_back() {
        let mut expected = 0;
        for year in 1..=9999 {
            for month in 1..=12 {
                for day in 1..=days_in_month(year, month) {
                    assert_eq!(days_from_date(year, month, day), Some(expected));
                    assert_eq!(date_from_days(expected), (year, month, day));
                    expected += 1;
                }
            }
        }
        assert_eq!(expected * TICKS_PER_DAY - 1, MAX);
    }

    #[test]
    fn known_instants() {
        assert_eq!(to_text(MIN), "0001-01-01T00:00:00.0000000Z");
        assert_eq!(to_text(MAX), "9999-12-31T23:59:59.9999999Z");
        assert_eq!(to_text(UNIX_EPOCH), "1970-01-01T00:00:00.0000000Z");
        assert_eq!(to_text(637_135_310_455_000_000), "2020-01-02T03:04:05.5000000Z");
        assert_eq!(to_text(i64::MIN), to_text(MIN), "no panic");
        assert_eq!(to_text(i64::MAX), to_text(MAX), "no panic");
    }

    #[test]
    fn parts_are_checked() {
        assert_eq!(from_parts(&DatetimeParts::date(1970, 1, 1)), Some(UNIX_EPOCH));
        for bad in [(0, 1, 1), (10000, 1, 1), (2023, 2, 29), (2023, 13, 1), (2023, 0, 1), (2023, 4, 31), (2023, 1, 0)] {
            assert_eq!(from_parts(&DatetimeParts::date(bad.0, bad.1, bad.2)), None, "{bad:?}");
        }
        assert_eq!(from_parts(&DatetimeParts { hour: 24, ..DatetimeParts::date(2023, 1, 1) }), None);
        let ticks = 638_081_231_449_876_543;
        assert_eq!(from_parts(&to_parts(ticks)), Some(ticks));
    }

    #[test]
    fn arithmetic_stops_at_the_ends() {
        assert_eq!(add(MAX, 1), None);
        assert_eq!(add(MAX, i64::MAX), None);
        assert_eq!(add(MIN, 5), Some(5));
        assert_eq!(subtract(MIN, 1), None);
        assert_eq!(subtract(5, i64::MIN), None);
    }

    #[test]
    fn unix_counts() {
        use UnixUnit::{Microseconds, Milliseconds, Nanoseconds, Seconds};
        let ticks = UNIX_EPOCH + 15_000_001;
        assert_eq!(from_unix(1_500_000, Microseconds), Some(UNIX_EPOCH + 15_000_000));
        assert_eq!(from_unix(1_500_000_199, Nanoseconds), Some(ticks));
        assert_eq!(from_unix(-1, Nanoseconds), Some(UNIX_EPOCH - 1));
        assert_eq!(from_unix(i64::MAX, Seconds), None);
        assert_eq!(from_unix(253_402_300_800, Seconds), None, "the year 10000");
        assert_eq!(from_unix(253_402_300_799, Seconds), Some(MAX - 9_999_999));
        assert_eq!(
            (to_unix_floor(ticks, Microseconds), to_unix_ceil(ticks, Microseconds)),
            (Some(1_500_000), Some(1_500_001))
        );
        assert_eq!(to_unix_floor(UNIX_EPOCH - 1, Milliseconds), Some(-1));
        assert_eq!(to_unix_ceil(UNIX_EPOCH - 1, Milliseconds), Some(0));
        assert_eq!(
            (to_unix_floor(ticks, Nanoseconds), last_nanosecond(ticks)),
            (Some(1_500_000_100), Some(1_500_000_199))
        );
        assert_eq!(to_unix_floor(MAX, Nanoseconds), None);
        assert_eq!(to_unix_floor(MIN, Nanoseconds), None);
        for unit in [Seconds, Milliseconds, Microseconds] {
            for at in [MIN, MAX, ticks, UNIX_EPOCH] {
                let (floor, ceil) = (to_unix_floor(at, unit).unwrap(), to_unix_ceil(at, unit).unwrap());
                assert!(from_unix(floor, unit).unwrap() <= at);
                assert!(from_unix(ceil, unit).is_none_or(|ceil| ceil >= at));
            }
        }
    }
}
