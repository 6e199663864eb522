//! The first rows of an order: `top`. Rows with equal keys keep their order.

use std::sync::{Mutex, MutexGuard, PoisonError};

use arrow::array::{AsArray, Int64Array, UInt32Array};
use arrow::compute::kernels::cmp::{gt_eq, lt_eq};

use super::comparator::{Comparator, is_integer, sorted_positions};
use super::sorter::Sorter;
use crate::diagnostic::Result;
use crate::exec::context::ExecContext;
use crate::exec::fold::{PartialState, fold};
use crate::exec::pipeline::ExecPipeline;
use crate::expr::evaluate;
use crate::functions::EvalContext;
use crate::memory::Reservation;
use crate::plan::SortKey;
use crate::types::{Batch, Schema, SharedMemory, Type};

/// Number of rows beyond those needed that a state may keep, before it drops rows.
const SLACK_ROWS: usize = 16_384;
/// Number of batches whose bytes a state may keep beyond those needed, before it drops rows.
const SLACK_BATCHES: usize = 4;
/// The states of all threads that are not merged yet may together use the memory limit divided by this number.
const UNMERGED_SHARE: usize = 16;

/// The order and the number of the rows that a `top` returns.
#[derive(Clone, Copy)]
pub struct TopSpec<'a> {
    /// The columns of the input.
    pub schema: &'a Schema,
    /// The sort keys.
    pub keys: &'a [SortKey],
    /// The number of rows to return.
    pub count: usize,
}

/// The result of a `top`.
pub enum TopRows {
    /// The first rows, and the memory reserved for them.
    InMemory(Vec<Batch>, Reservation),
    /// All rows that may be among the first ones, sorted, because they do not fit in memory.
    Sorted(ExecPipeline),
}

/// Returns the first rows of `input`, by the order and number in `spec`.
pub fn top(input: &ExecPipeline, spec: TopSpec<'_>, context: &ExecContext) -> Result<TopRows> {
    let types: Vec<Type> = spec.schema.fields().iter().map(|field| field.ty).collect();
    let shared = TopShared { spec, types: &types, context, bound: Mutex::new(None) };
    let mut whole = TopState::new(&shared);
    let mut sorter: Option<Sorter<'_>> = None;
    fold(input, context, &|| Ok(TopState::new(&shared)), &mut |mut state| {
        state.cut()?;
        for batch in std::mem::take(&mut state.batches) {
            match &mut sorter {
                Some(sorter) => sorter.push(shared.within_bound(batch)?)?,
                None => whole.push(batch)?,
            }
            if sorter.is_none() && whole.should_spill()? {
                let sorter = sorter.insert(Sorter::new(&types, spec.keys, context));
                let whole = std::mem::replace(&mut whole, TopState::new(&shared));
                whole.batches.into_iter().try_for_each(|batch| sorter.push(batch))?;
            }
        }
        Ok(())
    })?;
    if let Some(sorter) = sorter {
        return sorter.finish().map(TopRows::Sorted);
    }
    whole.cut()?;
    Ok(TopRows::InMemory(whole.batches, whole.reservation))
}

/// What the states of all threads share.
struct TopShared<'a> {
    spec: TopSpec<'a>,
    types: &'a [Type],
    context: &'a ExecContext,
    /// A limit for the first key: enough rows within it were found, so no thread needs rows beyond it. None until there
    /// are enough rows.
    bound: Mutex<Option<i64>>,
}

