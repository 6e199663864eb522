//! Dictionary-encodes batches of mostly duplicate strings. JSON has no dictionaries, and Parquet writers abandon theirs
//! at some size; with one, each distinct string is processed once.
//!
//! Not the interner of aggregates (`functions::aggregate`): here strings are borrowed from one batch, never copied.

use std::hash::BuildHasher;
use std::sync::Arc;

use arrow::array::{Array, AsArray, DictionaryArray, Int32Array, StringArray, StringViewArray};
use foldhash::quality::RandomState;
use hashbrown::HashTable;

use super::Column;
use crate::diagnostic::Result;

/// Number of rows after which a batch of mostly distinct strings is abandoned.
const SAMPLE_ROWS: usize = 2_048;

/// Maximum bytes of the distinct strings of a batch; a dictionary has 32-bit offsets.
const MAX_BYTES: usize = 256 << 20;

/// Dictionary-encodes batch after batch of one column.
#[derive(Debug, Default)]
pub(crate) struct DictionaryEncoder {
    /// Seeded: attackers control the strings.
    hasher: RandomState,
    /// Set once most strings of a batch were distinct: those of later batches will be, too.
    abandoned: bool,
}

/// The distinct strings of a batch, in order of first occurrence, and the index of that of each row.
pub(crate) struct EncodedStrings<'a> {
    pub texts: Vec<&'a str>,
    pub keys: Int32Array,
}

impl DictionaryEncoder {
    /// Encodes the strings of a batch; None if most of them are distinct.
    pub(crate) fn encode<'a>(&mut self, views: &'a StringViewArray) -> Option<EncodedStrings<'a>> {
        if self.abandoned || views.is_empty() {
            return None;
        }
        let mut known: HashTable<(u64, i32)> = HashTable::new();
        let mut texts: Vec<&str> = Vec::new();
        let mut keys: Vec<Option<i32>> = Vec::with_capacity(views.len());
        let mut bytes = 0;
        for (row, text) in views.iter().enumerate() {
            if row == SAMPLE_ROWS.min(views.len() / 2) && texts.len() > row / 2 {
                self.abandoned = row == SAMPLE_ROWS;
                return None;
            }
            let Some(text) = text else {
                keys.push(None);
                continue;
            };
            let hash = self.hasher.hash_one(text);
            let same =
                |(other, key): &(u64, i32)| *other == hash && usize::try_from(*key).is_ok_and(|key| texts[key] == text);
            let key = match known.find(hash, same) {
                Some((_, key)) => *key,
                None => {
                    let key = i32::try_from(texts.len()).ok()?;
                    known.insert_unique(hash, (hash, key), |(hash, _)| *hash);
                    texts.push(text);
                    bytes += text.len();
                    if bytes > MAX_BYTES {
                        return None;
                    }
                    key
                }
            };
            keys.push(Some(key));
        }
        Some(EncodedStrings { texts, keys: keys.into() })
    }
}

/// Dictionary-encodes a dynamic column if most of its values are duplicates.
pub(crate) fn encode_column(column: Column) -> Result<Column> {
    let views = column.as_array().and_then(|array| array.as_string_view_opt());
    let Some(EncodedStrings { texts, keys }) = views.and_then(|views| DictionaryEncoder::default().encode(views))
    else {
        return Ok(column);
    };
    let values = Arc::new(StringArray::from(texts));
    Ok(Column::array(column.ty(), Arc::new(DictionaryArray::try_new(keys, values)?)))
}

#[cfg(test)]
mod tests {
    use arrow::array::{Array, StringViewArray};
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::{DictionaryEncoder, SAMPLE_ROWS};

    #[test]
    fn keys_refer_to_the_strings_of_the_rows() {
        let mut random = ChaCha8Rng::seed_from_u64(3);
        for (rows, distinct) in [(1, 1), (100, 7), (5_000, 40), (5_000, 1)] {
            let texts = (0..rows).map(|_| match random.random_range(0..distinct + 1) {
                0 => None,
                number => Some(format!("{{\"a string longer than a view\":{number}}}")),
            });
            let views: StringViewArray = texts.collect();
            let encoded = DictionaryEncoder::default().encode(&views).expect("many duplicates");
            for row in 0..rows {
                let text = (!encoded.keys.is_null(row))
                    .then(|| encoded.texts[usize::try_from(encoded.keys.value(row)).unwrap()]);
                assert_eq!(text, (!views.is_null(row)).then(|| views.value(row)));
            }
        }
    }

    #[test]
    fn texts_that_differ_are_left_alone() {
        let mut encoder = DictionaryEncoder::default();
        let few: StringViewArray = (0..100).map(|row| Some(row.to_string())).collect();
        assert!(encoder.encode(&few).is_none() && !encoder.abandoned);
        let many: StringViewArray = (0..2 * SAMPLE_ROWS).map(|row| Some(row.to_string())).collect();
        assert!(encoder.encode(&many).is_none() && encoder.abandoned);
    }
}
