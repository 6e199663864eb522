//! UnnestRows: returns one row for each element of dynamic columns (`mv-expand`).
//!
//! Source: the reference's page on the mv-expand operator, and the behaviour of the engine where the page is silent: a
//! row with an empty array is dropped, a null becomes one row with a null, and a bag becomes one bag for each of its
//! keys.
//!
//! One row may become millions of rows, each of which repeats its other columns. So the output is produced batch by
//! batch, and a batch may end between two elements of one row.

use std::sync::Arc;

use arrow::array::{Int64Array, UInt32Array};

use super::unnest_items::UnnestItems;
use super::{RowOperator, halves};
use crate::diagnostic::{Error, Result};
use crate::exec::context::ExecContext;
use crate::functions::EvalContext;
use crate::plan::{self, UnnestOutput};
use crate::scan::BatchIterator;
use crate::types::{Batch, Column, Type, cast};

/// Maximum number of rows of an output batch.
const MAX_ROWS: usize = 65_536;
/// An output batch may have this many times as many bytes as other batches, because it has more rows.
const BATCH_BYTES_FACTOR: usize = 4;

/// Expands one or more dynamic columns: the nth output row of an input row has the nth element of each column.
#[derive(Debug)]
pub struct UnnestRows {
    plan: plan::Unnest,
    context: EvalContext,
    batch_bytes: usize,
}

impl UnnestRows {
    /// Returns the operator for `plan`; the input of `plan` is not used.
    #[must_use]
    pub fn new(plan: plan::Unnest, context: &ExecContext) -> Self {
        let batch_bytes = context.memory.batch_bytes().saturating_mul(BATCH_BYTES_FACTOR);
        Self { plan, context: context.eval.clone(), batch_bytes }
    }
}

impl RowOperator for UnnestRows {
    fn process(&self, batch: Batch) -> Result<Vec<Batch>> {
        self.stream(batch).collect()
    }

    fn stream(&self, batch: Batch) -> BatchIterator<'_> {
        match UnnestItems::new(&self.plan, &batch, &self.context, self.batch_bytes) {
            Ok(items) => Box::new(UnnestedBatch::new(self, items, batch)),
            Err(Error::BatchTooLarge(_)) if batch.rows() > 1 => {
                Box::new(halves(&batch).into_iter().flat_map(|half| self.stream(half)))
            }
            Err(error) => Box::new(std::iter::once(Err(error))),
        }
    }
}

impl UnnestRows {
    /// Returns the input rows at `rows`, each with the elements in `items` and with their position.
    fn output(&self, rows: Vec<u32>, positions: Vec<i64>, items: &[Column], batch: &Batch) -> Result<Batch> {
        let indices = UInt32Array::from(rows);
        let rows = indices.len();
        let positions = Column::array(Type::Long, Arc::new(Int64Array::from(positions)));
        let column = |output: &UnnestOutput| match output {
            UnnestOutput::Input(index) => batch.column(*index).take(&indices),
            UnnestOutput::Item(index) => cast::cast_elements(&items[*index], self.plan.items[*index].ty),
            UnnestOutput::Position => Ok(positions.clone()),
        };
        Ok(Batch::new(self.plan.output.iter().map(column).collect::<Result<_>>()?, rows))
    }
}

/// The output rows of one input batch, produced batch by batch.
struct UnnestedBatch<'a> {
    unnest: &'a UnnestRows,
    items: UnnestItems,
    batch: Batch,
    /// For each row, the number of bytes of its strings that each of its output rows repeats.
    repeated_bytes: Vec<usize>,
    /// The current input row.
    row: usize,
    /// The number of elements of the current row.
    count: usize,
    /// The position of the next element.
    position: usize,
}

impl<'a> UnnestedBatch<'a> {
    fn new(unnest: &'a UnnestRows, items: UnnestItems, batch: Batch) -> Self {
        let inputs = unnest.plan.output.iter().filter_map(|output| match output {
            UnnestOutput::Input(index) => Some(*index),
            UnnestOutput::Item(_) | UnnestOutput::Position => None,
        });
        let repeated_bytes = batch.project(&inputs.collect::<Vec<_>>()).text_bytes_of_rows();
        let mut expansion = Self { unnest, items, batch, repeated_bytes, row: 0, count: 0, position: 0 };
        expansion.open();
        expansion
    }

    /// Begins with the elements of the current row.
    fn open(&mut self) {
        self.position = 0;
        if self.row < self.batch.rows() {
            self.count = self.items.open(self.row).min(self.unnest.plan.limit.unwrap_or(usize::MAX));
        }
    }

    fn advance(&mut self) -> Result<Option<Batch>> {
        let (mut rows, mut positions, mut bytes) = (Vec::new(), Vec::new(), 0_usize);
        let max_bytes = self.unnest.batch_bytes;
        while self.row < self.batch.rows() && rows.len() < MAX_ROWS && bytes < max_bytes {
            let repeated = self.repeated_bytes[self.row];
            let fitting = (max_bytes - bytes) / repeated.max(1) + 1;
            let taken = (self.count - self.position).min(MAX_ROWS - rows.len()).min(fitting);
            let end = self.position + taken;
            let own = self.items.push(self.position..end);
            bytes = bytes.saturating_add(own).saturating_add(repeated.saturating_mul(taken));
            rows.extend(std::iter::repeat_n(u32::try_from(self.row).unwrap_or(u32::MAX), taken));
            positions.extend((self.position..end).map(|position| i64::try_from(position).unwrap_or(i64::MAX)));
            self.position = end;
            if end == self.count {
                self.row += 1;
                self.open();
            }
        }
        if rows.is_empty() {
            return Ok(None);
        }
        let items = self.items.finish()?;
        self.unnest.output(rows, positions, &items, &self.batch).map(Some)
    }
}

impl Iterator for UnnestedBatch<'_> {
    type Item = Result<Batch>;

    fn next(&mut self) -> Option<Self::Item> {
        self.advance().transpose()
    }
}
