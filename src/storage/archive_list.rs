//! The list of the files of an archive, by which queries and `verify` notice that a file is missing.
//!
//! `convert` keeps the list in the folder of the archive. An append replaces it before its last step. Until that
//! step, queries ignore the files in the journal, whether or not they are in the list.

use std::path::{Path, PathBuf};

use serde_json::{Value as Json, json};

use super::journal::{in_slashes, kept_text, relative};
use crate::diagnostic::{Error, Result};

/// The file name of the list. Scans skip it because of the dot.
const NAME: &str = ".coldcase-files";
/// Maximum size of a list in bytes, which suffices for some 300,000 files.
const MAX_BYTES: u64 = 64 << 20;

/// A file of an archive, as it was when it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArchiveFile {
    /// The path of the file, relative to the archive.
    pub path: PathBuf,
    /// The length of the file in bytes.
    pub bytes: u64,
    /// The SHA-256 of the file, in hexadecimal.
    pub sha256: String,
}

/// The list of all files of an archive.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ArchiveList {
    /// The files, in the order in which they were added.
    pub files: Vec<ArchiveFile>,
}

impl ArchiveList {
    /// Returns the path of the list of an archive.
    #[must_use]
    pub fn path(archive: &Path) -> PathBuf {
        archive.join(NAME)
    }

    /// Reads the list of an archive; None if there is none, as in archives that earlier versions wrote.
    ///
    /// # Errors
    /// The list cannot be read, so it is not known whether files are missing.
    pub fn read(archive: &Path) -> Result<Option<Self>> {
        let path = Self::path(archive);
        let Some(text) = kept_text(&path, MAX_BYTES)? else { return Ok(None) };
        Self::parse(&text).map(Some).ok_or_else(|| Error::Data {
            file: path.display().to_string(),
            place: None,
            reason: "the list of the files of the archive is damaged, so it is unknown whether files are missing"
                .to_owned(),
        })
    }

    fn parse(text: &str) -> Option<Self> {
        let json: Json = serde_json::from_str(text).ok()?;
        let file = |file: &Json| {
            let path = relative(file["file"].as_str()?)?;
            Some(ArchiveFile { path, bytes: file["bytes"].as_u64()?, sha256: file["sha256"].as_str()?.to_owned() })
        };
        let files = json["files"].as_array()?.iter().map(file).collect::<Option<_>>()?;
        Some(Self { files })
    }

    /// Returns the text of the list, which [`Self::read`] reads.
    #[must_use]
    pub fn to_text(&self) -> String {
        let file = |ArchiveFile { path, bytes, sha256 }: &ArchiveFile| json!({"file": in_slashes(path), "bytes": bytes, "sha256": sha256});
        format!("{:#}\n", json!({"files": self.files.iter().map(file).collect::<Vec<_>>()}))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_read_as_they_were_written() {
        let file = |path: &str| ArchiveFile { path: path.into(), bytes: 7, sha256: "ab".to_owned() };
        let list = ArchiveList { files: vec![file("SigninLogs/month=2026-03/SigninLogs-00001.parquet"), file("x")] };
        assert_eq!(ArchiveList::parse(&list.to_text()), Some(list));
        for text in ["", "{}", r#"{"files":[{"file":"a"}]}"#, r#"{"files":[{"file":"../x","bytes":1,"sha256":""}]}"#] {
            assert_eq!(ArchiveList::parse(text), None, "{text}");
        }
    }
}
