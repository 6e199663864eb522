//! Reads the minimum and maximum of a column from its statistics, in the units of KQL.
//!
//! Statistics are converted to KQL's units in the same way as values, and this conversion preserves their order. So
//! literals can be compared with them directly, and rounding to coarser units causes no errors.

use arrow::datatypes::{DataType, TimeUnit};
use parquet::basic::{ColumnOrder, SortOrder};
use parquet::file::metadata::ParquetMetaData;
use parquet::file::page_index::column_index::ColumnIndexMetaData;
use parquet::file::statistics::Statistics;

use super::file_columns::{FileColumn, StoredAs};
use crate::types::datetime::{self, TICKS_PER_DAY, UnixUnit};
use crate::types::{Type, Value};

/// A value that can be ordered, in KQL's units.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum BoundValue {
    /// A bool (0 or 1), an int, a long, or ticks.
    Number(i64),
    /// The bytes of a string or guid.
    Bytes(Vec<u8>),
}

impl BoundValue {
    /// Converts a literal; None for types that have no bounds.
    pub fn of(value: &Value) -> Option<Self> {
        match value {
            Value::Bool(flag) => Some(Self::Number(i64::from(*flag))),
            Value::Int(_) | Value::Long(_) => value.as_i64().map(Self::Number),
            Value::Datetime(ticks) | Value::Timespan(ticks) => Some(Self::Number(*ticks)),
            Value::String(text) => Some(Self::Bytes(text.as_bytes().to_vec())),
            Value::Guid(bytes) => Some(Self::Bytes(bytes.to_vec())),
            _ => None,
        }
    }
}

/// What is known about the values of a column in some rows.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Bounds {
    /// A lower bound of the values; None if unknown.
    pub min: Option<BoundValue>,
    /// An upper bound of the values; None if unknown.
    pub max: Option<BoundValue>,
    /// False only if certainly no row is null.
    pub may_be_null: bool,
    /// True only if certainly every row is null.
    pub all_null: bool,
}

impl Bounds {
    /// Returns the bounds of rows that are all null.
    pub fn all_null() -> Self {
        Self { all_null: true, may_be_null: true, ..Self::default() }
    }

    /// Returns the bounds of rows of which nothing is known.
    pub fn unknown() -> Self {
        Self { may_be_null: true, ..Self::default() }
    }
}

/// A minimum or maximum as it is stored in the file.
#[derive(Clone, Copy)]
enum PhysicalBound<'a> {
    Bool(bool),
    Int32(i32),
    Int64(i64),
    Bytes(&'a [u8]),
}

/// Reads the statistics of a column that is converted to the type `target`.
pub(super) struct BoundsReader<'a> {
    column: &'a FileColumn,
    target: Type,
    /// True if the file states that its statistics use the order that the format defines.
    ordered: bool,
}

impl<'a> BoundsReader<'a> {
    /// Creates a reader. Returns None if the conversion to `target` does not preserve the order, or if the column is
    /// nested.
    pub fn new(metadata: &ParquetMetaData, column: &'a FileColumn, target: Type) -> Option<Self> {
        let leaf = column.leaf()?;
        if !keeps_order(&column.source, target) {
            return None;
        }
        let orders = metadata.file_metadata().column_orders();
        let order = orders.and_then(|orders| orders.get(leaf).copied()).unwrap_or(ColumnOrder::UNDEFINED);
        let ordered = matches!(order, ColumnOrder::TYPE_DEFINED_ORDER(SortOrder::SIGNED | SortOrder::UNSIGNED));
        Some(Self { column, target, ordered })
    }

    /// Returns the bounds of a row group that has `rows` rows.
    pub fn row_group(&self, statistics: &Statistics, rows: u64) -> Bounds {
        let (min, max) = match statistics {
            Statistics::Boolean(s) => {
                (s.min_opt().map(|v| PhysicalBound::Bool(*v)), s.max_opt().map(|v| PhysicalBound::Bool(*v)))
            }
            Statistics::Int32(s) => {
                (s.min_opt().map(|v| PhysicalBound::Int32(*v)), s.max_opt().map(|v| PhysicalBound::Int32(*v)))
            }
            Statistics::Int64(s) => {
                (s.min_opt().map(|v| PhysicalBound::Int64(*v)), s.max_opt().map(|v| PhysicalBound::Int64(*v)))
            }
            Statistics::ByteArray(_) | Statistics::FixedLenByteArray(_) => (
                statistics.min_bytes_opt().map(PhysicalBound::Bytes),
                statistics.max_bytes_opt().map(PhysicalBound::Bytes),
            ),
            _ => (None, None),
        };
        // Writers filled the deprecated fields by comparing signed numbers, whatever the type.
        let usable =
            if statistics.is_min_max_deprecated() { self.is_signed() } else { self.is_signed() || self.ordered };
        let nulls = statistics.null_count_opt();
        let (min, max) = if usable { self.ends(min, max) } else { (None, None) };
        Bounds { min, max, may_be_null: nulls != Some(0), all_null: nulls.is_some_and(|nulls| nulls >= rows) }
    }

