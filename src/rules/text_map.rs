//! Positions of a string in the file that contains it, with escapes, quotes, indentation and folded lines.
//!
//! The string is compared with the file character by character. Formats change only whitespace and escapes, so all
//! other characters stand in the file in the same order. A string that does not match has no positions, instead of
//! wrong ones.

use crate::diagnostic::Span;

/// For each byte of a text, its offset in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextMap {
    /// The last one is the offset of the end.
    offsets: Vec<u32>,
}

impl TextMap {
    /// The positions of a text that is a whole file.
    #[must_use]
    pub fn whole(text: &str) -> Self {
        let end = u32::try_from(text.len()).unwrap_or(u32::MAX);
        Self { offsets: (0..=end).collect() }
    }

    /// The positions of `text`, a string that is written at `written` in `file`.
    pub(super) fn of_string(text: &str, file: &str, written: Span) -> Option<Self> {
        let start = written.start as usize;
        let quotes = match file.get(start..)?.chars().next()? {
            '"' => QuoteStyle::Double,
            '\'' => QuoteStyle::Single,
            _ => QuoteStyle::None,
        };
        let quoted = (quotes != QuoteStyle::None).then(|| Self::align(text, file, start + 1, quotes)).flatten();
        // The text of a block may begin with a quote, too.
        quoted.or_else(|| Self::align(text, file, start, QuoteStyle::None))
    }

    /// The positions of the text from byte `from` on.
    pub(super) fn without_start(mut self, from: usize) -> Self {
        self.offsets.drain(..from.min(self.offsets.len() - 1));
        self
    }

    /// Returns the span in the file of a span in the text.
    #[must_use]
    pub fn span(&self, span: Span) -> Span {
        let offset = |at: u32| self.offsets[(at as usize).min(self.offsets.len() - 1)];
        let start = offset(span.start);
        Span { start, end: offset(span.end).max(start) }
    }

    fn align(text: &str, file: &str, start: usize, quotes: QuoteStyle) -> Option<Self> {
        let (mut offsets, mut at) = (Vec::with_capacity(text.len() + 1), start);
        for c in text.chars() {
            let rest = file.get(at..)?;
            let (skipped, length) = if is_space(c) {
                (0, quotes.space_length(rest, c))
            } else {
                let skipped = quotes.skip_spaces(rest);
                let (found, length) = quotes.read(&rest[skipped..])?;
                (found == c).then_some((skipped, length))?
            };
            at += skipped;
            offsets.extend(std::iter::repeat_n(u32::try_from(at).ok()?, c.len_utf8()));
            at += length;
        }
        offsets.push(u32::try_from(at).ok()?);
        Some(Self { offsets })
    }
}

fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t') || is_line_end(c)
}

fn is_line_end(c: char) -> bool {
    matches!(c, '\n' | '\r')
}

/// How a string is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum QuoteStyle {
    /// Without quotes: in one or several lines of YAML.
    None,
    /// `'...'` of YAML, in which a quote is doubled.
    Single,
    /// `"..."` of JSON and YAML, with escapes.
    Double,
}

impl QuoteStyle {
    /// The character at the beginning of `rest`, and its length in bytes as written.
    fn read(self, rest: &str) -> Option<(char, usize)> {
        let first = rest.chars().next()?;
        match self {
            Self::Single if first == '\'' => rest.starts_with("''").then_some(('\'', 2)),
            Self::Double if first == '"' => None,
            Self::Double if first == '\\' => escaped(&rest[1..]).map(|(c, length)| (c, length + 1)),
            _ => Some((first, first.len_utf8())),
        }
    }

    /// The length of the whitespace `space` at the beginning of `rest`; 0 for a line end, which may have been folded
    /// and is skipped with the indentation after it.
    fn space_length(self, rest: &str, space: char) -> usize {
        match self.read(rest) {
            Some((found, length)) if found == space && (rest.starts_with('\\') || !is_line_end(space)) => length,
            _ => 0,
        }
    }

    /// The length of the whitespace, and of escaped line ends, at the beginning of `rest`.
    fn skip_spaces(self, rest: &str) -> usize {
        let mut left = rest;
        loop {
            let trimmed = left.trim_start_matches(is_space);
            let continued = trimmed.strip_prefix('\\').filter(|after| after.starts_with(is_line_end));
            left = match continued {
                Some(after) if self == Self::Double => after,
                _ => return rest.len() - trimmed.len(),
            };
        }
    }
}

/// The character of an escape after its backslash, and the number of bytes.
fn escaped(rest: &str) -> Option<(char, usize)> {
    let first = rest.chars().next()?;
    let simple = match first {
        '0' => '\0',
        'a' => '\u{7}',
        'b' => '\u{8}',
        't' | '\t' => '\t',
        'n' => '\n',
        'v' => '\u{b}',
        'f' => '\u{c}',
        'r' => '\r',
        'e' => '\u{1b}',
        'N' => '\u{85}',
        '_' => '\u{a0}',
        'L' => '\u{2028}',
        'P' => '\u{2029}',
        ' ' | '"' | '/' | '\\' => first,
        'x' => return hexadecimal(rest, 2),
        'u' => return hexadecimal(rest, 4).or_else(|| surrogates(rest)),
        'U' => return hexadecimal(rest, 8),
        _ => return None,
    };
    Some((simple, 1))
}

/// The character whose number has `digits` digits after the first letter of `rest`.
fn hexadecimal(rest: &str, digits: usize) -> Option<(char, usize)> {
    let number = u32::from_str_radix(rest.get(1..=digits)?, 16).ok()?;
    Some((char::from_u32(number)?, digits + 1))
}

/// The character of two escapes of JSON, `\ud83d\ude00`, the first without its backslash.
fn surrogates(rest: &str) -> Option<(char, usize)> {
    let unit = |range: std::ops::Range<usize>| u16::from_str_radix(rest.get(range)?, 16).ok();
    let pair = [unit(1..5)?, (rest.get(5..7)? == "\\u").then(|| unit(7..11))??];
    Some((char::decode_utf16(pair).next()?.ok()?, 11))
}
