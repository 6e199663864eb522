//! Writes an archive to a staging folder beside its destination, and moves it there when it is complete.
//!
//! A staging folder that a killed run left behind is recognised by its name, and because no process holds its lock
//! any more. The next run with the same destination removes it.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use serde_json::Value as Json;

use super::publish::{Appending, Disk, RealDisk};
use crate::diagnostic::{Error, Result};
use crate::storage::archive_list::{ArchiveFile, ArchiveList};
use crate::storage::journal::{Journal, JournalState};
use crate::temporary::{self, Registered, TemporaryKind};

/// The suffix of the names of staging folders. The names begin with a dot, so that scans skip the folders.
const UNFINISHED: &str = ".coldcase-unfinished";
/// The name of the lock file in a staging folder.
const LOCK: &str = "lock";

/// The destination of an archive, and its staging folder.
#[derive(Debug)]
pub struct Staging {
    destination: PathBuf,
    folder: PathBuf,
    temporary: Option<PathBuf>,
    /// The parent folders that were created for the destination and the staging folder.
    parents: Vec<PathBuf>,
    /// Paths that are removed if a signal ends the run.
    registered: Vec<Registered>,
    /// The lock that this process holds while it works on the archive.
    lock: Option<File>,
    /// The journal of an earlier append that added its rows but did not report its success.
    unreported: Option<Journal>,
    /// True if an earlier run with this destination was killed and left files behind.
    pub had_remains: bool,
}

impl Staging {
    /// Creates the staging folder for `destination`. Temporary files are written to `temporary`, or beside the
    /// archive if it is None.
    ///
    /// # Errors
    /// Another process is converting to the same destination, or a folder cannot be created.
    pub fn new(destination: &Path, temporary: Option<&Path>) -> Result<Self> {
        let name = destination.file_name().ok_or_else(|| {
            Error::Usage(format!("{}: not a valid name for an archive; name a new folder", destination.display()))
        })?;
        let hidden =
            [OsString::from("."), name.to_owned(), OsString::from(UNFINISHED)].into_iter().collect::<OsString>();
        let parent = destination.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let folder = parent.join(&hidden);
        let (parents, mut registered) = make_parents(parent)?;
        let had_remains = folder.exists();
        let mut hold = temporary::hold();
        fs::create_dir_all(&folder).map_err(|error| Error::io(&folder, error))?;
        let lock = lock(&folder, destination)?;
        registered.push(hold.register(&folder, TemporaryKind::Tree));
        drop(hold);
        let mut staging = Self {
            destination: destination.to_owned(),
            folder,
            temporary: temporary.map(Path::to_owned),
            parents,
            registered,
            lock: Some(lock),
            unreported: None,
            had_remains,
        };
        sweep(parent, &staging.folder);
        remove(&staging.archive())?;
        fs::create_dir_all(staging.archive()).map_err(|error| Error::io(staging.archive(), error))?;
        staging.recover()?;
        Ok(staging)
    }

    /// Removes the files that a killed append moved to the archive, unless they already belong to the archive.
    fn recover(&mut self) -> Result<()> {
        match Journal::read(&self.destination)? {
            Some(Journal { state: JournalState::Adding, files, .. }) => {
                self.had_remains = true;
                self.appending(&RealDisk).undo(&files)?;
            }
            unreported => self.unreported = unreported,
        }
        self.check_complete()
    }

    /// Returns an error if files of the archive are missing, because their rows would be added a second time.
    fn check_complete(&self) -> Result<()> {
        let files = ArchiveList::read(&self.destination)?.map_or(Vec::new(), |list| list.files);
        let missing = files.iter().map(|file| self.destination.join(&file.path)).find(|path| !path.exists());
        missing.map_or(Ok(()), |path| {
            let reason = "the archive lacks this file, which its list names: copy the archive again before you add to \
                          it, or convert to a new one";
            Err(Error::Data { file: path.display().to_string(), place: None, reason: reason.to_owned() })
        })
    }

    fn appending<'a>(&'a self, disk: &'a dyn Disk) -> Appending<'a> {
        Appending { archive: &self.destination, disk }
    }

    /// Returns the destination of the archive.
    #[must_use]
    pub fn destination(&self) -> &Path {
        &self.destination
    }

    /// Returns the folder to which the archive is written.
    #[must_use]
    pub fn archive(&self) -> PathBuf {
        self.folder.join("archive")
    }

    /// Returns the folder for temporary files.
    #[must_use]
    pub fn temporary(&self) -> &Path {
        self.temporary.as_deref().unwrap_or(&self.folder)
    }

    /// True if a run with the same request added its rows to the archive, but was killed before it reported its
    /// success.
    #[must_use]
    pub fn was_added(&self, request: &Json) -> bool {
        self.unreported.as_ref().is_some_and(|journal| journal.request == *request)
    }

