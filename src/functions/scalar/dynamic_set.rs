//! Arrays as sets: a duplicate element counts once, at its first position. Anything but an array has no elements.

use std::collections::HashSet;

use super::array_elements::{JsonArgument, array_of, written};
use crate::functions::ScalarFunction;
use crate::functions::args::Args;
use crate::functions::docs::{Category, Example};
use crate::functions::signature::{Accepts, Nulls, Overload, Param, Returns};
use crate::types::dynamic::canonical;
use crate::types::{Column, Type};

const SET: Param = Param::new("set", Type::Dynamic, "an array");
const OTHER: Param = Param::new("other", Type::Dynamic, "an array");

/// The functions that this file defines.
pub static FUNCTIONS: &[ScalarFunction] = &[
    ScalarFunction {
        name: "set_union",
        category: Category::Dynamic,
        summary: "Returns the distinct elements of all arrays.",
        overloads: &[Overload {
            params: &[SET, OTHER.repeated()],
            returns: Returns::Type(Type::Dynamic),
            kernel: |args| {
                args.try_map(|row| {
                    let arrays: Vec<_> = args.columns().iter().filter_map(|column| array_of(column, row)).collect();
                    Ok((!arrays.is_empty()).then(|| written(distinct(arrays.into_iter().flatten(), |_| true))))
                })
            },
        }],
        examples: &[Example::new("set_union(dynamic([1, 2, 1]), dynamic([3, 2]))", "[1,2,3]")],
        nulls: Nulls::Handled,
        ..ScalarFunction::DEFAULT
    },
    ScalarFunction {
        name: "set_intersect",
        category: Category::Dynamic,
        summary: "Returns the distinct elements that occur in every array.",
        overloads: &[Overload {
            params: &[SET, OTHER.repeated()],
            returns: Returns::Type(Type::Dynamic),
            kernel: |args| Ok(compare(args, |others, element| others.iter().all(|other| other.contains(element)))),
        }],
        examples: &[
            Example::new("set_intersect(dynamic([1, 2, 1, 4]), dynamic([1, 4, 5]))", "[1,4]"),
            Example::new("set_intersect(dynamic([1]), dynamic(null))", "[]"),
        ],
        nulls: Nulls::Handled,
        ..ScalarFunction::DEFAULT
    },
    ScalarFunction {
        name: "set_equals",
        category: Category::Dynamic,
        summary: "Returns true if two arrays have the same distinct elements, in any order.",
        overloads: &[Overload {
            params: &[SET, OTHER],
            returns: Returns::Type(Type::Bool),
            kernel: |args| {
                Ok(args.map(|row| Some(set(&array_of(args.column(0), row)?) == set(&array_of(args.column(1), row)?))))
            },
        }],
        examples: &[
            Example::new("set_equals(dynamic([1, 2, 1]), dynamic([2, 1]))", "true"),
            Example::new("set_equals(dynamic([1]), dynamic(['1']))", "false"),
        ],
        ..ScalarFunction::DEFAULT
    },
    ScalarFunction {
        name: "set_difference",
        category: Category::Dynamic,
        summary: "Returns the distinct elements of the first array that occur in no other array.",
        overloads: &[Overload {
            params: &[SET, OTHER.repeated()],
            returns: Returns::Type(Type::Dynamic),
            kernel: |args| Ok(compare(args, |others, element| !others.iter().any(|other| other.contains(element)))),
        }],
        examples: &[
            Example::new("set_difference(dynamic([1, 2, 1, 4]), dynamic([1]), dynamic([5]))", "[2,4]"),
            Example::new("set_difference(dynamic([1, 2]), dynamic(null))", "[1,2]"),
        ],
        nulls: Nulls::Handled,
        ..ScalarFunction::DEFAULT
    },
    ScalarFunction {
        name: "set_has_element",
        category: Category::Dynamic,
        summary: "Returns true if the array contains the element.",
        overloads: &[Overload {
            params: &[SET, Param::of("value", Accepts::Any, "the element to look for")],
            returns: Returns::Type(Type::Bool),
            kernel: |args| {
                let values = JsonArgument::of(args, 1);
                Ok(args.map(|row| {
                    let wanted = canonical(&values.get(row));
                    Some(array_of(args.column(0), row)?.into_iter().any(|element| canonical(element) == wanted))
                }))
            },
        }],
        examples: &[
            Example::new("set_has_element(dynamic(['this', 'is']), 'is')", "true"),
            Example::new("set_has_element(dynamic([1, 2]), 3)", "false"),
        ],
        ..ScalarFunction::DEFAULT
    },
    ScalarFunction {
        name: "jaccard_index",
        category: Category::Dynamic,
        summary: "Returns the Jaccard index of two sets: the size of their intersection divided by the size of their \
                  union.",
        overloads: &[Overload {
            params: &[SET, OTHER],
            returns: Returns::Type(Type::Real),
            kernel: |args| {
                Ok(args.map(|row| {
                    Some(jaccard(&set(&array_of(args.column(0), row)?), &set(&array_of(args.column(1), row)?)))
                }))
            },
        }],
        examples: &[Example::new("jaccard_index(dynamic([1, 2, 3]), dynamic([1, 2, 3, 4]))", "0.75")],
        ..ScalarFunction::DEFAULT
    },
];

fn set(elements: &[&str]) -> HashSet<String> {
    elements.iter().map(|element| canonical(element)).collect()
}

/// Returns the distinct elements whose canonical form `keep` accepts. Elements with the same canonical form are equal.
fn distinct<'a>(elements: impl Iterator<Item = &'a str>, keep: impl Fn(&str) -> bool) -> Vec<&'a str> {
    let mut seen = HashSet::new();
    elements
        .filter(|element| {
            let key = canonical(element);
            keep(&key) && seen.insert(key)
        })
        .collect()
}

/// Returns the distinct elements of the first argument that `keep` accepts. It is called with the sets of the other
/// arguments and the canonical form of an element.
fn compare(args: &Args<'_>, keep: fn(&[HashSet<String>], &str) -> bool) -> Column {
    let others = |row: usize| -> Vec<_> {
        args.columns()[1..].iter().map(|column| set(&array_of(column, row).unwrap_or_default())).collect()
    };
    let constant = (1..args.len()).all(|index| args.constant(index).is_some()).then(|| others(0));
    args.map(|row| {
        let array = array_of(args.column(0), row)?;
        let computed = if constant.is_none() { others(row) } else { Vec::new() };
        let others = constant.as_ref().unwrap_or(&computed);
        Some(written(distinct(array.into_iter(), |element| keep(others, element))))
    })
}

#[expect(clippy::cast_precision_loss, reason = "a set has far fewer than 2^53 elements")]
fn jaccard(a: &HashSet<String>, b: &HashSet<String>) -> f64 {
    let both = a.intersection(b).count();
    both as f64 / (a.len() + b.len() - both) as f64
}
