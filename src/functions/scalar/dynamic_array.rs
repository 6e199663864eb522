//! Array functions: length, parts and order. Anything but an array gives null.

use std::borrow::Cow;
use std::cmp::Ordering;

use super::search::Search;
use super::string::{INTEGER, long};
use crate::diagnostic::Result;
use crate::functions::ScalarFunction;
use crate::functions::args::{Args, MAX_VALUE_BYTES, too_long};
use crate::functions::docs::{Category, Example};
use crate::functions::signature::{Accepts, Nulls, Overload, Param, ResultName, Returns};
use crate::types::dynamic::{ArrayWriter, Kind, canonical, elements, kind, to_text, unescape, write_value};
use crate::types::{Column, Type};

const ARRAY: Param = Param::new("array", Type::Dynamic, "the array");

/// The functions of this family.
pub static FUNCTIONS: &[ScalarFunction] = &[
    ScalarFunction {
        name: "array_length",
        aliases: &["arraylength"],
        category: Category::Dynamic,
        summary: "Returns the number of elements in the array, or null if it is not an array.",
        overloads: &[Overload {
            params: &[ARRAY],
            returns: Returns::Type(Type::Long),
            kernel: |args| Ok(args.map_text(0, |json| is_array(json).then(|| long(elements(json).count())).flatten())),
        }],
        examples: &[
            Example::new("array_length(dynamic([1, 2, 'three']))", "3"),
            Example::new("array_length(dynamic({}))", "long(null)"),
        ],
        ..ScalarFunction::DEFAULT
    },
    ScalarFunction {
        name: "array_concat",
        category: Category::Dynamic,
        summary: "Returns the concatenation of the arrays; arguments that are not arrays add nothing.",
        overloads: &[Overload { params: &[ARRAY.repeated()], returns: Returns::Type(Type::Dynamic), kernel: concat }],
        examples: &[
            Example::new("array_concat(dynamic([1, 2]), dynamic([3]))", "[1,2,3]"),
            Example::new("array_concat(dynamic([1, 2]), dynamic(null))", "[1,2]"),
        ],
        nulls: Nulls::Handled,
        ..ScalarFunction::DEFAULT
    },
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
                let values = Elements::of(args, 1);
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
        name: "array_reverse",
        category: Category::Dynamic,
        summary: "Returns the elements of the array in reverse order.",
        overloads: &[Overload {
            params: &[ARRAY],
            returns: Returns::Type(Type::Dynamic),
            kernel: |args| Ok(map_array(args, |array, _| Some(written(array.iter().rev().copied())))),
        }],
        examples: &[Example::new("array_reverse(dynamic([1, 'two']))", r#"["two",1]"#)],
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
                Param::of(
                    "default",
                    Accepts::Any,
                    "the value filled in; by default null, or \"\" in an array of strings",
                )
                .optional(),
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
                Param::of(
                    "default",
                    Accepts::Any,
                    "the value filled in; by default null, or \"\" in an array of strings",
                )
                .optional(),
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
    ScalarFunction {
        name: "array_sum",
        category: Category::Dynamic,
        summary: "Returns the sum of the elements of the array, or null if an element is not a number.",
        overloads: &[Overload {
            params: &[ARRAY],
            returns: Returns::Type(Type::Real),
            kernel: |args| {
                Ok(map_array(args, |array, _| array.iter().map(|element| number(element)).sum::<Option<f64>>()))
            },
        }],
        examples: &[
            Example::new("array_sum(dynamic([1, 2, 3.5]))", "6.5"),
            Example::new("array_sum(dynamic([1, 'two']))", "real(null)"),
        ],
        ..ScalarFunction::DEFAULT
    },
    ScalarFunction {
        name: "array_iff",
        aliases: &["array_iif"],
        category: Category::Dynamic,
        summary: "Returns an array of elements of one of two arrays, selected by an array of conditions.",
        overloads: &[Overload {
            params: &[
                Param::new("condition", Type::Dynamic, "an array of bools, or of numbers of which 0 is false"),
                Param::of("when_true", Accepts::Any, "an array, or one value or an array of one value for all"),
                Param::of("when_false", Accepts::Any, "an array, or one value or an array of one value for all"),
            ],
            returns: Returns::Type(Type::Dynamic),
            kernel: iff,
        }],
        examples: &[
            Example::new("array_iff(dynamic([true, false]), dynamic([1, 2]), dynamic([3, 4]))", "[1,4]"),
            Example::new("array_iff(dynamic([1, 0, 'x']), 'yes', 'no')", r#"["yes","no",null]"#),
            Example::new("array_iff(dynamic([true, false]), dynamic([1]), dynamic([3, 4]))", "[1,4]"),
        ],
        nulls: Nulls::Handled,
        ..ScalarFunction::DEFAULT
    },
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
    ScalarFunction {
        name: "strcat_array",
        aliases: &["array_strcat"],
        category: Category::Dynamic,
        summary: "Returns the elements of the array as one string, with a delimiter between them.",
        overloads: &[Overload {
            params: &[ARRAY, Param::of("delimiter", Accepts::Any, "the delimiter")],
            returns: Returns::Type(Type::String),
            kernel: join,
        }],
        examples: &[
            Example::new("strcat_array(dynamic([1, 2, 3]), '->')", "1->2->3"),
            Example::new("strcat_array(dynamic([]), '-')", ""),
        ],
        nulls: Nulls::Handled,
        ..ScalarFunction::DEFAULT
    },
    ScalarFunction {
        name: "pack_array",
        category: Category::Dynamic,
        summary: "Returns an array of the arguments; a datetime, timespan or guid becomes a string.",
        overloads: &[Overload {
            params: &[Param::of("value", Accepts::Any, "an element").repeated()],
            returns: Returns::Type(Type::Dynamic),
            kernel: |args| {
                let values: Vec<_> = (0..args.len()).map(|index| Elements::of(args, index)).collect();
                args.try_map(|row| Ok(written(values.iter().map(|value| value.get(row)))))
            },
        }],
        examples: &[
            Example::new("pack_array(1, 'two', 3s)", r#"[1,"two","00:00:03"]"#),
            Example::new("pack_array(long(null))", "[null]"),
        ],
        nulls: Nulls::Handled,
        ..ScalarFunction::DEFAULT
    },
];

const NULLS_LAST: Param = Param::new("nulls_last", Type::Bool, "false to put nulls first");

fn is_array(json: &str) -> bool {
    kind(json) == Kind::Array
}

/// The elements of the array in `row`; None if it is not an array.
pub(super) fn array_of(column: &Column, row: usize) -> Option<Vec<&str>> {
    column.text_at(row).filter(|json| is_array(json)).map(|json| elements(json).collect())
}

/// The elements of the array in `row` as strings, or the value itself if it is a string.
pub(super) fn texts_of(column: &Column, row: usize) -> Vec<Cow<'_, str>> {
    let text = column.text_at(row).unwrap_or("");
    match column.ty() {
        Type::Dynamic => elements(text).map(to_text).collect(),
        _ => vec![Cow::Borrowed(text)],
    }
}

/// Computes `array -> T` for argument 0; null if it is not an array.
fn map_array<T: crate::functions::Slot>(args: &Args<'_>, of: impl Fn(&[&str], usize) -> Option<T>) -> Column {
    args.map(|row| of(&array_of(args.column(0), row)?, row))
}

/// An array of elements that are JSON.
pub(super) fn written(elements: impl IntoIterator<Item = impl AsRef<str>>) -> String {
    let mut array = ArrayWriter::new();
    elements.into_iter().for_each(|element| array.push_json(element.as_ref()));
    array.finish()
}

/// An argument of any type, converted to JSON.
#[derive(Debug)]
pub(super) struct Elements<'a> {
    column: &'a Column,
    constant: Option<String>,
}

impl<'a> Elements<'a> {
    /// The argument at `index`.
    pub fn of(args: &Args<'a>, index: usize) -> Self {
        let constant = args.constant(index).map(|value| {
            let mut json = String::new();
            write_value(value, &mut json);
            json
        });
        Self { column: args.column(index), constant }
    }

    /// The JSON of `row`.
    pub fn get(&self, row: usize) -> Cow<'_, str> {
        match &self.constant {
            Some(json) => Cow::Borrowed(json),
            None if self.column.ty() == Type::Dynamic => Cow::Borrowed(self.column.text_at(row).unwrap_or("null")),
            None => {
                let mut json = String::new();
                write_value(&self.column.value(row), &mut json);
                Cow::Owned(json)
            }
        }
    }
}

/// The value of a JSON number; None if it is not a number.
fn number(element: &str) -> Option<f64> {
    matches!(kind(element), Kind::Long | Kind::Double).then(|| element.parse().ok()).flatten()
}

fn concat(args: &Args<'_>) -> Result<Column> {
    args.try_map(|row| {
        let arrays: Vec<_> = args.columns().iter().filter_map(|column| array_of(column, row)).collect();
        Ok((!arrays.is_empty()).then(|| written(arrays.iter().flatten())))
    })
}

/// Resolves a position that counts from the end if negative, clamped to 0..=length.
fn clamped(position: i64, length: usize) -> usize {
    let length = i64::try_from(length).unwrap_or(i64::MAX);
    let position = if position < 0 { position.saturating_add(length) } else { position };
    usize::try_from(position.clamp(0, length)).unwrap_or(0)
}

fn slice<'a, 'e>(array: &'a [&'e str], start: i64, end: i64) -> &'a [&'e str] {
    let end = if end == -1 { array.len() } else { clamped(end.saturating_add(1), array.len()) };
    array.get(clamped(start, array.len())..end).unwrap_or_default()
}

