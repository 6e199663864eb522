//! An archive that comes into being beside its place, under another name, and is moved there when it is whole.
//!
//! What a run that was killed left behind is recognised by its name and by the lock that nobody holds any more; the
//! next run to the same place removes it.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use crate::diagnostic::{Error, Result};

/// How names of folders of unfinished conversions end. They begin with a dot, so that no scan looks into them.
const UNFINISHED: &str = ".coldcase-unfinished";

/// The place of an archive, and the folder in which it comes into being.
#[derive(Debug)]
pub struct Staging {
    destination: PathBuf,
    folder: PathBuf,
    runs: PathBuf,
    /// Held as long as this process works on the archive.
    lock: Option<File>,
    /// True where a run before this one did not come to its end.
    pub had_remains: bool,
}

impl Staging {
    /// For an archive at `destination`; temporary files go to `temporary`, or beside it.
    ///
    /// # Errors
    /// Another process is converting to the same place, or the folders cannot be made.
    pub fn new(destination: &Path, temporary: Option<&Path>) -> Result<Self> {
        let name = destination.file_name().ok_or_else(|| {
            Error::Usage(format!("{}: not a name for an archive; name a new folder", destination.display()))
        })?;
        let hidden =
            [OsString::from("."), name.to_owned(), OsString::from(UNFINISHED)].into_iter().collect::<OsString>();
        let parent = destination.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        fs::create_dir_all(parent).map_err(|error| Error::io(parent, error))?;
        let folder = parent.join(&hidden);
        let had_remains = folder.exists();
        fs::create_dir_all(&folder).map_err(|error| Error::io(&folder, error))?;
        let lock = lock(&folder, destination)?;
        let runs = match temporary {
            // Two archives of one name may be made at the same time with one folder for temporary files.
            Some(temporary) => temporary.join(format!("{}-{:016x}", hidden.display(), place_hash(&folder)?)),
            None => folder.join("runs"),
        };
        let staging = Self { destination: destination.to_owned(), folder, runs, lock: Some(lock), had_remains };
        remove(&staging.archive())?;
        remove(&staging.runs)?;
        fs::create_dir_all(staging.archive()).map_err(|error| Error::io(staging.archive(), error))?;
        Ok(staging)
    }

    /// Where the archive is to be.
    #[must_use]
    pub fn destination(&self) -> &Path {
        &self.destination
    }

    /// The folder to write the archive to.
    #[must_use]
    pub fn archive(&self) -> PathBuf {
        self.folder.join("archive")
    }

    /// The folder for temporary files; not there yet.
    #[must_use]
    pub fn runs(&self) -> &Path {
        &self.runs
    }

    /// Gives a new archive its name, in one step.
    pub fn publish(self) -> Result<()> {
        match fs::remove_dir(&self.destination) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Error::io(&self.destination, error)),
            _ => fs::rename(self.archive(), &self.destination).map_err(|error| Error::io(&self.destination, error)),
        }
    }

    /// Gives the one file `name` of the archive the name of the destination, in one step.
    pub fn publish_file(self, name: &str) -> Result<()> {
        let file = self.archive().join(name);
        fs::rename(file, &self.destination).map_err(|error| Error::io(&self.destination, error))
    }

    /// Adds files, by their paths inside of the archive, to one that is there. Each is whole when it gets its name.
    pub fn publish_files(self, files: &[PathBuf]) -> Result<()> {
        for file in files {
            let target = self.destination.join(file);
            if let Some(parent) = target.parent() {
                fs::create_dir_all(parent).map_err(|error| Error::io(parent, error))?;
            }
            fs::rename(self.archive().join(file), &target).map_err(|error| Error::io(&target, error))?;
        }
        Ok(())
    }
}

impl Drop for Staging {
    /// Nothing stays but what was published. What cannot be removed now, the next run removes.
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.runs);
        let _ = fs::remove_dir_all(self.archive());
        drop(self.lock.take());
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn lock(folder: &Path, destination: &Path) -> Result<File> {
    let path = folder.join("lock");
    let file = File::options().create(true).truncate(false).write(true).open(&path);
    let file = file.map_err(|error| Error::io(&path, error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(fs::TryLockError::WouldBlock) => {
            let text = format!("{}: another process is converting to this place", destination.display());
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

/// A number for the place of a folder, the same in every run (FNV-1a).
fn place_hash(folder: &Path) -> Result<u64> {
    let path = fs::canonicalize(folder).map_err(|error| Error::io(folder, error))?;
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    Ok(path.as_os_str().as_encoded_bytes().iter().fold(0xcbf2_9ce4_8422_2325, step))
}
