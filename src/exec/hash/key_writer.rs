//! Encodes the keys of the rows of a batch. Each distinct value of a dictionary is interned once, and a constant column
//! is encoded once.

use std::ops::Range;
use std::slice::ChunksExact;

use arrow::array::{Array, AsArray, Int32Array, Int64Array, StringViewArray};
use arrow::datatypes::{Int32Type, Int64Type};

use super::key_encoding::{string_id, width, write_integer, write_value};
use super::string_dictionary::StringIdSource;
use crate::diagnostic::Result;
use crate::types::Column;
use crate::types::interner::{FixedWidthKeys, Interner, NO_ID};

/// A source of the ids of keys.
pub(super) trait KeyIdSource {
    /// Returns the id of a key.
    fn id_of(&mut self, key: &[u8]) -> Result<u32>;
    /// Appends the id of each of `keys` to `ids`.
    fn append_ids(&mut self, keys: ChunksExact<'_, u8>, ids: &mut Vec<u32>) -> Result<()>;
}

/// Gives new keys the next id.
impl KeyIdSource for &mut Interner<FixedWidthKeys> {
    fn id_of(&mut self, key: &[u8]) -> Result<u32> {
        Ok(self.intern(key)?)
    }

    fn append_ids(&mut self, keys: ChunksExact<'_, u8>, ids: &mut Vec<u32>) -> Result<()> {
        Ok(self.intern_all(keys, ids)?)
    }
}

/// Finds only keys that are there; others have the id [`NO_ID`].
impl KeyIdSource for &Interner<FixedWidthKeys> {
    fn id_of(&mut self, key: &[u8]) -> Result<u32> {
        Ok(self.find(key).unwrap_or(NO_ID))
    }

    fn append_ids(&mut self, keys: ChunksExact<'_, u8>, ids: &mut Vec<u32>) -> Result<()> {
        self.find_all(keys, ids);
        Ok(())
    }
}

/// The source of ids for keys of a single string column: the id of the string is the id of the key.
pub(super) struct StringIdsAsKeys;

impl KeyIdSource for StringIdsAsKeys {
    fn id_of(&mut self, key: &[u8]) -> Result<u32> {
        Ok(string_id(key))
    }

    fn append_ids(&mut self, keys: ChunksExact<'_, u8>, ids: &mut Vec<u32>) -> Result<()> {
        ids.extend(keys.map(string_id));
        Ok(())
    }
}

/// Encodes the keys of the rows of a batch.
pub(super) struct KeyWriter<'a, S> {
    columns: Vec<KeyColumnWriter<'a, S>>,
    /// The encoded keys of the last call.
    keys: Vec<u8>,
    /// The number of bytes of a key.
    width: usize,
}

impl<'a, S: StringIdSource> KeyWriter<'a, S> {
    /// Returns a writer for the `rows` rows of `columns`, at least one. `dictionaries` has one dictionary for each
    /// string column.
    pub fn new(columns: &'a [Column], rows: usize, dictionaries: impl IntoIterator<Item = S>) -> Result<Self> {
        let mut dictionaries = dictionaries.into_iter();
        let writer = |column: &'a Column| {
            let dictionary = if column.ty().is_text() { dictionaries.next() } else { None };
            KeyColumnWriter::new(column, rows, dictionary)
        };
        let width = columns.iter().map(|column| width(column.ty())).sum();
        Ok(Self { columns: columns.iter().map(writer).collect::<Result<_>>()?, keys: Vec::new(), width })
    }

    /// Returns the encoded key of a row.
    #[inline]
    pub fn key(&mut self, row: usize) -> Result<&[u8]> {
        self.keys.clear();
        self.columns.iter_mut().try_for_each(|column| column.write(row, &mut self.keys))?;
        Ok(&self.keys)
    }

    /// Returns the encoded keys of several rows.
    pub fn keys(&mut self, rows: Range<usize>) -> Result<ChunksExact<'_, u8>> {
        self.keys.clear();
        self.columns.iter_mut().try_for_each(|column| column.prefetch(rows.clone()))?;
        for row in rows {
            self.columns.iter_mut().try_for_each(|column| column.write(row, &mut self.keys))?;
        }
        Ok(self.keys.chunks_exact(self.width.max(1)))
    }
}

