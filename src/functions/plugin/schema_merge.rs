//! schema_merge: merges schemas that `getschema` returned.
//!
//! Source: the reference's page on the plugin, and results of the engine for the order of the columns.

use crate::diagnostic::{Code, Diagnostic, Error, Result, Span};
use crate::functions::{TableFunction, TableOutput};
use crate::types::{Batch, ColumnBuilder, Field, Type};

/// The type that is returned for a column whose position differs between the schemas.
const OUT_OF_ORDER: &str = "ERROR(columns are out of order)";

/// The plugin schema_merge. The arguments are the name, the position, the .NET type and the Kusto type of a column.
#[derive(Debug)]
pub struct SchemaMerge {
    /// True if a column must have the same position in all schemas.
    pub preserves_order: bool,
    /// The position of the call in the query.
    pub span: Span,
}

/// A column of the merged schema.
struct MergedColumn {
    name: String,
    /// The largest position of the column in any schema.
    position: i64,
    data_type: String,
    column_type: String,
    is_misplaced: bool,
}

impl SchemaMerge {
    fn merged(&self, arguments: &Batch) -> Result<Vec<MergedColumn>> {
        let mut columns = Vec::<MergedColumn>::new();
        let text = |index: usize, row| arguments.column(index).text_at(row).unwrap_or_default().to_owned();
        for row in 0..arguments.rows() {
            let (name, position) = (text(0, row), arguments.column(1).i64_at(row).unwrap_or_default());
            let (data_type, column_type) = (text(2, row), text(3, row));
            let Some(column) = columns.iter_mut().find(|column| column.name == name) else {
                columns.push(MergedColumn { name, position, data_type, column_type, is_misplaced: false });
                continue;
            };
            if column.column_type != column_type {
                let message = format!(
                    "schema_merge: the column `{name}` is {} and {column_type}; merging types is not supported yet",
                    column.column_type
                );
                return Err(Error::Query(vec![Diagnostic::new(Code::UnsupportedSyntax, self.span, message)]));
            }
            column.is_misplaced |= self.preserves_order && column.position != position;
            column.position = column.position.max(position);
        }
        columns.sort_by_key(|column| (column.is_misplaced, column.position));
        Ok(columns)
    }
}

impl TableFunction for SchemaMerge {
    fn name(&self) -> &'static str {
        "schema_merge"
    }

    fn fields(&self) -> Vec<Field> {
        let text = |name: &str| Field::new(name, Type::String);
        vec![text("ColumnName"), Field::new("ColumnOrdinal", Type::Long), text("DataType"), text("ColumnType")]
    }

    fn apply(&self, arguments: &Batch) -> Result<TableOutput> {
        let [mut names, mut positions, mut data_types, mut column_types] =
            [Type::String, Type::Long, Type::String, Type::String].map(ColumnBuilder::new);
        for (position, column) in self.merged(arguments)?.iter().enumerate() {
            names.append_text(&column.name);
            if column.is_misplaced {
                positions.append_i64(-1);
                data_types.append_text(&format!("ERROR(unknown CSL type:{OUT_OF_ORDER})"));
                column_types.append_text(OUT_OF_ORDER);
            } else {
                positions.append_i64(i64::try_from(position).unwrap_or(i64::MAX));
                data_types.append_text(&column.data_type);
                column_types.append_text(&column.column_type);
            }
        }
        let columns = [names, positions, data_types, column_types].map(|mut builder| builder.finish());
        Ok(TableOutput::of_columns(columns.to_vec()))
    }
}
