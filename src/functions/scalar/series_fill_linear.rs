//! Linear interpolation of missing values in a series.
//!
//! Source: the reference's page on `series_fill_linear`. A series of whole numbers has whole numbers in the result.
//! Values that are missing at an end get the nearest value that is there.

use super::series::{SERIES, SeriesResult, count, elements, map_series, number};
use super::series_fill::{MissingValue, NUMBER, PLACEHOLDER};
use crate::diagnostic::Result;
use crate::functions::args::Args;
use crate::functions::docs::{Category, Example};
use crate::functions::signature::{Nulls, Overload, Param, ResultName, Returns};
use crate::functions::{Doubt, ScalarFunction};
use crate::types::dynamic::{self, ArrayWriter};
use crate::types::{Column, Type, Value};

/// The functions that this file defines.
pub static FUNCTIONS: &[ScalarFunction] = &[ScalarFunction {
    name: "series_fill_linear",
    summary: "Returns a series in which each missing value is replaced by linear interpolation.",
    overloads: &[Overload { params: PARAMS, returns: Returns::Type(Type::Dynamic), kernel: fill_linear }],
    examples: &[
        Example::new("series_fill_linear(dynamic([null, 1, null, null, 5.5, null]))", "[1,1,2.5,4.0,5.5,5.5]"),
        Example::new("series_fill_linear(dynamic([1, -1, 4]), -1)", "[1,2,4]"),
        Example::new("series_fill_linear(dynamic([null, 1, null, 4]), double(null), false)", "[null,1,2,4]"),
        Example::new("series_fill_linear(dynamic([null, null]), long(null), true, 7)", "[7,7]"),
    ],
    category: Category::Series,
    result_name: ResultName::FirstArgument,
    nulls: Nulls::Handled,
    ..ScalarFunction::DEFAULT
}];

static PARAMS: &[Param] = &[
    SERIES,
    PLACEHOLDER,
    Param::new("fill_edges", Type::Bool, "true to fill the start and the end; true by default").optional(),
    Param::of("constant_value", NUMBER, "the elements if all values are missing; 0.0 by default").optional(),
];

fn fill_linear(args: &Args<'_>) -> Result<Column> {
    let given = |index: usize, row: usize| args.columns().get(index).map(|column| column.value(row));
    map_series(args, |row| {
        let Some(elements) = elements(args.column(0), row)? else { return Ok(None) };
        let placeholder = MissingValue::of(args, 1, row);
        let points = elements.into_iter().map(|element| point(element, &placeholder)).collect::<SeriesResult<_>>()?;
        let fill_edges = !matches!(given(2, row), Some(Value::Bool(false)));
        let missing = given(1, row).map_or_else(|| "null".to_owned(), |value| json_of(&value));
        let constant = given(3, row).map_or_else(|| "0.0".to_owned(), |value| json_of(&value));
        Ok(Some(Gaps { points, missing, constant, fill_edges }.filled()))
    })
}

fn json_of(value: &Value) -> String {
    let mut json = String::new();
    dynamic::write_value(value, &mut json);
    json
}

/// Returns the element if it is a number, and None if it is missing; anything else is a doubt.
fn point<'a>(element: &'a str, placeholder: &MissingValue) -> SeriesResult<Option<&'a str>> {
    match placeholder.matches(element)? {
        true => Ok(None),
        false if number(element).is_some() => Ok(Some(element)),
        false => Err(Doubt::SeriesElements),
    }
}

/// A series with missing values, and what replaces them.
struct Gaps<'a> {
    points: Vec<Option<&'a str>>,
    /// The JSON of a value that is missing and not filled.
    missing: String,
    /// The JSON of each element if all elements are missing.
    constant: String,
    fill_edges: bool,
}

/// An element of a series that is not missing, with its position.
struct KnownPoint<'a> {
    index: usize,
    /// The JSON of the element.
    element: &'a str,
}

impl Gaps<'_> {
    fn filled(&self) -> String {
        let points = self.points.iter().enumerate();
        let known: Vec<KnownPoint<'_>> =
            points.filter_map(|(index, point)| Some(KnownPoint { index, element: (*point)? })).collect();
        let mut array = ArrayWriter::new();
        let (Some(first), Some(last)) = (known.first(), known.last()) else {
            self.points.iter().for_each(|_| array.push_json(&self.constant));
            return array.finish();
        };
        let edge =
            |nearest: &KnownPoint<'_>| if self.fill_edges { nearest.element.to_owned() } else { self.missing.clone() };
        let is_whole = known.iter().all(|point| point.element.parse::<i64>().is_ok());
        (0..first.index).for_each(|_| array.push_json(&edge(first)));
        for pair in known.windows(2) {
            array.push_json(pair[0].element);
            for index in pair[0].index + 1..pair[1].index {
                array.push(&between(&pair[0], &pair[1], index, is_whole));
            }
        }
        array.push_json(last.element);
        (last.index + 1..self.points.len()).for_each(|_| array.push_json(&edge(last)));
        array.finish()
    }
}

/// Returns the value at `index` on the line from `left` to `right`, truncated to a whole number if `is_whole`.
fn between(left: &KnownPoint<'_>, right: &KnownPoint<'_>, index: usize, is_whole: bool) -> Value {
    let (from, to) = (number(left.element).unwrap_or(0.0), number(right.element).unwrap_or(0.0));
    let value = from + (to - from) * count(index - left.index) / count(right.index - left.index);
    #[expect(clippy::cast_possible_truncation, reason = "the value is between two whole numbers")]
    if is_whole { Value::Long(value as i64) } else { Value::Real(value) }
}
