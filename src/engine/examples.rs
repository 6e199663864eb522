//! Runs the examples of the registry: what the documentation prints is what the engine answers.

use std::sync::Arc;

use super::{Engine, Settings};
use crate::functions::operator::operators;
use crate::functions::{Example, aggregate_functions, scalar_functions};
use crate::source::MemoryCatalog;
use crate::types::{Value, datetime};

/// The first cell of the one row that a query answers.
fn cell(engine: &Engine, query: &str) -> Result<Value, String> {
    let result = engine.query(query).map_err(|error| error.to_string())?;
    let rows: usize = result.batches.iter().map(|batch| batch.rows()).sum();
    if rows != 1 || result.schema.is_empty() {
        return Err(format!("{rows} rows of {} columns", result.schema.len()));
    }
    let batch = result.batches.iter().find(|batch| batch.rows() == 1).ok_or("no batch")?;
    Ok(batch.column(0).value(0))
}

/// What is wrong with the example; the answer is a text, or a literal of the same value and type.
fn complaint(engine: &Engine, query: &str, example: &Example) -> Option<String> {
    match cell(engine, query) {
        Ok(value) if value.to_text() == example.answer => None,
        Ok(value) if cell(engine, &format!("print {}", example.answer)).as_ref() == Ok(&value) => None,
        Ok(value) => Some(format!("{} answers {value:?}, not {}", example.query, example.answer)),
        // An example may show a function together with one that is still to come.
        Err(error) if error.starts_with("KQL3002") => None,
        Err(error) => Some(format!("{}: {error}", example.query)),
    }
}

#[test]
fn every_entry_has_examples_that_run() {
    let engine = Engine::new(Arc::new(MemoryCatalog::default()), Settings::new(datetime::UNIX_EPOCH));
    // An answer that is several columns has names of its own, one that is a list of one column has none.
    let before = |columns: usize| if columns == 1 { "print Answer = " } else { "print " };
    let scalars = scalar_functions().chain(operators());
    let scalars = scalars.map(|function| (function.name, function.examples, before(function.columns.len())));
    let aggregates = aggregate_functions().map(|function| (function.name, function.examples, ""));
    let mut complaints = Vec::new();
    for (name, examples, before) in scalars.chain(aggregates) {
        if examples.is_empty() {
            complaints.push(format!("{name} has no example"));
        }
        complaints.extend(
            examples.iter().filter_map(|example| complaint(&engine, &format!("{before}{}", example.query), example)),
        );
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}
