//! `==` and `!=`: defined for all comparable pairs of types, and never null if just one side is null.

use arrow::array::{ArrayRef, BooleanArray, Datum, Scalar, StringViewArray};
use arrow::buffer::BooleanBuffer;
use arrow::compute::kernels::cmp;

use super::json_number::Number;
use super::{DATETIME, GUID, NUMBER_OR_BOOL, TEXT, TIMESPAN, left, right};
use crate::diagnostic::{Error, Result};
use crate::functions::docs::{Category, Example};
use crate::functions::operand::{decimals, integers, reals, valid_rows};
use crate::functions::signature::{Accepts, Kernel, Nulls, Overload, Param, Returns};
use crate::functions::{Args, ScalarFunction};
use crate::types::{Column, Type, Value, datetime, dynamic, guid, timespan};

/// The operators `==` and `!=`.
pub(super) static OPERATORS: &[ScalarFunction] = &[
    ScalarFunction {
        name: "==",
        category: Category::Operator,
        summary: "True if both sides are equal; a string equals a number if it spells that number.",
        overloads: EQUAL,
        examples: &[
            Example::new("1 == 1.0", "true"),
            Example::new("datetime(2024-01-01) == datetime(2024-01-02)", "false"),
            Example::new("1d == 24h", "true"),
            Example::new(
                "guid(74be27de-1e4e-49d9-b579-fe0b331d3642) == guid(74be27de-1e4e-49d9-b579-fe0b331d3642)",
                "true",
            ),
            Example::new("'a' == 'A'", "false"),
            Example::new("'0' == 0", "true"),
            Example::new("0 == '0'", "true"),
            Example::new("int(null) == 1", "false"),
            Example::new("int(null) == int(null)", "bool(null)"),
        ],
        nulls: Nulls::Handled,
        ..ScalarFunction::DEFAULT
    },
    ScalarFunction {
        name: "!=",
        category: Category::Operator,
        summary: "True if the sides differ, or if exactly one of them is null.",
        overloads: NOT_EQUAL,
        examples: &[
            Example::new("1 != 1.0", "false"),
            Example::new("datetime(2024-01-01) != datetime(2024-01-02)", "true"),
            Example::new("1d != 24h", "false"),
            Example::new(
                "guid(74be27de-1e4e-49d9-b579-fe0b331d3642) != guid(74be27de-1e4e-49d9-b579-fe0b331d3642)",
                "false",
            ),
            Example::new("'a' != 'A'", "true"),
            Example::new("'0' != 50126", "true"),
            Example::new("0 != '0'", "false"),
            Example::new("int(null) != 1", "true"),
            Example::new("int(null) != int(null)", "bool(null)"),
        ],
        nulls: Nulls::Handled,
        ..ScalarFunction::DEFAULT
    },
];

static EQUAL: &[Overload] = &overloads(|args| equality(args, false));
static NOT_EQUAL: &[Overload] = &overloads(|args| equality(args, true));

/// The operands, by type. The analyzer accepts any two types; only pairs that can be equal are defined here.
static PAIRS: [[Param; 2]; 6] = [
    [left(NUMBER_OR_BOOL), right(NUMBER_OR_BOOL)],
    [left(DATETIME), right(DATETIME)],
    [left(TIMESPAN), right(TIMESPAN)],
    [left(GUID), right(GUID)],
    [left(TEXT), right(Accepts::Any)],
    [left(Accepts::Any), right(TEXT)],
];

const fn overloads(kernel: Kernel) -> [Overload; 6] {
    let returns = Returns::Type(Type::Bool);
    [
        Overload { params: &PAIRS[0], returns, kernel },
        Overload { params: &PAIRS[1], returns, kernel },
        Overload { params: &PAIRS[2], returns, kernel },
        Overload { params: &PAIRS[3], returns, kernel },
        Overload { params: &PAIRS[4], returns, kernel },
        Overload { params: &PAIRS[5], returns, kernel },
    ]
}

fn equality(args: &Args<'_>, negated: bool) -> Result<Column> {
    let (values, valid) = equal_columns(args.column(0), args.column(1), args.distinct_rows())?;
    Ok(args.truths(if negated { !&values } else { values }, valid))
}

