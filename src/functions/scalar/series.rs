//! Shared code of series functions: reading and writing arrays of numbers.
//!
//! The reference says that only `series_outliers` supports null elements. Other functions return null for a series with
//! a null, and the run reports it.

use super::array_elements::array_of;
use crate::diagnostic::{Code, Error, Result, Span};
use crate::functions::args::Args;
use crate::functions::signature::Param;
use crate::functions::{Doubt, ResultValue};
use crate::types::dynamic::ArrayWriter;
use crate::types::{Column, Type, Value};

/// The parameter that takes a series.
pub(super) const SERIES: Param = Param::new("series", Type::Dynamic, "an array of numbers");

/// The result for one series, or the reason why there is none.
pub(super) type SeriesResult<T> = std::result::Result<T, Doubt>;

/// Calls `of` for each row. If there is no result, the row is null, and the run reports the series.
pub(super) fn map_series<T: ResultValue>(
    args: &Args<'_>,
    of: impl Fn(usize) -> SeriesResult<Option<T>>,
) -> Result<Column> {
    args.try_map(|row| {
        Ok(of(row).unwrap_or_else(|doubt| {
            report(args, doubt, row);
            None
        }))
    })
}

/// Reports the first series in `row` as a value without a certain result.
pub(super) fn report(args: &Args<'_>, doubt: Doubt, row: usize) {
    let series = args.columns().iter().find(|column| column.ty() == Type::Dynamic);
    args.context().doubts().add(doubt, series.and_then(|series| series.text_at(row)).unwrap_or(""));
}

/// Returns the points of the series in `row`, at least one; None if the series is null.
pub(super) fn numbers(column: &Column, row: usize) -> SeriesResult<Option<Vec<f64>>> {
    let Some(elements) = elements(column, row)? else { return Ok(None) };
    let series = elements.into_iter().map(number).collect::<Option<Vec<_>>>().ok_or(Doubt::SeriesElements)?;
    if series.is_empty() { Err(Doubt::SeriesUndefined) } else { Ok(Some(series)) }
}

/// Returns the elements of the series in `row`, which need not be numbers; None if the series is null.
pub(super) fn elements(column: &Column, row: usize) -> SeriesResult<Option<Vec<&str>>> {
    match column.text_at(row) {
        None | Some("null") => Ok(None),
        Some(_) => array_of(column, row).map(Some).ok_or(Doubt::SeriesElements),
    }
}

/// Returns the number in an element; None if it is not a finite number.
pub(super) fn number(element: &str) -> Option<f64> {
    let is_number = element.starts_with(|first: char| first == '-' || first.is_ascii_digit());
    element.parse::<f64>().ok().filter(|number| is_number && number.is_finite())
}

/// Returns the real in an element, which may be infinite or NaN: in a dynamic, these are strings.
pub(super) fn real_in(element: &str) -> Option<f64> {
    match element {
        "\"NaN\"" => Some(f64::NAN),
        "\"Infinity\"" => Some(f64::INFINITY),
        "\"-Infinity\"" => Some(f64::NEG_INFINITY),
        _ => number(element),
    }
}

/// Returns the error for an argument that is wrong for every row.
pub(super) fn invalid(message: impl Into<String>) -> Error {
    Error::query(Code::ValueOutOfRange, Span::default(), message)
}

/// Returns a JSON array of reals.
pub(super) fn reals(series: impl IntoIterator<Item = f64>) -> String {
    let mut array = ArrayWriter::new();
    series.into_iter().for_each(|number| array.push(&Value::Real(number)));
    array.finish()
}

/// Returns the mean of a series; the points are summed from the first to the last.
pub(super) fn mean(series: &[f64]) -> f64 {
    series.iter().sum::<f64>() / count(series.len())
}

/// Converts a length or position to a real.
#[expect(clippy::cast_precision_loss, reason = "series are far shorter than 2^53")]
pub(super) fn count(length: usize) -> f64 {
    length as f64
}

/// The best-fitting line of a series, by least squares.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line {
    /// The difference of the line between one point and the next.
    pub slope: f64,
    /// The value of the line at the first point.
    pub interception: f64,
}

impl Line {
    /// Fits a line to at least one point. For equal values it is level.
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

    /// Returns the value of the line at a point.
    pub fn at(self, index: usize) -> f64 {
        self.interception + self.slope * count(index)
    }
}

/// True if all values of a series are equal.
#[expect(clippy::float_cmp, reason = "equal values, not close ones")]
fn is_level(series: &[f64]) -> bool {
    series.iter().all(|value| *value == series[0])
}

/// Returns the sample variance of at least one number; 0 if all are equal.
pub(super) fn variance(series: &[f64]) -> f64 {
    if is_level(series) {
        return 0.0;
    }
    let average = mean(series);
    series.iter().map(|value| (value - average) * (value - average)).sum::<f64>() / count(series.len() - 1)
}
