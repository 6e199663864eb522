//! CSV -> JSON Lines, as it is read: every shape behind goes through the reader of JSON.
//!
//! What the file is, is told by its first line: a download of the Entra admin center (display names), a query result or
//! `.export` (columns of a table, the portal of Log Analytics adds the time zone), or, without a header line, rows that
//! end with the name of their table. A row that does not fit is counted with its line and left out; reading goes on
//! with the next line, so that one stray quote does not take the rest along.

mod portal;

use std::borrow::Cow;
use std::io::{self, Read};
use std::sync::Arc;

use self::portal::PortalRow;
use super::places::{Places, Start, Unit};
use super::{FileReport, MAX_RECORD_BYTES, limit_reached, without_byte_order_mark};
use crate::source::shape::known_tables;
use crate::source::shape::portal::portal_column;
use crate::source::shape::positions::positions;
use crate::types::{datetime, dynamic};

/// Bytes read at once.
const CHUNK: usize = 256 << 10;

/// Columns that a file may have.
const MAX_COLUMNS: usize = 4_096;

/// Bytes of their names: every row repeats them, so long ones would make much of little.
const MAX_HEADER_BYTES: usize = 256 << 10;

/// The column that makes rows those of a table.
const TIME: &str = "TimeGenerated";

/// Why the CSV of PowerShell objects is not read.
const POWERSHELL: &str =
    "Export-Csv wrote the names of types in place of nested objects: save with ConvertTo-Json -Depth 10";

/// Yields a JSON object a row.
pub(crate) struct CsvLines<R> {
    rows: Rows<R>,
    layout: Layout,
    count: u64,
    text: String,
    position: usize,
    report: FileReport,
    /// Where the text begins that is at hand.
    offset: u64,
    starts: Vec<Start>,
    places: Arc<Places>,
}

/// What the rows are.
enum Layout {
    /// Cells under these keys, each quoted and with its colon.
    Keys(Vec<String>),
    /// A download of the Entra admin center.
    Portal(PortalRow),
}

impl Layout {
    fn width(&self) -> usize {
        match self {
            Self::Keys(keys) => keys.len(),
            Self::Portal(row) => row.width(),
        }
    }
}

impl<R: Read> CsvLines<R> {
    /// Reads the first line of `input`; the inner error says why the file is not read.
    pub(crate) fn new(input: R, report: FileReport) -> Result<Self, &'static str> {
        let mut rows = Rows {
            input,
            buffer: Vec::new(),
            at: 0,
            ended: false,
            line: 1,
            offset: 0,
            delimiter: b',',
            unfinished: false,
            failed: None,
        };
        rows.choose_delimiter();
        let (cells, length) = match rows.parse() {
            Parsed::Row(cells, length) => (cells.into_iter().map(Cow::into_owned).collect::<Vec<_>>(), length),
            Parsed::Incomplete | Parsed::Broken(_) => return Err("its first line is no line of CSV"),
        };
        let (layout, is_header) = layout(&cells)?;
        if is_header {
            rows.pass(length);
        }
        let places = Arc::new(Places::new(Unit::Row));
        let (text, offset, starts) = (String::new(), 0, Vec::new());
        Ok(Self { rows, layout, count: 0, text, position: 0, report, offset, starts, places })
    }

    /// Where the rows begin in the text.
    pub(crate) fn places(&self) -> &Arc<Places> {
        &self.places
    }

    /// Turns the rows of the buffer into text; false at the end.
    fn refill(&mut self) -> io::Result<bool> {
        self.offset += self.text.len() as u64;
        self.text.clear();
        self.position = 0;
        while self.text.len() < CHUNK {
            let (line, byte) = (self.rows.line, self.rows.offset);
            let (length, flaw) = match self.rows.parse() {
                Parsed::Row(cells, length) if cells.iter().all(|cell| cell.is_empty()) && cells.len() <= 1 => {
                    if length == 0 {
                        self.end();
                        break;
                    }
                    (length, None)
                }
                Parsed::Row(cells, length) if cells.len() == self.layout.width() => {
                    self.starts.push(Start { text: self.offset + self.text.len() as u64, number: line, byte });
                    write_row(&mut self.layout, &cells, &mut self.text);
                    self.count += 1;
                    (length, None)
                }
                Parsed::Row(cells, _) => {
                    let flaw = format!("{} cells under {} headers", cells.len(), self.layout.width());
                    (self.rows.first_line(), Some(flaw))
                }
                Parsed::Incomplete => (self.rows.first_line(), Some("a quote is opened and not closed".to_owned())),
                Parsed::Broken(reason) => (self.rows.first_line(), Some(reason.to_owned())),
            };
            if let Some(flaw) = flaw {
                self.report.lost(format!("line {line}"), flaw);
            }
            self.rows.pass(length);
        }
        self.places.add(&mut self.starts);
        match self.rows.failed.take_if(|_| self.text.is_empty()) {
            Some(error) => Err(error),
            None => Ok(!self.text.is_empty()),
        }
    }

    /// Says what the whole file says about itself.
    fn end(&mut self) {
        if let Layout::Portal(row) = &mut self.layout {
            self.report.notices(row.take_notices());
        }
        if self.rows.unfinished && self.count > 0 {
            let text = "the last line has no line end, as all others have: the file may have been cut off";
            self.report.notices(vec![(format!("{}: {text}", self.report.name()), 1)]);
        }
        if let Some(note) = limit_reached(std::mem::take(&mut self.count)) {
            self.report.notices(vec![(format!("{}: {note}", self.report.name()), 1)]);
        }
    }
}

