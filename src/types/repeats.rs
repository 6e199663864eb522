//! Dictionary-encodes batches of mostly duplicate strings. JSON has no dictionaries, and Parquet writers abandon theirs
//! at some size; with one, each distinct string is processed once.

use std::hash::BuildHasher;

use std::sync::Arc;

use arrow::array::{Array, AsArray, DictionaryArray, Int32Array, StringArray, StringViewArray};
use foldhash::quality::RandomState;
use hashbrown::HashTable;

use super::Column;
use crate::diagnostic::Result;

/// Number of rows after which a batch of mostly distinct strings is abandoned.
const TRIED: usize = 2_048;

/// Maximum bytes of the distinct strings of a batch; a dictionary has 32-bit offsets.
const MAX_BYTES: usize = 256 << 20;

/// Dictionary-encodes batch after batch of one column.
#[derive(Debug, Default)]
pub(crate) struct Repeats {
    /// Seeded: attackers control the strings.
    hasher: RandomState,
    /// Set once most strings of a batch were distinct: those of later batches will be, too.
    given_up: bool,
}

/// The distinct strings of a batch, in order of first occurrence, and the index of that of each row.
pub(crate) struct Coded<'a> {
    pub texts: Vec<&'a str>,
    pub keys: Int32Array,
}

impl Repeats {
    /// Encodes the strings of a batch; None if most of them are distinct.
    pub(crate) fn find<'a>(&mut self, views: &'a StringViewArray) -> Option<Coded<'a>> {
        if self.given_up || views.is_empty() {
            return None;
        }
        let mut known: HashTable<(u64, i32)> = HashTable::new();
        let mut texts: Vec<&str> = Vec::new();
        let mut keys: Vec<Option<i32>> = Vec::with_capacity(views.len());
        let mut bytes = 0;
        for (row, text) in views.iter().enumerate() {
            if row == TRIED.min(views.len() / 2) && texts.len() > row / 2 {
                self.given_up = row == TRIED;
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
        Some(Coded { texts, keys: keys.into() })
    }
}

/// Dictionary-encodes a dynamic column if most of its values are duplicates.
pub(crate) fn coded(column: Column) -> Result<Column> {
    let views = column.as_array().and_then(|array| array.as_string_view_opt());
    let Some(Coded { texts, keys }) = views.and_then(|views| Repeats::default().find(views)) else {
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

    use super::{Repeats, TRIED};

    #[test]
    fn keys_lead_to_the_texts_of_the_rows() {
        let mut random = ChaCha8Rng::seed_from_u64(3);
        for (rows, distinct) in [(1, 1), (100, 7), (5_000, 40), (5_000, 1)] {
            let texts = (0..rows).map(|_| match random.random_range(0..distinct + 1) {
                0 => None,
                number => Some(format!("{{\"a text longer than a view\":{number}}}")),
            });
            let views: StringViewArray = texts.collect();
            let coded = Repeats::default().find(&views).expect("they repeat");
            for row in 0..rows {
                let text =
                    (!coded.keys.is_null(row)).then(|| coded.texts[usize::try_from(coded.keys.value(row)).unwrap()]);
                assert_eq!(text, (!views.is_null(row)).then(|| views.value(row)));
            }
        }
    }

    #[test]
    fn texts_that_differ_are_left_alone() {
        let mut repeats = Repeats::default();
        let few: StringViewArray = (0..100).map(|row| Some(row.to_string())).collect();
        assert!(repeats.find(&few).is_none() && !repeats.given_up);
        let many: StringViewArray = (0..2 * TRIED).map(|row| Some(row.to_string())).collect();
        assert!(repeats.find(&many).is_none() && repeats.given_up);
    }
}
