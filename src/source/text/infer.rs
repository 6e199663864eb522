//! Infers what the records of files without a known table are: rows of a known table, or objects with inferred
//! columns.
//!
//! Types are inferred over all records, up to a limit of bytes: bool, long, real, datetime (every string is ISO 8601
//! with `T` and a time zone), string, and dynamic if any value is an array or object. Integers mixed with reals are
//! real, any other mixture is string, and a column of nulls is string.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::sync::Arc;

use hashbrown::HashMap;

use super::block_origin::BlockStop;
use super::classify::{RecordClass, RowClass, ShapeMarkers};
use super::inner_records::{InnerText, find_inner_records};
use super::key_tree::KeyTree;
use super::plan::RecordSelection;
use super::record_scanner::RecordScanner;
use super::rewrite::RecordRewrite;
use crate::entra::mapping::camel_case;
use crate::entra::{INGESTED, KnownTable, RECEIVED, RowKind};
use crate::records::{
    AfterBlock, BlockHalt, ColumnHeader, Effort, RecordExtent, RecordSpan, ValueSplitter, decode, extent,
    holds_records, is_sequence, is_wrapped,
};
use crate::types::dynamic::{self, Kind};
use crate::types::{Field, Schema, Type, datetime};

/// Number of records that are classified to recognise a known table.
const CLASSIFIED_RECORDS: usize = 1_000;

/// Maximum number of columns of an inferred table.
const MAX_INFERRED_COLUMNS: usize = 4_096;

/// Collects what the records of files tell about their table and columns.
#[derive(Debug)]
pub(crate) struct Inference {
    scanner: RecordScanner,
    markers: ShapeMarkers,
    /// The name of the table whose records are used; None for the records of all tables.
    only: Option<String>,
    /// The columns that are searched for in records of a known table; None if columns are inferred.
    extra: Option<ExtraColumnSearch>,
    known: Vec<(&'static KnownTable, usize)>,
    observed: usize,
    columns: HashMap<String, usize>,
    types: Vec<(String, ValueKinds)>,
    /// True if all values of the file are strings, even those that represent numbers, as in CSV.
    cells: bool,
    tree: Arc<KeyTree>,
    /// True while the records inside a value are observed.
    inside: bool,
    rewritten: bool,
    effort: Effort,
}

/// A search for columns that a known table does not have.
#[derive(Debug)]
struct ExtraColumnSearch {
    table: &'static str,
    /// The names of the searched columns, by the keys under which records may have them.
    columns: HashMap<String, String>,
}

impl Inference {
    /// Creates an inference that searches for the columns `names` in records of `table`. Keys are matched as in
    /// `Mapping::by_name`.
    pub(crate) fn of_extra(table: &KnownTable, names: &BTreeSet<String>) -> Self {
        let keys = names.iter().flat_map(|name| [(camel_case(name), name.clone()), (name.clone(), name.clone())]);
        let extra = ExtraColumnSearch { table: table.name, columns: keys.collect() };
        Self { extra: Some(extra), ..Self::new() }
    }

    /// Creates an inference that uses only records that name the table `name`.
    pub(crate) fn only(name: &str) -> Self {
        Self { only: Some(name.to_owned()), ..Self::new() }
    }

    /// Creates an inference that uses the records of all tables.
    pub(crate) fn new() -> Self {
        let mut tree = KeyTree::new();
        let markers = ShapeMarkers::new(&mut tree);
        // These members identify an object in a string.
        for key in ["id", "createdDateTime", "userPrincipalName", "activityDateTime", "initiatedBy"] {
            tree.slot(&["properties", key], true);
        }
        let tree = Arc::new(tree);
        let scanner = RecordScanner::new(Arc::clone(&tree));
        Self {
            scanner,
            markers,
            only: None,
            extra: None,
            known: Vec::new(),
            observed: 0,
            columns: HashMap::new(),
            types: Vec::new(),
            cells: false,
            tree,
            inside: false,
            rewritten: false,
            effort: Effort::default(),
        }
    }

    /// True if the records of all tables are used.
    pub(crate) fn takes_all(&self) -> bool {
        self.only.is_none()
    }

    /// True if enough records were observed to recognise a known table.
    pub(crate) fn is_certain(&self) -> bool {
        self.observed >= CLASSIFIED_RECORDS && !self.known.is_empty()
    }

