//! Functions that search for strings inside strings, or replace them.

use std::borrow::Cow;
use std::ops::Range;

use memchr::memmem;

use super::array_elements::texts_of;
use super::string::{INTEGER, byte_of, from_start, long};
use crate::diagnostic::{Error, Result};
use crate::functions::ScalarFunction;
use crate::functions::args::{Args, MAX_VALUE_BYTES, too_long};
use crate::functions::docs::{Category, Example};
use crate::functions::needle::{Anchor, Case, Needle};
use crate::functions::signature::{Accepts, Nulls, Overload, Param, Returns};
use crate::types::dynamic::{Kind, elements, kind, unescape};
use crate::types::{Column, Type};

/// The functions that this file defines.
pub static FUNCTIONS: &[ScalarFunction] = &[
    ScalarFunction {
        name: "indexof",
        category: Category::String,
        summary: "Returns the zero-based position of a string inside another, or -1 if it does not occur.",
        overloads: &[Overload {
            params: &[
                Param::of("source", Accepts::Any, "the string to search; other types are converted to string"),
                Param::of("lookup", Accepts::Any, "the value to search for"),
                Param::new("start", INTEGER, "the position to start at; negative counts from the end").optional(),
                Param::new("length", INTEGER, "the number of positions to search; -1 for all").optional(),
                Param::new("occurrence", INTEGER, "the number of the occurrence, from 1").optional().constant(),
            ],
            returns: Returns::Type(Type::Long),
            kernel: indexof_kernel,
        }],
        examples: &[
            Example::new("indexof('abcdefg', 'cde')", "2"),
            Example::new("indexof('abcdefg', 'cde', 3, 4)", "-1"),
            Example::new("indexof(1234567, 5, 1, 4)", "4"),
            Example::new("indexof('abcdefgabcdefg', 'cde', 1, 10, 2)", "9"),
            Example::new("indexof('abc', 'a', 0, -2)", "long(null)"),
        ],
        ..ScalarFunction::DEFAULT
    },
    ScalarFunction {
        name: "has_any_index",
        category: Category::String,
        summary: "Returns the zero-based position in an array of the first element that occurs in a string as a \
                  whole term, ignoring case, or -1.",
        overloads: &[Overload {
            params: &[
                Param::new("source", Type::String, "the string to search"),
                Param::new("values", Type::Dynamic, "an array of terms to look for"),
            ],
            returns: Returns::Type(Type::Long),
            kernel: has_any_index,
        }],
        examples: &[
            Example::new("has_any_index('this is an example', dynamic(['not', 'Example']))", "1"),
            Example::new("has_any_index('this is an example', dynamic(['not', 'exam']))", "-1"),
            Example::new("has_any_index('number 2', dynamic([1, 2, 3]))", "1"),
        ],
        nulls: Nulls::Handled,
        ..ScalarFunction::DEFAULT
    },
    ScalarFunction {
        name: "replace_string",
        category: Category::String,
        summary: "Returns the string with every occurrence of another string replaced.",
        overloads: &[Overload {
            params: &[
                Param::new("text", Type::String, "the string"),
                Param::new("lookup", Type::String, "the string to replace; if it is empty nothing is replaced"),
                Param::new("rewrite", Type::String, "the replacement"),
            ],
            returns: Returns::Type(Type::String),
            kernel: |args| {
                let (texts, lookups, rewrites) = (args.texts(0), args.texts(1), args.texts(2));
                args.try_map(|row| {
                    let pair = (lookups.get(row).unwrap_or(""), rewrites.get(row));
                    replace_all(texts.get(row).unwrap_or(""), &[pair])
                })
            },
        }],
        examples: &[
            Example::new("replace_string('A cat is a cat', 'cat', 'hamster')", "A hamster is a hamster"),
            Example::new("replace_string('abc', '', 'x')", "abc"),
        ],
        ..ScalarFunction::DEFAULT
    },
    ScalarFunction {
        name: "replace_strings",
        category: Category::String,
        summary: "Returns the string with the occurrences of several strings replaced; earlier lookups take \
                  precedence, and replacements are not replaced again.",
        overloads: &[Overload {
            params: &[
                Param::new("text", Type::String, "the string"),
                Param::new("lookups", Type::Dynamic, "an array of strings to replace"),
                Param::new(
                    "rewrites",
                    Type::Dynamic,
                    "an array of replacements; an occurrence whose replacement is not a string stays",
                ),
            ],
            returns: Returns::Type(Type::String),
            kernel: |args| {
                let (texts, lookups, rewrites) = (args.texts(0), args.texts(1), args.texts(2));
                args.try_map(|row| {
                    let pairs = pairs(lookups.get(row).unwrap_or(""), rewrites.get(row).unwrap_or(""));
                    let pairs: Vec<_> = pairs.iter().map(|(lookup, rewrite)| (&**lookup, rewrite.as_deref())).collect();
                    replace_all(texts.get(row).unwrap_or(""), &pairs)
                })
            },
        }],
        examples: &[
            Example::new(
                "replace_strings('a cat and a dog', dynamic(['cat', 'dog']), dynamic(['dog', 'pigeon']))",
                "a dog and a pigeon",
            ),
            Example::new("replace_strings('This is', dynamic(['is', 'This']), dynamic(['was', 'That']))", "Thwas was"),
            Example::new("replace_strings('This is', dynamic(['This', 'is']), dynamic([1, 'was']))", "This was"),
        ],
        nulls: Nulls::Handled,
        ..ScalarFunction::DEFAULT
    },
    ScalarFunction {
        name: "translate",
        category: Category::String,
        summary: "Returns the string with characters replaced one for one.",
        overloads: &[Overload {
            params: &[
                Param::new("lookup", Type::String, "the characters to replace"),
                Param::new(
                    "replacement",
                    Type::String,
                    "what replaces them, in the same order; its last character stands for all that follow, and none \
                     of them stay where it is empty",
                ),
                Param::new("source", Type::String, "the string"),
            ],
            returns: Returns::Type(Type::String),
            kernel: |args| {
                let (from, to, texts) = (args.texts(0), args.texts(1), args.texts(2));
                Ok(args.map(|row| {
                    translate(from.get(row).unwrap_or(""), to.get(row).unwrap_or(""), texts.get(row).unwrap_or(""))
                }))
            },
        }],
        examples: &[
            Example::new("translate('abc', 'x', 'abc')", "xxx"),
            Example::new("translate('abc', '', 'ab')", ""),
            Example::new("translate('krasp', 'otsku', 'spark')", "kusto"),
        ],
        ..ScalarFunction::DEFAULT
    },
];

