//! One row for each element of a `range()` of numbers or times: they are counted up, and never written as JSON.

use std::sync::Arc;

use arrow::array::Int64Array;

use super::Unnest;
use crate::diagnostic::Result;
use crate::expr::{Expr, evaluate};
use crate::functions::scalar::dynamic_series::whole_range;
use crate::types::{Batch, Column};

/// Rows of the output so far: which input row each repeats, and its element.
#[derive(Default)]
struct Counted {
    rows: Vec<u32>,
    positions: Vec<i64>,
    values: Vec<Option<i64>>,
}

impl Counted {
    fn push(&mut self, row: usize, values: impl Iterator<Item = Option<i64>>) {
        let start = self.values.len();
        self.values.extend(values);
        let count = self.values.len() - start;
        self.rows.extend(std::iter::repeat_n(u32::try_from(row).unwrap_or(u32::MAX), count));
        self.positions.extend((0_i64..).take(count));
    }
}

impl Unnest {
    /// What processing a batch gives where the one item is a range of these `arguments`.
    pub(super) fn process_range(&self, arguments: &[Expr], step: i64, batch: &Batch) -> Result<Vec<Batch>> {
        let columns = arguments.iter().map(|argument| evaluate(argument, batch, self.context()));
        let columns: Vec<Column> = columns.collect::<Result<_>>()?;
        let argument = |index: usize, row| columns.get(index).map_or(Some(step), |column| column.i64_at(row));
        let most = self.limit();
        let mut outputs = Vec::new();
        let mut counted = Counted::default();
        for row in 0..batch.rows() {
            let bounds = argument(0, row).zip(argument(1, row)).zip(argument(2, row));
            match bounds.and_then(|((start, stop), step)| whole_range(start, stop, step)) {
                Some(values) => counted.push(row, values.map(Some).take(most)),
                // A null keeps one row.
                None => counted.push(row, std::iter::once(None).take(most)),
            }
            if Self::is_full(counted.rows.len()) {
                outputs.push(self.emit_range(std::mem::take(&mut counted), batch)?);
            }
        }
        outputs.push(self.emit_range(counted, batch)?);
        Ok(outputs)
    }

    fn emit_range(&self, counted: Counted, batch: &Batch) -> Result<Batch> {
        let values = Column::array(self.type_of(0), Arc::new(Int64Array::from(counted.values)));
        self.output(counted.rows, counted.positions, &[values], batch)
    }
}
