//! Runs partitions in parallel and delivers their results in the order of the partitions.
//!
//! Each run has a pool of threads of its own, whose workers may block: every job has a worker, and no job waits for
//! another one. Workers claim partitions in order. The caller consumes the results of partition 0, then of 1, and so
//! on, while workers run a few partitions and batches ahead. So the order of the rows depends neither on the number of
//! threads nor on timing, memory stays bounded, and the workers stop when the caller does.

use std::collections::{BTreeMap, VecDeque};
use std::ops::ControlFlow;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::context::ExecContext;
use super::metrics;
use crate::diagnostic::{Error, Result};
use crate::memory::{MemoryBudget, Reservation};
use crate::scan::Partition;
use crate::types::Batch;

/// Maximum number of results that a partition queues for the caller.
const QUEUE_ITEMS: usize = 4;

/// Size of a worker's stack in bytes: evaluating an expression recurses as deep as the expression is nested.
const STACK_BYTES: usize = 8 << 20;

/// Whether the consumer of rows needs more of them (continue), or not (break).
pub type Flow = ControlFlow<()>;

/// Calls `consume` with every batch, in the order of the partitions, until it returns a break.
pub fn for_each_batch(
    partitions: &[Arc<dyn Partition>],
    context: &ExecContext,
    consume: &mut dyn FnMut(Batch) -> Result<Flow>,
) -> Result<()> {
    let produce = |partition: &Arc<dyn Partition>, emit: &mut dyn FnMut(Batch) -> Flow| {
        for batch in partition.read()? {
            context.check_cancelled()?;
            let batch = batch?;
            if batch.rows() > 0 && emit(batch).is_break() {
                break;
            }
        }
        Ok(())
    };
    let weight = ItemWeight { bytes_of: &Batch::own_bytes, budget: Some(&context.memory) };
    in_order(partitions, context.threads, &Producer { produce: &produce, weight }, consume)
}

/// A function that computes values from the batches of a partition, and emits them in order.
pub type PartitionFold<'a, S> =
    dyn Fn(&mut dyn Iterator<Item = Result<Batch>>, &mut dyn FnMut(S) -> Flow) -> Result<()> + Sync + 'a;

/// Calls `local` for each partition, and `combine` with the values that it emits, in the order of the rows.
pub fn for_each_partition<S: Send>(
    partitions: &[Arc<dyn Partition>],
    context: &ExecContext,
    local: &PartitionFold<'_, S>,
    combine: &mut dyn FnMut(S) -> Result<()>,
) -> Result<()> {
    let produce = |partition: &Arc<dyn Partition>, emit: &mut dyn FnMut(S) -> Flow| {
        let mut batches = partition.read()?.map(|batch| context.check_cancelled().and(batch));
        local(&mut batches, emit)
    };
    in_order(partitions, context.threads, &Producer::unweighted(&produce), &mut |state| {
        combine(state).map(|()| Flow::Continue(()))
    })
}

/// Runs `work` on each of `items` in parallel and calls `consume` with the results in the order of the items.
///
/// # Errors
/// The first error in the order of the items.
pub fn for_each<I: Sync, T: Send>(
    items: &[I],
    threads: usize,
    work: &(dyn Fn(&I) -> Result<T> + Sync),
    consume: &mut dyn FnMut(T) -> Result<()>,
) -> Result<()> {
    let produce = |item: &I, emit: &mut dyn FnMut(T) -> Flow| {
        let _ = emit(work(item)?);
        Ok(())
    };
    in_order(items, threads, &Producer::unweighted(&produce), &mut |result| {
        consume(result).map(|()| Flow::Continue(()))
    })
}

/// A function that processes one item of work, such as a partition, and emits its results.
type Produce<'a, I, T> = dyn Fn(&I, &mut dyn FnMut(T) -> Flow) -> Result<()> + Sync + 'a;

