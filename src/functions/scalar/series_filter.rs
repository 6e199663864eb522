//! Digital filters of series: finite and infinite impulse response.
//!
//! Source: the reference's pages. Points before the start and after the end of a series count as 0.

use super::array_elements::array_of;
use super::series::{SERIES, SeriesResult, map_series, numbers, reals};
use crate::diagnostic::Result;
use crate::functions::args::Args;
use crate::functions::docs::{Category, Example};
use crate::functions::signature::{Overload, Param, ResultName, Returns};
use crate::functions::{Doubt, ScalarFunction};
use crate::types::dynamic::ArrayWriter;
use crate::types::{Column, Type, Value};

/// Maximum number of multiplications for one series.
const MAX_WORK: usize = 1 << 30;

/// The functions that this file defines.
pub static FUNCTIONS: &[ScalarFunction] = &[
    ScalarFunction {
        name: "series_fir",
        summary: "Returns a series to which a finite impulse response filter was applied.",
        overloads: &[Overload { params: FIR, returns: Returns::Type(Type::Dynamic), kernel: fir }],
        examples: &[
            Example::new("series_fir(dynamic([2, 4, 6, 8]), dynamic([1, 1]))", "[1.0,3.0,5.0,7.0]"),
            Example::new("series_fir(dynamic([2, 4, 9]), dynamic([1, -1]))", "[2,2,5]"),
            Example::new("series_fir(dynamic([0, 3, 0]), dynamic([1, 1, 1]), true, true)", "[1.0,1.0,1.0]"),
        ],
        ..FILTER
    },
    ScalarFunction {
        name: "series_iir",
        summary: "Returns a series to which an infinite impulse response filter was applied.",
        overloads: &[Overload { params: IIR, returns: Returns::Type(Type::Dynamic), kernel: iir }],
        examples: &[Example::new("series_iir(dynamic([1, 2, 3]), dynamic([1]), dynamic([1, -1]))", "[1.0,3.0,6.0]")],
        ..FILTER
    },
];

const FILTER: ScalarFunction =
    ScalarFunction { category: Category::Series, result_name: ResultName::FirstArgument, ..ScalarFunction::DEFAULT };

static FIR: &[Param] = &[
    SERIES,
    Param::new("filter", Type::Dynamic, "the coefficients of the filter"),
    Param::new(
        "normalize",
        Type::Bool,
        "true to divide by the sum of the coefficients; by default, if no coefficient is negative",
    )
    .optional(),
    Param::new("center", Type::Bool, "true to apply the filter before and after each point; false by default")
        .optional(),
];

static IIR: &[Param] = &[
    SERIES,
    Param::new("numerators", Type::Dynamic, "the coefficients of the series"),
    Param::new("denominators", Type::Dynamic, "the coefficients of the result"),
];

fn check_work(series: &[f64], filter: usize) -> SeriesResult<()> {
    if series.len().saturating_mul(filter) > MAX_WORK { Err(Doubt::SeriesTooLarge) } else { Ok(()) }
}

/// True if the argument in `row` is an array of whole numbers.
fn is_whole(column: &Column, row: usize) -> bool {
    array_of(column, row).is_some_and(|elements| elements.iter().all(|element| element.parse::<i64>().is_ok()))
}

fn fir(args: &Args<'_>) -> Result<Column> {
    let flag = |index: usize, row: usize| args.columns().get(index).and_then(|column| column.bool_at(row));
    map_series(args, |row| {
        let series = numbers(args.column(0), row)?;
        let (Some(series), Some(filter)) = (series, numbers(args.column(1), row)?) else { return Ok(None) };
        let has_negative = filter.iter().any(|coefficient| *coefficient < 0.0);
        let normalize = flag(2, row).unwrap_or(!has_negative);
        if normalize && has_negative {
            return Ok(None);
        }
        let total: f64 = filter.iter().sum();
        let center = flag(3, row).unwrap_or(false);
        // Coefficients whose sum is 0 cannot be normalized, and an even number of them has no center.
        if (normalize && total == 0.0) || (center && filter.len() % 2 == 0) {
            return Err(Doubt::SeriesUndefined);
        }
        check_work(&series, filter.len())?;
        let ahead = if center { filter.len() / 2 } else { 0 };
        let filtered = (0..series.len()).map(|index| convolved(&series, &filter, index + ahead));
        Ok(Some(match normalize {
            true => reals(filtered.map(|value| value / total)),
            false if is_whole(args.column(0), row) && is_whole(args.column(1), row) => whole(filtered),
            false => reals(filtered),
        }))
    })
}

/// Returns the sum of the products of the coefficients with the points from `index` backwards.
fn convolved(series: &[f64], filter: &[f64], index: usize) -> f64 {
    let terms = filter.iter().enumerate().filter_map(|(lag, coefficient)| {
        let point = series.get(index.checked_sub(lag)?)?;
        Some(coefficient * point)
    });
    terms.sum()
}

/// Returns a JSON array of whole numbers; a number that is too large to be exact is written as a real.
fn whole(series: impl Iterator<Item = f64>) -> String {
    const MAX_EXACT: f64 = 9_007_199_254_740_992.0;
    let mut array = ArrayWriter::new();
    for number in series {
        #[expect(clippy::cast_possible_truncation, reason = "the guard keeps it in range")]
        array.push(&if number.abs() < MAX_EXACT { Value::Long(number as i64) } else { Value::Real(number) });
    }
    array.finish()
}

fn iir(args: &Args<'_>) -> Result<Column> {
    map_series(args, |row| {
        let [series, numerators, denominators] = [0, 1, 2].map(|index| numbers(args.column(index), row));
        let (Some(series), Some(numerators), Some(denominators)) = (series?, numerators?, denominators?) else {
            return Ok(None);
        };
        let (first, feedback) = denominators.split_first().unwrap_or((&0.0, &[]));
        if *first == 0.0 {
            return Err(Doubt::SeriesUndefined);
        }
        check_work(&series, numerators.len().saturating_add(denominators.len()))?;
        let mut filtered: Vec<f64> = Vec::with_capacity(series.len());
        for index in 0..series.len() {
            let own = convolved(&series, &numerators, index);
            let back = if index == 0 { 0.0 } else { convolved(&filtered, feedback, index - 1) };
            filtered.push((own - back) / first);
        }
        Ok(Some(reals(filtered)))
    })
}
