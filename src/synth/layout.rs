//! The paths of the files of an archive. Files have temporary names until they are complete.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::SynthCompression;
use super::calendar::ticks;
use super::catalogue::{TENANT, WORKSPACE_RESOURCE};
use crate::diagnostic::{Error, Result};
use crate::temporary::{self, Registered, TemporaryKind};
use crate::types::datetime::to_parts;

/// Returns the path of the data export file with the rows of `table` that arrive at `arrival`; there is one file for
/// every five minutes.
pub fn data_export_path(table: &str, arrival: i64) -> String {
    let time = to_parts(ticks(arrival));
    let table = table.to_ascii_lowercase();
    format!(
        "am-{table}/WorkspaceResourceId={WORKSPACE_RESOURCE}/y={}/m={:02}/d={:02}/h={:02}/m={:02}/PT05M.json",
        time.year,
        time.month,
        time.day,
        time.hour,
        time.minute / 5 * 5
    )
}

/// Returns the path of the diagnostic settings file with the records of `category` that arrive at `arrival`; there is
/// one file for every hour.
pub fn diagnostic_path(category: &str, arrival: i64) -> String {
    let time = to_parts(ticks(arrival));
    let category = category.to_ascii_lowercase();
    format!(
        "insights-logs-{category}/tenantId={TENANT}/y={}/m={:02}/d={:02}/h={:02}/m=00/PT1H.json",
        time.year, time.month, time.day, time.hour
    )
}

/// Returns the name of Parquet file `index`. Like the names of Kusto's exports it contains 128 bits, `unique`, so that
/// it is unique.
pub fn parquet_path(index: u64, unique: &str) -> String {
    format!("export_{}_{}.parquet", index + 1, unique.replace('-', ""))
}

/// Returns the suffix of the names of compressed files; "" without compression.
pub fn suffix(compression: SynthCompression) -> &'static str {
    match compression {
        SynthCompression::None => "",
        SynthCompression::Gzip => ".gz",
        SynthCompression::Zstd => ".zst",
    }
}

/// Creates the folder of an archive, which must be new or empty.
///
/// # Errors
/// [`Error::Usage`] if it is not empty or not a folder, and [`Error::Io`] if the operating system refuses.
pub fn prepare(folder: &Path) -> Result<()> {
    if folder.exists() && !folder.is_dir() {
        return Err(Error::Usage(format!("{} is not a folder", folder.display())));
    }
    fs::create_dir_all(folder).map_err(|source| Error::io(folder, source))?;
    let mut entries = fs::read_dir(folder).map_err(|source| Error::io(folder, source))?;
    match entries.next() {
        None => Ok(()),
        Some(_) => Err(Error::Usage(format!("{} is not empty; name a new or an empty folder", folder.display()))),
    }
}

/// A file that is not complete. [`NewFile::finish`] gives it its final name; if that is not called, it is removed.
pub struct NewFile {
    file: File,
    partial: PathBuf,
    target: PathBuf,
    finished: bool,
    #[expect(dead_code, reason = "held for what its drop does")]
    registered: Registered,
}

impl NewFile {
    /// Creates the file `path` inside `folder`, and the folders on the way.
    ///
    /// # Errors
    /// [`Error::Io`] if the operating system refuses.
    pub fn create(folder: &Path, path: &str) -> Result<Self> {
        let target = folder.join(path);
        let partial = folder.join(format!("{path}.partial"));
        if let Some(parent) = target.parent() {
            fs::create_dir_all(parent).map_err(|source| Error::io(parent, source))?;
        }
        let mut hold = temporary::hold();
        let file = File::create_new(&partial).map_err(|source| Error::io(&partial, source))?;
        let registered = hold.register(&partial, TemporaryKind::File);
        drop(hold);
        Ok(Self { file, partial, target, finished: false, registered })
    }

    /// Renames the file to its final name and returns its length in bytes.
    ///
    /// # Errors
    /// [`Error::Io`] if the operating system refuses.
    pub fn finish(mut self) -> Result<u64> {
        let length = self.file.metadata().map_err(|source| self.error(source))?.len();
        fs::rename(&self.partial, &self.target).map_err(|source| self.error(source))?;
        self.finished = true;
        Ok(length)
    }

    /// Converts an error of the operating system about this file; adds its path.
    pub fn error(&self, source: io::Error) -> Error {
        Error::io(&self.target, source)
    }
}

impl Write for NewFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if !self.finished {
            // A failure cannot be handled here, and the name shows that the file is not complete.
            let _ = fs::remove_file(&self.partial);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::calendar::{SECOND, START};
    use super::{NewFile, data_export_path, diagnostic_path};

    #[test]
    fn paths_follow_the_time_of_arrival() {
        let time = START + (9 * 3600 + 7 * 60 + 43) * SECOND;
        assert!(data_export_path("SigninLogs", time).ends_with("/y=2026/m=03/d=02/h=09/m=05/PT05M.json"));
        assert!(diagnostic_path("SignInLogs", time).ends_with("/y=2026/m=03/d=02/h=09/m=00/PT1H.json"));
    }

    #[test]
    fn an_abandoned_file_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        drop(NewFile::create(folder.path(), "a/b.json").unwrap());
        assert_eq!(std::fs::read_dir(folder.path().join("a")).unwrap().count(), 0);
        assert_eq!(NewFile::create(folder.path(), "a/b.json").unwrap().finish().unwrap(), 0);
        assert!(folder.path().join("a/b.json").exists());
    }
}
