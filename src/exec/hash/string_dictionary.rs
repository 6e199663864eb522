//! The dictionary of a string column of keys: each distinct string has an id, and null has one, too.

use arrow::array::{Array, StringArray};

use super::key_encoding::BLOCK;
use crate::diagnostic::Result;
use crate::types::interner::{ConcatenatedStrings, Interner, NO_ID};

/// The distinct strings of a column, by id; null counts as one of them.
#[derive(Debug)]
pub(super) struct StringDictionary {
    strings: Interner<ConcatenatedStrings>,
    null: Option<u32>,
    /// The ids of the dictionary of the last batch. Batches share dictionaries, and batches of long strings have few
    /// rows, so that their strings would be hashed again for almost every row.
    last: ValueIds,
}

/// The ids of the values of an Arrow dictionary.
#[derive(Debug, Default)]
pub(super) struct ValueIds {
    values: Option<StringArray>,
    /// The id of each value that was looked up, and at the end that of null.
    ids: Vec<Option<u32>>,
}

impl ValueIds {
    /// Prepares for the values of a batch of `rows` rows. Returns false if there are more values than rows and they
    /// were not those of the last batch: the rows are then cheaper to look up one by one.
    fn start(&mut self, values: &StringArray, rows: usize) -> bool {
        let is_same = |last: &StringArray| last.to_data().ptr_eq(&values.to_data());
        let is_known = self.values.as_ref().is_some_and(is_same);
        if !is_known {
            self.ids.clear();
            self.values = Some(values.clone());
        }
        let is_useful = is_known || values.len() <= rows;
        if is_useful && self.ids.is_empty() {
            self.ids.resize(values.len() + 1, None);
        }
        is_useful
    }

    /// Returns the id of the value at `index`, which is looked up by `id_of` if it is not known; null is at the end.
    #[inline]
    fn id(&mut self, index: usize, id_of: impl FnOnce(Option<&str>) -> Result<u32>) -> Result<u32> {
        match self.ids[index] {
            Some(id) => Ok(id),
            None => {
                let values = self.values.as_ref().filter(|values| index < values.len() && !values.is_null(index));
                Ok(*self.ids[index].insert(id_of(values.map(|values| values.value(index)))?))
            }
        }
    }

    fn memory(&self) -> usize {
        let values = self.values.as_ref().map_or(0, Array::get_array_memory_size);
        values + self.ids.capacity() * size_of::<Option<u32>>()
    }
}

impl StringDictionary {
    /// Returns an empty dictionary.
    pub fn new(seed: u64) -> Self {
        Self { strings: Interner::new(ConcatenatedStrings::default(), seed), null: None, last: ValueIds::default() }
    }

    /// Returns the number of ids.
    pub fn len(&self) -> usize {
        self.strings.len()
    }

    /// Returns the memory use in bytes.
    pub fn memory(&self) -> usize {
        self.strings.memory() + self.last.memory()
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
        intern(&mut self.strings, &mut self.null, string)
    }

    /// Returns the id of a string, or of null for None; [`NO_ID`] for strings that were not seen.
    fn find(&self, string: Option<&str>) -> u32 {
        string.map_or(self.null, |string| self.strings.find(string).ok()).unwrap_or(NO_ID)
    }
}

fn intern(strings: &mut Interner<ConcatenatedStrings>, null: &mut Option<u32>, string: Option<&str>) -> Result<u32> {
    match (string, *null) {
        (Some(string), _) => Ok(strings.intern(string)?),
        (None, Some(null)) => Ok(null),
        (None, None) => Ok(*null.insert(strings.reserve_id("")?)),
    }
}

/// A source of the ids of strings. A mutable dictionary interns new strings; a lookup only finds those that a shared
/// dictionary has.
pub(super) trait StringIdSource {
    /// Returns the id of a string, or of null for None; [`NO_ID`] if a shared dictionary does not have it.
    fn id_of(&mut self, string: Option<&str>) -> Result<u32>;
    /// Appends the ids of several strings to `ids`.
    fn append_ids<'a>(&mut self, strings: impl Iterator<Item = &'a str> + Clone, ids: &mut Vec<u32>) -> Result<()>;
    /// Prepares for [`Self::id_of_value`] with the values of the dictionary of a batch of `rows` rows. Returns false if
    /// the strings of the rows are to be looked up by [`Self::id_of`].
    fn start_values(&mut self, values: &StringArray, rows: usize) -> bool;
    /// Returns the id of the value at `index`, or of null if `index` is the number of values.
    fn id_of_value(&mut self, index: usize) -> Result<u32>;
}

impl StringIdSource for &mut StringDictionary {
    fn id_of(&mut self, string: Option<&str>) -> Result<u32> {
        self.intern(string)
    }

    fn append_ids<'a>(&mut self, strings: impl Iterator<Item = &'a str> + Clone, ids: &mut Vec<u32>) -> Result<()> {
        Ok(self.strings.intern_all(strings, ids)?)
    }

    fn start_values(&mut self, values: &StringArray, rows: usize) -> bool {
        self.last.start(values, rows)
    }

    #[inline]
    fn id_of_value(&mut self, index: usize) -> Result<u32> {
        self.last.id(index, |string| intern(&mut self.strings, &mut self.null, string))
    }
}

/// Finds the strings of a shared dictionary.
#[derive(Debug)]
pub(super) struct StringLookup<'a> {
    dictionary: &'a StringDictionary,
    last: ValueIds,
}

impl<'a> StringLookup<'a> {
    pub fn new(dictionary: &'a StringDictionary) -> Self {
        Self { dictionary, last: ValueIds::default() }
    }
}

impl StringIdSource for StringLookup<'_> {
    fn id_of(&mut self, string: Option<&str>) -> Result<u32> {
        Ok(self.dictionary.find(string))
    }

    fn append_ids<'a>(&mut self, strings: impl Iterator<Item = &'a str> + Clone, ids: &mut Vec<u32>) -> Result<()> {
        self.dictionary.strings.find_all(strings, ids);
        Ok(())
    }

    fn start_values(&mut self, values: &StringArray, rows: usize) -> bool {
        self.last.start(values, rows)
    }

    #[inline]
    fn id_of_value(&mut self, index: usize) -> Result<u32> {
        self.last.id(index, |string| Ok(self.dictionary.find(string)))
    }
}
