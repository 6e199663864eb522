//! Converts cells and JSON values to the declared types as ingestion does: a value that does not fit its type
//! becomes null and is reported as damage.

use std::borrow::Cow;
use std::sync::Arc;

use crate::scan::{Damage, ExternalColumn, ExternalSource, ScanReport};
use crate::types::cast::Scalar;
use crate::types::dynamic::{self, Kind, Step};
use crate::types::{Batch, ColumnBuilder, Schema, Type, Value};

/// Builds batches from the records of one file.
pub(super) struct RowBuilder<'a> {
    columns: &'a Schema,
    mapping: &'a [ExternalColumn],
    file: &'a str,
    report: &'a Arc<ScanReport>,
    builders: Vec<ColumnBuilder>,
    rows: usize,
    bytes: usize,
}

impl<'a> RowBuilder<'a> {
    pub(super) fn new(source: &'a ExternalSource, file: &'a str, report: &'a Arc<ScanReport>) -> Self {
        let (columns, mapping) = (&source.columns, source.mapping.as_slice());
        let builders = columns.fields().iter().map(|field| ColumnBuilder::new(field.ty)).collect();
        Self { columns, mapping, file, report, builders, rows: 0, bytes: 0 }
    }

    /// Returns the number of rows since the last batch.
    pub(super) fn count(&self) -> usize {
        self.rows
    }

    /// Returns the approximate size of the rows since the last batch, in bytes.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Reports the record at `line` as lost, because of `reason`.
    pub(super) fn lose(&self, line: u64, reason: &str) {
        self.report.lost(self.file, format!("line {line}"), reason);
    }

    /// Adds the row of a record of cells. Missing cells become null; cells without a column are ignored.
    pub(super) fn add_cells(&mut self, cells: &[Cow<'_, str>]) {
        for index in 0..self.builders.len() {
            let ty = self.columns.field(index).ty;
            let cell = match &self.mapping[index] {
                ExternalColumn::Cell(position) => cells.get(*position).map_or("", |cell| cell),
                ExternalColumn::Constant(text) => text,
                ExternalColumn::Path(_) | ExternalColumn::Missing => "",
            };
            let value = if cell.is_empty() { Value::null(ty) } else { of_text(cell, ty) };
            self.add(index, &value, !cell.is_empty(), cell.len());
        }
        self.rows += 1;
    }

    /// Adds the row of a JSON object. If a key occurs twice, its last value counts.
    pub(super) fn add_object(&mut self, object: &str) {
        let entries = dynamic::unique_entries(object);
        for index in 0..self.builders.len() {
            let field = self.columns.field(index);
            let json = match &self.mapping[index] {
                ExternalColumn::Path(path) => value_at(object, &entries, path),
                ExternalColumn::Constant(text) => {
                    let value = if text.is_empty() { Value::null(field.ty) } else { of_text(text, field.ty) };
                    self.add(index, &value, !text.is_empty(), text.len());
                    continue;
                }
                ExternalColumn::Cell(_) | ExternalColumn::Missing => "null",
            };
            self.add(index, &of_json(json, field.ty), dynamic::kind(json) != Kind::Null, json.len());
        }
        self.rows += 1;
    }

    /// Adds a value to the column at `index`. A null is reported as damage if the record `was_given` a value.
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

    /// Returns the rows since the last batch; None if there are none.
    pub(super) fn finish(&mut self) -> Option<Batch> {
        let rows = std::mem::take(&mut self.rows);
        self.bytes = 0;
        (rows > 0).then(|| Batch::new(self.builders.iter_mut().map(ColumnBuilder::finish).collect(), rows))
    }
}

/// Returns the JSON at `path` in an object; `null` if there is none. `entries` are the members of the object.
fn value_at<'j>(object: &'j str, entries: &[dynamic::Entry<'j>], path: &dynamic::Path) -> &'j str {
    match path.steps.as_slice() {
        [Step::Member(name)] => entries.iter().find(|entry| entry.key.is(name)).map_or("null", |entry| entry.value),
        _ => dynamic::extract(object, path).unwrap_or("null"),
    }
}

/// Converts the text of a cell to `ty`.
fn of_text(cell: &str, ty: Type) -> Value {
    match ty {
        Type::String => Value::string(cell),
        _ => Scalar::Text(cell).to_value(ty).unwrap_or_else(|_| Value::null(ty)),
    }
}

/// Converts a JSON value to `ty`. A number does not become a datetime, a timespan or a guid.
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
