//! Decides whether stdin is data: if it is given as `-`, or if no files are given and it is not a terminal.

use std::ffi::OsStr;
use std::fs;
use std::io::{self, IsTerminal, Read};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use super::SourceOptions;
use crate::diagnostic::{Error, Result};

/// The PATH that stands for stdin.
pub(super) const DASH: &str = "-";

/// How a command uses stdin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::cli) enum Stdin {
    /// Not as data: it is a terminal, or holds the query.
    Unused,
    /// Data, given as `-`.
    Named,
    /// Data for all tables without other files, because no files are given.
    Unnamed,
    /// Data only if the query names the table `stdin`.
    ByName,
}

impl Stdin {
    /// Decides how `call` uses stdin.
    ///
    /// # Errors
    /// If stdin is given as data but holds the query.
    pub(super) fn of(call: &SourceOptions<'_>) -> Result<Self> {
        let is_named = call.paths.iter().any(|path| path == OsStr::new(DASH));
        if let Some(taken) = call.stdin_taken {
            let text = format!("stdin cannot hold both {taken} and data: give one of them as a file instead of `-`");
            return if is_named { Err(Error::Usage(text)) } else { Ok(Self::Unused) };
        }
        Ok(match (is_named, io::stdin().is_terminal()) {
            (true, _) => Self::Named,
            (false, true) => Self::Unused,
            (false, false) if call.paths.is_empty() && call.tables.is_empty() => Self::Unnamed,
            (false, false) => Self::ByName,
        })
    }

    /// The file that stdin is redirected from, if it may be read as data and the system knows it.
    pub(super) fn redirected_from(self) -> Option<PathBuf> {
        if matches!(self, Self::Unused | Self::ByName) {
            return None;
        }
        fs::canonicalize(Path::new("/dev/stdin")).ok().filter(|path| path.is_file())
    }
}

/// True if stdin is a pipe, or a file that is not empty: the user may expect that it is read.
#[cfg(unix)]
pub(super) fn may_hold_data() -> bool {
    use std::os::fd::AsFd;
    use std::os::unix::fs::FileTypeExt;

    let file = io::stdin().as_fd().try_clone_to_owned().map(fs::File::from);
    let metadata = file.and_then(|file| file.metadata()).ok();
    metadata.is_some_and(|found| found.file_type().is_fifo() || found.is_file() && found.len() > 0)
}

/// Always false: not known on this system.
#[cfg(not(unix))]
pub(super) fn may_hold_data() -> bool {
    false
}

/// Counts the bytes read from `input`.
pub(super) struct CountingReader<'a, R> {
    pub input: R,
    pub bytes: &'a AtomicU64,
}

impl<R: Read> Read for CountingReader<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(buffer)?;
        self.bytes.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}
