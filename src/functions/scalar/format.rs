//! format_bytes and regex_quote: values as strings for people and for patterns.

use crate::diagnostic::{Code, Error, Result, Span};
use crate::functions::ScalarFunction;
use crate::functions::args::Args;
use crate::functions::docs::{Category, Example};
use crate::functions::operand::reals;
use crate::functions::pattern;
use crate::functions::signature::{Accepts, Overload, Param, ResultName, Returns};
use crate::types::{Column, Type, Value};

/// The functions that this file defines.
pub static FUNCTIONS: &[ScalarFunction] = &[
    ScalarFunction {
        name: "format_bytes",
        summary: "Returns a number of bytes as a string with a unit, each 1,024 times the one before.",
        overloads: &[Overload {
            params: &[
                Param::of(
                    "size",
                    Accepts::Only(&[Type::Real, Type::Long, Type::Int, Type::Decimal]),
                    "the number of bytes",
                ),
                Param::new("precision", Type::Long, "the number of decimal places, 0 by default").optional(),
                Param::new("units", Type::String, "Bytes, KB, MB, GB, TB, PB or EB; by default the largest that fits")
                    .optional(),
            ],
            returns: Returns::Type(Type::String),
            kernel: format_bytes,
        }],
        examples: &[
            Example::new("format_bytes(564)", "564 Bytes"),
            Example::new("format_bytes(10332, 1)", "10.1 KB"),
            Example::new("format_bytes(20010332, 0, 'KB')", "19541 KB"),
        ],
        result_name: ResultName::FirstArgument,
        validate: |constants| match constants.get(2).copied().flatten().and_then(Value::as_str) {
            Some(name) => unit(name, Code::InvalidValue).map(|_| ()),
            None => Ok(()),
        },
        ..ScalarFunction::DEFAULT
    },
    ScalarFunction {
        name: "regex_quote",
        category: Category::Regex,
        summary: "Returns the string with every character escaped that has a meaning in regular expressions.",
        overloads: &[Overload {
            params: &[Param::new("string", Type::String, "the string")],
            returns: Returns::Type(Type::String),
            kernel: |args| {
                let texts = args.texts(0);
                args.try_map(|row| Ok(texts.get(row).map(pattern::quote)))
            },
        }],
        examples: &[Example::new("regex_quote('a.b(c)')", r"a\.b\(c\)")],
        ..ScalarFunction::DEFAULT
    },
];

const UNITS: [&str; 7] = ["Bytes", "KB", "MB", "GB", "TB", "PB", "EB"];
const STEP: f64 = 1024.0;
/// Maximum number of decimal places: more than a real has digits.
const MAX_PRECISION: i64 = 17;

/// Returns the position of a unit in the list of units; None for "", which leaves the choice to the function. An
/// unknown unit is an error with `code`.
fn unit(name: &str, code: Code) -> Result<Option<usize>> {
    let found = UNITS.iter().position(|unit| unit.eq_ignore_ascii_case(name));
    if found.is_none() && !name.is_empty() {
        let message = format!("the units must be one of {}", UNITS.join(", "));
        return Err(Error::query(code, Span::default(), message));
    }
    Ok(found)
}

fn format_bytes(args: &Args<'_>) -> Result<Column> {
    let sizes = reals(args.column(0));
    args.try_map(|row| {
        let precision = if args.len() > 1 { args.longs(1).get(row) } else { Some(0) };
        let name = if args.len() > 2 { args.texts(2).get(row).unwrap_or_default() } else { "" };
        let (Some(precision), unit) = (precision, unit(name, Code::ValueOutOfRange)?) else { return Ok(None) };
        Ok(Some(with_unit(sizes.get(row), precision.clamp(0, MAX_PRECISION), unit)))
    })
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the precision is between 0 and 17")]
fn with_unit(size: f64, precision: i64, unit: Option<usize>) -> String {
    let (mut number, mut fitting) = (size, 0);
    while unit.map_or(number.abs() >= STEP && fitting + 1 < UNITS.len(), |unit| fitting < unit) {
        number /= STEP;
        fitting += 1;
    }
    let digits = format!("{number:.*}", precision as usize);
    let digits = if digits.contains('.') { digits.trim_end_matches('0').trim_end_matches('.') } else { &digits };
    format!("{digits} {}", UNITS[fitting])
}

#[cfg(test)]
mod tests {
    use super::with_unit;

    #[test]
    fn sizes() {
        assert_eq!(with_unit(20_010_332.0, 0, None), "19 MB");
        assert_eq!(with_unit(20_010_332.0, 2, None), "19.08 MB");
        assert_eq!(with_unit(1024.0, 2, None), "1 KB");
        assert_eq!(with_unit(-2048.0, 0, None), "-2 KB");
        assert_eq!(with_unit(1e30, 0, None), "867361737988 EB");
        assert_eq!(with_unit(512.0, 1, Some(1)), "0.5 KB");
    }
}
