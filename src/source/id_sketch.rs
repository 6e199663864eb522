//! Finds Ids that occur in more than one file, among the rows that scans return.
//!
//! The Ids are sampled by their hash: an Id is kept if its hash is below a threshold, so the sample has the same
//! Ids of every file. The threshold falls when the sample gets too large. Memory is therefore bounded, and an
//! overlap is found wherever it is in the files. The sample depends only on the Ids, not on the order in which
//! threads read them.

use std::collections::BTreeMap;
use std::hash::BuildHasher;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use foldhash::quality::FixedState;

/// Maximum number of Ids in the sample of a table.
const MAX_IDS: usize = 1 << 16;

/// The sampled Ids of the files of a table.
#[derive(Debug)]
pub(crate) struct IdSketch {
    hasher: FixedState,
    /// Maximum number of Ids in the sample.
    max_ids: usize,
    /// An Id is in the sample if its hash is at most this; that is one Id in 2^n.
    threshold: AtomicU64,
    sample: Mutex<IdSample>,
    /// The number of rows of each file.
    rows: Mutex<BTreeMap<usize, IdRows>>,
}

/// The number of rows of a file that have an Id, and of those that have none.
#[derive(Clone, Copy, Debug, Default)]
struct IdRows {
    with: u64,
    without: u64,
}

/// Sampled Ids. New ones are appended and sorted only when there are many: this is faster than a hash table, whose
/// memory is written in random order.
#[derive(Debug, Default)]
struct IdSample {
    ids: Vec<SampledId>,
    /// True if the Ids are sorted by their hashes, and each occurs once.
    is_sorted: bool,
}

/// An Id of the sample, and the first two files in which it occurs.
#[derive(Clone, Copy, Debug)]
struct SampledId {
    hash: u64,
    first: u32,
    /// [`NO_FILE`] if the Id occurs in one file only.
    second: u32,
}

/// Stands for no file.
const NO_FILE: u32 = u32::MAX;

/// The Ids of a sample that occur in more than one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RepeatedIds {
    /// The positions of two files that contain the same Id.
    pub files: [usize; 2],
    /// Number of Ids that occur in more than one file.
    pub repeated: usize,
    /// Number of Ids in the sample.
    pub compared: usize,
    /// True if the sample has all Ids.
    pub are_all: bool,
}

impl Default for IdSketch {
    fn default() -> Self {
        Self::of_at_most(MAX_IDS)
    }
}

impl IdSketch {
    /// Returns a sketch whose sample has at most `max_ids` Ids.
    fn of_at_most(max_ids: usize) -> Self {
        let (hasher, threshold) = (FixedState::default(), AtomicU64::new(u64::MAX));
        Self { hasher, max_ids, threshold, sample: Mutex::default(), rows: Mutex::default() }
    }

    /// Returns the hash of an Id if it belongs to the sample, otherwise None.
    pub(crate) fn sampled(&self, id: &[u8]) -> Option<u64> {
        Some(self.hasher.hash_one(id)).filter(|hash| *hash <= self.threshold.load(Ordering::Relaxed))
    }

    /// Adds Ids of the file at position `file` by their hashes, which [`Self::sampled`] returned.
    pub(crate) fn add(&self, file: usize, hashes: &[u64]) {
        let first = u32::try_from(file).unwrap_or(NO_FILE);
        let mut sample = self.sample.lock().unwrap_or_else(PoisonError::into_inner);
        if sample.ids.capacity() == 0 {
            sample.ids.reserve(2 * self.max_ids);
        }
        if sample.ids.len() + hashes.len() > 2 * self.max_ids {
            self.shrink(&mut sample);
        }
        sample.ids.extend(hashes.iter().map(|&hash| SampledId { hash, first, second: NO_FILE }));
        sample.is_sorted &= hashes.is_empty();
    }

    /// Sorts the sample, and removes the Ids with the highest hashes if there are too many.
    fn shrink(&self, sample: &mut IdSample) {
        sample.sort();
        let mut threshold = self.threshold.load(Ordering::Relaxed);
        while sample.within(threshold) > self.max_ids {
            threshold /= 2;
        }
        // A thread may have added Ids by an older threshold.
        sample.ids.truncate(sample.within(threshold));
        self.threshold.store(threshold, Ordering::Relaxed);
    }

