//! Rows -> dense group numbers, by the values of their keys.
//!
//! Texts are numbered column by column (`group_keys`), so keys have one length whatever their texts, and a text that is in
//! many keys is in memory once. Where a column of texts is all there is to a key, the numbers of its texts are the groups.

use foldhash::quality::FixedState;
use std::hash::BuildHasher;

use super::byte_table::ByteTable;
use super::group_codes::Codes;
use super::group_keys::{
    BLOCK, KeySource, KeyWriter, WordSource, Words, WordsAlone, is_null, width, word_of, write_value,
};
use crate::diagnostic::Result;
use crate::types::column::{decimal_from_bytes, guid_from_bytes};
use crate::types::{Column, ColumnBuilder, Type, Value};

/// The groups met so far.
#[derive(Debug)]
pub struct GroupTable {
    types: Vec<Type>,
    seed: u64,
    /// The texts met in each column of texts.
    words: Vec<Words>,
    /// The keys; None where the words are the groups.
    keys: Option<ByteTable>,
}

impl GroupTable {
    /// Stands for no group.
    pub const NONE: u32 = ByteTable::NONE;

    /// No groups yet; keys have these types.
    #[must_use]
    pub fn new(types: Vec<Type>, seed: u64) -> Self {
        let words: Vec<Words> = types.iter().filter(|ty| ty.is_text()).map(|_| Words::new(seed)).collect();
        let is_one_text = types.len() == 1 && words.len() == 1;
        let length = types.iter().map(|ty| width(*ty)).sum();
        Self { types, seed, words, keys: (!is_one_text).then(|| ByteTable::of_width(length, seed)) }
    }

    /// How many groups.
    #[must_use]
    pub fn len(&self) -> usize {
        self.keys.as_ref().map_or_else(|| self.words[0].len(), ByteTable::len)
    }

    /// The numbers of the groups from the one at `start` on.
    pub fn numbers_from(&self, start: usize) -> impl Iterator<Item = u32> + use<> {
        (start..self.len()).map(|group| u32::try_from(group).unwrap_or(Self::NONE))
    }

    /// Bytes in memory.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let words: usize = self.words.iter().map(Words::memory).sum();
        words + self.keys.as_ref().map_or(0, ByteTable::memory)
    }

    /// The group of each of `rows` rows; new keys make new groups, in the order of the rows.
    pub fn assign(&mut self, columns: &[Column], rows: usize, groups: &mut Vec<u32>) -> Result<()> {
        match &mut self.keys {
            Some(keys) => resolve(columns, rows, groups, self.words.iter_mut(), keys),
            None => resolve(columns, rows, groups, self.words.iter_mut(), WordsAlone),
        }
    }

    /// The group of each of `rows` rows, [`Self::NONE`] where the key is not known.
    pub fn find(&self, columns: &[Column], rows: usize, groups: &mut Vec<u32>) -> Result<()> {
        match &self.keys {
            Some(keys) => resolve(columns, rows, groups, self.words.iter(), keys),
            None => resolve(columns, rows, groups, self.words.iter(), WordsAlone),
        }
    }

    /// The groups of `later` as groups of this table.
    pub fn merge(&mut self, later: &Self) -> Result<Vec<u32>> {
        // Every word is of some group.
        let words = self.words.iter_mut().zip(&later.words).map(|(own, others)| own.absorb(others));
        let known = words.collect::<Result<_>>()?;
        self.copy(later, later.numbers_from(0), known)
    }

    /// These groups alone, in this order.
    pub fn select(&self, groups: &[u32]) -> Result<Self> {
        let mut selected = Self::new(self.types.clone(), self.seed);
        let known = self.words.iter().map(|words| vec![None; words.len()]).collect();
        selected.copy(self, groups.iter().copied(), known)?;
        Ok(selected)
    }

    /// Groups of another table as groups of this one. `known` has the words of the other one as words of this one, by
    /// column, as far as they are known.
    fn copy(
        &mut self,
        other: &Self,
        groups: impl Iterator<Item = u32>,
        mut known: Vec<Vec<Option<u32>>>,
    ) -> Result<Vec<u32>> {
        let mut word = |column: usize, word: u32| match &mut known[column][word as usize] {
            Some(known) => Ok(*known),
            unknown => Ok(*unknown.insert(self.words[column].number(other.words[column].text(word))?)),
        };
        let (Some(keys), Some(others)) = (&mut self.keys, &other.keys) else {
            return groups.map(|group| word(0, group)).collect();
        };
        if self.types.is_empty() {
            return groups.map(|_| keys.number(b"")).collect();
        }
        let places: Vec<usize> = other.places_of_words().collect();
        let length: usize = self.types.iter().map(|ty| width(*ty)).sum();
        let (mut copied, mut numbers) = (Vec::new(), Vec::new());
        let mut groups = groups.peekable();
        while groups.peek().is_some() {
            copied.clear();
            for group in groups.by_ref().take(BLOCK) {
                let start = copied.len();
                copied.extend_from_slice(others.get(group as usize));
                for (column, place) in places.iter().enumerate() {
                    let bytes = &mut copied[start + place..];
                    let number = word(column, word_of(bytes))?.to_le_bytes();
                    bytes[..number.len()].copy_from_slice(&number);
                }
            }
            keys.number_all(copied.chunks_exact(length), &mut numbers)?;
        }
        Ok(numbers)
    }

    /// Where words begin in a key.
    fn places_of_words(&self) -> impl Iterator<Item = usize> {
        let ends = self.types.iter().scan(0, |end, ty| {
            *end += width(*ty);
            Some(*end)
        });
        self.types.iter().zip(ends).filter(|(ty, _)| ty.is_text()).map(|(ty, end)| end - width(*ty))
    }

    /// The hash of each group's key, as [`hashes`] has it.
    pub fn hashes(&self, seed: u64, round: u32) -> impl Iterator<Item = u64> {
        let hasher = round_hasher(seed, round);
        let mut written = Vec::new();
        self.numbers_from(0).map(move |group| {
            written.clear();
            self.visit(group, &mut |_, part| match part {
                Part::Text(text) => write_text(text, &mut written),
                Part::Value(bytes) => written.extend_from_slice(bytes),
            });
            hasher.hash_one(written.as_slice())
        })
    }

    /// The keys as columns, a row a group.
    #[must_use]
    pub fn columns(&self) -> Vec<Column> {
        let mut builders: Vec<ColumnBuilder> =
            self.types.iter().map(|ty| ColumnBuilder::with_capacity(*ty, self.len())).collect();
        for group in self.numbers_from(0) {
            self.visit(group, &mut |column, part| append(&mut builders[column], &part));
        }
        builders.iter_mut().map(ColumnBuilder::finish).collect()
    }

    /// Shows `see` what each column has in the key of a group.
    fn visit<'a>(&'a self, group: u32, see: &mut dyn FnMut(usize, Part<'a>)) {
        let Some(keys) = &self.keys else { return see(0, Part::Text(self.words[0].text(group))) };
        let mut key = keys.get(group as usize);
        let mut words = self.words.iter();
        for (column, ty) in self.types.iter().enumerate() {
            let (bytes, rest) = key.split_at(width(*ty));
            key = rest;
            let words = if ty.is_text() { words.next() } else { None };
            see(column, words.map_or(Part::Value(bytes), |words| Part::Text(words.text(word_of(bytes)))));
        }
    }
}

