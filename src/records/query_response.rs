//! Answers of query interfaces: tables whose columns are named once and whose rows are arrays of cells.
//!
//! Three layouts: `{"tables": [{"name", "columns": [{"name"}], "rows": [[...]]}]}` (Log Analytics), the same with
//! capitals and `ColumnName` (Kusto, version 1), and an array of frames (Kusto, version 2), where a table may come in
//! pieces. Only the answer itself is handed out; what the service adds about the query is passed over.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::object_keys::{RecordKeys, is_error_key, is_filled};
use super::value_scan::value_end;
use super::value_splitter::ColumnHeader;
use crate::scan::Damage;
use crate::scan::pages::Page;
use crate::types::dynamic;

/// Columns that a table may have.
const MAX_COLUMNS: usize = 4_096;

/// Tables of one answer whose columns are remembered.
const MAX_TABLES: usize = 256;

/// Numbers of rows at which services cut their answers.
const ROW_LIMITS: [(u64, &str); 4] = [
    (30_000, "the most that the portal of Log Analytics shows"),
    (250_000, "the most that the Entra admin center downloads"),
    (500_000, "the most that the query interface answers"),
    (1_000_000, "the most that a search job finds"),
];

/// Frames of an answer, apart from those with rows.
const FRAMES: [&str; 5] = ["DataSetHeader", "TableHeader", "TableProgress", "TableCompletion", "DataSetCompletion"];

/// Columns that tell how bad an event of the query was, of the tables that report such events.
const SEVERITIES: [&str; 4] = ["Severity", "SeverityName", "Level", "LevelName"];

/// Columns by which the tables are known that version 1 adds to an answer.
const ADDED_TABLES: [&[&str]; 4] = [
    &["Value"],
    &["TableId", "Key", "Value"],
    &["Timestamp", "Severity", "SeverityName"],
    &["Ordinal", "Kind", "Name", "Id", "PrettyName"],
];

/// What a number of rows says about the completeness of an answer.
pub(crate) fn limit_reached(rows: u64) -> Option<String> {
    let (_, what) = ROW_LIMITS.iter().find(|(limit, _)| *limit == rows)?;
    Some(format!("exactly {rows} rows, {what}: there may have been more"))
}

/// What the text around records says about them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum FramingNote {
    /// Rows are missing for certain.
    Damage(Damage),
    /// There are as many rows as a service returns at most.
    Limit(String),
    /// A page of several has been passed.
    Page(Page),
}

/// What an object in the place of a table or frame is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum ResponsePart {
    /// Rows begin behind this many bytes; without a header they are not of the answer.
    Rows(usize, Option<Arc<ColumnHeader>>),
    /// The object is passed over as a whole.
    Passed(usize),
    /// It is no table.
    Other,
    /// It takes more bytes to tell.
    Unclear,
    /// It takes the whole object to tell: its rows come before what is said about them.
    Whole,
}

/// What is known of the tables of an answer.
#[derive(Debug, Default)]
pub(crate) struct QueryResponse {
    /// Tables that come in pieces, by their ids.
    open: BTreeMap<String, OpenTable>,
    /// The one of them whose rows are read.
    current: Option<String>,
    /// The columns with the severity of events, where the rows that are passed over report events.
    severities: Vec<usize>,
    /// What the answer says about itself.
    pub notes: Vec<FramingNote>,
    /// Why the answer cannot be read.
    pub refusal: Option<&'static str>,
}

#[derive(Debug)]
struct OpenTable {
    header: Option<Arc<ColumnHeader>>,
    begun: bool,
    rows: u64,
}

/// The keys of a table or frame in front of its rows.
#[derive(Debug, Default)]
struct TableKeys<'a> {
    frame: Option<Cow<'a, str>>,
    kind: Option<Cow<'a, str>>,
    id: Option<&'a str>,
    fragment: Option<Cow<'a, str>>,
    columns: Option<&'a str>,
    errors: bool,
    row_count: Option<u64>,
    /// Where the first row begins.
    rows: Option<usize>,
    marks: RecordKeys,
}

