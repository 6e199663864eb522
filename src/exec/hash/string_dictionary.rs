//! The dictionary of a string column of keys: each distinct string has an id, and null has one, too.

use super::key_encoding::BLOCK;
use crate::diagnostic::Result;
use crate::types::interner::{ConcatenatedStrings, Interner, NO_ID};

/// The distinct strings of a column, by id; null counts as one of them.
#[derive(Debug)]
pub(super) struct StringDictionary {
    strings: Interner<ConcatenatedStrings>,
    null: Option<u32>,
}

impl StringDictionary {
    /// Returns an empty dictionary.
    pub fn new(seed: u64) -> Self {
        Self { strings: Interner::new(ConcatenatedStrings::default(), seed), null: None }
    }

    /// Returns the number of ids.
    pub fn len(&self) -> usize {
        self.strings.len()
    }

    /// Returns the memory use in bytes.
    pub fn memory(&self) -> usize {
        self.strings.memory()
    }

    /// Returns the string with this id; None for null.
    pub fn get(&self, id: u32) -> Option<&str> {
        (self.null != Some(id)).then(|| self.strings.strings().text(id as usize))
    }

    /// Interns all strings of `other`; returns for each of its ids the id in this dictionary.
    pub fn merge(&mut self, other: &Self) -> Result<Vec<Option<u32>>> {
        let mut ids = Vec::new();
        let is_null = |id: usize| other.null.is_some_and(|null| null as usize == id);
        let mut start = 0;
        while start < other.len() {
            if is_null(start) {
                ids.push(self.intern(None)?);
                start += 1;
                continue;
            }
            let end = (start + 1..other.len().min(start + BLOCK)).find(|id| is_null(*id));
            let end = end.unwrap_or(other.len().min(start + BLOCK));
            self.strings.intern_all((start..end).map(|id| other.strings.strings().text(id)), &mut ids)?;
            start = end;
        }
        Ok(ids.into_iter().map(Some).collect())
    }

    /// Returns the id of a string, or of null for None; a new string gets the next id.
    pub fn intern(&mut self, string: Option<&str>) -> Result<u32> {
        match (string, self.null) {
            (Some(string), _) => Ok(self.strings.intern(string)?),
            (None, Some(null)) => Ok(null),
            (None, None) => Ok(*self.null.insert(self.strings.reserve_id("")?)),
        }
    }
}

/// A source of the ids of strings. A mutable dictionary interns new strings; a shared one only finds those that it has.
pub(super) trait StringIdSource {
    /// Returns the id of a string, or of null for None; [`NO_ID`] if it is not in a shared dictionary.
    fn id_of(&mut self, string: Option<&str>) -> Result<u32>;
    /// Appends the ids of several strings to `ids`.
    fn append_ids<'a>(&mut self, strings: impl Iterator<Item = &'a str> + Clone, ids: &mut Vec<u32>) -> Result<()>;
}

impl StringIdSource for &mut StringDictionary {
    fn id_of(&mut self, string: Option<&str>) -> Result<u32> {
        self.intern(string)
    }

    fn append_ids<'a>(&mut self, strings: impl Iterator<Item = &'a str> + Clone, ids: &mut Vec<u32>) -> Result<()> {
        Ok(self.strings.intern_all(strings, ids)?)
    }
}

impl StringIdSource for &StringDictionary {
    fn id_of(&mut self, string: Option<&str>) -> Result<u32> {
        let known = string.map_or(self.null, |string| self.strings.find(string).ok());
        Ok(known.unwrap_or(NO_ID))
    }

    fn append_ids<'a>(&mut self, strings: impl Iterator<Item = &'a str> + Clone, ids: &mut Vec<u32>) -> Result<()> {
        self.strings.find_all(strings, ids);
        Ok(())
    }
}
