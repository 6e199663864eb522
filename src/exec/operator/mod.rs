//! Operators that take a batch at a time: they run inside partitions.

mod filter;
mod project;
mod unnest;

use std::fmt::Debug;
use std::sync::Arc;

pub use filter::{Filter, mask};
pub use project::Project;
pub use unnest::Unnest;

use crate::diagnostic::Result;
use crate::source::{BatchIterator, Partition};
use crate::types::Batch;

/// A batch in, batches out; no memory of earlier batches.
pub trait Operator: Debug + Send + Sync {
    /// What becomes of the rows of `batch`.
    fn process(&self, batch: Batch) -> Result<Vec<Batch>>;
}

/// A partition whose rows have passed an operator.
#[derive(Debug)]
pub struct OperatorPartition {
    input: Arc<dyn Partition>,
    operator: Arc<dyn Operator>,
}

impl OperatorPartition {
    /// The rows of `input` through `operator`.
    #[must_use]
    pub fn new(input: Arc<dyn Partition>, operator: Arc<dyn Operator>) -> Self {
        Self { input, operator }
    }
}

impl Partition for OperatorPartition {
    fn read(&self) -> Result<BatchIterator<'_>> {
        let process = |batch: Result<Batch>| -> Vec<Result<Batch>> {
            match batch.and_then(|batch| self.operator.process(batch)) {
                Ok(batches) => batches.into_iter().map(Ok).collect(),
                Err(error) => vec![Err(error)],
            }
        };
        Ok(Box::new(self.input.read()?.flat_map(process)))
    }
}
