//! The state that the partitions of one scan share, and the reports after the last partition.

use std::io::Read;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use memchr::memmem;

use super::super::replaced_columns::ReplacedColumns;
use super::super::table_membership::{self, FileContents, TableMembership, UnlabelledRows};
use super::super::type_values::TypeValues;
use crate::diagnostic::{Error, Result};
use crate::entra::{KnownTable, RowLimit, recognised_tables, resembles, table_named};
use crate::parquet::FileInTable;
use crate::records;
use crate::scan::completion::CompletionTracker;
use crate::scan::provenance::ProvenanceColumns;
use crate::scan::{Damage, Note, Partition, Reject, RejectReason, ScanRequest, UnnamedRows, Warning, Wildcard};
use crate::source::column_file::ColumnFile;
use crate::source::text::{RESULT, RecordSelection, ScanEvents, ScanPlan, TableBinding};
use crate::storage::counters::ScanCount;
use crate::storage::files::DataFile;
use crate::storage::limits::ReadLimits;

/// The state that the partitions of one scan share.
#[derive(Debug)]
pub(super) struct SharedScan {
    pub name: String,
    /// The wildcard that matched the table; None if the query names the table.
    pub wildcard: Option<Arc<Wildcard>>,
    pub files: Arc<[DataFile]>,
    pub origins: ProvenanceColumns,
    pub limits: ReadLimits,
    pub plan: Arc<ScanPlan>,
    pub events: Arc<ScanEvents>,
    pub request: ScanRequest,
    /// Number of partitions that read text and are not finished.
    pub unread: AtomicUsize,
    /// For each file, the number of records in its parts that were read to their end.
    pub records: Vec<AtomicU64>,
    /// Number of columnar files whose rows are not read as records of text.
    pub foreign: AtomicUsize,
    /// Number of files that were refused because they are no readable exports.
    pub refused: AtomicUsize,
    pub first_refused: Mutex<Option<(usize, String)>>,
    /// Tracks which files have been read completely.
    pub left: Arc<CompletionTracker>,
}

impl SharedScan {
    /// Returns the partitions of a columnar file.
    pub(super) fn columns(self: &Arc<Self>, index: usize) -> Result<Vec<Arc<dyn Partition>>> {
        self.foreign.fetch_add(1, Ordering::AcqRel);
        let opened = match ColumnFile::of(&self.files[index], self.limits) {
            Ok(opened) => opened,
            Err(Error::Data { place, reason, .. }) if self.files.len() > 1 => {
                self.broken(index, &place.unwrap_or_default(), reason);
                return Ok(Vec::new());
            }
            Err(error) => return self.pass_unreadable(index, error).map(|()| Vec::new()),
        };
        if opened.is_answer() && self.files[index].found_in().is_some() {
            self.leave_out(index);
            return Ok(Vec::new());
        }
        if self.reads_records(&opened)? {
            self.foreign.fetch_sub(1, Ordering::AcqRel);
            return self.records(&opened, index);
        }
        if let RecordSelection::NamedTable(name, _) = &self.plan.selection {
            self.request.counters.add(ScanCount::FilesOfOtherTables, 1);
            self.request.report.damaged(Damage::NotSearched(name.clone()), &self.files[index].name, 1);
            return Ok(Vec::new());
        }
        let Some(binding) = self.plan.selection.single_table() else {
            self.replay_archived(&opened);
            let is_known = matches!(self.plan.selection, RecordSelection::AllKnownAs(_));
            if is_known {
                self.events.report_unknown_columns(&opened.columns(), opened.format(), opened.name());
                self.report_unknown_tables(&opened)?;
            }
            return self.column_rows(&opened, index, &self.request, is_known);
        };
        self.rows_of_table(&opened, index, binding)
    }

    /// Returns the partitions of a columnar file with the rows of one table.
    fn rows_of_table(
        &self,
        opened: &ColumnFile,
        index: usize,
        binding: TableBinding,
    ) -> Result<Vec<Arc<dyn Partition>>> {
        let table = binding.table;
        let membership = table_membership::membership(opened, binding);
        let contents = table_membership::examine(opened, binding, membership, &self.request.report)?;
        contents.tables.iter().for_each(|name| self.events.log.add_table(name.clone()));
        self.report_columns(opened, membership, &contents);
        match membership {
            TableMembership::Archived => {
                self.replay_archived(opened);
                self.column_rows(opened, index, &self.request, false)
            }
            TableMembership::ByType(unlabelled) => {
                if unlabelled == UnlabelledRows::Assumed && contents.unnamed > 0 {
                    self.events.report_assumed(UnnamedRows::Rows(opened.format()), table);
                }
                self.report_names(index, table, &contents);
                let request = table_membership::only_of(binding, unlabelled, &contents, &self.request);
                self.column_rows(opened, index, &request, true)
            }
            TableMembership::All(unlabelled) => {
                if unlabelled == UnlabelledRows::Assumed {
                    self.events.report_assumed(UnnamedRows::Files(opened.format()), table);
                }
                self.column_rows(opened, index, &self.request, true)
            }
            TableMembership::None => {
                self.request.counters.add(ScanCount::FilesOfOtherTables, 1);
                if contents.tables.is_empty() {
                    self.rows_damaged(index, Damage::UnrecognisedRecords, opened.rows());
                }
                Ok(Vec::new())
            }
        }
    }

