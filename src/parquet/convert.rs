//! Arrow arrays as the parquet crate gives them -> columns of KQL.
//!
//! The table's type wins. A file column of another type is converted value by value as the language would
//! (`cast.rs`); a value that has no counterpart becomes null and is reported as damage, never approximated.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, ArrowPrimitiveType, AsArray, FixedSizeBinaryBuilder, Int64Array, PrimitiveArray};
use arrow::compute;
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Decimal256Type, DurationMicrosecondType, DurationMillisecondType,
    DurationNanosecondType, DurationSecondType, Float64Type, Int32Type, Int64Type, Time32MillisecondType,
    Time32SecondType, Time64MicrosecondType, Time64NanosecondType, TimeUnit, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType,
};
use rust_decimal::Decimal;

use super::file_columns::{FileColumn, Source};
use super::nested;
use super::strings::StringConverter;
use crate::diagnostic::Result;
use crate::entra::integral_columns::{holds_whole_numbers, without_point};
use crate::scan::{Damage, ScanReport};
use crate::types::datetime::{self, TICKS_PER_DAY, UnixUnit};
use crate::types::{Column, ColumnBuilder, Type, Value};

/// Converts the arrays of one column, batch by batch.
#[derive(Debug)]
pub(super) struct Converter {
    name: String,
    source: Source,
    target: Type,
    text: StringConverter,
    /// The file, as reports call it.
    file: String,
    report: Arc<ScanReport>,
}

impl Converter {
    /// From the values of `column` of `file` to `target`; with `is_taken_apart`, of which only parts are wanted.
    pub fn new(
        column: &FileColumn,
        file: &str,
        (target, is_taken_apart): (Type, bool),
        report: &Arc<ScanReport>,
    ) -> Self {
        Self {
            name: column.name.clone(),
            source: column.source.clone(),
            target,
            text: StringConverter::new(target, is_taken_apart),
            file: file.to_owned(),
            report: Arc::clone(report),
        }
    }

    /// The column of `array`; `seconds` is the same column of 96-bit timestamps in seconds.
    pub fn convert(&mut self, array: &ArrayRef, seconds: Option<&ArrayRef>) -> Result<Column> {
        let (column, lost) = match &self.source {
            Source::Text => (self.text.convert(array)?, 0),
            Source::Bytes => {
                let (text, repaired) = super::strings::check(array)?;
                self.damaged(Damage::InvalidUtf8(self.name.clone()), repaired);
                (self.text.convert(&text)?, 0)
            }
            Source::Nested => {
                let (text, lost) = nested::to_json(array)?;
                self.damaged(Damage::InvalidUtf8(self.name.clone()), lost.strings);
                self.damaged(Damage::UnreadableValue(self.name.clone(), Type::Dynamic), lost.values);
                (self.text.convert(&text)?, 0)
            }
            Source::Uuid => self.cast_natural(array, Column::array(Type::Guid, Arc::clone(array))),
            Source::Ticks(ty) => self.cast_natural(array, Column::array(*ty, Arc::clone(array))),
            Source::Int96 => {
                self.cast_natural(array, Column::array(Type::Datetime, Arc::new(from_int96(array, seconds))))
            }
            Source::Scalar(_) => self.cast_natural(array, natural(array)?),
        };
        let name = self.name.clone();
        let damage = match self.target {
            Type::Datetime => Damage::UnreadableTime(name),
            target => Damage::UnreadableValue(name, target),
        };
        let found = self.text.take_findings();
        self.damaged(damage, lost + found.unconverted);
        self.damaged(Damage::NotJson(self.name.clone()), found.not_json);
        if found.python > 0 {
            let text = format!("values of {} in the spelling of Python are read as JSON", self.name);
            self.report.notice_times(text, found.python as u64);
        }
        Ok(column)
    }

    /// The values of `array` in the table's type, from the type that they have by themselves; and how many of them
    /// became null on the way.
    fn cast_natural(&self, array: &ArrayRef, natural: Column) -> (Column, usize) {
        let before = array.len() - array.logical_null_count();
        let kept = not_null(&natural);
        let column = self.cast(natural);
        // A null string is "", and every value has a string.
        let kept = if self.target == Type::String { kept } else { not_null(&column) };
        (column, before.saturating_sub(kept))
    }

