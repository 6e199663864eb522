//! Functions of datetimes: parts, periods, arithmetic and formatting. A result outside the years 1 to 9999 is
//! null.
//!
//! The arithmetic itself is in [`crate::types::datetime`].

use crate::diagnostic::{Code, Error, Result, Span};
use crate::functions::args::Args;
use crate::functions::docs::{Category, Example};
use crate::functions::signature::{Accepts, Overload, Param, ResultName, Returns, Volatility};
use crate::functions::{ScalarFunction, ScalarFunction as Function};
use crate::types::datetime::{
    self, DatetimePart, DatetimeParts, Period, TICKS_PER_DAY, TICKS_PER_SECOND, TimePattern, UnixUnit,
};
use crate::types::{Column, Type, Value};

/// Accepts a datetime; a dynamic is not accepted.
const DATETIME: Accepts = Accepts::Only(&[Type::Datetime]);
/// Accepts a timespan; a dynamic is not accepted.
pub(super) const TIMESPAN: Accepts = Accepts::Only(&[Type::Timespan]);
/// Accepts a whole number; a dynamic is not accepted.
pub(super) const WHOLE: Accepts = Accepts::Only(&[Type::Long]);
/// Accepts any number; a dynamic is not accepted.
pub(super) const REAL: Accepts = Accepts::Only(&[Type::Real]);

const DATE: Param = Param::of("date", DATETIME, "the datetime");
const OFFSET: Param = Param::of("offset", WHOLE, "the number of periods to add; 0 by default").optional();

/// The defaults of a datetime function.
const DEFAULT: Function = Function { category: Category::Datetime, ..Function::DEFAULT };

/// Returns the definition of a datetime function.
const fn of_date(
    name: &'static str,
    summary: &'static str,
    overloads: &'static [Overload],
    examples: &'static [Example],
) -> Function {
    Function { name, summary, overloads, examples, ..DEFAULT }
}