fn has_any_index(args: &Args<'_>) -> Result<Column> {
    let texts = args.texts(0);
    let needles = |row| -> Vec<Needle> {
        let terms = texts_of(args.column(1), row);
        terms.iter().map(|term| Needle::new(term, Anchor::Term, Case::Ignored)).collect()
    };
    let constant = args.constant(1).map(|_| needles(0));
    Ok(args.map(|row| {
        let computed = if constant.is_none() { needles(row) } else { Vec::new() };
        let text = texts.get(row).unwrap_or("");
        let found = constant.as_ref().unwrap_or(&computed).iter().position(|needle| needle.is_in(text));
        found.map_or(Some(-1), long)
    }))
}

/// Where a match may start, and which match is wanted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Search {
    /// The first position, in characters; a negative one counts from the end.
    pub start: i64,
    /// The number of positions from there on; -1 for all.
    pub length: i64,
    /// The number of the wanted match, from 1.
    pub occurrence: i64,
}

impl Search {
    /// Reads the optional arguments `start`, `length` and `occurrence`, which begin at `index`; None if one is null.
    pub fn of(args: &Args<'_>, index: usize, row: usize) -> Option<Self> {
        let number = |at: usize, otherwise: i64| {
            if at < args.len() { args.longs(at).get(row) } else { Some(otherwise) }
        };
        Some(Self { start: number(index, 0)?, length: number(index + 1, -1)?, occurrence: number(index + 2, 1)? })
    }

    /// True if the length and the occurrence are valid; otherwise the result is null.
    pub fn is_valid(self) -> bool {
        self.length >= -1 && self.occurrence >= 1
    }

