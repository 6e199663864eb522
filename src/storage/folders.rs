//! Lists the files below a folder, sorted by path.
//!
//! Exports have thousands of folders with one or two files each, so listing them takes a noticeable part of the time
//! of a query. Therefore folders of the same depth are listed in parallel.

use std::collections::{BTreeMap, HashSet};
use std::fs::{self, DirEntry, Metadata};
use std::io;
use std::path::{Path, PathBuf, is_separator};

use super::delta_folder::DELTA_LOG;
use super::file_id::FolderId;
use super::files::DataFile;
use super::hidden::{HIDDEN, is_hidden, is_ignored};
use super::parallel::parallel_map;
use crate::diagnostic::{Error, Result};

/// Selects files below a folder.
pub(crate) trait FileSelection: Sync {
    /// True if the file at this path is selected.
    fn wants(&self, file: &Path) -> bool;

    /// False if certainly no file below this folder is selected.
    fn may_hold(&self, folder: &Path) -> bool;
}

/// Selects every file.
pub(crate) struct AllFiles;

impl FileSelection for AllFiles {
    fn wants(&self, _: &Path) -> bool {
        true
    }

    fn may_hold(&self, _: &Path) -> bool {
        true
    }
}

/// Tells which symbolic links in a folder are followed. The folder itself may be a link.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LinkPolicy {
    /// Only links to files below the same folder. If links out of the folder were followed, the person who prepared
    /// the folder could add any file of this machine to the evidence.
    #[default]
    Inside,
    /// All links. A folder is searched only once, even if several links lead to it.
    Everywhere,
}

/// The reason why an entry of a folder is skipped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum SkipReason {
    /// The name of the entry begins with a dot.
    Hidden,
    /// The entry is a symbolic link whose target does not exist.
    DanglingLink,
    /// The entry is a symbolic link out of the folder that the user named.
    LinkElsewhere,
    /// The entry is neither a file nor a folder.
    Special,
    /// The entry is a folder that cannot be listed, or a file whose metadata cannot be read.
    Unreadable,
}

impl SkipReason {
    /// Returns the reason as text for messages.
    pub(crate) fn describe(self) -> &'static str {
        match self {
            Self::Hidden => HIDDEN,
            Self::DanglingLink => "broken symbolic links",
            Self::LinkElsewhere => "symbolic links out of the named folder",
            Self::Special => "pipes, sockets and devices",
            Self::Unreadable => "not readable (no permission, or a damaged file system)",
        }
    }

    /// Returns what the user can do to have the entry read; "" if nothing helps.
    pub(crate) fn advice(self) -> &'static str {
        match self {
            Self::Hidden => "name them to read them",
            Self::LinkElsewhere => "name their targets, or use --follow-links",
            Self::DanglingLink | Self::Special | Self::Unreadable => "",
        }
    }
}

/// The results of searching folders.
#[derive(Default)]
pub(crate) struct FolderSearch {
    /// The files that were selected.
    pub files: Vec<DataFile>,
    /// The log folders of Delta tables.
    pub delta_logs: Vec<PathBuf>,
    /// The skipped entries by reason. Entries that are ignored silently are not included.
    pub skipped: BTreeMap<SkipReason, Vec<PathBuf>>,
    /// The folders that are still to be listed.
    folders: Vec<PathBuf>,
    /// True if a link to a folder was followed, so that a folder may be reached twice.
    followed: bool,
}

/// The search below one folder.
struct FolderWalk<'a> {
    selection: &'a dyn FileSelection,
    links: LinkPolicy,
    /// The canonical path of the folder.
    real: PathBuf,
}

/// Returns the selected files below `root`, sorted by path, and the entries that were skipped: files and folders
/// whose names begin with a dot, symbolic links that `links` excludes, and entries that cannot be read.
///
/// # Errors
/// The folder itself cannot be listed.
pub(crate) fn search(root: &Path, selection: &dyn FileSelection, links: LinkPolicy) -> Result<FolderSearch> {
    let failed = |error| Error::io(root, error);
    let walk = FolderWalk { selection, links, real: fs::canonicalize(root).map_err(failed)? };
    fs::read_dir(root).map_err(failed)?;
    let mut all = FolderSearch::default();
    all.folders.push(root.to_owned());
    let mut entered = HashSet::new();
    while !all.folders.is_empty() {
        let mut level = std::mem::take(&mut all.folders);
        if all.followed || links == LinkPolicy::Everywhere {
            // Sorted, so that the result does not depend on which thread found a folder first.
            level.sort();
            level.retain(|folder| FolderId::of(folder).is_none_or(|folder| entered.insert(folder)));
        }
        parallel_map(&level, |folder| walk.list(folder)).into_iter().for_each(|found| all.append(found));
    }
    all.files.sort_by_cached_key(|file| file.location.path().map(sort_key));
    all.delta_logs.sort();
    all.skipped.values_mut().for_each(|paths| paths.sort());
    Ok(all)
}

