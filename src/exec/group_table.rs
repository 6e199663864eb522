//! Rows -> dense group numbers, by the values of their keys.
//!
//! A key is written as bytes: for each column a byte that says null or not, then the value (texts with their length).
//! Equal bytes are equal keys. The hash is seeded, since keys come from whoever wrote the log.

use arrow::array::{Array, AsArray, Int32Array, Int64Array, StringViewArray};
use arrow::datatypes::{Int32Type, Int64Type};
use foldhash::quality::FixedState;
use hashbrown::HashTable;
use std::hash::BuildHasher;

use super::group_codes::Codes;
use crate::diagnostic::{Error, Result};
use crate::types::column::{decimal_from_bytes, guid_from_bytes};
use crate::types::{Column, ColumnBuilder, Type, Value};

/// The groups met so far.
#[derive(Debug)]
pub struct GroupTable {
    types: Vec<Type>,
    hasher: FixedState,
    table: HashTable<(u64, u32)>,
    /// The keys, one behind the other.
    keys: Vec<u8>,
    /// Where each key ends.
    ends: Vec<usize>,
}

impl GroupTable {
    /// Stands for no group.
    pub const NONE: u32 = u32::MAX;

    /// No groups yet; keys have these types.
    #[must_use]
    pub fn new(types: Vec<Type>, seed: u64) -> Self {
        Self { types, hasher: FixedState::with_seed(seed), table: HashTable::new(), keys: Vec::new(), ends: Vec::new() }
    }

    /// How many groups.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// The numbers of the groups from the one at `start` on.
    pub fn numbers_from(&self, start: usize) -> impl Iterator<Item = u32> + use<> {
        (start..self.len()).map(|group| u32::try_from(group).unwrap_or(Self::NONE))
    }

    /// Bytes in memory.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.keys.capacity() + self.ends.capacity() * size_of::<usize>() + self.table.allocation_size()
    }

    /// The group of each of `rows` rows; new keys make new groups, in the order of the rows.
    pub fn assign(&mut self, columns: &[Column], rows: usize, groups: &mut Vec<u32>) -> Result<()> {
        resolve(columns, rows, groups, &mut |key| self.group(key))
    }

    /// The group of each of `rows` rows, [`Self::NONE`] where the key is not known.
    pub fn find(&self, columns: &[Column], rows: usize, groups: &mut Vec<u32>) -> Result<()> {
        resolve(columns, rows, groups, &mut |key| Ok(self.known(self.hasher.hash_one(key), key).unwrap_or(Self::NONE)))
    }

    /// The groups of `later` as groups of this table.
    pub fn merge(&mut self, later: &Self) -> Result<Vec<u32>> {
        (0..later.len()).map(|group| self.group(later.key(group))).collect()
    }

    /// These groups alone, in this order.
    pub fn select(&self, groups: &[u32]) -> Result<Self> {
        let mut selected = Self {
            types: self.types.clone(),
            hasher: self.hasher.clone(),
            table: HashTable::with_capacity(groups.len()),
            keys: Vec::new(),
            ends: Vec::with_capacity(groups.len()),
        };
        groups.iter().try_for_each(|group| selected.group(self.key(*group as usize)).map(drop))?;
        Ok(selected)
    }

    /// The hash of each group's key, as [`hashes`] has it.
    pub fn hashes(&self, seed: u64, round: u32) -> impl Iterator<Item = u64> {
        let hasher = round_hasher(seed, round);
        (0..self.len()).map(move |group| hasher.hash_one(self.key(group)))
    }

    fn key(&self, group: usize) -> &[u8] {
        let start = if group == 0 { 0 } else { self.ends[group - 1] };
        &self.keys[start..self.ends[group]]
    }

    fn known(&self, hash: u64, key: &[u8]) -> Option<u32> {
        let same = |(other, group): &(u64, u32)| *other == hash && self.key(*group as usize) == key;
        self.table.find(hash, same).map(|(_, group)| *group)
    }

    fn group(&mut self, key: &[u8]) -> Result<u32> {
        let hash = self.hasher.hash_one(key);
        if let Some(group) = self.known(hash, key) {
            return Ok(group);
        }
        let group = u32::try_from(self.ends.len())
            .ok()
            .filter(|group| *group < Self::NONE)
            .ok_or_else(|| Error::Limit("more than 4,294,967,294 groups".to_owned()))?;
        self.keys.extend_from_slice(key);
        self.ends.push(self.keys.len());
        self.table.insert_unique(hash, (hash, group), |(hash, _)| *hash);
        Ok(group)
    }

    /// The keys as columns, a row a group.
    #[must_use]
    pub fn columns(&self) -> Vec<Column> {
        let mut builders: Vec<ColumnBuilder> =
            self.types.iter().map(|ty| ColumnBuilder::with_capacity(*ty, self.len())).collect();
        for group in 0..self.len() {
            let mut key = self.key(group);
            for builder in &mut builders {
                key = read_key(builder, key);
            }
        }
        builders.iter_mut().map(ColumnBuilder::finish).collect()
    }
}

