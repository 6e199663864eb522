//! rows_near: the rows near those for which a condition is true. The order of the rows counts.

use crate::diagnostic::Result;
use crate::functions::{TableFunction, TableOutput};
use crate::types::{Batch, Field};

/// The plugin rows_near. It returns the input rows near those for which its only argument is true.
#[derive(Debug)]
pub struct RowsNear {
    /// The number of rows to return before each such row.
    pub before: usize,
    /// The number of rows to return after each such row.
    pub after: usize,
}

impl TableFunction for RowsNear {
    fn name(&self) -> &'static str {
        "rows_near"
    }

    fn fields(&self) -> Vec<Field> {
        Vec::new()
    }

    fn apply(&self, arguments: &Batch) -> Result<TableOutput> {
        let condition = arguments.column(0);
        let (mut rows, mut next) = (Vec::new(), 0);
        for row in (0..arguments.rows()).filter(|row| condition.bool_at(*row) == Some(true)) {
            let end = row.saturating_add(self.after).saturating_add(1).min(arguments.rows());
            let start = row.saturating_sub(self.before).max(next);
            rows.extend((start..end).filter_map(|row| u32::try_from(row).ok()));
            next = next.max(end);
        }
        Ok(TableOutput::of_rows(rows, Vec::new()))
    }
}
