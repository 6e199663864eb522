//! What went wrong, where, and whose fault it is.
//!
//! [`Error`] has one variant per party at fault, because that is what a caller acts on: a wrong query is the
//! author's, a wrong file the archive's, a limit ours. A [`Diagnostic`] cannot be built without a [`Code`] and a
//! [`Span`], so no message of the language lacks its place or its number.

mod code;
mod render;
mod sources;
mod span;
mod suggest;
mod visible;

use std::fmt;
use std::path::PathBuf;

pub use code::{CODES, Code, CodeInfo, Family};
pub use render::{Style, render, render_json, render_line};
pub use sources::Sources;
pub use span::{Span, Spanned};
pub use suggest::suggest;
pub use visible::{is_unsafe_to_show, visible, visible_json, visible_lines};

/// The result of everything that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why there is no answer, by whose fault it is.
#[derive(Debug)]
pub enum Error {
    /// The query is wrong, or uses what is not supported yet (see [`Code::family`]).
    Query(Vec<Diagnostic>),
    /// The command was called wrongly.
    Usage(String),
    /// A file holds something that cannot be read.
    Data {
        /// The file, as named by the user or found in a folder.
        file: String,
        /// The place inside it: a line, a byte offset, a row group.
        place: Option<String>,
        /// What is wrong, and what to do.
        reason: String,
    },
    /// The machine is in the way: a file is missing, unreadable, or the disk is full.
    Io {
        /// The path that was asked for.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// A limit was hit; the text says which and how to raise it.
    Limit(String),
    /// The results of the function of this name are too large together for the rows of one batch: fewer rows at a time
    /// may do.
    BatchTooLarge(&'static str),
    /// The user stopped the run.
    Cancelled,
    /// Said already; what is left is the exit code.
    Reported(u8),
    /// An invariant of ours does not hold: a bug.
    Internal(String),
}

impl Error {
    /// A query error with one diagnostic.
    pub fn query(code: Code, span: Span, message: impl Into<String>) -> Self {
        Diagnostic::new(code, span, message).into()
    }

    /// A bug: an invariant that does not hold.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::Internal(message.into())
    }

    /// A file that cannot be read, with its path.
    pub fn io(path: impl Into<PathBuf>, source: std::io::Error) -> Self {
        Self::Io { path: path.into(), source }
    }

    /// The same, with messages about no place in particular pointing at `span`: functions do not know where they are
    /// called.
    #[must_use]
    pub fn placed(self, span: Span) -> Self {
        match self {
            Self::Query(mut diagnostics) => {
                let nowhere = diagnostics.iter_mut().filter(|diagnostic| diagnostic.span == Span::default());
                nowhere.for_each(|diagnostic| diagnostic.span = span);
                Self::Query(diagnostics)
            }
            other => other,
        }
    }

    /// True if there was no room for what was to be written.
    #[must_use]
    pub fn is_full_disk(&self) -> bool {
        use std::io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
        matches!(self, Self::Io { source, .. } if matches!(source.kind(), StorageFull | QuotaExceeded | FileTooLarge))
    }

    /// The process exit code that stands for this error.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Query(list) if list.iter().all(|d| d.code == Code::NothingToRead) => 2,
            Self::Query(list) if list.iter().all(|d| d.code.family() == Family::Unsupported) => 4,
            Self::Query(_) => 3,
            Self::Usage(_) => 2,
            Self::Io { .. } if self.is_full_disk() => 6,
            Self::Data { .. } | Self::Io { .. } => 5,
            Self::Limit(_) | Self::BatchTooLarge(_) => 6,
            Self::Cancelled => 130,
            Self::Reported(code) => *code,
            Self::Internal(_) => 70,
        }
    }
}

impl From<Diagnostic> for Error {
    fn from(diagnostic: Diagnostic) -> Self {
        Self::Query(vec![diagnostic])
    }
}

