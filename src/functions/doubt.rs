//! Values for which a function has no certain result: because of a limit of this program, or because no source says
//! what Kusto returns. One row must not end a query over all others, so the result is null or as documented here, and
//! the run reports how many such values there were.

use std::collections::{BTreeMap, HashSet};
use std::hash::BuildHasher;
use std::sync::{Mutex, PoisonError};

use foldhash::quality::RandomState;

/// Why the result for a value is null, or may differ from that of Kusto.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Doubt {
    /// An XML document is nested too deep.
    XmlDepth,
    /// A user agent is too long.
    UserAgentLength,
    /// A string is not the name of a part of a user agent.
    UserAgentPart,
    /// The string is empty, whose hash in Kusto is not known.
    HashOfEmpty,
    /// A series has elements that are not numbers, or is not an array.
    SeriesElements,
    /// A function is undefined for a series, for example because it has too few points.
    SeriesUndefined,
    /// A series has more points, or greater numbers, than can be computed with.
    SeriesTooLarge,
    /// Scores of points of a series are infinite, because most of its points are equal. The result is not null.
    SeriesInfiniteScore,
}

/// The distinct values of a run for which the result is in doubt.
#[derive(Debug, Default)]
pub struct Doubts {
    /// The hashes of the values: a function may see the same value several times, which counts once.
    hashes: Mutex<BTreeMap<Doubt, HashSet<u64>>>,
    state: RandomState,
}

impl Doubts {
    /// Counts `value`, unless it has been counted for this doubt before.
    pub fn add(&self, doubt: Doubt, value: &str) {
        let hash = self.state.hash_one(value);
        let mut hashes = self.hashes.lock().unwrap_or_else(PoisonError::into_inner);
        hashes.entry(doubt).or_default().insert(hash);
    }

    /// Returns the number of distinct values for each doubt, and resets the counts.
    pub fn take(&self) -> BTreeMap<Doubt, u64> {
        let mut hashes = self.hashes.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *hashes).into_iter().map(|(doubt, hashes)| (doubt, hashes.len() as u64)).collect()
    }
}
