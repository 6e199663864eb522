//! The build side of a join: a hash table of its rows by their keys.

use arrow::array::{BooleanArray, UInt32Array};

use crate::diagnostic::{Error, Result};
use crate::exec::context::ExecContext;
use crate::exec::fold::{PartialState, fold};
use crate::exec::hash::GroupTable;
use crate::exec::pipeline::ExecPipeline;
use crate::exec::spill::partition::{PartitionedRows, append_positions};
use crate::expr::{Expr, evaluate};
use crate::memory::Reservation;
use crate::types::{Batch, Column, SharedMemory, Type, Value};

/// The states of all threads that are not merged yet may together use the memory limit divided by this number.
const UNMERGED_SHARE: usize = 48;

/// The time of a row whose time is null; it sorts before all others.
const NO_TIME: i64 = i64::MIN;

/// The rows of the build side, ready to be joined.
pub enum BuildSide {
    /// The rows as a table in memory, and the memory reserved for it.
    InMemory(JoinTable, Reservation),
    /// The rows in temporary files. A row consists of its keys, its columns and its position.
    Partitioned(PartitionedRows),
}

/// A column of an input of the join.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InputColumn {
    /// The position of the column.
    pub index: usize,
    /// The type of the column.
    pub ty: Type,
}

/// Which columns and rows of the build side are kept.
#[derive(Clone, Debug)]
pub struct BuildSpec<'a> {
    /// The expressions of the join key.
    pub keys: &'a [Expr],
    /// The columns of each row to keep; None if only the distinct keys are needed.
    pub columns: Option<&'a [InputColumn]>,
    /// True if only the first row of each key is kept.
    pub unique: bool,
}

/// A table of the rows of the build side, by key.
#[derive(Debug)]
pub struct JoinTable {
    keys: GroupTable,
    /// The rows in input order, and after them a row of nulls that is joined with probe rows without a match.
    rows: Batch,
    /// The positions of the rows in `rows`, grouped by key.
    by_key: Vec<u32>,
    /// For each key, the index in `by_key` at which its rows begin; at the end the length of `by_key`.
    starts: Vec<u32>,
    /// For each row, the number of bytes of its strings; empty if no row has many.
    string_bytes: Vec<u32>,
    /// The time of each row in `by_key`; empty until [`Self::sort_by_time`] is called.
    times: Vec<i64>,
}

/// Builds the table of the rows of `input`. If they do not fit in memory, they are partitioned into files instead.
pub fn build_table(input: &ExecPipeline, spec: &BuildSpec<'_>, context: &ExecContext) -> Result<BuildSide> {
    let mut whole = BuildState::new(spec, context);
    let (mut partitioned, mut next_position): (Option<PartitionedRows>, i64) = (None, 0);
    fold(input, context, &|| Ok(BuildState::new(spec, context)), &mut |state: BuildState<'_>| {
        if let Some(partitioned) = &mut partitioned {
            return state.partition(partitioned, &mut next_position);
        }
        whole.merge(state)?;
        if whole.should_spill() && whole.keys() > 1 {
            let whole = std::mem::replace(&mut whole, BuildState::new(spec, context));
            let types = whole.types().collect();
            let partitioned = partitioned.insert(PartitionedRows::new(types, spec.keys.len(), 0, context));
            return whole.partition(partitioned, &mut next_position);
        }
        whole.check_size()
    })?;
    match partitioned {
        Some(partitioned) => Ok(BuildSide::Partitioned(partitioned)),
        None => whole.finish().map(|(table, reservation)| BuildSide::InMemory(table, reservation)),
    }
}

/// The state for some consecutive rows of the build side.
pub(super) struct BuildState<'a> {
    spec: &'a BuildSpec<'a>,
    context: &'a ExecContext,
    keys: GroupTable,
    batches: Vec<Batch>,
    /// The key of each row, as the id of that key in `keys`.
    row_keys: Vec<u32>,
    /// Number of bytes of `batches`.
    bytes: usize,
    memory: SharedMemory,
    /// The key of each row of the current batch.
    batch_keys: Vec<u32>,
    reservation: Reservation,
}

impl PartialState for BuildState<'_> {
    fn push(&mut self, batch: Batch) -> Result<()> {
        let (spec, context) = (self.spec, self.context);
        let keys = spec.keys.iter().map(|key| evaluate(key, &batch, &context.eval)).collect::<Result<Vec<_>>>()?;
        let known = self.keys.len();
        self.keys.assign(&keys, batch.rows(), &mut self.batch_keys)?;
        if let Some(columns) = spec.columns {
            let rows = Batch::new(columns.iter().map(|c| batch.column(c.index).clone()).collect(), batch.rows());
            if spec.unique {
                self.keep_first_rows(&rows.filter(&first_of_each(&self.batch_keys, known))?, known);
            } else {
                self.row_keys.extend_from_slice(&self.batch_keys);
                self.keep(&rows);
            }
        }
        self.update_reservation();
        Ok(())
    }

    fn is_full(&self) -> bool {
        self.reservation.bytes() > self.context.memory.limit() / UNMERGED_SHARE / self.context.threads
    }
}

