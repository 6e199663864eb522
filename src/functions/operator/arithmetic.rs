//! `+`, `-`, `*`, `/`, `%` and the unary signs.
//!
//! Integers are computed in 64 bits and wrap around. A datetime or timespan that is out of range is null, as is an
//! integer divided by zero. datetime and timespan are computed as ticks.

use arrow::array::{Float64Array, Int64Array, PrimitiveArray};
use arrow::datatypes::{ArrowPrimitiveType, Float64Type, Int64Type};
use std::sync::Arc;

use super::{DATETIME, JSON, NUMBER, TIMESPAN, left, right};
use super::{decimal_arithmetic as decimals, json_number};
use crate::functions::docs::{Category, Example};
use crate::functions::operand::{Operand, integers, reals};
use crate::functions::signature::{Accepts, Kernel, Overload, Param, Returns};
use crate::functions::{Args, ScalarFunction};
use crate::types::{Column, Type, datetime, number};

/// The binary operators, and the unary signs.
pub(super) static OPERATORS: &[ScalarFunction] = &[
    ScalarFunction {
        name: "+",
        category: Category::Operator,
        summary: "Sum; a datetime plus a timespan is a datetime.",
        overloads: &[
            form(&PAIRS.long, Type::Long, |args| Ok(wrapping(args, i64::wrapping_add))),
            form(&PAIRS.real, Type::Real, |args| Ok(real(args, |a, b| a + b))),
            form(&PAIRS.decimal, Type::Decimal, |args| decimals::compute(args, decimals::add)),
            form(&PAIRS.timespan, Type::Timespan, |args| Ok(ticks(args, i64::checked_add))),
            form(&PAIRS.timespan_datetime, Type::Datetime, |args| Ok(ticks(args, i64::checked_add))),
            form(&PAIRS.datetime_timespan, Type::Datetime, |args| Ok(ticks(args, i64::checked_add))),
            form(&PAIRS.datetime, Type::Datetime, |args| Ok(ticks(args, i64::checked_add))),
            form(&PAIRS.json, Type::Dynamic, |args| Ok(json(args, json_number::add))),
        ],
        examples: &[
            Example::new("int(2147483647) + int(1)", "2147483648"),
            Example::new("1 + 0.5", "1.5"),
            Example::new("decimal(0.1) + decimal(0.2)", "decimal(0.3)"),
            Example::new("1d + 1h", "timespan(1.01:00:00)"),
            Example::new("1d + datetime(2024-01-01)", "datetime(2024-01-02)"),
            Example::new("datetime(2024-01-01) + 1d", "datetime(2024-01-02)"),
            Example::new("datetime(0001-01-02) + datetime(2024-01-01)", "datetime(2024-01-02)"),
            Example::new("dynamic(1) + dynamic(2)", "dynamic(3)"),
        ],
        ..ScalarFunction::DEFAULT
    },
    ScalarFunction {
        name: "-",
        category: Category::Operator,
        summary: "Difference; of two datetimes it is a timespan.",
        overloads: &[
            form(&PAIRS.long, Type::Long, |args| Ok(wrapping(args, i64::wrapping_sub))),
            form(&PAIRS.real, Type::Real, |args| Ok(real(args, |a, b| a - b))),
            form(&PAIRS.decimal, Type::Decimal, |args| decimals::compute(args, decimals::subtract)),
            form(&PAIRS.timespan, Type::Timespan, |args| Ok(ticks(args, i64::checked_sub))),
            form(&PAIRS.datetime, Type::Timespan, |args| Ok(ticks(args, i64::checked_sub))),
            form(&PAIRS.datetime_timespan, Type::Datetime, |args| Ok(ticks(args, i64::checked_sub))),
            form(&PAIRS.timespan_datetime, Type::Datetime, |args| Ok(ticks(args, i64::checked_sub))),
            form(&PAIRS.json, Type::Dynamic, |args| Ok(json(args, json_number::subtract))),
        ],
        examples: &[
            Example::new("7 - 9", "-2"),
            Example::new("1 - 0.5", "0.5"),
            Example::new("decimal(0.3) - decimal(0.1)", "decimal(0.2)"),
            Example::new("1d - 1h", "timespan(23:00:00)"),
            Example::new("datetime(2024-01-02) - datetime(2024-01-01)", "timespan(1.00:00:00)"),
            Example::new("datetime(2024-01-02) - 1d", "datetime(2024-01-01)"),
            Example::new("1d - datetime(0001-01-01)", "datetime(0001-01-02)"),
            Example::new("dynamic(1) - dynamic(2)", "dynamic(-1)"),
        ],
        ..ScalarFunction::DEFAULT
    },
    ScalarFunction {
        name: "*",
        category: Category::Operator,
        summary: "Product; a timespan times a number is a timespan.",
        overloads: &[
            form(&PAIRS.long, Type::Long, |args| Ok(wrapping(args, i64::wrapping_mul))),
            form(&PAIRS.real, Type::Real, |args| Ok(real(args, |a, b| a * b))),
            form(&PAIRS.decimal, Type::Decimal, |args| decimals::compute(args, decimals::multiply)),
            form(&PAIRS.only_timespan, Type::Timespan, |args| Ok(ticks(args, i64::checked_mul))),
            form(&PAIRS.timespan_number, Type::Timespan, |args| Ok(scaled(args, i64::checked_mul, |a, b| a * b))),
            form(&PAIRS.number_timespan, Type::Timespan, |args| Ok(scaled(args, i64::checked_mul, |a, b| a * b))),
            form(&PAIRS.datetime_number, Type::Datetime, |args| Ok(scaled(args, i64::checked_mul, |a, b| a * b))),
            form(&PAIRS.number_datetime, Type::Datetime, |args| Ok(scaled(args, i64::checked_mul, |a, b| a * b))),
            form(&PAIRS.json, Type::Dynamic, |args| Ok(json(args, json_number::multiply))),
        ],
        examples: &[
            Example::new("6 * 7", "42"),
            Example::new("6 * 0.5", "3.0"),
            Example::new("decimal(1.5) * decimal(1.5)", "decimal(2.25)"),
            Example::new("1tick * 5tick", "5tick"),
            Example::new("1h * 1.5", "timespan(01:30:00)"),
            Example::new("3 * 1s", "timespan(00:00:03)"),
            Example::new("datetime(0001-01-02) * 2", "datetime(0001-01-03)"),
            Example::new("2 * datetime(0001-01-02)", "datetime(0001-01-03)"),
            Example::new("dynamic(2) * dynamic(1.5)", "dynamic(3.0)"),
        ],
        ..ScalarFunction::DEFAULT
    },
    ScalarFunction {
        name: "/",
        category: Category::Operator,
        summary: "Quotient; of whole numbers without its fraction, of timespans a real.",
        overloads: &[
            form(&PAIRS.long, Type::Long, |args| Ok(ticks(args, divide))),
            form(&PAIRS.real, Type::Real, |args| Ok(real(args, |a, b| a / b))),
            form(&PAIRS.decimal, Type::Decimal, |args| decimals::compute(args, decimals::divide)),
            form(&PAIRS.only_timespan, Type::Real, |args| Ok(ratio(args))),
            form(&PAIRS.timespan_number, Type::Timespan, |args| Ok(scaled(args, divide, |a, b| a / b))),
            form(&PAIRS.only_datetime, Type::Real, |args| Ok(ratio(args))),
            form(&PAIRS.only_datetime_timespan, Type::Real, |args| Ok(ratio(args))),
            form(&PAIRS.datetime_number, Type::Datetime, |args| Ok(scaled(args, divide, |a, b| a / b))),
            form(&PAIRS.json, Type::Dynamic, |args| Ok(json(args, json_number::divide))),
        ],
        examples: &[
            Example::new("-7 / 2", "-3"),
            Example::new("0 / 0", "long(null)"),
            Example::new("7 / 2.0", "3.5"),
            Example::new("decimal(7) / decimal(2)", "decimal(3.5)"),
            Example::new("1d / 1h", "24.0"),
            Example::new("1d / 2", "timespan(12:00:00)"),
            Example::new("datetime(0001-01-03) / datetime(0001-01-02)", "2.0"),
            Example::new("datetime(0001-01-03) / 1d", "2.0"),
            Example::new("datetime(0001-01-03) / 2", "datetime(0001-01-02)"),
            Example::new("dynamic(7) / dynamic(2)", "dynamic(3)"),
        ],
        ..ScalarFunction::DEFAULT
    },
    ScalarFunction {
        name: "%",
        category: Category::Operator,
        summary: "Remainder of the division, never negative.",
        overloads: &[
            form(&PAIRS.long, Type::Long, |args| Ok(ticks(args, modulo))),
            form(&PAIRS.real, Type::Real, |args| Ok(real(args, real_modulo))),
            form(&PAIRS.decimal, Type::Decimal, |args| decimals::compute(args, decimals::modulo)),
            form(&PAIRS.only_timespan, Type::Timespan, |args| Ok(ticks(args, modulo))),
            form(&PAIRS.timespan_number, Type::Timespan, |args| Ok(scaled(args, modulo, real_modulo))),
            form(&PAIRS.only_datetime, Type::Timespan, |args| Ok(ticks(args, modulo))),
            form(&PAIRS.only_datetime_timespan, Type::Timespan, |args| Ok(ticks(args, modulo))),
            form(&PAIRS.datetime_number, Type::Datetime, |args| Ok(scaled(args, modulo, real_modulo))),
            form(&PAIRS.json, Type::Dynamic, |args| Ok(json(args, json_number::modulo))),
        ],
        examples: &[
            Example::new("-14 % 12", "10"),
            Example::new("14 % -12", "2"),
            Example::new("-5.5 % 2", "0.5"),
            Example::new("decimal(5.5) % decimal(2)", "decimal(1.5)"),
            Example::new("25h % 1d", "timespan(01:00:00)"),
            Example::new("25tick % 10", "5tick"),
            Example::new("datetime(0001-01-04) % datetime(0001-01-03)", "timespan(1.00:00:00)"),
            Example::new("datetime(2024-01-01 05:00) % 1d", "timespan(05:00:00)"),
            Example::new("datetime(0001-01-02) % 864000000000", "datetime(0001-01-01)"),
            Example::new("dynamic(-14) % dynamic(12)", "dynamic(10)"),
        ],
        ..ScalarFunction::DEFAULT
    },
    ScalarFunction {
        name: "unary -",
        category: Category::Operator,
        summary: "The value with its sign changed.",
        overloads: &[
            form(&SIGNED.int, Type::Int, |args| Ok(args.map(|row| args.longs(0).get(row).map(negate_int)))),
            form(&SIGNED.long, Type::Long, |args| Ok(args.map_long(0, i64::wrapping_neg))),
            form(&SIGNED.real, Type::Real, |args| Ok(args.map_real(0, |n: f64| -n))),
            form(&SIGNED.decimal, Type::Decimal, |args| decimals::compute_one(args, |n| -n)),
            form(&SIGNED.timespan, Type::Timespan, |args| Ok(args.map_long(0, i64::checked_neg))),
            form(&SIGNED.datetime, Type::Datetime, |args| {
                Ok(args.map_long(0, |n| datetime::in_range(n.wrapping_neg())))
            }),
            form(&SIGNED.json, Type::Dynamic, |args| Ok(json_number::map(args, json_number::negate))),
        ],
        examples: &[
            Example::new("-int(5)", "int(-5)"),
            Example::new("-(2 + 3)", "-5"),
            Example::new("-(0.5)", "-0.5"),
            Example::new("-decimal(1.5)", "decimal(-1.5)"),
            Example::new("-(1d)", "timespan(-1.00:00:00)"),
            Example::new("-datetime(2024-01-01)", "datetime(null)"),
            Example::new("-dynamic(5)", "dynamic(-5)"),
        ],
        ..ScalarFunction::DEFAULT
    },
    ScalarFunction {
        name: "unary +",
        category: Category::Operator,
        summary: "The value unchanged.",
        overloads: &[Overload {
            params: &[Param::of("operand", SIGNABLE, "the value")],
            returns: Returns::Argument(0),
            kernel: |args| Ok(args.column(0).clone()),
        }],
        examples: &[Example::new("+5", "5"), Example::new("+dynamic(5)", "dynamic(5)")],
        ..ScalarFunction::DEFAULT
    },
];

