//! Files that have a temporary name until they are complete.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::platform::{same_owner, sync_folder, usual_permissions};
use super::registry::{self, Registered, TemporaryKind};

/// The prefix of temporary names. Because of the dot, scans of the folder do not read the file.
const PREFIX: &str = ".coldcase-";
const SUFFIX: &str = ".partial";
/// The number of random characters after the prefix.
const RANDOM_CHARS: usize = 8;
/// Maximum number of times that another name is tried, because another run removed the file as a leftover.
const ATTEMPTS: usize = 8;

/// A file in the folder of its destination, which it replaces atomically when it is complete.
#[derive(Debug)]
pub struct PendingFile(Inner);

#[derive(Debug)]
enum Inner {
    /// A new file beside its destination. It is locked, so that other runs know that its owner is alive.
    Beside { file: NamedTempFile, target: PathBuf, registered: Registered },
    /// A device or pipe, which is written to directly.
    Direct(File),
}

impl PendingFile {
    /// Creates a file that will replace `path`. Leftovers of killed runs in the folder of `path` are removed.
    ///
    /// # Errors
    /// An error if `path` is a folder, or if its folder does not exist or is not writable.
    pub fn create(path: &Path) -> io::Result<Self> {
        // The target of a link is replaced, not the link.
        let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        match fs::metadata(&target) {
            Ok(metadata) if metadata.is_dir() => return Err(io::ErrorKind::IsADirectory.into()),
            Ok(metadata) if !metadata.is_file() => {
                return Ok(Self(Inner::Direct(File::options().write(true).open(&target)?)));
            }
            _ => {}
        }
        let folder = folder_of(&target).to_owned();
        let (file, registered) = new_file(&folder)?;
        if let Ok(metadata) = fs::metadata(&target) {
            // An existing file keeps its permissions.
            fs::set_permissions(file.path(), metadata.permissions())?;
        }
        sweep(&folder, &file);
        Ok(Self(Inner::Beside { file, target, registered }))
    }

    /// Returns a handle for writing to the file.
    pub fn handle(&self) -> io::Result<File> {
        match &self.0 {
            Inner::Beside { file, .. } => file.as_file().try_clone(),
            Inner::Direct(file) => file.try_clone(),
        }
    }

    /// Renames the file, which must be complete, to its destination. The rename is atomic.
    pub fn publish(self) -> io::Result<()> {
        let Inner::Beside { file, target, registered } = self.0 else { return Ok(()) };
        file.as_file().sync_all()?;
        let hold = registry::hold();
        let published = file.persist(&target).map(drop).map_err(|error| error.error);
        drop(hold);
        drop(registered);
        // The rename is done; not every file system promises that it survives a power failure.
        let _ = sync_folder(folder_of(&target));
        published
    }
}

/// Returns the folder that contains a file.
fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn new_file(folder: &Path) -> io::Result<(NamedTempFile, Registered)> {
    for _ in 0..ATTEMPTS {
        let mut builder = tempfile::Builder::new();
        builder.prefix(PREFIX).suffix(SUFFIX).rand_bytes(RANDOM_CHARS);
        usual_permissions(&mut builder);
        let mut hold = registry::hold();
        let file = builder.tempfile_in(folder)?;
        let registered = hold.register(file.path(), TemporaryKind::File);
        drop(hold);
        // File systems without locks have no sweeping either.
        let swept = matches!(file.as_file().try_lock(), Err(fs::TryLockError::WouldBlock)) || !file.path().exists();
        if !swept {
            return Ok((file, registered));
        }
    }
    Err(io::Error::other("temporary files disappear as soon as they are made"))
}

/// Removes the files that killed runs of the same user left in `folder`: those with a temporary name that no process
/// has locked.
fn sweep(folder: &Path, own: &NamedTempFile) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for path in entries.flatten().filter(|entry| is_temporary(&entry.file_name())).map(|entry| entry.path()) {
        let is_file = fs::symlink_metadata(&path).is_ok_and(|metadata| metadata.is_file());
        if path.file_name() == own.path().file_name() || !is_file || !same_owner(&path, own.path()) {
            continue;
        }
        if File::open(&path).is_ok_and(|file| file.try_lock().is_ok()) {
            // A leftover that cannot be removed is no reason to fail.
            let _ = fs::remove_file(&path);
        }
    }
}

fn is_temporary(name: &std::ffi::OsStr) -> bool {
    let middle = name.to_str().and_then(|name| name.strip_prefix(PREFIX)?.strip_suffix(SUFFIX));
    middle.is_some_and(|middle| middle.len() == RANDOM_CHARS && middle.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).expect("a folder");
        let mut names: Vec<String> =
            entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_has_its_name_when_it_is_complete() {
        let folder = tempfile::tempdir().expect("a folder");
        let target = folder.path().join("answer.csv");
        let file = PendingFile::create(&target).expect("a file");
        io::Write::write_all(&mut file.handle().expect("a handle"), b"rows").expect("written");
        assert!(!target.exists() && is_temporary(names(folder.path())[0].as_ref()));
        file.publish().expect("published");
        assert_eq!(
            (names(folder.path()), fs::read(&target).expect("a file")),
            (vec!["answer.csv".into()], b"rows".to_vec())
        );
        drop(PendingFile::create(&target).expect("a file"));
        assert_eq!(fs::read(&target).expect("a file"), b"rows", "an abandoned file replaces nothing");
        assert_eq!(names(folder.path()).len(), 1);
    }

    #[test]
    fn files_of_killed_runs_are_swept_and_nothing_else() {
        let folder = tempfile::tempdir().expect("a folder");
        let kept = [".coldcase-notes.partial", ".coldcase-a/cdefgh.partial", "coldcase-abcdefgh.partial", ".tmpabcdef"];
        fs::create_dir(folder.path().join(".coldcase-a")).expect("a folder");
        kept.iter().for_each(|name| fs::write(folder.path().join(name), "mine").expect("a file"));
        fs::write(folder.path().join(".coldcase-abcdefgh.partial"), "left behind").expect("a file");
        let alive = PendingFile::create(&folder.path().join("one.csv")).expect("a file");
        assert!(!folder.path().join(".coldcase-abcdefgh.partial").exists());
        let other = PendingFile::create(&folder.path().join("two.csv")).expect("a file");
        assert!(kept.iter().all(|name| folder.path().join(name).exists()), "{:?}", names(folder.path()));
        alive.publish().expect("the file of a living run stays");
        other.publish().expect("published");
    }
}
