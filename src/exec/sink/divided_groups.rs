//! The groups of all rows, in memory while they fit, by parts from temporary files from then on.
//!
//! When the states get too large, they are divided by the hash of their keys, and so are all rows that follow, which go
//! to a file for each part. In the end the parts are worked on one after the other: first the states, then the rows in
//! their order. A part that gets too large is divided again, by another hash. Where a group first appeared is kept
//! beside it, and orders the groups of all parts in the end.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use arrow::array::Int64Array;

use super::aggregate::{Finished, State, Work};
use super::sort::Sorter;
use crate::diagnostic::{Result, Span};
use crate::exec::group_table;
use crate::exec::physical::{self, Pipeline};
use crate::exec::spill::SpillFile;
use crate::exec::spill::partition::{FAN, MOST_DIVISIONS, RowWriter, divide, numbered, part_of};
use crate::expr::Expr;
use crate::plan::SortKey;
use crate::types::{Batch, Column, Schema, Type};

/// Groups and, once they are divided, what belongs to each part.
pub(super) struct Groups<'a> {
    work: &'a Work<'a>,
    /// What matters of rows, and their position.
    types: Vec<Type>,
    /// How often the rows were divided to come here.
    divisions: u32,
    state: State,
    /// By group the position of its first row; of groups that were never divided, their number is as good.
    firsts: Vec<i64>,
    /// The position of the next row.
    next: i64,
    /// None while all is in `state`.
    parts: Option<Vec<Entries>>,
}

/// What belongs to a part, in the order of the rows.
#[derive(Default)]
struct Entries {
    done: Vec<Entry>,
    rows: RowWriter,
}

enum Entry {
    /// Groups and their first rows.
    State(Box<State>, Vec<i64>),
    Rows(Arc<SpillFile>),
}

impl<'a> Groups<'a> {
    /// Of no rows.
    pub fn new(work: &'a Work<'a>) -> Result<Self> {
        let mut groups = Self::part(work, 0)?;
        if work.keys.is_empty() {
            groups.state.table.assign(&[], 0, &mut Vec::new())?;
        }
        Ok(groups)
    }

    fn part(work: &'a Work<'a>, divisions: u32) -> Result<Self> {
        let types = work.types().chain([Type::Long]).collect();
        Ok(Self { work, types, divisions, state: work.state()?, firsts: Vec::new(), next: 0, parts: None })
    }

    /// Takes in the next part of the input: a state, then rows.
    pub fn append(&mut self, state: State, rows: &[Batch]) -> Result<()> {
        let positions: Vec<i64> = (self.next..).take(state.table.len()).collect();
        self.next = positions.last().map_or(self.next, |last| last + 1);
        self.push_state(state, &positions)?;
        for batch in rows {
            let batch = numbered(batch, &mut self.next);
            self.push_rows(&batch)?;
        }
        Ok(())
    }

    fn push_state(&mut self, state: State, firsts: &[i64]) -> Result<()> {
        if self.parts.is_some() {
            return self.divide_state(state, firsts);
        }
        let map = self.state.merge(state, self.work)?;
        for (group, first) in map.iter().zip(firsts) {
            if *group as usize == self.firsts.len() {
                self.firsts.push(*first);
            }
        }
        self.relieve()
    }

    /// Takes in what matters of rows, and their positions.
    fn push_rows(&mut self, batch: &Batch) -> Result<()> {
        if let Some(parts) = &mut self.parts {
            let keys = &batch.columns()[..self.work.keys.len()];
            let hashes = group_table::hashes(keys, batch.rows(), self.work.context.eval.seed, self.divisions);
            for (part, batch) in divide(batch, &hashes)? {
                parts[part].rows.push(&batch, &self.types, &self.work.context.spill)?;
            }
            return Ok(());
        }
        self.state.update(self.work, batch)?;
        let positions = batch.column(self.types.len() - 1);
        for (row, group) in self.state.groups().iter().enumerate() {
            if *group as usize == self.firsts.len() {
                self.firsts.push(positions.i64_at(row).unwrap_or_default());
            }
        }
        self.relieve()
    }

