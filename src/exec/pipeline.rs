//! Runs partitions in parallel and hands on what they give in the order of the partitions.
//!
//! The only file that names rayon. Workers claim partitions in order; the caller takes the results of partition 0,
//! then of 1, and so on, while workers run a few partitions and batches ahead. So the order of the rows depends neither
//! on the number of threads nor on chance, memory stays bounded, and stopping the caller stops the workers.

use std::collections::{BTreeMap, VecDeque};
use std::ops::ControlFlow;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::context::ExecContext;
use super::memory::{MemoryBudget, Reservation};
use super::metrics;
use crate::diagnostic::{Error, Result};
use crate::scan::Partition;
use crate::types::Batch;

/// Items that wait for the caller, for each partition in work.
const QUEUE: usize = 4;

/// Bytes of the stack of a worker: expressions are evaluated as deep as they nest.
const STACK: usize = 8 << 20;

/// Whether more rows are wanted.
pub type Flow = ControlFlow<()>;

/// Calls `consume` with every batch, in the order of the partitions.
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
    let weight = Weight { of: &Batch::own_bytes, budget: Some(&context.memory) };
    in_order(partitions, context.threads, (&produce, weight), consume)
}

/// Computes values over the batches of a partition, one behind the other, and hands them on.
pub type Local<'a, S> =
    dyn Fn(&mut dyn Iterator<Item = Result<Batch>>, &mut dyn FnMut(S) -> Flow) -> Result<()> + Sync + 'a;

/// Computes `local` over each partition and calls `combine` with the results, in the order of the rows.
pub fn for_each_partition<S: Send>(
    partitions: &[Arc<dyn Partition>],
    context: &ExecContext,
    local: &Local<'_, S>,
    combine: &mut dyn FnMut(S) -> Result<()>,
) -> Result<()> {
    let produce = |partition: &Arc<dyn Partition>, emit: &mut dyn FnMut(S) -> Flow| {
        let mut batches = partition.read()?.map(|batch| context.check_cancelled().and(batch));
        local(&mut batches, emit)
    };
    let produce = (&produce as &Produce<'_, _, S>, Weight::none());
    in_order(partitions, context.threads, produce, &mut |state| combine(state).map(|()| Flow::Continue(())))
}

/// Does `work` on each of `items`, which need not be parts of a table, and calls `consume` with the results in the order
/// of the items. The first error, in that order, ends it.
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
    let produce = (&produce as &Produce<'_, _, T>, Weight::none());
    in_order(items, threads, produce, &mut |result| consume(result).map(|()| Flow::Continue(())))
}

/// Works on a partition, or whatever else the work is cut into, and emits what comes of it.
type Produce<'a, I, T> = dyn Fn(&I, &mut dyn FnMut(T) -> Flow) -> Result<()> + Sync + 'a;

/// How much memory items take while they wait, and of which budget; items that account for themselves weigh nothing.
struct Weight<'a, T> {
    of: &'a (dyn Fn(&T) -> usize + Sync),
    budget: Option<&'a Arc<MemoryBudget>>,
}

impl<T> Weight<'_, T> {
    fn none() -> Self {
        Self { of: &|_| 0, budget: None }
    }
}

