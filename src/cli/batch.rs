//! `coldcase batch`: many queries in one process, JSON Lines in and out.

use std::io::{BufRead, Write};
use std::sync::Arc;

use serde_json::{Map, Value as Json, json};

use crate::diagnostic::Result;
use crate::engine::{Engine, QueryResult, Settings};
use crate::source::{Catalog, MemoryCatalog};
use crate::types::{Type, Value, datetime, timespan};

/// Answers each line `{"id", "query"}` of `input` with `{"id", "columns", "rows"}` or `{"id", "error"}`.
pub fn run(input: impl BufRead, output: &mut impl Write, now: i64) -> std::io::Result<()> {
    let catalog: Arc<dyn Catalog> = Arc::new(MemoryCatalog::default());
    let engine = Engine::new(catalog, Settings::new(now));
    for line in input.lines() {
        let line = line?;
        let Ok(request) = serde_json::from_str::<Json>(&line) else { continue };
        let mut answer = Map::new();
        answer.insert("id".to_owned(), request["id"].clone());
        let text = request["query"].as_str().unwrap_or("");
        match engine.query(text).and_then(|result| rows(&result)) {
            Ok((columns, rows)) => {
                answer.insert("columns".to_owned(), columns);
                answer.insert("rows".to_owned(), rows);
            }
            Err(error) => {
                answer.insert("error".to_owned(), Json::String(error.to_string()));
            }
        }
        writeln!(output, "{}", Json::Object(answer))?;
    }
    Ok(())
}

fn rows(result: &QueryResult) -> Result<(Json, Json)> {
    let columns = result.schema.fields().iter().map(|f| json!({"name": f.name, "type": f.ty.name()})).collect();
    let mut rows = Vec::new();
    for batch in &result.batches {
        for row in 0..batch.rows() {
            rows.push(Json::Array(batch.columns().iter().map(|column| cell(&column.value(row))).collect()));
        }
    }
    Ok((Json::Array(columns), Json::Array(rows)))
}

fn cell(value: &Value) -> Json {
    match value {
        Value::Null(_) => Json::Null,
        Value::Bool(b) => Json::Bool(*b),
        Value::Int(n) => json!(n),
        Value::Long(n) => json!(n),
        Value::Real(n) if n.is_nan() => json!("NaN"),
        Value::Real(n) if n.is_infinite() => json!(if *n > 0.0 { "Infinity" } else { "-Infinity" }),
        Value::Real(n) => json!(n),
        Value::Dynamic(text) => serde_json::from_str(text).unwrap_or_else(|_| Json::String(text.to_string())),
        Value::Datetime(ticks) => Json::String(datetime::to_text(*ticks)),
        Value::Timespan(ticks) => Json::String(timespan::to_text(*ticks)),
        other => {
            debug_assert!(other.ty() != Type::Dynamic);
            Json::String(other.to_text())
        }
    }
}