    /// Starts a file. `cells` is true if all of its values are strings, as in CSV.
    pub(crate) fn start_file(&mut self, cells: bool) {
        self.cells = cells;
        self.effort = Effort::default();
    }

    /// Observes the records at `spans` of a block.
    pub(crate) fn observe_records(&mut self, block: &[u8], spans: &[RecordSpan]) {
        for span in spans {
            self.observe(&block[span.start..span.end], span.header.as_ref());
        }
    }

    /// Observes the records of a block of lines; `rest` tells what follows it. Returns where it must stop, or None if
    /// it read the block to its end.
    pub(crate) fn observe_lines(&mut self, block: &[u8], rest: AfterBlock) -> Option<BlockStop> {
        let mut start = 0;
        while start < block.len() {
            let line = start..memchr::memchr(b'\n', &block[start..]).map_or(block.len(), |length| start + length);
            let end = match extent(block, line.clone(), rest, &mut self.effort) {
                RecordExtent::End(end) => end,
                RecordExtent::Unclear => return Some(BlockStop { at: start, why: BlockHalt::MoreLines }),
                RecordExtent::Endless => return Some(BlockStop { at: start, why: BlockHalt::EndlessArray }),
            };
            self.observe_line(block[start..end].trim_ascii());
            start = if end == line.end { end + 1 } else { end };
        }
        None
    }

    fn observe_line(&mut self, line: &[u8]) {
        if !is_wrapped(line) && !holds_records(line) && (self.observe(line, None) || !is_sequence(line)) {
            return;
        }
        for span in ValueSplitter::default().split(line, false).0 {
            self.observe(&line[span.start..span.end], span.header.as_ref());
        }
    }

    /// Observes a record. Returns false for a damaged one, which the scan reports when it reads the file.
    fn observe(&mut self, record: &[u8], header: Option<&Arc<ColumnHeader>>) -> bool {
        let record = decode(record);
        let record = &*record;
        let scanned = match header {
            None => self.scanner.scan(record),
            Some(header) => self.scanner.scan_cells(record, header),
        };
        if scanned.is_err() {
            let is_string = record.starts_with('"') && dynamic::validate(record.as_bytes()).is_ok();
            return is_string && self.observe_inner(record);
        }
        let class = self.markers.classify(&self.scanner, record);
        let is_changed = self.scanner.has_texts() || self.scanner.has(self.markers.joined);
        if is_changed && class == RecordClass::Unknown && header.is_none() && self.observe_rewritten(record) {
            return true;
        }
        if class == RecordClass::Unknown && header.is_none() && self.observe_inner(record) {
            return true;
        }
        self.observed += 1;
        if let Some(extra) = &self.extra {
            if let RecordClass::Row(row) = class
                && (row.table.name == extra.table || !row.certain)
            {
                self.observe_extra(record, header, row.kind);
            }
            return true;
        }
        if self.only.as_ref().is_some_and(|only| !class.names_table(only)) {
            return true;
        }
        if self.only.is_none()
            && self.observed <= CLASSIFIED_RECORDS
            && let RecordClass::Row(row) = class
            && is_of_table(row, record, header)
        {
            match self.known.iter_mut().find(|(table, _)| table.name == row.table.name) {
                Some((_, count)) => *count += 1,
                None => self.known.push((row.table, 1)),
            }
        }
        if self.known.is_empty() {
            match header {
                None => self.observe_columns(record),
                Some(header) => {
                    for (name, cell) in header.names.iter().zip(dynamic::elements(record)) {
                        self.observe_column(Cow::Borrowed(name), cell);
                    }
                }
            }
        }
        true
    }

    /// Observes the records inside a value; returns false if there are none.
    fn observe_inner(&mut self, value: &str) -> bool {
        if self.inside {
            return false;
        }
        let found = find_inner_records(value);
        self.inside = true;
        for inner in &found.records {
            let record = match &inner.text {
                InnerText::Plain(range) => &value[range.clone()],
                InnerText::Decoded(text) => text,
            };
            self.observe_line(record.as_bytes());
        }
        self.inside = false;
        !found.records.is_empty()
    }

