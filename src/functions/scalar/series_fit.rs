//! series_stats and series_fit_line: the statistics of a series, and linear regression.
//!
//! Source of the columns: the reference's pages, and results of the engine.

use super::series::{Line, SERIES, SeriesResult, elements, map_series, mean, number, numbers, reals, variance};
use crate::diagnostic::Result;
use crate::functions::args::Args;
use crate::functions::docs::{Category, Example};
use crate::functions::signature::{Overload, Param, ResultName, Returns};
use crate::functions::{Doubt, ScalarFunction};
use crate::types::dynamic::{ArrayWriter, BagWriter};
use crate::types::{Column, Type, Value};

/// The statistics of a series, or of the line fitted to it: names, and values as JSON.
pub(super) type Facts = Vec<(&'static str, String)>;

/// The functions that this file defines.
pub static FUNCTIONS: &[ScalarFunction] = &[
    ScalarFunction {
        name: "series_fit_line",
        summary: "Returns the line that best fits a series, by linear regression.",
        overloads: &[Overload {
            params: &[SERIES],
            returns: Returns::Type(Type::Dynamic),
            kernel: |args| columns(args, |row| of_series(args, row, fit_line), LINE),
        }],
        examples: &[Example::new("series_fit_line(dynamic([1, 3, 4, 8]))", "0.9307692307692308")],
        columns: LINE,
        ..STATISTIC
    },
    ScalarFunction {
        name: "series_fit_line_dynamic",
        summary: "Returns a property bag of the line that best fits a series, by linear regression.",
        overloads: &[Overload {
            params: &[SERIES],
            returns: Returns::Type(Type::Dynamic),
            kernel: |args| bag(args, |row| of_series(args, row, fit_line)),
        }],
        examples: &[Example::new("series_fit_line_dynamic(dynamic([1, 3, 5])).slope", "2.0")],
        ..STATISTIC
    },
    ScalarFunction {
        name: "series_stats",
        summary: "Returns statistics of a series: minimum and maximum with their positions, average, standard \
                  deviation and variance.",
        overloads: &[Overload {
            params: &[SERIES, IGNORE],
            returns: Returns::Type(Type::Dynamic),
            kernel: |args| columns(args, |row| stats(args, row), STATS),
        }],
        examples: &[
            Example::new("series_stats(dynamic([1, 3, 5]))", "1.0"),
            Example::new("series_stats(dynamic([null, 3, 5]), true)", "3.0"),
        ],
        columns: STATS,
        ..STATISTIC
    },
    ScalarFunction {
        name: "series_stats_dynamic",
        summary: "Returns a property bag of statistics of a series: minimum and maximum with their positions, \
                  average, standard deviation, variance, sum and length.",
        overloads: &[Overload {
            params: &[SERIES, IGNORE],
            returns: Returns::Type(Type::Dynamic),
            kernel: |args| bag(args, |row| stats(args, row)),
        }],
        examples: &[Example::new(
            "series_stats_dynamic(dynamic([1, 3, 5]))",
            r#"{"min":1.0,"min_idx":0,"max":5.0,"max_idx":2,"avg":3.0,"stdev":2.0,"variance":4.0,"sum":9.0,"len":3}"#,
        )],
        ..STATISTIC
    },
];

pub(super) const STATISTIC: ScalarFunction =
    ScalarFunction { category: Category::Series, result_name: ResultName::Numbered, ..ScalarFunction::DEFAULT };

const IGNORE: Param = Param::new(
    "ignore_nonfinite",
    Type::Bool,
    "true to ignore elements that are not finite numbers; else they give null",
)
.optional();

const LINE: &[(&str, Type)] = &[
    ("rsquare", Type::Real),
    ("slope", Type::Real),
    ("variance", Type::Real),
    ("rvariance", Type::Real),
    ("interception", Type::Real),
    ("line_fit", Type::Dynamic),
];

const STATS: &[(&str, Type)] = &[
    ("min", Type::Real),
    ("min_idx", Type::Long),
    ("max", Type::Real),
    ("max_idx", Type::Long),
    ("avg", Type::Real),
    ("stdev", Type::Real),
    ("variance", Type::Real),
];

/// Returns for each row the values that `wanted` names, in its order, as an array. The binder splits it into columns.
pub(super) fn columns(
    args: &Args<'_>,
    of: impl Fn(usize) -> SeriesResult<Option<Facts>>,
    wanted: &[(&str, Type)],
) -> Result<Column> {
    map_series(args, |row| {
        let Some(facts) = of(row)? else { return Ok(None) };
        let mut array = ArrayWriter::new();
        for (name, _) in wanted {
            let found = facts.iter().find(|(fact, _)| fact == name);
            array.push_json(found.map_or("null", |(_, json)| json));
        }
        Ok(Some(array.finish()))
    })
}

pub(super) fn bag(args: &Args<'_>, of: impl Fn(usize) -> SeriesResult<Option<Facts>>) -> Result<Column> {
    map_series(args, |row| {
        let Some(facts) = of(row)? else { return Ok(None) };
        let mut bag = BagWriter::new();
        facts.iter().for_each(|(name, json)| bag.push_json(name, json));
        Ok(Some(bag.finish()))
    })
}

/// Calls `of` with the series in `row`; None if the series is null.
pub(super) fn of_series(
    args: &Args<'_>,
    row: usize,
    of: fn(&[f64]) -> SeriesResult<Facts>,
) -> SeriesResult<Option<Facts>> {
    numbers(args.column(0), row)?.map(|series| of(&series)).transpose()
}

pub(super) fn real(number: f64) -> String {
    let mut text = String::new();
    crate::types::dynamic::write_value(&Value::Real(number), &mut text);
    text
}

/// Fits a line to a series. For equal values the line is level, the variance 0, and the quality of the fit null.
fn fit_line(series: &[f64]) -> SeriesResult<Facts> {
    let line = Line::fit(series);
    let spread = variance(series);
    let fit: Vec<f64> = (0..series.len()).map(|index| line.at(index)).collect();
    let left: Vec<f64> = series.iter().zip(&fit).map(|(value, fit)| value - fit).collect();
    let rest = variance(&left);
    Ok(vec![
        ("slope", real(line.slope)),
        // The engine counts the points from 1.
        ("interception", real(line.interception - line.slope)),
        ("rsquare", if spread == 0.0 { "null".to_owned() } else { real(1.0 - rest / spread) }),
        ("variance", real(spread)),
        ("rvariance", real(rest)),
        ("line_fit", reals(fit)),
    ])
}

/// Returns the statistics of the series in `row`. They are null if an element is not a finite number, unless the call
/// ignores such elements. Positions and the length count all elements.
fn stats(args: &Args<'_>, row: usize) -> SeriesResult<Option<Facts>> {
    let Some(elements) = elements(args.column(0), row)? else { return Ok(None) };
    let points: Vec<(usize, f64)> =
        elements.iter().enumerate().filter_map(|(index, element)| Some((index, number(element)?))).collect();
    let ignores = args.columns().get(1).and_then(|column| column.bool_at(row)) == Some(true);
    if points.len() < elements.len() && !ignores {
        return Ok(None);
    }
    let series: Vec<f64> = points.iter().map(|(_, number)| *number).collect();
    // The variance of a single point is undefined.
    if series.len() < 2 {
        return Err(Doubt::SeriesUndefined);
    }
    let first = |better: fn(f64, f64) -> bool| {
        points.iter().fold(points[0], |best, point| if better(point.1, best.1) { *point } else { best })
    };
    let (least, greatest) = (first(|a, b| a < b), first(|a, b| a > b));
    let spread = variance(&series);
    Ok(Some(vec![
        ("min", real(least.1)),
        ("min_idx", least.0.to_string()),
        ("max", real(greatest.1)),
        ("max_idx", greatest.0.to_string()),
        ("avg", real(mean(&series))),
        ("stdev", real(spread.sqrt())),
        ("variance", real(spread)),
        ("sum", real(series.iter().sum())),
        ("len", elements.len().to_string()),
    ]))
}
