//! Strings of bytes -> dense numbers, in the order in which they are met.
//!
//! The hash is seeded, since what is numbered comes from whoever wrote the log. Where a string is looked for first can be
//! found for many strings before any is compared, so that the waits for memory overlap: that is most of the time of a
//! large table, and why the table is one of our own.

use foldhash::quality::FixedState;
use std::hash::BuildHasher;

use crate::diagnostic::{Error, Result};

/// The strings met so far, each once.
#[derive(Debug)]
pub(super) struct ByteTable {
    hasher: FixedState,
    /// The strings by their hashes: each at the first free place from that of its hash on. There are free ones always.
    slots: Vec<Slot>,
    count: usize,
    /// The strings, one behind the other.
    bytes: Vec<u8>,
    ends: Ends,
}

/// A place of the table.
#[derive(Clone, Copy, Debug)]
struct Slot {
    /// Half of the hash.
    half: u32,
    /// Which string, [`ByteTable::NONE`] for a free place.
    number: u32,
}

/// Where each string ends.
#[derive(Debug)]
enum Ends {
    /// They have any length.
    Listed(Vec<usize>),
    /// All have this length.
    Every(usize),
}

/// Places of an empty table; there are a power of two always.
const FEWEST_SLOTS: usize = 16;

/// Of eight places so many are taken at most: a search looks at four of them then, on average.
const FULL: usize = 5;

impl Slot {
    const FREE: Self = Self { half: 0, number: ByteTable::NONE };
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
        let (hasher, slots) = (FixedState::with_seed(seed), vec![Slot::FREE; FEWEST_SLOTS]);
        Self { hasher, slots, count: 0, bytes: Vec::new(), ends }
    }

    /// How many strings.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Bytes in memory.
    pub fn memory(&self) -> usize {
        let ends = match &self.ends {
            Ends::Listed(ends) => ends.capacity() * size_of::<usize>(),
            Ends::Every(_) => 0,
        };
        self.bytes.capacity() + ends + self.slots.capacity() * size_of::<Slot>()
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
        self.search(self.half_hash(string), string).ok()
    }

    /// The number of a string, the next one if it was not met.
    #[inline]
    pub fn number(&mut self, string: &[u8]) -> Result<u32> {
        let half = self.half_hash(string);
        self.search(half, string).or_else(|place| self.insert(half, string, place))
    }

    /// Appends the number of each of some strings; [`Self::NONE`] for those that were not met.
    pub fn find_all<'a>(&self, strings: impl Iterator<Item = &'a [u8]> + Clone, numbers: &mut Vec<u32>) {
        for (string, half, first) in self.firsts(strings) {
            numbers.push(match first {
                Slot { number: Self::NONE, .. } => Self::NONE,
                slot if self.is_at(slot, half, string) => slot.number,
                _ => self.search(half, string).unwrap_or(Self::NONE),
            });
        }
    }

    /// As [`Self::find_all`]; those that were not met get the next numbers.
    pub fn number_all<'a>(
        &mut self,
        strings: impl Iterator<Item = &'a [u8]> + Clone,
        numbers: &mut Vec<u32>,
    ) -> Result<()> {
        for (string, half, first) in self.firsts(strings) {
            numbers.push(if self.is_at(first, half, string) {
                first.number
            } else {
                self.search(half, string).or_else(|place| self.insert(half, string, place))?
            });
        }
        Ok(())
    }

    /// Each string, half of its hash, and what stands at the place of that.
    fn firsts<'a, S: Iterator<Item = &'a [u8]> + Clone>(
        &self,
        strings: S,
    ) -> impl Iterator<Item = (&'a [u8], u32, Slot)> + use<'a, S> {
        let halves: Vec<u32> = strings.clone().map(|string| self.half_hash(string)).collect();
        let firsts: Vec<Slot> = halves.iter().map(|half| self.slots[self.place_of(*half)]).collect();
        strings.zip(halves).zip(firsts).map(|((string, half), first)| (string, half, first))
    }

    /// Makes a number that is no string's; [`Self::get`] says that it is the empty one's.
    pub fn reserve_number(&mut self) -> Result<u32> {
        self.append(b"")
    }

    #[cold]
    fn insert(&mut self, half: u32, string: &[u8], mut place: usize) -> Result<u32> {
        let number = self.append(string)?;
        if self.count > self.slots.len() / 8 * FULL {
            self.grow();
            place = self.free_place(half);
        }
        self.slots[place] = Slot { half, number };
        Ok(number)
    }

    fn append(&mut self, string: &[u8]) -> Result<u32> {
        let number = u32::try_from(self.count)
            .ok()
            .filter(|number| *number < Self::NONE)
            .ok_or_else(|| Error::Limit("more than 4,294,967,294 groups".to_owned()))?;
        self.bytes.extend_from_slice(string);
        if let Ends::Listed(ends) = &mut self.ends {
            ends.push(self.bytes.len());
        }
        self.count += 1;
        Ok(number)
    }

    /// Twice as many places.
    fn grow(&mut self) {
        let places = 2 * self.slots.len();
        let slots = std::mem::replace(&mut self.slots, vec![Slot::FREE; places]);
        for slot in slots.into_iter().filter(|slot| slot.number != Self::NONE) {
            let place = self.free_place(slot.half);
            self.slots[place] = slot;
        }
    }

    fn free_place(&self, half: u32) -> usize {
        let mut place = self.place_of(half);
        while self.slots[place].number != Self::NONE {
            place = self.after(place);
        }
        place
    }

    /// The number of a string; the place that it would be at if it was not met.
    #[inline]
    fn search(&self, half: u32, string: &[u8]) -> Result<u32, usize> {
        let mut place = self.place_of(half);
        loop {
            let slot = self.slots[place];
            if slot.number == Self::NONE {
                return Err(place);
            }
            if self.is_at(slot, half, string) {
                return Ok(slot.number);
            }
            place = self.after(place);
        }
    }

    #[inline]
    fn is_at(&self, slot: Slot, half: u32, string: &[u8]) -> bool {
        slot.half == half && slot.number != Self::NONE && same(self.get(slot.number as usize), string)
    }

    #[inline]
    fn place_of(&self, half: u32) -> usize {
        half as usize & (self.slots.len() - 1)
    }

    #[inline]
    fn after(&self, place: usize) -> usize {
        (place + 1) & (self.slots.len() - 1)
    }

    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "half of it is wanted")]
    fn half_hash(&self, string: &[u8]) -> u32 {
        self.hasher.hash_one(string) as u32
    }
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
