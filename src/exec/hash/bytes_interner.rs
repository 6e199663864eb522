//! Interns byte strings: gives each a dense id, in the order in which they are first seen.
//!
//! The hash is seeded, since the strings come from whoever wrote the log. Home slots are computed for a whole block
//! first, so that cache misses overlap (software prefetch): these are most of the time of a large table, and the reason
//! not to use a general hash table.

use foldhash::quality::FixedState;
use std::hash::BuildHasher;

use crate::diagnostic::{Error, Result};

/// The strings seen so far, each once, in an open-addressing hash table with linear probing.
#[derive(Debug)]
pub(super) struct BytesInterner {
    hasher: FixedState,
    /// A power of two, some of them always free. Each string is in the first slot that was free from its home slot on.
    slots: Vec<Slot>,
    count: usize,
    /// The strings, concatenated.
    bytes: Vec<u8>,
    ends: Ends,
}

/// A slot of the table.
#[derive(Clone, Copy, Debug)]
struct Slot {
    /// The lower half of the hash.
    hash: u32,
    /// The string, [`BytesInterner::NONE`] if the slot is free.
    id: u32,
}

/// Where each string ends.
#[derive(Debug)]
enum Ends {
    /// Strings of any length.
    Offsets(Vec<usize>),
    /// All strings have this length.
    FixedWidth(usize),
}

/// The number of slots of an empty table; a power of two.
const INITIAL_SLOTS: usize = 16;

/// The maximum load factor in eighths: 5/8 means about four probes per lookup.
const MAX_LOAD_EIGHTHS: usize = 5;

/// A string to look up, its hash, and the content of its home slot.
struct Lookup<'a> {
    string: &'a [u8],
    hash: u32,
    home: Slot,
}

impl Slot {
    const FREE: Self = Self { hash: 0, id: BytesInterner::NONE };
}

impl BytesInterner {
    /// Stands for no string.
    pub const NONE: u32 = u32::MAX;

    /// An empty interner for strings of any length.
    pub fn new(seed: u64) -> Self {
        Self::with_ends(Ends::Offsets(Vec::new()), seed)
    }

    /// An empty interner for strings of this length.
    pub fn fixed_width(width: usize, seed: u64) -> Self {
        Self::with_ends(Ends::FixedWidth(width), seed)
    }

    fn with_ends(ends: Ends, seed: u64) -> Self {
        let (hasher, slots) = (FixedState::with_seed(seed), vec![Slot::FREE; INITIAL_SLOTS]);
        Self { hasher, slots, count: 0, bytes: Vec::new(), ends }
    }

    /// The number of strings.
    pub fn len(&self) -> usize {
        self.count
    }

    /// The bytes in use.
    pub fn memory(&self) -> usize {
        let ends = match &self.ends {
            Ends::Offsets(ends) => ends.capacity() * size_of::<usize>(),
            Ends::FixedWidth(_) => 0,
        };
        self.bytes.capacity() + ends + self.slots.capacity() * size_of::<Slot>()
    }

    /// Returns the string with this id.
    #[inline]
    pub fn get(&self, id: usize) -> &[u8] {
        match &self.ends {
            Ends::FixedWidth(width) => &self.bytes[id * width..][..*width],
            Ends::Offsets(ends) => {
                let start = if id == 0 { 0 } else { ends[id - 1] };
                &self.bytes[start..ends[id]]
            }
        }
    }

    /// Returns the id of a string that was seen before.
    #[inline]
    pub fn find(&self, string: &[u8]) -> Option<u32> {
        self.search(self.half_hash(string), string).ok()
    }

    /// Returns the id of a string, the next id if it is new.
    #[inline]
    pub fn intern(&mut self, string: &[u8]) -> Result<u32> {
        let hash = self.half_hash(string);
        self.search(hash, string).or_else(|slot| self.insert(hash, string, slot))
    }

