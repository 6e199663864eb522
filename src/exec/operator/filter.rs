//! Rows for which a predicate is true.

use arrow::array::{Array, AsArray, BooleanArray};
use arrow::compute::prep_null_mask_filter;

use super::Operator;
use crate::diagnostic::Result;
use crate::exec::ExecContext;
use crate::expr::{Expr, evaluate};
use crate::functions::EvalContext;
use crate::types::{Batch, Column, Value};

/// Keeps the rows for which a predicate is true; null counts as false.
#[derive(Debug)]
pub struct Filter {
    predicate: Expr,
    context: EvalContext,
}

impl Filter {
    /// Keeps the rows for which `predicate` is true.
    #[must_use]
    pub fn new(predicate: Expr, context: &ExecContext) -> Self {
        Self { predicate, context: context.eval.clone() }
    }
}

impl Operator for Filter {
    fn process(&self, batch: Batch) -> Result<Vec<Batch>> {
        let mask = mask(&evaluate(&self.predicate, &batch, &self.context)?)?;
        Ok(vec![batch.filter(&mask)?])
    }
}

/// A bool column as a mask, null as false.
pub fn mask(column: &Column) -> Result<BooleanArray> {
    Ok(match column.as_array() {
        Some(array) if array.null_count() == 0 => array.as_boolean().clone(),
        Some(array) => prep_null_mask_filter(array.as_boolean()),
        None => BooleanArray::from(vec![column.as_constant() == Some(&Value::Bool(true)); column.rows()]),
    })
}
