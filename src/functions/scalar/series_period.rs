//! Detection of the period of a series, if it is unambiguous.
//!
//! The reference says what the detection of the service returns (periods of 4 points up to half of the series, with
//! scores of at least 0.6), but not how it chooses among peaks. So either every sensible measure agrees on the period,
//! or the query fails and the period must be given.
//! <https://learn.microsoft.com/kusto/query/series-periods-detect-function>

use super::series::{Line, count, mean, unknown};
use crate::diagnostic::Result;

/// The shortest period that is detected.
const SHORTEST: usize = 4;

/// The longest series that is searched: the work is quadratic in the length.
const LONGEST_SERIES: usize = 20_000;

/// The score from which the service accepts a period by default.
pub(super) const DEFAULT_THRESHOLD: f64 = 0.6;

/// The autocorrelations from which a period is accepted or rejected by every sensible measure.
struct PeriodLimits {
    /// A series whose autocorrelation reaches this value at a distance has that period.
    clear: f64,
    /// A series whose autocorrelation stays below this value at every distance has no period.
    none: f64,
}

impl PeriodLimits {
    /// The limits for a threshold of the score between 0 and 1: 0.5 and 0.85 for the default of 0.6.
    fn around(threshold: f64) -> Self {
        Self { clear: 1.0 - (1.0 - threshold) * 0.375, none: threshold / 1.2 }
    }
}

/// Correlations within this difference are equal: the shortest such distance is the period, the others are multiples.
const AS_GOOD: f64 = 0.02;

/// Another detection could choose a distance whose correlation is within this of the best, unless it is a multiple.
const RIVAL: f64 = 0.15;

/// The period of `series` in points, if its score reaches `threshold`; 0 if there is none.
///
/// # Errors
/// The period is ambiguous, or the threshold is not between 0 and 1.
pub(super) fn find(series: &[f64], threshold: f64) -> Result<usize> {
    if !(0.0..=1.0).contains(&threshold) {
        return Err(unknown("the threshold for the score of a period must be between 0 and 1"));
    }
    let limits = PeriodLimits::around(threshold);
    if series.len() / 2 < SHORTEST {
        return Ok(0);
    }
    if series.len() > LONGEST_SERIES {
        return Err(unclear(&format!("no period is looked for in a series of {} points", series.len())));
    }
    let line = Line::fit(series);
    let level: Vec<f64> = series.iter().enumerate().map(|(index, value)| value - line.at(index)).collect();
    let largest = series.iter().fold(0.0_f64, |largest, value| largest.max(value.abs()));
    if !(largest * largest * count(series.len()) * 4.0).is_finite() {
        return Err(unclear("no period is looked for in a series of numbers this large"));
    }
    let peaks = peaks(&level, 16.0 * f64::EPSILON * largest);
    let best = peaks.iter().map(|peak| peak.likeness).fold(0.0, f64::max);
    let fundamental = peaks.iter().find(|peak| peak.likeness >= best - AS_GOOD);
    match fundamental {
        Some(found) if best >= limits.clear => match peaks.iter().find(|peak| peak.rivals(*found, best)) {
            None => Ok(found.distance),
            Some(rival) => {
                Err(unclear(&format!("the period of a series may be {} points or {}", found.distance, rival.distance)))
            }
        },
        Some(found) if best >= limits.none => {
            Err(unclear(&format!("a series has a period of {} points, or none", found.distance)))
        }
        _ => Ok(0),
    }
}

fn unclear(what: &str) -> crate::diagnostic::Error {
    unknown(format!("{what}: give the period, or 0 for none"))
}

/// A distance at which the autocorrelation has a local maximum.
#[derive(Clone, Copy)]
struct Peak {
    distance: usize,
    /// The autocorrelation at that distance.
    likeness: f64,
}

impl Peak {
    /// True if another measure could prefer this peak to the period `found`.
    fn rivals(self, found: Self, best: f64) -> bool {
        let multiples = (self.distance + found.distance / 2) / found.distance;
        // A period that is not a whole number of points drifts by up to half a point per repetition.
        let is_multiple = multiples >= 1 && self.distance.abs_diff(multiples * found.distance) <= multiples.div_ceil(2);
        !is_multiple && self.likeness >= best - RIVAL
    }
}

