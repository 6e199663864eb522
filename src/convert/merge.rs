//! Merges sorted runs, one chunk at a time. If too many runs overlap, neighbouring runs are first merged into longer
//! ones.

use std::sync::Arc;

use super::dictionaries::StringDictionaries;
use super::keys::{SortedRows, keys};
use super::limits::Limits;
use super::runs::{ArchiveRun, SortedRuns, SpilledRun};
use crate::diagnostic::Result;
use crate::exec::spill::{self, SpillFolder};
use crate::types::{Schema, Type};

/// Yields the merged rows of several runs, chunk by chunk.
pub(super) struct ArchiveMerge {
    inner: spill::Merge<Vec<i64>>,
    chunk_rows: usize,
    time: Option<usize>,
    dictionaries: Arc<StringDictionaries>,
    /// The positions of the columns that have strings or their dictionary codes.
    strings: Vec<usize>,
}

impl ArchiveMerge {
    /// Merges `runs`, which must be in input order. Longer intermediate runs are written to `folder`.
    pub fn new(
        input: SortedRuns,
        schema: &Schema,
        time: Option<usize>,
        limits: &Limits,
        folder: &SpillFolder,
    ) -> Result<Self> {
        let dictionaries = Arc::new(input.dictionaries);
        let runs = shorten(input.runs, &dictionaries, time, limits, folder)?;
        let strings = (0..schema.len()).filter(|index| schema.field(*index).ty.is_text()).collect();
        let types = types(&runs);
        let runs = runs.into_iter().map(|run| run.opened(&types, &dictionaries, limits)).collect();
        let inner = spill::Merge::new(runs, limits.threads, limits.merge_bytes());
        Ok(Self { inner, chunk_rows: limits.chunk_rows, time, dictionaries, strings })
    }

    /// Returns the next rows, at most one chunk; None at the end. `end` returns for the first key of a chunk the key
    /// before which the chunk must end.
    pub fn next(&mut self, end: &dyn Fn(i64) -> Option<i64>) -> Result<Option<SortedRows>> {
        let end = |keys: &Vec<i64>, row: usize| end(keys[row]).map(|end| vec![end]);
        let Some(batch) = self.inner.next(self.chunk_rows, &end)? else { return Ok(None) };
        let batch = self.dictionaries.decoded(batch, &self.strings)?;
        Ok(Some(SortedRows { keys: keys(&batch, self.time), batch }))
    }
}

/// Returns the column types with which all runs can be read: codes only for columns that have codes in every run.
fn types(runs: &[ArchiveRun]) -> Vec<Type> {
    let mut runs = runs.iter().map(ArchiveRun::types);
    let first = runs.next().unwrap_or_default().to_vec();
    let both = |a: &Type, b: &Type| if *a == Type::Int { *b } else { *a };
    runs.fold(first, |types, run| types.iter().zip(run).map(|(a, b)| both(a, b)).collect())
}

/// Merges neighbouring runs until no more runs overlap than files may be open at once.
fn shorten(
    mut runs: Vec<ArchiveRun>,
    dictionaries: &Arc<StringDictionaries>,
    time: Option<usize>,
    limits: &Limits,
    folder: &SpillFolder,
) -> Result<Vec<ArchiveRun>> {
    while overlapping(&runs) > limits.open_runs() {
        let mut longer = Vec::new();
        let mut rest = runs.into_iter().peekable();
        while rest.peek().is_some() {
            let group: Vec<ArchiveRun> = rest.by_ref().take(limits.open_runs()).collect();
            longer.push(merged(group, dictionaries, time, limits, folder)?);
        }
        runs = longer;
    }
    Ok(runs)
}