/// What a key has of one column.
enum Part<'a> {
    Text(Option<&'a str>),
    /// The bytes of what is no text.
    Value(&'a [u8]),
}

/// The hash of the key of each row, another one in each round, and none that a [`GroupTable`] uses.
#[must_use]
pub fn hashes(columns: &[Column], rows: usize, seed: u64, round: u32) -> Vec<u64> {
    let hasher = round_hasher(seed, round);
    let mut written = Vec::new();
    let hash = |row| {
        written.clear();
        for column in columns {
            if column.ty().is_text() {
                write_text(column.text_at(row), &mut written);
            } else {
                write_value(column, row, &mut written);
            }
        }
        hasher.hash_one(written.as_slice())
    };
    (0..rows).map(hash).collect()
}

fn round_hasher(seed: u64, round: u32) -> FixedState {
    FixedState::with_seed(seed.wrapping_add(u64::from(round) + 1))
}

fn write_text(text: Option<&str>, written: &mut Vec<u8>) {
    written.push(u8::from(text.is_some()));
    let text = text.unwrap_or_default();
    written.extend_from_slice(&(text.len() as u64).to_le_bytes());
    written.extend_from_slice(text.as_bytes());
}

/// The number of the key of each row, looked up as seldom as the encoding of the columns allows.
fn resolve(
    columns: &[Column],
    rows: usize,
    groups: &mut Vec<u32>,
    words: impl Iterator<Item: WordSource>,
    mut numbers: impl KeySource,
) -> Result<()> {
    groups.clear();
    if rows == 0 && !columns.is_empty() {
        return Ok(());
    }
    groups.reserve(rows);
    let mut keys = KeyWriter::new(columns, rows, words)?;
    if columns.iter().all(|column| column.as_constant().is_some()) {
        groups.resize(rows, numbers.one(keys.key(0)?)?);
        return Ok(());
    }
    let done = match Codes::new(columns, rows) {
        Some(codes) => codes.resolve(groups, |row| numbers.one(keys.key(row)?))?,
        None => 0,
    };
    for start in (done..rows).step_by(BLOCK) {
        numbers.several(keys.keys(start..rows.min(start + BLOCK))?, groups)?;
    }
    Ok(())
}

/// Appends what a key has of a column.
fn append(builder: &mut ColumnBuilder, part: &Part<'_>) {
    let bytes = match part {
        Part::Text(Some(text)) => return builder.append_text(text),
        Part::Value(bytes) if !is_null(bytes) => &bytes[1..],
        _ => return builder.append_null(),
    };
    let eight = || bytes.first_chunk().copied().unwrap_or_default();
    match builder.ty() {
        Type::Bool => builder.append_bool(bytes[0] == 1),
        Type::Real => builder.append_f64(f64::from_le_bytes(eight())),
        Type::Decimal => builder.append(&Value::Decimal(decimal_from_bytes(bytes))),
        Type::Guid => builder.append(&Value::Guid(guid_from_bytes(bytes))),
        Type::Int | Type::Long | Type::Datetime | Type::Timespan => builder.append_i64(i64::from_le_bytes(eight())),
        Type::String | Type::Dynamic => debug_assert!(false, "texts are words"),
    }
}

#[cfg(test)]
mod tests;
