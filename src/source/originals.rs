//! Rows that a search job copied, in Parquet: what they were copied from stands beside what the job made of them.
//!
//! The reader of Parquet knows columns by one name only. So the columns of the originals are asked for behind those of
//! the table, and put in their places row by row: above the filter of the query, and above what comes out. Statistics of
//! the columns that are replaced say nothing and leave nothing out.

use std::sync::Arc;

use arrow::array::BooleanArray;

use super::provenance::Origins;
use super::{BatchIterator, Partition, Predicate, RowFilter, ScanColumn, ScanRequest};
use crate::diagnostic::Result;
use crate::types::{Batch, Column, ColumnBuilder, Field, Schema, Type};

/// Columns of a table, and those that hold what they were.
const ORIGINALS: [(&str, &str); 2] = [("TimeGenerated", "_OriginalTimeGenerated"), ("Type", "_OriginalType")];

/// A column of the table, and the one that holds what it was.
#[derive(Clone, Copy, Debug)]
struct Pair {
    own: usize,
    original: usize,
}

/// The columns of a table that a file has twice.
#[derive(Clone, Debug)]
pub(crate) struct Originals {
    pairs: Vec<Pair>,
    /// Those of the table, and the originals behind them.
    pub origins: Origins,
}

impl Originals {
    /// Those that a file with the columns `file` has of a table with those of `origins`; None for a file without any.
    pub fn of(file: &Schema, origins: &Origins) -> Option<Self> {
        let mut originals = Self { pairs: Vec::new(), origins: origins.clone() };
        for (name, original) in ORIGINALS {
            let Some(own) = origins.schema.index_of(name).filter(|_| file.index_of(original).is_some()) else {
                continue;
            };
            let field = Field::new(original, origins.schema.field(own).ty);
            originals.pairs.push(Pair { own, original: originals.origins.schema.len() });
            originals.origins = originals.origins.with(field);
        }
        (!originals.pairs.is_empty()).then_some(originals)
    }

    /// Where the original of the column at `own` is.
    pub fn original(&self, own: usize) -> Option<usize> {
        self.pairs.iter().find(|pair| pair.own == own).map(|pair| pair.original)
    }

    /// What to ask the file for, for `request`.
    pub fn request(&self, request: &ScanRequest) -> ScanRequest {
        let is_replaced = |predicate: &Predicate| predicate.columns().iter().any(|at| self.original(*at).is_some());
        let mut asked = request.clone();
        asked.columns = self.with_originals(&request.columns);
        asked.prune.retain(|predicate| !is_replaced(predicate));
        asked.filter = request.filter.clone().map(|inner| {
            let columns = self.with_originals(inner.columns());
            let places = self.places(inner.columns());
            Arc::new(OverOriginals { columns, places, inner }) as Arc<dyn RowFilter>
        });
        asked
    }

    /// What `parts`, which were asked for that, give for `request`.
    pub fn restored(&self, request: &ScanRequest, parts: Vec<Arc<dyn Partition>>) -> Vec<Arc<dyn Partition>> {
        let places = self.places(&request.columns);
        let restored = |part| Arc::new(Restored { part, places: places.clone() }) as Arc<dyn Partition>;
        parts.into_iter().map(restored).collect()
    }

    /// Behind `columns` the originals of those among them that have one.
    fn with_originals(&self, columns: &[ScanColumn]) -> Vec<ScanColumn> {
        let originals = columns.iter().filter_map(|column| self.original(column.column()));
        columns.iter().cloned().chain(originals.map(ScanColumn::Column)).collect()
    }

    /// For each of `columns`, where its original stands behind them.
    fn places(&self, columns: &[ScanColumn]) -> Arc<[Option<usize>]> {
        let mut next = columns.len();
        let place = |column: &ScanColumn| {
            self.original(column.column()).map(|_| {
                next += 1;
                next - 1
            })
        };
        columns.iter().map(place).collect()
    }
}

/// The filter of the query, over what rows were.
#[derive(Debug)]
struct OverOriginals {
    columns: Vec<ScanColumn>,
    places: Arc<[Option<usize>]>,
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
    places: Arc<[Option<usize>]>,
}

impl Partition for Restored {
    fn read(&self) -> Result<BatchIterator<'_>> {
        Ok(Box::new(self.part.read()?.map(|batch| Ok(restore(&self.places, &batch?)))))
    }
}

/// Puts originals in the places of the columns that they are behind.
fn restore(places: &[Option<usize>], batch: &Batch) -> Batch {
    let column = |(index, place): (usize, &Option<usize>)| match place {
        Some(original) => first_filled(batch.column(*original), batch.column(index)),
        None => batch.column(index).clone(),
    };
    Batch::new(places.iter().enumerate().map(column).collect(), batch.rows())
}

/// The values of `original`, and those of `own` where it has none: a file may have other rows, too.
fn first_filled(original: &Column, own: &Column) -> Column {
    let mut builder = ColumnBuilder::with_capacity(own.ty(), own.rows());
    for row in 0..own.rows() {
        let is_empty = match own.ty() {
            Type::String => original.text_at(row).is_none_or(str::is_empty),
            _ => original.is_null(row),
        };
        builder.append(&if is_empty { own.value(row) } else { original.value(row) });
    }
    builder.finish()
}
