//! What statistics say about the values of a column, in KQL's units.
//!
//! Statistics are brought to KQL's units by the same conversions as the values, which keep their order. So a literal
//! is compared as it stands, and no rounding at the borders of coarser units can go wrong.

use arrow::datatypes::{DataType, TimeUnit};
use parquet::basic::{ColumnOrder, SortOrder};
use parquet::file::metadata::ParquetMetaData;
use parquet::file::page_index::column_index::ColumnIndexMetaData;
use parquet::file::statistics::Statistics;

use super::file_columns::{FileColumn, Source};
use crate::types::datetime::{self, TICKS_PER_DAY, UnixUnit};
use crate::types::{Type, Value};

/// A value that has an order, in KQL's units.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Bound {
    /// A bool, int, long, or ticks.
    Number(i64),
    /// The bytes of a text or guid.
    Bytes(Vec<u8>),
}

impl Bound {
    /// A literal; None for types that have no bounds.
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

/// What is known about the values of a column in some rows. Every field may be unknown.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Bounds {
    /// No value is less.
    pub min: Option<Bound>,
    /// No value is greater.
    pub max: Option<Bound>,
    /// False only where no row is null for certain.
    pub may_be_null: bool,
    /// True only where every row is null for certain.
    pub all_null: bool,
}

impl Bounds {
    /// Of rows in which the column is null throughout.
    pub fn all_null() -> Self {
        Self { all_null: true, may_be_null: true, ..Self::default() }
    }

    /// Nothing is known.
    pub fn unknown() -> Self {
        Self { may_be_null: true, ..Self::default() }
    }
}

/// One end of statistics as the file has it.
#[derive(Clone, Copy)]
enum Physical<'a> {
    Bool(bool),
    Int32(i32),
    Int64(i64),
    Bytes(&'a [u8]),
}

/// Reads the statistics of one column that is to become a `target`.
pub(super) struct BoundsReader<'a> {
    column: &'a FileColumn,
    target: Type,
    /// Whether the order of the statistics is the one that the format defines today.
    ordered: bool,
}

impl<'a> BoundsReader<'a> {
    /// None where the conversion to `target` does not keep the order, or the column is nested.
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

    /// Of a row group of `rows` rows.
    pub fn row_group(&self, statistics: &Statistics, rows: u64) -> Bounds {
        let (min, max) = match statistics {
            Statistics::Boolean(s) => {
                (s.min_opt().map(|v| Physical::Bool(*v)), s.max_opt().map(|v| Physical::Bool(*v)))
            }
            Statistics::Int32(s) => {
                (s.min_opt().map(|v| Physical::Int32(*v)), s.max_opt().map(|v| Physical::Int32(*v)))
            }
            Statistics::Int64(s) => {
                (s.min_opt().map(|v| Physical::Int64(*v)), s.max_opt().map(|v| Physical::Int64(*v)))
            }
            Statistics::ByteArray(_) | Statistics::FixedLenByteArray(_) => {
                (statistics.min_bytes_opt().map(Physical::Bytes), statistics.max_bytes_opt().map(Physical::Bytes))
            }
            _ => (None, None),
        };
        // The deprecated fields were compared as signed numbers, whatever the type.
        let usable =
            if statistics.is_min_max_deprecated() { self.is_signed() } else { self.is_signed() || self.ordered };
        let nulls = statistics.null_count_opt();
        let (min, max) = if usable { self.ends(min, max) } else { (None, None) };
        Bounds { min, max, may_be_null: nulls != Some(0), all_null: nulls.is_some_and(|nulls| nulls >= rows) }
    }

    /// Both ends in KQL's units; none where they contradict each other, as they do in a damaged file.
    fn ends(&self, min: Option<Physical<'_>>, max: Option<Physical<'_>>) -> (Option<Bound>, Option<Bound>) {
        let ends = (min.and_then(|min| self.convert(min)), max.and_then(|max| self.convert(max)));
        if matches!(&ends, (Some(min), Some(max)) if min > max) { (None, None) } else { ends }
    }

