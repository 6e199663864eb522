//! Reports what the records of a scan lack, and what the scan assumed about them.

use std::collections::BTreeSet;

use super::{SUCCESSES_ONLY, ScanEvents};
use crate::entra::differences;
use crate::entra::mapping::GraphVersions;
use crate::entra::portal;
use crate::entra::portal::PortalHeader;
use crate::entra::table::RESTORED;
use crate::entra::{ColumnSource, KnownTable, RowKind, union_names};
use crate::records::FramingNote;
use crate::scan::{ColumnNote, Damage, EmptyReason, Note, UnnamedRows, Warning};
use crate::source::text::classify::{RecordClass, RowClass};
use crate::source::text::inner_records::StreamedResults;
use crate::source::text::key_tree::ValueSlot;
use crate::source::text::plan::{PlannedColumn, PlannedSource, RESULT, RecordSelection, keys_after};
use crate::types::{Schema, dynamic};

/// Describes records of unrecognised shape in messages.
const UNKNOWN_RECORDS: &str = "records of unrecognised shape";

/// The column with the time of a row.
const TIME: &str = "TimeGenerated";

/// Describes errors that services returned in messages.
const ERROR_ANSWERS: &str = "error answers";

impl ScanEvents {
    /// Reports that rows of a table called `name` are read as rows of `table`, to which their file is bound.
    pub(crate) fn report_renamed(&self, name: &str, table: &KnownTable) {
        let name = (!name.ends_with(RESTORED)).then(|| shortened(name));
        self.report_once(Note::Renamed { name, table: table.name });
    }

    /// Records that the files contain the table, or the unrecognised shape, of `class`.
    pub(crate) fn note_seen(&self, class: &RecordClass) {
        let name = match class {
            RecordClass::Row(row) => match &self.plan.selection {
                RecordSelection::BoundTable(table) if !row.certain => table.name.to_owned(),
                _ => row.table.name.to_owned(),
            },
            RecordClass::OtherTable(name) => shortened(name),
            RecordClass::Unknown => return self.log.add_unrecognised(UNKNOWN_RECORDS),
        };
        self.report.note_table(&name);
        self.log.add_table(name);
    }

    /// True if the query reads the result of sign-ins.
    pub(crate) fn needs_result(&self) -> bool {
        let is_sign_in = self.plan.selection.known().is_some_and(|table| table.category.ends_with("SignInLogs"));
        is_sign_in && self.plan.wanted().any(|name| name == RESULT)
    }

    /// Warns of requested columns that a columnar file lacks. `format` is the name of its format in messages.
    pub(crate) fn report_missing(&self, file: &Schema, format: &'static str) {
        let Some(table) = self.plan.selection.known() else { return };
        let has_any_of = |names: &[String]| names.iter().any(|name| file.index_of(name).is_some());
        let is_missing = |name: &&str| {
            let is_lacking = file.index_of(name).is_none() && !has_any_of(union_names(name));
            is_lacking && table.schema.index_of(name).is_some()
        };
        self.plan
            .columns
            .iter()
            .map(|column| column.name.as_str())
            .filter(is_missing)
            .for_each(|name| self.report.lacks(name));
        let missing = self.plan.wanted().filter(is_missing).map(str::to_owned).collect();
        self.warn_empty(EmptyReason::MissingFromFiles(format), missing);
    }

    /// Reports the `rows` of a columnar file that lacks the time or the result, if the query reads it.
    pub(crate) fn report_rows_without(&self, columns: &Schema, file: &str, rows: u64) {
        let is_lacking = |name: &str| {
            columns.index_of(name).is_none() && union_names(name).iter().all(|name| columns.index_of(name).is_none())
        };
        let reads_time = self.plan.selection.known().is_some() && self.plan.wanted().any(|name| name == TIME);
        if rows > 0 && reads_time && is_lacking(TIME) {
            self.report.damaged(Damage::MissingTime(TIME.to_owned()), file, rows);
        }
        if rows > 0 && self.needs_result() && is_lacking(RESULT) {
            self.report.damaged(Damage::MissingResult(RESULT.to_owned()), file, rows);
        }
    }