impl From<arrow::error::ArrowError> for Error {
    /// Arrow's kernels only fail on shapes the binder has already ruled out.
    fn from(error: arrow::error::ArrowError) -> Self {
        Self::Internal(format!("arrow: {error}"))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Query(list) => {
                for (index, diagnostic) in list.iter().enumerate() {
                    if index > 0 {
                        writeln!(f)?;
                    }
                    write!(f, "{diagnostic}")?;
                }
                Ok(())
            }
            Self::Usage(message) | Self::Limit(message) => f.write_str(message),
            Self::Data { file, place: Some(place), reason } => write!(f, "{file}: {place}: {reason}"),
            Self::Data { file, place: None, reason } => write!(f, "{file}: {reason}"),
            Self::Io { path, source } if self.is_full_disk() => write!(
                f,
                "{}: no room left to write ({source}): free some disk space, or write somewhere else (-O for answers, \
                 --temp-dir for temporary files)",
                path.display()
            ),
            Self::Io { path, source } => write!(f, "{}: {source}", path.display()),
            Self::BatchTooLarge(function) => {
                write!(f, "`{function}` makes values that take too much memory together; narrow the query down")
            }
            Self::Cancelled => f.write_str("stopped"),
            Self::Reported(_) => Ok(()),
            Self::Internal(message) => {
                write!(f, "internal error: {message}; this is a bug in coldcase, please report it with the query")
            }
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { source, .. } => Some(source),
            _ => None,
        }
    }
}

/// How much a diagnostic matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// The query cannot run.
    Error,
    /// The query runs, but may not mean what its author thinks.
    Warning,
}

/// A second place that explains the first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// The place.
    pub span: Span,
    /// What it has to do with it.
    pub message: String,
}

/// One message about the text of a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Its number.
    pub code: Code,
    /// The words that are wrong.
    pub span: Span,
    /// What is wrong: lower case, no full stop, quotes only around source text.
    pub message: String,
    /// What stands under the underline, where it says more than the message.
    pub note_at_span: Option<String>,
    /// Other places that explain it.
    pub labels: Vec<Label>,
    /// What to do about it.
    pub help: Vec<String>,
}

impl Diagnostic {
    /// A message with its number and its place.
    pub fn new(code: Code, span: Span, message: impl Into<String>) -> Self {
        Self { code, span, message: message.into(), note_at_span: None, labels: Vec::new(), help: Vec::new() }
    }

    /// The text under the underline.
    #[must_use]
    pub fn at(mut self, note: impl Into<String>) -> Self {
        self.note_at_span = Some(note.into());
        self
    }

    /// Another place that explains this one.
    #[must_use]
    pub fn label(mut self, span: Span, message: impl Into<String>) -> Self {
        self.labels.push(Label { span, message: message.into() });
        self
    }

    /// What to do about it.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help.push(help.into());
        self
    }

    /// "did you mean" as help, where `candidates` holds a likely one.
    #[must_use]
    pub fn suggest<'a>(self, wrong: &str, candidates: impl IntoIterator<Item = &'a str>) -> Self {
        match suggest(wrong, candidates) {
            Some(name) => self.help(format!("did you mean `{name}`?")),
            None => self,
        }
    }

    /// Error or warning, by its code.
    #[must_use]
    pub fn severity(&self) -> Severity {
        if self.code.family() == Family::Warning { Severity::Warning } else { Severity::Error }
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code.info().id, self.message)?;
        for help in &self.help {
            write!(f, " ({help})")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::{Code, Diagnostic, Error, Span};

    #[test]
    fn each_party_at_fault_has_its_exit_code() {
        let of = |codes: &[Code]| codes.iter().map(|code| Diagnostic::new(*code, Span::default(), "")).collect();
        let data = Error::Data { file: String::new(), place: None, reason: String::new() };
        let cases = [
            (Error::Usage(String::new()), 2),
            (Error::Query(of(&[Code::UnknownColumn])), 3),
            // A query that is wrong as well is wrong.
            (Error::Query(of(&[Code::UnsupportedFunction, Code::UnknownColumn])), 3),
            (Error::Query(of(&[Code::UnsupportedFunction, Code::UnsupportedOperator])), 4),
            (Error::io("", io::ErrorKind::NotFound.into()), 5),
            (data, 5),
            (Error::io("", io::ErrorKind::StorageFull.into()), 6),
            (Error::Limit(String::new()), 6),
            (Error::internal(""), 70),
            (Error::Cancelled, 130),
            (Error::Reported(9), 9),
        ];
        for (error, code) in cases {
            assert_eq!(error.exit_code(), code, "{error:?}");
        }
    }
}