/// Returns bytes that sort as the components of `path` do. Comparing paths directly would parse them each time.
fn sort_key(path: &Path) -> Vec<u8> {
    let bytes = path.as_os_str().as_encoded_bytes();
    bytes.iter().map(|&byte| if is_separator(char::from(byte)) { 0 } else { byte }).collect()
}

impl FolderSearch {
    fn append(&mut self, other: Self) {
        self.files.extend(other.files);
        self.delta_logs.extend(other.delta_logs);
        self.folders.extend(other.folders);
        self.followed |= other.followed;
        for (reason, paths) in other.skipped {
            self.skipped.entry(reason).or_default().extend(paths);
        }
    }

    fn pass(&mut self, reason: SkipReason, path: PathBuf) {
        self.skipped.entry(reason).or_default().push(path);
    }
}

impl FolderWalk<'_> {
    /// Lists one folder, without its subfolders.
    fn list(&self, folder: &Path) -> FolderSearch {
        let mut found = FolderSearch::default();
        match fs::read_dir(folder).and_then(Iterator::collect::<io::Result<Vec<_>>>) {
            Ok(entries) => entries.into_iter().for_each(|entry| self.add(&mut found, &entry, folder)),
            Err(_) => found.pass(SkipReason::Unreadable, folder.to_owned()),
        }
        found
    }

    /// Adds an entry of a folder to `found`, as a file, a folder, or a skipped entry.
    fn add(&self, found: &mut FolderSearch, entry: &DirEntry, folder: &Path) {
        let name = entry.file_name();
        let path = entry.path();
        if is_hidden(name.as_encoded_bytes()) {
            // Hidden files in the log of a Delta table belong to its writers, not to the table.
            let is_missed = !is_ignored(name.as_encoded_bytes()) && !folder.ends_with(DELTA_LOG);
            if is_missed && may_be_wanted(&path, self.selection) {
                found.pass(SkipReason::Hidden, path);
            }
            return;
        }
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => {
                if name == DELTA_LOG {
                    found.delta_logs.push(path.clone());
                }
                if self.selection.may_hold(&path) {
                    found.folders.push(path);
                }
            }
            Ok(kind) if kind.is_symlink() => self.follow(found, path),
            Ok(_) if !self.selection.wants(&path) => {}
            Ok(kind) if kind.is_file() => match entry.metadata() {
                Ok(metadata) => found.files.push(DataFile::at(&path, &metadata)),
                Err(_) => found.pass(SkipReason::Unreadable, path),
            },
            Ok(_) => found.pass(SkipReason::Special, path),
            Err(_) => found.pass(SkipReason::Unreadable, path),
        }
    }

    fn follow(&self, found: &mut FolderSearch, link: PathBuf) {
        let wants = |target: &Metadata| match target.is_dir() {
            true => self.selection.may_hold(&link),
            false => self.selection.wants(&link),
        };
        match fs::metadata(&link) {
            Ok(target) if !wants(&target) => {}
            Ok(target) => match self.target(&link) {
                LinkTarget::Searched if target.is_dir() => {}
                LinkTarget::Elsewhere => found.pass(SkipReason::LinkElsewhere, link),
                LinkTarget::Searched | LinkTarget::Followed if target.is_file() => {
                    found.files.push(DataFile::at(&link, &target));
                }
                LinkTarget::Searched | LinkTarget::Followed if target.is_dir() => {
                    found.folders.push(link);
                    found.followed = true;
                }
                LinkTarget::Searched | LinkTarget::Followed => found.pass(SkipReason::Special, link),
            },
            Err(_) if self.selection.wants(&link) => found.pass(SkipReason::DanglingLink, link),
            Err(_) => {}
        }
    }

    fn target(&self, link: &Path) -> LinkTarget {
        if self.links == LinkPolicy::Everywhere {
            return LinkTarget::Followed;
        }
        let real = fs::canonicalize(link).ok();
        match real.as_deref().and_then(|real| real.strip_prefix(&self.real).ok()) {
            // A hidden folder is not searched, so its contents are only reached through the link.
            Some(below) if below.iter().any(|name| is_hidden(name.as_encoded_bytes())) => LinkTarget::Followed,
            Some(_) => LinkTarget::Searched,
            None => LinkTarget::Elsewhere,
        }
    }
}