/// The functions that this file defines.
pub static FUNCTIONS: &[ScalarFunction] = &[
    Function {
        volatility: Volatility::Run,
        ..of_date(
            "now",
            "Returns the time at which the query started, plus an optional timespan; it is the same throughout the \
             query.",
            &[Overload {
                params: &[Param::of("offset", TIMESPAN, "the timespan to add; 0 by default").optional()],
                returns: Returns::Type(Type::Datetime),
                kernel: |args| Ok(from_now(args, datetime::add)),
            }],
            &[Example::new("now() == now()", "true"), Example::new("now(-2d) == now() - 2d", "true")],
        )
    },
    Function {
        volatility: Volatility::Run,
        ..of_date(
            "ago",
            "Returns the time at which the query started minus a timespan.",
            &[Overload {
                params: &[Param::of("timespan", TIMESPAN, "the timespan to subtract")],
                returns: Returns::Type(Type::Datetime),
                kernel: |args| Ok(from_now(args, datetime::subtract)),
            }],
            &[Example::new("ago(1h) == now() - 1h", "true")],
        )
    },
    Function {
        validate: |arguments| period_named(arguments).map(|_| ()),
        ..of_date(
            "datetime_add",
            "Returns the datetime plus a number of periods; a day that the resulting month lacks becomes its last day.",
            &[Overload {
                params: &[
                    PERIOD,
                    Param::of("amount", WHOLE, "the number of periods to add; negative to subtract"),
                    Param::of("datetime", DATETIME, "the datetime to start from"),
                ],
                returns: Returns::Type(Type::Datetime),
                kernel: |args| {
                    let period = period_named(&[args.constant(0)])?;
                    let (amounts, starts) = (args.longs(1), args.longs(2));
                    Ok(args.map(|row| datetime::add_periods(starts.get(row)?, period, amounts.get(row)?)))
                },
            }],
            &[
                Example::new("datetime_add('month', 1, datetime(2024-01-31))", "datetime(2024-02-29)"),
                Example::new("datetime_add('week', -1, datetime(2024-01-08))", "datetime(2024-01-01)"),
            ],
        )
    },
    Function {
        validate: |arguments| period_named(arguments).map(|_| ()),
        ..of_date(
            "datetime_diff",
            "Returns the number of period boundaries between two datetimes, not of elapsed periods.",
            &[Overload {
                params: &[
                    PERIOD,
                    Param::of(
                        "datetime1",
                        DATETIME,
                        "the later datetime; the result is negative if it is the earlier one",
                    ),
                    Param::of("datetime2", DATETIME, "the earlier datetime"),
                ],
                returns: Returns::ByConstants(|_, constants| match period_named(constants) {
                    Ok(Period::Week) => Type::Real,
                    _ => Type::Long,
                }),
                kernel: difference,
            }],
            &[
                Example::new("datetime_diff('year', datetime(2017-01-01), datetime(2000-12-31))", "17"),
                Example::new("datetime_diff('hour', datetime(2017-10-31 01:00), datetime(2017-10-30 23:59))", "2"),
                Example::new("datetime_diff('week', datetime(2024-03-05), datetime(2024-01-01))", "9.0"),
            ],
        )
    },
    Function {
        aliases: &["datepart"],
        validate: |arguments| part_named(arguments).map(|_| ()),
        ..of_date(
            "datetime_part",
            "Returns a part of the datetime, such as its year; milliseconds and smaller parts count from the start \
             of the second.",
            &[Overload {
                params: &[
                    Param::new(
                        "part",
                        Type::String,
                        "year, quarter, month, week_of_year, day, dayOfYear, hour, minute, second, millisecond, \
                         microsecond or nanosecond, in any case",
                    )
                    .constant(),
                    DATE,
                ],
                returns: Returns::Type(Type::Long),
                kernel: |args| {
                    let part = part_named(&[args.constant(0)])?;
                    Ok(args.map_long(1, |ticks| datetime::part_of(ticks, part)))
                },
            }],
            &[
                Example::new("datetime_part('quarter', datetime(2017-10-30 01:02:03.7654321))", "4"),
                Example::new("datetime_part('nanosecond', datetime(2017-10-30 01:02:03.7654321))", "765432100"),
            ],
        )
    },
    Function {
        // By the published analyzer, only this one of its kind names its result after its argument.
        result_name: ResultName::FirstArgument,
        ..of_date(
            "startofday",
            "Returns the start of the day that contains the datetime.",
            &[Overload { params: &[DATE, OFFSET], returns: INSTANT, kernel: |args| Ok(starts(args, Period::Day)) }],
            &[
                Example::new("startofday(datetime(2017-01-01 10:10:17))", "datetime(2017-01-01)"),
                Example::new("startofday(datetime(2017-01-01 10:10:17), -1)", "datetime(2016-12-31)"),
            ],
        )
    },
    of_date(
        "startofweek",
        "Returns the start of the week that contains the datetime, a Sunday.",
        &[Overload { params: &[DATE, OFFSET], returns: INSTANT, kernel: |args| Ok(starts(args, Period::Week)) }],
        &[Example::new("startofweek(datetime(2017-01-04 10:10:17))", "datetime(2017-01-01)")],
    ),
    of_date(
        "startofmonth",
        "Returns the start of the month that contains the datetime.",
        &[Overload { params: &[DATE, OFFSET], returns: INSTANT, kernel: |args| Ok(starts(args, Period::Month)) }],
        &[Example::new("startofmonth(datetime(2017-01-04 10:10:17), 1)", "datetime(2017-02-01)")],
    ),
    of_date(
        "startofyear",
        "Returns the start of the year that contains the datetime.",
        &[Overload { params: &[DATE, OFFSET], returns: INSTANT, kernel: |args| Ok(starts(args, Period::Year)) }],
        &[Example::new("startofyear(datetime(2017-01-04 10:10:17), -1)", "datetime(2016-01-01)")],
    ),
    of_date(
        "endofday",
        "Returns the end of the day that contains the datetime, its last tick.",
        &[Overload { params: &[DATE, OFFSET], returns: INSTANT, kernel: |args| Ok(ends(args, Period::Day)) }],
        &[Example::new("endofday(datetime(2017-01-01 10:10:17))", "datetime(2017-01-01 23:59:59.9999999)")],
    ),
    of_date(
        "endofweek",
        "Returns the end of the week that contains the datetime, the last tick of Saturday.",
        &[Overload { params: &[DATE, OFFSET], returns: INSTANT, kernel: |args| Ok(ends(args, Period::Week)) }],
        &[Example::new("endofweek(datetime(2017-01-01 10:10:17))", "datetime(2017-01-07 23:59:59.9999999)")],
    ),
    of_date(
        "endofmonth",
        "Returns the end of the month that contains the datetime, its last tick.",
        &[Overload { params: &[DATE, OFFSET], returns: INSTANT, kernel: |args| Ok(ends(args, Period::Month)) }],
        &[Example::new("endofmonth(datetime(2017-01-01 10:10:17), 1)", "datetime(2017-02-28 23:59:59.9999999)")],
    ),
    of_date(
        "endofyear",
        "Returns the end of the year that contains the datetime, its last tick.",
        &[Overload { params: &[DATE, OFFSET], returns: INSTANT, kernel: |args| Ok(ends(args, Period::Year)) }],
        &[Example::new("endofyear(datetime(2017-01-01 10:10:17), -1)", "datetime(2016-12-31 23:59:59.9999999)")],
    ),
    of_date(
        "dayofweek",
        "Returns the number of days since the preceding Sunday, as a timespan.",
        &[Overload {
            params: &[DATE],
            returns: Returns::Type(Type::Timespan),
            kernel: |args| Ok(args.map_long(0, |ticks| datetime::day_of_week(ticks) * TICKS_PER_DAY)),
        }],
        &[
            Example::new("dayofweek(datetime(1947-11-30 10:00:05))", "0d"),
            Example::new("dayofweek(datetime(1970-05-12))", "2d"),
        ],
    ),
    of_date(
        "dayofmonth",
        "Returns the day of the month, from 1.",
        &[Overload { params: &[DATE], returns: NUMBER, kernel: |args| Ok(parts(args, DatetimePart::Day)) }],
        &[Example::new("dayofmonth(datetime(2015-12-14))", "14")],
    ),
    of_date(
        "dayofyear",
        "Returns the day of the year, from 1.",
        &[Overload { params: &[DATE], returns: NUMBER, kernel: |args| Ok(parts(args, DatetimePart::DayOfYear)) }],
        &[Example::new("dayofyear(datetime(2015-12-14))", "348")],
    ),
    of_date(
        "hourofday",
        "Returns the hour of the day, from 0.",
        &[Overload { params: &[DATE], returns: NUMBER, kernel: |args| Ok(parts(args, DatetimePart::Hour)) }],
        &[Example::new("hourofday(datetime(2015-12-14 18:54))", "18")],
    ),
    Function {
        aliases: &["getmonth"],
        ..of_date(
            "monthofyear",
            "Returns the month of the year, from 1.",
            &[Overload { params: &[DATE], returns: NUMBER, kernel: |args| Ok(parts(args, DatetimePart::Month)) }],
            &[Example::new("monthofyear(datetime(2015-12-14))", "12")],
        )
    },
    of_date(
        "getyear",
        "Returns the year of the datetime.",
        &[Overload { params: &[DATE], returns: NUMBER, kernel: |args| Ok(parts(args, DatetimePart::Year)) }],
        &[Example::new("getyear(datetime(2015-10-12))", "2015")],
    ),
    ScalarFunction {
        aliases: &["weekofyear"],
        ..of_date(
            "week_of_year",
            "Returns the ISO 8601 week number: weeks start on Monday, and the first one contains the year's first \
         Thursday.",
            &[Overload { params: &[DATE], returns: NUMBER, kernel: |args| Ok(parts(args, DatetimePart::WeekOfYear)) }],
            &[
                Example::new("week_of_year(datetime(2020-12-31))", "53"),
                Example::new("week_of_year(datetime(2000-01-01))", "52"),
            ],
        )
    },
    of_date(
        "make_datetime",
        "Returns the datetime of the given parts, or null if there is no such datetime.",
        &[Overload {
            params: &[
                Param::of("year", WHOLE, "1 to 9999"),
                Param::of("month", WHOLE, "1 to 12"),
                Param::of("day", WHOLE, "1 to the length of the month"),
                Param::of("hour", WHOLE, "0 to 23; 0 by default").optional(),
                Param::of("minute", WHOLE, "0 to 59; 0 by default").optional(),
                Param::of("second", REAL, "0 to 59.9999999; 0 by default").optional(),
            ],
            returns: INSTANT,
            kernel: make_datetime,
        }],
        &[
            Example::new("make_datetime(2017, 10, 1, 12, 10)", "datetime(2017-10-01 12:10)"),
            Example::new("make_datetime(2017, 10, 1, 12, 11, 0.1234567)", "datetime(2017-10-01 12:11:00.1234567)"),
            Example::new("make_datetime(2020, 13, 1)", "datetime(null)"),
        ],
    ),
    Function {
        result_name: ResultName::FirstArgument,
        validate: |arguments| pattern_of(arguments, TimePattern::datetime).map(|_| ()),
        ..of_date(
            "format_datetime",
            "Returns the datetime as a string in a format of the letters y, M, d, h, H, m, s, f, F and tt.",
            &[Overload {
                params: &[
                    DATE,
                    Param::new(
                        "format",
                        Type::String,
                        "the pattern: a letter as often as it has digits, and the delimiters ` /-:,._[]`",
                    )
                    .constant(),
                ],
                returns: Returns::Type(Type::String),
                kernel: |args| {
                    let pattern = pattern_of(&[None, args.constant(1)], TimePattern::datetime)?;
                    Ok(args.map_long(0, |ticks| {
                        let mut text = String::new();
                        pattern.write_datetime(ticks, &mut text);
                        text
                    }))
                },
            }],
            &[
                Example::new(
                    "format_datetime(datetime(2017-01-29 09:00:05), 'yy-MM-dd [HH:mm:ss]')",
                    "17-01-29 [09:00:05]",
                ),
                Example::new("format_datetime(datetime(2017-01-29 15:00:05.061), 'h:mm tt F_FF')", "3:00 PM _06"),
            ],
        )
    },
    of_date(
        "unixtime_seconds_todatetime",
        "Returns the datetime of a Unix timestamp in seconds.",
        &[Overload { params: &[COUNT], returns: INSTANT, kernel: |args| Ok(unix(args, UnixUnit::Seconds)) }],
        &[
            Example::new("unixtime_seconds_todatetime(1546300800)", "datetime(2019-01-01)"),
            Example::new("unixtime_seconds_todatetime(1546300800.25)", "datetime(2019-01-01 00:00:00.25)"),
        ],
    ),
    of_date(
        "unixtime_milliseconds_todatetime",
        "Returns the datetime of a Unix timestamp in milliseconds.",
        &[Overload { params: &[COUNT], returns: INSTANT, kernel: |args| Ok(unix(args, UnixUnit::Milliseconds)) }],
        &[Example::new("unixtime_milliseconds_todatetime(1546300800000)", "datetime(2019-01-01)")],
    ),
    of_date(
        "unixtime_microseconds_todatetime",
        "Returns the datetime of a Unix timestamp in microseconds.",
        &[Overload { params: &[COUNT], returns: INSTANT, kernel: |args| Ok(unix(args, UnixUnit::Microseconds)) }],
        &[Example::new("unixtime_microseconds_todatetime(1546300800000000)", "datetime(2019-01-01)")],
    ),
    of_date(
        "unixtime_nanoseconds_todatetime",
        "Returns the datetime of a Unix timestamp in nanoseconds, truncated to 100 ns.",
        &[Overload { params: &[COUNT], returns: INSTANT, kernel: |args| Ok(unix(args, UnixUnit::Nanoseconds)) }],
        &[Example::new("unixtime_nanoseconds_todatetime(1546300800000000000)", "datetime(2019-01-01)")],
    ),
];

