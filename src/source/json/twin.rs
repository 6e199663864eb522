//! A slow twin of the reader: `serde_json` parses every record, and nothing is skipped. Seeded random records, whole
//! and damaged, must give the same rows and the same number of lost ones either way, with and without a filter.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;

use arrow::array::BooleanArray;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::value::RawValue;

use crate::diagnostic::Result;
use crate::source::file_table::FileTable;
use crate::source::files::expand;
use crate::source::json::Rows;
use crate::source::shape::mapping::KeyPath;
use crate::source::shape::{KnownTable, RowKind, Source, known_table};
use crate::source::{Comparison, Predicate, RowFilter, ScanColumn, ScanReport, ScanRequest, TableProvider};
use crate::types::{Batch, Type, Value, datetime, dynamic};

type Bag = BTreeMap<String, Box<RawValue>>;

// --- the twin -------------------------------------------------------------------------------------------------------

/// The rows of a table in a text of lines and of values over several lines, and how many records are lost.
fn twin(text: &[u8], table: &KnownTable, columns: &[ScanColumn]) -> (Vec<Vec<Value>>, u64) {
    let mut rows = Vec::new();
    let mut lost = 0;
    let mut start = 0;
    while start < text.len() {
        let line_end = text[start..].iter().position(|byte| *byte == b'\n').map_or(text.len(), |length| start + length);
        let line = text[start..line_end].trim_ascii();
        let line = line.strip_prefix(b",").unwrap_or(line).trim_ascii();
        let end = if line.starts_with(b"{") && !line.ends_with(b"}") { twin_end(text, start) } else { line_end };
        let record = text[start..end].trim_ascii();
        let record = record.strip_prefix(b",").unwrap_or(record);
        if !record.is_empty() {
            let bag = std::str::from_utf8(record).ok().and_then(|record| serde_json::from_str::<Bag>(record).ok());
            match bag {
                Some(bag) => rows.extend(twin_row(&bag, table, columns)),
                None => lost += 1,
            }
        }
        start = if end == line_end { end + 1 } else { end };
    }
    (rows, lost)
}

/// Where the record ends whose first line, which does not end it, begins at `start`: where its value does, or behind
/// the lines that are indented below it.
fn twin_end(text: &[u8], start: usize) -> usize {
    let indent = |line: &[u8]| line.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    let skipped = indent(&text[start..]);
    let skipped = skipped + usize::from(text[start + skipped] == b',');
    // Text that is no UTF-8 ends what can be JSON.
    let valid = match std::str::from_utf8(&text[start + skipped..]) {
        Ok(text) => text,
        Err(error) => std::str::from_utf8(&text[start + skipped..][..error.valid_up_to()]).expect("valid"),
    };
    let mut values = serde_json::Deserializer::from_str(valid).into_iter::<Box<RawValue>>();
    if let Some(Ok(_)) = values.next() {
        return start + skipped + values.byte_offset();
    }
    let mut end = None;
    let mut position = start;
    for line in text[start..].split(|byte| *byte == b'\n') {
        let behind = position + line.len();
        let closes = line.trim_ascii().starts_with(b"}") || line.trim_ascii().starts_with(b"]");
        match end {
            None => end = Some(behind),
            Some(_) if line.trim_ascii().is_empty() => {}
            Some(_) if indent(line) > indent(&text[start..]) => end = Some(behind),
            Some(_) if indent(line) == indent(&text[start..]) && closes => return behind,
            Some(end) => return end,
        }
        position = behind + 1;
    }
    end.unwrap_or(text.len())
}

fn twin_row(bag: &Bag, table: &KnownTable, columns: &[ScanColumn]) -> Option<Vec<Value>> {
    let kind = twin_kind(bag)?;
    let name = match kind {
        RowKind::Diagnostic => {
            let category = envelope(bag, "category")?;
            let category: String = serde_json::from_str(category).unwrap_or_else(|_| category.to_owned());
            if !category.eq_ignore_ascii_case(table.category) {
                return None;
            }
            table.name.to_owned()
        }
        RowKind::Flat => match bag.get("_OriginalType").or(bag.get("Type")).map(|raw| raw.get()) {
            None | Some("null" | "\"\"") => "SigninLogs".to_owned(),
            Some(json) => serde_json::from_str(json).unwrap_or_default(),
        },
        RowKind::Graph => match bag.get("isInteractive").map(|raw| raw.get()) {
            Some("false") => "AADNonInteractiveUserSignInLogs".to_owned(),
            _ => "SigninLogs".to_owned(),
        },
        RowKind::Cmdlet | RowKind::Az | RowKind::PortalCsv => return None,
    };
    (name == table.name).then(|| columns.iter().map(|column| twin_value(bag, table, kind, column)).collect())
}

