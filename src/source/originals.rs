//! Columns of a known table that a file of columns has under several names: rows that a search job copied have what they
//! were copied from beside what the job made of them, and `union` names a column of several types once for each type.
//!
//! The readers of Parquet and Arrow know columns by one name only. So the other columns are asked for behind those of
//! the table, and put in their places row by row: above the filter of the query, and above what comes out. Statistics of
//! the columns that are replaced say nothing and leave nothing out.

use std::sync::Arc;

use arrow::array::BooleanArray;

use crate::diagnostic::Result;
use crate::entra::union_names;
use crate::scan::provenance::ProvenanceColumns;
use crate::scan::{BatchIterator, Partition, Predicate, RowFilter, ScanColumn, ScanRequest};
use crate::types::{Batch, Column, ColumnBuilder, Field, Schema, Type};

/// Columns of a table, and those that hold what they were.
const ORIGINALS: [(&str, &str); 2] = [("TimeGenerated", "_OriginalTimeGenerated"), ("Type", "_OriginalType")];

/// A column of the table that the file has under other names, too.
#[derive(Clone, Debug)]
struct Replaced {
    own: usize,
    /// Where the original is: its value counts before that of the column.
    original: Option<usize>,
    /// Where the columns are that `union` made of it: their values count where it has none.
    united: Vec<usize>,
}

impl Replaced {
    /// Where the other columns are.
    fn others(&self) -> impl Iterator<Item = usize> {
        self.original.into_iter().chain(self.united.iter().copied())
    }
}

/// The columns of a table that a file has under several names.
#[derive(Clone, Debug)]
pub(crate) struct Originals {
    replaced: Vec<Replaced>,
    /// Those of the table, and the others behind them.
    pub origins: ProvenanceColumns,
}

impl Originals {
    /// Those that a file with the columns `file` has of a table with those of `origins`; None for a file without any.
    pub fn of(file: &Schema, origins: &ProvenanceColumns) -> Option<Self> {
        let mut originals = Self { replaced: Vec::new(), origins: origins.clone() };
        let own = origins.schema.fields().iter().enumerate();
        for (own, Field { name, ty }) in own.filter(|(own, _)| origins.at(*own).is_none()) {
            let mut add = |other: &str| {
                file.index_of(other)?;
                originals.origins = originals.origins.with(Field::new(other, *ty));
                Some(originals.origins.schema.len() - 1)
            };
            let original = ORIGINALS.iter().find(|(of, _)| of == name).and_then(|(_, original)| add(original));
            let united: Vec<usize> = union_names(name).iter().filter_map(|other| add(other)).collect();
            if original.is_some() || !united.is_empty() {
                originals.replaced.push(Replaced { own, original, united });
            }
        }
        (!originals.replaced.is_empty()).then_some(originals)
    }

    /// True if the file has rows that a search job may have copied.
    pub fn has_copies(&self) -> bool {
        self.replaced.iter().any(|replaced| replaced.original.is_some())
    }

    fn replaced(&self, own: usize) -> Option<&Replaced> {
        self.replaced.iter().find(|replaced| replaced.own == own)
    }

    /// What to ask the file for, for `request`.
    pub fn request(&self, request: &ScanRequest) -> ScanRequest {
        let is_replaced = |predicate: &Predicate| predicate.columns().iter().any(|at| self.replaced(*at).is_some());
        let mut asked = request.clone();
        asked.columns = self.with_others(&request.columns);
        asked.prune.retain(|predicate| !is_replaced(predicate));
        asked.filter = request.filter.clone().map(|inner| {
            let columns = self.with_others(inner.columns());
            let places = self.places(inner.columns());
            Arc::new(OverOriginals { columns, places, inner }) as Arc<dyn RowFilter>
        });
        asked
    }

    /// What `parts`, which were asked for that, give for `request`.
    pub fn restored(&self, request: &ScanRequest, parts: Vec<Arc<dyn Partition>>) -> Vec<Arc<dyn Partition>> {
        let places = self.places(&request.columns);
        let restored = |part| Arc::new(Restored { part, places: Arc::clone(&places) }) as Arc<dyn Partition>;
        parts.into_iter().map(restored).collect()
    }

    /// Behind `columns` the other columns of those among them that have some, with the same paths.
    fn with_others(&self, columns: &[ScanColumn]) -> Vec<ScanColumn> {
        let others = columns.iter().flat_map(|wanted| {
            let others = self.replaced(wanted.column()).into_iter().flat_map(Replaced::others);
            others.map(|column| match wanted {
                ScanColumn::Column(_) => ScanColumn::Column(column),
                ScanColumn::Path { path, .. } => ScanColumn::Path { column, path: path.clone() },
            })
        });
        columns.iter().cloned().chain(others).collect()
    }

    /// For each of `columns`, the positions of the columns whose first value counts.
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

/// The filter of the query, over what rows were.
#[derive(Debug)]
struct OverOriginals {
    columns: Vec<ScanColumn>,
    places: Arc<[Vec<usize>]>,
    inner: Arc<dyn RowFilter>,
}

impl RowFilter for OverOriginals {
    fn columns(&self) -> &[ScanColumn] {
        &self.columns
    }

    fn evaluate(&self, columns: &Batch) -> Result<BooleanArray> {
        self.inner.evaluate(&restore(&self.places, columns))
    }
}

/// Rows as they were.
#[derive(Debug)]
struct Restored {
    part: Arc<dyn Partition>,
    places: Arc<[Vec<usize>]>,
}

impl Partition for Restored {
    fn read(&self) -> Result<BatchIterator<'_>> {
        Ok(Box::new(self.part.read()?.map(|batch| Ok(restore(&self.places, &batch?)))))
    }
}

/// Puts the first value of each row in the place of the columns that others stand for.
fn restore(places: &[Vec<usize>], batch: &Batch) -> Batch {
    let columns = places.iter().map(|places| match &places[..] {
        [only] => batch.column(*only).clone(),
        several => first_filled(&several.iter().map(|place| batch.column(*place)).collect::<Vec<_>>()),
    });
    Batch::new(columns.collect(), batch.rows())
}

/// In each row the first value of those of `columns`, of which there is one at least and all have one type.
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
