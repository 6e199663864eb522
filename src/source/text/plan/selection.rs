//! Selects the records that are rows of a table.

use crate::entra::KnownTable;
use crate::types::Schema;

/// A known table, and whether the user bound the files to it.
#[derive(Clone, Copy, Debug)]
pub struct TableBinding {
    /// The known table.
    pub table: &'static KnownTable,
    /// True if the user bound the files to the table: records without a table name then belong to it.
    pub is_bound: bool,
}

/// Tells which records are rows of a table.
#[derive(Clone, Debug)]
pub enum RecordSelection {
    /// The records of this known table.
    Table(&'static KnownTable),
    /// The records of this known table, and those that name no table.
    BoundTable(&'static KnownTable),
    /// The records of all known tables, with the columns of this table.
    AllKnownAs(&'static KnownTable),
    /// Every JSON object; its keys are the columns.
    AnyObjects(Schema),
    /// The records that name this unknown table; their keys are the columns.
    NamedTable(String, Schema),
}

impl RecordSelection {
    /// Returns the columns of the rows.
    #[must_use]
    pub fn schema(&self) -> &Schema {
        match self {
            Self::Table(table) | Self::BoundTable(table) | Self::AllKnownAs(table) => &table.schema,
            Self::AnyObjects(schema) | Self::NamedTable(_, schema) => schema,
        }
    }

    /// Returns the known table, if records of only one known table are selected, and whether the files are bound to
    /// it.
    #[must_use]
    pub fn single_table(&self) -> Option<TableBinding> {
        match self {
            Self::Table(table) => Some(TableBinding { table, is_bound: false }),
            Self::BoundTable(table) => Some(TableBinding { table, is_bound: true }),
            Self::AllKnownAs(_) | Self::AnyObjects(_) | Self::NamedTable(..) => None,
        }
    }

    /// True if the records that name this unknown table are selected.
    #[must_use]
    pub fn is_named(&self, name: &str) -> bool {
        matches!(self, Self::NamedTable(own, _) if own == name)
    }

    /// Returns the known table that defines the columns; None if the columns were inferred.
    pub(crate) fn known(&self) -> Option<&'static KnownTable> {
        match self {
            Self::Table(table) | Self::BoundTable(table) | Self::AllKnownAs(table) => Some(table),
            Self::AnyObjects(_) | Self::NamedTable(..) => None,
        }
    }
}
