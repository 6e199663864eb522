//! The rule of what counts as damage.
//!
//! Damage is everything that makes an answer rest on less than the files hold, or on something else: a record, a value
//! or a page that is missing, unreadable or ambiguous. All of it is a warning, ends a strict run with exit code 5, and is
//! listed by `--rejects`, by the manifest and by `sniff`. A note, in contrast, never changes what an answer means.
//!
//! Damage to whole records and files, which is located by byte, is counted in [`super::FileProblems`]; the other kinds
//! are here.

use std::collections::BTreeMap;

use crate::entra::numeric_dates::DateOrder;
use crate::types::Type;

/// Kinds of damage that are told apart; a file may name any number of tables, so the rest is summed up.
const MAX_KINDS: usize = 1_000;

/// Files that a message names; of the rest it says the number.
const FILES_NAMED: usize = 3;

/// One kind of damage, without the file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Damage {
    /// Records of no shape that is known.
    UnrecognisedRecords,
    /// Records that name a table whose columns are not known, where the table decides how they are read.
    UnknownTable(String),
    /// Records of a table whose name is like the one that was asked for, which comes second.
    SimilarTable(String, String),
    /// Values of a datetime column that are no time.
    UnreadableTime(String),
    /// Values that do not fit the type of their column.
    UnreadableValue(String, Type),
    /// Strings of a column that are not UTF-8.
    InvalidUtf8(String),
    /// A part of a Parquet file that is not what was written, told by its checksum; it is not used.
    ChecksumMismatch(String),
    /// Records, or rows of CSV, that are not UTF-8: their other bytes are read as Windows-1252.
    NotUtf8,
    /// Characters of a text in UTF-16 that are cut in half.
    BrokenUtf16,
    /// Strings of a column with halves of surrogate pairs.
    HalfSurrogatePair(String),
    /// Records that name a key again that is read.
    RepeatedKey,
    /// Runs of NUL bytes between records.
    NulBytes,
    /// A CSV file whose end may be missing.
    MayBeCutOff,
    /// A column of a file that cannot be read at all, and why.
    UnreadableColumn(String, String),
    /// Dates of this column that nothing proves to have the day or the month first, with the order in which they are
    /// read.
    AmbiguousDates(String, DateOrder),
    /// Dates of this column, in a file in which some dates have the day first and others the month.
    ContradictoryDates(String),
    /// Strings in this column that are no JSON, although it holds objects or arrays.
    NotJson(String),
    /// Values that PowerShell cut off before they were saved.
    CutByPowerShell(String),
    /// Labels in a CSV of the Entra admin center that stand for no known value of the column.
    UnknownLabel(String),
    /// Sign-ins that do not say how they ended, by the column that would say it.
    MissingResult(String),
    /// The table that was asked for is not in the files, with the tables that are, or nothing.
    MissingTable(String, String),
    /// None of the tables that a wildcard stands for is in the files, with the tables that are.
    MissingTables(String, String),
    /// A stored function that is used instead of the known table of its name.
    HiddenTable(String),
    /// A file that could not be searched for records of this table.
    NotSearched(String),
    /// A file that changed between being listed and being read to its end.
    ChangedFile,
    /// Records with a key that is the name of a column in other case, with the column.
    KeyInOtherCase(String, String),
    /// Files that are not read, with the reason.
    RefusedFile(String),
    /// Hidden files, entries of archives and other things beside the files that are not read; the text names them.
    NotRead(String),
    /// An answer that says itself that it is not whole.
    PartialAnswer,
    /// A table of an answer with fewer rows than the service says that it sent, with both numbers.
    FewerRows(u64, u64),
    /// An error that a service returned in place of records, with its code.
    ErrorAnswer(String),
    /// Keys of records, or columns, that are not in an archive that was made of them; the text names them.
    NotConverted(String),
    /// Pages all of which name a next page, with what they hold.
    MissingPages(String),
    /// More kinds than are told apart.
    Other,
}

impl Damage {
    /// True if each case is written to the rejects by itself where it is found.
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

