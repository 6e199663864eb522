//! Listings of files, and discovery notes about them, which do not depend on the query.

use std::fmt;
use std::path::PathBuf;

use super::archive_files::ListedArchive;
use super::delta_folder::DeltaFolder;
use super::files::DataFile;
use super::text_settings::TextSettings;
use crate::diagnostic::{Error, Result};

/// Maximum number of names in a note. Further files are only counted.
const MAX_NAMED: usize = 3;

/// The files that the paths of the user match, with discovery notes.
#[derive(Clone, Debug, Default)]
pub struct Listing {
    /// The files that the paths match.
    pub files: Vec<DataFile>,
    /// Messages about skipped or special files.
    pub notes: Vec<DiscoveryNote>,
    /// The Delta tables to which the files belong. Their logs tell which of the files are to be read.
    pub delta_folders: Vec<DeltaFolder>,
    /// The archives to which the files belong, with the files that they are known to have.
    pub archives: Vec<ListedArchive>,
}

impl Listing {
    /// Returns the listing. If it has no files, returns the error that `error` makes of the reason `nothing`.
    pub(crate) fn unless_nothing(self, error: impl Fn(&str) -> Error, nothing: &str) -> Result<Self> {
        let is_valid = self.notes.iter().any(|note| matches!(note, DiscoveryNote::NoneInDeltaLog(_)));
        if !self.files.is_empty() || is_valid {
            return Ok(self);
        }
        let reasons = self.notes.iter().map(|note| format!("; {note}"));
        Err(error(&format!("{nothing}{}", reasons.collect::<String>())))
    }

    /// Returns the listing with the settings with which the text of all files is read.
    #[must_use]
    pub fn with_text_settings(self, text: TextSettings) -> Self {
        let files = self.files.into_iter().map(|file| file.with_text_settings(text)).collect();
        Self { files, ..self }
    }

    /// Appends the files and notes of another listing.
    pub fn extend(&mut self, other: Self) {
        self.files.extend(other.files);
        self.notes.extend(other.notes);
        self.delta_folders.extend(other.delta_folders);
        self.archives.extend(other.archives);
    }
}

impl From<Vec<DataFile>> for Listing {
    fn from(files: Vec<DataFile>) -> Self {
        Self { files, ..Self::default() }
    }
}

/// A message about skipped or special files.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DiscoveryNote {
    /// A file that was named twice and is read once.
    NamedTwice(String),
    /// A file that has another name, too, and is read once.
    SameFile {
        /// The name under which it is not read.
        file: String,
        /// The name under which it is read.
        other: String,
    },
    /// The number of further files that were named twice.
    MoreNamedTwice(usize),
    /// A zip archive that cannot be opened.
    UnreadableArchive {
        /// The name of the archive.
        file: String,
        /// The reason why it cannot be opened.
        reason: String,
    },
    /// A Delta table whose log names none of the requested files. It has no rows, which is a valid result.
    NoneInDeltaLog(String),
    /// Files in the folder of a Delta table that its log does not name. This is normal.
    NotInDeltaLog {
        /// The folder of the table.
        table: String,
        /// The number of files.
        files: usize,
    },
    /// Parquet files in the folder of an archive that the list of its files does not name.
    NotInArchiveList {
        /// The folder of the archive.
        archive: String,
        /// The number of files.
        files: usize,
    },
    /// A result that this program wrote as text, which a manifest beside it proves.
    OwnResult {
        /// The name of the file with the result.
        file: String,
        /// The name of the manifest.
        manifest: String,
    },
    /// Files of an archive whose length has changed since they were written.
    ResizedFiles(Vec<String>),
    /// A list of the files of an archive that cannot be read.
    UnreadableList {
        /// The folder of the archive, as an absolute path.
        archive: PathBuf,
        /// The text of the error, which names the list.
        error: String,
    },
    /// Files that may have rows and are not read.
    Unread {
        /// The reason why they are not read.
        reason: &'static str,
        /// The names of the files.
        names: Vec<String>,
        /// What the user can do to have them read; "" if nothing helps.
        advice: &'static str,
    },
}

impl DiscoveryNote {
    /// Returns a note that these files are not read; None if `names` is empty.
    #[must_use]
    pub fn unread(reason: &'static str, names: Vec<String>, advice: &'static str) -> Option<Self> {
        (!names.is_empty()).then_some(Self::Unread { reason, names, advice })
    }

    /// True if rows may be missing or may have been changed.
    #[must_use]
    pub fn is_damage(&self) -> bool {
        matches!(self, Self::Unread { .. } | Self::ResizedFiles(_) | Self::UnreadableList { .. })
    }
}

/// The text of the note. It is made here and not in `messages`, because the error about an empty listing quotes it.
impl fmt::Display for DiscoveryNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NamedTwice(file) => write!(f, "{file} was named twice; it is read once"),
            Self::SameFile { file, other } => write!(f, "{file} is the same file as {other}; it is read once"),
            Self::MoreNamedTwice(files) => write!(f, "{files} more files were named twice; they are read once"),
            Self::UnreadableArchive { file, reason } => write!(f, "{file}: {reason}"),
            Self::NoneInDeltaLog(table) => {
                write!(f, "{table}: the log of the Delta table names none of the requested files")
            }
            Self::NotInDeltaLog { table, files } => {
                let files = number_of_files(*files);
                write!(f, "{table}: skipped {files} that the log of the Delta table does not name")
            }
            Self::NotInArchiveList { archive, files } => {
                let (is, them) = if *files == 1 { ("is", "it") } else { ("are", "them") };
                let files = number_of_files(*files);
                write!(
                    f,
                    "{archive}: the list of the archive does not name {files} that {is} read: another program \
                           may have added {them}"
                )
            }
            Self::OwnResult { file, manifest } => write!(
                f,
                "skipped because coldcase wrote it, as {manifest} says: {file}; name the file itself to read it as \
                 evidence"
            ),
            Self::ResizedFiles(names) => write!(
                f,
                "files that have another length than the list of their archive says: {}; they were changed or replaced: \
                 check the archive with coldcase verify",
                first_names(names)
            ),
            Self::UnreadableList { error, .. } => f.write_str(error),
            Self::Unread { reason, names, advice } => {
                write!(f, "not read: {reason}: {}", first_names(names))?;
                if advice.is_empty() { Ok(()) } else { write!(f, "; {advice}") }
            }
        }
    }
}

/// Returns the first of `names`, and the number of the others, as text.
fn first_names(names: &[String]) -> String {
    let (first, more) = names.split_at(names.len().min(MAX_NAMED));
    let more = if more.is_empty() { String::new() } else { format!(" and {} more", more.len()) };
    format!("{}{more}", first.join(", "))
}

/// "1 file", "2 files", ...
#[must_use]
pub fn number_of_files(count: usize) -> String {
    if count == 1 { "1 file".to_owned() } else { format!("{count} files") }
}
