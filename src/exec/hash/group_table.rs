//! The hash table of groups: assigns each distinct key an id, 0, 1, 2 and so on.
//!
//! The strings of each key column are interned, so that keys have a fixed width, and a string that is part of many keys
//! is in memory once. If the key is a single string column, the ids of its strings are the ids of the groups.

use foldhash::quality::FixedState;
use std::hash::BuildHasher;

use super::combined_codes::CombinedCodes;
use super::key_encoding::{BLOCK, is_null, string_id, width, write_value};
use super::key_writer::{KeyIdSource, KeyWriter, StringIdsAsKeys};
use super::string_dictionary::{StringDictionary, StringIdSource, StringLookup};
use crate::diagnostic::Result;
use crate::types::column::{decimal_from_bytes, guid_from_bytes};
use crate::types::interner::{FixedWidthKeys, Interner, NO_ID};
use crate::types::{Column, ColumnBuilder, Type, Value};

/// The groups that were seen so far, by their keys.
#[derive(Debug)]
pub struct GroupTable {
    types: Vec<Type>,
    seed: u64,
    /// The strings of each string column of the key.
    dictionaries: Vec<StringDictionary>,
    /// The encoded keys; None if the ids of strings are the ids of groups.
    keys: Option<Interner<FixedWidthKeys>>,
}

impl GroupTable {
    /// An id that no group has.
    pub const NONE: u32 = NO_ID;

    /// Returns a table without groups, for keys with columns of these types.
    #[must_use]
    pub fn new(types: Vec<Type>, seed: u64) -> Self {
        let strings = types.iter().filter(|ty| ty.is_text());
        let dictionaries: Vec<StringDictionary> = strings.map(|_| StringDictionary::new(seed)).collect();
        let is_one_string = types.len() == 1 && dictionaries.len() == 1;
        let width = types.iter().map(|ty| width(*ty)).sum();
        Self {
            types,
            seed,
            dictionaries,
            keys: (!is_one_string).then(|| Interner::new(FixedWidthKeys::new(width), seed)),
        }
    }

    /// Returns the number of groups.
    #[must_use]
    pub fn len(&self) -> usize {
        self.keys.as_ref().map_or_else(|| self.dictionaries[0].len(), Interner::len)
    }

    /// Returns the ids of the groups from `start` on.
    pub fn ids_from(&self, start: usize) -> impl Iterator<Item = u32> + use<> {
        (start..self.len()).map(|group| u32::try_from(group).unwrap_or(Self::NONE))
    }

    /// Returns the bytes in use.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let dictionaries: usize = self.dictionaries.iter().map(StringDictionary::memory).sum();
        dictionaries + self.keys.as_ref().map_or(0, Interner::memory)
    }

    /// Sets `groups` to the group of each row of `columns`. New keys make new groups, in the order of the rows.
    pub fn assign(&mut self, columns: &[Column], rows: usize, groups: &mut Vec<u32>) -> Result<()> {
        match &mut self.keys {
            Some(keys) => resolve(columns, rows, groups, self.dictionaries.iter_mut(), keys),
            None => resolve(columns, rows, groups, self.dictionaries.iter_mut(), StringIdsAsKeys),
        }
    }

    /// Sets `groups` to the group of each row of `columns`, or [`Self::NONE`] if the key is not in the table.
    pub fn find(&self, columns: &[Column], rows: usize, groups: &mut Vec<u32>) -> Result<()> {
        match &self.keys {
            Some(keys) => resolve(columns, rows, groups, self.dictionaries.iter().map(StringLookup::new), keys),
            None => resolve(columns, rows, groups, self.dictionaries.iter().map(StringLookup::new), StringIdsAsKeys),
        }
    }

    /// Adds the groups of `later`; returns for each of them the group that it is in this table.
    pub fn merge(&mut self, later: &Self) -> Result<Vec<u32>> {
        // Every string belongs to a group, so all of them are needed.
        let dictionaries = self.dictionaries.iter_mut().zip(&later.dictionaries);
        let known = dictionaries.map(|(own, others)| own.merge(others)).collect::<Result<_>>()?;
        self.copy(later, later.ids_from(0), known)
    }

    /// Returns a table of these groups, in the order given.
    pub fn select(&self, groups: &[u32]) -> Result<Self> {
        let mut selected = Self::new(self.types.clone(), self.seed);
        let known = self.dictionaries.iter().map(|strings| vec![None; strings.len()]).collect();
        selected.copy(self, groups.iter().copied(), known)?;
        Ok(selected)
    }

    /// Adds groups of another table; returns for each of them the group that it is in this table. For each string
    /// column, `known` maps the string ids of the other table to those of this one, or to None if they are not mapped
    /// yet.
    fn copy(
        &mut self,
        other: &Self,
        groups: impl Iterator<Item = u32>,
        mut known: Vec<Vec<Option<u32>>>,
    ) -> Result<Vec<u32>> {
        let mut own_id = |column: usize, id: u32| match &mut known[column][id as usize] {
            Some(known) => Ok(*known),
            unknown => Ok(*unknown.insert(self.dictionaries[column].intern(other.dictionaries[column].get(id))?)),
        };
        let (Some(keys), Some(others)) = (&mut self.keys, &other.keys) else {
            return groups.map(|group| own_id(0, group)).collect();
        };
        if self.types.is_empty() {
            return groups.map(|_| Ok(keys.intern(b"")?)).collect();
        }
        let string_offsets: Vec<usize> = other.string_offsets().collect();
        let key_width: usize = self.types.iter().map(|ty| width(*ty)).sum();
        let (mut copied, mut ids) = (Vec::new(), Vec::new());
        let mut groups = groups.peekable();
        while groups.peek().is_some() {
            copied.clear();
            for group in groups.by_ref().take(BLOCK) {
                let start = copied.len();
                copied.extend_from_slice(others.get(group as usize));
                for (column, offset) in string_offsets.iter().enumerate() {
                    let bytes = &mut copied[start + offset..];
                    let id = own_id(column, string_id(bytes))?.to_le_bytes();
                    bytes[..id.len()].copy_from_slice(&id);
                }
            }
            keys.intern_all(copied.chunks_exact(key_width), &mut ids)?;
        }
        Ok(ids)
    }

    /// Returns the offsets, in an encoded key, of the ids of strings.
    fn string_offsets(&self) -> impl Iterator<Item = usize> {
        let ends = self.types.iter().scan(0, |end, ty| {
            *end += width(*ty);
            Some(*end)
        });
        self.types.iter().zip(ends).filter(|(ty, _)| ty.is_text()).map(|(ty, end)| end - width(*ty))
    }

    /// Returns the hash of the key of each group, equal to what [`hashes`] computes.
    pub fn hashes(&self, seed: u64, round: u32) -> impl Iterator<Item = u64> {
        let hasher = round_hasher(seed, round);
        let mut written = Vec::new();
        self.ids_from(0).map(move |group| {
            written.clear();
            self.visit_key(group, &mut |_, value| match value {
                KeyValue::String(string) => write_string(string, &mut written),
                KeyValue::Other(bytes) => written.extend_from_slice(bytes),
            });
            hasher.hash_one(written.as_slice())
        })
    }

    /// Returns the keys as columns, one row for each group.
    #[must_use]
    pub fn columns(&self) -> Vec<Column> {
        let mut builders: Vec<ColumnBuilder> =
            self.types.iter().map(|ty| ColumnBuilder::with_capacity(*ty, self.len())).collect();
        for group in self.ids_from(0) {
            self.visit_key(group, &mut |column, value| append(&mut builders[column], &value));
        }
        builders.iter_mut().map(ColumnBuilder::finish).collect()
    }

    /// Calls `visit` with each column of the key of a group, and its value in that column.
    fn visit_key<'a>(&'a self, group: u32, visit: &mut dyn FnMut(usize, KeyValue<'a>)) {
        let Some(keys) = &self.keys else { return visit(0, KeyValue::String(self.dictionaries[0].get(group))) };
        let mut key = keys.get(group as usize);
        let mut dictionaries = self.dictionaries.iter();
        for (column, ty) in self.types.iter().enumerate() {
            let (bytes, rest) = key.split_at(width(*ty));
            key = rest;
            let strings = if ty.is_text() { dictionaries.next() } else { None };
            let value =
                strings.map_or(KeyValue::Other(bytes), |strings| KeyValue::String(strings.get(string_id(bytes))));
            visit(column, value);
        }
    }
}

