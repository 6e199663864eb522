//! Compiles a scan request over the mapping of a table, for all threads.

mod replayed_warnings;
mod unknown_columns;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use super::classify::{self, RecordClass, RowClass, ShapeMarkers};
use super::key_tree::{KeyTree, Slot};
use super::prefilter::{Needle, Prefilter};
use crate::entra::differences;
use crate::entra::integral_columns::holds_whole_numbers;
use crate::entra::json_text::holds_json;
use crate::entra::mapping::{GraphVersions, KeyPath};
use crate::entra::numeric_dates::DateOrders;
use crate::entra::portal;
use crate::entra::portal::PortalHeader;
use crate::entra::spelling;
use crate::entra::spelling::{Spellings, Verbatim};
use crate::entra::table::RESTORED;
use crate::entra::{ColumnSource, KnownTable, RowKind, resembles, union_names};
use crate::records::FramingNote;
use crate::scan::provenance::{Provenance, ProvenanceColumns};
use crate::scan::{Damage, ResultPages, RowFilter, ScanColumn, ScanReport, ScanRequest};
use crate::storage::counters::ScanCounters;
use crate::types::{Schema, Type, dynamic};

/// Prefix of the names of files that DFIR-O365RC writes: of large tenants it collects only sign-ins with error code 0.
const SUCCESSES_ONLY: &str = "AADSigninLog_";

/// The key of a number that some records have as a string.
const ERROR_CODE: &str = "errorCode";

/// End of warnings about empty columns.
const NO_EVIDENCE: &str = "finding no rows is not evidence of absence";

/// Records of unrecognised shape, in messages.
const UNKNOWN_RECORDS: &str = "records of unrecognised shape";

/// Note about sign-ins of unknown kinds.
const UNKNOWN_KINDS: &str = "sign-ins whose signInEventTypes are not known are read by isInteractive, else by the name \
                             of their file, else as SigninLogs";

/// Errors that services returned, in messages.
const ERROR_ANSWERS: &str = "error answers";