    /// Warns of empty columns: one by one, or with one warning if there are many.
    pub(super) fn warn_empty(&self, reason: EmptyReason, columns: BTreeSet<String>) {
        const MANY: usize = 5;
        if columns.len() > MANY {
            let (others, first) = (columns.len() - 1, columns.into_iter().next().unwrap_or_default());
            return self.report.warn(Warning::EmptyColumns { first, others, reason });
        }
        for column in columns {
            self.report.warn(Warning::EmptyColumn { column, reason });
        }
    }

    /// Warns of requested columns that a CSV file or saved query result lacks. `lacks` is true for the slots of a
    /// column that its header does not have.
    pub(crate) fn report_lacking(&self, kind: RowKind, lacks: &dyn Fn(&[ValueSlot]) -> bool) {
        if self.plan.selection.known().is_none() {
            return;
        }
        let is_lacking = |column: &&PlannedColumn| match &column.sources[kind as usize] {
            PlannedSource::Keys(slots) => lacks(slots),
            _ => false,
        };
        self.plan.columns.iter().filter(is_lacking).for_each(|column| self.report.lacks(&column.name));
        let lacking = self.plan.wanted_columns().filter(is_lacking);
        self.warn_empty(EmptyReason::MissingFromCsv, lacking.map(|column| column.name.clone()).collect());
    }

    /// Warns of requested columns that the header of a CSV of the admin center lacks. Columns that no such header has
    /// are not reported here.
    pub(crate) fn report_portal_lacks(&self, header: &PortalHeader) {
        let Some(table) = self.plan.selection.known() else { return };
        let lacks = |column: &&PlannedColumn| {
            let paths = |index| table.mapping(index, RowKind::PortalCsv).paths();
            let is_read = |index| table.mapping(index, RowKind::PortalCsv).source != ColumnSource::Unsupplied;
            let index = table.schema.index_of(&column.name).filter(|index| is_read(*index));
            index.is_some_and(|index| paths(index).iter().all(|path| !header.supplies(&column.keys_after(path))))
        };
        let is_whole = |column: &&PlannedColumn| column.path.is_none();
        self.plan.columns.iter().filter(is_whole).filter(lacks).for_each(|column| self.report.lacks(&column.name));
        let is_supplied = |column: &&PlannedColumn| {
            !is_unsupplied_path(table, &column.name, column.path.as_ref(), RowKind::PortalCsv)
        };
        let wanted = self.plan.wanted_columns().filter(is_supplied);
        let lacking: BTreeSet<String> = wanted.filter(lacks).map(PlannedColumn::label).collect();
        let reason = match lacking.contains("IsInteractive") {
            true => EmptyReason::UndeterminedInPortalCsv,
            false => EmptyReason::MissingFromPortalCsv,
        };
        self.warn_empty(reason, lacking);
    }

    /// Reports what the text around the records of `file` says about them, such as a link to a further page. `offset`
    /// is its position.
    pub(crate) fn note(&self, note: &FramingNote, file: &str, offset: u64) {
        match note {
            FramingNote::Damage(damage) => self.report.damaged(damage.clone(), file, 1),
            FramingNote::Limit(limit) => {
                self.report.warn(Warning::RowLimit { file: file.to_owned(), limit: *limit });
            }
            FramingNote::Page(page) => {
                self.log.pages().add(file, offset, page);
            }
        }
    }

    /// Reports an error that a service returned instead of records.
    pub(crate) fn note_error_answer(&self, code: &str, file: &str) {
        self.log.add_unrecognised(ERROR_ANSWERS);
        self.report.damaged(Damage::ErrorAnswer(code.to_owned()), file, 1);
    }

    /// Reports missing pages of paged responses; called after all files were read.
    pub(crate) fn report_pages(&self) {
        let pages = std::mem::take(&mut *self.log.pages());
        pages.report(self.plan.selection.single_table().map(|binding| binding.table), &self.report);
        self.report.keep_pages(pages);
    }

    /// Reports files that have previews of streamed searches; called after all files were read. It is damage if a
    /// file has no final results, because rows are missing then.
    pub(crate) fn report_previews(&self) {
        for (file, StreamedResults { previews, is_final }) in self.log.streamed() {
            match is_final {
                _ if previews == 0 => {}
                true => self.report.note_times(ColumnNote::PreviewRows, previews),
                false => self.report.damaged(Damage::OnlyPreviews, &file, previews),
            }
        }
    }

