//! Columns of a known table that a columnar file has under several names. Rows copied by a search job have both the
//! original value and the value that the job assigned, and `union` splits a column with values of several types into
//! one column for each type.
//!
//! The readers of Parquet and Arrow read a column under one name only. So the alternative columns are requested after
//! the columns of the table, and each row gets the first value that is neither null nor "", for the filter of the
//! query and in the output. Statistics of the replaced columns are not used for pruning.

use std::sync::Arc;

use arrow::array::BooleanArray;

use crate::diagnostic::Result;
use crate::entra::union_names;
use crate::scan::provenance::ProvenanceColumns;
use crate::scan::{BatchIterator, Partition, Predicate, RowFilter, ScanColumn, ScanRequest};
use crate::types::{Batch, Column, ColumnBuilder, Field, Schema, Type};

/// Columns of a table, each with the column in which a search job keeps its original value.
const ORIGINAL_COLUMNS: [(&str, &str); 2] = [("TimeGenerated", "_OriginalTimeGenerated"), ("Type", "_OriginalType")];

/// A column of the table that the file also has under other names. The numbers are positions in the extended schema.
#[derive(Clone, Debug)]
struct ReplacedColumn {
    own: usize,
    /// The original column, whose value is preferred to that of `own`.
    original: Option<usize>,
    /// The columns that `union` made of this one; their values are used if `own` has none.
    united: Vec<usize>,
}

impl ReplacedColumn {
    /// Returns the positions of the alternative columns.
    fn others(&self) -> impl Iterator<Item = usize> {
        self.original.into_iter().chain(self.united.iter().copied())
    }
}

/// The columns of a table that a file has under several names.
#[derive(Clone, Debug)]
pub(crate) struct ReplacedColumns {
    replaced: Vec<ReplacedColumn>,
    /// The columns of the table, followed by the alternative columns.
    pub origins: ProvenanceColumns,
}

impl ReplacedColumns {
    /// Returns the columns of `origins` that `file` has under several names; None if there are none.
    pub fn of(file: &Schema, origins: &ProvenanceColumns) -> Option<Self> {
        let mut replaced_columns = Self { replaced: Vec::new(), origins: origins.clone() };
        let is_of_union = |name: &str| name.rsplit_once('_').is_some_and(|(_, ty)| Type::from_name(ty).is_some());
        let has_union = file.names().any(is_of_union);
        let own = origins.schema.fields().iter().enumerate();
        for (own, Field { name, ty }) in own.filter(|(own, _)| origins.at(*own).is_none()) {
            let mut add = |other: &str| {
                file.index_of(other)?;
                replaced_columns.origins = replaced_columns.origins.with(Field::new(other, *ty));
                Some(replaced_columns.origins.schema.len() - 1)
            };
            let original = ORIGINAL_COLUMNS.iter().find(|(of, _)| of == name).and_then(|(_, original)| add(original));
            let names = if has_union { union_names(name) } else { &[] };
            let united: Vec<usize> = names.iter().filter_map(|other| add(other)).collect();
            if original.is_some() || !united.is_empty() {
                replaced_columns.replaced.push(ReplacedColumn { own, original, united });
            }
        }
        (!replaced_columns.replaced.is_empty()).then_some(replaced_columns)
    }

    /// True if rows of the file may be copies that a search job made.
    pub fn has_copies(&self) -> bool {
        self.replaced.iter().any(|replaced| replaced.original.is_some())
    }

    fn replaced(&self, own: usize) -> Option<&ReplacedColumn> {
        self.replaced.iter().find(|replaced| replaced.own == own)
    }

    /// Returns the request to the file whose result [`Self::restored`] turns into that of `request`.
    pub fn request(&self, request: &ScanRequest) -> ScanRequest {
        let is_replaced = |predicate: &Predicate| predicate.columns().iter().any(|at| self.replaced(*at).is_some());
        let mut asked = request.clone();
        // The range of a row may be that of another column.
        asked.stated = None;
        asked.columns = self.with_others(&request.columns);
        asked.prune.retain(|predicate| !is_replaced(predicate));
        asked.filter = request.filter.clone().map(|inner| {
            let columns = self.with_others(inner.columns());
            let places = self.places(inner.columns());
            Arc::new(RestoredFilter { columns, places, inner }) as Arc<dyn RowFilter>
        });
        asked
    }

