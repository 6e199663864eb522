//! Decomposition of a series into seasonal, trend and residual components, and its outliers.
//!
//! Season: the median of the points of each phase. Trend: the average or best-fitting line of the series without the
//! season. Outliers: the distance of a point beyond the 10th or 90th percentile, relative to the distance of these
//! percentiles. The reference describes the steps; the unit is measured on the engine. A period that is not given is
//! detected, or is an error if it is ambiguous.

use super::series::{Line, SERIES, count, mean, numbers, reals, unknown};
use super::series_period;
use crate::diagnostic::{Code, Diagnostic, Error, Result, Span};
use crate::functions::ScalarFunction;
use crate::functions::args::Args;
use crate::functions::docs::{Category, Example};
use crate::functions::signature::{Accepts, Nulls, Overload, Param, ResultName, Returns};
use crate::types::dynamic::ArrayWriter;
use crate::types::{Column, Type, Value};

/// The functions of this family.
pub static FUNCTIONS: &[ScalarFunction] = &[
    ScalarFunction {
        name: "series_decompose",
        summary: "Returns the decomposition of a series into seasonal, trend and residual components.",
        overloads: &[Overload {
            params: &[SERIES, SEASONALITY, TREND, TEST_POINTS, SEASONALITY_THRESHOLD],
            returns: Returns::Type(Type::Dynamic),
            kernel: decompose,
        }],
        examples: &[Example::new(
            "series_decompose(dynamic([1, 5, 1, 5, 1, 6]), 2)",
            "[1.1666666666666667,5.166666666666667,1.1666666666666667,5.166666666666667,1.1666666666666667,5.166666666666667]",
        )],
        columns: &[
            ("baseline", Type::Dynamic),
            ("seasonal", Type::Dynamic),
            ("trend", Type::Dynamic),
            ("residual", Type::Dynamic),
        ],
        validate: |constants| check_season(constants, 1).and_then(|()| check_trend(constants, 2)),
        caution: |constants| caution_of_search(constants, 1),
        ..SERIES_FUNCTION
    },
    ScalarFunction {
        name: "series_decompose_anomalies",
        summary: "Returns the anomalies of a series, found by decomposition: flags (1, 0, -1), scores, and the \
                  expected series.",
        overloads: &[Overload {
            params: &[
                SERIES,
                Param::of("threshold", NUMBER, "the score from which a point is an anomaly; 1.5 by default").optional(),
                SEASONALITY,
                TREND,
                TEST_POINTS,
                Param::new("method", Type::String, "`ctukey`").optional().constant(),
                SEASONALITY_THRESHOLD,
            ],
            returns: Returns::Type(Type::Dynamic),
            kernel: anomalies,
        }],
        examples: &[Example::new(
            "series_decompose_anomalies(dynamic([1, 2, 1, 2, 3, 2, 1, 30, 1, 2, 1]), 1.5, 0)",
            "[0,0,0,0,0,0,0,1,0,0,0]",
        )],
        columns: &[("ad_flag", Type::Dynamic), ("ad_score", Type::Dynamic), ("baseline", Type::Dynamic)],
        validate: |constants| {
            check_season(constants, 2)?;
            check_trend(constants, 3)?;
            check_method(constants, 5)
        },
        caution: |constants| caution_of_search(constants, 2),
        ..SERIES_FUNCTION
    },
    ScalarFunction {
        name: "series_decompose_forecast",
        summary: "Returns a series whose last points are replaced with a forecast from the season and trend of the \
                  others.",
        overloads: &[Overload {
            params: &[
                SERIES,
                Param::new("points", Type::Long, "the number of points at the end to forecast"),
                SEASONALITY,
                Param::new("trend", Type::String, "`linefit` (the default), `avg` or `none`").optional().constant(),
                SEASONALITY_THRESHOLD,
            ],
            returns: Returns::Type(Type::Dynamic),
            kernel: forecast,
        }],
        examples: &[Example::new(
            "series_decompose_forecast(dynamic([1, 2, 3, 4, 0, 0]), 2, 0)",
            "[1.0,2.0,3.0,4.0,5.0,6.0]",
        )],
        columns: &[("baseline", Type::Dynamic)],
        validate: |constants| check_season(constants, 2).and_then(|()| check_trend(constants, 3)),
        caution: |constants| caution_of_search(constants, 2),
        ..SERIES_FUNCTION
    },
    ScalarFunction {
        name: "series_seasonal",
        summary: "Returns the seasonal component of a series: the median of the points of each phase.",
        overloads: &[Overload {
            params: &[SERIES, SEASONALITY],
            returns: Returns::Type(Type::Dynamic),
            kernel: seasonal,
        }],
        examples: &[Example::new(
            "series_seasonal(dynamic([1, 3, 5, 1, 3, 5, 2, 4, 6]), 3)",
            "[1.0,3.0,5.0,1.0,3.0,5.0,1.0,3.0,5.0]",
        )],
        validate: |constants| check_season(constants, 1),
        caution: |constants| caution_of_search(constants, 1),
        ..SERIES_FUNCTION
    },
    ScalarFunction {
        name: "series_outliers",
        summary: "Returns an anomaly score for each point: the signed distance beyond the 10th or 90th percentile, \
                  an outlier beyond 1.5.",
        overloads: &[Overload {
            params: &[SERIES, Param::new("kind", Type::String, "`ctukey`").optional().constant()],
            returns: Returns::Type(Type::Dynamic),
            kernel: outliers,
        }],
        examples: &[Example::new(
            "series_outliers(dynamic([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]))",
            "[-0.34657570068848936,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.34657570068848936]",
        )],
        result_name: ResultName::FirstArgument,
        validate: |constants| check_method(constants, 1),
        ..SERIES_FUNCTION
    },
];

