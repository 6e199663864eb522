//! Rows that do not fit the memory: temporary files, and their way back in order.

mod file;
mod merge;
pub mod partition;
pub mod rows;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

pub use file::{SpillFile, SpillWriter};
pub use merge::{Chunk, Keys, Merge, Run};

use crate::diagnostic::{Error, Result};

/// Bytes of rows that are written to a temporary file at once.
const CHUNK_BYTES: u64 = 1 << 20;
/// Rows that are written to a temporary file at once, at most.
const CHUNK_ROWS: usize = 8 * 1024;
/// Bytes that an open temporary file takes: what was read of it, what is being read, a buffer.
const OPEN_BYTES: u64 = 3 * CHUNK_BYTES;

/// Rows of `row_bytes` that are written to a temporary file at once.
#[must_use]
pub fn chunk_rows(row_bytes: u64) -> usize {
    usize::try_from(CHUNK_BYTES / row_bytes.max(1)).unwrap_or(usize::MAX).clamp(16, CHUNK_ROWS)
}

/// How many temporary files may be open at once where rows may take `max_memory` bytes.
#[must_use]
pub fn open_files(max_memory: u64) -> usize {
    usize::try_from(max_memory / 4 / OPEN_BYTES).unwrap_or(usize::MAX).clamp(2, 256)
}

/// A folder of our own for temporary files, made when the first one is needed and removed in the end.
#[derive(Debug)]
pub struct SpillFolder {
    parent: PathBuf,
    folder: Mutex<Option<tempfile::TempDir>>,
    files: AtomicU64,
}

impl SpillFolder {
    /// One in `parent`, which is made with it where it does not exist; None for the system's place for such folders.
    #[must_use]
    pub fn new(parent: Option<PathBuf>) -> Self {
        Self {
            parent: parent.unwrap_or_else(tempfile::env::temp_dir),
            folder: Mutex::new(None),
            files: AtomicU64::new(0),
        }
    }

    /// A path for one more file.
    ///
    /// # Errors
    /// The folder cannot be made.
    pub fn new_path(&self) -> Result<PathBuf> {
        let mut folder = self.folder.lock().unwrap_or_else(PoisonError::into_inner);
        let folder = match &mut *folder {
            Some(folder) => folder,
            none => none.insert(private_folder(&self.parent).map_err(|error| self.failed(error))?),
        };
        Ok(folder.path().join(format!("{:06}.arrow", self.files.fetch_add(1, Ordering::Relaxed))))
    }

    /// How many paths were asked for.
    #[must_use]
    pub fn files(&self) -> u64 {
        self.files.load(Ordering::Relaxed)
    }

    fn failed(&self, error: std::io::Error) -> Error {
        Error::io(&self.parent, error)
    }
}

/// A folder that nobody else can look into.
fn private_folder(parent: &Path) -> std::io::Result<tempfile::TempDir> {
    std::fs::create_dir_all(parent)?;
    let mut builder = tempfile::Builder::new();
    builder.prefix("coldcase-");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
    builder.tempdir_in(parent)
}
