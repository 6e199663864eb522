//! Functions that round numbers, datetimes and timespans.

use std::sync::Arc;

use arrow::array::{Array, AsArray, Int64Array};
use arrow::datatypes::Int64Type;

use crate::diagnostic::{Code, Error, Result, Span};
use crate::functions::docs::{Category, Example};
use crate::functions::operand::{decimals, integers, reals};
use crate::functions::operator::decimal_arithmetic::{compute, too_many_digits};
use crate::functions::signature::{Accepts, Kernel, Overload, Param, ResultName, Returns};
use crate::functions::{Args, ScalarFunction};
use crate::types::{Column, Decimal, Type, Value, datetime};

/// The functions that this file defines.
pub static FUNCTIONS: &[ScalarFunction] = &[
    ScalarFunction {
        name: "bin",
        aliases: &["floor"],
        summary: "Returns the value rounded down to a multiple of the bin size, whose sign matters.",
        overloads: &[
            form(&BINS[0], Type::Long, |args| Ok(bin_long(args))),
            form(&BINS[1], Type::Real, |args| Ok(bin_real(args))),
            form(&BINS[2], Type::Decimal, |args| compute(args, bin_decimal)),
            form(&BINS[3], Type::Timespan, |args| Ok(bin_long(args))),
            form(&BINS[4], Type::Datetime, |args| Ok(bin_long(args))),
            form(&BINS[5], Type::Datetime, |args| Ok(bin_long(args))),
        ],
        examples: &[
            Example::new("bin(-7, 5)", "-10"),
            Example::new("bin(7, -5)", "10"),
            Example::new("bin(7, 0)", "long(null)"),
            Example::new("bin(4.5, 1)", "4.0"),
            Example::new("bin(decimal(4.5), decimal(2))", "decimal(4)"),
            Example::new("bin(16d, 7d)", "timespan(14.00:00:00)"),
            Example::new("bin(datetime(1970-05-11 13:45:07), 1d)", "datetime(1970-05-11)"),
        ],
        ..ROUNDING
    },
    ScalarFunction {
        name: "bin_at",
        summary: "Returns the value rounded down to a multiple of the bin size, counted from a fixed point.",
        overloads: &[
            form(&BINS_AT[0], Type::Long, |args| Ok(bin_at_long(args))),
            form(&BINS_AT[1], Type::Real, |args| Ok(bin_at_real(args))),
            form(&BINS_AT[2], Type::Timespan, |args| Ok(bin_at_long(args))),
            form(&BINS_AT[3], Type::Datetime, |args| Ok(bin_at_long(args))),
        ],
        examples: &[
            Example::new("bin_at(7, 5, 1)", "6"),
            Example::new("bin_at(6.5, 2.5, 7)", "4.5"),
            Example::new("bin_at(time(1h), 1d, 12h)", "timespan(-12:00:00)"),
            Example::new(
                "bin_at(datetime(2017-05-15 10:20:00), 1d, datetime(1970-01-01 12:00:00))",
                "datetime(2017-05-14 12:00:00)",
            ),
        ],
        ..ROUNDING
    },
    ScalarFunction {
        name: "ceiling",
        summary: "Returns the smallest whole number greater than or equal to the number, as a real.",
        overloads: &[
            form(&[Param::of("number", REALS, "a number")], Type::Real, |args| {
                let numbers = reals(args.column(0));
                Ok(args.map(|row| numbers.get(row).ceil()))
            }),
            form(&[Param::of("number", Accepts::Exactly(&[Type::Decimal]), "a number")], Type::Decimal, |args| {
                let numbers = decimals(args.column(0));
                Ok(args.map(|row| Value::Decimal(numbers.get(row).ceil())))
            }),
        ],
        examples: &[
            Example::new("ceiling(-1.1)", "-1.0"),
            Example::new("ceiling(0)", "0.0"),
            Example::new("ceiling(decimal(0.9))", "decimal(1)"),
        ],
        ..ROUNDING
    },
    ScalarFunction {
        name: "round",
        summary: "Returns the number rounded to the given number of decimal places, halves away from zero.",
        overloads: &[
            form(&[Param::of("number", REALS, "a number"), PRECISION], Type::Real, |args| Ok(round_real(args))),
            form(
                &[Param::of("number", Accepts::Exactly(&[Type::Decimal]), "a number"), PRECISION],
                Type::Decimal,
                round_decimal,
            ),
        ],
        examples: &[
            Example::new("round(2.98765, 3)", "2.988"),
            Example::new("round(2.15)", "2.0"),
            Example::new("round(21.5, -1)", "20.0"),
            Example::new("round(decimal(3.14159), 2)", "decimal(3.14)"),
        ],
        ..ROUNDING
    },
];