const SERIES_FUNCTION: ScalarFunction =
    ScalarFunction { category: Category::Series, nulls: Nulls::Handled, ..ScalarFunction::DEFAULT };

const NUMBER: Accepts = Accepts::OneOf(&[Type::Real, Type::Long, Type::Int]);
const SEASONALITY: Param = Param::new(
    "seasonality",
    Type::Long,
    "the number of points in a period; 0 for none; -1 (the default) to detect it",
)
.optional()
.constant();
const TREND: Param =
    Param::new("trend", Type::String, "`avg` (the default), `linefit` or `none`").optional().constant();
const TEST_POINTS: Param =
    Param::new("test_points", Type::Long, "the number of points at the end to exclude from learning; 0 by default")
        .optional();
const SEASONALITY_THRESHOLD: Param =
    Param::of("seasonality_threshold", NUMBER, "the score from which a detected period counts; 0.6 by default")
        .optional();

/// The score of a point is this factor times its distance from the percentile, divided by the percentiles' distance.
/// Measured: results of the engine for series of 365 and 840 points agree to the last digit.
const SCORE_UNIT: f64 = 2.772_605_605_507_915;

/// True if the constant at `index` asks to detect the period.
fn searches(constants: &[Option<&Value>], index: usize) -> bool {
    constants.get(index).is_none_or(|value| value.and_then(Value::as_i64) == Some(-1))
}

/// The warning of a call that detects the period given at `index`.
fn caution_of_search(constants: &[Option<&Value>], index: usize) -> Option<Diagnostic> {
    let message = "the period is inferred here, and Microsoft does not publish how Kusto infers it";
    let warning = Diagnostic::new(Code::PeriodLookedFor, Span::default(), message);
    searches(constants, index).then(|| warning.help("name it to be sure: 24 for a day of hours, 0 for none"))
}

/// Rejects an impossible period at `index`.
fn check_season(constants: &[Option<&Value>], index: usize) -> Result<()> {
    match constants.get(index) {
        Some(Some(value)) if !matches!(value.as_i64(), Some(-1..)) => {
            Err(Error::query(Code::InvalidValue, Span::default(), "the period must be a number of points, 0 or -1"))
        }
        _ => Ok(()),
    }
}

fn check_trend(constants: &[Option<&Value>], index: usize) -> Result<()> {
    let Some(Some(value)) = constants.get(index) else { return Ok(()) };
    match value.as_str() {
        Some("avg" | "linefit" | "none") => Ok(()),
        _ => Err(Error::query(Code::InvalidValue, Span::default(), "the trend must be `avg`, `linefit` or `none`")),
    }
}

