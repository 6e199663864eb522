//! Shared code of series functions: reading and writing arrays of numbers.
//!
//! The reference says of null elements that only `series_outliers` supports them. Other functions return null for such
//! a series, and the run reports it.

use super::array_elements::array_of;
use crate::diagnostic::{Code, Error, Result, Span};
use crate::functions::args::Args;
use crate::functions::signature::Param;
use crate::functions::{Doubt, ResultValue};
use crate::types::dynamic::ArrayWriter;
use crate::types::{Column, Type, Value};

/// The parameter that takes a series.
pub(super) const SERIES: Param = Param::new("series", Type::Dynamic, "an array of numbers");

/// A result for one series, or why there is none.
pub(super) type SeriesResult<T> = std::result::Result<T, Doubt>;

/// Computes `row -> T` for each row. If there is no result, the row is null, and the run reports the series.
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

/// Reports the first series in `row`.
pub(super) fn report(args: &Args<'_>, doubt: Doubt, row: usize) {
    let series = args.columns().iter().find(|column| column.ty() == Type::Dynamic);
    args.context().doubts().add(doubt, series.and_then(|series| series.text_at(row)).unwrap_or(""));
}

/// The series in `row`, which has at least one point; None if it is null.
pub(super) fn numbers(column: &Column, row: usize) -> SeriesResult<Option<Vec<f64>>> {
    let Some(elements) = elements(column, row)? else { return Ok(None) };
    let series = elements.into_iter().map(number).collect::<Option<Vec<_>>>().ok_or(Doubt::SeriesElements)?;
    if series.is_empty() { Err(Doubt::SeriesUndefined) } else { Ok(Some(series)) }
}

/// The elements of the series in `row`, of any kind; None if it is null.
pub(super) fn elements(column: &Column, row: usize) -> SeriesResult<Option<Vec<&str>>> {
    match column.text_at(row) {
        None | Some("null") => Ok(None),
        Some(_) => array_of(column, row).map(Some).ok_or(Doubt::SeriesElements),
    }
}

/// The number in an element, if it is a finite one.
pub(super) fn number(element: &str) -> Option<f64> {
    let is_number = element.starts_with(|first: char| first == '-' || first.is_ascii_digit());
    element.parse::<f64>().ok().filter(|number| is_number && number.is_finite())
}

/// The real in an element: dynamics hold those that are not finite by their names.
pub(super) fn real_in(element: &str) -> Option<f64> {
    match element {
        "\"NaN\"" => Some(f64::NAN),
        "\"Infinity\"" => Some(f64::INFINITY),
        "\"-Infinity\"" => Some(f64::NEG_INFINITY),
        _ => number(element),
    }
}

/// The error of an argument that is wrong for every row.
pub(super) fn invalid(message: impl Into<String>) -> Error {
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
