//! Functions that build arrays: range(), repeat() and zip().

use super::array_elements::{JsonArgument, array_of, written};
use crate::diagnostic::Result;
use crate::functions::ScalarFunction;
use crate::functions::args::{Args, Longs, MAX_VALUE_BYTES, too_long};
use crate::functions::docs::{Category, Example};
use crate::functions::signature::{Accepts, Nulls, Overload, Param, ResultName, Returns};
use crate::types::datetime::TICKS_PER_HOUR;
use crate::types::dynamic::ArrayWriter;
use crate::types::{Column, Type, Value};

/// The functions that this file defines.
pub static FUNCTIONS: &[ScalarFunction] = &[
    ScalarFunction {
        name: "range",
        category: Category::Dynamic,
        summary: "Returns an array of equally spaced values, at most 1,048,576.",
        overloads: &[
            Overload {
                params: &[
                    Param::new("start", Type::Long, "the first value"),
                    Param::new("stop", Type::Long, "the inclusive upper bound"),
                    Param::new("step", Type::Long, "the step between values; 1 by default").optional(),
                ],
                returns: Returns::Type(Type::Dynamic),
                kernel: |args| whole(args, 1, Value::Long),
            },
            Overload {
                params: &[
                    Param::new("start", Type::Real, "the first value"),
                    Param::new("stop", Type::Real, "the inclusive upper bound"),
                    Param::new("step", Type::Real, "the step between values; 1 by default").optional(),
                ],
                returns: Returns::Type(Type::Dynamic),
                kernel: fractional,
            },
            Overload {
                params: &[
                    Param::new("start", Type::Datetime, "the first value"),
                    Param::new("stop", Type::Datetime, "the inclusive upper bound"),
                    Param::new("step", Type::Timespan, "the step between values; 1h by default").optional(),
                ],
                returns: Returns::Type(Type::Dynamic),
                kernel: |args| whole(args, TICKS_PER_HOUR, Value::Datetime),
            },
            Overload {
                params: &[
                    Param::new("start", Type::Timespan, "the first value"),
                    Param::new("stop", Type::Timespan, "the inclusive upper bound"),
                    Param::new("step", Type::Timespan, "the step between values; 1h by default").optional(),
                ],
                returns: Returns::Type(Type::Dynamic),
                kernel: |args| whole(args, TICKS_PER_HOUR, Value::Timespan),
            },
        ],
        examples: &[
            Example::new("range(1, 8, 3)", "[1,4,7]"),
            Example::new("range(0.5, 2.0, 0.5)", "[0.5,1.0,1.5,2.0]"),
            Example::new("range(1h, 3h)", r#"["01:00:00","02:00:00","03:00:00"]"#),
            Example::new(
                "range(datetime(2024-01-01), datetime(2024-01-02), 1d)",
                r#"["2024-01-01T00:00:00.0000000Z","2024-01-02T00:00:00.0000000Z"]"#,
            ),
            Example::new("range(3, 1)", "[]"),
        ],
        ..ScalarFunction::DEFAULT
    },
    ScalarFunction {
        name: "repeat",
        category: Category::Dynamic,
        summary: "Returns an array of a value repeated, or null if the count is negative.",
        overloads: &[Overload {
            params: &[
                Param::of("value", Accepts::Any, "the value"),
                Param::new("count", Type::Long, "the number of repetitions"),
            ],
            returns: Returns::Type(Type::Dynamic),
            kernel: repeat,
        }],
        examples: &[
            Example::new("repeat(1, 3)", "[1,1,1]"),
            Example::new("repeat('a', 0)", "[]"),
            Example::new("repeat('a', -1)", "dynamic(null)"),
        ],
        result_name: ResultName::Prefix("repeat_"),
        nulls: Nulls::Handled,
        ..ScalarFunction::DEFAULT
    },
    ScalarFunction {
        name: "zip",
        category: Category::Dynamic,
        summary: "Returns an array of arrays of the elements at each position of several arrays; shorter arrays are \
                  filled with nulls.",
        overloads: &[Overload {
            params: &[
                Param::new("first", Type::Dynamic, "an array"),
                Param::new("array", Type::Dynamic, "an array").repeated(),
            ],
            returns: Returns::Type(Type::Dynamic),
            kernel: zip,
        }],
        examples: &[Example::new("zip(dynamic(['A', 1]), dynamic(['B']))", r#"[["A","B"],[1,null]]"#)],
        ..ScalarFunction::DEFAULT
    },
];

/// Maximum number of elements of range(), whose result ends there. Source: the reference's page on range().
const MOST_ELEMENTS: usize = 1 << 20;

fn whole(args: &Args<'_>, default_step: i64, value: fn(i64) -> Value) -> Result<Column> {
    let (starts, stops) = (args.longs(0), args.longs(1));
    let steps = if args.len() > 2 { args.longs(2) } else { Longs::Constant(Some(default_step)) };
    args.try_map(|row| {
        let (Some(start), Some(stop), Some(step)) = (starts.get(row), stops.get(row), steps.get(row)) else {
            return Ok(None);
        };
        Ok(whole_range(start, stop, step).map(|values| series(values.map(value))))
    })
}

/// Returns the elements of `range()` over whole numbers or ticks; None if the step is zero.
#[must_use]
pub fn whole_range(start: i64, stop: i64, step: i64) -> Option<impl Iterator<Item = i64>> {
    let within = move |at: &i64| if step > 0 { *at <= stop } else { *at >= stop };
    let values = std::iter::successors(Some(start), move |at| at.checked_add(step)).take_while(within);
    (step != 0).then(|| values.take(MOST_ELEMENTS))
}

/// Returns the element type and the default step of `range()` for these argument types; None if they are not whole
/// numbers or ticks.
#[must_use]
pub fn whole_range_of(types: &[Type]) -> Option<(Type, i64)> {
    match types.first()? {
        Type::Datetime => Some((Type::Datetime, TICKS_PER_HOUR)),
        Type::Timespan => Some((Type::Timespan, TICKS_PER_HOUR)),
        _ => types.iter().all(|ty| matches!(ty, Type::Int | Type::Long)).then_some((Type::Long, 1)),
    }
}

fn fractional(args: &Args<'_>) -> Result<Column> {
    let (starts, stops) = (args.reals(0), args.reals(1));
    args.try_map(|row| {
        let step = if args.len() > 2 { args.reals(2).get(row) } else { Some(1.0) };
        let (Some(start), Some(stop), Some(step)) = (starts.get(row), stops.get(row), step) else { return Ok(None) };
        let within = |at: &f64| if step > 0.0 { *at <= stop } else { *at >= stop };
        let values = (0..=u32::MAX).map(|index| start + f64::from(index) * step).take_while(within);
        Ok((step != 0.0 && !step.is_nan()).then(|| series(values.map(Value::Real))))
    })
}

fn series(values: impl Iterator<Item = Value>) -> String {
    let mut array = ArrayWriter::new();
    values.take(MOST_ELEMENTS).for_each(|value| array.push(&value));
    array.finish()
}

fn repeat(args: &Args<'_>) -> Result<Column> {
    let (values, counts) = (JsonArgument::of(args, 0), args.longs(1));
    args.try_map(|row| {
        let value = values.get(row);
        let Some(count) = counts.get(row).and_then(|count| usize::try_from(count).ok()) else { return Ok(None) };
        if count.saturating_mul(value.len() + 1) > MAX_VALUE_BYTES {
            return Err(too_long("the array"));
        }
        Ok(Some(written(std::iter::repeat_n(&*value, count))))
    })
}

fn zip(args: &Args<'_>) -> Result<Column> {
    args.try_map(|row| {
        let arrays: Option<Vec<_>> = args.columns().iter().map(|column| array_of(column, row)).collect();
        Ok(arrays.map(|arrays| {
            let longest = arrays.iter().map(Vec::len).max().unwrap_or(0);
            let tuple = |at: usize| written(arrays.iter().map(|array| array.get(at).copied().unwrap_or("null")));
            written((0..longest).map(tuple))
        }))
    })
}
