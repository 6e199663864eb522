//! Texts that others wrote, for people to look at.

use std::borrow::Cow;
use std::fmt::Write;

/// `text` without what would move the cursor, colour the terminal or turn the direction of writing: such characters
/// become visible escapes. Whoever signs in writes part of these logs.
pub fn visible(text: &str) -> Cow<'_, str> {
    if !text.contains(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        match character {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            _ if character.is_ascii() && is_unsafe(character) => _ = write!(out, "\\x{:02x}", u32::from(character)),
            _ if is_unsafe(character) => _ = write!(out, "\\u{{{:x}}}", u32::from(character)),
            _ => out.push(character),
        }
    }
    Cow::Owned(out)
}

/// Control characters, line and paragraph separators, and the marks that turn the direction of writing.
fn is_unsafe(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
        || character == '\u{feff}'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_drives_a_terminal_becomes_visible() {
        assert_eq!(visible("plain é 漢"), "plain é 漢");
        assert_eq!(visible("\u{1b}[31mred\u{7}\r\n\t\u{7f}"), "\\x1b[31mred\\x07\\r\\n\\t\\x7f");
        assert_eq!(visible("\u{9b}2J\u{202e}txt\u{2066}"), "\\u{9b}2J\\u{202e}txt\\u{2066}");
    }
}