fn twin_kind(bag: &Bag) -> Option<RowKind> {
    let object = |json: &str| json.starts_with('{');
    if envelope(bag, "properties").is_some_and(object)
        && envelope(bag, "time").is_some()
        && envelope(bag, "category").is_some()
    {
        Some(RowKind::Diagnostic)
    } else if bag.contains_key("TimeGenerated") && !bag.contains_key("TableName") {
        Some(RowKind::Flat)
    } else if bag.contains_key("createdDateTime") {
        Some(RowKind::Graph)
    } else {
        None
    }
}

/// A key of the envelope in any case. The generator gives each in one case only.
fn envelope<'a>(bag: &'a Bag, key: &str) -> Option<&'a str> {
    bag.iter().find(|(name, _)| name.to_lowercase() == key.to_lowercase()).map(|(_, raw)| raw.get())
}

fn twin_find(bag: &Bag, path: &KeyPath, in_envelope: bool) -> Option<String> {
    let (first, rest) = path.split_first()?;
    let json = if in_envelope { envelope(bag, first) } else { bag.get(&**first).map(|raw| raw.get()) }?;
    if rest.is_empty() {
        return Some(json.to_owned());
    }
    twin_find(&serde_json::from_str::<Bag>(json).ok()?, &rest.to_vec(), false)
}

fn twin_value(bag: &Bag, table: &KnownTable, kind: RowKind, wanted: &ScanColumn) -> Value {
    let column = wanted.column();
    let ty = table.schema.field(column).ty;
    let constant = |text: &str| if ty == Type::String { Value::string(text) } else { Value::null(ty) };
    let find = |path: &KeyPath| twin_find(bag, path, kind == RowKind::Diagnostic);
    let json = match &table.mapping(column, kind).source {
        Source::Unsupplied => return constant(""),
        Source::Constant(text) => return constant(text),
        Source::Table => return constant(table.name),
        Source::Category => return constant(table.category),
        Source::Keys(paths) => {
            let found: Vec<String> = paths.iter().filter_map(find).collect();
            found.iter().find(|json| !matches!(json.as_str(), "null" | "\"\"")).or(found.first()).cloned()
        }
        Source::UnlessZero { value, guard } => match find(guard).as_deref() {
            Some("0" | "\"0\"") => None,
            _ => find(value),
        },
    };
    let value = json.map_or(Value::null(ty), |json| twin_convert(&json, ty));
    match (wanted, &value) {
        (ScanColumn::Path { path, .. }, Value::Dynamic(json)) => {
            dynamic::extract(json, path).map_or(Value::null(Type::Dynamic), Value::dynamic)
        }
        _ => value,
    }
}

fn twin_convert(json: &str, ty: Type) -> Value {
    let parsed: serde_json::Value = serde_json::from_str(json).expect("checked");
    let text = match &parsed {
        serde_json::Value::Null => return Value::null(ty),
        serde_json::Value::String(text) => text.clone(),
        serde_json::Value::Bool(_) | serde_json::Value::Number(_) => json.to_owned(),
        nested => nested.to_string(),
    };
    let trimmed = text.trim();
    let or_null = |value: Option<Value>| value.unwrap_or(Value::null(ty));
    match ty {
        Type::String => Value::string(text),
        Type::Long => or_null(match (trimmed.parse::<i64>(), trimmed.parse::<f64>()) {
            (Ok(whole), _) => Some(Value::Long(whole)),
            (_, Ok(number)) if number.fract() == 0.0 && number.abs() < 1e15 => {
                format!("{number}").parse().ok().map(Value::Long)
            }
            _ => None,
        }),
        Type::Real => or_null(trimmed.parse().ok().filter(|n: &f64| n.is_finite()).map(Value::Real)),
        Type::Datetime => {
            or_null(if parsed.is_string() { datetime::parse(trimmed).map(Value::Datetime) } else { None })
        }
        Type::Bool => match trimmed.to_lowercase().as_str() {
            "true" | "1" => Value::Bool(true),
            "false" | "0" => Value::Bool(false),
            _ => Value::null(ty),
        },
        _ if parsed.is_string() && (trimmed.is_empty() || trimmed == "null") => Value::null(ty),
        _ if parsed.is_string() && trimmed.starts_with(['{', '[']) => {
            match serde_json::from_str::<Box<RawValue>>(trimmed) {
                Ok(_) => Value::dynamic(trimmed),
                Err(_) => Value::dynamic(json),
            }
        }
        _ => Value::dynamic(json),
    }
}

