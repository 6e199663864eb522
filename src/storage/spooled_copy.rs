//! Copies of streams, which are read more than once or out of order: stdin and pipes, archives on servers, entries of
//! archives. All of them are in one temporary file without a name.

use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use crate::diagnostic::{Error, Result};
use crate::temporary::{self, Scratch, ScratchFile};

/// Bytes of stdin or of a pipe that are copied unless more are allowed.
const MAX_STREAM_BYTES: u64 = 64 << 30;

static SETTINGS: OnceLock<CopySettings> = OnceLock::new();
static SCRATCH: Mutex<Option<Arc<Scratch>>> = Mutex::new(None);

/// Where copies go, and how large they may be.
#[derive(Clone, Debug, Default)]
pub struct CopySettings {
    /// The folder, which must exist; None for the system's folder for temporary files.
    pub folder: Option<PathBuf>,
    /// Bytes of stdin or of a pipe that may be copied; None for 64 GB.
    pub max_stream_bytes: Option<u64>,
}

impl CopySettings {
    /// Makes these the settings of the process. Only the first settings count: copies share a file.
    pub fn apply(self) {
        let _ = SETTINGS.set(self);
    }

    fn current() -> &'static Self {
        SETTINGS.get_or_init(Self::default)
    }
}

/// Copies a stream to its end.
pub(crate) fn copy(stream: &mut dyn Read) -> io::Result<Arc<ScratchFile>> {
    Ok(Arc::new(ScratchFile::copy(&scratch()?, stream, u64::MAX)?))
}

/// Copies stdin or a pipe, which messages call `name`.
///
/// # Errors
/// The stream cannot be read, its copy cannot be written, or it is longer than the settings allow.
pub(crate) fn copy_bounded(stream: &mut dyn Read, name: &str) -> Result<Arc<ScratchFile>> {
    let max_bytes = CopySettings::current().max_stream_bytes.unwrap_or(MAX_STREAM_BYTES);
    let failed = |source: io::Error| Error::io(name, source);
    let scratch = scratch().map_err(failed)?;
    let copy = ScratchFile::copy(&scratch, stream, max_bytes.saturating_add(1)).map_err(failed)?;
    if copy.length() > max_bytes {
        return Err(Error::Limit(format!(
            "{name} is longer than {max_bytes} bytes, and is copied to the folder for temporary files before it is read: \
             save it to a file and name the file, or raise --max-stdin"
        )));
    }
    Ok(Arc::new(copy))
}

fn scratch() -> io::Result<Arc<Scratch>> {
    let mut scratch = SCRATCH.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(scratch) = &*scratch {
        return Ok(Arc::clone(scratch));
    }
    let folder = CopySettings::current().folder.clone().unwrap_or_else(temporary::usual_folder);
    let in_folder = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", folder.display()));
    let made = Scratch::new(&folder).map_err(in_folder)?;
    Ok(Arc::clone(scratch.insert(made)))
}
