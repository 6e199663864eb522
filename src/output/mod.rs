//! Writes results: there is one writer for each format, which gets the result batch by batch.

mod arrow;
mod csv;
mod json;
mod line;
mod markdown;
mod parquet;
mod table;
#[cfg(test)]
mod tests;
mod text;

use std::io::{self, Write};

use crate::diagnostic::{Error, Result, visible};
use crate::types::{Batch, Schema};

/// The stream to which a result is written.
pub type Stream = Box<dyn Write + Send>;

/// A format in which results are written.
#[derive(Debug)]
pub struct Format {
    /// The name after `-o`.
    pub name: &'static str,
    /// The file extensions of the format, without the dot. No two formats share an extension.
    pub extensions: &'static [&'static str],
    /// A summary in one sentence.
    pub summary: &'static str,
    /// True if the bytes are not text, so that they must not be written to a terminal.
    pub binary: bool,
    /// True if several results may follow each other in one stream; see [`Writer::name`].
    pub holds_several: bool,
    /// Creates a writer of the format to a stream.
    pub writer: fn(Stream, &OutputOptions) -> Box<dyn Writer>,
}

/// All output formats.
pub static FORMATS: &[Format] = &[
    table::FORMAT,
    line::FORMAT,
    markdown::FORMAT,
    json::LINES,
    json::ARRAY,
    json::LOG_ANALYTICS,
    csv::COMMAS,
    csv::TABS,
    parquet::FORMAT,
    arrow::FORMAT,
];

/// Returns the format of this name; None if there is none.
#[must_use]
pub fn format(name: &str) -> Option<&'static Format> {
    FORMATS.iter().find(|format| format.name == name)
}

/// Returns the format for a file extension without the dot, in any case; None if there is none.
#[must_use]
pub fn format_for_extension(extension: &str) -> Option<&'static Format> {
    let extension = extension.to_ascii_lowercase();
    FORMATS.iter().find(|format| format.extensions.contains(&extension.as_str()))
}

/// The options for writing a result.
#[derive(Clone, Copy, Debug, Default)]
pub struct OutputOptions {
    /// The width of the terminal in characters; None if the result is not written to a terminal.
    pub width: Option<usize>,
    /// True if an apostrophe is inserted before strings that a spreadsheet would take for a formula, and a byte order
    /// mark is written at the start.
    pub excel_safe: bool,
    /// The number of threads that encode; 0 means one.
    pub threads: usize,
    /// True for a whole table, which is evidence like its original files. Other results are marked as query results.
    pub is_evidence: bool,
}

/// The name and the position of one of several results in a stream.
#[derive(Clone, Copy, Debug)]
pub struct NamedResult<'a> {
    /// The name of the result.
    pub name: &'a str,
    /// True for the first result of the stream.
    pub is_first: bool,
    /// True for the last result of the stream.
    pub is_last: bool,
}

/// Writes one result: call `begin`, then `batch` for every batch in order, then `finish`.
///
/// An error of the stream is [`Error::Io`]; its source tells a closed pipe from a full disk.
pub trait Writer {
    /// Sets the name of the result, which is one of several in the stream. Called before [`Self::begin`], and only if
    /// the format holds several results.
    fn name(&mut self, _result: NamedResult<'_>) {}

    /// Begins the result; called once.
    fn begin(&mut self, schema: &Schema) -> Result<()>;

    /// Writes the next rows.
    fn batch(&mut self, batch: &Batch) -> Result<()>;

    /// Ends the result: writes everything that is buffered, and flushes the stream.
    fn finish(&mut self) -> Result<()>;

    /// Called if the result ends early, so that no program takes the output for complete. The default does nothing,
    /// for formats that have a mandatory end, or that cannot tell.
    fn abandon(&mut self) {}
}

/// Wraps an error of the stream. The caller replaces the name, because only the caller knows it.
fn io_error(error: io::Error) -> Error {
    Error::io("the output", error)
}

/// A stream of text with a buffer.
struct TextStream {
    stream: Stream,
    text: String,
}

impl TextStream {
    /// Number of bytes that are buffered before they are written.
    const PIECE: usize = 1 << 16;

    fn new(stream: Stream) -> Self {
        Self { stream, text: String::new() }
    }

    /// Writes a heading above a result. An empty line separates it from the result before.
    fn heading(&mut self, result: NamedResult<'_>) {
        self.text.push_str(if result.is_first { "" } else { "\n" });
        self.text.push_str(&visible(result.name));
        self.text.push_str("\n\n");
    }

    /// Writes the buffer to the stream if it is large enough; called after each row.
    fn row_done(&mut self) -> Result<()> {
        if self.text.len() >= Self::PIECE { self.write() } else { Ok(()) }
    }

    /// Writes the buffer to the stream and flushes it, so that a reader sees the rows now. Called after each batch
    /// and at the end.
    fn flush(&mut self) -> Result<()> {
        self.write()?;
        self.stream.flush().map_err(io_error)
    }

    fn write(&mut self) -> Result<()> {
        self.stream.write_all(self.text.as_bytes()).map_err(io_error)?;
        self.text.clear();
        Ok(())
    }
}
