//! The tables that the rows of a columnar file name in their `Type` column.
//!
//! Row groups whose statistics show a single value are not read; of the others, only this column is read. So the
//! tables in a file are known even if a query skips most of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array, AsArray};
use arrow::datatypes::Int32Type;

use super::column_file::ColumnFile;
use super::replaced_columns::ReplacedColumns;
use crate::diagnostic::Result;
use crate::parquet::FileInTable;
use crate::scan::provenance::ProvenanceColumns;
use crate::scan::{ScanColumn, ScanReport, ScanRequest};
use crate::types::{Column, Field, Schema, Type};

/// Maximum number of distinct values that are counted. A column with more values does not contain table names.
const MAX_NAMES: usize = 1_000;

/// Number of rows in a batch.
const BATCH_ROWS: usize = 8 * 1024;

/// The values of the `Type` column of a file, with the number of rows that have each value.
#[derive(Debug, Default)]
pub(crate) struct TypeValues {
    /// Number of rows by value; "" for rows without a value.
    pub rows: BTreeMap<String, u64>,
    /// False if some rows could not be read, or if there are more than [`MAX_NAMES`] values.
    pub is_complete: bool,
}

impl TypeValues {
    /// Reads the values of `file`. A row copied by a search job counts under the name of its original table.
    ///
    /// # Errors
    /// The file cannot be opened, or its server does not answer. Damage only makes the result incomplete.
    pub fn of(file: &ColumnFile) -> Result<Self> {
        let own = ProvenanceColumns::none(&Schema::new([Field::new("Type", Type::String)]));
        let replaced_columns = ReplacedColumns::of(&file.columns(), &own);
        let report = Arc::new(ScanReport::default());
        let request = request(Arc::clone(&report));
        let parts = match &replaced_columns {
            None => file.partitions_of(&FileInTable::new(own, 0), &request)?,
            Some(replaced_columns) => {
                let rows = FileInTable::new(replaced_columns.origins.clone(), 0);
                replaced_columns.restored(&request, file.partitions_of(&rows, &replaced_columns.request(&request))?)
            }
        };
        let mut values = Self { rows: BTreeMap::new(), is_complete: true };
        for part in parts {
            for batch in part.read()? {
                values.add(batch?.column(0));
            }
        }
        values.is_complete &= report.problems().is_empty();
        Ok(values)
    }

    fn add(&mut self, column: &Column) {
        if column.as_constant().is_some() {
            return self.count(column.text_at(0).unwrap_or_default(), column.rows());
        }
        if let Some(dictionary) = column.as_array().and_then(|array| array.as_dictionary_opt::<Int32Type>())
            && let Some(strings) = dictionary.values().as_string_opt::<i32>()
        {
            let mut rows = vec![0; strings.len()];
            let codes = dictionary.keys().iter().flatten();
            codes.filter_map(|code| usize::try_from(code).ok()).for_each(|code| rows[code] += 1);
            let nulls = dictionary.keys().null_count();
            return strings.iter().zip(rows).chain([(None, nulls)]).for_each(|(value, rows)| {
                self.count(value.unwrap_or_default(), rows);
            });
        }
        let mut row = 0;
        while row < column.rows() {
            let value = column.text_at(row).unwrap_or_default();
            let same = (row..column.rows()).take_while(|&row| column.text_at(row).unwrap_or_default() == value).count();
            self.count(value, same);
            row += same.max(1);
        }
    }

    fn count(&mut self, value: &str, rows: usize) {
        if rows == 0 {
            return;
        }
        let rows = rows as u64;
        if let Some(known) = self.rows.get_mut(value) {
            *known += rows;
        } else if self.rows.len() < MAX_NAMES {
            self.rows.insert(value.to_owned(), rows);
        } else {
            self.is_complete = false;
        }
    }
}

fn request(report: Arc<ScanReport>) -> ScanRequest {
    ScanRequest {
        columns: vec![ScanColumn::Column(0)],
        prune: Vec::new(),
        filter: None,
        limit: None,
        batch_rows: BATCH_ROWS,
        memory: crate::scan::ScanMemory::default(),
        sizes: crate::scan::ScanSizes::default(),
        stated: None,
        named_columns: Arc::default(),
        report,
        counters: Arc::default(),
    }
}
