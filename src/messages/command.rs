//! The text of warnings and notes of commands about their inputs and outputs. Those of scans are elsewhere.

use std::fmt;

use super::detection::{AccountWarning, RuleNote, RuleWarning};
use crate::storage::listing::number_of_files;

/// A message of a command that affects what its result means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CommandWarning {
    /// Files with unreadable records that no other message names.
    MoreUnreadable {
        /// The number of files.
        files: usize,
        /// The number of unreadable records in them.
        records: u64,
    },
    /// The number of damaged files that a summary of many files does not name.
    MoreDamaged(usize),
    /// The catalog file in the working folder. It is not used, because it is not trusted.
    CatalogUnused(String),
    /// A path on the command line that is not read, because the query names no table that could be in it.
    NothingToLookFor(String),
    /// An input file that changed while the command ran.
    InputChanged(String),
    /// The number of records that did not fit into the file of `--rejects`.
    RejectsFull(u64),
    /// A result that is written to a folder in which records are searched.
    ResultAmongInputs {
        /// The option that names the result.
        flag: String,
        /// The file of the result.
        file: String,
        /// The folder in which records are searched.
        folder: String,
    },
    /// Unknown tables whose records a conversion leaves out.
    UnknownTables(Vec<String>),
    /// A rule whose backtest is not as expected.
    Rule(RuleWarning),
    /// A problem with emergency accounts.
    Account(AccountWarning),
}

/// A message of a command that does not affect what its result means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CommandNote {
    /// The catalog file that is used.
    CatalogUsed {
        /// The name of the file.
        file: String,
        /// Where the file was found; None if the user named it.
        found_in: Option<&'static str>,
    },
    /// A path on the command line that is bound to a table which the query does not read.
    TableNotRead {
        /// The path as the user wrote it.
        path: String,
        /// The name of the table.
        table: String,
    },
    /// Stdin, which is not read although data may wait there, because the catalog file names the tables.
    StdinNotRead,
    /// Temporary files of an interrupted conversion, which were found and removed.
    RemainsRemoved,
    /// A conversion whose rows an earlier run already added to the archive.
    RowsAddedBefore,
    /// Keys for which a table of an archive gets columns of its own.
    ColumnsAdded {
        /// The name of the table.
        table: String,
        /// The names of the keys, in quotes.
        names: String,
    },
    /// A file in a folder of rules that has no known kind of rule.
    NoRule(String),
    /// A rule of a kind that has no query.
    RuleWithoutQuery {
        /// The name of the file.
        file: String,
        /// The name of the rule; None if it has none.
        rule: Option<String>,
    },
    /// A rule in a folder that makes no alerts.
    NoAlertRule {
        /// The name of the file.
        file: String,
        /// The name of the rule; None if it has none.
        rule: Option<String>,
    },
    /// A note about what a backtest found out about a rule.
    Rule(RuleNote),
    /// Files that cannot be verified, because they have no checksums.
    NoChecksums {
        /// The names of the first files.
        names: Vec<String>,
        /// True if there are more files.
        more: bool,
    },
    /// Files that were verified, but whose archives have no list of their files; the number of these files.
    NoFileList(usize),
}

impl fmt::Display for CommandWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MoreUnreadable { files, records } => {
                write!(f, "{files} more files with {records} unreadable records")
            }
            Self::MoreDamaged(files) => write!(f, "{files} more files are damaged; sniff lists them without --summary"),
            Self::CatalogUnused(file) => write!(
                f,
                "the catalog {file} of the working folder is not used: it is beside the input files and may have come \
                 with them; to use it, add -c {file}; to silence this warning, add --no-catalog"
            ),
            Self::NothingToLookFor(path) => {
                write!(f, "{path} is not read: the query names no table to look for in it")
            }
            Self::InputChanged(file) => write!(
                f,
                "{file} changed after it was listed: the hash in the manifest may not be that of the bytes that were \
                 read"
            ),
            Self::RejectsFull(left_out) => {
                write!(f, "--rejects is full: {left_out} more unreadable records were not written to it")
            }
            Self::ResultAmongInputs { flag, file, folder } => write!(
                f,
                "{flag} {file} is inside {folder}, which is searched for records: the next run over that folder would \
                 read it as evidence; write it elsewhere, or describe it by a manifest in the folder (--manifest \
                 FILE.json)"
            ),
            Self::UnknownTables(names) => {
                let names: Vec<String> = names.iter().map(|name| format!("{name:?}")).collect();
                let names = names.join(", ");
                write!(
                    f,
                    "records of {names} were not converted, because these tables are not known: bind their files with \
                     -t NAME=PATH"
                )
            }
            Self::Rule(warning) => warning.fmt(f),
            Self::Account(warning) => warning.fmt(f),
        }
    }
}

impl fmt::Display for CommandNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CatalogUsed { file, found_in: None } => write!(f, "using the catalog {file}"),
            Self::CatalogUsed { file, found_in: Some(place) } => write!(f, "using the catalog {file} of {place}"),
            Self::TableNotRead { path, table } => {
                write!(f, "{path} is not read: it is bound to {table}, which the query does not name")
            }
            Self::StdinNotRead => {
                f.write_str("stdin is not read, because the catalog names the tables; to read it, give - as a PATH")
            }
            Self::RemainsRemoved => f.write_str("removed the remains of an interrupted conversion"),
            Self::RowsAddedBefore => f.write_str(
                "an interrupted run of this conversion had already added these rows: nothing is added again",
            ),
            Self::ColumnsAdded { table, names } => write!(
                f,
                "records of {table} have keys that are not columns of the table; the archive has columns for them: \
                 {names}"
            ),
            Self::NoRule(file) => write!(f, "{file}: skipped, because no rule is recognised in it"),
            Self::RuleWithoutQuery { file, rule } => {
                let rule = rule.as_ref().map_or("a rule".to_owned(), |rule| format!("`{rule}`"));
                write!(f, "{file}: {rule} is skipped, because its kind has no query")
            }
            Self::NoAlertRule { file, rule } => {
                let rule = rule.as_ref().map_or("a rule".to_owned(), |rule| format!("`{rule}`"));
                write!(f, "{file}: {rule} is skipped, because it is no alert rule")
            }
            Self::Rule(note) => note.fmt(f),
            Self::NoChecksums { names, more } => {
                let more = if *more { ", ..." } else { "" };
                let names = names.join(", ");
                write!(f, "skipped files without checksums (only Parquet files have them): {names}{more}")
            }
            Self::NoFileList(files) => write!(
                f,
                "the archive of {} has no list of its files, because an earlier version made it or the list was not \
                 copied: whether files are missing is unknown",
                number_of_files(*files)
            ),
        }
    }
}
