//! The journal of `convert --append`, which makes adding files to an archive atomic.
//!
//! New files are moved into the archive one by one. While the journal in the archive's folder has the state `adding`,
//! queries ignore all of them; with the state `added`, all of them are read. The journal is removed after the run has
//! reported its success, so an existing journal belongs to a run that is in progress or was killed.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::{Value as Json, json};

use super::files::DataFile;
use super::listing::{DiscoveryNote, Listing};
use crate::diagnostic::{Error, Result};

/// The file name of the journal; because of the dot, scans skip it.
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

/// The journal of the last run that added files to an archive and has not reported its success.
#[derive(Clone, Debug, PartialEq)]
pub struct Journal {
    /// The state of the run.
    pub state: JournalState,
    /// The added files, as paths relative to the archive.
    pub files: Vec<PathBuf>,
    /// The request of the run; a run with the same request would add the same rows again.
    pub request: Json,
}

impl Journal {
    /// The path of the journal.
    #[must_use]
    pub fn path(archive: &Path) -> PathBuf {
        archive.join(NAME)
    }

    /// Reads the journal of an archive; None if there is none.
    ///
    /// # Errors
    /// The journal cannot be read, so it is unknown which files are part of the archive.
    pub fn read(archive: &Path) -> Result<Option<Self>> {
        let path = Self::path(archive);
        let failed = |error| Error::io(&path, error);
        let length = match fs::metadata(&path) {
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                return Ok(None);
            }
            Err(error) => return Err(failed(error)),
            Ok(metadata) => metadata.len(),
        };
        let text = if length > MAX_BYTES { String::new() } else { fs::read_to_string(&path).map_err(failed)? };
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

    /// The text of the journal.
    #[must_use]
    pub fn to_text(&self) -> String {
        let state = match self.state {
            JournalState::Adding => "adding",
            JournalState::Added => "added",
        };
        let name = |path: &PathBuf| path.iter().map(|name| name.to_string_lossy()).collect::<Vec<_>>().join("/");
        let files: Vec<String> = self.files.iter().map(name).collect();
        format!("{:#}\n", json!({"state": state, "files": files, "request": self.request}))
    }
}

/// Parses a relative path; None if it would leave the archive.
fn relative(text: &str) -> Option<PathBuf> {
    let path = PathBuf::from(text);
    let stays = path.components().all(|part| matches!(part, std::path::Component::Normal(_)));
    (stays && !text.is_empty()).then_some(path)
}

/// Removes files of an unfinished append from the listing, with a note.
pub(crate) fn leave_out_uncounted(listing: &mut Listing) -> Result<()> {
    let mut visited = BTreeSet::new();
    let mut uncounted = BTreeSet::new();
    for file in listing.files.iter().filter_map(archived) {
        // If a folder was visited, so were the folders around it.
        for folder in file.ancestors().skip(1).take_while(|folder| !visited.contains(*folder)).collect::<Vec<_>>() {
            visited.insert(folder.to_owned());
            if let Some(Journal { state: JournalState::Adding, files, .. }) = Journal::read(folder)? {
                uncounted.extend(files.iter().map(|file| folder.join(file)));
            }
        }
    }
    if uncounted.is_empty() {
        return Ok(());
    }
    let counts = |file: &DataFile| archived(file).is_none_or(|path| !uncounted.contains(&path));
    let (kept, left_out): (Vec<_>, Vec<_>) = std::mem::take(&mut listing.files).into_iter().partition(counts);
    listing.files = kept;
    listing.notes.extend(DiscoveryNote::unread(
        "files of an unfinished `convert --append`",
        left_out.into_iter().map(|file| file.name).collect(),
        "they are ignored until it finishes: if it was interrupted, run it again",
    ));
    Ok(())
}

/// The absolute path of a file that may be part of an archive.
fn archived(file: &DataFile) -> Option<PathBuf> {
    let is_parquet = |path: &&Path| path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("parquet"));
    std::path::absolute(file.local_path().filter(is_parquet)?).ok()
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
