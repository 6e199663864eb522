//! Builds dynamics as compact JSON.

use std::fmt::Write;

use super::{compact, quote};
use crate::types::column::decimal_from_bytes;
use crate::types::{Column, Type, Value, datetime, decimal, guid, number, timespan};

/// Appends `value` as a dynamic stores it, for example in `pack_array()`: a datetime, timespan, guid or decimal as a
/// string, a null as `null`, and a real that is infinite or NaN as its name in a string.
pub fn write_value(value: &Value, out: &mut String) {
    // Writing to a String cannot fail.
    match value {
        Value::Null(_) => out.push_str("null"),
        Value::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Value::Int(value) => out.push_str(&value.to_string()),
        Value::Long(value) => out.push_str(&value.to_string()),
        Value::Real(value) => write_real(*value, out),
        Value::Decimal(value) => quote(&decimal::to_text(*value), out),
        Value::String(text) => quote(text, out),
        Value::Datetime(ticks) => quoted(out, |out| _ = datetime::write_text(*ticks, out)),
        Value::Timespan(ticks) => quoted(out, |out| _ = timespan::write_text(*ticks, out)),
        Value::Guid(bytes) => quoted(out, |out| _ = guid::write_text(bytes, out)),
        Value::Dynamic(json) => out.push_str(&compact(json)),
    }
}

/// Appends row `row` of `column` as a dynamic stores it. The result equals that of [`write_value`], but no [`Value`] is
/// created.
pub fn write_row(column: &Column, row: usize, out: &mut String) {
    if let Some(value) = column.as_constant() {
        return write_value(value, out);
    }
    // Writing to a String cannot fail.
    let written = match column.ty() {
        Type::Bool => column.bool_at(row).map(|value| out.push_str(if value { "true" } else { "false" })),
        Type::Int | Type::Long => column.i64_at(row).map(|value| _ = write!(out, "{value}")),
        Type::Real => column.f64_at(row).map(|value| write_real(value, out)),
        Type::Decimal => column.bytes_at(row).map(|bytes| quote(&decimal::to_text(decimal_from_bytes(&bytes)), out)),
        Type::String => column.text_at(row).map(|text| quote(text, out)),
        Type::Datetime => column.i64_at(row).map(|ticks| quoted(out, |out| _ = datetime::write_text(ticks, out))),
        Type::Timespan => column.i64_at(row).map(|ticks| quoted(out, |out| _ = timespan::write_text(ticks, out))),
        Type::Guid => column.bytes_at(row).map(|bytes| quoted(out, |out| _ = guid::write_text(&bytes, out))),
        Type::Dynamic => column.text_at(row).map(|json| out.push_str(&compact(json))),
    };
    if written.is_none() {
        out.push_str("null");
    }
}

/// Appends a real. JSON has no numbers for NaN and infinity, so they become strings.
fn write_real(value: f64, out: &mut String) {
    if value.is_nan() {
        out.push_str("\"NaN\"");
    } else if value.is_infinite() {
        out.push_str(if value > 0.0 { "\"Infinity\"" } else { "\"-Infinity\"" });
    } else {
        _ = number::write_real(value, out);
    }
}

/// Appends a quoted string. `write` appends its content, which must not need escapes.
fn quoted(out: &mut String, write: impl FnOnce(&mut String)) {
    out.push('"');
    write(out);
    out.push('"');
}

/// Writes an array element by element.
#[derive(Debug)]
pub struct ArrayWriter {
    text: String,
}

impl Default for ArrayWriter {
    fn default() -> Self {
        Self::new()
    }
}

impl ArrayWriter {
    /// Creates an empty array.
    #[must_use]
    pub fn new() -> Self {
        Self { text: "[".to_owned() }
    }

    /// Appends an element that is already JSON.
    pub fn push_json(&mut self, json: &str) {
        self.separate();
        self.text.push_str(json);
    }

    /// Appends a string.
    pub fn push_text(&mut self, text: &str) {
        self.separate();
        quote(text, &mut self.text);
    }

    /// Appends `value` as a dynamic stores it.
    pub fn push(&mut self, value: &Value) {
        self.separate();
        write_value(value, &mut self.text);
    }

    fn separate(&mut self) {
        if self.text.len() > 1 {
            self.text.push(',');
        }
    }

    /// Returns the number of bytes written so far, for callers that must bound it.
    #[must_use]
    pub fn len(&self) -> usize {
        self.text.len()
    }

    /// True if there are no elements yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.text.len() == 1
    }

    /// Returns the JSON of the array.
    #[must_use]
    pub fn finish(mut self) -> String {
        self.text.push(']');
        self.text
    }
}

/// Writes a bag entry by entry. The caller ensures that keys are unique.
#[derive(Debug)]
pub struct BagWriter {
    text: String,
}

impl Default for BagWriter {
    fn default() -> Self {
        Self::new()
    }
}

impl BagWriter {
    /// Creates an empty bag.
    #[must_use]
    pub fn new() -> Self {
        Self { text: "{".to_owned() }
    }

    /// Appends an entry whose value is already JSON.
    pub fn push_json(&mut self, key: &str, json: &str) {
        self.key(key);
        self.text.push_str(json);
    }

    /// Appends an entry whose value is a string.
    pub fn push_text(&mut self, key: &str, text: &str) {
        self.key(key);
        quote(text, &mut self.text);
    }

    /// Appends an entry with `value` as a dynamic stores it.
    pub fn push(&mut self, key: &str, value: &Value) {
        self.key(key);
        write_value(value, &mut self.text);
    }

    fn key(&mut self, key: &str) {
        if self.text.len() > 1 {
            self.text.push(',');
        }
        quote(key, &mut self.text);
        self.text.push(':');
    }

    /// Returns the JSON of the bag.
    #[must_use]
    pub fn finish(mut self) -> String {
        self.text.push('}');
        self.text
    }
}

#[cfg(test)]
mod row_tests {
    use super::*;
    use crate::types::ColumnBuilder;

    #[test]
    fn a_row_is_written_like_its_value() {
        let decimal = decimal::parse("1.50").unwrap().unwrap();
        let values = [
            vec![Value::Bool(true), Value::Bool(false), Value::Null(Type::Bool)],
            vec![Value::Int(-3), Value::Null(Type::Int)],
            vec![Value::Long(i64::MIN), Value::Null(Type::Long)],
            vec![Value::Real(0.1), Value::Real(5.0), Value::Real(f64::NAN), Value::Real(f64::NEG_INFINITY)],
            vec![Value::Decimal(decimal), Value::Null(Type::Decimal)],
            vec![Value::string("a\"\u{1b}é"), Value::string("")],
            vec![Value::Datetime(0), Value::Null(Type::Datetime)],
            vec![Value::Timespan(-1), Value::Timespan(datetime::TICKS_PER_DAY)],
            vec![Value::Guid([7; 16]), Value::Null(Type::Guid)],
            vec![Value::dynamic("{\"a\": [1, 2]}"), Value::Null(Type::Dynamic)],
        ];
        for values in values {
            let mut builder = ColumnBuilder::new(values[0].ty());
            values.iter().for_each(|value| builder.append(value));
            let column = builder.finish();
            for (row, value) in values.iter().enumerate() {
                let (mut by_row, mut by_value, mut by_constant) = (String::new(), String::new(), String::new());
                write_row(&column, row, &mut by_row);
                write_value(value, &mut by_value);
                write_row(&Column::constant(value.clone(), 2), 1, &mut by_constant);
                assert_eq!((&by_row, &by_row), (&by_value, &by_constant));
            }
        }
    }
}
