//! Reads responses of query APIs: tables that name their columns once and whose rows are arrays of cells.
//!
//! There are three layouts: `{"tables": [{"name", "columns": [{"name"}], "rows": [[...]]}]}` (Log Analytics), the
//! same with capitals and `ColumnName` (Kusto, version 1), and an array of frames (Kusto, version 2), in which a
//! table may be divided into fragments. Only the primary result is returned. Tables in which the service describes
//! the query are skipped.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::object_keys::{RecordKeys, is_error_key, is_filled};
use super::value_scan::value_end;
use super::value_splitter::ColumnHeader;
use crate::entra::RowLimit;
use crate::scan::Damage;
use crate::scan::result_pages::ResultPage;
use crate::types::dynamic;

/// Maximum number of columns of a table.
const MAX_COLUMNS: usize = 4_096;

/// Maximum number of tables of one response whose columns are kept.
const MAX_TABLES: usize = 256;

/// Types of frames that have no rows.
const FRAMES: [&str; 5] = ["DataSetHeader", "TableHeader", "TableProgress", "TableCompletion", "DataSetCompletion"];

/// Columns that have the severity of an event, in tables of events of the query.
const SEVERITIES: [&str; 4] = ["Severity", "SeverityName", "Level", "LevelName"];

/// The columns of the tables that version 1 adds to a response.
const ADDED_TABLES: [&[&str]; 4] = [
    &["Value"],
    &["TableId", "Key", "Value"],
    &["Timestamp", "Severity", "SeverityName"],
    &["Ordinal", "Kind", "Name", "Id", "PrettyName"],
];

/// A finding about the records that the text around them tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum FramingNote {
    /// Rows are certainly missing.
    Damage(Damage),
    /// The number of rows is exactly the maximum that a service returns.
    Limit(RowLimit),
    /// The text is a page of a response that may have several pages.
    Page(ResultPage),
}

/// The role of an object that may be a table or frame of a response.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum ResponsePart {
    /// The rows of the object begin after this number of bytes. Without a header, they do not belong to the result.
    Rows(usize, Option<Arc<ColumnHeader>>),
    /// The whole object, of this length in bytes, is to be skipped.
    Passed(usize),
    /// The object is neither a table nor a frame.
    Other,
    /// More bytes are needed.
    Unclear,
    /// The whole object is needed, because its rows come before its other keys.
    Whole,
}

/// What is known of a response so far: its tables and findings.
#[derive(Debug, Default)]
pub(crate) struct QueryResponse {
    /// True between the first and the last frame of a response.
    is_framed: bool,
    /// Tables that are divided into fragments, by their ids.
    open: BTreeMap<String, OpenTable>,
    /// The id of the table whose rows are being read.
    current: Option<String>,
    /// The columns that have the severity of events, if the rows that are being skipped are events.
    severities: Vec<usize>,
    /// The findings about the records that the response itself tells.
    pub notes: Vec<FramingNote>,
    /// The reason why the response cannot be read; None if it can.
    pub refusal: Option<&'static str>,
}

#[derive(Debug)]
struct OpenTable {
    header: Option<Arc<ColumnHeader>>,
    begun: bool,
    /// True once the frame that ends the table was read.
    is_ended: bool,
    rows: u64,
}

/// The keys of a table or frame that come before its rows.
#[derive(Debug, Default)]
struct TableKeys<'a> {
    frame: Option<Cow<'a, str>>,
    kind: Option<Cow<'a, str>>,
    id: Option<&'a str>,
    fragment: Option<Cow<'a, str>>,
    columns: Option<&'a str>,
    errors: bool,
    row_count: Option<u64>,
    /// Offset of the first row in the object.
    rows: Option<usize>,
    record_keys: RecordKeys,
}

