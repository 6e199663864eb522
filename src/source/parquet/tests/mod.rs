//! Files written here, read back in every way.

mod damage;
mod random;
mod values;

use std::path::Path;

use arrow::array::{BooleanArray, RecordBatch};
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;

use super::*;
use crate::source::{Comparison, Predicate, RowFilter, ScanColumn};
use crate::types::{Batch, Value};

/// A file of these rows.
fn write(batch: &RecordBatch, properties: WriterProperties) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    let mut writer = ArrowWriter::try_new(file.reopen().unwrap(), batch.schema(), Some(properties)).unwrap();
    writer.write(batch).unwrap();
    writer.close().unwrap();
    file
}

fn open(path: &Path) -> Arc<ParquetFile> {
    ParquetFile::open(path, "test.parquet").unwrap()
}

/// A request for every row of some columns.
fn request(columns: impl IntoIterator<Item = usize>) -> ScanRequest {
    ScanRequest {
        columns: columns.into_iter().map(ScanColumn::Column).collect(),
        prune: Vec::new(),
        filter: None,
        limit: None,
        batch_rows: 64,
        report: Arc::new(ScanReport::default()),
    }
}

/// Every row that a scan gives.
fn rows(file: &Arc<ParquetFile>, table: &Schema, request: &ScanRequest) -> Vec<Vec<Value>> {
    let mut rows = Vec::new();
    for part in file.partitions(table, request).unwrap() {
        for batch in part.read().unwrap() {
            let batch = batch.unwrap();
            assert!((1..=request.batch_rows).contains(&batch.rows()), "{} rows", batch.rows());
            assert_eq!(batch.columns().len(), request.columns.len());
            for row in 0..batch.rows() {
                rows.push(batch.columns().iter().map(|column| column.value(row)).collect());
            }
        }
    }
    rows
}

/// The exact test of a predicate, row by row.
#[derive(Debug)]
struct Exactly {
    predicate: Predicate,
    columns: Vec<ScanColumn>,
}

impl Exactly {
    fn new(predicate: Predicate) -> Self {
        let mut columns = predicate.columns();
        columns.sort_unstable();
        columns.dedup();
        Self { predicate, columns: columns.into_iter().map(ScanColumn::Column).collect() }
    }

    fn place(&self, column: usize) -> usize {
        self.columns.iter().position(|other| other.column() == column).unwrap()
    }
}

impl RowFilter for Exactly {
    fn columns(&self) -> &[ScanColumn] {
        &self.columns
    }

    fn evaluate(&self, columns: &Batch) -> Result<BooleanArray> {
        let passes = |row| matches(&self.predicate, &|column| columns.column(self.place(column)).value(row));
        Ok((0..columns.rows()).map(|row| Some(passes(row))).collect())
    }
}

/// Whether a row fulfils a predicate: the slow twin of everything that skips.
fn matches(predicate: &Predicate, row: &dyn Fn(usize) -> Value) -> bool {
    match predicate {
        Predicate::All(list) => list.iter().all(|predicate| matches(predicate, row)),
        Predicate::Any(list) => list.iter().any(|predicate| matches(predicate, row)),
        Predicate::Compare { column, comparison, value } => {
            let actual = row(*column);
            let order = match (&actual, value) {
                (Value::String(a), Value::String(b)) => Some(a.cmp(b)),
                (Value::Long(a), Value::Long(b)) | (Value::Datetime(a), Value::Datetime(b)) => Some(a.cmp(b)),
                (Value::Int(a), Value::Int(b)) => Some(a.cmp(b)),
                (Value::Bool(a), Value::Bool(b)) => Some(a.cmp(b)),
                (Value::Guid(a), Value::Guid(b)) => Some(a.cmp(b)),
                _ => None,
            };
            order.is_some_and(|order| match comparison {
                Comparison::Equal => order.is_eq(),
                Comparison::Less => order.is_lt(),
                Comparison::LessOrEqual => order.is_le(),
                Comparison::Greater => order.is_gt(),
                Comparison::GreaterOrEqual => order.is_ge(),
            })
        }
        Predicate::OneOf { column, values, case_sensitive } => values.iter().any(|value| match (row(*column), value) {
            (Value::String(a), Value::String(b)) if !case_sensitive => a.to_lowercase() == b.to_lowercase(),
            (actual, value) => actual == *value,
        }),
        Predicate::Contains { column, needle, case_sensitive } => {
            let text = row(*column).to_text();
            if *case_sensitive { text.contains(needle) } else { text.to_lowercase().contains(&needle.to_lowercase()) }
        }
    }
}
