//! The per-row node: runs a plan once for each row of another plan (`mv-apply`).

use super::{LogicalPlan, visit};
use crate::diagnostic::{Result, Span};
use crate::expr::Expr;
use crate::types::{Field, Schema, Type};

/// Runs a plan, the body, for each row of the input. The output rows have columns of the input row beside those that
/// the body returns for it.
///
/// The body begins with [`RowColumns`]. In fact it runs once for many input rows. It keeps the number of the input row
/// as its last column, and never combines rows that belong to different input rows.
#[derive(Clone, Debug)]
pub struct PerRow {
    /// The plan that returns the input rows.
    pub input: Box<LogicalPlan>,
    /// The plan that runs for each row; its last column is the number of the row.
    pub body: Box<LogicalPlan>,
    /// What each output column contains.
    pub output: Vec<PerRowOutput>,
    /// The output columns.
    pub schema: Schema,
}

/// What an output column of a [`PerRow`] contains.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PerRowOutput {
    /// The input column at this position, repeated for each row of the body.
    Input(usize),
    /// The column of the body at this position.
    Body(usize),
}

/// The rows with which the body of a [`PerRow`] begins: values of the input row, and its number.
#[derive(Clone, Debug)]
pub struct RowColumns {
    /// The values, as expressions over the columns of the node's input.
    pub columns: Vec<Expr>,
    /// A column for each expression. The number of the row follows, once the body keeps it.
    pub schema: Schema,
}

impl RowColumns {
    /// Returns all columns of rows with `schema`, without the number of the row.
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

/// Replaces the rows that a body begins with by `rows`, a plan with the same columns.
pub fn replace_rows(body: LogicalPlan, rows: &LogicalPlan) -> Result<LogicalPlan> {
    Ok(match body {
        LogicalPlan::Rows(_) => rows.clone(),
        LogicalPlan::PerRow(per_row) => {
            LogicalPlan::PerRow(PerRow { input: Box::new(replace_rows(*per_row.input, rows)?), ..per_row })
        }
        other => visit::map_inputs(other, &mut |input| replace_rows(input, rows))?,
    })
}

/// Returns the column of the number of the row.
#[must_use]
pub fn row_number() -> Field {
    Field::new("row", Type::Long)
}

/// Calls `visit` with each [`RowColumns`] of the body of a [`PerRow`], but not with those of the bodies inside it.
pub fn row_columns<'a>(body: &'a LogicalPlan, visit: &mut dyn FnMut(&'a RowColumns)) {
    match body {
        LogicalPlan::Rows(rows) => visit(rows),
        LogicalPlan::PerRow(per_row) => row_columns(&per_row.input, visit),
        other => visit::inputs(other).into_iter().for_each(|input| row_columns(input, visit)),
    }
}

/// Replaces each [`RowColumns`] of the body of a [`PerRow`], but not those of the bodies inside it.
pub fn map_row_columns(body: LogicalPlan, replace: &dyn Fn(RowColumns) -> RowColumns) -> Result<LogicalPlan> {
    Ok(match body {
        LogicalPlan::Rows(rows) => LogicalPlan::Rows(replace(rows)),
        LogicalPlan::PerRow(per_row) => {
            LogicalPlan::PerRow(PerRow { input: Box::new(map_row_columns(*per_row.input, replace)?), ..per_row })
        }
        other => visit::map_inputs(other, &mut |input| map_row_columns(input, replace))?,
    })
}
