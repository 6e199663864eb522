//! Which files of a scan are done with: those whose parts were all read to their ends, and those that are left out.

use std::fmt::{self, Debug};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::{BatchIterator, Damage, Partition, ScanReport};
use crate::diagnostic::Result;
use crate::storage::counters::{ScanCount, ScanCounters};
use crate::storage::files::DataFile;

/// By file, how many of its parts are not done with.
#[derive(Debug)]
pub(crate) struct CompletionTracker {
    files: Arc<[DataFile]>,
    left: Box<[AtomicUsize]>,
    counters: Arc<ScanCounters>,
    report: Arc<ScanReport>,
}

impl CompletionTracker {
    /// Of files that have no part yet.
    pub fn new(files: &Arc<[DataFile]>, counters: &Arc<ScanCounters>, report: &Arc<ScanReport>) -> Self {
        counters.add(ScanCount::FilesListed, files.len() as u64);
        Self {
            files: Arc::clone(files),
            left: files.iter().map(|_| AtomicUsize::new(0)).collect(),
            counters: Arc::clone(counters),
            report: Arc::clone(report),
        }
    }

    /// A file has one part more.
    pub fn expect(&self, file: usize) {
        self.left[file].fetch_add(1, Ordering::Relaxed);
    }

    /// A part of a file was read to its end.
    pub fn end(&self, file: usize) {
        if self.left[file].fetch_sub(1, Ordering::AcqRel) == 1 {
            self.counters.add(ScanCount::FilesDone, 1);
            let file = &self.files[file];
            if file.has_changed() {
                self.report.damaged(Damage::ChangedFile, &file.name, 1);
            }
        }
    }

    /// The parts of a file, which tell when they are read; without any, the file is done with.
    pub fn watch(self: &Arc<Self>, file: usize, bytes: u64, parts: Vec<Arc<dyn Partition>>) -> Vec<Arc<dyn Partition>> {
        self.expect(file);
        let each = bytes / (parts.len() as u64).max(1);
        self.counters.add(ScanCount::BytesDone, bytes - each * parts.len() as u64);
        let part = |inner| {
            self.expect(file);
            let left = Arc::clone(self);
            on_completion(inner, move || {
                left.counters.add(ScanCount::BytesDone, each);
                left.end(file);
            })
        };
        let watched = parts.into_iter().map(part).collect();
        self.end(file);
        watched
    }
}

/// A partition of which it matters that it was read to its end.
struct TrackedPartition<F> {
    inner: Arc<dyn Partition>,
    at_end: F,
}

impl<F> Debug for TrackedPartition<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TrackedPartition").field(&self.inner).finish()
    }
}

/// The partition; `at_end` is called whenever it was read to its end.
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
