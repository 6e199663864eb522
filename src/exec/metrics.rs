//! What running a plan took, node by node: rows, batches, and how long threads were busy with it.
//!
//! A thread works for one node at a time: `work_for` says for which, until what it answers is dropped, and then the
//! thread works for the one before again. Whatever a node pulls from its inputs is so counted for them, and time in which
//! a thread waits for others counts for nobody. Without metrics, nothing is measured.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt::Debug;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use super::operator::Operator;
use crate::diagnostic::Result;
use crate::plan::{LogicalPlan, visit};
use crate::scan::{BatchIterator, Partition};
use crate::storage::counters::ScanCounters;
use crate::types::Batch;

/// Tells the time; the front door has one.
pub trait Clock: Debug + Send + Sync {
    /// The time since some moment, never falling.
    fn elapsed(&self) -> Duration;
}

/// What the nodes of one plan took.
#[derive(Debug)]
pub struct PlanMetrics {
    /// By the place of the node in memory: a plan does not move while it runs.
    nodes: HashMap<usize, Arc<NodeMetrics>>,
}

/// What one node took.
#[derive(Debug)]
pub struct NodeMetrics {
    rows: AtomicU64,
    batches: AtomicU64,
    nanoseconds: AtomicU64,
    scan: OnceLock<Arc<ScanCounters>>,
    clock: Arc<dyn Clock>,
}

impl PlanMetrics {
    /// For a run of `plan`.
    #[must_use]
    pub fn new(plan: &LogicalPlan, clock: &Arc<dyn Clock>) -> Self {
        let mut nodes = HashMap::new();
        let mut waiting = vec![plan];
        while let Some(node) = waiting.pop() {
            nodes.insert(place(node), Arc::new(NodeMetrics::new(clock)));
            waiting.extend(visit::inputs(node));
        }
        Self { nodes }
    }

    /// Those of a node; None where it is none of the plan.
    #[must_use]
    pub fn of(&self, node: &LogicalPlan) -> Option<&Arc<NodeMetrics>> {
        self.nodes.get(&place(node))
    }
}

fn place(node: &LogicalPlan) -> usize {
    std::ptr::from_ref(node).addr()
}

impl NodeMetrics {
    fn new(clock: &Arc<dyn Clock>) -> Self {
        let (rows, batches, nanoseconds) = Default::default();
        Self { rows, batches, nanoseconds, scan: OnceLock::new(), clock: Arc::clone(clock) }
    }

    /// Rows that came out.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.rows.load(Ordering::Relaxed)
    }

    /// Batches that came out.
    #[must_use]
    pub fn batches(&self) -> u64 {
        self.batches.load(Ordering::Relaxed)
    }

    /// How long threads were busy with this node and none of those below it, all threads together.
    #[must_use]
    pub fn busy(&self) -> Duration {
        Duration::from_nanos(self.nanoseconds.load(Ordering::Relaxed))
    }

    /// What was read, where the node is a scan.
    #[must_use]
    pub fn scan(&self) -> Option<&ScanCounters> {
        self.scan.get().map(Arc::as_ref)
    }

    /// The node is a scan that counts here.
    pub(super) fn reads(&self, counters: &Arc<ScanCounters>) {
        // A plan runs once for its metrics.
        let _ = self.scan.set(Arc::clone(counters));
    }
}

thread_local! {
    /// Which node this thread works for, and since when.
    static WORK: RefCell<Option<(Arc<NodeMetrics>, Duration)>> = const { RefCell::new(None) };
}

/// Until it is dropped, the thread works for another node than before.
pub(super) struct Working {
    before: Option<Arc<NodeMetrics>>,
}

/// From now on the thread works for `node`, or for nobody.
pub(super) fn work_for(node: Option<Arc<NodeMetrics>>) -> Working {
    Working { before: switch(node) }
}

/// Which node this thread works for.
pub(super) fn at_work() -> Option<Arc<NodeMetrics>> {
    WORK.with_borrow(|work| work.as_ref().map(|(node, _)| Arc::clone(node)))
}

/// Lets the thread work for `next`; answers for which node it did.
fn switch(next: Option<Arc<NodeMetrics>>) -> Option<Arc<NodeMetrics>> {
    WORK.with_borrow_mut(|work| {
        let now = work.as_ref().map(|(node, _)| node).or(next.as_ref())?.clock.elapsed();
        let before = work.take();
        *work = next.map(|node| (node, now));
        before.map(|(node, since)| {
            let spent = u64::try_from(now.saturating_sub(since).as_nanos()).unwrap_or(u64::MAX);
            node.nanoseconds.fetch_add(spent, Ordering::Relaxed);
            node
        })
    })
}

