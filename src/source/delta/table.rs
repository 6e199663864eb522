//! Files below the folder of a Delta table -> those that its log names; what lies beside them is none of its business.

use std::collections::BTreeMap;

use super::files as named_by;
use crate::diagnostic::{Error, Result};
use crate::source::files::{DELTA_LOG, DataFile};
use crate::source::remark::{Listing, Remark, number_of_files};

/// A folder with the log of a Delta table in it.
pub(crate) struct DeltaTable<'a> {
    /// The folder, as a file that is not to be read.
    pub folder: DataFile,
    /// The files of the log.
    pub log: Vec<DataFile>,
    /// The path of a file inside of the folder, with `/`; None for files elsewhere, or of a table further down.
    pub relative: &'a dyn Fn(&DataFile) -> Option<String>,
    /// True where a file at such a path is not missing: it is there, or nobody asked for it.
    pub exists: &'a dyn Fn(&str) -> bool,
}

impl DeltaTable<'_> {
    /// Keeps of the files that are the table's those that its log names. Where that cannot be told, one file that is not
    /// to be read takes their place.
    pub(crate) fn choose(&self, found: &mut Listing) -> Result<()> {
        let files = &mut found.files;
        let Some(first) = files.iter().position(|file| (self.relative)(file).is_some()) else { return Ok(()) };
        let mut own: BTreeMap<String, DataFile> = BTreeMap::new();
        let taken = files.extract_if(.., |file| (self.relative)(file).is_some_and(|path| is_own(file, &path)));
        own.extend(taken.filter_map(|file| Some(((self.relative)(&file)?, file))));
        if own.is_empty() {
            return Ok(());
        }
        let paths = match named_by(&self.log)? {
            Ok(paths) => paths,
            Err(reason) => {
                files.insert(first, self.folder.refuse(reason));
                return Ok(());
            }
        };
        let mut named = Vec::new();
        for path in paths {
            match own.remove(&path) {
                Some(file) => named.push(file),
                // What is there was left out by the user's pattern.
                None if (self.exists)(&path) => {}
                None => return Err(self.missing(&path)),
            }
        }
        let name = &self.folder.name;
        if named.is_empty() {
            let text = format!("{name}: the log of the Delta table names no file that was asked for");
            found.remarks.push(Remark::Empty(text));
        }
        // Usual: what was removed, or written by somebody who did not come to an end.
        let others = own.keys().filter(|path| !is_of_log(path)).count();
        if others > 0 {
            let text =
                format!("{name}: {} that the log of the Delta table does not name: not read", number_of_files(others));
            found.remarks.push(Remark::Note(text));
        }
        found.files.splice(first..first, named);
        Ok(())
    }

    fn missing(&self, path: &str) -> Error {
        let file = format!("{}/{path}", self.folder.name.trim_end_matches('/'));
        let reason = "the log of the Delta table names this file, and it is missing".to_owned();
        Error::Data { file, place: None, reason }
    }
}

/// True for a file that is the table's own: of the log, rows, or numbers of rows that were deleted. Others lie beside
/// them by chance.
fn is_own(file: &DataFile, path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    is_of_log(path) || name.starts_with("deletion_vector") || file.is_parquet()
}

/// True for the path of a file in the log.
fn is_of_log(path: &str) -> bool {
    path.split_once('/').is_some_and(|(folder, _)| folder == DELTA_LOG)
}

/// The folder of the Delta table whose log a path with `/` is part of, with its slash; "" for the root.
pub(crate) fn folder_of_log(path: &str) -> Option<&str> {
    let at = path.match_indices(DELTA_LOG).map(|(at, _)| at);
    let is_whole =
        |at: &usize| (*at == 0 || path[..*at].ends_with('/')) && path[at + DELTA_LOG.len()..].starts_with('/');
    at.into_iter().find(is_whole).map(|at| &path[..at])
}
