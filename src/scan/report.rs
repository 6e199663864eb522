//! Collects what the scans of a run skip, repair or notice, as events. `messages` makes their text.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::damage::{self, Damage, DamageLog};
use super::event_log::{EventLog, insert};
use super::{FileProblems, Note, ResultPages, TimeCoverage, Warning, Wildcard};
use crate::storage::counters::{ScanCount, ScanCounters};
use crate::storage::listing::DiscoveryNote;

/// A record or file that could not be read.
#[derive(Clone, Copy, Debug)]
pub struct Reject<'a> {
    /// The name of the file.
    pub file: &'a str,
    /// The position in the file; None for the whole file.
    pub place: Option<&'a str>,
    /// Why it cannot be read.
    pub reason: RejectReason<'a>,
    /// Its bytes, if they are available.
    pub raw: Option<&'a [u8]>,
}

/// Why a record or file could not be read.
#[derive(Clone, Copy, Debug)]
pub enum RejectReason<'a> {
    /// The error of the reader that lost it.
    Lost(&'a str),
    /// Damage, with the number of cases.
    Damage(&'a Damage, u64),
}

/// Stores rejects. Their order depends on threads, and a reject may be passed several times.
pub trait RejectSink: Debug + Send + Sync {
    /// Stores a reject.
    fn reject(&self, reject: &Reject<'_>);
}

/// The events and counters of a run; shared by all partitions.
#[derive(Debug, Default)]
pub struct ScanReport {
    /// The counters of all scans.
    pub counters: Arc<ScanCounters>,
    rejects: Option<Arc<dyn RejectSink>>,
    thorough: bool,
    /// One lock for all events: scans add few, and count per file what is frequent.
    log: Mutex<EventLog>,
}

impl ScanReport {
    /// Creates a report that passes rejects to a sink; with `thorough`, no record is skipped by a prefilter.
    #[must_use]
    pub fn new(rejects: Option<Arc<dyn RejectSink>>, thorough: bool) -> Self {
        let thorough = thorough || rejects.is_some();
        Self { rejects, thorough, ..Self::default() }
    }

    /// Creates a separate report that shares the counters of `other`.
    #[must_use]
    pub fn counting_with(other: &Self) -> Self {
        Self { counters: Arc::clone(&other.counters), ..Self::default() }
    }

    /// Ignores poisoning: if another thread panicked while counting, the counts are still the best available.
    fn log(&self) -> MutexGuard<'_, EventLog> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// True if every record must be parsed, because rejects are written or decide the exit code.
    #[must_use]
    pub fn is_thorough(&self) -> bool {
        self.thorough
    }

    /// Passes a reject to the sink, if there is one.
    pub fn reject(&self, reject: &Reject<'_>) {
        if let Some(sink) = &self.rejects {
            sink.reject(reject);
        }
    }

    /// Warns once that the result may mislead.
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

    /// Adds a note that is counted once, even if several scans report it.
    pub fn note_once(&self, note: impl Into<Note>) {
        self.log().add_note_once(note.into());
    }

    /// Reports a discovery note once.
    pub fn discovered(&self, note: &DiscoveryNote) {
        let DiscoveryNote::Unread { reason, names, .. } = note else {
            return self.note_once(Note::Discovery(note.clone()));
        };
        self.damaged(Damage::NotRead(note.clone()), "", 1);
        let reason = RejectReason::Lost(reason);
        names.iter().for_each(|file| self.reject(&Reject { file, place: None, reason, raw: None }));
    }

    /// Counts one record of `file` at position `place` that could not be read.
    pub fn lost(&self, file: &str, place: impl Into<String>, reason: impl Into<String>) {
        self.lost_record(file, &place.into(), &reason.into(), None);
    }

    /// Like [`Self::lost`], with the bytes of the record.
    pub fn lost_record(&self, file: &str, place: &str, reason: &str, raw: Option<&[u8]>) {
        self.lost_records(file, place, reason, raw, 1);
    }

    /// Like [`Self::lost`], for `rows` records.
    pub fn lost_rows(&self, file: &str, place: &str, reason: &str, rows: u64) {
        self.lost_records(file, place, reason, None, rows);
    }

    /// Counts a file of which no record could be read; its number of records is unknown.
    pub fn lost_file(&self, file: &str, place: &str, reason: &str) {
        self.log().problems.files.entry(file.to_owned()).or_default().whole = true;
        self.lost_records(file, place, reason, None, 1);
    }

    fn lost_records(&self, file: &str, place: &str, reason: &str, raw: Option<&[u8]>, records: u64) {
        if self.log().problems.add(file, place, reason, records) {
            self.reject(&Reject { file, place: Some(place), reason: RejectReason::Lost(reason), raw });
        }
    }

    /// Counts `count` cases of damage in `file`, which is empty for damage of no single file.
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

    /// Reports a file that is not read, although it may contain matching rows; once, however many tables look into it.
    pub fn refuse_file(&self, file: &str, reason: &str) {
        let earlier = self.log().refused.insert(file.to_owned(), reason.to_owned());
        if earlier.is_none_or(|earlier| earlier != reason) {
            self.damaged(Damage::RefusedFile(reason.to_owned()), file, 1);
        }
    }

    /// Records a table that the files contain or may contain, whether or not it was queried.
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

    /// Drops the warning that a column is empty: it was read for a reason of this program, not for the query.
    pub fn forget_empty_column(&self, name: &str) {
        let mut log = self.log();
        log.warnings.retain(|warning| !matches!(warning, Warning::EmptyColumn { column, .. } if column == name));
        log.lacking.remove(name);
    }

    /// Records a column of the records that the table lacks and that was not read.
    pub fn note_extra_column(&self, column: &str) {
        self.log().add_extra_column(column);
    }

    /// Adds the pages that a scan found.
    pub(crate) fn keep_pages(&self, pages: ResultPages) {
        self.log().pages.extend(pages);
    }

    /// Registers the time range that a scan requests.
    pub fn watch(&self, coverage: Arc<TimeCoverage>) {
        self.log().coverages.push(coverage);
    }

    /// Registers a wildcard: the files should contain at least one of its tables.
    pub fn expect_any(&self, wildcard: Arc<Wildcard>) {
        self.log().wildcards.push(wildcard);
    }

    /// Registers the time ranges of another report, too.
    pub fn watch_coverages_of(&self, other: &Self) {
        let watched = other.log().coverages.clone();
        self.log().coverages.extend(watched);
    }

    /// Adds the events of another report about the same files, without its counters, lost records, pages and time
    /// ranges. Notes and damage that both have are not counted twice.
    pub fn absorb(&self, other: &Self) {
        self.log().absorb(&other.log());
    }

    /// Warns if the files do not cover a requested time range, or contain no table that a wildcard matches. To be
    /// called after the scans.
    pub fn report_gaps(&self) {
        let mut log = self.log();
        let (coverages, wildcards) = (std::mem::take(&mut log.coverages), std::mem::take(&mut log.wildcards));
        let skipped = self.counters.get(ScanCount::RecordsSkipped) > 0;
        log.warnings.extend(coverages.iter().filter_map(|coverage| coverage.gap(skipped)).map(Warning::TimeGap));
        drop(log);
        wildcards.iter().filter_map(|wildcard| wildcard.damage()).for_each(|damage| self.damaged(damage, "", 1));
    }

    /// Runs `scan` without adding its notes and damage: a second scan of the same files will report them.
    pub fn without_notes<T>(&self, scan: impl FnOnce() -> T) -> T {
        let before = std::mem::replace(&mut self.log().muted, true);
        let result = scan();
        self.log().muted = before;
        result
    }
}

/// The reported events.
impl ScanReport {
    /// The warnings.
    #[must_use]
    pub fn warnings(&self) -> BTreeSet<Warning> {
        self.log().warnings.clone()
    }

    /// The notes with the number of their occurrences.
    #[must_use]
    pub fn notes(&self) -> BTreeMap<Note, u64> {
        self.log().notes.clone()
    }

    /// All damage other than lost records and files.
    #[must_use]
    pub fn damage(&self) -> DamageLog {
        self.log().damage.clone()
    }

    /// The lost records by file, sorted by file name.
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

    /// The files that were not read, with the reasons.
    #[must_use]
    pub fn refused(&self) -> BTreeMap<String, String> {
        self.log().refused.clone()
    }

    /// The tables in the files, sorted by name.
    #[must_use]
    pub fn tables(&self) -> Vec<String> {
        self.log().tables.iter().cloned().collect()
    }

    /// The export shapes of the queried rows, sorted by name.
    #[must_use]
    pub fn shapes(&self) -> Vec<String> {
        self.log().shapes.iter().cloned().collect()
    }

    /// The requested columns that one of the files lacks.
    #[must_use]
    pub fn lacking(&self) -> BTreeSet<String> {
        self.log().lacking.clone()
    }

    /// The columns of the records that the table lacks, which were not read.
    #[must_use]
    pub fn extra_columns(&self) -> BTreeSet<String> {
        self.log().extra_columns.clone()
    }

    /// Returns these columns, and drops the notes that say how a query reads them: the caller reports them itself.
    #[must_use]
    pub fn take_extra_columns(&self) -> BTreeSet<String> {
        self.log().notes.retain(|note, _| !note.is_of_unknown_name());
        self.extra_columns()
    }

    /// The pages of Microsoft Graph responses that were found.
    #[must_use]
    pub fn pages(&self) -> ResultPages {
        self.log().pages.clone()
    }
}
