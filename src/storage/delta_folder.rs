//! Delta tables that were found while files were listed. The module `delta` reads their logs and chooses their files.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use super::files::DataFile;

/// The name of the folder that has the log of a Delta table.
pub(crate) const DELTA_LOG: &str = "_delta_log";

/// The folder of a Delta table.
#[derive(Clone, Debug)]
pub struct DeltaFolder {
    /// The folder itself, as a `DataFile` that represents the table in messages.
    pub folder: DataFile,
    /// The files of the log.
    pub log: Vec<DataFile>,
    /// The files of this table that were listed, except those of tables inside it. The key is the name of the file;
    /// the value is its path below the folder, with `/`.
    pub members: BTreeMap<String, String>,
    /// The files that exist in the folder, whether or not they were listed.
    pub present: PresentFiles,
}

/// The files that exist in a folder of which only a part may have been listed.
#[derive(Clone, Debug)]
pub enum PresentFiles {
    /// A folder on a disk; the user named the folder `root`.
    Disk {
        /// The folder of the table.
        folder: PathBuf,
        /// The folder that the user named; it may be below or above `folder`.
        root: PathBuf,
    },
    /// The paths of all files below the folder, with `/`.
    Listed(BTreeSet<String>),
}

impl DeltaFolder {
    /// Changes the name of a listed file.
    pub(super) fn rename(&mut self, from: &str, to: &str) {
        if let Some(path) = self.members.remove(from) {
            self.members.insert(to.to_owned(), path);
        }
    }
}

impl PresentFiles {
    /// True if the file at `path` exists, or if it is outside the part of the folder that the user named.
    pub(crate) fn accounts_for(&self, path: &str) -> bool {
        match self {
            Self::Disk { folder, root } => {
                let path = folder.join(path);
                path.exists() || !path.starts_with(root)
            }
            Self::Listed(paths) => paths.contains(path),
        }
    }
}

/// True if `path`, which is relative to the folder of a table, is in the log of the table.
pub(crate) fn is_of_log(path: &str) -> bool {
    path.split_once('/').is_some_and(|(folder, _)| folder == DELTA_LOG)
}

/// Returns the folder of the Delta table whose log has `path`, with a slash at its end; "" for the root, None if the
/// path is in no log. `path` is separated with `/`.
pub(crate) fn folder_of_log(path: &str) -> Option<&str> {
    let at = path.match_indices(DELTA_LOG).map(|(at, _)| at);
    let is_whole =
        |at: &usize| (*at == 0 || path[..*at].ends_with('/')) && path[at + DELTA_LOG.len()..].starts_with('/');
    at.into_iter().find(is_whole).map(|at| &path[..at])
}
