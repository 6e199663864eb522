//! Collects what a scan skipped, repaired or noticed. The CLI prints it at the end.

use std::collections::hash_map::RandomState;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt::{self, Debug};
use std::hash::BuildHasher;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use super::damage::{self, Damage, DamageLog};
use super::{ResultPages, TimeCoverage, Wildcard};
use crate::storage::counters::{ScanCount, ScanCounters};
use crate::storage::listing::DiscoveryNote;

/// Maximum number of lost records of a file that are kept as examples; the rest are counted.
const EXAMPLES_PER_FILE: usize = 3;

/// Maximum number of extra columns whose names are kept: the first ones in alphabetical order.
const MAX_EXTRA_COLUMNS: usize = 1_000;

/// Maximum number of lost records that are remembered, so that another scan of the file does not count them again.
const MAX_REMEMBERED: usize = 1 << 20;

/// A record or file that could not be read.
#[derive(Clone, Copy, Debug)]
pub struct Reject<'a> {
    /// The name of the file.
    pub file: &'a str,
    /// The position in the file; None for the whole file.
    pub place: Option<&'a str>,
    /// Why it cannot be read.
    pub reason: &'a str,
    /// Its bytes, if they are available.
    pub raw: Option<&'a [u8]>,
}

/// Stores rejects. Their order depends on threads, and a reject may be passed several times.
pub trait RejectSink: Debug + Send + Sync {
    /// Stores a reject.
    fn reject(&self, reject: &Reject<'_>);
}

/// The warnings, notes and damage of a run; shared by all partitions.
#[derive(Debug, Default)]
pub struct ScanReport {
    /// The counters of all scans.
    pub counters: Arc<ScanCounters>,
    problems: Mutex<ProblemLog>,
    warnings: Mutex<BTreeSet<String>>,
    rejects: Option<Arc<dyn RejectSink>>,
    thorough: bool,
    /// The columns that the query names.
    named: OnceLock<BTreeSet<String>>,
    coverages: Mutex<Vec<Arc<TimeCoverage>>>,
    wildcards: Mutex<Vec<Arc<Wildcard>>>,
    notices: Mutex<BTreeMap<String, u64>>,
    damage: Mutex<DamageLog>,
    pages: Mutex<ResultPages>,
    tables: Mutex<BTreeSet<String>>,
    shapes: Mutex<BTreeSet<String>>,
    refused: Mutex<BTreeMap<String, String>>,
    lacking: Mutex<BTreeSet<String>>,
    extra_columns: Mutex<BTreeSet<String>>,
    /// True if files, entries or records were skipped that may contain matching rows.
    unread: AtomicBool,
}

/// The lost records of one file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileProblems {
    /// Number of records or blocks that could not be read.
    pub lost: u64,
    /// True if the whole file could not be read, so that its number of records is unknown.
    pub whole: bool,
    /// Number of positions at which records were lost.
    pub places: u64,
    /// Position and reason of the first lost records.
    pub examples: Vec<(String, String)>,
}

impl FileProblems {
    /// The number of lost records as a phrase.
    #[must_use]
    pub fn count(&self) -> String {
        match self.lost {
            _ if self.whole => "the file was not read".to_owned(),
            1 => "1 record was not read".to_owned(),
            records => format!("{records} records were not read"),
        }
    }
}

impl fmt::Display for FileProblems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let examples: Vec<String> = self.examples.iter().map(|(place, reason)| format!("{place}: {reason}")).collect();
        let more = if self.places > self.examples.len() as u64 { "; ..." } else { "" };
        write!(f, "{} ({}{more})", self.count(), examples.join("; "))
    }
}

/// The lost records by file.
#[derive(Debug, Default)]
struct ProblemLog {
    files: BTreeMap<String, FileProblems>,
    /// Seeded hashes of (file, position), because attackers control positions.
    known: HashSet<u64>,
    hasher: RandomState,
}

impl ProblemLog {
    /// True if this position was not reported before. The same byte with and without a line number is one position.
    fn is_new(&mut self, file: &str, place: &str) -> bool {
        let place = place.rsplit("byte ").next().unwrap_or(place);
        let hash = self.hasher.hash_one((file, place));
        !self.known.contains(&hash) && (self.known.len() >= MAX_REMEMBERED || self.known.insert(hash))
    }
}

impl ScanReport {
    /// Reports a discovery note once.
    pub fn discovered(&self, note: &DiscoveryNote) {
        let DiscoveryNote::Unread { reason, names, .. } = note else { return self.notice_once(note.to_string()) };
        self.damaged(Damage::NotRead(note.to_string()), "", 1);
        names.iter().for_each(|file| self.reject(&Reject { file, place: None, reason, raw: None }));
    }

