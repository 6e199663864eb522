//! Merges sorted runs, a chunk at a time.
//!
//! A run is opened only when its first row comes next, so the runs of an input that is almost in order are never all
//! open.

use std::cmp::Ordering;
use std::sync::Arc;

use super::rows;
use crate::diagnostic::Result;
use crate::types::Batch;

/// The sort keys of some rows, one for each row, in ascending order.
pub trait Keys {
    /// Compares the key of `row` with the key of `other_row` in another chunk.
    fn compare(&self, row: usize, other: &Self, other_row: usize) -> Ordering;
}

impl Keys for Vec<i64> {
    fn compare(&self, row: usize, other: &Self, other_row: usize) -> Ordering {
        self[row].cmp(&other[other_row])
    }
}

/// Consecutive rows of a run, with their keys.
#[derive(Clone, Debug)]
pub struct Chunk<K> {
    /// The rows, at least one.
    pub batch: Batch,
    /// The sort keys of the rows.
    pub keys: K,
}

type Chunks<K> = Box<dyn Iterator<Item = Result<Chunk<K>>> + Send>;

/// A sorted run. Rows with equal keys are in the order of the input.
pub struct Run<K> {
    /// The key of the first row.
    pub first: K,
    /// Opens the run, and returns its chunks.
    pub open: Box<dyn FnOnce() -> Result<Chunks<K>> + Send>,
}

/// Merges several runs into batches of rows in order.
pub struct Merge<K> {
    threads: usize,
    /// Maximum number of bytes of the chunks from which one batch is gathered, not counting the last chunk of each run.
    max_bytes: usize,
    /// The runs that are not open yet; the one to be opened next is the last.
    waiting: Vec<WaitingRun<K>>,
    /// The open runs as a binary min-heap, ordered by their next rows.
    open: Vec<RunCursor<K>>,
}

/// A run that is not open yet, and its position among all runs.
struct WaitingRun<K> {
    number: usize,
    run: Run<K>,
}

/// An open run, and the position of its next row.
struct RunCursor<K> {
    /// The position of the run among all runs, which decides the order of rows with equal keys.
    number: usize,
    chunks: Chunks<K>,
    current: Arc<Chunk<K>>,
    row: usize,
    /// The position of `current` among the chunks of the batch that is being gathered; None if it is not one of them
    /// yet.
    gathered: Option<usize>,
}

/// The key of a row, and the position of its run among all runs.
struct MergePosition<'a, K> {
    keys: &'a K,
    row: usize,
    number: usize,
}

impl<K> Clone for MergePosition<'_, K> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<K> Copy for MergePosition<'_, K> {}

impl<K: Keys> MergePosition<'_, K> {
    fn is_before(&self, other: &Self) -> bool {
        let order = self.keys.compare(self.row, other.keys, other.row);
        order.then_with(|| self.number.cmp(&other.number)).is_lt()
    }
}

