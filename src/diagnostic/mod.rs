//! Errors and diagnostics: what went wrong, where, and who can fix it.
//!
//! [`Error`] has one variant for each party at fault, because callers act on that: a wrong query is up to its author, a
//! damaged file to whoever made the archive, and a limit to this program. A [`Diagnostic`] always has a [`Code`] and a
//! [`Span`], so that every message about a query has a number and a position.

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
pub use sources::{Region, Sources};
pub use span::{Span, Spanned};
pub use suggest::{is_misspelt, suggest};
pub use visible::{is_unsafe_to_show, visible, visible_json, visible_lines};

/// The result of any operation that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The reason why there is no result, by who is at fault.
#[derive(Debug)]
pub enum Error {
    /// The query is wrong, or uses something that is not supported yet (see [`Code::family`]).
    Query(Vec<Diagnostic>),
    /// The command line is wrong.
    Usage(String),
    /// A file contains something that cannot be read.
    Data {
        /// The file, as named by the user or found in a folder.
        file: String,
        /// The position in the file, such as a line, a byte offset or a row group; None if it concerns the whole file.
        place: Option<String>,
        /// What is wrong, and what to do.
        reason: String,
    },
    /// The operating system refused: a file is missing or unreadable, or the disk is full.
    Io {
        /// The path of the file or folder that the operation was about.
        path: PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// A limit was exceeded; the message says which, and how to raise it.
    Limit(String),
    /// The results of the function of this name are too large for one batch; a batch of fewer rows may succeed.
    BatchTooLarge(&'static str),
    /// The user stopped the run.
    Cancelled,
    /// The error was reported already; this is the exit code of the process.
    Reported(u8),
    /// An invariant of this program does not hold, which is a bug.
    Internal(String),
}

impl Error {
    /// Creates an error about a query from a single diagnostic.
    pub fn query(code: Code, span: Span, message: impl Into<String>) -> Self {
        Diagnostic::new(code, span, message).into()
    }

    /// Creates an internal error: an invariant that does not hold.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::Internal(message.into())
    }

    /// Creates an error for a file that cannot be read.
    pub fn io(path: impl Into<PathBuf>, source: std::io::Error) -> Self {
        Self::Io { path: path.into(), source }
    }

    /// Sets the span of those diagnostics that have none. Functions do not know where they are called, so the caller
    /// adds it.
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

    /// True if the error is that the disk, or the user's share of it, is full.
    #[must_use]
    pub fn is_full_disk(&self) -> bool {
        use std::io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
        matches!(self, Self::Io { source, .. } if matches!(source.kind(), StorageFull | QuotaExceeded | FileTooLarge))
    }

    /// Returns the process exit code of this error.
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
    /// Converts to an internal error: Arrow's kernels fail only for types and lengths that the binder has excluded.
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
                "{}: the disk is full ({source}): free some space, or write elsewhere (-O for results, --temp-dir for \
                 temporary files)",
                path.display()
            ),
            Self::Io { path, source } => write!(f, "{}: {source}", path.display()),
            Self::BatchTooLarge(function) => {
                write!(f, "the results of `{function}` take too much memory together; narrow the query down")
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

/// The severity of a diagnostic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// The query cannot run.
    Error,
    /// The query runs, but may not mean what its author intended.
    Warning,
}

/// A second position that explains the position of a diagnostic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// The second position, in the source text.
    pub span: Span,
    /// How the position is related to the diagnostic.
    pub message: String,
}

/// A message about the text of a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// The number of the message.
    pub code: Code,
    /// The position of the words in the query that are wrong.
    pub span: Span,
    /// What is wrong: in lower case, without a full stop, and with quotes only around source text.
    pub message: String,
    /// A note that is printed below the underlined words, if it adds to the message.
    pub note_at_span: Option<String>,
    /// Other positions that explain the message.
    pub labels: Vec<Label>,
    /// Advice on how to solve the problem.
    pub help: Vec<String>,
}

impl Diagnostic {
    /// Creates a diagnostic.
    pub fn new(code: Code, span: Span, message: impl Into<String>) -> Self {
        Self { code, span, message: message.into(), note_at_span: None, labels: Vec::new(), help: Vec::new() }
    }

    /// Sets the note below the underlined words.
    #[must_use]
    pub fn at(mut self, note: impl Into<String>) -> Self {
        self.note_at_span = Some(note.into());
        self
    }

    /// Adds another position that explains the position of this diagnostic.
    #[must_use]
    pub fn label(mut self, span: Span, message: impl Into<String>) -> Self {
        self.labels.push(Label { span, message: message.into() });
        self
    }

    /// Adds advice on what to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help.push(help.into());
        self
    }

    /// Adds "did you mean" as help, if one of `candidates` is similar.
    #[must_use]
    pub fn suggest<'a>(self, wrong: &str, candidates: impl IntoIterator<Item = &'a str>) -> Self {
        match suggest(wrong, candidates) {
            Some(name) => self.help(format!("did you mean `{name}`?")),
            None => self,
        }
    }

    /// Returns the severity, which depends on the code.
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
            // A query that is both wrong and unsupported is reported as wrong.
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