    /// Observes a record after its flattened objects were restored; returns false if there is nothing to restore.
    fn observe_rewritten(&mut self, record: &str) -> bool {
        if self.rewritten {
            return false;
        }
        let python = RefCell::default();
        let rewrite = RecordRewrite { tree: &self.tree, texts: true, cells: self.cells, python: &python };
        let Some(text) = rewrite.record(record) else { return false };
        self.rewritten = true;
        let is_record = self.observe(text.as_bytes(), None);
        self.rewritten = false;
        is_record
    }

    /// Observes the values of the searched columns in a record.
    fn observe_extra(&mut self, record: &str, header: Option<&Arc<ColumnHeader>>, kind: RowKind) {
        let column = |extra: &Option<ExtraColumnSearch>, key: &str| extra.as_ref()?.columns.get(key).cloned();
        if let Some(header) = header {
            for (name, cell) in header.names.iter().zip(dynamic::elements(record)) {
                if let Some(name) = column(&self.extra, name) {
                    self.observe_column(Cow::Owned(name), cell);
                }
            }
            return;
        }
        let properties = dynamic::get_member(record, "properties").filter(|_| kind == RowKind::Diagnostic);
        for object in properties.into_iter().chain([record]) {
            for entry in dynamic::unique_entries(object) {
                if let Some(name) = column(&self.extra, &entry.key.text()) {
                    self.observe_column(Cow::Owned(name), entry.value);
                }
            }
        }
    }

    /// Returns the columns that were found, with their types.
    pub(crate) fn into_fields(self) -> Vec<Field> {
        self.types.into_iter().map(column_field).collect()
    }

    fn observe_columns(&mut self, record: &str) {
        for entry in dynamic::unique_entries(record) {
            self.observe_column(entry.key.text(), entry.value);
        }
    }

    fn observe_column(&mut self, key: Cow<'_, str>, value: &str) {
        let column = match self.columns.get(&*key) {
            Some(&column) => column,
            None if self.types.len() == MAX_INFERRED_COLUMNS => return,
            None => {
                self.types.push((key.clone().into_owned(), ValueKinds::default()));
                self.columns.insert(key.into_owned(), self.types.len() - 1);
                self.types.len() - 1
            }
        };
        if self.cells {
            self.types[column].1.add_cell(&dynamic::unescape(value), value);
        } else {
            self.types[column].1.add(value);
        }
    }

    /// Returns how the records of the files are selected; None if no record is usable.
    pub(crate) fn finish(self) -> Option<RecordSelection> {
        if let Some((table, _)) = self.known.into_iter().rev().max_by_key(|(_, count)| *count) {
            return Some(RecordSelection::AllKnownAs(table));
        }
        if self.types.is_empty() {
            return None;
        }
        let schema = Schema::new(self.types.into_iter().map(column_field));
        Some(
            self.only
                .map_or(RecordSelection::AnyObjects(schema.clone()), |name| RecordSelection::NamedTable(name, schema)),
        )
    }
}

/// Returns a column with the type of its values. The type of times of ingestion is known, so that one damaged value does
/// not make strings of all others.
fn column_field((name, seen): (String, ValueKinds)) -> Field {
    let is_ingestion = [INGESTED, RECEIVED].contains(&name.as_str()) && seen.times && !seen.nested;
    let ty = if is_ingestion { Type::Datetime } else { seen.ty() };
    Field::new(name, ty)
}

/// The kinds of values that a column has had.
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "a set of kinds")]
struct ValueKinds {
    bools: bool,
    longs: bool,
    reals: bool,
    times: bool,
    texts: bool,
    nested: bool,
}

impl ValueKinds {
    fn add(&mut self, json: &str) {
        match dynamic::kind(json) {
            Kind::Null => {}
            Kind::Bool => self.bools = true,
            Kind::Long => self.longs = true,
            Kind::Double => self.reals = true,
            Kind::Array | Kind::Bag => self.nested = true,
            Kind::String if is_time(json) => self.times = true,
            Kind::String => self.texts = true,
        }
    }