    /// Reports the warnings that an archive keeps about its original files.
    fn replay_archived(&self, opened: &ColumnFile) {
        let warnings = opened.archived_warnings();
        warnings.iter().for_each(|warnings| self.events.replay_warnings(warnings, opened.name()));
    }

    /// Reports the names of unknown tables in `Type`, in a file whose rows are read as those of known tables.
    fn report_unknown_tables(&self, opened: &ColumnFile) -> Result<()> {
        if opened.archived_table().is_some() || !table_membership::has_table_names(opened) {
            return Ok(());
        }
        let values = TypeValues::of(opened)?;
        let (known, others): (Vec<_>, Vec<_>) = values
            .rows
            .into_keys()
            .filter(|name| !name.trim_ascii().is_empty())
            .partition(|name| table_named(name).is_some());
        // All rows of a restored table have its name.
        if !known.is_empty() {
            self.note_other_tables(others, None);
        }
        Ok(())
    }

    /// Reports rows whose `Type` does not name the table: some are read as its rows, others are skipped.
    fn report_names(&self, index: usize, table: &KnownTable, contents: &FileContents) {
        contents.renamed.keys().for_each(|name| self.events.report_renamed(name, table));
        self.rows_damaged(index, Damage::UnrecognisedRecords, contents.unrecognised);
        for (name, rows) in &contents.similar {
            self.rows_damaged(index, Damage::SimilarTable(name.clone(), table.name.to_owned()), *rows);
        }
    }

    /// Reports `rows` of a columnar file that are not read. Such rows have no text that a reject could keep, so
    /// one reject stands for all of them.
    fn rows_damaged(&self, index: usize, damage: Damage, rows: u64) {
        if rows == 0 {
            return;
        }
        let (file, report) = (&self.files[index].name, &self.request.report);
        report.reject(&Reject { file, place: None, reason: RejectReason::Damage(&damage, rows), raw: None });
        report.damaged(damage, file, rows);
    }

    /// Reports columns of the table that the file lacks, and columns of the file that the table lacks.
    fn report_columns(&self, opened: &ColumnFile, membership: TableMembership, contents: &FileContents) {
        let columns = opened.columns();
        if matches!(membership, TableMembership::ByType(_)) && !contents.may_contain_own() {
            return;
        }
        if membership != TableMembership::None {
            self.events.report_missing(&columns, opened.format());
            let results = opened.nulls(RESULT).unwrap_or(0);
            if opened.archived_table().is_none() && results > 0 && self.events.needs_result() {
                self.events.report.damaged(Damage::MissingResult(RESULT.to_owned()), opened.name(), results);
            }
            self.events.report_unknown_columns(&columns, opened.format(), opened.name());
            if opened.archived_table().is_none() {
                self.events.report_rows_without(&columns, opened.name(), self.own_rows(opened, membership, contents));
            }
        }
    }

    /// Returns the number of rows of the requested table in a columnar file.
    fn own_rows(&self, opened: &ColumnFile, membership: TableMembership, contents: &FileContents) -> u64 {
        let TableMembership::ByType(_) = membership else { return opened.rows() };
        let is_own = |name: &str| {
            let table = table_named(name);
            table.is_none_or(|table| self.plan.selection.known().is_some_and(|own| own.name == table.name))
        };
        contents.values.rows.iter().filter(|(name, _)| is_own(name)).map(|(_, rows)| rows).sum()
    }

