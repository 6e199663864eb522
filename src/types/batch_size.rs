//! The memory that batches take, and splitting batches into slices of bounded size.
//!
//! Strings need care: a view, a dictionary code or a constant is a few bytes that refer to a value of any length, which
//! many rows and batches may share.

use std::collections::HashSet;

use arrow::array::{Array, AsArray, StringArray};
use arrow::datatypes::{DataType, Int32Type};

use super::{Batch, Column, Value};

/// Bytes of a string view, also the upper bound for a fixed-width value.
const VIEW: usize = 16;

impl Batch {
    /// Splits the batch into slices whose strings take at most `max_bytes` each if every row has its own copy; a larger
    /// row is a slice of its own. Slices share the memory of the batch.
    #[must_use]
    pub fn pieces(self, max_bytes: usize) -> Vec<Self> {
        if !self.may_exceed(max_bytes) {
            return vec![self];
        }
        let row_bytes = self.text_bytes_of_rows();
        let mut pieces = Vec::new();
        let (mut start, mut bytes) = (0, 0_usize);
        for (row, own) in row_bytes.into_iter().enumerate() {
            bytes = bytes.saturating_add(own);
            if bytes > max_bytes && row > start {
                pieces.push(self.slice(start, row - start));
                (start, bytes) = (row, own);
            }
        }
        pieces.push(if start == 0 { self } else { self.slice(start, self.rows() - start) });
        pieces
    }

    /// Estimated bytes of the rows if every row has its own copy of its strings.
    #[must_use]
    pub fn written_out_bytes(&self) -> usize {
        let fixed = self.rows().saturating_mul(self.columns().len()).saturating_mul(VIEW);
        self.text_bytes_of_rows().into_iter().fold(fixed, usize::saturating_add)
    }

    /// Returns the string bytes of each row.
    #[must_use]
    pub fn text_bytes_of_rows(&self) -> Vec<usize> {
        let mut row_bytes = vec![0_usize; self.rows()];
        self.columns().iter().for_each(|column| column.add_string_bytes(&mut row_bytes));
        row_bytes
    }

    /// True if the strings may take more than `max_bytes` when every row has its own copy. Cheap: it uses an upper
    /// bound.
    #[must_use]
    pub fn may_exceed(&self, max_bytes: usize) -> bool {
        self.rows() > 1 && self.columns().iter().map(Column::max_string_bytes).sum::<usize>() > max_bytes
    }

    /// Bytes of memory that belong to the batch alone; of large buffers, which may be shared, at most the strings of
    /// the batch are counted.
    #[must_use]
    pub fn own_bytes(&self) -> usize {
        /// Bytes up to which the exact count does not pay.
        const SMALL: usize = 4 << 20;
        let held = self.held_bytes();
        if held > SMALL { held.min(self.written_out_bytes()) } else { held }
    }

    /// Bytes of memory that the batch keeps alive, shared or not.
    #[must_use]
    pub fn held_bytes(&self) -> usize {
        SharedMemory::default().add(self)
    }
}

impl Column {
    /// Bytes of the strings of all rows, or a cheaper upper bound.
    fn max_string_bytes(&self) -> usize {
        if let Some(constant) = self.as_constant() {
            return string_bytes(constant).saturating_mul(self.rows());
        }
        let Some(array) = self.as_array() else { return 0 };
        if let Some(views) = array.as_string_view_opt() {
            return views.lengths().map(|length| length as usize).sum();
        }
        longest_entry(array.as_ref()).saturating_mul(self.rows())
    }

    /// Adds the string bytes of each row to `row_bytes`.
    fn add_string_bytes(&self, row_bytes: &mut [usize]) {
        if let Some(constant) = self.as_constant() {
            let bytes = string_bytes(constant);
            row_bytes.iter_mut().for_each(|row| *row = row.saturating_add(bytes));
            return;
        }
        let Some(array) = self.as_array() else { return };
        if let Some(views) = array.as_string_view_opt() {
            let lengths = row_bytes.iter_mut().zip(views.lengths());
            lengths.for_each(|(row, length)| *row = row.saturating_add(length as usize));
        } else if let Some(dictionary) = array.as_dictionary_opt::<Int32Type>()
            && let Some(entries) = dictionary.values().as_string_opt::<i32>()
        {
            let length = |code: usize| usize::try_from(entries.value_length(code)).unwrap_or(0);
            for (row, code) in row_bytes.iter_mut().zip(dictionary.keys_iter()) {
                *row = row.saturating_add(code.map_or(0, length));
            }
        }
    }
}