fn write_row(layout: &mut Layout, cells: &[Cow<'_, str>], text: &mut String) {
    match layout {
        Layout::Keys(keys) => {
            for (index, (key, cell)) in keys.iter().zip(cells).enumerate() {
                text.push(if index == 0 { '{' } else { ',' });
                text.push_str(key);
                dynamic::quote(cell, text);
            }
            text.push_str("}\n");
        }
        Layout::Portal(row) => row.write(cells, text),
    }
}

impl<R: Read> Read for CsvLines<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.position == self.text.len() {
            if !self.refill()? {
                return Ok(0);
            }
        }
        let count = (&self.text.as_bytes()[self.position..]).read(buffer)?;
        self.position += count;
        Ok(count)
    }
}

/// What the first line says; true where it is a header, false where it is a row already.
fn layout(cells: &[String]) -> Result<(Layout, bool), &'static str> {
    if cells.len() > MAX_COLUMNS {
        return Err("it has more columns than are read");
    }
    if let Some(columns) = positions(cells) {
        return Ok((Layout::Keys(columns.map(key).collect()), false));
    }
    if cells.iter().map(String::len).sum::<usize>() > MAX_HEADER_BYTES {
        return Err("the names of its columns are longer than is read");
    }
    let names: Vec<&str> = cells.iter().map(|cell| column_name(cell.trim())).collect::<Result<_, _>>()?;
    let names: Vec<&str> = names.into_iter().map(|name| spelled(name, cells)).collect();
    let has = |name: &str| names.contains(&name);
    let is_table = has(TIME);
    if names.first().is_some_and(|name| name.starts_with("#TYPE "))
        || (has("CreatedDateTime") && has("AppliedConditionalAccessPolicies") && !is_table)
    {
        return Err(POWERSHELL);
    }
    if has("Request ID") && has("Authentication method") {
        return Err("details of authentications, which belong to the rows of another download");
    }
    if names.iter().filter(|name| portal_column(name).is_some()).count() >= 3 && !is_table {
        return Ok((Layout::Portal(PortalRow::new(cells)), true));
    }
    let is_value = |name: &&str| name.is_empty() || name.parse::<f64>().is_ok() || datetime::parse(name).is_some();
    if names.iter().any(is_value) {
        return Err("CSV without a header line: which columns it has cannot be told");
    }
    Ok((Layout::Keys(names.into_iter().map(key).collect()), true))
}

/// The name as the table has it, where tools wrote names of columns in another case: without `TimeGenerated` as such.
fn spelled<'a>(name: &'a str, headers: &[String]) -> &'a str {
    let time = |header: &String| column_name(header.trim()).is_ok_and(|name| name == TIME);
    let other = |header: &String| column_name(header.trim()).is_ok_and(|name| name.eq_ignore_ascii_case(TIME));
    if headers.iter().any(time) || !headers.iter().any(other) {
        return name;
    }
    let mut columns = known_tables().flat_map(|table| table.schema.fields());
    columns.find(|field| field.name.eq_ignore_ascii_case(name)).map_or(name, |field| field.name.as_str())
}

/// The name of the column: the portal of Log Analytics adds the time zone to those of times.
fn column_name(header: &str) -> Result<&str, &'static str> {
    let Some((name, zone)) = header.strip_suffix(']').and_then(|rest| rest.rsplit_once(" [")) else {
        return Ok(header);
    };
    match zone {
        _ if zone.eq_ignore_ascii_case("UTC") => Ok(name),
        _ => Err("its times are not in UTC: export it again with the time zone UTC"),
    }
}

fn key(name: &str) -> String {
    let mut key = String::new();
    dynamic::quote(name, &mut key);
    key.push(':');
    key
}

/// Splits bytes into rows of cells.
struct Rows<R> {
    input: R,
    buffer: Vec<u8>,
    /// Where the next row begins in the buffer.
    at: usize,
    ended: bool,
    /// The number of its line, and the offset of its first byte.
    line: u64,
    offset: u64,
    delimiter: u8,
    /// True behind a last line without a line end.
    unfinished: bool,
    /// What ended the input too early; it is passed on behind the rows that were whole.
    failed: Option<io::Error>,
}

