//! Sorted runs -> all rows in order, a chunk at a time.
//!
//! A run is opened when the rows before it have been given out, so that runs of an input that is almost in order are
//! never open together. Where too many overlap, neighbours are merged into longer runs first.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::limits::Limits;
use super::rows::{self, SortedRows};
use super::runs::Run;
use super::spill::SpilledRun;
use crate::diagnostic::Result;
use crate::types::{Batch, Schema};

/// Gives out the rows of several runs.
pub(super) struct Merge {
    limits: Limits,
    /// Runs that no row has been taken of, the last to be opened first.
    waiting: Vec<(usize, Run)>,
    open: Vec<Cursor>,
}

/// A key and the place of a run among all: what decides which row comes next.
type Position = (i64, usize);

/// The next row of a run.
struct Cursor {
    /// The place of the run among all: decides between equal keys.
    number: usize,
    rows: Box<dyn Iterator<Item = Result<SortedRows>>>,
    current: Arc<SortedRows>,
    row: usize,
}

impl Cursor {
    fn open(number: usize, run: Run, limits: &Limits) -> Result<Option<Self>> {
        let mut rows = run.read(limits)?;
        let Some(current) = rows.next().transpose()? else { return Ok(None) };
        Ok(Some(Self { number, rows, current: Arc::new(current), row: 0 }))
    }

    fn position(&self) -> Position {
        (self.current.keys[self.row], self.number)
    }

    /// Steps over `count` rows of the current ones; false at the end of the run.
    fn advance(&mut self, count: usize) -> Result<bool> {
        self.row += count;
        while self.row >= self.current.keys.len() {
            let Some(next) = self.rows.next().transpose()? else { return Ok(false) };
            (self.current, self.row) = (Arc::new(next), 0);
        }
        Ok(true)
    }

    /// How many of the current rows come before `bound` (a key and the number of a run) and have a key below `end`.
    fn count_before(&self, bound: Option<Position>, end: Option<i64>) -> usize {
        let rest = &self.current.keys[self.row..];
        let before =
            |key: &i64| bound.is_none_or(|bound| (*key, self.number) < bound) && end.is_none_or(|end| *key < end);
        rest.partition_point(before)
    }
}

impl Merge {
    /// Of `runs`, in the order in which their rows came. Longer runs that are needed on the way go to `folder`.
    pub fn new(runs: Vec<Run>, table: (&Schema, Option<usize>), limits: &Limits, folder: &Path) -> Result<Self> {
        let runs = shorten(runs, table, limits, folder)?;
        let mut waiting: Vec<(usize, Run)> = runs.into_iter().enumerate().collect();
        waiting.sort_by_key(|(number, run)| std::cmp::Reverse((run.span().0, *number)));
        Ok(Self { limits: *limits, waiting, open: Vec::new() })
    }

    /// The next rows, at most `limits.chunk_rows`; `end` answers below which key the rows that begin with a key must
    /// stay. None at the end.
    pub fn next(&mut self, end: &dyn Fn(i64) -> Option<i64>) -> Result<Option<SortedRows>> {
        let mut taken = Taken::default();
        let mut last = None;
        while taken.places.len() < self.limits.chunk_rows {
            let Some((index, bound)) = self.least()? else { break };
            let cursor = &mut self.open[index];
            let end = *last.get_or_insert_with(|| end(cursor.position().0));
            let wanted = self.limits.chunk_rows - taken.places.len();
            let count = cursor.count_before(bound, end).min(wanted);
            if count == 0 {
                break;
            }
            taken.take(cursor, count);
            if !cursor.advance(count)? {
                self.open.remove(index);
            }
        }
        if taken.places.is_empty() { Ok(None) } else { taken.gather(self.limits.threads).map(Some) }
    }

    /// The cursor with the next row, and the position of the one after it.
    fn least(&mut self) -> Result<Option<(usize, Option<Position>)>> {
        loop {
            let mut order: [Option<(Position, usize)>; 2] = [None, None];
            for (index, cursor) in self.open.iter().enumerate() {
                let candidate = Some((cursor.position(), index));
                if order[0].is_none() || candidate < order[0] {
                    order = [candidate, order[0]];
                } else if order[1].is_none() || candidate < order[1] {
                    order[1] = candidate;
                }
            }
            let next = self.waiting.last().map(|(number, run)| (run.span().0, *number));
            match (order[0], next) {
                (None, None) => return Ok(None),
                (Some((position, index)), next) if next.is_none_or(|next| position < next) => {
                    let second = order[1].map(|(position, _)| position);
                    let bound = [second, next].into_iter().flatten().min();
                    return Ok(Some((index, bound)));
                }
                _ => {
                    let (number, run) = self.waiting.pop().expect("a run waits, or the arm above had been taken");
                    self.open.extend(Cursor::open(number, run, &self.limits)?);
                }
            }
        }
    }
}

/// Rows of several cursors, in order.
#[derive(Default)]
struct Taken {
    parts: Vec<Arc<SortedRows>>,
    places: Vec<(usize, usize)>,
    keys: Vec<i64>,
}

