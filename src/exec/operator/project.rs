//! Projection: computes the output columns from the input columns.

use super::{RowOperator, halves};
use crate::diagnostic::{Error, Result};
use crate::exec::context::ExecContext;
use crate::expr::{Expr, evaluate};
use crate::functions::EvalContext;
use crate::scan::BatchIterator;
use crate::types::Batch;

/// Computes each output column from the input row.
#[derive(Debug)]
pub struct Project {
    expressions: Vec<Expr>,
    /// The positions of the output columns that are not just columns of the input.
    computed: Vec<usize>,
    context: EvalContext,
    batch_bytes: usize,
}

impl Project {
    /// Returns a projection with one output column for each of `expressions`.
    #[must_use]
    pub fn new(expressions: Vec<Expr>, context: &ExecContext) -> Self {
        let computed = (0..expressions.len()).filter(|index| expressions[*index].as_column().is_none()).collect();
        Self { expressions, computed, context: context.eval.clone(), batch_bytes: context.memory.batch_bytes() }
    }

    fn project(&self, batch: &Batch) -> Result<Batch> {
        let columns = self.expressions.iter().map(|expr| evaluate(expr, batch, &self.context));
        Ok(Batch::new(columns.collect::<Result<_>>()?, batch.rows()))
    }
}

impl RowOperator for Project {
    fn process(&self, batch: Batch) -> Result<Vec<Batch>> {
        self.stream(batch).collect()
    }

    fn stream(&self, batch: Batch) -> BatchIterator<'_> {
        match self.project(&batch) {
            // Columns of the input are not too large already, so only computed ones are measured.
            Ok(output) if output.project(&self.computed).may_exceed(self.batch_bytes) => {
                Box::new(output.pieces(self.batch_bytes).into_iter().map(Ok))
            }
            Ok(output) => Box::new(std::iter::once(Ok(output))),
            Err(Error::BatchTooLarge(_)) if batch.rows() > 1 => {
                Box::new(halves(&batch).into_iter().flat_map(|half| self.stream(half)))
            }
            Err(error) => Box::new(std::iter::once(Err(error))),
        }
    }
}