impl QueryResponse {
    /// Looks at the object that `bytes` start with: an element of the tables of an answer or, with `framed`, what may
    /// be a frame. Its keys may come in any order.
    pub(crate) fn piece(&mut self, bytes: &[u8], framed: bool) -> ResponsePart {
        let mut keys = TableKeys::default();
        let mut position = 1;
        loop {
            position += blanks(&bytes[position..]);
            match bytes.get(position) {
                Some(b',') => position += 1 + blanks(&bytes[position + 1..]),
                Some(b'}') => return self.whole(&keys, position + 1, framed),
                Some(_) => {}
                None => return keys.unclear(),
            }
            let Some((key, length)) = text(&bytes[position..]) else {
                return if bytes.len() - position < 64 { keys.unclear() } else { ResponsePart::Other };
            };
            position += length;
            position += blanks(&bytes[position..]);
            match bytes.get(position) {
                Some(b':') => position += 1 + blanks(&bytes[position + 1..]),
                Some(_) => return ResponsePart::Other,
                None => return keys.unclear(),
            }
            let first = bytes.get(position);
            let rows = key.eq_ignore_ascii_case("rows");
            match first {
                None if rows => return keys.unclear(),
                Some(b'[') if rows && keys.rows.is_some() => return ResponsePart::Other,
                Some(b'[') if rows => {
                    keys.rows = Some(position + 1);
                    if keys.say_all(framed) {
                        return self.rows(&keys, position + 1);
                    }
                }
                _ => {}
            }
            let Some(length) = value_end(&bytes[position..]) else { return keys.unclear() };
            if keys.rows != Some(position + 1) {
                let Ok(value) = std::str::from_utf8(&bytes[position..position + length]) else {
                    return ResponsePart::Other;
                };
                keys.note(&key, value);
            }
            position += length;
        }
    }

    /// All keys are known: a frame without rows, or a table whose rows did not come last. What has the keys of a record
    /// is one.
    fn whole(&mut self, keys: &TableKeys<'_>, length: usize, framed: bool) -> ResponsePart {
        if keys.marks.is_record() || (framed && keys.frame.is_none()) {
            return ResponsePart::Other;
        }
        if let Some(start) = keys.rows {
            return self.rows(keys, start);
        }
        match keys.frame.as_deref() {
            Some("TableHeader") => {
                let header = if keys.is_answer() { keys.header() } else { None };
                if let Some(id) = keys.id
                    && self.open.len() < MAX_TABLES
                {
                    self.open.insert(id.to_owned(), OpenTable { header, begun: false, rows: 0 });
                }
            }
            Some("DataSetCompletion" | "TableCompletion") if keys.errors => self.note_partial(),
            Some("TableCompletion") => self.check_rows(keys),
            Some(frame) if FRAMES.contains(&frame) => {}
            _ => return ResponsePart::Other,
        }
        ResponsePart::Passed(length)
    }

    fn rows(&mut self, keys: &TableKeys<'_>, length: usize) -> ResponsePart {
        self.severities.clear();
        if keys.frame.as_deref() != Some("TableFragment") {
            let Some(header) = keys.header() else { return ResponsePart::Other };
            let is_wanted = keys.is_answer() && !is_added(&header);
            if !is_wanted {
                self.severities = severity_columns(&header);
            }
            return ResponsePart::Rows(length, Some(header).filter(|_| is_wanted));
        }
        let Some(table) = keys.id.and_then(|id| self.open.get_mut(id)) else { return ResponsePart::Other };
        if keys.fragment.as_deref() == Some("DataReplace") && table.begun && table.header.is_some() {
            self.refusal =
                Some("a progressive answer takes rows back that it gave before: save the query's final answer");
        }
        table.begun = true;
        self.current = keys.id.map(str::to_owned);
        ResponsePart::Rows(length, table.header.clone())
    }

    /// A table in pieces ends: the service says how many rows it sent.
    fn check_rows(&mut self, keys: &TableKeys<'_>) {
        let table = keys.id.and_then(|id| self.open.get(id)).filter(|table| table.header.is_some());
        if let (Some(table), Some(sent)) = (table, keys.row_count)
            && table.rows != sent
        {
            self.notes.push(FramingNote::Damage(Damage::FewerRows(table.rows, sent)));
        }
    }