fn check_method(constants: &[Option<&Value>], index: usize) -> Result<()> {
    let Some(Some(value)) = constants.get(index) else { return Ok(()) };
    match value.as_str() {
        Some("ctukey") => Ok(()),
        Some("tukey") => {
            Err(unsupported("the method `tukey` is not supported here: its unit is not known for certain"))
        }
        _ => Err(Error::query(Code::InvalidValue, Span::default(), "the method must be `ctukey` or `tukey`")),
    }
}

/// The error of an unsupported argument.
fn unsupported(message: &str) -> Error {
    Error::query(Code::UnsupportedSyntax, Span::default(), message)
}

/// How to decompose a series.
struct Model<'a> {
    period: usize,
    trend: &'a str,
    /// Number of points at the end to exclude from learning.
    held_out: usize,
}

/// A decomposed series.
struct SeriesParts {
    seasonal: Vec<f64>,
    trend: Vec<f64>,
}

impl SeriesParts {
    fn baseline(&self) -> Vec<f64> {
        self.seasonal.iter().zip(&self.trend).map(|(seasonal, trend)| seasonal + trend).collect()
    }
}

/// The points of a series without those excluded at its end.
fn learnt(series: &[f64], held_out: usize) -> Result<&[f64]> {
    let learnt = series.len().checked_sub(held_out).filter(|learnt| *learnt > 0);
    Ok(&series[..learnt.ok_or_else(|| unknown("no point of the series is left to fit the model to"))?])
}

impl Model<'_> {
    fn take_apart(&self, series: &[f64]) -> Result<SeriesParts> {
        let learnt = learnt(series, self.held_out)?;
        let medians = self.medians(learnt)?;
        let season = |index: usize| if self.period == 0 { 0.0 } else { medians[index % self.period] };
        let rest: Vec<f64> = learnt.iter().enumerate().map(|(index, value)| value - season(index)).collect();
        let trend: Vec<f64> = match self.trend {
            "linefit" => {
                let line = Line::fit(&rest);
                (0..series.len()).map(|index| line.at(index)).collect()
            }
            "avg" => vec![mean(&rest); series.len()],
            _ => vec![0.0; series.len()],
        };
        Ok(SeriesParts { seasonal: (0..series.len()).map(season).collect(), trend })
    }

    /// The median of each phase of the period.
    fn medians(&self, series: &[f64]) -> Result<Vec<f64>> {
        if self.period > series.len() {
            return Err(unknown(format!("a period of {} points in a series of {}", self.period, series.len())));
        }
        let phase = |start: usize| {
            let mut points: Vec<f64> = series.iter().skip(start).step_by(self.period).copied().collect();
            points.sort_unstable_by(f64::total_cmp);
            let middle = points.len() / 2;
            if points.len() % 2 == 1 { points[middle] } else { f64::midpoint(points[middle - 1], points[middle]) }
        };
        Ok((0..self.period).map(phase).collect())
    }
}

/// The argument at `index` as a number of points; 0 if it is omitted.
fn points(args: &Args<'_>, index: usize, row: usize) -> Result<usize> {
    if index >= args.len() {
        return Ok(0);
    }
    let number = args.longs(index).get(row).and_then(|number| usize::try_from(number).ok());
    number.ok_or_else(|| unknown("the number of points must be 0 or more"))
}

/// The positions of the arguments that decide the period of a series.
struct PeriodArguments {
    period: usize,
    /// The threshold of the detection.
    threshold: usize,
}

/// The given period, or the detected one if it is omitted or -1.
fn period(args: &Args<'_>, at: PeriodArguments, row: usize, learnt: &[f64]) -> Result<usize> {
    if at.period < args.len() && args.longs(at.period).get(row) != Some(-1) {
        return points(args, at.period, row);
    }
    let threshold = match at.threshold < args.len() {
        true => args.reals(at.threshold).get(row).ok_or_else(|| unknown("the threshold must be a number"))?,
        false => series_period::DEFAULT_THRESHOLD,
    };
    series_period::find(learnt, threshold)
}

/// The string argument at `index`, or `otherwise`.
fn word<'a>(args: &Args<'a>, index: usize, otherwise: &'a str) -> &'a str {
    if index >= args.len() {
        return otherwise;
    }
    args.constant(index).and_then(Value::as_str).unwrap_or(otherwise)
}

