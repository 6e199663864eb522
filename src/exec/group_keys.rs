//! The keys of rows as bytes of one width, so that equal keys are equal bytes.
//!
//! A text is the number of a word, which is looked up once a distinct value of a dictionary; any other value is a byte
//! that says null or not, then the value. Columns of one value are written once a batch.

use std::ops::Range;
use std::slice::ChunksExact;

use arrow::array::{Array, AsArray, Int32Array, Int64Array, StringArray, StringViewArray};
use arrow::datatypes::{Int32Type, Int64Type};

use super::byte_table::ByteTable;
use crate::diagnostic::Result;
use crate::types::{Column, Type};

/// Keys, or words, that are looked up together.
pub(super) const BLOCK: usize = 512;

/// Bytes of the number of a word.
const WORD: usize = size_of::<u32>();

const NULL: u8 = 0;
const PRESENT: u8 = 1;

/// True for what [`write_value`] writes of null.
pub(super) fn is_null(value: &[u8]) -> bool {
    value.first() == Some(&NULL)
}

/// Bytes of a value of `ty` in a key.
pub(super) fn width(ty: Type) -> usize {
    match ty {
        Type::String | Type::Dynamic => WORD,
        Type::Bool => 2,
        Type::Int | Type::Long | Type::Datetime | Type::Timespan | Type::Real => 9,
        Type::Decimal | Type::Guid => 17,
    }
}

/// The number of a word in a key that begins with it.
pub(super) fn word_of(key: &[u8]) -> u32 {
    key.first_chunk().map_or(ByteTable::NONE, |bytes: &[u8; WORD]| u32::from_le_bytes(*bytes))
}

/// The texts met in a column; null is one of them.
#[derive(Debug)]
pub(super) struct Words {
    texts: ByteTable,
    null: Option<u32>,
}

impl Words {
    /// No words yet.
    pub fn new(seed: u64) -> Self {
        Self { texts: ByteTable::new(seed), null: None }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.texts.len()
    }

    /// Bytes in memory.
    pub fn memory(&self) -> usize {
        self.texts.memory()
    }

    /// The text of a word.
    pub fn text(&self, word: u32) -> Option<&str> {
        (self.null != Some(word)).then(|| std::str::from_utf8(self.texts.get(word as usize)).unwrap_or(""))
    }

    /// Appends the words of some texts.
    fn number_all<'a>(&mut self, texts: impl Iterator<Item = &'a str> + Clone, numbers: &mut Vec<u32>) -> Result<()> {
        self.texts.number_all(texts.map(str::as_bytes), numbers)
    }

    /// The words of another column, in their order, as words of this one.
    pub fn absorb(&mut self, other: &Self) -> Result<Vec<Option<u32>>> {
        let mut numbers = Vec::new();
        let is_null = |word: usize| other.null.is_some_and(|null| null as usize == word);
        let mut start = 0;
        while start < other.len() {
            if is_null(start) {
                numbers.push(self.number(None)?);
                start += 1;
                continue;
            }
            let end = (start + 1..other.len().min(start + BLOCK)).find(|word| is_null(*word));
            let end = end.unwrap_or(other.len().min(start + BLOCK));
            self.texts.number_all((start..end).map(|word| other.texts.get(word)), &mut numbers)?;
            start = end;
        }
        Ok(numbers.into_iter().map(Some).collect())
    }

    /// The word of a text, the next one if it was not met.
    pub fn number(&mut self, text: Option<&str>) -> Result<u32> {
        match (text, self.null) {
            (Some(text), _) => self.texts.number(text.as_bytes()),
            (None, Some(null)) => Ok(null),
            (None, None) => Ok(*self.null.insert(self.texts.reserve_number()?)),
        }
    }
}

/// Where the numbers of keys come from.
pub(super) trait KeySource {
    /// The number of a key.
    fn one(&mut self, key: &[u8]) -> Result<u32>;
    /// Appends the numbers of some keys.
    fn several(&mut self, keys: ChunksExact<'_, u8>, numbers: &mut Vec<u32>) -> Result<()>;
}

/// New keys get a number.
impl KeySource for &mut ByteTable {
    fn one(&mut self, key: &[u8]) -> Result<u32> {
        self.number(key)
    }

