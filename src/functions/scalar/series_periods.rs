//! series_periods_detect and series_periods_validate: finds periods in a series, and scores given periods.
//!
//! The score of a period is measured on the engine: the circular autocorrelation of the series at that distance, scaled
//! so that the lowest value is 0 and the highest 1. How the engine selects periods is not published: here, a period is
//! the highest peak of the autocorrelation near a frequency whose power stands out from noise.
//! <https://learn.microsoft.com/kusto/query/series-periods-detect-function>

use super::series::{SERIES, SeriesResult, count, invalid, map_series, mean, numbers, reals};
use super::series_fourier::transform;
use crate::diagnostic::{Code, Diagnostic, Error, Result, Span};
use crate::functions::args::Args;
use crate::functions::docs::{Category, Example};
use crate::functions::signature::{Nulls, Overload, Param, Returns};
use crate::functions::{Doubt, ScalarFunction};
use crate::types::dynamic::ArrayWriter;
use crate::types::{Column, Type, Value};

/// The shortest period that is detected, in points.
const SHORTEST: usize = 4;

/// Maximum length of a series that is searched, because the work is quadratic in it.
const LONGEST_SERIES: usize = 20_000;

/// Maximum number of periods that a call may ask for: the result is padded with zeros.
const MAX_PERIODS: i64 = 1_000;

/// Maximum number of periods that a call may validate.
const MAX_VALIDATED: usize = 16;

/// The probability that the strongest frequency of noise is taken for a period.
const SIGNIFICANCE: f64 = 0.05;

/// The functions that this file defines.
pub static FUNCTIONS: &[ScalarFunction] = &[
    ScalarFunction {
        name: "series_periods_detect",
        summary: "Returns the most significant periods of a series and their scores, best first, padded with zeros.",
        overloads: &[Overload {
            params: &[
                SERIES,
                Param::new("min_period", Type::Real, "the shortest period to search for, in points"),
                Param::new("max_period", Type::Real, "the longest period to search for, in points"),
                Param::new("num_periods", Type::Long, "the number of periods to return, at most 1,000"),
            ],
            returns: Returns::Type(Type::Dynamic),
            kernel: detect,
        }],
        examples: &[Example::new(
            "series_periods_detect(dynamic([1, 2, 3, 2, 1, 2, 3, 2, 1, 2, 3, 2]), 0.0, 50.0, 1)",
            "[4.0]",
        )],
        validate: |constants| match constants.get(3) {
            Some(Some(Value::Long(count))) => check_count(*count),
            _ => Ok(()),
        },
        ..PERIODS
    },
    ScalarFunction {
        name: "series_periods_validate",
        summary: "Returns the given periods, and the score of each one that the series has; the others have 0.",
        overloads: &[Overload {
            params: &[SERIES, Param::new("period", Type::Real, "a period in points, at most 16 of them").repeated()],
            returns: Returns::Type(Type::Dynamic),
            kernel: validate,
        }],
        examples: &[Example::new(
            "series_periods_validate(dynamic([1, 2, 3, 2, 1, 2, 3, 2, 1, 2, 3, 2]), 4, 5)",
            "[4.0,5.0]",
        )],
        validate: |constants| match constants.len() {
            0..=MAX_PERIOD_ARGUMENTS => Ok(()),
            _ => Err(Error::query(Code::ArgumentCount, Span::default(), "at most 16 periods can be validated")),
        },
        ..PERIODS
    },
];

/// Maximum number of arguments of a call: the series and the periods.
const MAX_PERIOD_ARGUMENTS: usize = MAX_VALIDATED + 1;

const PERIODS: ScalarFunction = ScalarFunction {
    category: Category::Series,
    columns: &[("periods", Type::Dynamic), ("scores", Type::Dynamic)],
    nulls: Nulls::Propagate,
    caution: |_| {
        let message = "Microsoft does not publish how peaks of a series are chosen: Kusto may find another period";
        Some(Diagnostic::new(Code::PeriodLookedFor, Span::default(), message))
    },
    ..ScalarFunction::DEFAULT
};

fn check_count(count: i64) -> Result<()> {
    let message = format!("the number of periods must be 0 to {MAX_PERIODS}");
    if (0..=MAX_PERIODS).contains(&count) { Ok(()) } else { Err(invalid(message)) }
}

