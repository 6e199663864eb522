//! `parse-kv`: takes the values of given keys out of a string, a column for each key.
//!
//! Source: the reference's page on the parse-kv operator. Whitespace around keys and values is ignored, and of several
//! values of a key only the first counts. Where the page is silent: a quote that is not closed is an ordinary
//! character, and a greedy value ends before the next key even if the query does not ask for that key.

mod delimited;
mod quotes;
mod words;

use std::borrow::Cow;
use std::rc::Rc;

use memchr::memmem::Finder;
use regex::Regex;

use super::{Capture, TextMatcher};
use crate::diagnostic::{Code, Error, Result, Span};
use crate::functions::pattern;
use delimited::{Delimiters, PairReader};

pub use quotes::Quotes;

/// The keys to find, and how keys and values are written.
#[derive(Clone, Debug)]
pub struct KeyValuePattern {
    /// The keys, without duplicates.
    pub keys: Vec<String>,
    /// How keys and values are separated.
    pub syntax: KeyValueSyntax,
    /// How keys and values are quoted.
    pub quotes: Quotes,
}

/// How keys and values are separated.
#[derive(Clone, Debug)]
pub enum KeyValueSyntax {
    /// Keys and values are separated by given strings, neither of which is empty.
    Delimited {
        /// The string between two pairs.
        pairs: String,
        /// The string between a key and its value.
        key_value: String,
        /// True if a value without quotes ends before the next key, false if it ends before the next pair delimiter.
        greedy: bool,
    },
    /// Keys and values are separated by all characters but letters and digits.
    Words,
    /// Keys and values are found by a regular expression with two groups: the key and the value.
    Regex(String),
}

/// Checks a [`KeyValueSyntax::Regex`].
///
/// # Errors
/// As [`pattern::compile`]; [`Code::InvalidRegex`] if it does not have two groups.
pub fn check_key_value_regex(regex: &str) -> Result<()> {
    if pattern::compile(regex)?.captures_len() == 1 + REGEX_GROUPS {
        return Ok(());
    }
    let message = "the regular expression needs two groups: one for the key, one for the value";
    Err(Error::query(Code::InvalidRegex, Span::default(), message))
}

/// The number of groups of a [`KeyValueSyntax::Regex`].
const REGEX_GROUPS: usize = 2;

/// A `parse-kv` pattern, prepared for the search.
pub(super) struct KeyValueMatcher<'p> {
    pattern: &'p KeyValuePattern,
    search: PairSearch<'p>,
}

enum PairSearch<'p> {
    Delimited(Box<Delimiters<'p>>),
    Words,
    Regex(Rc<Regex>),
}

impl<'p> KeyValueMatcher<'p> {
    /// Prepares the search for the keys of a pattern.
    ///
    /// # Errors
    /// As [`pattern::compile`].
    pub(super) fn new(pattern: &'p KeyValuePattern) -> Result<Self> {
        let search = match &pattern.syntax {
            KeyValueSyntax::Delimited { pairs, key_value, greedy } => {
                let [pairs, key_value] = [pairs, key_value].map(|text| Finder::new(text.as_bytes()));
                PairSearch::Delimited(Box::new(Delimiters { pairs, key_value, greedy: *greedy }))
            }
            KeyValueSyntax::Words => PairSearch::Words,
            KeyValueSyntax::Regex(regex) => PairSearch::Regex(pattern::compile(regex)?),
        };
        Ok(Self { pattern, search })
    }
}

impl TextMatcher for KeyValueMatcher<'_> {
    /// Sets the value of each key that `text` contains. Always true, because a missing key is not a mismatch.
    fn captures<'t>(&mut self, text: &'t str, captures: &mut [Capture<'t>]) -> bool {
        let mut found = Found { keys: &self.pattern.keys, captures, missing: self.pattern.keys.len() };
        let quotes = self.pattern.quotes.in_text(text);
        match &self.search {
            PairSearch::Delimited(delimiters) => PairReader { text, delimiters, quotes }.read(&mut found),
            PairSearch::Words => words::read(text, quotes, &mut found),
            PairSearch::Regex(regex) => by_regex(text, regex, &mut found),
        }
        true
    }
}

/// The values of one string that were found so far.
struct Found<'k, 'c, 't> {
    keys: &'k [String],
    captures: &'c mut [Capture<'t>],
    /// The number of keys without a value.
    missing: usize,
}

impl<'t> Found<'_, '_, 't> {
    /// True if every key has a value.
    fn is_complete(&self) -> bool {
        self.missing == 0
    }

    /// True if the pattern has a column for `key`.
    fn has_key(&self, key: &str) -> bool {
        self.keys.iter().any(|asked| asked == key)
    }

    /// Sets the value of `key`, unless it has one already, or the pattern has no column for it.
    fn set(&mut self, key: &str, value: Cow<'t, str>) {
        let Some(index) = self.keys.iter().position(|asked| asked == key) else { return };
        if self.captures[index].is_none() {
            self.captures[index] = Some(value);
            self.missing -= 1;
        }
    }
}

fn by_regex<'t>(text: &'t str, regex: &Regex, found: &mut Found<'_, '_, 't>) {
    for captures in regex.captures_iter(text) {
        let group = |group: usize| captures.get(group).map_or("", |found| found.as_str().trim());
        found.set(group(1), Cow::Borrowed(group(2)));
        if found.is_complete() {
            return;
        }
    }
}

#[cfg(test)]
mod tests;
