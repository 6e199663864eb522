//! Files whose table is not known -> what their records are: rows of a known table, or objects whose columns are
//! inferred.
//!
//! Types are inferred over all records, up to a bound of bytes: bool, long, real, datetime (every text is ISO 8601
//! with `T` and a zone), string, and dynamic where a value is an array or object. Whole numbers mix with others to
//! real, anything else mixed is a string; nothing but nulls is a string.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;

use hashbrown::HashMap;

use super::classify::{Class, Markers};
use super::inside::{HeldText, look_inside};
use super::keys::KeyTree;
use super::plan::Rows;
use super::record::RecordScanner;
use super::rewrite::Rewrite;
use super::whereabouts::Stop;
use crate::entra::mapping::camel_case;
use crate::entra::{KnownTable, RowKind};
use crate::records::{
    AfterBlock, BlockHalt, ColumnHeader, Effort, RecordExtent, RecordSpan, ValueSplitter, decode, extent,
    holds_records, is_sequence, is_wrapped,
};
use crate::types::dynamic::{self, Kind};
use crate::types::{Field, Schema, Type, datetime};

/// Records that are classified before the columns count.
const CLASSIFIED_RECORDS: usize = 1_000;

/// Columns that a table of unknown shape can have.
const MAX_COLUMNS: usize = 4_096;

/// Looks at records.
#[derive(Debug)]
pub(crate) struct Inference {
    scanner: RecordScanner,
    markers: Markers,
    /// The only table whose records count.
    only: Option<String>,
    /// The columns of a known table that are looked for, if they are not its own.
    beyond: Option<Beyond>,
    known: Vec<(&'static KnownTable, usize)>,
    looked_at: usize,
    columns: HashMap<String, usize>,
    types: Vec<(String, Seen)>,
    /// True where every value is a text, whatever it stands for.
    cells: bool,
    tree: Arc<KeyTree>,
    /// True inside a value that was looked into, and inside a record that was written anew.
    inside: bool,
    rewritten: bool,
    effort: Effort,
}

/// Columns that a known table does not have.
#[derive(Debug)]
struct Beyond {
    table: &'static str,
    /// By key, the name of the column.
    columns: HashMap<String, String>,
}

impl Inference {
    /// Nothing was seen yet; in records of `table`, keys of these names will count, as `Mapping::by_name` finds them.
    pub(crate) fn beyond(table: &KnownTable, names: &BTreeSet<String>) -> Self {
        let keys = names.iter().flat_map(|name| [(camel_case(name), name.clone()), (name.clone(), name.clone())]);
        let beyond = Beyond { table: table.name, columns: keys.collect() };
        Self { beyond: Some(beyond), ..Self::new() }
    }

    /// Nothing was seen yet; only the records that name the table `name` will count.
    pub(crate) fn only(name: &str) -> Self {
        Self { only: Some(name.to_owned()), ..Self::new() }
    }

    /// Nothing was seen yet.
    pub(crate) fn new() -> Self {
        let mut tree = KeyTree::new();
        let markers = Markers::new(&mut tree);
        // Members by which the text of such an object is known.
        for key in ["id", "createdDateTime", "userPrincipalName", "activityDateTime", "initiatedBy"] {
            tree.slot(&["properties", key], true);
        }
        let tree = Arc::new(tree);
        let scanner = RecordScanner::new(Arc::clone(&tree));
        Self {
            scanner,
            markers,
            only: None,
            beyond: None,
            known: Vec::new(),
            looked_at: 0,
            columns: HashMap::new(),
            types: Vec::new(),
            cells: false,
            tree,
            inside: false,
            rewritten: false,
            effort: Effort::default(),
        }
    }

    /// True where records of any table count.
    pub(crate) fn takes_all(&self) -> bool {
        self.only.is_none()
    }

    /// True where enough has been seen to know what the records are.
    pub(crate) fn is_certain(&self) -> bool {
        self.looked_at >= CLASSIFIED_RECORDS && !self.known.is_empty()
    }

    /// A file begins; `cells` where all values of it are texts, as CSV has them.
    pub(crate) fn start_file(&mut self, cells: bool) {
        self.cells = cells;
        self.effort = Effort::default();
    }

