//! The journal of `convert --append`, by which files are added to an archive atomically.
//!
//! New files are moved into the archive one by one. As long as the journal in the folder of the archive has the state
//! `adding`, queries ignore all of them. Once it has the state `added`, queries read all of them. The journal is
//! removed after the run has reported its success, so a journal that exists belongs to a run that is in progress or
//! was killed.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use serde_json::{Value as Json, json};

use crate::diagnostic::{Error, Result};

/// The file name of the journal. Scans skip it because of the dot.
const NAME: &str = ".coldcase-append";
/// Maximum size of a journal in bytes.
const MAX_BYTES: u64 = 256 << 20;

/// The state of a run that adds files to an archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JournalState {
    /// The files are not part of the archive yet.
    Adding,
    /// The files are part of the archive.
    Added,
}

/// The journal of the last run that added files to an archive, if that run has not reported its success.
#[derive(Clone, Debug, PartialEq)]
pub struct Journal {
    /// The state of the run.
    pub state: JournalState,
    /// The added files, as paths relative to the archive.
    pub files: Vec<PathBuf>,
    /// The request of the run. A run with the same request would add the same rows again.
    pub request: Json,
}

impl Journal {
    /// Returns the path of the journal of an archive.
    #[must_use]
    pub fn path(archive: &Path) -> PathBuf {
        archive.join(NAME)
    }

    /// Reads the journal of an archive; None if there is none.
    ///
    /// # Errors
    /// The journal cannot be read, so it is not known which files are part of the archive.
    pub fn read(archive: &Path) -> Result<Option<Self>> {
        let path = Self::path(archive);
        let Some(text) = kept_text(&path, MAX_BYTES)? else { return Ok(None) };
        Self::parse(&text).map(Some).ok_or_else(|| Error::Data {
            file: path.display().to_string(),
            place: None,
            reason:
                "the journal of `convert --append` is damaged, so it is unknown which files are part of the archive: \
                     remove it if no append was interrupted; otherwise convert to a new archive"
                    .to_owned(),
        })
    }

    fn parse(text: &str) -> Option<Self> {
        let json: Json = serde_json::from_str(text).ok()?;
        let state = match json["state"].as_str()? {
            "adding" => JournalState::Adding,
            "added" => JournalState::Added,
            _ => return None,
        };
        let files = json["files"].as_array()?.iter().map(|file| relative(file.as_str()?)).collect::<Option<_>>()?;
        Some(Self { state, files, request: json["request"].clone() })
    }

    /// Returns the text of the journal, which [`Self::read`] reads.
    #[must_use]
    pub fn to_text(&self) -> String {
        let state = match self.state {
            JournalState::Adding => "adding",
            JournalState::Added => "added",
        };
        let files: Vec<String> = self.files.iter().map(|file| in_slashes(file)).collect();
        format!("{:#}\n", json!({"state": state, "files": files, "request": self.request}))
    }
}

/// Reads a text file that an archive keeps about itself; None if it does not exist. The text is empty if the file is not
/// UTF-8, is larger than `max` bytes, or is no regular file: a device or a pipe in its place may have no end.
///
/// # Errors
/// The operating system refuses.
pub(super) fn kept_text(path: &Path, max: u64) -> Result<Option<String>> {
    let failed = |error| Error::io(path, error);
    match fs::metadata(path) {
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
        Err(error) => Err(failed(error)),
        Ok(metadata) if !metadata.is_file() || metadata.len() > max => Ok(Some(String::new())),
        Ok(_) => {
            let mut bytes = Vec::new();
            fs::File::open(path).and_then(|file| file.take(max).read_to_end(&mut bytes)).map_err(failed)?;
            Ok(Some(String::from_utf8(bytes).unwrap_or_default()))
        }
    }
}

/// Returns a relative path with `/` between its names, on every system.
pub(super) fn in_slashes(path: &Path) -> String {
    path.iter().map(|name| name.to_string_lossy()).collect::<Vec<_>>().join("/")
}

/// Parses a relative path; None if it is empty or would leave the archive.
pub(super) fn relative(text: &str) -> Option<PathBuf> {
    let path = PathBuf::from(text);
    let stays = path.components().all(|part| matches!(part, std::path::Component::Normal(_)));
    (stays && !text.is_empty()).then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn journals_are_read_as_they_were_written() {
        for state in [JournalState::Adding, JournalState::Added] {
            let files = vec![PathBuf::from("SigninLogs/month=2026-03/SigninLogs-00001.parquet"), "x.parquet".into()];
            let journal = Journal { state, files, request: json!({"inputs": ["a"]}) };
            assert_eq!(Journal::parse(&journal.to_text()), Some(journal));
        }
        for text in ["", "{}", r#"{"state":"x","files":[]}"#, r#"{"state":"added","files":["../x"]}"#] {
            assert_eq!(Journal::parse(text), None, "{text}");
        }
        assert!(Journal::parse(r#"{"state":"adding","files":["/etc/x"]}"#).is_none());
    }
}
