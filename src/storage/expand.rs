//! Expands the paths, globs and URLs that the user named into the files to read.
//!
//! Folders are searched recursively. Files keep the order in which the user named them; the files of a folder or glob
//! are sorted by path. This order determines the order of the rows.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{MAIN_SEPARATOR, Path, PathBuf};
use std::sync::Arc;

use super::archive_files;
use super::delta_folder::{DELTA_LOG, DeltaFolder, PresentFiles};
use super::files::{DataFile, display};
use super::folders::{self, AllFiles, FileSelection, LinkPolicy};
use super::glob::GlobPattern;
use super::listing::{DiscoveryNote, Listing};
use super::location::Location;
use super::remote::address::Address;
use super::remote::{self, Access};
use crate::diagnostic::{Error, Result};

/// Lists the files that `pattern` names: the path or URL of a file or folder, or a glob.
///
/// # Errors
/// A path does not exist or cannot be read, a glob is invalid or matches nothing, a folder has no files, or a server
/// refuses the request or does not respond.
pub fn expand(pattern: &OsStr, access: &Access) -> Result<Listing> {
    match pattern.to_str().and_then(Address::parse).transpose()? {
        None => expand_local(pattern, access.links()),
        Some(Address::Local(path)) => expand_local(OsStr::new(&path), access.links()),
        Some(Address::Remote(url)) => remote::expand(&url, access),
    }
}

/// Returns the local file or folder that `pattern` names; for a glob, the folder before its first wildcard. Returns
/// None for a location on a server.
pub(crate) fn local_root(pattern: &OsStr) -> Option<PathBuf> {
    let path = match pattern.to_str().and_then(Address::parse) {
        None => PathBuf::from(pattern),
        Some(Ok(Address::Local(path))) => PathBuf::from(path),
        Some(Ok(Address::Remote(_)) | Err(_)) => return None,
    };
    if path.exists() {
        return Some(path);
    }
    match path.to_str().map(|text| GlobPattern::parse(text, Path::is_dir)) {
        Some(Ok(Some(glob))) if glob.root().as_os_str().is_empty() => Some(PathBuf::from(".")),
        Some(Ok(Some(glob))) => Some(glob.root().to_owned()),
        _ => Some(path),
    }
}

fn expand_local(pattern: &OsStr, links: LinkPolicy) -> Result<Listing> {
    let path = Path::new(pattern);
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => {
            let found = walk(path, &AllFiles, links)?;
            found.unless_nothing(|reason| nothing_in(path, reason), "the folder contains no files")
        }
        Ok(metadata) if metadata.is_file() => {
            let mut found = Listing::from(vec![DataFile::new(path)?]);
            archive_files::check(&mut found, path, &AllFiles)?;
            found.unless_nothing(|reason| nothing_in(path, reason), "the file is not part of its archive yet")
        }
        // Files are opened several times, but a pipe can be read only once.
        Ok(_) => {
            let mut stream = fs::File::open(path).map_err(|error| Error::io(path, error))?;
            Ok(vec![DataFile::stream(&mut stream, &display(path))?].into())
        }
        Err(error) => {
            let text = pattern.to_str().unwrap_or("");
            match GlobPattern::parse(text, Path::is_dir)? {
                Some(pattern) => expand_glob(text, &pattern, links),
                None => Err(Error::io(path, error)),
            }
        }
    }
}

fn expand_glob(text: &str, pattern: &GlobPattern, links: LinkPolicy) -> Result<Listing> {
    let found = match pattern.root().as_os_str().is_empty() {
        true => walk_here(pattern, links)?,
        false => walk(pattern.root(), pattern, links)?,
    };
    found.unless_nothing(|reason| nothing_in(Path::new(text), reason), "no file matches the pattern")
}

fn nothing_in(path: &Path, reason: &str) -> Error {
    Error::Data { file: display(path), place: None, reason: reason.to_owned() }
}

/// Like [`walk`] for the current folder, but the paths do not begin with `./`.
fn walk_here(pattern: &GlobPattern, links: LinkPolicy) -> Result<Listing> {
    let mut found = walk(Path::new("."), &Here(pattern), links)?;
    for file in &mut found.files {
        let path = without_dot(file.location.path().unwrap_or(Path::new(""))).to_owned();
        let name = display(&path);
        for folder in &mut found.delta_folders {
            folder.rename(&file.name, &name);
        }
        (file.name, file.location) = (name, Location::Disk(path));
    }
    Ok(found)
}

/// A pattern of paths that are relative to the current folder.
struct Here<'a>(&'a GlobPattern);

impl FileSelection for Here<'_> {
    fn wants(&self, file: &Path) -> bool {
        self.0.wants(without_dot(file))
    }

    fn may_hold(&self, folder: &Path) -> bool {
        self.0.may_hold(without_dot(folder))
    }
}

/// Removes a leading `./`.
fn without_dot(path: &Path) -> &Path {
    path.strip_prefix(".").unwrap_or(path)
}