fn detect(args: &Args<'_>) -> Result<Column> {
    let (shortest, longest, counts) = (args.reals(1), args.reals(2), args.longs(3));
    map_series(args, |row| {
        let Some(series) = numbers(args.column(0), row)? else { return Ok(None) };
        let (Some(from), Some(to), Some(wanted)) = (shortest.get(row), longest.get(row), counts.get(row)) else {
            return Ok(None);
        };
        check_count(wanted).map_err(|_| Doubt::SeriesUndefined)?;
        let wanted = usize::try_from(wanted).unwrap_or(0);
        let mut found = periods(&series)?;
        found.retain(|period| (from..=to).contains(&count(period.length)));
        let padded = |value: fn(&ScoredPeriod) -> f64| {
            let values = found.iter().map(value).chain(std::iter::repeat(0.0));
            reals(values.take(wanted))
        };
        Ok(Some(pair(&padded(|period| count(period.length)), &padded(|period| period.score))))
    })
}

fn validate(args: &Args<'_>) -> Result<Column> {
    let asked: Vec<_> = (1..args.len()).map(|index| args.reals(index)).collect();
    map_series(args, |row| {
        let Some(series) = numbers(args.column(0), row)? else { return Ok(None) };
        let found = periods(&series)?;
        let asked: Vec<f64> = asked.iter().filter_map(|values| values.get(row)).collect();
        let score = |length: &f64| found.iter().find(|period| (count(period.length) - length).abs() < 0.5);
        let scores = asked.iter().map(|length| score(length).map_or(0.0, |period| period.score));
        Ok(Some(pair(&reals(asked.iter().copied()), &reals(scores))))
    })
}

/// Returns the values of the two result columns as one array.
fn pair(periods: &str, scores: &str) -> String {
    let mut array = ArrayWriter::new();
    array.push_json(periods);
    array.push_json(scores);
    array.finish()
}

/// A period, in points, and its score between 0 and 1.
#[derive(Clone, Copy, Debug)]
struct ScoredPeriod {
    length: usize,
    score: f64,
}

/// Returns the period with the highest score, in points; 0 if that score does not reach `threshold`.
pub(super) fn best(series: &[f64], threshold: f64) -> SeriesResult<usize> {
    let best = periods(series)?.into_iter().next().filter(|period| period.score >= threshold);
    Ok(best.map_or(0, |period| period.length))
}

/// Returns the periods of a series, the one with the highest score first.
fn periods(series: &[f64]) -> SeriesResult<Vec<ScoredPeriod>> {
    let n = series.len();
    if n > LONGEST_SERIES {
        return Err(Doubt::SeriesTooLarge);
    }
    let average = mean(series);
    let centered: Vec<f64> = series.iter().map(|value| value - average).collect();
    let mut found: Vec<ScoredPeriod> = Vec::new();
    if n / 2 < SHORTEST {
        return Ok(found);
    }
    let Some(scores) = scores(&centered)? else { return Ok(found) };
    for frequency in significant_frequencies(&centered) {
        let hint = peak_near(&scores, n, frequency);
        found.extend(hint.filter(|hint| found.iter().all(|period| period.length != hint.length)));
    }
    found.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.length.cmp(&b.length)));
    Ok(found)
}

/// Returns the circular autocorrelation for each distance in points, scaled to 0..1; None for a series of equal values.
fn scores(centered: &[f64]) -> SeriesResult<Option<Vec<f64>>> {
    let n = centered.len();
    let correlation = |distance: usize| -> f64 {
        let (first, later) = centered.split_at(n - distance);
        let same = first.iter().zip(&centered[distance..]).map(|(a, b)| a * b).sum::<f64>();
        same + later.iter().zip(centered).map(|(a, b)| a * b).sum::<f64>()
    };
    // The autocorrelation is symmetric.
    let mut correlations: Vec<f64> = (0..=n / 2 + 1).map(|distance| correlation(distance.min(n - distance))).collect();
    let (highest, lowest) = (correlations[0], correlations.iter().copied().fold(f64::INFINITY, f64::min));
    if !highest.is_finite() {
        return Err(Doubt::SeriesTooLarge);
    }
    if highest <= lowest {
        return Ok(None);
    }
    correlations.iter_mut().for_each(|value| *value = (*value - lowest) / (highest - lowest));
    Ok(Some(correlations))
}

