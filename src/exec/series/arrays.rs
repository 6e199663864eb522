//! The output of `make-series`: rows of arrays, which are written only when they are read.

use std::ops::Range;
use std::sync::Arc;

use super::axis_text::AxisText;
use crate::diagnostic::{Error, Result};
use crate::exec::context::ExecContext;
use crate::plan::Series;
use crate::scan::{BatchIterator, Partition};
use crate::types::{Batch, Column, ColumnBuilder, Type, Value, dynamic};

/// The rows and bins of the series of one group.
#[derive(Debug)]
pub(super) struct GroupSeries {
    /// The rows of the group, ordered by bin.
    pub rows: Range<usize>,
    /// The numbers of the bins that the arrays of the group cover.
    pub bins: Range<i64>,
}

/// The rows of all groups, ordered by group and then by bin.
#[derive(Debug)]
pub(super) struct OrderedRows {
    /// The keys of each group.
    pub keys: Batch,
    /// The series of each group.
    pub groups: Vec<GroupSeries>,
    /// The number of the bin of each row.
    pub bins: Vec<i64>,
    /// The values of each row, a column for each array.
    pub values: Batch,
}

/// Writes the rows of all groups as arrays.
#[derive(Debug)]
pub(super) struct SeriesWriter {
    rows: OrderedRows,
    /// For each array, a comma and the JSON of the element for a bin without a row.
    gaps: Vec<String>,
    axis: AxisText,
    /// The array of the axis, if all groups have the same axis; otherwise None.
    shared_axis: Option<Value>,
    /// Maximum number of bytes of an output batch.
    batch_bytes: usize,
    /// Maximum number of bytes of an array.
    value_bytes: usize,
}

impl SeriesWriter {
    /// Prepares the arrays of `rows`; bins without a row get the defaults of `plan`.
    pub fn new(plan: &Series, rows: OrderedRows, axis: AxisText, context: &ExecContext) -> Self {
        let gap = |default: &Value| {
            let mut json = ",".to_owned();
            dynamic::write_value(default, &mut json);
            json
        };
        let is_shared = rows.groups.windows(2).all(|pair| pair[0].bins == pair[1].bins);
        let shared_axis = rows.groups.first().filter(|_| is_shared).map(|group| {
            let mut json = String::new();
            axis.write(&group.bins, &mut json);
            Value::dynamic(json)
        });
        Self {
            rows,
            gaps: plan.defaults.iter().map(gap).collect(),
            axis,
            shared_axis,
            batch_bytes: context.memory.batch_bytes(),
            value_bytes: context.memory.value_bytes(),
        }
    }

    /// Appends the JSON of one array of a group to `out`; `value` is the position of its column.
    fn write(&self, value: usize, group: &GroupSeries, out: &mut String) {
        let (column, gap) = (self.rows.values.column(value), &self.gaps[value]);
        let bins = &self.rows.bins;
        let start = out.len();
        let mut next = group.bins.start;
        let fill = |empty: Range<i64>, out: &mut String| empty.for_each(|_| out.push_str(gap));
        for row in group.rows.clone() {
            // A real that is less than the end by no more than rounding is in the bin that starts at the end.
            if !(next..group.bins.end).contains(&bins[row]) {
                continue;
            }
            fill(next..bins[row], out);
            out.push(',');
            dynamic::write_row(column, row, out);
            next = bins[row] + 1;
        }
        fill(next..group.bins.end, out);
        match out.len() == start {
            true => out.push('['),
            false => out.replace_range(start..=start, "["),
        }
        out.push(']');
    }

    /// Returns a batch of the first groups in `range`, as many as fit, and the groups that are left.
    fn batch(&self, range: Range<usize>) -> Result<(Batch, Range<usize>)> {
        let mut builders: Vec<ColumnBuilder> = self.gaps.iter().map(|_| ColumnBuilder::new(Type::Dynamic)).collect();
        let mut axis = ColumnBuilder::new(Type::Dynamic);
        let (mut bytes, mut end, mut json) = (0, range.start, String::new());
        while end < range.end && (end == range.start || bytes < self.batch_bytes) {
            let group = &self.rows.groups[end];
            let mut append = |builder: &mut ColumnBuilder, write: &dyn Fn(&mut String)| {
                json.clear();
                write(&mut json);
                bytes += json.len();
                builder.append_text(&json);
                if json.len() > self.value_bytes { Err(self.too_long(json.len())) } else { Ok(()) }
            };
            for (value, builder) in builders.iter_mut().enumerate() {
                append(builder, &|json| self.write(value, group, json))?;
            }
            if self.shared_axis.is_none() {
                append(&mut axis, &|json| self.axis.write(&group.bins, json))?;
            }
            end += 1;
        }
        let rows = end - range.start;
        let mut columns = self.rows.keys.slice(range.start, rows).columns().to_vec();
        columns.extend(builders.iter_mut().map(ColumnBuilder::finish));
        columns.push(match &self.shared_axis {
            Some(json) => Column::constant(json.clone(), rows),
            None => axis.finish(),
        });
        Ok((Batch::new(columns, rows), end..range.end))
    }

    fn too_long(&self, bytes: usize) -> Error {
        let limit = self.value_bytes >> 20;
        Error::Limit(format!(
            "make-series: an array takes {} MiB, and with this --max-memory a value may take {limit} MiB: raise it, or \
             use a larger step",
            bytes.div_ceil(1 << 20)
        ))
    }
}

/// A partition of the output: the series of some of the groups.
#[derive(Debug)]
pub(super) struct SeriesPartition {
    writer: Arc<SeriesWriter>,
    groups: Range<usize>,
}

impl SeriesPartition {
    /// Returns the partition of `groups`.
    pub fn new(writer: Arc<SeriesWriter>, groups: Range<usize>) -> Self {
        Self { writer, groups }
    }
}

impl Partition for SeriesPartition {
    fn read(&self) -> Result<BatchIterator<'_>> {
        let mut left = self.groups.clone();
        Ok(Box::new(std::iter::from_fn(move || {
            if left.is_empty() {
                return None;
            }
            let batch = self.writer.batch(left.clone());
            Some(batch.map(|(batch, rest)| {
                left = rest;
                batch
            }))
        })))
    }
}