    /// Looks at records that lie at `spans` of a block.
    pub(crate) fn look(&mut self, block: &[u8], spans: &[RecordSpan]) {
        for span in spans {
            self.look_at(&block[span.start..span.end], span.header.as_ref());
        }
    }

    /// Looks at the records of a block of lines, which `rest` follows; answers where it has to stop, if not at the end.
    pub(crate) fn look_at_lines(&mut self, block: &[u8], rest: AfterBlock) -> Option<Stop> {
        let mut start = 0;
        while start < block.len() {
            let line = start..memchr::memchr(b'\n', &block[start..]).map_or(block.len(), |length| start + length);
            let end = match extent(block, line.clone(), rest, &mut self.effort) {
                RecordExtent::End(end) => end,
                RecordExtent::Unclear => return Some(Stop { at: start, why: BlockHalt::MoreLines }),
                RecordExtent::Endless => return Some(Stop { at: start, why: BlockHalt::EndlessArray }),
            };
            self.look_at_line(block[start..end].trim_ascii());
            start = if end == line.end { end + 1 } else { end };
        }
        None
    }

    fn look_at_line(&mut self, line: &[u8]) {
        if !is_wrapped(line) && !holds_records(line) && (self.look_at(line, None) || !is_sequence(line)) {
            return;
        }
        for span in ValueSplitter::default().split(line, false).0 {
            self.look_at(&line[span.start..span.end], span.header.as_ref());
        }
    }

    /// Damaged records are passed over: whoever reads them counts them. False for one.
    fn look_at(&mut self, record: &[u8], header: Option<&Arc<ColumnHeader>>) -> bool {
        let record = decode(record);
        let record = &*record;
        let scanned = match header {
            None => self.scanner.scan(record),
            Some(header) => self.scanner.scan_cells(record, header),
        };
        if scanned.is_err() {
            let is_string = record.starts_with('"') && dynamic::validate(record.as_bytes()).is_ok();
            return is_string && self.look_inside(record);
        }
        let class = self.markers.classify(&self.scanner, record);
        let is_changed = self.scanner.has_texts() || self.scanner.has(self.markers.joined);
        if is_changed && class == Class::Unknown && header.is_none() && self.look_at_rewritten(record) {
            return true;
        }
        if class == Class::Unknown && header.is_none() && self.look_inside(record) {
            return true;
        }
        self.looked_at += 1;
        if let Some(beyond) = &self.beyond {
            if let Class::Row(row) = class
                && (row.table.name == beyond.table || !row.certain)
            {
                self.look_beyond(record, header, row.kind);
            }
            return true;
        }
        if let Some(only) = &self.only
            && class != Class::OtherTable(only.clone())
        {
            return true;
        }
        if self.only.is_none()
            && self.looked_at <= CLASSIFIED_RECORDS
            && let Class::Row(row) = class
        {
            match self.known.iter_mut().find(|(table, _)| table.name == row.table.name) {
                Some((_, count)) => *count += 1,
                None => self.known.push((row.table, 1)),
            }
        }
        if self.known.is_empty() {
            match header {
                None => self.look_at_columns(record),
                Some(header) => {
                    for (name, cell) in header.names.iter().zip(dynamic::elements(record)) {
                        self.look_at_column(Cow::Borrowed(name), cell);
                    }
                }
            }
        }
        true
    }

    /// Looks at the records inside a value; false if there are none.
    fn look_inside(&mut self, value: &str) -> bool {
        if self.inside {
            return false;
        }
        let found = look_inside(value);
        self.inside = true;
        for held in &found.records {
            let record = match &held.text {
                HeldText::Plain(range) => &value[range.clone()],
                HeldText::Decoded(text) => text,
            };
            self.look_at_line(record.as_bytes());
        }
        self.inside = false;
        !found.records.is_empty()
    }

    /// Looks at a record as it was before its objects were taken apart or turned into text; false if it was as it is.
    fn look_at_rewritten(&mut self, record: &str) -> bool {
        if self.rewritten {
            return false;
        }
        let rewrite = Rewrite { tree: &self.tree, texts: true, cells: self.cells };
        let Some(text) = rewrite.record(record) else { return false };
        self.rewritten = true;
        let is_record = self.look_at(text.as_bytes(), None);
        self.rewritten = false;
        is_record
    }

