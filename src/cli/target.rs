//! Where an answer goes: stdout, or a file that gets its name when it is whole.

use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::args::OutputArgs;
use super::digest::Digest;
use super::progress::{InPlaceOf, ProgressLine};
use super::{stdout, stop, terminal};
use crate::diagnostic::{Error, Result};
use crate::output::{self, Format, Options, Stream, Writer};
use crate::temporary::PendingFile;
use crate::types::{Batch, Schema};

/// Bytes collected before they are written.
const BUFFER: usize = 256 * 1024;

/// A format and a place, checked before anything runs.
pub(super) struct Target {
    format: &'static Format,
    options: Options,
    file: Option<PathBuf>,
    /// Hashes the answer as it is written.
    digest: Option<Digest>,
}

impl Target {
    pub fn new(output: &OutputArgs) -> Result<Self> {
        Self::or(output, None)
    }

    /// As [`Self::new`], with the format where the call names none.
    pub fn or(output: &OutputArgs, default: Option<&str>) -> Result<Self> {
        if output.output_file.is_none() {
            stdout::check()?;
        }
        let terminal = output.output_file.is_none() && io::stdout().is_terminal();
        let named = match (&output.format, &output.output_file) {
            (Some(name), _) => name.clone(),
            (None, Some(file)) => extension(file)?.to_owned(),
            (None, None) => default.unwrap_or(if terminal { "table" } else { "jsonl" }).to_owned(),
        };
        let format = output::format(&named).ok_or_else(|| {
            let known: Vec<&str> = output::FORMATS.iter().map(|format| format.name).collect();
            Error::Usage(format!("-o {named}: not a format; known are {}", known.join(", ")))
        })?;
        if terminal && format.binary {
            return Err(Error::Usage(format!("-o {named}: not for a terminal; write it to a file with -O")));
        }
        let excel_safe = output.spreadsheet.excel_safe;
        check_excel_safe(excel_safe, format)?;
        let options = Options { width: terminal.then(terminal::width), excel_safe, ..Options::default() };
        Ok(Self { format, options, file: output.output_file.clone(), digest: None })
    }

    /// The same, whose answer is encoded with so many threads.
    pub fn with_threads(mut self, threads: usize) -> Self {
        self.options.threads = threads;
        self
    }

    /// The same, whose answer is hashed as it is written.
    pub fn with_digest(mut self, digest: Option<Digest>) -> Self {
        self.digest = digest;
        self
    }

    /// `out` with a buffer.
    fn stream(&self, out: impl Write + Send + 'static) -> Stream {
        match &self.digest {
            Some(digest) => Box::new(BufWriter::with_capacity(BUFFER, digest.watch(out))),
            None => Box::new(BufWriter::with_capacity(BUFFER, out)),
        }
    }

    /// The same, made safe for spreadsheets also if the defaults ask for it.
    pub fn with_excel_safe(mut self, default: bool) -> Self {
        self.options.excel_safe |= default;
        self
    }

    /// Opens the place of the answer; nothing is written yet. On a terminal the answer takes the place of the line of
    /// progress.
    pub fn open(self, schema: &Schema, line: Option<&Arc<ProgressLine>>) -> Result<AnswerWriter> {
        let (stream, file): (Stream, _) = match &self.file {
            None => match line.filter(|_| io::stdout().is_terminal()) {
                Some(line) => {
                    let out = InPlaceOf { line: Arc::clone(line), out: terminal::stdout() };
                    (self.stream(out), None)
                }
                None => (self.stream(terminal::stdout()), None),
            },
            Some(path) => {
                let (pending, out) = pending(path)?;
                (self.stream(out), Some((pending, path.clone())))
            }
        };
        let writer = (self.format.writer)(stream, &self.options);
        Ok(AnswerWriter { writer, schema: Some(schema.clone()), finished: false, file })
    }
}

/// Refuses `--excel-safe` for a format that it does not change.
pub(super) fn check_excel_safe(asked: bool, format: &Format) -> Result<()> {
    match format.name {
        "csv" | "tsv" => Ok(()),
        _ if !asked => Ok(()),
        name => {
            Err(Error::Usage(format!("--excel-safe has no effect on -o {name}: write CSV with -o csv or -O FILE.csv")))
        }
    }
}

/// Writes a file that has its name only when it is complete.
pub(super) fn write_file(path: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<()> {
    let (pending, mut out) = pending(path)?;
    write(&mut out).and_then(|()| out.flush()).map_err(|error| Error::io(path, error))?;
    publish(pending, path)
}

/// A file that will be at `path`, and what writes to it.
pub(super) fn pending(path: &Path) -> Result<(PendingFile, BufWriter<std::fs::File>)> {
    let failed = |error| Error::io(path, error);
    let pending = PendingFile::create(path).map_err(failed)?;
    let out = BufWriter::with_capacity(BUFFER, pending.handle().map_err(failed)?);
    Ok((pending, out))
}

/// Gives a complete file its name, unless the run was stopped.
pub(super) fn publish(file: PendingFile, path: &Path) -> Result<()> {
    stop::check()?;
    file.publish().map_err(|error| Error::io(path, error))
}

fn extension(file: &Path) -> Result<&'static str> {
    let extension = file.extension().and_then(|extension| extension.to_str()).unwrap_or("");
    output::format_for_extension(extension)
        .map(|format| format.name)
        .ok_or_else(|| Error::Usage(format!("{}: no format has this extension; name one with -o", file.display())))
}

/// An answer being written. It begins with its first rows, or at its successful end: a run that fails before writes
/// nothing.
pub(super) struct AnswerWriter {
    writer: Box<dyn Writer>,
    /// The columns, until the answer has begun.
    schema: Option<Schema>,
    finished: bool,
    file: Option<(PendingFile, PathBuf)>,
}

impl AnswerWriter {
    pub fn batch(&mut self, batch: &Batch) -> Result<()> {
        if batch.rows() == 0 {
            return Ok(());
        }
        self.begin()?;
        self.writer.batch(batch)
    }

    fn begin(&mut self) -> Result<()> {
        self.schema.take().map_or(Ok(()), |schema| self.writer.begin(&schema))
    }

    /// The end of the answer; a file gets its name now.
    pub fn finish(mut self) -> Result<()> {
        stop::check()?;
        self.begin()?;
        self.writer.finish()?;
        self.finished = true;
        let file = self.file.take();
        drop(self);
        file.map_or(Ok(()), |(pending, path)| publish(pending, &path))
    }
}

impl Drop for AnswerWriter {
    /// An answer that ends early has no end mark: rows that were streamed stay, a file does not.
    fn drop(&mut self) {
        if self.schema.is_none() && !self.finished {
            self.writer.abandon();
        }
    }
}
