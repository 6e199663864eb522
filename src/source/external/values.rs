//! Converts cells and JSON values to the declared types, as ingestion does: a value that its type cannot hold is null,
//! and reported as damage.

use std::borrow::Cow;
use std::sync::Arc;

use crate::scan::{Damage, ScanReport};
use crate::types::cast::Scalar;
use crate::types::dynamic::{self, Kind};
use crate::types::{Batch, ColumnBuilder, Schema, Type, Value};

/// Builds batches of rows of one file.
pub(super) struct RowBuilder<'a> {
    columns: &'a Schema,
    file: &'a str,
    report: &'a Arc<ScanReport>,
    builders: Vec<ColumnBuilder>,
    rows: usize,
    bytes: usize,
}

impl<'a> RowBuilder<'a> {
    pub(super) fn new(columns: &'a Schema, file: &'a str, report: &'a Arc<ScanReport>) -> Self {
        let builders = columns.fields().iter().map(|field| ColumnBuilder::new(field.ty)).collect();
        Self { columns, file, report, builders, rows: 0, bytes: 0 }
    }

    /// The number of rows so far.
    pub(super) fn count(&self) -> usize {
        self.rows
    }

    /// The approximate bytes of the rows so far.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Reports a record that cannot be read.
    pub(super) fn lose(&self, line: u64, reason: &str) {
        self.report.lost(self.file, format!("line {line}"), reason);
    }

    /// Adds a row. Missing cells are null; further ones have no column.
    pub(super) fn add_cells(&mut self, cells: &[Cow<'_, str>]) {
        for index in 0..self.builders.len() {
            let ty = self.columns.field(index).ty;
            let cell = cells.get(index).map_or("", |cell| cell);
            let value = if cell.is_empty() { Value::null(ty) } else { of_text(cell, ty) };
            self.add(index, &value, !cell.is_empty(), cell.len());
        }
        self.rows += 1;
    }

    /// Adds the row of an object. Columns are found by name; if a key occurs twice, its last value counts.
    pub(super) fn add_object(&mut self, object: &str) {
        let entries = dynamic::unique_entries(object);
        for index in 0..self.builders.len() {
            let field = self.columns.field(index);
            let json = entries.iter().find(|entry| entry.key.is(&field.name)).map_or("null", |entry| entry.value);
            self.add(index, &of_json(json, field.ty), dynamic::kind(json) != Kind::Null, json.len());
        }
        self.rows += 1;
    }

    /// Adds a value; one that is null although something `was_given` is reported.
    fn add(&mut self, index: usize, value: &Value, was_given: bool, bytes: usize) {
        if was_given && value.is_null() {
            let field = self.columns.field(index);
            let damage = match field.ty {
                Type::Datetime => Damage::UnreadableTime(field.name.clone()),
                ty => Damage::UnreadableValue(field.name.clone(), ty),
            };
            self.report.damaged(damage, self.file, 1);
        }
        self.builders[index].append(value);
        self.bytes += bytes;
    }

    /// Returns the rows so far as a batch; None if there are none.
    pub(super) fn finish(&mut self) -> Option<Batch> {
        let rows = std::mem::take(&mut self.rows);
        self.bytes = 0;
        (rows > 0).then(|| Batch::new(self.builders.iter_mut().map(ColumnBuilder::finish).collect(), rows))
    }
}

/// The value of a cell.
fn of_text(cell: &str, ty: Type) -> Value {
    match ty {
        Type::String => Value::string(cell),
        _ => Scalar::Text(cell).to_value(ty).unwrap_or_else(|_| Value::null(ty)),
    }
}

/// The value of a JSON value. Numbers are no times or identifiers.
fn of_json(json: &str, ty: Type) -> Value {
    let kind = dynamic::kind(json);
    let is_text = matches!(ty, Type::Datetime | Type::Timespan | Type::Guid);
    match kind {
        Kind::Null => Value::null(ty),
        Kind::String if ty == Type::Dynamic => Value::dynamic(dynamic::compact(json).into_owned()),
        Kind::String => {
            let text = dynamic::unescape(json);
            if text.is_empty() { Value::null(ty) } else { of_text(&text, ty) }
        }
        _ if is_text => of_text(json, ty),
        _ => Scalar::Json(json).to_value(ty).unwrap_or_else(|_| Value::null(ty)),
    }
}