// --- records --------------------------------------------------------------------------------------------------------

struct Generator {
    random: ChaCha8Rng,
}

/// Texts that are awkward in one way or the other; the needles of the filters are among them.
const TEXTS: [&str; 23] = [
    "Mozilla/5.0",
    "",
    "0",
    "50126",
    "bg-admin-01@contoso.com",
    "BG-ADMIN-01@CONTOSO.COM",
    "bg-admin-02@contoso.com",
    "München",
    "a\"b\\c/d",
    "tab\tline\nend",
    "\u{212a}im@contoso.com",
    "kim@contoso.com",
    "😀 emoji",
    "null",
    "{\"a\": 1}",
    "[1,2",
    " x ",
    "2026-03-02T09:05:11Z",
    "11/14/2025 1:48:53 AM",
    "Azure Portal",
    "azure PORTAL",
    "ＡＺＵＲＥ",
    "true",
];

impl Generator {
    fn pick<'a>(&mut self, list: &[&'a str]) -> &'a str {
        list[self.random.random_range(0..list.len())]
    }

    fn pick_byte(&mut self, list: &[u8]) -> u8 {
        list[self.random.random_range(0..list.len())]
    }

    fn one_in(&mut self, n: u32) -> bool {
        self.random.random_range(0..n) == 0
    }

    /// A JSON string, now and then with needless escapes.
    fn quoted(&mut self, text: &str) -> String {
        let mut out = String::from("\"");
        let escape_often = self.one_in(6);
        for c in text.chars() {
            let mut units = [0; 2];
            match c {
                '"' => out.push_str("\\\""),
                '\\' => out.push_str("\\\\"),
                '\n' => out.push_str("\\n"),
                '/' if self.one_in(2) => out.push_str("\\/"),
                c if c < ' ' || (escape_often && self.one_in(4)) => {
                    for unit in c.encode_utf16(&mut units) {
                        let digits = if self.one_in(2) { format!("\\u{unit:04x}") } else { format!("\\u{unit:04X}") };
                        out.push_str(&digits);
                    }
                }
                c => out.push(c),
            }
        }
        out.push('"');
        out
    }

    fn text(&mut self) -> String {
        let text = self.pick(&TEXTS);
        self.quoted(text)
    }

    fn blank(&mut self) -> &'static str {
        if self.one_in(12) { self.pick(&[" ", "\t", "  ", " \r "]) } else { "" }
    }

    fn scalar(&mut self) -> String {
        match self.random.random_range(0..8) {
            0 => self.random.random_range(-5_i64..60_000).to_string(),
            1 => self
                .pick(&["0", "-0", "1.50", "1.25e-7", "12.0", "9223372036854775807", "123456789012345678901"])
                .to_owned(),
            2 => self.pick(&["true", "false", "null"]).to_owned(),
            _ => self.text(),
        }
    }

    fn value(&mut self, depth: u32) -> String {
        match self.random.random_range(0..6) {
            0 if depth < 4 => {
                let items: Vec<String> = (0..self.random.random_range(0..4)).map(|_| self.value(depth + 1)).collect();
                format!("[{}{}]", self.blank(), items.join(","))
            }
            1 if depth < 4 => self.nested(depth + 1),
            _ => self.scalar(),
        }
    }

    /// An object without the same key twice.
    fn nested(&mut self, depth: u32) -> String {
        let keys = ["errorCode", "failureReason", "city", "browser", "x", "countryOrRegion"];
        let mut members = Vec::new();
        for key in keys {
            if self.one_in(2) {
                members.push((key.to_owned(), self.value(depth)));
            }
        }
        self.object(&members)
    }

    fn object(&mut self, members: &[(String, String)]) -> String {
        let mut out = String::from("{");
        for (index, (key, value)) in members.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            let key = if self.one_in(40) { self.quoted(key) } else { format!("\"{key}\"") };
            let [before, after, behind, last] = [(); 4].map(|()| self.blank());
            write!(out, "{comma}{before}{key}{after}:{behind}{value}{last}").expect("a string");
        }
        out.push('}');
        out
    }

    fn time(&mut self) -> String {
        let second = self.random.random_range(0..60);
        match self.random.random_range(0..5) {
            0 => format!("\"2026-03-02T09:07:{second:02}.1234567Z\""),
            1 => format!("\"2026-03-02T09:07:{second:02}+02:00\""),
            2 => format!("\"3/2/2026 9:07:{second:02} AM\""),
            _ => format!("\"2026-03-02T09:07:{second:02}Z\""),
        }
    }

    /// Some of the keys, in order; now and then one of them twice, or an unknown one.
    fn members(&mut self, keys: &[&str]) -> Vec<(String, String)> {
        let mut members = Vec::new();
        for key in keys {
            if !self.one_in(5) {
                let value = if *key == "status" || *key == "deviceDetail" || *key == "location" {
                    if self.one_in(6) { self.value(1) } else { self.nested(1) }
                } else {
                    self.value(2)
                };
                members.push(((*key).to_owned(), value));
            }
            if self.one_in(60) {
                members.push(((*key).to_owned(), self.scalar()));
            }
            if self.one_in(60) {
                members.push(("somethingNew".to_owned(), self.value(1)));
            }
        }
        members
    }

    fn record(&mut self) -> String {
        match self.random.random_range(0..10) {
            0..4 => self.diagnostic(),
            4..6 => self.graph(),
            6..9 => self.flat(),
            _ => self.nested(0),
        }
    }

    fn diagnostic(&mut self) -> String {
        let keys = [
            "id",
            "createdDateTime",
            "userPrincipalName",
            "appDisplayName",
            "ipAddress",
            "status",
            "deviceDetail",
            "location",
            "isInteractive",
            "processingTimeInMilliseconds",
            "appliedConditionalAccessPolicies",
        ];
        let properties = self.members(&keys);
        let properties = self.object(&properties);
        let category = self.pick(&["SignInLogs", "signinlogs", "NonInteractiveUserSignInLogs", "AuditLogs"]);
        let level = self.pick(&["level", "Level"]).to_owned();
        let mut members = vec![("time".to_owned(), self.time()), ("category".to_owned(), self.quoted(category))];
        members.extend(self.members(&["resultType", "durationMs", "callerIpAddress", "location", "identity"]));
        members.push((level, self.scalar()));
        members.push(("properties".to_owned(), properties));
        if self.one_in(20) {
            members.push(("properties".to_owned(), "{\"id\":\"second\"}".to_owned()));
        }
        self.object(&members)
    }

    fn graph(&mut self) -> String {
        let mut members = vec![("createdDateTime".to_owned(), self.time())];
        members.extend(self.members(&[
            "id",
            "userPrincipalName",
            "appDisplayName",
            "ipAddress",
            "status",
            "deviceDetail",
            "location",
            "userAgent",
            "appliedConditionalAccessPolicies",
        ]));
        members.push(("isInteractive".to_owned(), self.pick(&["true", "false"]).to_owned()));
        self.object(&members)
    }

    fn flat(&mut self) -> String {
        let mut members = self.members(&[
            "AppDisplayName",
            "ConditionalAccessPolicies",
            "CreatedDateTime",
            "DeviceDetail",
            "DurationMs",
            "IPAddress",
            "Id",
            "IsInteractive",
            "Location",
            "LocationDetails",
            "ResultDescription",
            "ResultType",
            "UserPrincipalName",
            "_BilledSize",
        ]);
        members.push(("TimeGenerated".to_owned(), self.time()));
        let ty = self.pick(&["\"SigninLogs\"", "\"AADNonInteractiveUserSignInLogs\"", "\"Other_CL\"", "null"]);
        members.push(("Type".to_owned(), ty.to_owned()));
        self.object(&members)
    }

    /// A line with a byte changed, dropped or cut off; never its first, which decides what the line is. An exponent,
    /// which the twin prints in another way, does not come into being.
    fn damage(&mut self, line: &mut Vec<u8>) {
        let at = self.random.random_range(1..line.len());
        match self.random.random_range(0..4) {
            0 => line.truncate(at),
            1 => drop(line.remove(at)),
            2 => line[at] = Some(self.random.random()).filter(|byte| !matches!(byte, b'e' | b'E')).unwrap_or(b'x'),
            _ => line.insert(at, self.pick_byte(b"\"\\{}[],:\x00\xff0a ")),
        }
    }

    /// The record over several lines, as those who print them do: a line for the bracket that opens it.
    fn spread(&mut self, record: &str) -> String {
        let mut out = String::new();
        let (mut depth, mut in_text, mut escaped) = (0_usize, false, false);
        for c in record.chars() {
            let closes = !in_text && matches!(c, '}' | ']');
            depth -= usize::from(closes);
            if closes && (depth == 0 || self.one_in(2)) {
                self.break_line(&mut out, depth);
            }
            out.push(c);
            (in_text, escaped) = match (in_text, c) {
                (true, '\\') => (true, !escaped),
                (true, '"') => (escaped, false),
                (true, _) => (true, false),
                (false, c) => (c == '"', false),
            };
            let opens = !in_text && matches!(c, '{' | '[');
            depth += usize::from(opens);
            if (opens && depth == 1) || (!in_text && matches!(c, '{' | '[' | ',') && self.one_in(2)) {
                self.break_line(&mut out, depth);
            }
        }
        out
    }

    fn break_line(&mut self, out: &mut String, depth: usize) {
        out.push_str(self.pick(&["\n", "\n", "\n", "\r\n", " \n", "\n\n"]));
        let width = self.random.random_range(1..4);
        out.extend(std::iter::repeat_n(' ', depth * width));
    }

    /// Lines with values over several lines among them.
    fn mixed_file(&mut self, records: usize, damaged: bool) -> Vec<u8> {
        let mut file = self.flat().into_bytes();
        for index in 0..records {
            // The first line says that these are lines.
            let ends = ["\n", "\n", "\r\n", "\n\n", ",\n"];
            file.extend_from_slice(self.pick(if index == 0 { &ends[..4] } else { &ends }).as_bytes());
            let record = self.record().replace(" \r ", " ");
            let record = if self.one_in(3) { self.spread(&record) } else { record };
            let mut record = record.into_bytes();
            if damaged && self.one_in(6) {
                self.damage(&mut record);
            }
            file.extend_from_slice(&record);
        }
        file
    }

    fn file(&mut self, records: usize, damaged: bool) -> Vec<u8> {
        let mut file = Vec::new();
        for index in 0..records {
            let mut line = self.record().into_bytes();
            if damaged && index > 3 && self.one_in(8) {
                self.damage(&mut line);
            }
            file.extend_from_slice(&line);
            file.extend_from_slice(self.pick(&["\n", "\r\n", "\n\n", "\n"]).as_bytes());
        }
        if self.one_in(2) {
            file.truncate(file.trim_ascii_end().len());
        }
        file
    }
}

