//! The `...if` aggregates: any aggregate, over the rows for which a condition is true.

use std::any::Any;

use arrow::array::{Array, AsArray};

use super::{Accumulator, AggregateCall, downcast};
use crate::diagnostic::Result;
use crate::types::{Batch, Column};

/// Returns the state of `inner` without the argument at `position`, which is the condition: only rows for which it is
/// true are aggregated.
pub fn conditional(
    call: &AggregateCall,
    position: usize,
    inner: fn(&AggregateCall) -> Result<Box<dyn Accumulator>>,
) -> Result<Box<dyn Accumulator>> {
    let mut call = call.clone();
    call.arguments.remove(position);
    call.constants.remove(position);
    Ok(Box::new(Conditional { inner: inner(&call)?, position }))
}

#[derive(Debug)]
struct Conditional {
    inner: Box<dyn Accumulator>,
    position: usize,
}

impl Accumulator for Conditional {
    fn update(&mut self, rows: &[u32], groups: usize, arguments: &[Column]) -> Result<()> {
        let mut others = arguments.to_vec();
        let condition = others.remove(self.position);
        if let Some(constant) = condition.as_constant() {
            let all = *constant == crate::types::Value::Bool(true);
            let (rows, others) = if all { (rows, others) } else { (&[][..], none(&others)) };
            return self.inner.update(rows, groups, &others);
        }
        let mask = condition.to_array();
        let mask = mask.as_boolean();
        let kept = Batch::new(others, rows.len()).filter(mask)?;
        let is_true = |row: &usize| mask.is_valid(*row) && mask.value(*row);
        let rows: Vec<u32> = (0..rows.len()).filter(is_true).map(|row| rows[row]).collect();
        self.inner.update(&rows, groups, kept.columns())
    }

    fn merge(&mut self, later: Box<dyn Accumulator>, map: &[u32], groups: usize) -> Result<()> {
        self.inner.merge(downcast::<Self>(later)?.inner, map, groups)
    }

    fn finish(&mut self, groups: usize) -> Result<Vec<Column>> {
        self.inner.finish(groups)
    }

    fn select(&mut self, groups: &[u32]) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(Self { inner: self.inner.select(groups)?, position: self.position }))
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }

    fn memory(&self) -> usize {
        self.inner.memory()
    }
}

/// Returns the columns with zero rows.
fn none(columns: &[Column]) -> Vec<Column> {
    columns.iter().map(|column| column.slice(0, 0)).collect()
}
