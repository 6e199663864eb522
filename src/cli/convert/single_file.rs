//! Writes the rows of a conversion to a single file in any output format.

use std::io::BufWriter;
use std::path::{Path, PathBuf};

use crate::convert::{ArchiveRows, ArchiveSink, SortedTable};
use crate::diagnostic::{Error, Result};
use crate::output::{self, Format};

/// Size of the write buffer, in bytes.
const BUFFER: usize = 1 << 20;

/// Writes a single file.
pub(super) struct FileSink {
    format: &'static Format,
    path: PathBuf,
    options: output::OutputOptions,
    writer: Option<Box<dyn output::Writer>>,
}

impl FileSink {
    pub fn new(format: &'static Format, path: PathBuf, options: output::OutputOptions) -> Self {
        Self { format, path, options, writer: None }
    }

    fn writer(&mut self) -> Result<&mut Box<dyn output::Writer>> {
        self.writer.as_mut().ok_or_else(|| Error::internal("rows before the schema"))
    }
}

impl ArchiveSink for FileSink {
    fn begin(&mut self, table: &SortedTable) -> Result<()> {
        let path: &Path = &self.path;
        let file = std::fs::File::create_new(path).map_err(|error| Error::io(path, error))?;
        let stream = Box::new(BufWriter::with_capacity(BUFFER, file));
        let mut writer = (self.format.writer)(stream, &self.options);
        writer.begin(&table.schema)?;
        self.writer = Some(writer);
        Ok(())
    }

    fn rows(&mut self, rows: &ArchiveRows) -> Result<()> {
        self.writer()?.batch(&rows.batch)
    }

    fn finish(&mut self) -> Result<()> {
        self.writer()?.finish()
    }
}
