//! Turns the bytes of a file into blocks of whole records.
//!
//! A text file is either lines, each with one JSON value, or a sequence of JSON values in any layout: an array, an
//! object around an array, pretty-printed values, values with or without separators. Both kinds are read block by
//! block, so memory is bounded by the longest record.

mod avro;
mod blocks;
mod chunk_source;
mod csv;
mod decompressor;
mod effort;
mod encoding;
mod held_bytes;
mod legacy_decoder;
mod message_text;
mod multi_line;
mod object_keys;
mod open;
mod page;
mod peek_reader;
mod query_response;
mod read_more;
mod rest_of_range;
mod resync;
mod source_map;
mod text_start;
mod transcoder;
mod value_scan;
mod value_splitter;
mod whole_text;
mod windows_1252;
mod wrapper_detection;

pub(crate) use avro::AvroContent;
pub(crate) use blocks::{BlockHalt, BlockReader, FileRange, NextBlock, SkippedRange};
pub(crate) use csv::{ParsedRow, parse_row, table_names};
pub(crate) use effort::Effort;
pub(crate) use encoding::{Encoding, utf16_in};
pub(crate) use held_bytes::HeldBytes;
pub(crate) use multi_line::{AfterBlock, RecordExtent, extent};
pub(crate) use object_keys::object_keys;
pub(crate) use open::{FileReport, HEAD_BYTES, Opened, OpenedText, TextLayers, open, open_at};
pub(crate) use page::says_partial;
pub(crate) use query_response::FramingNote;
pub(crate) use source_map::{SourceMap, SourceUnit, UnitStart};
pub(crate) use value_scan::value_end;
pub(crate) use value_splitter::{ColumnHeader, RecordSpan, ValueSplitter, is_sequence};
pub(crate) use whole_text::whole_text;
pub(crate) use windows_1252::decode;
pub(crate) use wrapper_detection::{holds_records, is_wrapped};

use crate::types::dynamic;

/// The reason why a text is not read that has no records.
pub(crate) const NO_RECORDS: &str = "neither JSON nor CSV";

/// The reason why a file is not read whose kind is unknown.
pub(crate) const NO_TEXT: &str = "neither text nor a known format";

/// Tells how the values of a text file are separated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// Each line is one value.
    Lines,
    /// The values follow each other in any layout.
    Values,
    /// The file has only whitespace.
    Empty,
    /// The file is not JSON; the reason why it is not read.
    Foreign(&'static str),
}

/// Detects the framing of a file from its first bytes. `whole` is true if `head` is the entire file.
#[must_use]
pub fn detect(head: &[u8], whole: bool) -> Framing {
    let padded = head.starts_with(&[0]);
    let head = without_padding(head);
    match trim_start(head).first() {
        None if padded => Framing::Foreign(NO_TEXT),
        None if whole => Framing::Empty,
        Some(b'{') if is_lines(head, whole) => Framing::Lines,
        Some(b'{' | b'[') | None => Framing::Values,
        Some(b'"') if is_json_in_strings(head) => Framing::Lines,
        Some(_) if has_record_line(head, whole) => Framing::Lines,
        Some(_) if resync::is_tail(head) => Framing::Values,
        Some(_) if head.contains(&0) => Framing::Foreign(NO_TEXT),
        Some(_) => Framing::Foreign(NO_RECORDS),
    }
}

/// Returns the bytes after everything that may precede a record: whitespace, byte order marks of joined files, and
/// the record separators of RFC 7464.
#[must_use]
pub fn trim_start(mut bytes: &[u8]) -> &[u8] {
    loop {
        bytes = match bytes {
            [b' ' | b'\t' | b'\r' | b'\n' | 0x0c | 0x1e, rest @ ..] | [0xef, 0xbb, 0xbf, rest @ ..] => rest,
            _ => return bytes,
        };
    }
}

/// Returns the bytes after the byte order marks of UTF-8. There may be several, because some tools add a mark to text
/// that already has one.
#[must_use]
pub fn without_byte_order_mark(mut bytes: &[u8]) -> &[u8] {
    while let Some(rest) = bytes.strip_prefix(b"\xef\xbb\xbf") {
        bytes = rest;
    }
    bytes
}

/// Returns the bytes after leading NUL bytes, which an interrupted write may leave.
fn without_padding(bytes: &[u8]) -> &[u8] {
    &bytes[bytes.iter().take_while(|byte| **byte == 0).count()..]
}

/// True if one of the first lines is a whole object. Not only the first line is examined, because it may be damaged.
fn is_lines(head: &[u8], whole: bool) -> bool {
    first_lines(head, whole).any(is_object)
}

