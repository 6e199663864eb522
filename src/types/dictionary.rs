//! Applies results that were computed once for each dictionary entry to the rows that refer to the entries.

use std::sync::Arc;

use arrow::array::{Array, AsArray, BooleanArray, DictionaryArray, Int32Array, StringArray};
use arrow::buffer::BooleanBuffer;
use arrow::compute;
use arrow::datatypes::{DataType, Int32Type};

use super::Column;
use crate::diagnostic::Result;

/// Average length in bytes from which the entries of a dictionary are long. Computing with shorter strings takes less
/// time than to remember the result.
const LONG_ENTRY: usize = 64 << 10;

/// True if the entries of a dictionary are so long that a batch has few rows. What was computed for them should be
/// remembered, because the batches of a file share its dictionaries.
#[must_use]
pub fn has_long_strings(entries: &StringArray) -> bool {
    let offsets = entries.value_offsets();
    let bytes = offsets.last().zip(offsets.first()).map_or(0, |(end, start)| end - start);
    usize::try_from(bytes).is_ok_and(|bytes| !entries.is_empty() && bytes / entries.len() >= LONG_ENTRY)
}

/// Returns a value for each row: the value in `entries` at the row's key. `entries` has one value for each entry of a
/// dictionary. Strings stay a dictionary.
pub fn spread(entries: &Column, keys: &Int32Array) -> Result<Column> {
    let ty = entries.ty();
    match entries.as_array() {
        None => Ok(entries.resized(keys.len())),
        Some(array) if ty.is_text() => {
            let texts = compute::cast(array, &DataType::Utf8)?;
            let spread = DictionaryArray::<Int32Type>::try_new(keys.clone(), texts)?;
            Ok(Column::array(ty, Arc::new(spread)))
        }
        Some(array) => match array.as_boolean_opt().filter(|truths| truths.null_count() == 0) {
            Some(truths) => {
                let spread: BooleanArray = spread_truths(keys, truths.values()).into();
                Ok(Column::array(ty, Arc::new(spread)))
            }
            None => Ok(Column::array(ty, compute::take(array, keys, None)?)),
        },
    }
}

/// Returns a bit for each row: the bit in `truths` at the row's key. It is false for a null key and for one out of
/// range.
#[must_use]
pub fn spread_truths(keys: &Int32Array, truths: &BooleanBuffer) -> BooleanBuffer {
    let (rows, hits) = (keys.len(), truths.count_set_bits());
    let nulls = keys.nulls().map(arrow::buffer::NullBuffer::inner);
    let keys = keys.values();
    let spread = match truths.set_indices().next().and_then(|first| i32::try_from(first).ok()) {
        None => return BooleanBuffer::new_unset(rows),
        Some(_) if hits == truths.len() => BooleanBuffer::new_set(rows),
        Some(only) if hits == 1 => BooleanBuffer::collect_bool(rows, |row| keys[row] == only),
        Some(_) => {
            let truths: Vec<bool> = truths.iter().collect();
            let truth = |key: i32| usize::try_from(key).ok().and_then(|key| truths.get(key).copied());
            BooleanBuffer::collect_bool(rows, |row| truth(keys[row]).unwrap_or(false))
        }
    };
    nulls.map_or(spread.clone(), |nulls| &spread & nulls)
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    #[test]
    fn rows_have_the_truth_of_their_value() {
        let mut random = ChaCha8Rng::seed_from_u64(3);
        for (share, values) in [(0.0, 4), (1.0, 4), (0.5, 9), (0.1, 200), (1.0, 1)] {
            for nulls in [0.0, 0.3] {
                let truths: Vec<bool> = (0..values).map(|_| random.random_bool(share)).collect();
                let key = |random: &mut ChaCha8Rng| {
                    let key = random.random_range(0..values);
                    (!random.random_bool(nulls)).then_some(key)
                };
                let keys: Vec<Option<i32>> = (0..700).map(|_| key(&mut random)).collect();
                let expected: Vec<bool> =
                    keys.iter().map(|key| key.is_some_and(|key| truths[usize::try_from(key).unwrap()])).collect();
                let spread = spread_truths(&keys.into(), &BooleanBuffer::from(truths));
                assert_eq!(spread.iter().collect::<Vec<_>>(), expected);
            }
        }
    }
}
