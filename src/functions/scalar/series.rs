//! Shared code of series functions: reading and writing arrays of numbers.

use super::array_elements::array_of;
use crate::diagnostic::{Code, Error, Result, Span};
use crate::functions::signature::Param;
use crate::types::dynamic::ArrayWriter;
use crate::types::{Column, Type, Value};

/// The parameter that takes a series.
pub(super) const SERIES: Param = Param::new("series", Type::Dynamic, "an array of numbers");

/// The series in `row`; None if it is null.
///
/// # Errors
/// Anything but an array of finite numbers: the result of the engine is not known.
pub(super) fn numbers(column: &Column, row: usize) -> Result<Option<Vec<f64>>> {
    let Some(json) = column.text_at(row).filter(|json| *json != "null") else { return Ok(None) };
    let series =
        array_of(column, row).and_then(|elements| elements.into_iter().map(number).collect::<Option<Vec<_>>>());
    match series {
        Some(series) if !series.is_empty() => Ok(Some(series)),
        _ => {
            let shown: String = json.chars().take(40).collect();
            Err(unknown(format!("a series that is not an array of numbers is not supported here: {shown}")))
        }
    }
}

/// The number in an element, if it is one.
pub(super) fn number(element: &str) -> Option<f64> {
    let is_number = element.starts_with(|first: char| first == '-' || first.is_ascii_digit());
    element.parse::<f64>().ok().filter(|number| is_number && number.is_finite())
}

/// The error of a value for which the engine's result is not known.
pub(super) fn unknown(message: impl Into<String>) -> Error {
    Error::query(Code::ValueOutOfRange, Span::default(), message)
}

/// An array of reals.
pub(super) fn reals(series: impl IntoIterator<Item = f64>) -> String {
    let mut array = ArrayWriter::new();
    series.into_iter().for_each(|number| array.push(&Value::Real(number)));
    array.finish()
}

/// The sum, from the first to the last.
pub(super) fn mean(series: &[f64]) -> f64 {
    series.iter().sum::<f64>() / count(series.len())
}

/// A length or position as a real.
#[expect(clippy::cast_precision_loss, reason = "series are far shorter than 2^53")]
pub(super) fn count(length: usize) -> f64 {
    length as f64
}

/// The best-fitting line of a series, by least squares.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line {
    /// The slope per point.
    pub slope: f64,
    /// The value at the first point.
    pub interception: f64,
}

impl Line {
    /// The line of at least one point. Equal values have a level line.
    pub fn fit(series: &[f64]) -> Self {
        if is_level(series) {
            return Self { slope: 0.0, interception: series[0] };
        }
        let middle = count(series.len() - 1) / 2.0;
        let average = mean(series);
        let (mut squares, mut products) = (0.0, 0.0);
        for (index, value) in series.iter().enumerate() {
            let distance = count(index) - middle;
            squares += distance * distance;
            products += distance * (value - average);
        }
        let slope = products / squares;
        Self { slope, interception: average - slope * middle }
    }

    /// The value at a point.
    pub fn at(self, index: usize) -> f64 {
        self.interception + self.slope * count(index)
    }
}

/// True if all values are equal.
#[expect(clippy::float_cmp, reason = "equal values, not close ones")]
fn is_level(series: &[f64]) -> bool {
    series.iter().all(|value| *value == series[0])
}

/// The sample variance of at least one number; 0 if all are equal.
pub(super) fn variance(series: &[f64]) -> f64 {
    if is_level(series) {
        return 0.0;
    }
    let average = mean(series);
    series.iter().map(|value| (value - average) * (value - average)).sum::<f64>() / count(series.len() - 1)
}
