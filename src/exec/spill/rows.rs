//! Rows of several batches, put together in a new order.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::interleave;
use arrow::datatypes::DataType;

use crate::diagnostic::Result;
use crate::exec::parallel;
use crate::expr::eval::plain_texts;
use crate::types::{Batch, Column, Type, Value};

/// The batch with every text as a view: one kind of array a column is what rows of different batches need.
pub fn plain(batch: &Batch) -> Result<Batch> {
    Ok(Batch::new(batch.columns().iter().map(plain_texts).collect::<Result<_>>()?, batch.rows()))
}

/// The rows at `places` (batch and row in it) of `batches`, in that order.
pub fn gather(batches: &[&Batch], places: &[(usize, usize)], threads: usize) -> Result<Batch> {
    if let Some(slice) = as_slice(batches, places) {
        return Ok(slice);
    }
    let (batches, places) = &among_used(batches, places);
    let width = batches.first().map_or(0, |batch| batch.columns().len());
    let columns = parallel::map(threads, width, |index| {
        let parts: Vec<&Column> = batches.iter().map(|batch| batch.column(index)).collect();
        gather_column(&parts, places)
    })?;
    Ok(Batch::new(columns, places.len()))
}

/// The rows, where they follow each other in one batch.
fn as_slice(batches: &[&Batch], places: &[(usize, usize)]) -> Option<Batch> {
    let (batch, start) = *places.first()?;
    let follows = |(offset, place): (usize, &(usize, usize))| *place == (batch, start + offset);
    places.iter().enumerate().all(follows).then(|| batches[batch].slice(start, places.len()))
}

/// The batches that the places are in, and the places among these.
fn among_used<'a>(batches: &[&'a Batch], places: &[(usize, usize)]) -> (Vec<&'a Batch>, Vec<(usize, usize)>) {
    let mut numbers = vec![usize::MAX; batches.len()];
    let mut used: Vec<&Batch> = Vec::new();
    let place = |&(batch, row): &(usize, usize)| {
        let number = &mut numbers[batch];
        if *number == usize::MAX {
            *number = used.len();
            used.push(batches[batch]);
        }
        (*number, row)
    };
    let places = places.iter().map(place).collect();
    (used, places)
}

fn gather_column(parts: &[&Column], places: &[(usize, usize)]) -> Result<Column> {
    if let Some(value) = common_constant(parts) {
        return Ok(Column::constant(value.clone(), places.len()));
    }
    // A constant is an array of one row, which stands for all of them.
    let one_row = |part: &&Column| match part.as_constant() {
        Some(value) => Column::constant(value.clone(), 1).to_array(),
        None => part.to_array(),
    };
    let arrays: Vec<ArrayRef> = parts.iter().map(one_row).collect();
    let views: Vec<&dyn Array> = arrays.iter().map(AsRef::as_ref).collect();
    let gathered = if parts.iter().any(|part| part.as_constant().is_some()) {
        let place = |&(batch, row): &(usize, usize)| (batch, if parts[batch].as_array().is_some() { row } else { 0 });
        interleave(&views, &places.iter().map(place).collect::<Vec<_>>())?
    } else {
        interleave(&views, places)?
    };
    Ok(Column::array(parts[0].ty(), gathered))
}

/// The value that all of the columns have in every row.
#[must_use]
pub fn common_constant<'a>(parts: &[&'a Column]) -> Option<&'a Value> {
    let (first, rest) = parts.split_first()?;
    let value = first.as_constant()?;
    rest.iter().all(|part| part.as_constant() == Some(value)).then_some(value)
}

/// The column with texts of its own, written out: views keep all of the memory alive that they point into.
pub fn detached(column: &Column) -> Result<Column> {
    let column = plain_texts(column)?;
    Ok(match column.as_array().and_then(|array| array.as_string_view_opt()) {
        Some(views) => Column::array(column.ty(), Arc::new(views.gc())),
        None => column,
    })
}

/// Bytes that the values of a batch take, whether or not batches share their memory.
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
