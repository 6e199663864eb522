//! Spilling: temporary files for rows that do not fit in memory. The rows are partitioned by key, or sorted in runs
//! that are merged later.

mod file;
mod merge;
pub mod partition;
pub mod rows;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

pub use file::{SpillFile, SpillWriter};
pub use merge::{Chunk, Keys, Merge, Run};

use crate::diagnostic::{Error, Result};
use crate::temporary::{self, Scratch, ScratchWriter};

/// Approximate number of bytes of a chunk, the unit in which rows are written to a temporary file.
const CHUNK_BYTES: u64 = 1 << 20;
/// Maximum number of rows of a chunk.
const CHUNK_ROWS: usize = 8 * 1024;
/// Memory of an open temporary file in bytes: the current chunk, the next one, and a buffer.
const OPEN_BYTES: u64 = 3 * CHUNK_BYTES;

/// Returns the number of rows in a chunk, if a row has `row_bytes` bytes on average.
#[must_use]
pub fn chunk_rows(row_bytes: u64) -> usize {
    usize::try_from(CHUNK_BYTES / row_bytes.max(1)).unwrap_or(usize::MAX).clamp(1, CHUNK_ROWS)
}

/// Returns how many temporary files may be open at once if rows may use `max_memory` bytes.
#[must_use]
pub fn open_files(max_memory: u64) -> usize {
    usize::try_from(max_memory / 4 / OPEN_BYTES).unwrap_or(usize::MAX).clamp(2, 256)
}

/// The temporary folder of a run. All of its temporary files are parts of a single unnamed file, which is created on
/// first use.
#[derive(Debug)]
pub struct SpillFolder {
    folder: PathBuf,
    scratch: Mutex<Option<Arc<Scratch>>>,
    files: AtomicU64,
}

impl SpillFolder {
    /// Uses `folder`, which must exist when the first file is written; None stands for the temporary folder of the
    /// system.
    #[must_use]
    pub fn new(folder: Option<PathBuf>) -> Self {
        Self {
            folder: folder.unwrap_or_else(temporary::usual_folder),
            scratch: Mutex::new(None),
            files: AtomicU64::new(0),
        }
    }

    /// Returns a writer for a new temporary file.
    ///
    /// # Errors
    /// [`Error::Io`] if nothing can be written to the folder.
    pub fn writer(&self) -> Result<ScratchWriter> {
        let mut scratch = self.scratch.lock().unwrap_or_else(PoisonError::into_inner);
        let scratch = match &mut *scratch {
            Some(scratch) => scratch,
            none => none.insert(Scratch::new(&self.folder).map_err(|error| self.failed(error))?),
        };
        self.files.fetch_add(1, Ordering::Relaxed);
        Ok(scratch.writer())
    }

    /// Returns the number of temporary files that were started.
    #[must_use]
    pub fn files(&self) -> u64 {
        self.files.load(Ordering::Relaxed)
    }

    /// Returns the path of the folder, for messages.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.folder
    }

    fn failed(&self, error: std::io::Error) -> Error {
        Error::io(&self.folder, error)
    }
}
