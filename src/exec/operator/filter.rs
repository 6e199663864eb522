//! Filter: keeps the rows for which a predicate is true.

use arrow::array::{Array, AsArray, BooleanArray};
use arrow::compute::{concat, prep_null_mask_filter};

use super::{RowOperator, halves};
use crate::diagnostic::{Error, Result};
use crate::exec::context::ExecContext;
use crate::expr::{Expr, evaluate};
use crate::functions::EvalContext;
use crate::types::{Batch, Column, Value};

/// Keeps the rows for which a predicate is true, but not those for which it is false or null.
#[derive(Debug)]
pub struct Filter {
    predicate: Expr,
    context: EvalContext,
}

impl Filter {
    /// Returns a filter by `predicate`, which is a bool expression over the columns of the input.
    #[must_use]
    pub fn new(predicate: Expr, context: &ExecContext) -> Self {
        Self { predicate, context: context.eval.clone() }
    }
}

impl RowOperator for Filter {
    fn process(&self, batch: Batch) -> Result<Vec<Batch>> {
        /// Minimum number of bytes that a result keeps alive before it is compacted.
        const MIN_COMPACTED_BYTES: usize = 1 << 20;
        let kept = batch.filter(&evaluate_mask(&self.predicate, &batch, &self.context)?)?;
        // A few rows must not keep alive all the strings of their batch.
        let is_wasteful = kept.rows() < batch.rows() / 2 && kept.held_bytes() > MIN_COMPACTED_BYTES;
        Ok(vec![if is_wasteful { kept.compacted() } else { kept }])
    }
}

/// Returns a mask of the rows of `batch` for which `predicate` is true.
pub fn evaluate_mask(predicate: &Expr, batch: &Batch, context: &EvalContext) -> Result<BooleanArray> {
    match evaluate(predicate, batch, context) {
        Ok(column) => mask(&column),
        Err(Error::BatchTooLarge(_)) if batch.rows() > 1 => {
            let [first, second] = halves(batch).map(|half| evaluate_mask(predicate, &half, context));
            let halves: [BooleanArray; 2] = [first?, second?];
            Ok(concat(&halves.each_ref().map(|half| half as &dyn Array))?.as_boolean().clone())
        }
        Err(error) => Err(error),
    }
}

/// Converts a bool column to a mask; null becomes false.
pub fn mask(column: &Column) -> Result<BooleanArray> {
    Ok(match column.as_array() {
        Some(array) if array.null_count() == 0 => array.as_boolean().clone(),
        Some(array) => prep_null_mask_filter(array.as_boolean()),
        None => BooleanArray::from(vec![column.as_constant() == Some(&Value::Bool(true)); column.rows()]),
    })
}
