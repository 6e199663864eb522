//! Recognises files that are named several times, such as through links, or as a file and by its folder. Each is read
//! once.

use std::collections::HashMap;
use std::fs::Metadata;
use std::path::Path;

use super::listing::{DiscoveryNote, Listing};

/// Maximum number of duplicate files that get a note of their own.
const MAX_NAMED: usize = 10;

/// Removes files that occur before under the same or another name. Each removal gets a note.
#[must_use]
pub fn unique_files(Listing { files, mut notes, delta_folders, archives }: Listing) -> Listing {
    let mut first: HashMap<FileId, String> = HashMap::with_capacity(files.len());
    let (mut kept, mut twice, mut more) = (Vec::with_capacity(files.len()), Vec::new(), 0_usize);
    for file in files {
        let known = file.id().and_then(|id| first.get(id));
        match known {
            Some(_) if twice.len() >= MAX_NAMED => more += 1,
            Some(other) if *other == file.name => twice.push(DiscoveryNote::NamedTwice(file.name)),
            Some(other) => twice.push(DiscoveryNote::SameFile { file: file.name, other: other.clone() }),
            None => {
                first.extend(file.id().map(|id| (id.clone(), file.name.clone())));
                kept.push(file);
            }
        }
    }
    if more > 0 {
        twice.push(DiscoveryNote::MoreNamedTwice(more));
    }
    notes.extend(twice);
    Listing { files: kept, notes, delta_folders, archives }
}

/// Identifies a file under all of its names, by device, inode, length and time of modification. The inode alone is
/// not trusted, because some drivers invent inodes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct FileId(FileKey);

#[cfg(unix)]
type FileKey = (u64, u64, u64, i64, i64);

/// Identifies a file by its canonical path.
#[cfg(not(unix))]
type FileKey = std::path::PathBuf;

/// Identifies a folder under all of its names.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct FolderId(FolderKey);

#[cfg(unix)]
type FolderKey = (u64, u64);

/// Identifies a folder by its canonical path.
#[cfg(not(unix))]
type FolderKey = std::path::PathBuf;

impl FolderId {
    /// Returns the id of the folder at `path`; None if its metadata cannot be read.
    #[cfg(unix)]
    pub(crate) fn of(path: &Path) -> Option<Self> {
        use std::os::unix::fs::MetadataExt;
        let metadata = std::fs::metadata(path).ok()?;
        Some(Self((metadata.dev(), metadata.ino())))
    }

    /// Returns the id of the folder at `path`; None if its metadata cannot be read.
    #[cfg(not(unix))]
    pub(crate) fn of(path: &Path) -> Option<Self> {
        path.canonicalize().ok().map(Self)
    }
}

impl FileId {
    /// Returns the id of the file at `path`, which has this metadata.
    #[cfg(unix)]
    pub(crate) fn of(_: &Path, metadata: &Metadata) -> Option<Self> {
        use std::os::unix::fs::MetadataExt;
        let written = (metadata.mtime(), metadata.mtime_nsec());
        Some(Self((metadata.dev(), metadata.ino(), metadata.len(), written.0, written.1)))
    }

    /// Returns the id of the file at `path`; None if the path cannot be resolved.
    #[cfg(not(unix))]
    pub(crate) fn of(path: &Path, _: &Metadata) -> Option<Self> {
        path.canonicalize().ok().map(Self)
    }
}
