//! Determines whether a record is a row of the table, and whether it identifies the table of its file.

use std::sync::Arc;

use super::super::classify::{RecordClass, RowClass, row, table_of_path};
use super::super::events::may_lack_failures;
use super::super::plan::RecordSelection;
use super::JsonReader;
use crate::entra::{KnownTable, RowKind};
use crate::records::ColumnHeader;
use crate::scan::Damage;
use crate::types::dynamic;

/// Maximum number of record classes that are remembered as reported.
const MAX_SEEN_CLASSES: usize = 64;

/// The kind of a row, and its table; None for a table that is not known.
pub(super) struct TableRow {
    pub kind: RowKind,
    pub table: Option<&'static KnownTable>,
}

impl JsonReader {
    /// True for a record of unrecognised shape or without a table name: it may wrap other records under an unusual
    /// key.
    pub(super) fn may_hold_records(&self, class: Option<&RecordClass>) -> bool {
        match class {
            Some(RecordClass::Unknown) => true,
            Some(RecordClass::Row(row)) => !row.certain && row.kind == RowKind::Flat && !self.file.is_generated,
            Some(RecordClass::OtherTable(_)) | None => false,
        }
    }

    /// Returns the class of a record in files that are bound to a table which is read only by name. A record that
    /// names no table, but has columns of the bound table, is a row of it.
    pub(super) fn as_bound_row(
        &self,
        class: RecordClass,
        record: &str,
        header: Option<&Arc<ColumnHeader>>,
    ) -> RecordClass {
        let RecordSelection::BoundTable(table) = self.plan.selection else { return class };
        if class != RecordClass::Unknown || !table.by_name {
            return class;
        }
        let is_column = |name: &str| table.schema.index_of(name).is_some();
        let has_column = match header {
            Some(header) => header.names.iter().any(|name| is_column(name)),
            None => dynamic::unique_entries(record).iter().any(|entry| is_column(&entry.key.text())),
        };
        if has_column { row(RowKind::Flat, table, false, false) } else { class }
    }

    /// Returns how a record of this class is read. Err(None) means a row of another table, Err(Some(_)) a record of
    /// no known table.
    pub(super) fn row_of(&mut self, class: Option<RecordClass>, file: &str) -> Result<TableRow, Option<Damage>> {
        let Some(mut class) = class else {
            self.shape_known = true;
            return Ok(TableRow { kind: RowKind::Flat, table: None });
        };
        if let RecordClass::Row(row) = &mut class
            && !row.certain
            && let Some(table) = table_of_path(file)
        {
            (row.table, row.certain) = (table, true);
        }
        if let RecordClass::OtherTable(name) = &class
            && let Some(renamed) = self.events.renamed(name)
        {
            class = renamed;
        }
        self.shape_known |= matches!(class, RecordClass::Row(_) | RecordClass::OtherTable(_));
        if !self.seen_classes.contains(&class) {
            self.report_class(&class);
        }
        let damage = match &class {
            RecordClass::Row(row) => {
                let table = self.plan.selection.single_table().map_or(row.table, |own| own.table);
                return if self.plan.accepts(*row) {
                    Ok(TableRow { kind: row.kind, table: Some(table) })
                } else {
                    Err(None)
                };
            }
            RecordClass::OtherTable(name) if self.plan.selection.is_named(name) => {
                return Ok(TableRow { kind: RowKind::Flat, table: None });
            }
            RecordClass::OtherTable(name) if self.plan.may_be_requested(name) => {
                let wanted = self.plan.selection.single_table().map_or("", |own| own.table.name);
                Damage::SimilarTable(name.clone(), wanted.to_owned())
            }
            RecordClass::OtherTable(_) if !matches!(self.plan.selection, RecordSelection::AllKnownAs(_)) => {
                return Err(None);
            }
            RecordClass::OtherTable(name) => Damage::UnknownTable(name.clone()),
            RecordClass::Unknown => Damage::UnrecognisedRecords,
        };
        self.findings.add_damage(damage.clone(), 1);
        Err(Some(damage))
    }

    /// Reports a class of records when its first record is read.
    pub(super) fn report_class(&mut self, class: &RecordClass) {
        if self.seen_classes.len() < MAX_SEEN_CLASSES {
            self.seen_classes.push(class.clone());
        }
        self.events.note_seen(class);
        if let RecordClass::Row(row @ RowClass { .. }) = class
            && self.plan.accepts(*row)
        {
            self.events.report.note_shape(&row.kind.shape(row.complete));
            self.events.report_unsupplied(*row);
        }
    }

    /// Learns from a row about its file: which columns the file lacks, who wrote it, whether it has failures.
    /// `is_row` is true if the record is an array of cells.
    pub(super) fn learn_of_file(&mut self, kind: RowKind, record: &str, is_row: bool) {
        if !self.file.compared && (is_row || self.file.is_generated) && matches!(kind, RowKind::Flat | RowKind::Az) {
            self.file.compared = true;
            let lacks = |slots: &[usize]| slots.iter().all(|&slot| self.scanner.value(slot, record).is_none());
            self.events.report_lacking(kind, &lacks);
        }
        if let Some(header) = self.file.header.take_if(|_| kind == RowKind::PortalCsv) {
            self.events.report_portal_lacks(&header);
        }
        if self.file.kind.is_none() {
            self.file.kind = Some(kind);
            self.file.failed = may_lack_failures(kind, &self.file.name).then_some(false);
        }
        if self.file.failed == Some(false) {
            let failed = is_failure(record.as_bytes());
            self.file.failed = Some(failed);
            self.events.log.add_failures(self.file.index, failed);
        }
    }
}

/// True for a record with an error code other than 0, also if the code is inside a string.
fn is_failure(record: &[u8]) -> bool {
    const KEY: &[u8] = b"rrorCode\"";
    memchr::memmem::find_iter(record, KEY).any(|at| {
        let value = record[at + KEY.len()..].iter().find(|byte| !matches!(byte, b' ' | b':' | b'"'));
        matches!(value, Some(b'1'..=b'9'))
    })
}
