//! The order of rows, and the first ones of it: `top`.
//!
//! Texts compare byte by byte (ordinal), and rows that tie keep the order they came in.

use std::cmp::Ordering;
use std::sync::{Mutex, MutexGuard, PoisonError};

use arrow::array::{Array, AsArray, Int64Array, StringViewArray, UInt32Array};
use arrow::compute::kernels::cmp::{gt_eq, lt_eq};

use super::sort::Sorter;
use super::{Part, fold};
use crate::diagnostic::{Error, Result};
use crate::exec::context::ExecContext;
use crate::exec::memory::Reservation;
use crate::exec::physical::Pipeline;
use crate::expr::evaluate;
use crate::functions::EvalContext;
use crate::plan::SortKey;
use crate::types::{Batch, Column, Schema, SharedMemory, Type};

/// Rows kept beyond those wanted before a `top` cuts back.
const SLACK: usize = 16_384;
/// The same in bytes: so many times those that a batch may have.
const SLACK_BATCHES: usize = 4;
/// Rows on their way to be combined may take this part of the memory, for each thread together.
const ON_THE_WAY: usize = 16;

/// The first rows of an order.
pub enum FirstRows {
    /// In memory, with what they take of it.
    Held(Vec<Batch>, Reservation),
    /// They are too large for that: all rows that may be among them, in order.
    Sorted(Pipeline),
}

/// The first `count` rows of `input` in the order of `keys`.
pub fn top(
    input: &Pipeline,
    schema: &Schema,
    keys: &[SortKey],
    count: usize,
    context: &ExecContext,
) -> Result<FirstRows> {
    let types: Vec<Type> = schema.fields().iter().map(|field| field.ty).collect();
    let cut = Cut { types: &types, keys, count, context, bound: Mutex::new(None) };
    let mut whole = Best::new(&cut);
    let mut sorter: Option<Sorter<'_>> = None;
    fold(input, context, &|| Ok(Best::new(&cut)), &mut |mut part| {
        part.cut()?;
        for batch in std::mem::take(&mut part.batches) {
            match &mut sorter {
                Some(sorter) => sorter.push(cut.within_bound(batch)?)?,
                None => whole.push(batch)?,
            }
            if sorter.is_none() && whole.is_too_much()? {
                let sorter = sorter.insert(Sorter::new(&types, keys, context));
                std::mem::replace(&mut whole, Best::new(&cut))
                    .batches
                    .into_iter()
                    .try_for_each(|batch| sorter.push(batch))?;
            }
        }
        Ok(())
    })?;
    if let Some(sorter) = sorter {
        return sorter.finish().map(FirstRows::Sorted);
    }
    whole.cut()?;
    Ok(FirstRows::Held(whole.batches, whole.reservation))
}

struct Cut<'a> {
    types: &'a [Type],
    keys: &'a [SortKey],
    count: usize,
    context: &'a ExecContext,
    /// The first key of a row that so many rows are not behind of: rows behind it need not be looked at by any thread.
    bound: Mutex<Option<i64>>,
}

impl Cut<'_> {
    fn bound(&self) -> MutexGuard<'_, Option<i64>> {
        self.bound.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The rows of a batch that are not behind the bound. Those with the same first key stay: other keys decide.
    fn within_bound(&self, batch: Batch) -> Result<Batch> {
        let (Some(bound), Some((column, key))) = (*self.bound(), self.first_column()) else { return Ok(batch) };
        let Values::Integers(values) = Values::of(batch.column(column).clone()) else { return Ok(batch) };
        let (bound, nulls_stay) = (Int64Array::new_scalar(bound), key.nulls_first);
        let within = if key.descending { gt_eq(&values, &bound) } else { lt_eq(&values, &bound) }?;
        let within = if nulls_stay { within.iter().map(|stays| Some(stays != Some(false))).collect() } else { within };
        if within.true_count() == batch.rows() { Ok(batch) } else { batch.filter(&within) }
    }

    /// Tightens the bound to the last of the rows that are wanted.
    fn tighten(&self, ordered: &Batch) {
        let Some((column, key)) = self.first_column().filter(|_| ordered.rows() == self.count) else { return };
        let Some(last) = self.count.checked_sub(1).and_then(|last| ordered.column(column).i64_at(last)) else { return };
        let mut bound = self.bound();
        let tighter = |known: i64| if key.descending { known.max(last) } else { known.min(last) };
        *bound = Some(bound.map_or(last, tighter));
    }

    /// The first key, where it is a column of integers.
    fn first_column(&self) -> Option<(usize, &SortKey)> {
        let key = self.keys.first().filter(|key| is_integer(key.expr.ty))?;
        Some((key.expr.as_column()?, key))
    }
}