/// True for text that begins with `[` but is not a JSON array, such as a TOML or INI file.
pub(crate) fn is_bracketed_text(head: &[u8]) -> bool {
    let Some(rest) = trim_start(head).strip_prefix(b"[") else { return false };
    let rest = trim_start(rest);
    let is_word = ["true", "false", "null"].iter().any(|word| rest.starts_with(word.as_bytes()));
    let is_value = is_word || matches!(rest.first(), None | Some(b'{' | b'[' | b']' | b'"' | b'-' | b'0'..=b'9'));
    !is_value && !has_record_line(head, false)
}

/// True if one of the lines after the first is a record. The file is then JSON Lines, whatever its first line is.
pub(crate) fn has_record_line(head: &[u8], whole: bool) -> bool {
    let is_record = |line: &[u8]| line.starts_with(b"{") && dynamic::validate(line).is_ok();
    first_lines(head, whole).skip(1).any(is_record)
}

/// True if the first line is a JSON string that contains JSON. A row of CSV is not taken for one, because it escapes
/// quotes differently.
pub(crate) fn is_json_in_strings(head: &[u8]) -> bool {
    const WHITESPACE: [&[u8]; 4] = [b" ", b"\\n", b"\\r", b"\\t"];
    let Some(mut inside) = trim_start(head).strip_prefix(b"\"") else { return false };
    while let Some(rest) = WHITESPACE.iter().find_map(|space| inside.strip_prefix(*space)) {
        inside = rest;
    }
    // A key, a nested value, a line end, or a string in the string must follow.
    let begins = |inside: &[u8]| matches!(inside, [b'\\', b'"' | b'n' | b'r' | b't', ..] | [b'{' | b'[' | b' ', ..]);
    match inside {
        [b'{' | b'[', rest @ ..] => begins(rest),
        [b'\\', b'"', b'{' | b'[', ..] => true,
        _ => false,
    }
}

/// Returns the first three lines that are not empty. A line that may continue after `head` is left out.
fn first_lines(head: &[u8], whole: bool) -> impl Iterator<Item = &[u8]> {
    let complete = if whole { head.len() } else { memchr::memrchr(b'\n', head).unwrap_or(0) };
    let mut rest = &head[..complete];
    let lines = std::iter::from_fn(move || {
        let end = memchr::memchr(b'\n', rest).map_or(rest.len(), |newline| newline + 1);
        let line = rest.split_off(..end).filter(|line| !line.is_empty())?;
        Some(trim_start(line).trim_ascii_end())
    });
    lines.filter(|line| !line.is_empty()).take(3)
}

/// True if the line is one object from the first to the last byte, judged by its brackets.
fn is_object(line: &[u8]) -> bool {
    line.starts_with(b"{") && value_scan::value_end(line) == Some(line.len())
}

#[cfg(test)]
mod tests {
    use super::{Framing, detect};

    #[test]
    fn sections_of_settings_are_not_arrays() {
        for (text, expected) in [
            ("[defaults]\nstrict = true\n", true),
            ("[tables.SigninLogs]\n", true),
            ("[true, 1]", false),
            ("[{\"a\":1}]", false),
            (" [\n]", false),
            ("[broken\n{\"a\":1}\n", false),
            ("{\"a\":1}", false),
        ] {
            assert_eq!(super::is_bracketed_text(text.as_bytes()), expected, "{text}");
        }
    }

    #[test]
    fn framing_is_detected_by_content() {
        let cases = [
            ("{\"a\":1}\n{\"a\":2}\n", Framing::Lines),
            ("\u{feff}\r\n{\"a\":1}\r\n", Framing::Lines),
            ("{\"a\":\n{\"a\":2}\n", Framing::Lines),
            ("\"{\\\"a\\\":1}\"\n", Framing::Lines),
            ("\"[\\n {\\\"a\\\":1}]\"", Framing::Lines),
            ("\"{\"\"a\"\":1}\",x,y\n", Framing::Foreign("neither JSON nor CSV")),
            ("[{\"a\":1}]", Framing::Values),
            ("{\n  \"a\": 1\n}\n", Framing::Values),
            ("{\"a\":1}{\"a\":2}\n", Framing::Values),
            ("{\"a\":1}\r{\"a\":2}\r", Framing::Values),
            ("\u{1e}{\"a\":1}\n\u{1e}{\"a\":2}\n", Framing::Lines),
            (" \r\n", Framing::Empty),
            ("", Framing::Empty),
            ("hello", Framing::Foreign("neither JSON nor CSV")),
            ("hello\n{\"a\":2}\n", Framing::Lines),
            ("\0\n{\"a\":2}\n", Framing::Lines),
            ("hello\n{a}\n", Framing::Foreign("neither JSON nor CSV")),
            // The beginning of the file is missing.
            ("S\",\"a\":{}},{\"TimeGenerated\":1}]", Framing::Values),
            ("S\",\"a\":{}},{\"b\":1}]", Framing::Foreign("neither JSON nor CSV")),
        ];
        for (text, framing) in cases {
            assert_eq!(detect(text.as_bytes(), true), framing, "{text}");
        }
    }
}