/// The peaks among all possible periods, shortest first. Differences up to `rounding` are ignored.
fn peaks(level: &[f64], rounding: f64) -> Vec<Peak> {
    let likeness: Vec<f64> = (0..=level.len() / 2 + 1).map(|distance| likeness(level, distance, rounding)).collect();
    let is_peak = |distance: &usize| {
        likeness[*distance] >= likeness[*distance - 1] && likeness[*distance] >= likeness[*distance + 1]
    };
    let peaks = (SHORTEST..=level.len() / 2).filter(is_peak);
    peaks.map(|distance| Peak { distance, likeness: likeness[distance] }).collect()
}

/// The autocorrelation of a series at `distance` points; 0 if either part is constant.
fn likeness(level: &[f64], distance: usize, rounding: f64) -> f64 {
    let (first, later) = (&level[..level.len() - distance], &level[distance..]);
    if first.is_empty() {
        return 0.0;
    }
    let (first_mean, later_mean) = (mean(first), mean(later));
    let (mut both, mut of_first, mut of_later) = (0.0, 0.0, 0.0);
    for (a, b) in first.iter().zip(later) {
        let (a, b) = (a - first_mean, b - later_mean);
        both += a * b;
        of_first += a * a;
        of_later += b * b;
    }
    let noise = rounding * rounding * count(first.len());
    if of_first <= noise || of_later <= noise { 0.0 } else { both / (of_first * of_later).sqrt() }
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::{DEFAULT_THRESHOLD, count};
    use crate::diagnostic::Result;

    fn find(series: &[f64]) -> Result<usize> {
        super::find(series, DEFAULT_THRESHOLD)
    }

    /// Adds noise of up to `spread` to `shape`.
    fn series(length: usize, spread: f64, shape: impl Fn(usize) -> f64) -> Vec<f64> {
        let mut random = ChaCha8Rng::seed_from_u64(7);
        (0..length).map(|index| shape(index) + spread * random.random::<f64>()).collect()
    }

    #[test]
    fn clear_periods_are_found_behind_trend_and_noise() {
        for period in [4, 7, 14, 24, 168] {
            let saw = |index: usize| count(index % period) / count(period);
            assert_eq!(find(&series(4 * period.max(6), 0.1, saw)).unwrap(), period);
            assert_eq!(find(&series(5 * period.max(6), 0.1, |i| saw(i) + 0.3 * count(i))).unwrap(), period);
        }
        let week = |hour: usize| if hour / 24 % 7 >= 5 { 2.0 } else { 10.0 };
        assert_eq!(find(&series(840, 1.0, week)).unwrap(), 168);
    }

    #[test]
    fn noise_constants_lines_and_short_series_have_none() {
        assert_eq!(find(&series(300, 1.0, |_| 0.0)).unwrap(), 0);
        assert_eq!(find(&series(300, 0.0, |_| 3.0)).unwrap(), 0);
        assert_eq!(find(&series(300, 0.0, |index| 0.1 * count(index))).unwrap(), 0);
        assert_eq!(find(&[1.0, 9.0, 1.0, 9.0, 1.0, 9.0, 1.0]).unwrap(), 0);
    }

    #[test]
    fn a_threshold_moves_the_limits() {
        let day = series(336, 1.0, |hour| count(hour % 24) / 12.0);
        assert_eq!(find(&day).unwrap_or(99), super::find(&day, 0.6).unwrap_or(99));
        let perfect = series(96, 0.0, |hour| count(hour % 24));
        assert_eq!(super::find(&perfect, 0.99).unwrap(), 24);
        let noisy = series(336, 4.0, |hour| count(hour % 24) / 12.0);
        assert!(super::find(&noisy, 0.3).is_err(), "a period that a low threshold may accept");
        assert_eq!(super::find(&noisy, 1.0).unwrap(), 0);
        assert!(super::find(&perfect, 1.5).is_err());
    }

    #[test]
    fn doubt_is_an_error() {
        // A day within a week that is nearly as strong as the week.
        let days = |hour: usize| count(hour % 24) * if hour / 24 % 7 >= 5 { 0.7 } else { 1.0 };
        let error = find(&series(840, 1.0, days)).unwrap_err().to_string();
        assert!(error.contains("may be"), "{error}");
        let faint = find(&series(336, 2.0, |hour| count(hour % 24) / 12.0)).unwrap_err().to_string();
        assert!(faint.contains("or none"), "{faint}");
        assert!(find(&vec![1.0; 20_001]).is_err());
        assert!(find(&[1e300, 2e300, 3e300, 4e300, 1e300, 2e300, 3e300, 4e300]).is_err());
    }
}
