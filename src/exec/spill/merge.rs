//! Sorted runs -> all rows in order, a chunk at a time.
//!
//! A run is opened when the rows before it have been given out, so that runs of an input that is almost in order are
//! never open together.

use std::cmp::Ordering;
use std::sync::Arc;

use super::rows;
use crate::diagnostic::Result;
use crate::types::Batch;

/// What rows are ordered by: one a row, rising.
pub trait Keys {
    /// How the key of a row compares with one of another chunk.
    fn compare(&self, row: usize, other: &Self, other_row: usize) -> Ordering;
}

impl Keys for Vec<i64> {
    fn compare(&self, row: usize, other: &Self, other_row: usize) -> Ordering {
        self[row].cmp(&other[other_row])
    }
}

/// Some rows in order.
#[derive(Clone, Debug)]
pub struct Chunk<K> {
    /// The rows; at least one.
    pub batch: Batch,
    /// Their keys.
    pub keys: K,
}

type Chunks<K> = Box<dyn Iterator<Item = Result<Chunk<K>>> + Send>;

/// Rows in order of their keys; those with equal keys in the order they came in.
pub struct Run<K> {
    /// The key of the first row.
    pub first: K,
    /// Opens it.
    pub open: Box<dyn FnOnce() -> Result<Chunks<K>> + Send>,
}

/// Gives out the rows of several runs.
pub struct Merge<K> {
    threads: usize,
    /// Bytes of chunks that are put together at once, besides the last one of each run.
    max_bytes: usize,
    /// Runs that no row has been taken of, the last to be opened first.
    waiting: Vec<(usize, Run<K>)>,
    /// A heap: the run at `n` has no row before the next one of the run at `(n - 1) / 2`.
    open: Vec<Cursor<K>>,
}

/// The next row of a run.
struct Cursor<K> {
    /// The place of the run among all: decides between equal keys.
    number: usize,
    chunks: Chunks<K>,
    current: Arc<Chunk<K>>,
    row: usize,
    /// The number of `current` among the chunks that rows are being taken of.
    taken: Option<usize>,
}

/// A row, and the place of its run among all.
struct Position<'a, K> {
    keys: &'a K,
    row: usize,
    number: usize,
}

impl<K> Clone for Position<'_, K> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<K> Copy for Position<'_, K> {}

impl<K: Keys> Position<'_, K> {
    fn is_before(&self, other: &Self) -> bool {
        let order = self.keys.compare(self.row, other.keys, other.row);
        order.then_with(|| self.number.cmp(&other.number)).is_lt()
    }
}

impl<K: Keys> Cursor<K> {
    fn position(&self) -> Position<'_, K> {
        Position { keys: &self.current.keys, row: self.row, number: self.number }
    }

    fn is_before(&self, other: &Self) -> bool {
        self.position().is_before(&other.position())
    }

    /// Steps over `count` rows of the current ones; false at the end of the run.
    fn advance(&mut self, count: usize) -> Result<bool> {
        self.row += count;
        while self.row >= self.current.batch.rows() {
            let Some(next) = self.chunks.next().transpose()? else { return Ok(false) };
            (self.current, self.row, self.taken) = (Arc::new(next), 0, None);
        }
        Ok(true)
    }

    /// How many of the next `most` current rows fulfil a condition that none fulfils behind one that does not.
    fn count_while(&self, most: usize, holds: impl Fn(usize) -> bool) -> usize {
        let end = self.current.batch.rows().min(self.row + most);
        // Steps that double find the neighbourhood: mostly a few rows, or all.
        let mut step = 1;
        let mut low = self.row;
        while low < end && holds((low + step - 1).min(end - 1)) {
            low = (low + step).min(end);
            step *= 2;
        }
        let (mut from, mut to) = (low, end.min(low + step - 1));
        while from < to {
            let middle = usize::midpoint(from, to);
            if holds(middle) { from = middle + 1 } else { to = middle }
        }
        from - self.row
    }
}

