//! Tables whose rows are in memory, such as datatables and results of earlier steps.

use std::sync::Arc;

use super::{BatchIterator, Partition, ScanColumn, ScanRequest, TableProvider};
use crate::diagnostic::Result;
use crate::types::{Batch, Schema};

/// Number of batches in one partition, so that rows in memory are distributed over threads, too.
const BATCHES_PER_PARTITION: usize = 8;

/// A table whose rows are in memory.
#[derive(Debug)]
pub struct MemoryTable {
    schema: Schema,
    batches: Vec<Batch>,
}

impl MemoryTable {
    /// Creates a table of the rows of `batches`, in order. Each batch has the columns of `schema`.
    #[must_use]
    pub fn new(schema: Schema, batches: Vec<Batch>) -> Self {
        Self { schema, batches }
    }
}

impl TableProvider for MemoryTable {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn scan(&self, request: &ScanRequest) -> Result<Vec<Arc<dyn Partition>>> {
        let rows = request.batch_rows.saturating_mul(BATCHES_PER_PARTITION).max(1);
        let partition = |batch: Batch| Arc::new(MemoryPartition { batch, request: request.clone() }) as Arc<_>;
        let parts = |batch: &Batch| -> Vec<Arc<dyn Partition>> {
            let starts = (0..batch.rows()).step_by(rows);
            starts.map(|start| partition(batch.slice(start, rows.min(batch.rows() - start)))).collect()
        };
        Ok(self.batches.iter().flat_map(parts).collect())
    }

    fn is_in_memory(&self) -> bool {
        true
    }

    fn is_known_empty(&self) -> bool {
        self.batches.iter().all(|batch| batch.rows() == 0)
    }

    fn describe(&self) -> String {
        format!("memory ({} rows)", self.batches.iter().map(Batch::rows).sum::<usize>())
    }
}

#[derive(Debug)]
struct MemoryPartition {
    batch: Batch,
    request: ScanRequest,
}

impl Partition for MemoryPartition {
    fn read(&self) -> Result<BatchIterator<'_>> {
        let rows = self.batch.rows();
        let step = self.request.batch_rows.max(1);
        let starts = (0..rows).step_by(step);
        Ok(Box::new(starts.map(move |start| {
            let whole = self.batch.slice(start, step.min(rows - start));
            let kept = match &self.request.filter {
                Some(filter) => {
                    let inputs = select(&whole, filter.columns())?;
                    whole.filter(&filter.evaluate(&inputs)?)?
                }
                None => whole,
            };
            select(&kept, &self.request.columns)
        })))
    }
}

/// Returns the requested columns of a batch; paths are extracted from dynamic columns.
pub fn select(batch: &Batch, columns: &[ScanColumn]) -> Result<Batch> {
    let columns = columns.iter().map(|column| column.evaluate(batch)).collect::<Result<_>>()?;
    Ok(Batch::new(columns, batch.rows()))
}
