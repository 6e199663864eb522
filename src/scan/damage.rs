//! The kinds of damage.
//!
//! Damage is everything that makes a result incomplete or doubtful: a record, a value or a page that is missing,
//! unreadable or ambiguous. All damage is reported as a warning, ends a strict run with exit code 5, and is listed by
//! `--rejects`, the manifest and `sniff`. Notes, in contrast, never change what a result means.
//!
//! Lost records and files, which are located by byte, are counted in [`super::FileProblems`]; the other kinds are here.

use std::collections::BTreeMap;

use crate::entra::numeric_dates::DateOrder;
use crate::types::Type;

/// Maximum number of different damages; a file may name any number of tables, so further ones are counted together.
const MAX_KINDS: usize = 1_000;

/// Maximum number of files that a message names; the rest are counted.
const FILES_NAMED: usize = 3;

/// A kind of damage, without the file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Damage {
    /// Records of unrecognised export shape.
    UnrecognisedRecords,
    /// Records that name a table that is not a known table.
    UnknownTable(String),
    /// Records of a table (first) whose name is similar to that of the queried table (second).
    SimilarTable(String, String),
    /// Values of a datetime column that are not datetimes.
    UnreadableTime(String),
    /// Values that do not fit the type of their column.
    UnreadableValue(String, Type),
    /// Strings of a column that are not UTF-8.
    InvalidUtf8(String),
    /// A part of a Parquet file whose checksum does not match; it is not used.
    ChecksumMismatch(String),
    /// Records or CSV rows that are not UTF-8: their invalid bytes are read as Windows-1252.
    NotUtf8,
    /// Incomplete characters in a UTF-16 file.
    BrokenUtf16,
    /// Strings of a column with unpaired surrogates.
    HalfSurrogatePair(String),
    /// Records with a duplicate of a key that is read.
    RepeatedKey,
    /// Runs of NUL bytes between records.
    NulBytes,
    /// A CSV file that may be truncated.
    MayBeCutOff,
    /// A column of a file that cannot be read, with the reason.
    UnreadableColumn(String, String),
    /// Dates of a column that may have the day or the month first, with the order in which they are read.
    AmbiguousDates(String, DateOrder),
    /// Dates of a column in a file that has both day-first and month-first dates.
    ContradictoryDates(String),
    /// Strings of a column of objects or arrays that are not JSON.
    NotJson(String),
    /// Values of a column that PowerShell truncated when they were exported.
    CutByPowerShell(String),
    /// Labels of a column in a CSV of the Entra admin center that correspond to no known value.
    UnknownLabel(String),
    /// Sign-ins without a result, with the column of the result.
    MissingResult(String),
    /// The files contain no records of the queried table (first); the tables that they contain (second).
    MissingTable(String, String),
    /// The files contain none of the tables that a wildcard (first) matches; the tables that they contain (second).
    MissingTables(String, String),
    /// A stored function that hides the known table of the same name.
    HiddenTable(String),
    /// Files that could not be searched for records of this table.
    NotSearched(String),
    /// A file that changed between listing and the end of reading.
    ChangedFile,
    /// Records with a key (first) that differs only in case from the name of a column (second).
    KeyInOtherCase(String, String),
    /// Files that were not read, with the reason.
    RefusedFile(String),
    /// Skipped files and archive entries, such as hidden ones; the text names them.
    NotRead(String),
    /// A response that says that it is partial.
    PartialAnswer,
    /// A response with fewer rows (first) than it says that it has (second).
    FewerRows(u64, u64),
    /// Error responses in place of records, with the error code.
    ErrorAnswer(String),
    /// Keys or columns that were not converted into an archive; the text names them.
    NotConverted(String),
    /// A page that names a next page that is missing, with the kind of its records.
    MissingPages(String),
    /// Further damage beyond the maximum number of kinds.
    Other,
}

impl Damage {
    /// True if the code that finds it writes each case to the rejects.
    fn is_listed_by_case(&self) -> bool {
        matches!(
            self,
            Self::UnrecognisedRecords
                | Self::UnknownTable(_)
                | Self::SimilarTable(..)
                | Self::RefusedFile(_)
                | Self::NotRead(_)
        )
    }

