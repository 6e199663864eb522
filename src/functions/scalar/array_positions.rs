//! Functions of positions in arrays: slices, searches, rotations, shifts and splits. Anything but an array gives null.

use std::borrow::Cow;

use super::array_elements::{ARRAY, JsonArgument, array_of, map_array, written};
use super::search::Search;
use super::string::{INTEGER, long};
use crate::functions::ScalarFunction;
use crate::functions::args::Args;
use crate::functions::docs::{Category, Example};
use crate::functions::signature::{Accepts, Nulls, Overload, Param, Returns};
use crate::types::dynamic::{Kind, canonical, kind};
use crate::types::{Column, Type};

/// The parameter for the value at the positions that a shift leaves empty.
const FILLED_IN: Param =
    Param::of("default", Accepts::Any, "the value filled in; by default null, or \"\" in an array of strings")
        .optional();

/// The functions that this file defines.
pub static FUNCTIONS: &[ScalarFunction] = &[
    ScalarFunction {
        name: "array_slice",
        category: Category::Dynamic,
        summary: "Returns the elements of the array from one position to another, both included.",
        overloads: &[Overload {
            params: &[
                ARRAY,
                Param::new("start", INTEGER, "the zero-based first position; negative counts from the end"),
                Param::new("end", INTEGER, "the last position; negative counts from the end"),
            ],
            returns: Returns::Type(Type::Dynamic),
            kernel: |args| {
                Ok(map_array(args, |array, row| {
                    let (start, end) = (args.longs(1).get(row)?, args.longs(2).get(row)?);
                    Some(written(slice(array, start, end)))
                }))
            },
        }],
        examples: &[
            Example::new("array_slice(dynamic([1, 2, 3, 4, 5]), 1, 2)", "[2,3]"),
            Example::new("array_slice(dynamic([1, 2, 3, 4, 5]), -3, -1)", "[3,4,5]"),
        ],
        ..ScalarFunction::DEFAULT
    },
    ScalarFunction {
        name: "array_index_of",
        category: Category::Dynamic,
        summary: "Returns the zero-based position of a value in the array, or -1 if it does not occur.",
        overloads: &[Overload {
            params: &[
                ARRAY,
                Param::of("value", Accepts::Any, "the value to search for"),
                Param::new("start", INTEGER, "the position to start at; negative counts from the end").optional(),
                Param::new("length", INTEGER, "the number of positions to search; -1 for all").optional(),
                Param::new("occurrence", INTEGER, "the number of the occurrence, from 1").optional().constant(),
            ],
            returns: Returns::Type(Type::Long),
            kernel: |args| {
                let values = JsonArgument::of(args, 1);
                Ok(map_array(args, |array, row| {
                    position(array, &canonical(&values.get(row)), Search::of(args, 2, row)?)
                }))
            },
        }],
        examples: &[
            Example::new("array_index_of(dynamic(['a', 'b', 'a']), 'b')", "1"),
            Example::new("array_index_of(dynamic(['a', 'b', 'a']), 'c')", "-1"),
            Example::new("array_index_of(dynamic(['a', 'b', 'a']), 'a', 0, -1, 2)", "2"),
        ],
        ..ScalarFunction::DEFAULT
    },
    ScalarFunction {
        name: "array_rotate_left",
        category: Category::Dynamic,
        summary: "Returns the elements of the array rotated to the left.",
        overloads: &[Overload {
            params: &[ARRAY, Param::new("count", INTEGER, "the number of positions; negative moves to the right")],
            returns: Returns::Type(Type::Dynamic),
            kernel: |args| Ok(map_array(args, |array, row| Some(rotated(array, args.longs(1).get(row)?)))),
        }],
        examples: &[Example::new("array_rotate_left(dynamic([1, 2, 3, 4, 5]), 2)", "[3,4,5,1,2]")],
        ..ScalarFunction::DEFAULT
    },
    ScalarFunction {
        name: "array_rotate_right",
        category: Category::Dynamic,
        summary: "Returns the elements of the array rotated to the right.",
        overloads: &[Overload {
            params: &[ARRAY, Param::new("count", INTEGER, "the number of positions; negative moves to the left")],
            returns: Returns::Type(Type::Dynamic),
            kernel: |args| {
                Ok(map_array(args, |array, row| Some(rotated(array, args.longs(1).get(row)?.wrapping_neg()))))
            },
        }],
        examples: &[Example::new("array_rotate_right(dynamic([1, 2, 3, 4, 5]), 2)", "[4,5,1,2,3]")],
        ..ScalarFunction::DEFAULT
    },
    ScalarFunction {
        name: "array_shift_left",
        category: Category::Dynamic,
        summary: "Returns the elements of the array shifted to the left, with a default value filled in at the right.",
        overloads: &[Overload {
            params: &[
                ARRAY,
                Param::new("count", INTEGER, "the number of positions; negative moves to the right"),
                FILLED_IN,
            ],
            returns: Returns::Type(Type::Dynamic),
            kernel: |args| Ok(shift(args, |count| count)),
        }],
        examples: &[
            Example::new("array_shift_left(dynamic([1, 2, 3, 4, 5]), 2)", "[3,4,5,null,null]"),
            Example::new("array_shift_left(dynamic([1, 2, 3, 4, 5]), -2, -1)", "[-1,-1,1,2,3]"),
        ],
        nulls: Nulls::Handled,
        ..ScalarFunction::DEFAULT
    },
    ScalarFunction {
        name: "array_shift_right",
        category: Category::Dynamic,
        summary: "Returns the elements of the array shifted to the right, with a default value filled in at the left.",
        overloads: &[Overload {
            params: &[
                ARRAY,
                Param::new("count", INTEGER, "the number of positions; negative moves to the left"),
                FILLED_IN,
            ],
            returns: Returns::Type(Type::Dynamic),
            kernel: |args| Ok(shift(args, i64::saturating_neg)),
        }],
        examples: &[Example::new("array_shift_right(dynamic([1, 2, 3, 4, 5]), 2)", "[null,null,1,2,3]")],
        nulls: Nulls::Handled,
        ..ScalarFunction::DEFAULT
    },
    ScalarFunction {
        name: "array_split",
        category: Category::Dynamic,
        summary: "Returns an array of the parts of an array split at one or more positions.",
        overloads: &[
            Overload {
                params: &[
                    ARRAY,
                    Param::new("index", INTEGER, "the zero-based position to split at; negative counts from the end"),
                ],
                returns: Returns::Type(Type::Dynamic),
                kernel: |args| Ok(map_array(args, |array, row| Some(cut(array, &[args.longs(1).get(row)?])))),
            },
            Overload {
                params: &[ARRAY, Param::new("indices", Type::Dynamic, "an array of positions to split at")],
                returns: Returns::Type(Type::Dynamic),
                kernel: |args| {
                    Ok(map_array(args, |array, row| {
                        let indices: Vec<i64> = match array_of(args.column(1), row) {
                            Some(indices) => indices.iter().filter_map(|index| index.parse().ok()).collect(),
                            None => vec![args.column(1).text_at(row)?.trim_ascii().parse().ok()?],
                        };
                        Some(cut(array, &indices))
                    }))
                },
            },
        ],
        examples: &[
            Example::new("array_split(dynamic([1, 2, 3, 4, 5]), 2)", "[[1,2],[3,4,5]]"),
            Example::new("array_split(dynamic([1, 2, 3, 4, 5]), dynamic([1, 3]))", "[[1],[2,3],[4,5]]"),
        ],
        ..ScalarFunction::DEFAULT
    },
];

