//! What the partitions of one scan share: whose rows they are, and what there is to say when all were read.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::diagnostic::{Error, Result};
use crate::entra::{KnownTable, table_named};
use crate::parquet::FileRows;
use crate::records;
use crate::scan::completion::CompletionTracker;
use crate::scan::provenance::ProvenanceColumns;
use crate::scan::{Damage, Partition, Reject, ScanRequest, Wildcard};
use crate::source::column_file::ColumnFile;
use crate::source::of_table::{self, Belonging, Held, Untold};
use crate::source::originals::Originals;
use crate::source::text::{Rows, ScanPlan};
use crate::storage::counters::ScanCount;
use crate::storage::files::DataFile;
use crate::storage::limits::ReadLimits;

/// What the partitions of one scan share.
#[derive(Debug)]
pub(super) struct Scan {
    pub name: String,
    /// The wildcard that stands for the table, if it was not asked for by its name.
    pub wildcard: Option<Arc<Wildcard>>,
    pub files: Arc<[DataFile]>,
    pub origins: ProvenanceColumns,
    pub limits: ReadLimits,
    pub plan: Arc<ScanPlan>,
    pub request: ScanRequest,
    /// Partitions that have not been read to their end.
    pub unread: AtomicUsize,
    /// By file, the records in the parts that were read to their end.
    pub records: Vec<AtomicU64>,
    /// Files whose rows are not told apart by table.
    pub foreign: AtomicUsize,
    /// Files that are no exports, and the first of them with the reason.
    pub refused: AtomicUsize,
    pub first_refused: Mutex<Option<(usize, String)>>,
    /// Parts of files that are not done with.
    pub left: Arc<CompletionTracker>,
}

impl Scan {
    /// The parts of a file of columns.
    pub(super) fn columns(&self, index: usize) -> Result<Vec<Arc<dyn Partition>>> {
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
        if let Rows::Named(name, _) = &self.plan.rows {
            self.request.counters.add(ScanCount::FilesOfOtherTables, 1);
            self.request.report.damaged(Damage::NotSearched(name.clone()), &self.files[index].name, 1);
            return Ok(Vec::new());
        }
        let Some((table, bound)) = self.plan.rows.one_table() else {
            opened.archived_warnings().iter().for_each(|archived_warnings| self.plan.say_again(archived_warnings));
            let is_known = matches!(self.plan.rows, Rows::AllAs(_));
            if is_known {
                self.plan.say_unknown_columns(&opened.columns(), opened.format());
            }
            return self.column_rows(&opened, index, &self.request, is_known);
        };
        let belonging = of_table::belonging(&opened, table, bound);
        let held = of_table::meet(&opened, (table, bound), belonging, &self.request.report)?;
        held.tables.iter().for_each(|name| self.plan.note_table(name.clone()));
        self.say_of_columns(&opened, belonging, &held);
        let assumed = |what: &str| {
            self.plan.say_once(format!("{what} that do not name their table are read as {}", table.name));
        };
        match belonging {
            Belonging::Archived => {
                opened.archived_warnings().iter().for_each(|archived_warnings| self.plan.say_again(archived_warnings));
                self.column_rows(&opened, index, &self.request, false)
            }
            Belonging::ByType(untold) => {
                if untold == Untold::Assumed && held.unnamed > 0 {
                    assumed(&format!("{} rows", opened.format()));
                }
                self.say_of_names(index, table, &held);
                let request = of_table::only_of((table, bound), untold, &held, &self.request);
                self.column_rows(&opened, index, &request, true)
            }
            Belonging::All(untold) => {
                if untold == Untold::Assumed {
                    assumed(&format!("{} files", opened.format()));
                }
                self.column_rows(&opened, index, &self.request, true)
            }
            Belonging::None => {
                self.request.counters.add(ScanCount::FilesOfOtherTables, 1);
                if held.tables.is_empty() {
                    self.rows_damaged(index, Damage::UnrecognisedRecords, opened.rows());
                }
                Ok(Vec::new())
            }
        }
    }

    /// Says which rows of a file are read or left out though they do not name the table.
    fn say_of_names(&self, index: usize, table: &KnownTable, held: &Held) {
        held.renamed.keys().for_each(|name| self.plan.say_renamed(name, table));
        self.rows_damaged(index, Damage::UnrecognisedRecords, held.unrecognised);
        for (name, rows) in &held.similar {
            self.rows_damaged(index, Damage::SimilarTable(name.clone(), table.name.to_owned()), *rows);
        }
    }

    /// Counts rows of a Parquet file that are not read. They have no text of their own to keep, so one reject stands for
    /// all of them.
    fn rows_damaged(&self, index: usize, damage: Damage, rows: u64) {
        if rows == 0 {
            return;
        }
        let (file, report) = (&self.files[index].name, &self.request.report);
        report.reject(&Reject { file, place: None, reason: &damage.describe(rows), raw: None });
        report.damaged(damage, file, rows);
    }

    /// Says which columns of the table a file does not have, and which of its own the table does not have.
    fn say_of_columns(&self, opened: &ColumnFile, belonging: Belonging, held: &Held) {
        let columns = opened.columns();
        if matches!(belonging, Belonging::ByType(_)) && !held.may_hold_own() {
            return;
        }
        if belonging != Belonging::None {
            self.plan.say_missing(&columns, opened.format());
            self.plan.say_unknown_columns(&columns, opened.format());
        }
    }