    /// Returns the partitions of a columnar file. With `restored`, columns that the file has under several names
    /// are merged.
    fn column_rows(
        &self,
        opened: &ColumnFile,
        index: usize,
        request: &ScanRequest,
        restored: bool,
    ) -> Result<Vec<Arc<dyn Partition>>> {
        let replaced_columns = ReplacedColumns::of(&opened.columns(), &self.origins).filter(|_| restored);
        let required = self.required(opened);
        let file = |origins: &ProvenanceColumns| {
            FileInTable::new(origins.clone(), index).with_dates(&self.plan.dates).requiring(required.clone())
        };
        let Some(replaced_columns) = replaced_columns else {
            return opened.partitions_of(&file(&self.origins), request);
        };
        if replaced_columns.has_copies() {
            self.events.report_copied();
        }
        let parts = opened.partitions_of(&file(&replaced_columns.origins), &replaced_columns.request(request))?;
        Ok(replaced_columns.restored(request, parts))
    }

    /// Returns the columns in which each row of the table must have a value. They are checked row by row only in
    /// files that do not count their nulls; the result is empty for other files and for archives.
    fn required(&self, opened: &ColumnFile) -> Vec<&'static str> {
        if self.plan.selection.known().is_none() || opened.archived_table().is_some() {
            return Vec::new();
        }
        let result = self.events.needs_result().then_some(RESULT);
        let columns = ["TimeGenerated"].into_iter().chain(result);
        columns.filter(|column| opened.nulls(column).is_none()).collect()
    }

    /// Counts a partition as finished. After the last one, reports what is known only about all files.
    pub(super) fn end_partition(&self) -> Result<()> {
        if self.unread.fetch_sub(1, Ordering::AcqRel) != 1 {
            return Ok(());
        }
        self.report_limits();
        self.events.report_collector();
        self.events.report_pages();
        self.events.report_previews();
        self.check_any_read()?;
        let (seen, unrecognised) = (self.events.log.tables(), self.events.log.unrecognised());
        let has_parquet = self.foreign.load(Ordering::Acquire) > 0;
        if self.plan.selection.single_table().is_some() && seen.is_empty() && !unrecognised.is_empty() && !has_parquet {
            let file = match &*self.files {
                [file] => file.name.clone(),
                files => format!("{} files", files.len()),
            };
            let reason = format!("no records of a known table, only {}", unrecognised.join("; "));
            return Err(Error::Data { file, place: None, reason });
        }
        self.report_tables();
        Ok(())
    }

    /// Reports the tables that the files contain instead of the requested one or beside it.
    pub(super) fn report_tables(&self) {
        self.report_other_tables(&self.events.log.tables());
        self.report_absent();
    }

    /// Reports records of tables that the query does not read. Names of unknown tables may be misspelled names of
    /// known ones. A query over all tables does not read tables that are read only by name, so it reports them, too.
    /// Records that may be rows of the requested table are not included: they are reported as damage.
    fn report_other_tables(&self, seen: &[String]) {
        let Some(TableBinding { table, .. }) = self.plan.selection.single_table() else { return };
        let is_all = self.wildcard.is_some();
        let may_be_requested = |name: &str| match is_all {
            true => recognised_tables().any(|known| resembles(name, known)),
            false => resembles(name, table),
        };
        let is_other = |name: &&String| match table_named(name) {
            Some(named) => is_all && named.by_name,
            None => !may_be_requested(name),
        };
        let names: Vec<String> = seen.iter().filter(is_other).cloned().collect();
        self.note_other_tables(names, (!is_all).then_some(table.name));
    }

    /// Reports that records of the tables `names` are not read. The scans of a query over all tables report it
    /// once together.
    fn note_other_tables(&self, mut names: Vec<String>, table: Option<&'static str>) {
        const MAX_NAMES: usize = 5;
        if names.is_empty() {
            return;
        }
        let more = names.len().saturating_sub(MAX_NAMES);
        names.truncate(MAX_NAMES);
        let note = Note::OtherTables { names, more, table };
        match table {
            Some(_) => self.events.report.note(note),
            None => self.events.report.note_once(note),
        }
    }

    /// Returns an error if every file of the table was refused.
    pub(super) fn check_any_read(&self) -> Result<()> {
        let count = self.files.len();
        match &*self.first_refused.lock().unwrap_or_else(PoisonError::into_inner) {
            Some((file, reason)) if self.refused.load(Ordering::Acquire) == count => Err(Error::Data {
                file: self.files[*file].name.clone(),
                place: None,
                reason: match count {
                    1 => reason.clone(),
                    _ => format!("{reason}: none of the {count} files can be read"),
                },
            }),
            _ => Ok(()),
        }
    }

    /// Reports that no file contains records of the table, so that nobody takes an empty result as evidence of
    /// absence.
    fn report_absent(&self) {
        let Some(TableBinding { table, .. }) = self.plan.selection.single_table() else { return };
        let seen = self.events.log.tables();
        if seen.iter().any(|name| name == table.name) {
            return;
        }
        let found = seen.join(", ");
        match &self.wildcard {
            Some(wildcard) => wildcard.lacks(table.name, found),
            None => self.events.report.damaged(Damage::MissingTable(self.name.clone(), found), "", 1),
        }
    }

    /// Warns about files with exactly as many records as a service returns at most: they may be cut off.
    fn report_limits(&self) {
        for (file, records) in self.files.iter().zip(&self.records) {
            if let Some(limit) = RowLimit::reached(records.load(Ordering::Acquire)) {
                self.events.report.warn(Warning::RowLimit { file: file.name.clone(), limit });
            }
        }
    }

    /// Skips a file that this program wrote about other files, and that was found in a folder.
    pub(super) fn leave_out(&self, index: usize) {
        self.request.counters.add(ScanCount::FilesOfOtherTables, 1);
        self.events.report_once(Note::OwnFile(self.files[index].name.clone()));
    }

    /// Reports and counts a file that cannot be read as an export.
    pub(super) fn refuse(&self, index: usize, reason: &'static str) {
        self.count_refused(index, reason.to_owned());
        let file = &self.files[index];
        let report = &self.events.report;
        report.reject(&Reject { file: &file.name, place: None, reason: RejectReason::Lost(reason), raw: None });
        if is_other_thing(file, reason) && !names_sign_ins(file) {
            report.note_once(Note::NotAnExport { file: file.name.clone(), reason });
        } else {
            report.refuse_file(&file.name, reason);
        }
    }

    /// Reports a file that the operating system cannot read, and lets the scan continue. If it is the only file,
    /// or a remote one, the error is returned.
    pub(super) fn pass_unreadable(&self, index: usize, error: Error) -> Result<()> {
        match error {
            Error::Io { source, .. } if self.files.len() > 1 && self.files[index].local_path().is_some() => {
                self.broken(index, "the system", source.to_string());
                Ok(())
            }
            error => Err(error),
        }
    }

    /// Reports a file whose contents are unknown because it is damaged at `place`.
    pub(super) fn broken(&self, index: usize, place: &str, reason: String) {
        self.events.report.lost_file(&self.files[index].name, place, &reason);
        self.count_refused(index, format!("{place}: {reason}"));
    }

    pub(super) fn count_refused(&self, index: usize, reason: String) {
        self.refused.fetch_add(1, Ordering::AcqRel);
        let mut first = self.first_refused.lock().unwrap_or_else(PoisonError::into_inner);
        if first.as_ref().is_none_or(|(earlier, _)| index < *earlier) {
            *first = Some((index, reason));
        }
    }
}

