//! Gathers rows from several batches, and prepares columns for temporary files.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::interleave;
use arrow::datatypes::DataType;

use crate::diagnostic::Result;
use crate::exec::parallel;
use crate::expr::eval::plain_texts;
use crate::types::{Batch, Column, Type, Value};

/// Decodes dictionaries to string views, so that a column has the same type of array in every batch.
pub fn plain(batch: &Batch) -> Result<Batch> {
    Ok(Batch::new(batch.columns().iter().map(plain_texts).collect::<Result<_>>()?, batch.rows()))
}

/// Returns the rows at `indices` in the order of the indices. An index is the position of a batch and that of a row in
/// it.
pub fn gather(batches: &[&Batch], indices: &[(usize, usize)], threads: usize) -> Result<Batch> {
    if let Some(slice) = as_slice(batches, indices) {
        return Ok(slice);
    }
    let (batches, indices) = &used_batches(batches, indices);
    let width = batches.first().map_or(0, |batch| batch.columns().len());
    let columns = parallel::map(threads, width, |index| {
        let chunks: Vec<&Column> = batches.iter().map(|batch| batch.column(index)).collect();
        gather_column(&chunks, indices)
    })?;
    Ok(Batch::new(columns, indices.len()))
}

/// Returns the rows at `indices` as a slice of one batch; None if they are not consecutive rows of one batch.
fn as_slice(batches: &[&Batch], indices: &[(usize, usize)]) -> Option<Batch> {
    let (batch, start) = *indices.first()?;
    let follows = |(offset, index): (usize, &(usize, usize))| *index == (batch, start + offset);
    indices.iter().enumerate().all(follows).then(|| batches[batch].slice(start, indices.len()))
}

/// Returns the batches that `indices` refer to, and the same indices into these batches only.
fn used_batches<'a>(batches: &[&'a Batch], indices: &[(usize, usize)]) -> (Vec<&'a Batch>, Vec<(usize, usize)>) {
    let mut new_indices = vec![usize::MAX; batches.len()];
    let mut used: Vec<&Batch> = Vec::new();
    let index = |&(batch, row): &(usize, usize)| {
        let new_index = &mut new_indices[batch];
        if *new_index == usize::MAX {
            *new_index = used.len();
            used.push(batches[batch]);
        }
        (*new_index, row)
    };
    let indices = indices.iter().map(index).collect();
    (used, indices)
}

fn gather_column(chunks: &[&Column], indices: &[(usize, usize)]) -> Result<Column> {
    if let Some(value) = common_constant(chunks) {
        return Ok(Column::constant(value.clone(), indices.len()));
    }
    // A constant column becomes an array of one row, to which all of its indices point.
    let one_row = |chunk: &&Column| match chunk.as_constant() {
        Some(value) => Column::constant(value.clone(), 1).to_array(),
        None => chunk.to_array(),
    };
    let arrays: Vec<ArrayRef> = chunks.iter().map(one_row).collect();
    let views: Vec<&dyn Array> = arrays.iter().map(AsRef::as_ref).collect();
    let gathered = if chunks.iter().any(|chunk| chunk.as_constant().is_some()) {
        let index = |&(batch, row): &(usize, usize)| (batch, if chunks[batch].as_array().is_some() { row } else { 0 });
        interleave(&views, &indices.iter().map(index).collect::<Vec<_>>())?
    } else {
        interleave(&views, indices)?
    };
    Ok(Column::array(chunks[0].ty(), gathered))
}

/// Returns the value that all of the columns have in every row; None if they differ.
#[must_use]
pub fn common_constant<'a>(chunks: &[&'a Column]) -> Option<&'a Value> {
    let (first, rest) = chunks.split_first()?;
    let value = first.as_constant()?;
    rest.iter().all(|chunk| chunk.as_constant() == Some(value)).then_some(value)
}

/// Decodes dictionaries, and copies strings out of buffers that are shared, so that these can be freed.
pub fn detached(column: &Column) -> Result<Column> {
    let column = plain_texts(column)?;
    Ok(match column.as_array().and_then(|array| array.as_string_view_opt()) {
        Some(views) => Column::array(column.ty(), Arc::new(views.gc())),
        None => column,
    })
}

/// Returns the bytes of the values of a batch, including buffers that it shares with other batches.
#[must_use]
pub fn bytes(batch: &Batch) -> u64 {
    let of = |column: &Column| match column.as_array() {
        None => 64,
        Some(array) if matches!(array.data_type(), DataType::Dictionary(..)) => 16 * array.len(),
        Some(array) if *array.data_type() == DataType::Utf8View => {
            16 * array.len() + array.as_string_view().total_buffer_bytes_used()
        }
        Some(array) => match column.ty() {
            Type::Bool => array.len() / 4,
            Type::Decimal | Type::Guid => 16 * array.len(),
            _ => 8 * array.len(),
        },
    };
    batch.columns().iter().map(|column| of(column) as u64).sum()
}