    /// Of page `page` in an index, which must have that page.
    pub fn page(&self, index: &ColumnIndexMetaData, page: usize) -> Bounds {
        if index.is_null_page(page) {
            return Bounds::all_null();
        }
        let (min, max) = match index {
            ColumnIndexMetaData::BOOLEAN(i) => {
                (i.min_value(page).map(|v| Physical::Bool(*v)), i.max_value(page).map(|v| Physical::Bool(*v)))
            }
            ColumnIndexMetaData::INT32(i) => {
                (i.min_value(page).map(|v| Physical::Int32(*v)), i.max_value(page).map(|v| Physical::Int32(*v)))
            }
            ColumnIndexMetaData::INT64(i) => {
                (i.min_value(page).map(|v| Physical::Int64(*v)), i.max_value(page).map(|v| Physical::Int64(*v)))
            }
            ColumnIndexMetaData::BYTE_ARRAY(i) | ColumnIndexMetaData::FIXED_LEN_BYTE_ARRAY(i) => {
                (i.min_value(page).map(Physical::Bytes), i.max_value(page).map(Physical::Bytes))
            }
            _ => (None, None),
        };
        let usable = self.is_signed() || self.ordered;
        let (min, max) = if usable { self.ends(min, max) } else { (None, None) };
        Bounds { min, max, may_be_null: index.null_count(page) != Some(0), all_null: false }
    }

    /// True for types whose order was the same before the format defined orders.
    fn is_signed(&self) -> bool {
        match &self.column.source {
            Source::Ticks(_) => true,
            Source::Scalar(ty) => {
                !matches!(ty, DataType::UInt8 | DataType::UInt16 | DataType::UInt32 | DataType::UInt64)
            }
            _ => false,
        }
    }

    /// None where the end lies outside of what the type holds: the values beyond it are read as null.
    fn convert(&self, end: Physical<'_>) -> Option<Bound> {
        let number = match (&self.column.source, end) {
            (Source::Text | Source::Uuid, Physical::Bytes(bytes)) => return Some(Bound::Bytes(bytes.to_vec())),
            (Source::Scalar(DataType::Boolean), Physical::Bool(flag)) => i64::from(flag),
            (Source::Scalar(DataType::UInt8 | DataType::UInt16 | DataType::UInt32), Physical::Int32(n)) => {
                i64::from(n.cast_unsigned())
            }
            (Source::Scalar(DataType::UInt64), Physical::Int64(n)) => i64::try_from(n.cast_unsigned()).ok()?,
            (Source::Scalar(DataType::Date32), Physical::Int32(day)) => {
                datetime::add(datetime::UNIX_EPOCH, i64::from(day).checked_mul(TICKS_PER_DAY)?)?
            }
            (Source::Scalar(DataType::Timestamp(unit, _)), Physical::Int64(n)) => datetime::from_unix(n, unix(*unit))?,
            (Source::Scalar(DataType::Int8 | DataType::Int16 | DataType::Int32), Physical::Int32(n)) => i64::from(n),
            (Source::Scalar(DataType::Int64) | Source::Ticks(_), Physical::Int64(n)) => n,
            _ => return None,
        };
        debug_assert!(self.target != Type::String, "numbers as texts have another order");
        Some(Bound::Number(number))
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

/// True where the conversion keeps the order of values and [`Bound`] knows it. Reals are left out: writers disagree
/// on not-a-number and on the sign of zero, and the logs have next to no columns of them.
fn keeps_order(source: &Source, target: Type) -> bool {
    match source {
        Source::Text => target == Type::String,
        Source::Uuid => target == Type::Guid,
        Source::Ticks(ty) => target == *ty,
        Source::Scalar(ty) => match ty {
            DataType::Boolean => target == Type::Bool,
            DataType::Date32 | DataType::Timestamp(..) => target == Type::Datetime,
            ty if ty.is_integer() => target.is_integer(),
            _ => false,
        },
        Source::Bytes | Source::Int96 | Source::Nested => false,
    }
}
