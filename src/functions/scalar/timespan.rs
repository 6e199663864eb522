//! Functions that make and format timespans.

use super::datetime::{REAL, TIMESPAN, WHOLE, pattern_of, seconds_to_ticks};
use crate::diagnostic::Result;
use crate::functions::ScalarFunction;
use crate::functions::args::Args;
use crate::functions::docs::{Category, Example};
use crate::functions::signature::{Overload, Param, ResultName, Returns};
use crate::types::datetime::{TICKS_PER_DAY, TICKS_PER_HOUR, TICKS_PER_MINUTE, TimePattern};
use crate::types::{Column, Type};

const DAY: Param = Param::of("day", WHOLE, "days");
const HOUR: Param = Param::of("hour", WHOLE, "hours, 0 to 23");
const MINUTE: Param = Param::of("minute", WHOLE, "minutes, 0 to 59");
const SECOND: Param = Param::of("second", REAL, "seconds, 0 to 59.9999999");
const SPAN: Returns = Returns::Type(Type::Timespan);

/// The functions that this file defines.
pub static FUNCTIONS: &[ScalarFunction] = &[
    ScalarFunction {
        name: "make_timespan",
        category: Category::Timespan,
        summary: "Returns the timespan of the given parts, or null if a part is out of range.",
        overloads: &[
            Overload { params: &[HOUR, MINUTE], returns: SPAN, kernel: |args| Ok(make_timespan(args, false)) },
            Overload { params: &[HOUR, MINUTE, SECOND], returns: SPAN, kernel: |args| Ok(make_timespan(args, false)) },
            Overload {
                params: &[DAY, HOUR, MINUTE, SECOND],
                returns: SPAN,
                kernel: |args| Ok(make_timespan(args, true)),
            },
        ],
        examples: &[
            Example::new("make_timespan(1, 15)", "01:15:00"),
            Example::new("make_timespan(1, 12, 30, 55.123)", "1.12:30:55.1230000"),
            Example::new("make_timespan(24, 0)", "timespan(null)"),
        ],
        ..ScalarFunction::DEFAULT
    },
    ScalarFunction {
        name: "format_timespan",
        category: Category::Timespan,
        summary: "Returns the timespan as a string in a format of the letters d, h, H, m, s, f and F; the sign is \
                  not shown.",
        overloads: &[Overload {
            params: &[
                Param::of("timespan", TIMESPAN, "the timespan"),
                Param::new(
                    "format",
                    Type::String,
                    "the pattern: a letter as often as it has digits, and the delimiters ` /-:,._[]`",
                )
                .constant(),
            ],
            returns: Returns::Type(Type::String),
            kernel: format_timespan,
        }],
        examples: &[
            Example::new("format_timespan(time(29.09:00:05.12345), 'dd.hh:mm:ss:FF')", "29.09:00:05:12"),
            Example::new("format_timespan(time(29.09:00:05.12345), 'ddd.h:mm:ss [fffffff]')", "029.9:00:05 [1234500]"),
        ],
        result_name: ResultName::FirstArgument,
        validate: |arguments| pattern_of(arguments, TimePattern::timespan).map(|_| ()),
        ..ScalarFunction::DEFAULT
    },
];

fn make_timespan(args: &Args<'_>, with_days: bool) -> Column {
    let hour = usize::from(with_days);
    let number =
        |index: usize, row: usize, below: i64| args.longs(index).get(row).filter(|number| (0..below).contains(number));
    args.map(|row| {
        let days = if with_days { args.longs(0).get(row)?.checked_mul(TICKS_PER_DAY)? } else { 0 };
        let second = if args.len() > hour + 2 { args.reals(hour + 2).get(row)? } else { 0.0 };
        let time = number(hour, row, 24)? * TICKS_PER_HOUR + number(hour + 1, row, 60)? * TICKS_PER_MINUTE;
        days.checked_add(time + seconds_to_ticks(second)?)
    })
}

fn format_timespan(args: &Args<'_>) -> Result<Column> {
    let pattern = pattern_of(&[None, args.constant(1)], TimePattern::timespan)?;
    Ok(args.map_long(0, |ticks| {
        let mut text = String::new();
        pattern.write_timespan(ticks, &mut text);
        text
    }))
}
