//! Folders -> the files below them, in order of the paths.
//!
//! Exports have thousands of folders with a file or two in each, and listing them takes as long as reading a part of what
//! is in them: folders of one depth are listed side by side.

use std::fs::{self, DirEntry};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::files::{DELTA_LOG, DataFile};
use super::hidden::{is_hidden, is_litter};
use super::side_by_side::side_by_side;
use crate::diagnostic::{Error, Result};

/// Which paths of files are wanted.
pub(super) type Wanted<'a> = dyn Fn(&Path) -> bool + Sync + 'a;

/// What was found in folders.
#[derive(Default)]
pub(super) struct Found {
    /// The files.
    pub files: Vec<DataFile>,
    /// The folders that make those around them Delta tables.
    pub delta_logs: Vec<PathBuf>,
    /// Files and folders that are left out, for their names begin with a dot, but for what nobody means.
    pub hidden: Vec<PathBuf>,
    /// Links that lead nowhere.
    pub astray: Vec<PathBuf>,
    /// What is still to be listed.
    folders: Vec<Folder>,
    failures: Vec<(PathBuf, io::Error)>,
}

/// A folder to be listed.
struct Folder {
    path: PathBuf,
    entered: Arc<Entered>,
}

/// The folders on the way to one that were entered through a link, and the first of all.
struct Entered {
    real: PathBuf,
    before: Option<Arc<Self>>,
}

/// Every file below `root` that is wanted, in order of the paths. Links are followed, but not in circles; files and
/// folders whose names begin with a dot are left out, as shells do, and told.
pub(super) fn search(root: &Path, wanted: &Wanted<'_>) -> Result<Found> {
    let mut all = Found::default();
    all.enter(root.to_owned(), None);
    while !all.folders.is_empty() {
        let level = std::mem::take(&mut all.folders);
        side_by_side(&level, |folder| folder.list(wanted)).into_iter().for_each(|found| all.append(found));
    }
    // What would have been met first, whichever thread met it.
    if let Some((path, error)) = all.failures.into_iter().min_by(|one, other| one.0.cmp(&other.0)) {
        return Err(Error::io(&path, error));
    }
    all.files.sort_by(|one, other| one.place.path().cmp(&other.place.path()));
    [&mut all.delta_logs, &mut all.hidden, &mut all.astray].into_iter().for_each(|paths| paths.sort());
    Ok(Found { failures: Vec::new(), ..all })
}

impl Folder {
    /// What is in it, and nothing of what is below that.
    fn list(&self, wanted: &Wanted<'_>) -> Found {
        let mut found = Found::default();
        match fs::read_dir(&self.path).and_then(Iterator::collect::<io::Result<Vec<_>>>) {
            Ok(entries) => entries.into_iter().for_each(|entry| found.add(&entry, self, wanted)),
            Err(error) => found.failures.push((self.path.clone(), error)),
        }
        found
    }
}

impl Found {
    fn append(&mut self, other: Self) {
        self.files.extend(other.files);
        self.delta_logs.extend(other.delta_logs);
        self.hidden.extend(other.hidden);
        self.astray.extend(other.astray);
        self.folders.extend(other.folders);
        self.failures.extend(other.failures);
    }

    /// Adds an entry of a folder.
    fn add(&mut self, entry: &DirEntry, folder: &Folder, wanted: &Wanted<'_>) {
        let name = entry.file_name();
        let path = entry.path();
        if is_hidden(name.as_encoded_bytes()) {
            // What writers of Delta tables keep beside the log is none of the table.
            let is_missed = !is_litter(name.as_encoded_bytes()) && !folder.path.ends_with(DELTA_LOG);
            if is_missed && may_be_wanted(&path, wanted) {
                self.hidden.push(path);
            }
            return;
        }
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => {
                if name == DELTA_LOG {
                    self.delta_logs.push(path.clone());
                }
                self.folders.push(Folder { path, entered: Arc::clone(&folder.entered) });
            }
            Ok(kind) if kind.is_symlink() => self.follow(path, folder, wanted),
            Ok(kind) if kind.is_file() && wanted(&path) => match entry.metadata() {
                Ok(metadata) => self.files.push(DataFile::at(&path, &metadata)),
                Err(error) => self.failures.push((path, error)),
            },
            Ok(_) => {}
            Err(error) => self.failures.push((path, error)),
        }
    }

    fn follow(&mut self, link: PathBuf, folder: &Folder, wanted: &Wanted<'_>) {
        match fs::metadata(&link) {
            Ok(target) if target.is_dir() => self.enter(link, Some(&folder.entered)),
            Ok(target) if target.is_file() && wanted(&link) => self.files.push(DataFile::at(&link, &target)),
            Err(_) if wanted(&link) => self.astray.push(link),
            Ok(_) | Err(_) => {}
        }
    }

    /// Adds a folder that is reached in another way than through the one around it, unless it is being searched already.
    fn enter(&mut self, path: PathBuf, before: Option<&Arc<Entered>>) {
        match fs::canonicalize(&path) {
            Ok(real) => {
                let mut on_the_way = std::iter::successors(before, |entered| entered.before.as_ref());
                if on_the_way.all(|entered| entered.real != real) {
                    let entered = Arc::new(Entered { real, before: before.map(Arc::clone) });
                    self.folders.push(Folder { path, entered });
                }
            }
            Err(error) => self.failures.push((path, error)),
        }
    }
}