    /// Wraps `parts`, which were scanned with [`Self::request`], so that they return the columns of `request`.
    pub fn restored(&self, request: &ScanRequest, parts: Vec<Arc<dyn Partition>>) -> Vec<Arc<dyn Partition>> {
        let places = self.places(&request.columns);
        let restored = |part| Arc::new(RestoredPartition { part, places: Arc::clone(&places) }) as Arc<dyn Partition>;
        parts.into_iter().map(restored).collect()
    }

    /// Returns `columns`, followed by their alternative columns with the same paths.
    fn with_others(&self, columns: &[ScanColumn]) -> Vec<ScanColumn> {
        let others = columns.iter().flat_map(|wanted| {
            let others = self.replaced(wanted.column()).into_iter().flat_map(ReplacedColumn::others);
            others.map(|column| match wanted {
                ScanColumn::Column(_) => ScanColumn::Column(column),
                ScanColumn::Path { path, .. } => ScanColumn::Path { column, path: path.clone() },
            })
        });
        columns.iter().cloned().chain(others).collect()
    }

    /// Returns for each of `columns` the positions whose first filled value it takes.
    fn places(&self, columns: &[ScanColumn]) -> Arc<[Vec<usize>]> {
        let mut next = columns.len();
        let mut take = || {
            next += 1;
            next - 1
        };
        let place = |(own, column): (usize, &ScanColumn)| {
            let Some(replaced) = self.replaced(column.column()) else { return vec![own] };
            let mut places: Vec<usize> = replaced.original.iter().map(|_| take()).collect();
            places.push(own);
            places.extend(replaced.united.iter().map(|_| take()));
            places
        };
        columns.iter().enumerate().map(place).collect()
    }
}

/// Applies the filter of the query to the restored columns.
#[derive(Debug)]
struct RestoredFilter {
    columns: Vec<ScanColumn>,
    places: Arc<[Vec<usize>]>,
    inner: Arc<dyn RowFilter>,
}

impl RowFilter for RestoredFilter {
    fn columns(&self) -> &[ScanColumn] {
        &self.columns
    }

    fn evaluate(&self, columns: &Batch) -> Result<BooleanArray> {
        self.inner.evaluate(&restore(&self.places, columns))
    }
}

/// A partition whose replaced columns are restored.
#[derive(Debug)]
struct RestoredPartition {
    part: Arc<dyn Partition>,
    places: Arc<[Vec<usize>]>,
}

impl Partition for RestoredPartition {
    fn read(&self) -> Result<BatchIterator<'_>> {
        Ok(Box::new(self.part.read()?.map(|batch| Ok(restore(&self.places, &batch?)))))
    }
}

/// Merges each column with its alternatives: a row gets the first value that is filled.
fn restore(places: &[Vec<usize>], batch: &Batch) -> Batch {
    let columns = places.iter().map(|places| match &places[..] {
        [only] => batch.column(*only).clone(),
        several => first_filled(&several.iter().map(|place| batch.column(*place)).collect::<Vec<_>>()),
    });
    Batch::new(columns.collect(), batch.rows())
}

/// Returns for each row the first value that is neither null nor "". All `columns` have the same type; there is at
/// least one.
fn first_filled(columns: &[&Column]) -> Column {
    let own = columns[0];
    let is_filled = |column: &Column, row: usize| match own.ty() {
        Type::String => column.text_at(row).is_some_and(|text| !text.is_empty()),
        _ => !column.is_null(row),
    };
    let mut builder = ColumnBuilder::with_capacity(own.ty(), own.rows());
    for row in 0..own.rows() {
        let filled = columns.iter().find(|column| is_filled(column, row));
        builder.append(&filled.unwrap_or(&own).value(row));
    }
    builder.finish()
}
