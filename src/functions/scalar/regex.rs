//! Regular expression functions. Expressions are constants; an invalid one is an error before the query runs.

use std::rc::Rc;

use regex::{Captures, Regex};

use super::search::{Search, occurrences};
use super::string::{INTEGER, byte_of, long};
use crate::diagnostic::{Code, Error, Result, Span};
use crate::functions::args::{Args, MAX_VALUE_BYTES, too_long};
use crate::functions::docs::{Category, Example};
use crate::functions::signature::{Accepts, Nulls, Overload, Param, Returns};
use crate::functions::{ScalarFunction, TypeArgument, pattern};
use crate::types::dynamic::{ArrayWriter, Kind, elements, kind, unescape};
use crate::types::{Column, Type, Value};

const REGEX: Param = Param::new("regex", Type::String, "the regular expression").constant();
const SOURCE: Param = Param::new("source", Type::String, "the string");

/// The functions that this file defines.
pub static FUNCTIONS: &[ScalarFunction] = &[
    ScalarFunction {
        name: "extract",
        category: Category::Regex,
        summary: "Returns the first match of a regular expression, or one of its groups, or \"\" if there is no match.",
        overloads: &[Overload {
            params: &[
                REGEX,
                Param::new("group", Type::Long, "the capture group, from 1; 0 for the whole match"),
                SOURCE,
            ],
            returns: Returns::Type(Type::String),
            kernel: extract,
        }],
        examples: &[
            Example::new("extract('x=([0-9.]+)', 1, 'hello x=45.6|wo')", "45.6"),
            Example::new("extract('[0-9]+', 0, 'a1b22')", "1"),
            Example::new("extract('x=([0-9.]+)', 1, 'hello')", ""),
        ],
        type_argument: TypeArgument::CastsString,
        validate: |arguments| pattern::check(arguments, 0).map(|_| ()),
        ..ScalarFunction::DEFAULT
    },
    ScalarFunction {
        name: "extract_all",
        aliases: &["extractall"],
        category: Category::Regex,
        summary: "Returns the capture groups of all matches of a regular expression: an array of strings for one \
                  group, of arrays for several; null without a match.",
        overloads: &[
            Overload {
                params: &[REGEX, SOURCE],
                returns: Returns::Type(Type::Dynamic),
                kernel: |args| extract_all(args, None, 1),
            },
            Overload {
                params: &[
                    REGEX,
                    Param::new(
                        "groups",
                        Type::Dynamic,
                        "an array of the numbers and names of the groups wanted; what names none is left out, and \
                         all are wanted where nothing is left",
                    ),
                    SOURCE,
                ],
                returns: Returns::Type(Type::Dynamic),
                kernel: |args| extract_all(args, Some(1), 2),
            },
        ],
        examples: &[
            Example::new(r"extract_all(@'(\d+)', 'a set of numbers: 123, 567 and 789')", r#"["123","567","789"]"#),
            Example::new(r"extract_all(@'(\w)(\d)', 'a1 b2')", r#"[["a","1"],["b","2"]]"#),
            Example::new(r"extract_all(@'(?P<letter>\w)(\d)', dynamic([2]), 'a1 b2')", r#"["1","2"]"#),
            Example::new(r"extract_all(@'(\d+)', 'none')", "dynamic(null)"),
        ],
        nulls: Nulls::Handled,
        validate: |arguments| pattern::check(arguments, 0)?.map_or(Ok(()), |regex| check_groups(&regex)),
        ..ScalarFunction::DEFAULT
    },
    ScalarFunction {
        name: "replace_regex",
        category: Category::Regex,
        summary: "Returns the string with every match of a regular expression replaced.",
        overloads: &[Overload {
            params: &[
                SOURCE,
                REGEX,
                Param::new(
                    "rewrite",
                    Type::String,
                    r"the replacement of a match; \1 stands for its first group, \0 for the whole match",
                )
                .constant(),
            ],
            returns: Returns::Type(Type::String),
            kernel: |args| replace(args, Order { source: 0, regex: 1, rewrite: 2 }),
        }],
        examples: &[
            Example::new(r"replace_regex('Number is 1', @'is (\d+)', @'was: \1')", "Number was: 1"),
            Example::new("replace_regex('Operator', '(?i)o', '0')", "0perat0r"),
        ],
        validate: |arguments| check_rewrite(arguments, 1, 2),
        ..ScalarFunction::DEFAULT
    },
    ScalarFunction {
        name: "replace",
        category: Category::Regex,
        summary: "Returns the string with every match of a regular expression replaced (deprecated: replace_regex() \
                  with another order of arguments).",
        overloads: &[Overload {
            params: &[
                REGEX,
                Param::new(
                    "rewrite",
                    Type::String,
                    r"the replacement of a match; \1 stands for its first group, \0 for the whole match",
                )
                .constant(),
                SOURCE,
            ],
            returns: Returns::Type(Type::String),
            kernel: |args| replace(args, Order { source: 2, regex: 0, rewrite: 1 }),
        }],
        examples: &[Example::new(r"replace(@'is (\d+)', @'was: \1', 'Number is 1')", "Number was: 1")],
        validate: |arguments| check_rewrite(arguments, 0, 1),
        ..ScalarFunction::DEFAULT
    },
    ScalarFunction {
        name: "trim",
        category: Category::Regex,
        summary: "Returns the string without a match of the regular expression at its start and one at its end.",
        overloads: &[Overload {
            params: &[REGEX, SOURCE],
            returns: Returns::Type(Type::String),
            kernel: |args| trim(args, true, true),
        }],
        examples: &[
            Example::new("trim('--', '--https://contoso.com--')", "https://contoso.com"),
            Example::new(r"trim(@'[^\w]+', @'-  Te st1// $')", "Te st1"),
            Example::new("trim(' ', '  x  ')", " x "),
        ],
        validate: check_not_empty,
        ..ScalarFunction::DEFAULT
    },
    ScalarFunction {
        name: "trim_start",
        category: Category::Regex,
        summary: "Returns the string without a match of the regular expression at its start.",
        overloads: &[Overload {
            params: &[REGEX, SOURCE],
            returns: Returns::Type(Type::String),
            kernel: |args| trim(args, true, false),
        }],
        examples: &[Example::new(r"trim_start(@'\s+', '  x  ')", "x  ")],
        validate: check_not_empty,
        ..ScalarFunction::DEFAULT
    },
    ScalarFunction {
        name: "trim_end",
        category: Category::Regex,
        summary: "Returns the string without a match of the regular expression at its end.",
        overloads: &[Overload {
            params: &[REGEX, SOURCE],
            returns: Returns::Type(Type::String),
            kernel: |args| trim(args, false, true),
        }],
        examples: &[Example::new("trim_end('.com', 'bing.com')", "bing")],
        validate: check_not_empty,
        ..ScalarFunction::DEFAULT
    },
    ScalarFunction {
        name: "indexof_regex",
        category: Category::Regex,
        summary: "Returns the zero-based position of a match of a regular expression, or -1 if there is none; \
                  matches do not overlap.",
        overloads: &[Overload {
            params: &[
                Param::of("source", Accepts::Any, "the string to search; other types are converted to string"),
                REGEX,
                Param::new("start", INTEGER, "the position to start at; if it is negative the result is null")
                    .optional(),
                Param::new("length", INTEGER, "the number of positions to search; -1 for all").optional(),
                Param::new("occurrence", INTEGER, "the number of the match, from 1").optional().constant(),
            ],
            returns: Returns::Type(Type::Long),
            kernel: indexof_regex,
        }],
        examples: &[
            Example::new("indexof_regex('abcabc', 'a.c')", "0"),
            Example::new("indexof_regex('abcabcdefg', 'a.c', 0, 9, 2)", "3"),
            Example::new("indexof_regex('ababaa', 'a.a', 0, -1, 2)", "-1"),
            Example::new("indexof_regex('abcabc', 'a|ab', -1)", "long(null)"),
        ],
        validate: |arguments| pattern::check(arguments, 1).map(|_| ()),
        ..ScalarFunction::DEFAULT
    },
    ScalarFunction {
        name: "countof",
        category: Category::Regex,
        summary: "Returns the number of occurrences of a string, overlapping ones included, or of non-overlapping \
                  matches of a regular expression.",
        overloads: &[Overload {
            params: &[
                SOURCE,
                Param::new("search", Type::String, "the string or regular expression to count"),
                Param::new("kind", Type::String, "'normal' for a string (the default), or 'regex'")
                    .optional()
                    .constant(),
            ],
            returns: Returns::Type(Type::Long),
            kernel: countof,
        }],
        examples: &[
            Example::new("countof('aaaa', 'aa')", "3"),
            Example::new("countof('aaaa', 'aa', 'regex')", "2"),
            Example::new("countof('abc', '')", "0"),
        ],
        validate: |arguments| match arguments.get(2).copied().flatten().and_then(Value::as_str) {
            Some("regex") => pattern::check(arguments, 1).map(|_| ()),
            Some("normal") | None => Ok(()),
            Some(_) => Err(invalid("the kind is neither 'normal' nor 'regex'")),
        },
        ..ScalarFunction::DEFAULT
    },
];

fn invalid(message: &str) -> Error {
    Error::query(Code::InvalidValue, Span::default(), message)
}

/// Returns the compiled expression of the constant argument at `index`.
fn regex_of(args: &Args<'_>, index: usize) -> Result<Rc<Regex>> {
    let pattern = args.constant(index).and_then(Value::as_str);
    pattern::compile(pattern.ok_or_else(|| Error::internal("the regular expression must be a constant string"))?)
}

fn extract(args: &Args<'_>) -> Result<Column> {
    let regex = regex_of(args, 0)?;
    let (groups, texts) = (args.longs(1), args.texts(2));
    Ok(args.map(|row| {
        let group = usize::try_from(groups.get(row)?).ok()?;
        let text = texts.get(row)?;
        let found = match group {
            0 => regex.find(text)?,
            _ => regex.captures(text)?.get(group)?,
        };
        Some(found.as_str())
    }))
}

/// Maximum number of capture groups of extract_all(). Source: the reference's page on extract_all().
const MOST_GROUPS: usize = 16;

fn check_groups(regex: &Regex) -> Result<()> {
    match regex.captures_len() - 1 {
        1..=MOST_GROUPS => Ok(()),
        0 => Err(invalid("the regular expression has no group; put the part to extract in parentheses")),
        _ => Err(invalid("the regular expression has more than 16 groups")),
    }
}

fn extract_all(args: &Args<'_>, groups: Option<usize>, source: usize) -> Result<Column> {
    let regex = regex_of(args, 0)?;
    check_groups(&regex)?;
    let texts = args.texts(source);
    args.try_map(|row| {
        let wanted = groups.and_then(|index| args.column(index).text_at(row)).map(|json| selection(&regex, json));
        let wanted = wanted.filter(|wanted| !wanted.is_empty()).unwrap_or_else(|| (1..regex.captures_len()).collect());
        let mut matches = ArrayWriter::new();
        for captures in regex.captures_iter(texts.get(row).unwrap_or("")) {
            push_groups(&captures, &wanted, &mut matches);
            if matches.len() > MAX_VALUE_BYTES {
                return Err(too_long("the array of matches"));
            }
        }
        Ok((!matches.is_empty()).then(|| matches.finish()))
    })
}

/// Returns the capture groups that a JSON array of numbers and names selects, in the order of the array. Unknown groups
/// are ignored.
fn selection(regex: &Regex, json: &str) -> Vec<usize> {
    let group = |element: &str| match kind(element) {
        Kind::String => regex.capture_names().position(|name| name == Some(&*unescape(element))),
        _ => element.parse().ok().filter(|group| (1..regex.captures_len()).contains(group)),
    };
    elements(json).filter_map(group).take(LONGEST_SELECTION).collect()
}

/// Maximum number of groups that such an array selects, duplicates included.
const LONGEST_SELECTION: usize = 1024;

fn push_groups(captures: &Captures<'_>, wanted: &[usize], matches: &mut ArrayWriter) {
    let text = |group: usize| captures.get(group).map_or("", |found| found.as_str());
    if let [group] = wanted {
        matches.push_text(text(*group));
    } else {
        let mut row = ArrayWriter::new();
        wanted.iter().for_each(|group| row.push_text(text(*group)));
        matches.push_json(&row.finish());
    }
}

/// The positions of the arguments in a call that replaces matches; they depend on the function.
#[derive(Clone, Copy)]
struct Order {
    source: usize,
    regex: usize,
    rewrite: usize,
}

/// A part of a rewrite string: literal text, or the number of a capture group.
enum Piece {
    Text(String),
    Group(usize),
}

/// Parses a rewrite string: `\0` to `\9` stand for capture groups, and `\\` for a backslash.
fn pieces(rewrite: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut text = String::new();
    let mut characters = rewrite.chars().peekable();
    while let Some(character) = characters.next() {
        let next = characters.peek().copied().filter(|_| character == '\\');
        match (next, next.and_then(|next| next.to_digit(10))) {
            (_, Some(group)) => {
                pieces.extend([Piece::Text(std::mem::take(&mut text)), Piece::Group(group as usize)]);
                characters.next();
            }
            (Some('\\'), _) => {
                text.push('\\');
                characters.next();
            }
            _ => text.push(character),
        }
    }
    pieces.push(Piece::Text(text));
    pieces
}

fn check_rewrite(arguments: &[Option<&Value>], regex: usize, rewrite: usize) -> Result<()> {
    let Some(regex) = pattern::check(arguments, regex)? else { return Ok(()) };
    let rewrite = arguments.get(rewrite).copied().flatten().and_then(Value::as_str).unwrap_or("");
    let fits = |piece: &Piece| {
        matches!(piece, Piece::Text(_)) || matches!(piece, Piece::Group(group) if *group < regex.captures_len())
    };
    match pieces(rewrite).iter().all(fits) {
        true => Ok(()),
        false => Err(invalid("the rewrite names a group that the regular expression does not have")),
    }
}

fn replace(args: &Args<'_>, order: Order) -> Result<Column> {
    let regex = regex_of(args, order.regex)?;
    let pieces = pieces(args.constant(order.rewrite).and_then(Value::as_str).unwrap_or(""));
    let texts = args.texts(order.source);
    args.try_map(|row| replace_all(texts.get(row).unwrap_or(""), &regex, &pieces))
}

fn replace_all(text: &str, regex: &Regex, pieces: &[Piece]) -> Result<String> {
    let mut out = String::new();
    let mut end = 0;
    for captures in regex.captures_iter(text) {
        let Some(found) = captures.get(0) else { break };
        out.push_str(&text[end..found.start()]);
        end = found.end();
        for piece in pieces {
            out.push_str(match piece {
                Piece::Text(text) => text,
                Piece::Group(group) => captures.get(*group).map_or("", |found| found.as_str()),
            });
        }
        if out.len() > MAX_VALUE_BYTES {
            return Err(too_long("the string with its replacements"));
        }
    }
    out.push_str(&text[end..]);
    Ok(out)
}

fn check_not_empty(arguments: &[Option<&Value>]) -> Result<()> {
    match pattern::check(arguments, 0)? {
        Some(regex) if regex.as_str().is_empty() => Err(invalid("the regular expression is empty")),
        _ => Ok(()),
    }
}

fn trim(args: &Args<'_>, start: bool, end: bool) -> Result<Column> {
    let pattern = regex_of(args, 0)?;
    let at_start = start.then(|| pattern::compile(&format!(r"\A(?:{pattern})"))).transpose()?;
    let at_end = end.then(|| pattern::compile(&format!(r"(?:{pattern})\z"))).transpose()?;
    Ok(args.map_text(1, |text| trimmed(text, at_start.as_deref(), at_end.as_deref()).to_owned()))
}

/// Removes a match of `at_start` and one of `at_end` from a string. Both expressions see the whole string, so what one
/// removes is still context for the other.
fn trimmed<'a>(text: &'a str, at_start: Option<&Regex>, at_end: Option<&Regex>) -> &'a str {
    let start = at_start.and_then(|regex| regex.find(text)).map_or(0, |found| found.end());
    let end = at_end.and_then(|regex| regex.find(text)).map_or(text.len(), |found| found.start());
    text.get(start..end).unwrap_or("")
}

fn indexof_regex(args: &Args<'_>) -> Result<Column> {
    let regex = regex_of(args, 1)?;
    let texts = args.to_texts(0);
    Ok(args.map(|row| {
        let search = Search::of(args, 2, row)?;
        let start = usize::try_from(search.start).ok().filter(|_| search.is_valid())?;
        let text = texts.get(row);
        let Some(first) = byte_of(&text, start) else { return Some(-1) };
        search.pick(&text, start, matches_from(&regex, &text, first))
    }))
}

/// Returns the byte offsets of the matches from byte `first` on. The bytes before it are context for the expression.
fn matches_from<'a>(regex: &'a Regex, text: &'a str, first: usize) -> impl Iterator<Item = usize> + 'a {
    let mut from = Some(first);
    std::iter::from_fn(move || {
        let found = regex.find_at(text, from?)?;
        let next = text[found.end()..].chars().next().map(|character| found.end() + character.len_utf8());
        from = if found.is_empty() { next } else { Some(found.end()) };
        Some(found.start())
    })
}

fn countof(args: &Args<'_>) -> Result<Column> {
    let (texts, searches) = (args.texts(0), args.texts(1));
    let by_regex = args.constant(2).and_then(Value::as_str) == Some("regex");
    args.try_map(|row| {
        let (text, search) = (texts.get(row).unwrap_or(""), searches.get(row).unwrap_or(""));
        Ok(match (by_regex, search.is_empty()) {
            (true, _) => long(pattern::compile(search)?.find_iter(text).count()),
            (false, true) => Some(0),
            (false, false) => long(occurrences(text, search).count()),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::{matches_from, pieces, replace_all, selection, trimmed};
    use crate::functions::pattern::compile;

    #[test]
    fn trim_takes_one_match_off_each_end() {
        let table = [
            ("a|x", "axbxa", "xbx"),
            ("a$", "aa", "a"),
            ("a|^b", "ab", "b"),
            ("a|aa", "xaaa", "xa"),
            (".*", "abc", ""),
            ("(?i)a", "AaxA", "ax"),
            ("é", "xéé", "xé"),
            ("aba", "ababa", ""),
            ("a", "xa\n", "xa\n"),
        ];
        for (pattern, text, expected) in table {
            let start = compile(&format!(r"\A(?:{pattern})")).unwrap();
            let end = compile(&format!(r"(?:{pattern})\z")).unwrap();
            assert_eq!(trimmed(text, Some(&start), Some(&end)), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn a_rewrite_names_groups_by_digit() {
        let table = [(r"\2\1", "ba ba"), (r"<\0>", "<ab> <ab>"), (r"\10", "a0 a0"), (r"\\1$1\x\", r"\1$1\x\ \1$1\x\")];
        for (rewrite, expected) in table {
            let regex = compile("(a)(b)").unwrap();
            assert_eq!(replace_all("ab ab", &regex, &pieces(rewrite)).unwrap(), expected, "{rewrite}");
        }
    }

    #[test]
    fn a_selection_drops_what_names_no_group() {
        let regex = compile(r"(?P<first>\w)(?<middle>\w+)(\w)").unwrap();
        assert_eq!(selection(&regex, r#"["first", 2, 7, 0, -1, "none", 1.5, null, 3]"#), [1, 2, 3]);
        assert!(selection(&regex, "{}").is_empty());
    }

    #[test]
    fn matches_do_not_overlap_and_empty_ones_move_on() {
        let matches = |pattern: &str, text: &str, first: usize| {
            matches_from(&compile(pattern).unwrap(), text, first).collect::<Vec<_>>()
        };
        assert_eq!(matches("a.a", "ababaa", 0), [0]);
        assert!(matches("^a", "aa", 1).is_empty());
        assert_eq!(matches("x*", "éa", 0), [0, 2, 3]);
    }
}
