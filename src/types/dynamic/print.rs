//! The string forms of dynamics (as `tostring()` returns them, compact, canonical), and the escapes of JSON strings.

use std::borrow::Cow;
use std::fmt::Write;

use memchr::memchr;

use super::skip::{skip_whitespace, special, string_end, value_end};
use super::{Kind, MAX_DEPTH, elements, kind, unique_entries};
use crate::types::number;

/// Returns what `tostring()` returns for a dynamic: a JSON string without quotes and escapes, "" for `null`, and
/// compact JSON for anything else.
#[must_use]
pub fn to_text(json: &str) -> Cow<'_, str> {
    let json = json.trim_ascii();
    if json.starts_with('"') {
        unescape(json)
    } else if json == "null" {
        Cow::Borrowed("")
    } else {
        compact(json)
    }
}

/// Removes whitespace and unnecessary escapes from JSON. Only `"`, `\` and control characters stay escaped; a control
/// character is escaped by a letter, such as `\n`, if JSON has one. Keys and numbers keep their spelling.
#[must_use]
pub fn compact(json: &str) -> Cow<'_, str> {
    let json = json.trim_ascii();
    let Some(first) = first_not_compact(json.as_bytes()) else {
        return Cow::Borrowed(json);
    };
    let mut out = String::with_capacity(json.len());
    out.push_str(&json[..first]);
    let bytes = json.as_bytes();
    let mut at = first;
    while at < bytes.len() {
        let start = skip_whitespace(bytes, at);
        at = match bytes.get(start) {
            Some(b'"') => {
                let end = string_end(bytes, start);
                push_string(&json[start..end], &mut out);
                end
            }
            Some(byte @ (b'{' | b'}' | b'[' | b']' | b',' | b':')) => {
                out.push(char::from(*byte));
                start + 1
            }
            Some(_) => {
                let end = value_end(bytes, start);
                out.push_str(&json[start..end]);
                end
            }
            None => start,
        };
    }
    Cow::Owned(out)
}

/// Returns the position of the first whitespace outside strings or of the first string with an escape, whichever comes
/// first; None if there is neither.
fn first_not_compact(json: &[u8]) -> Option<usize> {
    let mut at = 0;
    while let Some(byte) = json.get(at) {
        match byte {
            b' ' | b'\t' | b'\n' | b'\r' => return Some(at),
            b'"' => {
                let end = string_end(json, at);
                if memchr(b'\\', &json[at..end]).is_some() {
                    return Some(at);
                }
                at = end;
            }
            _ => at += 1,
        }
    }
    None
}

/// Appends a JSON string with only the escapes that it needs.
fn push_string(quoted: &str, out: &mut String) {
    match unescape(quoted) {
        Cow::Borrowed(_) => out.push_str(quoted),
        Cow::Owned(text) => quote(&text, out),
    }
}

/// Appends `text` as a quoted JSON string. Non-ASCII characters are not escaped.
pub fn quote(text: &str, out: &mut String) {
    out.push('"');
    let bytes = text.as_bytes();
    let mut start = 0;
    loop {
        let at = special(bytes, start);
        out.push_str(&text[start..at]);
        let Some(byte) = bytes.get(at) else { break };
        start = at + 1;
        match byte {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            0x08 => out.push_str("\\b"),
            0x0c => out.push_str("\\f"),
            // Writing to a String cannot fail.
            _ => _ = write!(out, "\\u{byte:04x}"),
        }
    }
    out.push('"');
}

/// Decodes a quoted JSON string. An unpaired surrogate becomes U+FFFD.
#[must_use]
pub fn unescape(quoted: &str) -> Cow<'_, str> {
    let inner = quoted.strip_prefix('"').unwrap_or(quoted);
    let inner = inner.strip_suffix('"').unwrap_or(inner);
    let Some(first) = memchr(b'\\', inner.as_bytes()) else {
        return Cow::Borrowed(inner);
    };
    let mut out = String::with_capacity(inner.len());
    let (head, mut rest) = inner.split_at(first);
    out.push_str(head);
    while let Some(after) = rest.strip_prefix('\\') {
        let (character, after) = escaped(after);
        out.extend(character);
        let next = backslash(after.as_bytes());
        let (plain, tail) = after.split_at(next);
        out.push_str(plain);
        rest = tail;
    }
    Cow::Owned(out)
}

