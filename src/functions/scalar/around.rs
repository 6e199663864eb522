//! around: whether a value is near another one.

use crate::functions::ScalarFunction;
use crate::functions::args::Args;
use crate::functions::docs::{Category, Example};
use crate::functions::operand::{decimals, reals};
use crate::functions::signature::{Accepts, Kernel, Overload, Param, Returns};
use crate::types::{Column, Type};

/// The functions that this file defines.
pub static FUNCTIONS: &[ScalarFunction] = &[ScalarFunction {
    name: "around",
    category: Category::Conditional,
    summary: "Returns true if the value is at most delta away from the center.",
    overloads: &[
        form(&LONG, |args| Ok(around_long(args))),
        form(&REAL, |args| Ok(around_real(args))),
        form(&DECIMAL, |args| Ok(around_decimal(args))),
        form(&TIMESPAN, |args| Ok(around_long(args))),
        form(&DATETIME, |args| Ok(around_long(args))),
    ],
    examples: &[
        Example::new("around(100, 99, 2)", "true"),
        Example::new("around(1.5, 1, 0.4)", "false"),
        Example::new("around(datetime(2026-03-01 12:01), datetime(2026-03-01 12:00), 1min)", "true"),
    ],
    ..ScalarFunction::DEFAULT
}];

const LONG: [Param; 3] = params(&[Type::Long, Type::Int], &[Type::Long, Type::Int]);
const REAL: [Param; 3] = params(REALS, REALS);
const REALS: &[Type] = &[Type::Real, Type::Long, Type::Int];
const DECIMAL: [Param; 3] = params(DECIMALS, DECIMALS);
const DECIMALS: &[Type] = &[Type::Decimal, Type::Long, Type::Int];
const TIMESPAN: [Param; 3] = params(&[Type::Timespan], &[Type::Timespan]);
const DATETIME: [Param; 3] = params(&[Type::Datetime], &[Type::Timespan]);

const fn params(value: &'static [Type], delta: &'static [Type]) -> [Param; 3] {
    [
        Param::of("value", Accepts::Exactly(value), "the value to test"),
        Param::of("center", Accepts::Exactly(value), "the value to compare it with"),
        Param::of("delta", Accepts::Exactly(delta), "the greatest distance"),
    ]
}

const fn form(params: &'static [Param], kernel: Kernel) -> Overload {
    Overload { params, returns: Returns::Type(Type::Bool), kernel }
}

fn around_long(args: &Args<'_>) -> Column {
    let (values, centers, deltas) = (args.longs(0), args.longs(1), args.longs(2));
    args.map(|row| {
        let distance = i128::from(values.get(row)?) - i128::from(centers.get(row)?);
        Some(distance.abs() <= i128::from(deltas.get(row)?))
    })
}

fn around_real(args: &Args<'_>) -> Column {
    let (values, centers, deltas) = (reals(args.column(0)), reals(args.column(1)), reals(args.column(2)));
    args.map(|row| (values.get(row) - centers.get(row)).abs() <= deltas.get(row))
}

fn around_decimal(args: &Args<'_>) -> Column {
    let (values, centers, deltas) = (decimals(args.column(0)), decimals(args.column(1)), decimals(args.column(2)));
    // A difference that is too large to represent is larger than any delta.
    args.map(|row| {
        let distance = values.get(row).rounded_sub(centers.get(row));
        distance.is_some_and(|distance| distance.abs() <= deltas.get(row))
    })
}
