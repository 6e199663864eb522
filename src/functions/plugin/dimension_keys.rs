//! Assigns numbers to rows by the values of some of their columns.

use std::collections::HashMap;
use std::fmt::Write as _;

use crate::types::{Batch, Column, ColumnBuilder, Field, Value, dynamic};

/// The distinct combinations of values of some columns, numbered in order of appearance.
#[derive(Debug, Default)]
pub struct DimensionKeys {
    numbers: HashMap<String, usize>,
    /// The values of each combination; the index in the list is the number of the combination.
    values: Vec<Vec<Value>>,
}

impl DimensionKeys {
    /// Returns the number of the combination of values that `row` has in `columns`; a new one gets the next number.
    pub fn number(&mut self, batch: &Batch, columns: &[usize], row: usize) -> usize {
        let mut key = String::new();
        for column in columns {
            dynamic::write_row(batch.column(*column), row, &mut key);
            let _ = key.write_char(',');
        }
        let next = self.values.len();
        let number = *self.numbers.entry(key).or_insert(next);
        if number == next {
            self.values.push(columns.iter().map(|column| batch.column(*column).value(row)).collect());
        }
        number
    }

    /// Returns the number of combinations.
    #[must_use]
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// True if there is no combination.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Returns the values of the combination `number`.
    #[must_use]
    pub fn values(&self, number: usize) -> &[Value] {
        &self.values[number]
    }

    /// Returns columns of `fields` with a row for each of `numbers`: the values of that combination.
    pub fn columns(&self, fields: &[Field], numbers: impl Iterator<Item = usize> + Clone) -> Vec<Column> {
        let column = |(index, field): (usize, &Field)| {
            let mut builder = ColumnBuilder::new(field.ty);
            numbers.clone().for_each(|number| builder.append(&self.values[number][index]));
            builder.finish()
        };
        fields.iter().enumerate().map(column).collect()
    }
}
