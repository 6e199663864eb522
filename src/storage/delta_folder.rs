//! Delta tables that were found while listing files. The module `delta` reads their logs and chooses the files.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use super::files::DataFile;

/// The name of the folder with the log of a Delta table.
pub(crate) const DELTA_LOG: &str = "_delta_log";

/// The folder of a Delta table.
#[derive(Clone, Debug)]
pub struct DeltaFolder {
    /// The folder itself, as a `DataFile` that stands for the table in messages.
    pub folder: DataFile,
    /// The files of the log.
    pub log: Vec<DataFile>,
    /// The listed files of this table, without those of tables nested in it: name -> path below the folder, with `/`.
    pub members: BTreeMap<String, String>,
    /// All files that exist in the folder, listed or not.
    pub present: PresentFiles,
}

/// The files that exist in a folder of which only a part may have been listed.
#[derive(Clone, Debug)]
pub enum PresentFiles {
    /// A folder on a disk, of which the user named `root`.
    Disk {
        /// The folder of the table.
        folder: PathBuf,
        /// The folder that was listed; it may be below or above `folder`.
        root: PathBuf,
    },
    /// Listed paths below the folder, with `/`.
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
    /// True if the file at `path` exists, or is outside the part of the folder that the user named.
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

/// True if `path`, which is relative to the folder of a table, is in its log.
pub(crate) fn is_of_log(path: &str) -> bool {
    path.split_once('/').is_some_and(|(folder, _)| folder == DELTA_LOG)
}

/// Returns the folder of the Delta table whose log contains `path`, with its trailing slash; "" for the root. The path
/// is separated with `/`.
pub(crate) fn folder_of_log(path: &str) -> Option<&str> {
    let at = path.match_indices(DELTA_LOG).map(|(at, _)| at);
    let is_whole =
        |at: &usize| (*at == 0 || path[..*at].ends_with('/')) && path[at + DELTA_LOG.len()..].starts_with('/');
    at.into_iter().find(is_whole).map(|at| &path[..at])
}
