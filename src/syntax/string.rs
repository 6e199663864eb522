//! Decodes and encodes string literals.

use crate::diagnostic::{Code, Diagnostic, Span};

/// Decodes the literal `raw`, which starts at the offset `start`.
///
/// # Errors
/// The literal has an escape that KQL does not have.
pub(super) fn decode(raw: &str, start: u32) -> Result<String, Diagnostic> {
    let bare = raw.trim_start_matches(['h', 'H']);
    let verbatim = bare.starts_with('@');
    let bare = bare.trim_start_matches('@');
    for fence in ["```", "~~~"] {
        if let Some(inner) = bare.strip_prefix(fence).and_then(|text| text.strip_suffix(fence)) {
            return Ok(inner.to_owned());
        }
    }
    let quote = &bare[..1];
    let inner = &bare[1..bare.len() - 1];
    if verbatim {
        return Ok(inner.replace(&quote.repeat(2), quote));
    }
    let offset = start as usize + raw.len() - inner.len() - 1;
    unescape(inner, offset)
}

/// Decodes the escapes of `text`, which starts at `offset`.
fn unescape(text: &str, offset: usize) -> Result<String, Diagnostic> {
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        result.push_str(&rest[..at]);
        rest = &rest[at..];
        let Some((c, length)) = escape(rest) else {
            return Err(wrong_escape(rest, offset + text.len() - rest.len()));
        };
        result.push(c);
        rest = &rest[length..];
    }
    result.push_str(rest);
    Ok(result)
}

/// Decodes the escape at the start of `text`. Returns the character and the length of the escape in bytes; None if it
/// is not valid.
fn escape(text: &str) -> Option<(char, usize)> {
    let hex = |digits: usize| {
        let code = text.get(2..2 + digits).filter(|code| code.bytes().all(|b| b.is_ascii_hexdigit()))?;
        Some((char::from_u32(u32::from_str_radix(code, 16).ok()?)?, 2 + digits))
    };
    match *text.as_bytes().get(1)? {
        b @ (b'\\' | b'\'' | b'"') => Some((char::from(b), 2)),
        b'a' => Some(('\u{7}', 2)),
        b'b' => Some(('\u{8}', 2)),
        b'f' => Some(('\u{c}', 2)),
        b'n' => Some(('\n', 2)),
        b'r' => Some(('\r', 2)),
        b't' => Some(('\t', 2)),
        b'v' => Some(('\u{b}', 2)),
        b'u' => hex(4).or_else(|| surrogates(text)),
        b'U' => hex(8),
        b'x' => hex(2),
        b'0'..=b'7' => octal(text),
        _ => None,
    }
}

/// Decodes two `\u` escapes that form a surrogate pair. Returns the character and their length; None if they form
/// none.
fn surrogates(text: &str) -> Option<(char, usize)> {
    let unit = |at: usize| u16::from_str_radix(text.get(at..at + 4)?, 16).ok();
    let pair = [unit(2)?, unit(8).filter(|_| text.get(6..8) == Some("\\u"))?];
    char::decode_utf16(pair).next()?.ok().map(|c| (c, 12))
}

/// Decodes one to three octal digits after a backslash, at most `\377`. Returns the character and the length of the
/// escape.
fn octal(text: &str) -> Option<(char, usize)> {
    let digits = text[1..].bytes().take_while(|b| matches!(b, b'0'..=b'7')).count();
    let most = if text.as_bytes()[1] <= b'3' { 3 } else { 2 };
    let digits = digits.min(most);
    let code = u32::from_str_radix(&text[1..=digits], 8).ok()?;
    Some((char::from_u32(code)?, 1 + digits))
}

fn wrong_escape(text: &str, at: usize) -> Diagnostic {
    let length = text.chars().take(2).map(char::len_utf8).sum();
    let span = Span::new(at, at + length);
    Diagnostic::new(Code::InvalidLiteral, span, format!("`{}` is not an escape sequence", &text[..length]))
        .help("write @ before the quote for literal backslashes, or \\\\ for one backslash")
}

/// Returns a literal that [`decode`]s to `text`.
pub(super) fn encode(text: &str) -> String {
    let mut result = String::with_capacity(text.len() + 2);
    result.push('\'');
    for c in text.chars() {
        match c {
            '\\' => result.push_str("\\\\"),
            '\'' => result.push_str("\\'"),
            '\n' => result.push_str("\\n"),
            '\r' => result.push_str("\\r"),
            '\t' => result.push_str("\\t"),
            c if c.is_control() => result.push_str(&control_escape(c)),
            c => result.push(c),
        }
    }
    result.push('\'');
    result
}

/// Returns the escape of a control character. Control characters end at U+009F, so four digits suffice.
fn control_escape(c: char) -> String {
    format!("\\u{:04x}", u32::from(c))
}

#[cfg(test)]
mod tests {
    use super::{decode, encode};

    #[test]
    fn each_form_of_literal() {
        let cases = [
            (r#"'it''s'"#, None),
            (r#""a\tb\\\"c\'""#, Some("a\tb\\\"c'")),
            (r#"@'a\n''b'"#, Some(r"a\n'b")),
            (r#"@"a""b""#, Some("a\"b")),
            ("```a\\n'\n```", Some("a\\n'\n")),
            ("~~~a~~~", Some("a")),
            (r#"h'x'"#, Some("x")),
            (r#"H@"\x""#, Some("\\x")),
            (r"'\0\12\101\x41\u0041\U0001F600'", Some("\0\nAAA\u{1F600}")),
            (r"'\ud83d\ude00'", Some("\u{1F600}")),
            (r"'\477'", Some("'7")),
            ("''", Some("")),
        ];
        for (raw, expected) in cases {
            if let Some(expected) = expected {
                assert_eq!(decode(raw, 0).as_deref(), Ok(expected), "{raw}");
            }
        }
    }

    #[test]
    fn wrong_escapes_are_pointed_at() {
        let error = decode(r"'ab\d'", 10).expect_err("no such escape");
        assert_eq!((error.span.start, error.span.end), (13, 15));
        assert!(
            decode(r"'\u12'", 0).is_err() && decode(r"'\ud800'", 0).is_err() && decode(r"'\U00110000'", 0).is_err()
        );
    }

    #[test]
    fn encoded_texts_decode_to_themselves() {
        for text in ["", "it's", "a\\b", "\r\n\t\u{1}\u{7f}\u{85}", "äß😀", "\u{2028}", "a`b```c"] {
            assert_eq!(decode(&encode(text), 0).as_deref(), Ok(text));
        }
    }
}