    /// Creates a report that passes rejects to a sink; with `thorough`, no record is skipped by a prefilter.
    #[must_use]
    pub fn new(rejects: Option<Arc<dyn RejectSink>>, thorough: bool) -> Self {
        let thorough = thorough || rejects.is_some();
        Self { rejects, thorough, ..Self::default() }
    }

    /// Creates a separate report that shares the counters of `other`.
    #[must_use]
    pub fn counting_with(other: &Self) -> Self {
        Self { counters: Arc::clone(&other.counters), named: other.named.clone(), ..Self::default() }
    }

    /// Sets the columns that the query names; later calls have no effect.
    pub fn set_named_columns(&self, names: BTreeSet<String>) {
        // A report that serves several runs keeps those of the first run.
        let _ = self.named.set(names);
    }

    /// True if the query names this column, even if it reads all columns.
    #[must_use]
    pub fn is_named(&self, column: &str) -> bool {
        self.named.get().is_some_and(|names| names.contains(column))
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
        lock(&self.problems).files.entry(file.to_owned()).or_default().whole = true;
        self.lost_records(file, place, reason, None, 1);
    }

    fn lost_records(&self, file: &str, place: &str, reason: &str, raw: Option<&[u8]>, records: u64) {
        let mut problems = lock(&self.problems);
        if !problems.is_new(file, place) {
            return;
        }
        let entry = problems.files.entry(file.to_owned()).or_default();
        entry.lost += records;
        entry.places += 1;
        if entry.examples.len() < EXAMPLES_PER_FILE {
            entry.examples.push((place.to_owned(), reason.to_owned()));
        }
        drop(problems);
        self.reject(&Reject { file, place: Some(place), reason, raw });
    }

    /// True if records of this file could not be read.
    pub(crate) fn has_lost(&self, file: &str) -> bool {
        lock(&self.problems).files.contains_key(file)
    }

    /// True if this file has damage other than lost records.
    pub(crate) fn is_damaged(&self, file: &str) -> bool {
        lock(&self.damage).kinds().any(|(_, files)| files.contains_key(file))
    }

    /// Reports a file that is not read, although it may contain matching rows.
    pub fn refuse_file(&self, file: &str, reason: &str) {
        lock(&self.refused).insert(file.to_owned(), reason.to_owned());
        self.damaged(Damage::RefusedFile(reason.to_owned()), file, 1);
    }

    /// The files that were not read, with the reasons.
    #[must_use]
    pub fn refused(&self) -> BTreeMap<String, String> {
        lock(&self.refused).clone()
    }

    /// Records that a file, entry or record was skipped that may contain matching rows.
    pub fn note_unread(&self) {
        self.unread.store(true, Ordering::Relaxed);
    }

    /// True if anything could not be read or was skipped.
    #[must_use]
    pub fn is_incomplete(&self) -> bool {
        self.unread.load(Ordering::Relaxed) || !lock(&self.damage).is_empty() || !lock(&self.problems).files.is_empty()
    }

    /// Registers the time range that a scan requests.
    pub fn watch(&self, coverage: Arc<TimeCoverage>) {
        lock(&self.coverages).push(coverage);
    }

    /// Registers a wildcard: the files should contain at least one of its tables.
    pub fn expect_any(&self, wildcard: Arc<Wildcard>) {
        lock(&self.wildcards).push(wildcard);
    }

    /// Registers the time ranges of another report, too.
    pub fn watch_coverages_of(&self, other: &Self) {
        let watched = lock(&other.coverages).clone();
        lock(&self.coverages).extend(watched);
    }

    /// Merges another report about the same files, without its counters, lost records and time ranges. Notes and damage
    /// that both have are not counted twice.
    pub fn absorb(&self, other: &Self) {
        lock(&self.warnings).extend(other.warnings());
        lock(&self.tables).extend(other.tables());
        lock(&self.shapes).extend(other.shapes());
        lock(&self.refused).extend(other.refused());
        lock(&self.lacking).extend(other.lacking());
        other.extra_columns().iter().for_each(|column| self.note_extra_column(column));
        self.unread.fetch_or(other.unread.load(Ordering::Relaxed), Ordering::Relaxed);
        let mut notices = lock(&self.notices);
        for (text, times) in &*lock(&other.notices) {
            let known = notices.entry(text.clone()).or_default();
            *known = (*known).max(*times);
        }
        drop(notices);
        lock(&self.damage).absorb(&lock(&other.damage));
    }

    /// Warns if the files do not cover a requested time range, or contain no table that a wildcard matches. To be
    /// called after the scans.
    pub fn report_gaps(&self) {
        let wildcards = std::mem::take(&mut *lock(&self.wildcards));
        wildcards.iter().filter_map(|wildcard| wildcard.damage()).for_each(|damage| self.damaged(damage, "", 1));
        let skipped = self.counters.get(ScanCount::RecordsSkipped) > 0;
        let coverages = std::mem::take(&mut *lock(&self.coverages));
        coverages.iter().filter_map(|coverage| coverage.gap(skipped)).for_each(|gap| self.warn(gap));
    }

