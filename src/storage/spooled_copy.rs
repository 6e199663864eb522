//! Temporary copies of streams that are read more than once or out of order: stdin and pipes, archives on servers,
//! and Parquet files in archives. All copies share one unnamed temporary file.

use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use crate::diagnostic::{Error, Result};
use crate::temporary::{self, Scratch, ScratchFile};

/// Maximum size of stdin or a pipe in bytes, unless the user sets it.
const MAX_STREAM_BYTES: u64 = 64 << 30;

static SETTINGS: OnceLock<CopySettings> = OnceLock::new();
static SCRATCH: Mutex<Option<Arc<Scratch>>> = Mutex::new(None);

/// Settings of copies: the folder, and the maximum size.
#[derive(Clone, Debug, Default)]
pub struct CopySettings {
    /// The folder, which must exist; None for the temporary folder of the system.
    pub folder: Option<PathBuf>,
    /// Maximum number of bytes of stdin or a pipe; None for 64 GiB.
    pub max_stream_bytes: Option<u64>,
}

impl CopySettings {
    /// Sets the settings for this process. Only the first call has an effect, because all copies share a file.
    pub fn apply(self) {
        let _ = SETTINGS.set(self);
    }

    fn current() -> &'static Self {
        SETTINGS.get_or_init(Self::default)
    }
}

/// Copies a whole stream.
pub(crate) fn copy(stream: &mut dyn Read) -> io::Result<Arc<ScratchFile>> {
    Ok(Arc::new(ScratchFile::copy(&scratch()?, stream, u64::MAX)?))
}

/// Copies stdin or a pipe. Messages call it `name`.
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
            "{name} is longer than {max_bytes} bytes, the limit for temporary copies: save it to a file and name the \
             file, or raise --max-stdin"
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
