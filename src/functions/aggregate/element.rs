//! Typed access of accumulators to the values of columns, without allocating a [`Value`] per row.

use std::cmp::Ordering;
use std::fmt::Debug;

use arrow::array::{Array, ArrowPrimitiveType, AsArray, Int32Array, PrimitiveArray, StringArray};
use arrow::datatypes::{Float64Type, Int32Type, Int64Type};

use crate::types::column::decimal_from_bytes;
use crate::types::dictionary::has_long_strings;
use crate::types::{Column, ColumnBuilder, Decimal, Type, Value};

/// A type of values that aggregates compare and keep, with access to the values in columns.
pub trait Element: Clone + Debug + Send + 'static {
    /// The borrowed form of the value, such as `&str` for a string.
    type Ref<'a>: Copy;

    /// Calls `each` with every row that is not null and its value, in order.
    fn for_each(column: &Column, each: impl FnMut(usize, Self::Ref<'_>));

    /// Borrows the kept value.
    fn borrowed(&self) -> Self::Ref<'_>;

    /// Compares two values; None if one of them is NaN.
    fn order(a: Self::Ref<'_>, b: Self::Ref<'_>) -> Option<Ordering>;

    /// Stores `value` in `slot`, in place of the value that is there.
    fn store(slot: &mut Option<Self>, value: Self::Ref<'_>);

    /// Appends the kept value to a column of its type.
    fn append(&self, builder: &mut ColumnBuilder);

    /// Returns the heap memory of the kept value in bytes.
    fn heap(&self) -> usize {
        0
    }

    /// True if `candidate` replaces `best`: it compares as `wanted`, or is a number while `best` is NaN.
    fn beats(candidate: Self::Ref<'_>, best: Self::Ref<'_>, wanted: Ordering) -> bool {
        match Self::order(candidate, best) {
            Some(order) => order == wanted,
            None => Self::order(best, best).is_none() && Self::order(candidate, candidate).is_some(),
        }
    }
}

/// Calls `each` with every row of a constant column and `value`; never if `value` is None.
fn repeat<T: Copy>(rows: usize, value: Option<T>, mut each: impl FnMut(usize, T)) {
    if let Some(value) = value {
        (0..rows).for_each(|row| each(row, value));
    }
}

/// Calls `each` with every non-null row of a primitive array and its value.
fn primitives<T: ArrowPrimitiveType>(array: &PrimitiveArray<T>, mut each: impl FnMut(usize, T::Native)) {
    match array.nulls().filter(|nulls| nulls.null_count() > 0) {
        None => array.values().iter().enumerate().for_each(|(row, value)| each(row, *value)),
        Some(nulls) => nulls.valid_indices().for_each(|row| each(row, array.value(row))),
    }
}

/// Values of the types int, long, datetime and timespan, as 64-bit integers.
impl Element for i64 {
    type Ref<'a> = Self;

    fn for_each(column: &Column, mut each: impl FnMut(usize, Self)) {
        match column.as_array() {
            None => repeat(column.rows(), column.i64_at(0), each),
            Some(array) if column.ty() == Type::Int => {
                primitives(array.as_primitive::<Int32Type>(), |row, value| each(row, Self::from(value)));
            }
            Some(array) => primitives(array.as_primitive::<Int64Type>(), each),
        }
    }

    fn borrowed(&self) -> Self {
        *self
    }

    fn order(a: Self, b: Self) -> Option<Ordering> {
        Some(a.cmp(&b))
    }

    fn store(slot: &mut Option<Self>, value: Self) {
        *slot = Some(value);
    }

    fn append(&self, builder: &mut ColumnBuilder) {
        builder.append_i64(*self);
    }
}

/// Values of the type real; int, long and decimal are rounded to the nearest double.
impl Element for f64 {
    type Ref<'a> = Self;

    fn for_each(column: &Column, mut each: impl FnMut(usize, Self)) {
        match (column.ty(), column.as_array()) {
            (Type::Real, Some(array)) => primitives(array.as_primitive::<Float64Type>(), each),
            (Type::Decimal, _) => {
                Decimal::for_each(column, |row, value| each(row, crate::types::decimal::to_real(value)));
            }
            (_, None) => repeat(column.rows(), column.f64_at(0), each),
            #[expect(clippy::cast_precision_loss, reason = "KQL widens long to real this way")]
            _ => i64::for_each(column, |row, value| each(row, value as Self)),
        }
    }

    fn borrowed(&self) -> Self {
        *self
    }

    fn order(a: Self, b: Self) -> Option<Ordering> {
        a.partial_cmp(&b)
    }

    fn store(slot: &mut Option<Self>, value: Self) {
        *slot = Some(value);
    }

    fn append(&self, builder: &mut ColumnBuilder) {
        builder.append_f64(*self);
    }
}

/// Values of the type bool; false sorts before true.
impl Element for bool {
    type Ref<'a> = Self;

    fn for_each(column: &Column, mut each: impl FnMut(usize, Self)) {
        match column.as_array() {
            None => repeat(column.rows(), column.bool_at(0), each),
            Some(array) => {
                let array = array.as_boolean();
                for row in (0..array.len()).filter(|row| array.is_valid(*row)) {
                    each(row, array.value(row));
                }
            }
        }
    }

    fn borrowed(&self) -> Self {
        *self
    }

    fn order(a: Self, b: Self) -> Option<Ordering> {
        Some(a.cmp(&b))
    }

    fn store(slot: &mut Option<Self>, value: Self) {
        *slot = Some(value);
    }

    fn append(&self, builder: &mut ColumnBuilder) {
        builder.append_bool(*self);
    }
}

/// Values of the type decimal.
impl Element for Decimal {
    type Ref<'a> = Self;

    fn for_each(column: &Column, mut each: impl FnMut(usize, Self)) {
        match (column.as_constant(), column.as_array()) {
            (Some(Value::Decimal(value)), _) => repeat(column.rows(), Some(*value), each),
            (None, Some(array)) => {
                let array = array.as_fixed_size_binary();
                for row in (0..array.len()).filter(|row| array.is_valid(*row)) {
                    each(row, decimal_from_bytes(array.value(row)));
                }
            }
            _ => {}
        }
    }

    fn borrowed(&self) -> Self {
        *self
    }

    fn order(a: Self, b: Self) -> Option<Ordering> {
        Some(a.cmp(&b))
    }

    fn store(slot: &mut Option<Self>, value: Self) {
        *slot = Some(value);
    }

    fn append(&self, builder: &mut ColumnBuilder) {
        builder.append(&Value::Decimal(*self));
    }
}

/// Values of the type string, ordered by code points; a dynamic is compared by its JSON text.
impl Element for String {
    type Ref<'a> = &'a str;

    fn for_each(column: &Column, mut each: impl FnMut(usize, &str)) {
        match column.as_array() {
            None => repeat(column.rows(), column.text_at(0), each),
            Some(array) => match array.as_string_view_opt() {
                Some(views) if views.null_count() == 0 => {
                    views.iter().flatten().enumerate().for_each(|(row, text)| each(row, text));
                }
                _ => (0..column.rows())
                    .filter_map(|row| Some((row, column.text_at(row)?)))
                    .for_each(|(row, text)| each(row, text)),
            },
        }
    }

    fn borrowed(&self) -> &str {
        self
    }

    fn order(a: &str, b: &str) -> Option<Ordering> {
        Some(a.cmp(b))
    }

    fn store(slot: &mut Option<Self>, value: &str) {
        // The buffer is reused: an ascending column would otherwise allocate per row.
        let kept = slot.get_or_insert_default();
        kept.clear();
        kept.push_str(value);
    }

    fn append(&self, builder: &mut ColumnBuilder) {
        builder.append_text(self);
    }

    fn heap(&self) -> usize {
        self.capacity()
    }
}

/// Calls `each` with every non-null row of a string column and what `once` returns for its string. For a dictionary,
/// `once` is called only once for each distinct string. `values` is what the last call computed.
fn for_each_text<T: Clone>(
    column: &Column,
    values: &mut EntryValues<T>,
    mut once: impl FnMut(&str) -> T,
    mut each: impl FnMut(usize, T),
) {
    let Some((keys, texts)) = dictionary_of(column) else {
        return String::for_each(column, |row, text| each(row, once(text)));
    };
    let made = values.of(texts);
    for (row, key) in keys.iter().enumerate() {
        let Some(key) = key.and_then(|key| usize::try_from(key).ok()).filter(|key| texts.is_valid(*key)) else {
            continue;
        };
        each(row, made[key].get_or_insert_with(|| once(texts.value(key))).clone());
    }
}

/// What was computed for the entries of the last dictionary, if its strings are long. Batches of long strings have few
/// rows and share their dictionary.
#[derive(Debug)]
pub struct EntryValues<T> {
    entries: Option<StringArray>,
    values: Vec<Option<T>>,
}

impl<T> Default for EntryValues<T> {
    fn default() -> Self {
        Self { entries: None, values: Vec::new() }
    }
}

impl<T: Clone> EntryValues<T> {
    /// Returns a value for each of `entries`: what the last call computed for them, otherwise None.
    fn of(&mut self, entries: &StringArray) -> &mut Vec<Option<T>> {
        let is_known = self.entries.as_ref().is_some_and(|known| known.to_data().ptr_eq(&entries.to_data()));
        if !is_known {
            self.entries = has_long_strings(entries).then(|| entries.clone());
            self.values.clear();
            self.values.resize(entries.len(), None);
        }
        &mut self.values
    }
}

/// The rows of a batch, by group.
#[derive(Clone, Copy, Debug)]
pub struct GroupedRows<'a> {
    /// The group of each row.
    pub groups: &'a [u32],
    /// The number of groups.
    pub count: usize,
}

/// Like [`for_each_text`], but may skip a row if an earlier row of the same group has the same string. Rows are skipped
/// only if finding them is cheap. `values` is what the last call computed.
pub fn for_each_text_of_groups<T: Clone>(
    column: &Column,
    rows: GroupedRows<'_>,
    values: &mut EntryValues<T>,
    mut once: impl FnMut(&str) -> T,
    mut each: impl FnMut(usize, T),
) {
    /// Maximum number of bits of bookkeeping per row; with more, no rows are skipped.
    const BITS: usize = 128;
    let GroupedRows { groups, count } = rows;
    let dictionary = dictionary_of(column).filter(|(keys, texts)| {
        keys.null_count() == 0 && count.saturating_mul(texts.len()) <= groups.len().saturating_mul(BITS)
    });
    let Some((keys, texts)) = dictionary else { return for_each_text(column, values, once, each) };
    let mut seen = vec![0_u64; (count * texts.len()).div_ceil(64)];
    let made = values.of(texts);
    for (row, (group, key)) in groups.iter().zip(keys.values()).enumerate() {
        let key = usize::try_from(*key).unwrap_or_default();
        let place = *group as usize * texts.len() + key;
        let (word, bit) = (&mut seen[place / 64], 1 << (place % 64));
        if *word & bit == 0 {
            *word |= bit;
            if texts.is_valid(key) {
                each(row, made[key].get_or_insert_with(|| once(texts.value(key))).clone());
            }
        }
    }
}

/// Returns the keys and the dictionary of a dictionary-encoded string column.
fn dictionary_of(column: &Column) -> Option<(&Int32Array, &StringArray)> {
    let dictionary = column.as_array()?.as_dictionary_opt::<Int32Type>()?;
    Some((dictionary.keys(), dictionary.values().as_string_opt::<i32>()?))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::sync::Arc;

    use arrow::array::DictionaryArray;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    #[test]
    fn no_text_of_a_group_is_left_out() {
        let mut random = ChaCha8Rng::seed_from_u64(5);
        for (rows, groups, distinct) in [(10, 3, 2), (1_000, 40, 7), (1_000, 900, 800)] {
            let texts: Vec<String> = (0..rows).map(|_| format!("text {}", random.random_range(0..distinct))).collect();
            let of_rows: Vec<u32> = (0..rows).map(|_| random.random_range(0..groups)).collect();
            let groups = groups as usize;
            let dictionary: DictionaryArray<Int32Type> = texts.iter().map(String::as_str).collect();
            let column = Column::array(Type::String, Arc::new(dictionary));
            let (mut all, mut few) = (Vec::new(), Vec::new());
            let mut values = EntryValues::default();
            for_each_text(&column, &mut values, str::to_owned, |row, text| all.push((of_rows[row], text)));
            for_each_text_of_groups(
                &column,
                GroupedRows { groups: &of_rows, count: groups },
                &mut values,
                str::to_owned,
                |row, text| few.push((of_rows[row], text)),
            );
            let mut seen = HashSet::new();
            let first: Vec<_> = all.iter().filter(|pair| seen.insert((*pair).clone())).collect();
            let mut seen = HashSet::new();
            assert_eq!(first, few.iter().filter(|pair| seen.insert((*pair).clone())).collect::<Vec<_>>());
            assert!(few.len() <= all.len());
        }
    }
}
