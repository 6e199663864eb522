//! Combined dictionary codes: a number for each row of a batch, equal for rows with equal keys. A key is then looked up
//! once for each number instead of once for each row.
//!
//! Dictionary columns have codes already. Integers get codes in the order of their first occurrence. The codes of
//! several columns are combined like the digits of a number. Strings without a dictionary get none: they would have to
//! be hashed, which is the work to be saved.

use arrow::array::{Array, AsArray, Int32Array};
use arrow::datatypes::{Int32Type, Int64Type};
use foldhash::fast::RandomState;
use hashbrown::HashMap;

use crate::diagnostic::Result;
use crate::types::{Column, Type};

/// Minimum number of rows of a batch; the keys of fewer rows are looked up one by one.
const MIN_ROWS: usize = 64;
/// Maximum number of possible codes per row for which the groups are kept in an array; with more, they are in a hash
/// table.
const MAX_ARRAY_CODES_PER_ROW: u64 = 4;
/// Number of rows after which it is decided whether codes occur often enough to be worthwhile.
const SAMPLE_ROWS: usize = 2_048;

/// A combined code for each row.
#[derive(Debug)]
pub(super) struct CombinedCodes {
    rows: Vec<u64>,
    /// All codes are less than this number.
    limit: u64,
}

impl CombinedCodes {
    /// Computes the codes of the rows of `columns`; None if there are few rows, or a column whose values have no codes.
    pub fn new(columns: &[Column], rows: usize) -> Option<Self> {
        let mut codes = Self { rows: vec![0; rows], limit: 1 };
        let varying = columns.iter().filter(|column| column.as_constant().is_none());
        if rows < MIN_ROWS || !varying.clone().all(has_codes) {
            return None;
        }
        varying.into_iter().try_for_each(|column| codes.add(column))?;
        Some(codes)
    }

    /// Combines the codes with those of another column; None if that is not possible.
    fn add(&mut self, column: &Column) -> Option<()> {
        let array = column.as_array()?;
        if let Some(dictionary) = array.as_dictionary_opt::<Int32Type>() {
            return self.add_dictionary(dictionary.keys(), dictionary.values().len());
        }
        match array.as_primitive_opt::<Int64Type>() {
            Some(values) => self.add_integers(values.iter()),
            None => self.add_integers(array.as_primitive_opt::<Int32Type>()?.iter().map(|value| value.map(i64::from))),
        }
    }

    fn add_dictionary(&mut self, keys: &Int32Array, values: usize) -> Option<()> {
        let null = u64::try_from(values).ok()?;
        let radix = self.multiply_limit(null + 1)?;
        let code = |key: i32| u64::try_from(key).unwrap_or(null);
        match keys.nulls() {
            None => self.rows.iter_mut().zip(keys.values()).for_each(|(row, key)| *row = *row * radix + code(*key)),
            Some(_) => {
                let keys = keys.iter().map(|key| key.map_or(null, code));
                self.rows.iter_mut().zip(keys).for_each(|(row, key)| *row = *row * radix + key);
            }
        }
        Some(())
    }

    fn add_integers(&mut self, values: impl Iterator<Item = Option<i64>>) -> Option<()> {
        let mut known: HashMap<Option<i64>, u64, RandomState> = HashMap::default();
        let (mut last, mut code) = (None, u64::MAX);
        let code_of = |value: Option<i64>| {
            // Neighbours are often equal, such as the hours of sorted times.
            if last != Some(value) {
                let next = known.len() as u64;
                (last, code) = (Some(value), *known.entry(value).or_insert(next));
            }
            code
        };
        let codes: Vec<u64> = values.map(code_of).collect();
        let radix = self.multiply_limit(known.len() as u64)?;
        self.rows.iter_mut().zip(codes).for_each(|(row, code)| *row = *row * radix + code);
        Some(())
    }

    /// Multiplies the limit by the number of codes of another column; None if the codes no longer fit in 64 bits.
    fn multiply_limit(&mut self, radix: u64) -> Option<u64> {
        let radix = radix.max(1);
        self.limit = self.limit.checked_mul(radix)?;
        Some(radix)
    }

    /// Appends the group of each row to `groups`, in order. `look_up` is called only for the first row of each code.
    /// Stops early if codes occur too seldom; returns the number of rows whose groups were appended.
    pub fn resolve(&self, groups: &mut Vec<u32>, look_up: impl FnMut(usize) -> Result<u32>) -> Result<usize> {
        match usize::try_from(self.limit) {
            Ok(limit) if self.limit <= MAX_ARRAY_CODES_PER_ROW * self.rows.len() as u64 => {
                self.resolve_with(vec![None; limit], groups, look_up)
            }
            _ => self.resolve_with(HashMap::<_, _, RandomState>::default(), groups, look_up),
        }
    }