const SIGNABLE: Accepts =
    Accepts::Only(&[Type::Long, Type::Int, Type::Real, Type::Decimal, Type::Timespan, Type::Datetime, Type::Dynamic]);

/// The operands of the overloads, by their types. A dynamic operand is cast to the type, except in the pairs
/// `only_...`: the analyzer has no such overload for a dynamic.
struct OperandPairs {
    long: [Param; 2],
    real: [Param; 2],
    decimal: [Param; 2],
    timespan: [Param; 2],
    datetime: [Param; 2],
    datetime_timespan: [Param; 2],
    timespan_datetime: [Param; 2],
    only_timespan: [Param; 2],
    only_datetime: [Param; 2],
    only_datetime_timespan: [Param; 2],
    timespan_number: [Param; 2],
    number_timespan: [Param; 2],
    datetime_number: [Param; 2],
    number_datetime: [Param; 2],
    json: [Param; 2],
}

const fn pair(a: Accepts, b: Accepts) -> [Param; 2] {
    [left(a), right(b)]
}

const fn cast_pair(a: Type, b: Type) -> [Param; 2] {
    pair(Accepts::Type(a), Accepts::Type(b))
}

static PAIRS: OperandPairs = OperandPairs {
    long: cast_pair(Type::Long, Type::Long),
    real: cast_pair(Type::Real, Type::Real),
    decimal: cast_pair(Type::Decimal, Type::Decimal),
    timespan: cast_pair(Type::Timespan, Type::Timespan),
    datetime: cast_pair(Type::Datetime, Type::Datetime),
    datetime_timespan: cast_pair(Type::Datetime, Type::Timespan),
    timespan_datetime: cast_pair(Type::Timespan, Type::Datetime),
    only_timespan: pair(TIMESPAN, TIMESPAN),
    only_datetime: pair(DATETIME, DATETIME),
    only_datetime_timespan: pair(DATETIME, TIMESPAN),
    timespan_number: pair(TIMESPAN, NUMBER),
    number_timespan: pair(NUMBER, TIMESPAN),
    datetime_number: pair(DATETIME, NUMBER),
    number_datetime: pair(NUMBER, DATETIME),
    json: pair(JSON, JSON),
};

