//! Columns that a known table does not have but its records do: custom columns of a transformation, and columns
//! that Microsoft added later. They are searched for if a query names them, and come after the columns of the
//! table.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::sync::Arc;

use super::super::sample::sample_files;
use super::FileTable;
use crate::diagnostic::{Error, Result};
use crate::scan::provenance::ProvenanceColumns;
use crate::source::column_file::ColumnFile;
use crate::source::table_membership;
use crate::source::text::{Inference, RecordSelection};
use crate::types::{Field, Schema, Type};

impl FileTable {
    /// Returns the table with further columns: those of `names` that it lacks and its records have. Returns None
    /// if there are none. Types are inferred from the first records of the files. With `exist`, the caller knows
    /// that all names exist; a name that was not found then becomes a string column, because a string can
    /// represent any value.
    ///
    /// # Errors
    /// The files cannot be read.
    pub(super) fn extended(&self, names: &BTreeSet<String>, exist: bool) -> Result<Option<Self>> {
        let Some(table) = self.selection.known() else { return Ok(None) };
        let lacking: BTreeSet<String> =
            names.iter().filter(|name| self.origins.schema.index_of(name).is_none()).cloned().collect();
        if lacking.is_empty() {
            return Ok(None);
        }
        let mut inference = Inference::of_extra(table, &lacking);
        let mut fields: Vec<Field> = Vec::new();
        sample_files(&mut inference, &self.files, self.limits, &mut |_, opened| {
            match opened.and_then(|opened| self.columns_of(&opened)) {
                Ok(columns) => add(&mut fields, columns.fields(), &lacking),
                // The scan reports this as damage.
                Err(Error::Data { .. } | Error::Io { .. }) => {}
                Err(error) => return Err(error),
            }
            Ok(ControlFlow::Continue(()))
        })?;
        add(&mut fields, &inference.into_fields(), &lacking);
        if exist {
            let strings: Vec<Field> = lacking.iter().map(|name| Field::new(name.clone(), Type::String)).collect();
            add(&mut fields, &strings, &lacking);
        }
        if fields.is_empty() {
            return Ok(None);
        }
        let table = table.with_columns(&fields);
        let selection = match &self.selection {
            RecordSelection::Table(_) => RecordSelection::Table(table),
            RecordSelection::BoundTable(_) => RecordSelection::BoundTable(table),
            _ => RecordSelection::AllKnownAs(table),
        };
        // If the caller knows that the columns exist, no note is needed.
        let added = if exist { Arc::default() } else { fields.into() };
        Ok(Some(Self { origins: ProvenanceColumns::none(selection.schema()), selection, added, ..self.clone() }))
    }

    /// Returns the columns of a columnar file; none if it has no rows of this table.
    fn columns_of(&self, opened: &ColumnFile) -> Result<Schema> {
        match self.selection.single_table() {
            Some(binding) if !table_membership::may_have_rows(opened, binding)? => Ok(Schema::new([])),
            _ => Ok(opened.columns()),
        }
    }
}

/// Adds the fields of `found` that are `lacking`; if several files have a column, the first one determines its
/// type.
fn add(fields: &mut Vec<Field>, found: &[Field], lacking: &BTreeSet<String>) {
    for field in found.iter().filter(|field| lacking.contains(&field.name)) {
        if !fields.iter().any(|known| known.name == field.name) {
            fields.push(field.clone());
        }
    }
}
