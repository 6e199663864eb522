//! Columnar files whose rows are not rows of a table but records of other export shapes: Microsoft Graph objects or
//! diagnostic records with one column for each key, or records in columns of strings or bytes. Each row is written as
//! a line of JSON, in which the reader of text finds the records.

use std::sync::Arc;

use super::column_file::ColumnFile;
use super::text::{Inference, RESULT, RecordSelection, is_flattened_key};
use crate::diagnostic::Result;
use crate::parquet::FileInTable;
use crate::records::{AfterBlock, table_names};
use crate::scan::provenance::ProvenanceColumns;
use crate::scan::{BatchIterator, Partition, ScanColumn, ScanMemory, ScanReport, ScanRequest, ScanSizes};
use crate::types::{Batch, Schema, dynamic};

/// Rows per batch. It is small, because each row may contain many records.
const BATCH_ROWS: usize = 1_024;

/// Number of rows that are examined to identify the records of a file.
const SAMPLED_ROWS: usize = 1_000;

/// Maximum size of the text of these rows in bytes: many rows may share a long value of a dictionary.
const SAMPLED_BYTES: usize = 8 << 20;

/// Columns whose presence shows that the rows are rows of a table.
const TABLE_COLUMNS: [&str; 4] = ["TimeGenerated", "_OriginalTimeGenerated", "Type", "_OriginalType"];

/// True if the columns do not show that the rows are rows of a table, or if the rows need what only the reader of
/// text does: names in another spelling, flattened objects, rows without a time.
pub(crate) fn are_other_rows(file: &ColumnFile) -> bool {
    let columns = file.columns();
    let is_table = TABLE_COLUMNS.iter().any(|name| columns.index_of(name).is_some());
    file.archived_table().is_none() && (!is_table || is_spelled_otherwise(&columns) || lacks_times(file))
}

/// True for columns whose names another tool changed: their case, a time zone appended to them, or flattened objects.
fn is_spelled_otherwise(columns: &Schema) -> bool {
    let headers: Vec<&str> = columns.names().collect();
    let is_renamed = table_names(&headers).is_some_and(|names| names != headers);
    is_renamed || headers.iter().any(|name| is_flattened_key(name))
}

/// True if some rows have no `TimeGenerated`, as far as the file counts nulls, or if the column is absent and the
/// time of the sign-in takes its place.
fn lacks_times(file: &ColumnFile) -> bool {
    let columns = file.columns();
    let has = |name: &str| columns.index_of(name).is_some();
    if !has(TABLE_COLUMNS[0]) {
        return has("CreatedDateTime");
    }
    file.nulls(TABLE_COLUMNS[0]).is_some_and(|nulls| nulls > 0)
}

/// True if the first rows of the file are not rows of a table, but are records of known tables or contain such
/// records.
///
/// # Errors
/// The file cannot be opened, or its server does not answer.
pub(crate) fn holds_known_records(file: &ColumnFile) -> Result<bool> {
    if !are_other_rows(file) || file.is_answer() {
        return Ok(false);
    }
    let columns = file.columns();
    if is_spelled_otherwise(&columns) || lacks_times(file) {
        return Ok(true);
    }
    if columns.index_of(RESULT).is_some() {
        return Ok(false);
    }
    let mut inference = Inference::new();
    sample_rows(file, &mut inference)?;
    Ok(matches!(inference.finish(), Some(RecordSelection::AllKnownAs(_))))
}

/// Passes the first rows of the file to `inference`. Returns the size of their text in bytes.
///
/// # Errors
/// As for [`holds_known_records`]. Damage is not reported here, but when the file is read.
pub(crate) fn sample_rows(file: &ColumnFile, inference: &mut Inference) -> Result<u64> {
    let request = ScanRequest {
        columns: Vec::new(),
        prune: Vec::new(),
        filter: None,
        limit: None,
        batch_rows: BATCH_ROWS,
        memory: ScanMemory::default(),
        sizes: ScanSizes::default(),
        stated: None,
        named_columns: Arc::default(),
        report: Arc::new(ScanReport::default()),
        counters: Arc::default(),
    };
    let (parts, writer) = (partitions(file, &request)?, RowWriter::new(&file.columns()));
    let (mut text, mut rows) = (String::new(), 0);
    'sampled: for batch in batches(&parts) {
        let batch = batch?;
        for row in 0..batch.rows() {
            writer.write(&batch, row, &mut text);
            rows += 1;
            if rows >= SAMPLED_ROWS || text.len() >= SAMPLED_BYTES {
                break 'sampled;
            }
        }
    }
    inference.start_file(false);
    inference.observe_lines(text.as_bytes(), AfterBlock::Nothing);
    Ok(text.len() as u64)
}