/// Extensions of documents that are often stored beside exports, in lower case.
const OTHER_THINGS: [&str; 24] = [
    "txt", "md", "rst", "html", "htm", "pdf", "rtf", "xml", "png", "jpg", "jpeg", "gif", "svg", "yaml", "yml", "toml",
    "ini", "ps1", "py", "sh", "kql", "sha256", "sha1", "md5",
];

/// True for a document in which no record was found: it has the extension of a document and contains no known data
/// format, so skipping it loses nothing.
fn is_other_thing(file: &DataFile, reason: &str) -> bool {
    [records::NO_RECORDS, records::NO_TEXT].contains(&reason) && is_called_document(file)
}

/// Extensions of documents to which tools also write exports.
const TEXTS: [&str; 6] = ["txt", "html", "htm", "xml", "rtf", "md"];

/// Bytes at the start of a text that are searched for names of sign-in properties.
const SEARCHED_BYTES: u64 = 64 << 10;

/// True for text that names properties of sign-ins: it may be an export, such as a list that PowerShell printed.
fn names_sign_ins(file: &DataFile) -> bool {
    const WORDS: [&str; 4] = ["userprincipalname", "createddatetime", "timegenerated", "signinlogs"];
    if !TEXTS.iter().any(|text| file.ending().eq_ignore_ascii_case(text)) {
        return false;
    }
    let mut head = Vec::new();
    let read = file.open().map(|input| input.take(SEARCHED_BYTES).read_to_end(&mut head));
    // Without the NUL bytes, UTF-16 is ASCII.
    head.retain(|byte| *byte != 0);
    head.make_ascii_lowercase();
    let count = WORDS.iter().filter(|word| memmem::find(&head, word.as_bytes()).is_some()).count();
    matches!(read, Ok(Ok(_))) && count >= 2
}

/// True if the file has the extension of a document.
pub(super) fn is_called_document(file: &DataFile) -> bool {
    let ending = file.ending();
    OTHER_THINGS.iter().any(|other| ending.eq_ignore_ascii_case(other))
}
