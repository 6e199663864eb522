//! Escapes characters that are not safe to show, because attackers control strings in logs, file names and queries.
//!
//! A character is unsafe if it moves the cursor, changes the terminal, reverses the writing direction, or is invisible,
//! so that two different strings look the same.

use std::borrow::Cow;
use std::fmt::Write;

/// Returns `text` on one line, with every unsafe character as a visible escape such as `\n`, `\x1b` or `\u{202e}`.
#[must_use]
pub fn visible(text: &str) -> Cow<'_, str> {
    replace(text, LineEnds::Escaped, escape)
}

/// Like [`visible`], for text of several lines: line ends and tabs are not escaped.
#[must_use]
pub fn visible_lines(text: &str) -> Cow<'_, str> {
    replace(text, LineEnds::Kept, escape)
}

/// Like [`visible_lines`], but with JSON escapes such as `\u202e`, so that the JSON keeps its meaning.
#[must_use]
pub fn visible_json(text: &str) -> Cow<'_, str> {
    replace(text, LineEnds::Kept, escape_json)
}

/// True for a character that is not safe to show: a control character, a line separator, or one of Unicode's default
/// ignorable characters, which include direction marks, tags and fillers.
#[must_use]
pub fn is_unsafe_to_show(character: char) -> bool {
    match character {
        ' '..='~' => false,
        '\u{ad}'
        | '\u{34f}'
        | '\u{61c}'
        | '\u{115f}'..='\u{1160}'
        | '\u{17b4}'..='\u{17b5}'
        | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        // The blank Braille pattern.
        | '\u{2800}'
        | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}'
        | '\u{ffa0}'
        | '\u{fff0}'..='\u{fffb}'
        | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}' => true,
        _ => character.is_control(),
    }
}

/// Whether line ends and tabs are escaped.
#[derive(Clone, Copy, PartialEq, Eq)]
enum LineEnds {
    Escaped,
    Kept,
}

fn replace(text: &str, lines: LineEnds, escape: fn(char, &mut String)) -> Cow<'_, str> {
    let is_kept = |at: usize, character: char| match character {
        '\n' | '\t' => lines == LineEnds::Kept,
        // A lone carriage return moves the cursor to the start of the line.
        '\r' => lines == LineEnds::Kept && text[at + 1..].starts_with('\n'),
        _ => !is_unsafe_to_show(character),
    };
    let Some((first, _)) = text.char_indices().find(|(at, character)| !is_kept(*at, *character)) else {
        return Cow::Borrowed(text);
    };
    let mut out = String::with_capacity(text.len() + 8);
    out.push_str(&text[..first]);
    for (at, character) in text[first..].char_indices() {
        if is_kept(first + at, character) { out.push(character) } else { escape(character, &mut out) }
    }
    Cow::Owned(out)
}

fn escape(character: char, out: &mut String) {
    // Writing to a String cannot fail.
    let _ = match character {
        '\n' => out.write_str("\\n"),
        '\r' => out.write_str("\\r"),
        '\t' => out.write_str("\\t"),
        _ if character.is_ascii() => write!(out, "\\x{:02x}", u32::from(character)),
        _ => write!(out, "\\u{{{:x}}}", u32::from(character)),
    };
}

fn escape_json(character: char, out: &mut String) {
    for unit in character.encode_utf16(&mut [0; 2]) {
        // Writing to a String cannot fail.
        let _ = write!(out, "\\u{unit:04x}");
    }
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

    #[test]
    fn what_nobody_sees_becomes_visible() {
        for character in
            "\u{ad}\u{115f}\u{200b}\u{200d}\u{2060}\u{2800}\u{3164}\u{fe0f}\u{feff}\u{ffa0}\u{e0041}".chars()
        {
            assert_eq!(visible(&format!("a{character}b")), format!("a\\u{{{:x}}}b", u32::from(character)));
        }
    }

    #[test]
    fn lines_stay_where_they_are_meant() {
        assert_eq!(visible_lines("a\n\tb\r\nc\rd\u{1b}e"), "a\n\tb\r\nc\\rd\\x1be");
        assert_eq!(visible_json("{\"a\":\"\u{7f}\u{e0041}\"}\r\n"), "{\"a\":\"\\u007f\\udb40\\udc41\"}\r\n");
    }
}
