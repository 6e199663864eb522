//! The two lines that best fit a series: segmented linear regression.
//!
//! Source: the reference's page on `series_fit_2lines`, and results of the engine. The line of each segment is the one
//! that `series_fit_line` finds for its points, counted from 1.

use super::series::{Line, SERIES, SeriesResult, count, mean, reals, variance};
use super::series_fit::{Facts, STATISTIC, bag, columns, of_series, real};
use crate::functions::docs::Example;
use crate::functions::signature::{Overload, Returns};
use crate::functions::{Doubt, ScalarFunction};
use crate::types::Type;
use crate::types::dynamic::BagWriter;

/// Minimum number of points of a segment.
const MIN_SEGMENT: usize = 2;

/// Splits count as equally good if their squared errors differ by less than this fraction of the sum of the squares of
/// the series.
const AS_GOOD: f64 = 1e-12;

/// The functions that this file defines.
pub static FUNCTIONS: &[ScalarFunction] = &[
    ScalarFunction {
        name: "series_fit_2lines",
        summary: "Returns the two lines that best fit a series, one on each side of a split, by linear regression.",
        overloads: &[Overload {
            params: &[SERIES],
            returns: Returns::Type(Type::Dynamic),
            kernel: |args| columns(args, |row| of_series(args, row, facts), TWO_LINES),
        }],
        examples: &[Example::new("series_fit_2lines(dynamic([1, 2, 3, 9, 8, 7]))", "1.0")],
        columns: TWO_LINES,
        ..STATISTIC
    },
    ScalarFunction {
        name: "series_fit_2lines_dynamic",
        summary: "Returns a property bag of the two lines that best fit a series, one on each side of a split, by \
                  linear regression.",
        overloads: &[Overload {
            params: &[SERIES],
            returns: Returns::Type(Type::Dynamic),
            kernel: |args| bag(args, |row| of_series(args, row, nested_facts)),
        }],
        examples: &[
            Example::new("series_fit_2lines_dynamic(dynamic([1, 2, 3, 9, 8, 7])).right.slope", "-1.0"),
            Example::new("series_fit_2lines_dynamic(dynamic([1, 2, 3, 9, 8, 7])).split_idx", "3"),
        ],
        ..STATISTIC
    },
];

const TWO_LINES: &[(&str, Type)] = &[
    ("rsquare", Type::Real),
    ("split_idx", Type::Long),
    ("variance", Type::Real),
    ("rvariance", Type::Real),
    ("line_fit", Type::Dynamic),
    ("right_rsquare", Type::Real),
    ("right_slope", Type::Real),
    ("right_interception", Type::Real),
    ("right_variance", Type::Real),
    ("right_rvariance", Type::Real),
    ("left_rsquare", Type::Real),
    ("left_slope", Type::Real),
    ("left_interception", Type::Real),
    ("left_variance", Type::Real),
    ("left_rvariance", Type::Real),
];

/// The line fitted to one segment of a series, its value at each point, and the variances.
struct FittedSegment {
    line: Line,
    fit: Vec<f64>,
    variance: f64,
    residual_variance: f64,
}

impl FittedSegment {
    fn fit(series: &[f64]) -> Self {
        let line = Line::fit(series);
        let fit: Vec<f64> = (0..series.len()).map(|index| line.at(index)).collect();
        let residuals: Vec<f64> = series.iter().zip(&fit).map(|(value, fit)| value - fit).collect();
        Self { line, fit, variance: variance(series), residual_variance: variance(&residuals) }
    }

    /// Returns rsquare, slope, interception, variance and rvariance as JSON. For equal values rsquare is null.
    fn facts(&self) -> [String; 5] {
        let Line { slope, interception } = self.line;
        let rsquare = rsquare(self.variance, self.residual_variance);
        [rsquare, real(slope), real(interception - slope), real(self.variance), real(self.residual_variance)]
    }
}

/// Returns the quality of a fit as JSON; null for equal values.
fn rsquare(variance: f64, residual_variance: f64) -> String {
    if variance == 0.0 { "null".to_owned() } else { real(1.0 - residual_variance / variance) }
}

/// The two segments of a series, the position at which the right one begins, and the variances of the whole series.
struct TwoLines {
    split: usize,
    left: FittedSegment,
    right: FittedSegment,
    variance: f64,
    residual_variance: f64,
}

impl TwoLines {
    fn fit(series: &[f64]) -> SeriesResult<Self> {
        if series.len() < 2 * MIN_SEGMENT {
            return Err(Doubt::SeriesUndefined);
        }
        let split = best_split(series);
        let (left, right) = (FittedSegment::fit(&series[..split]), FittedSegment::fit(&series[split..]));
        let fit = left.fit.iter().chain(&right.fit);
        let residuals: Vec<f64> = series.iter().zip(fit).map(|(value, fit)| value - fit).collect();
        Ok(Self { split, left, right, variance: variance(series), residual_variance: variance(&residuals) })
    }

