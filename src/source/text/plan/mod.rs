//! Compiles a scan request with the mapping of its table. All threads share the result.

mod columns;
mod declared_keys;
mod selection;

use std::sync::Arc;

pub(crate) use self::columns::{PlannedColumn, PlannedSource, RESULT, keys_after};
use self::columns::{plan_columns, plan_filter_columns};
pub use self::selection::{RecordSelection, TableBinding};
use super::classify::{RowClass, ShapeMarkers};
use super::key_tree::{KeyTree, ValueSlot};
use super::prefilter::{Prefilter, RecordNeedle};
use crate::entra::numeric_dates::DateOrders;
use crate::entra::spelling;
use crate::entra::spelling::Verbatim;
use crate::entra::table::RESTORED;
use crate::entra::{ColumnSource, KnownTable, RowKind, resembles};
use crate::scan::provenance::{Provenance, ProvenanceColumns};
use crate::scan::{NamedColumns, RowFilter, ScanColumn, ScanRequest};
use crate::source::id_sketch::IdSketch;
use crate::storage::counters::ScanCounters;
use crate::types::Type;

/// The column by which records are identified.
const ID: &str = "Id";

/// The column `Id`, and the sample in which its values are compared across files.
#[derive(Debug)]
pub(crate) struct WatchedIds {
    pub column: PlannedColumn,
    pub sketch: Arc<IdSketch>,
}

/// A compiled scan request. It never changes; [`super::events::ScanEvents`] has what the scan finds.
#[derive(Debug)]
pub(crate) struct ScanPlan {
    pub selection: RecordSelection,
    /// True if the line number of each row is needed.
    pub wants_lines: bool,
    /// True if the line number or the byte offset of each row is needed.
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
    /// The columns that the query names, even if the request has all columns.
    pub named_columns: Arc<NamedColumns>,
    pub counters: Arc<ScanCounters>,
    /// The order of day and month in numeric dates, for each file.
    pub dates: Arc<dyn DateOrders>,
    /// The column `Id` and the sample of the table; None if files are not compared by Ids.
    pub ids: Option<WatchedIds>,
}

impl ScanPlan {
    /// Compiles `request` for a table with the columns `origins`, whose records `selection` selects. `has_text` is
    /// true if there is text to read; otherwise the known keys are not declared.
    pub(crate) fn new(
        selection: RecordSelection,
        origins: &ProvenanceColumns,
        request: &ScanRequest,
        dates: Arc<dyn DateOrders>,
        ids: Option<&Arc<IdSketch>>,
        has_text: bool,
    ) -> Self {
        let mut tree = KeyTree::new();
        let markers = (!matches!(selection, RecordSelection::AnyObjects(_))).then(|| ShapeMarkers::new(&mut tree));
        if has_text {
            declared_keys::declare_keys(&mut tree, &selection);
        }
        let named = |column: &str| request.named_columns.columns.contains(column);
        let columns = plan_columns(&mut tree, &selection, origins, &request.columns, &named);
        let filter_columns = plan_filter_columns(&mut tree, &selection, origins, request.filter.as_deref());
        let ids = ids.and_then(|sketch| watched_ids(&mut tree, &selection, origins, sketch));
        let verbatim = |column: usize, needle: &RecordNeedle| match origins.at(column) {
            Some(_) => Verbatim::No,
            None => verbatim(&selection, column, needle, &filter_columns),
        };
        let prefilter = Prefilter::new(&request.prune, &verbatim).filter(|_| !request.report.is_thorough());
        Self {
            wants_lines: wants(origins, request, Provenance::Line),
            wants_places: wants_places(origins, request),
            tree: Arc::new(tree),
            markers,
            columns,
            filter: request.filter.clone(),
            filter_columns,
            prefilter,
            limit: request.limit.unwrap_or(usize::MAX),
            batch_rows: request.batch_rows.max(1),
            batch_bytes: request.memory.batch_bytes,
            named_columns: Arc::clone(&request.named_columns),
            counters: Arc::clone(&request.counters),
            dates,
            ids,
            selection,
        }
    }

