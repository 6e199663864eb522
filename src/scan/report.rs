//! What a scan skipped, repaired or pruned: counted while it runs, said by the front door.

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

/// How many examples of damage are kept of one file; the rest is only counted.
const EXAMPLES_PER_FILE: usize = 3;

/// Columns beyond those of a table whose names are kept: the first ones in the order of the names.
const MAX_BEYOND: usize = 1_000;

/// Lost records that are told apart, so that one that is met again by another scan is not counted twice.
const MAX_TOLD_APART: usize = 1 << 20;

/// Something that could not be read.
#[derive(Clone, Copy, Debug)]
pub struct Reject<'a> {
    /// The file, as it was named or found.
    pub file: &'a str,
    /// Where it is in the file; None for the file as a whole.
    pub place: Option<&'a str>,
    /// Why it cannot be read.
    pub reason: &'a str,
    /// Its bytes, where they are at hand.
    pub raw: Option<&'a [u8]>,
}

/// Keeps what could not be read. The order in which it comes depends on threads, and one thing may come several times.
pub trait RejectSink: Debug + Send + Sync {
    /// Keeps one.
    fn reject(&self, reject: &Reject<'_>);
}

/// What one run read; shared by all its partitions.
#[derive(Debug, Default)]
pub struct ScanReport {
    /// The numbers of all its scans.
    pub counters: Arc<ScanCounters>,
    problems: Mutex<ProblemLog>,
    warnings: Mutex<BTreeSet<String>>,
    rejects: Option<Arc<dyn RejectSink>>,
    thorough: bool,
    /// The columns that the query speaks of by name.
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
    beyond: Mutex<BTreeSet<String>>,
    /// True where files, entries or records were passed over that may hold what was asked for.
    unread: AtomicBool,
}

/// What is wrong with one file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileProblems {
    /// How many records (or blocks) could not be read.
    pub lost: u64,
    /// True where it is the whole file, whose records nobody can count.
    pub whole: bool,
    /// In how many places.
    pub places: u64,
    /// The first of them: place and reason.
    pub examples: Vec<(String, String)>,
}

impl FileProblems {
    /// How much was not read, in words.
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

/// Damage by file.
#[derive(Debug, Default)]
struct ProblemLog {
    files: BTreeMap<String, FileProblems>,
    /// Hashes of files and places; seeded, for places are where attackers want them.
    known: HashSet<u64>,
    hasher: RandomState,
}

impl ProblemLog {
    /// True where this place was not met before. With and without its line, a place is the same.
    fn is_new(&mut self, file: &str, place: &str) -> bool {
        let place = place.rsplit("byte ").next().unwrap_or(place);
        let hash = self.hasher.hash_one((file, place));
        !self.known.contains(&hash) && (self.known.len() >= MAX_TOLD_APART || self.known.insert(hash))
    }
}

impl ScanReport {
    /// Reports what was noted when files were listed, once.
    pub fn discovered(&self, note: &DiscoveryNote) {
        let DiscoveryNote::Unread { reason, names, .. } = note else { return self.notice_once(note.to_string()) };
        self.damaged(Damage::NotRead(note.to_string()), "", 1);
        names.iter().for_each(|file| self.reject(&Reject { file, place: None, reason, raw: None }));
    }

    /// A report that also keeps what could not be read; with `thorough`, every record is looked at.
    #[must_use]
    pub fn new(rejects: Option<Arc<dyn RejectSink>>, thorough: bool) -> Self {
        let thorough = thorough || rejects.is_some();
        Self { rejects, thorough, ..Self::default() }
    }

    /// A report for itself, but for the numbers, which are added to those of `other`.
    #[must_use]
    pub fn counting_with(other: &Self) -> Self {
        Self { counters: Arc::clone(&other.counters), named: other.named.clone(), ..Self::default() }
    }

    /// Says which columns the query speaks of by name, once that is known.
    pub fn set_named_columns(&self, names: BTreeSet<String>) {
        // Of a report that serves several runs, the first tells.
        let _ = self.named.set(names);
    }

    /// True for a column that the query speaks of by name, where it asks for all.
    #[must_use]
    pub fn is_named(&self, column: &str) -> bool {
        self.named.get().is_some_and(|names| names.contains(column))
    }

    /// True where every record is to be looked at, for what cannot be read is kept or decides how the run ends: nothing
    /// may be skipped unparsed.
    #[must_use]
    pub fn is_thorough(&self) -> bool {
        self.thorough
    }

