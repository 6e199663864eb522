//! Functions of arrays as a whole: length, sum, concatenation, choice, packing. Anything but an array gives null.

use super::array_elements::{ARRAY, JsonArgument, array_of, is_array, map_array, number, written};
use super::string::long;
use crate::diagnostic::Result;
use crate::functions::ScalarFunction;
use crate::functions::args::{Args, MAX_VALUE_BYTES, too_long};
use crate::functions::docs::{Category, Example};
use crate::functions::signature::{Accepts, Nulls, Overload, Param, Returns};
use crate::types::dynamic::{ArrayWriter, Kind, elements, kind, to_text};
use crate::types::{Column, Type};

/// The functions that this file defines.
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
                let values: Vec<_> = (0..args.len()).map(|index| JsonArgument::of(args, index)).collect();
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

fn concat(args: &Args<'_>) -> Result<Column> {
    args.try_map(|row| {
        let arrays: Vec<_> = args.columns().iter().filter_map(|column| array_of(column, row)).collect();
        Ok((!arrays.is_empty()).then(|| written(arrays.iter().flatten())))
    })
}

fn iff(args: &Args<'_>) -> Result<Column> {
    let branches = [JsonArgument::of(args, 1), JsonArgument::of(args, 2)];
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