/// Returns the zero-based position for one that counts from the end if it is negative, limited to 0..=length.
fn clamped(position: i64, length: usize) -> usize {
    let length = i64::try_from(length).unwrap_or(i64::MAX);
    let position = if position < 0 { position.saturating_add(length) } else { position };
    usize::try_from(position.clamp(0, length)).unwrap_or(0)
}

fn slice<'a, 'e>(array: &'a [&'e str], start: i64, end: i64) -> &'a [&'e str] {
    let end = if end == -1 { array.len() } else { clamped(end.saturating_add(1), array.len()) };
    array.get(clamped(start, array.len())..end).unwrap_or_default()
}

/// Returns the position of the element whose canonical form is `wanted`; -1 if there is none, and None if the search is
/// invalid.
fn position(array: &[&str], wanted: &str, search: Search) -> Option<i64> {
    let from_end = if search.start < 0 { i64::try_from(array.len()).ok()? } else { 0 };
    let start = usize::try_from(search.start.checked_add(from_end)?).ok().filter(|_| search.is_valid())?;
    let length = usize::try_from(search.length).unwrap_or(usize::MAX);
    let index = usize::try_from(search.occurrence - 1).unwrap_or(usize::MAX);
    let within = array.iter().enumerate().skip(start).take(length);
    let mut found = within.filter(|(_, element)| canonical(element) == wanted).skip(index);
    found.next().map_or(Some(-1), |(at, _)| long(at))
}

