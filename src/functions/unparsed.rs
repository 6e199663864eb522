//! Values that a function could not parse because of a limit of this program: the result is null, and the run reports
//! them. One record must not end a query over all others.

use std::collections::{BTreeMap, HashSet};
use std::hash::BuildHasher;
use std::sync::{Mutex, PoisonError};

use foldhash::quality::RandomState;

/// Why a value was not parsed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum UnparsedReason {
    /// An XML document is nested too deep.
    XmlDepth,
    /// A user agent is too long.
    UserAgentLength,
    /// A string names no part of a user agent.
    UserAgentPart,
}

/// The different values of a run that were not parsed.
#[derive(Debug, Default)]
pub struct UnparsedValues {
    /// Hashes, since a function may see a value several times.
    hashes: Mutex<BTreeMap<UnparsedReason, HashSet<u64>>>,
    state: RandomState,
}

impl UnparsedValues {
    /// Adds a value.
    pub fn add(&self, reason: UnparsedReason, value: &str) {
        let hash = self.state.hash_one(value);
        let mut hashes = self.hashes.lock().unwrap_or_else(PoisonError::into_inner);
        hashes.entry(reason).or_default().insert(hash);
    }

    /// Takes the number of different values by reason.
    pub fn take(&self) -> BTreeMap<UnparsedReason, u64> {
        let mut hashes = self.hashes.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *hashes).into_iter().map(|(reason, hashes)| (reason, hashes.len() as u64)).collect()
    }
}
