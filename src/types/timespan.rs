//! timespan: ticks of 100 ns, with its literals and string forms.

use std::fmt;

use super::datetime::{
    TICKS_PER_DAY, TICKS_PER_HOUR, TICKS_PER_MICROSECOND, TICKS_PER_MILLISECOND, TICKS_PER_MINUTE, TICKS_PER_SECOND,
};

/// The components of a timespan. All are magnitudes, and the sign is separate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimespanParts {
    /// True if the timespan is negative.
    pub negative: bool,
    /// The whole days.
    pub days: u64,
    /// The hours, 0 to 23.
    pub hours: u64,
    /// The minutes, 0 to 59.
    pub minutes: u64,
    /// The seconds, 0 to 59.
    pub seconds: u64,
    /// The ticks within the second, 0 to 9,999,999.
    pub ticks: u64,
}

/// Splits `ticks` into components.
#[must_use]
pub fn to_parts(ticks: i64) -> TimespanParts {
    let magnitude = ticks.unsigned_abs();
    let per = |unit: i64| magnitude / unit.unsigned_abs();
    TimespanParts {
        negative: ticks < 0,
        days: per(TICKS_PER_DAY),
        hours: per(TICKS_PER_HOUR) % 24,
        minutes: per(TICKS_PER_MINUTE) % 60,
        seconds: per(TICKS_PER_SECOND) % 60,
        ticks: magnitude % TICKS_PER_SECOND.unsigned_abs(),
    }
}

/// Writes the string form without allocating.
///
/// # Errors
/// Only errors of `out`.
pub fn write_text(ticks: i64, out: &mut impl fmt::Write) -> fmt::Result {
    let parts = to_parts(ticks);
    if parts.negative {
        out.write_char('-')?;
    }
    if parts.days > 0 {
        write!(out, "{}.", parts.days)?;
    }
    write!(out, "{:02}:{:02}:{:02}", parts.hours, parts.minutes, parts.seconds)?;
    if parts.ticks > 0 {
        write!(out, ".{:07}", parts.ticks)?;
    }
    Ok(())
}

/// Returns what `tostring()` returns for a timespan: `[-][d.]hh:mm:ss[.fffffff]`, with seven fractional digits or none.
#[must_use]
pub fn to_text(ticks: i64) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = write_text(ticks, &mut text);
    text
}

/// Returns the string form that JSON results and comparisons use, which always has seven fractional digits.
#[must_use]
pub fn to_full_text(ticks: i64) -> String {
    let mut text = to_text(ticks);
    if ticks % TICKS_PER_SECOND == 0 {
        text.push_str(".0000000");
    }
    text
}

/// The names of the units in a literal, with their lengths in nanoseconds. Source: the reference's page on the timespan
/// type, and the lexer of Microsoft's language service.
const UNITS: &[(&[&str], i64)] = &[
    (&["d", "day", "days"], TICKS_PER_DAY * 100),
    (&["h", "hr", "hrs", "hour", "hours"], TICKS_PER_HOUR * 100),
    (&["m", "min", "minute", "minutes"], TICKS_PER_MINUTE * 100),
    (&["s", "sec", "second", "seconds"], TICKS_PER_SECOND * 100),
    (&["ms", "milli", "millis", "millisec", "millisecond", "milliseconds"], TICKS_PER_MILLISECOND * 100),
    (&["micro", "micros", "microsec", "microsecond", "microseconds"], TICKS_PER_MICROSECOND * 100),
    (&["tick", "ticks"], 100),
    (&["nano", "nanos", "nanosec", "nanosecond", "nanoseconds"], 1),
];

/// True if `word` is a unit that may follow a number, as in `1.5h`. Units are in lower case.
#[must_use]
pub fn is_unit(word: &str) -> bool {
    nanoseconds_of(word).is_some()
}

fn nanoseconds_of(unit: &str) -> Option<i64> {
    UNITS.iter().find(|(names, _)| names.contains(&unit)).map(|(_, nanoseconds)| *nanoseconds)
}

