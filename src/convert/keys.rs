//! What rows of an archive are ordered by.

use arrow::array::AsArray;
use arrow::datatypes::Int64Type;

use crate::exec::spill::Chunk;
use crate::types::Batch;

/// The key of a row whose time is null: behind every time.
pub(super) const NO_TIME: i64 = i64::MAX;

/// Some rows in order of their keys.
pub(super) type SortedRows = Chunk<Vec<i64>>;

/// The key of each row: the ticks of its time. All keys are equal where the table has no time, so that rows keep the
/// order they came in.
pub(super) fn keys(batch: &Batch, time: Option<usize>) -> Vec<i64> {
    let Some(time) = time else { return vec![0; batch.rows()] };
    match batch.column(time).as_array() {
        None => vec![batch.column(time).i64_at(0).unwrap_or(NO_TIME); batch.rows()],
        Some(array) => array.as_primitive::<Int64Type>().iter().map(|ticks| ticks.unwrap_or(NO_TIME)).collect(),
    }
}