    /// The service says that the answer is not whole.
    pub(crate) fn note_partial(&mut self) {
        self.notes.push(FramingNote::Damage(Damage::PartialAnswer));
    }

    /// Looks at a row that is passed over: an event of the query may be an error that cut the answer off.
    pub(crate) fn note_event(&mut self, row: &[u8]) {
        if self.severities.is_empty() {
            return;
        }
        let Some(row) = std::str::from_utf8(row).ok().filter(|_| dynamic::validate(row).is_ok()) else { return };
        let is_severity = |(index, _): &(usize, &str)| self.severities.contains(index);
        if dynamic::elements(row).enumerate().filter(is_severity).any(|(_, cell)| is_error(cell)) {
            self.note_partial();
        }
    }

    /// The rows of a table end.
    pub(crate) fn end_rows(&mut self, rows: u64) {
        if let Some(table) = self.current.take().and_then(|id| self.open.get_mut(&id)) {
            table.rows += rows;
        }
        self.notes.extend(limit_reached(rows).map(FramingNote::Limit));
    }
}

impl<'a> TableKeys<'a> {
    /// What more bytes are needed for.
    fn unclear(&self) -> ResponsePart {
        if self.rows.is_some() { ResponsePart::Whole } else { ResponsePart::Unclear }
    }

    /// True where everything is known about the rows that begin.
    fn say_all(&self, framed: bool) -> bool {
        match self.frame.as_deref() {
            Some("TableFragment") => self.id.is_some() && self.fragment.is_some(),
            Some(_) => self.columns.is_some() && self.kind.is_some(),
            None => self.columns.is_some() && !framed,
        }
    }

    fn note(&mut self, key: &str, value: &'a str) {
        self.marks.note(key.as_bytes());
        let inside = || dynamic::to_text(value);
        match key {
            "FrameType" => self.frame = Some(inside()),
            "TableKind" => self.kind = Some(inside()),
            "TableId" => self.id = Some(value),
            "TableFragmentType" => self.fragment = Some(inside()),
            "columns" | "Columns" => self.columns = Some(value),
            "HasErrors" | "Cancelled" => self.errors |= inside() == "true",
            _ if is_error_key(key.as_bytes()) => self.errors |= is_filled(value.as_bytes()),
            "RowCount" => self.row_count = value.parse().ok(),
            _ => {}
        }
    }

    fn is_answer(&self) -> bool {
        self.kind.as_deref().is_none_or(|kind| kind == "PrimaryResult")
    }

    /// The names of the columns; None where there are none, or more than a table may have.
    fn header(&self) -> Option<Arc<ColumnHeader>> {
        let columns = self.columns.filter(|json| dynamic::validate(json.as_bytes()).is_ok())?;
        let name = |column: &str| {
            let name = dynamic::get_member(column, "name").or_else(|| dynamic::get_member(column, "ColumnName"));
            name.map(|name| dynamic::to_text(name).into_owned())
        };
        let names: Option<Vec<String>> = dynamic::elements(columns).take(MAX_COLUMNS + 1).map(name).collect();
        let names = names.filter(|names| !names.is_empty() && names.len() <= MAX_COLUMNS)?;
        Some(Arc::new(ColumnHeader { names }))
    }
}

/// True for a table that describes the query.
fn is_added(header: &ColumnHeader) -> bool {
    ADDED_TABLES.iter().any(|columns| {
        let exact = columns.len() == header.names.len() || columns[0] == "Timestamp";
        exact
            && columns.iter().zip(&header.names).all(|(column, name)| column == name)
            && columns.len() <= header.names.len()
    })
}

/// The columns that tell how bad an event was, of a table of events: each of these has a code, too.
fn severity_columns(header: &ColumnHeader) -> Vec<usize> {
    let is_severity = |(_, name): &(usize, &String)| SEVERITIES.contains(&name.as_str());
    let columns = header.names.iter().enumerate().filter(is_severity).map(|(index, _)| index);
    columns.filter(|_| header.names.iter().any(|name| name == "StatusCode")).collect()
}

