//! The findings of the partitions of one scan, which are collected until all files are read.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::scan::{Note, ResultPages};
use crate::source::text::inner_records::StreamedResults;

/// The findings of the partitions of one scan; threads share it.
#[derive(Debug, Default)]
pub(crate) struct ScanLog {
    /// The notes that the scan has reported.
    emitted: Mutex<BTreeSet<Note>>,
    /// Tables whose records the files contain, or may contain.
    tables: Mutex<BTreeSet<String>>,
    /// Kinds of unrecognised records in the files.
    unrecognised: Mutex<BTreeSet<&'static str>>,
    /// Pages of paged responses.
    pages: Mutex<ResultPages>,
    /// For each file that may contain only successes, by its index: true if it has a failure.
    failures: Mutex<BTreeMap<usize, bool>>,
    /// The results of streamed searches in each file.
    streamed: Mutex<BTreeMap<String, StreamedResults>>,
}

impl ScanLog {
    /// Records that a note is reported. Returns false if this scan has reported it before.
    pub(crate) fn is_new(&self, note: &Note) -> bool {
        let mut emitted = lock(&self.emitted);
        !emitted.contains(note) && emitted.insert(note.clone())
    }

    /// Returns the number of unknown keys and columns that were reported.
    pub(crate) fn unknown_names(&self) -> usize {
        lock(&self.emitted).iter().filter(|note| note.is_of_unknown_name()).count()
    }

    /// Records that the files contain, or may contain, records of a table.
    pub(crate) fn add_table(&self, name: String) {
        lock(&self.tables).insert(name);
    }

    /// Returns the tables whose records the files contain, or may contain.
    pub(crate) fn tables(&self) -> Vec<String> {
        lock(&self.tables).iter().cloned().collect()
    }

    /// Records that the files contain unrecognised records of a kind.
    pub(crate) fn add_unrecognised(&self, kind: &'static str) {
        lock(&self.unrecognised).insert(kind);
    }

    /// Returns the kinds of unrecognised records in the files.
    pub(crate) fn unrecognised(&self) -> Vec<&'static str> {
        lock(&self.unrecognised).iter().copied().collect()
    }

    /// Locks the pages of paged responses, so that the caller adds one or takes them all.
    pub(crate) fn pages(&self) -> MutexGuard<'_, ResultPages> {
        lock(&self.pages)
    }

    /// Records for a part of a file that may contain only successes whether it has a failure.
    pub(crate) fn add_failures(&self, file: usize, has_failure: bool) {
        *lock(&self.failures).entry(file).or_default() |= has_failure;
    }

    /// Adds the results of a streamed search that were found in a part of `file`.
    pub(crate) fn add_streamed(&self, file: &str, found: StreamedResults) {
        let mut files = lock(&self.streamed);
        let of_file = files.entry(file.to_owned()).or_default();
        of_file.previews += found.previews;
        of_file.is_final |= found.is_final;
    }

    /// Returns the results of streamed searches in each file.
    pub(crate) fn streamed(&self) -> BTreeMap<String, StreamedResults> {
        lock(&self.streamed).clone()
    }

    /// True if one of the files that may contain only successes has no failure.
    pub(crate) fn is_any_without_failure(&self) -> bool {
        lock(&self.failures).values().any(|has_failure| !has_failure)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
