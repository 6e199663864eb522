//! Reports what the records of a scan lack, and what was assumed about them.

use std::collections::BTreeSet;

use super::{PlannedColumn, PlannedSource, RecordSelection, SUCCESSES_ONLY, ScanPlan};
use crate::entra::differences;
use crate::entra::mapping::GraphVersions;
use crate::entra::portal;
use crate::entra::portal::PortalHeader;
use crate::entra::table::RESTORED;
use crate::entra::{ColumnSource, KnownTable, RowKind, union_names};
use crate::records::FramingNote;
use crate::scan::Damage;
use crate::source::text::classify::{RecordClass, RowClass};
use crate::source::text::key_tree::Slot;
use crate::types::Schema;

/// End of warnings about empty columns.
const NO_EVIDENCE: &str = "finding no rows is not evidence of absence";

/// Records of unrecognised shape, in messages.
const UNKNOWN_RECORDS: &str = "records of unrecognised shape";

/// Note about sign-ins of unknown kinds.
const UNKNOWN_KINDS: &str = "sign-ins whose signInEventTypes are not known are read by isInteractive, else by the name \
                             of their file, else as SigninLogs";

/// Errors that services returned, in messages.
const ERROR_ANSWERS: &str = "error answers";

impl ScanPlan {
    /// Reports that rows of a table called `name` are read as rows of the table to which they are bound.
    pub(crate) fn report_renamed(&self, name: &str, table: &KnownTable) {
        let rows = match name.ends_with(RESTORED) {
            true => "rows of a restored table".to_owned(),
            false => format!("rows of {:?}", name.chars().take(64).collect::<String>()),
        };
        self.log.report_once(&self.report, format!("{rows} are read as {}, to which they are bound", table.name));
    }

    /// Records the table or unrecognised shape of a class.
    pub(crate) fn note_seen(&self, class: &RecordClass) {
        let name = match class {
            RecordClass::Row(row) => match &self.selection {
                RecordSelection::BoundTable(table) if !row.certain => table.name.to_owned(),
                _ => row.table.name.to_owned(),
            },
            RecordClass::OtherTable(name) => name.chars().take(64).collect(),
            RecordClass::Unknown => return self.log.add_unrecognised(UNKNOWN_RECORDS),
        };
        self.report.note_table(&name);
        self.log.add_table(name);
    }

    /// Warns of requested columns that a columnar file lacks; `format` is its name in messages.
    pub(crate) fn report_missing(&self, file: &Schema, format: &str) {
        let Some(table) = self.selection.known() else { return };
        let has_any_of = |names: &[String]| names.iter().any(|name| file.index_of(name).is_some());
        let is_missing = |name: &&str| {
            let is_lacking = file.index_of(name).is_none() && !has_any_of(union_names(name));
            is_lacking && table.schema.index_of(name).is_some()
        };
        self.columns
            .iter()
            .map(|column| column.name.as_str())
            .filter(is_missing)
            .for_each(|name| self.report.lacks(name));
        let missing = self.wanted().filter(is_missing).map(str::to_owned).collect();
        self.warn_empty(&format!("is missing from some {format} files"), missing);
    }

    /// The names of the columns that the query uses.
    pub(super) fn wanted(&self) -> impl Iterator<Item = &str> {
        self.wanted_columns().map(|column| column.name.as_str())
    }

    /// The columns that the query uses. If it returns most columns without naming them, only those that it names.
    pub(super) fn wanted_columns(&self) -> impl Iterator<Item = &PlannedColumn> {
        let most = self.selection.known().is_some_and(|table| self.columns.len() > table.schema.len() / 2);
        let outputs = self.columns.iter().filter(move |column| !most || self.report.is_named(&column.name));
        self.filter_columns.iter().chain(outputs)
    }