/// True for the severity of an error: 1 is critical, 2 an error, and what is less bad has a higher number.
fn is_error(severity: &str) -> bool {
    let severity = dynamic::to_text(severity);
    ["1", "2", "Error", "Critical"].iter().any(|error| severity.eq_ignore_ascii_case(error))
}

fn blanks(bytes: &[u8]) -> usize {
    bytes.iter().take_while(|byte| byte.is_ascii_whitespace()).count()
}

/// The text that `bytes` start with, and its length with the quotes.
fn text(bytes: &[u8]) -> Option<(Cow<'_, str>, usize)> {
    let length = value_end(bytes).filter(|_| bytes.starts_with(b"\""))?;
    let quoted = std::str::from_utf8(&bytes[..length]).ok()?;
    Some((dynamic::to_text(quoted), length))
}

#[cfg(test)]
mod tests {
    use crate::records::ValueSplitter;

    /// The rows of an answer that comes in pieces of `step` bytes, each behind its columns; what the answer says; and
    /// whether it is refused.
    fn rows(text: &str, step: usize) -> (Vec<String>, usize, bool) {
        let mut splitter = ValueSplitter::default();
        let mut found = Vec::new();
        let mut buffer: Vec<u8> = Vec::new();
        let mut pieces = text.as_bytes().chunks(step).peekable();
        while let Some(piece) = pieces.next() {
            buffer.extend_from_slice(piece);
            let (spans, done) = splitter.split(&buffer, pieces.peek().is_some());
            for span in spans {
                let columns = span.header.map_or("none".to_owned(), |header| header.names.join(","));
                found.push(format!("{columns} {}", String::from_utf8_lossy(&buffer[span.start..span.end])));
            }
            buffer.drain(..done);
        }
        assert!(!splitter.is_unclosed(), "{text}");
        (found, splitter.take_notes().len(), splitter.refusal().is_some())
    }