fn in_order<I: Sync, T: Send>(
    partitions: &[I],
    threads: usize,
    (produce, weight): (&Produce<'_, I, T>, Weight<'_, T>),
    consume: &mut dyn FnMut(T) -> Result<Flow>,
) -> Result<()> {
    let threads = threads.min(partitions.len());
    if threads <= 1 {
        return one_by_one(partitions, produce, consume);
    }
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .stack_size(STACK)
        .build()
        .map_err(|error| Error::Limit(format!("cannot start {threads} threads: {error}; try --threads 1")))?;
    let shared = Shared::new(partitions.len(), threads, &weight);
    let at_work = metrics::at_work();
    pool.in_place_scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|_| {
                let _working = metrics::work_for(at_work.clone());
                shared.work(partitions, produce);
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

struct Shared<'a, T> {
    state: Mutex<State<T>>,
    changed: Condvar,
    weight: &'a Weight<'a, T>,
    /// Bytes of items that may wait, all together; the first item of the partition that the caller takes from always may.
    max_bytes: usize,
    partitions: usize,
    ahead: usize,
}

struct State<T> {
    /// The next partition to be claimed.
    next: usize,
    /// The partition that the caller takes from.
    head: usize,
    /// The partitions that are claimed and not yet taken whole.
    slots: BTreeMap<usize, Slot<T>>,
    /// No more is wanted.
    stopped: bool,
    /// Bytes of the items that wait.
    bytes: usize,
    reservation: Option<Reservation>,
}

impl<T> State<T> {
    /// Items of `added` bytes more wait now, and such of `removed` bytes do not any more.
    fn account(&mut self, added: usize, removed: usize) {
        self.bytes = self.bytes.saturating_add(added).saturating_sub(removed);
        let bytes = self.bytes;
        self.reservation.iter_mut().for_each(|reservation| reservation.set(bytes));
    }

    fn has_room(&self, index: usize, bytes: usize, max_bytes: usize) -> bool {
        let waiting = self.slots.get(&index).map_or(0, |slot| slot.items.len());
        waiting < QUEUE && (self.bytes.saturating_add(bytes) <= max_bytes || (index == self.head && waiting == 0))
    }
}

struct Slot<T> {
    /// Items and their bytes.
    items: VecDeque<(T, usize)>,
    outcome: Option<Result<()>>,
}

impl<'w, T: Send> Shared<'w, T> {
    fn new(partitions: usize, threads: usize, weight: &'w Weight<'w, T>) -> Self {
        let reservation = weight.budget.map(MemoryBudget::reservation);
        let state = State { next: 0, head: 0, slots: BTreeMap::new(), stopped: false, bytes: 0, reservation };
        let max_bytes = weight.budget.map_or(usize::MAX, |budget| budget.queue_bytes());
        Self { state: Mutex::new(state), changed: Condvar::new(), weight, max_bytes, partitions, ahead: threads * 2 }
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, guard: MutexGuard<'a, State<T>>) -> MutexGuard<'a, State<T>> {
        let _waiting = metrics::work_for(None);
        self.changed.wait(guard).unwrap_or_else(PoisonError::into_inner)
    }

    fn stop(&self) {
        self.lock().stopped = true;
        self.changed.notify_all();
    }

    /// One worker: partition after partition, until none is left or no more is wanted.
    fn work<I>(&self, partitions: &[I], produce: &Produce<'_, I, T>) {
        while let Some(index) = self.claim() {
            // Reports the end of the partition on every way out, so that the caller never waits for a lost worker.
            let mut end = End { shared: self, index, outcome: Some(Err(Error::internal("a worker stopped early"))) };
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
                state.slots.insert(index, Slot { items: VecDeque::new(), outcome: None });
                return Some(index);
            }
            state = self.wait(state);
        }
    }

    fn push(&self, index: usize, item: T) -> Flow {
        let bytes = (self.weight.of)(&item);
        let mut state = self.lock();
        loop {
            if state.stopped {
                return Flow::Break(());
            }
            let has_room = state.has_room(index, bytes, self.max_bytes);
            match state.slots.get_mut(&index) {
                Some(slot) if has_room => {
                    slot.items.push_back((item, bytes));
                    state.account(bytes, 0);
                    self.changed.notify_all();
                    return Flow::Continue(());
                }
                Some(_) => state = self.wait(state),
                None => return Flow::Break(()),
            }
        }
    }

    /// The caller: everything in order.
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
                if let Some((item, bytes)) = slot.items.pop_front() {
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

struct End<'a, T: Send> {
    shared: &'a Shared<'a, T>,
    index: usize,
    outcome: Option<Result<()>>,
}

impl<T: Send> Drop for End<'_, T> {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        if let Some(slot) = state.slots.get_mut(&self.index) {
            slot.outcome = self.outcome.take();
        }
        self.shared.changed.notify_all();
    }
}
