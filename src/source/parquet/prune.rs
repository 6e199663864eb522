//! Which row groups can be left out: by statistics, bloom filters and the column's absence.
//!
//! Everything here answers "may a row match?" and says yes whenever it does not know.

use std::fs::File;

use arrow::datatypes::DataType;
use parquet::bloom_filter::Sbbf;
use parquet::file::metadata::RowGroupMetaData;

use super::bounds::{Bound, Bounds, BoundsReader};
use super::layout::Source;
use super::reader::guarded;
use super::{Mapping, ParquetFile};
use crate::source::{Comparison, Predicate};
use crate::types::{Type, Value};

/// What is known about some rows.
pub(super) trait Evidence {
    /// The bounds of a column of the table.
    fn bounds(&self, column: usize) -> Bounds;

    /// True where no row has this value in a column of the table, for certain.
    fn lacks(&self, column: usize, value: &Value) -> bool;
}

/// False only where no row can fulfil `predicate`.
pub(super) fn may_match(predicate: &Predicate, evidence: &dyn Evidence) -> bool {
    match predicate {
        Predicate::All(list) => list.iter().all(|predicate| may_match(predicate, evidence)),
        Predicate::Any(list) => list.iter().any(|predicate| may_match(predicate, evidence)),
        Predicate::Compare { column, comparison, value } => {
            compare(&evidence.bounds(*column), *comparison, value)
                && !(*comparison == Comparison::Equal && evidence.lacks(*column, value))
        }
        Predicate::OneOf { column, values, case_sensitive } => {
            let bounds = evidence.bounds(*column);
            values.iter().any(|value| match value {
                Value::String(text) if !case_sensitive => !bounds.all_null || text.is_empty(),
                value => compare(&bounds, Comparison::Equal, value) && !evidence.lacks(*column, value),
            })
        }
        Predicate::Contains { column, needle, .. } => needle.is_empty() || !evidence.bounds(*column).all_null,
    }
}

/// False only where no value within the bounds stands in that relation to the literal.
fn compare(bounds: &Bounds, comparison: Comparison, value: &Value) -> bool {
    let is_text = value.ty() == Type::String;
    if bounds.all_null {
        // A null string is "", other nulls are in no relation to anything.
        return match value {
            Value::String(text) => text.is_empty() || comparison != Comparison::Equal,
            Value::Dynamic(_) => true,
            _ => false,
        };
    }
    // Bytes have the order of texts, which only equality can rely on here.
    let ordered = !matches!(value, Value::String(_) | Value::Guid(_));
    let Some(literal) = Bound::of(value).filter(|_| ordered || comparison == Comparison::Equal) else {
        return true;
    };
    if is_text && bounds.may_be_null && literal == Bound::Bytes(Vec::new()) {
        return true;
    }
    let (min, max) = (bounds.min.as_ref(), bounds.max.as_ref());
    match comparison {
        Comparison::Equal => min.is_none_or(|min| *min <= literal) && max.is_none_or(|max| literal <= *max),
        Comparison::Less => min.is_none_or(|min| *min < literal),
        Comparison::LessOrEqual => min.is_none_or(|min| *min <= literal),
        Comparison::Greater => max.is_none_or(|max| literal < *max),
        Comparison::GreaterOrEqual => max.is_none_or(|max| literal <= *max),
    }
}

/// The footer's statistics of one row group.
pub(super) struct RowGroupStatistics<'a> {
    pub file: &'a ParquetFile,
    pub mapping: &'a Mapping,
    pub group: &'a RowGroupMetaData,
}

impl RowGroupStatistics<'_> {
    fn read(&self, column: usize) -> Option<Bounds> {
        let Some(file_column) = self.mapping.file_column(self.file, column) else {
            return Some(Bounds::all_null());
        };
        let reader = BoundsReader::new(&self.file.metadata, file_column, self.mapping.ty(column))?;
        let statistics = self.group.column(file_column.leaf()?).statistics()?;
        Some(reader.row_group(statistics, u64::try_from(self.group.num_rows()).ok()?))
    }
}

impl Evidence for RowGroupStatistics<'_> {
    fn bounds(&self, column: usize) -> Bounds {
        self.read(column).unwrap_or_else(Bounds::unknown)
    }

    fn lacks(&self, _: usize, _: &Value) -> bool {
        false
    }
}

/// The bloom filters of one row group, read from the file as they are asked for.
pub(super) struct BloomFilters<'a> {
    pub statistics: RowGroupStatistics<'a>,
    pub input: &'a File,
}

impl BloomFilters<'_> {
    /// Largest filter that is read, in bytes; larger ones cost more than they can save.
    const MAX_BYTES: i64 = 16 << 20;

    fn filter(&self, leaf: usize) -> Option<Sbbf> {
        let chunk = self.statistics.group.column(leaf);
        // Without its length, the crate would believe the length inside of the filter and reserve that much.
        let (offset, length) = (chunk.bloom_filter_offset()?, i64::from(chunk.bloom_filter_length()?));
        let end = offset.checked_add(length).and_then(|end| u64::try_from(end).ok())?;
        if offset < 0 || !(1..=Self::MAX_BYTES).contains(&length) || end > self.statistics.file.bytes {
            return None;
        }
        let read = || Sbbf::read_from_column_chunk(chunk, self.input).map_err(|e| e.to_string());
        guarded(read).ok().flatten().filter(|filter| filter.num_blocks() > 0)
    }

    fn lacks(&self, column: usize, value: &Value) -> Option<bool> {
        let file_column = self.statistics.mapping.file_column(self.statistics.file, column)?;
        let filter = self.filter(file_column.leaf()?)?;
        // The filter holds values as they are stored; null, which a string shows as "", is not in it.
        let may_hold = match (&file_column.source, value) {
            (Source::Text, Value::String(text)) if !text.is_empty() => filter.check(text.as_bytes()),
            (Source::Uuid, Value::Guid(bytes)) => filter.check(&bytes[..]),
            (Source::Scalar(DataType::Int64), Value::Long(number)) => filter.check(number),
            (Source::Scalar(DataType::Int32), Value::Int(number)) => filter.check(number),
            _ => return None,
        };
        Some(!may_hold)
    }
}

impl Evidence for BloomFilters<'_> {
    fn bounds(&self, column: usize) -> Bounds {
        self.statistics.bounds(column)
    }

    fn lacks(&self, column: usize, value: &Value) -> bool {
        self.lacks(column, value).unwrap_or(false)
    }
}