impl Taken {
    fn take(&mut self, cursor: &Cursor, count: usize) {
        let known = self.parts.iter().position(|part| Arc::ptr_eq(part, &cursor.current));
        let part = known.unwrap_or_else(|| {
            self.parts.push(Arc::clone(&cursor.current));
            self.parts.len() - 1
        });
        let rows = cursor.row..cursor.row + count;
        self.keys.extend_from_slice(&cursor.current.keys[rows.clone()]);
        self.places.extend(rows.map(|row| (part, row)));
    }

    fn gather(self, threads: usize) -> Result<SortedRows> {
        let batches: Vec<&Batch> = self.parts.iter().map(|part| &part.batch).collect();
        Ok(SortedRows { batch: rows::gather(&batches, &self.places, threads)?, keys: self.keys })
    }
}

/// Merges neighbours until no more runs overlap than may be open together.
fn shorten(mut runs: Vec<Run>, table: (&Schema, Option<usize>), limits: &Limits, folder: &Path) -> Result<Vec<Run>> {
    let mut level = 0;
    while overlapping(&runs) > limits.open_runs() {
        level += 1;
        let mut longer = Vec::new();
        let mut rest = runs.into_iter().peekable();
        while rest.peek().is_some() {
            let group: Vec<Run> = rest.by_ref().take(limits.open_runs()).collect();
            let path = folder.join(format!("run-{level}-{:06}.arrow", longer.len()));
            longer.push(merged(group, path, table, limits)?);
        }
        runs = longer;
    }
    Ok(runs)
}

fn merged(group: Vec<Run>, path: PathBuf, table: (&Schema, Option<usize>), limits: &Limits) -> Result<Run> {
    let mut waiting: Vec<(usize, Run)> = group.into_iter().enumerate().collect();
    waiting.sort_by_key(|(number, run)| std::cmp::Reverse((run.span().0, *number)));
    let limits = Limits { chunk_rows: limits.spill_rows, ..*limits };
    let mut merge = Merge { limits, waiting, open: Vec::new() };
    let parts = std::iter::from_fn(|| merge.next(&|_| None).transpose());
    let constants = vec![None; table.0.len()];
    Ok(Run::Spilled(SpilledRun::write_parts(parts, path, table, (constants, limits.threads))?))
}

/// How many runs have rows around the same key, at most.
fn overlapping(runs: &[Run]) -> usize {
    let mut edges: Vec<(i64, i32)> = Vec::with_capacity(runs.len() * 2);
    for run in runs {
        let (first, last) = run.span();
        edges.extend([(first, -1), (last, 1)]);
    }
    // A run that begins where another ends overlaps it.
    edges.sort_unstable();
    let mut open = 0_usize;
    let mut most = 0;
    for (_, edge) in edges {
        open = if edge < 0 { open + 1 } else { open - 1 };
        most = most.max(open);
    }
    most
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::convert::runs::RunBuilder;
    use crate::types::{ColumnBuilder, Field, Type, Value};

    /// Rows (time or null, number) in small batches, through runs that spill after each and cannot all be open.
    fn sorted(times: &[Option<i64>], max_memory: u64) -> Vec<(i64, i64)> {
        let folder = tempfile::tempdir().expect("a folder");
        let schema = Schema::new([Field::new("Time", Type::Datetime), Field::new("Number", Type::Long)]);
        let limits = Limits::new(max_memory, 2);
        let mut builder = RunBuilder::new(schema.clone(), Some(0), limits, folder.path().to_owned());
        for (index, chunk) in times.chunks(50).enumerate() {
            let (mut time, mut number) = (ColumnBuilder::new(Type::Datetime), ColumnBuilder::new(Type::Long));
            for (row, ticks) in chunk.iter().enumerate() {
                time.append(&ticks.map_or(Value::null(Type::Datetime), Value::Datetime));
                number.append_i64((index * 50 + row) as i64);
            }
            builder.push(&Batch::new(vec![time.finish(), number.finish()], chunk.len())).expect("room");
        }
        let limits = limits.for_rows(builder.row_bytes());
        let runs = builder.finish().expect("runs");
        let mut merge = Merge::new(runs, (&schema, Some(0)), &limits, folder.path()).expect("a merge");
        let mut all = Vec::new();
        let end = |key: i64| (key != rows::NO_TIME).then(|| key - key.rem_euclid(100) + 100);
        while let Some(part) = merge.next(&end).expect("rows") {
            let first = part.keys[0];
            assert!(part.keys.iter().all(|key| end(first).is_none_or(|end| *key < end)), "rows beyond the bound");
            let number = |row| part.batch.column(1).i64_at(row).expect("a number");
            all.extend(part.keys.iter().enumerate().map(|(row, key)| (*key, number(row))));
        }
        all
    }

    #[test]
    fn rows_come_in_order_however_many_runs_there_are() {
        let scattered = |n: i64| (n % 17 != 0).then_some(n * 7919 % 1009);
        let rising = |n: i64| Some(n / 3);
        for times in [(0..5000).map(scattered).collect::<Vec<_>>(), (0..5000).map(rising).collect(), vec![None; 120]] {
            let mut expected: Vec<(i64, i64)> = Vec::new();
            expected.extend(times.iter().zip(0..).map(|(time, number)| (time.unwrap_or(rows::NO_TIME), number)));
            expected.sort_unstable();
            for max_memory in [1000, 100_000, 1 << 30] {
                assert!(sorted(&times, max_memory) == expected, "within {max_memory} bytes");
            }
        }
    }
}
