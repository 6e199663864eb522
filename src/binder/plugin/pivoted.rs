//! Rotates the cells of a pivot into a table.

use std::collections::HashMap;

use super::MAX_COLUMNS;
use crate::binder::naming::Names;
use crate::diagnostic::{Error, Result};
use crate::functions::plugin::dimension_keys::DimensionKeys;
use crate::functions::{TableFunction, TableOutput};
use crate::types::{Batch, Column, ColumnBuilder, Field, Schema, Type, Value, cast};

/// Rotates cells into declared columns: groups are found by their names, and all other names are values.
#[derive(Debug)]
pub(super) struct DeclaredPivot {
    /// The columns of the cells: the groups, the value, and the aggregate.
    pub cells: Schema,
    /// The value of cells that have no rows.
    pub default: Value,
    /// The output columns.
    pub columns: Vec<Field>,
}

impl TableFunction for DeclaredPivot {
    fn name(&self) -> &'static str {
        "pivot"
    }

    fn fields(&self) -> Vec<Field> {
        self.columns.clone()
    }

    fn apply(&self, arguments: &Batch) -> Result<TableOutput> {
        let pivoted = Pivoted::new(arguments, &self.cells, self.default.clone())?;
        let (schema, all) = pivoted.all();
        let column = |field: &Field| -> Result<Column> {
            let found = schema.index_of(&field.name);
            let mut builder = ColumnBuilder::new(field.ty);
            for row in 0..all.rows() {
                let value = found.map_or_else(|| self.default.clone(), |index| all.column(index).value(row));
                builder.append(&cast::cast(&value, field.ty)?);
            }
            Ok(builder.finish())
        };
        let columns = self.columns.iter().map(column).collect::<Result<_>>()?;
        Ok(TableOutput { input_rows: Vec::new(), columns, rows: all.rows() })
    }
}

/// A table after pivoting.
pub(super) struct Pivoted {
    groups: Vec<Field>,
    rows: DimensionKeys,
    /// The name of each new column, and its cells, by the index of the group.
    columns: Vec<(String, HashMap<usize, Value>)>,
    ty: Type,
    /// The value of cells that have no rows.
    default: Value,
}

impl Pivoted {
    /// Rotates `cells`, whose columns are the groups, the value, and the aggregate. Groups and values keep the order
    /// in which they first occur.
    pub(super) fn new(cells: &Batch, schema: &Schema, default: Value) -> Result<Self> {
        let groups = schema.fields()[..schema.len() - 2].to_vec();
        let group_columns: Vec<usize> = (0..groups.len()).collect();
        let mut names = Names::taken(groups.iter().map(|field| field.name.as_str()));
        let (mut rows, mut values) = (DimensionKeys::default(), DimensionKeys::default());
        let mut columns = Vec::<(String, HashMap<usize, Value>)>::new();
        for row in 0..cells.rows() {
            let column = values.number(cells, &[groups.len()], row);
            if column == MAX_COLUMNS {
                let message = format!("pivot would make more than {MAX_COLUMNS} columns");
                return Err(Error::Limit(message));
            }
            if column == columns.len() {
                let text = cast::cast(&values.values(column)[0], Type::String)?;
                columns.push((names.unique_or_numbered(text.as_str()), HashMap::new()));
            }
            let group = rows.number(cells, &group_columns, row);
            columns[column].1.insert(group, cells.column(groups.len() + 1).value(row));
        }
        let ty = schema.field(schema.len() - 1).ty;
        Ok(Self { groups, rows, columns, ty, default })
    }

    /// Returns all columns with their schema.
    pub(super) fn all(&self) -> (Schema, Batch) {
        let mut columns = self.rows.columns(&self.groups, 0..self.rows.len());
        let mut fields = self.groups.clone();
        for (name, cells) in &self.columns {
            let mut builder = ColumnBuilder::new(self.ty);
            (0..self.rows.len()).for_each(|row| builder.append(cells.get(&row).unwrap_or(&self.default)));
            columns.push(builder.finish());
            fields.push(Field::new(name, self.ty));
        }
        (Schema::new(fields), Batch::new(columns, self.rows.len()))
    }
}
