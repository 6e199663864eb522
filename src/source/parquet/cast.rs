//! One value of a file -> the table's type, where the two differ.

use crate::types::{Type, Value, datetime, decimal, guid, number, timespan};

/// `value` as a `target`; None where it has no counterpart, and for null.
pub(super) fn cast(value: &Value, target: Type) -> Option<Value> {
    match (value, target) {
        (Value::Null(_), _) => None,
        (Value::String(text), _) => parse(text, target),
        (_, Type::String) => Some(Value::string(value.to_text())),
        (_, Type::Dynamic) => Some(Value::dynamic(to_json(value))),
        (Value::Bool(flag), Type::Int) => Some(Value::Int(i32::from(*flag))),
        (Value::Bool(flag), Type::Long) => Some(Value::Long(i64::from(*flag))),
        (Value::Int(_) | Value::Long(_), _) => from_whole(value.as_i64()?, target),
        (Value::Real(number), _) => from_real(*number, target),
        (Value::Decimal(number), Type::Real) => Some(Value::Real(decimal::to_real(*number))),
        (Value::Decimal(number), Type::Long) if number.is_integer() => decimal::to_long(*number).ok().map(Value::Long),
        (Value::Decimal(number), Type::Int) if number.is_integer() => decimal::to_int(*number).ok().map(Value::Int),
        _ => None,
    }
}

/// What a text is as a `target`, by the language's own conversions; None where it is none, and for "".
pub(super) fn parse(text: &str, target: Type) -> Option<Value> {
    match target {
        Type::String => Some(Value::string(text)),
        _ if text.is_empty() => None,
        Type::Bool => number::parse_bool(text).map(Value::Bool),
        Type::Int => number::parse_int(text).map(Value::Int),
        Type::Long => number::parse_long(text).map(Value::Long),
        Type::Real => number::parse_real(text).map(Value::Real),
        Type::Decimal => decimal::parse(text).ok().flatten().map(Value::Decimal),
        Type::Datetime => datetime::parse(text).map(Value::Datetime),
        Type::Timespan => timespan::parse(text).map(Value::Timespan),
        Type::Guid => guid::parse(text).map(Value::Guid),
        Type::Dynamic => Some(Value::dynamic(super::text::as_json(text)?)),
    }
}

/// A whole number as another kind of number, where it is the same number. A count of unknown units is no datetime.
fn from_whole(whole: i64, target: Type) -> Option<Value> {
    match target {
        Type::Bool => Some(Value::Bool(whole != 0)),
        Type::Int => i32::try_from(whole).ok().map(Value::Int),
        Type::Long => Some(Value::Long(whole)),
        Type::Real => Some(Value::Real(number::long_to_real(whole))),
        Type::Decimal => Some(Value::Decimal(whole.into())),
        Type::Timespan => Some(Value::Timespan(whole)),
        _ => None,
    }
}

/// A real as another kind of number, where it is the same number: loaders widen columns of whole numbers to reals
/// as soon as one of them is missing.
fn from_real(real: f64, target: Type) -> Option<Value> {
    let whole = number::real_to_long(real).filter(|&whole| same(whole, real));
    match target {
        Type::Int | Type::Long | Type::Bool => from_whole(whole?, target),
        Type::Decimal => decimal::from_real(real).ok().flatten().map(Value::Decimal),
        _ => None,
    }
}

#[expect(clippy::float_cmp, reason = "the question is whether it is exactly that number")]
fn same(whole: i64, real: f64) -> bool {
    number::long_to_real(whole) == real && whole < i64::MAX
}

/// The JSON text of a value that is not null.
pub(super) fn to_json(value: &Value) -> String {
    match value {
        Value::Bool(flag) => flag.to_string(),
        Value::Int(_) | Value::Long(_) | Value::Decimal(_) => value.to_text(),
        Value::Real(number) if number.is_finite() => value.to_text(),
        Value::Dynamic(json) => json.to_string(),
        Value::Null(_) => "null".to_owned(),
        _ => quote(&value.to_text()),
    }
}

/// `text` as a JSON string.
pub(super) fn quote(text: &str) -> String {
    let mut json = String::with_capacity(text.len() + 2);
    write_quoted(text, &mut json);
    json
}

/// Appends `text` as a JSON string.
pub(super) fn write_quoted(text: &str, json: &mut String) {
    json.push('"');
    for c in text.chars() {
        match c {
            '"' => json.push_str("\\\""),
            '\\' => json.push_str("\\\\"),
            '\n' => json.push_str("\\n"),
            '\r' => json.push_str("\\r"),
            '\t' => json.push_str("\\t"),
            c if c < ' ' => json.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => json.push(c),
        }
    }
    json.push('"');
}
