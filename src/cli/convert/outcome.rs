//! The outcome of a conversion, for the summary and the manifest.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::time::Instant;

use serde_json::{Value as Json, json};

use super::target::ConvertTarget;
use crate::cli::manifest;
use crate::cli::progress::size;
use crate::diagnostic::Result;
use crate::storage::listing::number_of_files;

/// The result of the conversion so far.
#[derive(Default)]
pub(super) struct Converted {
    pub tables: Vec<String>,
    pub rows: u64,
    /// Rows that were in the archive already.
    pub known: u64,
    /// Rows without an `Id` that were added to an existing archive.
    pub without_id: u64,
    pub damaged: bool,
    pub files: Vec<PathBuf>,
    pub bytes: u64,
    /// The entry of each table in the manifest.
    pub entries: Vec<Json>,
    /// Notes and warnings that were printed already.
    pub emitted: BTreeSet<String>,
}

impl Converted {
    /// The entry of the published archive in the manifest.
    pub fn manifest(&self, destination: &Path, target: &ConvertTarget) -> Result<Json> {
        let path = |file: &PathBuf| match target {
            ConvertTarget::Archive { .. } => destination.join(file),
            ConvertTarget::File(_) => destination.to_owned(),
        };
        let files = self.files.iter().map(|file| manifest::written(&path(file))).collect::<Result<Vec<_>>>()?;
        let destination = destination.display().to_string();
        Ok(json!({"archive": {"place": destination, "tables": self.entries, "files": files}}))
    }

    pub fn summary(&self, started: Instant) -> String {
        let tables = self.tables.join(", ");
        let mut text =
            format!("{} rows of {tables} in {}, {}", self.rows, number_of_files(self.files.len()), size(self.bytes));
        if self.rows == 0 {
            "no new rows".clone_into(&mut text);
        }
        if self.known > 0 {
            let _ = write!(text, "; {} rows were already in the archive", self.known);
        }
        if self.without_id > 0 {
            let _ = write!(text, "; {} rows without an Id were added without checking for duplicates", self.without_id);
        }
        let _ = write!(text, "; {:.1} s", started.elapsed().as_secs_f64());
        text
    }
}
