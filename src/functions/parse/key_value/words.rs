//! Keys and values of `parse-kv` without given delimiters: they are separated by all characters but letters and digits.

use std::borrow::Cow;

use super::Found;
use super::quotes::QuotedText;

/// Sets the value of each key to the word or quoted string after it.
pub(super) fn read<'t>(text: &'t str, quotes: QuotedText<'_, 't>, found: &mut Found<'_, '_, 't>) {
    let mut words = Words { text, at: 0, quotes };
    while !found.is_complete() {
        let Some(word) = words.next() else { return };
        if found.has_key(&word) {
            let Some(value) = words.next() else { return };
            found.set(&word, value);
        }
    }
}

/// Iterates over the words and quoted strings of a string.
struct Words<'q, 't> {
    text: &'t str,
    at: usize,
    quotes: QuotedText<'q, 't>,
}

impl<'t> Iterator for Words<'_, 't> {
    type Item = Cow<'t, str>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(quoted) = self.quotes.at(self.at) {
                self.at = quoted.end;
                return Some(quoted.text);
            }
            let rest = &self.text[self.at..];
            let first = rest.chars().next()?;
            if first.is_alphanumeric() {
                let end = rest.find(|character: char| !character.is_alphanumeric()).unwrap_or(rest.len());
                self.at += end;
                return Some(Cow::Borrowed(&rest[..end]));
            }
            self.at += first.len_utf8();
        }
    }
}