/// True where a hidden file is wanted, or something that is below a hidden folder; also where that cannot be told.
fn may_be_wanted(path: &Path, wanted: &Wanted<'_>) -> bool {
    let mut left = vec![path.to_owned()];
    while let Some(path) = left.pop() {
        // Links inside are not followed: they may lead in circles.
        if !path.is_dir() {
            if wanted(&path) {
                return true;
            }
            continue;
        }
        let Ok(entries) = fs::read_dir(&path).and_then(Iterator::collect::<io::Result<Vec<_>>>) else { return true };
        let is_meant = |entry: &DirEntry| !is_litter(entry.file_name().as_encoded_bytes()) && !is_link(entry);
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

    use super::search;
    use crate::diagnostic::Error;

    /// A link, where there are some.
    fn link(target: &Path, path: &Path) {
        #[cfg(unix)]
        let _ = std::os::unix::fs::symlink(target, path);
        #[cfg(not(unix))]
        let _ = (target, path);
    }

    /// The same, one folder after the other.
    fn one_by_one(folder: &Path, entered: &mut Vec<PathBuf>, files: &mut Vec<PathBuf>) {
        let mut paths: Vec<PathBuf> =
            fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()).collect();
        paths.sort_by(|one, other| one.file_name().cmp(&other.file_name()));
        for path in paths {
            if path.file_name().expect("a name").as_encoded_bytes().starts_with(b".") {
                continue;
            }
            if path.is_file() {
                files.push(path);
            } else if path.is_dir() && path.is_symlink() {
                let real = path.canonicalize().expect("a path");
                if !entered.contains(&real) {
                    entered.push(real);
                    one_by_one(&path, entered, files);
                    entered.pop();
                }
            } else if path.is_dir() {
                one_by_one(&path, entered, files);
            }
        }
    }

    #[test]
    fn folders_listed_side_by_side_give_what_one_after_the_other_gives() {
        let names = ["a", "a.b", "a-b", "B", "b", ".c", "y=2026", "m=1", "m=10", "m=2", "ä", "_delta_log"];
        for seed in 0..20 {
            let mut random = ChaCha8Rng::seed_from_u64(seed);
            let root = tempfile::tempdir().expect("a folder");
            let mut folders = vec![root.path().to_owned()];
            for _ in 0..400 {
                let path =
                    folders[random.random_range(0..folders.len())].join(names[random.random_range(0..names.len())]);
                match random.random_range(0..20) {
                    // Few, since each may lead to all others.
                    0 if folders.len() < 40 => link(&folders[random.random_range(0..folders.len())], &path),
                    1 => link(Path::new("nowhere"), &path),
                    2..8 if !path.exists() => fs::write(&path, "{}").expect("a file"),
                    8.. if fs::create_dir(&path).is_ok() => folders.push(path),
                    _ => {}
                }
            }
            let mut expected = Vec::new();
            let mut entered = vec![root.path().canonicalize().expect("a path")];
            one_by_one(root.path(), &mut entered, &mut expected);
            let found = search(root.path(), &|_| true).expect("listed");
            let paths: Vec<&Path> = found.files.iter().filter_map(|file| file.place.path()).collect();
            assert_eq!(paths, expected, "seed {seed}");
            assert!(found.delta_logs.is_sorted());
        }
    }

    #[test]
    fn the_first_failure_in_order_of_the_paths_is_told() {
        let gone = search(Path::new("nowhere"), &|_| true);
        assert!(matches!(gone, Err(Error::Io { .. })));
    }
}
