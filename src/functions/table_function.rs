//! Functions that take a table and return a table. Plugins are computed with them.

use std::fmt::Debug;

use crate::diagnostic::Result;
use crate::types::{Batch, Column, Field};

/// A function that takes the rows of a table and returns the rows of another.
pub trait TableFunction: Debug + Send + Sync {
    /// Returns the name that plans and errors show.
    fn name(&self) -> &'static str;

    /// Returns the columns that the function adds; they follow the columns of the input that the plan keeps.
    fn fields(&self) -> Vec<Field>;

    /// True if the output for a row does not depend on other rows. The function is then called batch by batch;
    /// otherwise it is called once with all rows.
    fn is_row_wise(&self) -> bool {
        false
    }

    /// Returns the output for the rows of `arguments`.
    fn apply(&self, arguments: &Batch) -> Result<TableOutput>;
}

/// The rows that a table function returns.
#[derive(Debug)]
pub struct TableOutput {
    /// For each output row, the position of the input row whose columns are kept beside it. Empty if the plan keeps no
    /// columns.
    pub input_rows: Vec<u32>,
    /// The columns of the function, in the order of [`TableFunction::fields`].
    pub columns: Vec<Column>,
    /// The number of output rows.
    pub rows: usize,
}

impl TableOutput {
    /// Returns an output in which row `i` has the columns of the input row `input_rows[i]`, and those of the function.
    #[must_use]
    pub fn of_rows(input_rows: Vec<u32>, columns: Vec<Column>) -> Self {
        let rows = input_rows.len();
        Self { input_rows, columns, rows }
    }

    /// Returns an output that keeps no columns of the input.
    #[must_use]
    pub fn of_columns(columns: Vec<Column>) -> Self {
        let rows = columns.first().map_or(0, Column::rows);
        Self { input_rows: Vec::new(), columns, rows }
    }
}