    /// Keeps something that is not read, where that is wanted.
    pub fn reject(&self, reject: &Reject<'_>) {
        if let Some(sink) = &self.rejects {
            sink.reject(reject);
        }
    }

    /// Counts one record of `file` that could not be read, at `place`, for `reason`.
    pub fn lost(&self, file: &str, place: impl Into<String>, reason: impl Into<String>) {
        self.lost_record(file, &place.into(), &reason.into(), None);
    }

    /// As [`Self::lost`], with the bytes of the record.
    pub fn lost_record(&self, file: &str, place: &str, reason: &str, raw: Option<&[u8]>) {
        self.lost_records((file, place), reason, raw, 1);
    }

    /// As [`Self::lost`], for so many records.
    pub fn lost_rows(&self, file: &str, place: &str, reason: &str, rows: u64) {
        self.lost_records((file, place), reason, None, rows);
    }

    /// Counts a file of which no record could be read, nor how many it has.
    pub fn lost_file(&self, file: &str, place: &str, reason: &str) {
        lock(&self.problems).files.entry(file.to_owned()).or_default().whole = true;
        self.lost_records((file, place), reason, None, 1);
    }

    fn lost_records(&self, (file, place): (&str, &str), reason: &str, raw: Option<&[u8]>, records: u64) {
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

    /// True if there is damage in this file other than that to whole records.
    pub(crate) fn is_damaged(&self, file: &str) -> bool {
        lock(&self.damage).kinds().any(|(_, files)| files.contains_key(file))
    }

    /// Notes that a file is not read at all, and why, though it may hold what was asked for.
    pub fn refuse_file(&self, file: &str, reason: &str) {
        lock(&self.refused).insert(file.to_owned(), reason.to_owned());
        self.damaged(Damage::RefusedFile(reason.to_owned()), file, 1);
    }

    /// The files that were not read at all, with the reasons.
    #[must_use]
    pub fn refused(&self) -> BTreeMap<String, String> {
        lock(&self.refused).clone()
    }

    /// Notes that a file, an entry or a record was passed over that may hold what was asked for.
    pub fn note_unread(&self) {
        self.unread.store(true, Ordering::Relaxed);
    }

    /// True where anything could not be read, or was passed over.
    #[must_use]
    pub fn is_incomplete(&self) -> bool {
        self.unread.load(Ordering::Relaxed) || !lock(&self.damage).is_empty() || !lock(&self.problems).files.is_empty()
    }

    /// Remembers a range of time that a scan is asked for.
    pub fn watch(&self, coverage: Arc<TimeCoverage>) {
        lock(&self.coverages).push(coverage);
    }

    /// Remembers a wildcard, of whose tables at least one should be in the files.
    pub fn expect_any(&self, wildcard: Arc<Wildcard>) {
        lock(&self.wildcards).push(wildcard);
    }

    /// Also watches the ranges of time that another report watched.
    pub fn watch_coverages_of(&self, other: &Self) {
        let watched = lock(&other.coverages).clone();
        lock(&self.coverages).extend(watched);
    }

    /// Takes over what another report had to say, other than numbers, damage and ranges of time. What both were
    /// told of the same files is not told twice.
    pub fn absorb(&self, other: &Self) {
        lock(&self.warnings).extend(other.warnings());
        lock(&self.tables).extend(other.tables());
        lock(&self.shapes).extend(other.shapes());
        lock(&self.refused).extend(other.refused());
        lock(&self.lacking).extend(other.lacking());
        other.beyond().iter().for_each(|column| self.note_extra_column(column));
        self.unread.fetch_or(other.unread.load(Ordering::Relaxed), Ordering::Relaxed);
        let mut notices = lock(&self.notices);
        for (text, times) in &*lock(&other.notices) {
            let known = notices.entry(text.clone()).or_default();
            *known = (*known).max(*times);
        }
        drop(notices);
        lock(&self.damage).absorb(&lock(&other.damage));
    }

    /// Warns where the files do not reach over the time that was asked for, and where they hold no table that a wildcard
    /// stands for; once the scans have run.
    pub fn report_gaps(&self) {
        let wildcards = std::mem::take(&mut *lock(&self.wildcards));
        wildcards.iter().filter_map(|wildcard| wildcard.damage()).for_each(|damage| self.damaged(damage, "", 1));
        let skipped = self.counters.get(ScanCount::RecordsSkipped) > 0;
        let coverages = std::mem::take(&mut *lock(&self.coverages));
        coverages.iter().filter_map(|coverage| coverage.gap(skipped)).for_each(|gap| self.warn(gap));
    }

    /// Says once that an answer may mislead; keep the text free of row data.
    pub fn warn(&self, text: impl Into<String>) {
        lock(&self.warnings).insert(text.into());
    }

    /// Warnings, in order.
    #[must_use]
    pub fn warnings(&self) -> BTreeSet<String> {
        lock(&self.warnings).clone()
    }

    /// Runs `scan` and forgets the notices it made: a second scan of the same files will make them, too.
    pub fn without_notices<T>(&self, scan: impl FnOnce() -> T) -> T {
        let before = lock(&self.notices).clone();
        let damage = lock(&self.damage).clone();
        let result = scan();
        *lock(&self.notices) = before;
        *lock(&self.damage) = damage;
        result
    }

    /// Counts something worth saying once with the number of its occurrences; keep the text free of row data.
    pub fn notice(&self, text: impl Into<String>) {
        self.notice_times(text, 1);
    }

    /// As [`Self::notice`], for what is so once, however many scans meet it.
    pub fn notice_once(&self, text: impl Into<String>) {
        lock(&self.notices).entry(text.into()).or_insert(1);
    }

    /// Counts `times` occurrences at once of something worth saying.
    pub fn notice_times(&self, text: impl Into<String>, times: u64) {
        *lock(&self.notices).entry(text.into()).or_default() += times;
    }

    /// Counts `count` cases of damage in `file`; the name is empty where no single file is to blame.
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

    /// Damage other than that to whole records and files.
    #[must_use]
    pub fn damage(&self) -> DamageLog {
        lock(&self.damage).clone()
    }

    /// Keeps the pages that a scan met.
    pub(crate) fn keep_pages(&self, pages: ResultPages) {
        lock(&self.pages).extend(pages);
    }

    /// The pages of answers that were met, of those that come in several.
    #[must_use]
    pub fn pages(&self) -> ResultPages {
        lock(&self.pages).clone()
    }

    /// Notes a table that the files hold, or may hold, whether or not its rows were wanted.
    pub fn note_table(&self, name: &str) {
        insert(&self.tables, name);
    }

    /// The tables that were met, in order of their names.
    #[must_use]
    pub fn tables(&self) -> Vec<String> {
        lock(&self.tables).iter().cloned().collect()
    }

    /// Notes a shape in which wanted rows lie.
    pub fn note_shape(&self, name: &str) {
        insert(&self.shapes, name);
    }

    /// The shapes that were met, in order of their names.
    #[must_use]
    pub fn shapes(&self) -> Vec<String> {
        lock(&self.shapes).iter().cloned().collect()
    }

    /// Notes a column of the table that one of the files does not have.
    pub fn lacks(&self, column: &str) {
        insert(&self.lacking, column);
    }

    /// The columns that were asked for and that one of the files does not have.
    #[must_use]
    pub fn lacking(&self) -> BTreeSet<String> {
        lock(&self.lacking).clone()
    }

    /// Notes a column that records have and their table does not: it was not read.
    pub fn note_extra_column(&self, column: &str) {
        let mut beyond = lock(&self.beyond);
        beyond.insert(column.to_owned());
        if beyond.len() > MAX_BEYOND {
            beyond.pop_last();
        }
    }

    /// The columns that records have and their table does not, which were not read.
    #[must_use]
    pub fn beyond(&self) -> BTreeSet<String> {
        lock(&self.beyond).clone()
    }

    /// Damage by file, in order of the file names.
    #[must_use]
    pub fn problems(&self) -> BTreeMap<String, FileProblems> {
        lock(&self.problems).files.clone()
    }

    /// Notices with the number of their occurrences.
    #[must_use]
    pub fn notices(&self) -> BTreeMap<String, u64> {
        lock(&self.notices).clone()
    }
}

/// Adds a text, which is most often there already.
fn insert(texts: &Mutex<BTreeSet<String>>, text: &str) {
    let mut texts = lock(texts);
    if !texts.contains(text) {
        texts.insert(text.to_owned());
    }
}

/// A poisoned lock only means that another thread stopped while counting: the counts are still the best known.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