/// Tells where the target of a symbolic link is.
enum LinkTarget {
    /// Below the searched folder, so that the search reaches it without the link, too.
    Searched,
    /// In a place that the search reaches only through the link.
    Followed,
    /// Outside the folder that the user named.
    Elsewhere,
}

/// True if a hidden file, or a file below a hidden folder, may be selected, or if that cannot be determined.
fn may_be_wanted(path: &Path, selection: &dyn FileSelection) -> bool {
    let mut left = vec![path.to_owned()];
    while let Some(path) = left.pop() {
        // Links are not followed: they may form cycles.
        if !path.is_dir() {
            if selection.wants(&path) {
                return true;
            }
            continue;
        }
        if !selection.may_hold(&path) {
            continue;
        }
        let Ok(entries) = fs::read_dir(&path).and_then(Iterator::collect::<io::Result<Vec<_>>>) else { return true };
        let is_meant = |entry: &DirEntry| !is_ignored(entry.file_name().as_encoded_bytes()) && !is_link(entry);
        left.extend(entries.iter().filter(|entry| is_meant(entry)).map(DirEntry::path));
    }
    false
}

fn is_link(entry: &DirEntry) -> bool {
    entry.file_type().is_ok_and(|kind| kind.is_symlink())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::{Path, PathBuf};

    use rand::{RngExt as _, SeedableRng as _};
    use rand_chacha::ChaCha8Rng;

    use super::{AllFiles, LinkPolicy, search};
    use crate::diagnostic::Error;

    /// Creates a symbolic link, on systems that have them.
    fn link(target: &Path, path: &Path) {
        #[cfg(unix)]
        let _ = std::os::unix::fs::symlink(target, path);
        #[cfg(not(unix))]
        let _ = (target, path);
    }

    /// Lists files slowly, one folder after another: the reference implementation.
    fn one_by_one(root: &Path, links: LinkPolicy) -> Vec<PathBuf> {
        let real_root = root.canonicalize().expect("a path");
        let hidden = |name: &std::ffi::OsStr| name.as_encoded_bytes().starts_with(b".");
        let (mut entered, mut files, mut level) = (Vec::new(), Vec::new(), vec![root.to_owned()]);
        while !level.is_empty() {
            level.sort();
            let mut next = Vec::new();
            for folder in std::mem::take(&mut level) {
                let real = folder.canonicalize().expect("a path");
                if entered.contains(&real) {
                    continue;
                }
                entered.push(real);
                for entry in fs::read_dir(&folder).expect("a folder") {
                    let path = entry.expect("an entry").path();
                    let Ok(real) = path.canonicalize() else { continue };
                    let below = real.strip_prefix(&real_root).expect("inside");
                    let is_searched = !path.is_symlink() || links == LinkPolicy::Everywhere || below.iter().any(hidden);
                    match path.file_name().is_some_and(hidden) {
                        true => {}
                        false if path.is_file() => files.push(path),
                        false if is_searched => next.push(path),
                        false => {}
                    }
                }
            }
            level = next;
        }
        files.sort();
        files
    }

    #[test]
    fn folders_listed_in_parallel_give_the_same_files_as_in_sequence() {
        let names = ["a", "a.b", "a-b", "B", "b", ".c", "y=2026", "m=1", "m=10", "m=2", "ä", "_delta_log"];
        for seed in 0..20 {
            let mut random = ChaCha8Rng::seed_from_u64(seed);
            let root = tempfile::tempdir().expect("a folder");
            let mut folders = vec![root.path().to_owned()];
            for _ in 0..400 {
                let path =
                    folders[random.random_range(0..folders.len())].join(names[random.random_range(0..names.len())]);
                match random.random_range(0..20) {
                    0 => link(&folders[random.random_range(0..folders.len())], &path),
                    1 => link(Path::new("nowhere"), &path),
                    2..8 if !path.exists() => fs::write(&path, "{}").expect("a file"),
                    8.. if fs::create_dir(&path).is_ok() => folders.push(path),
                    _ => {}
                }
            }
            for links in [LinkPolicy::Inside, LinkPolicy::Everywhere] {
                let expected = one_by_one(root.path(), links);
                let found = search(root.path(), &AllFiles, links).expect("listed");
                let paths: Vec<&Path> = found.files.iter().filter_map(|file| file.location.path()).collect();
                assert_eq!(paths, expected, "seed {seed} {links:?}");
                assert!(found.delta_logs.is_sorted());
            }
        }
    }

    #[test]
    fn a_folder_that_is_not_there_is_an_error() {
        let gone = search(Path::new("nowhere"), &AllFiles, LinkPolicy::Inside);
        assert!(matches!(gone, Err(Error::Io { .. })));
    }
}
