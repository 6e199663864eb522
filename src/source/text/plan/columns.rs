//! Compiles the columns of a request: where each is read in records of each shape.

use std::borrow::Cow;

use super::RecordSelection;
use crate::entra::integral_columns::holds_whole_numbers;
use crate::entra::json_text::holds_json;
use crate::entra::mapping::KeyPath;
use crate::entra::spelling;
use crate::entra::spelling::Spellings;
use crate::entra::{ColumnSource, RowKind, union_names};
use crate::scan::ScanColumn;
use crate::scan::provenance::{Provenance, ProvenanceColumns};
use crate::source::text::key_tree::{KeyTree, ValueSlot};
use crate::types::{Type, dynamic};

/// The column with the result code of a sign-in.
pub(crate) const RESULT: &str = "ResultType";

/// The key of a number that some records have as a string.
const ERROR_CODE: &str = "errorCode";

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
    /// True if a row without a value is damage: without a result, success or failure is unknown, and without a time, a
    /// filter drops the row.
    pub is_required: bool,
    /// True for a string column of JSON that the query names: its values are validated.
    pub is_validated: bool,
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
    Keys(Vec<ValueSlot>),
    UnlessZero { value: ValueSlot, guard: ValueSlot },
    Origin(Provenance),
}

impl PlannedColumn {
    /// The keys that lead to the value, if `path` leads to the column; they end at an array index.
    pub(crate) fn keys_after<'a>(&'a self, path: &'a KeyPath) -> Vec<&'a str> {
        keys_after(path, self.path.as_ref())
    }

    /// The first key of the path; None for the column as a whole.
    pub(crate) fn first_key(&self) -> Option<&str> {
        match self.path.as_ref()?.steps.first()? {
            dynamic::Step::Member(key) => Some(key),
            dynamic::Step::Index(_) => None,
        }
    }

    /// The column with its path, as written in a query.
    pub(crate) fn label(&self) -> String {
        self.path.as_ref().map_or(self.name.clone(), |path| format!("{}{path}", self.name))
    }
}

/// The keys that lead to the value at `inner`, if `path` leads to the column; they end at an array index.
pub(crate) fn keys_after<'a>(path: &'a KeyPath, inner: Option<&'a dynamic::Path>) -> Vec<&'a str> {
    let keys = inner.into_iter().flat_map(|path| &path.steps).map_while(|step| match step {
        dynamic::Step::Member(key) => Some(key.as_str()),
        dynamic::Step::Index(_) => None,
    });
    path.iter().map(Cow::as_ref).chain(keys).collect()
}

/// Compiles the columns of a filter. Exports need not have the times of ingestion, but a filter on them needs them.
pub(super) fn plan_filter_columns(
    tree: &mut KeyTree,
    selection: &RecordSelection,
    origins: &ProvenanceColumns,
    wanted: &[ScanColumn],
) -> Vec<PlannedColumn> {
    let mut columns = plan_columns(tree, selection, origins, wanted, &|_| true);
    let is_ingestion = |column: &PlannedColumn| matches!(&*column.name, "_TimeReceived" | "_IngestionTime");
    let is_known = selection.known().is_some();
    columns.iter_mut().for_each(|column| column.is_required |= is_known && is_ingestion(column));
    columns
}

/// Compiles `wanted`; `named` tells which columns the query names.
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