/// A few more rows than wanted, among them the wanted ones.
struct Best<'a> {
    cut: &'a Cut<'a>,
    batches: Vec<Batch>,
    rows: usize,
    memory: SharedMemory,
    reservation: Reservation,
    /// Bytes held after which rows are cut back.
    max_bytes: usize,
}

impl Part for Best<'_> {
    fn push(&mut self, batch: Batch) -> Result<()> {
        let batch = self.cut.within_bound(batch)?;
        if batch.rows() > 0 {
            self.rows += batch.rows();
            self.reservation.grow(self.memory.add(&batch));
            self.batches.push(batch);
        }
        let is_full = self.rows > self.cut.count.saturating_add(SLACK) || self.reservation.bytes() > self.max_bytes;
        if is_full { self.cut() } else { Ok(()) }
    }

    fn is_full(&self) -> bool {
        let ExecContext { memory, threads, .. } = self.cut.context;
        self.reservation.bytes() > memory.limit() / ON_THE_WAY / threads && self.rows <= self.cut.count
    }
}

impl<'a> Best<'a> {
    fn new(cut: &'a Cut<'a>) -> Self {
        let ExecContext { memory, .. } = cut.context;
        let (reservation, max_bytes) = (memory.reservation(), SLACK_BATCHES.saturating_mul(memory.batch_bytes()));
        Self { cut, batches: Vec::new(), rows: 0, memory: SharedMemory::default(), reservation, max_bytes }
    }

    /// True where not even the rows that are wanted fit the memory.
    fn is_too_much(&mut self) -> Result<bool> {
        if self.reservation.is_much() {
            self.cut()?;
        }
        Ok(self.reservation.is_much())
    }

    fn cut(&mut self) -> Result<()> {
        let cut = self.cut;
        let whole = Batch::concat(cut.types, &self.batches)?;
        // Few rows must not keep all the texts alive that came with them.
        let ordered = order(&whole, cut.keys, &cut.context.eval, cut.count)?.compacted();
        cut.tighten(&ordered);
        self.rows = ordered.rows();
        self.memory.clear();
        self.reservation.set(self.memory.add(&ordered));
        // Cutting back rows that stay would be for nothing.
        let slack = SLACK_BATCHES.saturating_mul(cut.context.memory.batch_bytes());
        self.max_bytes = self.reservation.bytes().saturating_mul(2).saturating_add(slack);
        self.batches = vec![ordered];
        Ok(())
    }
}

/// The first `count` rows of `batch` in order.
fn order(batch: &Batch, keys: &[SortKey], context: &EvalContext, count: usize) -> Result<Batch> {
    let comparator =
        |key: &SortKey| Comparator::new(&evaluate(&key.expr, batch, context)?, key.descending, key.nulls_first);
    let comparators = keys.iter().map(comparator).collect::<Result<Vec<_>>>()?;
    batch.take(&UInt32Array::from(ordered(&comparators, batch.rows(), count)?))
}

/// The positions of the first `count` of `rows` rows in order.
pub(super) fn ordered(comparators: &[Comparator], rows: usize, count: usize) -> Result<Vec<u32>> {
    let rows = u32::try_from(rows)
        .map_err(|_| Error::Limit("more than 4,294,967,295 rows cannot be sorted in memory".to_owned()))?;
    let compare = |a: &u32, b: &u32| {
        let (left, right) = (*a as usize, *b as usize);
        let unequal = comparators.iter().map(|key| key.compare(left, key, right)).find(|order| order.is_ne());
        // The position decides last: the order of rows that tie is the order they came in.
        unequal.unwrap_or_else(|| a.cmp(b))
    };
    let mut indices: Vec<u32> = (0..rows).collect();
    if count < indices.len() {
        if count == 0 {
            return Ok(Vec::new());
        }
        indices.select_nth_unstable_by(count - 1, compare);
        indices.truncate(count);
    }
    indices.sort_unstable_by(compare);
    Ok(indices)
}

