//! Durations as rules write them: `5m`, `1h`, `14d` in YAML, and ISO 8601 (`PT5M`, `P1D`).

use crate::types::timespan;

/// Ticks of a second.
const SECOND: i64 = 10_000_000;
/// Ticks of a minute.
pub(super) const MINUTE: i64 = 60 * SECOND;
/// Ticks of an hour.
pub(super) const HOUR: i64 = 60 * MINUTE;
/// Ticks of a day.
pub(super) const DAY: i64 = 24 * HOUR;

/// The units of ISO 8601 before and after `T`, in the order in which they are written. Months and years have no fixed
/// length.
const DATE_UNITS: &[(char, i64)] = &[('W', 7 * DAY), ('D', DAY)];
const TIME_UNITS: &[(char, i64)] = &[('H', HOUR), ('M', MINUTE), ('S', SECOND)];

/// The units of durations such as `5m`.
const SHORT_UNITS: &[(char, i64)] = &[('d', DAY), ('h', HOUR), ('m', MINUTE), ('s', SECOND)];

/// Parses a duration as rules in YAML write it, into ticks; None if it is malformed or does not fit.
pub(super) fn parse(text: &str) -> Option<i64> {
    parse_iso(text).or_else(|| parse_short(text))
}

/// Parses a whole number and a unit, such as `5m`.
fn parse_short(text: &str) -> Option<i64> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let (_, ticks) = SHORT_UNITS.iter().find(|(name, _)| unit.chars().eq([*name]))?;
    number.bytes().all(|byte| byte.is_ascii_digit()).then(|| number.parse::<i64>().ok()?.checked_mul(*ticks))?
}

/// Parses a duration of ISO 8601 into ticks; None if it is malformed or does not fit.
pub(super) fn parse_iso(text: &str) -> Option<i64> {
    parse_units(&text.strip_prefix(['P', 'p'])?.to_ascii_uppercase())
}

fn parse_units(text: &str) -> Option<i64> {
    let (date, time) = match text.split_once('T') {
        Some((date, time)) => (date, (!time.is_empty()).then_some(time)?),
        None => (text, ""),
    };
    (!text.is_empty()).then_some(())?;
    units(date, DATE_UNITS)?.checked_add(units(time, TIME_UNITS)?)
}

/// The sum of numbers with units, each unit at most once and in order.
fn units(mut text: &str, mut units: &[(char, i64)]) -> Option<i64> {
    let mut total = 0_i64;
    while !text.is_empty() {
        let end = text.find(|c: char| !c.is_ascii_digit())?;
        let unit = text[end..].chars().next()?;
        let at = units.iter().position(|(name, _)| *name == unit)?;
        total = total.checked_add(text[..end].parse::<i64>().ok()?.checked_mul(units[at].1)?)?;
        (text, units) = (&text[end + unit.len_utf8()..], &units[at + 1..]);
    }
    Some(total)
}

/// Returns `ticks` as rules of Azure write it, such as `PT5M` or `P1DT12H`.
#[must_use]
pub fn iso_duration(ticks: i64) -> String {
    let parts = timespan::to_parts(ticks);
    let joined = |units: &[(u64, char)]| -> String {
        let written = units.iter().filter(|(number, _)| *number > 0).map(|(number, unit)| format!("{number}{unit}"));
        written.collect::<Vec<_>>().concat()
    };
    let time = joined(&[(parts.hours, 'H'), (parts.minutes, 'M'), (parts.seconds, 'S')]);
    match (joined(&[(parts.days, 'D')]).as_str(), time.as_str()) {
        ("", "") => "PT0S".to_owned(),
        (days, "") => format!("P{days}"),
        (days, time) => format!("P{days}T{time}"),
    }
}

/// Returns `ticks` as rules in YAML write it: `5m`, `14d`, or as [`iso_duration`] if one unit does not suffice.
pub(super) fn short_duration(ticks: i64) -> String {
    let units = [(DAY, 'd'), (HOUR, 'h'), (MINUTE, 'm')];
    let whole = units.iter().find(|(unit, _)| ticks > 0 && ticks % unit == 0);
    whole.map_or_else(|| iso_duration(ticks), |(unit, name)| format!("{}{name}", ticks / unit))
}

#[cfg(test)]
mod tests {
    use super::{DAY, HOUR, MINUTE, SECOND, iso_duration, parse};

    #[test]
    fn durations_are_read_in_both_forms() {
        for (text, expected) in [
            ("5m", Some(5 * MINUTE)),
            ("14d", Some(14 * DAY)),
            ("1.00:00:00", None),
            ("1.5h", None),
            ("5 minutes", None),
            ("5ü", None),
            ("m", None),
            ("PT5M", Some(5 * MINUTE)),
            ("pt1h", Some(HOUR)),
            ("P1DT12H30M5S", Some(DAY + 12 * HOUR + 30 * MINUTE + 5 * SECOND)),
            ("P2W", Some(14 * DAY)),
            ("PT0S", Some(0)),
            ("P", None),
            ("PT", None),
            ("P1M", None),
            ("PT5", None),
            ("PT5M1H", None),
            ("PT-5M", None),
            ("PT99999999999999999999M", None),
            ("P9223372036854775807D", None),
            ("5", None),
            ("-5m", None),
            ("", None),
            ("PTÜ", None),
        ] {
            assert_eq!(parse(text), expected, "{text}");
        }
    }

    #[test]
    fn durations_are_written_as_azure_writes_them() {
        for text in ["PT5M", "PT1H", "P1D", "P1DT12H30M5S", "PT0S", "P14D"] {
            assert_eq!(iso_duration(parse(text).expect(text)), text);
        }
    }
}