/// Returns the frequencies, in cycles per series, whose power stands out from noise: in less than [`SIGNIFICANCE`] of
/// all series of noise, the strongest frequency is as strong. This is Fisher's test of the periodogram, approximated by
/// independent exponential powers.
fn significant_frequencies(centered: &[f64]) -> impl Iterator<Item = usize> {
    let points: Vec<(f64, f64)> = centered.iter().map(|value| (*value, 0.0)).collect();
    let spectrum = transform(&points, false);
    let powers: Vec<f64> = spectrum[1..=centered.len() / 2].iter().map(|(re, im)| re * re + im * im).collect();
    let quiet = (1.0 - SIGNIFICANCE).powf(1.0 / count(powers.len()));
    let threshold = -(1.0 - quiet).ln() * mean(&powers);
    (1..).zip(powers).filter(move |(_, power)| *power > threshold).map(|(frequency, _)| frequency)
}

/// Returns the best score among the distances whose frequency is nearer to `frequency` than to the next whole ones;
/// None if it is not a peak. `n` is the length of the series.
fn peak_near(scores: &[f64], n: usize, frequency: usize) -> Option<ScoredPeriod> {
    let period = |frequency: usize| count(n) / count(frequency);
    let from = period(frequency).midpoint(period(frequency + 1));
    let to = if frequency == 1 { f64::INFINITY } else { period(frequency).midpoint(period(frequency - 1)) };
    let near = (SHORTEST..=n / 2).filter(|distance| (from..=to).contains(&count(*distance)));
    let best = near.max_by(|a, b| scores[*a].total_cmp(&scores[*b]).then(b.cmp(a)))?;
    let is_peak = scores[best] >= scores[best - 1] && scores[best] >= scores[best + 1];
    is_peak.then_some(ScoredPeriod { length: best, score: scores[best] })
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::{best, count, periods};

    fn lengths(series: &[f64]) -> Vec<usize> {
        periods(series).unwrap().iter().map(|period| period.length).collect()
    }

    /// Returns a series of the values of `shape`, with noise between 0 and `spread` added.
    fn series(length: usize, spread: f64, shape: impl Fn(usize) -> f64) -> Vec<f64> {
        let mut random = ChaCha8Rng::seed_from_u64(7);
        (0..length).map(|index| shape(index) + spread * random.random::<f64>()).collect()
    }

    #[test]
    fn a_day_and_a_week_are_found() {
        let shape = |hour: usize| {
            let day = if (6..18).contains(&(hour % 24)) { 5.0 } else { 0.0 };
            if hour / 24 % 7 >= 5 { day / 2.0 } else { day }
        };
        let found = lengths(&series(24 * 7 * 6, 0.5, shape));
        assert_eq!(found.first(), Some(&168), "{found:?}");
        assert!(found.contains(&24), "{found:?}");
    }

    #[test]
    fn a_period_counts_if_its_score_reaches_the_threshold() {
        let day = series(168, 2.0, |hour| if (8..18).contains(&(hour % 24)) { 3.0 } else { 0.0 });
        let score = periods(&day).unwrap()[0].score;
        assert_eq!(best(&day, score), Ok(24));
        assert_eq!(best(&day, score + 1e-9), Ok(0));
        assert_eq!(best(&[1.0, 9.0, 1.0, 9.0, 1.0, 9.0, 1.0], 0.0), Ok(0));
    }

    #[test]
    fn a_period_is_found_in_data_with_noise() {
        let mut random = ChaCha8Rng::seed_from_u64(3);
        let found = (0..50).filter(|_| {
            let counts = |hour: usize| if (8..18).contains(&(hour % 24)) { 9.0 } else { 3.0 };
            // The variance of a count is near its mean.
            let noise = |mean: f64| mean + (random.random::<f64>() - 0.5) * (12.0 * mean).sqrt();
            let week: Vec<f64> = (0..168).map(counts).map(noise).collect();
            best(&week, 0.6).is_ok_and(|period| (23..=25).contains(&period))
        });
        assert!(found.count() > 40);
    }

    #[test]
    fn noise_constants_and_short_series_have_none() {
        assert_eq!(lengths(&series(512, 1.0, |_| 0.0)), [0_usize; 0]);
        assert_eq!(lengths(&[3.0; 100]), [0_usize; 0]);
        assert_eq!(lengths(&[1.0, 9.0, 1.0, 9.0, 1.0, 9.0, 1.0]), [0_usize; 0]);
    }

    #[test]
    fn long_and_huge_series_are_refused() {
        assert!(periods(&vec![1.0; 20_001]).is_err());
        assert!(periods(&series(100, 1e300, count)).is_err());
    }
}
