//! Quoted keys and values of `parse-kv`.

use std::borrow::Cow;

/// The characters around quoted keys and values, and those that escape a character between quotes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Quotes {
    /// The opening and the closing character of each kind of quotes.
    pub pairs: Vec<(char, char)>,
    /// The escape characters.
    pub escapes: Vec<char>,
}

impl Quotes {
    /// Prepares the search for quotes in `text`.
    pub(super) fn in_text<'q, 't>(&'q self, text: &'t str) -> QuotedText<'q, 't> {
        QuotedText { quotes: self, text, unclosed: Vec::new() }
    }
}

/// Finds the quoted parts of one string.
pub(super) struct QuotedText<'q, 't> {
    quotes: &'q Quotes,
    text: &'t str,
    /// Closing characters that do not occur in the rest of the string. Without this list, many opening characters would
    /// each search the whole rest, in quadratic time.
    unclosed: Vec<char>,
}

/// A quoted string.
pub(super) struct Quoted<'t> {
    /// The string without quotes and escape characters.
    pub text: Cow<'t, str>,
    /// The position after the closing quote.
    pub end: usize,
}

impl<'t> QuotedText<'_, 't> {
    /// Returns the quoted string at `start`; None if there is no opening quote, or it is not closed.
    pub fn at(&mut self, start: usize) -> Option<Quoted<'t>> {
        let first = self.text[start..].chars().next()?;
        let (open, close) = self.quotes.pairs.iter().find(|(open, _)| *open == first)?;
        if self.unclosed.contains(close) {
            return None;
        }
        let from = start + open.len_utf8();
        let Some((inside, end)) = self.inside(from, *close) else {
            self.unclosed.push(*close);
            return None;
        };
        Some(Quoted { text: inside, end })
    }

    /// Returns the text from `from` up to the closing quote `close`, and the position after it; None if it is not
    /// closed.
    fn inside(&self, from: usize, close: char) -> Option<(Cow<'t, str>, usize)> {
        let mut text = Cow::Borrowed("");
        let (mut begin, mut is_escaped) = (from, false);
        for (offset, character) in self.text[from..].char_indices() {
            let at = from + offset;
            if is_escaped {
                is_escaped = false;
            } else if character == close {
                append(&mut text, &self.text[begin..at]);
                return Some((text, at + close.len_utf8()));
            } else if self.quotes.escapes.contains(&character) {
                append(&mut text, &self.text[begin..at]);
                begin = at + character.len_utf8();
                is_escaped = true;
            }
        }
        None
    }
}

/// Appends `more` to `text`; nothing is copied if `text` is empty.
fn append<'t>(text: &mut Cow<'t, str>, more: &'t str) {
    if text.is_empty() {
        *text = Cow::Borrowed(more);
    } else {
        text.to_mut().push_str(more);
    }
}