const INSTANT: Returns = Returns::Type(Type::Datetime);
/// The result type of functions that return a part of a datetime. The engine returns long, although the reference says
/// int.
const NUMBER: Returns = Returns::Type(Type::Long);
/// The parameter for a Unix timestamp. The reference accepts any number.
const COUNT: Param = Param::of("number", Accepts::Only(&[Type::Long, Type::Real]), "the Unix timestamp");
const PERIOD: Param = Param::new(
    "period",
    Type::String,
    "year, quarter, month, week, day, hour, minute, second, millisecond, microsecond or nanosecond, in any case",
)
.constant();

fn from_now(args: &Args<'_>, shift: impl Fn(i64, i64) -> Option<i64>) -> Column {
    let now = args.context().now;
    if args.is_empty() {
        return Column::constant(Value::Datetime(now), args.rows());
    }
    args.map_long(0, |span| shift(now, span))
}

fn starts(args: &Args<'_>, period: Period) -> Column {
    edges(args, |ticks, offset| datetime::start_of(ticks, period, offset))
}

fn ends(args: &Args<'_>, period: Period) -> Column {
    edges(args, |ticks, offset| datetime::end_of(ticks, period, offset))
}

fn edges(args: &Args<'_>, edge: impl Fn(i64, i64) -> Option<i64>) -> Column {
    if args.len() == 1 {
        return args.map_long(0, |ticks| edge(ticks, 0));
    }
    let (dates, offsets) = (args.longs(0), args.longs(1));
    args.map(|row| edge(dates.get(row)?, offsets.get(row)?))
}