/// The value of one column of a key.
enum KeyValue<'a> {
    String(Option<&'a str>),
    /// An encoded value that is not a string.
    Other(&'a [u8]),
}

/// Returns the hash of the key of each row, for partitioning. Each round uses another hash function, and none of them
/// is that of a [`GroupTable`].
#[must_use]
pub fn hashes(columns: &[Column], rows: usize, seed: u64, round: u32) -> Vec<u64> {
    let hasher = round_hasher(seed, round);
    let mut written = Vec::new();
    let hash = |row| {
        written.clear();
        for column in columns {
            if column.ty().is_text() {
                write_string(column.text_at(row), &mut written);
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

fn write_string(string: Option<&str>, written: &mut Vec<u8>) {
    written.push(u8::from(string.is_some()));
    let string = string.unwrap_or_default();
    written.extend_from_slice(&(string.len() as u64).to_le_bytes());
    written.extend_from_slice(string.as_bytes());
}

/// Sets `groups` to the id of the key of each row, with as few lookups as the encoding of the columns allows.
fn resolve(
    columns: &[Column],
    rows: usize,
    groups: &mut Vec<u32>,
    dictionaries: impl Iterator<Item: StringIdSource>,
    mut ids: impl KeyIdSource,
) -> Result<()> {
    groups.clear();
    if rows == 0 && !columns.is_empty() {
        return Ok(());
    }
    groups.reserve(rows);
    let mut keys = KeyWriter::new(columns, rows, dictionaries)?;
    if columns.iter().all(|column| column.as_constant().is_some()) {
        groups.resize(rows, ids.id_of(keys.key(0)?)?);
        return Ok(());
    }
    let done = match CombinedCodes::new(columns, rows) {
        Some(codes) => codes.resolve(groups, |row| ids.id_of(keys.key(row)?))?,
        None => 0,
    };
    for start in (done..rows).step_by(BLOCK) {
        ids.append_ids(keys.keys(start..rows.min(start + BLOCK))?, groups)?;
    }
    Ok(())
}

/// Appends a value of a key to its column.
fn append(builder: &mut ColumnBuilder, value: &KeyValue<'_>) {
    let bytes = match value {
        KeyValue::String(Some(string)) => return builder.append_text(string),
        KeyValue::Other(bytes) if !is_null(bytes) => &bytes[1..],
        _ => return builder.append_null(),
    };
    let eight = || bytes.first_chunk().copied().unwrap_or_default();
    match builder.ty() {
        Type::Bool => builder.append_bool(bytes[0] == 1),
        Type::Real => builder.append_f64(f64::from_le_bytes(eight())),
        Type::Decimal => builder.append(&Value::Decimal(decimal_from_bytes(bytes))),
        Type::Guid => builder.append(&Value::Guid(guid_from_bytes(bytes))),
        Type::Int | Type::Long | Type::Datetime | Type::Timespan => builder.append_i64(i64::from_le_bytes(eight())),
        Type::String | Type::Dynamic => debug_assert!(false, "strings are interned"),
    }
}