/// What stands at the beginning of the buffer.
enum Parsed<'a> {
    /// A row and its length in bytes.
    Row(Vec<Cow<'a, str>>, usize),
    /// A quote is not closed.
    Incomplete,
    Broken(&'static str),
}

impl<R: Read> Rows<R> {
    /// Takes the delimiter that cuts the first line into the most cells.
    fn choose_delimiter(&mut self) {
        self.fill(CHUNK);
        self.at = self.buffer.len() - without_byte_order_mark(&self.buffer).len();
        self.offset = self.at as u64;
        if self.buffer[self.at..].starts_with(b"sep=") {
            self.pass(self.first_line());
        }
        let cells = |delimiter: u8| match parse_row(&self.buffer[self.at..], delimiter, true) {
            Parsed::Row(cells, _) => cells.len(),
            Parsed::Incomplete | Parsed::Broken(_) => 0,
        };
        let delimiters = [b'|', b'\t', b';', b','];
        self.delimiter = delimiters.into_iter().max_by_key(|&delimiter| cells(delimiter)).unwrap_or(b',');
    }

    /// The row at the beginning, which is not passed.
    fn parse(&mut self) -> Parsed<'_> {
        let mut wanted = CHUNK;
        loop {
            if self.buffer.len() - self.at < wanted && !self.ended {
                self.fill(wanted);
            }
            let unfinished =
                matches!(parse_row(&self.buffer[self.at..], self.delimiter, self.ended), Parsed::Incomplete);
            if !unfinished || self.ended || wanted >= MAX_RECORD_BYTES {
                break;
            }
            wanted *= 2;
        }
        parse_row(&self.buffer[self.at..], self.delimiter, self.ended)
    }

    /// Reads until `wanted` bytes are there.
    fn fill(&mut self, wanted: usize) {
        self.buffer.drain(..self.at);
        self.at = 0;
        let missing = wanted.saturating_sub(self.buffer.len()) as u64;
        match self.input.by_ref().take(missing).read_to_end(&mut self.buffer) {
            Ok(count) => self.ended = (count as u64) < missing,
            Err(error) => (self.ended, self.failed) = (true, Some(error)),
        }
    }

    /// The length of the line at the beginning.
    fn first_line(&self) -> usize {
        let rest = &self.buffer[self.at..];
        memchr::memchr(b'\n', rest).map_or(rest.len(), |newline| newline + 1)
    }

    fn pass(&mut self, length: usize) {
        let passed = &self.buffer[self.at..self.at + length];
        self.unfinished = length > 0 && !passed.ends_with(b"\n") && !passed.ends_with(b"\r");
        self.line += memchr::memchr_iter(b'\n', &self.buffer[self.at..self.at + length]).count() as u64;
        self.at += length;
        self.offset += length as u64;
    }
}

/// The row that `bytes` start with; `ended` where nothing follows them. No cells, no length: the end.
fn parse_row(bytes: &[u8], delimiter: u8, ended: bool) -> Parsed<'_> {
    let mut cells = Vec::new();
    let mut position = 0;
    loop {
        let (cell, length) = match bytes.get(position) {
            Some(b'"') => match quoted(&bytes[position + 1..]) {
                Some((inside, length)) => (inside, length + 1),
                None => return Parsed::Incomplete,
            },
            _ => {
                let rest = &bytes[position..];
                let length = memchr::memchr3(delimiter, b'\n', b'\r', rest).unwrap_or(rest.len());
                (Cow::Borrowed(&rest[..length]), length)
            }
        };
        position += length;
        match cell {
            Cow::Borrowed(cell) => match std::str::from_utf8(cell) {
                Ok(cell) => cells.push(Cow::Borrowed(cell)),
                Err(_) => return Parsed::Broken("not UTF-8"),
            },
            Cow::Owned(cell) => match String::from_utf8(cell) {
                Ok(cell) => cells.push(Cow::Owned(cell)),
                Err(_) => return Parsed::Broken("not UTF-8"),
            },
        }
        match bytes[position..] {
            [byte, ..] if byte == delimiter => position += 1,
            [b'\r', b'\n', ..] => return Parsed::Row(cells, position + 2),
            [] | [b'\r'] if !ended => return Parsed::Incomplete,
            [] => return Parsed::Row(cells, position),
            // A lone carriage return ends a line where nothing else does.
            [b'\n' | b'\r', ..] => return Parsed::Row(cells, position + 1),
            _ => return Parsed::Broken("text behind a closing quote"),
        }
    }
}