fn merged(
    group: Vec<ArchiveRun>,
    dictionaries: &Arc<StringDictionaries>,
    time: Option<usize>,
    limits: &Limits,
    folder: &SpillFolder,
) -> Result<ArchiveRun> {
    let limits = Limits { chunk_rows: limits.spill_rows, ..*limits };
    let types = types(&group);
    let runs = group.into_iter().map(|run| run.opened(&types, dictionaries, &limits)).collect();
    let mut merge = spill::Merge::new(runs, limits.threads, limits.merge_bytes());
    let rows = |batch| SortedRows { keys: keys(&batch, time), batch };
    let parts =
        std::iter::from_fn(|| merge.next(limits.chunk_rows, &|_, _| None).map(|batch| batch.map(rows)).transpose());
    let constants = vec![None; types.len()];
    SpilledRun::write(parts, &types, time, &constants, limits.threads, folder).map(ArchiveRun::Spilled)
}

/// Returns the maximum number of runs that overlap at any key.
fn overlapping(runs: &[ArchiveRun]) -> usize {
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
    use crate::convert::keys::NO_TIME;
    use crate::convert::runs::RunBuilder;
    use crate::types::{Batch, ColumnBuilder, Field, Value};

    /// Returns the strings of row `number`: one from few distinct values, and one from few distinct values only among
    /// the first rows.
    fn texts(number: i64) -> [Value; 2] {
        let object = match number % 5 {
            0 => Value::null(Type::Dynamic),
            _ => Value::Dynamic(format!("{{\"number\":{}}}", if number < 300 { 1 } else { number }).into()),
        };
        [Value::string(format!("a string longer than a view, {}", number % 7)), object]
    }

    /// Sorts rows (time or null, and number) in small batches. Each batch is spilled as a run, and not all runs can
    /// be open at once.
    fn sorted(times: &[Option<i64>], max_memory: u64) -> Vec<(i64, i64)> {
        let directory = tempfile::tempdir().expect("a folder");
        let folder = Arc::new(SpillFolder::new(Some(directory.path().to_owned())));
        let types = [Type::Datetime, Type::Long, Type::String, Type::Dynamic];
        let schema =
            Schema::new(["Time", "Number", "Text", "Object"].iter().zip(types).map(|(n, ty)| Field::new(*n, ty)));
        let limits = Limits::new(max_memory, 2);
        let mut builder = RunBuilder::new(schema.clone(), Some(0), limits, Arc::clone(&folder));
        for (index, chunk) in times.chunks(50).enumerate() {
            let mut columns = types.map(ColumnBuilder::new);
            for (number, ticks) in (index as i64 * 50..).zip(chunk) {
                columns[0].append(&ticks.map_or(Value::null(Type::Datetime), Value::Datetime));
                columns[1].append_i64(number);
                columns[2..].iter_mut().zip(texts(number)).for_each(|(column, text)| column.append(&text));
            }
            let columns = columns.iter_mut().map(ColumnBuilder::finish).collect();
            builder.push(&Batch::new(columns, chunk.len())).expect("room");
        }
        let limits = limits.for_rows(builder.row_bytes());
        let runs = builder.finish().expect("runs");
        let mut merge = ArchiveMerge::new(runs, &schema, Some(0), &limits, &folder).expect("a merge");
        let mut all = Vec::new();
        let end = |key: i64| (key != NO_TIME).then(|| key - key.rem_euclid(100) + 100);
        while let Some(part) = merge.next(&end).expect("rows") {
            let first = part.keys[0];
            assert!(part.keys.iter().all(|key| end(first).is_none_or(|end| *key < end)), "rows beyond the bound");
            let number = |row| part.batch.column(1).i64_at(row).expect("a number");
            for row in 0..part.keys.len() {
                assert_eq!([2, 3].map(|column| part.batch.column(column).value(row)), texts(number(row)));
            }
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
            expected.extend(times.iter().zip(0..).map(|(time, number)| (time.unwrap_or(NO_TIME), number)));
            expected.sort_unstable();
            for max_memory in [1000, 100_000, 1 << 30] {
                assert!(sorted(&times, max_memory) == expected, "within {max_memory} bytes");
            }
        }
    }
}
