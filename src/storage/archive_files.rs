//! Compares the files of a listing with the lists that `convert` keeps in the folders of archives: determines which
//! files belong to an archive, which are missing, and which were replaced.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::archive_list::{ArchiveFile, ArchiveList};
use super::files::{DataFile, display};
use super::folders::FileSelection;
use super::journal::{Journal, JournalState};
use super::listing::{DiscoveryNote, Listing};
use crate::diagnostic::Result;

/// An archive that has a list of its files.
#[derive(Clone, Debug)]
pub struct ListedArchive {
    /// The folder of the archive, as an absolute path.
    pub folder: PathBuf,
    /// The files in the list that are among those that the user named.
    pub files: Vec<ExpectedFile>,
}

/// A file in the list of an archive.
#[derive(Clone, Debug)]
pub struct ExpectedFile {
    /// The absolute path of the file.
    pub path: PathBuf,
    /// The path of the file as the user named it; used in messages.
    pub name: String,
    /// The length in bytes that the file had when it was written.
    pub bytes: u64,
    /// The SHA-256 that the file had when it was written, in hexadecimal.
    pub sha256: String,
}

/// The files that the user named: those at or below `root` that `selection` selects.
#[derive(Clone, Copy)]
struct NamedFiles<'a> {
    root: &'a Path,
    /// The absolute path of `root`.
    absolute: &'a Path,
    selection: &'a dyn FileSelection,
}

impl NamedFiles<'_> {
    /// Returns the path of a file as the user named it; None if it is not among the named files.
    fn named(&self, path: &Path) -> Option<PathBuf> {
        let below = path.strip_prefix(self.absolute).ok()?;
        let path = if below.as_os_str().is_empty() { self.root.to_owned() } else { self.root.join(below) };
        self.selection.wants(&path).then_some(path)
    }
}

/// Removes the files of an unfinished append from `listing`, and adds notes about files that are missing from an
/// archive. The listing has the files at or below `root` that `selection` selects.
///
/// # Errors
/// A journal cannot be read, so it is not known which files belong to the archive.
pub(super) fn check(listing: &mut Listing, root: &Path, selection: &dyn FileSelection) -> Result<()> {
    let Ok(absolute) = std::path::absolute(root) else { return Ok(()) };
    let named = NamedFiles { root, absolute: &absolute, selection };
    let mut uncounted = BTreeSet::new();
    for folder in folders_around(listing, &absolute) {
        if let Some(Journal { state: JournalState::Adding, files, .. }) = Journal::read(&folder)? {
            uncounted.extend(files.iter().map(|file| folder.join(file)));
        }
        match ArchiveList::read(&folder) {
            Ok(None) => {}
            Ok(Some(list)) => listing.archives.push(expected(folder, list, named)),
            Err(error) => {
                let error = error.to_string();
                listing.notes.push(DiscoveryNote::UnreadableList { archive: folder, error });
            }
        }
    }
    leave_out(listing, &uncounted);
    let notes = differences(listing);
    listing.notes.extend(notes);
    Ok(())
}

/// Returns the folders that may be archives: those that contain `root` or a Parquet file.
fn folders_around(listing: &Listing, root: &Path) -> BTreeSet<PathBuf> {
    let mut folders: BTreeSet<PathBuf> = root.ancestors().map(Path::to_owned).collect();
    for file in listing.files.iter().filter_map(archived) {
        // If a folder is known, so are the folders around it.
        let unknown: Vec<&Path> = file.ancestors().skip(1).take_while(|folder| !folders.contains(*folder)).collect();
        folders.extend(unknown.into_iter().map(Path::to_owned));
    }
    folders
}

/// Returns the archive in `folder`, with those of its listed files that the user named.
fn expected(folder: PathBuf, list: ArchiveList, named: NamedFiles<'_>) -> ListedArchive {
    let file = |ArchiveFile { path, bytes, sha256 }: ArchiveFile| {
        let path = folder.join(path);
        let name = named.named(&path)?;
        let name = display(name.strip_prefix(".").unwrap_or(&name));
        Some(ExpectedFile { path, name, bytes, sha256 })
    };
    let files = list.files.into_iter().filter_map(file).collect();
    ListedArchive { folder, files }
}

/// Removes the files of unfinished appends from `listing`, and adds a note about them.
fn leave_out(listing: &mut Listing, uncounted: &BTreeSet<PathBuf>) {
    if uncounted.is_empty() {
        return;
    }
    listing.archives.iter_mut().for_each(|archive| archive.files.retain(|file| !uncounted.contains(&file.path)));
    let counts = |file: &DataFile| archived(file).is_none_or(|path| !uncounted.contains(&path));
    let (kept, left_out): (Vec<_>, Vec<_>) = std::mem::take(&mut listing.files).into_iter().partition(counts);
    listing.files = kept;
    listing.notes.extend(DiscoveryNote::unread(
        "files of an unfinished `convert --append`",
        left_out.into_iter().map(|file| file.name).collect(),
        "they are ignored until it finishes: if it was interrupted, run it again",
    ));
}

/// Returns notes about listed files that are missing, or whose length has changed since they were written.
fn differences(listing: &Listing) -> Vec<DiscoveryNote> {
    let expected = || listing.archives.iter().flat_map(|archive| &archive.files);
    if expected().next().is_none() {
        return Vec::new();
    }
    let found: BTreeMap<PathBuf, u64> =
        listing.files.iter().filter_map(|file| Some((archived(file)?, file.bytes))).collect();
    let names = |differs: &dyn Fn(&ExpectedFile) -> bool| -> Vec<String> {
        expected().filter(|file| differs(file)).map(|file| file.name.clone()).collect()
    };
    let missing = names(&|file| !found.contains_key(&file.path) && is_missing(&file.path));
    let resized = names(&|file| found.get(&file.path).is_some_and(|bytes| *bytes != file.bytes));
    let missing = DiscoveryNote::unread(
        "missing, although the list of their archive names them",
        missing,
        "rows of the archive are missing: copy it again",
    );
    let resized = (!resized.is_empty()).then_some(DiscoveryNote::ResizedFiles(resized));
    let unlisted = listing.archives.iter().filter_map(|archive| {
        let named: BTreeSet<&PathBuf> = archive.files.iter().map(|file| &file.path).collect();
        let is_unlisted = |path: &&PathBuf| path.starts_with(&archive.folder) && !named.contains(*path);
        let files = found.keys().filter(is_unlisted).count();
        (files > 0).then(|| DiscoveryNote::NotInArchiveList { archive: display(&archive.folder), files })
    });
    missing.into_iter().chain(resized).chain(unlisted).collect()
}

fn is_missing(path: &Path) -> bool {
    let is_absent = |error: io::Error| matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory);
    fs::symlink_metadata(path).is_err_and(is_absent)
}

/// Returns the absolute path of a file that may be part of an archive; None for other files.
pub(crate) fn archived(file: &DataFile) -> Option<PathBuf> {
    let is_parquet = |path: &&Path| path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("parquet"));
    std::path::absolute(file.local_path().filter(is_parquet)?).ok()
}
