//! Runs the examples in the registry of functions, so that the documentation shows what the engine really returns.

use std::sync::Arc;

use super::{Engine, Settings};
use crate::functions::operator::operators;
use crate::functions::plugin::plugins;
use crate::functions::{Example, aggregate_functions, scalar_functions, special_forms};
use crate::scan::{Catalog, MemoryTable, TableProvider, Watchlist};
use crate::types::{Batch, ColumnBuilder, Field, Schema, Type, Value, datetime};

/// A catalog that has only the watchlist that an example reads.
#[derive(Debug)]
struct ExampleCatalog;

impl Catalog for ExampleCatalog {
    fn table(&self, _: &str) -> crate::diagnostic::Result<Option<Arc<dyn TableProvider>>> {
        Ok(None)
    }

    fn names(&self) -> Vec<String> {
        Vec::new()
    }

    fn watchlist(&self, alias: &str) -> crate::diagnostic::Result<Option<Watchlist>> {
        let mut keys = ColumnBuilder::new(Type::String);
        keys.append_text("ann@contoso.com");
        let schema = Schema::new([Field::new("SearchKey", Type::String)]);
        let table = MemoryTable::new(schema, vec![Batch::new(vec![keys.finish()], 1)]);
        Ok((alias == "HighValueUsers").then(|| Watchlist { table: Arc::new(table), search_key: None }))
    }
}

/// Returns the first cell of the only row of a query's result; an error if there is not exactly one row.
fn cell(engine: &Engine, query: &str) -> Result<Value, String> {
    let result = engine.query(query).map_err(|error| error.to_string())?;
    let rows: usize = result.batches.iter().map(|batch| batch.rows()).sum();
    if rows != 1 || result.schema.is_empty() {
        return Err(format!("{rows} rows of {} columns", result.schema.len()));
    }
    let batch = result.batches.iter().find(|batch| batch.rows() == 1).ok_or("no batch")?;
    Ok(batch.column(0).value(0))
}

/// Describes how the result of an example differs from its answer, which is a string or a literal of the same type;
/// None if they are equal.
fn complaint(engine: &Engine, query: &str, example: &Example) -> Option<String> {
    match cell(engine, query) {
        Ok(value) if value.to_text() == example.answer => None,
        Ok(value) if cell(engine, &format!("print {}", example.answer)).as_ref() == Ok(&value) => None,
        Ok(value) => Some(format!("{} returns {value:?}, not {}", example.query, example.answer)),
        Err(error) => Some(format!("{}: {error}", example.query)),
    }
}

#[test]
fn every_entry_has_examples_that_run() {
    let engine = Engine::new(Arc::new(ExampleCatalog), Settings::new(datetime::UNIX_EPOCH));
    // A single column is given a name; several columns have names of their own.
    let before = |columns: usize| if columns == 1 { "print Answer = " } else { "print " };
    let scalars = scalar_functions().chain(operators());
    let scalars = scalars.map(|function| (function.name, function.examples, before(function.columns.len())));
    let aggregates = aggregate_functions().map(|function| (function.name, function.examples, ""));
    let special = special_forms().map(|form| (form.name, form.examples, ""));
    let mut complaints = Vec::new();
    let plugins = plugins().map(|plugin| (plugin.name, plugin.examples, ""));
    for (name, examples, before) in scalars.chain(aggregates).chain(special).chain(plugins) {
        if examples.is_empty() {
            complaints.push(format!("{name} has no example"));
        }
        complaints.extend(
            examples.iter().filter_map(|example| complaint(&engine, &format!("{before}{}", example.query), example)),
        );
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}