    fn resolve_with(
        &self,
        mut known: impl GroupsByCode,
        groups: &mut Vec<u32>,
        mut look_up: impl FnMut(usize) -> Result<u32>,
    ) -> Result<usize> {
        let mut lookups = 0;
        for (row, code) in self.rows.iter().enumerate() {
            if row == SAMPLE_ROWS && lookups > SAMPLE_ROWS / 2 {
                return Ok(row);
            }
            let known_group = known.group_of(*code);
            let group = match *known_group {
                Some(group) => group,
                None => {
                    lookups += 1;
                    *known_group.insert(look_up(row)?)
                }
            };
            groups.push(group);
        }
        Ok(self.rows.len())
    }
}

/// The groups that were looked up already, by code.
trait GroupsByCode {
    fn group_of(&mut self, code: u64) -> &mut Option<u32>;
}

impl GroupsByCode for Vec<Option<u32>> {
    fn group_of(&mut self, code: u64) -> &mut Option<u32> {
        &mut self[usize::try_from(code).unwrap_or_default()]
    }
}

impl GroupsByCode for HashMap<u64, Option<u32>, RandomState> {
    fn group_of(&mut self, code: u64) -> &mut Option<u32> {
        self.entry(code).or_default()
    }
}

/// True if the values of a column have codes: those of dictionaries and integers have.
fn has_codes(column: &Column) -> bool {
    let Some(array) = column.as_array() else { return false };
    match column.ty() {
        Type::String | Type::Dynamic => array.as_dictionary_opt::<Int32Type>().is_some(),
        Type::Int | Type::Long | Type::Datetime | Type::Timespan => true,
        Type::Bool | Type::Real | Type::Decimal | Type::Guid => false,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, DictionaryArray, Int64Array};
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;
    use crate::exec::hash::GroupTable;

    fn strings(random: &mut ChaCha8Rng, rows: usize, distinct: u32) -> Column {
        let string = |number: u32| (number > 0).then(|| format!("text {number}"));
        let strings: Vec<Option<String>> = (0..rows).map(|_| string(random.random_range(0..distinct))).collect();
        let dictionary: DictionaryArray<Int32Type> = strings.iter().map(Option::as_deref).collect();
        Column::array(Type::Dynamic, Arc::new(dictionary))
    }

    fn integers(random: &mut ChaCha8Rng, rows: usize, distinct: i64) -> Column {
        let value = |number: i64| (number > 0).then_some(number * 7 - 100);
        let values: Int64Array = (0..rows).map(|_| value(random.random_range(0..distinct))).collect();
        Column::array(Type::Long, Arc::new(values))
    }

    /// Returns the column with its dictionary decoded.
    fn plain(column: &Column) -> Column {
        crate::expr::eval::plain_texts(column).unwrap()
    }

    #[test]
    fn groups_are_those_of_keys_without_dictionaries() {
        let mut random = ChaCha8Rng::seed_from_u64(11);
        let table = || GroupTable::new(vec![Type::Dynamic, Type::Long, Type::Dynamic], 5);
        for (rows, distinct) in [(64, 3), (500, 4), (500, 400), (3_000, 30), (3_000, 2_900), (9_000, 8_000)] {
            let (mut coded, mut written) = (table(), table());
            for _ in 0..3 {
                let mut columns = vec![strings(&mut random, rows, distinct)];
                columns.push(integers(&mut random, rows, i64::from(distinct)));
                columns.push(strings(&mut random, rows, 5));
                assert!(CombinedCodes::new(&columns, rows).is_some());
                let (mut one, mut other) = (Vec::new(), Vec::new());
                coded.assign(&columns, rows, &mut one).unwrap();
                let columns: Vec<Column> = columns.iter().map(plain).collect();
                assert!(CombinedCodes::new(&columns, rows).is_none());
                written.assign(&columns, rows, &mut other).unwrap();
                assert_eq!(one, other);
            }
            assert_eq!(coded.len(), written.len());
        }
    }

    #[test]
    fn too_many_combinations_are_refused() {
        let keys: Int32Array = (0..100).collect();
        let values: ArrayRef = Arc::new(arrow::array::StringArray::from(vec!["text"; 1 << 16]));
        let column = Column::array(Type::String, Arc::new(DictionaryArray::new(keys, values)));
        assert!(CombinedCodes::new(&vec![column.clone(); 3], 100).is_some());
        assert!(CombinedCodes::new(&vec![column; 4], 100).is_none());
    }
}
