//! Measures what running a plan costs, per node: rows, batches, and the time that threads were busy with it.
//!
//! The time of a thread is charged to one node at a time. `enter` starts charging another node, and returns a guard
//! that restores the previous one when it is dropped. So the time in which a node's input produces rows is charged to
//! the input, and a thread that waits for others charges no node. Without metrics, nothing is measured.

use std::cell::RefCell;
use std::fmt::Debug;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use crate::plan::{LogicalPlan, NodeId, node_count};
use crate::storage::counters::ScanCounters;

/// A monotonic clock; the caller of the engine provides it.
pub trait Clock: Debug + Send + Sync {
    /// Returns the time since some fixed moment.
    fn elapsed(&self) -> Duration;
}

/// The measurements of a plan, by node.
#[derive(Debug)]
pub struct PlanMetrics {
    /// The measurements of each node, at [`NodeId::index`].
    nodes: Vec<Arc<NodeMetrics>>,
}

/// The measurements of one node.
#[derive(Debug)]
pub struct NodeMetrics {
    rows: AtomicU64,
    batches: AtomicU64,
    nanoseconds: AtomicU64,
    scan: OnceLock<Arc<ScanCounters>>,
    clock: Arc<dyn Clock>,
}

impl PlanMetrics {
    /// Returns metrics for one run of `plan`, or of a clone of it.
    #[must_use]
    pub fn new(plan: &LogicalPlan, clock: &Arc<dyn Clock>) -> Self {
        Self { nodes: (0..node_count(plan)).map(|_| Arc::new(NodeMetrics::new(clock))).collect() }
    }

    /// Returns the measurements of a node; None if the plan has no node with this id.
    #[must_use]
    pub fn of(&self, id: NodeId) -> Option<&Arc<NodeMetrics>> {
        self.nodes.get(id.index())
    }
}

impl NodeMetrics {
    fn new(clock: &Arc<dyn Clock>) -> Self {
        let (rows, batches, nanoseconds) = Default::default();
        Self { rows, batches, nanoseconds, scan: OnceLock::new(), clock: Arc::clone(clock) }
    }

    /// Returns the number of rows that the node returned.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.rows.load(Ordering::Relaxed)
    }

    /// Returns the number of batches that the node returned, not counting empty ones.
    #[must_use]
    pub fn batches(&self) -> u64 {
        self.batches.load(Ordering::Relaxed)
    }

    /// Returns the time spent in this node, without its inputs, summed over all threads.
    #[must_use]
    pub fn busy(&self) -> Duration {
        Duration::from_nanos(self.nanoseconds.load(Ordering::Relaxed))
    }

    /// Returns the counts of bytes, rows and files that the scan read and skipped; None if the node is not a scan.
    #[must_use]
    pub fn scan(&self) -> Option<&ScanCounters> {
        self.scan.get().map(Arc::as_ref)
    }

    /// Sets the counters of a node that is a scan.
    pub(super) fn set_scan(&self, counters: &Arc<ScanCounters>) {
        // Metrics are for one run, so they are set once.
        let _ = self.scan.set(Arc::clone(counters));
    }

    /// Counts a batch of `rows` rows that the node returned.
    pub(super) fn count_batch(&self, rows: usize) {
        self.rows.fetch_add(rows as u64, Ordering::Relaxed);
        self.batches.fetch_add(u64::from(rows > 0), Ordering::Relaxed);
    }
}

thread_local! {
    /// The node to which the time of this thread is charged, and the time on the clock since when it is.
    static CURRENT: RefCell<Option<(Arc<NodeMetrics>, Duration)>> = const { RefCell::new(None) };
}

/// A guard: when it is dropped, the time is charged to the previous node again.
pub(super) struct MetricsScope {
    previous: Option<Arc<NodeMetrics>>,
}

/// Charges the time of this thread to `node`, or to no node for None, until the returned guard is dropped.
pub(super) fn enter(node: Option<Arc<NodeMetrics>>) -> MetricsScope {
    MetricsScope { previous: switch(node) }
}

/// Returns the node to which the time of this thread is charged; None if there is none.
pub(super) fn current() -> Option<Arc<NodeMetrics>> {
    CURRENT.with_borrow(|current| current.as_ref().map(|(node, _)| Arc::clone(node)))
}

/// Charges the time from now on to `next`; returns the node that was charged before.
fn switch(next: Option<Arc<NodeMetrics>>) -> Option<Arc<NodeMetrics>> {
    CURRENT.with_borrow_mut(|current| {
        let now = current.as_ref().map(|(node, _)| node).or(next.as_ref())?.clock.elapsed();
        let previous = current.take();
        *current = next.map(|node| (node, now));
        previous.map(|(node, since)| {
            let spent = u64::try_from(now.saturating_sub(since).as_nanos()).unwrap_or(u64::MAX);
            node.nanoseconds.fetch_add(spent, Ordering::Relaxed);
            node
        })
    })
}

impl Drop for MetricsScope {
    fn drop(&mut self) {
        switch(self.previous.take());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A clock that stands still until it is advanced.
    #[derive(Debug, Default)]
    struct ManualClock(AtomicU64);

    impl ManualClock {
        fn advance(&self, nanoseconds: u64) {
            self.0.fetch_add(nanoseconds, Ordering::Relaxed);
        }
    }

    impl Clock for ManualClock {
        fn elapsed(&self) -> Duration {
            Duration::from_nanos(self.0.load(Ordering::Relaxed))
        }
    }

    #[test]
    fn time_is_charged_to_the_innermost_node_and_waiting_to_nobody() {
        let manual = Arc::new(ManualClock::default());
        let clock: Arc<dyn Clock> = Arc::<ManualClock>::clone(&manual);
        let [sort, scan] = [(); 2].map(|()| Arc::new(NodeMetrics::new(&clock)));
        manual.advance(1);
        {
            let _sort = enter(Some(Arc::clone(&sort)));
            manual.advance(10);
            {
                let _scan = enter(Some(Arc::clone(&scan)));
                manual.advance(100);
                let _waiting = enter(None);
                manual.advance(1_000);
                assert!(current().is_none());
            }
            manual.advance(20);
            assert!(current().is_some_and(|node| Arc::ptr_eq(&node, &sort)));
        }
        manual.advance(10_000);
        assert!(current().is_none());
        assert_eq!([sort, scan].map(|node| node.busy().as_nanos()), [30, 100]);
    }
}
