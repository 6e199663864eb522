//! Takes strings apart: the patterns of the operators `parse`, `parse-where` and `parse-kv`, and their matchers.
//!
//! A matcher finds the substring of each column in one string. Converting the substrings to the types of the columns,
//! and dropping rows, is the work of the operator.

mod delimited;
mod fragment;
mod key_value;
mod regex;
mod shape;

use std::borrow::Cow;

pub use key_value::{KeyValuePattern, KeyValueSyntax, Quotes, check_key_value_regex};
pub use regex::check_fragment;

use crate::diagnostic::Result;
use crate::types::Type;

/// The substring that is the value of a column, without quotes and escape characters; None if the pattern does not find
/// any.
pub type Capture<'t> = Option<Cow<'t, str>>;

/// The pattern by which an operator takes a string apart.
#[derive(Clone, Debug)]
pub enum TextPattern {
    /// Columns between literal strings: `parse` with kind=simple or kind=relaxed.
    Delimited(Vec<PatternElement>),
    /// Columns between regular expressions: `parse` with kind=regex.
    Regex {
        /// The elements of the pattern; its strings are regular expressions.
        elements: Vec<PatternElement>,
        /// The flags of the whole expression, such as `i`.
        flags: String,
    },
    /// Columns whose values follow given keys: `parse-kv`.
    KeyValue(KeyValuePattern),
}

/// An element of a pattern. The binder checks their order: a `*` is followed by a string or the end, and a column by a
/// string, by the end or, unless it is a string or dynamic, by a `*`. No two strings follow each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PatternElement {
    /// A `*`, which skips as little as possible.
    Star,
    /// A string that must occur; with kind=regex, a regular expression that must match.
    Text(String),
    /// A column of this type, whose value is a part of the string.
    Column(Type),
}

/// Finds the substrings of columns in strings.
pub trait TextMatcher {
    /// Sets the capture of each column, in the order of the pattern; returns false if `text` does not match.
    /// All captures must be None before.
    fn captures<'t>(&mut self, text: &'t str, captures: &mut [Capture<'t>]) -> bool;
}

impl TextPattern {
    /// Returns a matcher, prepared for the search in many strings.
    ///
    /// # Errors
    /// [`crate::diagnostic::Code::InvalidRegex`] without a location if a regular expression is invalid or too large.
    pub fn matcher(&self) -> Result<Box<dyn TextMatcher + '_>> {
        Ok(match self {
            Self::Delimited(elements) => Box::new(delimited::DelimitedMatcher::new(elements)?),
            Self::Regex { elements, flags } => Box::new(regex::RegexMatcher::new(elements, flags)?),
            Self::KeyValue(pattern) => Box::new(key_value::KeyValueMatcher::new(pattern)?),
        })
    }
}
