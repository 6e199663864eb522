//! Sources and files as messages and manifests show them.

use std::fmt;

use super::Origin;
use crate::storage::files::DataFile;

/// A source as messages and manifests show it.
#[derive(Clone, Debug)]
pub(in crate::cli) struct NamedSource {
    /// The table that the source is bound to; None if known tables are looked for in it.
    pub table: Option<String>,
    /// The path, without secrets in URLs.
    pub path: String,
    /// How it is given: an option, an argument or the catalog file.
    pub from: String,
}

impl NamedSource {
    /// True if the source is given on the command line, not by the catalog file.
    pub fn is_on_command_line(&self) -> bool {
        [Origin::Flag, Origin::Argument, Origin::External].iter().any(|origin| origin.name() == self.from)
    }
}

impl fmt::Display for NamedSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { table, path, from } = self;
        match table {
            Some(table) => write!(f, "source: {table} is read from {path} ({from})"),
            None => write!(f, "source: known tables are looked for in {path} ({from})"),
        }
    }
}

/// An input file.
#[derive(Clone, Debug)]
pub(in crate::cli) struct Input {
    /// The table that the source is bound to; None if known tables are looked for in it.
    pub table: Option<String>,
    /// The file.
    pub file: DataFile,
    /// True if the query declares its format and columns, so that its content says nothing about them.
    pub is_declared: bool,
}
