//! An archive in a staging folder beside its destination, to which it is moved when complete.
//!
//! A staging folder that a killed run left over is recognised by its name and by its lock, which no process holds any
//! more; the next run with the same destination removes it.

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

/// The suffix of staging folders. Their names begin with a dot, so that scans skip them.
const UNFINISHED: &str = ".coldcase-unfinished";
/// The lock file in a staging folder.
const LOCK: &str = "lock";

/// The destination of an archive, and its staging folder.
#[derive(Debug)]
pub struct Staging {
    destination: PathBuf,
    folder: PathBuf,
    temporary: Option<PathBuf>,
    /// The parent folders that were created for them.
    parents: Vec<PathBuf>,
    /// Paths to remove if the run is stopped.
    registered: Vec<Registered>,
    /// Held while this process works on the archive.
    lock: Option<File>,
    /// The journal of an earlier append that added its rows but did not report success.
    unreported: Option<Journal>,
    /// True if an earlier run with this destination was killed.
    pub had_remains: bool,
}

impl Staging {
    /// Creates the staging folder for `destination`; temporary files go to `temporary`, or beside the archive.
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

    /// Removes the files that a killed append moved to the archive, unless all of them count.
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

    /// Refuses an archive that lacks files: rows in them would be added a second time.
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

    /// Returns the folder to write the archive to.
    #[must_use]
    pub fn archive(&self) -> PathBuf {
        self.folder.join("archive")
    }

    /// Returns the folder for temporary files.
    #[must_use]
    pub fn temporary(&self) -> &Path {
        self.temporary.as_deref().unwrap_or(&self.folder)
    }

    /// True if a run with the same request added its rows to the archive and was killed before it reported success.
    #[must_use]
    pub fn was_added(&self, request: &Json) -> bool {
        self.unreported.as_ref().is_some_and(|journal| journal.request == *request)
    }

    /// Renames a new archive of `files` to its destination, atomically. `request` describes the conversion.
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

    /// Renames the single file `name` of the archive to the destination, atomically.
    pub fn publish_file(&self, name: &str) -> Result<()> {
        let file = self.archive().join(name);
        let synced = File::open(&file).and_then(|file| file.sync_all());
        synced.map_err(|error| Error::io(&self.destination, error))?;
        let _hold = temporary::hold();
        fs::rename(file, &self.destination).map_err(|error| Error::io(&self.destination, error))?;
        self.sync_parent()
    }

    /// Adds files to an existing archive, atomically.
    pub fn publish_files(&self, files: &[ArchiveFile], request: &Json, disk: &dyn Disk) -> Result<()> {
        let _hold = temporary::hold();
        self.appending(disk).add(&self.archive(), files, request)
    }

    /// Finishes a conversion to a folder, before its success is reported.
    pub fn acknowledge(&self) -> Result<()> {
        self.appending(&RealDisk).acknowledge()
    }

    fn sync_parent(&self) -> Result<()> {
        let parent = self.folder.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        temporary::sync_folder(parent).map_err(|error| Error::io(parent, error))
    }
}

impl Drop for Staging {
    /// Removes everything but what was published. If that fails, the next run does it.
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

/// Removes the staging folders in `parent` of conversions that were killed: those that no process has locked. They
/// contain nothing that an archive needs.
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

/// Creates a folder and its parents; returns those that did not exist, outermost first.
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

/// Makes the names in a folder and its subfolders durable, innermost first.
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
