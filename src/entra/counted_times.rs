//! Parses times that scripts and databases write as a number, which counts a unit since an epoch.

use crate::types::datetime::{self, DatetimeParts, TICKS_PER_MICROSECOND, TICKS_PER_MILLISECOND, TICKS_PER_SECOND};

/// Number of nanoseconds in a tick.
const NANOSECONDS_PER_TICK: i128 = 100;

/// 1601-01-01 in ticks, the epoch of Windows file times.
const WINDOWS_EPOCH: i64 = 504_911_232_000_000_000;

/// A unit and its epoch. One unit is `ticks / parts` ticks of 100 ns.
struct EpochUnit {
    name: &'static str,
    ticks: i128,
    parts: i128,
    epoch: i64,
}

const fn unit(name: &'static str, ticks: i64, epoch: i64) -> EpochUnit {
    EpochUnit { name, ticks: ticks as i128, parts: 1, epoch }
}

/// The units. For a time in the years 2000 to 2099, the number fits only one of them.
const UNITS: [EpochUnit; 6] = [
    unit("seconds since 1970", TICKS_PER_SECOND, datetime::UNIX_EPOCH),
    unit("milliseconds since 1970", TICKS_PER_MILLISECOND, datetime::UNIX_EPOCH),
    unit("microseconds since 1970", TICKS_PER_MICROSECOND, datetime::UNIX_EPOCH),
    EpochUnit { name: "nanoseconds since 1970", ticks: 1, parts: NANOSECONDS_PER_TICK, epoch: datetime::UNIX_EPOCH },
    unit(".NET ticks", 1, 0),
    unit("Windows file times", 1, WINDOWS_EPOCH),
];

/// Number of digits to which spreadsheets round a long number, such as `1.77244E+12`. The exact time is then lost.
const ROUNDED_DIGITS: usize = 6;

/// Number of digits after the decimal point that are read; further digits are ignored.
const MAX_FRACTION: usize = 9;

/// Returns the time in ticks, and the name of the unit. Returns None unless the number is a time in the years 2000 to
/// 2099 in one of the units.
pub(crate) fn parse_counted_time(text: &str) -> Option<(i64, &'static str)> {
    if text.contains(['e', 'E']) {
        return exponent(text);
    }
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || whole.len() > 19 || !is_digits(whole) {
        return None;
    }
    if !is_digits(fraction) {
        return None;
    }
    let fraction = &fraction[..fraction.len().min(MAX_FRACTION)];
    // The count in billionths of the unit.
    let count: i128 = format!("{whole}{fraction:0<9}").parse().ok()?;
    let range = year(2000)?..year(2100)?;
    let ticks = |unit: &EpochUnit| {
        let ticks = count.checked_mul(unit.ticks)? / (unit.parts * 1_000_000_000);
        datetime::add(unit.epoch, i64::try_from(ticks).ok()?).filter(|ticks| range.contains(ticks))
    };
    UNITS.iter().find_map(|unit| Some((ticks(unit)?, unit.name)))
}

/// Parses a number with an exponent; None if it is not a whole number that a double represents exactly.
fn exponent(text: &str) -> Option<(i64, &'static str)> {
    let mantissa = text.split(['e', 'E']).next().unwrap_or_default();
    if mantissa.bytes().filter(u8::is_ascii_digit).count() <= ROUNDED_DIGITS {
        return None;
    }
    let number: f64 = text.parse().ok()?;
    let is_exact = number.fract() == 0.0 && (0.0..9_007_199_254_740_992.0).contains(&number);
    is_exact.then(|| format!("{number:.0}")).and_then(|text| parse_counted_time(&text))
}

fn year(year: i32) -> Option<i64> {
    datetime::from_parts(&DatetimeParts::date(year, 1, 1))
}

#[cfg(test)]
mod tests {
    use super::parse_counted_time;
    use crate::types::datetime;

    #[test]
    fn the_magnitude_tells_the_unit() {
        let expected = "2026-03-02T09:07:43.5000000Z";
        for (count, unit) in [
            ("1772442463.5", "seconds since 1970"),
            ("1772442463500", "milliseconds since 1970"),
            ("1.7724424635e+12", "milliseconds since 1970"),
            ("1772442463500.0", "milliseconds since 1970"),
            ("1772442463500000", "microseconds since 1970"),
            ("1772442463500000000", "nanoseconds since 1970"),
            ("639080392635000000", ".NET ticks"),
            ("134169160635000000", "Windows file times"),
        ] {
            let time = parse_counted_time(count).map(|(ticks, unit)| (datetime::to_text(ticks), unit));
            assert_eq!(time, Some((expected.to_owned(), unit)), "{count}");
        }
        for other in [
            "",
            "5",
            "1.77244E+12",
            "1.77e12",
            "20260302",
            "46083.38",
            "17724424635",
            "-1772442463",
            "1772442463x",
            "99999999999999999999",
        ] {
            assert_eq!(parse_counted_time(other), None, "{other}");
        }
    }
}