    /// Warns of empty columns, one by one, or of many at once; `lack` says where a column is missing.
    pub(super) fn warn_empty(&self, lack: &str, columns: BTreeSet<String>) {
        const MANY: usize = 5;
        if columns.len() > MANY {
            let (count, first) = (columns.len(), columns.into_iter().next().unwrap_or_default());
            return self.report.warn(format!(
                "{first} and {} other columns that the query reads: each {lack}, so it is empty here: {NO_EVIDENCE}",
                count - 1
            ));
        }
        for column in columns {
            self.report.warn(format!("{column} {lack}, so it is empty here: {NO_EVIDENCE}"));
        }
    }

    /// Warns of requested columns that the header of a CSV file or saved query result lacks; `lacks` is true for the
    /// slots of such a column.
    pub(crate) fn report_lacking(&self, kind: RowKind, lacks: &dyn Fn(&[Slot]) -> bool) {
        if self.selection.known().is_none() {
            return;
        }
        let is_lacking = |column: &&PlannedColumn| match &column.sources[kind as usize] {
            PlannedSource::Keys(slots) => lacks(slots),
            _ => false,
        };
        self.columns.iter().filter(is_lacking).for_each(|column| self.report.lacks(&column.name));
        for PlannedColumn { name, .. } in self.wanted_columns().filter(is_lacking) {
            self.warn_empty("is missing from a CSV file or saved query result", BTreeSet::from([name.clone()]));
        }
    }

    /// Warns of requested columns that the header of a CSV of the admin center lacks, except those that no such header
    /// has.
    pub(crate) fn report_portal_lacks(&self, header: &PortalHeader) {
        let Some(table) = self.selection.known() else { return };
        let lacks = |column: &&PlannedColumn| {
            let paths = |index| table.mapping(index, RowKind::PortalCsv).paths();
            let is_read = |index| table.mapping(index, RowKind::PortalCsv).source != ColumnSource::Unsupplied;
            let index = table.schema.index_of(&column.name).filter(|index| is_read(*index));
            index.is_some_and(|index| paths(index).iter().all(|path| !header.supplies(&column.keys_after(path))))
        };
        let is_whole = |column: &&PlannedColumn| column.path.is_none();
        self.columns.iter().filter(is_whole).filter(lacks).for_each(|column| self.report.lacks(&column.name));
        let wanted = self.wanted_columns().filter(|column| !is_unsupplied_path(table, column, RowKind::PortalCsv));
        let lacking: BTreeSet<String> = wanted.filter(lacks).map(PlannedColumn::label).collect();
        let lack = match lacking.contains("IsInteractive") {
            true => "cannot be determined from the header or the name of a CSV file of the Entra admin center",
            false => "is missing from a CSV file of the Entra admin center",
        };
        self.warn_empty(lack, lacking);
    }

    /// Reports what the text around the records of `file` says about them; `offset` is its position.
    pub(crate) fn note(&self, note: &FramingNote, file: &str, offset: u64) {
        match note {
            FramingNote::Damage(damage) => self.report.damaged(damage.clone(), file, 1),
            FramingNote::Limit(text) => self.report.warn(format!("{file}: {text}")),
            FramingNote::Page(page) => {
                self.log.pages().add(file, offset, page);
            }
        }
    }

    /// Reports an error that a service returned in place of records.
    pub(crate) fn note_error_answer(&self, code: &str, file: &str) {
        self.log.add_unrecognised(ERROR_ANSWERS);
        self.report.damaged(Damage::ErrorAnswer(code.to_owned()), file, 1);
    }

    /// Reports missing pages, after all files were read.
    pub(crate) fn report_pages(&self) {
        let pages = std::mem::take(&mut *self.log.pages());
        pages.report(self.selection.single_table().map(|binding| binding.table), &self.report);
        self.report.keep_pages(pages);
    }

    /// Warns, after all files were read, if a file of a collector that may keep only successes has no failure.
    pub(crate) fn report_collector(&self) {
        if self.log.is_any_without_failure() {
            self.report.warn(format!(
                "{SUCCESSES_ONLY}* files: for large tenants their collector (DFIR-O365RC) keeps only successes, so finding \
                 no failures is not evidence of absence"
            ));
        }
    }