    /// Converts both bounds. Returns None for both if min > max, as a damaged file may have.
    fn ends(
        &self,
        min: Option<PhysicalBound<'_>>,
        max: Option<PhysicalBound<'_>>,
    ) -> (Option<BoundValue>, Option<BoundValue>) {
        let ends = (min.and_then(|min| self.convert(min)), max.and_then(|max| self.convert(max)));
        if matches!(&ends, (Some(min), Some(max)) if min > max) { (None, None) } else { ends }
    }

    /// Returns the bounds of the page at the position `page`, which must exist in `index`.
    pub fn page(&self, index: &ColumnIndexMetaData, page: usize) -> Bounds {
        if index.is_null_page(page) {
            return Bounds::all_null();
        }
        let (min, max) = match index {
            ColumnIndexMetaData::BOOLEAN(i) => {
                (i.min_value(page).map(|v| PhysicalBound::Bool(*v)), i.max_value(page).map(|v| PhysicalBound::Bool(*v)))
            }
            ColumnIndexMetaData::INT32(i) => (
                i.min_value(page).map(|v| PhysicalBound::Int32(*v)),
                i.max_value(page).map(|v| PhysicalBound::Int32(*v)),
            ),
            ColumnIndexMetaData::INT64(i) => (
                i.min_value(page).map(|v| PhysicalBound::Int64(*v)),
                i.max_value(page).map(|v| PhysicalBound::Int64(*v)),
            ),
            ColumnIndexMetaData::BYTE_ARRAY(i) | ColumnIndexMetaData::FIXED_LEN_BYTE_ARRAY(i) => {
                (i.min_value(page).map(PhysicalBound::Bytes), i.max_value(page).map(PhysicalBound::Bytes))
            }
            _ => (None, None),
        };
        let usable = self.is_signed() || self.ordered;
        let (min, max) = if usable { self.ends(min, max) } else { (None, None) };
        Bounds { min, max, may_be_null: index.null_count(page) != Some(0), all_null: false }
    }

    /// True for types whose minimum and maximum can be trusted even if the file does not declare its column orders.
    fn is_signed(&self) -> bool {
        match &self.column.source {
            StoredAs::Ticks(_) => true,
            StoredAs::Scalar(ty) => {
                !matches!(ty, DataType::UInt8 | DataType::UInt16 | DataType::UInt32 | DataType::UInt64)
            }
            _ => false,
        }
    }

    /// Converts a bound. Returns None if it is outside the range of the type, because such values are read as null.
    fn convert(&self, end: PhysicalBound<'_>) -> Option<BoundValue> {
        let number = match (&self.column.source, end) {
            (StoredAs::String | StoredAs::Uuid, PhysicalBound::Bytes(bytes)) => {
                return Some(BoundValue::Bytes(bytes.to_vec()));
            }
            (StoredAs::Scalar(DataType::Boolean), PhysicalBound::Bool(flag)) => i64::from(flag),
            (StoredAs::Scalar(DataType::UInt8 | DataType::UInt16 | DataType::UInt32), PhysicalBound::Int32(n)) => {
                i64::from(n.cast_unsigned())
            }
            (StoredAs::Scalar(DataType::UInt64), PhysicalBound::Int64(n)) => i64::try_from(n.cast_unsigned()).ok()?,
            (StoredAs::Scalar(DataType::Date32), PhysicalBound::Int32(day)) => {
                datetime::add(datetime::UNIX_EPOCH, i64::from(day).checked_mul(TICKS_PER_DAY)?)?
            }
            (StoredAs::Scalar(DataType::Timestamp(unit, _)), PhysicalBound::Int64(n)) => {
                datetime::from_unix(n, unix(*unit))?
            }
            (StoredAs::Scalar(DataType::Int8 | DataType::Int16 | DataType::Int32), PhysicalBound::Int32(n)) => {
                i64::from(n)
            }
            (StoredAs::Scalar(DataType::Int64) | StoredAs::Ticks(_), PhysicalBound::Int64(n)) => n,
            _ => return None,
        };
        debug_assert!(self.target != Type::String, "numbers as texts have another order");
        Some(BoundValue::Number(number))
    }
}

fn unix(unit: TimeUnit) -> UnixUnit {
    match unit {
        TimeUnit::Second => UnixUnit::Seconds,
        TimeUnit::Millisecond => UnixUnit::Milliseconds,
        TimeUnit::Microsecond => UnixUnit::Microseconds,
        TimeUnit::Nanosecond => UnixUnit::Nanoseconds,
    }
}

/// True if the conversion preserves the order of values, and [`BoundValue`] supports the type. Reals are excluded,
/// because writers disagree on NaN and on the sign of zero, and the logs have almost no columns of reals.
fn keeps_order(source: &StoredAs, target: Type) -> bool {
    match source {
        StoredAs::String => target == Type::String,
        StoredAs::Uuid => target == Type::Guid,
        StoredAs::Ticks(ty) => target == *ty,
        StoredAs::Scalar(ty) => match ty {
            DataType::Boolean => target == Type::Bool,
            DataType::Date32 | DataType::Timestamp(..) => target == Type::Datetime,
            ty if ty.is_integer() => target.is_integer(),
            _ => false,
        },
        StoredAs::Bytes | StoredAs::Int96 | StoredAs::Nested => false,
    }
}
