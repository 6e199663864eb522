//! Conversion functions. Their results are defined in [`crate::types::cast`].
//!
//! A type that the reference accepts, but whose conversion is not known exactly, is not accepted.

use crate::functions::ScalarFunction;
use crate::functions::docs::{Category, Example};
use crate::functions::signature::{Accepts, Nulls, Overload, Param, ResultName, Returns};
use crate::types::Type::{self, Bool, Datetime, Decimal, Dynamic, Guid, Int, Long, Real, Timespan};
use crate::types::cast::cast_column;

/// Returns the definition of a conversion function.
const fn to(
    name: &'static str,
    summary: &'static str,
    overloads: &'static [Overload],
    examples: &'static [Example],
) -> ScalarFunction {
    ScalarFunction {
        name,
        category: Category::Conversion,
        summary,
        overloads,
        examples,
        result_name: ResultName::FirstArgument,
        nulls: Nulls::Handled,
        ..ScalarFunction::DEFAULT
    }
}

const VALUE: &str = "the value to convert";
const ANY: Param = Param::of("value", Accepts::Any, VALUE);
/// Numbers, bools, and strings and dynamics that contain one.
const NUMERIC: Param =
    Param::of("value", Accepts::OneOf(&[Type::String, Dynamic, Bool, Int, Long, Real, Decimal]), VALUE);
/// Numbers, times, and strings and dynamics that contain one.
const TICKS: Param =
    Param::of("value", Accepts::OneOf(&[Type::String, Dynamic, Int, Long, Real, Decimal, Datetime, Timespan]), VALUE);

/// The functions that this file defines.
pub static FUNCTIONS: &[ScalarFunction] = &[
    to(
        "tostring",
        "Returns the value as a string; null is the empty string.",
        &[Overload {
            params: &[ANY],
            returns: Returns::Type(Type::String),
            kernel: |args| cast_column(args.column(0), Type::String),
        }],
        &[
            Example::new("tostring(true)", "True"),
            Example::new("tostring(1.0)", "1.0"),
            Example::new("tostring(dynamic([1, 2]))", "[1,2]"),
            Example::new("tostring(datetime(2020-01-01))", "2020-01-01T00:00:00.0000000Z"),
            Example::new("tostring(3h)", "03:00:00"),
            Example::new("tostring(long(null))", ""),
        ],
    ),
    to(
        "toint",
        "Returns the value as an int: a long wraps around, a real is truncated and saturates, a string must be a \
         whole number.",
        &[Overload { params: &[ANY], returns: Returns::Type(Int), kernel: |args| cast_column(args.column(0), Int) }],
        &[
            Example::new("toint('123')", "123"),
            Example::new("toint(-5.7)", "-5"),
            Example::new("toint(1e10)", "2147483647"),
            Example::new("toint('5.7')", "int(null)"),
        ],
    ),
    to(
        "tolong",
        "Returns the value as a long: a real is truncated and saturates, a string must be a whole number, a datetime or \
         timespan is converted to its number of ticks (100 ns).",
        &[Overload { params: &[ANY], returns: Returns::Type(Long), kernel: |args| cast_column(args.column(0), Long) }],
        &[
            Example::new("tolong('0x10')", "16"),
            Example::new("tolong(1d)", "864000000000"),
            Example::new("tolong('1e3')", "long(null)"),
        ],
    ),
    ScalarFunction {
        aliases: &["todouble"],
        ..to(
            "toreal",
            "Returns the value as a real; a datetime or timespan is converted to its number of ticks (100 ns).",
            &[Overload {
                params: &[ANY],
                returns: Returns::Type(Real),
                kernel: |args| cast_column(args.column(0), Real),
            }],
            &[Example::new("toreal('123.4')", "123.4"), Example::new("todouble('abc')", "real(null)")],
        )
    },
    ScalarFunction {
        aliases: &["toboolean"],
        ..to(
            "tobool",
            "Returns the value as a bool: a number is true unless it is zero, a string must be true or false in any \
             case or a whole number.",
            &[Overload {
                params: &[NUMERIC],
                returns: Returns::Type(Bool),
                kernel: |args| cast_column(args.column(0), Bool),
            }],
            &[
                Example::new("tobool('TRUE')", "true"),
                Example::new("tobool(' 2 ')", "true"),
                Example::new("tobool('yes')", "bool(null)"),
            ],
        )
    },
    to(
        "todecimal",
        "Returns the value as a decimal of up to 34 digits; a number with more digits is an error and is never \
         rounded.",
        &[Overload {
            params: &[NUMERIC],
            returns: Returns::Type(Decimal),
            kernel: |args| cast_column(args.column(0), Decimal),
        }],
        &[Example::new("todecimal('123.45678')", "decimal(123.45678)")],
    ),
    to(
        "todatetime",
        "Returns the value as a datetime: a string in ISO 8601, RFC 822, RFC 850 or month-first form, or a number of \
         ticks; null if the string is anything else.",
        &[Overload {
            params: &[TICKS],
            returns: Returns::Type(Datetime),
            kernel: |args| cast_column(args.column(0), Datetime),
        }],
        &[
            Example::new("todatetime('2015-12-31 23:59:59.9')", "datetime(2015-12-31 23:59:59.9)"),
            Example::new("todatetime('12-02-2022')", "datetime(2022-12-02)"),
            Example::new("todatetime('2022-12-02T13:45:56-05:00')", "datetime(2022-12-02 18:45:56)"),
            Example::new("todatetime('13-01-2022')", "datetime(null)"),
        ],
    ),
    ScalarFunction {
        aliases: &["totime"],
        ..to(
            "totimespan",
            "Returns the value as a timespan: a string in the form [-][d.]hh:mm[:ss[.fffffff]] or a number of ticks; \
             null if the string is anything else.",
            &[Overload {
                params: &[ANY],
                returns: Returns::Type(Timespan),
                kernel: |args| cast_column(args.column(0), Timespan),
            }],
            &[
                Example::new("totimespan('0.00:03:00')", "3m"),
                Example::new("totimespan(10)", "10tick"),
                Example::new("totimespan('abc')", "timespan(null)"),
            ],
        )
    },
    to(
        "toguid",
        "Returns the value as a guid: a string of 32 hexadecimal digits with dashes anywhere, or null if it is \
         anything else.",
        &[Overload {
            params: &[Param::of("value", Accepts::OneOf(&[Type::String, Dynamic, Guid]), VALUE)],
            returns: Returns::Type(Guid),
            kernel: |args| cast_column(args.column(0), Guid),
        }],
        &[
            Example::new("toguid('0123456789abcdef0123456789abcdef')", "guid(01234567-89ab-cdef-0123-456789abcdef)"),
            Example::new("toguid('a')", "guid(null)"),
        ],
    ),
];
