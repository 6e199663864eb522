//! Writes results: one writer per format, fed batch by batch.

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

/// The destination of a result.
pub type Stream = Box<dyn Write + Send>;

/// An output format.
#[derive(Debug)]
pub struct Format {
    /// The name after `-o`.
    pub name: &'static str,
    /// File extensions of the format, without the dot; no two formats share one.
    pub extensions: &'static [&'static str],
    /// A summary in one sentence.
    pub summary: &'static str,
    /// True if the bytes are not text, and therefore not for a terminal.
    pub binary: bool,
    /// True if several results may follow each other in one stream; see [`Writer::name`].
    pub holds_several: bool,
    /// Creates a writer over a stream.
    pub writer: fn(Stream, &OutputOptions) -> Box<dyn Writer>,
}

/// All formats.
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

/// Looks up a format by name.
#[must_use]
pub fn format(name: &str) -> Option<&'static Format> {
    FORMATS.iter().find(|format| format.name == name)
}

/// Looks up a format by file extension, without the dot, ignoring case.
#[must_use]
pub fn format_for_extension(extension: &str) -> Option<&'static Format> {
    let extension = extension.to_ascii_lowercase();
    FORMATS.iter().find(|format| format.extensions.contains(&extension.as_str()))
}

/// OutputOptions for writing a result.
#[derive(Clone, Copy, Debug, Default)]
pub struct OutputOptions {
    /// The width of the terminal; None if the result goes elsewhere.
    pub width: Option<usize>,
    /// Puts an apostrophe before strings that a spreadsheet would read as a formula, and a byte order mark at the
    /// start.
    pub excel_safe: bool,
    /// The number of encoding threads; 0 means one.
    pub threads: usize,
    /// True for whole tables, which are evidence like their originals; query results are marked as such.
    pub is_evidence: bool,
}

/// The name and the position of one of several results in a stream.
#[derive(Clone, Copy, Debug)]
pub struct NamedResult<'a> {
    /// The name.
    pub name: &'a str,
    /// True for the first result of the stream.
    pub is_first: bool,
    /// True for the last one.
    pub is_last: bool,
}

/// Writes one result: `begin`, then every batch in order, then `finish`.
///
/// Stream errors are [`Error::Io`], whose source distinguishes a closed pipe from a full disk.
pub trait Writer {
    /// Names the result, one of several in the stream; called before [`Self::begin`], only if the format holds several.
    fn name(&mut self, _result: NamedResult<'_>) {}

    /// Starts the result; called once, first.
    fn begin(&mut self, schema: &Schema) -> Result<()>;

    /// Writes the next rows.
    fn batch(&mut self, batch: &Batch) -> Result<()>;

    /// Ends the result: writes what is buffered and flushes the stream.
    fn finish(&mut self) -> Result<()>;

    /// Called if the result ends early: programs must not take the output for complete. Nothing to do for formats with
    /// a mandatory end mark, or without any.
    fn abandon(&mut self) {}
}

/// Wraps an error of the stream. Only the caller knows the name of the stream.
fn io_error(error: io::Error) -> Error {
    Error::io("the output", error)
}

/// Buffers text for a stream.
struct TextStream {
    stream: Stream,
    text: String,
}

impl TextStream {
    /// Bytes that are buffered before they are written.
    const PIECE: usize = 1 << 16;

    fn new(stream: Stream) -> Self {
        Self { stream, text: String::new() }
    }

    /// Writes a heading above a result, after an empty line if another one precedes it.
    fn heading(&mut self, result: NamedResult<'_>) {
        self.text.push_str(if result.is_first { "" } else { "\n" });
        self.text.push_str(&visible(result.name));
        self.text.push_str("\n\n");
    }

    /// Writes the buffer if it is large enough; called after each row.
    fn row_done(&mut self) -> Result<()> {
        if self.text.len() >= Self::PIECE { self.write() } else { Ok(()) }
    }

    /// Writes the buffer, so that a reader sees it now; called after each batch and at the end.
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
