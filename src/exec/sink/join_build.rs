//! The side of a join that is held in memory: its rows, found by their keys.

use arrow::array::{BooleanArray, UInt32Array};

use super::{Part, fold};
use crate::diagnostic::{Error, Result};
use crate::exec::context::ExecContext;
use crate::exec::group_table::GroupTable;
use crate::exec::memory::Reservation;
use crate::exec::physical::Pipeline;
use crate::exec::spill::partition::{DividedRows, numbered};
use crate::expr::{Expr, evaluate};
use crate::types::{Batch, Column, SharedMemory, Type, Value};

/// What is on its way to be combined may take this part of the memory, for each thread together.
const ON_THE_WAY: usize = 48;

/// The held side of a join.
pub enum JoinSide {
    /// In memory.
    Table(JoinTable, Reservation),
    /// In temporary files: the keys of each row, its columns, its position.
    Divided(DividedRows),
}

/// What a join keeps of the rows that it holds.
#[derive(Clone, Debug)]
pub struct JoinBuild<'a> {
    /// What rows are found by.
    pub keys: &'a [Expr],
    /// The columns to keep of each row, with their types; None where it only matters which keys there are.
    pub columns: Option<&'a [(usize, Type)]>,
    /// Only the first row of each key.
    pub unique: bool,
}

/// Rows by their keys.
#[derive(Debug)]
pub struct JoinTable {
    keys: GroupTable,
    /// The rows in their order; behind the last one a row of nulls, to stand beside rows without a match.
    rows: Batch,
    /// The positions of the rows, key by key.
    by_key: Vec<u32>,
    /// Where the rows of each key begin in `by_key`, and where those of the last end.
    starts: Vec<u32>,
    /// By row, the bytes of its strings; empty where no row has many.
    text_bytes: Vec<u32>,
}

/// The rows of `input` by their keys.
pub fn join_build(input: &Pipeline, build: &JoinBuild<'_>, context: &ExecContext) -> Result<JoinSide> {
    let mut whole = Held::new(build, context);
    let (mut divided, mut next): (Option<DividedRows>, i64) = (None, 0);
    fold(input, context, &|| Ok(Held::new(build, context)), &mut |part: Held<'_>| {
        if let Some(divided) = &mut divided {
            return part.divide(divided, &mut next);
        }
        whole.merge(part)?;
        if whole.is_too_much() && whole.keys() > 1 {
            let whole = std::mem::replace(&mut whole, Held::new(build, context));
            let types = whole.types().collect();
            let divided = divided.insert(DividedRows::new(types, build.keys.len(), 0));
            return whole.divide(divided, &mut next);
        }
        whole.check_size()
    })?;
    match divided {
        Some(divided) => Ok(JoinSide::Divided(divided)),
        None => whole.finish().map(|(table, reservation)| JoinSide::Table(table, reservation)),
    }
}

/// The rows of a part of the input.
pub(super) struct Held<'a> {
    build: &'a JoinBuild<'a>,
    context: &'a ExecContext,
    keys: GroupTable,
    batches: Vec<Batch>,
    /// The key of each row.
    groups: Vec<u32>,
    bytes: usize,
    memory: SharedMemory,
    /// The keys of the batch at hand.
    at_hand: Vec<u32>,
    reservation: Reservation,
}

impl Part for Held<'_> {
    fn push(&mut self, batch: Batch) -> Result<()> {
        let (build, context) = (self.build, self.context);
        let keys = build.keys.iter().map(|key| evaluate(key, &batch, &context.eval)).collect::<Result<Vec<_>>>()?;
        let known = self.keys.len();
        self.keys.assign(&keys, batch.rows(), &mut self.at_hand)?;
        if let Some(columns) = build.columns {
            let rows =
                Batch::new(columns.iter().map(|(index, _)| batch.column(*index).clone()).collect(), batch.rows());
            if build.unique {
                self.keep(&rows.filter(&first_of_each(&self.at_hand, known))?, known);
            } else {
                self.groups.extend_from_slice(&self.at_hand);
                self.hold(&rows);
            }
        }
        self.account();
        Ok(())
    }

    fn is_full(&self) -> bool {
        self.reservation.bytes() > self.context.memory.limit() / ON_THE_WAY / self.context.threads
    }
}

