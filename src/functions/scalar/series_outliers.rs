//! Scores of the outliers of a series: Tukey's fences.
//!
//! The score of a point is its distance beyond one of two percentiles, relative to the distance between these
//! percentiles. The reference describes the steps; the unit of `ctukey` was measured on the engine.

use super::series::{SERIES, SeriesResult, count, elements, map_series, number, reals, report};
use super::series_fill::{MissingValue, NUMBER};
use crate::diagnostic::{Code, Error, Result, Span};
use crate::functions::args::Args;
use crate::functions::docs::{Category, Example};
use crate::functions::signature::{Nulls, Overload, Param, ResultName, Returns};
use crate::functions::{Doubt, ScalarFunction};
use crate::types::{Column, Type, Value};

/// The functions that this file defines.
pub static FUNCTIONS: &[ScalarFunction] = &[ScalarFunction {
    name: "series_outliers",
    summary: "Returns an anomaly score for each point: the signed distance beyond the 10th or 90th percentile, an \
              outlier beyond 1.5, and 0 for missing values.",
    overloads: &[Overload {
        params: &[
            SERIES,
            Param::new("kind", Type::String, "`ctukey` (the default), or `tukey` for the 25th and 75th percentile")
                .optional()
                .constant(),
            Param::of("ignore_val", NUMBER, "the value that stands for a missing one, besides null").optional(),
            Param::of("min_percentile", NUMBER, "10, the lower percentile").optional().constant(),
            Param::of("max_percentile", NUMBER, "90, the upper percentile").optional().constant(),
        ],
        returns: Returns::Type(Type::Dynamic),
        kernel: outliers,
    }],
    examples: &[
        Example::new(
            "series_outliers(dynamic([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]))",
            "[-0.34657570068848936,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.34657570068848936]",
        ),
        Example::new("series_outliers(dynamic([1, 2, 3, 4, null, 9]), 'tukey')", "[-0.5,0.0,0.0,0.0,0.0,2.5]"),
    ],
    category: Category::Series,
    result_name: ResultName::FirstArgument,
    nulls: Nulls::Handled,
    validate: |constants| {
        check_kind(constants, 1)?;
        check_percentile(constants, 3, 10.0)?;
        check_percentile(constants, 4, 90.0)
    },
    ..ScalarFunction::DEFAULT
}];

/// Rejects a constant argument at `index` that is not a kind of fences.
pub(super) fn check_kind(constants: &[Option<&Value>], index: usize) -> Result<()> {
    let Some(Some(value)) = constants.get(index) else { return Ok(()) };
    match value.as_str() {
        Some("ctukey" | "tukey") => Ok(()),
        _ => Err(Error::query(Code::InvalidValue, Span::default(), "the method must be `ctukey` or `tukey`")),
    }
}

/// Rejects a constant percentile at `index` that Kusto rejects, or that is not the default of `ctukey`. The unit of the
/// scores depends on the percentiles, and is known for the defaults only.
#[expect(clippy::float_cmp, reason = "percentiles that a query writes")]
fn check_percentile(constants: &[Option<&Value>], index: usize, default: f64) -> Result<()> {
    let given = constants.get(index).copied().flatten();
    let given = given.and_then(|value| Column::constant(value.clone(), 1).f64_at(0));
    // `tukey` has percentiles of its own.
    let is_relevant = constants.get(1).copied().flatten().and_then(Value::as_str) != Some("tukey");
    match given.filter(|_| is_relevant) {
        Some(percentile) if !(2.0..=98.0).contains(&percentile) => {
            Err(Error::query(Code::InvalidValue, Span::default(), "a percentile must be 2 to 98"))
        }
        Some(percentile) if percentile != default => {
            let message = "only the percentiles 10 and 90 are supported here: the unit of others is not known";
            Err(Error::query(Code::UnsupportedSyntax, Span::default(), message))
        }
        _ => Ok(()),
    }
}

/// The two percentiles, as fractions, beyond which a point has a score.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fence {
    low: f64,
    high: f64,
    /// The score of a point that is as far from its percentile as the percentiles are from each other.
    unit: f64,
}

impl Fence {
    pub const DEFAULT_KIND: &str = "ctukey";

    /// The fences of `ctukey`. The unit was measured: results of the engine for series of 365 and 840 points agree to
    /// the last digit.
    const CUSTOM: Self = Self { low: 0.1, high: 0.9, unit: 2.772_605_605_507_915 };

    /// The fences of `tukey`: an outlier is 1.5 interquartile ranges beyond a quartile.
    const QUARTILES: Self = Self { low: 0.25, high: 0.75, unit: 1.0 };

    pub fn of_kind(kind: &str) -> Self {
        if kind == "tukey" { Self::QUARTILES } else { Self::CUSTOM }
    }

    /// Returns the score of each number; 0 for a missing one. If both percentiles are equal, a number beyond them has
    /// an infinite score.
    pub fn scores(self, numbers: &[Option<f64>]) -> Vec<f64> {
        let mut sorted: Vec<f64> = numbers.iter().copied().flatten().collect();
        sorted.sort_unstable_by(f64::total_cmp);
        if sorted.is_empty() {
            return vec![0.0; numbers.len()];
        }
        let (low, high) = (percentile(&sorted, self.low), percentile(&sorted, self.high));
        let distance = (high - low) / self.unit;
        let score = |number: f64| match if number > high { number - high } else { (number - low).min(0.0) } {
            0.0 => 0.0,
            beyond => beyond / distance,
        };
        numbers.iter().map(|number| number.map_or(0.0, score)).collect()
    }
}

/// Returns the value at the fraction `part` of sorted numbers, linearly interpolated.
fn percentile(sorted: &[f64], part: f64) -> f64 {
    let rank = part * count(sorted.len() - 1);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and the length")]
    let below = rank as usize;
    let above = sorted.get(below + 1).copied().unwrap_or(sorted[below]);
    sorted[below] + (above - sorted[below]) * (rank - count(below))
}

fn outliers(args: &Args<'_>) -> Result<Column> {
    let kind = args.constant(1).and_then(Value::as_str).unwrap_or(Fence::DEFAULT_KIND);
    map_series(args, |row| {
        let Some(elements) = elements(args.column(0), row)? else { return Ok(None) };
        let placeholder = MissingValue::of(args, 2, row);
        let points: SeriesResult<Vec<Option<f64>>> =
            elements.into_iter().map(|element| point(element, &placeholder)).collect();
        let scores = Fence::of_kind(kind).scores(&points?);
        if scores.iter().any(|score| score.is_infinite()) {
            report(args, Doubt::SeriesInfiniteScore, row);
        }
        Ok(Some(reals(scores)))
    })
}

/// Returns the number in an element; None if it is missing.
fn point(element: &str, placeholder: &MissingValue) -> SeriesResult<Option<f64>> {
    if element == "null" || placeholder.matches(element)? {
        return Ok(None);
    }
    number(element).map(Some).ok_or(Doubt::SeriesElements)
}