struct Signed {
    int: [Param; 1],
    long: [Param; 1],
    real: [Param; 1],
    decimal: [Param; 1],
    timespan: [Param; 1],
    datetime: [Param; 1],
    json: [Param; 1],
}

const fn one(ty: &'static [Type; 1]) -> [Param; 1] {
    [Param::of("operand", Accepts::Only(ty), "the value")]
}

static SIGNED: Signed = Signed {
    int: one(&[Type::Int]),
    long: one(&[Type::Long]),
    real: one(&[Type::Real]),
    decimal: one(&[Type::Decimal]),
    timespan: one(&[Type::Timespan]),
    datetime: one(&[Type::Datetime]),
    json: one(&[Type::Dynamic]),
};

const fn form(params: &'static [Param], returns: Type, kernel: Kernel) -> Overload {
    Overload { params, returns: Returns::Type(returns), kernel }
}

/// Applies `of` to each row, without a check for nulls in the loop; a row with a null argument is null in the result.
fn plain<T: ArrowPrimitiveType>(
    args: &Args<'_>,
    left: Operand<'_, T::Native>,
    right: &Operand<'_, T::Native>,
    of: impl Fn(T::Native, T::Native) -> T::Native,
) -> PrimitiveArray<T> {
    let rows = args.distinct_rows();
    let values = left.combine(right, rows, of);
    PrimitiveArray::new(values.into(), args.nulls_anywhere())
}