    /// Reports that rows are copies made by a search job.
    pub(crate) fn report_copied(&self) {
        let text = "search-job rows keep the TimeGenerated and table of the original rows";
        self.log.report_once(&self.report, text.to_owned());
    }

    /// Warns of requested columns that records of this shape do not export. Graph objects that are not complete are
    /// those of v1.0.
    pub(super) fn report_shape(&self, kind: RowKind, complete: bool, table: &KnownTable) {
        if let Some(time) = kind.sign_in_time().filter(|_| self.wanted().any(|name| name == "TimeGenerated")) {
            let shape = kind.describe();
            self.log.report_once(
                &self.report,
                format!("{shape} carry no TimeGenerated; {time} (the time of the sign-in) is used"),
            );
        }
        if matches!(kind, RowKind::Flat | RowKind::Az) && !complete {
            self.report_untimed(kind, table);
        }
        let v1 = kind.is_graph() && !complete;
        let shape = if v1 { "Microsoft Graph v1.0 records" } else { kind.describe() };
        let is_empty = |column: &&PlannedColumn| {
            let index = table.schema.index_of(&column.name);
            index.is_some_and(|index| is_unsupplied(table, index, kind, complete))
                || is_unsupplied_path(table, column, kind)
        };
        let empty = self.wanted_columns().filter(is_empty).map(PlannedColumn::label).collect();
        self.warn_empty(&format!("is not exported in {shape}"), empty);
        let told =
            self.wanted_columns().filter_map(|column| differences::difference(&column.name, column.first_key(), kind));
        told.for_each(|text| self.log.report_once(&self.report, text.to_owned()));
    }

    /// Reports which time is used in rows without `TimeGenerated`.
    fn report_untimed(&self, kind: RowKind, table: &KnownTable) {
        const TIME: &str = "TimeGenerated";
        let Some(index) = table.schema.index_of(TIME).filter(|_| self.wanted().any(|name| name == TIME)) else {
            return;
        };
        let paths = table.mapping(index, kind).paths();
        if let Some(other) = paths.iter().map(|path| path[0].as_ref()).find(|name| !name.ends_with(TIME)) {
            self.log.report_once(
                &self.report,
                format!("{} without TimeGenerated: {other} is used in its place", kind.describe()),
            );
        }
    }

    /// Reports which requested columns records of this class do not export, and what was assumed about them.
    pub(crate) fn report_unsupplied(&self, class: RowClass) {
        let Some(table) = self.selection.known() else { return };
        self.report_shape(class.kind, class.complete, table);
        if class.unknown_kind {
            self.log.report_once(&self.report, UNKNOWN_KINDS.to_owned());
        }
        if class.copied {
            self.report_copied();
        }
        if !class.certain {
            self.log.report_once(
                &self.report,
                format!("{} that do not name their table are read as {}", class.kind.describe(), table.name),
            );
        }
    }
}

fn is_unsupplied(table: &KnownTable, column: usize, kind: RowKind, complete: bool) -> bool {
    let mapping = table.mapping(column, kind);
    let version = kind.is_graph()
        && match mapping.versions {
            GraphVersions::All => false,
            GraphVersions::BetaOnly => !complete,
            GraphVersions::V1Only => complete,
        };
    version || mapping.source == ColumnSource::Unsupplied
}

/// True for a path into a dynamic column that no record of `kind` has, although such records have the column.
fn is_unsupplied_path(table: &KnownTable, column: &PlannedColumn, kind: RowKind) -> bool {
    let index = table.schema.index_of(&column.name).filter(|_| column.path.is_some() && kind == RowKind::PortalCsv);
    let paths = index.map(|index| table.mapping(index, kind).paths()).unwrap_or_default();
    !paths.is_empty() && paths.iter().all(|path| !portal::supplies(&column.keys_after(path)))
}
