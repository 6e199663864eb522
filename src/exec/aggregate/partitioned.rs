//! All groups of an aggregation: in memory while they fit, then partitioned into temporary files.
//!
//! When the states get too large, they are partitioned by the hash of their keys. All later rows are partitioned, too,
//! and go to one file for each partition. In the end the partitions are aggregated one after the other: first their
//! states, then their rows in order. A partition that gets too large is partitioned again by another hash. Each group
//! keeps the position of its first row, by which the groups of all partitions are finally sorted.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use arrow::array::Int64Array;

use super::finish::FinishedGroups;
use super::{AggregateSpec, GroupStates};
use crate::diagnostic::{Result, Span};
use crate::exec::hash;
use crate::exec::pipeline::ExecPipeline;
use crate::exec::sort::Sorter;
use crate::exec::spill::SpillFile;
use crate::exec::spill::partition::{FANOUT, MAX_PASSES, PartitionWriter, append_positions, partition, partition_of};
use crate::expr::Expr;
use crate::plan::SortKey;
use crate::types::{Batch, Column, Schema, Type};

/// Groups are finished together as long as their states have at most this many times the bytes of a batch.
const CHUNK_BATCHES: usize = 4;

/// Groups in memory or, once they are too large, in partitions.
pub(super) struct PartitionedGroups<'a> {
    spec: &'a AggregateSpec<'a>,
    /// The types of [`AggregateSpec::inputs`], followed by the type of the row's position.
    types: Vec<Type>,
    /// The number of times that the rows were partitioned already.
    passes: u32,
    states: GroupStates,
    /// For each group of `states`, the position of its first row. Before the first partitioning this is the number of
    /// the group, which sorts the groups the same way.
    first_rows: Vec<i64>,
    next_position: i64,
    /// The partitions; None while all groups are in `states`.
    partitions: Option<Vec<GroupPartition>>,
}

/// The states and rows of a partition, in the order of the rows.
#[derive(Default)]
struct GroupPartition {
    chunks: Vec<PartitionChunk>,
    /// The rows that follow those of `chunks`.
    rows: PartitionWriter,
}

enum PartitionChunk {
    States(StatesChunk),
    Rows(Arc<SpillFile>),
}

/// The states of groups, and the position of the first row of each.
struct StatesChunk {
    states: Box<GroupStates>,
    first_rows: Vec<i64>,
}

impl<'a> PartitionedGroups<'a> {
    /// Returns a state without groups; an aggregation without keys has its only group from the start.
    pub fn new(spec: &'a AggregateSpec<'a>) -> Result<Self> {
        let mut groups = Self::after_passes(spec, 0)?;
        if spec.keys.is_empty() {
            groups.states.table.assign(&[], 0, &mut Vec::new())?;
        }
        Ok(groups)
    }

    fn after_passes(spec: &'a AggregateSpec<'a>, passes: u32) -> Result<Self> {
        let types = spec.input_types().chain([Type::Long]).collect();
        let (states, first_rows) = (spec.states()?, Vec::new());
        Ok(Self { spec, types, passes, states, first_rows, next_position: 0, partitions: None })
    }

    /// Adds the next part of the input: the states of its first rows, and its other rows.
    pub fn append(&mut self, states: GroupStates, rows: &[Batch]) -> Result<()> {
        let positions: Vec<i64> = (self.next_position..).take(states.table.len()).collect();
        self.next_position = positions.last().map_or(self.next_position, |last| last + 1);
        self.push_states(states, &positions)?;
        for batch in rows {
            let batch = append_positions(batch, &mut self.next_position);
            self.push_rows(&batch)?;
        }
        Ok(())
    }

    fn push_states(&mut self, states: GroupStates, first_rows: &[i64]) -> Result<()> {
        if self.partitions.is_some() {
            return self.partition_states(states, first_rows);
        }
        let group_map = self.states.merge(states, self.spec)?;
        for (group, first) in group_map.iter().zip(first_rows) {
            if *group as usize == self.first_rows.len() {
                self.first_rows.push(*first);
            }
        }
        self.maybe_spill()
    }

    /// Adds rows, given as values of [`AggregateSpec::inputs`] and their positions.
    fn push_rows(&mut self, batch: &Batch) -> Result<()> {
        if let Some(partitions) = &mut self.partitions {
            let (keys, context) = (&batch.columns()[..self.spec.keys.len()], self.spec.context);
            let hashes = hash::hashes(keys, batch.rows(), context.eval.seed, self.passes);
            for (index, batch) in partition(batch, &hashes)? {
                partitions[index].rows.push(&batch, &self.types, &context.spill)?;
            }
            return Ok(());
        }
        self.states.update(self.spec, batch)?;
        let positions = batch.column(self.types.len() - 1);
        for (row, group) in self.states.batch_groups().iter().enumerate() {
            if *group as usize == self.first_rows.len() {
                self.first_rows.push(positions.i64_at(row).unwrap_or_default());
            }
        }
        self.maybe_spill()
    }

