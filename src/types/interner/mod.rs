//! Interns strings: gives each distinct string an id, 0, 1, 2 and so on, in the order in which they are first seen.
//!
//! The hash is seeded, because the strings come from whoever wrote the log. The home slots of a whole block of strings
//! are computed first, so that cache misses overlap (software prefetch). In a large table most of the time goes into
//! cache misses, which is why no general hash table is used.

mod stores;

use std::hash::BuildHasher;

use foldhash::quality::{FixedState, RandomState};

pub(crate) use self::stores::{ConcatenatedStrings, FixedWidthKeys, StringStore};
use crate::diagnostic::Error;

/// The distinct strings seen so far, in an open-addressing hash table with linear probing.
#[derive(Debug)]
pub(crate) struct Interner<S> {
    hasher: FixedState,
    /// The slots; their number is a power of two, and some are always free. Each string is in the first slot from its
    /// home slot on that was free when it was added.
    slots: Vec<HashSlot>,
    count: usize,
    strings: S,
}

/// A slot of the hash table.
#[derive(Clone, Copy, Debug)]
struct HashSlot {
    /// The lower half of the hash of the string.
    hash: u32,
    /// The id of the string; [`NO_ID`] if the slot is free.
    id: u32,
}

/// An id that no string has.
pub(crate) const NO_ID: u32 = u32::MAX;

/// The number of slots of an empty table; a power of two.
const INITIAL_SLOTS: usize = 16;

/// Maximum load factor in eighths: at 5/8, a lookup takes about four probes.
const MAX_LOAD_EIGHTHS: usize = 5;

/// The error if all ids are in use, or if the store cannot hold another string.
#[derive(Clone, Copy, Debug)]
pub(crate) struct InternerFull;

impl From<InternerFull> for Error {
    fn from(InternerFull: InternerFull) -> Self {
        Self::Limit("more than 4,294,967,294 groups or distinct strings".to_owned())
    }
}

/// The free slot for a new string; no longer valid once another string is interned.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FreeSlot {
    hash: u32,
    slot: usize,
}

/// A string to look up, its hash, and the content of its home slot.
struct Lookup<'a, T: ?Sized> {
    string: &'a T,
    hash: u32,
    home: HashSlot,
}

impl HashSlot {
    const FREE: Self = Self { hash: 0, id: NO_ID };
}

impl<S: StringStore> Interner<S> {
    /// Returns an interner that keeps its strings in `strings`, which must be empty.
    pub fn new(strings: S, seed: u64) -> Self {
        let (hasher, slots) = (FixedState::with_seed(seed), vec![HashSlot::FREE; INITIAL_SLOTS]);
        Self { hasher, slots, count: 0, strings }
    }

    /// Returns an interner with a random seed, for results that do not depend on the seed.
    pub fn with_random_seed(strings: S) -> Self {
        Self::new(strings, RandomState::default().hash_one(0_u64))
    }

    /// Returns the number of strings.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Returns the store of the strings; the position of a string in it is its id.
    pub fn strings(&self) -> &S {
        &self.strings
    }

    /// Returns the store of the strings, and frees the table.
    pub fn into_strings(self) -> S {
        self.strings
    }

    /// Returns the bytes in use.
    pub fn memory(&self) -> usize {
        self.strings.memory() + self.slots.capacity() * size_of::<HashSlot>()
    }

    /// Returns the bytes of the string with this id.
    #[inline]
    pub fn get(&self, id: usize) -> &[u8] {
        self.strings.get(id)
    }

    /// Returns the id of a string that was seen before. For a new string, the error is the slot that [`Self::insert`]
    /// needs.
    #[inline]
    pub fn find(&self, string: &S::String) -> Result<u32, FreeSlot> {
        let (string, hash) = (string.as_ref(), self.half_hash(string));
        self.search(hash, string).map_err(|slot| FreeSlot { hash, slot })
    }

    /// Returns the id of a string; a new string gets the next id.
    #[inline]
    pub fn intern(&mut self, string: &S::String) -> Result<u32, InternerFull> {
        self.find(string).or_else(|slot| self.insert(slot, string))
    }

