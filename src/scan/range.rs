//! The operator `range`: evenly spaced values, which are generated while they are read.
//!
//! Source: the KQL reference, range operator. The values go from the first one in steps to the last one, which is
//! included if a step reaches it exactly.

use std::sync::Arc;

use super::memory::select;
use super::{BatchIterator, Partition, ScanRequest, TableProvider};
use crate::diagnostic::Result;
use crate::types::{Batch, ColumnBuilder, Field, Schema, Type, Value};

/// A table with one column of evenly spaced values.
#[derive(Clone, Debug)]
pub struct RangeTable {
    schema: Schema,
    values: RangeValues,
}

#[derive(Clone, Copy, Debug)]
enum RangeValues {
    Whole { from: i64, step: i64, rows: u64 },
    Real { from: f64, step: f64, rows: u64 },
}

impl RangeTable {
    /// Creates the table of the values `from`, `from + step`, ... up to `to`. The error tells which types cannot be
    /// combined.
    pub fn new(name: &str, from: &Value, to: &Value, step: &Value) -> Result<Self, String> {
        let ints = [from, to, step].iter().all(|value| value.ty() == Type::Int);
        let integer = if ints { Type::Int } else { Type::Long };
        let (ty, values) = match (from, to, step) {
            (Value::Datetime(from), Value::Datetime(to), Value::Timespan(step)) => {
                (Type::Datetime, whole(*from, *to, *step))
            }
            (Value::Timespan(from), Value::Timespan(to), Value::Timespan(step)) => {
                (Type::Timespan, whole(*from, *to, *step))
            }
            (from, to, step) => match (from.as_i64(), to.as_i64(), step.as_i64()) {
                (Some(from), Some(to), Some(step)) => (integer, whole(from, to, step)),
                _ => (Type::Real, reals(from, to, step)?),
            },
        };
        Ok(Self { schema: Schema::new([Field::new(name, ty)]), values })
    }
}

fn whole(from: i64, to: i64, step: i64) -> RangeValues {
    let distance = if step >= 0 { i128::from(to) - i128::from(from) } else { i128::from(from) - i128::from(to) };
    let size = i128::from(step).abs();
    let rows = if distance < 0 || size == 0 { 0 } else { distance / size + 1 };
    RangeValues::Whole { from, step, rows: u64::try_from(rows).unwrap_or(u64::MAX) }
}

fn reals(from: &Value, to: &Value, step: &Value) -> Result<RangeValues, String> {
    #[expect(clippy::cast_precision_loss, reason = "KQL widens long to real this way")]
    let real = |value: &Value| match value {
        Value::Real(number) => Some(*number),
        other => other.as_i64().map(|number| number as f64),
    };
    let (Some(from), Some(to), Some(step)) = (real(from), real(to), real(step)) else {
        return Err(format!(
            "range takes numbers, or datetimes with a timespan as the step; it cannot go from {} to {} by {}",
            from.ty(),
            to.ty(),
            step.ty()
        ));
    };
    let steps = ((to - from) / step).floor();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "too many become the most there can be"
    )]
    let rows = if steps >= 0.0 { (steps as u64).saturating_add(1) } else { 0 };
    Ok(RangeValues::Real { from, step, rows })
}

impl RangeValues {
    fn rows(self) -> u64 {
        match self {
            Self::Whole { rows, .. } | Self::Real { rows, .. } => rows,
        }
    }

    fn append(self, row: u64, builder: &mut ColumnBuilder) {
        match self {
            // Within the bounds by construction: `row` is less than the number of rows.
            Self::Whole { from, step, .. } => {
                let value = i128::from(from) + i128::from(step) * i128::from(row);
                builder.append_i64(i64::try_from(value).unwrap_or(i64::MAX));
            }
            #[expect(clippy::cast_precision_loss, reason = "positions stay far below 2^53")]
            Self::Real { from, step, .. } => builder.append_f64(from + step * row as f64),
        }
    }
}

impl TableProvider for RangeTable {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn scan(&self, request: &ScanRequest) -> Result<Vec<Arc<dyn Partition>>> {
        Ok(vec![Arc::new(RangePartition { table: self.clone(), request: request.clone() })])
    }

    fn is_in_memory(&self) -> bool {
        true
    }

    fn describe(&self) -> String {
        format!("range ({} rows)", self.values.rows())
    }
}

#[derive(Debug)]
struct RangePartition {
    table: RangeTable,
    request: ScanRequest,
}

impl Partition for RangePartition {
    fn read(&self) -> Result<BatchIterator<'_>> {
        let rows = self.table.values.rows();
        let step = self.request.batch_rows.max(1);
        let starts = (0..rows).step_by(step);
        Ok(Box::new(starts.map(move |start| {
            let end = rows.min(start.saturating_add(step as u64));
            let mut builder = ColumnBuilder::new(self.table.schema.field(0).ty);
            (start..end).for_each(|row| self.table.values.append(row, &mut builder));
            let column = builder.finish();
            let whole = Batch::new(vec![column.clone()], column.rows());
            let kept = match &self.request.filter {
                Some(filter) => whole.filter(&filter.evaluate(&select(&whole, filter.columns())?)?)?,
                None => whole,
            };
            select(&kept, &self.request.columns)
        })))
    }
}