    /// Returns the sample, sorted and not too large.
    fn sorted(&self) -> MutexGuard<'_, IdSample> {
        let mut sample = self.sample.lock().unwrap_or_else(PoisonError::into_inner);
        if !sample.is_sorted {
            self.shrink(&mut sample);
        }
        sample
    }

    /// Counts rows of the file at position `file`.
    pub(crate) fn count(&self, file: usize, with_id: u64, without_id: u64) {
        let mut rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        let rows = rows.entry(file).or_default();
        rows.with += with_id;
        rows.without += without_id;
    }

    /// Returns the position of the first file none of whose rows has an Id, and the number of its rows.
    pub(crate) fn first_without_ids(&self) -> Option<(usize, u64)> {
        let rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        rows.iter().find(|(_, rows)| rows.with == 0 && rows.without > 0).map(|(file, rows)| (*file, rows.without))
    }

    /// Returns the position of the first file with Ids.
    pub(crate) fn first_with_ids(&self) -> Option<usize> {
        let rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        rows.iter().find(|(_, rows)| rows.with > 0).map(|(file, _)| *file)
    }

    /// Returns the position of a file with this Id; None if there is none, or if the Id is not in the sample.
    pub(crate) fn file_with(&self, id: &[u8]) -> Option<usize> {
        let hash = self.sampled(id)?;
        let sample = self.sorted();
        let found = sample.ids.binary_search_by_key(&hash, |id| id.hash).ok()?;
        Some(sample.ids[found].first as usize)
    }

    /// Returns the Ids that occur in more than one file; None if there are none.
    pub(crate) fn repeated(&self) -> Option<RepeatedIds> {
        let sample = self.sorted();
        let pairs = || sample.ids.iter().filter(|id| id.second != NO_FILE).map(|id| [id.first, id.second]);
        let files = pairs().min()?.map(|file| file as usize);
        let are_all = self.threshold.load(Ordering::Relaxed) == u64::MAX;
        Some(RepeatedIds { files, repeated: pairs().count(), compared: sample.ids.len(), are_all })
    }
}

impl IdSample {
    /// Sorts the Ids by their hashes, and merges those that are equal.
    fn sort(&mut self) {
        self.ids.sort_unstable_by_key(|id| id.hash);
        self.ids.dedup_by(|later, known| {
            let is_same = later.hash == known.hash;
            if is_same {
                known.add(later.first);
                known.add(later.second);
            }
            is_same
        });
        self.is_sorted = true;
    }

    /// Returns the number of Ids of a sorted sample whose hash is at most `threshold`.
    fn within(&self, threshold: u64) -> usize {
        self.ids.partition_point(|id| id.hash <= threshold)
    }
}

impl SampledId {
    /// Adds a file; the two with the lowest positions are kept.
    fn add(&mut self, file: u32) {
        if file != self.first {
            let later = file.max(self.first);
            self.first = file.min(self.first);
            self.second = self.second.min(later);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FEW_IDS: usize = 1 << 8;

    /// Adds the Ids of a range to the file at position `file`, in blocks of 100.
    fn add(sketch: &IdSketch, file: usize, ids: std::ops::Range<usize>) {
        for start in ids.clone().step_by(100) {
            let block = start..(start + 100).min(ids.end);
            let hashes: Vec<u64> = block.filter_map(|id| sketch.sampled(format!("id{id}").as_bytes())).collect();
            sketch.add(file, &hashes);
        }
    }

    #[test]
    fn repeated_ids_are_found_anywhere_in_files_of_any_size() {
        for (first, second) in [(0..100, 99..150), (0..50_000, 45_000..90_000), (0..50_000, 20_000..30_000)] {
            let sketch = IdSketch::of_at_most(FEW_IDS);
            add(&sketch, 3, second.clone());
            add(&sketch, 1, first.clone());
            add(&sketch, 2, 100_000..100_010);
            let found = sketch.repeated().expect("an overlap");
            assert_eq!(found.files, [1, 3]);
            assert!(found.compared <= FEW_IDS && found.are_all == (first.end == 100), "{found:?}");
            let of_third = (100_000..100_010).map(|id| sketch.file_with(format!("id{id}").as_bytes()));
            assert!(
                of_third.clone().flatten().all(|file| file == 2)
                    && (!found.are_all || of_third.flatten().count() == 10)
            );
            assert_eq!(sketch.file_with(b"another"), None);
            let other_order = IdSketch::of_at_most(FEW_IDS);
            add(&other_order, 2, 100_000..100_010);
            add(&other_order, 1, first);
            add(&other_order, 3, second);
            assert_eq!(other_order.repeated(), Some(found));
        }
    }

    #[test]
    fn an_id_that_occurs_twice_in_one_file_is_none_of_two_files() {
        let sketch = IdSketch::of_at_most(FEW_IDS);
        add(&sketch, 0, 0..5_000);
        add(&sketch, 0, 0..5_000);
        add(&sketch, 1, 5_000..9_000);
        assert_eq!(sketch.repeated(), None);
    }
}
