//! Mathematical functions.
//!
//! Functions on reals accept whole numbers, decimals and bools too, and follow IEEE 754 unless the reference says
//! otherwise.

use rand::Rng;

use crate::functions::docs::{Category, Example};
use crate::functions::operand::reals;
use crate::functions::operator::decimal_arithmetic;
use crate::functions::signature::{Accepts, Kernel, Nulls, Overload, Param, ResultName, Returns, Volatility};
use crate::functions::{Args, ScalarFunction};
use crate::types::{Column, ColumnBuilder, Decimal, Type, number};

/// The functions that this file defines.
pub static FUNCTIONS: &[ScalarFunction] = &[
    ScalarFunction {
        name: "abs",
        summary: "Returns the absolute value of a number or timespan.",
        overloads: &[
            form(&[LONG], Type::Long, |args| Ok(args.map_long(0, i64::wrapping_abs))),
            form(&[REAL], Type::Real, |args| Ok(args.map_real(0, f64::abs))),
            form(&[DECIMAL], Type::Decimal, |args| decimal_arithmetic::compute_one(args, Decimal::abs)),
            form(&[TIMESPAN], Type::Timespan, |args| Ok(args.map_long(0, i64::checked_abs))),
        ],
        examples: &[
            Example::new("abs(-5)", "5"),
            Example::new("abs(int(-3))", "3"),
            Example::new("abs(-1.5)", "1.5"),
            Example::new("abs(decimal(-1.5))", "decimal(1.5)"),
            Example::new("abs(-(1h))", "timespan(01:00:00)"),
        ],
        ..NAMED
    },
    ScalarFunction {
        name: "sign",
        summary: "Returns the sign of the number: -1, 0 or 1; 0 if it is null.",
        overloads: &[real(|args| Ok(sign(args)))],
        examples: &[
            Example::new("sign(-42)", "-1.0"),
            Example::new("sign(0)", "0.0"),
            Example::new("sign(long(null))", "0.0"),
        ],
        nulls: Nulls::Handled,
        ..MATH
    },
    ScalarFunction {
        name: "sqrt",
        summary: "Returns the square root, or null if the number is negative.",
        overloads: &[real(|args| Ok(partial(args, |n| (n.is_nan() || n >= 0.0).then(|| n.sqrt()))))],
        examples: &[Example::new("sqrt(16)", "4.0"), Example::new("sqrt(-1)", "real(null)")],
        ..NAMED
    },
    ScalarFunction {
        name: "pow",
        summary: "Returns the first number raised to the power of the second.",
        overloads: &[form(
            &[Param::of("base", NUMBER, "a number"), Param::of("exponent", NUMBER, "its power")],
            Type::Real,
            |args| Ok(binary(args, f64::powf)),
        )],
        examples: &[Example::new("pow(2, 3)", "8.0")],
        ..MATH
    },
    ScalarFunction {
        name: "exp",
        summary: "Returns e raised to the power of the number.",
        overloads: &[real(|args| Ok(unary(args, f64::exp)))],
        examples: &[Example::new("exp(0)", "1.0")],
        ..NAMED
    },
    ScalarFunction {
        name: "exp2",
        summary: "Returns 2 raised to the power of the number.",
        overloads: &[real(|args| Ok(unary(args, f64::exp2)))],
        examples: &[Example::new("exp2(3)", "8.0")],
        ..NAMED
    },
    ScalarFunction {
        name: "exp10",
        summary: "Returns 10 raised to the power of the number.",
        overloads: &[real(|args| Ok(unary(args, |n| 10f64.powf(n))))],
        examples: &[Example::new("exp10(2)", "100.0")],
        ..NAMED
    },
    ScalarFunction {
        name: "log",
        summary: "Returns the natural logarithm of the number.",
        overloads: &[real(|args| Ok(unary(args, f64::ln)))],
        examples: &[Example::new("log(1)", "0.0"), Example::new("log(0)", "real(-inf)")],
        ..NAMED
    },
    ScalarFunction {
        name: "log2",
        summary: "Returns the base-2 logarithm of the number.",
        overloads: &[real(|args| Ok(unary(args, f64::log2)))],
        examples: &[Example::new("log2(8)", "3.0")],
        ..NAMED
    },
    ScalarFunction {
        name: "log10",
        summary: "Returns the base-10 logarithm of the number.",
        overloads: &[real(|args| Ok(unary(args, f64::log10)))],
        examples: &[Example::new("log10(1000)", "3.0")],
        ..NAMED
    },
    ScalarFunction {
        name: "sin",
        summary: "Returns the sine of an angle in radians.",
        overloads: &[real(|args| Ok(unary(args, f64::sin)))],
        examples: &[Example::new("sin(0)", "0.0")],
        ..NAMED
    },
    ScalarFunction {
        name: "cos",
        summary: "Returns the cosine of an angle in radians.",
        overloads: &[real(|args| Ok(unary(args, f64::cos)))],
        examples: &[Example::new("cos(0)", "1.0")],
        ..NAMED
    },
    ScalarFunction {
        name: "tan",
        summary: "Returns the tangent of an angle in radians.",
        overloads: &[real(|args| Ok(unary(args, f64::tan)))],
        examples: &[Example::new("tan(0)", "0.0")],
        ..NAMED
    },
    ScalarFunction {
        name: "cot",
        summary: "Returns the cotangent of an angle in radians.",
        overloads: &[real(|args| Ok(unary(args, |n| n.tan().recip())))],
        examples: &[Example::new("cot(0)", "real(+inf)")],
        ..MATH
    },
    ScalarFunction {
        name: "asin",
        summary: "Returns the arc sine in radians, or null if the number is not between -1 and 1.",
        overloads: &[real(|args| Ok(partial(args, |n| (n.is_nan() || n.abs() <= 1.0).then(|| n.asin()))))],
        examples: &[Example::new("asin(0)", "0.0"), Example::new("asin(2)", "real(null)")],
        ..NAMED
    },
    ScalarFunction {
        name: "acos",
        summary: "Returns the arc cosine in radians, or null if the number is not between -1 and 1.",
        overloads: &[real(|args| Ok(partial(args, |n| (n.is_nan() || n.abs() <= 1.0).then(|| n.acos()))))],
        examples: &[Example::new("acos(1)", "0.0"), Example::new("acos(-2)", "real(null)")],
        ..NAMED
    },
    ScalarFunction {
        name: "atan",
        summary: "Returns the arc tangent in radians.",
        overloads: &[real(|args| Ok(unary(args, f64::atan)))],
        examples: &[Example::new("atan(0)", "0.0")],
        ..NAMED
    },
    ScalarFunction {
        name: "atan2",
        summary: "Returns the angle in radians between the x axis and the point (x, y).",
        overloads: &[form(
            &[Param::of("y", NUMBER, "the y coordinate"), Param::of("x", NUMBER, "the x coordinate")],
            Type::Real,
            |args| Ok(binary(args, f64::atan2)),
        )],
        examples: &[Example::new("atan2(0, 1)", "0.0")],
        ..NAMED
    },
    ScalarFunction {
        name: "degrees",
        summary: "Returns the angle in radians converted to degrees.",
        overloads: &[real(|args| Ok(unary(args, f64::to_degrees)))],
        examples: &[Example::new("degrees(pi())", "180.0")],
        ..MATH
    },
    ScalarFunction {
        name: "radians",
        summary: "Returns the angle in degrees converted to radians.",
        overloads: &[real(|args| Ok(unary(args, f64::to_radians)))],
        examples: &[Example::new("radians(180) == pi()", "true")],
        ..MATH
    },
    ScalarFunction {
        name: "pi",
        summary: "Returns the constant pi.",
        overloads: &[Overload {
            params: &[],
            returns: Returns::Type(Type::Real),
            kernel: |args| Ok(args.map(|_| std::f64::consts::PI)),
        }],
        examples: &[Example::new("pi()", "3.141592653589793")],
        ..MATH
    },
    ScalarFunction {
        name: "isnan",
        summary: "Returns true if the real is NaN.",
        overloads: &[test(|args| Ok(args.map_real(0, f64::is_nan)))],
        examples: &[Example::new("isnan(0.0 / 0)", "true"), Example::new("isnan(1.0)", "false")],
        ..MATH
    },
    ScalarFunction {
        name: "isinf",
        summary: "Returns true if the real is positive or negative infinity.",
        overloads: &[test(|args| Ok(args.map_real(0, f64::is_infinite)))],
        examples: &[Example::new("isinf(-1.0 / 0)", "true")],
        ..MATH
    },
    ScalarFunction {
        name: "isfinite",
        summary: "Returns true if the real is neither infinite nor NaN.",
        overloads: &[test(|args| Ok(args.map_real(0, f64::is_finite)))],
        examples: &[Example::new("isfinite(0.1)", "true"), Example::new("isfinite(1.0 / 0)", "false")],
        ..MATH
    },
    ScalarFunction {
        name: "rand",
        summary: "Returns a random real from 0 up to 1, or a random whole number from 0 up to a bound, as a real.",
        overloads: &[
            Overload { params: &[], returns: Returns::Type(Type::Real), kernel: |args| Ok(random(args)) },
            Overload {
                params: &[Param::of("bound", Accepts::Only(&[Type::Long]), "the exclusive upper bound")],
                returns: Returns::Type(Type::Real),
                kernel: |args| Ok(random(args)),
            },
        ],
        examples: &[Example::new("rand() < 1", "true"), Example::new("rand(1)", "0.0")],
        volatility: Volatility::Row,
        result_name: ResultName::FirstArgument,
        nulls: Nulls::Handled,
        ..MATH
    },
];

