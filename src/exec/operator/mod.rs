//! Operators that process one batch at a time, and so run inside partitions.

mod filter;
mod metered;
mod parse;
mod project;
mod table_call;
mod unnest;
mod unnest_elements;
mod unnest_items;

use std::fmt::Debug;
use std::sync::Arc;

pub use filter::{Filter, evaluate_mask, mask};
pub use metered::{CountOutput, timed_operator, timed_partitions};
pub use parse::ParseRows;
pub use project::Project;
pub(crate) use table_call::TableCallInput;
pub use table_call::TableCallRows;
pub use unnest::UnnestRows;

use crate::diagnostic::Result;
use crate::scan::{BatchIterator, Partition};
use crate::types::Batch;

/// An operator that turns each batch into other batches, independently of earlier batches.
pub trait RowOperator: Debug + Send + Sync {
    /// Returns the output rows for `batch`.
    fn process(&self, batch: Batch) -> Result<Vec<Batch>>;

    /// Like [`Self::process`], but may return the batches one at a time: for operators that multiply rows.
    fn stream(&self, batch: Batch) -> BatchIterator<'_> {
        match self.process(batch) {
            Ok(batches) => Box::new(batches.into_iter().map(Ok)),
            Err(error) => Box::new(std::iter::once(Err(error))),
        }
    }

    /// Returns the rows that the operator still has after the last batch.
    fn flush(&self) -> BatchIterator<'_> {
        Box::new(std::iter::empty())
    }
}

/// Returns the two halves of a batch of at least two rows, for work whose result over the whole batch is too large.
pub(crate) fn halves(batch: &Batch) -> [Batch; 2] {
    let half = batch.rows() / 2;
    [batch.slice(0, half), batch.slice(half, batch.rows() - half)]
}

/// A partition whose rows pass through a chain of operators.
#[derive(Debug)]
pub struct OperatorPartition {
    input: Arc<dyn Partition>,
    operators: Vec<Arc<dyn RowOperator>>,
}

impl OperatorPartition {
    /// Passes the rows of `input` through `operators`, in order.
    #[must_use]
    pub fn new(input: Arc<dyn Partition>, operators: Vec<Arc<dyn RowOperator>>) -> Self {
        Self { input, operators }
    }
}

impl Partition for OperatorPartition {
    fn read(&self) -> Result<BatchIterator<'_>> {
        Ok(Box::new(OperatorChain { operators: &self.operators, levels: vec![self.input.read()?] }))
    }
}

/// Passes batches through a chain of operators without recursion: pipelines may have hundreds of operators.
struct OperatorChain<'a> {
    operators: &'a [Arc<dyn RowOperator>],
    /// The input, and for each operator the output for its current batch that is not consumed yet. There is an entry
    /// for each operator up to the deepest one with such output.
    levels: Vec<BatchIterator<'a>>,
}

impl Iterator for OperatorChain<'_> {
    type Item = Result<Batch>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match self.levels.last_mut()?.next() {
                Some(Ok(batch)) => match self.operators.get(self.levels.len() - 1) {
                    Some(_) if batch.rows() == 0 => {}
                    Some(operator) => self.levels.push(operator.stream(batch)),
                    None => return Some(Ok(batch)),
                },
                Some(Err(error)) => return Some(Err(error)),
                None => drop(self.levels.pop()),
            }
        }
    }
}
