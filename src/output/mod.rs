//! Answers as bytes: one writer a format, fed batch by batch.

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

use crate::diagnostic::{Error, Result};
use crate::types::{Batch, Schema};

/// Where an answer goes.
pub type Stream = Box<dyn Write + Send>;

/// A format of answers.
#[derive(Debug)]
pub struct Format {
    /// Its name behind `-o`.
    pub name: &'static str,
    /// File extensions that stand for it, without the dot; no extension stands for two formats.
    pub extensions: &'static [&'static str],
    /// One sentence.
    pub summary: &'static str,
    /// True where the bytes are not text, and so nothing for a terminal.
    pub binary: bool,
    /// A writer over a stream.
    pub writer: fn(Stream, &Options) -> Box<dyn Writer>,
}

/// Every format.
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

/// The format of this name.
#[must_use]
pub fn format(name: &str) -> Option<&'static Format> {
    FORMATS.iter().find(|format| format.name == name)
}

/// The format that a file extension, without its dot and in any case, stands for.
#[must_use]
pub fn format_for_extension(extension: &str) -> Option<&'static Format> {
    let extension = extension.to_ascii_lowercase();
    FORMATS.iter().find(|format| format.extensions.contains(&extension.as_str()))
}

/// How an answer is written.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// The width of the terminal that the answer goes to; None where it goes elsewhere.
    pub width: Option<usize>,
    /// Put an apostrophe before strings that a spreadsheet would read as a formula, and a byte order mark at the beginning.
    pub excel_safe: bool,
    /// Threads that encode; 0 for one.
    pub threads: usize,
    /// True for whole tables, which are evidence as their originals are; answers to queries are marked as such.
    pub is_evidence: bool,
}

/// Writes one answer: `begin`, then every batch in order, then `finish`.
///
/// An error of the stream is an [`Error::Io`] whose source tells a closed pipe from a full disk.
pub trait Writer {
    /// The columns; called once, first.
    fn begin(&mut self, schema: &Schema) -> Result<()>;

    /// Some rows.
    fn batch(&mut self, batch: &Batch) -> Result<()>;

    /// The end: what is held back is written and the stream flushed.
    fn finish(&mut self) -> Result<()>;

    /// The answer ends early: what was written must not look complete to a program that reads it. Nothing is to be done
    /// in formats with an end mark that readers insist on, or without any.
    fn abandon(&mut self) {}
}

/// What the stream said. Its name is known to the caller alone.
fn io_error(error: io::Error) -> Error {
    Error::io("the output", error)
}

/// Text on its way to a stream, handed on in large pieces.
struct TextStream {
    stream: Stream,
    text: String,
}

impl TextStream {
    /// So much is gathered before it is handed on.
    const PIECE: usize = 1 << 16;

    fn new(stream: Stream) -> Self {
        Self { stream, text: String::new() }
    }

    /// Hands on what was gathered where it is enough; called after each row.
    fn row_done(&mut self) -> Result<()> {
        if self.text.len() >= Self::PIECE { self.write() } else { Ok(()) }
    }

    /// Hands on what was gathered, so that a reader sees it now; called after each batch and at the end.
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
