//! Folders of Delta tables that a listing met. Which of their files count, the log says: `delta` reads it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use super::files::DataFile;

/// The folder that makes its parent a Delta table.
pub(crate) const DELTA_LOG: &str = "_delta_log";

/// A folder with the log of a Delta table in it.
#[derive(Clone, Debug)]
pub struct DeltaFolder {
    /// The folder, as a file that is not to be read.
    pub folder: DataFile,
    /// The files of the log.
    pub log: Vec<DataFile>,
    /// The listed files in the folder, but for those of a table further down: by name, with their path below the folder,
    /// with `/`.
    pub members: BTreeMap<String, String>,
    /// The files that are there, listed or not.
    pub present: PresentFiles,
}

/// Which files are there in a folder of which only a part was listed.
#[derive(Clone, Debug)]
pub enum PresentFiles {
    /// Those on the disk in `folder`; what is outside `root` was not asked for.
    Disk {
        /// The folder of the table.
        folder: PathBuf,
        /// The folder that was searched.
        root: PathBuf,
    },
    /// These paths below the folder, with `/`.
    Listed(BTreeSet<String>),
}

impl DeltaFolder {
    /// A listed file has another name now.
    pub(super) fn rename(&mut self, from: &str, to: &str) {
        if let Some(path) = self.members.remove(from) {
            self.members.insert(to.to_owned(), path);
        }
    }
}

impl PresentFiles {
    /// True if the file at a path below the folder is not missing: it is there, or it was not asked for.
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

/// True for the path of a file in a log, below the folder of its table.
pub(crate) fn is_of_log(path: &str) -> bool {
    path.split_once('/').is_some_and(|(folder, _)| folder == DELTA_LOG)
}

/// The folder of the Delta table whose log a path with `/` is part of, with its slash; "" for the root.
pub(crate) fn folder_of_log(path: &str) -> Option<&str> {
    let at = path.match_indices(DELTA_LOG).map(|(at, _)| at);
    let is_whole =
        |at: &usize| (*at == 0 || path[..*at].ends_with('/')) && path[at + DELTA_LOG.len()..].starts_with('/');
    at.into_iter().find(is_whole).map(|at| &path[..at])
}
