//! Strings of bytes -> dense numbers, in the order in which they are met.
//!
//! The hash is seeded, since what is numbered comes from whoever wrote the log.

use foldhash::quality::FixedState;
use hashbrown::HashTable;
use std::hash::BuildHasher;

use crate::diagnostic::{Error, Result};

/// The strings met so far, each once.
#[derive(Debug)]
pub(super) struct ByteTable {
    hasher: FixedState,
    /// The numbers of the strings. Little is looked up for each key, so that much of it stays in the processor's caches.
    table: HashTable<u32>,
    /// Half of the hash of each string, for when the table grows.
    halves: Vec<u32>,
    /// The strings, one behind the other.
    bytes: Vec<u8>,
    ends: Ends,
}

/// Where each string ends.
#[derive(Debug)]
enum Ends {
    /// They have any length.
    Listed(Vec<usize>),
    /// All have this length.
    Every(usize),
}

impl ByteTable {
    /// Stands for no string.
    pub const NONE: u32 = u32::MAX;

    /// No strings yet; they may have any length.
    pub fn new(seed: u64) -> Self {
        Self::with_ends(Ends::Listed(Vec::new()), seed)
    }

    /// No strings yet; all will have this length.
    pub fn of_width(width: usize, seed: u64) -> Self {
        Self::with_ends(Ends::Every(width), seed)
    }

    fn with_ends(ends: Ends, seed: u64) -> Self {
        let hasher = FixedState::with_seed(seed);
        Self { hasher, table: HashTable::new(), halves: Vec::new(), bytes: Vec::new(), ends }
    }

    /// How many strings.
    pub fn len(&self) -> usize {
        self.halves.len()
    }

    /// Bytes in memory.
    pub fn memory(&self) -> usize {
        let ends = match &self.ends {
            Ends::Listed(ends) => ends.capacity() * size_of::<usize>(),
            Ends::Every(_) => 0,
        };
        let halves = self.halves.capacity() * size_of::<u32>();
        self.bytes.capacity() + ends + halves + self.table.allocation_size()
    }

    /// The string of this number.
    #[inline]
    pub fn get(&self, number: usize) -> &[u8] {
        match &self.ends {
            Ends::Every(width) => &self.bytes[number * width..][..*width],
            Ends::Listed(ends) => {
                let start = if number == 0 { 0 } else { ends[number - 1] };
                &self.bytes[start..ends[number]]
            }
        }
    }

    /// The number of a string, if it was met.
    #[inline]
    pub fn find(&self, string: &[u8]) -> Option<u32> {
        self.known(self.half_hash(string), string)
    }

    /// The number of a string, the next one if it was not met.
    #[inline]
    pub fn number(&mut self, string: &[u8]) -> Result<u32> {
        let half = self.half_hash(string);
        if let Some(number) = self.known(half, string) {
            return Ok(number);
        }
        let number = self.append(string, half)?;
        self.table.insert_unique(whole(half), number, |number| whole(self.halves[*number as usize]));
        Ok(number)
    }

    /// Makes a number that is no string's; [`Self::get`] says that it is the empty one's.
    pub fn reserve_number(&mut self) -> Result<u32> {
        self.append(b"", 0)
    }

    fn append(&mut self, string: &[u8], half: u32) -> Result<u32> {
        let number = u32::try_from(self.len())
            .ok()
            .filter(|number| *number < Self::NONE)
            .ok_or_else(|| Error::Limit("more than 4,294,967,294 groups".to_owned()))?;
        self.bytes.extend_from_slice(string);
        if let Ends::Listed(ends) = &mut self.ends {
            ends.push(self.bytes.len());
        }
        self.halves.push(half);
        Ok(number)
    }

    #[inline]
    fn known(&self, half: u32, string: &[u8]) -> Option<u32> {
        self.table.find(whole(half), |number| same(self.get(*number as usize), string)).copied()
    }

    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "half of it is wanted")]
    fn half_hash(&self, string: &[u8]) -> u32 {
        self.hasher.hash_one(string) as u32
    }
}

/// A hash for the table, which looks at both ends of it.
#[inline]
fn whole(half: u32) -> u64 {
    u64::from(half) << 32 | u64::from(half)
}

/// True where two strings are equal. Short ones are compared in place, by both ends, which may overlap.
#[inline]
fn same(one: &[u8], other: &[u8]) -> bool {
    const END: usize = size_of::<u64>();
    if one.len() != other.len() {
        return false;
    }
    if (END..=2 * END).contains(&one.len()) {
        return one.first_chunk::<END>() == other.first_chunk() && one.last_chunk::<END>() == other.last_chunk();
    }
    one == other
}
