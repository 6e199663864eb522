//! The batch whose rows a `scan` is evaluating.

use arrow::array::BooleanArray;
use arrow::compute;

use super::compile::CompiledSteps;
use crate::diagnostic::Result;
use crate::exec::operator::evaluate_mask;
use crate::expr::evaluate;
use crate::functions::EvalContext;
use crate::plan::Sequence;
use crate::types::{Batch, Column, Type};

/// A batch of the input, with the values that are computed for all of its rows at once.
#[derive(Debug)]
pub struct CurrentBatch {
    /// The rows of earlier batches whose records may still be returned, and then the rows of this batch.
    pub records: Batch,
    /// The columns of this batch that the expressions of the steps read.
    pub row_batch: Batch,
    /// The next row of this batch to be evaluated.
    pub row: usize,
    /// For each step, a mask of the rows that may match it; None if all rows may.
    row_masks: Vec<Option<BooleanArray>>,
    /// The columns of the numbers of the segments.
    segments: Vec<Column>,
    /// The number of rows of earlier batches in `records`.
    earlier: usize,
}

impl CurrentBatch {
    /// Prepares the rows of `batch`.
    pub fn new(batch: &Batch, plan: &Sequence, compiled: &CompiledSteps, context: &EvalContext) -> Result<Self> {
        let row_batch = compiled.row_batch(batch, context)?;
        let row_masks = compiled.steps.iter().map(|step| {
            let mut masks = step.row_conditions.iter().map(|condition| evaluate_mask(condition, batch, context));
            let Some(first) = masks.next() else { return Ok(None) };
            masks.try_fold(first?, |left, right| Ok(compute::and(&left, &right?)?)).map(Some)
        });
        let row_masks = row_masks.collect::<Result<_>>()?;
        let segments = plan.segment.iter().map(|number| evaluate(number, batch, context)).collect::<Result<_>>()?;
        Ok(Self { records: batch.clone(), row_batch, row: 0, row_masks, segments, earlier: 0 })
    }

    /// Puts the rows of earlier batches before those of this batch.
    pub fn after(self, earlier: Option<Batch>, plan: &Sequence) -> Result<Self> {
        let Some(earlier) = earlier else { return Ok(self) };
        let types: Vec<Type> = plan.input.schema().fields().iter().map(|field| field.ty).collect();
        let rows = earlier.rows();
        Ok(Self { records: Batch::concat(&types, &[earlier, self.records])?, earlier: rows, ..self })
    }

    /// Returns the number of rows of the batch.
    pub fn rows(&self) -> usize {
        self.row_batch.rows()
    }

    /// Returns the position of the next row in [`Self::records`].
    pub fn record(&self) -> usize {
        self.earlier + self.row
    }

    /// True if the next row may match `step`: it meets those parts of the condition that read only the row.
    pub fn may_match(&self, step: usize) -> bool {
        self.row_masks[step].as_ref().is_none_or(|mask| mask.value(self.row))
    }

    /// Returns the numbers of the segment of the next row; none if the scan has no segments.
    pub fn segment(&self) -> impl Iterator<Item = Option<i64>> {
        self.segments.iter().map(|column| column.i64_at(self.row))
    }
}