// --- filters --------------------------------------------------------------------------------------------------------

/// Rows for which a predicate is true, tested on the decoded values.
#[derive(Debug)]
struct Exact {
    columns: Vec<ScanColumn>,
    predicate: Predicate,
}

impl RowFilter for Exact {
    fn columns(&self) -> &[ScanColumn] {
        &self.columns
    }

    fn evaluate(&self, columns: &Batch) -> Result<BooleanArray> {
        let row = |row: usize| -> BTreeMap<usize, Value> {
            self.columns.iter().zip(columns.columns()).map(|(at, column)| (at.column(), column.value(row))).collect()
        };
        Ok((0..columns.rows()).map(|index| Some(holds(&self.predicate, &row(index)))).collect())
    }
}

fn holds(predicate: &Predicate, row: &BTreeMap<usize, Value>) -> bool {
    match predicate {
        Predicate::Compare { column, comparison: Comparison::Equal, value } => row[column] == *value,
        Predicate::Compare { column, value: Value::Datetime(bound), .. } => {
            matches!(row[column], Value::Datetime(ticks) if ticks >= *bound)
        }
        Predicate::Compare { .. } => panic!("not generated"),
        Predicate::OneOf { column, values, case_sensitive } => {
            let fold = |value: &Value| if *case_sensitive { value.to_text() } else { value.to_text().to_lowercase() };
            values.iter().any(|value| fold(value) == fold(&row[column]))
        }
        Predicate::Contains { column, needle, case_sensitive } => {
            let text = row[column].to_text();
            if *case_sensitive {
                text.contains(needle.as_str())
            } else {
                text.to_lowercase().contains(&needle.to_lowercase())
                    || text.to_uppercase().contains(&needle.to_uppercase())
            }
        }
        Predicate::All(list) => list.iter().all(|predicate| holds(predicate, row)),
        Predicate::Any(list) => list.iter().any(|predicate| holds(predicate, row)),
    }
}