    /// What happened `count` times, and what it means for the answer. Names of columns and tables may come from the
    /// files; what shows the text makes control characters visible.
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
                format!("skipped {} of {:?}, whose columns are not known", counted("record"), shorten(name))
            }
            Self::SimilarTable(name, table) => format!(
                "skipped {} of {:?}, which may be rows of {table}: bind the files with -t {table}=PATH to read them",
                counted("record"),
                shorten(name)
            ),
            Self::UnreadableTime(column) => format!(
                "{} of {column} cannot be read as a datetime: {they} {is} null here, so a filter on {column} drops the row",
                counted("value")
            ),
            Self::UnreadableValue(column, ty) => {
                format!("{} of {column} cannot be read as {ty}: {they} {is} null here", counted("value"))
            }
            Self::InvalidUtf8(column) => {
                format!("{} of {column} {is} not valid UTF-8: the invalid bytes are replaced here", counted("value"))
            }
            Self::ChecksumMismatch(part) => format!(
                "the checksum of {part} does not match: the file was damaged or changed after it was written; coldcase \
                 verify lists every damaged part"
            ),
            Self::NotUtf8 => format!(
                "{} {is} not in UTF-8: the other bytes are read as Windows-1252, so letters outside ASCII may be wrong",
                counted("record")
            ),
            Self::BrokenUtf16 => {
                format!("{} of a text in UTF-16 {is} incomplete and replaced by U+FFFD here", counted("character"))
            }
            Self::HalfSurrogatePair(column) => {
                format!(
                    "{} of {column} {} half of a surrogate pair, replaced by U+FFFD here",
                    counted("value"),
                    if count == 1 { "has" } else { "have" }
                )
            }
            Self::RepeatedKey => {
                format!(
                    "{} {} the same key twice: the last value counts",
                    counted("record"),
                    if count == 1 { "has" } else { "have" }
                )
            }
            Self::NulBytes => format!(
                "skipped {} of NUL bytes, as interrupted writes leave them: records may be missing there",
                counted("run")
            ),
            Self::MayBeCutOff => {
                "the last line has no line end: the file may have been cut off, and its last row be incomplete"
                    .to_owned()
            }
            Self::UnreadableColumn(column, reason) => {
                let files = if count == 1 { String::new() } else { format!(" in {count} files") };
                format!("column {column} cannot be read{files}: {reason}")
            }
            Self::AmbiguousDates(column, order) => format!(
                "{} of {column} can be read day first or month first, and no value of the file tells which: {they} {} \
                 read {order}; say which it is with --date-order dmy or --date-order mdy",
                counted("value"),
                if count == 1 { "was" } else { "were" }
            ),
            Self::ContradictoryDates(column) => format!(
                "{} of {column} {is} in a file that has both dates with the day first and dates with the month first: \
                 where a date can be either, it was read month first",
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
                "{} of {column} {} cut off by PowerShell, which left only type names: export again with \
                 ConvertTo-Json -Depth 10",
                counted("value"),
                if count == 1 { "was" } else { "were" }
            ),
            Self::UnknownLabel(column) => format!(
                "{} of {column} {is} no label that is known, perhaps of another language of the admin center: {they} {stay} \
                 as {they} {is}, so a filter on {column} may miss the row: download the file as JSON",
                counted("value"),
                stay = if count == 1 { "stays" } else { "stay" },
            ),
            Self::MissingResult(column) => {
                format!("{} without {column}: neither success nor failure is known", counted("sign-in"))
            }
            Self::MissingTable(table, found) => {
                let found = if found.is_empty() { "nor of any other known table" } else { &format!("only {found}") };
                format!("the files contain no {table} records ({found}): finding no rows is not evidence of absence")
            }
            Self::MissingTables(pattern, found) => {
                let found = if found.is_empty() { "no known table" } else { found };
                format!(
                    "the files contain none of the tables that `{pattern}` stands for (they hold {found}): finding no \
                     rows is not evidence of absence"
                )
            }
            Self::HiddenTable(name) => format!(
                "a stored function named {name} is used instead of the table {name}: the answer does not rest on its \
                 records; rename the function, or leave the catalog out with --no-catalog"
            ),
            Self::NotSearched(table) => format!(
                "{} not searched for {table}, for a Parquet file does not name the table of each row: bind the files \
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
                "the key {:?} is {column} in other case and is not read, so {column} is empty here: finding no rows is not \
                 evidence of absence",
                shorten(key)
            ),
            Self::RefusedFile(reason) => format!("not read: {reason}"),
            Self::NotRead(text) => text.clone(),
            Self::NotConverted(names) => {
                format!("values are not in the archive, which has no column for their keys: {names}")
            }
            Self::PartialAnswer | Self::FewerRows(..) | Self::ErrorAnswer(_) | Self::MissingPages(_) => {
                self.describe_answer(count)
            }
            Self::Other => format!("{} of further kinds of damage", counted("case")),
        }
    }
}

impl Damage {
    /// As [`Self::describe`], for what answers of services say about themselves.
    fn describe_answer(&self, count: u64) -> String {
        let pages = if count == 1 { "1 page is".to_owned() } else { format!("{count} pages are each") };
        match self {
            Self::FewerRows(rows, sent) => {
                format!("{rows} rows of an answer that says that it has {sent}: rows are missing")
            }
            Self::ErrorAnswer(code) => {
                let code = shorten(code);
                format!("{pages} an error answer of Microsoft Graph or Azure ({code}): rows are missing")
            }
            Self::MissingPages(context) => format!(
                "the page names a next page (@odata.nextLink) that is not among the files: rows are missing{}",
                if context.is_empty() { String::new() } else { format!(" ({})", shorten(context)) }
            ),
            _ => "the answer says itself that it is partial or had errors: rows are missing".to_owned(),
        }
    }
}

/// Damage by kind, with the number of cases in each file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DamageLog(BTreeMap<Damage, BTreeMap<String, u64>>);

impl DamageLog {
    /// Counts `count` cases in `file`; the name is empty where no single file is to blame. True if neither was there.
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

    /// Takes over the damage of another scan of the same files: what both met is not counted twice.
    pub(crate) fn absorb(&mut self, other: &Self) {
        for (damage, files) in &other.0 {
            let known = self.0.entry(damage.clone()).or_default();
            for (file, count) in files {
                let cases = known.entry(file.clone()).or_default();
                *cases = (*cases).max(*count);
            }
        }
    }

    /// True if there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The kinds, each with the number of cases by file.
    pub fn kinds(&self) -> impl Iterator<Item = (&Damage, &BTreeMap<String, u64>)> {
        self.0.iter()
    }

    /// The same, except for pages that are missing.
    #[must_use]
    pub fn without_missing_pages(mut self) -> Self {
        self.0.retain(|damage, _| !matches!(damage, Damage::MissingPages(_)));
        self
    }

    /// A sentence for each kind, which names the first files.
    #[must_use]
    pub fn messages(&self) -> Vec<String> {
        self.kinds().map(|(damage, files)| message(damage, files)).collect()
    }
}

/// True if a reject is to be written for damage that is found in a file for the first time.
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
