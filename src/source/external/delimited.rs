//! Reads the rows of delimited text, such as CSV, for `externaldata`.

use std::borrow::Cow;

use super::TextPosition;
use super::values::RowBuilder;
use crate::records::{ParsedRow, parse_row};

/// A text whose cells `delimiter` separates; quotes follow RFC 4180.
pub(super) struct DelimitedRows<'a> {
    pub text: &'a str,
    pub delimiter: u8,
}

impl DelimitedRows<'_> {
    /// Reads the next row, and skips it if it is a header; false at the end. A row that cannot be parsed is reported
    /// and its first line is skipped, so that a stray quote loses one row.
    pub(super) fn next(&self, position: &mut TextPosition, rows: &mut RowBuilder<'_>, is_header: bool) -> bool {
        let rest = position.record_text(self.text).as_bytes();
        if rest.is_empty() {
            return false;
        }
        let (length, problem) = match parse_row(rest, self.delimiter, true) {
            ParsedRow::Row(cells, length, _) => {
                let is_empty = cells.len() == 1 && cells[0].is_empty();
                if !is_header && !is_empty {
                    rows.add_cells(&cells);
                }
                position.is_first &= is_empty;
                (length, None)
            }
            ParsedRow::Incomplete => {
                position.unclosed += 1;
                (position.line_length(self.text), Some("a quote is not closed"))
            }
            ParsedRow::Broken(reason) => (position.line_length(self.text), Some(reason)),
        };
        if let Some(problem) = problem {
            rows.lose(position.line, problem);
            position.is_first = false;
        }
        position.pass(self.text, length);
        true
    }
}

/// Splits a line of the format `tsve` into its cells. In this format, a backslash escapes a tab, a line end or
/// itself.
pub(super) fn escaped_cells(line: &str) -> Vec<Cow<'_, str>> {
    line.split('\t').map(unescaped).collect()
}

fn unescaped(cell: &str) -> Cow<'_, str> {
    if !cell.contains('\\') {
        return Cow::Borrowed(cell);
    }
    let (mut text, mut characters) = (String::with_capacity(cell.len()), cell.chars());
    while let Some(character) = characters.next() {
        text.push(match character {
            '\\' => match characters.next() {
                Some('t') => '\t',
                Some('n') => '\n',
                Some('r') => '\r',
                Some(other) => other,
                None => '\\',
            },
            other => other,
        });
    }
    Cow::Owned(text)
}
