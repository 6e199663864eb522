//! Keys as numbers: rows with the same values get the same number, so that what a key stands for is asked once a number
//! instead of once a row.
//!
//! A dictionary has numbers already; integers are numbered as they come; columns are combined by multiplying. Texts
//! outside of dictionaries would have to be hashed for that, which is the work that is to be saved.

use arrow::array::{Array, AsArray, Int32Array};
use arrow::datatypes::{Int32Type, Int64Type};
use foldhash::fast::RandomState;
use hashbrown::HashMap;

use crate::diagnostic::Result;
use crate::types::{Column, Type};

/// Fewer rows are not worth it.
const FEWEST_ROWS: usize = 64;
/// Numbers per row up to which a list has a place for each.
const LISTED: u64 = 4;
/// Rows after which is decided whether numbers repeat often enough.
const TRIED: usize = 2_048;

/// A number for each row.
#[derive(Debug)]
pub(super) struct Codes {
    rows: Vec<u64>,
    /// All are less.
    below: u64,
}

impl Codes {
    /// Of the rows of `columns`; None where that cannot be had cheaply.
    pub fn new(columns: &[Column], rows: usize) -> Option<Self> {
        let mut codes = Self { rows: vec![0; rows], below: 1 };
        let varying = columns.iter().filter(|column| column.as_constant().is_none());
        if rows < FEWEST_ROWS || !varying.clone().all(has_numbers) {
            return None;
        }
        varying.into_iter().try_for_each(|column| codes.add(column))?;
        Some(codes)
    }

    /// Tells apart rows that differ in `column`, too.
    fn add(&mut self, column: &Column) -> Option<()> {
        let array = column.as_array()?;
        if let Some(dictionary) = array.as_dictionary_opt::<Int32Type>() {
            return self.add_keys(dictionary.keys(), dictionary.values().len());
        }
        match array.as_primitive_opt::<Int64Type>() {
            Some(values) => self.add_integers(values.iter()),
            None => self.add_integers(array.as_primitive_opt::<Int32Type>()?.iter().map(|value| value.map(i64::from))),
        }
    }

    fn add_keys(&mut self, keys: &Int32Array, values: usize) -> Option<()> {
        let null = u64::try_from(values).ok()?;
        let below = self.widen(null + 1)?;
        let code = |key: i32| u64::try_from(key).unwrap_or(null);
        match keys.nulls() {
            None => self.rows.iter_mut().zip(keys.values()).for_each(|(row, key)| *row = *row * below + code(*key)),
            Some(_) => {
                let keys = keys.iter().map(|key| key.map_or(null, code));
                self.rows.iter_mut().zip(keys).for_each(|(row, key)| *row = *row * below + key);
            }
        }
        Some(())
    }

    fn add_integers(&mut self, values: impl Iterator<Item = Option<i64>>) -> Option<()> {
        let mut known: HashMap<Option<i64>, u64, RandomState> = HashMap::default();
        let (mut last, mut code) = (None, u64::MAX);
        let number = |value: Option<i64>| {
            // Times are often in order: the same hour again and again.
            if last != Some(value) {
                let next = known.len() as u64;
                (last, code) = (Some(value), *known.entry(value).or_insert(next));
            }
            code
        };
        let codes: Vec<u64> = values.map(number).collect();
        let below = self.widen(known.len() as u64)?;
        self.rows.iter_mut().zip(codes).for_each(|(row, code)| *row = *row * below + code);
        Some(())
    }

    /// Makes room for `below` numbers behind each; None where there are too many.
    fn widen(&mut self, below: u64) -> Option<u64> {
        let below = below.max(1);
        self.below = self.below.checked_mul(below)?;
        Some(below)
    }

    /// Appends what `answer` says of each row, which it is asked once a number, in the order of the rows. Ends early where
    /// numbers turn out to repeat too seldom; answers how many rows it came to.
    pub fn resolve(&self, groups: &mut Vec<u32>, answer: impl FnMut(usize) -> Result<u32>) -> Result<usize> {
        match usize::try_from(self.below) {
            Ok(below) if self.below <= LISTED * self.rows.len() as u64 => {
                self.resolve_by(vec![None; below], groups, answer)
            }
            _ => self.resolve_by(HashMap::<_, _, RandomState>::default(), groups, answer),
        }
    }

    fn resolve_by(
        &self,
        mut known: impl Known,
        groups: &mut Vec<u32>,
        mut answer: impl FnMut(usize) -> Result<u32>,
    ) -> Result<usize> {
        let mut asked = 0;
        for (row, code) in self.rows.iter().enumerate() {
            if row == TRIED && asked > TRIED / 2 {
                return Ok(row);
            }
            let place = known.place(*code);
            let group = match *place {
                Some(group) => group,
                None => {
                    asked += 1;
                    *place.insert(answer(row)?)
                }
            };
            groups.push(group);
        }
        Ok(self.rows.len())
    }
}

/// What was answered, by number.
trait Known {
    fn place(&mut self, code: u64) -> &mut Option<u32>;
}

impl Known for Vec<Option<u32>> {
    fn place(&mut self, code: u64) -> &mut Option<u32> {
        &mut self[usize::try_from(code).unwrap_or_default()]
    }
}

impl Known for HashMap<u64, Option<u32>, RandomState> {
    fn place(&mut self, code: u64) -> &mut Option<u32> {
        self.entry(code).or_default()
    }
}

/// True where the values of a column are numbers, or have them.
fn has_numbers(column: &Column) -> bool {
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
    use crate::exec::group_table::GroupTable;

    fn texts(random: &mut ChaCha8Rng, rows: usize, distinct: u32) -> Column {
        let text = |number: u32| (number > 0).then(|| format!("text {number}"));
        let texts: Vec<Option<String>> = (0..rows).map(|_| text(random.random_range(0..distinct))).collect();
        let dictionary: DictionaryArray<Int32Type> = texts.iter().map(Option::as_deref).collect();
        Column::array(Type::Dynamic, Arc::new(dictionary))
    }

    fn integers(random: &mut ChaCha8Rng, rows: usize, distinct: i64) -> Column {
        let value = |number: i64| (number > 0).then_some(number * 7 - 100);
        let values: Int64Array = (0..rows).map(|_| value(random.random_range(0..distinct))).collect();
        Column::array(Type::Long, Arc::new(values))
    }

    /// The same column without its dictionary.
    fn plain(column: &Column) -> Column {
        crate::expr::eval::plain_texts(column).unwrap()
    }

    #[test]
    fn groups_are_those_of_the_keys_written_out() {
        let mut random = ChaCha8Rng::seed_from_u64(11);
        let table = || GroupTable::new(vec![Type::Dynamic, Type::Long, Type::Dynamic], 5);
        for (rows, distinct) in [(64, 3), (500, 4), (500, 400), (3_000, 30), (3_000, 2_900), (9_000, 8_000)] {
            let (mut coded, mut written) = (table(), table());
            for _ in 0..3 {
                let mut columns = vec![texts(&mut random, rows, distinct)];
                columns.push(integers(&mut random, rows, i64::from(distinct)));
                columns.push(texts(&mut random, rows, 5));
                assert!(Codes::new(&columns, rows).is_some());
                let (mut one, mut other) = (Vec::new(), Vec::new());
                coded.assign(&columns, rows, &mut one).unwrap();
                let columns: Vec<Column> = columns.iter().map(plain).collect();
                assert!(Codes::new(&columns, rows).is_none());
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
        assert!(Codes::new(&vec![column.clone(); 3], 100).is_some());
        assert!(Codes::new(&vec![column; 4], 100).is_none());
    }
}