fn predicate(generator: &mut Generator, table: &KnownTable, depth: u32) -> Predicate {
    let columns = [
        "UserPrincipalName",
        "AppDisplayName",
        "ResultType",
        "Location",
        "Type",
        "Category",
        "IPAddress",
        "DeviceDetail",
        "ConditionalAccessPolicies",
    ];
    let name = generator.pick(&columns);
    let column = table.schema.index_of(name).expect("a column");
    let text = generator.pick(&TEXTS);
    let is_string = table.schema.field(column).ty == Type::String;
    let case_sensitive = generator.one_in(2);
    match generator.random.random_range(0..8) {
        0..3 if is_string => Predicate::Compare { column, comparison: Comparison::Equal, value: Value::string(text) },
        3..5 if is_string => {
            let values = if generator.one_in(3) {
                ["bg-admin-01@contoso.com", "bg-admin-02@contoso.com", "München"]
            } else {
                [text, generator.pick(&TEXTS), "signinlogs"]
            };
            let values = values.map(Value::string).to_vec();
            Predicate::OneOf { column, values, case_sensitive }
        }
        5 if depth == 0 => {
            let time = table.schema.index_of("TimeGenerated").expect("a column");
            let value = Value::Datetime(datetime::parse("2026-03-02T09:07:30Z").expect("a time"));
            let after = Predicate::Compare { column: time, comparison: Comparison::GreaterOrEqual, value };
            Predicate::All(vec![after, predicate(generator, table, 1)])
        }
        6 if depth == 0 => Predicate::Any(vec![predicate(generator, table, 1), predicate(generator, table, 1)]),
        _ => Predicate::Contains { column, needle: text.to_owned(), case_sensitive },
    }
}

