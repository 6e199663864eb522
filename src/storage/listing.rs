//! What there is to say of names and what they lead to, whichever rows are wanted of it.

use std::fmt;

use super::delta_folder::DeltaFolder;
use super::files::DataFile;
use crate::diagnostic::{Error, Result};
use crate::entra::numeric_dates::DateOrder;

/// Names that are said; of the rest the number.
const MOST_NAMED: usize = 3;

/// The files that names lead to, and what there is to say of them.
#[derive(Clone, Debug, Default)]
pub struct Listing {
    /// The files.
    pub files: Vec<DataFile>,
    /// What there is to say.
    pub notes: Vec<DiscoveryNote>,
    /// Delta tables that files may be part of: their logs say which of the files count.
    pub delta_folders: Vec<DeltaFolder>,
}

impl Listing {
    /// It, unless it is nothing, for which there is an error with a reason.
    pub(crate) fn unless_nothing(self, error: impl Fn(&str) -> Error, nothing: &str) -> Result<Self> {
        let is_answer = self.notes.iter().any(|note| matches!(note, DiscoveryNote::Empty(_)));
        if !self.files.is_empty() || is_answer {
            return Ok(self);
        }
        let said = self.notes.iter().map(|note| format!("; {note}"));
        Err(error(&format!("{nothing}{}", said.collect::<String>())))
    }

    /// The same files, whose dates in numbers have this order.
    #[must_use]
    pub fn with_date_order(self, order: Option<DateOrder>) -> Self {
        let files = self.files.into_iter().map(|file| file.with_date_order(order)).collect();
        Self { files, ..self }
    }

    /// Adds another one.
    pub fn extend(&mut self, other: Self) {
        self.files.extend(other.files);
        self.notes.extend(other.notes);
        self.delta_folders.extend(other.delta_folders);
    }
}

impl From<Vec<DataFile>> for Listing {
    fn from(files: Vec<DataFile>) -> Self {
        Self { files, ..Self::default() }
    }
}

/// Something to say of what names lead to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DiscoveryNote {
    /// Nothing that may be wanted is missing.
    Note(String),
    /// Nothing is there, and that is the answer.
    Empty(String),
    /// What may hold rows and is not read.
    Unread {
        /// Why.
        reason: &'static str,
        /// The names of what it is.
        names: Vec<String>,
        /// What makes that it is read; "" where nothing does.
        advice: &'static str,
    },
}

impl DiscoveryNote {
    /// That these are not read, if there are any.
    #[must_use]
    pub fn unread(reason: &'static str, names: Vec<String>, advice: &'static str) -> Option<Self> {
        (!names.is_empty()).then_some(Self::Unread { reason, names, advice })
    }

    /// True if what may hold rows is not read.
    #[must_use]
    pub fn is_damage(&self) -> bool {
        matches!(self, Self::Unread { .. })
    }
}

impl fmt::Display for DiscoveryNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Note(text) | Self::Empty(text) => f.write_str(text),
            Self::Unread { reason, names, advice } => {
                let (first, more) = names.split_at(names.len().min(MOST_NAMED));
                write!(f, "not read: {reason}: {}", first.join(", "))?;
                if !more.is_empty() {
                    write!(f, " and {} more", more.len())?;
                }
                if advice.is_empty() { Ok(()) } else { write!(f, "; {advice}") }
            }
        }
    }
}

/// A number of files, in words.
#[must_use]
pub fn number_of_files(count: usize) -> String {
    if count == 1 { "1 file".to_owned() } else { format!("{count} files") }
}