/// Returns the position of the first backslash, or the length if there is none. JSON inside a string has a backslash
/// every few characters, so a few bytes are checked before the vectorized search begins.
fn backslash(text: &[u8]) -> usize {
    const FEW: usize = 16;
    match text.iter().take(FEW).position(|byte| *byte == b'\\') {
        Some(near) => near,
        None if text.len() <= FEW => text.len(),
        None => memchr(b'\\', &text[FEW..]).map_or(text.len(), |far| FEW + far),
    }
}

/// Decodes an escape. Returns its character, and the rest of the string. `text` begins after the backslash.
fn escaped(text: &str) -> (Option<char>, &str) {
    let mut chars = text.chars();
    let character = match chars.next() {
        Some('n') => Some('\n'),
        Some('r') => Some('\r'),
        Some('t') => Some('\t'),
        Some('b') => Some('\u{8}'),
        Some('f') => Some('\u{c}'),
        Some('u') => return unicode_escape(chars.as_str()),
        other => other,
    };
    (character, chars.as_str())
}

/// Like [`escaped`], for an escape of four hexadecimal digits after `\u`, or of two such escapes for a surrogate pair.
/// `text` begins after the `u`.
fn unicode_escape(text: &str) -> (Option<char>, &str) {
    let Some((high, rest)) = four_digits(text) else {
        return (Some(char::REPLACEMENT_CHARACTER), text);
    };
    if !(0xd800..0xdc00).contains(&high) {
        return (Some(char::from_u32(high).unwrap_or(char::REPLACEMENT_CHARACTER)), rest);
    }
    let low = rest.strip_prefix("\\u").and_then(four_digits).filter(|(low, _)| (0xdc00..0xe000).contains(low));
    let Some((low, rest)) = low else {
        return (Some(char::REPLACEMENT_CHARACTER), rest);
    };
    (char::from_u32(0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00)), rest)
}

fn four_digits(text: &str) -> Option<(u32, &str)> {
    let (digits, rest) = text.split_at_checked(4)?;
    let number = digits.chars().try_fold(0, |number, c| Some(number << 4 | c.to_digit(16)?))?;
    Some((number, rest))
}

/// Returns a string that is equal for two dynamics if and only if their values are equal: compact JSON with sorted
/// unique keys, and numbers by value. A long and a double differ, as in `gettype()`.
#[must_use]
pub fn canonical(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    push_canonical(json.trim_ascii(), 0, &mut out);
    out
}

fn push_canonical(json: &str, depth: usize, out: &mut String) {
    match kind(json) {
        Kind::Null => out.push_str("null"),
        Kind::Bool => out.push_str(json),
        Kind::Long => out.push_str(&json.parse::<i64>().unwrap_or_default().to_string()),
        Kind::Double => match json.parse() {
            // Writing to a String cannot fail.
            Ok(number) => _ = number::write_real(number, out),
            Err(_) => out.push_str(json),
        },
        Kind::String => quote(&unescape(json), out),
        // JSON nested this deep never passed `validate`: it equals only itself.
        Kind::Array | Kind::Bag if depth > 2 * MAX_DEPTH => out.push_str(json),
        Kind::Array => {
            let mut separator = '[';
            for element in elements(json) {
                out.push(std::mem::replace(&mut separator, ','));
                push_canonical(element, depth + 1, out);
            }
            out.push_str(if separator == '[' { "[]" } else { "]" });
        }
        Kind::Bag => push_canonical_bag(json, depth, out),
    }
}

fn push_canonical_bag(json: &str, depth: usize, out: &mut String) {
    let mut entries: Vec<_> = unique_entries(json).into_iter().map(|entry| (entry.key.text(), entry.value)).collect();
    entries.sort_unstable();
    let mut separator = '{';
    for (key, value) in entries {
        out.push(std::mem::replace(&mut separator, ','));
        quote(&key, out);
        out.push(':');
        push_canonical(value, depth + 1, out);
    }
    out.push_str(if separator == '{' { "{}" } else { "}" });
}
