//! Estimates the size of the strings in arrays, to limit the number of rows in a batch.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::DataType;

use crate::types::batch_size::longest_entry;

/// A cache of dictionaries with the length of their longest entry. The batches of a chunk share a dictionary.
#[derive(Debug, Default)]
pub(super) struct StringLengths {
    /// The dictionaries, each with the length in bytes of its longest entry.
    known: Vec<(ArrayRef, usize)>,
}

/// Maximum number of cached dictionaries.
const MAX_KNOWN: usize = 64;

impl StringLengths {
    /// Returns how many of `rows` rows a batch may have, at least one. Its strings then take about `max_bytes` bytes
    /// if they are copied for each row.
    pub fn rows_within(&mut self, arrays: &[ArrayRef], rows: usize, max_bytes: usize) -> usize {
        let bytes = arrays.iter().map(|array| self.bytes(array)).fold(0, usize::saturating_add);
        if bytes <= max_bytes || rows < 2 {
            return rows;
        }
        (max_bytes / (bytes / rows).max(1)).clamp(1, rows)
    }

    /// Returns the number of bytes of the strings in all rows, or an upper bound of it.
    fn bytes(&mut self, array: &ArrayRef) -> usize {
        match array.data_type() {
            DataType::Utf8View => array.as_string_view().lengths().map(|length| length as usize).sum(),
            DataType::BinaryView => array.as_binary_view().lengths().map(|length| length as usize).sum(),
            DataType::Dictionary(..) => self.longest(array).saturating_mul(array.len()),
            DataType::Struct(_) => array.as_struct().columns().iter().map(|child| self.bytes(child)).sum(),
            DataType::List(_) => self.bytes(array.as_list::<i32>().values()),
            DataType::Map(..) => self.bytes(array.as_map().keys()) + self.bytes(array.as_map().values()),
            _ => 0,
        }
    }

    fn longest(&mut self, array: &ArrayRef) -> usize {
        let Some(dictionary) = array.as_any_dictionary_opt() else { return 0 };
        let entries = dictionary.values();
        if let Some((_, longest)) = self.known.iter().find(|(known, _)| known.to_data().ptr_eq(&entries.to_data())) {
            return *longest;
        }
        let longest = longest_entry(array.as_ref());
        self.known.truncate(MAX_KNOWN - 1);
        self.known.insert(0, (entries.clone(), longest));
        longest
    }
}