/// The position of the element with this canonical form.
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
    let default = (args.len() > 2).then(|| Elements::of(args, 2));
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

fn iff(args: &Args<'_>) -> Result<Column> {
    let branches = [Elements::of(args, 1), Elements::of(args, 2)];
    args.try_map(|row| {
        let Some(conditions) = array_of(args.column(0), row) else { return Ok(None) };
        let values = [branches[0].get(row), branches[1].get(row)];
        let arrays = [0, 1].map(|index| {
            let json = &*values[index];
            let array = args.column(index + 1).ty() == Type::Dynamic && is_array(json);
            array.then(|| elements(json).collect::<Vec<_>>())
        });
        let chosen = conditions.iter().enumerate().map(|(at, condition)| {
            let branch = match kind(condition) {
                Kind::Bool => usize::from(*condition == "false"),
                Kind::Long | Kind::Double => usize::from(number(condition) == Some(0.0)),
                _ => return "null",
            };
            match &arrays[branch] {
                Some(array) => match array.as_slice() {
                    [one] => one,
                    many => many.get(at).copied().unwrap_or("null"),
                },
                None => &values[branch],
            }
        });
        let mut array = ArrayWriter::new();
        for element in chosen {
            array.push_json(element);
            if array.len() > MAX_VALUE_BYTES {
                return Err(too_long("the array"));
            }
        }
        Ok(Some(array.finish()))
    })
}

