//! guid: sixteen bytes in the order in which its string form shows them.

use std::fmt;

const HEX: &[u8; 16] = b"0123456789abcdef";

/// Returns the string form, lower case with dashes, as ASCII bytes.
#[must_use]
pub fn to_bytes(bytes: &[u8; 16]) -> [u8; 36] {
    let mut text = [b'-'; 36];
    let mut at = 0;
    for (index, byte) in bytes.iter().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            at += 1;
        }
        text[at] = HEX[usize::from(byte >> 4)];
        text[at + 1] = HEX[usize::from(byte & 15)];
        at += 2;
    }
    text
}

/// Writes the string form without allocating.
///
/// # Errors
/// Only errors of `out`.
pub fn write_text(bytes: &[u8; 16], out: &mut impl fmt::Write) -> fmt::Result {
    out.write_str(std::str::from_utf8(&to_bytes(bytes)).map_err(|_| fmt::Error)?)
}

/// Returns the string form, lower case with dashes.
#[must_use]
pub fn to_text(bytes: &[u8; 16]) -> String {
    let mut text = String::with_capacity(36);
    // Writing to a String cannot fail.
    let _ = write_text(bytes, &mut text);
    text
}

/// Parses what `toguid()` accepts: 32 hexadecimal digits with dashes anywhere between them, bare, in braces or in
/// parentheses. None for anything else.
#[must_use]
pub fn parse(text: &str) -> Option<[u8; 16]> {
    let text = text.trim();
    let inner = [('{', '}'), ('(', ')')]
        .into_iter()
        .find_map(|(open, close)| text.strip_prefix(open)?.strip_suffix(close))
        .unwrap_or(text);
    let mut bytes = [0; 16];
    let mut digits = 0;
    for byte in inner.bytes().filter(|byte| *byte != b'-') {
        let value = u8::try_from((byte as char).to_digit(16)?).ok()?;
        let slot: &mut u8 = bytes.get_mut(digits / 2)?;
        *slot = *slot << 4 | value;
        digits += 1;
    }
    (digits == 32).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::{parse, to_text};

    #[test]
    fn forms() {
        let expected = "01234567-89ab-cdef-0123-456789abcdef";
        for text in [
            "0123456789abcdef0123456789abcdef",
            "0123456789ab-cdef-0123-456789abcdef",
            "01234567-89AB-CDEF-0123-456789ABCDEF",
            "{01234567-89ab-cdef-0123-456789abcdef}",
            "(01234567-89ab-cdef-0123-456789abcdef)",
            " 01234567-89ab-cdef-0123-456789abcdef ",
        ] {
            assert_eq!(parse(text).map(|bytes| to_text(&bytes)).as_deref(), Some(expected), "{text}");
        }
        for text in [
            "a string that is not a guid",
            "",
            "0123456789abcdef0123456789abcde",
            "0123456789abcdef0123456789abcdef0",
            "0123456789abcdef0123456789abcdeg",
            "{0123456789abcdef0123456789abcdef",
            "é123456789abcdef0123456789abcdef",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
