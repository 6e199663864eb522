//! The outcome of a conversion, for the summary and the manifest.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Instant;

use serde_json::{Value as Json, json};

use super::target::ConvertTarget;
use crate::cli::digest;
use crate::cli::manifest;
use crate::cli::progress::size;
use crate::diagnostic::{Error, Result};
use crate::storage::archive_list::ArchiveFile;
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

    /// The written files for the list of the archive, which is being made in `folder`.
    pub fn archive_files(&self, folder: &Path) -> Result<Vec<ArchiveFile>> {
        let file = |path: &PathBuf| {
            let written = folder.join(path);
            let failed = |error| Error::io(&written, error);
            let (bytes, sha256) = digest::sha256(&mut File::open(&written).map_err(failed)?, failed)?;
            Ok(ArchiveFile { path: path.clone(), bytes, sha256 })
        };
        self.files.iter().map(file).collect()
    }

    pub fn summary(&self, started: Instant) -> String {
        let tables = self.tables.join(", ");
        let mut text =
            format!("{} of {tables} in {}, {}", rows(self.rows), number_of_files(self.files.len()), size(self.bytes));
        if self.rows == 0 {
            "no new rows".clone_into(&mut text);
        }
        if self.known > 0 {
            let were = if self.known == 1 { "was" } else { "were" };
            let _ = write!(text, "; {} {were} already in the archive", rows(self.known));
        }
        if self.without_id > 0 {
            let were = if self.without_id == 1 { "was" } else { "were" };
            let of = rows(self.without_id);
            let _ = write!(text, "; {of} without an Id {were} added without checking for duplicates");
        }
        let _ = write!(text, "; {:.1} s", started.elapsed().as_secs_f64());
        text
    }
}

/// "1 row", "2 rows", ...
fn rows(count: u64) -> String {
    if count == 1 { "1 row".to_owned() } else { format!("{count} rows") }
}