impl Drop for Working {
    fn drop(&mut self) {
        switch(self.before.take());
    }
}

/// Counts the batches that come out of a node, and hands them on.
#[derive(Debug)]
pub(super) struct Meter(pub Arc<NodeMetrics>);

impl Operator for Meter {
    fn process(&self, batch: Batch) -> Result<Vec<Batch>> {
        let Self(node) = self;
        node.rows.fetch_add(batch.rows() as u64, Ordering::Relaxed);
        node.batches.fetch_add(u64::from(batch.rows() > 0), Ordering::Relaxed);
        Ok(vec![batch])
    }
}

/// An operator or a partition that is worked on for a node.
#[derive(Debug)]
struct Timed<T> {
    inner: T,
    node: Arc<NodeMetrics>,
}

impl<T: Sync> Timed<T> {
    /// The batches that `start` begins, each worked on for the node.
    fn batches<'a>(&'a self, start: impl FnOnce(&'a T) -> Result<BatchIterator<'a>>) -> Result<BatchIterator<'a>> {
        let work = || work_for(Some(Arc::clone(&self.node)));
        let mut batches = {
            let _working = work();
            start(&self.inner)?
        };
        Ok(Box::new(std::iter::from_fn(move || {
            let _working = work();
            batches.next()
        })))
    }
}

impl Operator for Timed<Arc<dyn Operator>> {
    fn process(&self, batch: Batch) -> Result<Vec<Batch>> {
        let _working = work_for(Some(Arc::clone(&self.node)));
        self.inner.process(batch)
    }

    fn stream(&self, batch: Batch) -> BatchIterator<'_> {
        self.batches(|operator| Ok(operator.stream(batch)))
            .unwrap_or_else(|error| Box::new(std::iter::once(Err(error))))
    }

    fn rest(&self) -> BatchIterator<'_> {
        self.batches(|operator| Ok(operator.rest())).unwrap_or_else(|error| Box::new(std::iter::once(Err(error))))
    }
}

impl Partition for Timed<Arc<dyn Partition>> {
    fn read(&self) -> Result<BatchIterator<'_>> {
        self.batches(|partition| partition.read())
    }
}

/// The operator, timed for the node that this thread works for, if it does.
pub(super) fn timed_operator(inner: Arc<dyn Operator>) -> Arc<dyn Operator> {
    match at_work() {
        Some(node) => Arc::new(Timed { inner, node }),
        None => inner,
    }
}

/// The partitions, timed for the node that this thread works for, if it does.
pub(super) fn timed_partitions(partitions: Vec<Arc<dyn Partition>>) -> Vec<Arc<dyn Partition>> {
    let Some(node) = at_work() else { return partitions };
    let timed = |inner| Arc::new(Timed { inner, node: Arc::clone(&node) }) as Arc<dyn Partition>;
    partitions.into_iter().map(timed).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A clock that stands still until it is moved.
    #[derive(Debug, Default)]
    struct Hand(AtomicU64);

    impl Hand {
        fn turn(&self, nanoseconds: u64) {
            self.0.fetch_add(nanoseconds, Ordering::Relaxed);
        }
    }

    impl Clock for Hand {
        fn elapsed(&self) -> Duration {
            Duration::from_nanos(self.0.load(Ordering::Relaxed))
        }
    }

    #[test]
    fn time_counts_for_the_innermost_node_and_waiting_for_nobody() {
        let hand = Arc::new(Hand::default());
        let clock: Arc<dyn Clock> = Arc::<Hand>::clone(&hand);
        let [sort, scan] = [(); 2].map(|()| Arc::new(NodeMetrics::new(&clock)));
        hand.turn(1);
        {
            let _sort = work_for(Some(Arc::clone(&sort)));
            hand.turn(10);
            {
                let _scan = work_for(Some(Arc::clone(&scan)));
                hand.turn(100);
                let _waiting = work_for(None);
                hand.turn(1_000);
                assert!(at_work().is_none());
            }
            hand.turn(20);
            assert!(at_work().is_some_and(|node| Arc::ptr_eq(&node, &sort)));
        }
        hand.turn(10_000);
        assert!(at_work().is_none());
        assert_eq!([sort, scan].map(|node| node.busy().as_nanos()), [30, 100]);
    }
}