fn parts(args: &Args<'_>, part: DatetimePart) -> Column {
    args.map_long(0, |ticks| datetime::part_of(ticks, part))
}

fn unix(args: &Args<'_>, unit: UnixUnit) -> Column {
    match args.column(0).ty() {
        Type::Real => args.map_real(0, |count| datetime::from_unix_real(count, unit)),
        _ => args.map_long(0, |count| datetime::from_unix(count, unit)),
    }
}

fn difference(args: &Args<'_>) -> Result<Column> {
    let period = period_named(&[args.constant(0)])?;
    let (to, from) = (args.longs(1), args.longs(2));
    let count = |row| match (to.get(row), from.get(row)) {
        (Some(to), Some(from)) => datetime::boundaries(to, from, period)
            .map(Some)
            .ok_or_else(|| invalid(Code::ValueOutOfRange, "the difference in nanoseconds does not fit 64 bits")),
        _ => Ok(None),
    };
    if args.returns() == Type::Real {
        return args.try_map(|row| Ok(count(row)?.map(crate::types::number::long_to_real)));
    }
    args.try_map(count)
}

fn make_datetime(args: &Args<'_>) -> Result<Column> {
    let number = |index: usize, row: usize| match index {
        _ if index >= args.len() => Some(0),
        _ => u32::try_from(args.longs(index).get(row)?).ok(),
    };
    Ok(args.map(|row| {
        let second = if args.len() > 5 { args.reals(5).get(row)? } else { 0.0 };
        let second = seconds_to_ticks(second)?;
        datetime::from_parts(&DatetimeParts {
            year: i32::try_from(number(0, row)?).ok()?,
            month: number(1, row)?,
            day: number(2, row)?,
            hour: number(3, row)?,
            minute: number(4, row)?,
            second: u32::try_from(second / TICKS_PER_SECOND).ok()?,
            ticks: u32::try_from(second % TICKS_PER_SECOND).ok()?,
        })
    }))
}