/// How much memory a queued result uses, and the budget it is reserved from. Results with a reservation of their own
/// have the weight 0.
struct ItemWeight<'a, T> {
    bytes_of: &'a (dyn Fn(&T) -> usize + Sync),
    budget: Option<&'a Arc<MemoryBudget>>,
}

/// The function that produces results, and how the results are weighed.
struct Producer<'a, I, T> {
    produce: &'a Produce<'a, I, T>,
    weight: ItemWeight<'a, T>,
}

impl<'a, I, T> Producer<'a, I, T> {
    fn unweighted(produce: &'a Produce<'a, I, T>) -> Self {
        Self { produce, weight: ItemWeight { bytes_of: &|_| 0, budget: None } }
    }
}

fn in_order<I: Sync, T: Send>(
    partitions: &[I],
    threads: usize,
    producer: &Producer<'_, I, T>,
    consume: &mut dyn FnMut(T) -> Result<Flow>,
) -> Result<()> {
    let threads = threads.min(partitions.len());
    if threads <= 1 {
        return one_by_one(partitions, producer.produce, consume);
    }
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .stack_size(STACK_BYTES)
        .build()
        .map_err(|error| Error::Limit(format!("cannot start {threads} threads: {error}; try --threads 1")))?;
    let shared = SharedQueues::new(partitions.len(), threads, &producer.weight);
    let node = metrics::current();
    pool.in_place_scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|_| {
                let _scope = metrics::enter(node.clone());
                shared.work(partitions, producer.produce);
            });
        }
        let outcome = shared.drain(consume);
        shared.stop();
        outcome
    })
}

fn one_by_one<I, T>(
    partitions: &[I],
    produce: &Produce<'_, I, T>,
    consume: &mut dyn FnMut(T) -> Result<Flow>,
) -> Result<()> {
    for partition in partitions {
        let mut outcome = Ok(Flow::Continue(()));
        produce(partition, &mut |item| {
            outcome = consume(item);
            if matches!(outcome, Ok(Flow::Continue(()))) { Flow::Continue(()) } else { Flow::Break(()) }
        })?;
        if outcome?.is_break() {
            break;
        }
    }
    Ok(())
}

/// The queues of all partitions, which the workers and the caller share.
struct SharedQueues<'a, T> {
    state: Mutex<QueueState<T>>,
    changed: Condvar,
    weight: &'a ItemWeight<'a, T>,
    /// Maximum number of bytes of all queued results. The partition that the caller is consuming may always queue one.
    max_bytes: usize,
    partitions: usize,
    /// Maximum number of partitions by which workers may be ahead of the caller.
    ahead: usize,
}

struct QueueState<T> {
    /// The next partition that a worker will claim.
    next: usize,
    /// The partition that the caller is consuming.
    head: usize,
    /// The queues of the partitions that are claimed and not fully consumed.
    slots: BTreeMap<usize, PartitionQueue<T>>,
    /// True if the caller needs no more results.
    stopped: bool,
    /// The number of bytes of all queued results.
    bytes: usize,
    reservation: Option<Reservation>,
}

impl<T> QueueState<T> {
    /// Records that results of `added` bytes were queued and results of `removed` bytes consumed.
    fn account(&mut self, added: usize, removed: usize) {
        self.bytes = self.bytes.saturating_add(added).saturating_sub(removed);
        let bytes = self.bytes;
        self.reservation.iter_mut().for_each(|reservation| reservation.set(bytes));
    }

    fn has_room(&self, index: usize, bytes: usize, max_bytes: usize) -> bool {
        let queued = self.slots.get(&index).map_or(0, |slot| slot.items.len());
        queued < QUEUE_ITEMS && (self.bytes.saturating_add(bytes) <= max_bytes || (index == self.head && queued == 0))
    }
}

/// The queued results of a partition.
struct PartitionQueue<T> {
    items: VecDeque<QueuedItem<T>>,
    /// The outcome of the partition; None until it has ended.
    outcome: Option<Result<()>>,
}

struct QueuedItem<T> {
    item: T,
    bytes: usize,
}