    /// Warns if a file of a collector that may keep only successes has no failure; called after all files were read.
    pub(crate) fn report_collector(&self) {
        if self.log.is_any_without_failure() {
            self.report.warn(Warning::SuccessesOnly { file_prefix: SUCCESSES_ONLY });
        }
    }

    /// Reports that rows which do not name their table are read as those of `table`.
    pub(crate) fn report_assumed(&self, rows: UnnamedRows, table: &KnownTable) {
        self.report_once(Note::TableAssumed { rows, table: table.name });
    }

    /// Reports that rows are copies made by a search job.
    pub(crate) fn report_copied(&self) {
        self.report_once(Note::SearchJobRows);
    }

    /// Warns of requested columns that records of this shape do not export. Graph objects that are not `complete` are
    /// those of v1.0.
    pub(super) fn report_shape(&self, kind: RowKind, complete: bool, table: &KnownTable) {
        if let Some(time) = kind.sign_in_time().filter(|_| self.plan.wanted().any(|name| name == "TimeGenerated")) {
            self.report_once(ColumnNote::SignInTime { kind, time });
        }
        if matches!(kind, RowKind::Flat | RowKind::Az) && !complete {
            self.report_untimed(kind, table);
        }
        let is_empty = |column: &&PlannedColumn| {
            let index = table.schema.index_of(&column.name);
            index.is_some_and(|index| is_unsupplied(table, index, kind, complete))
                || is_unsupplied_path(table, &column.name, column.path.as_ref(), kind)
        };
        let mut empty: BTreeSet<String> =
            self.plan.wanted_columns().filter(is_empty).map(PlannedColumn::label).collect();
        let paths = self.plan.named_columns.paths.iter();
        let paths = paths.filter(|(column, path)| is_unsupplied_path(table, column, Some(path), kind));
        empty.extend(paths.map(|(column, path)| format!("{column}{path}")));
        self.warn_empty(EmptyReason::NotExported { kind, is_v1: kind.is_graph() && !complete }, empty);
        let told = self
            .plan
            .wanted_columns()
            .filter_map(|column| differences::difference(&column.name, column.first_key(), kind));
        told.for_each(|text| self.report_once(ColumnNote::ValueDifference(text)));
    }

    /// Reports which time stands for `TimeGenerated` in rows without it.
    fn report_untimed(&self, kind: RowKind, table: &KnownTable) {
        const TIME: &str = "TimeGenerated";
        let Some(index) = table.schema.index_of(TIME).filter(|_| self.plan.wanted().any(|name| name == TIME)) else {
            return;
        };
        let paths = table.mapping(index, kind).paths();
        if let Some(other) = paths.iter().map(|path| path[0].as_ref()).find(|name| !name.ends_with(TIME)) {
            self.report_once(ColumnNote::OtherTime { kind, time: other.to_owned() });
        }
    }

    /// Reports which requested columns the records of this class do not export, and what was assumed about the
    /// records.
    pub(crate) fn report_unsupplied(&self, class: RowClass) {
        let Some(table) = self.plan.selection.known() else { return };
        self.report_shape(class.kind, class.complete, table);
        if class.unknown_kind {
            self.report_once(Note::UnknownSignInKinds);
        }
        if class.copied {
            self.report_copied();
        }
        if !class.certain {
            self.report_assumed(UnnamedRows::Records(class.kind), table);
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

/// True if no record of `kind` has the member of a dynamic column to which `path` leads, although such records have
/// the column.
fn is_unsupplied_path(table: &KnownTable, column: &str, path: Option<&dynamic::Path>, kind: RowKind) -> bool {
    let index = table.schema.index_of(column).filter(|_| path.is_some() && kind == RowKind::PortalCsv);
    let paths = index.map(|index| table.mapping(index, kind).paths()).unwrap_or_default();
    !paths.is_empty() && paths.iter().all(|keys| !portal::supplies(&keys_after(keys, path)))
}

/// Returns the first 64 characters of a name that comes from a file.
pub(super) fn shortened(name: &str) -> String {
    name.chars().take(64).collect()
}
