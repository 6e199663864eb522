//! Compares rows by sort keys. Strings are compared byte by byte (ordinal), and NaN is sorted next to the nulls.

use std::cmp::Ordering;

use arrow::array::{Array, AsArray, Int64Array, StringViewArray};

use crate::diagnostic::{Error, Result};
use crate::expr::eval::plain_texts;
use crate::types::column::decimal_from_bytes;
use crate::types::{Column, Type};

/// Returns the positions of the first `count` of `rows` rows, in sorted order. Rows with equal keys keep their order.
pub(super) fn sorted_positions(comparators: &[Comparator], rows: usize, count: usize) -> Result<Vec<u32>> {
    let rows = u32::try_from(rows)
        .map_err(|_| Error::Limit("more than 4,294,967,295 rows cannot be sorted in memory".to_owned()))?;
    let compare = |a: &u32, b: &u32| {
        let (left, right) = (*a as usize, *b as usize);
        let unequal = comparators.iter().map(|key| key.compare(left, key, right)).find(|order| order.is_ne());
        unequal.unwrap_or_else(|| a.cmp(b))
    };
    let mut indices: Vec<u32> = (0..rows).collect();
    if count < indices.len() {
        if count == 0 {
            return Ok(Vec::new());
        }
        indices.select_nth_unstable_by(count - 1, compare);
        indices.truncate(count);
    }
    indices.sort_unstable_by(compare);
    Ok(indices)
}

/// Compares rows by one sort key, in one batch or in two.
pub(super) struct Comparator {
    values: KeyValues,
    has_nulls: bool,
    descending: bool,
    nulls_first: bool,
}

/// The values of a sort key, as typed arrays for the common types.
enum KeyValues {
    Integers(Int64Array),
    Strings(StringViewArray),
    Others(Column),
}

impl KeyValues {
    fn of(column: Column) -> Self {
        // The variant depends on the type alone, also for constants: rows of different batches are compared.
        match column.ty() {
            ty if is_integer(ty) => Self::Integers(column.to_array().as_primitive().clone()),
            ty if ty.is_text() => Self::Strings(column.to_array().as_string_view().clone()),
            _ => Self::Others(column),
        }
    }

    fn is_null(&self, row: usize) -> bool {
        match self {
            Self::Integers(array) => array.is_null(row),
            Self::Strings(array) => array.is_null(row),
            Self::Others(column) => column.is_null(row),
        }
    }
}

/// True if arrays of this type hold 64-bit integers.
pub(super) fn is_integer(ty: Type) -> bool {
    matches!(ty, Type::Long | Type::Datetime | Type::Timespan)
}

impl Comparator {
    /// Returns a comparator for `column`, which has the values of the key.
    pub fn new(column: &Column, descending: bool, nulls_first: bool) -> Result<Self> {
        let column = plain_texts(column)?;
        let has_nulls = column.as_array().is_none_or(|array| array.null_count() > 0);
        Ok(Self { values: KeyValues::of(column), has_nulls, descending, nulls_first })
    }

    /// Compares row `a` with row `b` of `other`, a comparator for the same key in another batch or this one.
    pub fn compare(&self, a: usize, other: &Self, b: usize) -> Ordering {
        let nulls = (self.has_nulls && self.values.is_null(a), other.has_nulls && other.values.is_null(b));
        match nulls {
            (true, true) => Ordering::Equal,
            (true, false) if self.nulls_first => Ordering::Less,
            (true, false) => Ordering::Greater,
            (false, true) if self.nulls_first => Ordering::Greater,
            (false, true) => Ordering::Less,
            (false, false) => {
                let order = self.compare_values(a, other, b);
                if self.descending { order.reverse() } else { order }
            }
        }
    }

    fn compare_values(&self, a: usize, other: &Self, b: usize) -> Ordering {
        match (&self.values, &other.values) {
            (KeyValues::Integers(left), KeyValues::Integers(right)) => left.value(a).cmp(&right.value(b)),
            (KeyValues::Strings(left), KeyValues::Strings(right)) => left.value(a).cmp(right.value(b)),
            (KeyValues::Others(left), KeyValues::Others(right)) => {
                compare_values_at(left, a, right, b, self.descending == self.nulls_first)
            }
            _ => {
                debug_assert!(false, "keys of one type have one variant");
                Ordering::Equal
            }
        }
    }
}

/// Compares two values in columns of the same type. NaN is less than any number, or greater if `nan_is_greatest`, so
/// that it is next to the nulls.
fn compare_values_at(left: &Column, a: usize, right: &Column, b: usize, nan_is_greatest: bool) -> Ordering {
    match left.ty() {
        Type::Bool => left.bool_at(a).cmp(&right.bool_at(b)),
        Type::Int | Type::Long | Type::Datetime | Type::Timespan => left.i64_at(a).cmp(&right.i64_at(b)),
        Type::Real => {
            let (a, b) = (left.f64_at(a).unwrap_or(f64::NAN), right.f64_at(b).unwrap_or(f64::NAN));
            // The two zeros are equal.
            a.partial_cmp(&b).unwrap_or_else(|| {
                let order = b.is_nan().cmp(&a.is_nan());
                if nan_is_greatest { order.reverse() } else { order }
            })
        }
        Type::Decimal => {
            let value = |column: &Column, row| column.bytes_at(row).map(|bytes| decimal_from_bytes(&bytes));
            value(left, a).cmp(&value(right, b))
        }
        Type::Guid => left.bytes_at(a).cmp(&right.bytes_at(b)),
        Type::String | Type::Dynamic => left.text_at(a).cmp(&right.text_at(b)),
    }
}