/// The inside of a quoted cell, and its length with the closing quote.
fn quoted(bytes: &[u8]) -> Option<(Cow<'_, [u8]>, usize)> {
    let mut inside: Cow<'_, [u8]> = Cow::Borrowed(&[]);
    let mut start = 0;
    loop {
        let end = start + memchr::memchr(b'"', &bytes[start..])?;
        let doubled = bytes.get(end + 1) == Some(&b'"');
        let part = &bytes[start..end + usize::from(doubled)];
        match &mut inside {
            Cow::Borrowed([]) if !doubled => inside = Cow::Borrowed(part),
            Cow::Borrowed(_) => inside = Cow::Owned(part.to_vec()),
            Cow::Owned(inside) => inside.extend_from_slice(part),
        }
        if !doubled {
            return Some((inside, end + 1));
        }
        start = end + 2;
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::sync::Arc;

    use super::{CsvLines, FileReport};

    /// The JSON Lines of a text, and how many lines were lost.
    fn read(text: &str) -> Result<(String, u64), &'static str> {
        let report = FileReport::new("file.csv", Arc::default());
        let mut lines = CsvLines::new(text.as_bytes(), report.clone())?;
        let mut out = String::new();
        lines.read_to_string(&mut out).expect("no error of the disk");
        Ok((out, report.problems()))
    }

    #[test]
    fn rows_become_objects() {
        let cases = [
            ("a,b\n1,2\n", "{\"a\":\"1\",\"b\":\"2\"}\n", 0),
            ("\u{feff}a;b\r\n\"x;\"\"y\"\"\r\nz\";2", "{\"a\":\"x;\\\"y\\\"\\r\\nz\",\"b\":\"2\"}\n", 0),
            ("sep=\t\r\na\tb\r\n\r\n\t\"\"\r\n", "{\"a\":\"\",\"b\":\"\"}\n", 0),
            ("a,b\n1\n3,4\n5,6,7\n", "{\"a\":\"3\",\"b\":\"4\"}\n", 2),
            ("a,b\n1,\"2\n3,4\n5,6\n", "{\"a\":\"3\",\"b\":\"4\"}\n{\"a\":\"5\",\"b\":\"6\"}\n", 1),
            ("a,b\n\"1\"2,3\n3,4\n", "{\"a\":\"3\",\"b\":\"4\"}\n", 1),
            ("Time [UTC],b\n1,2\n", "{\"Time\":\"1\",\"b\":\"2\"}\n", 0),
            ("TIMEGENERATED [utc],id,b\n1,2,3\n", "{\"TimeGenerated\":\"1\",\"Id\":\"2\",\"b\":\"3\"}\n", 0),
        ];
        for (text, lines, lost) in cases {
            assert_eq!(read(text), Ok((lines.to_owned(), lost)), "{text:?}");
        }
    }

    #[test]
    fn what_cannot_be_told_is_refused() {
        for text in [
            "Time [Berlin],b\n1,2\n",
            "1,2\n3,4\n",
            "\"a,b\n",
            "#TYPE Microsoft.Graph,x\n",
            "Request ID,Date (UTC),Authentication method\n",
        ] {
            assert!(read(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn the_portal_writes_words() {
        let text = concat!(
            "Date (UTC),Request ID,Unique token identifier,Location,Status,Sign-in error code,Failure reason,Browser,",
            "Compliant,Incoming token type,Incoming token type,Conditional Access\n",
            "2026-03-02T09:05:11Z,1,'-RE8,\"Washington, D.C., District, US\",Success,,Other.,Edge,Yes,,None,Not Applied\n",
            "2026-03-02T09:05:12Z,2,,\", , \",Interrupted,50074,x,,,,,\n",
            "2026-03-02T09:05:13Z,3,,,Interrupted,,,,,,,Strange\n",
        );
        let expected = concat!(
            r#"{"createdDateTime":"2026-03-02T09:05:11Z","id":"1","uniqueTokenIdentifier":"-RE8","#,
            r#""location":{"city":"Washington, D.C.","state":"District","countryOrRegion":"US"},"#,
            r#""status":{"errorCode":0,"failureReason":"Other."},"deviceDetail":{"browser":"Edge","isCompliant":true},"#,
            r#""incomingTokenType":"none","conditionalAccessStatus":"notApplied","@portalCsv":1}"#,
            "\n",
            r#"{"createdDateTime":"2026-03-02T09:05:12Z","id":"2","location":{"city":"","state":"","countryOrRegion":""},"#,
            r#""status":{"errorCode":50074,"failureReason":"x"},"deviceDetail":{},"@portalCsv":1}"#,
            "\n",
            r#"{"createdDateTime":"2026-03-02T09:05:13Z","id":"3","status":{},"deviceDetail":{},"#,
            r#""conditionalAccessStatus":"Strange","@portalCsv":1}"#,
            "\n",
        );
        assert_eq!(read(text), Ok((expected.to_owned(), 0)));
    }
}