    /// Returns the byte range in which a match may start, for a first character `start`; None if the string is shorter.
    pub fn bytes(self, text: &str, start: usize) -> Option<Range<usize>> {
        let first = byte_of(text, start)?;
        let length = usize::try_from(self.length).unwrap_or(usize::MAX);
        let last = byte_of(&text[first..], length).map_or(text.len() + 1, |byte| first + byte);
        Some(first..last)
    }

    /// Returns the character position of the wanted match; -1 if there is none. `matches` are ascending byte offsets.
    pub fn pick(self, text: &str, start: usize, matches: impl Iterator<Item = usize>) -> Option<i64> {
        let range = self.bytes(text, start).unwrap_or(0..0);
        let index = usize::try_from(self.occurrence - 1).unwrap_or(usize::MAX);
        let mut within = matches.skip_while(|byte| *byte < range.start).take_while(|byte| *byte < range.end);
        within.nth(index).map_or(Some(-1), |byte| long(text[..byte].chars().count()))
    }
}

fn indexof_kernel(args: &Args<'_>) -> Result<Column> {
    let (texts, lookups) = (args.to_texts(0), args.to_texts(1));
    Ok(args.map(|row| indexof(&texts.get(row), &lookups.get(row), Search::of(args, 2, row)?)))
}

/// Returns the character position of the wanted match of `lookup`, or -1; None if the search is invalid.
fn indexof(text: &str, lookup: &str, search: Search) -> Option<i64> {
    if !search.is_valid() {
        return None;
    }
    search.pick(text, from_start(text, search.start)?, occurrences(text, lookup))
}

/// Returns the byte offsets at which `lookup` occurs in `text`, overlapping ones included, in linear time.
pub(super) fn occurrences<'a>(text: &'a str, lookup: &'a str) -> Box<dyn Iterator<Item = usize> + 'a> {
    if lookup.is_empty() {
        return Box::new(text.char_indices().map(|(byte, _)| byte).chain([text.len()]));
    }
    let borders = borders(lookup.as_bytes());
    if borders.last() == Some(&0) {
        // No proper prefix of it is also a suffix, so matches cannot overlap.
        return Box::new(memmem::find_iter(text.as_bytes(), lookup.as_bytes()));
    }
    let mut matched = 0;
    Box::new(text.bytes().enumerate().filter_map(move |(at, byte)| {
        matched = extend(lookup.as_bytes(), &borders, matched, byte);
        if matched < lookup.len() {
            return None;
        }
        matched = borders[matched - 1];
        Some(at + 1 - lookup.len())
    }))
}

/// Returns the failure function of Knuth, Morris and Pratt: for each prefix of `pattern`, the length of its longest
/// proper border, which is both a prefix and a suffix of it.
fn borders(pattern: &[u8]) -> Vec<usize> {
    let mut borders = vec![0; pattern.len()];
    let mut matched = 0;
    for index in 1..pattern.len() {
        matched = extend(pattern, &borders, matched, pattern[index]);
        borders[index] = matched;
    }
    borders
}

/// Returns how many bytes of the pattern match up to `byte`, if `matched` bytes matched before it.
fn extend(pattern: &[u8], borders: &[usize], mut matched: usize, byte: u8) -> usize {
    while matched > 0 && pattern[matched] != byte {
        matched = borders[matched - 1];
    }
    matched + usize::from(pattern[matched] == byte)
}

/// Returns the lookups that are strings, each with its rewrite; None if that is missing or not a string.
fn pairs<'a>(lookups: &'a str, rewrites: &'a str) -> Vec<(Cow<'a, str>, Option<Cow<'a, str>>)> {
    let text = |json: &'a str| (kind(json) == Kind::String).then(|| unescape(json));
    let rewrites = elements(rewrites).map(text).chain(std::iter::repeat(None));
    elements(lookups).zip(rewrites).filter_map(|(lookup, rewrite)| Some((text(lookup)?, rewrite))).collect()
}

/// Maximum number of bytes that one call of [`replace_all`] scans.
const MOST_WORK: usize = 1 << 32;

