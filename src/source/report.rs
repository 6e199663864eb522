//! What a scan skipped, repaired or pruned: counted while it runs, said by the front door.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How many examples of damage are kept of one file; the rest is only counted.
const EXAMPLES_PER_FILE: usize = 3;

/// Shared by all partitions of a run.
#[derive(Debug, Default)]
pub struct ScanReport {
    /// Files opened.
    pub files: AtomicU64,
    /// Bytes read from disk.
    pub bytes: AtomicU64,
    /// Rows decoded.
    pub rows: AtomicU64,
    /// JSON lines that were skipped unparsed, because they could not match.
    pub lines_skipped: AtomicU64,
    /// Files that were not read, because they could not match.
    pub files_pruned: AtomicU64,
    /// Parquet row groups that were not read, because they could not match.
    pub row_groups_pruned: AtomicU64,
    problems: Mutex<BTreeMap<String, FileProblems>>,
    notices: Mutex<BTreeMap<String, u64>>,
}

/// What is wrong with one file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileProblems {
    /// How many records (or blocks) could not be read.
    pub lost: u64,
    /// The first of them: place and reason.
    pub examples: Vec<(String, String)>,
}

impl ScanReport {
    /// Counts one record of `file` that could not be read, at `place`, for `reason`.
    pub fn lost(&self, file: &str, place: impl Into<String>, reason: impl Into<String>) {
        let mut problems = lock(&self.problems);
        let entry = problems.entry(file.to_owned()).or_default();
        entry.lost += 1;
        if entry.examples.len() < EXAMPLES_PER_FILE {
            entry.examples.push((place.into(), reason.into()));
        }
    }

    /// Counts something worth saying once with the number of its occurrences; keep the text free of row data.
    pub fn notice(&self, text: impl Into<String>) {
        self.notice_times(text, 1);
    }

    /// Counts `times` occurrences at once of something worth saying.
    pub fn notice_times(&self, text: impl Into<String>, times: u64) {
        *lock(&self.notices).entry(text.into()).or_default() += times;
    }

    /// Counts `count` occurrences of a notice.
    pub fn notices_of(&self, text: impl Into<String>, count: u64) {
        *lock(&self.notices).entry(text.into()).or_default() += count;
    }

    /// Adds to a counter.
    pub fn add(counter: &AtomicU64, amount: u64) {
        counter.fetch_add(amount, Ordering::Relaxed);
    }

    /// Damage by file, in order of the file names.
    #[must_use]
    pub fn problems(&self) -> BTreeMap<String, FileProblems> {
        lock(&self.problems).clone()
    }

    /// Notices with the number of their occurrences.
    #[must_use]
    pub fn notices(&self) -> BTreeMap<String, u64> {
        lock(&self.notices).clone()
    }
}

/// A poisoned lock only means that another thread stopped while counting: the counts are still the best known.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
