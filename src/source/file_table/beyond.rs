//! Columns that a known table does not have, but its records do: custom columns of a transformation, and what Microsoft
//! added since. They are found when a query names them, and stand after the columns of the table.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::sync::Arc;

use super::FileTable;
use crate::diagnostic::{Error, Result};
use crate::scan::provenance::ProvenanceColumns;
use crate::source::column_file::ColumnFile;
use crate::source::look::look_through;
use crate::source::text::{Inference, Rows};
use crate::types::{Field, Type};

impl FileTable {
    /// The table with those of the columns `names` that it lacks and its records have; None if there are none. Types
    /// are inferred from the first records of the files; names that are known to `exist`, but are not among these, are
    /// strings, which hold any value.
    ///
    /// # Errors
    /// The files cannot be read.
    pub(super) fn extended(&self, names: &BTreeSet<String>, exist: bool) -> Result<Option<Self>> {
        let Some(table) = self.rows.known() else { return Ok(None) };
        let lacking: BTreeSet<String> =
            names.iter().filter(|name| self.origins.schema.index_of(name).is_none()).cloned().collect();
        if lacking.is_empty() {
            return Ok(None);
        }
        let mut inference = Inference::beyond(table, &lacking);
        let mut fields: Vec<Field> = Vec::new();
        look_through(&mut inference, &self.files, self.limits, &mut |file| {
            match ColumnFile::of(file, self.limits) {
                Ok(opened) => add(&mut fields, opened.columns().fields(), &lacking),
                // Where it is read, that is damage.
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
        let rows = match &self.rows {
            Rows::Of(_) => Rows::Of(table),
            Rows::Bound(_) => Rows::Bound(table),
            _ => Rows::AllAs(table),
        };
        // Who knows that they exist needs no note of it.
        let added = if exist { Arc::default() } else { fields.into() };
        Ok(Some(Self { origins: ProvenanceColumns::none(rows.schema()), rows, added, ..self.clone() }))
    }
}

/// Adds the columns that are looked for; the first file that has one tells its type.
fn add(fields: &mut Vec<Field>, found: &[Field], lacking: &BTreeSet<String>) {
    for field in found.iter().filter(|field| lacking.contains(&field.name)) {
        if !fields.iter().any(|known| known.name == field.name) {
            fields.push(field.clone());
        }
    }
}