    /// From the type that the values have by themselves to the table's.
    fn cast(&self, column: Column) -> Column {
        if column.ty() == self.target {
            return column;
        }
        if let Some(widened) = widen(&column, self.target) {
            return widened;
        }
        let whole = self.target == Type::String && holds_whole_numbers(&self.name);
        let mut builder = ColumnBuilder::with_capacity(self.target, column.rows());
        for row in 0..column.rows() {
            match super::cast::cast(&column.value(row), self.target) {
                Some(Value::String(text)) if whole => builder.append(&Value::string(without_point(&text))),
                Some(value) => builder.append(&value),
                None => builder.append_null(),
            }
        }
        builder.finish()
    }

    fn damaged(&self, damage: Damage, count: usize) {
        self.report.damaged(damage, &self.file, count as u64);
    }
}

/// The number of values that are not null.
pub(super) fn not_null(column: &Column) -> usize {
    match column.as_array() {
        Some(array) => column.rows() - array.null_count(),
        None if column.is_null(0) => 0,
        None => column.rows(),
    }
}

/// The column of an array in the KQL type that its Arrow type suggests.
pub(super) fn natural(array: &ArrayRef) -> Result<Column> {
    let datetimes = |values: Int64Array| Ok(Column::array(Type::Datetime, Arc::new(values)));
    match array.data_type() {
        DataType::Null => Ok(Column::constant(Value::null(Type::Dynamic), array.len())),
        DataType::Boolean => Ok(Column::array(Type::Bool, Arc::clone(array))),
        DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::UInt8 | DataType::UInt16 => {
            Ok(Column::array(Type::Int, compute::cast(array, &DataType::Int32)?))
        }
        // Beyond the range of a long there is only null, which arrow's cast makes of it.
        DataType::Int64 | DataType::UInt32 | DataType::UInt64 => {
            Ok(Column::array(Type::Long, compute::cast(array, &DataType::Int64)?))
        }
        DataType::Float16 | DataType::Float32 | DataType::Float64 => {
            Ok(Column::array(Type::Real, compute::cast(array, &DataType::Float64)?))
        }
        DataType::Decimal128(_, scale) => Ok(decimals(array.as_primitive::<Decimal128Type>(), *scale, Some)),
        DataType::Decimal256(_, scale) => {
            Ok(decimals(array.as_primitive::<Decimal256Type>(), *scale, arrow::datatypes::i256::to_i128))
        }
        DataType::Date32 => {
            let days = array.as_primitive::<Date32Type>();
            datetimes(
                days.unary_opt(|day| datetime::add(datetime::UNIX_EPOCH, i64::from(day).checked_mul(TICKS_PER_DAY)?)),
            )
        }
        DataType::Timestamp(unit, _) => datetimes(timestamps(array, *unit)),
        _ => Ok(Column::array(Type::Timespan, Arc::new(timespans(array)))),
    }
}

fn timestamps(array: &ArrayRef, unit: TimeUnit) -> Int64Array {
    fn from<T: ArrowPrimitiveType<Native = i64>>(array: &ArrayRef, unit: UnixUnit) -> Int64Array {
        array.as_primitive::<T>().unary_opt(|count| datetime::from_unix(count, unit))
    }
    match unit {
        TimeUnit::Second => from::<TimestampSecondType>(array, UnixUnit::Seconds),
        TimeUnit::Millisecond => from::<TimestampMillisecondType>(array, UnixUnit::Milliseconds),
        TimeUnit::Microsecond => from::<TimestampMicrosecondType>(array, UnixUnit::Microseconds),
        TimeUnit::Nanosecond => from::<TimestampNanosecondType>(array, UnixUnit::Nanoseconds),
    }
}