    /// Describes `count` cases of the damage and what they mean for the result. Names of columns and tables may come
    /// from the files: whoever prints the text must escape control characters.
    #[must_use]
    #[expect(clippy::too_many_lines, reason = "a sentence for each kind")]
    pub fn describe(&self, count: u64) -> String {
        let counted = |noun: &str| match count {
            1 => format!("1 {noun}"),
            _ => format!("{count} {noun}s"),
        };
        let (is, they) = if count == 1 { ("is", "it") } else { ("are", "they") };
        match self {
            Self::UnrecognisedRecords => format!("skipped {} of unrecognised shape", counted("record")),
            Self::UnknownTable(name) => {
                format!("skipped {} of {:?}, which is not a known table", counted("record"), shorten(name))
            }
            Self::SimilarTable(name, table) => format!(
                "skipped {} of {:?}, which may be rows of {table}: bind the files with -t {table}=PATH to read them",
                counted("record"),
                shorten(name)
            ),
            Self::UnreadableTime(column) => format!(
                "{} of {column} cannot be read as a datetime: {they} {is} null here, so a filter on \
                 {column} drops the row",
                counted("value")
            ),
            Self::UnreadableValue(column, ty) => {
                format!("{} of {column} cannot be read as {ty}: {they} {is} null here", counted("value"))
            }
            Self::InvalidUtf8(column) => {
                format!("{} of {column} {is} not valid UTF-8: the invalid bytes are replaced here", counted("value"))
            }
            Self::ChecksumMismatch(part) => format!(
                "the checksum of {part} does not match: the file was damaged or changed after it was written; \
                 `coldcase verify` lists every damaged part"
            ),
            Self::NotUtf8 => format!(
                "{} {is} not valid UTF-8: the invalid bytes are read as Windows-1252, so non-ASCII letters may be \
                 wrong",
                counted("record")
            ),
            Self::BrokenUtf16 => {
                format!("{} of a UTF-16 file {is} incomplete and replaced by U+FFFD here", counted("character"))
            }
            Self::HalfSurrogatePair(column) => {
                format!(
                    "{} of {column} {} an unpaired surrogate, replaced by U+FFFD here",
                    counted("value"),
                    if count == 1 { "has" } else { "have" }
                )
            }
            Self::RepeatedKey => {
                format!(
                    "{} {} a duplicate key: the last value is used",
                    counted("record"),
                    if count == 1 { "has" } else { "have" }
                )
            }
            Self::NulBytes => format!(
                "skipped {} of NUL bytes, probably left by an interrupted write: records may be missing there",
                counted("run")
            ),
            Self::MayBeCutOff => {
                "the last line has no line end: the file may be truncated and its last row incomplete".to_owned()
            }
            Self::UnreadableColumn(column, reason) => {
                let files = if count == 1 { String::new() } else { format!(" in {count} files") };
                format!("column {column} cannot be read{files}: {reason}")
            }
            Self::AmbiguousDates(column, order) => format!(
                "{} of {column} may have the day or the month first, and no value of the file decides it: {they} {} \
                 read {order}; specify the order with --date-order dmy or --date-order mdy",
                counted("value"),
                if count == 1 { "was" } else { "were" }
            ),
            Self::ContradictoryDates(column) => format!(
                "{} of {column} {is} in a file that has both day-first and month-first dates: ambiguous dates were \
                 read month first",
                counted("value")
            ),
            Self::NotJson(column) => {
                format!(
                    "{} of {column} {is} not JSON: every path into {} is empty",
                    counted("value"),
                    match count {
                        1 => "it",
                        _ => "them",
                    }
                )
            }
            Self::CutByPowerShell(column) => format!(
                "{} of {column} {} truncated by PowerShell, which left only type names: export again with \
                 ConvertTo-Json -Depth 10",
                counted("value"),
                if count == 1 { "was" } else { "were" }
            ),
            Self::UnknownLabel(column) => format!(
                "{} of {column} {is} not a known label, perhaps because the admin center used another language: {they} \
                 {stay} unchanged, so a filter on {column} may miss the row; download the file as JSON instead",
                counted("value"),
                stay = if count == 1 { "stays" } else { "stay" },
            ),
            Self::MissingResult(column) => {
                format!("{} without {column}: success or failure is unknown", counted("sign-in"))
            }
            Self::MissingTable(table, found) => {
                let found = if found.is_empty() { "nor of any other known table" } else { &format!("only {found}") };
                format!("the files contain no {table} records ({found}): finding no rows is not evidence of absence")
            }
            Self::MissingTables(pattern, found) => {
                let found = if found.is_empty() { "no known table" } else { found };
                format!(
                    "the files contain none of the tables that `{pattern}` matches (they contain {found}): finding no \
                     rows is not evidence of absence"
                )
            }
            Self::HiddenTable(name) => format!(
                "the stored function {name} hides the table {name}, whose records are not read: rename the function, \
                 or ignore the catalog with --no-catalog"
            ),
            Self::NotSearched(table) => format!(
                "{} not searched for {table}, because Parquet files do not name the table of each row: bind the files \
                 with -t {table}=PATH",
                match count {
                    1 => "1 Parquet file was".to_owned(),
                    _ => format!("{count} Parquet files were"),
                }
            ),
            Self::ChangedFile => {
                format!("{} changed while being read: rows may be missing, or mixed from two versions", counted("file"))
            }
            Self::KeyInOtherCase(key, column) => format!(
                "the key {:?} differs from {column} in case and is not read, so {column} is empty here: finding no rows is \
                 not evidence of absence",
                shorten(key)
            ),
            Self::RefusedFile(reason) => format!("not read: {reason}"),
            Self::NotRead(text) => text.clone(),
            Self::NotConverted(names) => {
                format!("the archive has no columns for these keys, and their values are not in it: {names}")
            }
            Self::PartialAnswer | Self::FewerRows(..) | Self::ErrorAnswer(_) | Self::MissingPages(_) => {
                self.describe_response(count)
            }
            Self::Other => format!("{} of further kinds of damage", counted("case")),
        }
    }
}

