//! Reads a file as it was listed, and checks at its end that it is still the same.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::file_id::FileId;

/// Reads the bytes that a file had when it was listed. At the end, the open file is compared with the listing, which
/// takes a third of the time of looking up its path again. What was written to the file later is not read.
#[derive(Debug)]
pub(super) struct ListedFile {
    file: File,
    path: PathBuf,
    /// Number of listed bytes that were not read yet.
    left: u64,
    listed: FileId,
    /// Becomes true at the end if the file did not change.
    is_unchanged: Arc<AtomicBool>,
}

impl ListedFile {
    /// Opens the file at `path`, which had `bytes` bytes when it was listed as `listed`.
    pub(super) fn open(path: &Path, bytes: u64, listed: FileId, is_unchanged: &Arc<AtomicBool>) -> io::Result<Self> {
        let is_unchanged = Arc::clone(is_unchanged);
        Ok(Self { file: File::open(path)?, path: path.to_owned(), left: bytes, listed, is_unchanged })
    }

    fn check(&self) {
        let id = self.file.metadata().ok().and_then(|metadata| FileId::of(&self.path, &metadata));
        self.is_unchanged.store(id.as_ref() == Some(&self.listed), Ordering::Release);
    }
}

impl Read for ListedFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        if most == 0 {
            return Ok(0);
        }
        let read = self.file.read(&mut buffer[..most])?;
        self.left -= read as u64;
        if self.left == 0 {
            self.check();
        }
        Ok(read)
    }
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write as _;
    use std::time::{Duration, SystemTime};

    use super::*;
    use crate::storage::counters::ScanCounters;
    use crate::storage::files::DataFile;

    /// Lists a file, changes it after its first byte was read, and reads it to its end. Returns what was read, and
    /// whether the file is then known to have changed.
    fn read_while(change: impl FnOnce(&Path)) -> (String, bool) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.json");
        fs::write(&path, "0123456789").expect("written");
        let earlier = SystemTime::now() - Duration::from_secs(60);
        File::options().append(true).open(&path).and_then(|file| file.set_modified(earlier)).expect("an earlier time");
        let file = DataFile::new(&path).expect("a file");
        let mut input = file.open_at(0, None, Some(&Arc::new(ScanCounters::default()))).expect("opened");
        let mut first = [0];
        input.read_exact(&mut first).expect("a byte");
        change(&path);
        let mut text = String::from(char::from(first[0]));
        input.read_to_string(&mut text).expect("the rest");
        (text, file.has_changed())
    }

    #[test]
    fn a_file_is_read_as_it_was_listed() {
        let append = |path: &Path| {
            File::options().append(true).open(path).and_then(|mut file| file.write_all(b"abc")).expect("longer");
        };
        let replace = |path: &Path| {
            fs::write(path.with_extension("new"), "9876543210").expect("written");
            fs::rename(path.with_extension("new"), path).expect("replaced");
        };
        assert_eq!(read_while(|_| ()), ("0123456789".to_owned(), false));
        assert_eq!(read_while(append), ("0123456789".to_owned(), true));
        // What was read is the file that was listed.
        assert_eq!(read_while(replace), ("0123456789".to_owned(), false));
        assert_eq!(read_while(|path| fs::write(path, "0").expect("shorter")), ("0".to_owned(), true));
        assert!(read_while(|path| fs::write(path, "0123456780").expect("changed")).1);
    }

    #[test]
    fn a_change_after_a_scan_is_found_by_the_next_one() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.json");
        fs::write(&path, "0123456789").expect("written");
        let file = DataFile::new(&path).expect("a file");
        let mut text = String::new();
        let mut input = file.open_at(0, None, Some(&Arc::new(ScanCounters::default()))).expect("opened");
        input.read_to_string(&mut text).expect("read");
        assert!(!file.has_changed());
        fs::write(&path, "longer than before").expect("changed");
        assert!(file.has_changed());
    }
}
