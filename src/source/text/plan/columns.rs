//! Compiles the columns of a request: from where each is read in records of each shape.

use std::borrow::Cow;

use super::RecordSelection;
use crate::entra::integral_columns::holds_whole_numbers;
use crate::entra::json_text::holds_json;
use crate::entra::mapping::KeyPath;
use crate::entra::spelling;
use crate::entra::spelling::Spellings;
use crate::entra::{ColumnSource, INGESTED, RECEIVED, RowKind, union_names};
use crate::scan::provenance::{Provenance, ProvenanceColumns};
use crate::scan::{RowFilter, ScanColumn};
use crate::source::text::key_tree::{KeyTree, ValueSlot};
use crate::types::{Type, dynamic};

/// The column with the result code of a sign-in.
pub(crate) use crate::entra::integral_columns::RESULT;

/// The key of a number that some records have as a string.
const ERROR_CODE: &str = "errorCode";

/// A requested column, compiled.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each says something of its own")]
pub(crate) struct PlannedColumn {
    pub name: String,
    /// The type of the whole column in the table, even if only a path into it is requested.
    pub ty: Type,
    pub path: Option<dynamic::Path>,
    /// True if the strings of the column are integers.
    pub whole: bool,
    /// True for a dynamic column that contains only objects and arrays.
    pub is_nested: bool,
    /// True for a string column that contains JSON.
    pub holds_json: bool,
    /// True if the request is a path that leads to a number.
    pub is_number: bool,
    /// True if a row without a value is damage: without a result, success or failure is unknown; without a time, a
    /// filter on the time drops the row.
    pub is_required: bool,
    /// True for a string column that contains JSON and that the query names: its values are validated.
    pub is_validated: bool,
    /// True if the warnings about spellings of this column are shown.
    pub warns: bool,
    /// From where the values are read, by row kind.
    pub sources: [PlannedSource; RowKind::ALL.len()],
    /// For each row kind, the values that records spell differently from the table.
    pub spellings: [Option<&'static Spellings>; RowKind::ALL.len()],
}

/// Like [`ColumnSource`], with slots instead of paths.
#[derive(Clone, Debug)]
pub(crate) enum PlannedSource {
    Constant(&'static str),
    Table,
    Category,
    Keys(Vec<ValueSlot>),
    UnlessZero { value: ValueSlot, guard: ValueSlot },
    Origin(Provenance),
}

impl PlannedColumn {
    /// Returns the keys that lead to the requested value, if `path` leads to the column. They end before the first
    /// array index.
    pub(crate) fn keys_after<'a>(&'a self, path: &'a KeyPath) -> Vec<&'a str> {
        keys_after(path, self.path.as_ref())
    }

    /// Returns the first key of the requested path; None if the whole column is requested, or if the path begins with
    /// an index.
    pub(crate) fn first_key(&self) -> Option<&str> {
        match self.path.as_ref()?.steps.first()? {
            dynamic::Step::Member(key) => Some(key),
            dynamic::Step::Index(_) => None,
        }
    }

    /// Returns the column with its path, as a query writes it.
    pub(crate) fn label(&self) -> String {
        self.path.as_ref().map_or(self.name.clone(), |path| format!("{}{path}", self.name))
    }
}

/// Returns the keys of `path`, which leads to a column, followed by those of `inner`. They end before the first array
/// index.
pub(crate) fn keys_after<'a>(path: &'a KeyPath, inner: Option<&'a dynamic::Path>) -> Vec<&'a str> {
    let keys = inner.into_iter().flat_map(|path| &path.steps).map_while(|step| match step {
        dynamic::Step::Member(key) => Some(key.as_str()),
        dynamic::Step::Index(_) => None,
    });
    path.iter().map(Cow::as_ref).chain(keys).collect()
}

/// Compiles the columns of a filter. A missing time of ingestion is damage here, although exports need not have it. A search
/// over all columns asks nothing of a particular one, so that most of them cause no warning.
pub(super) fn plan_filter_columns(
    tree: &mut KeyTree,
    selection: &RecordSelection,
    origins: &ProvenanceColumns,
    filter: Option<&dyn RowFilter>,
) -> Vec<PlannedColumn> {
    let Some(filter) = filter else { return Vec::new() };
    let mut columns = plan_columns(tree, selection, origins, filter.columns(), &|_| true);
    let is_ingestion = |column: &PlannedColumn| matches!(&*column.name, RECEIVED | INGESTED);
    let is_known = selection.known().is_some();
    for (index, column) in columns.iter_mut().enumerate() {
        column.is_required |= is_known && is_ingestion(column);
        column.warns = filter.searched_strings(index).is_none_or(|strings| spelling::warns_of(&column.name, strings));
    }
    columns
}

/// Compiles `wanted`. `named` is true for columns that the query names.
pub(super) fn plan_columns(
    tree: &mut KeyTree,
    selection: &RecordSelection,
    origins: &ProvenanceColumns,
    wanted: &[ScanColumn],
    named: &dyn Fn(&str) -> bool,
) -> Vec<PlannedColumn> {
    wanted.iter().map(|column| plan_column(tree, selection, origins, column, named)).collect()
}

fn plan_column(
    tree: &mut KeyTree,
    selection: &RecordSelection,
    origins: &ProvenanceColumns,
    wanted: &ScanColumn,
    named: &dyn Fn(&str) -> bool,
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
            is_required: false,
            is_validated: false,
            warns: true,
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
    let is_required = selection.known().is_some() && path.is_none() && matches!(&*name, RESULT | "TimeGenerated");
    PlannedColumn {
        name,
        ty: field.ty,
        path,
        whole,
        is_nested,
        holds_json,
        is_number,
        is_required,
        is_validated: holds_json && named(&field.name),
        warns: true,
        sources,
        spellings,
    }
}

fn plan_source(tree: &mut KeyTree, source: &ColumnSource, kind: RowKind) -> PlannedSource {
    let envelope = kind == RowKind::Diagnostic;
    match source {
        ColumnSource::Unsupplied => PlannedSource::Constant(""),
        ColumnSource::Constant(text) => PlannedSource::Constant(text),
        ColumnSource::Table => PlannedSource::Table,
        ColumnSource::Category => PlannedSource::Category,
        ColumnSource::Keys(paths) => {
            let mut slots: Vec<ValueSlot> = paths.iter().map(|path| tree.slot(path, envelope)).collect();
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