/// Lists the selected files below `root`, sorted by path, and the Delta tables to which they belong.
fn walk(root: &Path, selection: &dyn FileSelection, links: LinkPolicy) -> Result<Listing> {
    let folders::FolderSearch { files, delta_logs, skipped, .. } = folders::search(root, selection, links)?;
    let found_in: Arc<Path> = root.into();
    let files: Vec<DataFile> = files.into_iter().map(|file| file.in_folder(&found_in)).collect();
    let notes = skipped.into_iter().map(|(reason, paths)| {
        let names = paths.iter().map(|path| display(without_dot(path))).collect();
        DiscoveryNote::Unread { reason: reason.describe(), names, advice: reason.advice() }
    });
    let delta_folders = delta_folders(root, &files, &delta_logs)?;
    let mut found = Listing { notes: notes.collect(), files, delta_folders, archives: Vec::new() };
    archive_files::check(&mut found, root, selection)?;
    Ok(found)
}

/// Returns the Delta tables at, below or above `root`. A file belongs to the innermost table around it.
fn delta_folders(root: &Path, files: &[DataFile], logs: &[PathBuf]) -> Result<Vec<DeltaFolder>> {
    let tables: BTreeSet<&Path> = logs.iter().filter_map(|log| log.parent()).collect();
    let innermost = |path: &Path| path.ancestors().skip(1).find(|above| tables.contains(above)).map(Path::to_owned);
    let mut found = Vec::new();
    for &folder in &tables {
        let inside = |path: &Path| {
            let is_own = innermost(path).as_deref() == Some(folder);
            path.strip_prefix(folder).ok().filter(|_| is_own).map(Path::to_owned)
        };
        found.push(delta_folder(folder, root, files, &inside)?);
    }
    if let Some((folder, real)) = table_around(root) {
        let inside = |path: &Path| {
            let path = real.join(path.strip_prefix(root).ok().filter(|_| innermost(path).is_none())?);
            path.strip_prefix(&folder).ok().map(Path::to_owned)
        };
        found.push(delta_folder(&folder, &real, files, &inside)?);
    }
    Ok(found)
}

/// Describes the Delta table in `folder`, of which the part below `root` was listed. `inside` returns the path of a
/// file relative to `folder`; None if the file does not belong to this table.
fn delta_folder(
    folder: &Path,
    root: &Path,
    files: &[DataFile],
    inside: &dyn Fn(&Path) -> Option<PathBuf>,
) -> Result<DeltaFolder> {
    let member = |file: &DataFile| {
        let path = inside(file.location.path()?)?;
        Some((file.name.clone(), path.to_str()?.replace(MAIN_SEPARATOR, "/")))
    };
    let mut whole = DataFile::new(folder)?;
    whole.bytes = 0;
    Ok(DeltaFolder {
        folder: whole,
        log: files_in(&folder.join(DELTA_LOG))?,
        members: files.iter().filter_map(member).collect(),
        present: PresentFiles::Disk { folder: folder.to_owned(), root: root.to_owned() },
    })
}

/// Returns the Delta table that contains the folder `root`, and the canonical path of `root`. Returns None if there
/// is none.
fn table_around(root: &Path) -> Option<(PathBuf, PathBuf)> {
    let real = fs::canonicalize(root).ok()?;
    // A user who names the log itself wants to read it.
    if real.iter().any(|name| name == DELTA_LOG) {
        return None;
    }
    let folder = real.ancestors().skip(1).find(|folder| folder.join(DELTA_LOG).is_dir())?.to_owned();
    Some((folder, real))
}

/// Returns the files in a folder, but not those in subfolders.
fn files_in(folder: &Path) -> Result<Vec<DataFile>> {
    let failed = |source: io::Error| Error::io(folder, source);
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.is_file() {
            files.push(DataFile::new(&path)?);
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;
    use std::fs;

    use super::{Access, DataFile, LinkPolicy, expand, expand_local};
    use crate::diagnostic::Error;

    fn names(pattern: impl AsRef<OsStr>, root: &std::path::Path) -> Vec<String> {
        let files = expand(pattern.as_ref(), &Access::default()).expect("files").files;
        let relative = |file: &DataFile| {
            file.location.path().expect("a path").strip_prefix(root).expect("below the root").display().to_string()
        };
        files.iter().map(relative).collect()
    }

    #[test]
    fn folders_and_globs_are_searched_in_order() {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path();
        for path in ["b/m=03/m=00/x.json", "a/y.json", "a/.hidden", "b/z.gz"] {
            let path = root.join(path);
            fs::create_dir_all(path.parent().expect("a parent")).expect("folders");
            fs::write(path, "{}").expect("a file");
        }
        #[cfg(unix)]
        std::os::unix::fs::symlink(root, root.join("a/loop")).expect("a link");
        #[cfg(unix)]
        std::os::unix::fs::symlink("nowhere", root.join("a/broken")).expect("a link");
        assert_eq!(names(root, root), ["a/y.json", "b/m=03/m=00/x.json", "b/z.gz"]);
        assert_eq!(names(root.join("**/*.json"), root), ["a/y.json", "b/m=03/m=00/x.json"]);
        assert_eq!(names(root.join("b/m=*"), root), ["b/m=03/m=00/x.json"]);
        assert_eq!(names(root.join("{a,b}/*.{json,gz}"), root), ["a/y.json", "b/z.gz"]);
        assert!(matches!(expand_local(root.join("c").as_os_str(), LinkPolicy::Inside), Err(Error::Io { .. })));
        assert!(matches!(expand_local(root.join("*.csv").as_os_str(), LinkPolicy::Inside), Err(Error::Data { .. })));
        fs::create_dir(root.join("empty")).expect("a folder");
        assert!(matches!(expand_local(root.join("empty").as_os_str(), LinkPolicy::Inside), Err(Error::Data { .. })));
    }
}
