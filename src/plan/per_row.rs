//! The per-row node: a plan that runs once for each row of another (`mv-apply`).

use super::{LogicalPlan, visit};
use crate::diagnostic::{Result, Span};
use crate::expr::Expr;
use crate::types::{Field, Schema, Type};

/// Runs the body for each row of the input, and repeats columns of the row beside the rows that the body returns.
///
/// The body reads [`RowColumns`]: it runs once for many rows of the input, whose numbers it carries along as its last
/// column, and keeps apart what belongs to different rows.
#[derive(Clone, Debug)]
pub struct PerRow {
    /// The input.
    pub input: Box<LogicalPlan>,
    /// The plan that runs for each row; its last column is the number of the row.
    pub body: Box<LogicalPlan>,
    /// The source of each output column.
    pub output: Vec<PerRowOutput>,
    /// The output columns.
    pub schema: Schema,
}

/// One output column of a [`PerRow`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PerRowOutput {
    /// The input's column, repeated.
    Input(usize),
    /// The body's column.
    Body(usize),
}

/// The leaf of the body of a [`PerRow`]: values of the input row, and its number.
#[derive(Clone, Debug)]
pub struct RowColumns {
    /// Expressions over the input of the node.
    pub columns: Vec<Expr>,
    /// A column for each expression; then, once the body carries it along, the number of the row.
    pub schema: Schema,
}

impl RowColumns {
    /// All columns of rows with `schema`, without the number of the row.
    #[must_use]
    pub fn all(schema: &Schema) -> Self {
        let column = |(index, field): (usize, &Field)| Expr::column(index, field.ty, Span::default());
        Self { columns: schema.fields().iter().enumerate().map(column).collect(), schema: schema.clone() }
    }

    /// Appends the number of the row as the last column.
    #[must_use]
    pub fn numbered(self) -> Self {
        let schema = Schema::new(self.schema.fields().iter().cloned().chain([row_number()]));
        Self { schema, ..self }
    }

    /// True if the last column is the number of the row.
    #[must_use]
    pub fn is_numbered(&self) -> bool {
        self.schema.len() > self.columns.len()
    }
}

/// Replaces each leaf of a body by `rows`, a plan with the same columns.
pub fn replace_rows(body: LogicalPlan, rows: &LogicalPlan) -> Result<LogicalPlan> {
    Ok(match body {
        LogicalPlan::Rows(_) => rows.clone(),
        LogicalPlan::PerRow(per_row) => {
            LogicalPlan::PerRow(PerRow { input: Box::new(replace_rows(*per_row.input, rows)?), ..per_row })
        }
        other => visit::map_inputs(other, &mut |input| replace_rows(input, rows))?,
    })
}

/// The column of the number of the row.
#[must_use]
pub fn row_number() -> Field {
    Field::new("row", Type::Long)
}

/// Calls `visit` with each leaf of the body of a [`PerRow`], but not with those of others inside it.
pub fn row_columns<'a>(body: &'a LogicalPlan, visit: &mut dyn FnMut(&'a RowColumns)) {
    match body {
        LogicalPlan::Rows(rows) => visit(rows),
        LogicalPlan::PerRow(per_row) => row_columns(&per_row.input, visit),
        other => visit::inputs(other).into_iter().for_each(|input| row_columns(input, visit)),
    }
}

/// Replaces each leaf of the body of a [`PerRow`], but not those of others inside it.
pub fn map_row_columns(body: LogicalPlan, replace: &dyn Fn(RowColumns) -> RowColumns) -> Result<LogicalPlan> {
    Ok(match body {
        LogicalPlan::Rows(rows) => LogicalPlan::Rows(replace(rows)),
        LogicalPlan::PerRow(per_row) => {
            LogicalPlan::PerRow(PerRow { input: Box::new(map_row_columns(*per_row.input, replace)?), ..per_row })
        }
        other => visit::map_inputs(other, &mut |input| map_row_columns(input, replace))?,
    })
}
