//! Reports keys and columns of records that the table does not have.

use std::borrow::Cow;

use super::ScanEvents;
use super::reporting::shortened;
use crate::entra::{KnownTable, RowKind, union_names};
use crate::scan::provenance::Provenance;
use crate::scan::{ColumnNote, Damage};
use crate::source::text::classify::IGNORED_KEYS;
use crate::types::Schema;

/// Maximum number of names that a scan reports.
const MAX_UNKNOWN_NAMES: usize = 20;

impl ScanEvents {
    /// Reports a key in the records of a file for which the table has no column. If a column has the same name in
    /// another case, its values are most likely under this key, so the empty column is reported as damage.
    pub(crate) fn report_unknown_key(&self, key: &str, kind: RowKind, file: &str) {
        let is_row = matches!(kind, RowKind::Flat | RowKind::Az);
        let columns = self.plan.selection.known().filter(|_| is_row).map(|table| &table.schema);
        match columns.and_then(|schema| schema.names().find(|name| name.eq_ignore_ascii_case(key))) {
            Some(column) => self.report.damaged(Damage::KeyInOtherCase(key.to_owned(), column.to_owned()), file, 1),
            None => {
                self.note_extra_column(column_of(key, kind));
                self.report_unknown(key, |key, table| ColumnNote::UnknownKey { key, table });
            }
        }
    }

    /// Reports the columns of a columnar file that the table does not have, by the rule of
    /// [`Self::report_unknown_key`]. `format` is the name of its format in messages.
    pub(crate) fn report_unknown_columns(&self, file: &Schema, format: &'static str, name_of_file: &str) {
        let is_known = |name: &str| {
            let is_first_of = |path: &&[&str]| matches!(path, [first] if *first == name);
            IGNORED_KEYS.iter().any(is_first_of)
                || Provenance::ALL.iter().any(|column| column.name() == name)
                || self.plan.selection.known().is_some_and(|table| has_column(table, name))
        };
        for name in file.names().filter(|name| !is_known(name)) {
            let schema = self.plan.selection.known().map(|table| &table.schema);
            let other = schema.and_then(|schema| schema.names().find(|column| column.eq_ignore_ascii_case(name)));
            if let Some(column) = other {
                let damage = Damage::KeyInOtherCase(name.to_owned(), column.to_owned());
                self.report.damaged(damage, name_of_file, 1);
                continue;
            }
            self.note_extra_column(Cow::Borrowed(name));
            self.report_unknown(name, |column, table| ColumnNote::UnknownColumn { column, format, table });
        }
    }

    fn note_extra_column(&self, column: Cow<'_, str>) {
        // Provenance columns are not part of the exported data.
        if Provenance::ALL.iter().all(|of| of.name() != column) {
            self.report.note_extra_column(&column);
        }
    }

    fn report_unknown(&self, name: &str, note: impl Fn(String, Option<&'static str>) -> ColumnNote) {
        if self.log.unknown_names() < MAX_UNKNOWN_NAMES {
            let table = self.plan.selection.known().map(|table| table.name);
            self.report_once(note(shortened(name), table));
        }
    }
}

/// True if the table has a column of this name, or one from whose name `union` derives this name.
fn has_column(table: &KnownTable, name: &str) -> bool {
    let is_of = |column: &str| union_names(column).iter().any(|other| other == name);
    table.schema.index_of(name).is_some() || table.schema.names().any(is_of)
}

/// Returns the name of the column for a key in records of `kind`. Tables capitalise the keys of Graph objects;
/// `Mapping::by_name` finds the key by this name.
fn column_of(key: &str, kind: RowKind) -> Cow<'_, str> {
    match (kind, key.chars().next()) {
        (RowKind::Graph | RowKind::Diagnostic, Some(first)) if first.is_ascii_lowercase() => {
            Cow::Owned(format!("{}{}", first.to_ascii_uppercase(), &key[1..]))
        }
        _ => Cow::Borrowed(key),
    }
}
