//! Columns as native values, and row-wise comparisons of them.
//!
//! Arrow's comparison kernels use a total order of reals (NaN equals itself, -0.0 is less than 0.0); KQL compares them
//! as IEEE 754 does, so these loops replace the kernels.

use std::borrow::Cow;

use arrow::array::{Array, AsArray};
use arrow::buffer::{BooleanBuffer, ScalarBuffer};
use arrow::datatypes::{Float64Type, Int32Type, Int64Type};

use crate::types::{Column, Decimal, Type, Value, decimal, number};

/// The values of a column: one per row, or one for all rows. The values of null rows are undefined.
#[derive(Debug)]
pub(crate) struct Operand<'a, T: Clone> {
    values: Cow<'a, [T]>,
    constant: bool,
}

impl<'a, T: Copy> Operand<'a, T> {
    fn constant(value: T) -> Self {
        Self { values: Cow::Owned(vec![value]), constant: true }
    }

    fn owned(values: Vec<T>) -> Self {
        Self { values: Cow::Owned(values), constant: false }
    }

    fn borrowed(values: &'a [T]) -> Self {
        Self { values: Cow::Borrowed(values), constant: false }
    }

    /// Returns the value of `row`.
    pub(crate) fn get(&self, row: usize) -> T {
        if self.constant { self.values[0] } else { self.values[row] }
    }

    /// Returns the results of `of` for the values of this operand and `other`, row by row.
    pub(crate) fn combine(&self, other: &Self, rows: usize, of: impl Fn(T, T) -> T) -> Vec<T> {
        let (a, b) = (&self.values[..], &other.values[..]);
        match (self.constant, other.constant) {
            (false, false) => a.iter().zip(b).map(|(&a, &b)| of(a, b)).collect(),
            (false, true) => a.iter().map(|&a| of(a, b[0])).collect(),
            (true, false) => b.iter().map(|&b| of(a[0], b)).collect(),
            (true, true) => vec![of(a[0], b[0]); rows],
        }
    }

    /// Marks the rows in which `holds` is true for this operand and `other`.
    pub(crate) fn pairwise(&self, other: &Self, rows: usize, holds: impl Fn(T, T) -> bool) -> BooleanBuffer {
        let (a, b) = (&self.values[..], &other.values[..]);
        match (self.constant, other.constant) {
            (false, false) => BooleanBuffer::collect_bool(rows, |row| holds(a[row], b[row])),
            (false, true) => {
                let b = b[0];
                BooleanBuffer::collect_bool(rows, |row| holds(a[row], b))
            }
            (true, false) => {
                let a = a[0];
                BooleanBuffer::collect_bool(rows, |row| holds(a, b[row]))
            }
            (true, true) => BooleanBuffer::collect_bool(rows, |_| holds(a[0], b[0])),
        }
    }
}

/// Returns a bool (as 0 or 1), int, long, datetime or timespan column as 64-bit numbers.
pub(crate) fn integers(column: &Column) -> Operand<'_, i64> {
    let Some(array) = column.as_array() else {
        return Operand::constant(column.as_constant().and_then(integer).unwrap_or(0));
    };
    match column.ty() {
        Type::Bool => Operand::owned(array.as_boolean().values().iter().map(i64::from).collect()),
        Type::Int => Operand::owned(ints(array).iter().map(|&n| i64::from(n)).collect()),
        _ => Operand::borrowed(array.as_primitive::<Int64Type>().values()),
    }
}

fn ints(array: &dyn Array) -> &ScalarBuffer<i32> {
    array.as_primitive::<Int32Type>().values()
}

fn integer(value: &Value) -> Option<i64> {
    match value {
        Value::Bool(truth) => Some(i64::from(*truth)),
        Value::Datetime(ticks) | Value::Timespan(ticks) => Some(*ticks),
        other => other.as_i64(),
    }
}

/// Returns a bool or numeric column as doubles.
pub(crate) fn reals(column: &Column) -> Operand<'_, f64> {
    match (column.ty(), column.as_array()) {
        (Type::Real, Some(array)) => Operand::borrowed(array.as_primitive::<Float64Type>().values()),
        (Type::Real, None) => Operand::constant(column.f64_at(0).unwrap_or(0.0)),
        (Type::Decimal, _) => decimals(column).map(decimal::to_real),
        _ => integers(column).map(number::long_to_real),
    }
}

/// Returns a bool, int, long or decimal column as decimals.
pub(crate) fn decimals(column: &Column) -> Operand<'_, Decimal> {
    match (column.ty(), column.as_constant()) {
        (Type::Decimal, Some(Value::Decimal(value))) => Operand::constant(*value),
        (Type::Decimal, Some(_)) => Operand::constant(Decimal::ZERO),
        (Type::Decimal, None) => {
            let value = |row| column.bytes_at(row).map_or(Decimal::ZERO, Decimal::deserialize);
            Operand::owned((0..column.rows()).map(value).collect())
        }
        _ => integers(column).map(Decimal::from),
    }
}

impl<T: Copy> Operand<'_, T> {
    fn map<U: Copy>(&self, of: impl Fn(T) -> U) -> Operand<'static, U> {
        Operand { values: self.values.iter().map(|&value| of(value)).collect(), constant: self.constant }
    }
}

/// Marks the rows of `column` that are not null; None if no row is null.
pub(crate) fn valid_rows(column: &Column, rows: usize) -> Option<BooleanBuffer> {
    match (column.as_array(), column.as_constant()) {
        (Some(array), _) => array.nulls().map(|nulls| nulls.inner().clone()),
        (None, Some(value)) => value.is_null().then(|| BooleanBuffer::new_unset(rows)),
        (None, None) => None,
    }
}