    fn several(&mut self, keys: ChunksExact<'_, u8>, numbers: &mut Vec<u32>) -> Result<()> {
        self.number_all(keys, numbers)
    }
}

/// New keys stay without one, for which [`ByteTable::NONE`] stands.
impl KeySource for &ByteTable {
    fn one(&mut self, key: &[u8]) -> Result<u32> {
        Ok(self.find(key).unwrap_or(ByteTable::NONE))
    }

    fn several(&mut self, keys: ChunksExact<'_, u8>, numbers: &mut Vec<u32>) -> Result<()> {
        self.find_all(keys, numbers);
        Ok(())
    }
}

/// Keys are words, the numbers of which are those of the keys.
pub(super) struct WordsAlone;

impl KeySource for WordsAlone {
    fn one(&mut self, key: &[u8]) -> Result<u32> {
        Ok(word_of(key))
    }

    fn several(&mut self, keys: ChunksExact<'_, u8>, numbers: &mut Vec<u32>) -> Result<()> {
        numbers.extend(keys.map(word_of));
        Ok(())
    }
}

/// Where the numbers of words come from.
pub(super) trait WordSource {
    /// The number of a text; [`ByteTable::NONE`], which is in no key, where it has none.
    fn word(&mut self, text: Option<&str>) -> Result<u32>;
    /// Appends the numbers of some texts.
    fn several<'a>(&mut self, texts: impl Iterator<Item = &'a str> + Clone, numbers: &mut Vec<u32>) -> Result<()>;
}

/// New texts get a number.
impl WordSource for &mut Words {
    fn word(&mut self, text: Option<&str>) -> Result<u32> {
        self.number(text)
    }

    fn several<'a>(&mut self, texts: impl Iterator<Item = &'a str> + Clone, numbers: &mut Vec<u32>) -> Result<()> {
        self.number_all(texts, numbers)
    }
}

/// New texts stay without one.
impl WordSource for &Words {
    fn word(&mut self, text: Option<&str>) -> Result<u32> {
        let known = text.map_or(self.null, |text| self.texts.find(text.as_bytes()));
        Ok(known.unwrap_or(ByteTable::NONE))
    }

    fn several<'a>(&mut self, texts: impl Iterator<Item = &'a str> + Clone, numbers: &mut Vec<u32>) -> Result<()> {
        self.texts.find_all(texts.map(str::as_bytes), numbers);
        Ok(())
    }
}

/// Writes the keys of the rows of a batch.
pub(super) struct KeyWriter<'a, W> {
    parts: Vec<KeyPart<'a, W>>,
    keys: Vec<u8>,
    /// Bytes of a key.
    width: usize,
}

impl<'a, W: WordSource> KeyWriter<'a, W> {
    /// Of the `rows` rows of `columns`, at least one; `words` are those of the columns of texts.
    pub fn new(columns: &'a [Column], rows: usize, words: impl IntoIterator<Item = W>) -> Result<Self> {
        let mut words = words.into_iter();
        let part = |column: &'a Column| {
            let words = if column.ty().is_text() { words.next() } else { None };
            KeyPart::new(column, rows, words)
        };
        let width = columns.iter().map(|column| width(column.ty())).sum();
        Ok(Self { parts: columns.iter().map(part).collect::<Result<_>>()?, keys: Vec::new(), width })
    }

    /// The key of a row.
    #[inline]
    pub fn key(&mut self, row: usize) -> Result<&[u8]> {
        self.keys.clear();
        self.parts.iter_mut().try_for_each(|part| part.write(row, &mut self.keys))?;
        Ok(&self.keys)
    }

    /// The keys of some rows.
    pub fn keys(&mut self, rows: Range<usize>) -> Result<ChunksExact<'_, u8>> {
        self.keys.clear();
        self.parts.iter_mut().try_for_each(|part| part.look_ahead(rows.clone()))?;
        for row in rows {
            self.parts.iter_mut().try_for_each(|part| part.write(row, &mut self.keys))?;
        }
        Ok(self.keys.chunks_exact(self.width.max(1)))
    }
}

