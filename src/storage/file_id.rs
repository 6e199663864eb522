//! Files that are named several times: by links, or by a folder and a file in it. Each is read once.

use std::collections::HashMap;
use std::fs::Metadata;
use std::path::Path;

use super::listing::{DiscoveryNote, Listing};

/// Files of which it is said one by one that they were named before.
const MAX_NAMED: usize = 10;

/// The files without those that stand in front of them already under this or another name, and what there is to say of that.
#[must_use]
pub fn unique_files(Listing { files, mut notes, delta_folders }: Listing) -> Listing {
    let mut first: HashMap<FileId, String> = HashMap::with_capacity(files.len());
    let (mut kept, mut notices, mut more) = (Vec::with_capacity(files.len()), Vec::new(), 0_usize);
    for file in files {
        let known = file.id().and_then(|id| first.get(id));
        match known {
            Some(_) if notices.len() >= MAX_NAMED => more += 1,
            Some(other) if *other == file.name => notices.push(format!("{other} is named twice: it is read once")),
            Some(other) => notices.push(format!("{} is the same file as {other}: it is read once", file.name)),
            None => {
                first.extend(file.id().map(|id| (id.clone(), file.name.clone())));
                kept.push(file);
            }
        }
    }
    if more > 0 {
        notices.push(format!("{more} more files are named twice: they are read once"));
    }
    notes.extend(notices.into_iter().map(DiscoveryNote::Note));
    Listing { files: kept, notes, delta_folders }
}

/// What all names of one file have in common. The number of a file alone is not trusted: some drivers make it up.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct FileId(Inner);

#[cfg(unix)]
type Inner = (u64, u64, u64, i64, i64);

/// The path that every link leads to.
#[cfg(not(unix))]
type Inner = std::path::PathBuf;

/// What all names of one folder have in common.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct FolderId(FolderInner);

#[cfg(unix)]
type FolderInner = (u64, u64);

/// The path that every link leads to.
#[cfg(not(unix))]
type FolderInner = std::path::PathBuf;

impl FolderId {
    /// That of the folder at a path; None if the system does not tell.
    #[cfg(unix)]
    pub(crate) fn of(path: &Path) -> Option<Self> {
        use std::os::unix::fs::MetadataExt;
        let metadata = std::fs::metadata(path).ok()?;
        Some(Self((metadata.dev(), metadata.ino())))
    }

    /// That of the folder at a path; None if the system does not tell.
    #[cfg(not(unix))]
    pub(crate) fn of(path: &Path) -> Option<Self> {
        path.canonicalize().ok().map(Self)
    }
}

impl FileId {
    /// That of the file at a path, of which the system says this.
    #[cfg(unix)]
    pub(crate) fn of(_: &Path, metadata: &Metadata) -> Option<Self> {
        use std::os::unix::fs::MetadataExt;
        let written = (metadata.mtime(), metadata.mtime_nsec());
        Some(Self((metadata.dev(), metadata.ino(), metadata.len(), written.0, written.1)))
    }

    /// That of the file at a path.
    #[cfg(not(unix))]
    pub(crate) fn of(path: &Path, _: &Metadata) -> Option<Self> {
        path.canonicalize().ok().map(Self)
    }
}
