//! The node of `make-series`: the bins of each group become arrays, which have an element for each bin of an axis.

use super::LogicalPlan;
use crate::types::{Column, Schema, Type, Value};

/// Maximum number of elements of a series. Source: the reference's page on the make-series operator.
pub const MAX_ELEMENTS: i64 = 1 << 20;

/// Returns one row for each group of rows with equal keys, in the order of first appearance: the keys, an array for
/// each value, and the array of the axis.
#[derive(Clone, Debug)]
pub struct Series {
    /// The plan that returns a row for each group and bin: the keys, the start of the bin, and the values. No two rows
    /// have the same keys and bin, and no bin is null.
    pub input: Box<LogicalPlan>,
    /// The number of keys.
    pub keys: usize,
    /// The axis, which determines the bins of the arrays.
    pub axis: Axis,
    /// For each value, the element of a bin for which the input has no row.
    pub defaults: Vec<Value>,
    /// True if the output has one row, with nulls as keys, even if the input has no rows.
    pub nonempty: bool,
    /// The output columns.
    pub schema: Schema,
}

/// The axis of series. Its bins are numbered: bin 0 starts at the origin, and each bin is one step long.
#[derive(Clone, Debug, PartialEq)]
pub struct Axis {
    /// The type of the bins: long, real, datetime or timespan.
    pub ty: Type,
    /// The origin and the step.
    pub scale: AxisScale,
    /// The number of the first bin; None if each group begins with its own first bin.
    pub first: Option<i64>,
    /// The number after that of the last bin; None if each group ends with its own last bin.
    pub end: Option<i64>,
}

/// The start of bin 0, and the length of every bin, which is positive.
#[derive(Clone, Copy, Debug, PartialEq)]
#[expect(missing_docs, reason = "the fields are described above")]
pub enum AxisScale {
    /// The origin and step as longs or ticks.
    Whole { origin: i64, step: i64 },
    /// The origin and step as reals.
    Real { origin: f64, step: f64 },
}

impl AxisScale {
    /// Creates a scale; None if the step is not positive or a value is null or not a number.
    #[must_use]
    pub fn new(origin: &Value, step: &Value) -> Option<Self> {
        if let (Value::Real(origin), Value::Real(step)) = (origin, step) {
            let is_scale = origin.is_finite() && step.is_finite() && *step > 0.0;
            return is_scale.then_some(Self::Real { origin: *origin, step: *step });
        }
        let (origin, step) = (whole(origin)?, whole(step)?);
        (step > 0).then_some(Self::Whole { origin, step })
    }

    /// Returns the number of the last bin that starts at or before `value`; None if `value` is not on the scale.
    #[must_use]
    pub fn floor(self, value: &Value) -> Option<i64> {
        match (self, value) {
            (Self::Real { origin, step }, Value::Real(value)) => number(((value - origin) / step).floor()),
            (Self::Whole { origin, step }, value) => {
                let distance = i128::from(whole(value)?) - i128::from(origin);
                i64::try_from(distance.div_euclid(i128::from(step))).ok()
            }
            (Self::Real { .. }, _) => None,
        }
    }

    /// Returns the number of the first bin that starts at or after `value`; None if `value` is not on the scale.
    #[must_use]
    pub fn ceiling(self, value: &Value) -> Option<i64> {
        match (self, value) {
            (Self::Real { origin, step }, Value::Real(value)) => number(((value - origin) / step).ceil()),
            (Self::Whole { origin, step }, value) => {
                let distance = i128::from(whole(value)?) - i128::from(origin);
                i64::try_from(-(-distance).div_euclid(i128::from(step))).ok()
            }
            (Self::Real { .. }, _) => None,
        }
    }

    /// Returns the number of the bin that starts at row `row` of `starts`; None if that is null or not on the scale.
    #[must_use]
    pub fn bin_at(self, starts: &Column, row: usize) -> Option<i64> {
        match self {
            Self::Whole { origin, step } => {
                let distance = i128::from(starts.i64_at(row)?) - i128::from(origin);
                i64::try_from(distance.div_euclid(i128::from(step))).ok()
            }
            Self::Real { origin, step } => number(((starts.f64_at(row)? - origin) / step).round()),
        }
    }
}

impl Axis {
    /// Returns the start of the bin with this number.
    #[must_use]
    pub fn start_of(&self, bin: i64) -> Value {
        match (self.scale, self.ty) {
            #[expect(clippy::cast_precision_loss, reason = "bins of reals have numbers that reals hold exactly")]
            (AxisScale::Real { origin, step }, _) => Value::Real(origin + bin as f64 * step),
            (AxisScale::Whole { origin, step }, Type::Datetime) => Value::Datetime(start(origin, step, bin)),
            (AxisScale::Whole { origin, step }, Type::Timespan) => Value::Timespan(start(origin, step, bin)),
            (AxisScale::Whole { origin, step }, _) => Value::Long(start(origin, step, bin)),
        }
    }
}

fn start(origin: i64, step: i64, bin: i64) -> i64 {
    origin.saturating_add(bin.saturating_mul(step))
}

/// Returns a whole number, or the ticks of a time; None for any other value.
fn whole(value: &Value) -> Option<i64> {
    match value {
        Value::Datetime(ticks) | Value::Timespan(ticks) => Some(*ticks),
        other => other.as_i64(),
    }
}

/// Converts the number of a bin from a real; None if reals cannot represent all whole numbers of that size.
fn number(value: f64) -> Option<i64> {
    const MAX_EXACT: f64 = 9_007_199_254_740_992.0;
    #[expect(clippy::cast_possible_truncation, reason = "whole numbers within the limit are converted exactly")]
    (value.abs() <= MAX_EXACT).then_some(value as i64)
}

#[cfg(test)]
mod tests {
    use super::{Axis, AxisScale};
    use crate::types::{Type, Value};

    #[test]
    fn bins_are_numbered_from_the_origin() {
        let scale = AxisScale::new(&Value::Long(-3), &Value::Long(5)).expect("a scale");
        let numbers = |value| (scale.floor(&Value::Long(value)), scale.ceiling(&Value::Long(value)));
        assert_eq!(numbers(-3), (Some(0), Some(0)));
        assert_eq!(numbers(-4), (Some(-1), Some(0)));
        assert_eq!(numbers(1), (Some(0), Some(1)));
        assert_eq!(numbers(2), (Some(1), Some(1)));
        let axis = Axis { ty: Type::Long, scale, first: None, end: None };
        assert_eq!(axis.start_of(-1), Value::Long(-8));
    }

    #[test]
    fn scales_need_a_positive_step_and_numbers() {
        for step in [Value::Long(0), Value::Long(-1), Value::Null(Type::Long), Value::Timespan(0)] {
            assert_eq!(AxisScale::new(&Value::Long(0), &step), None);
        }
        for step in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert_eq!(AxisScale::new(&Value::Real(0.0), &Value::Real(step)), None);
        }
        let scale = AxisScale::new(&Value::Real(0.0), &Value::Real(1e-300)).expect("a scale");
        assert_eq!(scale.floor(&Value::Real(1.0)), None);
    }
}
