//! Survivors of a filter: kept, put together again, and cut loose from the pages they came from.

use std::collections::VecDeque;

use arrow::array::{Array, ArrayRef, DictionaryArray};
use arrow::compute;
use arrow::datatypes::{DataType, Int32Type};

use crate::diagnostic::{Error, Result};
use crate::types::{Batch, Column, SharedMemory};

/// Batches of the same columns, of which rows are taken from the front in other portions than they came in.
#[derive(Default)]
pub(super) struct Queue {
    batches: VecDeque<Batch>,
    rows: usize,
    bytes: usize,
    memory: SharedMemory,
}

impl Queue {
    /// How many rows wait.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Bytes of the rows that were appended.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Appends rows. What they do not need of their pages is let go.
    pub fn push(&mut self, batch: Batch) {
        if batch.rows() > 0 {
            self.rows += batch.rows();
            let batch = batch.compacted();
            self.bytes = self.bytes.saturating_add(self.memory.add(&batch));
            self.batches.push_back(batch);
        }
    }

    /// Takes the columns of the next `rows` rows.
    pub fn take(&mut self, rows: usize) -> Result<Vec<Column>> {
        let mut pieces: Vec<Batch> = Vec::new();
        let mut missing = rows;
        while missing > 0 {
            let front = self.batches.pop_front();
            let front = front.ok_or_else(|| Error::internal("more rows survive than passed the filter"))?;
            let taken = front.rows().min(missing);
            if taken < front.rows() {
                self.batches.push_front(front.slice(taken, front.rows() - taken));
            }
            pieces.push(front.slice(0, taken));
            missing -= taken;
        }
        self.rows -= rows;
        let width = pieces.first().map_or(0, |piece| piece.columns().len());
        (0..width).map(|index| concatenate(&pieces, index)).collect()
    }
}

/// The pieces of one column, below each other. Dictionaries stay dictionaries: those of one chunk are shared.
fn concatenate(pieces: &[Batch], index: usize) -> Result<Column> {
    if let [piece] = pieces {
        return Ok(piece.column(index).clone());
    }
    let arrays: Vec<ArrayRef> = pieces.iter().map(|piece| piece.column(index).to_array()).collect();
    let columns: Vec<&Column> = pieces.iter().map(|piece| piece.column(index)).collect();
    let ty = columns[0].ty();
    if arrays.windows(2).any(|pair| pair[0].data_type() != pair[1].data_type()) {
        return Column::concat(ty, &columns);
    }
    let views: Vec<&dyn Array> = arrays.iter().map(AsRef::as_ref).collect();
    Ok(Column::array(ty, compute::concat(&views)?))
}

/// A batch in the form in which later steps keep it: without the pages of rows that are gone, and without
/// dictionaries that have more entries than the batch has rows.
pub(super) fn compact(batch: Batch) -> Batch {
    let columns = batch.columns().iter().map(|column| without_large_dictionary(column).compacted()).collect();
    Batch::new(columns, batch.rows())
}

/// As views into the dictionary, where going through all of its entries would cost more than through the rows.
fn without_large_dictionary(column: &Column) -> Column {
    let Some(array) = column.as_array() else { return column.clone() };
    match array.as_any().downcast_ref::<DictionaryArray<Int32Type>>() {
        Some(dictionary) if dictionary.values().len() > dictionary.len() => {
            match compute::cast(array, &DataType::Utf8View) {
                Ok(views) => Column::array(column.ty(), views),
                Err(_) => column.clone(),
            }
        }
        _ => column.clone(),
    }
}