    /// Divides what is held where it is too much.
    fn relieve(&mut self) -> Result<()> {
        let Work { keys, context, .. } = self.work;
        let held = &self.state.reservation;
        // What is divided stays in memory until its turn comes: some must be left for the parts to grow.
        let is_much = self.divisions == 0 && held.bytes() > context.memory.limit() / 2;
        if !is_much && !held.is_over() {
            return Ok(());
        }
        if keys.is_empty() || self.state.table.len() < 2 || self.divisions == MOST_DIVISIONS {
            let is_hopeless = held.is_hopeless();
            return if is_hopeless { Err(context.memory.exceeded(self.work.name(), held.bytes())) } else { Ok(()) };
        }
        self.work.is_divided.store(true, Ordering::Relaxed);
        self.parts = Some((0..FAN).map(|_| Entries::default()).collect());
        let state = std::mem::replace(&mut self.state, self.work.state()?);
        let firsts = std::mem::take(&mut self.firsts);
        self.divide_state(state, &firsts)
    }

    fn divide_state(&mut self, mut state: State, firsts: &[i64]) -> Result<()> {
        let Some(parts) = &mut self.parts else { return Ok(()) };
        let context = self.work.context;
        let mut groups: Vec<Vec<u32>> = vec![Vec::new(); FAN];
        for (group, hash) in (0..).zip(state.table.hashes(context.eval.seed, self.divisions)) {
            groups[part_of(hash)].push(group);
        }
        for (entries, groups) in parts.iter_mut().zip(&groups).filter(|(_, groups)| !groups.is_empty()) {
            let rows = entries.rows.finish(&self.types, &context.spill)?;
            entries.done.extend(rows.map(Entry::Rows));
            let firsts = groups.iter().map(|group| firsts[*group as usize]).collect();
            entries.done.push(Entry::State(Box::new(state.select(groups)?), firsts));
        }
        Ok(())
    }

    /// The groups in the order of their first rows.
    pub fn finish(self, schema: &Schema) -> Result<Pipeline> {
        let context = self.work.context;
        if self.parts.is_none() {
            let step = context.batch_rows.max(1);
            let mut held = context.memory.reservation();
            held.set(self.state.reservation.bytes());
            let whole = self.state.finish(self.work)?.rows;
            let starts = (0..whole.rows()).step_by(step);
            let batches = starts.map(|start| whole.slice(start, step.min(whole.rows() - start))).collect();
            return Ok(physical::in_memory(schema, batches, context)?.holding(held));
        }
        let expr = Expr::column(schema.len(), Type::Long, Span::default());
        let by_position = [SortKey { expr, descending: false, nulls_first: true }];
        let types: Vec<Type> = schema.fields().iter().map(|field| field.ty).chain([Type::Long]).collect();
        let mut sorter = Sorter::new(&types, &by_position, context).hiding(1);
        self.emit(&mut sorter)?;
        sorter.finish()
    }

    /// A row for each group, and the position of its first row.
    fn emit(mut self, sorter: &mut Sorter<'_>) -> Result<()> {
        let Some(parts) = self.parts.take() else {
            let Finished { rows, kept } = self.state.finish(self.work)?;
            let firsts = match kept {
                Some(kept) => kept.into_iter().map(|group| self.firsts[group as usize]).collect(),
                None => self.firsts,
            };
            let mut columns = rows.columns().to_vec();
            columns.push(Column::array(Type::Long, Arc::new(Int64Array::from(firsts))));
            return sorter.push(Batch::new(columns, rows.rows()));
        };
        let (work, divisions, types) = (self.work, self.divisions + 1, self.types);
        drop(self.state);
        for mut entries in parts {
            let rows = entries.rows.finish(&types, &work.context.spill)?;
            entries.done.extend(rows.map(Entry::Rows));
            let mut part = Groups::part(work, divisions)?;
            for entry in entries.done {
                work.context.check_cancelled()?;
                match entry {
                    Entry::State(state, firsts) => part.push_state(*state, &firsts)?,
                    Entry::Rows(file) => file.read()?.try_for_each(|batch| part.push_rows(&batch?))?,
                }
            }
            part.emit(sorter)?;
        }
        Ok(())
    }
}
