//! Decomposition of a series into seasonal, trend and residual components, and the anomalies that it shows.
//!
//! The seasonal component is the median of the points of each phase. The trend is the average or best-fitting line of
//! the series without the seasonal component. Anomalies are the outliers of the residual. The reference describes these
//! steps. If no period is given, it is the best one of `series_periods_detect`, if its score reaches the threshold.

use super::series::{Line, SERIES, SeriesResult, map_series, mean, numbers, reals, report};
use super::series_outliers::{Fence, check_kind};
use super::series_periods;
use crate::diagnostic::{Code, Diagnostic, Error, Result, Span};
use crate::functions::args::Args;
use crate::functions::docs::{Category, Example};
use crate::functions::signature::{Accepts, Nulls, Overload, Param, Returns};
use crate::functions::{Doubt, ScalarFunction};
use crate::types::dynamic::ArrayWriter;
use crate::types::{Column, Type, Value};

/// The functions that this file defines.
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
        validate: |constants| {
            check_season(constants, 1)?;
            check_trend(constants, 2)?;
            check_points(constants, 3)
        },
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
                Param::new("method", Type::String, "`ctukey` (the default) or `tukey`").optional().constant(),
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
            check_points(constants, 4)?;
            check_kind(constants, 5)
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
        validate: |constants| {
            check_points(constants, 1)?;
            check_season(constants, 2)?;
            check_trend(constants, 3)
        },
        caution: |constants| caution_of_search(constants, 2),
        ..SERIES_FUNCTION
    },
    ScalarFunction {
        name: "series_seasonal",
        summary: "Returns the seasonal component of a series: the median of the points of each phase.",
        overloads: &[Overload {
            params: &[SERIES, SEASONALITY, TEST_POINTS],
            returns: Returns::Type(Type::Dynamic),
            kernel: seasonal,
        }],
        examples: &[Example::new(
            "series_seasonal(dynamic([1, 3, 5, 1, 3, 5, 2, 4, 6]), 3)",
            "[1.0,3.0,5.0,1.0,3.0,5.0,1.0,3.0,5.0]",
        )],
        validate: |constants| check_points(constants, 2),
        caution: |constants| caution_of_search(constants, 1),
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

/// The minimum score of a detected period. Source: the reference's pages.
const DECOMPOSE_THRESHOLD: f64 = 0.6;
const SEASONAL_THRESHOLD: f64 = 0.7;

/// True if the constant argument at `index` means that the period is detected: it is -1 or omitted.
fn searches(constants: &[Option<&Value>], index: usize) -> bool {
    constants.get(index).is_none_or(|value| value.and_then(Value::as_i64) == Some(-1))
}

/// Returns the warning for a call whose argument at `index` lets the period be detected.
fn caution_of_search(constants: &[Option<&Value>], index: usize) -> Option<Diagnostic> {
    let message = "the period is inferred here, and Microsoft does not publish how Kusto infers it";
    let warning = Diagnostic::new(Code::PeriodLookedFor, Span::default(), message);
    searches(constants, index).then(|| warning.help("name it to be sure: 24 for a day of hours, 0 for none"))
}

/// Rejects a constant argument at `index` that is not a period.
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

/// Rejects a constant argument at `index` that is a negative number of points.
fn check_points(constants: &[Option<&Value>], index: usize) -> Result<()> {
    match constants.get(index) {
        Some(Some(value)) if value.as_i64().is_some_and(|points| points < 0) => {
            Err(Error::query(Code::InvalidValue, Span::default(), "the number of points must be 0 or more"))
        }
        _ => Ok(()),
    }
}

/// The options of a decomposition.
struct Model<'a> {
    period: usize,
    trend: &'a str,
    /// The number of points at the end that are excluded from learning.
    held_out: usize,
}

/// The components of a decomposed series, a value for each point.
struct SeriesParts {
    seasonal: Vec<f64>,
    trend: Vec<f64>,
}

impl SeriesParts {
    fn baseline(&self) -> Vec<f64> {
        self.seasonal.iter().zip(&self.trend).map(|(seasonal, trend)| seasonal + trend).collect()
    }
}

/// Returns a series without the `held_out` points at its end; a doubt if none are left.
fn learnt(series: &[f64], held_out: usize) -> SeriesResult<&[f64]> {
    let learnt = series.len().checked_sub(held_out).filter(|learnt| *learnt > 0);
    learnt.map(|learnt| &series[..learnt]).ok_or(Doubt::SeriesUndefined)
}