const ROUNDING: ScalarFunction =
    ScalarFunction { category: Category::Math, result_name: ResultName::FirstArgument, ..ScalarFunction::DEFAULT };

/// Accepts whole numbers, and bools, as the engine does.
const INTEGERS: Accepts = Accepts::Exactly(&[Type::Long, Type::Int, Type::Bool]);
const REALS: Accepts = Accepts::Exactly(&[Type::Real, Type::Long, Type::Int, Type::Bool]);
const DECIMALS: Accepts = Accepts::Exactly(&[Type::Decimal, Type::Long, Type::Int]);
const TIMESPAN: Accepts = Accepts::Exactly(&[Type::Timespan]);
const DATETIME: Accepts = Accepts::Exactly(&[Type::Datetime]);
const PRECISION: Param =
    Param::new("precision", Type::Long, "the number of decimal places; negative for places before the point")
        .optional()
        .constant();

const fn bin_params(value: Accepts, size: Accepts) -> [Param; 2] {
    [Param::of("value", value, "the value to round down"), Param::of("roundTo", size, "the bin size")]
}

static BINS: [[Param; 2]; 6] = [
    bin_params(INTEGERS, INTEGERS),
    bin_params(REALS, REALS),
    bin_params(DECIMALS, DECIMALS),
    bin_params(TIMESPAN, TIMESPAN),
    bin_params(DATETIME, TIMESPAN),
    bin_params(DATETIME, DATETIME),
];

const fn bin_at_params(value: Accepts, size: Accepts) -> [Param; 3] {
    [
        Param::of("value", value, "the value to round down"),
        Param::of("bin_size", size, "the bin size"),
        Param::of("fixed_point", value, "the start of a bin"),
    ]
}

static BINS_AT: [[Param; 3]; 4] = [
    bin_at_params(INTEGERS, INTEGERS),
    bin_at_params(REALS, REALS),
    bin_at_params(TIMESPAN, TIMESPAN),
    bin_at_params(DATETIME, TIMESPAN),
];

const fn form(params: &'static [Param], returns: Type, kernel: Kernel) -> Overload {
    Overload { params, returns: Returns::Type(returns), kernel }
}

/// Rounds `value` down to a multiple of `size`; None if `size` is 0.
fn floor_to(value: i64, size: i64) -> Option<i64> {
    if size == 0 {
        return None;
    }
    let quotient = value.wrapping_div(size);
    let below = value.wrapping_rem(size) != 0 && (value < 0) != (size < 0);
    Some((quotient - i64::from(below)).wrapping_mul(size))
}

/// Returns None instead of ticks that are out of the range of datetimes, if the result is a datetime.
fn in_range(args: &Args<'_>, value: Option<i64>) -> Option<i64> {
    if args.returns() == Type::Datetime { value.and_then(datetime::in_range) } else { value }
}

fn bin_long(args: &Args<'_>) -> Column {
    bin_array(args, 0).unwrap_or_else(|| bin_rows(args))
}