/// What one column adds to the keys of a batch.
enum KeyPart<'a, W> {
    Same(Vec<u8>),
    /// Texts of a dictionary, with the words of the values that were met in this batch.
    Coded {
        keys: &'a Int32Array,
        values: &'a StringArray,
        known: Vec<Option<u32>>,
        words: W,
    },
    Texts {
        views: &'a StringViewArray,
        words: W,
        /// The words of the rows from this one on, which were looked up together.
        ahead: (usize, Vec<u32>),
    },
    OtherTexts(&'a Column, W),
    Integers(&'a Int64Array),
    Others(&'a Column),
}

impl<'a, W: WordSource> KeyPart<'a, W> {
    fn new(column: &'a Column, rows: usize, words: Option<W>) -> Result<Self> {
        let Some(array) = column.as_array() else {
            let mut bytes = Vec::new();
            match words {
                Some(mut words) => bytes.extend_from_slice(&words.word(column.text_at(0))?.to_le_bytes()),
                None => write_value(column, 0, &mut bytes),
            }
            return Ok(Self::Same(bytes));
        };
        let Some(words) = words else {
            return Ok(array.as_primitive_opt::<Int64Type>().map_or(Self::Others(column), Self::Integers));
        };
        if let Some(views) = array.as_string_view_opt() {
            return Ok(Self::Texts { views, words, ahead: Default::default() });
        }
        let dictionary = array.as_dictionary_opt::<Int32Type>().filter(|found| found.values().len() <= rows);
        let coded = dictionary.and_then(|dictionary| Some((dictionary.keys(), dictionary.values().as_string_opt()?)));
        Ok(match coded {
            // The last place is that of null.
            Some((keys, values)) => Self::Coded { keys, values, known: vec![None; values.len() + 1], words },
            None => Self::OtherTexts(column, words),
        })
    }

    /// Looks up together what is looked up for each row.
    fn look_ahead(&mut self, rows: Range<usize>) -> Result<()> {
        if let Self::Texts { views, words, ahead: (start, ahead) } = self
            && views.null_count() == 0
        {
            *start = rows.start;
            ahead.clear();
            words.several(rows.map(|row| views.value(row)), ahead)?;
        }
        Ok(())
    }

    #[inline]
    fn write(&mut self, row: usize, key: &mut Vec<u8>) -> Result<()> {
        let word = match self {
            Self::Same(bytes) => {
                key.extend_from_slice(bytes);
                return Ok(());
            }
            Self::Integers(integers) => {
                let null = integers.is_null(row);
                write_eight(if null { None } else { Some(integers.value(row).to_le_bytes()) }, key);
                return Ok(());
            }
            Self::Others(column) => {
                write_value(column, row, key);
                return Ok(());
            }
            Self::Coded { keys, values, known, words } => {
                let place = if keys.is_null(row) { None } else { usize::try_from(keys.value(row)).ok() };
                let place = place.unwrap_or(values.len());
                match known[place] {
                    Some(word) => word,
                    None => *known[place].insert(words.word(text_of(values, place))?),
                }
            }
            Self::Texts { views, words, ahead: (start, ahead) } => {
                match row.checked_sub(*start).and_then(|place| ahead.get(place)) {
                    Some(word) => *word,
                    None => words.word((!views.is_null(row)).then(|| views.value(row)))?,
                }
            }
            Self::OtherTexts(column, words) => words.word(column.text_at(row))?,
        };
        key.extend_from_slice(&word.to_le_bytes());
        Ok(())
    }
}

/// None behind the last text, too.
fn text_of(values: &StringArray, place: usize) -> Option<&str> {
    (place < values.len() && !values.is_null(place)).then(|| values.value(place))
}

fn write_eight(value: Option<[u8; 8]>, key: &mut Vec<u8>) {
    let mut written = [NULL; 9];
    if let Some(value) = value {
        written[0] = PRESENT;
        written[1..].copy_from_slice(&value);
    }
    key.extend_from_slice(&written);
}

/// Writes a value that is no text, in [`width`] bytes.
pub(super) fn write_value(column: &Column, row: usize, key: &mut Vec<u8>) {
    match column.ty() {
        Type::Bool => {
            let value = column.bool_at(row);
            key.extend_from_slice(&[u8::from(value.is_some()), u8::from(value == Some(true))]);
        }
        Type::Int | Type::Long | Type::Datetime | Type::Timespan => {
            write_eight(column.i64_at(row).map(i64::to_le_bytes), key);
        }
        Type::Real => {
            // One key for both zeros and one for every NaN.
            let canonical = |value: f64| if value.is_nan() { f64::NAN } else { value + 0.0 };
            write_eight(column.f64_at(row).map(|value| canonical(value).to_le_bytes()), key);
        }
        Type::Decimal | Type::Guid => {
            let value = column.bytes_at(row);
            key.push(u8::from(value.is_some()));
            key.extend_from_slice(&value.unwrap_or_default());
        }
        Type::String | Type::Dynamic => debug_assert!(false, "texts are words"),
    }
}
