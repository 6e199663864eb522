//! The steps by which new files are added to an archive. After each step, either all of the files belong to the
//! archive or none of them does.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde_json::Value as Json;

use crate::diagnostic::{Error, Result};
use crate::storage::archive_list::{ArchiveFile, ArchiveList};
use crate::storage::journal::{Journal, JournalState};
use crate::temporary;

/// The operations on the disk that publishing needs. Tests replace them by operations that fail.
pub trait Disk {
    /// Writes a new file, and waits until it is on the disk.
    fn write(&self, path: &Path, text: &str) -> io::Result<()> {
        let mut file = File::create(path)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()
    }

    /// Renames a file or folder; an existing file is replaced.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    /// Creates a folder and those of its parents that do not exist.
    fn create_folder(&self, path: &Path) -> io::Result<()> {
        fs::create_dir_all(path)
    }

    /// Removes a file.
    fn remove_file(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    /// Removes an empty folder.
    fn remove_folder(&self, path: &Path) -> io::Result<()> {
        fs::remove_dir(path)
    }

    /// Waits until the names in a folder are on the disk.
    fn sync_folder(&self, path: &Path) -> io::Result<()> {
        temporary::sync_folder(path)
    }
}

/// The file system of this machine.
#[derive(Debug)]
pub struct RealDisk;

impl Disk for RealDisk {}

/// An archive to which files are being added.
pub(super) struct Appending<'a> {
    pub archive: &'a Path,
    pub disk: &'a dyn Disk,
}

impl Appending<'_> {
    /// Moves `files` from `staged` to the same paths in the archive. If this fails, the files that were moved are removed
    /// again. If that fails, too, the journal makes queries ignore them.
    pub fn add(&self, staged: &Path, files: &[ArchiveFile], request: &Json) -> Result<()> {
        let paths: Vec<PathBuf> = files.iter().map(|file| file.path.clone()).collect();
        let journal = |state| Journal { state, files: paths.clone(), request: request.clone() };
        self.write(&journal(JournalState::Adding))?;
        let moved = self.move_all(staged, &paths).and_then(|()| self.add_to_list(files));
        let added = moved.and_then(|()| self.write(&journal(JournalState::Added)));
        if added.is_err() {
            // The first error is reported.
            let _ = self.undo(&paths);
        }
        added
    }

    /// Adds files to the list of the archive. An archive without a list gets none, because it is not known which
    /// files it had before.
    fn add_to_list(&self, files: &[ArchiveFile]) -> Result<()> {
        let Some(mut list) = ArchiveList::read(self.archive)? else { return Ok(()) };
        list.files.extend_from_slice(files);
        self.write_list(&list)
    }

    /// Removes files from the list of the archive.
    fn remove_from_list(&self, files: &[PathBuf]) -> Result<()> {
        let Some(mut list) = ArchiveList::read(self.archive)? else { return Ok(()) };
        let before = list.files.len();
        let removed: BTreeSet<&PathBuf> = files.iter().collect();
        list.files.retain(|file| !removed.contains(&file.path));
        if list.files.len() == before { Ok(()) } else { self.write_list(&list) }
    }

    /// Writes the list of the archive atomically: readers see the old one or the new one.
    pub fn write_list(&self, list: &ArchiveList) -> Result<()> {
        self.replace(&ArchiveList::path(self.archive), &list.to_text())
    }

    fn move_all(&self, staged: &Path, files: &[PathBuf]) -> Result<()> {
        let mut folders = BTreeSet::new();
        for file in files {
            let target = self.archive.join(file);
            let parent = target.parent().unwrap_or(self.archive);
            self.disk.create_folder(parent).map_err(|error| Error::io(parent, error))?;
            self.disk.rename(&staged.join(file), &target).map_err(|error| Error::io(&target, error))?;
            folders.extend(self.folders_of(file));
        }
        // The names inside a folder are synced before the folder's own name.
        folders.iter().rev().try_for_each(|folder| self.sync(folder))
    }

    /// Returns the folders that contain a file of the archive, up to the archive itself.
    fn folders_of(&self, file: &Path) -> impl Iterator<Item = PathBuf> {
        file.ancestors().skip(1).map(|folder| self.archive.join(folder)).collect::<Vec<_>>().into_iter()
    }

    /// Removes files that do not belong to the archive, the folders that were created for them, and the journal that
    /// lists them.
    pub fn undo(&self, files: &[PathBuf]) -> Result<()> {
        for file in files {
            let path = self.archive.join(file);
            self.remove_file(&path)?;
        }
        self.remove_from_list(files)?;
        let mut folders: BTreeSet<PathBuf> = files.iter().flat_map(|file| self.folders_of(file)).collect();
        folders.remove(self.archive.join("").as_path());
        folders.remove(self.archive);
        for folder in folders.iter().rev() {
            // Folders that contain other files stay.
            let _ = self.disk.remove_folder(folder);
        }
        self.acknowledge()
    }

    /// Removes the journal, after the outcome was reported.
    pub fn acknowledge(&self) -> Result<()> {
        self.remove_file(&Journal::path(self.archive))?;
        self.sync(self.archive)
    }

    fn remove_file(&self, path: &Path) -> Result<()> {
        match self.disk.remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Error::io(path, error)),
            _ => Ok(()),
        }
    }

    /// Writes the journal atomically: readers see the old one or the new one.
    pub fn write(&self, journal: &Journal) -> Result<()> {
        self.replace(&Journal::path(self.archive), &journal.to_text())
    }

    fn replace(&self, path: &Path, text: &str) -> Result<()> {
        let new = path.with_extension("new");
        let written = self.disk.write(&new, text).and_then(|()| self.disk.rename(&new, path));
        if let Err(error) = written {
            let _ = self.disk.remove_file(&new);
            return Err(Error::io(path, error));
        }
        self.sync(self.archive)
    }

    fn sync(&self, folder: &Path) -> Result<()> {
        self.disk.sync_folder(folder).map_err(|error| Error::io(folder, error))
    }
}
