//! Extracts the values at paths from dynamic columns, once per distinct value if the column is dictionary-encoded.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, DictionaryArray, StringArray, StringBuilder, StringViewBuilder};
use arrow::datatypes::Int32Type;

use super::dynamic::{Path, PathLookup};
use super::{Column, Type, Value};

/// Returns the value at `path` in each row of a dynamic column; null if there is none or it is JSON `null`.
#[must_use]
pub fn extract_column(column: &Column, path: &Path) -> Column {
    extract_looked_up(column, &PathLookup::new(path))
}

fn extract_looked_up(column: &Column, path: &PathLookup) -> Column {
    if let Some(value) = column.as_constant() {
        let found = match value {
            Value::Dynamic(json) => path.find(json).map_or(Value::Null(Type::Dynamic), Value::dynamic),
            _ => Value::Null(Type::Dynamic),
        };
        return Column::constant(found, column.rows());
    }
    let array = column.to_array();
    let extracted = match array.as_any().downcast_ref::<DictionaryArray<Int32Type>>() {
        Some(dictionary) => extract_dictionary(dictionary, path),
        None => extract_rows(column, path),
    };
    Column::array(Type::Dynamic, extracted)
}

/// Extracts the values at one path from one batch after the other. The result for a dictionary is cached, because the
/// next batch may have the same dictionary.
#[derive(Debug)]
pub struct Extractor {
    path: Path,
    lookup: PathLookup,
    last: Option<(ArrayRef, ArrayRef)>,
}

impl Extractor {
    /// Creates an extractor for `path`.
    #[must_use]
    pub fn new(path: Path) -> Self {
        let lookup = PathLookup::new(&path);
        Self { path, lookup, last: None }
    }

    /// Returns the path that is extracted.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Like [`extract_column`], with the cached result if the dictionary is that of the last call.
    pub fn extract(&mut self, column: &Column) -> Column {
        let dictionary =
            column.as_array().and_then(|array| array.as_any().downcast_ref::<DictionaryArray<Int32Type>>());
        let Some(dictionary) = dictionary else { return extract_looked_up(column, &self.lookup) };
        let known = self.last.take().filter(|(values, _)| Arc::ptr_eq(values, dictionary.values()));
        let known = known.or_else(|| {
            let texts = dictionary.values().as_any().downcast_ref::<StringArray>()?;
            Some((Arc::clone(dictionary.values()), extract_texts(texts, &self.lookup)))
        });
        let Some((values, found)) = known else { return extract_looked_up(column, &self.lookup) };
        let extracted = dictionary.with_values(Arc::clone(&found));
        self.last = Some((values, found));
        Column::array(Type::Dynamic, Arc::new(extracted))
    }
}

fn found<'a>(json: Option<&'a str>, path: &PathLookup) -> Option<&'a str> {
    json.and_then(|json| path.find(json)).filter(|json| *json != "null")
}

fn extract_rows(column: &Column, path: &PathLookup) -> ArrayRef {
    let mut builder = StringViewBuilder::with_capacity(column.rows());
    for row in 0..column.rows() {
        builder.append_option(found(column.text_at(row), path));
    }
    Arc::new(builder.finish())
}

fn extract_dictionary(dictionary: &DictionaryArray<Int32Type>, path: &PathLookup) -> ArrayRef {
    let Some(values) = dictionary.values().as_any().downcast_ref::<StringArray>() else {
        return arrow::array::new_null_array(&Type::Dynamic.arrow(), dictionary.len());
    };
    Arc::new(dictionary.with_values(extract_texts(values, path)))
}

fn extract_texts(texts: &StringArray, path: &PathLookup) -> ArrayRef {
    let mut builder = StringBuilder::new();
    for json in texts {
        builder.append_option(found(json, path));
    }
    Arc::new(builder.finish())
}
