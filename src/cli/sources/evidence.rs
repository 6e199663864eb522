//! Where the files that are read lie: whoever handed them over may have put other files there.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::path::{Component, Path, PathBuf};

use crate::source::files::{DataFile, local_root};

/// The file or folder that `pattern` (a path, glob or URL) names on this machine, as it is written and where links lead;
/// none for a server.
pub(super) fn places(pattern: &OsStr) -> Vec<PathBuf> {
    let Some(root) = local_root(pattern) else { return Vec::new() };
    both(&root)
}

/// The folders in which files really lie, whatever links led there.
pub(super) fn real_folders<'a>(files: impl Iterator<Item = &'a DataFile>) -> Vec<PathBuf> {
    // The copy of a pipe lies where temporary files do, under another name.
    let paths: Vec<&Path> =
        files.filter_map(|file| file.local_path().filter(|path| path.as_os_str() == OsStr::new(&file.name))).collect();
    let folders: BTreeSet<&Path> = paths.iter().filter_map(|path| path.parent()).collect();
    let links = paths.into_iter().filter(|path| path.is_symlink());
    let here = |path: &Path| if path.as_os_str().is_empty() { PathBuf::from(".") } else { path.to_owned() };
    folders.into_iter().chain(links).filter_map(|path| fs::canonicalize(here(path)).ok()).collect()
}

/// A path without `.`, `..` and the working folder, and the same without links.
fn both(path: &Path) -> Vec<PathBuf> {
    let written = std::path::absolute(path).ok().map(|path| without_dots(&path));
    let real = fs::canonicalize(path).ok();
    let all: BTreeSet<PathBuf> = written.into_iter().chain(real).collect();
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

/// True if one lies in the other, or both are the same.
pub(super) fn overlap(folder: &Path, place: &Path) -> bool {
    folder.starts_with(place) || place.starts_with(folder)
}
