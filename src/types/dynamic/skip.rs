//! Moves through JSON without building anything.

use std::borrow::Cow;
use std::collections::HashMap;

use memchr::memchr;

use super::unescape;

/// Returns the first position from `at` that is not whitespace.
pub(super) fn skip_whitespace(json: &[u8], mut at: usize) -> usize {
    while matches!(json.get(at), Some(b' ' | b'\t' | b'\n' | b'\r')) {
        at += 1;
    }
    at
}

/// Returns the position of the first quote, backslash or control character from `at` on, or the length if there is
/// none. Compares eight bytes at a time, because most strings in logs are short.
pub(super) fn special(json: &[u8], mut at: usize) -> usize {
    const ONES: u64 = u64::MAX / 255;
    const HIGH: u64 = ONES << 7;
    // Sets the high bit of each zero byte, and perhaps of bytes after the first one.
    let zero = |word: u64| word.wrapping_sub(ONES) & !word & HIGH;
    while let Some(eight) = json.get(at..).and_then(<[u8]>::first_chunk) {
        let word = u64::from_le_bytes(*eight);
        let control = word.wrapping_sub(ONES * 0x20) & !word & HIGH;
        let found = zero(word ^ (ONES * 0x22)) | zero(word ^ (ONES * 0x5c)) | control;
        if found != 0 {
            return at + found.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    let rest = json.get(at..).unwrap_or_default();
    let is_special = |byte: &u8| matches!(byte, b'"' | b'\\' | ..0x20);
    rest.iter().position(is_special).map_or(json.len(), |place| at + place)
}

/// Returns the position after the string whose opening quote is at `at`, or the length if it is not closed.
pub(super) fn string_end(json: &[u8], at: usize) -> usize {
    let mut at = special(json, at + 1);
    while let Some(byte) = json.get(at) {
        match byte {
            b'"' => return at + 1,
            b'\\' => at = special(json, at + 2),
            _ => at = special(json, at + 1),
        }
    }
    json.len()
}

/// Returns the position after the value that starts at `at`.
pub(super) fn value_end(json: &[u8], at: usize) -> usize {
    match json.get(at) {
        Some(b'"') => string_end(json, at),
        Some(b'{' | b'[') => container_end(json, at),
        _ => {
            let is_end = |byte: &u8| matches!(byte, b',' | b']' | b'}' | b':' | b' ' | b'\t' | b'\n' | b'\r');
            json.get(at..).and_then(|rest| rest.iter().position(is_end)).map_or(json.len(), |length| at + length)
        }
    }
}

/// Returns the position after the array or bag that starts at `at`. It does not distinguish the two kinds of brackets,
/// because they are paired in well-formed JSON.
fn container_end(json: &[u8], mut at: usize) -> usize {
    let mut depth = 0_usize;
    while let Some(byte) = json.get(at) {
        match byte {
            b'"' => {
                at = string_end(json, at);
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' => {
                depth -= 1;
                if depth == 0 {
                    return at + 1;
                }
            }
            _ => {}
        }
        at += 1;
    }
    json.len()
}

/// Iterates over the elements of the array `json`; empty if it is not an array.
#[must_use]
pub fn elements(json: &str) -> Elements<'_> {
    Elements { items: ItemCursor::new(json, b'[') }
}

/// Iterates over the entries of the bag `json` in their order, including duplicate keys; empty if it is not a bag.
#[must_use]
pub fn entries(json: &str) -> Entries<'_> {
    Entries { items: ItemCursor::new(json, b'{') }
}

/// Returns the entries of the bag `json` with unique keys: each at the position of its first occurrence, with its last
/// value.
#[must_use]
pub fn unique_entries(json: &str) -> Vec<Entry<'_>> {
    /// Maximum number of entries for which comparing keys is faster than hashing them.
    const FEW: usize = 16;
    let all: Vec<_> = entries(json).collect();
    let mut unique: Vec<Entry> = Vec::with_capacity(all.len());
    if all.len() <= FEW {
        for entry in all {
            match unique.iter_mut().find(|earlier| earlier.key.same(entry.key)) {
                Some(earlier) => earlier.value = entry.value,
                None => unique.push(entry),
            }
        }
        return unique;
    }
    // The standard hasher is seeded: attackers control the keys.
    let mut places = HashMap::with_capacity(all.len());
    for entry in all {
        let place = *places.entry(entry.key.text()).or_insert(unique.len());
        match unique.get_mut(place) {
            Some(earlier) => earlier.value = entry.value,
            None => unique.push(entry),
        }
    }
    unique
}

/// A key of a bag, as it is written in the JSON.
#[derive(Clone, Copy, Debug)]
pub struct Key<'a> {
    /// The key with its quotes and escapes.
    quoted: &'a str,
}