/// Computes bins of whole numbers quickly, if the size is constant and there are no nulls: consecutive values often
/// fall into the same bin. Bins are counted from `point`. None for other arguments.
fn bin_array(args: &Args<'_>, point: i64) -> Option<Column> {
    let size = integers(args.constant(1).map(|_| args.column(1))?).get(0);
    let numbers = args.column(0).as_array()?.as_primitive_opt::<Int64Type>()?;
    let is_whole = matches!(args.returns(), Type::Long | Type::Datetime | Type::Timespan);
    if !is_whole || size <= 0 || numbers.null_count() > 0 {
        return None;
    }
    let (mut floor, mut last) = (1, 0);
    let bin = |value: &i64| {
        if !(floor..=last).contains(value) {
            let distance = value.checked_sub(point)?;
            floor = in_range(args, value.checked_sub(distance.rem_euclid(size)))?;
            last = floor.saturating_add(size - 1);
        }
        Some(floor)
    };
    let bins: Vec<i64> = numbers.values().iter().map(bin).collect::<Option<_>>()?;
    Some(Column::array(args.returns(), Arc::new(Int64Array::from(bins))))
}

fn bin_rows(args: &Args<'_>) -> Column {
    let (values, sizes) = (integers(args.column(0)), integers(args.column(1)));
    args.map(|row| in_range(args, floor_to(values.get(row), sizes.get(row))))
}

fn bin_real(args: &Args<'_>) -> Column {
    let (values, sizes) = (reals(args.column(0)), reals(args.column(1)));
    args.map(|row| (values.get(row) / sizes.get(row)).floor() * sizes.get(row))
}

fn bin_decimal(value: Decimal, size: Decimal) -> Result<Option<Decimal>> {
    let Some(rest) = value.checked_rem(size) else { return Ok(None) };
    // The remainder has the sign of the value; the quotient is rounded down.
    let is_below = !rest.is_zero() && value.is_negative() != size.is_negative();
    let distance = if is_below { rest.checked_add(size) } else { Some(rest) };
    distance.and_then(|distance| value.checked_sub(distance)).map(Some).ok_or_else(too_many_digits)
}

fn bin_at_long(args: &Args<'_>) -> Column {
    let point = args.constant(2).and_then(|_| args.column(2).i64_at(0));
    point.and_then(|point| bin_array(args, point)).unwrap_or_else(|| bin_at_rows(args))
}

fn bin_at_rows(args: &Args<'_>) -> Column {
    let [values, sizes, points] = [0, 1, 2].map(|index| integers(args.column(index)));
    args.map(|row| {
        let point = points.get(row);
        let distance = floor_to(values.get(row).wrapping_sub(point), sizes.get(row));
        in_range(args, distance.map(|distance| point.wrapping_add(distance)))
    })
}

fn bin_at_real(args: &Args<'_>) -> Column {
    let [values, sizes, points] = [0, 1, 2].map(|index| reals(args.column(index)));
    args.map(|row| {
        let (point, size) = (points.get(row), sizes.get(row));
        point + ((values.get(row) - point) / size).floor() * size
    })
}

fn precision(args: &Args<'_>, row: usize) -> i64 {
    args.columns().get(1).and_then(|column| column.i64_at(row)).unwrap_or(0)
}

fn round_real(args: &Args<'_>) -> Column {
    let numbers = reals(args.column(0));
    args.map(|row| round_to(numbers.get(row), precision(args, row)))
}

fn round_to(value: f64, precision: i64) -> f64 {
    /// Maximum number of decimal places, in either direction: no real has a digit farther from the decimal point.
    const MOST_DIGITS: i64 = 400;
    let precision = i32::try_from(precision.clamp(-MOST_DIGITS, MOST_DIGITS)).unwrap_or(0);
    let scale = 10f64.powi(precision.abs());
    let scaled = if precision < 0 { value / scale } else { value * scale };
    if !scaled.is_finite() {
        return value;
    }
    // Not multiplied by 10^-1, which is not exact.
    if precision < 0 { scaled.round() * scale } else { scaled.round() / scale }
}

fn round_decimal(args: &Args<'_>) -> Result<Column> {
    let numbers = decimals(args.column(0));
    args.try_map(|row| {
        let digits = u32::try_from(precision(args, row)).map_err(|_| {
            Error::query(Code::ValueOutOfRange, Span::default(), "decimals are rounded to digits after the point only")
        })?;
        Ok(Value::Decimal(numbers.get(row).round(digits)))
    })
}
