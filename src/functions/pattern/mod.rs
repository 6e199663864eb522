//! Regular expressions, compiled once per thread and cached.
//!
//! KQL uses the syntax of the regex crate, with the exceptions in `syntax`; see the reference's page on regex syntax.

mod syntax;

use std::cell::RefCell;
use std::rc::Rc;

use regex::Regex;

use crate::diagnostic::{Code, Error, Result, Span};
use crate::types::Value;

/// Maximum number of expressions cached per thread; the least recently used one is evicted.
const MOST_KEPT: usize = 32;
/// Maximum size of a compiled expression in bytes.
const MAX_COMPILED_BYTES: usize = 4 << 20;

thread_local! {
    /// The cached expressions, most recently used first.
    static KEPT: RefCell<Vec<CompiledPattern>> = const { RefCell::new(Vec::new()) };
}

/// A compiled expression, and the pattern in the query that it was compiled from.
struct CompiledPattern {
    pattern: Box<str>,
    regex: Rc<Regex>,
}

/// Compiles `pattern`, or returns it from the cache.
///
/// # Errors
/// [`Code::InvalidRegex`] without a location if the pattern does not parse or is too large.
pub fn compile(pattern: &str) -> Result<Rc<Regex>> {
    KEPT.with_borrow_mut(|kept| {
        let compiled = match kept.iter().position(|compiled| &*compiled.pattern == pattern) {
            Some(index) => kept.remove(index),
            None => CompiledPattern { pattern: pattern.into(), regex: Rc::new(build(pattern)?) },
        };
        let regex = Rc::clone(&compiled.regex);
        kept.truncate(MOST_KEPT - 1);
        kept.insert(0, compiled);
        Ok(regex)
    })
}

/// Compiles the regular expression in the argument at `index`; None if that is not a constant. For the `validate` of
/// functions.
///
/// # Errors
/// As [`compile`].
pub fn check(arguments: &[Option<&Value>], index: usize) -> Result<Option<Rc<Regex>>> {
    let constant = arguments.get(index).copied().flatten();
    constant.and_then(Value::as_str).map(compile).transpose()
}

/// Returns the string with every character escaped that has a meaning in regular expressions.
#[must_use]
pub fn quote(string: &str) -> String {
    regex::escape(string)
}

fn build(pattern: &str) -> Result<Regex> {
    parse(pattern)
        .or_else(|error| match syntax::with_literal_braces(pattern) {
            // The first error has a position in the pattern of the query.
            Some(literal) => parse(&literal).map_err(|_| error),
            None => Err(error),
        })
        .map_err(|error| {
            let message = format!("not a valid regular expression: {}", reason(&error));
            Error::query(Code::InvalidRegex, Span::default(), message)
        })
}

fn parse(pattern: &str) -> Result<Regex, regex::Error> {
    let mut builder = regex::RegexBuilder::new(pattern);
    builder.size_limit(MAX_COMPILED_BYTES).octal(!syntax::has_back_reference(pattern)).build()
}

/// Returns what is wrong with an expression and at which position, in one line.
fn reason(error: &regex::Error) -> String {
    match error {
        regex::Error::CompiledTooBig(_) => "it is too large".to_owned(),
        regex::Error::Syntax(text) => {
            let what = text.lines().filter_map(|line| line.strip_prefix("error: ")).next_back().unwrap_or(text);
            // The error shows a caret below the pattern, which is indented by four spaces.
            let caret = text
                .lines()
                .find(|line| line.trim_start().starts_with('^') && line.trim_matches([' ', '^']).is_empty());
            match caret.and_then(|line| line.find('^')) {
                Some(column) => format!("{what} at character {}", column.saturating_sub(3)),
                None => what.to_owned(),
            }
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::{KEPT, MOST_KEPT, compile};

    #[test]
    fn an_error_says_what_and_where() {
        let message = |pattern: &str| compile(pattern).map(|_| ()).unwrap_err().to_string();
        assert_eq!(message("ab("), "KQL2015: not a valid regular expression: unclosed group at character 3");
        assert!(message("a(?=b)").contains("look-around"), "{}", message("a(?=b)"));
        assert_eq!(message(r"\w{500}{500}"), "KQL2015: not a valid regular expression: it is too large");
    }

    #[test]
    fn only_so_many_are_kept() {
        for index in 0..3 * MOST_KEPT {
            assert!(compile(&format!("a{{{index}}}")).is_ok());
        }
        assert_eq!(KEPT.with_borrow(Vec::len), MOST_KEPT);
    }
}
