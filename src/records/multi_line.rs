//! Finds the end of records that span several lines, among records of one line each.
//!
//! If a value is not closed on its line, either it continues on the next lines, or the line was truncated. The next
//! lines decide: if they continue as valid JSON to the end of the value, the value spans these lines. Otherwise the
//! record is lost, with the lines below that are indented further, and nothing else. So a truncated record costs no
//! other record.
//!
//! The ranges of a file are read independently. They meet at record boundaries, which no value crosses, because `}`
//! is never followed by `{` in JSON.

use std::ops::Range;

use super::effort::Effort;
use super::trim_start;
use super::value_scan::value_end;
use super::wrapper_detection::is_wrapped;
use crate::types::dynamic;

/// Number of bytes after the first line that are examined first; if they do not decide, more are examined.
const FIRST_BYTES: usize = 4 << 10;

/// Number of bytes before a boundary that are examined: a bracket, and the whitespace after it.
const BRACKET_BYTES: usize = 16;

/// Number of bytes before a line that are needed to find the boundary before it.
pub(super) const BOUNDARY_BYTES: usize = BRACKET_BYTES + 1;

/// What follows a block of lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AfterBlock {
    /// Nothing in which a value of the block could continue.
    Nothing,
    /// More lines follow.
    Lines,
    /// More lines follow, but the block already has its maximum size.
    BlockIsFull,
}

/// The extent of the record that begins with a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RecordExtent {
    /// The record ends here, whole or damaged: at the end of its line, or at the end of a value that spans several
    /// lines.
    End(usize),
    /// The end is not known. A new block must begin with this line; if the block already does, it must be longer.
    Unclear,
    /// The line begins an array that is longer than a record may be. Its elements must be read one by one.
    Endless,
}

/// Finds the end of the record that begins with a line of a block. It is not inlined, because nearly all lines end as
/// objects do, so that it is called rarely, and the loops over lines stay small.
#[inline(never)]
pub(crate) fn extent(block: &[u8], line: Range<usize>, rest: AfterBlock, effort: &mut Effort) -> RecordExtent {
    let text = &block[line.clone()];
    let trimmed = trim_start(text);
    let trimmed = trim_start(trimmed.strip_prefix(b",").unwrap_or(trimmed));
    if trimmed.trim_ascii_end().ends_with(b"}") {
        return RecordExtent::End(line.end);
    }
    let open = after_whole_values(trimmed);
    if !matches!(open.first(), Some(b'{' | b'[')) || effort.is_exhausted() {
        return RecordExtent::End(line.end);
    }
    let from = line.end - open.len();
    let indent = indent_of(text);
    let mut bytes = FIRST_BYTES;
    loop {
        let to = from.saturating_add(bytes).min(block.len());
        let all = to == block.len();
        let lines = if all { &block[from..] } else { whole_lines(&block[from..to]) };
        let more = !all || rest != AfterBlock::Nothing;
        return match record_length(lines, indent, more, effort) {
            Some(length) => {
                effort.pass(length);
                RecordExtent::End(from + length)
            }
            None if !all => {
                bytes *= 4;
                continue;
            }
            None if rest == AfterBlock::Lines || line.start > 0 => RecordExtent::Unclear,
            None if is_wrapped(lines) => RecordExtent::Endless,
            None => {
                effort.spend(lines.len());
                RecordExtent::End(from + length_by_indentation(lines, indent, false).unwrap_or(lines.len()))
            }
        };
    }
}

/// Returns the first boundary at or after `from`: the newline between a line that ends like an object and a line that
/// begins like one. If there is none, Err has the position from which the search must continue. `more` is true if
/// bytes follow.
pub(super) fn record_boundary(bytes: &[u8], mut from: usize, more: bool) -> Result<usize, usize> {
    while let Some(found) = memchr::memchr(b'\n', bytes.get(from..).unwrap_or_default()) {
        let newline = from + found;
        let begins = match &bytes[newline + 1..] {
            [] | [0x1e] if more => return Err(newline),
            [b'{', ..] | [0x1e, b'{', ..] => true,
            _ => false,
        };
        let before = &bytes[newline.saturating_sub(BRACKET_BYTES)..newline];
        if begins && before.trim_ascii_end().ends_with(b"}") {
            return Ok(newline);
        }
        from = newline + 1;
    }
    Err(bytes.len().max(from))
}

/// Returns the rest of the line after the whole values with which it begins.
fn after_whole_values(mut line: &[u8]) -> &[u8] {
    loop {
        line = trim_start(line);
        match value_end(line) {
            Some(length) if line.starts_with(b"{") || line.starts_with(b"[") => {
                if dynamic::validate(&line[..length]).is_err() {
                    return line;
                }
                line = trim_start(&line[length..]);
                line = line.strip_prefix(b",").unwrap_or(line);
            }
            _ => return line,
        }
    }
}

/// Returns the lines without the last one if it is incomplete.
fn whole_lines(bytes: &[u8]) -> &[u8] {
    &bytes[..memchr::memrchr(b'\n', bytes).map_or(0, |newline| newline + 1)]
}

/// Returns the length of the record that begins with `lines`; None if it may continue after them. `indent` is the
/// indentation of its first line.
fn record_length(lines: &[u8], indent: usize, more: bool, effort: &mut Effort) -> Option<usize> {
    let (text, damaged) = match std::str::from_utf8(lines) {
        Ok(_) => (lines, false),
        Err(error) => (&lines[..error.valid_up_to()], true),
    };
    let offset = dynamic::validate(text).err().map_or(text.len(), |error| error.offset.min(text.len()));
    // Brackets show where the value ends, as far as it is valid JSON.
    match value_end(&text[..offset]) {
        Some(length) => Some(length),
        None if offset == text.len() && !damaged && more => None,
        // Only bytes of invalid values count as examined in vain: a long value is examined again with more bytes.
        None => length_by_indentation(lines, indent, more).inspect(|_| effort.spend(offset)),
    }
}