    /// Appends the id of each string to `ids`; [`NO_ID`] for strings that were not seen before.
    pub fn find_all<'a>(&self, strings: impl Iterator<Item = &'a S::String> + Clone, ids: &mut Vec<u32>)
    where
        S::String: 'a,
    {
        for Lookup { string, hash, home } in self.lookups(strings) {
            let string = string.as_ref();
            ids.push(match home {
                HashSlot { id: NO_ID, .. } => NO_ID,
                slot if self.matches(slot, hash, string) => slot.id,
                _ => self.search(hash, string).unwrap_or(NO_ID),
            });
        }
    }

    /// Appends the id of each string to `ids`; new strings get the next ids.
    pub fn intern_all<'a>(
        &mut self,
        strings: impl Iterator<Item = &'a S::String> + Clone,
        ids: &mut Vec<u32>,
    ) -> Result<(), InternerFull>
    where
        S::String: 'a,
    {
        for Lookup { string, hash, home } in self.lookups(strings) {
            ids.push(if self.matches(home, hash, string.as_ref()) {
                home.id
            } else {
                let found = self.search(hash, string.as_ref());
                found.or_else(|slot| self.insert(FreeSlot { hash, slot }, string))?
            });
        }
        Ok(())
    }

    /// Hashes all strings and reads all home slots before any string is compared.
    fn lookups<'a, I>(&self, strings: I) -> impl Iterator<Item = Lookup<'a, S::String>> + use<'a, I, S>
    where
        I: Iterator<Item = &'a S::String> + Clone,
        S::String: 'a,
    {
        let hashes: Vec<u32> = strings.clone().map(|string| self.half_hash(string)).collect();
        let homes: Vec<HashSlot> = hashes.iter().map(|hash| self.slots[self.home_slot(*hash)]).collect();
        strings.zip(hashes).zip(homes).map(|((string, hash), home)| Lookup { string, hash, home })
    }

    /// Returns a new id for `string` without adding it to the table, so that no lookup finds it.
    pub fn reserve_id(&mut self, string: &S::String) -> Result<u32, InternerFull> {
        let id = u32::try_from(self.count).ok().filter(|id| *id < NO_ID).ok_or(InternerFull)?;
        self.strings.push(string)?;
        self.count += 1;
        Ok(id)
    }

    /// Adds a new string, for which [`Self::find`] returned `free`; returns its id.
    #[cold]
    pub fn insert(&mut self, free: FreeSlot, string: &S::String) -> Result<u32, InternerFull> {
        let FreeSlot { hash, mut slot } = free;
        let id = self.reserve_id(string)?;
        if self.count > self.slots.len() / 8 * MAX_LOAD_EIGHTHS {
            self.grow();
            slot = self.free_slot(hash);
        }
        self.slots[slot] = HashSlot { hash, id };
        Ok(id)
    }

    /// Doubles the number of slots.
    fn grow(&mut self) {
        let slots = vec![HashSlot::FREE; 2 * self.slots.len()];
        let slots = std::mem::replace(&mut self.slots, slots);
        for slot in slots.into_iter().filter(|slot| slot.id != NO_ID) {
            let free = self.free_slot(slot.hash);
            self.slots[free] = slot;
        }
    }

    fn free_slot(&self, hash: u32) -> usize {
        let mut index = self.home_slot(hash);
        while self.slots[index].id != NO_ID {
            index = self.next_slot(index);
        }
        index
    }

    /// Returns the id of a string. For a new string, the error is the free slot in which it belongs.
    #[inline]
    fn search(&self, hash: u32, string: &[u8]) -> Result<u32, usize> {
        let mut index = self.home_slot(hash);
        loop {
            let slot = self.slots[index];
            if slot.id == NO_ID {
                return Err(index);
            }
            if self.matches(slot, hash, string) {
                return Ok(slot.id);
            }
            index = self.next_slot(index);
        }
    }

    #[inline]
    fn matches(&self, slot: HashSlot, hash: u32, string: &[u8]) -> bool {
        slot.hash == hash && slot.id != NO_ID && equal(self.get(slot.id as usize), string)
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
    fn half_hash(&self, string: &S::String) -> u32 {
        self.hasher.hash_one(string.as_ref()) as u32
    }
}

impl Interner<ConcatenatedStrings> {
    /// Returns an empty interner with the same seed.
    pub fn empty_with_same_seed(&self) -> Self {
        let slots = vec![HashSlot::FREE; INITIAL_SLOTS];
        Self { hasher: self.hasher.clone(), slots, count: 0, strings: ConcatenatedStrings::default() }
    }
}

/// True if two strings are equal. Strings of 8 to 16 bytes are compared as two words, which may overlap.
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

#[cfg(test)]
mod tests {
    use arrow::array::{StringBuilder, StringViewBuilder};

    use super::{ConcatenatedStrings, Interner, NO_ID, StringStore};

    fn assert_interns<S: StringStore<String = str>>(mut interner: Interner<S>) {
        let strings: Vec<String> = (0..1_000).map(|n| format!("user{}@contoso.com", n % 100)).collect();
        let ids: Vec<u32> = strings.iter().map(|string| interner.intern(string).expect("room")).collect();
        assert!((0..1_000).all(|n| ids[n] as usize == n % 100));
        assert!(strings.iter().zip(&ids).all(|(string, id)| interner.get(*id as usize) == string.as_bytes()));
        assert_eq!(interner.reserve_id("user1@contoso.com").expect("room"), 100);
        assert_eq!(interner.intern("").expect("room"), 101);
        let mut found = Vec::new();
        interner.find_all(["user1@contoso.com", "user100@contoso.com", ""].into_iter(), &mut found);
        assert_eq!((found, interner.len()), (vec![1, NO_ID, 101], 102));
        interner.intern_all(["x", "", "x"].into_iter(), &mut Vec::new()).expect("room");
        assert_eq!(interner.len(), 103);
    }

    #[test]
    fn equal_strings_have_one_id_in_every_store() {
        assert_interns(Interner::new(ConcatenatedStrings::default(), 7));
        assert_interns(Interner::new(StringBuilder::new(), 7));
        assert_interns(Interner::with_random_seed(StringViewBuilder::new()));
    }
}
