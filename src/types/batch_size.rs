//! Measures the memory that batches take, and splits batches into slices of bounded size.
//!
//! Strings need care: a string view, a dictionary code or a constant is only a few bytes, but refers to a string of any
//! length that many rows and batches may share.

use std::collections::HashSet;

use arrow::array::{Array, AsArray, StringArray};
use arrow::datatypes::{DataType, Int32Type};

use super::{Batch, Column, Value};

/// Number of bytes of a string view, which is also the most that a value of fixed width takes.
const VIEW: usize = 16;

impl Batch {
    /// Splits the batch into slices whose strings take at most `max_bytes`, counting a string once for each row that
    /// has it. A single row with more bytes is a slice of its own. The slices share the memory of the batch.
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

    /// Returns the estimated bytes of the rows if strings were not shared, but written out for each row.
    #[must_use]
    pub fn written_out_bytes(&self) -> usize {
        let fixed = self.rows().saturating_mul(self.columns().len()).saturating_mul(VIEW);
        self.text_bytes_of_rows().into_iter().fold(fixed, usize::saturating_add)
    }

    /// Returns for each row the number of bytes of its strings.
    #[must_use]
    pub fn text_bytes_of_rows(&self) -> Vec<usize> {
        let mut row_bytes = vec![0_usize; self.rows()];
        self.columns().iter().for_each(|column| column.add_string_bytes(&mut row_bytes));
        row_bytes
    }

    /// True if the strings may take more than `max_bytes` when they are written out for each row. This is cheap,
    /// because it uses an upper bound.
    #[must_use]
    pub fn may_exceed(&self, max_bytes: usize) -> bool {
        self.rows() > 1 && self.columns().iter().map(Column::max_string_bytes).sum::<usize>() > max_bytes
    }

    /// Returns the bytes of memory that belong to this batch alone. Large buffers may be shared; of these, at most the
    /// strings of the batch are counted.
    #[must_use]
    pub fn own_bytes(&self) -> usize {
        /// Number of bytes up to which an exact count is not worthwhile.
        const SMALL: usize = 4 << 20;
        let held = self.held_bytes();
        if held > SMALL { held.min(self.written_out_bytes()) } else { held }
    }

    /// Returns the bytes of memory that the batch keeps from being freed, shared with other batches or not.
    #[must_use]
    pub fn held_bytes(&self) -> usize {
        SharedMemory::default().add(self)
    }
}

impl Column {
    /// Returns the bytes of the strings of all rows, or an upper bound that is cheaper to compute.
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

    /// Adds to each element of `row_bytes` the bytes of that row's string.
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

/// Returns the length in bytes of the longest entry of a dictionary of strings; 0 for any other array.
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

/// Counts the memory that several batches together keep from being freed: a buffer that they share counts once.
#[derive(Debug, Default)]
pub struct SharedMemory {
    /// The addresses of the buffers that were counted. A buffer keeps its address as long as its batch exists.
    buffers: HashSet<usize>,
}

impl SharedMemory {
    /// Adds a batch, and returns the bytes that it keeps from being freed and that were not counted before.
    pub fn add(&mut self, batch: &Batch) -> usize {
        batch.columns().iter().map(|column| self.add_column(column)).fold(0, usize::saturating_add)
    }

    /// Forgets all batches, so that their buffers count again.
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