fn rotated(array: &[&str], count: i64) -> String {
    let length = i64::try_from(array.len()).unwrap_or(i64::MAX).max(1);
    let (left, right) = array.split_at(usize::try_from(count.rem_euclid(length)).unwrap_or(0));
    written(right.iter().chain(left))
}

fn shift(args: &Args<'_>, direction: fn(i64) -> i64) -> Column {
    let default = (args.len() > 2).then(|| JsonArgument::of(args, 2));
    map_array(args, |array, row| {
        let count = direction(args.longs(1).get(row)?);
        let texts = !array.is_empty() && array.iter().all(|element| kind(element) == Kind::String);
        let fill = default.as_ref().map_or(Cow::Borrowed(if texts { "\"\"" } else { "null" }), |value| value.get(row));
        let gone = usize::try_from(count.unsigned_abs()).unwrap_or(usize::MAX).min(array.len());
        let fills = std::iter::repeat_n(&*fill, gone);
        Some(if count < 0 {
            written(fills.chain(array[..array.len() - gone].iter().copied()))
        } else {
            written(array[gone..].iter().copied().chain(fills))
        })
    })
}

fn cut(array: &[&str], indices: &[i64]) -> String {
    let cuts: Vec<_> = indices.iter().map(|index| clamped(*index, array.len())).collect();
    let starts = std::iter::once(0).chain(cuts.iter().copied());
    let ends = cuts.iter().copied().chain(std::iter::once(array.len()));
    written(starts.zip(ends).map(|(start, end)| written(array.get(start..end).unwrap_or_default())))
}

#[cfg(test)]
mod tests {
    use super::{Search, canonical, cut, position, rotated, slice};

    const FIVE: [&str; 5] = ["1", "2", "3", "4", "5"];

    #[test]
    fn slices_include_both_ends_and_stay_inside() {
        let table: [(i64, i64, &[&str]); 7] = [
            (1, 2, &["2", "3"]),
            (-3, -2, &["3", "4"]),
            (2, -1, &["3", "4", "5"]),
            (-9, 9, &FIVE),
            (3, 1, &[]),
            (9, 9, &[]),
            (i64::MIN, i64::MAX, &FIVE),
        ];
        for (start, end, expected) in table {
            assert_eq!(slice(&FIVE, start, end), expected, "{start} {end}");
        }
    }

    #[test]
    fn rotations_and_cuts() {
        assert_eq!(rotated(&FIVE, 7), "[3,4,5,1,2]");
        assert_eq!(rotated(&FIVE, i64::MIN), rotated(&FIVE, i64::MIN % 5));
        assert_eq!(rotated(&[], 3), "[]");
        assert_eq!(cut(&FIVE, &[1, 3]), "[[1],[2,3],[4,5]]");
        assert_eq!(cut(&FIVE, &[-1, 9]), "[[1,2,3,4],[5],[]]");
        assert_eq!(cut(&FIVE, &[3, 1]), "[[1,2,3],[],[2,3,4,5]]");
    }

    #[test]
    fn positions_in_an_array() {
        let words = [r#""this""#, r#""is""#, r#""an""#, r#""example""#, r#""an""#, r#""ex\u0061mple""#];
        let at = |word: &str, start, length, occurrence| {
            position(&words, &canonical(&format!("{word:?}")), Search { start, length, occurrence })
        };
        assert_eq!(at("an", 0, -1, 1), Some(2));
        assert_eq!(at("example", 1, 3, 1), Some(3));
        assert_eq!(at("example", 1, 2, 1), Some(-1));
        assert_eq!(at("is", 2, 4, 1), Some(-1));
        assert_eq!(at("an", 1, -1, 2), Some(4));
        assert_eq!(at("an", -3, -1, 1), Some(4));
        assert_eq!(at("example", 0, -1, 2), Some(5));
        assert_eq!(at("an", 0, -2, 1), None);
        assert_eq!(at("an", i64::MIN, -1, 1), None);
    }
}
