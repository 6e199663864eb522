//! The files and folders to be removed if the run is stopped.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Maximum number of attempts to remove the registered paths, because other threads may still add files to a folder.
const ATTEMPTS: usize = 20;
/// The pause between two attempts.
const PAUSE: Duration = Duration::from_millis(5);

static REGISTRY: Mutex<Registry> = Mutex::new(Registry { entries: BTreeMap::new(), next: 0 });

struct Registry {
    /// The registered paths, in the order of their registration.
    entries: BTreeMap<u64, (PathBuf, TemporaryKind)>,
    next: u64,
}

/// How a registered path is removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TemporaryKind {
    /// A file.
    File,
    /// A folder with all of its content.
    Tree,
    /// A folder, if it is empty.
    EmptyFolder,
}

/// A registered path: it is removed if the run is stopped before this value is dropped.
#[derive(Debug)]
#[must_use = "the path is registered only as long as this value lives"]
pub struct Registered(u64);

impl Drop for Registered {
    fn drop(&mut self) {
        lock().entries.remove(&self.0);
    }
}

/// Registers a path for removal. It need not exist yet.
pub fn register(path: &Path, kind: TemporaryKind) -> Registered {
    hold().register(path, kind)
}

/// A guard that delays stopping the run while it is alive, for steps that must be done together.
#[must_use = "the run is held only as long as this value lives"]
pub struct Hold(MutexGuard<'static, Registry>);

impl Hold {
    /// Registers a path for removal, before the run can be stopped.
    pub fn register(&mut self, path: &Path, kind: TemporaryKind) -> Registered {
        // The process may change its working folder until then, and paths may be relative.
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let number = self.0.next;
        self.0.next += 1;
        self.0.entries.insert(number, (path, kind));
        Registered(number)
    }
}

/// Delays [`leave`] until the returned guard is dropped. Blocks forever once [`leave`] was called, so that nothing is
/// created after the removal. A thread with a guard must not drop a [`Registered`] value, because it would wait for
/// itself.
pub fn hold() -> Hold {
    Hold(lock())
}

/// Removes all registered paths. Afterwards no other thread can create or publish anything, so the process must end.
pub fn leave() {
    let registry = lock();
    for attempt in 0..ATTEMPTS {
        // Later paths may be inside earlier ones.
        let left = registry.entries.values().rev().filter(|(path, kind)| remove(path, *kind).is_err()).count();
        if left == 0 {
            break;
        }
        if attempt + 1 < ATTEMPTS {
            std::thread::sleep(PAUSE);
        }
    }
    std::mem::forget(registry);
}

fn lock() -> MutexGuard<'static, Registry> {
    REGISTRY.lock().unwrap_or_else(PoisonError::into_inner)
}

fn remove(path: &Path, kind: TemporaryKind) -> io::Result<()> {
    let removed = match kind {
        TemporaryKind::File => fs::remove_file(path),
        TemporaryKind::Tree => fs::remove_dir_all(path),
        TemporaryKind::EmptyFolder => fs::remove_dir(path),
    };
    match removed {
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(()),
        // Something else uses the folder by now.
        Err(error) if kind == TemporaryKind::EmptyFolder && error.kind() == io::ErrorKind::DirectoryNotEmpty => Ok(()),
        other => other,
    }
}
