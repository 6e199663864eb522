//! The kinds of damage.
//!
//! Damage is everything that makes a result incomplete or doubtful: a record, a value or a page that is missing,
//! unreadable or ambiguous. All damage is reported as a warning, ends a strict run with exit code 5, and is listed by
//! `--rejects`, the manifest and `sniff`. Notes, in contrast, never change what a result means.
//!
//! Lost records and lost files are counted in [`super::FileProblems`], with their positions. The other kinds of
//! damage are here.

use std::collections::BTreeMap;

use crate::entra::numeric_dates::DateOrder;
use crate::functions::Doubt;
use crate::storage::listing::DiscoveryNote;
use crate::types::Type;

/// Maximum number of different kinds of damage with their details. Files may name any number of tables, so further
/// kinds are counted together.
const MAX_KINDS: usize = 1_000;

/// A kind of damage, with its details but without its file.
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
    /// Byte sequences that are not characters in this encoding, which the user specified.
    Undecodable(String),
    /// A file that is valid UTF-8, but is read in this encoding, because the user specified it.
    ProbablyUtf8(String),
    /// Strings of a column with unpaired surrogates.
    HalfSurrogatePair(String),
    /// Records in which a key that the query reads occurs more than once.
    RepeatedKey,
    /// Runs of NUL bytes between records.
    NulBytes,
    /// A CSV file that may be truncated.
    MayBeCutOff,
    /// A column of a file that cannot be read (first), and the reason (second).
    UnreadableColumn(String, String),
    /// Dates of a column that may have the day or the month first, and the order in which they are read.
    AmbiguousDates(String, DateOrder),
    /// Dates of a column in a file that has both day-first and month-first dates.
    ContradictoryDates(String),
    /// Strings of a column of objects or arrays that are not JSON.
    NotJson(String),
    /// Values of a column that PowerShell truncated when they were exported.
    CutByPowerShell(String),
    /// Labels of a column in a CSV of the Entra admin center that correspond to no known value.
    UnknownLabel(String),
    /// Sign-ins without a result; the name of the column of the result.
    MissingResult(String),
    /// Rows without a value in this column, which has times.
    MissingTime(String),
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
    /// Files and archive entries that were skipped, such as hidden ones, and files that are missing from an archive.
    NotRead(DiscoveryNote),
    /// A response that states that it is partial.
    PartialAnswer,
    /// Previews of a streamed search whose final results are missing.
    OnlyPreviews,
    /// A response with fewer rows (first) than it states (second).
    FewerRows(u64, u64),
    /// Error responses in place of records; the error code.
    ErrorAnswer(String),
    /// Keys or columns that were not converted into an archive; their names.
    NotConverted(String),
    /// A page that names a next page which is missing; the kind of its records.
    MissingPages(String),
    /// Pages of a response that have fewer records (first) than they state that there are (second).
    MissingRecords(u64, u64),
    /// A response of version 2 of the query API of Kusto that ends before all of its frames.
    MissingFrames,
    /// Damage to the original files of an archive; the message in its footer.
    Archived(String),
    /// Values for which a function has no certain result.
    Doubt(Doubt),
    /// Further damage beyond the maximum number of kinds.
    Other,
}

impl Damage {
    /// True if the code that finds the damage writes each case to the rejects itself.
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
}

/// All damage of a run by kind, with the number of cases in each file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DamageLog(BTreeMap<Damage, BTreeMap<String, u64>>);

impl DamageLog {
    /// Counts `count` cases in `file`, which is "" for damage that concerns no single file. Returns true for the
    /// first case of this kind in the file.
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

    /// Merges the damage of another scan of the same files. Damage that both scans found is not counted twice.
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

    /// Returns the kinds of damage, each with the number of cases by file.
    pub fn kinds(&self) -> impl Iterator<Item = (&Damage, &BTreeMap<String, u64>)> {
        self.0.iter()
    }

    /// Returns the damage without missing pages.
    #[must_use]
    pub fn without_missing_pages(mut self) -> Self {
        self.0.retain(|damage, _| !matches!(damage, Damage::MissingPages(_) | Damage::MissingRecords(..)));
        self
    }
}

/// True if the first case of this damage in a file is written to the rejects by the report.
pub(crate) fn is_reject(damage: &Damage, file: &str) -> bool {
    !file.is_empty() && !damage.is_listed_by_case()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_first_case_in_a_file_is_new() {
        let mut log = DamageLog::default();
        assert!(log.add(Damage::UnrecognisedRecords, "a.json", 2));
        assert!(!log.add(Damage::UnrecognisedRecords, "a.json", 1));
        assert_eq!(
            log.kinds().next(),
            Some((&Damage::UnrecognisedRecords, &BTreeMap::from([("a.json".to_owned(), 3)])))
        );
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
