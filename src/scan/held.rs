//! Tables whose rows and columns were read into memory, because several queries need them.

use std::sync::Arc;

use super::slice::select_held;
use super::{BatchIterator, Overlap, Partition, ScanColumn, ScanRequest, TableProvider};
use crate::diagnostic::Result;
use crate::types::{Batch, Schema};

/// Number of batches in one partition, so that rows in memory are distributed over threads, too.
const BATCHES_PER_PARTITION: usize = 8;

/// A table that was already read.
#[derive(Debug)]
pub struct HeldTable {
    /// The table that was read.
    table: Arc<dyn TableProvider>,
    /// The column of the table that each column of `rows` has.
    columns: Vec<ScanColumn>,
    rows: Arc<[Batch]>,
}

impl HeldTable {
    /// Creates a table of the rows of `table` that were read. Their columns are those in `columns`.
    #[must_use]
    pub fn new(table: Arc<dyn TableProvider>, columns: Vec<ScanColumn>, rows: Vec<Batch>) -> Self {
        Self { table, columns, rows: rows.into() }
    }
}

impl TableProvider for HeldTable {
    fn schema(&self) -> &Schema {
        self.table.schema()
    }

    fn scan(&self, request: &ScanRequest) -> Result<Vec<Arc<dyn Partition>>> {
        let count = self.rows.len();
        let starts = (0..count).step_by(BATCHES_PER_PARTITION);
        let part = |start: usize| HeldPartition {
            rows: Arc::clone(&self.rows),
            range: [start, count.min(start + BATCHES_PER_PARTITION)],
            columns: self.columns.clone(),
            request: request.clone(),
        };
        Ok(starts.map(|start| Arc::new(part(start)) as Arc<dyn Partition>).collect())
    }

    fn is_in_memory(&self) -> bool {
        true
    }

    fn overlap(&self) -> Option<Overlap> {
        self.table.overlap()
    }

    fn describe(&self) -> String {
        format!("{} (read once for several queries)", self.table.describe())
    }
}

#[derive(Debug)]
struct HeldPartition {
    rows: Arc<[Batch]>,
    /// The index of the first batch of the partition, and the index after the last one.
    range: [usize; 2],
    columns: Vec<ScanColumn>,
    request: ScanRequest,
}

impl Partition for HeldPartition {
    fn read(&self) -> Result<BatchIterator<'_>> {
        let [start, end] = self.range;
        Ok(Box::new(self.rows[start..end].iter().map(move |batch| {
            let kept = match &self.request.filter {
                Some(filter) => {
                    let inputs = select_held(&self.columns, batch, filter.columns())?;
                    batch.filter(&filter.evaluate(&inputs)?)?
                }
                None => batch.clone(),
            };
            select_held(&self.columns, &kept, &self.request.columns)
        })))
    }
}