/// Encodes the values of one key column.
enum KeyColumnWriter<'a, S> {
    /// The encoded value, which is the same for all rows.
    Constant(Vec<u8>),
    DictionaryStrings {
        codes: &'a Int32Array,
        /// The number of values of the dictionary.
        values: usize,
        dictionary: S,
    },
    ViewStrings {
        views: &'a StringViewArray,
        dictionary: S,
        prefetched: PrefetchedIds,
    },
    OtherStrings(&'a Column, S),
    Integers(&'a Int64Array),
    Others(&'a Column),
}

/// The string ids of consecutive rows, which were looked up together.
#[derive(Default)]
struct PrefetchedIds {
    first_row: usize,
    ids: Vec<u32>,
}

impl<'a, S: StringIdSource> KeyColumnWriter<'a, S> {
    fn new(column: &'a Column, rows: usize, dictionary: Option<S>) -> Result<Self> {
        let Some(array) = column.as_array() else {
            let mut bytes = Vec::new();
            match dictionary {
                Some(mut strings) => bytes.extend_from_slice(&strings.id_of(column.text_at(0))?.to_le_bytes()),
                None => write_value(column, 0, &mut bytes),
            }
            return Ok(Self::Constant(bytes));
        };
        let Some(mut dictionary) = dictionary else {
            return Ok(array.as_primitive_opt::<Int64Type>().map_or(Self::Others(column), Self::Integers));
        };
        if let Some(views) = array.as_string_view_opt() {
            return Ok(Self::ViewStrings { views, dictionary, prefetched: PrefetchedIds::default() });
        }
        let encoded = array.as_dictionary_opt::<Int32Type>();
        let encoded = encoded.and_then(|encoded| Some((encoded.keys(), encoded.values().as_string_opt::<i32>()?)));
        Ok(match encoded {
            Some((codes, values)) if dictionary.start_values(values, rows) => {
                Self::DictionaryStrings { codes, values: values.len(), dictionary }
            }
            _ => Self::OtherStrings(column, dictionary),
        })
    }

    /// Looks up the strings of several rows together, unless one of them is null.
    fn prefetch(&mut self, rows: Range<usize>) -> Result<()> {
        if let Self::ViewStrings { views, dictionary, prefetched } = self
            && views.null_count() == 0
        {
            prefetched.first_row = rows.start;
            prefetched.ids.clear();
            dictionary.append_ids(rows.map(|row| views.value(row)), &mut prefetched.ids)?;
        }
        Ok(())
    }

    #[inline]
    fn write(&mut self, row: usize, key: &mut Vec<u8>) -> Result<()> {
        let id = match self {
            Self::Constant(bytes) => {
                key.extend_from_slice(bytes);
                return Ok(());
            }
            Self::Integers(integers) => {
                let null = integers.is_null(row);
                write_integer(if null { None } else { Some(integers.value(row).to_le_bytes()) }, key);
                return Ok(());
            }
            Self::Others(column) => {
                write_value(column, row, key);
                return Ok(());
            }
            Self::DictionaryStrings { codes, values, dictionary } => {
                let code = if codes.is_null(row) { None } else { usize::try_from(codes.value(row)).ok() };
                dictionary.id_of_value(code.unwrap_or(*values))?
            }
            Self::ViewStrings { views, dictionary, prefetched: PrefetchedIds { first_row, ids } } => {
                match row.checked_sub(*first_row).and_then(|index| ids.get(index)) {
                    Some(id) => *id,
                    None => dictionary.id_of((!views.is_null(row)).then(|| views.value(row)))?,
                }
            }
            Self::OtherStrings(column, dictionary) => dictionary.id_of(column.text_at(row))?,
        };
        key.extend_from_slice(&id.to_le_bytes());
        Ok(())
    }
}