impl<'a> BuildState<'a> {
    /// Returns a state without rows.
    pub fn new(spec: &'a BuildSpec<'a>, context: &'a ExecContext) -> Self {
        let types = spec.keys.iter().map(|key| key.ty).collect();
        let keys = GroupTable::new(types, context.eval.seed);
        let reservation = context.memory.reservation();
        let (batches, row_keys) = (Vec::new(), Vec::new());
        let (batch_keys, memory) = (Vec::new(), SharedMemory::default());
        Self { spec, context, keys, batches, row_keys, bytes: 0, memory, batch_keys, reservation }
    }

    fn update_reservation(&mut self) {
        self.reservation.set(self.bytes + self.keys.bytes() + self.row_keys.capacity() * size_of::<u32>());
    }

    /// Returns the number of distinct keys.
    pub fn keys(&self) -> usize {
        self.keys.len()
    }

    /// True if the rows use so much memory that they should be partitioned.
    pub fn should_spill(&self) -> bool {
        self.reservation.should_spill()
    }

    /// Returns an error if the rows take too much memory, and must be partitioned further.
    pub fn check_size(&self) -> Result<()> {
        if self.should_spill() && self.reservation.exceeds_alone() {
            return Err(self.context.memory.exceeded("join", self.reservation.bytes()));
        }
        Ok(())
    }

    /// Returns the types of the columns of the rows that [`Self::partition`] writes.
    fn types(&self) -> impl Iterator<Item = Type> {
        let columns = self.spec.columns.unwrap_or_default().iter().map(|column| column.ty);
        self.spec.keys.iter().map(|key| key.ty).chain(columns).chain([Type::Long])
    }

    /// Moves the rows to `partitioned`: their keys, their columns, and their positions, which begin at `next_position`.
    /// If only the distinct keys are needed, it writes one row for each key.
    fn partition(self, partitioned: &mut PartitionedRows, next_position: &mut i64) -> Result<()> {
        let keys = Batch::new(self.keys.columns(), self.keys.len());
        if self.spec.columns.is_none() {
            return partitioned.push(&append_positions(&keys, next_position));
        }
        let mut row_keys = self.row_keys.as_slice();
        for rows in &self.batches {
            let (own, rest) = row_keys.split_at(rows.rows());
            row_keys = rest;
            let mut columns = keys.take(&UInt32Array::from(own.to_vec()))?.columns().to_vec();
            columns.extend_from_slice(rows.columns());
            partitioned.push(&append_positions(&Batch::new(columns, rows.rows()), next_position))?;
        }
        Ok(())
    }

    /// Keeps `rows`, which are the first rows of the new keys; their ids begin at `known`.
    fn keep_first_rows(&mut self, rows: &Batch, known: usize) {
        debug_assert_eq!(known + rows.rows(), self.keys.len(), "a row for each new key");
        self.row_keys.extend(self.keys.ids_from(known));
        self.keep(rows);
    }

    fn keep(&mut self, rows: &Batch) {
        if rows.rows() > 0 {
            let rows = rows.compacted();
            self.bytes += self.memory.add(&rows);
            self.batches.push(rows);
        }
    }

    fn merge(&mut self, later: Self) -> Result<()> {
        let known = self.keys.len();
        let key_map = self.keys.merge(&later.keys)?;
        if self.spec.unique {
            // A state has one row for each key, in the order of its keys.
            let mut start = 0;
            for rows in later.batches {
                let keys = &key_map[start..start + rows.rows()];
                start += rows.rows();
                let is_new = keys.iter().map(|key| Some(*key as usize >= known));
                self.keep(&rows.filter(&is_new.collect::<BooleanArray>())?);
            }
            self.row_keys.extend(self.keys.ids_from(known));
        } else {
            self.row_keys.extend(later.row_keys.iter().map(|key| key_map[*key as usize]));
            self.bytes += later.bytes;
            self.batches.extend(later.batches);
        }
        self.update_reservation();
        Ok(())
    }

    /// Returns the table of all rows, and the memory reserved for it.
    pub fn finish(self) -> Result<(JoinTable, Reservation)> {
        // Positions have 32 bits, and one is for the row of nulls.
        if u32::try_from(self.row_keys.len() + 1).is_err() {
            return Err(Error::Limit("join: more than 4,294,967,294 rows on one side".to_owned()));
        }
        let columns = (self.spec.columns.unwrap_or_default().iter().enumerate())
            .map(|(position, InputColumn { ty, .. })| {
                (*ty, self.batches.iter().map(|batch| batch.column(position).clone()).collect())
            })
            .collect::<Vec<(Type, Vec<Column>)>>();
        drop(self.batches);
        // One column after the other, so that there are never two copies of all of them.
        let column = |(ty, mut chunks): (Type, Vec<Column>)| {
            chunks.push(Column::constant(Value::null(ty), 1));
            Column::concat(ty, &chunks.iter().collect::<Vec<_>>())
        };
        let columns = columns.into_iter().map(column).collect::<Result<_>>()?;
        let rows = Batch::new(columns, self.row_keys.len() + 1);
        let (by_key, starts) = sorted_by_key(&self.row_keys, self.keys.len());
        let string_bytes = string_bytes(&rows, self.context);
        let table = JoinTable { keys: self.keys, rows, by_key, starts, string_bytes, times: Vec::new() };
        Ok((table, self.reservation))
    }
}