    fn common_facts(&self) -> Facts {
        vec![
            ("rsquare", rsquare(self.variance, self.residual_variance)),
            // Every split of equal values is as good as any other.
            ("split_idx", if self.variance == 0.0 { "null".to_owned() } else { self.split.to_string() }),
            ("variance", real(self.variance)),
            ("rvariance", real(self.residual_variance)),
            ("line_fit", reals(self.left.fit.iter().chain(&self.right.fit).copied())),
        ]
    }
}

/// Returns the position of the split with the least squared error, the first of several.
fn best_split(series: &[f64]) -> usize {
    let average = mean(series);
    let points: Vec<(f64, f64)> = series.iter().enumerate().map(|(x, y)| (count(x), y - average)).collect();
    let before = running_errors(points.iter().copied());
    let mut after = running_errors(points.iter().rev().copied());
    after.reverse();
    let splits = MIN_SEGMENT..=series.len() - MIN_SEGMENT;
    // The errors of the points before the split, and of those from it on.
    let error = |split: usize| before[split - 1] + after[split];
    let least = splits.clone().map(error).fold(f64::INFINITY, f64::min);
    let squares: f64 = points.iter().map(|(_, y)| y * y).sum();
    splits.into_iter().find(|split| error(*split) <= least + AS_GOOD * squares).unwrap_or(MIN_SEGMENT)
}

/// Returns, for each count n, the squared error of the best line through the first n points.
fn running_errors(points: impl Iterator<Item = (f64, f64)>) -> Vec<f64> {
    let (mut n, mut mean_x, mut mean_y) = (0.0, 0.0, 0.0);
    let (mut xx, mut yy, mut xy) = (0.0, 0.0, 0.0);
    let error = |(x, y): (f64, f64)| {
        n += 1.0;
        let (dx, dy) = (x - mean_x, y - mean_y);
        mean_x += dx / n;
        mean_y += dy / n;
        xx += dx * (x - mean_x);
        yy += dy * (y - mean_y);
        xy += dx * (y - mean_y);
        if xx == 0.0 { yy } else { (yy - xy * xy / xx).max(0.0) }
    };
    points.map(error).collect()
}

const RIGHT: [&str; 5] = ["right_rsquare", "right_slope", "right_interception", "right_variance", "right_rvariance"];
const LEFT: [&str; 5] = ["left_rsquare", "left_slope", "left_interception", "left_variance", "left_rvariance"];
const SEGMENT: [&str; 5] = ["rsquare", "slope", "interception", "variance", "rvariance"];

fn facts(series: &[f64]) -> SeriesResult<Facts> {
    let lines = TwoLines::fit(series)?;
    let right = RIGHT.into_iter().zip(lines.right.facts());
    let left = LEFT.into_iter().zip(lines.left.facts());
    Ok(lines.common_facts().into_iter().chain(right).chain(left).collect())
}

fn nested_facts(series: &[f64]) -> SeriesResult<Facts> {
    let lines = TwoLines::fit(series)?;
    let segment = |segment: &FittedSegment| {
        let mut bag = BagWriter::new();
        SEGMENT.into_iter().zip(segment.facts()).for_each(|(name, json)| bag.push_json(name, &json));
        bag.finish()
    };
    let mut facts = lines.common_facts();
    facts.extend([("right", segment(&lines.right)), ("left", segment(&lines.left))]);
    Ok(facts)
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::{MIN_SEGMENT, TwoLines, variance};

    #[test]
    fn the_split_has_the_least_error_of_all_splits() {
        let mut random = ChaCha8Rng::seed_from_u64(11);
        for length in [4, 5, 9, 40, 200] {
            let series: Vec<f64> = (0..length).map(|_| random.random_range(-50.0..50.0)).collect();
            let lines = TwoLines::fit(&series).expect("enough points");
            let error = |split: usize| {
                let errors = [&series[..split], &series[split..]].map(|part| {
                    let line = super::Line::fit(part);
                    part.iter().enumerate().map(|(index, y)| (y - line.at(index)).powi(2)).sum::<f64>()
                });
                errors[0] + errors[1]
            };
            let least = (MIN_SEGMENT..=length - MIN_SEGMENT).map(error).fold(f64::INFINITY, f64::min);
            assert!(error(lines.split) <= least * (1.0 + 1e-9), "{length}");
            assert!((lines.variance - variance(&series)).abs() < 1e-9);
        }
    }
}
