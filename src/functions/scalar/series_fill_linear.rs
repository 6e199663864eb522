//! Linear interpolation of missing values in a series.
//!
//! Source: the reference's page on `series_fill_linear`: a series of whole numbers stays one, and what is missing at
//! the ends is the nearest value.

use super::array_elements::array_of;
use super::series::{SERIES, count, number, unknown};
use crate::diagnostic::{Error, Result};
use crate::functions::ScalarFunction;
use crate::functions::args::Args;
use crate::functions::docs::{Category, Example};
use crate::functions::signature::{Accepts, Nulls, Overload, Param, ResultName, Returns};
use crate::types::dynamic::{self, ArrayWriter};
use crate::types::{Column, Type, Value};

/// The functions of this family.
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

const NUMBER: Accepts = Accepts::OneOf(&[Type::Long, Type::Int, Type::Real]);

static PARAMS: &[Param] = &[
    SERIES,
    Param::of("missing_value_placeholder", NUMBER, "the value that stands for a missing one; null by default")
        .optional(),
    Param::new("fill_edges", Type::Bool, "true to fill the start and the end; true by default").optional(),
    Param::of("constant_value", NUMBER, "the elements if all values are missing; 0.0 by default").optional(),
];

fn fill_linear(args: &Args<'_>) -> Result<Column> {
    let given = |index: usize, row: usize| args.columns().get(index).map(|column| column.value(row));
    args.try_map(|row| {
        let elements = match args.column(0).text_at(row) {
            None | Some("null") => return Ok(None),
            Some(_) => array_of(args.column(0), row),
        };
        let placeholder = given(1, row).filter(|value| !value.is_null()).map(|value| json_of(&value));
        let placeholder = placeholder.as_deref().and_then(number);
        let elements = elements.ok_or_else(not_numbers)?;
        let points = elements.into_iter().map(|element| point(element, placeholder)).collect::<Result<_>>()?;
        let fill_edges = !matches!(given(2, row), Some(Value::Bool(false)));
        let missing = match placeholder {
            Some(_) => given(1, row).map_or_else(|| "null".to_owned(), |value| json_of(&value)),
            None => "null".to_owned(),
        };
        let constant = given(3, row).map_or_else(|| "0.0".to_owned(), |value| json_of(&value));
        Ok(Some(Gaps { points, missing, constant, fill_edges }.filled()))
    })
}

fn json_of(value: &Value) -> String {
    let mut json = String::new();
    dynamic::write_value(value, &mut json);
    json
}

/// The number in an element; None if it is missing.
fn point(element: &str, placeholder: Option<f64>) -> Result<Option<&str>> {
    match (number(element), placeholder) {
        (Some(value), Some(placeholder)) if value.to_bits() == placeholder.to_bits() => Ok(None),
        (Some(_), _) => Ok(Some(element)),
        (None, None) if element == "null" => Ok(None),
        (None, _) => Err(not_numbers()),
    }
}

fn not_numbers() -> Error {
    unknown("a series that is not an array of numbers and missing values is not supported here")
}

/// A series with gaps, and what fills them.
struct Gaps<'a> {
    points: Vec<Option<&'a str>>,
    /// The JSON of a missing value.
    missing: String,
    /// The JSON of each element if all are missing.
    constant: String,
    fill_edges: bool,
}

/// An element of a series that is not missing.
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

/// The value at `index` on the line from `left` to `right`, without its fraction in a series of whole numbers.
fn between(left: &KnownPoint<'_>, right: &KnownPoint<'_>, index: usize, is_whole: bool) -> Value {
    let (from, to) = (number(left.element).unwrap_or(0.0), number(right.element).unwrap_or(0.0));
    let value = from + (to - from) * count(index - left.index) / count(right.index - left.index);
    #[expect(clippy::cast_possible_truncation, reason = "the value is between two whole numbers")]
    if is_whole { Value::Long(value as i64) } else { Value::Real(value) }
}
