//! Values separated by commas or tabs, quoted as in RFC 4180, in UTF-8 without a byte order mark.
//!
//! The format has no types: a null looks like an empty string, and 1 like "1". Files for spreadsheets begin with a
//! byte order mark, because Excel does not read them as UTF-8 without it.

use std::io::{self, Write};

use ::csv::{Terminator, Writer as CsvWriter, WriterBuilder};

use super::text::write_cell;
use super::{Format, OutputOptions, Stream, Writer, io_error};
use crate::diagnostic::{Error, Result, is_unsafe_to_show};
use crate::types::{Batch, Column, Schema};

/// The format with commas. Lines end in CR LF, as RFC 4180 requires.
pub const COMMAS: Format = Format {
    name: "csv",
    extensions: &["csv"],
    summary: "Comma-separated values according to RFC 4180, with a header line.",
    binary: false,
    holds_several: false,
    writer: |stream, options| separated(stream, b',', Terminator::CRLF, options),
};

/// The format with tabs. Lines end in LF, as tools that read lines expect.
pub const TABS: Format = Format {
    name: "tsv",
    extensions: &["tsv"],
    summary: "Tab-separated values with a header line, quoted where needed.",
    binary: false,
    holds_several: false,
    writer: |stream, options| separated(stream, b'\t', Terminator::Any(b'\n'), options),
};

fn separated(stream: Stream, delimiter: u8, terminator: Terminator, options: &OutputOptions) -> Box<dyn Writer> {
    let is_marked = options.excel_safe && options.width.is_none();
    let stream = MarkedStream { stream, mark: if is_marked { BYTE_ORDER_MARK } else { b"" } };
    let writer = WriterBuilder::new().delimiter(delimiter).terminator(terminator).from_writer(stream);
    Box::new(Separated { writer, excel_safe: options.excel_safe, cell: String::new() })
}

const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// A stream that writes a mark before the first byte of data.
struct MarkedStream {
    stream: Stream,
    mark: &'static [u8],
}

impl Write for MarkedStream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stream.write_all(std::mem::take(&mut self.mark))?;
        self.stream.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

struct Separated {
    writer: CsvWriter<MarkedStream>,
    excel_safe: bool,
    cell: String,
}

impl Separated {
    fn field(&mut self, column: &Column, row: usize) -> Result<()> {
        self.cell.clear();
        write_cell(column, row, &mut self.cell);
        if self.excel_safe && column.ty().is_text() {
            defuse(&mut self.cell);
        }
        self.writer.write_field(&self.cell).map_err(csv_error)
    }

    fn end_record(&mut self) -> Result<()> {
        self.writer.write_record(None::<&[u8]>).map_err(csv_error)
    }
}

/// Inserts an apostrophe before everything that a spreadsheet may take for a formula.
fn defuse(cell: &mut String) {
    let mut defused = String::new();
    let mut done = 0;
    for start in formula_starts(cell) {
        defused.push_str(&cell[done..start]);
        defused.push('\'');
        done = start;
    }
    if !defused.is_empty() {
        defused.push_str(&cell[done..]);
        *cell = defused;
    }
}

/// Returns the positions at which formulas may begin: the start of the cell, and the positions after characters that
/// separate cells in programs with another delimiter or without quoting. Whitespace and quotes before a formula are
/// skipped.
fn formula_starts(cell: &str) -> Vec<usize> {
    let mut starts = Vec::new();
    if cell.starts_with(['\t', '\r', '\n']) {
        starts.push(0);
    }
    // True if only whitespace and quotes were seen so far; and the position after which only they were seen, if any.
    let (mut nothing_yet, mut blank_from) = (true, Some(0));
    for (at, character) in cell.char_indices() {
        match character {
            '\t' | '\r' | '\n' => blank_from = Some(at + 1),
            ';' => (nothing_yet, blank_from) = (false, Some(at + 1)),
            '"' | '\'' => {}
            _ if character.is_whitespace() || is_unsafe_to_show(character) => {}
            // Full-width forms too: Excel treats them like the others.
            '=' | '+' | '-' | '@' | '\u{ff1d}' | '\u{ff0b}' | '\u{ff0d}' | '\u{ff20}' => {
                starts.extend(nothing_yet.then_some(0));
                starts.extend(blank_from);
                (nothing_yet, blank_from) = (false, None);
            }
            _ => (nothing_yet, blank_from) = (false, None),
        }
    }
    starts.dedup();
    starts
}

fn csv_error(error: ::csv::Error) -> Error {
    match error.into_kind() {
        ::csv::ErrorKind::Io(error) => io_error(error),
        kind => Error::internal(format!("csv: {kind:?}")),
    }
}

impl Writer for Separated {
    fn begin(&mut self, schema: &Schema) -> Result<()> {
        for name in schema.names() {
            let mut name = name.to_owned();
            if self.excel_safe {
                defuse(&mut name);
            }
            self.writer.write_field(&name).map_err(csv_error)?;
        }
        // A record without fields would read as one empty field.
        if schema.is_empty() { Ok(()) } else { self.end_record() }
    }

    fn batch(&mut self, batch: &Batch) -> Result<()> {
        if batch.columns().is_empty() {
            return Ok(());
        }
        for row in 0..batch.rows() {
            batch.columns().iter().try_for_each(|column| self.field(column, row))?;
            self.end_record()?;
        }
        self.writer.flush().map_err(io_error)
    }

    fn finish(&mut self) -> Result<()> {
        self.writer.flush().map_err(io_error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn defused(text: &str) -> String {
        let mut cell = text.to_owned();
        defuse(&mut cell);
        cell
    }

    #[test]
    fn formulas_become_texts() {
        for formula in [
            "=1+2",
            "+1",
            "-1",
            "@SUM(A1)",
            "\tx",
            "\rx",
            "\nx",
            " =1",
            "\"=1",
            "' \"=1",
            "\u{a0}=1",
            "\u{feff}=1",
            "\u{0}=1",
            "\u{ff1d}1",
            "\u{ff0b}1",
            "\u{ff0d}1",
            "\u{ff20}x",
        ] {
            assert_eq!(defused(formula), format!("'{formula}"));
        }
        for text in
            ["", "a", "a=1", "anna@contoso.com", "1-2", "'a", "Mozilla/5.0 (Windows NT 10.0; Win64; x64)", "a,-1"]
        {
            assert_eq!(defused(text), text);
        }
    }

    #[test]
    fn a_cell_does_not_begin_another_one() {
        assert_eq!(defused("x;=1"), "x;'=1");
        assert_eq!(defused("x\n=1\r\n\t+2"), "x\n'=1\r\n\t'+2");
        assert_eq!(defused("\t=1"), "'\t'=1");
        assert_eq!(defused(" \n=1"), "' \n'=1");
        assert_eq!(defused("=1; =2"), "'=1;' =2");
    }
}
