//! Whether stdin is data: if `-` names it, or if the call names nothing else and it is no terminal.

use std::ffi::OsStr;
use std::fs;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};

use super::Call;
use crate::diagnostic::{Error, Result};

/// The PATH that names stdin.
pub(super) const DASH: &str = "-";

/// What stdin is to a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::cli) enum Stdin {
    /// Nothing: a terminal, or the query comes from it.
    Nothing,
    /// Data that `-` names.
    Named,
    /// Data for the tables that nothing else is bound to, as the call names no other files.
    Unnamed,
    /// Data for a query that names the table `stdin`.
    ByName,
}

impl Stdin {
    /// What stdin is to `call`.
    ///
    /// # Errors
    /// Stdin is named as data and read as something else.
    pub(super) fn of(call: &Call<'_>) -> Result<Self> {
        let is_named = call.paths.iter().any(|path| path == OsStr::new(DASH));
        if let Some(taken) = call.stdin_taken {
            let text = format!("stdin holds {taken} and cannot be data as well: name a file instead of one `-`");
            return if is_named { Err(Error::Usage(text)) } else { Ok(Self::Nothing) };
        }
        Ok(match (is_named, io::stdin().is_terminal()) {
            (true, _) => Self::Named,
            (false, true) => Self::Nothing,
            (false, false) if call.paths.is_empty() && call.tables.is_empty() => Self::Unnamed,
            (false, false) => Self::ByName,
        })
    }

    /// The file that stdin is redirected from, if it may be read and the system tells.
    pub(super) fn place(self) -> Option<PathBuf> {
        if matches!(self, Self::Nothing | Self::ByName) {
            return None;
        }
        fs::canonicalize(Path::new("/dev/stdin")).ok().filter(|path| path.is_file())
    }
}

/// True if stdin is a pipe, or a file that is not empty: somebody may expect that it is read.
#[cfg(unix)]
pub(super) fn may_hold_data() -> bool {
    use std::os::fd::AsFd;
    use std::os::unix::fs::FileTypeExt;

    let file = io::stdin().as_fd().try_clone_to_owned().map(fs::File::from);
    let metadata = file.and_then(|file| file.metadata()).ok();
    metadata.is_some_and(|found| found.file_type().is_fifo() || found.is_file() && found.len() > 0)
}

/// True if stdin is a pipe, or a file that is not empty: the system does not tell.
#[cfg(not(unix))]
pub(super) fn may_hold_data() -> bool {
    false
}