/// Parses a number with a unit, such as `1d`, `1.5h` or `15 seconds`, and returns ticks. Fractions of a tick are
/// truncated: `150nanoseconds` is one tick. None if it is malformed or does not fit.
#[must_use]
pub fn parse_unit(text: &str) -> Option<i64> {
    let end = text.find(|c: char| !(c.is_ascii_digit() || c == '.'))?;
    let (number, unit) = text.split_at(end);
    let nanoseconds = i128::from(nanoseconds_of(unit.trim_start())?);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() || fraction.len() > MAX_FRACTION || fraction.contains('.') {
        return None;
    }
    let mut total = i128::from(whole.parse::<u64>().ok()?) * nanoseconds;
    if !fraction.is_empty() {
        let scale = 10_i128.pow(u32::try_from(fraction.len()).ok()?);
        total += i128::from(fraction.parse::<u64>().ok()?) * nanoseconds / scale;
    }
    i64::try_from(total / 100).ok()
}

/// Maximum number of fractional digits, such that they always fit 64 bits.
const MAX_FRACTION: usize = 19;

/// Parses the argument of `timespan(...)` or `time(...)`: `Some(None)` is null, None is not a valid literal.
///
/// The argument may be all that [`parse`] accepts, with or without quotes; a number without a unit counts days.
#[must_use]
pub fn parse_literal(text: &str) -> Option<Option<i64>> {
    let text = text.trim();
    let text =
        ['"', '\''].into_iter().find_map(|quote| text.strip_prefix(quote)?.strip_suffix(quote)).map_or(text, str::trim);
    if text == "null" {
        return Some(None);
    }
    let (negative, magnitude) = split_sign(text);
    if !magnitude.is_empty() && magnitude.bytes().all(|byte| byte.is_ascii_digit()) {
        let ticks = magnitude.parse::<i64>().ok()?.checked_mul(TICKS_PER_DAY)?;
        return Some(Some(if negative { -ticks } else { ticks }));
    }
    parse(text).map(Some)
}

/// Parses what `totimespan()` accepts, and returns ticks: `[-][d.]hh:mm[:ss[.f...]]`, or a number with a unit.
/// Fractional digits after the seventh are truncated. None if the result of `totimespan()` is null, as for a number
/// without a unit.
#[must_use]
pub fn parse(text: &str) -> Option<i64> {
    let (negative, magnitude) = split_sign(text.trim());
    let ticks = parse_clock(magnitude).or_else(|| parse_unit(magnitude).map(i128::from))?;
    i64::try_from(if negative { -ticks } else { ticks }).ok()
}

fn split_sign(text: &str) -> (bool, &str) {
    text.strip_prefix('-').map_or((false, text), |rest| (true, rest))
}

/// Parses `[d.]hh:mm[:ss[.f...]]`, and returns ticks. They are in 128 bits because the magnitude of the smallest
/// timespan does not fit 64 bits.
fn parse_clock(text: &str) -> Option<i128> {
    let (hours, rest) = text.split_once(':')?;
    let (days, hours) = hours.split_once('.').unwrap_or(("0", hours));
    let (minutes, seconds) = rest.split_once(':').unwrap_or((rest, "0"));
    let (seconds, fraction) = match seconds.split_once('.') {
        Some((_, "")) => return None,
        Some((seconds, fraction)) => (seconds, fraction),
        None => (seconds, ""),
    };
    let days = digits(days, 8)?;
    let (hours, minutes, seconds) = (digits(hours, 2)?, digits(minutes, 2)?, digits(seconds, 2)?);
    if hours > 23 || minutes > 59 || seconds > 59 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let ticks =
        fraction.bytes().chain(std::iter::repeat(b'0')).take(7).fold(0, |n, byte| n * 10 + i128::from(byte - b'0'));
    let total =
        [(days, TICKS_PER_DAY), (hours, TICKS_PER_HOUR), (minutes, TICKS_PER_MINUTE), (seconds, TICKS_PER_SECOND)];
    Some(total.into_iter().map(|(n, unit)| n * i128::from(unit)).sum::<i128>() + ticks)
}

