//! Rows that passed a filter. They are queued, concatenated, and copied so that the pages from which they come can be
//! freed.

use std::collections::VecDeque;

use arrow::array::{Array, ArrayRef, DictionaryArray};
use arrow::compute;
use arrow::datatypes::{DataType, Int32Type};

use crate::diagnostic::{Error, Result};
use crate::scan::ScanReservation;
use crate::types::{Batch, Column, SharedMemory};

/// A queue of rows. They can be taken out in batches of other sizes than those in which they were added.
pub(super) struct SurvivorQueue {
    batches: VecDeque<Batch>,
    rows: usize,
    bytes: usize,
    memory: SharedMemory,
    reservation: ScanReservation,
}

impl SurvivorQueue {
    /// Creates an empty queue. Its memory counts in `reservation`.
    pub fn new(reservation: ScanReservation) -> Self {
        Self { batches: VecDeque::new(), rows: 0, bytes: 0, memory: SharedMemory::default(), reservation }
    }

    /// Returns the number of rows in the queue.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Returns the size in bytes of all rows that were appended so far.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Appends rows; they are copied so that the pages from which they come can be freed.
    pub fn push(&mut self, batch: Batch) {
        if batch.rows() > 0 {
            self.rows += batch.rows();
            let batch = batch.compacted();
            self.bytes = self.bytes.saturating_add(self.memory.add(&batch));
            self.reservation.set(self.bytes);
            self.batches.push_back(batch);
        }
    }

    /// Removes the next `rows` rows and returns their columns.
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

/// Concatenates one column of several batches. Dictionary arrays remain dictionary arrays, because the batches of a
/// chunk share a dictionary.
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

/// Returns the batch without references to pages of dropped rows, and without dictionaries that have more entries
/// than the batch has rows.
pub(super) fn compact(batch: Batch) -> Batch {
    let columns = batch.columns().iter().map(|column| without_large_dictionary(column).compacted()).collect();
    Batch::new(columns, batch.rows())
}

/// Returns the column as string views if its dictionary has more entries than rows.
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