/// Converts seconds to the nearest number of ticks; None if the seconds are not from 0 to less than 60.
#[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "the numbers are small")]
pub(super) fn seconds_to_ticks(seconds: f64) -> Option<i64> {
    let ticks = (seconds * TICKS_PER_SECOND as f64).round();
    (0.0..(60 * TICKS_PER_SECOND) as f64).contains(&ticks).then_some(ticks as i64)
}

/// Parses the format in the second argument with `read`.
pub(super) fn pattern_of(
    arguments: &[Option<&Value>],
    read: fn(&str) -> Result<TimePattern, String>,
) -> Result<TimePattern> {
    let text = arguments.get(1).copied().flatten().and_then(Value::as_str).unwrap_or_default();
    read(text).map_err(|reason| invalid(Code::InvalidValue, &format!("not a pattern: {reason}")))
}

fn period_named(arguments: &[Option<&Value>]) -> Result<Period> {
    named(arguments, Period::from_name, Period::names())
}

fn part_named(arguments: &[Option<&Value>]) -> Result<DatetimePart> {
    named(arguments, DatetimePart::from_name, DatetimePart::names())
}

/// Looks up the name in the first argument; the error for another name lists `names`.
fn named<T>(
    arguments: &[Option<&Value>],
    from_name: fn(&str) -> Option<T>,
    names: impl Iterator<Item = &'static str>,
) -> Result<T> {
    let name = arguments.first().copied().flatten().and_then(Value::as_str).unwrap_or_default();
    from_name(name).ok_or_else(|| {
        let names = names.collect::<Vec<_>>().join(", ");
        invalid(Code::InvalidValue, &format!("{name:?} is not one of {names}"))
    })
}