/// Parses a number of one to `most` digits.
fn digits(text: &str, most: usize) -> Option<i128> {
    let valid = (1..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    valid.then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text() {
        for (ticks, expected) in [
            (0, "00:00:00"),
            (108_000_000_000, "03:00:00"),
            (TICKS_PER_DAY, "1.00:00:00"),
            (73_845_000_000, "02:03:04.5000000"),
            (-1, "-00:00:00.0000001"),
            (-TICKS_PER_DAY - TICKS_PER_HOUR, "-1.01:00:00"),
            (i64::MAX, "10675199.02:48:05.4775807"),
            (i64::MIN, "-10675199.02:48:05.4775808"),
        ] {
            assert_eq!(to_text(ticks), expected);
            assert_eq!(parse(expected), Some(ticks), "{expected}");
        }
        assert_eq!(to_full_text(TICKS_PER_HOUR), "01:00:00.0000000");
        assert_eq!(to_full_text(1), "00:00:00.0000001");
    }

    #[test]
    fn numbers_with_units() {
        for (text, ticks) in [
            ("1d", TICKS_PER_DAY),
            ("2.5h", 90_000_000_000),
            ("30m", 30 * TICKS_PER_MINUTE),
            ("25min", 25 * TICKS_PER_MINUTE),
            ("0.1s", 1_000_000),
            ("100ms", 1_000_000),
            ("10microsecond", 100),
            ("1tick", 1),
            ("15 seconds", 15 * TICKS_PER_SECOND),
            ("150nanoseconds", 1),
            ("250nanoseconds", 2),
            ("199nanoseconds", 1),
        ] {
            assert_eq!(parse_unit(text), Some(ticks), "{text}");
        }
        for text in ["d", "1", "1x", "1.2.3s", ".5s", "1D", "99999999999999999999d", "10675200d", "1.5", ""] {
            assert_eq!(parse_unit(text), None, "{text}");
        }
    }

    #[test]
    fn conversions_from_text() {
        for (text, ticks) in [
            ("0.00:03:00", Some(3 * TICKS_PER_MINUTE)),
            (" 1.00:00:00 ", Some(TICKS_PER_DAY)),
            ("\t2.00:00:00", Some(2 * TICKS_PER_DAY)),
            ("00:00:01.1234560", Some(11_234_560)),
            ("00:00:00.00000009", Some(0)),
            ("10:00", Some(10 * TICKS_PER_HOUR)),
            ("10", None),
            ("abc", None),
            ("garbage", None),
            ("", None),
            ("25:00", None),
            ("1:60", None),
            ("1.", None),
            ("::", None),
            ("00:00:00.", None),
            ("10675200.00:00:00", None),
            ("1٣:00", None),
        ] {
            assert_eq!(parse(text), ticks, "{text}");
        }
    }

    #[test]
    fn literals() {
        for (text, expected) in [
            ("2", Some(Some(2 * TICKS_PER_DAY))),
            ("-1.00:00:00", Some(Some(-TICKS_PER_DAY))),
            ("10:00", Some(Some(10 * TICKS_PER_HOUR))),
            ("1.02:03:04.1234567", Some(Some(937_841_234_567))),
            ("0.12:34:56.7", Some(Some(452_967_000_000))),
            ("15 seconds", Some(Some(15 * TICKS_PER_SECOND))),
            ("'1.02:03:04.5'", Some(Some(937_845_000_000))),
            ("1d", Some(Some(TICKS_PER_DAY))),
            ("null", Some(None)),
            ("x", None),
            ("", None),
            ("-", None),
            ("999999999999999999", None),
        ] {
            assert_eq!(parse_literal(text), expected, "{text}");
        }
    }
}
