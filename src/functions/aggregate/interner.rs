//! An interner of strings: ids in order of first appearance.

use std::hash::{BuildHasher, Hasher};

use foldhash::quality::FixedState;
use hashbrown::HashTable;

/// Interns strings: equal strings get the same id. All strings share one buffer.
#[derive(Debug)]
pub struct Interner {
    table: HashTable<u32>,
    /// The end of each string in `buffer`; it starts at the end of the previous one.
    ends: Vec<usize>,
    buffer: String,
    /// Seeded per run, so that attackers cannot choose collisions.
    hasher: FixedState,
}

impl Interner {
    /// An empty interner.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { table: HashTable::new(), ends: Vec::new(), buffer: String::new(), hasher: FixedState::with_seed(seed) }
    }

    /// An empty interner with the same seed.
    #[must_use]
    pub fn none(&self) -> Self {
        Self { table: HashTable::new(), ends: Vec::new(), buffer: String::new(), hasher: self.hasher.clone() }
    }

    /// The id of `text`, interned if it is new.
    pub fn intern(&mut self, text: &str) -> u32 {
        let hash = hash(&self.hasher, text);
        let (ends, buffer, hasher) = (&self.ends, &self.buffer, &self.hasher);
        let same = |number: &u32| slice(ends, buffer, *number) == text;
        if let Some(number) = self.table.find(hash, same) {
            return *number;
        }
        let number = u32::try_from(ends.len()).expect("four billion different texts do not fit in memory");
        self.buffer.push_str(text);
        self.ends.push(self.buffer.len());
        let (ends, buffer) = (&self.ends, &self.buffer);
        self.table.insert_unique(hash, number, |number| self::hash(hasher, slice(ends, buffer, *number)));
        number
    }

    /// The string of an id that `intern` returned.
    #[must_use]
    pub fn text(&self, number: u32) -> &str {
        slice(&self.ends, &self.buffer, number)
    }

    /// All strings, in the order of their ids.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        (0u32..).zip(&self.ends).map(|(number, _)| self.text(number))
    }

    /// Memory use in bytes.
    #[must_use]
    pub fn memory(&self) -> usize {
        self.table.allocation_size() + self.ends.capacity() * size_of::<usize>() + self.buffer.capacity()
    }
}

fn slice<'a>(ends: &[usize], buffer: &'a str, number: u32) -> &'a str {
    let number = number as usize;
    let start = number.checked_sub(1).map_or(0, |before| ends[before]);
    &buffer[start..ends[number]]
}

fn hash(state: &FixedState, text: &str) -> u64 {
    let mut hasher = state.build_hasher();
    hasher.write(text.as_bytes());
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_texts_share_a_number() {
        let mut interner = Interner::new(7);
        let texts: Vec<String> = (0..1_000).map(|n| format!("user{}@contoso.com", n % 100)).collect();
        let numbers: Vec<u32> = texts.iter().map(|text| interner.intern(text)).collect();
        assert!((0..1_000).all(|n| numbers[n] as usize == n % 100));
        assert!(texts.iter().zip(&numbers).all(|(text, number)| interner.text(*number) == text));
        assert_eq!(interner.intern(""), 100);
        assert_eq!(interner.texts().count(), 101);
    }
}
