//! Operators that take a batch at a time: they run inside partitions.

mod filter;
mod probe_join;
mod project;
mod unnest;
mod unnest_items;

use std::fmt::Debug;
use std::sync::Arc;

pub use filter::{Filter, evaluate_mask, mask};
pub use probe_join::{JoinedColumn, ProbeJoin};
pub use project::Project;
pub use unnest::Unnest;

use crate::diagnostic::Result;
use crate::scan::{BatchIterator, Partition};
use crate::types::Batch;

/// A batch in, batches out; no memory of earlier batches.
pub trait Operator: Debug + Send + Sync {
    /// What becomes of the rows of `batch`.
    fn process(&self, batch: Batch) -> Result<Vec<Batch>>;

    /// The same, one after the other: for operators that make much of little.
    fn stream(&self, batch: Batch) -> BatchIterator<'_> {
        match self.process(batch) {
            Ok(batches) => Box::new(batches.into_iter().map(Ok)),
            Err(error) => Box::new(std::iter::once(Err(error))),
        }
    }

    /// Rows that come after those of the last batch.
    fn rest(&self) -> BatchIterator<'_> {
        Box::new(std::iter::empty())
    }
}

/// The two halves of a batch of several rows, for work whose results over all of them are too large.
pub(crate) fn halves(batch: &Batch) -> [Batch; 2] {
    let half = batch.rows() / 2;
    [batch.slice(0, half), batch.slice(half, batch.rows() - half)]
}

/// A partition whose rows have passed operators.
#[derive(Debug)]
pub struct OperatorPartition {
    input: Arc<dyn Partition>,
    /// The first one first.
    operators: Vec<Arc<dyn Operator>>,
}

impl OperatorPartition {
    /// The rows of `input` through `operators`.
    #[must_use]
    pub fn new(input: Arc<dyn Partition>, operators: Vec<Arc<dyn Operator>>) -> Self {
        Self { input, operators }
    }
}

impl Partition for OperatorPartition {
    fn read(&self) -> Result<BatchIterator<'_>> {
        Ok(Box::new(Through { operators: &self.operators, levels: vec![self.input.read()?] }))
    }
}

/// Batches on their way through operators. Pipelines may have hundreds of them: none calls the next one.
struct Through<'a> {
    operators: &'a [Arc<dyn Operator>],
    /// The input, and what each operator makes of the batch before it, as far as they are open.
    levels: Vec<BatchIterator<'a>>,
}

impl Iterator for Through<'_> {
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
