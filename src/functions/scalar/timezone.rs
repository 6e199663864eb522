//! Conversion between UTC and the local time of a time zone.
//!
//! The time zones are those of the IANA database that the crate `chrono-tz` contains, so the result does not depend on
//! the machine. It knows daylight saving time until the year 2099.

use chrono::{MappedLocalTime, NaiveDateTime, Offset, TimeDelta, TimeZone};
use chrono_tz::{TZ_VARIANTS, Tz};

use crate::diagnostic::{Code, Error, Result, Span};
use crate::functions::ScalarFunction;
use crate::functions::args::Args;
use crate::functions::docs::{Category, Example};
use crate::functions::signature::{Overload, Param, Returns};
use crate::types::datetime::{self, TICKS_PER_SECOND, UNIX_EPOCH};
use crate::types::dynamic::ArrayWriter;
use crate::types::{Column, Type, Value};

const ZONE: Param = Param::new("timezone", Type::String, "the name of an IANA time zone, such as Europe/Paris");

/// The functions that this file defines.
pub static FUNCTIONS: &[ScalarFunction] = &[
    ScalarFunction {
        name: "datetime_utc_to_local",
        summary: "Returns the local time in a time zone at a time in UTC.",
        overloads: &[Overload {
            params: &[Param::new("from", Type::Datetime, "a time in UTC"), ZONE],
            returns: Returns::Type(Type::Datetime),
            kernel: |args| Ok(convert(args, to_local)),
        }],
        examples: &[
            Example::new(
                "datetime_utc_to_local(datetime(2026-07-01 12:00), 'Europe/Paris')",
                "datetime(2026-07-01 14:00)",
            ),
            Example::new("datetime_utc_to_local(datetime(2026-01-01), 'US/Pacific')", "datetime(2025-12-31 16:00)"),
        ],
        ..ZONED
    },
    ScalarFunction {
        name: "datetime_local_to_utc",
        summary: "Returns the time in UTC at a local time in a time zone: the earlier one if the local time occurs \
                  twice, and with the offset before the change if it is skipped.",
        overloads: &[Overload {
            params: &[Param::new("from", Type::Datetime, "a local time"), ZONE],
            returns: Returns::Type(Type::Datetime),
            kernel: |args| Ok(convert(args, to_utc)),
        }],
        examples: &[
            Example::new(
                "datetime_local_to_utc(datetime(2026-07-01 14:00), 'Europe/Paris')",
                "datetime(2026-07-01 12:00)",
            ),
            Example::new(
                "datetime_local_to_utc(datetime(2026-10-25 02:30), 'Europe/Paris')",
                "datetime(2026-10-25 00:30)",
            ),
        ],
        ..ZONED
    },
    ScalarFunction {
        name: "datetime_list_timezones",
        summary: "Returns the names of all time zones as an array.",
        overloads: &[Overload {
            params: &[],
            returns: Returns::Type(Type::Dynamic),
            kernel: |args| Ok(args.map(|_| names())),
        }],
        examples: &[Example::new("datetime_list_timezones()[0]", "Africa/Abidjan")],
        validate: |_| Ok(()),
        ..ZONED
    },
];

const ZONED: ScalarFunction =
    ScalarFunction { category: Category::Datetime, validate: check_zone, ..ScalarFunction::DEFAULT };

/// Rejects a constant second argument that is not the name of a time zone.
fn check_zone(constants: &[Option<&Value>]) -> Result<()> {
    match constants.get(1).copied().flatten().and_then(Value::as_str) {
        Some(name) => zone(name).map(|_| ()),
        None => Ok(()),
    }
}

fn zone(name: &str) -> Result<Tz> {
    name.parse().map_err(|_| {
        let shown = name.chars().take(64).collect::<String>();
        let message = format!("unknown time zone `{shown}`; datetime_list_timezones() lists the names");
        Error::query(Code::InvalidValue, Span::default(), message)
    })
}

fn names() -> String {
    let mut names = ArrayWriter::new();
    TZ_VARIANTS.iter().for_each(|zone| names.push_text(zone.name()));
    names.finish()
}

/// Converts the times in the first argument with `of`. The result is null if it is out of range, or if the second
/// argument is not the name of a time zone.
fn convert(args: &Args<'_>, of: fn(Tz, i64) -> Option<i64>) -> Column {
    let (times, names) = (args.longs(0), args.texts(1));
    args.map(|row| of(zone(names.get(row)?).ok()?, times.get(row)?))
}

fn to_local(zone: Tz, ticks: i64) -> Option<i64> {
    let offset = zone.offset_from_utc_datetime(&calendar(ticks)?);
    datetime::add(ticks, ticks_of(offset))
}

fn to_utc(zone: Tz, ticks: i64) -> Option<i64> {
    let local = calendar(ticks)?;
    let offset = match zone.offset_from_local_datetime(&local) {
        MappedLocalTime::Single(offset) | MappedLocalTime::Ambiguous(offset, _) => offset,
        MappedLocalTime::None => zone.offset_from_local_datetime(&(local - TimeDelta::days(1))).earliest()?,
    };
    datetime::subtract(ticks, ticks_of(offset))
}

/// Returns the offset from UTC in ticks.
fn ticks_of(offset: impl Offset) -> i64 {
    i64::from(offset.fix().local_minus_utc()) * TICKS_PER_SECOND
}

/// Converts ticks to a calendar time, without the fraction of a second: offsets never change within a second.
fn calendar(ticks: i64) -> Option<NaiveDateTime> {
    let seconds = (ticks - UNIX_EPOCH).div_euclid(TICKS_PER_SECOND);
    chrono::DateTime::from_timestamp(seconds, 0).map(|time| time.naive_utc())
}

#[cfg(test)]
mod tests {
    use super::{names, to_local, to_utc, zone};
    use crate::types::datetime::{MAX, MIN, parse};

    fn utc(local: &str, name: &str) -> Option<i64> {
        to_utc(zone(name).expect("a zone"), parse(local).expect("a time"))
    }

    #[test]
    fn changes_of_the_clock() {
        let paris = "Europe/Paris";
        assert_eq!(utc("2026-03-29 01:59:59.9999999", paris), parse("2026-03-29 00:59:59.9999999"));
        assert_eq!(utc("2026-03-29 02:30", paris), parse("2026-03-29 01:30"));
        assert_eq!(utc("2026-03-29 03:00", paris), parse("2026-03-29 01:00"));
        assert_eq!(utc("2026-10-25 02:30", paris), parse("2026-10-25 00:30"));
        assert_eq!(utc("2026-10-25 03:00", paris), parse("2026-10-25 02:00"));
    }

    #[test]
    fn times_at_the_ends_of_the_range() {
        let (east, west) = (zone("Asia/Tokyo").expect("a zone"), zone("US/Pacific").expect("a zone"));
        assert_eq!(to_local(east, MAX), None);
        assert_eq!(to_local(west, MIN), None);
        assert_eq!(to_utc(east, MIN), None);
        assert_eq!(to_utc(west, MAX), None);
    }

    #[test]
    fn every_listed_name_is_a_zone() {
        for name in crate::types::dynamic::elements(&names()) {
            assert!(zone(name.trim_matches('"')).is_ok(), "{name}");
        }
        assert!(zone("europe/paris").is_err());
    }
}