/// A part of a string in which lookups are being replaced.
enum Part<'a> {
    /// Text that no lookup has matched; later lookups search it.
    Open(&'a str),
    /// Text that a lookup has matched; it is not searched again.
    Fixed(&'a str),
}

/// Replaces the lookups in `text`, one lookup after the other. A lookup never matches text that an earlier lookup
/// matched or wrote, not even in part. A match whose rewrite is None stays unchanged. An error if the work exceeds
/// [`MOST_WORK`].
fn replace_all(text: &str, pairs: &[(&str, Option<&str>)]) -> Result<String> {
    if text.len().saturating_mul(pairs.len()) > MOST_WORK {
        return Err(Error::Limit("replace_strings: too many lookups for a string of this length".to_owned()));
    }
    let mut parts = vec![Part::Open(text)];
    for (lookup, rewrite) in pairs.iter().filter(|(lookup, _)| !lookup.is_empty()) {
        parts = parts.into_iter().flat_map(|part| replace_part(part, lookup, *rewrite)).collect();
    }
    let pieces = parts.iter().map(|(Part::Open(piece) | Part::Fixed(piece))| *piece);
    if pieces.clone().map(str::len).sum::<usize>() > MAX_VALUE_BYTES {
        return Err(too_long("the string with its replacements"));
    }
    Ok(pieces.collect())
}

fn replace_part<'a>(part: Part<'a>, lookup: &str, rewrite: Option<&'a str>) -> Vec<Part<'a>> {
    let Part::Open(text) = part else { return vec![part] };
    let mut parts = Vec::new();
    let mut end = 0;
    for start in memmem::find_iter(text.as_bytes(), lookup.as_bytes()) {
        parts.push(Part::Open(&text[end..start]));
        end = start + lookup.len();
        parts.push(Part::Fixed(rewrite.unwrap_or(&text[start..end])));
    }
    parts.push(Part::Open(&text[end..]));
    parts
}

fn translate(from: &str, to: &str, text: &str) -> String {
    let last = to.chars().last();
    let replacements = to.chars().map(Some).chain(std::iter::repeat(last));
    let mut map = std::collections::HashMap::new();
    for (character, replacement) in from.chars().zip(replacements) {
        map.entry(character).or_insert(replacement);
    }
    text.chars().filter_map(|character| map.get(&character).copied().unwrap_or(Some(character))).collect()
}

#[cfg(test)]
mod tests {
    use super::{Search, indexof, occurrences};

    #[test]
    fn indexof_looks_for_a_match_that_starts_in_the_range() {
        let search = |start, length, occurrence| Search { start, length, occurrence };
        let table = [
            ("abcdefg", "cde", search(1, 2, 1), Some(2)),
            ("abcdefg", "cde", search(1, 1, 1), Some(-1)),
            ("abcdefg", "cde", search(-5, -1, 1), Some(2)),
            ("abcdefg", "cde", search(-8, -1, 1), None),
            ("abcdefg", "cde", search(8, -1, 1), Some(-1)),
            ("abcdefgabcdefg", "cde", search(1, -1, 3), Some(-1)),
            ("ééé", "é", search(0, -1, 3), Some(2)),
            ("ééé", "é", search(0, -1, i64::MAX), Some(-1)),
            ("abc", "", search(3, -1, 1), Some(3)),
            ("", "", search(0, -1, 2), Some(-1)),
            ("abc", "c", search(0, -2, 1), None),
        ];
        for (text, lookup, search, expected) in table {
            assert_eq!(indexof(text, lookup, search), expected, "{text} {lookup} {search:?}");
        }
    }

    #[test]
    fn occurrences_overlap() {
        let table: [(&str, &str, &[usize]); 6] = [
            ("aaaa", "aa", &[0, 1, 2]),
            ("ααα", "αα", &[0, 2]),
            ("abcabc", "abc", &[0, 3]),
            ("ababab", "abab", &[0, 2]),
            ("ab", "abc", &[]),
            ("éa", "", &[0, 2, 3]),
        ];
        for (text, lookup, expected) in table {
            assert_eq!(occurrences(text, lookup).collect::<Vec<_>>(), expected, "{text} {lookup}");
        }
    }
}
