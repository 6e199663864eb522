//! Converts Arrow arrays, as the parquet crate returns them, to KQL columns.
//!
//! The type of the table column decides. If the file column has another type, it is converted value by value as KQL
//! would (`cast.rs`). A value that the type cannot represent becomes null and is reported as damage; it is never
//! approximated.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, ArrowPrimitiveType, AsArray, FixedSizeBinaryBuilder, Int64Array, PrimitiveArray};
use arrow::compute;
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Decimal256Type, DurationMicrosecondType, DurationMillisecondType,
    DurationNanosecondType, DurationSecondType, Float64Type, Int32Type, Int64Type, Time32MillisecondType,
    Time32SecondType, Time64MicrosecondType, Time64NanosecondType, TimeUnit, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType,
};

use super::file_columns::{FileColumn, StoredAs};
use super::nested;
use super::strings::StringConverter;
use super::times::{ConversionFinding, counted_time};
use crate::diagnostic::Result;
use crate::entra::integral_columns::{RESULT, holds_whole_numbers, is_no_number, without_point};
use crate::scan::{ColumnNote, Damage, ScanReport};
use crate::types::datetime::{self, TICKS_PER_DAY, UnixUnit};
use crate::types::{Column, ColumnBuilder, Decimal, Type, Value};

/// Converts the arrays of one column.
#[derive(Debug)]
pub(super) struct Converter {
    name: String,
    source: StoredAs,
    target: Type,
    text: StringConverter,
    /// True if a row without a value is damage.
    is_required: bool,
    /// The name of the file in messages.
    file: String,
    report: Arc<ScanReport>,
}

impl Converter {
    /// Creates a converter of `column` of `file` to the type `target`. `text` converts its strings.
    pub fn new(column: &FileColumn, file: &str, target: Type, text: StringConverter, report: &Arc<ScanReport>) -> Self {
        Self {
            name: column.name.clone(),
            source: column.source.clone(),
            target,
            text,
            is_required: false,
            file: file.to_owned(),
            report: Arc::clone(report),
        }
    }