/// Which records are rows of a table.
#[derive(Clone, Debug)]
pub enum RecordSelection {
    /// The records of this known table.
    Table(&'static KnownTable),
    /// The records of this known table, and those that name no table.
    BoundTable(&'static KnownTable),
    /// The records of any known table, with the columns of this one.
    AllKnownAs(&'static KnownTable),
    /// Every JSON object; its keys are the columns.
    AnyObjects(Schema),
    /// The records that name this unknown table; their keys are the columns.
    NamedTable(String, Schema),
}

impl RecordSelection {
    /// Returns the columns.
    #[must_use]
    pub fn schema(&self) -> &Schema {
        match self {
            Self::Table(table) | Self::BoundTable(table) | Self::AllKnownAs(table) => &table.schema,
            Self::AnyObjects(schema) | Self::NamedTable(_, schema) => schema,
        }
    }

    /// The only known table whose records are selected, and whether records without a table name are included.
    #[must_use]
    pub fn single_table(&self) -> Option<(&'static KnownTable, bool)> {
        match self {
            Self::Table(table) => Some((table, false)),
            Self::BoundTable(table) => Some((table, true)),
            Self::AllKnownAs(_) | Self::AnyObjects(_) | Self::NamedTable(..) => None,
        }
    }

    /// True if the records that name this unknown table are selected.
    #[must_use]
    pub fn is_named(&self, name: &str) -> bool {
        matches!(self, Self::NamedTable(own, _) if own == name)
    }

    /// The known table that defines the columns.
    pub(crate) fn known(&self) -> Option<&'static KnownTable> {
        match self {
            Self::Table(table) | Self::BoundTable(table) | Self::AllKnownAs(table) => Some(table),
            Self::AnyObjects(_) | Self::NamedTable(..) => None,
        }
    }
}

/// A compiled scan request.
#[derive(Debug)]
pub(crate) struct ScanPlan {
    pub selection: RecordSelection,
    /// True if the line of each row is needed.
    pub wants_lines: bool,
    /// True if the line or the byte of each row is needed.
    pub wants_places: bool,
    pub tree: Arc<KeyTree>,
    pub markers: Option<ShapeMarkers>,
    pub columns: Vec<PlannedColumn>,
    pub filter: Option<Arc<dyn RowFilter>>,
    pub filter_columns: Vec<PlannedColumn>,
    pub prefilter: Option<Prefilter>,
    pub limit: usize,
    pub batch_rows: usize,
    pub batch_bytes: usize,
    pub report: Arc<ScanReport>,
    pub counters: Arc<ScanCounters>,
    /// The order of numeric dates.
    pub dates: Arc<dyn DateOrders>,
    emitted: Mutex<BTreeSet<String>>,
    seen: Mutex<BTreeSet<String>>,
    unrecognised: Mutex<BTreeSet<&'static str>>,
    /// The pages of paged responses.
    pages: Mutex<ResultPages>,
    /// Whether a file that may contain only successes has a failure, by file.
    failures: Mutex<BTreeMap<usize, bool>>,
}

/// A column of the request.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each says something of its own")]
pub(crate) struct PlannedColumn {
    pub name: String,
    /// Its type in the table.
    pub ty: Type,
    pub path: Option<dynamic::Path>,
    /// True if its strings are integers.
    pub whole: bool,
    /// True for a dynamic column that contains only objects and arrays.
    pub is_nested: bool,
    /// True for a string column that contains JSON.
    pub holds_json: bool,
    /// True for a path to a number.
    pub is_number: bool,
    /// Where its values are read, by row kind.
    pub sources: [PlannedSource; RowKind::ALL.len()],
    /// The values that records spell differently from the table, by row kind.
    pub spellings: [Option<&'static Spellings>; RowKind::ALL.len()],
}

/// [`ColumnSource`] with slots for paths.
#[derive(Clone, Debug)]
pub(crate) enum PlannedSource {
    Constant(&'static str),
    Table,
    Category,
    Keys(Vec<Slot>),
    UnlessZero { value: Slot, guard: Slot },
    Origin(Provenance),
}

impl ScanPlan {
    /// Compiles `request` for a table of the records in `selection`, with the columns `origins`.
    pub(crate) fn new(
        selection: RecordSelection,
        origins: &ProvenanceColumns,
        request: &ScanRequest,
        dates: Arc<dyn DateOrders>,
    ) -> Self {
        let mut tree = KeyTree::new();
        let markers = (!matches!(selection, RecordSelection::AnyObjects(_))).then(|| ShapeMarkers::new(&mut tree));
        unknown_columns::declare_keys(&mut tree, &selection);
        let filter_request = request.filter.as_ref().map_or(&[][..], |filter| filter.columns());
        let columns = plan_columns(&mut tree, &selection, origins, &request.columns);
        let filter_columns = plan_columns(&mut tree, &selection, origins, filter_request);
        let verbatim = |column: usize, needle: &Needle| match origins.at(column) {
            Some(_) => Verbatim::No,
            None => verbatim(&selection, column, needle),
        };
        let wants = |of: Provenance| {
            let mut all = columns.iter().chain(&filter_columns);
            all.any(|column| matches!(column.sources[0], PlannedSource::Origin(other) if other == of))
        };
        let prefilter = Prefilter::new(&request.prune, &verbatim).filter(|_| !request.report.is_thorough());
        Self {
            wants_lines: wants(Provenance::Line),
            wants_places: wants(Provenance::Line) || wants(Provenance::Byte),
            tree: Arc::new(tree),
            markers,
            columns,
            filter: request.filter.clone(),
            filter_columns,
            prefilter,
            limit: request.limit.unwrap_or(usize::MAX),
            batch_rows: request.batch_rows.max(1),
            batch_bytes: request.memory.batch_bytes,
            report: Arc::clone(&request.report),
            counters: Arc::clone(&request.counters),
            dates,
            emitted: Mutex::default(),
            seen: Mutex::default(),
            unrecognised: Mutex::default(),
            pages: Mutex::default(),
            failures: Mutex::default(),
            selection,
        }
    }

    /// The class of a row that names another table, if the user bound the file to the table that it is a copy of.
    pub(crate) fn renamed(&self, name: &str) -> Option<RecordClass> {
        let table = self.selection.single_table().filter(|(table, bound)| *bound && is_renamed(name, table))?.0;
        self.report_renamed(name, table);
        Some(classify::row(RowKind::Flat, table, true, true))
    }

    /// Reports that rows of a table called `name` are read as rows of the table to which they are bound.
    pub(crate) fn report_renamed(&self, name: &str, table: &KnownTable) {
        let rows = match name.ends_with(RESTORED) {
            true => "rows of a restored table".to_owned(),
            false => format!("rows of {:?}", name.chars().take(64).collect::<String>()),
        };
        self.report_once(format!("{rows} are read as {}, which they are bound to", table.name));
    }

    /// True if an unknown table called `name` may be the requested one under another name.
    pub(crate) fn may_be_asked_for(&self, name: &str) -> bool {
        self.selection.single_table().is_some_and(|(table, _)| resembles(name, table))
    }

    /// True if the times of all records matter, whether or not they match. Of skipped records, then the last one of
    /// each block is read, besides the first one of each file.
    pub(crate) fn watches_times(&self) -> bool {
        self.filter.as_ref().is_some_and(|filter| filter.time_coverage().is_some())
    }

    /// True if a requested column reads one of these slots in rows of a kind.
    pub(crate) fn reads_any(&self, kind: RowKind, slots: &[Slot]) -> bool {
        let reads = |column: &PlannedColumn| match &column.sources[kind as usize] {
            PlannedSource::Keys(own) => own.iter().any(|slot| slots.contains(slot)),
            PlannedSource::UnlessZero { value, guard } => slots.contains(value) || slots.contains(guard),
            _ => false,
        };
        self.columns.iter().chain(&self.filter_columns).any(reads)
    }

    /// True if a record of this class is a row of the table.
    pub(crate) fn accepts(&self, class: RowClass) -> bool {
        match &self.selection {
            RecordSelection::Table(table) => class.table.name == table.name,
            RecordSelection::BoundTable(table) => !class.certain || class.table.name == table.name,
            RecordSelection::AllKnownAs(_) | RecordSelection::AnyObjects(_) => true,
            RecordSelection::NamedTable(..) => false,
        }
    }

    /// Reports a note once per scan.
    pub(crate) fn report_once(&self, text: String) {
        let mut emitted = self.emitted.lock().unwrap_or_else(PoisonError::into_inner);
        if !emitted.contains(&text) {
            self.report.notice(text.clone());
            emitted.insert(text);
        }
    }

    /// Records the table or unrecognised shape of a class.
    pub(crate) fn note_seen(&self, class: &RecordClass) {
        let name = match class {
            RecordClass::Row(row) => match &self.selection {
                RecordSelection::BoundTable(table) if !row.certain => table.name.to_owned(),
                _ => row.table.name.to_owned(),
            },
            RecordClass::OtherTable(name) => name.chars().take(64).collect(),
            RecordClass::Unknown => return self.note_unrecognised(UNKNOWN_RECORDS),
        };
        self.report.note_table(&name);
        self.note_table(name);
    }

    /// Records that the files contain, or may contain, records of a table.
    pub(crate) fn note_table(&self, name: String) {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).insert(name);
    }

    fn note_unrecognised(&self, what: &'static str) {
        self.unrecognised.lock().unwrap_or_else(PoisonError::into_inner).insert(what);
    }

    /// The kinds of unrecognised records in the files.
    pub(crate) fn unrecognised(&self) -> Vec<&'static str> {
        self.unrecognised.lock().unwrap_or_else(PoisonError::into_inner).iter().copied().collect()
    }

    /// The tables whose records the files contain.
    pub(crate) fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
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
    fn wanted(&self) -> impl Iterator<Item = &str> {
        self.wanted_columns().map(|column| column.name.as_str())
    }

    /// The columns that the query uses. If it returns most columns without naming them, only those that it names.
    fn wanted_columns(&self) -> impl Iterator<Item = &PlannedColumn> {
        let most = self.selection.known().is_some_and(|table| self.columns.len() > table.schema.len() / 2);
        let outputs = self.columns.iter().filter(move |column| !most || self.report.is_named(&column.name));
        self.filter_columns.iter().chain(outputs)
    }

    /// Warns of empty columns, one by one, or of many at once; `lack` says where a column is missing.
    fn warn_empty(&self, lack: &str, columns: BTreeSet<String>) {
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
            self.warn_empty("is no column of a CSV file or saved answer", BTreeSet::from([name.clone()]));
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
            index.is_some_and(|index| paths(index).iter().all(|path| !header.supplies(&column.keys_behind(path))))
        };
        let is_whole = |column: &&PlannedColumn| column.path.is_none();
        self.columns.iter().filter(is_whole).filter(lacks).for_each(|column| self.report.lacks(&column.name));
        let wanted = self.wanted_columns().filter(|column| !is_unsupplied_path(table, column, RowKind::PortalCsv));
        let lacking: BTreeSet<String> = wanted.filter(lacks).map(PlannedColumn::label).collect();
        let lack = match lacking.contains("IsInteractive") {
            true => "is not told by the header and the name of a CSV file of the Entra admin center",
            false => "is no column of a CSV file of the Entra admin center",
        };
        self.warn_empty(lack, lacking);
    }

    /// Records whether a part of a file that may contain only successes has a failure.
    pub(crate) fn note_failures(&self, file: usize, failed: bool) {
        *self.failures.lock().unwrap_or_else(PoisonError::into_inner).entry(file).or_default() |= failed;
    }

    /// Reports what the text around the records of `file` says about them; `offset` is its position.
    pub(crate) fn note(&self, note: &FramingNote, file: &str, offset: u64) {
        match note {
            FramingNote::Damage(damage) => self.report.damaged(damage.clone(), file, 1),
            FramingNote::Limit(text) => self.report.warn(format!("{file}: {text}")),
            FramingNote::Page(page) => {
                self.pages.lock().unwrap_or_else(PoisonError::into_inner).add(file, offset, page);
            }
        }
    }

    /// Reports an error that a service returned in place of records.
    pub(crate) fn note_error_answer(&self, code: &str, file: &str) {
        self.note_unrecognised(ERROR_ANSWERS);
        self.report.damaged(Damage::ErrorAnswer(code.to_owned()), file, 1);
    }

    /// Reports missing pages, after all files were read.
    pub(crate) fn report_pages(&self) {
        let pages = std::mem::take(&mut *self.pages.lock().unwrap_or_else(PoisonError::into_inner));
        pages.report(self.selection.single_table().map(|(table, _)| table), &self.report);
        self.report.keep_pages(pages);
    }

    /// Warns, after all files were read, if a file of a collector that may keep only successes has no failure.
    pub(crate) fn report_collector(&self) {
        let failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        if failures.values().any(|failed| !failed) {
            self.report.warn(format!(
                "{SUCCESSES_ONLY}* files: for large tenants their collector (DFIR-O365RC) keeps only successes, so finding no \
                 failures is not evidence of absence"
            ));
        }
    }

    /// Reports that rows are copies made by a search job.
    pub(crate) fn report_copied(&self) {
        let text = "search-job rows keep the TimeGenerated and table of the original rows";
        self.report_once(text.to_owned());
    }

    /// Warns of requested columns that records of this shape do not export. Graph objects that are not complete are
    /// those of v1.0.
    fn report_shape(&self, (kind, complete): (RowKind, bool), table: &KnownTable) {
        if let Some(time) = kind.sign_in_time().filter(|_| self.wanted().any(|name| name == "TimeGenerated")) {
            let shape = kind.describe();
            self.report_once(format!("{shape} carry no TimeGenerated; {time} (the time of the sign-in) is used"));
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
        told.for_each(|text| self.report_once(text.to_owned()));
    }

    /// Reports which time is used in rows without `TimeGenerated`.
    fn report_untimed(&self, kind: RowKind, table: &KnownTable) {
        const TIME: &str = "TimeGenerated";
        let Some(index) = table.schema.index_of(TIME).filter(|_| self.wanted().any(|name| name == TIME)) else {
            return;
        };
        let paths = table.mapping(index, kind).paths();
        if let Some(other) = paths.iter().map(|path| path[0].as_ref()).find(|name| !name.ends_with(TIME)) {
            self.report_once(format!("{} without TimeGenerated: {other} is used in its place", kind.describe()));
        }
    }

    /// Reports which requested columns records of this class do not export, and what was assumed about them.
    pub(crate) fn report_unsupplied(&self, class: RowClass) {
        let Some(table) = self.selection.known() else { return };
        self.report_shape((class.kind, class.complete), table);
        if class.unknown_kind {
            self.report_once(UNKNOWN_KINDS.to_owned());
        }
        if class.copied {
            self.report_copied();
        }
        if !class.certain {
            self.report_once(format!(
                "{} that do not name their table are read as {}",
                class.kind.describe(),
                table.name
            ));
        }
    }
}

/// True if rows of a table called `name` are rows of `table`, to which the user bound them: the table was restored from
/// an archive of a workspace, under a name that may not tell which it was, or the names are similar.
pub(crate) fn is_renamed(name: &str, table: &KnownTable) -> bool {
    name.ends_with(RESTORED) || resembles(name, table)
}

/// True for a file whose name says that its collector may have kept only successes.
pub(crate) fn may_lack_failures(kind: RowKind, file: &str) -> bool {
    let last = file.rsplit(['/', '\\']).next().unwrap_or(file);
    kind.is_graph() && last.starts_with(SUCCESSES_ONLY)
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
    !paths.is_empty() && paths.iter().all(|path| !portal::supplies(&column.keys_behind(path)))
}

impl PlannedColumn {
    /// The keys that lead to the value, if `path` leads to the column; they end at an array index.
    fn keys_behind<'a>(&'a self, path: &'a KeyPath) -> Vec<&'a str> {
        let steps = self.path.iter().flat_map(|path| &path.steps);
        let keys = steps.map_while(|step| match step {
            dynamic::Step::Member(key) => Some(key.as_str()),
            dynamic::Step::Index(_) => None,
        });
        path.iter().map(Cow::as_ref).chain(keys).collect()
    }

    /// The first key of the path; None for the column as a whole.
    fn first_key(&self) -> Option<&str> {
        match self.path.as_ref()?.steps.first()? {
            dynamic::Step::Member(key) => Some(key),
            dynamic::Step::Index(_) => None,
        }
    }

    /// The column with its path, as written in a query.
    fn label(&self) -> String {
        self.path.as_ref().map_or(self.name.clone(), |path| format!("{}{path}", self.name))
    }
}

fn plan_columns(
    tree: &mut KeyTree,
    selection: &RecordSelection,
    origins: &ProvenanceColumns,
    wanted: &[ScanColumn],
) -> Vec<PlannedColumn> {
    wanted.iter().map(|column| plan_column(tree, selection, origins, column)).collect()
}

fn plan_column(
    tree: &mut KeyTree,
    selection: &RecordSelection,
    origins: &ProvenanceColumns,
    wanted: &ScanColumn,
) -> PlannedColumn {
    let index = wanted.column();
    if let Some(of) = origins.at(index) {
        let sources = RowKind::ALL.map(|_| PlannedSource::Origin(of));
        return PlannedColumn {
            name: of.name().to_owned(),
            ty: of.ty(),
            path: None,
            whole: false,
            is_nested: false,
            holds_json: false,
            is_number: false,
            sources,
            spellings: [None; RowKind::ALL.len()],
        };
    }
    let field = selection.schema().field(index);
    let sources = match selection.known() {
        Some(table) => RowKind::ALL.map(|kind| plan_source(tree, &table.mapping(index, kind).source, kind)),
        None => {
            let slot = tree.slot(&[&field.name], false);
            RowKind::ALL.map(|_| PlannedSource::Keys(vec![slot]))
        }
    };
    let path = match wanted {
        ScanColumn::Column(_) => None,
        ScanColumn::Path { path, .. } => Some(path.clone()),
    };
    let whole = selection.known().is_some() && holds_whole_numbers(&field.name);
    let known = selection.known().filter(|_| path.is_none());
    let spellings = RowKind::ALL.map(|kind| known.and_then(|_| spelling::spellings(&field.name, kind)));
    let is_nested = selection.known().is_some() && field.ty == Type::Dynamic;
    let holds_json = selection.known().is_some() && field.ty == Type::String && holds_json(&field.name);
    let to_number = |path: &dynamic::Path| matches!(&path.steps[..], [dynamic::Step::Member(key)] if key == ERROR_CODE);
    let is_number = is_nested && path.as_ref().is_some_and(to_number);
    let name = field.name.clone();
    PlannedColumn { name, ty: field.ty, path, whole, is_nested, holds_json, is_number, sources, spellings }
}

fn plan_source(tree: &mut KeyTree, source: &ColumnSource, kind: RowKind) -> PlannedSource {
    let envelope = kind == RowKind::Diagnostic;
    match source {
        ColumnSource::Unsupplied => PlannedSource::Constant(""),
        ColumnSource::Constant(text) => PlannedSource::Constant(text),
        ColumnSource::Table => PlannedSource::Table,
        ColumnSource::Category => PlannedSource::Category,
        ColumnSource::Keys(paths) => {
            let mut slots: Vec<Slot> = paths.iter().map(|path| tree.slot(path, envelope)).collect();
            if matches!(kind, RowKind::Flat | RowKind::Az) {
                slots.extend(paths.iter().flat_map(|path| union_names(&path[0])).map(|name| tree.slot(&[name], false)));
            }
            PlannedSource::Keys(slots)
        }
        ColumnSource::UnlessZero { value, guard } => {
            PlannedSource::UnlessZero { value: tree.slot(value, envelope), guard: tree.slot(guard, envelope) }
        }
    }
}

/// How a record spells a value that contains the needle, apart from escapes; No if the value may be generated.
fn verbatim(selection: &RecordSelection, column: usize, needle: &Needle) -> Verbatim {
    let field = selection.schema().field(column);
    if !field.ty.is_text() || (field.ty == Type::Dynamic && needle.may_be_reformatted()) {
        return Verbatim::No;
    }
    let Some(table) = selection.known() else { return Verbatim::AsWritten };
    let is_read = RowKind::ALL.iter().all(|&kind| match &table.mapping(column, kind).source {
        ColumnSource::Unsupplied | ColumnSource::Keys(_) | ColumnSource::UnlessZero { .. } => true,
        ColumnSource::Constant(text) => !needle.occurs_in(text),
        ColumnSource::Table => selection.single_table().is_some() && !needle.occurs_in(table.name),
        ColumnSource::Category => selection.single_table().is_some() && !needle.occurs_in(table.category),
    });
    if is_read { spelling::verbatim(&field.name, &|value| needle.occurs_in(value)) } else { Verbatim::No }
}