// --- the comparison -------------------------------------------------------------------------------------------------

struct Scanned {
    rows: Vec<Vec<Value>>,
    lost: u64,
}

fn scan(
    path: &Path,
    rows: Rows,
    columns: &[ScanColumn],
    predicate: Option<&Predicate>,
    prune: bool,
    batch: usize,
) -> Scanned {
    let files = expand(path.as_os_str(), &crate::source::remote::Access::default()).expect("a file");
    let table = FileTable::new("T", files.into(), rows, crate::source::Limits::default());
    let filter = predicate.map(|predicate| {
        let mut columns = predicate.columns();
        columns.sort_unstable();
        columns.dedup();
        let columns = columns.into_iter().map(ScanColumn::Column).collect();
        Arc::new(Exact { columns, predicate: predicate.clone() }) as Arc<dyn RowFilter>
    });
    let request = ScanRequest {
        columns: columns.to_vec(),
        prune: predicate.filter(|_| prune).cloned().into_iter().collect(),
        filter,
        limit: None,
        batch_rows: batch,
        report: Arc::new(ScanReport::default()),
        counters: Arc::default(),
    };
    let mut rows = Vec::new();
    for partition in table.scan(&request).expect("a scan") {
        for found in partition.read().expect("a partition") {
            let found = found.expect("a batch");
            assert!(found.rows() <= batch && found.rows() > 0, "{} rows", found.rows());
            let row = |row: usize| found.columns().iter().map(|column| column.value(row)).collect();
            rows.extend((0..found.rows()).map(row).collect::<Vec<Vec<Value>>>());
        }
    }
    let lost = request.report.problems().values().map(|file| file.lost).sum();
    Scanned { rows, lost }
}

