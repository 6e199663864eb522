//! Collects the events of the scans of a run: what was skipped, repaired or noticed. The module `messages` makes
//! their text.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::damage::{self, Damage, DamageLog};
use super::event_log::{EventLog, insert};
use super::{FileProblems, Note, ResultPages, TimeCoverage, Warning, Wildcard};
use crate::storage::counters::{ScanCount, ScanCounters};
use crate::storage::listing::DiscoveryNote;

/// A record or file that could not be read, as it is written to the rejects.
#[derive(Clone, Copy, Debug)]
pub struct Reject<'a> {
    /// The name of the file.
    pub file: &'a str,
    /// The position in the file; None if the whole file is meant.
    pub place: Option<&'a str>,
    /// The reason why it cannot be read.
    pub reason: RejectReason<'a>,
    /// The bytes of the record, if they are available.
    pub raw: Option<&'a [u8]>,
}

/// The reason why a record or file could not be read.
#[derive(Clone, Copy, Debug)]
pub enum RejectReason<'a> {
    /// The message of the reader that could not read it.
    Lost(&'a str),
    /// A kind of damage, and the number of cases.
    Damage(&'a Damage, u64),
}

/// Stores rejects. They arrive in an order that depends on the threads, and a reject may arrive several times.
pub trait RejectSink: Debug + Send + Sync {
    /// Stores `reject`.
    fn reject(&self, reject: &Reject<'_>);
}

/// The events and counters of a run, which all of its partitions share.
#[derive(Debug, Default)]
pub struct ScanReport {
    /// The counters of all scans.
    pub counters: Arc<ScanCounters>,
    rejects: Option<Arc<dyn RejectSink>>,
    thorough: bool,
    /// The events. One lock suffices for all of them, because scans add few, and count frequent events per file.
    log: Mutex<EventLog>,
}

impl ScanReport {
    /// Creates a report that sends rejects to a sink. With `thorough`, or with a sink, the prefilter skips no record.
    #[must_use]
    pub fn new(rejects: Option<Arc<dyn RejectSink>>, thorough: bool) -> Self {
        let thorough = thorough || rejects.is_some();
        Self { rejects, thorough, ..Self::default() }
    }

    /// Creates a report with its own events that shares the counters of `other`.
    #[must_use]
    pub fn counting_with(other: &Self) -> Self {
        Self { counters: Arc::clone(&other.counters), ..Self::default() }
    }

    /// Locks the events. Poisoning is ignored: if another thread panicked while counting, the counts are still the
    /// best available.
    fn log(&self) -> MutexGuard<'_, EventLog> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// True if every record must be parsed, because rejects are written or decide the exit code.
    #[must_use]
    pub fn is_thorough(&self) -> bool {
        self.thorough
    }

    /// Sends a reject to the sink, if there is one.
    pub fn reject(&self, reject: &Reject<'_>) {
        if let Some(sink) = &self.rejects {
            sink.reject(reject);
        }
    }

    /// Adds a warning, unless it is already there.
    pub fn warn(&self, warning: Warning) {
        self.log().warnings.insert(warning);
    }

    /// Counts an occurrence of a note.
    pub fn note(&self, note: impl Into<Note>) {
        self.note_times(note, 1);
    }

    /// Counts `count` occurrences of a note.
    pub fn note_times(&self, note: impl Into<Note>, count: u64) {
        self.log().add_note(note.into(), count);
    }

    /// Reports a note that is counted only once, even if several scans report it.
    pub fn note_once(&self, note: impl Into<Note>) {
        self.log().add_note_once(note.into());
    }

    /// Reports a discovery note once.
    pub fn discovered(&self, note: &DiscoveryNote) {
        if !note.is_damage() {
            return self.note_once(Note::Discovery(note.clone()));
        }
        self.damaged(Damage::NotRead(note.clone()), "", 1);
        let DiscoveryNote::Unread { reason, names, .. } = note else { return };
        let reason = RejectReason::Lost(reason);
        names.iter().for_each(|file| self.reject(&Reject { file, place: None, reason, raw: None }));
    }

    /// Counts a record of `file` at position `place` as lost, because of `reason`.
    pub fn lost(&self, file: &str, place: impl Into<String>, reason: impl Into<String>) {
        self.lost_record(file, &place.into(), &reason.into(), None);
    }

    /// Like [`Self::lost`], with the bytes of the record for the rejects.
    pub fn lost_record(&self, file: &str, place: &str, reason: &str, raw: Option<&[u8]>) {
        self.lost_records(file, place, reason, raw, 1);
    }

    /// Like [`Self::lost`], for `rows` records at once.
    pub fn lost_rows(&self, file: &str, place: &str, reason: &str, rows: u64) {
        self.lost_records(file, place, reason, None, rows);
    }

    /// Counts a file as lost: none of its records could be read, so their number is unknown.
    pub fn lost_file(&self, file: &str, place: &str, reason: &str) {
        self.log().problems.files.entry(file.to_owned()).or_default().whole = true;
        self.lost_records(file, place, reason, None, 1);
    }

    fn lost_records(&self, file: &str, place: &str, reason: &str, raw: Option<&[u8]>, records: u64) {
        if self.log().problems.add(file, place, reason, records) {
            self.reject(&Reject { file, place: Some(place), reason: RejectReason::Lost(reason), raw });
        }
    }

    /// Counts `count` cases of damage in `file`, which is "" for damage that concerns no single file.
    pub fn damaged(&self, damage: Damage, file: &str, count: u64) {
        if count == 0 {
            return;
        }
        let is_rejected = self.rejects.is_some() && damage::is_reject(&damage, file);
        let rejected = is_rejected.then(|| damage.clone());
        let is_new = self.log().add_damage(damage, file, count);
        if let Some(damage) = rejected.filter(|_| is_new) {
            self.reject(&Reject { file, place: None, reason: RejectReason::Damage(&damage, 1), raw: None });
        }
    }

    /// Reports a file that is not read although it may contain matching rows. It is counted once, even if several
    /// tables were searched in it.
    pub fn refuse_file(&self, file: &str, reason: &str) {
        // The second scan reports the file: it must not find it already known.
        if self.log().muted {
            return;
        }
        let earlier = self.log().refused.insert(file.to_owned(), reason.to_owned());
        if earlier.is_none_or(|earlier| earlier != reason) {
            self.damaged(Damage::RefusedFile(reason.to_owned()), file, 1);
        }
    }

    /// Records a table that the files contain or may contain, whether or not the query reads it.
    pub fn note_table(&self, name: &str) {
        insert(&mut self.log().tables, name);
    }

    /// Records an export shape of the queried rows.
    pub fn note_shape(&self, name: &str) {
        insert(&mut self.log().shapes, name);
    }

    /// Records a column of the table that one of the files lacks.
    pub fn lacks(&self, column: &str) {
        insert(&mut self.log().lacking, column);
    }

    /// Removes the warning that a column is empty, because this program read the column for its own purposes and not
    /// for the query.
    pub fn forget_empty_column(&self, name: &str) {
        let mut log = self.log();
        log.warnings.retain(|warning| !matches!(warning, Warning::EmptyColumn { column, .. } if column == name));
        log.lacking.remove(name);
    }

    /// Records a column that records have, that the table lacks, and that was not read.
    pub fn note_extra_column(&self, column: &str) {
        self.log().add_extra_column(column);
    }

    /// Adds the pages of paged responses that a scan found.
    pub(crate) fn keep_pages(&self, pages: ResultPages) {
        self.log().pages.extend(pages);
    }

    /// Registers the time range that a scan requests, to be checked after the scans.
    pub fn watch(&self, coverage: Arc<TimeCoverage>) {
        self.log().coverages.push(coverage);
    }

    /// Registers a wildcard, to be checked after the scans: the files should contain at least one of its tables.
    pub fn expect_any(&self, wildcard: Arc<Wildcard>) {
        self.log().wildcards.push(wildcard);
    }

    /// Registers the time ranges that another report registered, too.
    pub fn watch_coverages_of(&self, other: &Self) {
        let watched = other.log().coverages.clone();
        self.log().coverages.extend(watched);
    }

    /// Adds the events of another report about the same files, without its counters, lost records, pages and time
    /// ranges. Notes and damage that both reports have are not counted twice.
    pub fn absorb(&self, other: &Self) {
        self.log().absorb(&other.log());
    }

    /// Warns if the files do not cover a requested time range, or if they contain no table that a wildcard matches.
    /// Called once, after the scans.
    pub fn report_gaps(&self) {
        let mut log = self.log();
        let (coverages, wildcards) = (std::mem::take(&mut log.coverages), std::mem::take(&mut log.wildcards));
        let skipped = self.counters.get(ScanCount::RecordsSkipped) > 0;
        log.warnings.extend(coverages.iter().filter_map(|coverage| coverage.gap(skipped)).map(Warning::TimeGap));
        drop(log);
        wildcards.iter().filter_map(|wildcard| wildcard.damage()).for_each(|damage| self.damaged(damage, "", 1));
    }

    /// Runs `scan` without adding the notes and damage that it reports, because a second scan of the same files will
    /// report them.
    pub fn without_notes<T>(&self, scan: impl FnOnce() -> T) -> T {
        let before = std::mem::replace(&mut self.log().muted, true);
        let result = scan();
        self.log().muted = before;
        result
    }
}

/// The events that were reported.
impl ScanReport {
    /// Returns the warnings, without duplicates.
    #[must_use]
    pub fn warnings(&self) -> BTreeSet<Warning> {
        self.log().warnings.clone()
    }

    /// Returns the notes, each with the number of its occurrences.
    #[must_use]
    pub fn notes(&self) -> BTreeMap<Note, u64> {
        self.log().notes.clone()
    }

    /// Returns all damage except lost records and files.
    #[must_use]
    pub fn damage(&self) -> DamageLog {
        self.log().damage.clone()
    }

    /// Returns the lost records by file, sorted by file name.
    #[must_use]
    pub fn problems(&self) -> BTreeMap<String, FileProblems> {
        self.log().problems.files.clone()
    }

    /// True if records of this file could not be read.
    pub(crate) fn has_lost(&self, file: &str) -> bool {
        self.log().problems.files.contains_key(file)
    }

    /// True if this file has damage other than lost records.
    pub(crate) fn is_damaged(&self, file: &str) -> bool {
        self.log().damage.kinds().any(|(_, files)| files.contains_key(file))
    }

    /// True if anything could not be read or was skipped.
    #[must_use]
    pub fn is_incomplete(&self) -> bool {
        let log = self.log();
        !log.damage.is_empty() || !log.problems.files.is_empty()
    }

    /// Returns the files that were not read, each with the reason.
    #[must_use]
    pub fn refused(&self) -> BTreeMap<String, String> {
        self.log().refused.clone()
    }

    /// Returns the tables in the files, sorted by name.
    #[must_use]
    pub fn tables(&self) -> Vec<String> {
        self.log().tables.iter().cloned().collect()
    }

    /// Returns the export shapes of the queried rows, sorted by name.
    #[must_use]
    pub fn shapes(&self) -> Vec<String> {
        self.log().shapes.iter().cloned().collect()
    }

    /// Returns the requested columns that at least one of the files lacks.
    #[must_use]
    pub fn lacking(&self) -> BTreeSet<String> {
        self.log().lacking.clone()
    }

    /// Returns the columns that records have, that the table lacks, and that were not read.
    #[must_use]
    pub fn extra_columns(&self) -> BTreeSet<String> {
        self.log().extra_columns.clone()
    }

    /// Returns the columns of [`Self::extra_columns`], and removes the notes about them. Used if the caller reports
    /// the columns in its own words.
    #[must_use]
    pub fn take_extra_columns(&self) -> BTreeSet<String> {
        self.log().notes.retain(|note, _| !note.is_of_unknown_name());
        self.extra_columns()
    }

    /// Returns the pages of Microsoft Graph responses that were found.
    #[must_use]
    pub fn pages(&self) -> ResultPages {
        self.log().pages.clone()
    }
}