impl<'w, T: Send> SharedQueues<'w, T> {
    fn new(partitions: usize, threads: usize, weight: &'w ItemWeight<'w, T>) -> Self {
        let reservation = weight.budget.map(MemoryBudget::reservation);
        let state = QueueState { next: 0, head: 0, slots: BTreeMap::new(), stopped: false, bytes: 0, reservation };
        let max_bytes = weight.budget.map_or(usize::MAX, |budget| budget.queue_bytes());
        Self { state: Mutex::new(state), changed: Condvar::new(), weight, max_bytes, partitions, ahead: threads * 2 }
    }

    fn lock(&self) -> MutexGuard<'_, QueueState<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, guard: MutexGuard<'a, QueueState<T>>) -> MutexGuard<'a, QueueState<T>> {
        let _unmeasured = metrics::enter(None);
        self.changed.wait(guard).unwrap_or_else(PoisonError::into_inner)
    }

    fn stop(&self) {
        self.lock().stopped = true;
        self.changed.notify_all();
    }

    /// Runs one worker: it processes partition after partition, until none is left or the caller needs no more results.
    fn work<I>(&self, partitions: &[I], produce: &Produce<'_, I, T>) {
        while let Some(index) = self.claim() {
            // Reports the end of the partition on every way out, so the caller never waits for a worker that panicked.
            let mut end =
                PartitionEnd { shared: self, index, outcome: Some(Err(Error::internal("a worker stopped early"))) };
            end.outcome = Some(produce(&partitions[index], &mut |item| self.push(index, item)));
        }
    }

    fn claim(&self) -> Option<usize> {
        let mut state = self.lock();
        loop {
            if state.stopped || state.next >= self.partitions {
                return None;
            }
            if state.next < state.head + self.ahead {
                let index = state.next;
                state.next += 1;
                state.slots.insert(index, PartitionQueue { items: VecDeque::new(), outcome: None });
                return Some(index);
            }
            state = self.wait(state);
        }
    }

    fn push(&self, index: usize, item: T) -> Flow {
        let bytes = (self.weight.bytes_of)(&item);
        let mut state = self.lock();
        loop {
            if state.stopped {
                return Flow::Break(());
            }
            let has_room = state.has_room(index, bytes, self.max_bytes);
            match state.slots.get_mut(&index) {
                Some(slot) if has_room => {
                    slot.items.push_back(QueuedItem { item, bytes });
                    state.account(bytes, 0);
                    self.changed.notify_all();
                    return Flow::Continue(());
                }
                Some(_) => state = self.wait(state),
                None => return Flow::Break(()),
            }
        }
    }

    /// Consumes all results in order, on the thread of the caller.
    fn drain(&self, consume: &mut dyn FnMut(T) -> Result<Flow>) -> Result<()> {
        while let Some(item) = self.pop()? {
            if consume(item)?.is_break() {
                break;
            }
        }
        Ok(())
    }

    fn pop(&self) -> Result<Option<T>> {
        let mut state = self.lock();
        loop {
            if state.head >= self.partitions {
                return Ok(None);
            }
            let head = state.head;
            if let Some(slot) = state.slots.get_mut(&head) {
                if let Some(QueuedItem { item, bytes }) = slot.items.pop_front() {
                    state.account(0, bytes);
                    self.changed.notify_all();
                    return Ok(Some(item));
                }
                if let Some(outcome) = slot.outcome.take() {
                    state.slots.remove(&head);
                    state.head += 1;
                    self.changed.notify_all();
                    outcome?;
                    continue;
                }
            }
            state = self.wait(state);
        }
    }
}

/// A guard that reports the outcome of a partition when it is dropped.
struct PartitionEnd<'a, T: Send> {
    shared: &'a SharedQueues<'a, T>,
    index: usize,
    outcome: Option<Result<()>>,
}

impl<T: Send> Drop for PartitionEnd<'_, T> {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        if let Some(slot) = state.slots.get_mut(&self.index) {
            slot.outcome = self.outcome.take();
        }
        self.shared.changed.notify_all();
    }
}