fn wanted_columns(table: &KnownTable) -> Vec<ScanColumn> {
    let index = |name: &str| table.schema.index_of(name);
    let names = [
        "Id",
        "TimeGenerated",
        "CreatedDateTime",
        "UserPrincipalName",
        "AppDisplayName",
        "ResultType",
        "ResultDescription",
        "DurationMs",
        "Location",
        "Level",
        "IPAddress",
        "Type",
        "Category",
        "SourceSystem",
        "DeviceDetail",
        "LocationDetails",
        "ConditionalAccessPolicies",
        "Status",
        "IsInteractive",
        "_BilledSize",
        "UserAgent",
        "TenantId",
    ];
    let mut columns: Vec<ScanColumn> = names.iter().filter_map(|name| index(name)).map(ScanColumn::Column).collect();
    if let Some(column) = index("DeviceDetail").filter(|&column| table.schema.field(column).ty == Type::Dynamic) {
        let path = dynamic::Path::new(vec![dynamic::Step::Member("browser".to_owned())]);
        columns.push(ScanColumn::Path { column, path });
    }
    columns
}

fn assert_same(found: &[Vec<Value>], wanted: &[Vec<Value>], what: &str) {
    for (index, (found, wanted)) in found.iter().zip(wanted).enumerate() {
        for (column, (found, wanted)) in found.iter().zip(wanted).enumerate() {
            assert_eq!(found, wanted, "{what}: row {index}, column {column}");
        }
    }
    assert_eq!(found.len(), wanted.len(), "{what}: rows");
}

#[test]
fn the_reader_agrees_with_its_twin() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("records.json");
    for seed in 0..24 {
        let mut generator = Generator { random: ChaCha8Rng::seed_from_u64(seed) };
        let damaged = seed % 2 == 1;
        let records = generator.random.random_range(1..400);
        let file = generator.file(records, damaged);
        std::fs::write(&path, &file).expect("written");
        let name = generator.pick(&["SigninLogs", "AADNonInteractiveUserSignInLogs"]);
        let table = known_table(name).expect("known");
        let columns = wanted_columns(table);
        let batch = generator.random.random_range(1..60);
        let (rows, lost) = twin(&file, table, &columns);
        let found = scan(&path, Rows::Of(table), &columns, None, false, batch);
        assert_same(&found.rows, &rows, &format!("seed {seed}"));
        assert_eq!(found.lost, lost, "seed {seed}: lost");
        let all: Vec<ScanColumn> = (0..table.schema.len()).map(ScanColumn::Column).collect();
        let tested = twin(&file, table, &all).0;
        let mut kept = 0;
        for round in 0..12 {
            let predicate = predicate(&mut generator, table, 0);
            let what = format!("seed {seed}, round {round}, {predicate:?}");
            let test = |row: &Vec<Value>| holds(&predicate, &row.iter().cloned().enumerate().collect());
            let wanted: Vec<_> =
                rows.iter().zip(&tested).filter(|(_, all)| test(all)).map(|(row, _)| row.clone()).collect();
            for prune in [false, true] {
                let found = scan(&path, Rows::Of(table), &columns, Some(&predicate), prune, batch);
                assert_same(&found.rows, &wanted, &format!("{what}, prune {prune}"));
            }
            kept += wanted.len();
        }
        assert!(records < 50 || kept > 0, "seed {seed}: the filters keep nothing, so they test nothing");
    }
}

/// Files are larger than a part, so that values lie across what would be its end.
#[test]
fn values_over_several_lines_agree_with_the_twin() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("records.json");
    let mut parts = 0;
    for seed in 200..248 {
        let mut generator = Generator { random: ChaCha8Rng::seed_from_u64(seed) };
        let records = generator.random.random_range(1..500);
        let file = generator.mixed_file(records, seed % 2 == 1);
        std::fs::write(&path, &file).expect("written");
        parts += usize::from(file.len() > 128 << 10);
        let table = known_table("SigninLogs").expect("known");
        let columns = wanted_columns(table);
        let (rows, lost) = twin(&file, table, &columns);
        let found = scan(&path, Rows::Of(table), &columns, None, false, 30);
        assert_same(&found.rows, &rows, &format!("seed {seed}"));
        assert_eq!(found.lost, lost, "seed {seed}: lost");
        let all: Vec<ScanColumn> = (0..table.schema.len()).map(ScanColumn::Column).collect();
        let tested = twin(&file, table, &all).0;
        for round in 0..6 {
            let predicate = predicate(&mut generator, table, 0);
            let test = |row: &Vec<Value>| holds(&predicate, &row.iter().cloned().enumerate().collect());
            let wanted: Vec<_> =
                rows.iter().zip(&tested).filter(|(_, all)| test(all)).map(|(row, _)| row.clone()).collect();
            let found = scan(&path, Rows::Of(table), &columns, Some(&predicate), true, 30);
            assert_same(&found.rows, &wanted, &format!("seed {seed}, round {round}, {predicate:?}"));
        }
    }
    assert!(parts > 10, "{parts} files of several parts");
}

