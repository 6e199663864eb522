//! The operator `make-series`: the bins of each group become arrays.
//!
//! The input has one row for each group and bin that has data. These rows are collected, ordered by group and bin, and
//! written as arrays only when they are read: the arrays may be far larger than the rows, because they also have an
//! element for each bin without data.

mod arrays;
mod axis_text;

use std::ops::Range;
use std::sync::Arc;

use arrow::array::UInt32Array;

use super::context::ExecContext;
use super::hash::GroupTable;
use super::pipeline::ExecPipeline;
use super::scheduler::Flow;
use crate::diagnostic::{Error, Result};
use crate::memory::Reservation;
use crate::plan::Series;
use crate::plan::series::MAX_ELEMENTS;
use crate::scan::Partition;
use crate::types::{Batch, Column, Type, Value};

use arrays::{GroupSeries, OrderedRows, SeriesPartition, SeriesWriter};
use axis_text::AxisText;

/// Number of groups in a partition of the output.
const GROUPS_PER_PARTITION: usize = 256;

/// Returns a row of arrays for each group of `input`, in order of first appearance.
pub(super) fn series(input: &ExecPipeline, plan: &Series, context: &ExecContext) -> Result<ExecPipeline> {
    let mut bins = Bins::new(plan, context);
    input.run(context, &mut |batch| {
        bins.push(&batch)?;
        Ok(Flow::Continue(()))
    })?;
    bins.finish()
}

/// The rows of the input that were collected so far.
struct Bins<'a> {
    plan: &'a Series,
    context: &'a ExecContext,
    groups: GroupTable,
    /// The group and the number of the bin of each row.
    rows: Vec<(u32, i64)>,
    /// The values of the rows, in batches.
    values: Vec<Batch>,
    reservation: Reservation,
    /// The group of each row of the last batch.
    batch_groups: Vec<u32>,
}

impl<'a> Bins<'a> {
    fn new(plan: &'a Series, context: &'a ExecContext) -> Self {
        let types = plan.schema.fields().iter().take(plan.keys).map(|field| field.ty).collect();
        Self {
            plan,
            context,
            groups: GroupTable::new(types, context.eval.seed),
            rows: Vec::new(),
            values: Vec::new(),
            reservation: context.memory.reservation(),
            batch_groups: Vec::new(),
        }
    }

    fn push(&mut self, batch: &Batch) -> Result<()> {
        let (keys, rest) = batch.columns().split_at(self.plan.keys);
        self.groups.assign(keys, batch.rows(), &mut self.batch_groups)?;
        for (row, group) in self.batch_groups.iter().enumerate() {
            let bin = self.plan.axis.scale.bin_at(&rest[0], row).ok_or_else(off_the_axis)?;
            self.rows.push((*group, bin));
        }
        let values = Batch::new(rest[1..].to_vec(), batch.rows()).compacted();
        self.reservation.grow(values.own_bytes() + batch.rows() * size_of::<(u32, i64)>());
        self.values.push(values);
        let bytes = self.reservation.bytes() + self.groups.bytes();
        if self.reservation.exceeds_alone() {
            return Err(self.context.memory.exceeded("make-series", bytes));
        }
        Ok(())
    }

    fn finish(mut self) -> Result<ExecPipeline> {
        let types: Vec<Type> =
            self.plan.input.schema().fields()[self.plan.keys + 1..].iter().map(|field| field.ty).collect();
        let values = Batch::concat(&types, &std::mem::take(&mut self.values))?;
        let order = order_by_group(&self.rows, self.groups.len());
        let values = values.take(&UInt32Array::from(order.clone()))?;
        let bins: Vec<i64> = order.iter().map(|row| self.rows[*row as usize].1).collect();
        let mut groups = self.group_series(&order, &bins)?;
        let mut keys = Batch::new(self.groups.columns(), self.groups.len());
        if groups.is_empty() && self.plan.nonempty {
            let nulls = self.plan.schema.fields().iter().take(self.plan.keys);
            keys = Batch::new(nulls.map(|field| Column::constant(Value::null(field.ty), 1)).collect(), 1);
            groups.push(self.group(0..0, &[])?);
        }
        let axis = AxisText::new(&self.plan.axis, &groups);
        self.reservation.grow(axis.bytes() + groups.len() * size_of::<GroupSeries>());
        let count = groups.len();
        let rows = OrderedRows { keys, groups, bins, values };
        let writer = Arc::new(SeriesWriter::new(self.plan, rows, axis, self.context));
        let partition = |start: usize| {
            let groups = start..count.min(start + GROUPS_PER_PARTITION);
            Arc::new(SeriesPartition::new(Arc::clone(&writer), groups)) as Arc<dyn Partition>
        };
        let partitions = (0..count).step_by(GROUPS_PER_PARTITION).map(partition).collect();
        Ok(ExecPipeline::of(partitions).holding(self.reservation))
    }

    /// Returns the series of each group, given the order of the rows and their bins in that order.
    fn group_series(&self, order: &[u32], bins: &[i64]) -> Result<Vec<GroupSeries>> {
        let mut series = Vec::with_capacity(self.groups.len());
        let mut start = 0;
        for rows in order.chunk_by(|left, right| self.rows[*left as usize].0 == self.rows[*right as usize].0) {
            let range = start..start + rows.len();
            start = range.end;
            series.push(self.group(range.clone(), &bins[range])?);
        }
        Ok(series)
    }

    /// Returns the series of the group with these rows; `bins` are their bins, ascending. An error if it has too many
    /// elements.
    fn group(&self, rows: Range<usize>, bins: &[i64]) -> Result<GroupSeries> {
        let axis = &self.plan.axis;
        let first = axis.first.or(bins.first().copied()).unwrap_or(axis.end.unwrap_or(0));
        let end = axis.end.or(bins.last().map(|last| last.saturating_add(1))).unwrap_or(first).max(first);
        let count = end.saturating_sub(first);
        if count > MAX_ELEMENTS {
            return Err(Error::Limit(format!(
                "make-series: a series would have {count} elements, and {MAX_ELEMENTS} are possible: use a larger step, \
                 or bounds (`from`, `to`)"
            )));
        }
        Ok(GroupSeries { rows, bins: first..end })
    }
}

/// Returns the positions of `rows`, ordered by group and then by bin. A row is a group and the number of a bin.
fn order_by_group(rows: &[(u32, i64)], groups: usize) -> Vec<u32> {
    let mut starts = vec![0_usize; groups + 1];
    rows.iter().for_each(|(group, _)| starts[*group as usize + 1] += 1);
    (0..groups).for_each(|group| starts[group + 1] += starts[group]);
    let mut next = starts.clone();
    let mut order = vec![0_u32; rows.len()];
    for (row, (group, _)) in (0_u32..).zip(rows) {
        let position = &mut next[*group as usize];
        order[*position] = row;
        *position += 1;
    }
    for group in starts.windows(2) {
        order[group[0]..group[1]].sort_unstable_by_key(|row| rows[*row as usize].1);
    }
    order
}

fn off_the_axis() -> Error {
    Error::Limit("make-series: the step is too small for values of this size: use a larger step, or bounds".to_owned())
}