/// Compares rows, of one batch or of two, by one key.
pub(super) struct Comparator {
    values: Values,
    has_nulls: bool,
    descending: bool,
    nulls_first: bool,
}

/// The values of a key, as arrays where rows are compared often.
enum Values {
    Integers(Int64Array),
    Texts(StringViewArray),
    Others(Column),
}

impl Values {
    fn of(column: Column) -> Self {
        // The same kind for every column of a type, also a constant one: rows of different batches are compared.
        match column.ty() {
            ty if is_integer(ty) => Self::Integers(column.to_array().as_primitive().clone()),
            ty if ty.is_text() => Self::Texts(column.to_array().as_string_view().clone()),
            _ => Self::Others(column),
        }
    }

    fn is_null(&self, row: usize) -> bool {
        match self {
            Self::Integers(array) => array.is_null(row),
            Self::Texts(array) => array.is_null(row),
            Self::Others(column) => column.is_null(row),
        }
    }
}

/// True for the types whose values are 64-bit integers in an array.
fn is_integer(ty: Type) -> bool {
    matches!(ty, Type::Long | Type::Datetime | Type::Timespan)
}

impl Comparator {
    /// For the values of the key.
    pub fn new(column: &Column, descending: bool, nulls_first: bool) -> Result<Self> {
        let column = crate::expr::eval::plain_texts(column)?;
        let has_nulls = column.as_array().is_none_or(|array| array.null_count() > 0);
        Ok(Self { values: Values::of(column), has_nulls, descending, nulls_first })
    }

    /// How row `a` compares with row `b` of `other`, which has the same key.
    pub fn compare(&self, a: usize, other: &Self, b: usize) -> Ordering {
        let nulls = (self.has_nulls && self.values.is_null(a), other.has_nulls && other.values.is_null(b));
        match nulls {
            (true, true) => Ordering::Equal,
            (true, false) if self.nulls_first => Ordering::Less,
            (true, false) => Ordering::Greater,
            (false, true) if self.nulls_first => Ordering::Greater,
            (false, true) => Ordering::Less,
            (false, false) => {
                let order = self.compare_values(a, other, b);
                if self.descending { order.reverse() } else { order }
            }
        }
    }

    fn compare_values(&self, a: usize, other: &Self, b: usize) -> Ordering {
        match (&self.values, &other.values) {
            (Values::Integers(left), Values::Integers(right)) => left.value(a).cmp(&right.value(b)),
            (Values::Texts(left), Values::Texts(right)) => left.value(a).cmp(right.value(b)),
            (Values::Others(left), Values::Others(right)) => compare_cells(left, a, right, b),
            _ => {
                debug_assert!(false, "keys of one type are of one kind");
                Ordering::Equal
            }
        }
    }
}

/// Compares two cells of columns of one type.
fn compare_cells(left: &Column, a: usize, right: &Column, b: usize) -> Ordering {
    match left.ty() {
        Type::Bool => left.bool_at(a).cmp(&right.bool_at(b)),
        Type::Int | Type::Long | Type::Datetime | Type::Timespan => left.i64_at(a).cmp(&right.i64_at(b)),
        Type::Real => {
            let (a, b) = (left.f64_at(a).unwrap_or(f64::NAN), right.f64_at(b).unwrap_or(f64::NAN));
            // NaN is less than any number; both zeros are equal.
            a.partial_cmp(&b).unwrap_or_else(|| b.is_nan().cmp(&a.is_nan()))
        }
        Type::Decimal => {
            let value = |column: &Column, row| {
                column.bytes_at(row).map(|bytes| crate::types::column::decimal_from_bytes(&bytes))
            };
            value(left, a).cmp(&value(right, b))
        }
        Type::Guid => left.bytes_at(a).cmp(&right.bytes_at(b)),
        Type::String | Type::Dynamic => left.text_at(a).cmp(&right.text_at(b)),
    }
}
