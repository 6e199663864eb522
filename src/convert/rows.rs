//! Rows of several batches, put together in a new order.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::{cast, interleave};
use arrow::datatypes::{DataType, Int64Type};

use super::parallel;
use crate::diagnostic::Result;
use crate::types::{Batch, Column, Type, Value};

/// The key of a row whose time is null: behind every time.
pub(super) const NO_TIME: i64 = i64::MAX;

/// Some rows in order of their keys.
#[derive(Clone, Debug)]
pub(super) struct SortedRows {
    pub batch: Batch,
    /// One a row, rising.
    pub keys: Vec<i64>,
}

/// The key of each row: the ticks of its time. All keys are equal where the table has no time, so that rows keep the
/// order they came in.
pub(super) fn keys(batch: &Batch, time: Option<usize>) -> Vec<i64> {
    let Some(time) = time else { return vec![0; batch.rows()] };
    match batch.column(time).as_array() {
        None => vec![batch.column(time).i64_at(0).unwrap_or(NO_TIME); batch.rows()],
        Some(array) => array.as_primitive::<Int64Type>().iter().map(|ticks| ticks.unwrap_or(NO_TIME)).collect(),
    }
}

/// The batch with every text as a view: one kind of array a column is what rows of different batches need.
pub(super) fn plain(batch: &Batch) -> Result<Batch> {
    let column = |column: &Column| match column.as_array() {
        Some(array) if matches!(array.data_type(), DataType::Dictionary(..)) => {
            Ok(Column::array(column.ty(), cast(array, &DataType::Utf8View)?))
        }
        _ => Ok(column.clone()),
    };
    Ok(Batch::new(batch.columns().iter().map(column).collect::<Result<_>>()?, batch.rows()))
}

/// The rows at `places` (batch and row in it) of `batches`, in that order.
pub(super) fn gather(batches: &[&Batch], places: &[(usize, usize)], threads: usize) -> Result<Batch> {
    if let Some(slice) = as_slice(batches, places) {
        return Ok(slice);
    }
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
pub(super) fn common_constant<'a>(parts: &[&'a Column]) -> Option<&'a Value> {
    let (first, rest) = parts.split_first()?;
    let value = first.as_constant()?;
    rest.iter().all(|part| part.as_constant() == Some(value)).then_some(value)
}

/// The column with texts of its own: views keep all of the memory alive that they point into.
pub(super) fn detached(column: &Column) -> Column {
    match column.as_array() {
        Some(array) if *array.data_type() == DataType::Utf8View => {
            Column::array(column.ty(), std::sync::Arc::new(array.as_string_view().gc()))
        }
        _ => column.clone(),
    }
}

/// Bytes that the values of a batch take, whether or not batches share their memory.
pub(super) fn bytes(batch: &Batch) -> u64 {
    let of = |column: &Column| match column.as_array() {
        None => 64,
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
