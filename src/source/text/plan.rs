//! A scan request over a table's mapping, compiled once and shared by all threads.

mod again;
mod unknown;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use super::classify::{self, Class, Markers, RowClass};
use super::keys::{KeyTree, Slot};
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

/// How the names of files begin that DFIR-O365RC writes: of large tenants it collects sign-ins with error code 0 alone.
const SUCCESSES_ONLY: &str = "AADSigninLog_";

/// The key of a number that some records have as a string.
const ERROR_CODE: &str = "errorCode";

/// What warnings about empty columns end with.
const NO_EVIDENCE: &str = "finding no rows is not evidence of absence";

/// How messages name records that are not recognised.
const UNKNOWN_RECORDS: &str = "records of unrecognised shape";

/// What is said of sign-ins whose kinds are not known.
const UNKNOWN_KINDS: &str = "sign-ins whose signInEventTypes are not known are read by isInteractive, else by the name \
                             of their file, else as SigninLogs";

/// How messages name errors that services returned.
const ERROR_ANSWERS: &str = "error answers";

/// Which records are rows of the table.
#[derive(Clone, Debug)]
pub enum Rows {
    /// Those of this known table.
    Of(&'static KnownTable),
    /// Those of this known table, and those that do not say which table they are of.
    Bound(&'static KnownTable),
    /// Those of any known table, with the columns of this one.
    AllAs(&'static KnownTable),
    /// Every object, whatever it is; columns are its keys.
    Any(Schema),
    /// Those that name this table, whose columns are not known; columns are their keys.
    Named(String, Schema),
}

impl Rows {
    /// The columns.
    #[must_use]
    pub fn schema(&self) -> &Schema {
        match self {
            Self::Of(table) | Self::Bound(table) | Self::AllAs(table) => &table.schema,
            Self::Any(schema) | Self::Named(_, schema) => schema,
        }
    }

    /// The only known table whose rows these are, and whether rows that name no table are among them.
    #[must_use]
    pub fn one_table(&self) -> Option<(&'static KnownTable, bool)> {
        match self {
            Self::Of(table) => Some((table, false)),
            Self::Bound(table) => Some((table, true)),
            Self::AllAs(_) | Self::Any(_) | Self::Named(..) => None,
        }
    }

    /// True where these are the records that name this table, whose columns are not known.
    #[must_use]
    pub fn is_named(&self, name: &str) -> bool {
        matches!(self, Self::Named(own, _) if own == name)
    }

    /// The known table whose columns these are.
    pub(crate) fn known(&self) -> Option<&'static KnownTable> {
        match self {
            Self::Of(table) | Self::Bound(table) | Self::AllAs(table) => Some(table),
            Self::Any(_) | Self::Named(..) => None,
        }
    }
}

/// Everything a reader needs to know.
#[derive(Debug)]
pub(crate) struct ScanPlan {
    pub rows: Rows,
    /// True where the line of each row is wanted.
    pub wants_lines: bool,
    /// True where the line or the byte of each row is wanted.
    pub wants_places: bool,
    pub tree: Arc<KeyTree>,
    pub markers: Option<Markers>,
    pub columns: Vec<PlannedColumn>,
    pub filter: Option<Arc<dyn RowFilter>>,
    pub filter_columns: Vec<PlannedColumn>,
    pub prefilter: Option<Prefilter>,
    pub limit: usize,
    pub batch_rows: usize,
    pub batch_bytes: usize,
    pub report: Arc<ScanReport>,
    pub counters: Arc<ScanCounters>,
    /// The order of dates in numbers.
    pub dates: Arc<dyn DateOrders>,
    said: Mutex<BTreeSet<String>>,
    seen: Mutex<BTreeSet<String>>,
    strange: Mutex<BTreeSet<&'static str>>,
    /// The pages of answers that come in several.
    pages: Mutex<ResultPages>,
    /// By file that may hold successes only, whether it holds a failure.
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
    /// True where its texts are whole numbers.
    pub whole: bool,
    /// True for a dynamic column that holds nothing but objects and arrays.
    pub is_nested: bool,
    /// True for a string column that holds JSON.
    pub holds_json: bool,
    /// True for a path to a number.
    pub is_number: bool,
    /// Where it is, by row kind.
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
    /// Compiles `request` for a table of these rows, which has the columns of `origins`.
    pub(crate) fn new(
        rows: Rows,
        origins: &ProvenanceColumns,
        request: &ScanRequest,
        dates: Arc<dyn DateOrders>,
    ) -> Self {
        let mut tree = KeyTree::new();
        let markers = (!matches!(rows, Rows::Any(_))).then(|| Markers::new(&mut tree));
        unknown::declare_keys(&mut tree, &rows);
        let filter_request = request.filter.as_ref().map_or(&[][..], |filter| filter.columns());
        let columns = plan_columns(&mut tree, &rows, origins, &request.columns);
        let filter_columns = plan_columns(&mut tree, &rows, origins, filter_request);
        let verbatim = |column: usize, needle: &Needle| match origins.at(column) {
            Some(_) => Verbatim::No,
            None => verbatim(&rows, column, needle),
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
            said: Mutex::default(),
            seen: Mutex::default(),
            strange: Mutex::default(),
            pages: Mutex::default(),
            failures: Mutex::default(),
            rows,
        }
    }

    /// The class of a row whose table has another name, if the user bound the file to the table that it is a copy of.
    pub(crate) fn renamed(&self, name: &str) -> Option<Class> {
        let table = self.rows.one_table().filter(|(table, bound)| *bound && is_renamed(name, table))?.0;
        self.say_renamed(name, table);
        Some(classify::row(RowKind::Flat, table, true, true))
    }

    /// Says that rows of a table called `name` are read as rows of the one that they are bound to.
    pub(crate) fn say_renamed(&self, name: &str, table: &KnownTable) {
        let rows = match name.ends_with(RESTORED) {
            true => "rows of a restored table".to_owned(),
            false => format!("rows of {:?}", name.chars().take(64).collect::<String>()),
        };
        self.say_once(format!("{rows} are read as {}, which they are bound to", table.name));
    }

    /// True if a table called `name`, which is not known, may be the one that is asked for under another name.
    pub(crate) fn may_be_asked_for(&self, name: &str) -> bool {
        self.rows.one_table().is_some_and(|(table, _)| resembles(name, table))
    }

    /// True where the times of the records are of interest whether or not they match. Of records that are skipped, the
    /// last one of each block is looked at then, besides the first one of each file.
    pub(crate) fn watches_times(&self) -> bool {
        self.filter.as_ref().is_some_and(|filter| filter.time_coverage().is_some())
    }

    /// True if a wanted column reads one of these slots in rows of a kind.
    pub(crate) fn reads_any(&self, kind: RowKind, slots: &[Slot]) -> bool {
        let reads = |column: &PlannedColumn| match &column.sources[kind as usize] {
            PlannedSource::Keys(own) => own.iter().any(|slot| slots.contains(slot)),
            PlannedSource::UnlessZero { value, guard } => slots.contains(value) || slots.contains(guard),
            _ => false,
        };
        self.columns.iter().chain(&self.filter_columns).any(reads)
    }

    /// True where a record of this class is a row of the table.
    pub(crate) fn accepts(&self, class: RowClass) -> bool {
        match &self.rows {
            Rows::Of(table) => class.table.name == table.name,
            Rows::Bound(table) => !class.certain || class.table.name == table.name,
            Rows::AllAs(_) | Rows::Any(_) => true,
            Rows::Named(..) => false,
        }
    }

    /// Says something once a scan.
    pub(crate) fn say_once(&self, text: String) {
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        if !said.contains(&text) {
            self.report.notice(text.clone());
            said.insert(text);
        }
    }

    /// Notes what was found in the files: names of tables, and how the records are laid out.
    pub(crate) fn note_seen(&self, class: &Class) {
        let name = match class {
            Class::Row(row) => match &self.rows {
                Rows::Bound(table) if !row.certain => table.name.to_owned(),
                _ => row.table.name.to_owned(),
            },
            Class::OtherTable(name) => name.chars().take(64).collect(),
            Class::Unknown => return self.note_strange(UNKNOWN_RECORDS),
        };
        self.report.note_table(&name);
        self.note_table(name);
    }

    /// Notes that the files hold, or may hold, records of a table.
    pub(crate) fn note_table(&self, name: String) {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).insert(name);
    }

    fn note_strange(&self, what: &'static str) {
        self.strange.lock().unwrap_or_else(PoisonError::into_inner).insert(what);
    }

    /// The records that were met and cannot be read, in words.
    pub(crate) fn strange(&self) -> Vec<&'static str> {
        self.strange.lock().unwrap_or_else(PoisonError::into_inner).iter().copied().collect()
    }

