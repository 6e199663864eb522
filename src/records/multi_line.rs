//! Values printed over several lines among values that have a line each.
//!
//! A line that opens a value and does not end it is the first of a value over several lines, or it was cut off. The lines
//! behind it tell: where they go on as JSON to the end of the value, it is one; else the record is lost, with the lines
//! that are indented below it, and nothing else. So a record that was cut off costs no other.
//!
//! Parts of a file are read apart from each other. They meet at borders, which no value lies across: in JSON, `}` is
//! never followed by `{`.

use std::ops::Range;

use super::effort::Effort;
use super::trim_start;
use super::value_scan::value_end;
use super::wrapper_detection::is_wrapped;
use crate::types::dynamic;

/// Bytes behind the first that are looked at before more are.
const FIRST_BYTES: usize = 4 << 10;

/// Bytes in front of a border that tell that it is one: a bracket, and the blanks behind it.
const BRACKET_BYTES: usize = 16;

/// Bytes in front of a line that must be there for the border in front of it to be found.
pub(super) const BOUNDARY_BYTES: usize = BRACKET_BYTES + 1;

/// What follows a block of lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AfterBlock {
    /// Nothing that a value of the block could go on in.
    Nothing,
    /// More lines.
    Lines,
    /// More lines, but a block that begins at the same place cannot be longer.
    BlockIsFull,
}

/// What begins with a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RecordExtent {
    /// A record, whole or damaged, that ends here: at the end of the line, or of a value over several lines.
    End(usize),
    /// A block that begins with the line, and is longer where this one does, tells more.
    Unclear,
    /// An array that is longer than a record may be: its elements are to be read one by one.
    Endless,
}

/// How far the record goes that begins with a line of a block. Never inlined: readers of lines are small loops, and
/// nearly all lines end as objects do, so that nobody asks.
#[inline(never)]
pub(crate) fn extent(block: &[u8], line: Range<usize>, rest: AfterBlock, effort: &mut Effort) -> RecordExtent {
    let text = &block[line.clone()];
    let trimmed = trim_start(text);
    let trimmed = trim_start(trimmed.strip_prefix(b",").unwrap_or(trimmed));
    if trimmed.trim_ascii_end().ends_with(b"}") {
        return RecordExtent::End(line.end);
    }
    let open = behind_whole_values(trimmed);
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
        return match length(lines, indent, more, effort) {
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
                RecordExtent::End(from + length_by_layout(lines, indent, false).unwrap_or(lines.len()))
            }
        };
    }
}

/// The first border at or behind `from`: the newline between a line that ends as an object does and one that begins so.
/// Err where there is none, with the place from which on there may be one yet; `more` where bytes follow.
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

/// The line behind the values that are whole in it.
fn behind_whole_values(mut line: &[u8]) -> &[u8] {
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

/// Lines up to the last one that is whole.
fn whole_lines(bytes: &[u8]) -> &[u8] {
    &bytes[..memchr::memrchr(b'\n', bytes).map_or(0, |newline| newline + 1)]
}

/// The length of the record that begins with `lines`; None where it may go on behind them.
fn length(lines: &[u8], indent: usize, more: bool, effort: &mut Effort) -> Option<usize> {
    let (text, damaged) = match std::str::from_utf8(lines) {
        Ok(_) => (lines, false),
        Err(error) => (&lines[..error.valid_up_to()], true),
    };
    let offset = dynamic::validate(text).err().map_or(text.len(), |error| error.offset.min(text.len()));
    // As far as it is JSON, brackets tell where the value ends.
    match value_end(&text[..offset]) {
        Some(length) => Some(length),
        None if offset == text.len() && !damaged && more => None,
        // Only what turns out to be no value was looked at in vain: a long one is looked at again with more bytes.
        None => length_by_layout(lines, indent, more).inspect(|_| effort.spend(offset)),
    }
}

/// The length of the first line and those that are indented below it, up to a bracket that closes it.
fn length_by_layout(lines: &[u8], indent: usize, more: bool) -> Option<usize> {
    let mut end = line_end(lines, 0);
    let mut start = end + 1;
    while start < lines.len() {
        let line = &lines[start..line_end(lines, start)];
        let behind = start + line.len();
        let text = line.trim_ascii();
        let depth = indent_of(line);
        let closes = text.starts_with(b"}") || text.starts_with(b"]");
        match depth.cmp(&indent) {
            _ if text.is_empty() => {}
            std::cmp::Ordering::Greater => end = behind,
            std::cmp::Ordering::Equal if closes => return Some(behind),
            _ => return Some(end),
        }
        start = behind + 1;
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

    /// What the record is that the first line of a text begins.
    fn first(text: &str, rest: AfterBlock) -> Option<&str> {
        let line = text.find('\n').unwrap_or(text.len());
        match extent(text.as_bytes(), 0..line, rest, &mut Effort::default()) {
            RecordExtent::End(end) => Some(&text[..end]),
            RecordExtent::Unclear => None,
            RecordExtent::Endless => Some("..."),
        }
    }

    #[test]
    fn values_end_where_they_end() {
        let deep = "[\n".repeat(200);
        let long = format!("{{\n{}\"b\":1}}", "  \"a\": 1,\n".repeat(10_000));
        for (text, wanted) in [
            ("{\n \"a\": 1\n}\n{\"b\":1}\n", "{\n \"a\": 1\n}"),
            ("{\"a\":1} {\"b\":[\n1,\n2]} {\"c\":1}\n", "{\"a\":1} {\"b\":[\n1,\n2]}"),
            ("[{\"a\":1},\n{\"a\":2}]\n", "[{\"a\":1},\n{\"a\":2}]"),
            (",{\n}\n", ",{\n}"),
            (long.as_str(), long.as_str()),
            // Cut off: the record behind is another one, even where it could stand inside.
            ("{\"a\":[\n{\"b\":1}\n{\"b\":2}\n]}\n", "{\"a\":["),
            ("{\"a\":\n{\"b\":1}\n{\"b\":2}\n", "{\"a\":"),
            ("{\"a\":\n{\"b\":1}", "{\"a\":"),
            ("{\"a\":\"x\n{\"b\":1}\n", "{\"a\":\"x"),
            (deep.as_str(), "["),
            // Damage inside: what is indented belongs to it, and the bracket at the end.
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
    fn what_is_not_known_yet_is_not_told() {
        for text in ["{\n", "{\n  \"a\": 1\n", "{\n  x\n", "{\n  \"a\": 1\n\n"] {
            assert_eq!(first(text, AfterBlock::Lines), None, "{text}");
            assert_eq!(first(text, AfterBlock::BlockIsFull), Some(text.trim_end()), "{text}");
            let behind = extent(format!("1\n{text}").as_bytes(), 2..3, AfterBlock::BlockIsFull, &mut Effort::default());
            assert_eq!(behind, RecordExtent::Unclear, "{text}");
        }
        assert_eq!(first("[{\"a\":1},\n", AfterBlock::BlockIsFull), Some("..."));
        assert_eq!(first("{\"records\": [\n{},\n", AfterBlock::BlockIsFull), Some("..."));
    }

    #[test]
    fn borders_lie_between_objects() {
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
