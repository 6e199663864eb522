//! Remembers results for the entries of dictionaries of long strings.
//!
//! Batches of long strings have few rows, because operators may copy the strings, but they share the dictionary of
//! their file. Without a memory, every batch would compute the results for its entries again, and the time would grow
//! with the text of all rows: a file of 50 KB may have 80 GB of it.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use arrow::array::{Array, ArrayRef};

use super::{Overload, ScalarFunction};
use crate::types::dynamic::Path;
use crate::types::{Column, Type, Value};

/// Maximum number of remembered results.
const MAX_RESULTS: usize = 16;

/// Maximum size in bytes of all remembered results.
const MAX_BYTES: usize = 16 << 20;

/// An operation whose only varying operand is a dictionary.
#[derive(Clone, Debug)]
pub enum EntryOperation {
    /// A call of a pure function, with its constant arguments; None stands for the dictionary.
    Call(&'static ScalarFunction, &'static Overload, Vec<Option<Value>>),
    /// A conversion as `to...()` does it.
    Cast,
    /// The value at a path.
    Path(Path),
}

/// What a result depends on.
#[derive(Clone, Debug)]
pub struct EntryKey {
    /// The operation.
    pub operation: EntryOperation,
    /// The type of the entries.
    pub from: Type,
    /// The type of the result.
    pub to: Type,
    /// True if the result has a value for null, too, after those for the entries.
    pub with_null: bool,
}

/// The results of an operation for the entries of a dictionary.
#[derive(Clone, Debug)]
pub enum EntryResults {
    /// Strings, as the entries of the dictionary of the result; all batches share them.
    Texts(ArrayRef),
    /// Values of another type, or a constant.
    Values(Column),
}

/// The remembered results of a run.
#[derive(Debug, Default)]
pub struct EntryCache {
    results: Mutex<Vec<RememberedResults>>,
}

#[derive(Debug)]
struct RememberedResults {
    key: EntryKey,
    /// The entries, which are not kept in memory.
    entries: Weak<dyn Array>,
    results: EntryResults,
    bytes: usize,
}

impl PartialEq for EntryOperation {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Call(function, overload, constants), Self::Call(other, other_overload, other_constants)) => {
                std::ptr::eq(*function, *other)
                    && std::ptr::eq(*overload, *other_overload)
                    && constants == other_constants
            }
            (Self::Cast, Self::Cast) => true,
            (Self::Path(path), Self::Path(other)) => path == other,
            _ => false,
        }
    }
}

impl PartialEq for EntryKey {
    fn eq(&self, other: &Self) -> bool {
        (self.from, self.to, self.with_null) == (other.from, other.to, other.with_null)
            && self.operation == other.operation
    }
}

impl EntryCache {
    /// Returns the results for `entries`; None if they are not remembered.
    #[must_use]
    pub fn get(&self, key: &EntryKey, entries: &ArrayRef) -> Option<EntryResults> {
        let results = self.results.lock().unwrap_or_else(PoisonError::into_inner);
        let known = results.iter().find(|known| known.is_of(entries) && known.key == *key)?;
        Some(known.results.clone())
    }

    /// Remembers results for `entries`, unless they are large; older ones are forgotten.
    pub fn add(&self, key: EntryKey, entries: &ArrayRef, results: &EntryResults) {
        let bytes = results.bytes();
        if bytes > MAX_BYTES {
            return;
        }
        let mut known = self.results.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|known| known.entries.strong_count() > 0);
        known.push(RememberedResults { key, entries: Arc::downgrade(entries), results: results.clone(), bytes });
        while known.len() > MAX_RESULTS || known.iter().map(|known| known.bytes).sum::<usize>() > MAX_BYTES {
            known.remove(0);
        }
    }
}

impl EntryResults {
    fn bytes(&self) -> usize {
        match self {
            Self::Texts(texts) => texts.get_array_memory_size(),
            Self::Values(values) => values.as_array().map_or(0, Array::get_array_memory_size),
        }
    }
}

impl RememberedResults {
    fn is_of(&self, entries: &ArrayRef) -> bool {
        std::ptr::addr_eq(self.entries.as_ptr(), Arc::as_ptr(entries))
    }
}
