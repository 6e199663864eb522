//! What basket, autocluster and diffpatterns share: the weights of rows, and the output of segments as a table.

use crate::types::{Batch, Column, ColumnBuilder, Field, Type, Value};

/// The input of a plugin that finds segments, which are groups of rows with common values.
#[derive(Debug)]
pub struct SegmentInput {
    /// The columns of the input, which are also those of the output.
    pub columns: Vec<Field>,
    /// The column that says how many rows a row represents, if the query names one; segments ignore it.
    pub weight: Option<usize>,
    /// For each column, the value that stands for any value in a segment.
    pub wildcards: Vec<Value>,
}

impl SegmentInput {
    /// Returns the number of rows that `row` represents; 0 if that is null or negative.
    pub(super) fn weight_at(&self, batch: &Batch, row: usize) -> f64 {
        let weight = self.weight.map_or(Some(1.0), |column| batch.column(column).f64_at(row));
        weight.filter(|weight| weight.is_finite() && *weight > 0.0).unwrap_or_default()
    }

    /// Returns the columns whose values segments may share: all but the weight and `other_than`.
    pub(super) fn attributes(&self, other_than: Option<usize>) -> Vec<usize> {
        let is_attribute = |column: &usize| Some(*column) != self.weight && Some(*column) != other_than;
        (0..self.columns.len()).filter(is_attribute).collect()
    }

    /// Returns the output columns for the columns of the input: for each segment what `value` returns, or the wildcard
    /// if that is None.
    pub(super) fn value_columns<S>(&self, segments: &[S], value: impl Fn(&S, usize) -> Option<Value>) -> Vec<Column> {
        let column = |(index, field): (usize, &Field)| {
            let mut builder = ColumnBuilder::new(field.ty);
            for segment in segments {
                builder.append(value(segment, index).as_ref().unwrap_or(&self.wildcards[index]));
            }
            builder.finish()
        };
        self.columns.iter().enumerate().map(column).collect()
    }
}

/// Returns the output columns: `own`, by name and type, and then those of the input.
pub(super) fn with_input<const N: usize>(own: [(&str, Type); N], input: &SegmentInput) -> Vec<Field> {
    own.into_iter().map(|(name, ty)| Field::new(name, ty)).chain(input.columns.iter().cloned()).collect()
}

/// Returns a column with the numbers 0, 1, ... of `segments` segments.
pub(super) fn ids(segments: usize) -> Column {
    let mut builder = ColumnBuilder::new(Type::Long);
    (0..segments).for_each(|id| builder.append_i64(i64::try_from(id).unwrap_or(i64::MAX)));
    builder.finish()
}

/// Returns a column of weights, rounded to numbers of rows.
pub(super) fn counts(weights: impl Iterator<Item = f64>) -> Column {
    let mut builder = ColumnBuilder::new(Type::Long);
    #[expect(clippy::cast_possible_truncation, reason = "a weight is rounded to a number of rows")]
    weights.for_each(|weight| builder.append_i64(weight.round() as i64));
    builder.finish()
}

pub(super) fn reals(values: impl Iterator<Item = f64>) -> Column {
    let mut builder = ColumnBuilder::new(Type::Real);
    values.for_each(|value| builder.append_f64(value));
    builder.finish()
}