    /// Warns once that the result may mislead. The text must not contain row data.
    pub fn warn(&self, text: impl Into<String>) {
        lock(&self.warnings).insert(text.into());
    }

    /// The warnings, sorted.
    #[must_use]
    pub fn warnings(&self) -> BTreeSet<String> {
        lock(&self.warnings).clone()
    }

    /// Runs `scan` and discards its notes and damage: a second scan of the same files will report them again.
    pub fn without_notices<T>(&self, scan: impl FnOnce() -> T) -> T {
        let before = lock(&self.notices).clone();
        let damage = lock(&self.damage).clone();
        let result = scan();
        *lock(&self.notices) = before;
        *lock(&self.damage) = damage;
        result
    }

    /// Counts an occurrence of a note. The text must not contain row data.
    pub fn notice(&self, text: impl Into<String>) {
        self.notice_times(text, 1);
    }

    /// Adds a note that is counted once, even if several scans report it.
    pub fn notice_once(&self, text: impl Into<String>) {
        lock(&self.notices).entry(text.into()).or_insert(1);
    }

    /// Counts `times` occurrences of a note.
    pub fn notice_times(&self, text: impl Into<String>, times: u64) {
        *lock(&self.notices).entry(text.into()).or_default() += times;
    }

    /// Counts `count` cases of damage in `file`, which is empty for damage of no single file.
    pub fn damaged(&self, damage: Damage, file: &str, count: u64) {
        if count == 0 {
            return;
        }
        let reason = self.rejects.is_some().then(|| damage.describe(1)).filter(|_| damage::is_reject(&damage, file));
        let is_new = lock(&self.damage).add(damage, file, count);
        if let Some(reason) = reason.filter(|_| is_new) {
            self.reject(&Reject { file, place: None, reason: &reason, raw: None });
        }
    }

    /// All damage other than lost records and files.
    #[must_use]
    pub fn damage(&self) -> DamageLog {
        lock(&self.damage).clone()
    }

    /// Adds the pages that a scan found.
    pub(crate) fn keep_pages(&self, pages: ResultPages) {
        lock(&self.pages).extend(pages);
    }

    /// The pages of Microsoft Graph responses that were found.
    #[must_use]
    pub fn pages(&self) -> ResultPages {
        lock(&self.pages).clone()
    }

    /// Records a table that the files contain or may contain, whether or not it was queried.
    pub fn note_table(&self, name: &str) {
        insert(&self.tables, name);
    }

    /// The tables in the files, sorted by name.
    #[must_use]
    pub fn tables(&self) -> Vec<String> {
        lock(&self.tables).iter().cloned().collect()
    }

    /// Records an export shape of the queried rows.
    pub fn note_shape(&self, name: &str) {
        insert(&self.shapes, name);
    }

    /// The export shapes of the queried rows, sorted by name.
    #[must_use]
    pub fn shapes(&self) -> Vec<String> {
        lock(&self.shapes).iter().cloned().collect()
    }

    /// Records a column of the table that one of the files lacks.
    pub fn lacks(&self, column: &str) {
        insert(&self.lacking, column);
    }

    /// The requested columns that one of the files lacks.
    #[must_use]
    pub fn lacking(&self) -> BTreeSet<String> {
        lock(&self.lacking).clone()
    }

    /// Records a column of the records that the table lacks and that was not read.
    pub fn note_extra_column(&self, column: &str) {
        let mut extra = lock(&self.extra_columns);
        extra.insert(column.to_owned());
        if extra.len() > MAX_EXTRA_COLUMNS {
            extra.pop_last();
        }
    }

    /// The columns of the records that the table lacks, which were not read.
    #[must_use]
    pub fn extra_columns(&self) -> BTreeSet<String> {
        lock(&self.extra_columns).clone()
    }

    /// The lost records by file, sorted by file name.
    #[must_use]
    pub fn problems(&self) -> BTreeMap<String, FileProblems> {
        lock(&self.problems).files.clone()
    }

    /// The notes with the number of their occurrences.
    #[must_use]
    pub fn notices(&self) -> BTreeMap<String, u64> {
        lock(&self.notices).clone()
    }
}

/// Inserts a text that is usually present already.
fn insert(texts: &Mutex<BTreeSet<String>>, text: &str) {
    let mut texts = lock(texts);
    if !texts.contains(text) {
        texts.insert(text.to_owned());
    }
}

/// Ignores poisoning: if another thread panicked while counting, the counts are still the best available.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
