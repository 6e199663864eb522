//! Keys and values of `parse-kv` between given delimiters.

use std::borrow::Cow;

use memchr::memmem::Finder;

use super::Found;
use super::quotes::QuotedText;

/// The delimiters of pairs, and of keys and values; see [`super::KeyValueSyntax::Delimited`].
pub(super) struct Delimiters<'p> {
    pub pairs: Finder<'p>,
    pub key_value: Finder<'p>,
    pub greedy: bool,
}

/// Reads the pairs of keys and values of a string from left to right.
pub(super) struct PairReader<'p, 'q, 't> {
    pub text: &'t str,
    pub delimiters: &'p Delimiters<'p>,
    pub quotes: QuotedText<'q, 't>,
}

impl<'t> PairReader<'_, '_, 't> {
    /// Reads pairs until the string ends or each key has a value, and adds them to `found`.
    pub fn read(mut self, found: &mut Found<'_, '_, 't>) {
        let mut at = 0;
        // The next key-value delimiter; found again only once it is passed.
        let mut next_key_value = find(&self.delimiters.key_value, self.text, 0);
        while !found.is_complete() {
            at = self.skip(at, true);
            while next_key_value.is_some_and(|start| start < at) {
                next_key_value = find(&self.delimiters.key_value, self.text, at);
            }
            let Some(key_value) = next_key_value else { return };
            let Some((key, value_start)) = self.key(&mut at, key_value) else { continue };
            let (value, end) = self.value(value_start);
            found.set(&key, value);
            at = end;
        }
    }

    /// Returns the key at `at` and the position after its delimiter; the next key-value delimiter begins at
    /// `key_value`. If there is no pair before the next pair delimiter, returns None and moves `at` after that
    /// delimiter.
    fn key(&mut self, at: &mut usize, key_value: usize) -> Option<(Cow<'t, str>, usize)> {
        if let Some(quoted) = self.quotes.at(*at) {
            let end = quoted.end + self.text[quoted.end..].len() - self.text[quoted.end..].trim_start().len();
            for start in [quoted.end, end] {
                if self.text.as_bytes()[start..].starts_with(self.delimiters.key_value.needle()) {
                    return Some((quoted.text, start + self.delimiters.key_value.needle().len()));
                }
            }
            *at = self.pair_end(quoted.end);
            return None;
        }
        match find(&self.delimiters.pairs, &self.text[..key_value], *at) {
            Some(pair_end) => {
                *at = pair_end;
                None
            }
            None => {
                let key = self.text[*at..key_value].trim();
                Some((Cow::Borrowed(key), key_value + self.delimiters.key_value.needle().len()))
            }
        }
    }

    /// Returns the value at `start` and the position after it.
    fn value(&mut self, start: usize) -> (Cow<'t, str>, usize) {
        let start = self.skip(start, false);
        if let Some(quoted) = self.quotes.at(start) {
            return (quoted.text, self.pair_end(quoted.end));
        }
        let end = if self.delimiters.greedy { self.greedy_end(start) } else { self.pair_end(start) };
        (Cow::Borrowed(self.text[start..end].trim()), end)
    }

    /// Returns the position of the next pair delimiter from `from` on, or the end of the text.
    fn pair_end(&self, from: usize) -> usize {
        find(&self.delimiters.pairs, self.text, from).unwrap_or(self.text.len())
    }

    /// Returns the position of the last pair delimiter before the next key, or the end of the text.
    fn greedy_end(&self, start: usize) -> usize {
        let mut from = start;
        while let Some(key_value) = find(&self.delimiters.key_value, self.text, from) {
            if let Some(pair) =
                memchr::memmem::rfind(&self.text.as_bytes()[from..key_value], self.delimiters.pairs.needle())
            {
                return from + pair;
            }
            from = key_value + self.delimiters.key_value.needle().len();
        }
        self.text.len()
    }

    /// Returns the position after whitespace. With `pairs`, pair delimiters are skipped, too; otherwise the position
    /// stops at them, even if they are whitespace.
    fn skip(&self, mut at: usize, pairs: bool) -> usize {
        loop {
            let rest = &self.text[at..];
            if rest.as_bytes().starts_with(self.delimiters.pairs.needle()) {
                if !pairs {
                    return at;
                }
                at += self.delimiters.pairs.needle().len();
                continue;
            }
            match rest.chars().next().filter(|character| character.is_whitespace()) {
                Some(character) => at += character.len_utf8(),
                None => return at,
            }
        }
    }
}

fn find(finder: &Finder<'_>, text: &str, from: usize) -> Option<usize> {
    Some(from + finder.find(text.as_bytes().get(from..)?)?)
}
