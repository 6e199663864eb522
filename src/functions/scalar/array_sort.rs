//! array_sort_asc and array_sort_desc: arrays sorted by their elements, or by those of another array.

use std::cmp::Ordering;

use super::array_elements::{ARRAY, array_of, map_array, number, written};
use crate::functions::ScalarFunction;
use crate::functions::args::Args;
use crate::functions::docs::{Category, Example};
use crate::functions::signature::{Nulls, Overload, Param, ResultName, Returns};
use crate::types::dynamic::{Kind, kind, unescape};
use crate::types::{Column, Type};

/// The functions that this file defines.
pub static FUNCTIONS: &[ScalarFunction] = &[
    ScalarFunction {
        name: "array_sort_asc",
        category: Category::Dynamic,
        summary: "Returns the elements of the array in ascending order: numbers, then strings, then the rest; nulls \
                  are last by default.",
        overloads: &[Overload {
            params: &[ARRAY, NULLS_LAST.optional().constant()],
            returns: Returns::Type(Type::Dynamic),
            kernel: |args| Ok(sort(args, compare)),
        }],
        examples: &[
            Example::new(
                "array_sort_asc(dynamic([null, 'blue', 'yellow', 'green']))",
                r#"["blue","green","yellow",null]"#,
            ),
            Example::new("array_sort_asc(dynamic([2, null, 1]), false)", "[null,1,2]"),
        ],
        result_name: ResultName::Sorted,
        nulls: Nulls::Handled,
        ..ScalarFunction::DEFAULT
    },
    ScalarFunction {
        name: "array_sort_desc",
        category: Category::Dynamic,
        summary: "Returns the elements of the array in descending order; nulls are last by default.",
        overloads: &[Overload {
            params: &[ARRAY, NULLS_LAST.optional().constant()],
            returns: Returns::Type(Type::Dynamic),
            kernel: |args| Ok(sort(args, |a, b| compare(b, a))),
        }],
        examples: &[Example::new("array_sort_desc(dynamic([2, null, 10]))", "[10,2,null]")],
        result_name: ResultName::Sorted,
        nulls: Nulls::Handled,
        ..ScalarFunction::DEFAULT
    },
];

const NULLS_LAST: Param = Param::new("nulls_last", Type::Bool, "false to put nulls first");

/// Returns the rank of an element by its type: numbers sort before strings, and strings before the rest. Source: the
/// reference's page on array_sort_asc().
fn rank(element: &str) -> u8 {
    match kind(element) {
        Kind::Long | Kind::Double => 0,
        Kind::String => 1,
        _ => 2,
    }
}

fn compare(a: &str, b: &str) -> Ordering {
    rank(a).cmp(&rank(b)).then_with(|| match rank(a) {
        0 => compare_numbers(a, b),
        1 => unescape(a).cmp(&unescape(b)),
        _ => Ordering::Equal,
    })
}

fn compare_numbers(a: &str, b: &str) -> Ordering {
    match (a.parse::<i64>(), b.parse::<i64>()) {
        (Ok(a), Ok(b)) => a.cmp(&b),
        _ => number(a).unwrap_or(0.0).total_cmp(&number(b).unwrap_or(0.0)),
    }
}

fn sort(args: &Args<'_>, order: fn(&str, &str) -> Ordering) -> Column {
    map_array(args, |array, row| {
        let nulls_last = if args.len() < 2 { true } else { args.bools(1).get(row)? };
        Some(written(sorted_positions(array, nulls_last, order).into_iter().map(|position| &array[position])))
    })
}

/// Returns the positions of the elements in sorted order; equal elements stay in the order of the array.
fn sorted_positions(array: &[&str], nulls_last: bool, order: fn(&str, &str) -> Ordering) -> Vec<usize> {
    let is_null = |position: &usize| kind(array[*position]) == Kind::Null;
    let (nulls, mut others): (Vec<usize>, Vec<usize>) = (0..array.len()).partition(is_null);
    others.sort_by(|a, b| order(array[*a], array[*b]));
    if nulls_last { [others, nulls].concat() } else { [nulls, others].concat() }
}

/// Computes one result column of `array_sort_asc()` with several arrays: an array in the order of the first one. The
/// binder adds it for each array.
pub(crate) static SORT_BY_ASC: ScalarFunction =
    ScalarFunction { name: "array_sort_asc", overloads: &SORT_BY_ASC_FORMS, ..SORTED_BY };
/// Like [`SORT_BY_ASC`], for `array_sort_desc()`.
pub(crate) static SORT_BY_DESC: ScalarFunction =
    ScalarFunction { name: "array_sort_desc", overloads: &SORT_BY_DESC_FORMS, ..SORTED_BY };

const SORTED_BY: ScalarFunction =
    ScalarFunction { category: Category::Dynamic, nulls: Nulls::Handled, ..ScalarFunction::DEFAULT };

static SORT_BY_ASC_FORMS: [Overload; 1] = [sort_by_form(|args| Ok(sort_by(args, compare)))];
static SORT_BY_DESC_FORMS: [Overload; 1] = [sort_by_form(|args| Ok(sort_by(args, |a, b| compare(b, a))))];

const fn sort_by_form(kernel: crate::functions::Kernel) -> Overload {
    Overload {
        params: const {
            &[
                Param::new("keys", Type::Dynamic, "the array that gives the order"),
                Param::new("array", Type::Dynamic, "the array to order"),
                NULLS_LAST.constant(),
            ]
        },
        returns: Returns::Type(Type::Dynamic),
        kernel,
    }
}

/// Returns the elements of the second argument in the order that sorts the first one; null if their lengths differ.
fn sort_by(args: &Args<'_>, order: fn(&str, &str) -> Ordering) -> Column {
    map_array(args, |keys, row| {
        let array = array_of(args.column(1), row).filter(|array| array.len() == keys.len())?;
        let positions = sorted_positions(keys, args.bools(2).get(row)?, order);
        Some(written(positions.into_iter().map(|position| &array[position])))
    })
}

#[cfg(test)]
mod tests {
    use super::compare;

    #[test]
    fn numbers_sort_before_texts() {
        let mut mixed = vec!["true", r#""b""#, "10", "2.5", r#""B""#, "-1", "9007199254740993", "9007199254740992"];
        mixed.sort_by(|a, b| compare(a, b));
        assert_eq!(mixed, ["-1", "2.5", "10", "9007199254740992", "9007199254740993", r#""B""#, r#""b""#, "true"]);
    }
}
