//! Validates JSON by the grammar of RFC 8259.

use std::borrow::Cow;

use super::quote;
use super::skip::{skip_whitespace, special};
use crate::json::MAX_DEPTH;

/// Why a string is not valid JSON, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Invalid {
    /// The first byte that cannot continue the JSON.
    pub offset: usize,
    /// True if the JSON is nested deeper than [`MAX_DEPTH`]; it may otherwise be valid.
    pub too_deep: bool,
}

/// Returns what `parse_json()` returns: valid JSON unchanged, anything else as a JSON string (including JSON nested
/// deeper than [`MAX_DEPTH`]), `null` for the empty string.
#[must_use]
pub fn from_text(text: &str) -> Cow<'_, str> {
    if text.is_empty() {
        return Cow::Borrowed("null");
    }
    if validate_text(text.as_bytes()).is_ok() {
        return Cow::Borrowed(text);
    }
    let mut quoted = String::with_capacity(text.len() + 2);
    quote(text, &mut quoted);
    Cow::Owned(quoted)
}

/// Checks that `json` is one JSON value in UTF-8, with optional whitespace around it.
///
/// A `\u` escape of an unpaired surrogate is accepted: the grammar of JSON allows it.
///
/// # Errors
/// [`Invalid`] with the position of the first error.
pub fn validate(json: &[u8]) -> Result<(), Invalid> {
    if let Err(error) = std::str::from_utf8(json) {
        return Err(invalid(error.valid_up_to()));
    }
    validate_text(json)
}

fn invalid(offset: usize) -> Invalid {
    Invalid { offset, too_deep: false }
}

/// What may follow.
#[derive(Clone, Copy, PartialEq)]
enum Expect {
    Value,
    /// A value or the end of the array just opened.
    ValueOrEnd,
    Key,
    /// A key or the end of the bag just opened.
    KeyOrEnd,
    /// A comma or the end of the container; at depth 0 the end of the text.
    Next,
}

/// The open containers: one bit per level, set for a bag.
#[derive(Default)]
struct Nesting {
    bags: u128,
    depth: usize,
}

impl Nesting {
    fn open(&mut self, bag: bool, offset: usize) -> Result<Expect, Invalid> {
        if self.depth == MAX_DEPTH {
            return Err(Invalid { offset, too_deep: true });
        }
        self.depth += 1;
        self.bags = self.bags << 1 | u128::from(bag);
        Ok(if bag { Expect::KeyOrEnd } else { Expect::ValueOrEnd })
    }

    fn close(&mut self) -> Expect {
        self.depth -= 1;
        self.bags >>= 1;
        Expect::Next
    }

    fn in_bag(&self) -> bool {
        self.depth > 0 && self.bags & 1 == 1
    }

    fn in_array(&self) -> bool {
        self.depth > 0 && self.bags & 1 == 0
    }
}

fn validate_text(json: &[u8]) -> Result<(), Invalid> {
    let mut nesting = Nesting::default();
    let mut expect = Expect::Value;
    let mut at = skip_whitespace(json, 0);
    while expect != Expect::Next || nesting.depth > 0 {
        let byte = *json.get(at).ok_or(invalid(at))?;
        (expect, at) = match (expect, byte) {
            (Expect::Value | Expect::ValueOrEnd, b'{') => (nesting.open(true, at)?, at + 1),
            (Expect::Value | Expect::ValueOrEnd, b'[') => (nesting.open(false, at)?, at + 1),
            (Expect::ValueOrEnd, b']') | (Expect::KeyOrEnd, b'}') => (nesting.close(), at + 1),
            (Expect::Value | Expect::ValueOrEnd, _) => (Expect::Next, scalar(json, at)?),
            (Expect::Key | Expect::KeyOrEnd, b'"') => (Expect::Value, colon(json, string(json, at)?)?),
            (Expect::Next, b',') if nesting.in_bag() => (Expect::Key, at + 1),
            (Expect::Next, b',') => (Expect::Value, at + 1),
            (Expect::Next, b'}') if nesting.in_bag() => (nesting.close(), at + 1),
            (Expect::Next, b']') if nesting.in_array() => (nesting.close(), at + 1),
            _ => return Err(invalid(at)),
        };
        at = skip_whitespace(json, at);
    }
    if at == json.len() { Ok(()) } else { Err(invalid(at)) }
}

fn colon(json: &[u8], at: usize) -> Result<usize, Invalid> {
    let at = skip_whitespace(json, at);
    if json.get(at) == Some(&b':') { Ok(at + 1) } else { Err(invalid(at)) }
}

/// Returns the position after the string, number or literal at `at`.
fn scalar(json: &[u8], at: usize) -> Result<usize, Invalid> {
    match json[at] {
        b'"' => string(json, at),
        b't' => word(json, at, b"true"),
        b'f' => word(json, at, b"false"),
        b'n' => word(json, at, b"null"),
        _ => number(json, at),
    }
}

fn word(json: &[u8], at: usize, word: &[u8]) -> Result<usize, Invalid> {
    if json[at..].starts_with(word) { Ok(at + word.len()) } else { Err(invalid(at)) }
}

fn string(json: &[u8], at: usize) -> Result<usize, Invalid> {
    let mut at = special(json, at + 1);
    loop {
        match json.get(at) {
            Some(b'"') => return Ok(at + 1),
            Some(b'\\') => at = special(json, escape(json, at + 1)?),
            _ => return Err(invalid(at)),
        }
    }
}

/// Returns the position after an escape; `at` is after its backslash.
fn escape(json: &[u8], at: usize) -> Result<usize, Invalid> {
    match json.get(at) {
        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(at + 1),
        Some(b'u') => match (at + 1..at + 5).find(|&at| !json.get(at).is_some_and(u8::is_ascii_hexdigit)) {
            Some(at) => Err(invalid(at)),
            None => Ok(at + 5),
        },
        _ => Err(invalid(at)),
    }
}

fn number(json: &[u8], at: usize) -> Result<usize, Invalid> {
    let start = if json[at] == b'-' { at + 1 } else { at };
    let mut at = digits(json, start)?;
    // Leading zeros are not valid.
    if json[start] == b'0' && at > start + 1 {
        return Err(invalid(start + 1));
    }
    if json.get(at) == Some(&b'.') {
        at = digits(json, at + 1)?;
    }
    if matches!(json.get(at), Some(b'e' | b'E')) {
        let signed = matches!(json.get(at + 1), Some(b'+' | b'-'));
        at = digits(json, at + 1 + usize::from(signed))?;
    }
    Ok(at)
}

/// Returns the position after one or more digits.
fn digits(json: &[u8], at: usize) -> Result<usize, Invalid> {
    let count = json.get(at..).unwrap_or_default().iter().take_while(|byte| byte.is_ascii_digit()).count();
    if count == 0 { Err(invalid(at)) } else { Ok(at + count) }
}