/// The defaults of functions whose result column is named after their argument.
const NAMED: ScalarFunction = ScalarFunction { result_name: ResultName::FirstArgument, ..MATH };
const MATH: ScalarFunction = ScalarFunction { category: Category::Math, ..ScalarFunction::DEFAULT };

/// Accepts anything that converts to real; the engine accepts bools, although the published analyzer does not.
const NUMBER: Accepts = Accepts::Only(&[Type::Real, Type::Long, Type::Int, Type::Decimal, Type::Bool]);

const LONG: Param = Param::of("number", Accepts::Only(&[Type::Long]), "a whole number");
const REAL: Param = Param::of("number", Accepts::Exactly(&[Type::Real]), "a number");
const DECIMAL: Param = Param::of("number", Accepts::Exactly(&[Type::Decimal]), "a number");
const TIMESPAN: Param = Param::of("number", Accepts::Exactly(&[Type::Timespan]), "a timespan");

const fn form(params: &'static [Param], returns: Type, kernel: Kernel) -> Overload {
    Overload { params, returns: Returns::Type(returns), kernel }
}

const fn real(kernel: Kernel) -> Overload {
    Overload {
        params: const { &[Param::of("number", NUMBER, "a number")] },
        returns: Returns::Type(Type::Real),
        kernel,
    }
}

