//! Dictionary-encodes batches in which most strings are duplicates, so that operators process each distinct string
//! once. JSON has no dictionaries, and Parquet writers give theirs up at some size.

use std::sync::Arc;

use arrow::array::{Array, AsArray, DictionaryArray, Int32Array, StringArray, StringBuilder, StringViewArray};

use super::Column;
use super::interner::Interner;
use crate::diagnostic::Result;

/// Number of rows after which encoding is given up, if most of their strings are distinct.
const SAMPLE_ROWS: usize = 2_048;

/// Maximum bytes of the distinct strings of a batch; a dictionary has 32-bit offsets.
const MAX_BYTES: usize = 256 << 20;

/// Dictionary-encodes the strings of one column, batch by batch.
#[derive(Debug, Default)]
pub(crate) struct DictionaryEncoder {
    /// True once most strings of a batch were distinct: those of later batches will probably be, too, and are not
    /// encoded.
    abandoned: bool,
}

/// The distinct strings of a batch, in order of first occurrence, and for each row the position of its string among
/// them.
pub(crate) struct EncodedStrings {
    pub texts: StringArray,
    pub keys: Int32Array,
}

impl DictionaryEncoder {
    /// Encodes the strings of a batch; None if most of them are distinct, or were in an earlier batch.
    pub(crate) fn encode(&mut self, views: &StringViewArray) -> Option<EncodedStrings> {
        if self.abandoned || views.is_empty() {
            return None;
        }
        let mut texts = Interner::with_random_seed(StringBuilder::new());
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
            let key = match texts.find(text) {
                Ok(key) => key,
                Err(free) => {
                    bytes += text.len();
                    if bytes > MAX_BYTES {
                        return None;
                    }
                    texts.insert(free, text).ok()?
                }
            };
            keys.push(Some(i32::try_from(key).ok()?));
        }
        Some(EncodedStrings { texts: texts.into_strings().finish(), keys: keys.into() })
    }
}

/// Dictionary-encodes a string or dynamic column if most of its values are duplicates; otherwise returns it unchanged.
pub(crate) fn encode_column(column: Column) -> Result<Column> {
    let views = column.as_array().and_then(|array| array.as_string_view_opt());
    let Some(EncodedStrings { texts, keys }) = views.and_then(|views| DictionaryEncoder::default().encode(views))
    else {
        return Ok(column);
    };
    Ok(Column::array(column.ty(), Arc::new(DictionaryArray::try_new(keys, Arc::new(texts))?)))
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
                    .then(|| encoded.texts.value(usize::try_from(encoded.keys.value(row)).unwrap()));
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