/// Returns an error without a location, which the caller adds.
fn invalid(code: Code, message: &str) -> Error {
    Error::query(code, Span::default(), message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::functions::signature::choose;
    use crate::functions::{EvalContext, scalar_function};
    use crate::types::number;

    /// Returns the result of a function whose first argument is an array of two equal rows and whose others are
    /// constants.
    fn call(name: &str, arguments: &[Value]) -> Result<Value> {
        let function = scalar_function(name).unwrap();
        let types: Vec<_> = arguments.iter().map(Value::ty).collect();
        let (overload, casts) = choose(function.overloads, &types).unwrap();
        let constants: Vec<_> = arguments.iter().map(Some).collect();
        (function.validate)(&constants)?;
        let columns: Vec<_> = arguments
            .iter()
            .zip(&casts)
            .map(|(value, ty)| crate::types::cast::cast_column(&Column::constant(value.clone(), 2), *ty))
            .collect::<Result<_>>()?;
        let context = EvalContext::new(datetime::UNIX_EPOCH, 0);
        let returns = overload.returns.resolve_with(&casts, &constants);
        let column = (overload.kernel)(&Args::new(&columns, 2, returns, function.nulls, &context))?;
        assert_eq!((column.rows(), column.ty()), (2, returns), "{name}");
        Ok(column.value(1))
    }

    fn at(text: &str) -> Value {
        Value::Datetime(datetime::parse(text).unwrap())
    }

    #[test]
    fn the_week_is_the_difference_that_is_real() {
        let (to, from) = (at("2024-03-05"), at("2024-01-01"));
        let diff = |period: &str| call("datetime_diff", &[Value::string(period), to.clone(), from.clone()]).unwrap();
        assert_eq!(diff("Week"), Value::Real(9.0));
        assert_eq!(diff("day"), Value::Long(64));
        let far = [Value::string("nanosecond"), Value::Datetime(datetime::MAX), Value::Datetime(0)];
        assert!(call("datetime_diff", &far).unwrap_err().to_string().starts_with("KQL4001"));
        let null = [Value::string("day"), Value::Null(Type::Datetime), to];
        assert_eq!(call("datetime_diff", &null).unwrap(), Value::Null(Type::Long));
    }

    #[test]
    fn words_that_name_nothing_are_refused() {
        for (name, word) in [
            ("datetime_add", "dayofyear"),
            ("datetime_add", "week_of_year"),
            ("datetime_add", "tick"),
            ("datetime_part", "weekday"),
            ("format_datetime", "z"),
            ("format_datetime", ""),
        ] {
            let mut arguments = vec![Value::string(word), Value::Long(1), at("2024-01-01")];
            match name {
                "datetime_part" => _ = arguments.remove(1),
                "format_datetime" => arguments = vec![at("2024-01-01"), Value::string(word)],
                _ => {}
            }
            let error = call(name, &arguments).unwrap_err().to_string();
            assert!(error.starts_with("KQL2009"), "{name} {word}: {error}");
        }
    }

    #[test]
    fn instants_of_numbers() {
        let make = |numbers: &[f64]| {
            let value = |(index, number): (usize, &f64)| match index {
                5 => Value::Real(*number),
                _ => Value::Long(number::real_to_long(*number).unwrap()),
            };
            call("make_datetime", &numbers.iter().enumerate().map(value).collect::<Vec<_>>()).unwrap()
        };
        assert_eq!(make(&[2017.0, 10.0, 1.0, 12.0, 11.0, 0.123_456_7]), at("2017-10-01 12:11:00.1234567"));
        assert_eq!(make(&[2017.0, 10.0, 1.0]), at("2017-10-01"));
        for wrong in
            [[2020.0, 13.0, 1.0, 0.0, 0.0, 0.0], [2020.0, 1.0, 1.0, 0.0, 0.0, 60.0], [2020.0, 1.0, -1.0, 0.0, 0.0, 0.0]]
        {
            assert_eq!(make(&wrong), Value::Null(Type::Datetime), "{wrong:?}");
        }
        assert_eq!(call("now", &[]).unwrap(), at("1970-01-01"));
        assert_eq!(call("ago", &[Value::Timespan(TICKS_PER_DAY)]).unwrap(), at("1969-12-31"));
        let start = [at("2017-01-01 10:10:17"), Value::Int(-1)];
        assert_eq!(call("startofday", &start).unwrap(), at("2016-12-31"));
        assert_eq!(
            call("format_datetime", &[Value::Null(Type::Datetime), Value::string("yy")]).unwrap(),
            Value::string("")
        );
    }

    #[test]
    fn timespans_of_numbers() {
        let long = Value::Long;
        let make = |arguments: &[Value]| call("make_timespan", arguments).unwrap().to_text();
        assert_eq!(make(&[long(1), long(15)]), "01:15:00");
        assert_eq!(make(&[long(1), long(15), Value::Int(10)]), "01:15:10");
        assert_eq!(make(&[long(1), long(12), long(30), Value::Real(55.123)]), "1.12:30:55.1230000");
        assert_eq!(make(&[long(24), long(0)]), "");
        assert_eq!(make(&[long(i64::MAX), long(1), long(1), long(1)]), "");
    }

    #[test]
    fn a_dynamic_must_be_converted_first() {
        let function = scalar_function("startofday").unwrap();
        assert!(choose(function.overloads, &[Type::Dynamic]).is_none());
        assert!(choose(scalar_function("make_datetime").unwrap().overloads, &[Type::Real; 3]).is_none());
    }
}