    /// Partitions the states if they use too much memory.
    fn maybe_spill(&mut self) -> Result<()> {
        let AggregateSpec { keys, context, .. } = self.spec;
        let reservation = &self.states.reservation;
        if !reservation.should_partition() {
            return Ok(());
        }
        if keys.is_empty() || self.states.table.len() < 2 || self.passes == MAX_PASSES {
            let exceeded = reservation.exceeds_alone();
            let error = || context.memory.exceeded(self.spec.name(), reservation.bytes());
            return if exceeded { Err(error()) } else { Ok(()) };
        }
        self.spec.is_partitioned.store(true, Ordering::Relaxed);
        self.partitions = Some((0..FANOUT).map(|_| GroupPartition::default()).collect());
        let states = std::mem::replace(&mut self.states, self.spec.states()?);
        let first_rows = std::mem::take(&mut self.first_rows);
        self.partition_states(states, &first_rows)
    }

    fn partition_states(&mut self, mut states: GroupStates, first_rows: &[i64]) -> Result<()> {
        let Some(partitions) = &mut self.partitions else { return Ok(()) };
        let context = self.spec.context;
        let mut groups: Vec<Vec<u32>> = vec![Vec::new(); FANOUT];
        for (group, hash) in (0..).zip(states.table.hashes(context.eval.seed, self.passes)) {
            groups[partition_of(hash)].push(group);
        }
        for (partition, groups) in partitions.iter_mut().zip(&groups).filter(|(_, groups)| !groups.is_empty()) {
            let rows = partition.rows.finish(&self.types, &context.spill)?;
            partition.chunks.extend(rows.map(PartitionChunk::Rows));
            let first_rows = groups.iter().map(|group| first_rows[*group as usize]).collect();
            let states = Box::new(states.take_states(groups)?);
            partition.chunks.push(PartitionChunk::States(StatesChunk { states, first_rows }));
        }
        Ok(())
    }

    /// Returns the groups in the order of their first rows.
    pub fn finish(self, schema: &Schema) -> Result<ExecPipeline> {
        let context = self.spec.context;
        if self.partitions.is_none() {
            let step = context.batch_rows.max(1);
            let mut reservation = context.memory.reservation();
            reservation.set(self.states.reservation.bytes());
            let whole = self.states.finish(self.spec)?.rows;
            let starts = (0..whole.rows()).step_by(step);
            let batches = starts.map(|start| whole.slice(start, step.min(whole.rows() - start))).collect();
            return Ok(ExecPipeline::in_memory(schema, batches, context)?.holding(reservation));
        }
        let expr = Expr::column(schema.len(), Type::Long, Span::default());
        let by_position = [SortKey { expr, descending: false, nulls_first: true }];
        let types: Vec<Type> = schema.fields().iter().map(|field| field.ty).chain([Type::Long]).collect();
        let mut sorter = Sorter::new(&types, &by_position, context).hiding(1);
        self.emit(&mut sorter)?;
        sorter.finish()
    }

    /// Pushes a row for each group to `sorter`, with the position of its first row.
    fn emit(mut self, sorter: &mut Sorter<'_>) -> Result<()> {
        let Some(partitions) = self.partitions.take() else { return self.emit_states(sorter) };
        let (spec, passes, types) = (self.spec, self.passes + 1, self.types);
        drop(self.states);
        for mut partition in partitions {
            let rows = partition.rows.finish(&types, &spec.context.spill)?;
            partition.chunks.extend(rows.map(PartitionChunk::Rows));
            let mut groups = PartitionedGroups::after_passes(spec, passes)?;
            for chunk in partition.chunks {
                spec.context.check_cancelled()?;
                match chunk {
                    PartitionChunk::States(chunk) => groups.push_states(*chunk.states, &chunk.first_rows)?,
                    PartitionChunk::Rows(file) => file.read()?.try_for_each(|batch| groups.push_rows(&batch?))?,
                }
            }
            groups.emit(sorter)?;
        }
        Ok(())
    }

    /// Pushes the groups in memory to `sorter`, some at a time, because the rows of groups with long values take as
    /// much memory as their states.
    fn emit_states(mut self, sorter: &mut Sorter<'_>) -> Result<()> {
        let groups: Vec<u32> = self.states.table.ids_from(0).collect();
        let chunks = self.states.reservation.bytes() / (CHUNK_BATCHES * self.spec.context.memory.batch_bytes());
        if chunks < 2 {
            return emit_groups(self.states, self.first_rows, self.spec, sorter);
        }
        for chunk in groups.chunks(groups.len().div_ceil(chunks).max(1)) {
            let first_rows = chunk.iter().map(|group| self.first_rows[*group as usize]).collect();
            emit_groups(self.states.take_states(chunk)?, first_rows, self.spec, sorter)?;
        }
        Ok(())
    }
}

/// Pushes a row for each group of `states` to `sorter`.
fn emit_groups(
    states: GroupStates,
    mut first_rows: Vec<i64>,
    spec: &AggregateSpec<'_>,
    sorter: &mut Sorter<'_>,
) -> Result<()> {
    let FinishedGroups { rows, kept } = states.finish(spec)?;
    if let Some(kept) = kept {
        first_rows = kept.into_iter().map(|group| first_rows[group as usize]).collect();
    }
    let mut columns = rows.columns().to_vec();
    columns.push(Column::array(Type::Long, Arc::new(Int64Array::from(first_rows))));
    sorter.push(Batch::new(columns, rows.rows()))
}
