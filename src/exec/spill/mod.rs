//! Rows that do not fit the memory: temporary files, and their way back in order.

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

/// Bytes of rows that are written to a temporary file at once.
const CHUNK_BYTES: u64 = 1 << 20;
/// Rows that are written to a temporary file at once, at most.
const CHUNK_ROWS: usize = 8 * 1024;
/// Bytes that an open temporary file takes: what was read of it, what is being read, a buffer.
const OPEN_BYTES: u64 = 3 * CHUNK_BYTES;

/// Rows of `row_bytes` that are written to a temporary file at once.
#[must_use]
pub fn chunk_rows(row_bytes: u64) -> usize {
    usize::try_from(CHUNK_BYTES / row_bytes.max(1)).unwrap_or(usize::MAX).clamp(1, CHUNK_ROWS)
}

/// How many temporary files may be open at once where rows may take `max_memory` bytes.
#[must_use]
pub fn open_files(max_memory: u64) -> usize {
    usize::try_from(max_memory / 4 / OPEN_BYTES).unwrap_or(usize::MAX).clamp(2, 256)
}

/// The folder for the rows that a run cannot hold in memory: all of them are in one file without a name, which is made
/// when it is needed.
#[derive(Debug)]
pub struct SpillFolder {
    folder: PathBuf,
    scratch: Mutex<Option<Arc<Scratch>>>,
    files: AtomicU64,
}

impl SpillFolder {
    /// Uses `folder`, which must exist when it is needed; None for the system's folder for temporary files.
    #[must_use]
    pub fn new(folder: Option<PathBuf>) -> Self {
        Self {
            folder: folder.unwrap_or_else(temporary::usual_folder),
            scratch: Mutex::new(None),
            files: AtomicU64::new(0),
        }
    }

    /// A writer of one more temporary file.
    ///
    /// # Errors
    /// Nothing can be written to the folder.
    pub fn writer(&self) -> Result<ScratchWriter> {
        let mut scratch = self.scratch.lock().unwrap_or_else(PoisonError::into_inner);
        let scratch = match &mut *scratch {
            Some(scratch) => scratch,
            none => none.insert(Scratch::new(&self.folder).map_err(|error| self.failed(error))?),
        };
        self.files.fetch_add(1, Ordering::Relaxed);
        Ok(scratch.writer())
    }

    /// The number of temporary files so far.
    #[must_use]
    pub fn files(&self) -> u64 {
        self.files.load(Ordering::Relaxed)
    }

    /// The path for messages.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.folder
    }

    fn failed(&self, error: std::io::Error) -> Error {
        Error::io(&self.folder, error)
    }
}