/// Returns the number of bytes of the strings of each row; empty if even a batch of the longest rows is not too large.
fn string_bytes(rows: &Batch, context: &ExecContext) -> Vec<u32> {
    let bytes = rows.text_bytes_of_rows();
    let longest = bytes.iter().copied().max().unwrap_or(0);
    if longest.saturating_mul(context.batch_rows) <= context.memory.batch_bytes() {
        return Vec::new();
    }
    bytes.into_iter().map(|bytes| u32::try_from(bytes).unwrap_or(u32::MAX)).collect()
}

/// Selects the first row of each new key. The ids of new keys begin at `known`, and are numbered in the order of their
/// first rows.
fn first_of_each(row_keys: &[u32], known: usize) -> BooleanArray {
    let mut next = known;
    let is_first = |key: &u32| {
        let is_first = *key as usize == next;
        next += usize::from(is_first);
        Some(is_first)
    };
    row_keys.iter().map(is_first).collect()
}

/// Sorts rows by key (a counting sort). Returns the positions of the rows in that order, and where each key begins in
/// it.
#[expect(clippy::cast_possible_truncation, reason = "there are fewer than 2^32 rows")]
fn sorted_by_key(row_keys: &[u32], count: usize) -> (Vec<u32>, Vec<u32>) {
    let mut starts = vec![0_u32; count + 1];
    row_keys.iter().for_each(|key| starts[*key as usize + 1] += 1);
    for index in 1..starts.len() {
        starts[index] += starts[index - 1];
    }
    let mut next = starts.clone();
    let mut by_key = vec![0; row_keys.len()];
    for (row, key) in row_keys.iter().enumerate() {
        let end = &mut next[*key as usize];
        by_key[*end as usize] = row as u32;
        *end += 1;
    }
    (by_key, starts)
}

impl JoinTable {
    /// Sets `found` to the key of each of `rows` rows: a number below [`Self::keys`], or [`GroupTable::NONE`] if no row
    /// of the table has the key.
    pub fn find(&self, keys: &[Column], rows: usize, found: &mut Vec<u32>) -> Result<()> {
        self.keys.find(keys, rows, found)
    }

    /// Returns the number of distinct keys.
    #[must_use]
    pub fn keys(&self) -> usize {
        self.keys.len()
    }

    /// Returns the positions of the rows with this key, in the order of the rows.
    #[must_use]
    pub fn rows_of(&self, key: u32) -> &[u32] {
        let key = key as usize;
        &self.by_key[self.starts[key] as usize..self.starts[key + 1] as usize]
    }

    /// Sorts the rows of each key by a datetime column, so that [`Self::rows_within`] can search them. `column` is a
    /// position in [`BuildSpec::columns`]. Returns the number of bytes that the times take.
    pub fn sort_by_time(&mut self, column: usize) -> usize {
        let column = self.rows.column(column);
        let time = |row: u32| column.i64_at(row as usize).unwrap_or(NO_TIME);
        for key in self.starts.windows(2) {
            self.by_key[key[0] as usize..key[1] as usize].sort_unstable_by_key(|row| (time(*row), *row));
        }
        self.times = self.by_key.iter().map(|row| time(*row)).collect();
        self.times.capacity() * size_of::<i64>()
    }

    /// Returns the positions of the rows with this key whose time is from `min` to `max`, both inclusive, in the order
    /// of the rows.
    #[must_use]
    pub fn rows_within(&self, key: u32, min: i64, max: i64) -> Vec<u32> {
        let key = self.starts[key as usize] as usize..self.starts[key as usize + 1] as usize;
        let times = &self.times[key.clone()];
        let start = times.partition_point(|time| *time == NO_TIME || *time < min);
        let found = times[start..].partition_point(|time| *time <= max);
        let mut rows = self.by_key[key][start..start + found].to_vec();
        rows.sort_unstable();
        rows
    }

    /// Returns the number of bytes of the strings of a row; 0 if they are so short that batches cannot become too
    /// large.
    #[must_use]
    pub fn string_bytes(&self, row: u32) -> usize {
        self.string_bytes.get(row as usize).map_or(0, |bytes| *bytes as usize)
    }

    /// Returns the position of the row of nulls, which follows the last row.
    #[must_use]
    pub fn null_row(&self) -> u32 {
        u32::try_from(self.rows.rows() - 1).expect("the number of rows was checked")
    }

    /// Returns the values of a column at `positions`; `column` is a position in [`BuildSpec::columns`].
    pub fn column(&self, column: usize, positions: &UInt32Array) -> Result<Column> {
        self.rows.column(column).take(positions)
    }
}
