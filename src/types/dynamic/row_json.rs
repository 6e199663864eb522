//! Values and rows of results as JSON, for alerts and timelines.

use serde_json::{Map, Value as Json};

use crate::types::{Batch, Schema, Value};

/// Returns the value as JSON: numbers and truth values as such, dynamic as it is, and everything else as a string.
#[must_use]
pub fn value_json(value: &Value) -> Json {
    match value {
        Value::Null(_) => Json::Null,
        Value::Bool(value) => Json::Bool(*value),
        Value::Int(number) => Json::from(*number),
        Value::Long(number) => Json::from(*number),
        Value::Real(number) => serde_json::Number::from_f64(*number).map_or(Json::Null, Json::Number),
        Value::Dynamic(text) => serde_json::from_str(text).unwrap_or_else(|_| Json::String(text.to_string())),
        other => Json::String(other.to_text()),
    }
}

/// Returns the row as an object, without columns that are null or empty.
#[must_use]
pub fn row_json(schema: &Schema, batch: &Batch, row: usize) -> Json {
    let cells = schema.fields().iter().enumerate().map(|(index, field)| (field, batch.column(index).value(row)));
    let cells = cells.filter(|(_, value)| !value.is_null() && value.as_str() != Some(""));
    Json::Object(cells.map(|(field, value)| (field.name.clone(), value_json(&value))).collect::<Map<_, _>>())
}