/// Arrays that are longer than a record may be, among lines: their elements are records. One that was cut off ends at
/// the first line that is a record behind another.
#[test]
fn long_arrays_among_lines() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut generator = Generator { random: ChaCha8Rng::seed_from_u64(300) };
    let mut flat = || generator.flat().replace(" \r ", " ");
    let records: Vec<String> = (0..4_000).map(|_| flat()).collect();
    let (first, array, last) = (&records[..200], &records[200..3_800], &records[3_800..]);
    let table = known_table("SigninLogs").expect("known");
    let columns = wanted_columns(table);
    let rows = |records: &[String]| twin(records.join("\n").as_bytes(), table, &columns).0;
    let whole = format!("[\n {}\n]", array.join(",\n "));
    assert!(whole.len() > crate::source::framing::MAX_RECORD_BYTES, "{} bytes", whole.len());
    let wrapped = format!("{{ \"records\": [\n  {}\n]\n}}", array.join(",\n  "));
    let cut = whole.strip_suffix("}\n]").expect("an array");
    for (array, array_rows, lost) in
        [(&*whole, rows(array), 0), (&*wrapped, rows(array), 0), (cut, rows(&array[..array.len() - 1]), 1)]
    {
        let file = [&first.join("\n"), array, &last.join("\n")].join("\n");
        let mut wanted = rows(first);
        wanted.extend(array_rows);
        // A record that was cut off takes the line behind it along here, which cannot be told from a part of it.
        let after = rows(&last[lost..]);
        wanted.extend(after);
        let packed = zstd::encode_all(file.as_bytes(), 1).expect("packed");
        for bytes in [file.as_bytes(), &packed] {
            let path = folder.path().join("records.json");
            std::fs::write(&path, bytes).expect("written");
            let found = scan(&path, Rows::Of(table), &columns, None, false, 1_000);
            assert_same(&found.rows, &wanted, &format!("{} bytes, {lost} lost", bytes.len()));
            assert_eq!(found.lost, lost as u64);
        }
    }
}

#[test]
fn layouts_do_not_change_rows() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("records.json");
    for seed in 100..110 {
        let mut generator = Generator { random: ChaCha8Rng::seed_from_u64(seed) };
        let records: Vec<String> = (0..100).map(|_| generator.record().replace(" \r ", " ")).collect();
        let table = known_table("SigninLogs").expect("known");
        let columns = wanted_columns(table);
        let wanted = twin(records.join("\n").as_bytes(), table, &columns).0;
        let layouts = [
            records.join("\n"),
            format!("[{}]", records.join(",\n ")),
            format!("{{\"records\" : [\n{}\n]}}", records.join(",")),
            format!("[{}][{}]", records[..50].join(","), records[50..].join(",")),
            format!("{{\"@odata.context\":\"x\",\"value\":[{}],\"@odata.nextLink\":\"y\"}}", records.join(" , ")),
            format!("{{\"records\":[{}]}}\n", records.join("]}\n{\"records\":[")),
            records.concat(),
        ];
        for (index, layout) in layouts.iter().enumerate() {
            std::fs::write(&path, layout).expect("written");
            let predicate = predicate(&mut generator, table, 0);
            let found = scan(&path, Rows::Of(table), &columns, None, false, 30);
            assert_same(&found.rows, &wanted, &format!("seed {seed}, layout {index}"));
            let [plain, pruned] =
                [false, true].map(|prune| scan(&path, Rows::Of(table), &columns, Some(&predicate), prune, 30).rows);
            assert_same(&pruned, &plain, &format!("seed {seed}, layout {index}, {predicate:?}"));
        }
    }
}
