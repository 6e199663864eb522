//! The folders of input files: whoever provided the evidence may have placed other files there.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::path::{Component, Path, PathBuf};

use crate::storage::expand::local_root;
use crate::storage::files::DataFile;

/// The local file or folder of `pattern` (a path, glob or URL), both as given and with links resolved; empty for a
/// server.
pub(super) fn of_pattern(pattern: &OsStr) -> Vec<PathBuf> {
    let Some(root) = local_root(pattern) else { return Vec::new() };
    as_given_and_resolved(&root)
}

/// The folders of files, with links resolved.
pub(super) fn real_folders<'a>(files: impl Iterator<Item = &'a DataFile>) -> Vec<PathBuf> {
    // The copy of a pipe is a temporary file under another name.
    let paths: Vec<&Path> =
        files.filter_map(|file| file.local_path().filter(|path| path.as_os_str() == OsStr::new(&file.name))).collect();
    let folders: BTreeSet<&Path> = paths.iter().filter_map(|path| path.parent()).collect();
    let links = paths.into_iter().filter(|path| path.is_symlink());
    let or_working_folder =
        |path: &Path| if path.as_os_str().is_empty() { PathBuf::from(".") } else { path.to_owned() };
    folders.into_iter().chain(links).filter_map(|path| fs::canonicalize(or_working_folder(path)).ok()).collect()
}

/// The absolute path without `.` and `..`, and the path with links resolved.
fn as_given_and_resolved(path: &Path) -> Vec<PathBuf> {
    let given = std::path::absolute(path).ok().map(|path| without_dots(&path));
    let real = fs::canonicalize(path).ok();
    let all: BTreeSet<PathBuf> = given.into_iter().chain(real).collect();
    all.into_iter().collect()
}

fn without_dots(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for component in path.components() {
        match component {
            Component::ParentDir => _ = plain.pop(),
            Component::CurDir => {}
            other => plain.push(other),
        }
    }
    plain
}

/// True if one path contains the other, or both are the same.
pub(super) fn overlap(folder: &Path, path: &Path) -> bool {
    folder.starts_with(path) || path.starts_with(folder)
}