fn wrapping(args: &Args<'_>, of: impl Fn(i64, i64) -> i64) -> Column {
    let array: Int64Array = plain::<Int64Type>(args, integers(args.column(0)), &integers(args.column(1)), of);
    args.spread(Column::array(Type::Long, Arc::new(array)))
}

fn real(args: &Args<'_>, of: impl Fn(f64, f64) -> f64) -> Column {
    let array: Float64Array = plain::<Float64Type>(args, reals(args.column(0)), &reals(args.column(1)), of);
    args.spread(Column::array(Type::Real, Arc::new(array)))
}

/// Divides ticks by ticks, as a real.
fn ratio(args: &Args<'_>) -> Column {
    real(args, |a, b| a / b)
}

/// Applies `of` to two arguments of ticks, or two longs, row by row. None and a datetime out of range become null.
fn ticks(args: &Args<'_>, of: impl Fn(i64, i64) -> Option<i64>) -> Column {
    let (a, b) = (args.longs(0), args.longs(1));
    args.map(|row| in_range(args.returns(), of(a.get(row)?, b.get(row)?)))
}

/// Combines ticks with a number of any type: with an integer by `whole`, with any other number by `real`, truncated.
fn scaled(args: &Args<'_>, whole: impl Fn(i64, i64) -> Option<i64>, real: impl Fn(f64, f64) -> f64) -> Column {
    let fractional = |index: usize| matches!(args.column(index).ty(), Type::Real | Type::Decimal);
    if !fractional(0) && !fractional(1) {
        return ticks(args, whole);
    }
    let (a, b) = (reals(args.column(0)), reals(args.column(1)));
    args.map(|row| in_range(args.returns(), number::real_to_ticks(real(a.get(row), b.get(row)))))
}

fn in_range(ty: Type, value: Option<i64>) -> Option<i64> {
    if ty == Type::Datetime { value.and_then(datetime::in_range) } else { value }
}

fn json(args: &Args<'_>, of: json_number::Operation) -> Column {
    json_number::map_pairs(args, of)
}

/// Divides and truncates; None if `b` is 0. The smallest long divided by -1 wraps around.
pub(super) fn divide(a: i64, b: i64) -> Option<i64> {
    (b != 0).then(|| a.wrapping_div(b))
}

/// Returns the remainder, which is at least 0 and less than the magnitude of `b`; None if `b` is 0. Source: the
/// reference's page on numerical operators.
pub(super) fn modulo(a: i64, b: i64) -> Option<i64> {
    (b != 0).then(|| a.wrapping_rem_euclid(b))
}

/// Returns the remainder of reals, which is not negative; NaN if `b` is 0.
pub(super) fn real_modulo(a: f64, b: f64) -> f64 {
    a.rem_euclid(b)
}

/// Negates an int. The smallest int has no positive counterpart and stays unchanged.
fn negate_int(value: i64) -> i64 {
    if value == i64::from(i32::MIN) { value } else { -value }
}