impl<'a> Held<'a> {
    /// No rows yet.
    pub fn new(build: &'a JoinBuild<'a>, context: &'a ExecContext) -> Self {
        let types = build.keys.iter().map(|key| key.ty).collect();
        let keys = GroupTable::new(types, context.eval.seed);
        let reservation = context.memory.reservation();
        let (batches, groups) = (Vec::new(), Vec::new());
        let (at_hand, memory) = (Vec::new(), SharedMemory::default());
        Self { build, context, keys, batches, groups, bytes: 0, memory, at_hand, reservation }
    }

    fn account(&mut self) {
        self.reservation.set(self.bytes + self.keys.bytes() + self.groups.capacity() * size_of::<u32>());
    }

    /// How many different keys there are.
    pub fn keys(&self) -> usize {
        self.keys.len()
    }

    /// True where the rows should not all be held.
    pub fn is_too_much(&self) -> bool {
        self.reservation.is_much()
    }

    /// An error where the rows are too many and can be divided no more.
    pub fn check_size(&self) -> Result<()> {
        if self.is_too_much() && self.reservation.is_hopeless() {
            return Err(self.context.memory.exceeded("join", self.reservation.bytes()));
        }
        Ok(())
    }

    /// The types of the rows that [`Self::divide`] hands on.
    fn types(&self) -> impl Iterator<Item = Type> {
        let columns = self.build.columns.unwrap_or_default().iter().map(|(_, ty)| *ty);
        self.build.keys.iter().map(|key| key.ty).chain(columns).chain([Type::Long])
    }

    /// Hands the rows on: their keys, their columns, their positions from `next` on. Where it only matters which keys
    /// there are, a row for each key.
    fn divide(self, divided: &mut DividedRows, next: &mut i64) -> Result<()> {
        let keys = Batch::new(self.keys.columns(), self.keys.len());
        if self.build.columns.is_none() {
            return divided.push(&numbered(&keys, next), self.context);
        }
        let mut groups = self.groups.as_slice();
        for rows in &self.batches {
            let (own, rest) = groups.split_at(rows.rows());
            groups = rest;
            let mut columns = keys.take(&UInt32Array::from(own.to_vec()))?.columns().to_vec();
            columns.extend_from_slice(rows.columns());
            divided.push(&numbered(&Batch::new(columns, rows.rows()), next), self.context)?;
        }
        Ok(())
    }

    /// Keeps the first rows of the keys from `known` on.
    fn keep(&mut self, rows: &Batch, known: usize) {
        debug_assert_eq!(known + rows.rows(), self.keys.len(), "a row for each new key");
        self.groups.extend(self.keys.numbers_from(known));
        self.hold(rows);
    }

    fn hold(&mut self, rows: &Batch) {
        if rows.rows() > 0 {
            let rows = rows.compacted();
            self.bytes += self.memory.add(&rows);
            self.batches.push(rows);
        }
    }

    fn merge(&mut self, later: Self) -> Result<()> {
        let known = self.keys.len();
        let map = self.keys.merge(&later.keys)?;
        if self.build.unique {
            // The rows of a part are in the order of its keys: one each.
            let mut start = 0;
            for rows in later.batches {
                let groups = &map[start..start + rows.rows()];
                start += rows.rows();
                let is_new = groups.iter().map(|group| Some(*group as usize >= known));
                self.hold(&rows.filter(&is_new.collect::<BooleanArray>())?);
            }
            self.groups.extend(self.keys.numbers_from(known));
        } else {
            self.groups.extend(later.groups.iter().map(|group| map[*group as usize]));
            self.bytes += later.bytes;
            self.batches.extend(later.batches);
        }
        self.account();
        Ok(())
    }