const fn test(kernel: Kernel) -> Overload {
    Overload {
        params: const { &[Param::of("number", Accepts::Only(&[Type::Real]), "a number")] },
        returns: Returns::Type(Type::Bool),
        kernel,
    }
}

/// Calls `of` with the first argument of each row as a real.
fn unary(args: &Args<'_>, of: impl Fn(f64) -> f64) -> Column {
    partial(args, |number| Some(of(number)))
}

/// Calls `of` with the first argument of each row as a real; a result of None becomes null.
fn partial(args: &Args<'_>, of: impl Fn(f64) -> Option<f64>) -> Column {
    let numbers = reals(args.column(0));
    args.map(|row| of(numbers.get(row)))
}

/// Calls `of` with the first two arguments of each row as reals.
fn binary(args: &Args<'_>, of: impl Fn(f64, f64) -> f64) -> Column {
    let (a, b) = (reals(args.column(0)), reals(args.column(1)));
    args.map(|row| of(a.get(row), b.get(row)))
}

/// Computes `sign`. As on the engine, the sign of null is 0.
fn sign(args: &Args<'_>) -> Column {
    let numbers = reals(args.column(0));
    args.map(|row| match numbers.get(row) {
        _ if args.column(0).is_null(row) => 0.0,
        n if n.is_nan() || n == 0.0 => n,
        n => n.signum(),
    })
}

/// Returns a random number for each row, even if the arguments are constant.
fn random(args: &Args<'_>) -> Column {
    /// The number of steps between 0 and 1: 2^53, because a real has a precision of 53 bits.
    const STEPS: f64 = 9_007_199_254_740_992.0;
    let mut generator = args.context().generator();
    let mut builder = ColumnBuilder::with_capacity(Type::Real, args.rows());
    for row in 0..args.rows() {
        let draw = number::long_to_real((generator.next_u64() >> 11).cast_signed()) / STEPS;
        match args.columns().first().map(|bound| bound.i64_at(row)) {
            None => builder.append_f64(draw),
            Some(Some(bound)) if bound > 0 => builder.append_f64((draw * number::long_to_real(bound)).floor()),
            Some(_) => builder.append_null(),
        }
    }
    builder.finish()
}
