//! Results as text: how all suites write and compare rows.

use coldcase::engine::QueryResult;
use coldcase::types::{Type, Value};
use serde_json::value::RawValue;

/// The relative tolerance of reals: the order of additions affects the last bits.
const TOLERANCE: f64 = 1e-12;

/// One JSON array per row.
pub fn rows(result: &QueryResult) -> Vec<String> {
    let mut rows = Vec::new();
    for batch in &result.batches {
        for row in 0..batch.rows() {
            let cells: Vec<String> = batch.columns().iter().map(|column| cell(&column.value(row))).collect();
            rows.push(format!("[{}]", cells.join(",")));
        }
    }
    rows
}

/// A value in the format of the service: numbers and booleans bare, dynamic as compact JSON, anything else as a string.
pub fn cell(value: &Value) -> String {
    match value {
        Value::Null(_) => "null".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Int(_) | Value::Long(_) => value.to_text(),
        Value::Real(number) if number.is_finite() => value.to_text(),
        Value::Real(number) if number.is_nan() => quoted("NaN"),
        Value::Real(number) => quoted(if *number > 0.0 { "Infinity" } else { "-Infinity" }),
        // A string inside a dynamic is already JSON; everything else is made compact.
        Value::Dynamic(json) if json.trim_start().starts_with('"') => json.trim().to_owned(),
        Value::Dynamic(_) => value.to_text(),
        Value::Decimal(_) | Value::String(_) | Value::Guid(_) | Value::Datetime(_) | Value::Timespan(_) => {
            quoted(&value.to_text())
        }
    }
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// True if two rows are equal: strings, numbers and key order exactly, reals within [`TOLERANCE`].
pub fn same_row(types: &[Type], expected: &str, actual: &str) -> bool {
    if expected == actual {
        return true;
    }
    let (Some(expected), Some(actual)) = (cells(expected), cells(actual)) else { return false };
    let mut pairs = types.iter().zip(expected.iter().zip(&actual));
    let whole = expected.len() == types.len() && actual.len() == types.len();
    whole && pairs.all(|(ty, (expected, actual))| same_cell(*ty, expected.get(), actual.get()))
}

fn same_cell(ty: Type, expected: &str, actual: &str) -> bool {
    match (ty, expected.parse(), actual.parse()) {
        (Type::Real, Ok(expected), Ok(actual)) => near(expected, actual),
        _ => expected == actual,
    }
}

fn cells(row: &str) -> Option<Vec<Box<RawValue>>> {
    serde_json::from_str(row).ok()
}

fn near(expected: f64, actual: f64) -> bool {
    (expected - actual).abs() <= TOLERANCE * expected.abs().max(actual.abs())
}