    /// The rows by their keys, and the memory they take.
    pub fn finish(self) -> Result<(JoinTable, Reservation)> {
        // Positions are 32 bits, and one is for the row of nulls.
        if u32::try_from(self.groups.len() + 1).is_err() {
            return Err(Error::Limit("join: more than 4,294,967,294 rows on one side".to_owned()));
        }
        let columns = (self.build.columns.unwrap_or_default().iter().enumerate())
            .map(|(index, (_, ty))| (*ty, self.batches.iter().map(|batch| batch.column(index).clone()).collect()))
            .collect::<Vec<(Type, Vec<Column>)>>();
        drop(self.batches);
        // One column after the other, so that there are never two copies of all of them.
        let column = |(ty, mut parts): (Type, Vec<Column>)| {
            parts.push(Column::constant(Value::null(ty), 1));
            Column::concat(ty, &parts.iter().collect::<Vec<_>>())
        };
        let columns = columns.into_iter().map(column).collect::<Result<_>>()?;
        let rows = Batch::new(columns, self.groups.len() + 1);
        let (by_key, starts) = sorted_by_key(&self.groups, self.keys.len());
        let text_bytes = text_bytes(&rows, self.context);
        Ok((JoinTable { keys: self.keys, rows, by_key, starts, text_bytes }, self.reservation))
    }
}

/// By row, the bytes of its strings; empty where a batch of any of the rows is not too large.
fn text_bytes(rows: &Batch, context: &ExecContext) -> Vec<u32> {
    let bytes = rows.text_bytes_of_rows();
    let longest = bytes.iter().copied().max().unwrap_or(0);
    if longest.saturating_mul(context.batch_rows) <= context.memory.batch_bytes() {
        return Vec::new();
    }
    bytes.into_iter().map(|bytes| u32::try_from(bytes).unwrap_or(u32::MAX)).collect()
}

/// The rows that are the first of a key from `known` on: such keys are numbered in the order of their first rows.
fn first_of_each(groups: &[u32], known: usize) -> BooleanArray {
    let mut next = known;
    let is_first = |group: &u32| {
        let first = *group as usize == next;
        next += usize::from(first);
        Some(first)
    };
    groups.iter().map(is_first).collect()
}

/// The positions of `groups` sorted by group, and where each group begins.
#[expect(clippy::cast_possible_truncation, reason = "there are fewer than 2^32 rows")]
fn sorted_by_key(groups: &[u32], count: usize) -> (Vec<u32>, Vec<u32>) {
    let mut starts = vec![0_u32; count + 1];
    groups.iter().for_each(|group| starts[*group as usize + 1] += 1);
    for index in 1..starts.len() {
        starts[index] += starts[index - 1];
    }
    let mut next = starts.clone();
    let mut by_key = vec![0; groups.len()];
    for (row, group) in groups.iter().enumerate() {
        let place = &mut next[*group as usize];
        by_key[*place as usize] = row as u32;
        *place += 1;
    }
    (by_key, starts)
}

impl JoinTable {
    /// The key of each of `rows` rows, as a number below [`Self::keys`]; [`u32::MAX`] where no row here has it.
    pub fn find(&self, keys: &[Column], rows: usize, found: &mut Vec<u32>) -> Result<()> {
        self.keys.find(keys, rows, found)
    }

    /// How many different keys there are.
    #[must_use]
    pub fn keys(&self) -> usize {
        self.keys.len()
    }

    /// The positions of the rows with this key.
    #[must_use]
    pub fn rows_of(&self, key: u32) -> &[u32] {
        let key = key as usize;
        &self.by_key[self.starts[key] as usize..self.starts[key + 1] as usize]
    }

    /// Bytes of the strings of a row, where rows have so many that a batch of them may be too large; else 0.
    #[must_use]
    pub fn text_bytes(&self, row: u32) -> usize {
        self.text_bytes.get(row as usize).map_or(0, |bytes| *bytes as usize)
    }

    /// The position of the row of nulls, which is behind the last row.
    #[must_use]
    pub fn null_row(&self) -> u32 {
        u32::try_from(self.rows.rows() - 1).expect("the number of rows was checked")
    }

    /// The values of a column at `positions`; columns are numbered as they were asked for.
    pub fn column(&self, column: usize, positions: &UInt32Array) -> Result<Column> {
        self.rows.column(column).take(positions)
    }
}
