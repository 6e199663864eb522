//! `and` and `or` in three-valued logic: null is "unknown", which a filter treats as false.
//! Source: the reference's page on logical operators.

use arrow::array::{Array, AsArray, BooleanArray};
use arrow::compute;

use super::{left, right};
use crate::diagnostic::Result;
use crate::functions::docs::{Category, Example};
use crate::functions::signature::{Accepts, Nulls, Overload, Returns};
use crate::functions::{Args, ScalarFunction};
use crate::types::{Column, Type};

/// The operators `and` and `or`.
pub(super) static OPERATORS: &[ScalarFunction] = &[
    ScalarFunction {
        name: "and",
        category: Category::Operator,
        summary: "True if both sides are true, false if one is false, null otherwise.",
        overloads: &[Overload {
            params: &[left(Accepts::Type(Type::Bool)), right(Accepts::Type(Type::Bool))],
            returns: Returns::Type(Type::Bool),
            kernel: |args| combine(args, compute::and_kleene),
        }],
        examples: &[
            Example::new("true and false", "false"),
            Example::new("bool(null) and false", "false"),
            Example::new("bool(null) and true", "bool(null)"),
        ],
        nulls: Nulls::Handled,
        ..ScalarFunction::DEFAULT
    },
    ScalarFunction {
        name: "or",
        category: Category::Operator,
        summary: "True if one side is true, false if both are false, null otherwise.",
        overloads: &[Overload {
            params: &[left(Accepts::Type(Type::Bool)), right(Accepts::Type(Type::Bool))],
            returns: Returns::Type(Type::Bool),
            kernel: |args| combine(args, compute::or_kleene),
        }],
        examples: &[
            Example::new("true or false", "true"),
            Example::new("bool(null) or true", "true"),
            Example::new("bool(null) or false", "bool(null)"),
        ],
        nulls: Nulls::Handled,
        ..ScalarFunction::DEFAULT
    },
];

type Combine = fn(&BooleanArray, &BooleanArray) -> std::result::Result<BooleanArray, arrow::error::ArrowError>;

fn combine(args: &Args<'_>, of: Combine) -> Result<Column> {
    let rows = args.distinct_rows();
    let sides = [args.column(0), args.column(1)].map(|column| {
        let column = if column.as_array().is_none() { column.resized(rows) } else { column.clone() };
        column.to_array()
    });
    let values = of(sides[0].as_boolean(), sides[1].as_boolean())?;
    Ok(args.truths(values.values().clone(), values.nulls().map(|nulls| nulls.inner().clone())))
}