    /// Adds a string by what it represents: nothing, a number, a boolean, or a string.
    fn add_cell(&mut self, text: &str, json: &str) {
        let digits = text.strip_prefix('-').unwrap_or(text);
        // Digits after a leading zero are an identifier.
        let padded = digits.starts_with('0') && !digits.starts_with("0.");
        let number = || digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'.')) && !padded;
        match text {
            "" => {}
            "true" | "false" | "True" | "False" | "TRUE" | "FALSE" => self.bools = true,
            _ if text.parse::<i64>().is_ok_and(|whole| whole.to_string() == text) => self.longs = true,
            _ if number() && text.parse::<f64>().is_ok() => self.reals = true,
            _ => self.add(json),
        }
    }

    fn ty(self) -> Type {
        match (self.nested, self.texts, self.times, self.reals, self.longs, self.bools) {
            (true, ..) => Type::Dynamic,
            (false, false, false, false, false, true) => Type::Bool,
            (false, false, false, false, true, false) => Type::Long,
            (false, false, false, true, _, false) => Type::Real,
            (false, false, true, false, false, false) => Type::Datetime,
            _ => Type::String,
        }
    }
}

/// True if a record can be a row of its table. A row of a query that names no table needs a column of that table, besides
/// those that every table has; its time may also be one that only a known table can read.
fn is_of_table(row: RowClass, record: &str, header: Option<&Arc<ColumnHeader>>) -> bool {
    if row.certain || row.kind != RowKind::Flat {
        return true;
    }
    let shows_table = |key: &str, value: &str| match key {
        "TimeGenerated" => !is_time(value),
        "Type" | "TenantId" | "SourceSystem" => false,
        _ => key.starts_with("TimeGenerated") || !key.starts_with('_') && row.table.schema.index_of(key).is_some(),
    };
    match header {
        Some(header) => header.names.iter().zip(dynamic::elements(record)).any(|(name, cell)| shows_table(name, cell)),
        None => dynamic::unique_entries(record).iter().any(|entry| shows_table(&entry.key.text(), entry.value)),
    }
}

/// True for a JSON string that is a time with a time zone.
fn is_time(json: &str) -> bool {
    let text = json.trim_matches('"');
    let zone = text.ends_with('Z') || text.rfind(['+', '-']).is_some_and(|at| at > 18);
    text.len() >= 20 && text.as_bytes().get(10) == Some(&b'T') && zone && datetime::parse(text).is_some()
}

#[cfg(test)]
mod tests {
    use super::{Inference, RecordSelection};

    fn infer(text: &str) -> String {
        let mut inference = Inference::new();
        assert_eq!(inference.observe_lines(text.as_bytes(), super::AfterBlock::Nothing), None);
        match inference.finish() {
            Some(RecordSelection::AnyObjects(schema) | RecordSelection::NamedTable(_, schema)) => {
                let columns: Vec<_> =
                    schema.fields().iter().map(|field| format!("{}:{}", field.name, field.ty)).collect();
                columns.join(" ")
            }
            Some(
                RecordSelection::AllKnownAs(table) | RecordSelection::Table(table) | RecordSelection::BoundTable(table),
            ) => table.name.to_owned(),
            None => "nothing".to_owned(),
        }
    }

    #[test]
    fn types_cover_every_value() {
        let text = concat!(
            "{\"a\":1,\"b\":true,\"t\":\"2026-03-02T09:07:43.5Z\",\"n\":null,\"x\":1,\"o\":1}\n",
            "{\"a\":2.5,\"b\":false,\"t\":\"2026-03-02T09:07:43+01:00\",\"s\":\"2026-03-02\",\"x\":\"y\",\"o\":{}}\n",
            "damage\n",
        );
        assert_eq!(infer(text), "a:real b:bool t:datetime n:string x:string o:dynamic s:string");
        assert_eq!(infer("{\"n\":9223372036854775807}"), "n:long");
        // The type of times of ingestion is known.
        let bad = "{\"_IngestionTime\":\"2026-03-02T09:07:43Z\"}\n{\"_IngestionTime\":\"later\"}\n";
        assert_eq!(infer(bad), "_IngestionTime:datetime");
        assert_eq!(infer("\n"), "nothing");
        assert_eq!(infer("{\"a\":1}\n{\n \"b\": {}\n} {\"c\":2}{\"d\":[\n]}\n"), "a:long b:dynamic c:long d:dynamic");
    }

    #[test]
    fn known_records_are_known() {
        assert_eq!(infer("{\"createdDateTime\":\"x\",\"isInteractive\":true}"), "SigninLogs");
        assert_eq!(infer("{\"records\":[{\"time\":\"x\",\"category\":\"auditlogs\",\"properties\":{}}]}"), "AuditLogs");
    }
}
