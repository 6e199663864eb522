//! Computes operations on dictionaries of long strings once for each entry, not once for each batch.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, DictionaryArray, Int32Array, StringArray};
use arrow::compute;
use arrow::datatypes::{DataType, Int32Type};

use crate::diagnostic::{Error, Result};
use crate::functions::entry_cache::{EntryCache, EntryKey, EntryOperation, EntryResults};
use crate::types::dictionary::{has_long_strings, spread};
use crate::types::{Column, Type};

/// The dictionary of a column, if its strings are long.
#[derive(Clone, Copy, Debug)]
pub(super) struct LongEntries<'a> {
    ty: Type,
    dictionary: &'a DictionaryArray<Int32Type>,
}

impl<'a> LongEntries<'a> {
    /// Returns the dictionary of `column`; None if it has none, or if its strings are not long.
    pub(super) fn of(column: &'a Column) -> Option<Self> {
        let dictionary = column.as_array()?.as_dictionary_opt::<Int32Type>()?;
        has_long_strings(dictionary.values().as_string_opt()?).then_some(Self { ty: column.ty(), dictionary })
    }

    /// Returns the result of `operation` for each row; `compute` computes it for a column of the entries. Returns None
    /// if it cannot be computed for all entries: the rows may not have all of them.
    pub(super) fn result(
        self,
        operation: EntryOperation,
        to: Type,
        cache: &EntryCache,
        compute: impl FnOnce(&Column) -> Result<Column>,
    ) -> Option<Result<Column>> {
        let (dictionary, entries) = (self.dictionary, self.dictionary.values());
        let with_null = dictionary.keys().null_count() > 0;
        let key = EntryKey { operation, from: self.ty, to, with_null };
        let results = match cache.get(&key, entries) {
            Some(known) => known,
            None => {
                let column = compute(&entries_with_null(self.ty, entries, with_null).ok()?).ok()?;
                let results = entry_results(column).ok()?;
                cache.add(key, entries, &results);
                results
            }
        };
        Some(keys_with_null(dictionary).and_then(|keys| results_of_rows(results, to, keys)))
    }
}

fn entry_results(column: Column) -> Result<EntryResults> {
    Ok(match column.as_array() {
        Some(array) if column.ty().is_text() => EntryResults::Texts(compute::cast(array, &DataType::Utf8)?),
        _ => EntryResults::Values(column),
    })
}

/// Returns the result of type `ty` for each row: that of the entry at the row's key.
fn results_of_rows(results: EntryResults, ty: Type, keys: Int32Array) -> Result<Column> {
    match results {
        EntryResults::Texts(texts) => Ok(Column::array(ty, Arc::new(DictionaryArray::try_new(keys, texts)?))),
        EntryResults::Values(values) => spread(&values, &keys),
    }
}

/// Returns the entries of a dictionary as a plain column, followed by a null if `with_null`.
pub(super) fn entries_with_null(ty: Type, entries: &ArrayRef, with_null: bool) -> Result<Column> {
    let null: ArrayRef = Arc::new(StringArray::new_null(1));
    let extended = if with_null { &compute::concat(&[entries.as_ref(), null.as_ref()])? } else { entries };
    Ok(Column::array(ty, compute::cast(extended, &DataType::Utf8View)?))
}

/// Returns the position of the entry of each row; null is after the entries.
pub(super) fn keys_with_null(dictionary: &DictionaryArray<Int32Type>) -> Result<Int32Array> {
    if dictionary.keys().null_count() == 0 {
        return Ok(dictionary.keys().clone());
    }
    let null = dictionary.values().len();
    let null = i32::try_from(null).map_err(|_| Error::internal("a dictionary has at most 2^31 values"))?;
    Ok(dictionary.keys().iter().map(|key| Some(key.unwrap_or(null))).collect())
}