/// Times of day and durations in ticks; all null for any other type.
fn timespans(array: &ArrayRef) -> Int64Array {
    fn times<T: ArrowPrimitiveType>(array: &ArrayRef, unit: i64) -> Int64Array
    where
        i64: From<T::Native>,
    {
        array.as_primitive::<T>().unary_opt(|count| i64::from(count).checked_mul(unit))
    }
    fn nanoseconds<T: ArrowPrimitiveType<Native = i64>>(array: &ArrayRef) -> Int64Array {
        array.as_primitive::<T>().unary(|count| count.div_euclid(NANOSECONDS_PER_TICK))
    }
    use datetime::{TICKS_PER_MICROSECOND, TICKS_PER_MILLISECOND, TICKS_PER_SECOND};
    match array.data_type() {
        DataType::Time32(TimeUnit::Second) => times::<Time32SecondType>(array, TICKS_PER_SECOND),
        DataType::Time32(_) => times::<Time32MillisecondType>(array, TICKS_PER_MILLISECOND),
        DataType::Time64(TimeUnit::Microsecond) => times::<Time64MicrosecondType>(array, TICKS_PER_MICROSECOND),
        DataType::Time64(_) => nanoseconds::<Time64NanosecondType>(array),
        DataType::Duration(TimeUnit::Second) => times::<DurationSecondType>(array, TICKS_PER_SECOND),
        DataType::Duration(TimeUnit::Millisecond) => times::<DurationMillisecondType>(array, TICKS_PER_MILLISECOND),
        DataType::Duration(TimeUnit::Microsecond) => times::<DurationMicrosecondType>(array, TICKS_PER_MICROSECOND),
        DataType::Duration(TimeUnit::Nanosecond) => nanoseconds::<DurationNanosecondType>(array),
        _ => Int64Array::new_null(array.len()),
    }
}

const NANOSECONDS_PER_TICK: i64 = 100;
const NANOSECONDS_PER_SECOND: i64 = 1_000_000_000;

/// 96-bit timestamps. The crate gives nanoseconds that wrap around outside of 1677 to 2262, and seconds that never
/// do; the nanoseconds inside of the second survive the wrapping.
fn from_int96(nanoseconds: &ArrayRef, seconds: Option<&ArrayRef>) -> Int64Array {
    let nanoseconds = nanoseconds.as_primitive::<TimestampNanosecondType>();
    let Some(seconds) = seconds.map(arrow::array::AsArray::as_primitive::<TimestampSecondType>) else {
        return Int64Array::new_null(nanoseconds.len());
    };
    let ticks = nanoseconds.iter().zip(seconds.iter()).map(|pair| match pair {
        (Some(nanoseconds), Some(seconds)) => {
            let rest = nanoseconds.wrapping_sub(seconds.wrapping_mul(NANOSECONDS_PER_SECOND));
            let start = datetime::from_unix(seconds, UnixUnit::Seconds)?;
            datetime::add(start, rest.div_euclid(NANOSECONDS_PER_TICK))
        }
        _ => None,
    });
    ticks.collect()
}

/// Decimals whose digits fit; null where they do not.
fn decimals<T: ArrowPrimitiveType>(
    array: &PrimitiveArray<T>,
    scale: i8,
    narrow: impl Fn(T::Native) -> Option<i128>,
) -> Column {
    let mut builder = FixedSizeBinaryBuilder::with_capacity(array.len(), 16);
    for value in array {
        match value.and_then(&narrow).and_then(|digits| decimal(digits, scale)) {
            Some(value) => {
                builder.append_value(value.normalize().serialize()).expect("a decimal has sixteen bytes");
            }
            None => builder.append_null(),
        }
    }
    Column::array(Type::Decimal, Arc::new(builder.finish()))
}

/// The decimal `digits` / 10^`scale`. Files pad to their scale with zeros that need no room.
fn decimal(mut digits: i128, scale: i8) -> Option<Decimal> {
    let mut scale = u32::try_from(scale).ok()?;
    while scale > 0 && digits % 10 == 0 {
        digits /= 10;
        scale -= 1;
    }
    Decimal::try_from_i128_with_scale(digits, scale).ok()
}

/// Widens whole columns where no value needs a look.
fn widen(column: &Column, target: Type) -> Option<Column> {
    let array = column.as_array()?;
    let widened: ArrayRef = match (column.ty(), target) {
        (Type::Int, Type::Long) => Arc::new(array.as_primitive::<Int32Type>().unary::<_, Int64Type>(i64::from)),
        (Type::Int, Type::Real) => Arc::new(array.as_primitive::<Int32Type>().unary::<_, Float64Type>(f64::from)),
        _ => return None,
    };
    Some(Column::array(target, widened))
}