/// The hash of the key of each row, another one in each round, and none that a [`GroupTable`] uses.
#[must_use]
pub fn hashes(columns: &[Column], rows: usize, seed: u64, round: u32) -> Vec<u64> {
    let hasher = round_hasher(seed, round);
    let parts: Vec<KeyPart> = columns.iter().map(|column| KeyPart::new(column, rows)).collect();
    let mut key = Vec::new();
    let hash = |row| {
        key.clear();
        parts.iter().for_each(|part| part.write(row, &mut key));
        hasher.hash_one(key.as_slice())
    };
    (0..rows).map(hash).collect()
}

fn round_hasher(seed: u64, round: u32) -> FixedState {
    FixedState::with_seed(seed.wrapping_add(u64::from(round) + 1))
}

/// What `answer` says of the key of each row, asked as seldom as the encoding of the columns allows.
fn resolve(
    columns: &[Column],
    rows: usize,
    groups: &mut Vec<u32>,
    answer: &mut dyn FnMut(&[u8]) -> Result<u32>,
) -> Result<()> {
    groups.clear();
    groups.reserve(rows);
    if columns.is_empty() || columns.iter().all(|column| column.as_constant().is_some()) {
        return resolve_constant(columns, rows, groups, answer);
    }
    let parts: Vec<KeyPart> = columns.iter().map(|column| KeyPart::new(column, rows)).collect();
    let mut key = Vec::new();
    let mut ask = |row: usize| {
        key.clear();
        parts.iter().for_each(|part| part.write(row, &mut key));
        answer(&key)
    };
    match Codes::new(columns, rows) {
        Some(codes) => codes.resolve(groups, ask),
        None => (0..rows).try_for_each(|row| {
            groups.push(ask(row)?);
            Ok(())
        }),
    }
}

