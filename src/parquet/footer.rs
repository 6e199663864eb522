//! The metadata that this program writes into the footers of Parquet files and reads back.
//!
//! Parquet lacks some types of KQL, and a file does not state which table it contains. The footer states both, so
//! that an archive has exactly the columns of its original. Files of other programs have no such metadata.

use parquet::file::metadata::ParquetMetaData;
use serde_json::Value as Json;

use crate::types::dynamic::{ArrayWriter, BagWriter};
use crate::types::{Schema, Type};

/// The key of the columns: a JSON array of names and KQL types.
pub const SCHEMA_KEY: &str = "kql.schema";
/// The key of the name of the table whose rows the file has, if `convert` wrote it as a part of an archive.
pub const TABLE_KEY: &str = "coldcase.table";
/// The key of the version of this program, in a file that it wrote as a query result. Such a file is not evidence.
pub const ANSWER_KEY: &str = "coldcase.answer";

/// Returns the columns as JSON: the value of [`SCHEMA_KEY`].
#[must_use]
pub fn columns_as_json(schema: &Schema) -> String {
    let mut columns = ArrayWriter::new();
    for field in schema.fields() {
        let mut column = BagWriter::new();
        column.push_text("name", &field.name);
        column.push_text("type", field.ty.name());
        columns.push_json(&column.finish());
    }
    columns.finish()
}

/// Returns the value of a key in the footer; None if it is missing.
pub(super) fn value<'a>(metadata: &'a ParquetMetaData, key: &str) -> Option<&'a str> {
    let pairs = metadata.file_metadata().key_value_metadata()?;
    pairs.iter().find(|pair| pair.key == key)?.value.as_deref()
}

/// Returns the columns and types that the footer states; empty if they are missing or invalid.
pub(super) fn columns(metadata: &ParquetMetaData) -> Vec<(String, Type)> {
    let parsed = value(metadata, SCHEMA_KEY).and_then(|text| serde_json::from_str(text).ok());
    let Some(Json::Array(columns)) = parsed else { return Vec::new() };
    let column =
        |column: &Json| Some((column["name"].as_str()?.to_owned(), Type::from_name(column["type"].as_str()?)?));
    columns.iter().filter_map(column).collect()
}