impl<'a> Key<'a> {
    /// Returns the key without quotes and escapes.
    #[must_use]
    pub fn text(self) -> Cow<'a, str> {
        unescape(self.quoted)
    }

    /// Returns the key as JSON, with its quotes.
    #[must_use]
    pub fn json(self) -> &'a str {
        self.quoted
    }

    /// True if the key equals `name`.
    #[must_use]
    pub fn is(self, name: &str) -> bool {
        let inner = self.quoted.as_bytes();
        let inner = inner.get(1..inner.len().saturating_sub(1)).unwrap_or_default();
        // An escaped key is longer than its name.
        if inner.len() < name.len() || (inner.len() == name.len() && inner != name.as_bytes()) {
            return false;
        }
        if memchr(b'\\', inner).is_some() { unescape(self.quoted) == name } else { inner == name.as_bytes() }
    }

    fn same(self, other: Self) -> bool {
        self.quoted == other.quoted || self.text() == other.text()
    }
}

/// An entry of a bag.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    /// The key.
    pub key: Key<'a>,
    /// The value, as JSON without whitespace around it.
    pub value: &'a str,
}

/// Iterates over the elements of an array; see [`elements`].
#[derive(Clone, Debug)]
pub struct Elements<'a> {
    items: ItemCursor<'a>,
}

impl<'a> Iterator for Elements<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let value = self.items.value()?;
        self.items.separator(b',');
        Some(value)
    }
}

impl Elements<'_> {
    /// Skips the next element if its JSON begins with `known`, and returns true if so. `known` must be an object, an
    /// array or a string: the text of such a value shows where it ends, so that it is then the whole element.
    pub fn skip_if(&mut self, known: &[u8]) -> bool {
        let bytes = self.items.json.as_bytes();
        let start = skip_whitespace(bytes, self.items.at);
        let begins = bytes.get(start..).is_some_and(|rest| rest.starts_with(known));
        if begins {
            self.items.at = start + known.len();
            self.items.separator(b',');
        }
        begins
    }
}

/// Iterates over the entries of a bag; see [`entries`].
#[derive(Clone, Debug)]
pub struct Entries<'a> {
    items: ItemCursor<'a>,
}

impl<'a> Iterator for Entries<'a> {
    type Item = Entry<'a>;

    fn next(&mut self) -> Option<Entry<'a>> {
        let quoted = self.items.value().filter(|key| key.starts_with('"'))?;
        self.items.separator(b':');
        let value = self.items.value()?;
        self.items.separator(b',');
        Some(Entry { key: Key { quoted }, value })
    }
}

/// A position between the items of an array or bag.
#[derive(Clone, Debug)]
struct ItemCursor<'a> {
    json: &'a str,
    /// The start of the next item, or the length of the JSON.
    at: usize,
}

impl<'a> ItemCursor<'a> {
    fn new(json: &'a str, open: u8) -> Self {
        let start = skip_whitespace(json.as_bytes(), 0);
        let at = if json.as_bytes().get(start) == Some(&open) { start + 1 } else { json.len() };
        Self { json, at }
    }

    /// Returns the value at this position; None if there is none, and then for all later calls, too.
    fn value(&mut self) -> Option<&'a str> {
        let bytes = self.json.as_bytes();
        let start = skip_whitespace(bytes, self.at);
        let end = value_end(bytes, start);
        if end == start {
            self.at = bytes.len();
            return None;
        }
        self.at = end;
        self.json.get(start..end)
    }

    /// Skips the separator `byte`; if it is missing, the iteration ends.
    fn separator(&mut self, byte: u8) {
        let bytes = self.json.as_bytes();
        let at = skip_whitespace(bytes, self.at);
        self.at = if bytes.get(at) == Some(&byte) { at + 1 } else { bytes.len() };
    }
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::special;

    #[test]
    fn eight_bytes_together_find_what_one_by_one_does() {
        let mut random = ChaCha8Rng::seed_from_u64(1);
        for _ in 0..20_000 {
            let length = random.random_range(0..40);
            let mut text: Vec<u8> = (0..length).map(|_| random.random_range(0x20..=0xff)).collect();
            text.iter_mut().for_each(|byte| *byte = if matches!(byte, b'"' | b'\\') { b'x' } else { *byte });
            for _ in 0..random.random_range(0..3) {
                let place = random.random_range(0..text.len() + 1);
                text.insert(
                    place,
                    [b'"', b'\\', 0, 0x1f, 0x21, 0x23, 0x5b, 0x5d, 0x80, 0x7f][random.random_range(0..10)],
                );
            }
            let start = random.random_range(0..text.len() + 2);
            let expected = (start..text.len()).find(|&at| matches!(text[at], b'"' | b'\\' | ..0x20));
            assert_eq!(special(&text, start), expected.unwrap_or(text.len()), "{text:?} from {start}");
        }
    }
}
