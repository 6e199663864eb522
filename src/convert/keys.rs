//! The sort keys of the rows in an archive.

use arrow::array::AsArray;
use arrow::datatypes::Int64Type;

use crate::exec::spill::Chunk;
use crate::types::Batch;

/// The key of a row whose time is null. It sorts such rows after all others.
pub(super) const NO_TIME: i64 = i64::MAX;

/// Rows with their keys, by which they are sorted.
pub(super) type SortedRows = Chunk<Vec<i64>>;

/// Returns the key of each row: its time in ticks. Without a time column, all keys are equal, so that rows keep their
/// order.
pub(super) fn keys(batch: &Batch, time: Option<usize>) -> Vec<i64> {
    let Some(time) = time else { return vec![0; batch.rows()] };
    match batch.column(time).as_array() {
        None => vec![batch.column(time).i64_at(0).unwrap_or(NO_TIME); batch.rows()],
        Some(array) => array.as_primitive::<Int64Type>().iter().map(|ticks| ticks.unwrap_or(NO_TIME)).collect(),
    }
}