/// Returns the length of the first line and of the lines below it that are indented further, with the bracket that
/// closes them. Returns None if more lines may belong to them.
fn length_by_indentation(lines: &[u8], indent: usize, more: bool) -> Option<usize> {
    let mut end = line_end(lines, 0);
    let mut start = end + 1;
    while start < lines.len() {
        let line = &lines[start..line_end(lines, start)];
        let after = start + line.len();
        let text = line.trim_ascii();
        let depth = indent_of(line);
        let closes = text.starts_with(b"}") || text.starts_with(b"]");
        match depth.cmp(&indent) {
            _ if text.is_empty() => {}
            std::cmp::Ordering::Greater => end = after,
            std::cmp::Ordering::Equal if closes => return Some(after),
            _ => return Some(end),
        }
        start = after + 1;
    }
    (!more).then_some(end)
}

fn indent_of(line: &[u8]) -> usize {
    line.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count()
}

fn line_end(lines: &[u8], start: usize) -> usize {
    memchr::memchr(b'\n', &lines[start..]).map_or(lines.len(), |at| start + at)
}

#[cfg(test)]
mod tests {
    use super::{AfterBlock, Effort, RecordExtent, extent, record_boundary};

    /// Returns the record that begins with the first line of a text; None if its end is unclear, "..." if it is an
    /// endless array.
    fn first(text: &str, rest: AfterBlock) -> Option<&str> {
        let line = text.find('\n').unwrap_or(text.len());
        match extent(text.as_bytes(), 0..line, rest, &mut Effort::default()) {
            RecordExtent::End(end) => Some(&text[..end]),
            RecordExtent::Unclear => None,
            RecordExtent::Endless => Some("..."),
        }
    }

    #[test]
    fn ends_of_values_are_found() {
        let deep = "[\n".repeat(200);
        let long = format!("{{\n{}\"b\":1}}", "  \"a\": 1,\n".repeat(10_000));
        for (text, wanted) in [
            ("{\n \"a\": 1\n}\n{\"b\":1}\n", "{\n \"a\": 1\n}"),
            ("{\"a\":1} {\"b\":[\n1,\n2]} {\"c\":1}\n", "{\"a\":1} {\"b\":[\n1,\n2]}"),
            ("[{\"a\":1},\n{\"a\":2}]\n", "[{\"a\":1},\n{\"a\":2}]"),
            (",{\n}\n", ",{\n}"),
            (long.as_str(), long.as_str()),
            // The value is truncated: the record after it is another one, even if it could be nested in it.
            ("{\"a\":[\n{\"b\":1}\n{\"b\":2}\n]}\n", "{\"a\":["),
            ("{\"a\":\n{\"b\":1}\n{\"b\":2}\n", "{\"a\":"),
            ("{\"a\":\n{\"b\":1}", "{\"a\":"),
            ("{\"a\":\"x\n{\"b\":1}\n", "{\"a\":\"x"),
            (deep.as_str(), "["),
            // The value is damaged: the indented lines and the closing bracket belong to it.
            ("{\n  \"a\": x,\n\n  \"b\": {\n  }\n}\n{\"c\":1}\n", "{\n  \"a\": x,\n\n  \"b\": {\n  }\n}"),
            ("{\n  \"a\": 1,\n{\"c\":1}\n{\"c\":2}\n", "{\n  \"a\": 1,"),
            // No value is open.
            ("\"a\": {\n}\n", "\"a\": {"),
            ("{\"a\":1} garbage\n}\n", "{\"a\":1} garbage"),
        ] {
            assert_eq!(first(text, AfterBlock::Nothing), Some(wanted), "{text}");
        }
    }

    #[test]
    fn incomplete_values_are_unclear() {
        for text in ["{\n", "{\n  \"a\": 1\n", "{\n  x\n", "{\n  \"a\": 1\n\n"] {
            assert_eq!(first(text, AfterBlock::Lines), None, "{text}");
            assert_eq!(first(text, AfterBlock::BlockIsFull), Some(text.trim_end()), "{text}");
            let after = extent(format!("1\n{text}").as_bytes(), 2..3, AfterBlock::BlockIsFull, &mut Effort::default());
            assert_eq!(after, RecordExtent::Unclear, "{text}");
        }
        assert_eq!(first("[{\"a\":1},\n", AfterBlock::BlockIsFull), Some("..."));
        assert_eq!(first("{\"records\": [\n{},\n", AfterBlock::BlockIsFull), Some("..."));
    }

    #[test]
    fn boundaries_are_between_objects() {
        let place = |text: &str| record_boundary(text.as_bytes(), 0, false).ok();
        assert_eq!(place("{}\n{}\n"), Some(2));
        assert_eq!(place("{} \r\n\n{}\n"), Some(5));
        assert_eq!(place("{}\n\u{1e}{}\n"), Some(2));
        for none in ["{},\n{}\n", "{}\n {}\n", "{\n}\n", "{}\n", "[]\n{}", "{}\n[]"] {
            assert_eq!(place(none), None, "{none}");
        }
        assert_eq!(record_boundary(b"{}\n", 0, true), Err(2));
        assert_eq!(record_boundary(b"{}\n{}", 3, true), Err(5));
    }
}