    /// The tables whose records were met.
    pub(crate) fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    /// Says which of the wanted columns a file of columns does not have, by the name of its format.
    pub(crate) fn say_missing(&self, file: &Schema, format: &str) {
        let Some(table) = self.rows.known() else { return };
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

    /// The names of the columns that are wanted.
    fn wanted(&self) -> impl Iterator<Item = &str> {
        self.wanted_columns().map(|column| column.name.as_str())
    }

    /// The columns that are wanted; where most are, and nobody wrote down their names, those that the query speaks of.
    fn wanted_columns(&self) -> impl Iterator<Item = &PlannedColumn> {
        let most = self.rows.known().is_some_and(|table| self.columns.len() > table.schema.len() / 2);
        let outputs = self.columns.iter().filter(move |column| !most || self.report.is_named(&column.name));
        self.filter_columns.iter().chain(outputs)
    }

    /// Warns of columns that are empty, one by one, or of many as one; `lack` says of a column where it is missing.
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

    /// Warns of the wanted columns that the header of a CSV file or saved answer lacks; `lacks` tells it of the slots of
    /// a column in rows of `kind`.
    pub(crate) fn say_lacking(&self, kind: RowKind, lacks: &dyn Fn(&[Slot]) -> bool) {
        if self.rows.known().is_none() {
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

    /// Warns of the wanted columns that the header of a CSV of the admin center lacks, other than those that no such
    /// header has.
    pub(crate) fn say_portal_lacks(&self, header: &PortalHeader) {
        let Some(table) = self.rows.known() else { return };
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

    /// Notes of such a file whether a part of it holds a failure.
    pub(crate) fn note_failures(&self, file: usize, failed: bool) {
        *self.failures.lock().unwrap_or_else(PoisonError::into_inner).entry(file).or_default() |= failed;
    }

    /// Reports what the text around the records of `file` says about them; `offset` is where it was read.
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
        self.note_strange(ERROR_ANSWERS);
        self.report.damaged(Damage::ErrorAnswer(code.to_owned()), file, 1);
    }

    /// Reports pages that are missing; once all files were read.
    pub(crate) fn report_pages(&self) {
        let pages = std::mem::take(&mut *self.pages.lock().unwrap_or_else(PoisonError::into_inner));
        pages.report(self.rows.one_table().map(|(table, _)| table), &self.report);
        self.report.keep_pages(pages);
    }

    /// Says what is known of the collector of such files, where one of them holds no failure; once all were read.
    pub(crate) fn say_collector(&self) {
        let failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        if failures.values().any(|failed| !failed) {
            self.report.warn(format!(
                "{SUCCESSES_ONLY}* files: for large tenants their collector (DFIR-O365RC) keeps only successes, so finding no \
                 failures is not evidence of absence"
            ));
        }
    }

    /// Says that rows are copies of a search job.
    pub(crate) fn say_copied(&self) {
        let text = "search-job rows keep the TimeGenerated and table of the original rows";
        self.say_once(text.to_owned());
    }

    /// Says which of the wanted columns records of a kind cannot supply; objects of Graph of v1.0 where they are not
    /// complete.
    fn say_of_shape(&self, (kind, complete): (RowKind, bool), table: &KnownTable) {
        if let Some(time) = kind.sign_in_time().filter(|_| self.wanted().any(|name| name == "TimeGenerated")) {
            let shape = kind.describe();
            self.say_once(format!("{shape} carry no TimeGenerated; {time} (the time of the sign-in) is used"));
        }
        if matches!(kind, RowKind::Flat | RowKind::Az) && !complete {
            self.say_untimed(kind, table);
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
        told.for_each(|text| self.say_once(text.to_owned()));
    }

    /// Says which time rows of a table have that lack `TimeGenerated`.
    fn say_untimed(&self, kind: RowKind, table: &KnownTable) {
        const TIME: &str = "TimeGenerated";
        let Some(index) = table.schema.index_of(TIME).filter(|_| self.wanted().any(|name| name == TIME)) else {
            return;
        };
        let paths = table.mapping(index, kind).paths();
        if let Some(other) = paths.iter().map(|path| path[0].as_ref()).find(|name| !name.ends_with(TIME)) {
            self.say_once(format!("{} without TimeGenerated: {other} is used in its place", kind.describe()));
        }
    }

    /// Says which of the wanted columns records of this class cannot supply.
    pub(crate) fn say_unsupplied(&self, class: RowClass) {
        let Some(table) = self.rows.known() else { return };
        self.say_of_shape((class.kind, class.complete), table);
        if class.unknown_kind {
            self.say_once(UNKNOWN_KINDS.to_owned());
        }
        if class.copied {
            self.say_copied();
        }
        if !class.certain {
            self.say_once(format!("{} that do not name their table are read as {}", class.kind.describe(), table.name));
        }
    }
}

/// True if rows of a table called `name` are rows of `table`, to which the user bound them: the table was restored from the
/// archive of a workspace, under a name that may not say which it was, or its name is like the one of `table`.
pub(crate) fn is_renamed(name: &str, table: &KnownTable) -> bool {
    name.ends_with(RESTORED) || resembles(name, table)
}

/// True for a file whose name says that its collector may have kept successes only.
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

/// True for a path into a dynamic column that no record of `kind` has, though records of that kind have the column.
fn is_unsupplied_path(table: &KnownTable, column: &PlannedColumn, kind: RowKind) -> bool {
    let index = table.schema.index_of(&column.name).filter(|_| column.path.is_some() && kind == RowKind::PortalCsv);
    let paths = index.map(|index| table.mapping(index, kind).paths()).unwrap_or_default();
    !paths.is_empty() && paths.iter().all(|path| !portal::supplies(&column.keys_behind(path)))
}

impl PlannedColumn {
    /// The keys of the source that lead to the value, where `path` leads to the column, up to an index of an array.
    fn keys_behind<'a>(&'a self, path: &'a KeyPath) -> Vec<&'a str> {
        let steps = self.path.iter().flat_map(|path| &path.steps);
        let keys = steps.map_while(|step| match step {
            dynamic::Step::Member(key) => Some(key.as_str()),
            dynamic::Step::Index(_) => None,
        });
        path.iter().map(Cow::as_ref).chain(keys).collect()
    }

    /// The key with which the path begins; None for the column as a whole.
    fn first_key(&self) -> Option<&str> {
        match self.path.as_ref()?.steps.first()? {
            dynamic::Step::Member(key) => Some(key),
            dynamic::Step::Index(_) => None,
        }
    }

    /// The column with its path, as a query writes it.
    fn label(&self) -> String {
        self.path.as_ref().map_or(self.name.clone(), |path| format!("{}{path}", self.name))
    }
}

fn plan_columns(
    tree: &mut KeyTree,
    rows: &Rows,
    origins: &ProvenanceColumns,
    wanted: &[ScanColumn],
) -> Vec<PlannedColumn> {
    wanted.iter().map(|column| plan_column(tree, rows, origins, column)).collect()
}

fn plan_column(tree: &mut KeyTree, rows: &Rows, origins: &ProvenanceColumns, wanted: &ScanColumn) -> PlannedColumn {
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
    let field = rows.schema().field(index);
    let sources = match rows.known() {
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
    let whole = rows.known().is_some() && holds_whole_numbers(&field.name);
    let known = rows.known().filter(|_| path.is_none());
    let spellings = RowKind::ALL.map(|kind| known.and_then(|_| spelling::spellings(&field.name, kind)));
    let is_nested = rows.known().is_some() && field.ty == Type::Dynamic;
    let holds_json = rows.known().is_some() && field.ty == Type::String && holds_json(&field.name);
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

/// How the record of a row whose column contains the needle has it, escapes aside: No where the column may be made up.
fn verbatim(rows: &Rows, column: usize, needle: &Needle) -> Verbatim {
    let field = rows.schema().field(column);
    if !field.ty.is_text() || (field.ty == Type::Dynamic && needle.may_be_reformatted()) {
        return Verbatim::No;
    }
    let Some(table) = rows.known() else { return Verbatim::AsWritten };
    let is_read = RowKind::ALL.iter().all(|&kind| match &table.mapping(column, kind).source {
        ColumnSource::Unsupplied | ColumnSource::Keys(_) | ColumnSource::UnlessZero { .. } => true,
        ColumnSource::Constant(text) => !needle.occurs_in(text),
        ColumnSource::Table => rows.one_table().is_some() && !needle.occurs_in(table.name),
        ColumnSource::Category => rows.one_table().is_some() && !needle.occurs_in(table.category),
    });
    if is_read { spelling::verbatim(&field.name, &|value| needle.occurs_in(value)) } else { Verbatim::No }
}
