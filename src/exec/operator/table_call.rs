//! TableCallRows: calls a row-wise table function for each batch.

use arrow::array::UInt32Array;

use super::{RowOperator, halves};
use crate::diagnostic::{Error, Result};
use crate::exec::context::ExecContext;
use crate::expr::evaluate;
use crate::functions::EvalContext;
use crate::plan::TableCall;
use crate::scan::BatchIterator;
use crate::types::Batch;

/// Computes the arguments of a table function and the columns of its input that are kept, and calls the function.
#[derive(Debug)]
pub(crate) struct TableCallInput {
    plan: TableCall,
    context: EvalContext,
}

impl TableCallInput {
    /// Prepares calls of `plan.function`; the input of `plan` is not used.
    pub fn new(plan: TableCall, context: &ExecContext) -> Self {
        Self { plan, context: context.eval.clone() }
    }

    /// Returns the arguments for the rows of `batch`, followed by the kept columns.
    pub fn columns(&self, batch: &Batch) -> Result<Batch> {
        let arguments = self.plan.arguments.iter().map(|argument| evaluate(argument, batch, &self.context));
        let kept = self.plan.kept.iter().map(|column| Ok(batch.column(*column).clone()));
        Ok(Batch::new(arguments.chain(kept).collect::<Result<_>>()?, batch.rows()))
    }

    /// Calls the function for the columns that [`Self::columns`] returned; returns the kept columns and those of the
    /// function.
    pub fn apply(&self, columns: &Batch) -> Result<Batch> {
        let (arguments, all): (Vec<usize>, usize) = ((0..self.plan.arguments.len()).collect(), columns.columns().len());
        let output = self.plan.function.apply(&columns.project(&arguments))?;
        let mut kept = Vec::new();
        if all > arguments.len() {
            let rows = columns.project(&(arguments.len()..all).collect::<Vec<_>>());
            kept = rows.take(&UInt32Array::from(output.input_rows))?.columns().to_vec();
        }
        kept.extend(output.columns);
        Ok(Batch::new(kept, output.rows))
    }
}

/// Calls a row-wise table function for each batch.
#[derive(Debug)]
pub struct TableCallRows {
    input: TableCallInput,
    batch_bytes: usize,
}

impl TableCallRows {
    /// Returns the operator for `plan`, whose function must be row-wise.
    #[must_use]
    pub fn new(plan: TableCall, context: &ExecContext) -> Self {
        Self { input: TableCallInput::new(plan, context), batch_bytes: context.memory.batch_bytes() }
    }
}

impl RowOperator for TableCallRows {
    fn process(&self, batch: Batch) -> Result<Vec<Batch>> {
        self.stream(batch).collect()
    }

    fn stream(&self, batch: Batch) -> BatchIterator<'_> {
        match self.input.columns(&batch).and_then(|columns| self.input.apply(&columns)) {
            Ok(output) => Box::new(output.pieces(self.batch_bytes).into_iter().map(Ok)),
            Err(Error::BatchTooLarge(_)) if batch.rows() > 1 => {
                Box::new(halves(&batch).into_iter().flat_map(|half| self.stream(half)))
            }
            Err(error) => Box::new(std::iter::once(Err(error))),
        }
    }
}