impl Damage {
    /// Like [`Self::describe`], for damage that responses of services report themselves.
    fn describe_response(&self, count: u64) -> String {
        let pages = if count == 1 { "1 page is".to_owned() } else { format!("{count} pages are each") };
        match self {
            Self::FewerRows(rows, sent) => {
                format!("the response has {rows} rows, but says that it has {sent}: rows are missing")
            }
            Self::ErrorAnswer(code) => {
                let code = shorten(code);
                format!("{pages} an error response of Microsoft Graph or Azure ({code}): rows are missing")
            }
            Self::MissingPages(context) => format!(
                "the page names a next page (@odata.nextLink) that is not among the files: rows are missing{}",
                if context.is_empty() { String::new() } else { format!(" ({})", shorten(context)) }
            ),
            _ => "the response says that it is partial or had errors: rows are missing".to_owned(),
        }
    }
}

/// All damage by kind, with the number of cases in each file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DamageLog(BTreeMap<Damage, BTreeMap<String, u64>>);

impl DamageLog {
    /// Counts `count` cases in `file`, which is empty for damage of no single file. Returns true for the first case of
    /// this kind in the file.
    pub(crate) fn add(&mut self, damage: Damage, file: &str, count: u64) -> bool {
        let known = self.0.contains_key(&damage) || self.0.len() < MAX_KINDS;
        let files = self.0.entry(if known { damage } else { Damage::Other }).or_default();
        if let Some(cases) = files.get_mut(file) {
            *cases += count;
            return false;
        }
        files.insert(file.to_owned(), count);
        true
    }

    /// Merges the damage of another scan of the same files; damage that both scans found is not counted twice.
    pub(crate) fn absorb(&mut self, other: &Self) {
        for (damage, files) in &other.0 {
            let known = self.0.entry(damage.clone()).or_default();
            for (file, count) in files {
                let cases = known.entry(file.clone()).or_default();
                *cases = (*cases).max(*count);
            }
        }
    }

    /// True if there is no damage.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The kinds of damage, each with the number of cases by file.
    pub fn kinds(&self) -> impl Iterator<Item = (&Damage, &BTreeMap<String, u64>)> {
        self.0.iter()
    }

    /// Removes missing pages.
    #[must_use]
    pub fn without_missing_pages(mut self) -> Self {
        self.0.retain(|damage, _| !matches!(damage, Damage::MissingPages(_)));
        self
    }

    /// A message for each kind, which names the first files.
    #[must_use]
    pub fn messages(&self) -> Vec<String> {
        self.kinds().map(|(damage, files)| message(damage, files)).collect()
    }
}

/// True if the first case of this damage in a file is written to the rejects.
pub(crate) fn is_reject(damage: &Damage, file: &str) -> bool {
    !file.is_empty() && !damage.is_listed_by_case()
}

fn message(damage: &Damage, files: &BTreeMap<String, u64>) -> String {
    let count = files.values().sum();
    let text = damage.describe(count);
    let named: Vec<&String> = files.keys().filter(|file| !file.is_empty()).collect();
    let list = match named.as_slice() {
        [] => return text,
        [file] => (*file).clone(),
        several => {
            let first = several.iter().take(FILES_NAMED).map(|file| format!("{file} {}", files[*file]));
            let mut list: Vec<String> = first.collect();
            if let Some(more) = several.len().checked_sub(FILES_NAMED).filter(|more| *more > 0) {
                let cases: u64 = several.iter().skip(FILES_NAMED).map(|file| files[*file]).sum();
                list.push(format!("{more} more files {cases}"));
            }
            list.join(", ")
        }
    };
    format!("{text}: {list}")
}

fn shorten(name: &str) -> String {
    name.chars().take(64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_counts_all_files_and_names_the_first() {
        let mut log = DamageLog::default();
        assert!(log.add(Damage::UnrecognisedRecords, "a.json", 2));
        assert!(!log.add(Damage::UnrecognisedRecords, "a.json", 1));
        assert_eq!(log.messages(), ["skipped 3 records of unrecognised shape: a.json"]);
        for file in ["b.json", "c.json", "d.json", "e.json"] {
            log.add(Damage::UnrecognisedRecords, file, 1);
        }
        let several = "skipped 7 records of unrecognised shape: a.json 3, b.json 1, c.json 1, 2 more files 2";
        assert_eq!(log.messages(), [several]);
        let mut other = log.clone();
        other.add(Damage::UnreadableTime("TimeGenerated".to_owned()), "a.json", 1);
        log.absorb(&other);
        assert_eq!(log, other, "both scans met the same damage");
    }

    #[test]
    fn attackers_cannot_make_any_number_of_kinds() {
        let mut log = DamageLog::default();
        (0..10 * MAX_KINDS).for_each(|name| _ = log.add(Damage::UnknownTable(name.to_string()), "a.json", 1));
        assert!(log.kinds().count() <= MAX_KINDS + 1);
        assert_eq!(log.kinds().flat_map(|(_, files)| files.values()).sum::<u64>(), 10 * MAX_KINDS as u64);
    }
}