/// The sort order of an element among those of other types.
/// Source: the reference's page on array_sort_asc().
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

/// The positions of the elements in their order; equal elements stay in the order of the array.
fn sorted_positions(array: &[&str], nulls_last: bool, order: fn(&str, &str) -> Ordering) -> Vec<usize> {
    let is_null = |position: &usize| kind(array[*position]) == Kind::Null;
    let (nulls, mut others): (Vec<usize>, Vec<usize>) = (0..array.len()).partition(is_null);
    others.sort_by(|a, b| order(array[*a], array[*b]));
    if nulls_last { [others, nulls].concat() } else { [nulls, others].concat() }
}

/// A column of `array_sort_asc()` or `array_sort_desc()` with several arrays.
pub(crate) static SORT_BY_ASC: ScalarFunction =
    ScalarFunction { name: "array_sort_asc", overloads: &SORT_BY_ASC_FORMS, ..SORTED_BY };
/// As [`SORT_BY_ASC`].
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

/// The elements of the second array in the order of those of the first; null if it has another length.
fn sort_by(args: &Args<'_>, order: fn(&str, &str) -> Ordering) -> Column {
    map_array(args, |keys, row| {
        let array = array_of(args.column(1), row).filter(|array| array.len() == keys.len())?;
        let positions = sorted_positions(keys, args.bools(2).get(row)?, order);
        Some(written(positions.into_iter().map(|position| &array[position])))
    })
}

fn join(args: &Args<'_>) -> Result<Column> {
    let delimiters = args.to_texts(1);
    args.try_map(|row| {
        let delimiter = delimiters.get(row);
        let mut text = String::new();
        for (index, element) in array_of(args.column(0), row).unwrap_or_default().into_iter().enumerate() {
            if index > 0 {
                text.push_str(&delimiter);
            }
            text.push_str(&to_text(element));
            if text.len() > MAX_VALUE_BYTES {
                return Err(too_long("the string"));
            }
        }
        Ok(text)
    })
}

#[cfg(test)]
mod tests {
    use super::{Search, canonical, compare, cut, position, rotated, slice};

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

    #[test]
    fn numbers_sort_before_texts() {
        let mut mixed = vec!["true", r#""b""#, "10", "2.5", r#""B""#, "-1", "9007199254740993", "9007199254740992"];
        mixed.sort_by(|a, b| compare(a, b));
        assert_eq!(mixed, ["-1", "2.5", "10", "9007199254740992", "9007199254740993", r#""B""#, r#""b""#, "true"]);
    }
}