/// What one column adds to the keys of a batch.
enum KeyPart<'a> {
    /// Of a dictionary: what each distinct value adds, one behind the other, and last what null adds.
    Values {
        keys: &'a Int32Array,
        bytes: Vec<u8>,
        ends: Vec<usize>,
    },
    Texts(&'a StringViewArray),
    Integers(&'a Int64Array),
    Others(&'a Column),
}

impl<'a> KeyPart<'a> {
    fn new(column: &'a Column, rows: usize) -> Self {
        let Some(array) = column.as_array() else { return Self::Others(column) };
        if let Some(integers) = array.as_primitive_opt::<Int64Type>() {
            return Self::Integers(integers);
        }
        if let Some(views) = array.as_string_view_opt() {
            return Self::Texts(views);
        }
        let dictionary = array.as_dictionary_opt::<Int32Type>().filter(|found| found.values().len() <= rows);
        let texts = dictionary.and_then(|dictionary| dictionary.values().as_string_opt::<i32>());
        let (Some(dictionary), Some(texts)) = (dictionary, texts) else { return Self::Others(column) };
        let (mut bytes, mut ends) = (Vec::new(), Vec::with_capacity(texts.len() + 1));
        for text in texts.iter().chain([None]) {
            write_text(text, &mut bytes);
            ends.push(bytes.len());
        }
        Self::Values { keys: dictionary.keys(), bytes, ends }
    }

    fn write(&self, row: usize, key: &mut Vec<u8>) {
        match self {
            Self::Values { keys, bytes, ends } => {
                let place = if keys.is_null(row) { None } else { usize::try_from(keys.value(row)).ok() };
                let place = place.unwrap_or(ends.len() - 1);
                let start = if place == 0 { 0 } else { ends[place - 1] };
                key.extend_from_slice(&bytes[start..ends[place]]);
            }
            Self::Texts(views) => write_text((!views.is_null(row)).then(|| views.value(row)), key),
            Self::Integers(integers) => write_integer((!integers.is_null(row)).then(|| integers.value(row)), key),
            Self::Others(column) => write_key(column, row, key),
        }
    }
}

fn resolve_constant(
    columns: &[Column],
    rows: usize,
    groups: &mut Vec<u32>,
    answer: &mut dyn FnMut(&[u8]) -> Result<u32>,
) -> Result<()> {
    if rows == 0 && !columns.is_empty() {
        return Ok(());
    }
    let mut key = Vec::new();
    columns.iter().for_each(|column| write_key(column, 0, &mut key));
    let group = answer(&key)?;
    groups.resize(rows, group);
    Ok(())
}

const NULL: u8 = 0;
const PRESENT: u8 = 1;

fn write_key(column: &Column, row: usize, key: &mut Vec<u8>) {
    if column.ty().is_text() {
        return write_text(column.text_at(row), key);
    }
    if column.is_null(row) {
        key.push(NULL);
        return;
    }
    key.push(PRESENT);
    match column.ty() {
        Type::Bool => key.push(u8::from(column.bool_at(row) == Some(true))),
        Type::Int | Type::Long | Type::Datetime | Type::Timespan => {
            key.extend_from_slice(&column.i64_at(row).unwrap_or_default().to_le_bytes());
        }
        Type::Real => {
            let value = column.f64_at(row).unwrap_or_default();
            // One key for both zeros and one for every NaN.
            let value = if value.is_nan() { f64::NAN } else { value + 0.0 };
            key.extend_from_slice(&value.to_le_bytes());
        }
        Type::Decimal | Type::Guid => key.extend_from_slice(&column.bytes_at(row).unwrap_or_default()),
        Type::String | Type::Dynamic => debug_assert!(false, "texts are written above"),
    }
}

fn write_integer(value: Option<i64>, key: &mut Vec<u8>) {
    let Some(value) = value else { return key.push(NULL) };
    key.push(PRESENT);
    key.extend_from_slice(&value.to_le_bytes());
}

fn write_text(text: Option<&str>, key: &mut Vec<u8>) {
    let Some(text) = text else { return key.push(NULL) };
    key.push(PRESENT);
    key.extend_from_slice(&(text.len() as u64).to_le_bytes());
    key.extend_from_slice(text.as_bytes());
}

/// Appends the first value of `key` to `builder` and answers the rest.
fn read_key<'a>(builder: &mut ColumnBuilder, key: &'a [u8]) -> &'a [u8] {
    let (tag, rest) = key.split_at(1);
    if tag[0] == NULL {
        builder.append_null();
        return rest;
    }
    let eight = |bytes: &[u8]| <[u8; 8]>::try_from(&bytes[..8]).unwrap_or_default();
    match builder.ty() {
        Type::Bool => {
            builder.append_bool(rest[0] == 1);
            &rest[1..]
        }
        Type::Int | Type::Long | Type::Datetime | Type::Timespan => {
            builder.append_i64(i64::from_le_bytes(eight(rest)));
            &rest[8..]
        }
        Type::Real => {
            builder.append_f64(f64::from_le_bytes(eight(rest)));
            &rest[8..]
        }
        Type::Decimal => {
            builder.append(&Value::Decimal(decimal_from_bytes(&rest[..16])));
            &rest[16..]
        }
        Type::Guid => {
            builder.append(&Value::Guid(guid_from_bytes(&rest[..16])));
            &rest[16..]
        }
        Type::String | Type::Dynamic => {
            let (length, rest) = rest.split_at(8);
            let length = usize::try_from(u64::from_le_bytes(eight(length))).unwrap_or(usize::MAX);
            let (text, rest) = rest.split_at(length);
            builder.append_text(std::str::from_utf8(text).unwrap_or(""));
            rest
        }
    }
}
