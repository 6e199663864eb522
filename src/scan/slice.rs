//! A table in memory of which only the rows in a window of time are visible. The runs of a rule read it one after the
//! other, each with another window.

use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::{BooleanArray, UInt32Array};

use super::{BatchIterator, Partition, ScanColumn, ScanRequest, TableProvider};
use crate::diagnostic::{Error, Result};
use crate::types::{Batch, Schema};

/// The first and the last visible time in ticks, both included.
pub type TimeBounds = [i64; 2];

/// Tells which rows of a [`SliceTable`] are visible.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SliceBounds {
    /// The bounds of the time by which the rows are sorted and found.
    pub key: TimeBounds,
    /// The bounds of the other time of each row.
    pub other: TimeBounds,
}

/// The rows of a [`SliceTable`].
#[derive(Debug)]
pub struct SliceRows {
    /// The column of the table that each column of `rows` has.
    pub columns: Vec<ScanColumn>,
    /// The rows, in the order of the table.
    pub rows: Batch,
    /// For each row, the time by which rows are found.
    pub keys: Vec<i64>,
    /// For each row, the other time.
    pub others: Vec<i64>,
}

/// A table of which only a window is visible.
#[derive(Debug)]
pub struct SliceTable {
    schema: Schema,
    columns: Vec<ScanColumn>,
    /// The rows, in the order of `keys`.
    rows: Batch,
    keys: Vec<i64>,
    others: Vec<i64>,
    /// The position of each row in the original order; None if that is the order of `keys`.
    ranks: Option<Vec<u32>>,
    bounds: Mutex<SliceBounds>,
}

impl SliceTable {
    /// Creates a table with the columns of `schema`; the query reads only those that `rows` has.
    ///
    /// # Errors
    /// There are more than 4 billion rows.
    pub fn new(schema: Schema, rows: SliceRows) -> Result<Self> {
        let SliceRows { columns, rows, keys, others } = rows;
        let count = u32::try_from(keys.len()).map_err(|_| Error::Limit("more than 4 billion rows in memory".into()))?;
        let all = SliceBounds { key: [i64::MIN, i64::MAX], other: [i64::MIN, i64::MAX] };
        let bounds = Mutex::new(all);
        if keys.is_sorted() {
            return Ok(Self { schema, columns, rows, keys, others, ranks: None, bounds });
        }
        let mut ranks: Vec<u32> = (0..count).collect();
        ranks.sort_by_key(|rank| keys[*rank as usize]);
        let by_rank = |times: Vec<i64>| ranks.iter().map(|rank| times[*rank as usize]).collect::<Vec<i64>>();
        let (keys, others) = (by_rank(keys), by_rank(others));
        let rows = rows.take(&UInt32Array::from(ranks.clone()))?;
        Ok(Self { schema, columns, rows, keys, others, ranks: Some(ranks), bounds })
    }

    /// Makes the rows within `bounds` visible to later scans.
    pub fn show(&self, bounds: SliceBounds) {
        *self.bounds.lock().unwrap_or_else(PoisonError::into_inner) = bounds;
    }

    /// True if no row is visible.
    pub fn is_empty(&self) -> bool {
        let visible = self.visible();
        visible.offset >= visible.end || visible.hides.is_some_and(|hides| (visible.offset..visible.end).all(hides))
    }

    /// Returns the first visible position and the position after the last one, if all rows between them are visible.
    /// Returns None if the other time hides some of them.
    pub fn range(&self) -> Option<[usize; 2]> {
        let visible = self.visible();
        visible.hides.is_none().then_some([visible.offset, visible.end])
    }

    /// Returns the latest time of any row, of both kinds of times; None if there are no rows with both.
    pub fn latest(&self) -> Option<i64> {
        let times = self.keys.iter().zip(&self.others).map(|(key, other)| *key.max(other));
        times.filter(|time| *time < i64::MAX).max()
    }

    /// Returns the number of rows.
    pub fn rows(&self) -> usize {
        self.keys.len()
    }