    /// Returns the converter. If its column is one of `required`, rows without a value are reported as damage.
    pub fn requiring(self, required: &[&'static str]) -> Self {
        Self { is_required: required.contains(&self.name.as_str()), ..self }
    }

    /// Converts an array. For 96-bit timestamps, `seconds` has the same values in whole seconds.
    pub fn convert(&mut self, array: &ArrayRef, seconds: Option<&ArrayRef>) -> Result<Column> {
        let (column, lost) = match &self.source {
            StoredAs::String => {
                let column = self.text.convert(array)?;
                (self.whole_numbers(column), 0)
            }
            StoredAs::Bytes => {
                let (text, repaired) = super::strings::check(array)?;
                self.damaged(Damage::InvalidUtf8(self.name.clone()), repaired);
                (self.text.convert(&text)?, 0)
            }
            StoredAs::Nested => {
                let (text, lost) = nested::to_json(array)?;
                self.damaged(Damage::InvalidUtf8(self.name.clone()), lost.strings);
                self.damaged(Damage::UnreadableValue(self.name.clone(), Type::Dynamic), lost.values);
                (self.text.convert(&text)?, 0)
            }
            StoredAs::Uuid => self.cast_natural(array, Column::array(Type::Guid, Arc::clone(array))),
            StoredAs::Ticks(ty) => self.cast_natural(array, Column::array(*ty, Arc::clone(array))),
            StoredAs::Int96 => {
                self.cast_natural(array, Column::array(Type::Datetime, Arc::new(from_int96(array, seconds))))
            }
            StoredAs::Scalar(_) => self.cast_natural(array, natural(array)?),
        };
        if self.is_required {
            let missing = if self.target == Type::Datetime { Damage::MissingTime } else { Damage::MissingResult };
            self.damaged(missing(self.name.clone()), array.logical_null_count());
        }
        self.found(ConversionFinding::Unconverted, lost);
        let found = self.text.take_findings();
        found.values.into_iter().for_each(|(finding, count)| self.found(finding, count));
        self.damaged(Damage::NotJson(self.name.clone()), found.not_json);
        self.damaged(Damage::HalfSurrogatePair(self.name.clone()), found.half_pairs);
        if found.python > 0 {
            self.report.note_times(ColumnNote::PythonNotation(self.name.clone()), found.python as u64);
        }
        Ok(column)
    }

    /// Returns the column; if its strings are integers, the decimal point that some tools add to them is removed.
    fn whole_numbers(&self, column: Column) -> Column {
        if self.target != Type::String || !holds_whole_numbers(&self.name) {
            return column;
        }
        let is_changed = |text: &str| without_point(text).len() < text.len();
        let entries = column.as_array().and_then(|array| array.as_dictionary_opt::<Int32Type>());
        let has_changes = match entries.and_then(|dictionary| dictionary.values().as_string_opt::<i32>()) {
            Some(entries) => entries.iter().flatten().any(is_changed),
            None => (0..column.rows()).any(|row| column.text_at(row).is_some_and(is_changed)),
        };
        if !has_changes {
            return column;
        }
        let mut builder = ColumnBuilder::with_capacity(Type::String, column.rows());
        (0..column.rows()).for_each(|row| builder.append_text(without_point(column.text_at(row).unwrap_or_default())));
        builder.finish()
    }

    /// Converts a column from its natural type to the type of the table. Returns how many values of `array` became
    /// null, too.
    fn cast_natural(&self, array: &ArrayRef, natural: Column) -> (Column, usize) {
        let before = array.len() - array.logical_null_count();
        let kept = not_null(&natural);
        let column = self.cast(natural);
        // A null string is "", and every value has a string.
        let kept = if self.target == Type::String { kept } else { not_null(&column) };
        (column, before.saturating_sub(kept))
    }

    /// Converts a column from its natural type to the type of the table.
    fn cast(&self, column: Column) -> Column {
        if column.ty() == self.target {
            return column;
        }
        if self.target == Type::Datetime && column.ty().is_numeric() {
            return self.cast_counted(&column);
        }
        if let Some(widened) = widen(&column, self.target) {
            return widened;
        }
        let whole = self.target == Type::String && holds_whole_numbers(&self.name);
        let mut builder = ColumnBuilder::with_capacity(self.target, column.rows());
        let mut no_numbers = 0;
        for row in 0..column.rows() {
            match super::cast::cast(&column.value(row), self.target) {
                Some(Value::String(text)) if whole => {
                    no_numbers += usize::from(is_no_number(&text));
                    builder.append(&Value::string(without_point(&text)));
                }
                Some(value) => builder.append(&value),
                None => builder.append_null(),
            }
        }
        if self.name == RESULT {
            self.damaged(Damage::MissingResult(self.name.clone()), no_numbers);
        }
        builder.finish()
    }

    /// Converts numbers that count a unit of time since an epoch to datetimes.
    fn cast_counted(&self, column: &Column) -> Column {
        let mut builder = ColumnBuilder::with_capacity(Type::Datetime, column.rows());
        let mut units: BTreeMap<&str, usize> = BTreeMap::new();
        for row in 0..column.rows() {
            match counted_time(&column.value(row)) {
                Some((ticks, unit)) => {
                    builder.append(&Value::Datetime(ticks));
                    *units.entry(unit).or_default() += 1;
                }
                None => builder.append_null(),
            }
        }
        units.into_iter().for_each(|(unit, count)| self.found(ConversionFinding::Counted(unit), count));
        builder.finish()
    }

    fn found(&self, finding: ConversionFinding, count: usize) {
        if count > 0 {
            finding.report(&self.name, self.target, &self.file, count, &self.report);
        }
    }

    fn damaged(&self, damage: Damage, count: usize) {
        self.report.damaged(damage, &self.file, count as u64);
    }
}

/// Returns the number of values that are not null.
pub(super) fn not_null(column: &Column) -> usize {
    match column.as_array() {
        Some(array) => column.rows() - array.null_count(),
        None if column.is_null(0) => 0,
        None => column.rows(),
    }
}

/// Converts an array to its natural type: the KQL type that corresponds to its Arrow type.
pub(super) fn natural(array: &ArrayRef) -> Result<Column> {
    let datetimes = |values: Int64Array| Ok(Column::array(Type::Datetime, Arc::new(values)));
    match array.data_type() {
        DataType::Null => Ok(Column::constant(Value::null(Type::Dynamic), array.len())),
        DataType::Boolean => Ok(Column::array(Type::Bool, Arc::clone(array))),
        DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::UInt8 | DataType::UInt16 => {
            Ok(Column::array(Type::Int, compute::cast(array, &DataType::Int32)?))
        }
        // Values outside the range of long become null in arrow's cast.
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

/// Returns times of day and durations in ticks; all nulls for any other type.
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

/// Converts 96-bit timestamps to ticks. The nanoseconds of the parquet crate wrap around outside the years 1677 to
/// 2262, but the nanoseconds within a second are correct even then. Its seconds never wrap around.
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

/// Converts decimals. Decimals with too many digits become null.
fn decimals<T: ArrowPrimitiveType>(
    array: &PrimitiveArray<T>,
    scale: i8,
    narrow: impl Fn(T::Native) -> Option<i128>,
) -> Column {
    let mut builder = FixedSizeBinaryBuilder::with_capacity(array.len(), 16);
    for value in array {
        match value.and_then(&narrow).and_then(|digits| Decimal::from_parts(digits, -i32::from(scale)).ok()) {
            Some(value) => {
                builder.append_value(value.serialize()).expect("a decimal has sixteen bytes");
            }
            None => builder.append_null(),
        }
    }
    Column::array(Type::Decimal, Arc::new(builder.finish()))
}

/// Widens a whole column to `target`; None unless this is possible for every value.
fn widen(column: &Column, target: Type) -> Option<Column> {
    let array = column.as_array()?;
    let widened: ArrayRef = match (column.ty(), target) {
        (Type::Int, Type::Long) => Arc::new(array.as_primitive::<Int32Type>().unary::<_, Int64Type>(i64::from)),
        (Type::Int, Type::Real) => Arc::new(array.as_primitive::<Int32Type>().unary::<_, Float64Type>(f64::from)),
        _ => return None,
    };
    Some(Column::array(target, widened))
}
