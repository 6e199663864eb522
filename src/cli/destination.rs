//! The destination of a result: stdout, or a file that is written under a temporary name and renamed when complete.

use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::args::OutputArgs;
use super::digest::OutputDigest;
use super::progress::{EndsProgress, ProgressLine};
use super::{stdout, stop, terminal};
use crate::diagnostic::{Error, Result};
use crate::output::{self, Format, NamedResult, OutputOptions, Stream, Writer};
use crate::temporary::PendingFile;
use crate::types::{Batch, Schema};

/// Size of the write buffer, in bytes.
const BUFFER: usize = 256 * 1024;

/// A format and stdout or a file, checked before the query runs.
pub(super) struct Destination {
    format: &'static Format,
    options: OutputOptions,
    file: Option<PathBuf>,
    /// Hashes the result as it is written.
    digest: Option<OutputDigest>,
}

impl Destination {
    pub fn new(output: &OutputArgs) -> Result<Self> {
        Self::with_default(output, None)
    }

    /// As [`Self::new`], with the format to use if the options name none.
    pub fn with_default(output: &OutputArgs, default: Option<&str>) -> Result<Self> {
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
            let available: Vec<&str> = output::FORMATS.iter().map(|format| format.name).collect();
            Error::Usage(format!("unknown output format `{named}`; available: {}", available.join(", ")))
        })?;
        if terminal && format.binary {
            return Err(Error::Usage(format!(
                "-o {named} is a binary format, which a terminal cannot show: write it to a file with -O"
            )));
        }
        let excel_safe = output.spreadsheet.excel_safe;
        check_excel_safe(excel_safe, format)?;
        let options = OutputOptions { width: terminal.then(terminal::width), excel_safe, ..OutputOptions::default() };
        Ok(Self { format, options, file: output.output_file.clone(), digest: None })
    }

    /// Encodes the result with this number of threads.
    pub fn with_threads(mut self, threads: usize) -> Self {
        self.options.threads = threads;
        self
    }

    /// Hashes the result as it is written.
    pub fn with_digest(mut self, digest: Option<OutputDigest>) -> Self {
        self.digest = digest;
        self
    }

    /// `out` with a buffer, and hashed if requested.
    fn stream(&self, out: impl Write + Send + 'static) -> Stream {
        match &self.digest {
            Some(digest) => Box::new(BufWriter::with_capacity(BUFFER, digest.watch(out))),
            None => Box::new(BufWriter::with_capacity(BUFFER, out)),
        }
    }

    /// Makes the result safe for spreadsheets if the options or `default` ask for it.
    pub fn with_excel_safe(mut self, default: bool) -> Self {
        self.options.excel_safe |= default;
        self
    }

    /// True if several results may be written.
    pub fn holds_several(&self) -> bool {
        self.format.holds_several
    }

    /// Opens the destination for one result.
    pub fn open(self, schema: &Schema, line: Option<&Arc<ProgressLine>>) -> Result<ResultWriter> {
        let mut opened = self.open_results(line)?;
        let mut writer = opened.start(schema, None);
        writer.file = opened.file.take();
        Ok(writer)
    }

    /// Opens the destination; nothing is written yet. On a terminal, the first byte of the result ends the progress
    /// line.
    pub fn open_results(self, line: Option<&Arc<ProgressLine>>) -> Result<OpenDestination> {
        let (stream, file): (Stream, _) = match &self.file {
            None => match line.filter(|_| io::stdout().is_terminal()) {
                Some(line) => {
                    let out = EndsProgress { line: Arc::clone(line), out: terminal::stdout() };
                    (self.stream(out), None)
                }
                None => (self.stream(terminal::stdout()), None),
            },
            Some(path) => {
                let (pending, out) = pending(path)?;
                (self.stream(out), Some((pending, path.clone())))
            }
        };
        let stream = SharedStream(Arc::new(Mutex::new(stream)));
        Ok(OpenDestination { format: self.format, options: self.options, stream, file })
    }
}

/// A destination to which results are written one after the other.
pub(super) struct OpenDestination {
    format: &'static Format,
    options: OutputOptions,
    stream: SharedStream,
    file: Option<(PendingFile, PathBuf)>,
}

impl OpenDestination {
    /// Starts a result; `named` if it is one of several. The one before it must be finished.
    pub fn start(&self, schema: &Schema, named: Option<NamedResult<'_>>) -> ResultWriter {
        let mut writer = (self.format.writer)(Box::new(self.stream.clone()), &self.options);
        if let Some(named) = named {
            writer.name(named);
        }
        ResultWriter { writer, schema: Some(schema.clone()), finished: false, file: None }
    }

    /// Renames the file once all results are finished.
    pub fn publish(self) -> Result<()> {
        drop(self.stream);
        self.file.map_or(Ok(()), |(pending, path)| publish(pending, &path))
    }
}

/// A stream that the writers of several results use one after the other.
#[derive(Clone)]
struct SharedStream(Arc<Mutex<Stream>>);

impl Write for SharedStream {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write(buffer)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).flush()
    }
}

/// Returns an error if `--excel-safe` was given for a format on which it has no effect.
pub(super) fn check_excel_safe(requested: bool, format: &Format) -> Result<()> {
    match format.name {
        "csv" | "tsv" => Ok(()),
        _ if !requested => Ok(()),
        name => {
            Err(Error::Usage(format!("--excel-safe has no effect on -o {name}: write CSV with -o csv or -O FILE.csv")))
        }
    }
}

/// Writes a file under a temporary name and renames it when complete.
pub(super) fn write_file(path: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<()> {
    let (pending, mut out) = pending(path)?;
    write(&mut out).and_then(|()| out.flush()).map_err(|error| Error::io(path, error))?;
    publish(pending, path)
}

/// Creates the temporary file that will be renamed to `path`, and its writer.
pub(super) fn pending(path: &Path) -> Result<(PendingFile, BufWriter<std::fs::File>)> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    if let Some(folder) = folder.filter(|folder| !folder.exists()) {
        return Err(Error::Usage(format!("{}: there is no folder {}", path.display(), folder.display())));
    }
    let failed = |error| Error::io(path, error);
    let pending = PendingFile::create(path).map_err(failed)?;
    let out = BufWriter::with_capacity(BUFFER, pending.handle().map_err(failed)?);
    Ok((pending, out))
}

/// Renames a complete file, unless the run was interrupted.
pub(super) fn publish(file: PendingFile, path: &Path) -> Result<()> {
    stop::check()?;
    file.publish().map_err(|error| Error::io(path, error))
}

fn extension(file: &Path) -> Result<&'static str> {
    let extension = file.extension().and_then(|extension| extension.to_str()).unwrap_or("");
    output::format_for_extension(extension).map(|format| format.name).ok_or_else(|| {
        Error::Usage(format!("{}: no output format has this file extension: choose one with -o", file.display()))
    })
}

/// Writes a result. Its header is written with the first rows, or at the end of a successful run: a run that fails
/// before writes nothing.
pub(super) struct ResultWriter {
    writer: Box<dyn Writer>,
    /// The columns, until the header is written.
    schema: Option<Schema>,
    finished: bool,
    file: Option<(PendingFile, PathBuf)>,
}

impl ResultWriter {
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

    /// Writes the end of the result, and renames its file.
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

impl Drop for ResultWriter {
    /// Leaves an unfinished result without its end, so that it cannot be taken for a complete one. A file is removed.
    fn drop(&mut self) {
        if self.schema.is_none() && !self.finished {
            self.writer.abandon();
        }
    }
}
