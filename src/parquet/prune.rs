//! Pruning: determines which rows can be skipped because of statistics, because of probes of chunks
//! (`chunk_probes.rs`), or because a column is missing.
//!
//! The functions return whether a row may match; they return true if that is not known.

use parquet::file::metadata::RowGroupMetaData;

use super::bounds::{BoundValue, Bounds, BoundsReader};
use super::{ColumnMapping, ParquetFile};
use crate::scan::{Comparison, Predicate};
use crate::types::{Type, Value};

/// What is known about the values of some rows.
pub(super) trait PruningStatistics {
    /// Returns the bounds of a column of the table.
    fn bounds(&self, column: usize) -> Bounds;

    /// True if certainly no row has the value `_value` in a column of the table.
    fn lacks(&self, _column: usize, _value: &Value) -> bool {
        false
    }

    /// True if certainly no row has a string in a column of the table for which `_test` is true.
    fn lacks_text(&self, _column: usize, _test: &dyn Fn(&str) -> bool) -> bool {
        false
    }
}

/// False only if certainly no row fulfils `predicate`.
pub(super) fn may_match(predicate: &Predicate, evidence: &dyn PruningStatistics) -> bool {
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
                Value::String(text) if !case_sensitive => {
                    text.is_empty()
                        || !bounds.all_null && !evidence.lacks_text(*column, &|held| may_equal_in_any_case(held, text))
                }
                value => compare(&bounds, Comparison::Equal, value) && !evidence.lacks(*column, value),
            })
        }
        Predicate::Contains { column, needle, case_sensitive } => {
            let holds = |held: &str| match case_sensitive {
                true => held.contains(needle.as_str()),
                false => may_contain_in_any_case(held, needle),
            };
            needle.is_empty() || !evidence.bounds(*column).all_null && !evidence.lacks_text(*column, &holds)
        }
    }
}

/// True if the strings may be equal in any case. Only ASCII is compared exactly, because other characters may fold to
/// anything.
fn may_equal_in_any_case(held: &str, wanted: &str) -> bool {
    held.eq_ignore_ascii_case(wanted) || !held.is_ascii() || !wanted.is_ascii()
}

fn may_contain_in_any_case(held: &str, needle: &str) -> bool {
    let found = || held.as_bytes().windows(needle.len()).any(|part| part.eq_ignore_ascii_case(needle.as_bytes()));
    !held.is_ascii() || !needle.is_ascii() || found()
}

/// False only if certainly no value within the bounds fulfils the comparison.
fn compare(bounds: &Bounds, comparison: Comparison, value: &Value) -> bool {
    let is_text = value.ty() == Type::String;
    if bounds.all_null {
        // A null string is ""; comparisons with other nulls are not true.
        return match value {
            Value::String(text) => text.is_empty() || comparison != Comparison::Equal,
            Value::Dynamic(_) => true,
            _ => false,
        };
    }
    // KQL orders strings differently from their bytes, so only equality can be tested.
    let ordered = !matches!(value, Value::String(_) | Value::Guid(_));
    let Some(literal) = BoundValue::of(value).filter(|_| ordered || comparison == Comparison::Equal) else {
        return true;
    };
    if is_text && bounds.may_be_null && literal == BoundValue::Bytes(Vec::new()) {
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

/// The statistics of one row group in the footer.
pub(super) struct RowGroupStatistics<'a> {
    pub file: &'a ParquetFile,
    pub mapping: &'a ColumnMapping,
    pub group: &'a RowGroupMetaData,
}

impl RowGroupStatistics<'_> {
    /// Returns the bounds of a column if the writer states that they are its least and greatest values, or that all of
    /// them are null.
    pub fn exact_bounds(&self, column: usize) -> Option<Bounds> {
        let bounds = self.read(column)?;
        let Some(file_column) = self.mapping.file_column(self.file, column) else { return Some(bounds) };
        let statistics = self.group.column(file_column.leaf()?).statistics()?;
        (bounds.all_null || statistics.min_is_exact() && statistics.max_is_exact()).then_some(bounds)
    }

    fn read(&self, column: usize) -> Option<Bounds> {
        let Some(file_column) = self.mapping.file_column(self.file, column) else {
            return self.mapping.origin(column).is_none().then(Bounds::all_null);
        };
        let reader = BoundsReader::new(&self.file.metadata, file_column, self.mapping.ty(column))?;
        let statistics = self.group.column(file_column.leaf()?).statistics()?;
        Some(reader.row_group(statistics, u64::try_from(self.group.num_rows()).ok()?))
    }
}

impl RowGroupStatistics<'_> {
    /// Returns the string that all rows of a string column have; None if there may be several.
    pub fn only_text(&self, column: usize) -> Option<Value> {
        /// Maximum length in bytes of bounds that are trusted to be whole. Longer ones may be truncated, which not
        /// every writer states.
        const MAX_BYTES: usize = 32;
        let Bounds { min: Some(BoundValue::Bytes(least)), max, may_be_null: false, .. } = self.bounds(column) else {
            return None;
        };
        let is_only = max == Some(BoundValue::Bytes(least.clone())) && least.len() <= MAX_BYTES;
        let text = String::from_utf8(least).ok().filter(|_| is_only && self.mapping.ty(column) == Type::String)?;
        Some(Value::string(text))
    }
}

impl PruningStatistics for RowGroupStatistics<'_> {
    fn bounds(&self, column: usize) -> Bounds {
        self.read(column).unwrap_or_else(Bounds::unknown)
    }
}