    /// The rows of a file; if `restored`, with the values of columns that it has under several names.
    fn column_rows(
        &self,
        opened: &ColumnFile,
        index: usize,
        request: &ScanRequest,
        restored: bool,
    ) -> Result<Vec<Arc<dyn Partition>>> {
        let originals = Originals::of(&opened.columns(), &self.origins).filter(|_| restored);
        let Some(originals) = originals else {
            return opened.partitions_of(&FileRows { origins: self.origins.clone(), index }, request);
        };
        if originals.has_copies() {
            self.plan.say_copied();
        }
        let rows = FileRows { origins: originals.origins.clone(), index };
        let parts = opened.partitions_of(&rows, &originals.request(request))?;
        Ok(originals.restored(request, parts))
    }

    /// A partition was read to its end: behind the last one it is known whether the files hold the table at all.
    pub(super) fn end_partition(&self) -> Result<()> {
        if self.unread.fetch_sub(1, Ordering::AcqRel) != 1 {
            return Ok(());
        }
        self.say_limits();
        self.plan.say_collector();
        self.plan.report_pages();
        self.check_any_read()?;
        let (seen, strange) = (self.plan.seen(), self.plan.strange());
        let has_parquet = self.foreign.load(Ordering::Acquire) > 0;
        if self.plan.rows.one_table().is_some() && seen.is_empty() && !strange.is_empty() && !has_parquet {
            let file = match &*self.files {
                [file] => file.name.clone(),
                files => format!("{} files", files.len()),
            };
            let reason = format!("no records of a known table, only {}", strange.join("; "));
            return Err(Error::Data { file, place: None, reason });
        }
        self.say_tables();
        Ok(())
    }

    /// Says which tables the files hold instead of the one that was asked for, or beside it.
    pub(super) fn say_tables(&self) {
        self.say_others(&self.plan.seen());
        self.say_absent();
    }

    /// Says which records were met that are of no known table: each name is a table of its own, but may also be a known one
    /// that somebody spelled in another way.
    fn say_others(&self, seen: &[String]) {
        const MOST: usize = 5;
        let Some((table, _)) = self.plan.rows.one_table() else { return };
        let others: Vec<String> =
            seen.iter().filter(|name| table_named(name).is_none()).map(|name| format!("{name:?}")).collect();
        if others.is_empty() {
            return;
        }
        let (first, more) = others.split_at(others.len().min(MOST));
        let more = if more.is_empty() { String::new() } else { format!(" and {} more", more.len()) };
        let names = first.join(", ");
        self.plan
            .report
            .notice(format!("records of {names}{more} belong to tables of their own, not to {}", table.name));
    }

    /// An error where every file was refused.
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

    /// Says that no file holds records of the table, where that is so: no rows are no evidence then.
    fn say_absent(&self) {
        let Some((table, _)) = self.plan.rows.one_table() else { return };
        let seen = self.plan.seen();
        if seen.iter().any(|name| name == table.name) {
            return;
        }
        let found = seen.join(", ");
        match &self.wildcard {
            Some(wildcard) => wildcard.lacks(table.name, found),
            None => self.plan.report.damaged(Damage::MissingTable(self.name.clone(), found), "", 1),
        }
    }

    /// Says which files have just as many records as a service gives at most.
    fn say_limits(&self) {
        for (file, records) in self.files.iter().zip(&self.records) {
            if let Some(note) = records::limit_reached(records.load(Ordering::Acquire)) {
                self.plan.report.warn(format!("{}: {note}", file.name));
            }
        }
    }

    /// Leaves out a file that this program wrote about other files, and that was found in a folder of them.
    pub(super) fn leave_out(&self, index: usize) {
        self.request.counters.add(ScanCount::FilesOfOtherTables, 1);
        self.plan.say_once(format!(
            "left out, for coldcase wrote it: {}; name the file itself to read it as evidence",
            self.files[index].name
        ));
    }

    /// Counts a file that is not read.
    pub(super) fn refuse(&self, index: usize, reason: &'static str) {
        self.count_refused(index, reason.to_owned());
        let file = &self.files[index];
        let report = &self.plan.report;
        report.reject(&Reject { file: &file.name, place: None, reason, raw: None });
        if is_other_thing(file, reason) {
            report.notice(format!("not read: {reason}: {}", file.name));
        } else {
            report.refuse_file(&file.name, reason);
        }
    }

    /// Counts a file that the system cannot read, so that it costs no other; alone, and on a server, it ends the run.
    pub(super) fn pass_unreadable(&self, index: usize, error: Error) -> Result<()> {
        match error {
            Error::Io { source, .. } if self.files.len() > 1 && self.files[index].local_path().is_some() => {
                self.broken(index, "the system", source.to_string());
                Ok(())
            }
            error => Err(error),
        }
    }

    /// Counts a file that is damaged where it would say what it holds.
    pub(super) fn broken(&self, index: usize, place: &str, reason: String) {
        self.plan.report.lost_file(&self.files[index].name, place, &reason);
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

/// Endings of files that people and tools put beside exports.
const OTHER_THINGS: [&str; 24] = [
    "txt", "md", "rst", "html", "htm", "pdf", "rtf", "xml", "png", "jpg", "jpeg", "gif", "svg", "yaml", "yml", "toml",
    "ini", "ps1", "py", "sh", "kql", "sha256", "sha1", "md5",
];

/// True for a file that is called like a document and holds no data in any known format: no record was passed over.
fn is_other_thing(file: &DataFile, reason: &str) -> bool {
    [records::NO_RECORDS, records::NO_TEXT].contains(&reason) && is_called_document(file)
}

/// True for a file that is called like a document.
pub(super) fn is_called_document(file: &DataFile) -> bool {
    let ending = file.ending();
    OTHER_THINGS.iter().any(|other| ending.eq_ignore_ascii_case(other))
}