    /// Looks for keys of the columns that the table does not have.
    fn look_beyond(&mut self, record: &str, header: Option<&Arc<ColumnHeader>>, kind: RowKind) {
        let column = |beyond: &Option<Beyond>, key: &str| beyond.as_ref()?.columns.get(key).cloned();
        if let Some(header) = header {
            for (name, cell) in header.names.iter().zip(dynamic::elements(record)) {
                if let Some(name) = column(&self.beyond, name) {
                    self.look_at_column(Cow::Owned(name), cell);
                }
            }
            return;
        }
        let properties = dynamic::get_member(record, "properties").filter(|_| kind == RowKind::Diagnostic);
        for object in properties.into_iter().chain([record]) {
            for entry in dynamic::unique_entries(object) {
                if let Some(name) = column(&self.beyond, &entry.key.text()) {
                    self.look_at_column(Cow::Owned(name), entry.value);
                }
            }
        }
    }

    /// The columns that were found.
    pub(crate) fn into_fields(self) -> Vec<Field> {
        self.types.into_iter().map(|(name, seen)| Field::new(name, seen.ty())).collect()
    }

    fn look_at_columns(&mut self, record: &str) {
        for entry in dynamic::unique_entries(record) {
            self.look_at_column(entry.key.text(), entry.value);
        }
    }

    fn look_at_column(&mut self, key: Cow<'_, str>, value: &str) {
        let column = match self.columns.get(&*key) {
            Some(&column) => column,
            None if self.types.len() == MAX_COLUMNS => return,
            None => {
                self.types.push((key.clone().into_owned(), Seen::default()));
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

    /// What the records are; None where there are none.
    pub(crate) fn finish(self) -> Option<Rows> {
        if let Some((table, _)) = self.known.into_iter().rev().max_by_key(|(_, count)| *count) {
            return Some(Rows::AllAs(table));
        }
        if self.types.is_empty() {
            return None;
        }
        let schema = Schema::new(self.types.into_iter().map(|(name, seen)| Field::new(name, seen.ty())));
        Some(self.only.map_or(Rows::Any(schema.clone()), |name| Rows::Named(name, schema)))
    }
}

/// Which kinds of values a column has had.
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "a set of kinds")]
struct Seen {
    bools: bool,
    longs: bool,
    reals: bool,
    times: bool,
    texts: bool,
    nested: bool,
}

impl Seen {
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

    /// Adds a text by what it stands for: "" for nothing, numbers and words for themselves.
    fn add_cell(&mut self, text: &str, json: &str) {
        let digits = text.strip_prefix('-').unwrap_or(text);
        // A zero in front of digits tells of an identifier.
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

/// True for a quoted time that says its zone.
fn is_time(json: &str) -> bool {
    let text = json.trim_matches('"');
    let zone = text.ends_with('Z') || text.rfind(['+', '-']).is_some_and(|at| at > 18);
    text.len() >= 20 && text.as_bytes().get(10) == Some(&b'T') && zone && datetime::parse(text).is_some()
}

#[cfg(test)]
mod tests {
    use super::{Inference, Rows};

    fn infer(text: &str) -> String {
        let mut inference = Inference::new();
        assert_eq!(inference.look_at_lines(text.as_bytes(), super::AfterBlock::Nothing), None);
        match inference.finish() {
            Some(Rows::Any(schema) | Rows::Named(_, schema)) => {
                let columns: Vec<_> =
                    schema.fields().iter().map(|field| format!("{}:{}", field.name, field.ty)).collect();
                columns.join(" ")
            }
            Some(Rows::AllAs(table) | Rows::Of(table) | Rows::Bound(table)) => table.name.to_owned(),
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
        assert_eq!(infer("\n"), "nothing");
        assert_eq!(infer("{\"a\":1}\n{\n \"b\": {}\n} {\"c\":2}{\"d\":[\n]}\n"), "a:long b:dynamic c:long d:dynamic");
    }

    #[test]
    fn known_records_are_known() {
        assert_eq!(infer("{\"createdDateTime\":\"x\",\"isInteractive\":true}"), "SigninLogs");
        assert_eq!(infer("{\"records\":[{\"time\":\"x\",\"category\":\"auditlogs\",\"properties\":{}}]}"), "AuditLogs");
    }
}
