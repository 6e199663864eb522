//! Tracks which files of a scan are complete: they were skipped, or all of their parts were read to the end.

use std::fmt::{self, Debug};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::{BatchIterator, Damage, Partition, ScanReport};
use crate::diagnostic::Result;
use crate::storage::counters::{ScanCount, ScanCounters};
use crate::storage::files::DataFile;

/// For each file, the number of its parts that are not complete.
#[derive(Debug)]
pub(crate) struct CompletionTracker {
    files: Arc<[DataFile]>,
    remaining: Box<[AtomicUsize]>,
    counters: Arc<ScanCounters>,
    report: Arc<ScanReport>,
}

impl CompletionTracker {
    /// Starts to track `files`, which have no parts yet.
    pub fn new(files: &Arc<[DataFile]>, counters: &Arc<ScanCounters>, report: &Arc<ScanReport>) -> Self {
        counters.add(ScanCount::FilesListed, files.len() as u64);
        Self {
            files: Arc::clone(files),
            remaining: files.iter().map(|_| AtomicUsize::new(0)).collect(),
            counters: Arc::clone(counters),
            report: Arc::clone(report),
        }
    }

    /// Adds a part to a file.
    pub fn expect(&self, file: usize) {
        self.remaining[file].fetch_add(1, Ordering::Relaxed);
    }

    /// Records that a part of a file was read to its end. When the last part ends, a file that changed since it was
    /// listed is reported as damage.
    pub fn end(&self, file: usize) {
        if self.remaining[file].fetch_sub(1, Ordering::AcqRel) == 1 {
            self.counters.add(ScanCount::FilesDone, 1);
            let file = &self.files[file];
            if file.has_changed() {
                self.report.damaged(Damage::ChangedFile, &file.name, 1);
            }
        }
    }

    /// Wraps the parts of a file so that the end of each is recorded. A file without parts is complete at once.
    /// `bytes` is the size of the file, for the progress.
    pub fn track(self: &Arc<Self>, file: usize, bytes: u64, parts: Vec<Arc<dyn Partition>>) -> Vec<Arc<dyn Partition>> {
        self.expect(file);
        let each = bytes / (parts.len() as u64).max(1);
        self.counters.add(ScanCount::BytesDone, bytes - each * parts.len() as u64);
        let part = |inner| {
            self.expect(file);
            let tracker = Arc::clone(self);
            on_completion(inner, move || {
                tracker.counters.add(ScanCount::BytesDone, each);
                tracker.end(file);
            })
        };
        let watched = parts.into_iter().map(part).collect();
        self.end(file);
        watched
    }
}

/// A partition that calls `at_end` when it was read to its end.
struct TrackedPartition<F> {
    inner: Arc<dyn Partition>,
    at_end: F,
}

impl<F> Debug for TrackedPartition<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TrackedPartition").field(&self.inner).finish()
    }
}

/// Wraps a partition so that `at_end` is called each time that it was read to its end.
pub fn on_completion(inner: Arc<dyn Partition>, at_end: impl Fn() + Send + Sync + 'static) -> Arc<dyn Partition> {
    Arc::new(TrackedPartition { inner, at_end })
}

impl<F: Fn() + Send + Sync> Partition for TrackedPartition<F> {
    fn read(&self) -> Result<BatchIterator<'_>> {
        let mut batches = self.inner.read()?.fuse();
        let mut ended = false;
        Ok(Box::new(std::iter::from_fn(move || {
            let batch = batches.next();
            if batch.is_none() && !std::mem::replace(&mut ended, true) {
                (self.at_end)();
            }
            batch
        })))
    }
}
