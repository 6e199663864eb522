//! Answers as bytes: one writer a format, fed batch by batch.

use std::io::Write;

use crate::diagnostic::Result;
use crate::types::{Batch, Schema};

/// A format of answers.
#[derive(Debug)]
pub struct Format {
    /// Its name behind `-o`.
    pub name: &'static str,
    /// File extensions that stand for it, without the dot; no extension stands for two formats.
    pub extensions: &'static [&'static str],
    /// One sentence.
    pub summary: &'static str,
    /// A writer over a stream.
    pub writer: fn(Box<dyn Write>, &Options) -> Box<dyn Writer>,
}

/// Every format.
pub static FORMATS: &[Format] = &[];

/// The format of this name.
#[must_use]
pub fn format(name: &str) -> Option<&'static Format> {
    FORMATS.iter().find(|format| format.name == name)
}

/// How an answer is written.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// The width of the terminal that the answer goes to; None where it goes elsewhere.
    pub width: Option<usize>,
    /// Put a quote before texts that a spreadsheet would read as a formula.
    pub excel_safe: bool,
}

/// Writes one answer: `begin`, then every batch in order, then `finish`.
pub trait Writer {
    /// The columns; called once, first.
    fn begin(&mut self, schema: &Schema) -> Result<()>;

    /// Some rows.
    fn batch(&mut self, batch: &Batch) -> Result<()>;

    /// The end: what is held back is written and the stream flushed.
    fn finish(&mut self) -> Result<()>;
}