    #[test]
    fn rows_come_with_their_columns() {
        let cases: [(&str, &[&str], usize); 12] = [
            (
                r#"{"tables":[{"name":"PrimaryResult","columns":[{"name":"a","type":"x"},{"name":"b"}],"rows":[[1,"]"],[2]]}]}"#,
                &[r#"a,b [1,"]"]"#, "a,b [2]"],
                0,
            ),
            (
                r#"{"tables": [ {"columns": [{"name":"a"}], "rows": [ [1] ]} ], "error": {"code":"PartialError"}}"#,
                &["a [1]"],
                1,
            ),
            (r#"{"error":{"code":"PartialError"},"tables":[{"columns":[{"name":"a"}],"rows":[]}]}"#, &[], 1),
            (
                concat!(
                    r#"{"Tables":[{"TableName":"Table_0","Columns":[{"ColumnName":"a"}],"Rows":[[1]]},"#,
                    r#"{"TableName":"Table_1","Columns":[{"ColumnName":"Value"}],"Rows":[["x"]]},"#,
                    r#"{"TableName":"Table_2","Columns":[{"ColumnName":"Timestamp"},{"ColumnName":"Severity"},"#,
                    r#"{"ColumnName":"SeverityName"},{"ColumnName":"StatusCode"}],"Rows":[["x",4,"Info",0]]}]}"#,
                ),
                &["a [1]"],
                0,
            ),
            (
                concat!(
                    r#"{"Tables":[{"Columns":[{"ColumnName":"a"}],"Rows":[[1]]},"#,
                    r#"{"Columns":[{"ColumnName":"Timestamp"},{"ColumnName":"Severity"},"#,
                    r#"{"ColumnName":"SeverityName"},{"ColumnName":"StatusCode"}],"Rows":[["x",4,"Info",0],["x",2,"Error",1]]}]}"#,
                ),
                &["a [1]"],
                1,
            ),
            (
                concat!(
                    r#"[{"FrameType":"DataSetHeader","IsProgressive":false},{"FrameType":"DataTable","TableId":0,"#,
                    r#""TableKind":"QueryProperties","Columns":[{"ColumnName":"Key"}],"Rows":[["x"]]},"#,
                    r#"{"FrameType":"DataTable","TableId":1,"TableKind":"PrimaryResult","Columns":"#,
                    r#"[{"ColumnName":"a"}],"Rows":[[1],{"OneApiErrors":[{}]},[2]]},"#,
                    r#"{"FrameType":"DataSetCompletion","HasErrors":true}]"#,
                ),
                &["a [1]", "a [2]"],
                2,
            ),
            (
                concat!(
                    r#"[{"FrameType":"DataSetHeader","IsProgressive":true},"#,
                    r#"{"FrameType":"TableHeader","TableId":1,"TableKind":"PrimaryResult","Columns":[{"ColumnName":"a"}]},"#,
                    r#"{"FrameType":"TableFragment","TableFragmentType":"DataReplace","TableId":1,"Rows":[[1]]},"#,
                    r#"{"FrameType":"TableProgress","TableId":1,"TableProgress":50},"#,
                    r#"{"FrameType":"TableFragment","TableFragmentType":"DataAppend","TableId":1,"Rows":[[2],[3]]},"#,
                    r#"{"FrameType":"TableCompletion","TableId":1,"RowCount":3}]"#,
                ),
                &["a [1]", "a [2]", "a [3]"],
                0,
            ),
            // Rows before their columns, and a frame that says in the end what it is.
            (r#"{"tables":[{"rows":[[1],[2]],"columns":[{"name":"a"}]}]}"#, &["a [1]", "a [2]"], 0),
            (
                concat!(
                    r#"[{"Version":"v2.0","FrameType":"DataSetHeader"},{"TableId":0,"Rows":[["x"]],"#,
                    r#""Columns":[{"ColumnName":"Key"}],"TableKind":"QueryProperties","FrameType":"DataTable"},"#,
                    r#"{"TableKind":"PrimaryResult","Rows":[[1],[2]],"Columns":[{"ColumnName":"a"}],"#,
                    r#""FrameType":"DataTable"},{"HasErrors":true,"FrameType":"DataSetCompletion"}]"#,
                ),
                &["a [1]", "a [2]"],
                1,
            ),
            // Records with keys of answers.
            (
                r#"[{"FrameType":"DataTable","TimeGenerated":1}]"#,
                &[r#"none {"FrameType":"DataTable","TimeGenerated":1}"#],
                0,
            ),
            (r#"[{"FrameType":"x"},{"rows":[[1]]}]"#, &[r#"none {"FrameType":"x"}"#, r#"none {"rows":[[1]]}"#], 0),
            (r#"{"tables":"x"}"#, &[r#"none {"tables":"x"}"#], 0),
        ];
        for (text, expected, notes) in cases {
            for step in [1, 7, 1_000] {
                let (found, said, refused) = rows(text, step);
                assert_eq!(
                    (found, said, refused),
                    (expected.iter().map(|&row| row.to_owned()).collect(), notes, false)
                );
            }
        }
    }

    #[test]
    fn rows_that_are_taken_back_are_refused() {
        let text = concat!(
            r#"[{"FrameType":"TableHeader","TableId":1,"TableKind":"PrimaryResult","Columns":[{"ColumnName":"a"}]},"#,
            r#"{"FrameType":"TableFragment","TableFragmentType":"DataAppend","TableId":1,"Rows":[[1]]},"#,
            r#"{"FrameType":"TableFragment","TableFragmentType":"DataReplace","TableId":1,"Rows":[[2]]}]"#,
        );
        assert!(rows(text, 10).2);
    }

    #[test]
    fn full_answers_are_told() {
        let rows_of = |count: usize| {
            let cells = vec!["[1]"; count].join(",");
            rows(&format!(r#"{{"tables":[{{"columns":[{{"name":"a"}}],"rows":[{cells}]}}]}}"#), 4_096).1
        };
        assert_eq!((rows_of(29_999), rows_of(30_000)), (0, 1));
    }
}