impl Model<'_> {
    fn take_apart(&self, series: &[f64]) -> SeriesResult<SeriesParts> {
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

    /// Returns the median of the points of each phase of the period, which must not be longer than the series.
    fn medians(&self, series: &[f64]) -> SeriesResult<Vec<f64>> {
        if self.period > series.len() {
            return Err(Doubt::SeriesUndefined);
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

/// Returns the argument at `index` as a number of points; 0 if it is omitted.
fn points(args: &Args<'_>, index: usize, row: usize) -> SeriesResult<usize> {
    if index >= args.len() {
        return Ok(0);
    }
    let number = args.longs(index).get(row).and_then(|number| usize::try_from(number).ok());
    number.ok_or(Doubt::SeriesUndefined)
}

/// Returns the period in the argument at `index`, or the detected one if it is omitted or -1; 0 if there is none.
fn period(args: &Args<'_>, index: usize, row: usize, learnt: &[f64], threshold: f64) -> SeriesResult<usize> {
    let given = if index < args.len() { args.longs(index).get(row) } else { Some(-1) };
    match given {
        Some(-1) => series_periods::best(learnt, threshold),
        Some(period) => Ok(usize::try_from(period).unwrap_or(0)),
        None => Err(Doubt::SeriesUndefined),
    }
}

/// Returns the real argument at `index`, or `otherwise` if it is omitted.
fn real(args: &Args<'_>, index: usize, row: usize, otherwise: f64) -> SeriesResult<f64> {
    let given = if index < args.len() { args.reals(index).get(row) } else { Some(otherwise) };
    given.ok_or(Doubt::SeriesUndefined)
}

/// Returns the string argument at `index`, or `otherwise` if it is omitted.
fn word<'a>(args: &Args<'a>, index: usize, otherwise: &'a str) -> &'a str {
    if index >= args.len() {
        return otherwise;
    }
    args.constant(index).and_then(Value::as_str).unwrap_or(otherwise)
}

fn decompose(args: &Args<'_>) -> Result<Column> {
    map_series(args, |row| {
        let Some(series) = numbers(args.column(0), row)? else { return Ok(None) };
        let held_out = points(args, 3, row)?;
        let threshold = real(args, 4, row, DECOMPOSE_THRESHOLD)?;
        let period = period(args, 1, row, learnt(&series, held_out)?, threshold)?;
        let model = Model { period, trend: word(args, 2, "avg"), held_out };
        let parts = model.take_apart(&series)?;
        let baseline = parts.baseline();
        let residual = residual(&series, &baseline);
        Ok(Some(tuple([reals(baseline), reals(parts.seasonal), reals(parts.trend), reals(residual)])))
    })
}

fn anomalies(args: &Args<'_>) -> Result<Column> {
    let fence = Fence::of_kind(word(args, 5, Fence::DEFAULT_KIND));
    map_series(args, |row| {
        let Some(series) = numbers(args.column(0), row)? else { return Ok(None) };
        let threshold = real(args, 1, row, 1.5)?;
        let held_out = points(args, 4, row)?;
        let period_threshold = real(args, 6, row, DECOMPOSE_THRESHOLD)?;
        let period = period(args, 2, row, learnt(&series, held_out)?, period_threshold)?;
        let model = Model { period, trend: word(args, 3, "avg"), held_out };
        let baseline = model.take_apart(&series)?.baseline();
        let residual: Vec<Option<f64>> = residual(&series, &baseline).into_iter().map(Some).collect();
        let scores = fence.scores(&residual);
        if scores.iter().any(|score| score.is_infinite()) {
            report(args, Doubt::SeriesInfiniteScore, row);
        }
        let flags = scores.iter().map(|&score| i64::from(score > threshold) - i64::from(score < -threshold));
        let mut array = ArrayWriter::new();
        flags.for_each(|flag| array.push(&Value::Long(flag)));
        Ok(Some(tuple([array.finish(), reals(scores), reals(baseline)])))
    })
}

fn forecast(args: &Args<'_>) -> Result<Column> {
    map_series(args, |row| {
        let Some(series) = numbers(args.column(0), row)? else { return Ok(None) };
        let held_out = points(args, 1, row)?;
        let threshold = real(args, 4, row, DECOMPOSE_THRESHOLD)?;
        let period = period(args, 2, row, learnt(&series, held_out)?, threshold)?;
        let model = Model { period, trend: word(args, 3, "linefit"), held_out };
        Ok(Some(tuple([reals(model.take_apart(&series)?.baseline())])))
    })
}

fn seasonal(args: &Args<'_>) -> Result<Column> {
    map_series(args, |row| {
        let Some(series) = numbers(args.column(0), row)? else { return Ok(None) };
        let held_out = points(args, 2, row)?;
        let period = period(args, 1, row, learnt(&series, held_out)?, SEASONAL_THRESHOLD)?;
        Ok(Some(reals(Model { period, trend: "none", held_out }.take_apart(&series)?.seasonal)))
    })
}

/// Returns the points of a series minus those of its baseline.
fn residual(series: &[f64], baseline: &[f64]) -> Vec<f64> {
    series.iter().zip(baseline).map(|(value, expected)| value - expected).collect()
}

/// Returns several result columns as one array, which the binder splits into columns.
fn tuple<const N: usize>(columns: [String; N]) -> String {
    super::array_elements::written(columns)
}
