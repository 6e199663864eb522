//! Walks over JSON text without building anything.

use std::borrow::Cow;
use std::collections::HashMap;

use memchr::memchr;

use super::unescape;

/// The first position from `at` that is no blank.
pub(super) fn skip_blanks(json: &[u8], mut at: usize) -> usize {
    while matches!(json.get(at), Some(b' ' | b'\t' | b'\n' | b'\r')) {
        at += 1;
    }
    at
}

/// The first position from `at` of a quote, a backslash or a control character; the end of the text where there is none.
/// Eight bytes are looked at together: most strings of a log are a few words long.
pub(super) fn special(json: &[u8], mut at: usize) -> usize {
    const ONES: u64 = u64::MAX / 255;
    const HIGH: u64 = ONES << 7;
    // The high bit of each byte that is zero; of those behind the first one, perhaps others.
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

/// The position after the string whose opening quote is at `at`; the end of the text where it has no end.
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

/// The position after the value that starts at `at`.
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

/// The position after the array or bag that starts at `at`. Counts brackets of either kind alike: in well-formed text
/// they pair up.
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

/// The elements of the array that `json` is; nothing where it is none.
#[must_use]
pub fn elements(json: &str) -> Elements<'_> {
    Elements { items: Items::new(json, b'[') }
}

/// The entries of the bag that `json` is, in order, with keys as often as they stand there; nothing where it is none.
#[must_use]
pub fn entries(json: &str) -> Entries<'_> {
    Entries { items: Items::new(json, b'{') }
}

/// The entries of the bag that `json` is, each key once: at its first place, with its last value.
#[must_use]
pub fn unique_entries(json: &str) -> Vec<Entry<'_>> {
    /// Up to here comparing keys beats hashing them.
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
    // The standard hasher is seeded: keys come from whoever wrote the log.
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

/// A key of a bag as it is written, escapes and all.
#[derive(Clone, Copy, Debug)]
pub struct Key<'a> {
    /// With its quotes.
    quoted: &'a str,
}

impl<'a> Key<'a> {
    /// The key itself, without quotes and escapes.
    #[must_use]
    pub fn text(self) -> Cow<'a, str> {
        unescape(self.quoted)
    }

    /// The key as JSON, with its quotes.
    #[must_use]
    pub fn json(self) -> &'a str {
        self.quoted
    }

    /// True where this is the key `name`.
    #[must_use]
    pub fn is(self, name: &str) -> bool {
        let inner = self.quoted.as_bytes();
        let inner = inner.get(1..inner.len().saturating_sub(1)).unwrap_or_default();
        // Escapes are longer than what they stand for.
        if inner.len() < name.len() || (inner.len() == name.len() && inner != name.as_bytes()) {
            return false;
        }
        if memchr(b'\\', inner).is_some() { unescape(self.quoted) == name } else { inner == name.as_bytes() }
    }

    fn same(self, other: Self) -> bool {
        self.quoted == other.quoted || self.text() == other.text()
    }
}

/// One entry of a bag.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    /// Its key.
    pub key: Key<'a>,
    /// Its value, JSON without blanks around it.
    pub value: &'a str,
}

/// What [`elements`] walks over.
#[derive(Clone, Debug)]
pub struct Elements<'a> {
    items: Items<'a>,
}

impl<'a> Iterator for Elements<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let value = self.items.value()?;
        self.items.separator(b',');
        Some(value)
    }
}

/// What [`entries`] walks over.
#[derive(Clone, Debug)]
pub struct Entries<'a> {
    items: Items<'a>,
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

/// A place inside an array or bag.
#[derive(Clone, Debug)]
struct Items<'a> {
    json: &'a str,
    /// Where the next item starts, or the end of the text.
    at: usize,
}

impl<'a> Items<'a> {
    fn new(json: &'a str, open: u8) -> Self {
        let start = skip_blanks(json.as_bytes(), 0);
        let at = if json.as_bytes().get(start) == Some(&open) { start + 1 } else { json.len() };
        Self { json, at }
    }

    /// The value at this place; None, for good, where there is none.
    fn value(&mut self) -> Option<&'a str> {
        let bytes = self.json.as_bytes();
        let start = skip_blanks(bytes, self.at);
        let end = value_end(bytes, start);
        if end == start {
            self.at = bytes.len();
            return None;
        }
        self.at = end;
        self.json.get(start..end)
    }

    /// Steps over `byte`; where it is missing there is nothing more to come.
    fn separator(&mut self, byte: u8) {
        let bytes = self.json.as_bytes();
        let at = skip_blanks(bytes, self.at);
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
