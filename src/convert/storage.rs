//! Decides how the values of a column are stored in the Parquet files of an archive, without loss.
//!
//! Other programs should be able to read the files, too. So a datetime is stored as a timestamp in nanoseconds if all
//! values of the column fit, which are the years 1678 to 2261; otherwise as the number of ticks. A timespan is stored
//! accordingly. decimal and guid are stored as strings. The footer records the KQL type of each column.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, AsArray, DictionaryArray, Int32Array, Int64Array, StringArray, StringBuilder, new_null_array,
};
use arrow::compute::{max, min};
use arrow::datatypes::{
    DataType, DurationNanosecondType, Field as ArrowField, Int64Type, Schema as ArrowSchema, SchemaRef, TimeUnit,
    TimestampNanosecondType,
};

use crate::diagnostic::{Error, Result};
use crate::types::datetime::{self, UnixUnit};
use crate::types::{Batch, Column, Schema, Type, Value};

/// Number of nanoseconds in a tick.
const NANOSECONDS_PER_TICK: i64 = 100;

/// The smallest and the largest value of each datetime and timespan column.
#[derive(Clone, Debug)]
pub struct Ranges {
    columns: Vec<Option<(i64, i64)>>,
}

impl Ranges {
    pub(super) fn new(schema: &Schema) -> Self {
        Self { columns: vec![None; schema.len()] }
    }

    /// Extends the ranges to include the values of `batch`.
    pub(super) fn add(&mut self, batch: &Batch) {
        for (range, column) in self.columns.iter_mut().zip(batch.columns()) {
            if !matches!(column.ty(), Type::Datetime | Type::Timespan) {
                continue;
            }
            let found = match column.as_array() {
                None => column.i64_at(0).map(|ticks| (ticks, ticks)),
                Some(array) => {
                    let ticks = array.as_primitive::<Int64Type>();
                    min(ticks).zip(max(ticks))
                }
            };
            *range = match (*range, found) {
                (Some((least, most)), Some((low, high))) => Some((least.min(low), most.max(high))),
                (known, found) => known.or(found),
            };
        }
    }

    /// Returns the smallest and the largest value of the column at `index`; None for columns of other types, and if
    /// all values are null.
    #[must_use]
    pub fn of(&self, index: usize) -> Option<(i64, i64)> {
        self.columns.get(index).copied().flatten()
    }
}

/// The form in which a column is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stored {
    AsIs,
    Text,
    Timestamp,
    Duration,
    /// Strings, which are the values as text.
    Cells,
}

/// The forms in which the columns of a table are stored.
#[derive(Debug)]
pub(super) struct Storage {
    columns: Vec<Stored>,
    pub schema: SchemaRef,
}

impl Storage {
    /// Chooses the form for each column, whose values are within `ranges`.
    pub fn new(schema: &Schema, ranges: &Ranges) -> Self {
        let stored = |(index, field): (usize, &crate::types::Field)| stored(field.ty, ranges.of(index));
        let columns: Vec<Stored> = schema.fields().iter().enumerate().map(stored).collect();
        let field = |(field, stored): (&crate::types::Field, &Stored)| {
            // A string is never null.
            ArrowField::new(&field.name, arrow_type(field.ty, *stored), field.ty != Type::String)
        };
        let fields: Vec<ArrowField> = schema.fields().iter().zip(&columns).map(field).collect();
        Self { columns, schema: Arc::new(ArrowSchema::new(fields)) }
    }

    /// Converts the column at `index` to the array in which it is stored.
    pub fn array(&self, index: usize, column: &Column) -> Result<ArrayRef> {
        let stored = self.columns[index];
        match column.as_constant() {
            Some(value) if value.is_null() => Ok(new_null_array(self.schema.field(index).data_type(), column.rows())),
            // The writer dictionary-encodes a string column of one value.
            Some(value) if matches!(stored, Stored::Text | Stored::Cells) => same_text(value, column.rows()),
            _ => array(stored, column),
        }
    }
}

fn stored(ty: Type, range: Option<(i64, i64)>) -> Stored {
    let within = |fits: &dyn Fn(i64) -> bool| range.is_none_or(|(least, most)| fits(least) && fits(most));
    match ty {
        Type::String | Type::Dynamic => Stored::Text,
        Type::Decimal | Type::Guid => Stored::Cells,
        Type::Datetime if within(&|ticks| since_1970(ticks).is_some()) => Stored::Timestamp,
        Type::Timespan if within(&|ticks| ticks.checked_mul(NANOSECONDS_PER_TICK).is_some()) => Stored::Duration,
        _ => Stored::AsIs,
    }
}

fn since_1970(ticks: i64) -> Option<i64> {
    datetime::to_unix_floor(ticks, UnixUnit::Nanoseconds)
}

fn arrow_type(ty: Type, stored: Stored) -> DataType {
    match stored {
        Stored::AsIs => ty.arrow(),
        Stored::Text | Stored::Cells => DataType::Utf8,
        Stored::Timestamp => DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into())),
        Stored::Duration => DataType::Duration(TimeUnit::Nanosecond),
    }
}

fn same_text(value: &Value, rows: usize) -> Result<ArrayRef> {
    let text = match value {
        Value::String(text) | Value::Dynamic(text) => text.to_string(),
        other => other.to_text(),
    };
    let keys = Int32Array::from(vec![0; rows]);
    Ok(Arc::new(DictionaryArray::try_new(keys, Arc::new(StringArray::from(vec![text])))?))
}

fn array(stored: Stored, column: &Column) -> Result<ArrayRef> {
    let array = column.to_array();
    let outside = || Error::internal("a time lies outside of the range that was found");
    Ok(match stored {
        Stored::AsIs | Stored::Text => array,
        Stored::Timestamp => {
            let nanoseconds: Int64Array =
                array.as_primitive::<Int64Type>().try_unary(|ticks| since_1970(ticks).ok_or_else(outside))?;
            Arc::new(nanoseconds.reinterpret_cast::<TimestampNanosecondType>().with_timezone("UTC"))
        }
        Stored::Duration => {
            let nanoseconds: Int64Array = array
                .as_primitive::<Int64Type>()
                .try_unary(|ticks| ticks.checked_mul(NANOSECONDS_PER_TICK).ok_or_else(outside))?;
            Arc::new(nanoseconds.reinterpret_cast::<DurationNanosecondType>())
        }
        Stored::Cells => {
            let mut builder = StringBuilder::new();
            for row in 0..column.rows() {
                builder.append_option((!column.is_null(row)).then(|| column.value(row).to_text()));
            }
            Arc::new(builder.finish())
        }
    })
}