fn decompose(args: &Args<'_>) -> Result<Column> {
    args.try_map(|row| {
        let Some(series) = numbers(args.column(0), row)? else { return Ok(None) };
        let held_out = points(args, 3, row)?;
        let period = period(args, PeriodArguments { period: 1, threshold: 4 }, row, learnt(&series, held_out)?)?;
        let model = Model { period, trend: word(args, 2, "avg"), held_out };
        let parts = model.take_apart(&series)?;
        let baseline = parts.baseline();
        let residual: Vec<f64> = series.iter().zip(&baseline).map(|(value, expected)| value - expected).collect();
        Ok(Some(tuple([reals(baseline), reals(parts.seasonal), reals(parts.trend), reals(residual)])))
    })
}

fn anomalies(args: &Args<'_>) -> Result<Column> {
    args.try_map(|row| {
        let Some(series) = numbers(args.column(0), row)? else { return Ok(None) };
        let threshold = if args.len() > 1 { args.reals(1).get(row) } else { Some(1.5) };
        let threshold = threshold.ok_or_else(|| unknown("the threshold must be a number"))?;
        let held_out = points(args, 4, row)?;
        if held_out > 0 {
            return Err(unknown("anomalies in a series with test points are not supported here"));
        }
        let model = Model {
            period: period(args, PeriodArguments { period: 2, threshold: 6 }, row, &series)?,
            trend: word(args, 3, "avg"),
            held_out,
        };
        let baseline = model.take_apart(&series)?.baseline();
        let residual: Vec<f64> = series.iter().zip(&baseline).map(|(value, expected)| value - expected).collect();
        let scores = scores(&residual)?;
        let flags = scores.iter().map(|&score| i64::from(score > threshold) - i64::from(score < -threshold));
        let mut array = ArrayWriter::new();
        flags.for_each(|flag| array.push(&Value::Long(flag)));
        Ok(Some(tuple([array.finish(), reals(scores), reals(baseline)])))
    })
}

fn forecast(args: &Args<'_>) -> Result<Column> {
    args.try_map(|row| {
        let Some(series) = numbers(args.column(0), row)? else { return Ok(None) };
        let held_out = points(args, 1, row)?;
        let period = period(args, PeriodArguments { period: 2, threshold: 4 }, row, learnt(&series, held_out)?)?;
        let model = Model { period, trend: word(args, 3, "linefit"), held_out };
        Ok(Some(tuple([reals(model.take_apart(&series)?.baseline())])))
    })
}

fn seasonal(args: &Args<'_>) -> Result<Column> {
    args.try_map(|row| {
        let Some(series) = numbers(args.column(0), row)? else { return Ok(None) };
        let model = Model {
            period: period(args, PeriodArguments { period: 1, threshold: 2 }, row, &series)?,
            trend: "none",
            held_out: 0,
        };
        Ok(Some(reals(model.take_apart(&series)?.seasonal)))
    })
}

fn outliers(args: &Args<'_>) -> Result<Column> {
    args.try_map(|row| numbers(args.column(0), row)?.map(|series| Ok(reals(scores(&series)?))).transpose())
}

/// The anomaly score of each number.
fn scores(numbers: &[f64]) -> Result<Vec<f64>> {
    let mut sorted = numbers.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let (low, high) = (percentile(&sorted, 0.1), percentile(&sorted, 0.9));
    let unit = (high - low) / SCORE_UNIT;
    let beyond = |number: f64| if number > high { number - high } else { (number - low).min(0.0) };
    if unit == 0.0 && numbers.iter().any(|number| beyond(*number) != 0.0) {
        return Err(unknown("nine of ten points are equal, so the distance of the others cannot be scored"));
    }
    Ok(numbers.iter().map(|number| if beyond(*number) == 0.0 { 0.0 } else { beyond(*number) / unit }).collect())
}

/// The percentile of sorted numbers, linearly interpolated.
fn percentile(sorted: &[f64], part: f64) -> f64 {
    let rank = part * count(sorted.len() - 1);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and the length")]
    let below = rank as usize;
    let above = sorted.get(below + 1).copied().unwrap_or(sorted[below]);
    sorted[below] + (above - sorted[below]) * (rank - count(below))
}

/// Several result columns as one array, which the binder splits into columns.
fn tuple<const N: usize>(columns: [String; N]) -> String {
    super::array_elements::written(columns)
}