    /// Renames a new archive, which has `files`, to its destination, atomically. `request` describes the conversion for
    /// the journal.
    pub fn publish(&self, files: Vec<ArchiveFile>, request: &Json) -> Result<()> {
        let journal = Journal { state: JournalState::Added, files: Vec::new(), request: request.clone() };
        let archive = self.archive();
        let new = Appending { archive: &archive, disk: &RealDisk };
        new.write_list(&ArchiveList { files })?;
        new.write(&journal)?;
        sync_folders(&self.archive())?;
        let _hold = temporary::hold();
        match fs::remove_dir(&self.destination) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(Error::io(&self.destination, error)),
            _ => {}
        }
        fs::rename(self.archive(), &self.destination).map_err(|error| Error::io(&self.destination, error))?;
        self.sync_parent()
    }

    /// Renames the file `name`, which is all of the archive, to the destination, atomically.
    pub fn publish_file(&self, name: &str) -> Result<()> {
        let file = self.archive().join(name);
        let synced = File::open(&file).and_then(|file| file.sync_all());
        synced.map_err(|error| Error::io(&self.destination, error))?;
        let _hold = temporary::hold();
        fs::rename(file, &self.destination).map_err(|error| Error::io(&self.destination, error))?;
        self.sync_parent()
    }

    /// Adds files to an existing archive, atomically. `request` describes the conversion for the journal.
    pub fn publish_files(&self, files: &[ArchiveFile], request: &Json, disk: &dyn Disk) -> Result<()> {
        let _hold = temporary::hold();
        self.appending(disk).add(&self.archive(), files, request)
    }

    /// Removes the journal of a conversion to a folder; called just before its success is reported.
    pub fn acknowledge(&self) -> Result<()> {
        self.appending(&RealDisk).acknowledge()
    }

    fn sync_parent(&self) -> Result<()> {
        let parent = self.folder.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        temporary::sync_folder(parent).map_err(|error| Error::io(parent, error))
    }
}

impl Drop for Staging {
    /// Removes everything that was not published. If this fails, the next run does it.
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(self.archive());
        drop(self.lock.take());
        let _ = fs::remove_dir_all(&self.folder);
        for parent in self.parents.iter().rev() {
            // Folders that contain the archive stay.
            let _ = fs::remove_dir(parent);
        }
        self.registered.clear();
    }
}

/// Removes the staging folders in `parent` that killed conversions left behind: those that no process has locked. No
/// archive needs anything in them.
fn sweep(parent: &Path, own: &Path) {
    let is_other = |path: &PathBuf| {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        name.starts_with('.') && name.ends_with(UNFINISHED) && path != own
    };
    let entries = fs::read_dir(parent).into_iter().flatten().flatten().map(|entry| entry.path());
    for folder in entries.filter(is_other).filter(|folder| fs::symlink_metadata(folder).is_ok_and(|it| it.is_dir())) {
        // Without a lock file it is not a staging folder, or is just being created.
        let Ok(lock) = File::open(folder.join(LOCK)) else { continue };
        if temporary::same_owner(&folder, own) && lock.try_lock().is_ok() {
            let _ = fs::remove_dir_all(&folder);
        }
    }
}

/// Creates a folder and its parents. Returns those that did not exist, the outermost first.
fn make_parents(folder: &Path) -> Result<(Vec<PathBuf>, Vec<Registered>)> {
    let mut parents: Vec<PathBuf> = folder
        .ancestors()
        .take_while(|folder| !folder.as_os_str().is_empty() && !folder.exists())
        .map(Path::to_owned)
        .collect();
    parents.reverse();
    let mut hold = temporary::hold();
    let mut registered = Vec::new();
    for parent in &parents {
        let made = fs::create_dir(parent);
        made.or_else(|error| if parent.is_dir() { Ok(()) } else { Err(Error::io(parent, error)) })?;
        registered.push(hold.register(parent, TemporaryKind::EmptyFolder));
    }
    Ok((parents, registered))
}

/// Waits until the names in a folder and its subfolders are on the disk, the innermost folders first.
fn sync_folders(folder: &Path) -> Result<()> {
    let failed = |error| Error::io(folder, error);
    for entry in fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if entry.file_type().map_err(failed)?.is_dir() {
            sync_folders(&entry.path())?;
        }
    }
    temporary::sync_folder(folder).map_err(failed)
}

fn lock(folder: &Path, destination: &Path) -> Result<File> {
    let path = folder.join(LOCK);
    let file = File::options().create(true).truncate(false).write(true).open(&path);
    let file = file.map_err(|error| Error::io(&path, error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(fs::TryLockError::WouldBlock) => {
            let text = format!("{}: another conversion is writing to this archive", destination.display());
            Err(Error::Usage(text))
        }
        Err(fs::TryLockError::Error(error)) => Err(Error::io(path, error)),
    }
}

fn remove(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Error::io(folder, error)),
        _ => Ok(()),
    }
}