impl<K: Keys> RunCursor<K> {
    fn position(&self) -> MergePosition<'_, K> {
        MergePosition { keys: &self.current.keys, row: self.row, number: self.number }
    }

    fn is_before(&self, other: &Self) -> bool {
        self.position().is_before(&other.position())
    }

    /// Moves `count` rows forward, to the next chunk if necessary; returns false at the end of the run.
    fn advance(&mut self, count: usize) -> Result<bool> {
        self.row += count;
        while self.row >= self.current.batch.rows() {
            let Some(next) = self.chunks.next().transpose()? else { return Ok(false) };
            (self.current, self.row, self.gathered) = (Arc::new(next), 0, None);
        }
        Ok(true)
    }

    /// Returns how many of the next `max` rows of the current chunk meet `holds`. It must be true for the first of them
    /// and false for all after those.
    fn count_while(&self, max: usize, holds: impl Fn(usize) -> bool) -> usize {
        let end = self.current.batch.rows().min(self.row + max);
        // Exponential search, since it is mostly a few rows, or all; then binary search.
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
    /// Merges `runs`, which must be in the order of their rows in the input. One batch is gathered from chunks of about
    /// `max_bytes` bytes, not counting the current chunk of each run.
    #[must_use]
    pub fn new(runs: Vec<Run<K>>, threads: usize, max_bytes: usize) -> Self {
        let runs = runs.into_iter().enumerate();
        let mut waiting: Vec<WaitingRun<K>> = runs.map(|(number, run)| WaitingRun { number, run }).collect();
        waiting.sort_by(|a, b| b.run.first.compare(0, &a.run.first, 0).then(b.number.cmp(&a.number)));
        Self { threads, max_bytes, waiting, open: Vec::new() }
    }

    /// Returns the next rows: at most `max_rows`, and fewer if they are long; None at the end. `end` is called with the
    /// first of these rows. It returns a key that the keys of all rows of the batch must be less than, or None for no
    /// such limit.
    pub fn next(&mut self, max_rows: usize, end: &dyn Fn(&K, usize) -> Option<K>) -> Result<Option<Batch>> {
        self.open.iter_mut().for_each(|cursor| cursor.gathered = None);
        let (mut chunks, mut indices) = (Vec::new(), Vec::new());
        let mut stop: Option<Option<K>> = None;
        let mut done_bytes = 0;
        while indices.len() < max_rows && done_bytes <= self.max_bytes && self.open_next()? {
            let stop = &*stop.get_or_insert_with(|| end(&self.open[0].current.keys, self.open[0].row));
            let count = self.count(max_rows - indices.len(), stop.as_ref());
            if count == 0 {
                break;
            }
            let cursor = &mut self.open[0];
            let chunk = *cursor.gathered.get_or_insert_with(|| {
                chunks.push(Arc::clone(&cursor.current));
                chunks.len() - 1
            });
            indices.extend((cursor.row..cursor.row + count).map(|row| (chunk, row)));
            if cursor.row + count >= cursor.current.batch.rows() {
                done_bytes += cursor.current.batch.own_bytes();
            }
            if !cursor.advance(count)? {
                self.open.swap_remove(0);
            }
            self.sift_down();
        }
        if indices.is_empty() {
            return Ok(None);
        }
        let batches: Vec<&Batch> = chunks.iter().map(|chunk| &chunk.batch).collect();
        rows::gather(&batches, &indices, self.threads).map(Some)
    }

    /// Opens the runs that may contain the next row; returns false if there are no more rows.
    fn open_next(&mut self) -> Result<bool> {
        while let Some(WaitingRun { number, run }) = self.waiting.last() {
            let waiting = MergePosition { keys: &run.first, row: 0, number: *number };
            if self.open.first().is_some_and(|least| least.position().is_before(&waiting)) {
                break;
            }
            let Some(WaitingRun { number, run }) = self.waiting.pop() else { break };
            let mut chunks = (run.open)()?;
            if let Some(current) = chunks.next().transpose()? {
                self.open.push(RunCursor { number, chunks, current: Arc::new(current), row: 0, gathered: None });
                self.sift_up();
            }
        }
        Ok(!self.open.is_empty())
    }

    /// Returns how many rows of the first run, at most `max`, come before the rows of all other runs and before `stop`.
    fn count(&self, max: usize, stop: Option<&K>) -> usize {
        let least = &self.open[0];
        let keys = &least.current.keys;
        let others = self.open.iter().skip(1).take(2).map(RunCursor::position);
        let waiting = self.waiting.last().map(|WaitingRun { number, run }| MergePosition {
            keys: &run.first,
            row: 0,
            number: *number,
        });
        let earlier = |a: MergePosition<'_, K>, b: MergePosition<'_, K>| b.is_before(&a);
        let next = others.chain(waiting).reduce(|a, b| if earlier(a, b) { b } else { a });
        least.count_while(max, |row| {
            next.is_none_or(|next| MergePosition { keys, row, number: least.number }.is_before(&next))
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
