//! narrow: turns each cell of the input into a row.

use crate::diagnostic::Result;
use crate::functions::{TableFunction, TableOutput};
use crate::types::{Batch, ColumnBuilder, Field, Type};

/// The plugin narrow, which returns a row for each cell. The arguments are the columns of the input as strings.
#[derive(Debug)]
pub struct Narrow {
    /// The name of each argument.
    pub names: Vec<String>,
}

impl TableFunction for Narrow {
    fn name(&self) -> &'static str {
        "narrow"
    }

    fn fields(&self) -> Vec<Field> {
        let (row, text) = (Type::Long, Type::String);
        vec![Field::new("Row", row), Field::new("Column", text), Field::new("Value", text)]
    }

    fn apply(&self, arguments: &Batch) -> Result<TableOutput> {
        let [mut rows, mut names, mut values] = [Type::Long, Type::String, Type::String].map(ColumnBuilder::new);
        for row in 0..arguments.rows() {
            for (name, column) in self.names.iter().zip(arguments.columns()) {
                rows.append_i64(i64::try_from(row).unwrap_or(i64::MAX));
                names.append_text(name);
                values.append_text(column.text_at(row).unwrap_or_default());
            }
        }
        Ok(TableOutput::of_columns(vec![rows.finish(), names.finish(), values.finish()]))
    }
}