/// Returns two masks: the rows in which `left` equals `right`, and the rows whose result is not null (None if all). The
/// result is null only if both sides are null; a null on one side only is a difference. Source: results of the engine;
/// the reference's page on null values agrees except for two nulls.
pub(super) fn equal_columns(
    left: &Column,
    right: &Column,
    rows: usize,
) -> Result<(BooleanBuffer, Option<BooleanBuffer>)> {
    let same = same_values(left, right, rows)?;
    let (left_valid, right_valid) = (valid_texts(left, right, rows), valid_texts(right, left, rows));
    Ok(match (left_valid, right_valid) {
        (None, None) => (same, None),
        (Some(valid), None) | (None, Some(valid)) => (&same & &valid, None),
        (Some(a), Some(b)) => (&(&same & &a) & &b, Some(&a | &b)),
    })
}

/// Marks the rows of `column` that are not null, None if all. A dynamic null that is compared with a string counts as
/// the empty string.
fn valid_texts(column: &Column, other: &Column, rows: usize) -> Option<BooleanBuffer> {
    let empty_text = column.ty() == Type::Dynamic && other.ty() == Type::String;
    if empty_text { None } else { valid_rows(column, rows) }
}

/// Marks the rows with equal values; rows with a null are undefined.
#[expect(clippy::float_cmp, reason = "the language compares reals exactly")]
fn same_values(left: &Column, right: &Column, rows: usize) -> Result<BooleanBuffer> {
    use Type::{Bool, Datetime, Decimal, Dynamic, Guid, Int, Long, Real, String, Timespan};
    match (left.ty(), right.ty()) {
        (Real, Bool | Int | Long | Real | Decimal) | (Bool | Int | Long | Decimal, Real) => {
            Ok(reals(left).pairwise(&reals(right), rows, |a, b| a == b))
        }
        (Decimal, Bool | Int | Long | Decimal) | (Bool | Int | Long, Decimal) => {
            Ok(decimals(left).pairwise(&decimals(right), rows, |a, b| a == b))
        }
        (Bool | Int | Long, Bool | Int | Long) | (Datetime, Datetime) | (Timespan, Timespan) => {
            Ok(integers(left).pairwise(&integers(right), rows, |a, b| a == b))
        }
        (String, String) => same_texts(left, right, rows),
        (Guid, Guid) => Ok(BooleanBuffer::collect_bool(rows, |row| left.bytes_at(row) == right.bytes_at(row))),
        (Dynamic, _) => Ok(same_as_json(left, right, rows)),
        (_, Dynamic) => Ok(same_as_json(right, left, rows)),
        (String, _) => same_as_text(left, right, rows),
        (_, String) => same_as_text(right, left, rows),
        (a, b) => Err(Error::internal(format!("{a} == {b} is not defined"))),
    }
}

/// Marks the rows with equal strings. Arrow compares lengths and prefixes of views before the strings themselves.
fn same_texts(left: &Column, right: &Column, rows: usize) -> Result<BooleanBuffer> {
    let (a, b) = (text_datum(left), text_datum(right));
    let same: BooleanArray = cmp::eq(a.as_ref(), b.as_ref())?;
    let values = same.values();
    // Two scalars are compared once.
    Ok(if values.len() == rows { values.clone() } else { BooleanBuffer::collect_bool(rows, |_| values.value(0)) })
}

fn text_datum(column: &Column) -> Box<dyn Datum> {
    match column.as_array() {
        Some(array) => Box::new(ArrayRef::clone(array)),
        None => Box::new(scalar(column.text_at(0).unwrap_or(""))),
    }
}

fn scalar(text: &str) -> Scalar<StringViewArray> {
    StringViewArray::new_scalar(text)
}

/// Marks the rows in which a string column equals a column of another type, which is not dynamic.
fn same_as_text(text: &Column, other: &Column, rows: usize) -> Result<BooleanBuffer> {
    match other.as_constant() {
        // Converted to string once, then compared as strings.
        Some(value) if value.ty().is_numeric() && !value.is_null() => {
            same_texts(text, &Column::constant(Value::string(value.to_text()), rows), rows)
        }
        Some(value) => Ok(BooleanBuffer::collect_bool(rows, |row| text_is(text.text_at(row).unwrap_or(""), value))),
        None => {
            Ok(BooleanBuffer::collect_bool(rows, |row| text_is(text.text_at(row).unwrap_or(""), &other.value(row))))
        }
    }
}

