//! The records that the operator `scan` returns, collected until there are enough for a batch.

use arrow::array::UInt32Array;

use crate::diagnostic::{Error, Result};
use crate::plan::Sequence;
use crate::types::{Batch, ColumnBuilder, Type, Value};

/// A record that matched a step.
#[derive(Clone, Debug)]
pub struct MatchedRecord {
    /// The position of the record's row in [`CurrentBatch::records`](super::batch::CurrentBatch::records).
    pub row: usize,
    /// The values of the columns that the query declares.
    pub declared: Vec<Value>,
    /// The number of the sequence to which the record belongs.
    pub match_id: i64,
}

/// The records to be returned that belong to one batch of the input.
#[derive(Debug)]
pub struct OutputRecords {
    rows: Vec<u32>,
    declared: Vec<ColumnBuilder>,
    match_ids: Option<ColumnBuilder>,
    /// The bytes of the strings of the declared columns.
    bytes: usize,
}

impl OutputRecords {
    /// Returns an empty collection of the records of `plan`.
    pub fn new(plan: &Sequence) -> Self {
        Self {
            rows: Vec::new(),
            declared: plan.defaults.iter().map(|default| ColumnBuilder::new(default.ty())).collect(),
            match_ids: plan.has_match_id.then(|| ColumnBuilder::new(Type::Long)),
            bytes: 0,
        }
    }

    /// Adds a record.
    pub fn push(&mut self, record: &MatchedRecord) -> Result<()> {
        self.rows.push(u32::try_from(record.row).map_err(|_| Error::internal("a batch has too many rows"))?);
        for (builder, value) in self.declared.iter_mut().zip(&record.declared) {
            builder.append(value);
            self.bytes += text_bytes(value);
        }
        if let Some(match_ids) = &mut self.match_ids {
            match_ids.append_i64(record.match_id);
        }
        Ok(())
    }

    /// True if the records are enough for a batch of at most `max_rows` rows and about `max_bytes` bytes.
    pub fn is_full(&self, max_rows: usize, max_bytes: usize) -> bool {
        self.rows.len() >= max_rows || self.bytes >= max_bytes
    }

    /// Removes the records and returns them as a batch; their rows are positions in `batch`. None if there are no
    /// records.
    pub fn take(&mut self, batch: &Batch) -> Result<Option<Batch>> {
        if self.rows.is_empty() {
            return Ok(None);
        }
        let rows = self.rows.len();
        let input = batch.take(&UInt32Array::from(std::mem::take(&mut self.rows)))?;
        let own = self.declared.iter_mut().chain(&mut self.match_ids).map(ColumnBuilder::finish);
        self.bytes = 0;
        Ok(Some(Batch::new(input.columns().iter().cloned().chain(own).collect(), rows)))
    }
}

/// Returns the number of bytes of a string or dynamic; 0 for other values.
pub fn text_bytes(value: &Value) -> usize {
    match value {
        Value::String(text) | Value::Dynamic(text) => text.len(),
        _ => 0,
    }
}