/// Length in bytes of the longest entry of a dictionary of strings; 0 for any other array.
#[must_use]
pub fn longest_entry(array: &dyn Array) -> usize {
    let entries = array.as_dictionary_opt::<Int32Type>().and_then(|dictionary| dictionary.values().as_string_opt());
    entries.map_or(0, |entries: &StringArray| {
        let ends = entries.value_offsets();
        let longest = ends.windows(2).map(|pair| pair[1] - pair[0]).max();
        longest.and_then(|length| usize::try_from(length).ok()).unwrap_or(0)
    })
}

fn string_bytes(value: &Value) -> usize {
    match value {
        Value::String(text) | Value::Dynamic(text) => text.len(),
        _ => 0,
    }
}

/// Counts the memory that several batches keep alive together: shared buffers count once.
#[derive(Debug, Default)]
pub struct SharedMemory {
    /// Addresses of the buffers counted so far. They stay allocated as long as the batches do.
    buffers: HashSet<usize>,
}

impl SharedMemory {
    /// Adds a batch and returns the bytes that it keeps alive and no earlier batch does.
    pub fn add(&mut self, batch: &Batch) -> usize {
        batch.columns().iter().map(|column| self.add_column(column)).fold(0, usize::saturating_add)
    }

    /// Forgets all batches.
    pub fn clear(&mut self) {
        self.buffers.clear();
    }

    fn add_column(&mut self, column: &Column) -> usize {
        if let Some(constant) = column.as_constant() {
            return string_bytes(constant).saturating_add(64);
        }
        let Some(array) = column.as_array() else { return 0 };
        match array.data_type() {
            DataType::Utf8View => {
                let buffers = array.as_string_view().data_buffers().iter();
                let texts: usize = buffers.map(|buffer| self.add_buffer(buffer)).sum();
                texts.saturating_add(VIEW * array.len())
            }
            DataType::Dictionary(..) => {
                let entries = array.as_dictionary_opt::<Int32Type>().and_then(|d| d.values().as_string_opt::<i32>());
                let texts =
                    entries.map_or(0, |entries| self.add_buffer(entries.values()) + entries.len() * size_of::<i32>());
                texts.saturating_add(size_of::<i32>() * array.len())
            }
            DataType::FixedSizeBinary(_) => VIEW * array.len(),
            _ => size_of::<i64>() * array.len(),
        }
    }

    fn add_buffer(&mut self, buffer: &arrow::buffer::Buffer) -> usize {
        let is_new = self.buffers.insert(buffer.data_ptr().addr().get());
        if is_new { buffer.capacity().max(buffer.len()) } else { 0 }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{DictionaryArray, Int32Array, StringArray, StringViewArray};

    use super::*;
    use crate::types::Type;

    #[test]
    fn pieces_are_bounded_by_the_strings_of_their_rows() {
        let lengths = [10, 500, 20, 30, 900, 5];
        let texts: Vec<String> = lengths.iter().map(|length| "x".repeat(*length)).collect();
        let views = Column::array(Type::String, Arc::new(StringViewArray::from_iter_values(&texts)));
        let codes = Int32Array::from_iter_values(0..6);
        let entries = DictionaryArray::new(codes, Arc::new(StringArray::from_iter_values(&texts)));
        let dictionary = Column::array(Type::String, Arc::new(entries));
        for column in [views, dictionary] {
            let rows = |pieces: Vec<Batch>| pieces.iter().map(Batch::rows).collect::<Vec<_>>();
            let batch = Batch::new(vec![column], 6);
            assert_eq!(rows(batch.clone().pieces(100_000)), [6]);
            assert_eq!(rows(batch.clone().pieces(520)), [2, 2, 1, 1]);
            assert_eq!(rows(batch.pieces(1)), [1; 6]);
        }
        let constant = Batch::new(vec![Column::constant(Value::string("x".repeat(100)), 7)], 7);
        assert_eq!(constant.pieces(300).iter().map(Batch::rows).collect::<Vec<_>>(), [3, 3, 1]);
    }

    #[test]
    fn shared_memory_counts_once() {
        let views = StringViewArray::from_iter_values(["a string that is longer than a view"; 50]);
        let batch = Batch::new(vec![Column::array(Type::String, Arc::new(views))], 50);
        let mut memory = SharedMemory::default();
        let whole = memory.add(&batch);
        assert!(whole >= 50 * VIEW + 35);
        assert_eq!(memory.add(&batch.slice(0, 10)), 10 * VIEW);
        memory.clear();
        assert_eq!(memory.add(&batch), whole);
    }
}
