//! Reads a table like a user of the library.

use std::sync::Arc;

use coldcase::diagnostic::Result;
use coldcase::scan::{ScanColumn, ScanMemory, ScanReport, ScanRequest, ScanSizes, TableProvider};

/// Returns the values of these columns as strings; messages about the files go to `report`.
pub fn read(table: &dyn TableProvider, columns: &[&str], report: &Arc<ScanReport>) -> Result<Vec<Vec<String>>> {
    let column = |name: &&str| ScanColumn::Column(table.schema().index_of(name).expect("a column"));
    let request = ScanRequest {
        columns: columns.iter().map(column).collect(),
        prune: Vec::new(),
        filter: None,
        limit: None,
        batch_rows: 8_192,
        memory: ScanMemory::default(),
        sizes: ScanSizes::default(),
        stated: None,
        named_columns: Arc::default(),
        report: Arc::clone(report),
        counters: Arc::default(),
    };
    let mut rows = Vec::new();
    for partition in table.scan(&request)? {
        for batch in partition.read()? {
            let batch = batch?;
            let row =
                |row: usize| batch.columns().iter().map(|column| column.value(row).to_text().to_string()).collect();
            rows.extend((0..batch.rows()).map(row));
        }
    }
    Ok(rows)
}