    /// Returns the names of [`Self::wanted_columns`].
    pub(crate) fn wanted(&self) -> impl Iterator<Item = &str> {
        self.wanted_columns().map(|column| column.name.as_str())
    }

    /// Returns the columns about which the user is warned: those that the query uses. If the request has most columns
    /// of the table, output columns that the query does not name are left out.
    pub(crate) fn wanted_columns(&self) -> impl Iterator<Item = &PlannedColumn> {
        let most = self.selection.known().is_some_and(|table| self.columns.len() > table.schema.len() / 2);
        let outputs =
            self.columns.iter().filter(move |column| !most || self.named_columns.columns.contains(&column.name));
        self.filter_columns.iter().chain(outputs)
    }

    /// True if an unknown table called `name` may be the requested one under another name.
    pub(crate) fn may_be_requested(&self, name: &str) -> bool {
        self.selection.single_table().is_some_and(|own| resembles(name, own.table))
    }

    /// True if the scan must record the times of all records, even those that cannot match. Then of the records that
    /// the prefilter skips, the last one in each block is read, besides the first one in each file.
    pub(crate) fn watches_times(&self) -> bool {
        self.filter.as_ref().is_some_and(|filter| !filter.time_coverages().is_empty())
    }

    /// True if a requested column reads one of `slots` in rows of `kind`.
    pub(crate) fn reads_any(&self, kind: RowKind, slots: &[ValueSlot]) -> bool {
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
}

/// True if the request needs the line number or the byte offset of each row.
pub(crate) fn wants_places(origins: &ProvenanceColumns, request: &ScanRequest) -> bool {
    wants(origins, request, Provenance::Line) || wants(origins, request, Provenance::Byte)
}

fn wants(origins: &ProvenanceColumns, request: &ScanRequest, of: Provenance) -> bool {
    let filter = request.filter.as_ref().map_or(&[][..], |filter| filter.columns());
    request.columns.iter().chain(filter).any(|column| origins.at(column.column()) == Some(of))
}

/// Returns the Ids to compare; None unless the records are those of a single known table whose Ids identify records.
fn watched_ids(
    tree: &mut KeyTree,
    selection: &RecordSelection,
    origins: &ProvenanceColumns,
    sketch: &Arc<IdSketch>,
) -> Option<WatchedIds> {
    // Rows of other tables are states of an object, and all of them have its Id.
    let table = selection.single_table()?.table;
    let schema = Some(&table.schema).filter(|_| table.category.ends_with("Logs"))?;
    let index = schema.index_of(ID).filter(|&index| schema.field(index).ty == Type::String)?;
    let column = plan_columns(tree, selection, origins, &[ScanColumn::Column(index)], &|_| false).pop()?;
    Some(WatchedIds { column, sketch: Arc::clone(sketch) })
}

/// True if rows of a table called `name` are rows of `table`, to which the user bound them: the names are similar, or
/// the table was restored from an archive of a workspace, under a name that may not identify the original.
pub(crate) fn is_renamed(name: &str, table: &KnownTable) -> bool {
    name.ends_with(RESTORED) || resembles(name, table)
}

/// Tells how records spell a column value that contains the needle, apart from escapes. `No` if the value may be
/// generated or reformatted, or if all records must be read for a warning about the values of the column.
fn verbatim(
    selection: &RecordSelection,
    column: usize,
    needle: &RecordNeedle,
    filter_columns: &[PlannedColumn],
) -> Verbatim {
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
    if !is_read {
        return Verbatim::No;
    }
    let mut planned = filter_columns.iter().filter(|planned| planned.name == field.name).peekable();
    let warns = planned.peek().is_none() || planned.any(|planned| planned.warns);
    spelling::verbatim(&field.name, &|value| needle.occurs_in(value), warns)
}