/// Returns partitions that read all rows and columns of the file, within the limits of `request`.
pub(crate) fn partitions(file: &ColumnFile, request: &ScanRequest) -> Result<Vec<Arc<dyn Partition>>> {
    let columns = file.columns();
    let all = ScanRequest {
        columns: (0..columns.len()).map(ScanColumn::Column).collect(),
        prune: Vec::new(),
        filter: None,
        limit: None,
        batch_rows: BATCH_ROWS,
        // The records are counted, not the rows.
        counters: Arc::default(),
        ..request.clone()
    };
    file.partitions_of(&FileInTable::new(ProvenanceColumns::none(&columns), 0), &all)
}

/// Returns the batches of `parts`, one part after the other. A part that cannot be opened yields one error.
pub(crate) fn batches(parts: &[Arc<dyn Partition>]) -> impl Iterator<Item = Result<Batch>> + Send + '_ {
    parts
        .iter()
        .flat_map(|part| part.read().unwrap_or_else(|error| Box::new(std::iter::once(Err(error))) as BatchIterator<'_>))
}

/// Writes rows as lines of JSON.
#[derive(Debug)]
pub(crate) struct RowWriter {
    /// The names of the columns as quoted JSON strings.
    keys: Vec<String>,
}

impl RowWriter {
    /// Creates a writer for rows with these columns.
    pub(crate) fn new(columns: &Schema) -> Self {
        let quoted = |name: &str| {
            let mut key = String::new();
            dynamic::quote(name, &mut key);
            key
        };
        let headers: Vec<&str> = columns.names().collect();
        let names = table_names(&headers).unwrap_or(headers);
        Self { keys: names.into_iter().map(quoted).collect() }
    }

    /// Appends a row as one line. Nulls and "" are left out, because a column may belong to another kind of record in
    /// the same file.
    pub(crate) fn write(&self, batch: &Batch, row: usize, out: &mut String) {
        out.push('{');
        let mut separator = "";
        for (key, column) in self.keys.iter().zip(batch.columns()) {
            if column.is_null(row) || column.text_at(row).is_some_and(str::is_empty) {
                continue;
            }
            out.push_str(separator);
            out.push_str(key);
            out.push(':');
            dynamic::write_row(column, row, out);
            separator = ",";
        }
        out.push_str("}\n");
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{Int64Array, StringViewArray};

    use super::*;
    use crate::types::{Column, Field, Type, Value};

    #[test]
    fn a_row_is_one_line_without_empty_values() {
        let fields = [("a\"b", Type::String), ("n", Type::Long), ("d", Type::Dynamic), ("c", Type::String)];
        let schema = Schema::new(fields.map(|(name, ty)| Field::new(name, ty)));
        let texts = StringViewArray::from(vec![Some("x\ny"), Some("")]);
        let objects = StringViewArray::from(vec![None, Some("{\n \"k\": [1]\n}")]);
        let columns = vec![
            Column::array(Type::String, Arc::new(texts)),
            Column::array(Type::Long, Arc::new(Int64Array::from(vec![Some(5), None]))),
            Column::array(Type::Dynamic, Arc::new(objects)),
            Column::constant(Value::string(""), 2),
        ];
        let batch = Batch::new(columns, 2);
        let mut text = String::new();
        (0..2).for_each(|row| RowWriter::new(&schema).write(&batch, row, &mut text));
        assert_eq!(text, "{\"a\\\"b\":\"x\\ny\",\"n\":5}\n{\"d\":{\"k\":[1]}}\n");
    }
}
