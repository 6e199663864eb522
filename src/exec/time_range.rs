//! The range of a datetime column of a table.

use std::sync::Arc;

use arrow::array::AsArray;
use arrow::compute;
use arrow::datatypes::Int64Type;

use super::context::ExecContext;
use super::scheduler::{self, Flow};
use crate::diagnostic::Result;
use crate::scan::{ScanColumn, ScanRequest, StatedRange, TableProvider};
use crate::types::Batch;

/// Returns the first and the last value of the datetime column at position `column`, in ticks; None if it has none. Rows
/// of files whose statistics state both exactly are not read.
///
/// # Errors
/// Errors of reading the files.
pub fn time_range(table: &dyn TableProvider, column: usize, context: &ExecContext) -> Result<Option<[i64; 2]>> {
    let stated = Arc::new(StatedRange::new(column));
    let request = context.scan_request(vec![ScanColumn::Column(column)]);
    let partitions = table.scan(&ScanRequest { stated: Some(Arc::clone(&stated)), ..request })?;
    let add = |batch: &Batch| {
        let times = batch.column(0).to_array();
        let ends = times.as_primitive_opt::<Int64Type>().map(|times| (compute::min(times), compute::max(times)));
        if let Some((Some(first), Some(last))) = ends {
            stated.add(first, last);
        }
    };
    scheduler::for_each_partition(
        &partitions,
        context,
        &|batches, _: &mut dyn FnMut(()) -> Flow| {
            for batch in batches {
                add(&batch?);
            }
            Ok(())
        },
        &mut |()| Ok(()),
    )?;
    Ok(stated.range())
}