impl<K: Keys> Merge<K> {
    /// Merges `runs`, in the order in which their rows came. Rows that are given out together may keep chunks of about
    /// `max_bytes` in memory, besides those that their runs have at hand.
    #[must_use]
    pub fn new(runs: Vec<Run<K>>, threads: usize, max_bytes: usize) -> Self {
        let mut waiting: Vec<(usize, Run<K>)> = runs.into_iter().enumerate().collect();
        waiting.sort_by(|(a, x), (b, y)| y.first.compare(0, &x.first, 0).then(b.cmp(a)));
        Self { threads, max_bytes, waiting, open: Vec::new() }
    }

    /// The next rows, at most `most`, fewer where they are long; None at the end. `end` answers below which key (one row) rows must stay that are
    /// given out together with the row that it is called with.
    pub fn next(&mut self, most: usize, end: &dyn Fn(&K, usize) -> Option<K>) -> Result<Option<Batch>> {
        self.open.iter_mut().for_each(|cursor| cursor.taken = None);
        let (mut parts, mut places) = (Vec::new(), Vec::new());
        let mut stop: Option<Option<K>> = None;
        let mut done_bytes = 0;
        while places.len() < most && done_bytes <= self.max_bytes && self.open_next()? {
            let stop = &*stop.get_or_insert_with(|| end(&self.open[0].current.keys, self.open[0].row));
            let count = self.count(most - places.len(), stop.as_ref());
            if count == 0 {
                break;
            }
            let cursor = &mut self.open[0];
            let part = *cursor.taken.get_or_insert_with(|| {
                parts.push(Arc::clone(&cursor.current));
                parts.len() - 1
            });
            places.extend((cursor.row..cursor.row + count).map(|row| (part, row)));
            if cursor.row + count >= cursor.current.batch.rows() {
                done_bytes += cursor.current.batch.own_bytes();
            }
            if !cursor.advance(count)? {
                self.open.swap_remove(0);
            }
            self.sift_down();
        }
        if places.is_empty() {
            return Ok(None);
        }
        let batches: Vec<&Batch> = parts.iter().map(|part| &part.batch).collect();
        rows::gather(&batches, &places, self.threads).map(Some)
    }

    /// Opens the runs that may have the next row; false where there is none.
    fn open_next(&mut self) -> Result<bool> {
        while let Some((number, run)) = self.waiting.last() {
            let waiting = Position { keys: &run.first, row: 0, number: *number };
            if self.open.first().is_some_and(|least| least.position().is_before(&waiting)) {
                break;
            }
            let Some((number, run)) = self.waiting.pop() else { break };
            let mut chunks = (run.open)()?;
            if let Some(current) = chunks.next().transpose()? {
                self.open.push(Cursor { number, chunks, current: Arc::new(current), row: 0, taken: None });
                self.sift_up();
            }
        }
        Ok(!self.open.is_empty())
    }

    /// How many rows of the first run come before those of all others, and before `stop`.
    fn count(&self, most: usize, stop: Option<&K>) -> usize {
        let least = &self.open[0];
        let keys = &least.current.keys;
        let others = self.open.iter().skip(1).take(2).map(Cursor::position);
        let waiting = self.waiting.last().map(|(number, run)| Position { keys: &run.first, row: 0, number: *number });
        let earlier = |a: Position<'_, K>, b: Position<'_, K>| b.is_before(&a);
        let next = others.chain(waiting).reduce(|a, b| if earlier(a, b) { b } else { a });
        least.count_while(most, |row| {
            next.is_none_or(|next| Position { keys, row, number: least.number }.is_before(&next))
                && stop.is_none_or(|stop| keys.compare(row, stop, 0).is_lt())
        })
    }

    fn sift_up(&mut self) {
        let mut at = self.open.len() - 1;
        while at > 0 && self.open[at].is_before(&self.open[(at - 1) / 2]) {
            self.open.swap(at, (at - 1) / 2);
            at = (at - 1) / 2;
        }
    }

    fn sift_down(&mut self) {
        let mut at = 0;
        loop {
            let mut least = at;
            for child in [2 * at + 1, 2 * at + 2] {
                if child < self.open.len() && self.open[child].is_before(&self.open[least]) {
                    least = child;
                }
            }
            if least == at {
                return;
            }
            self.open.swap(at, least);
            at = least;
        }
    }
}
