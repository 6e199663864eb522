//! Wrappers that measure operators and partitions for the current node of the plan; see [`metrics`].

use std::sync::Arc;

use super::RowOperator;
use crate::diagnostic::Result;
use crate::exec::metrics::{self, NodeMetrics};
use crate::scan::{BatchIterator, Partition};
use crate::types::Batch;

/// An operator that counts the rows and batches that a node returns.
#[derive(Debug)]
pub struct CountOutput(pub Arc<NodeMetrics>);

impl RowOperator for CountOutput {
    fn process(&self, batch: Batch) -> Result<Vec<Batch>> {
        self.0.count_batch(batch.rows());
        Ok(vec![batch])
    }
}

/// An operator or a partition whose time is charged to a node.
#[derive(Debug)]
struct Timed<T> {
    inner: T,
    node: Arc<NodeMetrics>,
}

impl<T: Sync> Timed<T> {
    /// Opens an iterator of batches with `start`; the time for opening it and for each batch is charged to the node.
    fn batches<'a>(&'a self, start: impl FnOnce(&'a T) -> Result<BatchIterator<'a>>) -> Result<BatchIterator<'a>> {
        let enter = || metrics::enter(Some(Arc::clone(&self.node)));
        let mut batches = {
            let _scope = enter();
            start(&self.inner)?
        };
        Ok(Box::new(std::iter::from_fn(move || {
            let _scope = enter();
            batches.next()
        })))
    }
}

impl RowOperator for Timed<Arc<dyn RowOperator>> {
    fn process(&self, batch: Batch) -> Result<Vec<Batch>> {
        let _scope = metrics::enter(Some(Arc::clone(&self.node)));
        self.inner.process(batch)
    }

    fn stream(&self, batch: Batch) -> BatchIterator<'_> {
        self.batches(|operator| Ok(operator.stream(batch)))
            .unwrap_or_else(|error| Box::new(std::iter::once(Err(error))))
    }

    fn flush(&self) -> BatchIterator<'_> {
        self.batches(|operator| Ok(operator.flush())).unwrap_or_else(|error| Box::new(std::iter::once(Err(error))))
    }
}

impl Partition for Timed<Arc<dyn Partition>> {
    fn read(&self) -> Result<BatchIterator<'_>> {
        self.batches(|partition| partition.read())
    }
}

/// Wraps `operator` so that its time is charged to the current node, if there is one.
#[must_use]
pub fn timed_operator(operator: Arc<dyn RowOperator>) -> Arc<dyn RowOperator> {
    match metrics::current() {
        Some(node) => Arc::new(Timed { inner: operator, node }),
        None => operator,
    }
}

/// Wraps `partitions` so that their time is charged to the current node, if there is one.
#[must_use]
pub fn timed_partitions(partitions: Vec<Arc<dyn Partition>>) -> Vec<Arc<dyn Partition>> {
    let Some(node) = metrics::current() else { return partitions };
    let timed = |inner| Arc::new(Timed { inner, node: Arc::clone(&node) }) as Arc<dyn Partition>;
    partitions.into_iter().map(timed).collect()
}
