//! String functions: length, parts and case. Positions and lengths count characters (code points), not bytes.

use std::cmp::Ordering;
use std::iter;

use crate::diagnostic::Result;
use crate::functions::ScalarFunction;
use crate::functions::args::{Args, MAX_VALUE_BYTES, too_long};
use crate::functions::docs::{Category, Example};
use crate::functions::signature::{Accepts, Nulls, Overload, Param, ResultName, Returns};
use crate::types::dynamic::{ArrayWriter, Kind, elements, kind};
use crate::types::{Column, Type};

/// The type of parameters for whole numbers; an int is widened to long.
pub(super) const INTEGER: Type = Type::Long;

/// The functions that this file defines.
pub static FUNCTIONS: &[ScalarFunction] = &[
    ScalarFunction {
        name: "strlen",
        category: Category::String,
        summary: "Returns the number of characters in the string.",
        overloads: &[Overload {
            params: &[Param::new("source", Type::String, "the string to measure")],
            returns: Returns::Type(Type::Long),
            kernel: |args| Ok(args.map_text(0, |text| long(text.chars().count()))),
        }],
        examples: &[Example::new("strlen('héllo')", "5"), Example::new("strlen('')", "0")],
        result_name: ResultName::Prefix("strlen_"),
        ..ScalarFunction::DEFAULT
    },
    ScalarFunction {
        name: "string_size",
        category: Category::String,
        summary: "Returns the size of the string in bytes, encoded as UTF-8.",
        overloads: &[Overload {
            params: &[Param::new("source", Type::String, "the string to measure")],
            returns: Returns::Type(Type::Long),
            kernel: |args| Ok(args.map_text(0, |text| long(text.len()))),
        }],
        examples: &[Example::new("string_size('héllo')", "6")],
        result_name: ResultName::Prefix("string_size_"),
        ..ScalarFunction::DEFAULT
    },
    ScalarFunction {
        name: "tolower",
        category: Category::String,
        summary: "Returns the string in lower case, converted character by character.",
        overloads: &[Overload {
            params: &[Param::of("value", Accepts::Any, "the string to convert; other types are converted to string")],
            returns: Returns::Type(Type::String),
            kernel: |args| Ok(map_any(args, |text| text.chars().map(lower).collect())),
        }],
        examples: &[Example::new("tolower('HÉllo')", "héllo"), Example::new("tolower(true)", "true")],
        ..ScalarFunction::DEFAULT
    },
    ScalarFunction {
        name: "toupper",
        category: Category::String,
        summary: "Returns the string in upper case, converted character by character.",
        overloads: &[Overload {
            params: &[Param::of("value", Accepts::Any, "the string to convert; other types are converted to string")],
            returns: Returns::Type(Type::String),
            kernel: |args| Ok(map_any(args, |text| text.chars().map(upper).collect())),
        }],
        examples: &[Example::new("toupper('HÉllo')", "HÉLLO"), Example::new("toupper('ß')", "ß")],
        ..ScalarFunction::DEFAULT
    },
    ScalarFunction {
        name: "reverse",
        category: Category::String,
        summary: "Returns the characters of the string in reverse order.",
        overloads: &[Overload {
            params: &[Param::of("value", Accepts::Any, "the string to reverse; other types are converted to string")],
            returns: Returns::Type(Type::String),
            kernel: |args| Ok(map_any(args, |text| text.chars().rev().collect())),
        }],
        examples: &[Example::new("reverse('abc')", "cba"), Example::new("reverse(123.45)", "54.321")],
        ..ScalarFunction::DEFAULT
    },
    ScalarFunction {
        name: "strcat",
        category: Category::String,
        summary: "Returns the concatenation of the arguments; a null adds nothing.",
        overloads: &[Overload {
            params: &[Param::of("argument", Accepts::Any, "the string to append; other types are converted to string")
                .repeated()],
            returns: Returns::Type(Type::String),
            kernel: |args| join(args, 0, |_| String::new()),
        }],
        examples: &[Example::new("strcat('a', '-', 123)", "a-123"), Example::new("strcat('a', long(null), 'b')", "ab")],
        nulls: Nulls::Handled,
        ..ScalarFunction::DEFAULT
    },
    ScalarFunction {
        name: "strcat_delim",
        category: Category::String,
        summary: "Returns the concatenation of the arguments with a delimiter between them; a null keeps its \
                  delimiter.",
        overloads: &[Overload {
            params: &[
                Param::of("delimiter", Accepts::Any, "the delimiter"),
                Param::of("first", Accepts::Any, "the first string"),
                Param::of("argument", Accepts::Any, "the string to append; other types are converted to string")
                    .repeated(),
            ],
            returns: Returns::Type(Type::String),
            kernel: |args| {
                let delimiters = args.to_texts(0);
                join(args, 1, |row| delimiters.get(row).into_owned())
            },
        }],
        examples: &[
            Example::new("strcat_delim('-', 1, '2', 3s)", "1-2-00:00:03"),
            Example::new("strcat_delim(',', 'a', long(null), 'b')", "a,,b"),
        ],
        nulls: Nulls::Handled,
        ..ScalarFunction::DEFAULT
    },
    ScalarFunction {
        name: "strrep",
        category: Category::String,
        summary: "Returns the string repeated up to 1024 times.",
        overloads: &[Overload {
            params: &[
                Param::of("value", Accepts::Any, "the string to repeat; other types are converted to string"),
                Param::new("multiplier", Type::Long, "the number of repetitions, at most 1024"),
                Param::of("delimiter", Accepts::Any, "the delimiter; \"\" by default").optional(),
            ],
            returns: Returns::Type(Type::String),
            kernel: repeat_text,
        }],
        examples: &[Example::new("strrep('ABC', 2)", "ABCABC"), Example::new("strrep(123, 3, '.')", "123.123.123")],
        ..ScalarFunction::DEFAULT
    },
    ScalarFunction {
        name: "substring",
        category: Category::String,
        summary: "Returns the part of the string at a position, with a length in characters.",
        overloads: &[Overload {
            params: &[
                Param::of("source", Accepts::Any, "the string; other types are converted to string"),
                Param::new(
                    "start",
                    INTEGER,
                    "the zero-based position of the first character; negative counts from the end",
                ),
                Param::new("length", INTEGER, "the number of characters; up to the end by default").optional(),
            ],
            returns: Returns::Type(Type::String),
            kernel: |args| {
                let (texts, starts) = (args.to_texts(0), args.longs(1));
                let lengths = (args.len() > 2).then(|| args.longs(2));
                Ok(args.map(|row| {
                    let length = lengths.map_or(Some(i64::MAX), |lengths| lengths.get(row));
                    let (text, start) = (texts.get(row), starts.get(row)?);
                    Some(substring(&text, start, length?).to_owned())
                }))
            },
        }],
        examples: &[
            Example::new("substring('abcdefg', 1, 3)", "bcd"),
            Example::new("substring('abcdefg', -3)", "efg"),
            Example::new("substring('abc', 10)", ""),
        ],
        ..ScalarFunction::DEFAULT
    },
    ScalarFunction {
        name: "split",
        category: Category::String,
        summary: "Returns an array of the parts of the string between the delimiters.",
        overloads: &[Overload {
            params: &[
                Param::of("source", Accepts::Any, "the string; other types are converted to string"),
                Param::new("delimiter", Type::String, "the delimiter between the parts"),
                Param::new("index", INTEGER, "only the part at this position, from 0, still as an array").optional(),
            ],
            returns: Returns::Type(Type::Dynamic),
            kernel: split_kernel,
        }],
        examples: &[
            Example::new("split('aa_bb', '_')", r#"["aa","bb"]"#),
            Example::new("split('a_b_c', '_', 1)", r#"["b"]"#),
            Example::new("split('', '_')", r#"[""]"#),
        ],
        result_name: ResultName::FirstArgument,
        nulls: Nulls::Handled,
        ..ScalarFunction::DEFAULT
    },
    ScalarFunction {
        name: "strcmp",
        category: Category::String,
        summary: "Returns -1, 0 or 1 if the first string sorts before, equal to or after the second, by code points.",
        overloads: &[Overload {
            params: &[
                Param::of("first", Accepts::Any, "a string; other types are converted to string"),
                Param::of("second", Accepts::Any, "the string to compare it with"),
            ],
            returns: Returns::Type(Type::Long),
            kernel: |args| {
                let (first, second) = (args.to_texts(0), args.to_texts(1));
                Ok(args.map(|row| match first.get(row).cmp(&second.get(row)) {
                    Ordering::Less => -1,
                    Ordering::Equal => 0,
                    Ordering::Greater => 1_i64,
                }))
            },
        }],
        examples: &[Example::new("strcmp('ABC', 'abc')", "-1"), Example::new("strcmp('abcde', 'abc')", "1")],
        nulls: Nulls::Handled,
        ..ScalarFunction::DEFAULT
    },
    ScalarFunction {
        name: "isascii",
        category: Category::String,
        summary: "Returns true if the string contains only ASCII characters.",
        overloads: &[Overload {
            params: &[Param::of("value", Accepts::Any, "the string to test; other types are converted to string")],
            returns: Returns::Type(Type::Bool),
            kernel: |args| {
                let texts = args.to_texts(0);
                Ok(args.map(|row| texts.get(row).is_ascii()))
            },
        }],
        examples: &[Example::new("isascii('some')", "true"), Example::new("isascii('é')", "false")],
        nulls: Nulls::Handled,
        ..ScalarFunction::DEFAULT
    },
    ScalarFunction {
        name: "isutf8",
        category: Category::String,
        summary: "Returns true if the string is valid UTF-8, as all strings are.",
        overloads: &[Overload {
            params: &[Param::of("value", Accepts::Any, "the string to test; other types are converted to string")],
            returns: Returns::Type(Type::Bool),
            kernel: |args| Ok(args.map(|_| true)),
        }],
        examples: &[Example::new("isutf8('é')", "true")],
        nulls: Nulls::Handled,
        ..ScalarFunction::DEFAULT
    },
    ScalarFunction {
        name: "unicode_codepoints_from_string",
        aliases: &["to_utf8"],
        category: Category::String,
        summary: "Returns an array of the code points of the string.",
        overloads: &[Overload {
            params: &[Param::of("value", Accepts::Any, "the string; other types are converted to string")],
            returns: Returns::Type(Type::Dynamic),
            kernel: |args| {
                let texts = args.to_texts(0);
                args.try_map(|row| {
                    let points: Vec<_> = texts.get(row).chars().map(|c| u32::from(c).to_string()).collect();
                    Ok(format!("[{}]", points.join(",")))
                })
            },
        }],
        examples: &[Example::new("unicode_codepoints_from_string('Kü')", "[75,252]")],
        nulls: Nulls::Handled,
        ..ScalarFunction::DEFAULT
    },
    ScalarFunction {
        name: "unicode_codepoints_to_string",
        aliases: &["make_string"],
        category: Category::String,
        summary: "Returns the string of the given code points.",
        overloads: &[Overload {
            params: &[Param::of(
                "values",
                Accepts::OneOf(&[Type::Long, Type::Int, Type::Dynamic]),
                "a code point, or an array of them; invalid code points are skipped",
            )
            .repeated()],
            returns: Returns::Type(Type::String),
            kernel: |args| {
                Ok(args.map(|row| args.columns().iter().flat_map(|column| characters(column, row)).collect::<String>()))
            },
        }],
        examples: &[
            Example::new("unicode_codepoints_to_string(75, 252)", "Kü"),
            Example::new("unicode_codepoints_to_string(dynamic([75, 252]), 33)", "Kü!"),
        ],
        nulls: Nulls::Handled,
        ..ScalarFunction::DEFAULT
    },
];

/// Converts a count to a long; None if it is too large.
pub(super) fn long(count: usize) -> Option<i64> {
    i64::try_from(count).ok()
}

/// Returns the characters of the code points in `row`, a number or an array of numbers. Invalid ones are left out.
fn characters(column: &Column, row: usize) -> Vec<char> {
    let character = |point: i64| u32::try_from(point).ok().and_then(char::from_u32);
    match column.ty() {
        Type::Dynamic => {
            let json = column.text_at(row).unwrap_or("");
            let points: Vec<i64> = match kind(json) {
                Kind::Array => elements(json).filter_map(|element| element.parse().ok()).collect(),
                _ => json.trim_ascii().parse().into_iter().collect(),
            };
            points.into_iter().filter_map(character).collect()
        }
        _ => column.i64_at(row).and_then(character).into_iter().collect(),
    }
}

/// Calls `of` with the argument of each row, of any type, converted to a string.
fn map_any(args: &Args<'_>, of: impl Fn(&str) -> String) -> Column {
    let texts = args.to_texts(0);
    args.map(|row| of(&texts.get(row)))
}

/// Returns the character in lower case, or unchanged if that would be several characters.
fn lower(c: char) -> char {
    single(c.to_lowercase()).unwrap_or(c)
}

/// Returns the character in upper case, or unchanged if that would be several characters.
fn upper(c: char) -> char {
    single(c.to_uppercase()).unwrap_or(c)
}

fn single(mut mapped: impl Iterator<Item = char>) -> Option<char> {
    let first = mapped.next()?;
    mapped.next().is_none().then_some(first)
}

/// Concatenates the arguments from position `first` on, with the delimiter of the row between them.
fn join(args: &Args<'_>, first: usize, delimiter: impl Fn(usize) -> String) -> Result<Column> {
    let parts: Vec<_> = (first..args.len()).map(|index| args.to_texts(index)).collect();
    args.try_map(|row| {
        let delimiter = delimiter(row);
        let mut text = String::new();
        for (index, part) in parts.iter().enumerate() {
            if index > 0 {
                text.push_str(&delimiter);
            }
            text.push_str(&part.get(row));
            if text.len() > MAX_VALUE_BYTES {
                return Err(too_long("the string"));
            }
        }
        Ok(text)
    })
}

/// Maximum number of repetitions of a string. Source: the reference's page on strrep().
const MOST_REPETITIONS: i64 = 1024;

fn repeat_text(args: &Args<'_>) -> Result<Column> {
    let (texts, times) = (args.to_texts(0), args.longs(1));
    let delimiters = (args.len() > 2).then(|| args.to_texts(2));
    args.try_map(|row| {
        let text = texts.get(row);
        let delimiter = delimiters.as_ref().map(|delimiters| delimiters.get(row)).unwrap_or_default();
        let times = times.get(row).unwrap_or(0).clamp(0, MOST_REPETITIONS);
        let times = usize::try_from(times).unwrap_or(0);
        if (text.len() + delimiter.len()).saturating_mul(times) > MAX_VALUE_BYTES {
            return Err(too_long("the repeated string"));
        }
        Ok(iter::repeat_n(&*text, times).collect::<Vec<_>>().join(&delimiter))
    })
}

/// Returns the byte offset of the character at `position`; None if the string is shorter. The end of the string has a
/// position, too.
pub(super) fn byte_of(text: &str, position: usize) -> Option<usize> {
    let mut starts = text.char_indices().map(|(byte, _)| byte).chain(iter::once(text.len()));
    starts.nth(position)
}

/// Converts a position in characters, which counts from the end if it is negative, to one from the start; None if it is
/// before the start.
pub(super) fn from_start(text: &str, position: i64) -> Option<usize> {
    if position < 0 {
        let back = usize::try_from(position.unsigned_abs()).ok()?;
        return text.chars().count().checked_sub(back);
    }
    usize::try_from(position).ok()
}

fn substring(text: &str, start: i64, length: i64) -> &str {
    let Some(first) = from_start(text, start).and_then(|position| byte_of(text, position)) else { return "" };
    let rest = &text[first..];
    let length = usize::try_from(length.max(0)).unwrap_or(usize::MAX);
    &rest[..byte_of(rest, length).unwrap_or(rest.len())]
}

fn split_kernel(args: &Args<'_>) -> Result<Column> {
    let (texts, delimiters) = (args.to_texts(0), args.texts(1));
    let indices = (args.len() > 2).then(|| args.longs(2));
    Ok(args.map(|row| {
        let (text, delimiter) = (texts.get(row), delimiters.get(row).unwrap_or(""));
        let mut array = ArrayWriter::new();
        let mut parts: Box<dyn Iterator<Item = &str>> =
            if delimiter.is_empty() { Box::new(iter::once(&*text)) } else { Box::new(text.split(delimiter)) };
        match &indices {
            None => parts.for_each(|part| array.push_text(part)),
            Some(indices) => {
                let index = indices.get(row).and_then(|index| usize::try_from(index).ok());
                if let Some(part) = index.and_then(|index| parts.nth(index)) {
                    array.push_text(part);
                }
            }
        }
        array.finish()
    }))
}

#[cfg(test)]
mod tests {
    use super::substring;

    #[test]
    fn substring_counts_characters_and_never_leaves_the_text() {
        let table = [
            ("abcdefg", 1, 3, "bcd"),
            ("abcdefg", -3, 2, "ef"),
            ("abcdefg", -3, 10, "efg"),
            ("abcdefg", 1, -1, ""),
            ("abcdefg", 10, 3, ""),
            ("abc", -10, 2, ""),
            ("abc", 3, 1, ""),
            ("héllo", 1, 3, "éll"),
            ("héllo", i64::MIN, i64::MAX, ""),
            ("héllo", i64::MAX, i64::MIN, ""),
        ];
        for (text, start, length, expected) in table {
            assert_eq!(substring(text, start, length), expected, "{text} {start} {length}");
        }
    }
}
