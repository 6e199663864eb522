//! Records and files that could not be read, with their positions by byte or line.

use std::collections::hash_map::RandomState;
use std::collections::{BTreeMap, HashSet};
use std::hash::BuildHasher;

/// Maximum number of lost records of a file that are kept as examples; the others are only counted.
const EXAMPLES_PER_FILE: usize = 3;

/// Maximum number of lost records that are remembered, so that another scan of the same file does not count them
/// again.
const MAX_REMEMBERED: usize = 1 << 20;

/// The lost records of one file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileProblems {
    /// Number of records or blocks that could not be read.
    pub lost: u64,
    /// True if nothing of the file could be read, so that its number of records is unknown.
    pub whole: bool,
    /// Number of positions at which records were lost.
    pub places: u64,
    /// The positions of the first lost records, each with the reason.
    pub examples: Vec<(String, String)>,
}

/// The lost records of a run, by file.
#[derive(Debug, Default)]
pub(super) struct ProblemLog {
    pub files: BTreeMap<String, FileProblems>,
    /// Hashes of the files and positions that were reported. The hash is seeded, because attackers control positions.
    known: HashSet<u64>,
    hasher: RandomState,
}

impl ProblemLog {
    /// Counts `records` lost records at `place` in `file`. Returns false if this position was reported before.
    pub fn add(&mut self, file: &str, place: &str, reason: &str, records: u64) -> bool {
        if !self.is_new(file, place) {
            return false;
        }
        let entry = self.files.entry(file.to_owned()).or_default();
        entry.lost += records;
        entry.places += 1;
        if entry.examples.len() < EXAMPLES_PER_FILE {
            entry.examples.push((place.to_owned(), reason.to_owned()));
        }
        true
    }

    /// True if this position was not reported before. A byte offset is the same position with and without a line
    /// number.
    fn is_new(&mut self, file: &str, place: &str) -> bool {
        let place = place.rsplit("byte ").next().unwrap_or(place);
        let hash = self.hasher.hash_one((file, place));
        !self.known.contains(&hash) && (self.known.len() >= MAX_REMEMBERED || self.known.insert(hash))
    }
}
