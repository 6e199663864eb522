//! Functions that replace the missing values of a series with a constant or a neighbour.
//!
//! Source: the reference's pages. The result may contain nulls if the query names another value for missing ones.

use super::array_elements::{JsonArgument, written};
use super::series::{SERIES, SeriesResult, elements, map_series, real_in};
use crate::diagnostic::Result;
use crate::functions::args::Args;
use crate::functions::docs::{Category, Example};
use crate::functions::signature::{Accepts, Nulls, Overload, Param, ResultName, Returns};
use crate::functions::{Doubt, ScalarFunction};
use crate::types::{Column, Type};

/// The functions that this file defines.
pub static FUNCTIONS: &[ScalarFunction] = &[
    ScalarFunction {
        name: "series_fill_const",
        summary: "Returns a series in which each missing value is replaced with a constant.",
        overloads: &[Overload {
            params: &[SERIES, Param::of("constant", NUMBER, "the value"), PLACEHOLDER],
            returns: Returns::Type(Type::Dynamic),
            kernel: fill_const,
        }],
        examples: &[
            Example::new("series_fill_const(dynamic([1, null, 3.5]), 0.0)", "[1,0.0,3.5]"),
            Example::new("series_fill_const(dynamic([1, -1, 3.5]), 0, -1)", "[1,0,3.5]"),
        ],
        ..FILL
    },
    ScalarFunction {
        name: "series_fill_forward",
        summary: "Returns a series in which each missing value is replaced with the preceding value.",
        overloads: &[Overload {
            params: &[SERIES, PLACEHOLDER],
            returns: Returns::Type(Type::Dynamic),
            kernel: |args| fill(args, false),
        }],
        examples: &[
            Example::new("series_fill_forward(dynamic([null, 1, null, 3.5]))", "[null,1,1,3.5]"),
            Example::new("series_fill_forward(dynamic([0, 1, 0, 3.5]), 0)", "[0,1,1,3.5]"),
        ],
        ..FILL
    },
    ScalarFunction {
        name: "series_fill_backward",
        summary: "Returns a series in which each missing value is replaced with the following value.",
        overloads: &[Overload {
            params: &[SERIES, PLACEHOLDER],
            returns: Returns::Type(Type::Dynamic),
            kernel: |args| fill(args, true),
        }],
        examples: &[Example::new("series_fill_backward(dynamic([null, 1, null, 3.5, null]))", "[1,1,3.5,3.5,null]")],
        ..FILL
    },
];

const FILL: ScalarFunction = ScalarFunction {
    category: Category::Series,
    result_name: ResultName::FirstArgument,
    nulls: Nulls::Handled,
    ..ScalarFunction::DEFAULT
};

pub(super) const NUMBER: Accepts = Accepts::OneOf(&[Type::Long, Type::Int, Type::Real]);

/// The optional parameter for the value that stands for a missing one.
pub(super) const PLACEHOLDER: Param =
    Param::of("missing_value_placeholder", NUMBER, "the value that stands for a missing one; null by default")
        .optional();

/// The value that stands for a missing one in a series.
pub(super) enum MissingValue {
    Null,
    Number(f64),
}

impl MissingValue {
    /// Reads the argument at `index`; null if it is omitted.
    pub fn of(args: &Args<'_>, index: usize, row: usize) -> Self {
        let given = args.columns().get(index).and_then(|column| column.f64_at(row));
        given.map_or(Self::Null, Self::Number)
    }

    /// True if `element` is missing. An element that is neither a number nor null is a doubt.
    #[expect(clippy::float_cmp, reason = "a placeholder stands for itself, not for close numbers")]
    pub fn matches(&self, element: &str) -> SeriesResult<bool> {
        match (self, real_in(element)) {
            (Self::Null, None) if element == "null" => Ok(true),
            (Self::Number(_), None) if element == "null" => Ok(false),
            (_, None) => Err(Doubt::SeriesElements),
            (Self::Null, Some(_)) => Ok(false),
            (Self::Number(missing), Some(number)) => Ok(*missing == number || (missing.is_nan() && number.is_nan())),
        }
    }
}

fn fill_const(args: &Args<'_>) -> Result<Column> {
    let constants = JsonArgument::of(args, 1);
    map_series(args, |row| {
        let Some(mut elements) = elements(args.column(0), row)? else { return Ok(None) };
        let (constant, placeholder) = (constants.get(row), MissingValue::of(args, 2, row));
        for element in &mut elements {
            if placeholder.matches(element)? {
                *element = &constant;
            }
        }
        Ok(Some(written(elements)))
    })
}

fn fill(args: &Args<'_>, backward: bool) -> Result<Column> {
    map_series(args, |row| {
        let Some(mut elements) = elements(args.column(0), row)? else { return Ok(None) };
        let placeholder = MissingValue::of(args, 1, row);
        if backward {
            elements.reverse();
        }
        let mut last = None;
        for element in &mut elements {
            if placeholder.matches(element)? {
                *element = last.unwrap_or(*element);
            } else {
                last = Some(*element);
            }
        }
        if backward {
            elements.reverse();
        }
        Ok(Some(written(elements)))
    })
}