    /// Appends the id of each string; [`Self::NONE`] for those that were not seen before.
    pub fn find_all<'a>(&self, strings: impl Iterator<Item = &'a [u8]> + Clone, ids: &mut Vec<u32>) {
        for Lookup { string, hash, home } in self.lookups(strings) {
            ids.push(match home {
                Slot { id: Self::NONE, .. } => Self::NONE,
                slot if self.matches(slot, hash, string) => slot.id,
                _ => self.search(hash, string).unwrap_or(Self::NONE),
            });
        }
    }

    /// Appends the id of each string; new strings get the next ids.
    pub fn intern_all<'a>(
        &mut self,
        strings: impl Iterator<Item = &'a [u8]> + Clone,
        ids: &mut Vec<u32>,
    ) -> Result<()> {
        for Lookup { string, hash, home } in self.lookups(strings) {
            ids.push(if self.matches(home, hash, string) {
                home.id
            } else {
                self.search(hash, string).or_else(|slot| self.insert(hash, string, slot))?
            });
        }
        Ok(())
    }

    /// Hashes all strings and reads all home slots before any string is compared.
    fn lookups<'a, S: Iterator<Item = &'a [u8]> + Clone>(
        &self,
        strings: S,
    ) -> impl Iterator<Item = Lookup<'a>> + use<'a, S> {
        let hashes: Vec<u32> = strings.clone().map(|string| self.half_hash(string)).collect();
        let homes: Vec<Slot> = hashes.iter().map(|hash| self.slots[self.home_slot(*hash)]).collect();
        strings.zip(hashes).zip(homes).map(|((string, hash), home)| Lookup { string, hash, home })
    }

    /// Returns a new id that no string will get; [`Self::get`] returns the empty string for it.
    pub fn reserve_id(&mut self) -> Result<u32> {
        self.append(b"")
    }

    #[cold]
    fn insert(&mut self, hash: u32, string: &[u8], mut slot: usize) -> Result<u32> {
        let id = self.append(string)?;
        if self.count > self.slots.len() / 8 * MAX_LOAD_EIGHTHS {
            self.grow();
            slot = self.free_slot(hash);
        }
        self.slots[slot] = Slot { hash, id };
        Ok(id)
    }

    fn append(&mut self, string: &[u8]) -> Result<u32> {
        let id = u32::try_from(self.count)
            .ok()
            .filter(|id| *id < Self::NONE)
            .ok_or_else(|| Error::Limit("more than 4,294,967,294 groups".to_owned()))?;
        self.bytes.extend_from_slice(string);
        if let Ends::Offsets(ends) = &mut self.ends {
            ends.push(self.bytes.len());
        }
        self.count += 1;
        Ok(id)
    }

    /// Doubles the number of slots.
    fn grow(&mut self) {
        let slots = vec![Slot::FREE; 2 * self.slots.len()];
        let slots = std::mem::replace(&mut self.slots, slots);
        for slot in slots.into_iter().filter(|slot| slot.id != Self::NONE) {
            let free = self.free_slot(slot.hash);
            self.slots[free] = slot;
        }
    }

    fn free_slot(&self, hash: u32) -> usize {
        let mut index = self.home_slot(hash);
        while self.slots[index].id != Self::NONE {
            index = self.next_slot(index);
        }
        index
    }

    /// Returns the id of a string, or the free slot that it belongs in if it is new.
    #[inline]
    fn search(&self, hash: u32, string: &[u8]) -> Result<u32, usize> {
        let mut index = self.home_slot(hash);
        loop {
            let slot = self.slots[index];
            if slot.id == Self::NONE {
                return Err(index);
            }
            if self.matches(slot, hash, string) {
                return Ok(slot.id);
            }
            index = self.next_slot(index);
        }
    }

    #[inline]
    fn matches(&self, slot: Slot, hash: u32, string: &[u8]) -> bool {
        slot.hash == hash && slot.id != Self::NONE && equal(self.get(slot.id as usize), string)
    }

    #[inline]
    fn home_slot(&self, hash: u32) -> usize {
        hash as usize & (self.slots.len() - 1)
    }

    #[inline]
    fn next_slot(&self, index: usize) -> usize {
        (index + 1) & (self.slots.len() - 1)
    }

    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "the lower half is enough")]
    fn half_hash(&self, string: &[u8]) -> u32 {
        self.hasher.hash_one(string) as u32
    }
}

/// True if two strings are equal. Strings of 8 to 16 bytes are compared as two words that may overlap.
#[inline]
fn equal(one: &[u8], other: &[u8]) -> bool {
    const END: usize = size_of::<u64>();
    if one.len() != other.len() {
        return false;
    }
    if (END..=2 * END).contains(&one.len()) {
        return one.first_chunk::<END>() == other.first_chunk() && one.last_chunk::<END>() == other.last_chunk();
    }
    one == other
}
