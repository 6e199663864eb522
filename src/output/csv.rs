//! Comma- and tab-separated values, quoted as RFC 4180 has it; UTF-8 without a byte order mark.
//!
//! The format knows no types: a null and an empty text are the same, and so are 1 and "1".

use ::csv::{Terminator, Writer as CsvWriter, WriterBuilder};

use super::text::write_cell;
use super::{Format, Options, Stream, Writer, io_error};
use crate::diagnostic::{Error, Result};
use crate::types::{Batch, Column, Schema};

/// Lines end in CR LF, as RFC 4180 demands.
pub const COMMAS: Format = Format {
    name: "csv",
    extensions: &["csv"],
    summary: "Comma-separated values after RFC 4180, with a header line.",
    binary: false,
    writer: |stream, options| separated(stream, b',', Terminator::CRLF, options),
};

/// Lines end in LF, as the tools that cut such lines expect.
pub const TABS: Format = Format {
    name: "tsv",
    extensions: &["tsv"],
    summary: "Tab-separated values with a header line, quoted where needed.",
    binary: false,
    writer: |stream, options| separated(stream, b'\t', Terminator::Any(b'\n'), options),
};

fn separated(stream: Stream, delimiter: u8, terminator: Terminator, options: &Options) -> Box<dyn Writer> {
    let writer = WriterBuilder::new().delimiter(delimiter).terminator(terminator).from_writer(stream);
    Box::new(Separated { writer, excel_safe: options.excel_safe, cell: String::new() })
}

struct Separated {
    writer: CsvWriter<Stream>,
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

/// Puts a quote before what a spreadsheet would read as a formula.
fn defuse(cell: &mut String) {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) {
        cell.insert(0, '\'');
    }
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
        // A record without fields would be an empty field.
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