impl TopShared<'_> {
    fn bound(&self) -> MutexGuard<'_, Option<i64>> {
        self.bound.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the rows of `batch` that are within the limit. Rows whose first key equals the limit stay, because other
    /// keys decide about them.
    fn within_bound(&self, batch: Batch) -> Result<Batch> {
        let (Some(bound), Some((column, key))) = (*self.bound(), self.first_column()) else { return Ok(batch) };
        let values = batch.column(column).to_array();
        let Some(values) = values.as_primitive_opt() else { return Ok(batch) };
        let (values, bound): (&Int64Array, _) = (values, Int64Array::new_scalar(bound));
        let within = if key.descending { gt_eq(values, &bound) } else { lt_eq(values, &bound) }?;
        let keeps_nulls = |is_within: Option<bool>| Some(is_within != Some(false));
        let within = if key.nulls_first { within.iter().map(keeps_nulls).collect() } else { within };
        if within.true_count() == batch.rows() { Ok(batch) } else { batch.filter(&within) }
    }

    /// Tightens the limit to the first key of the last row in `ordered`, if these are as many rows as are needed.
    fn tighten(&self, ordered: &Batch) {
        let count = self.spec.count;
        let Some((column, key)) = self.first_column().filter(|_| ordered.rows() == count) else { return };
        let Some(last) = count.checked_sub(1).and_then(|last| ordered.column(column).i64_at(last)) else { return };
        let mut bound = self.bound();
        let tighter = |known: i64| if key.descending { known.max(last) } else { known.min(last) };
        *bound = Some(bound.map_or(last, tighter));
    }

    /// Returns the first key and the position of its column; None if it is not a column of 64-bit integers.
    fn first_column(&self) -> Option<(usize, &SortKey)> {
        let key = self.spec.keys.first().filter(|key| is_integer(key.expr.ty))?;
        Some((key.expr.as_column()?, key))
    }
}

/// The first rows of a part of the input, and some more until they are dropped.
struct TopState<'a> {
    shared: &'a TopShared<'a>,
    batches: Vec<Batch>,
    rows: usize,
    memory: SharedMemory,
    reservation: Reservation,
    /// If the rows use more bytes than this, those that are not needed are dropped.
    max_bytes: usize,
}

impl PartialState for TopState<'_> {
    fn push(&mut self, batch: Batch) -> Result<()> {
        let batch = self.shared.within_bound(batch)?;
        if batch.rows() > 0 {
            self.rows += batch.rows();
            self.reservation.grow(self.memory.add(&batch));
            self.batches.push(batch);
        }
        let max_rows = self.shared.spec.count.saturating_add(SLACK_ROWS);
        if self.rows > max_rows || self.reservation.bytes() > self.max_bytes { self.cut() } else { Ok(()) }
    }

    fn is_full(&self) -> bool {
        let ExecContext { memory, threads, .. } = self.shared.context;
        let max_bytes = memory.limit() / UNMERGED_SHARE / threads;
        self.reservation.bytes() > max_bytes && self.rows <= self.shared.spec.count
    }
}

impl<'a> TopState<'a> {
    fn new(shared: &'a TopShared<'a>) -> Self {
        let memory = &shared.context.memory;
        let (reservation, max_bytes) = (memory.reservation(), SLACK_BATCHES.saturating_mul(memory.batch_bytes()));
        Self { shared, batches: Vec::new(), rows: 0, memory: SharedMemory::default(), reservation, max_bytes }
    }

    /// True if the rows use too much memory, even after dropping those that are not needed.
    fn should_spill(&mut self) -> Result<bool> {
        if self.reservation.should_spill() {
            self.cut()?;
        }
        Ok(self.reservation.should_spill())
    }

    /// Drops the rows that are not needed, and sorts the others.
    fn cut(&mut self) -> Result<()> {
        let TopShared { spec, types, context, .. } = self.shared;
        let whole = Batch::concat(types, &self.batches)?;
        // A few rows must not keep alive all the strings of their batches.
        let ordered = first_rows(&whole, *spec, &context.eval)?.compacted();
        self.shared.tighten(&ordered);
        self.rows = ordered.rows();
        self.memory.clear();
        self.reservation.set(self.memory.add(&ordered));
        // Cutting again is worthwhile only after as many bytes of other rows have arrived.
        let slack = SLACK_BATCHES.saturating_mul(context.memory.batch_bytes());
        self.max_bytes = self.reservation.bytes().saturating_mul(2).saturating_add(slack);
        self.batches = vec![ordered];
        Ok(())
    }
}

/// Returns the first rows of `batch`, in sorted order.
fn first_rows(batch: &Batch, spec: TopSpec<'_>, context: &EvalContext) -> Result<Batch> {
    let comparator =
        |key: &SortKey| Comparator::new(&evaluate(&key.expr, batch, context)?, key.descending, key.nulls_first);
    let comparators = spec.keys.iter().map(comparator).collect::<Result<Vec<_>>>()?;
    batch.take(&UInt32Array::from(sorted_positions(&comparators, batch.rows(), spec.count)?))
}