impl QueryResponse {
    /// Classifies the object at the start of `bytes`: an element of the tables of a response or, with `framed`, an
    /// object that may be a frame. Its keys may be in any order.
    pub(crate) fn part(&mut self, bytes: &[u8], framed: bool) -> ResponsePart {
        let mut keys = TableKeys::default();
        let mut position = 1;
        loop {
            position += whitespace(&bytes[position..]);
            match bytes.get(position) {
                Some(b',') => position += 1 + whitespace(&bytes[position + 1..]),
                Some(b'}') => return self.whole(&keys, position + 1, framed),
                Some(_) => {}
                None => return keys.unclear(),
            }
            let Some((key, length)) = string(&bytes[position..]) else {
                return if bytes.len() - position < 64 { keys.unclear() } else { ResponsePart::Other };
            };
            position += length;
            position += whitespace(&bytes[position..]);
            match bytes.get(position) {
                Some(b':') => position += 1 + whitespace(&bytes[position + 1..]),
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
                    if keys.are_complete(framed) {
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

    /// Classifies an object all of whose keys are known: a frame without rows, or a table whose rows do not come
    /// last. An object with the keys of a record is neither of them.
    fn whole(&mut self, keys: &TableKeys<'_>, length: usize, framed: bool) -> ResponsePart {
        if keys.record_keys.is_record() || (framed && keys.frame.is_none()) {
            return ResponsePart::Other;
        }
        if let Some(start) = keys.rows {
            return self.rows(keys, start);
        }
        match keys.frame.as_deref() {
            Some("DataSetHeader") => {
                // The frames before it belong to another response.
                self.end_frames();
                self.is_framed = true;
            }
            Some("TableHeader") => {
                let header = if keys.is_primary() { keys.header() } else { None };
                if let Some(id) = keys.id
                    && self.open.len() < MAX_TABLES
                {
                    self.open.insert(id.to_owned(), OpenTable { header, begun: false, is_ended: false, rows: 0 });
                }
            }
            Some("DataSetCompletion") => {
                self.is_framed = false;
                self.check_tables();
                if keys.errors {
                    self.note_partial();
                }
            }
            Some("TableCompletion") => {
                let table = keys.id.and_then(|id| self.open.get_mut(id));
                table.into_iter().for_each(|table| table.is_ended = true);
                if keys.errors { self.note_partial() } else { self.check_rows(keys) }
            }
            Some(frame) if FRAMES.contains(&frame) => {}
            _ => return ResponsePart::Other,
        }
        ResponsePart::Passed(length)
    }

    fn rows(&mut self, keys: &TableKeys<'_>, length: usize) -> ResponsePart {
        self.severities.clear();
        if keys.frame.as_deref() != Some("TableFragment") {
            let Some(header) = keys.header() else { return ResponsePart::Other };
            let is_returned = keys.is_primary() && !is_added(&header);
            if !is_returned {
                self.severities = severity_columns(&header);
            }
            return ResponsePart::Rows(length, Some(header).filter(|_| is_returned));
        }
        let Some(table) = keys.id.and_then(|id| self.open.get_mut(id)) else { return ResponsePart::Other };
        if keys.fragment.as_deref() == Some("DataReplace") && table.begun && table.header.is_some() {
            self.refusal = Some(
                "a progressive response replaces rows that it returned before: save the final response of the query",
            );
        }
        table.begun = true;
        self.current = keys.id.map(str::to_owned);
        ResponsePart::Rows(length, table.header.clone())
    }

    /// Ends a response at its last frame. It is damage if this frame does not complete the response.
    pub(crate) fn end_frames(&mut self) {
        if std::mem::take(&mut self.is_framed) {
            self.notes.push(FramingNote::Damage(Damage::MissingFrames));
        }
        self.open.clear();
    }

    /// Checks that all tables of the result that are divided into fragments have ended.
    fn check_tables(&mut self) {
        if std::mem::take(&mut self.open).values().any(|table| table.header.is_some() && !table.is_ended) {
            self.notes.push(FramingNote::Damage(Damage::MissingFrames));
        }
    }

    /// Compares the number of rows that were read of a divided table with the number that the service states.
    fn check_rows(&mut self, keys: &TableKeys<'_>) {
        let table = keys.id.and_then(|id| self.open.get(id)).filter(|table| table.header.is_some());
        if let (Some(table), Some(sent)) = (table, keys.row_count)
            && table.rows != sent
        {
            self.notes.push(FramingNote::Damage(Damage::FewerRows(table.rows, sent)));
        }
    }

    /// Records that the service itself reports the result as partial.
    pub(crate) fn note_partial(&mut self) {
        self.notes.push(FramingNote::Damage(Damage::PartialAnswer));
    }

    /// Examines a row that is skipped: an event of the query may be an error that truncated the result.
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

    /// Ends the rows of a table, of which `rows` were read.
    pub(crate) fn end_rows(&mut self, rows: u64) {
        if let Some(table) = self.current.take().and_then(|id| self.open.get_mut(&id)) {
            table.rows += rows;
        }
        self.notes.extend(RowLimit::reached(rows).map(FramingNote::Limit));
    }
}

impl<'a> TableKeys<'a> {
    /// Returns what is still needed to classify the object.
    fn unclear(&self) -> ResponsePart {
        if self.rows.is_some() { ResponsePart::Whole } else { ResponsePart::Unclear }
    }

    /// True if all keys that a table or frame needs before its rows are known.
    fn are_complete(&self, framed: bool) -> bool {
        match self.frame.as_deref() {
            Some("TableFragment") => self.id.is_some() && self.fragment.is_some(),
            Some(_) => self.columns.is_some() && self.kind.is_some(),
            None => self.columns.is_some() && !framed,
        }
    }

    fn note(&mut self, key: &str, value: &'a str) {
        self.record_keys.note(key.as_bytes());
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

    fn is_primary(&self) -> bool {
        self.kind.as_deref().is_none_or(|kind| kind == "PrimaryResult")
    }

    /// Returns the columns of the table; None if there are none, or too many.
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

/// True for a table that describes the query and is not its result.
fn is_added(header: &ColumnHeader) -> bool {
    ADDED_TABLES.iter().any(|columns| {
        let exact = columns.len() == header.names.len() || columns[0] == "Timestamp";
        exact
            && columns.iter().zip(&header.names).all(|(column, name)| column == name)
            && columns.len() <= header.names.len()
    })
}

/// Returns the columns that have the severity of events; none if the table has no status code, as tables of events
/// have.
fn severity_columns(header: &ColumnHeader) -> Vec<usize> {
    let is_severity = |(_, name): &(usize, &String)| SEVERITIES.contains(&name.as_str());
    let columns = header.names.iter().enumerate().filter(is_severity).map(|(index, _)| index);
    columns.filter(|_| header.names.iter().any(|name| name == "StatusCode")).collect()
}

/// True for the severity of an error: 1 is critical, 2 is an error, higher numbers are less severe.
fn is_error(severity: &str) -> bool {
    let severity = dynamic::to_text(severity);
    ["1", "2", "Error", "Critical"].iter().any(|error| severity.eq_ignore_ascii_case(error))
}

fn whitespace(bytes: &[u8]) -> usize {
    bytes.iter().take_while(|byte| byte.is_ascii_whitespace()).count()
}

/// Returns the string at the start of `bytes`, and its length with the quotes; None if there is none.
fn string(bytes: &[u8]) -> Option<(Cow<'_, str>, usize)> {
    let length = value_end(bytes).filter(|_| bytes.starts_with(b"\""))?;
    let quoted = std::str::from_utf8(&bytes[..length]).ok()?;
    Some((dynamic::to_text(quoted), length))
}

#[cfg(test)]
mod tests {
    use crate::records::ValueSplitter;

    /// Reads a response that arrives in pieces of `step` bytes. Returns its rows, each after its columns; the number
    /// of findings; and true if the response is refused.
    fn rows(text: &str, step: usize) -> (Vec<String>, usize, bool) {
        let mut splitter = ValueSplitter::default();
        let mut found = Vec::new();
        let mut buffer: Vec<u8> = Vec::new();
        let mut pieces = text.as_bytes().chunks(step).peekable();
        while let Some(part) = pieces.next() {
            buffer.extend_from_slice(part);
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
        let cases: [(&str, &[&str], usize); 14] = [
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
                    r#"{"FrameType":"TableCompletion","TableId":1,"RowCount":3},"#,
                    r#"{"FrameType":"DataSetCompletion","HasErrors":false}]"#,
                ),
                &["a [1]", "a [2]", "a [3]"],
                0,
            ),
            // Without the frames that end the table and the response.
            (
                concat!(
                    r#"[{"FrameType":"DataSetHeader"},"#,
                    r#"{"FrameType":"TableHeader","TableId":1,"TableKind":"PrimaryResult","Columns":[{"ColumnName":"a"}]},"#,
                    r#"{"FrameType":"TableFragment","TableFragmentType":"DataAppend","TableId":1,"Rows":[[2]]},"#,
                    r#"{"FrameType":"DataSetCompletion","HasErrors":false}]"#,
                ),
                &["a [2]"],
                1,
            ),
            (
                concat!(
                    r#"[{"FrameType":"DataSetHeader"},{"FrameType":"DataTable","TableKind":"PrimaryResult","#,
                    r#""Columns":[{"ColumnName":"a"}],"Rows":[[1]]}]"#,
                ),
                &["a [1]"],
                1,
            ),
            // A table has its rows before its columns, and a frame has its type last.
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
            // Records with keys of responses.
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
    fn replaced_rows_are_refused() {
        let text = concat!(
            r#"[{"FrameType":"TableHeader","TableId":1,"TableKind":"PrimaryResult","Columns":[{"ColumnName":"a"}]},"#,
            r#"{"FrameType":"TableFragment","TableFragmentType":"DataAppend","TableId":1,"Rows":[[1]]},"#,
            r#"{"FrameType":"TableFragment","TableFragmentType":"DataReplace","TableId":1,"Rows":[[2]]}]"#,
        );
        assert!(rows(text, 10).2);
    }

    #[test]
    fn row_limits_are_noted() {
        let rows_of = |count: usize| {
            let cells = vec!["[1]"; count].join(",");
            rows(&format!(r#"{{"tables":[{{"columns":[{{"name":"a"}}],"rows":[{cells}]}}]}}"#), 4_096).1
        };
        assert_eq!((rows_of(29_999), rows_of(30_000)), (0, 1));
    }
}