/// Marks the rows in which a dynamic column equals a column of any type. A null that is compared with a string is the
/// empty string.
fn same_as_json(json: &Column, other: &Column, rows: usize) -> BooleanBuffer {
    if other.ty().is_text() {
        let same = |row| match (json.text_at(row), other.text_at(row)) {
            (Some(json), Some(text)) if other.ty() == Type::String => dynamic::to_text(json) == text,
            (None, Some(text)) if other.ty() == Type::String => text.is_empty(),
            (Some(a), Some(b)) => same_json(a, b),
            _ => false,
        };
        return BooleanBuffer::collect_bool(rows, same);
    }
    let same = |row| json.text_at(row).is_some_and(|json| json_is(json, &other.value(row)));
    BooleanBuffer::collect_bool(rows, same)
}

/// True if `left` equals `right`; None if both are null. It applies the rule of [`equal_columns`] to one row.
pub(super) fn equal_values(left: &Value, right: &Value) -> Option<bool> {
    match (left, right) {
        (Value::Null(Type::Dynamic), Value::String(text)) | (Value::String(text), Value::Null(Type::Dynamic)) => {
            Some(text.is_empty())
        }
        (Value::Null(_), Value::Null(_)) => None,
        (Value::Null(_), _) | (_, Value::Null(_)) => Some(false),
        (Value::String(a), Value::String(b)) => Some(a == b),
        (Value::Dynamic(a), Value::Dynamic(b)) => Some(same_json(a, b)),
        (Value::Dynamic(json), other) | (other, Value::Dynamic(json)) => Some(json_is(json, other)),
        (Value::String(text), other) | (other, Value::String(text)) => Some(text_is(text, other)),
        _ => Some(match (Number::from_value(left), Number::from_value(right)) {
            (Some(a), Some(b)) => a == b,
            _ => left == right,
        }),
    }
}

/// True if a string equals a non-null value of another type. It is compared with a number as a string, and parsed for
/// any other type.
fn text_is(text: &str, value: &Value) -> bool {
    match value {
        Value::Bool(truth) => text.eq_ignore_ascii_case(if *truth { "true" } else { "false" }),
        Value::Datetime(ticks) => datetime::parse(text) == Some(*ticks),
        Value::Timespan(ticks) => timespan::parse(text) == Some(*ticks),
        Value::Guid(bytes) => guid::parse(text) == Some(*bytes),
        Value::Null(_) => false,
        other => text == other.to_text(),
    }
}

/// True if a dynamic equals a value; neither of them may be null.
fn json_is(json: &str, value: &Value) -> bool {
    match (dynamic::kind(json), value) {
        (_, Value::String(text)) => dynamic::to_text(json) == **text,
        (_, Value::Dynamic(other)) => same_json(json, other),
        (dynamic::Kind::String, value) => text_is(&dynamic::to_text(json), value),
        (dynamic::Kind::Bool, value) => {
            let truth = Number::Long(i64::from(json.trim_ascii() == "true"));
            Number::from_value(value) == Some(truth)
        }
        // A dynamic literal stores a timespan as its ticks.
        (dynamic::Kind::Long, Value::Timespan(ticks)) => json.trim_ascii().parse() == Ok(*ticks),
        (dynamic::Kind::Long | dynamic::Kind::Double, value) => {
            let number = Number::from_json(json);
            number.is_some() && number == Number::from_value(value)
        }
        (dynamic::Kind::Null | dynamic::Kind::Array | dynamic::Kind::Bag, _) => false,
    }
}

/// True if two non-null dynamics are equal: numbers by value, strings unescaped, bags regardless of the order of their
/// keys.
fn same_json(a: &str, b: &str) -> bool {
    match (Number::from_json(a), Number::from_json(b)) {
        (Some(a), Some(b)) => a == b,
        (None, None) => a == b || dynamic::canonical(a) == dynamic::canonical(b),
        _ => false,
    }
}