    fn visible(&self) -> VisibleRows<impl Fn(usize) -> bool + '_> {
        let bounds = *self.bounds.lock().unwrap_or_else(PoisonError::into_inner);
        let [first, last] = bounds.key;
        let offset = self.keys.partition_point(|key| *key < first);
        let end = self.keys.partition_point(|key| *key <= last);
        let [first, last] = bounds.other;
        let is_hidden = move |time: i64| time < first || time > last;
        let hides_some = self.others.get(offset..end).is_some_and(|times| times.iter().any(|time| is_hidden(*time)));
        let hides = move |row: usize| is_hidden(self.others[row]);
        VisibleRows { offset, end, hides: hides_some.then_some(hides) }
    }

    /// Returns the visible rows in the original order of the table.
    fn slice(&self) -> Result<Batch> {
        let VisibleRows { offset, end, hides } = self.visible();
        let rows = self.rows.slice(offset, end.saturating_sub(offset));
        let Some(ranks) = &self.ranks else {
            let Some(hides) = hides else { return Ok(rows) };
            return rows.filter(&(offset..end).map(|row| Some(!hides(row))).collect::<BooleanArray>());
        };
        let is_shown = |row: &u32| hides.as_ref().is_none_or(|hides| !hides(*row as usize));
        // The number of rows fits, as it was checked when the table was made.
        let first = u32::try_from(offset).unwrap_or(u32::MAX);
        let mut shown: Vec<u32> = (first..).take(end.saturating_sub(offset)).filter(is_shown).collect();
        shown.sort_unstable_by_key(|row| ranks[*row as usize]);
        self.rows.take(&UInt32Array::from(shown))
    }
}

/// Returns the columns `wanted` of `rows`, whose columns are those in `held`. A path that is not among them is looked
/// up in its whole column.
pub(super) fn select_held(held: &[ScanColumn], rows: &Batch, wanted: &[ScanColumn]) -> Result<Batch> {
    let column = |wanted: &ScanColumn| {
        if let Some(index) = held.iter().position(|held| held == wanted) {
            return Ok(rows.column(index).clone());
        }
        let whole = ScanColumn::Column(wanted.column());
        match (wanted, held.iter().position(|held| *held == whole)) {
            (ScanColumn::Path { path, .. }, Some(index)) => {
                Ok(crate::types::extract::extract_column(rows.column(index), path))
            }
            _ => Err(Error::internal("a column is read that is not in memory")),
        }
    };
    Ok(Batch::new(wanted.iter().map(column).collect::<Result<_>>()?, rows.rows()))
}

/// The range of the visible rows, and a test that is true for rows in it which the other time hides.
struct VisibleRows<H> {
    offset: usize,
    end: usize,
    hides: Option<H>,
}

/// A [`SliceTable`] that a plan can share.
#[derive(Clone, Debug)]
pub struct SharedSlice(pub Arc<SliceTable>);

impl TableProvider for SharedSlice {
    fn schema(&self) -> &Schema {
        &self.0.schema
    }

    fn scan(&self, request: &ScanRequest) -> Result<Vec<Arc<dyn Partition>>> {
        let rows = self.0.slice()?;
        Ok(vec![Arc::new(SlicePartition { table: Arc::clone(&self.0), rows, request: request.clone() })])
    }

    fn is_in_memory(&self) -> bool {
        true
    }

    fn is_known_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn describe(&self) -> String {
        format!("window of {} rows in memory", self.0.rows())
    }
}

#[derive(Debug)]
struct SlicePartition {
    table: Arc<SliceTable>,
    rows: Batch,
    request: ScanRequest,
}

impl Partition for SlicePartition {
    fn read(&self) -> Result<BatchIterator<'_>> {
        let (rows, step) = (self.rows.rows(), self.request.batch_rows.max(1));
        Ok(Box::new((0..rows).step_by(step).map(move |start| {
            let whole = self.rows.slice(start, step.min(rows - start));
            let kept = match &self.request.filter {
                Some(filter) => {
                    whole.filter(&filter.evaluate(&select_held(&self.table.columns, &whole, filter.columns())?)?)?
                }
                None => whole,
            };
            select_held(&self.table.columns, &kept, &self.request.columns)
        })))
    }
}
