//! Converts CSV to JSON Lines while it is read, so that the JSON reader can read it.
//!
//! The first line identifies the kind of file. It is a download of the Entra admin center (with display names), a
//! query result or an `.export` (with column names, to which the Log Analytics portal adds the time zone), or,
//! without a header line, rows that end with the name of their table. A row that does not fit is counted with its
//! line number and skipped; reading continues with the next line, so that a stray quote loses only one row.

mod header;
mod last_column;
mod portal;

use std::borrow::Cow;
use std::io::{self, Read};
use std::sync::Arc;

pub(crate) use self::header::table_names;
use self::header::{CsvLayout, HeaderLines, TYPE_LINE, layout};
use self::last_column::LastColumn;
use super::held_bytes::HeldBytes;
use super::source_map::{SourceMap, SourceUnit, UnitStart};
use super::{FileReport, decode, without_byte_order_mark};
use crate::entra::portal::PortalHeader;
use crate::scan::{ColumnNote, Damage, Note};
use crate::storage::limits::ReadLimits;

/// Number of bytes that are read at once.
const CHUNK: usize = 256 << 10;

/// Yields the rows of a CSV file as lines, each a JSON object.
pub(crate) struct CsvLines<R> {
    rows: RowReader<R>,
    layout: CsvLayout,
    headers: HeaderLines,
    last_column: LastColumn,
    count: u64,
    /// True if the last line so far is a row that was converted.
    ends_in_row: bool,
    /// True once the findings at the end of the file were reported.
    ended: bool,
    /// Number of rows that are not UTF-8 and are not reported yet.
    undecodable: u64,
    text: String,
    position: usize,
    report: FileReport,
    /// Offset in the whole text of the buffered text.
    offset: u64,
    starts: Vec<UnitStart>,
    source_map: Arc<SourceMap>,
    held: HeldBytes,
}

impl<R: Read> CsvLines<R> {
    /// Reads the first line of `input`. Err has the reason why the file is not read.
    pub(crate) fn new(input: R, limits: ReadLimits, report: FileReport) -> Result<Self, &'static str> {
        let mut rows = RowReader {
            input,
            buffer: Vec::new(),
            at: 0,
            ended: false,
            line: 1,
            offset: 0,
            delimiter: b',',
            max_row_bytes: limits.max_record_bytes,
            unfinished: false,
            failed: None,
        };
        let typed = rows.choose_delimiter();
        let (cells, length) = match rows.parse() {
            ParsedRow::Row(cells, length, _) => (cells.into_iter().map(Cow::into_owned).collect::<Vec<_>>(), length),
            ParsedRow::Incomplete | ParsedRow::Broken(_) => return Err("its first line is not valid CSV"),
        };
        let (layout, is_header) = layout(&cells, typed, report.name())?;
        let headers = HeaderLines::new(is_header.then_some(&cells));
        if is_header {
            rows.pass(length);
        }
        let source_map = Arc::new(SourceMap::new(SourceUnit::Row));
        let (text, offset, starts) = (String::new(), 0, Vec::new());
        Ok(Self {
            rows,
            layout,
            headers,
            last_column: LastColumn::default(),
            count: 0,
            ends_in_row: false,
            ended: false,
            undecodable: 0,
            text,
            position: 0,
            report,
            offset,
            starts,
            source_map,
            held: HeldBytes::default(),
        })
    }

    /// Returns the columns in the last header; empty if the file has none.
    pub(crate) fn columns(&self) -> &[String] {
        self.headers.names()
    }

    /// Returns the first header, if it is the header of a CSV of the Entra admin center.
    pub(crate) fn portal_header(&self) -> Option<Arc<PortalHeader>> {
        self.layout.portal_header()
    }

    /// Returns the map from positions in the text to rows of the file.
    pub(crate) fn source_map(&self) -> &Arc<SourceMap> {
        &self.source_map
    }

    /// Returns the number of bytes of the rows and their text that are in memory.
    pub(crate) fn held(&self) -> &HeldBytes {
        &self.held
    }

    /// Converts the next rows to text; returns false at the end of the file.
    fn refill(&mut self) -> io::Result<bool> {
        self.offset += self.text.len() as u64;
        self.text.clear();
        self.position = 0;
        while self.text.len() < CHUNK {
            self.rows.skip_mark();
            self.report.damaged(Damage::NulBytes, self.rows.skip_nul_bytes());
            let (line, byte) = (self.rows.line, self.rows.offset);
            let before = self.count;
            let (length, problem) = match self.rows.parse() {
                ParsedRow::Row(_, 0, _) => {
                    self.end();
                    break;
                }
                // Spreadsheets write the empty rows below a table as nothing but delimiters.
                ParsedRow::Row(cells, length, _) if cells.iter().all(|cell| cell.trim().is_empty()) => {
                    if cells.len() > 1 {
                        self.report.note(ColumnNote::EmptyCsvRows, 1);
                    }
                    (length, None)
                }
                ParsedRow::Row(cells, length, _) if self.headers.is_header(&cells) => {
                    let same = self.headers.is_same(&cells);
                    let cells: Vec<String> = cells.into_iter().map(Cow::into_owned).collect();
                    self.start_header(&cells, same, line);
                    (length, None)
                }
                ParsedRow::Row(_, length, _) if self.layout.unread().is_some() => {
                    (length, self.layout.unread().map(str::to_owned))
                }
                ParsedRow::Row(cells, length, is_utf8) if cells.len() == self.layout.width() => {
                    self.undecodable += u64::from(!is_utf8);
                    self.starts.push(UnitStart { text: self.offset + self.text.len() as u64, number: line, byte });
                    self.layout.write(&cells, &mut self.text);
                    self.last_column.add(cells.last().map_or("", |cell| cell));
                    self.count += 1;
                    (length, None)
                }
                ParsedRow::Row(cells, length, _) => {
                    let problem = other_width(cells.len(), self.layout.width());
                    match self.headers.joined(&cells, self.layout.width()) {
                        Some(header) => {
                            let cells: Vec<Cow<'_, str>> = header.iter().map(|name| name.as_str().into()).collect();
                            let same = self.headers.is_same(&cells);
                            self.start_header(&header, same, line);
                            (length, Some("the header line of another file is appended to it".to_owned()))
                        }
                        None => (self.rows.first_line(), Some(problem)),
                    }
                }
                ParsedRow::Incomplete => (self.rows.first_line(), Some("a quote is not closed".to_owned())),
                ParsedRow::Broken(reason) => (self.rows.first_line(), Some(reason.to_owned())),
            };
            if let Some(problem) = problem {
                self.report.lost(format!("line {line}"), problem);
            }
            self.rows.pass(length);
            self.ends_in_row = self.count > before;
        }
        self.finish_chunk()
    }

    /// Reports what was found in the converted rows; returns false if there are none. An error of the input is
    /// returned once all rows before it were.
    fn finish_chunk(&mut self) -> io::Result<bool> {
        self.held.set(self.rows.buffer.capacity() + self.text.capacity());
        self.source_map.add(&mut self.starts);
        self.report.damaged(Damage::NotUtf8, std::mem::take(&mut self.undecodable));
        match self.rows.failed.take_if(|_| self.text.is_empty()) {
            Some(error) => Err(error),
            None => Ok(!self.text.is_empty()),
        }
    }

    /// Reads the following rows under another header line, because the file is several files joined together. `same`
    /// is true if the header is the same as before.
    fn start_header(&mut self, cells: &[String], same: bool, line: u64) {
        let file = self.report.name().to_owned();
        self.report.note(
            if same { ColumnNote::RepeatedCsvHeader(file) } else { ColumnNote::OtherCsvHeader { file, line } },
            1,
        );
        if same {
            return;
        }
        self.layout.report(&self.report);
        self.layout = match layout(cells, false, self.report.name()) {
            Ok((layout, _)) => layout,
            Err(reason) => CsvLayout::Unread(reason, cells.len()),
        };
        self.headers = HeaderLines::new(Some(cells));
        self.last_column = LastColumn::default();
    }

    /// Reports what is known only at the end of the file. Further calls do nothing.
    fn end(&mut self) {
        if std::mem::replace(&mut self.ended, true) {
            return;
        }
        self.layout.report(&self.report);
        match self.rows.unfinished {
            true if self.ends_in_row && self.last_column.is_last_whole() => {
                self.report.note_once(Note::NoLastLineEnd(self.report.name().to_owned()));
            }
            unfinished => self.report.damaged(Damage::MayBeCutOff, u64::from(unfinished)),
        }
        self.report.check_row_limit(std::mem::take(&mut self.count));
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

/// Returns the reason why a row of `cells` cells is not read under `headers` headers.
fn other_width(cells: usize, headers: usize) -> String {
    match cells {
        1 => format!("1 cell, but {headers} headers"),
        cells => format!("{cells} cells, but {headers} headers"),
    }
}

/// Splits the bytes of a CSV file into rows of cells.
struct RowReader<R> {
    input: R,
    buffer: Vec<u8>,
    /// Offset in the buffer of the next row.
    at: usize,
    ended: bool,
    /// The line number of the next row, and the offset of its first byte in the file.
    line: u64,
    offset: u64,
    delimiter: u8,
    /// Maximum length of a row in bytes.
    max_row_bytes: usize,
    /// True after a last line without a line end.
    unfinished: bool,
    /// The error that ended the input early. It is returned after the rows before it.
    failed: Option<io::Error>,
}

/// The row at the start of some bytes, or the reason why there is none.
pub(crate) enum ParsedRow<'a> {
    /// A row, its length in bytes, and true if all of it is UTF-8.
    Row(Vec<Cow<'a, str>>, usize, bool),
    /// A quote is not closed in the bytes.
    Incomplete,
    Broken(&'static str),
}

impl<R: Read> RowReader<R> {
    /// Skips empty lines and lines that describe the file, then chooses the delimiter that divides the first line
    /// into the most cells. Returns true if one of the skipped lines names a PowerShell type.
    fn choose_delimiter(&mut self) -> bool {
        self.fill(CHUNK);
        self.skip_mark();
        let mut typed = false;
        loop {
            let length = self.first_line();
            let line = &self.buffer[self.at..self.at + length];
            typed |= line.starts_with(TYPE_LINE.as_bytes());
            let is_header = !line.trim_ascii().is_empty() && !line.starts_with(b"sep=");
            if (is_header && !line.starts_with(TYPE_LINE.as_bytes())) || length == 0 {
                break;
            }
            self.pass(length);
        }
        let cells = |delimiter: u8| match parse_row(&self.buffer[self.at..], delimiter, true) {
            ParsedRow::Row(cells, ..) => cells.len(),
            ParsedRow::Incomplete | ParsedRow::Broken(_) => 0,
        };
        let delimiters = [b'|', b'\t', b';', b','];
        self.delimiter = delimiters.into_iter().max_by_key(|&delimiter| cells(delimiter)).unwrap_or(b',');
        typed
    }

    /// Skips a byte order mark. Each of several files that were joined may begin with one.
    fn skip_mark(&mut self) {
        if self.buffer.len() - self.at < 3 && !self.ended {
            self.fill(CHUNK);
        }
        let marked = &self.buffer[self.at..];
        let length = marked.len() - without_byte_order_mark(marked).len();
        self.at += length;
        self.offset += length as u64;
    }

    /// Skips NUL bytes before a row; returns the number of runs of them.
    fn skip_nul_bytes(&mut self) -> u64 {
        let before = self.offset;
        while self.buffer.get(self.at) == Some(&0) {
            let length = self.buffer[self.at..].iter().take_while(|byte| **byte == 0).count();
            self.at += length;
            self.offset += length as u64;
            if self.at == self.buffer.len() && !self.ended {
                self.fill(CHUNK);
            }
        }
        u64::from(self.offset > before)
    }

    /// Parses the next row; the position stays before it.
    fn parse(&mut self) -> ParsedRow<'_> {
        let mut min_bytes = CHUNK;
        loop {
            if self.buffer.len() - self.at < min_bytes && !self.ended {
                self.fill(min_bytes);
            }
            let unfinished =
                matches!(parse_row(&self.buffer[self.at..], self.delimiter, self.ended), ParsedRow::Incomplete);
            if !unfinished || self.ended || min_bytes >= self.max_row_bytes {
                break;
            }
            min_bytes *= 2;
        }
        parse_row(&self.buffer[self.at..], self.delimiter, self.ended)
    }

    /// Reads until the buffer has `min_bytes` bytes or the input ends.
    fn fill(&mut self, min_bytes: usize) {
        self.buffer.drain(..self.at);
        self.at = 0;
        let missing = min_bytes.saturating_sub(self.buffer.len()) as u64;
        match self.input.by_ref().take(missing).read_to_end(&mut self.buffer) {
            Ok(count) => self.ended = (count as u64) < missing,
            Err(error) => (self.ended, self.failed) = (true, Some(error)),
        }
    }

    /// Returns the length of the next line in bytes, including its line end.
    fn first_line(&self) -> usize {
        let rest = &self.buffer[self.at..];
        memchr::memchr(b'\n', rest).map_or(rest.len(), |newline| newline + 1)
    }

    fn pass(&mut self, length: usize) {
        let passed = &self.buffer[self.at..self.at + length];
        // A row that ends with the closing quote of a cell is complete.
        self.unfinished = passed.last().is_some_and(|last| !matches!(last, b'\n' | b'\r' | b'"'));
        self.line += memchr::memchr_iter(b'\n', &self.buffer[self.at..self.at + length]).count() as u64;
        self.at += length;
        self.offset += length as u64;
    }
}

/// Parses the row at the start of `bytes`. `ended` is true if no bytes follow. At the end, the row has one empty cell
/// and the length 0.
pub(crate) fn parse_row(bytes: &[u8], delimiter: u8, ended: bool) -> ParsedRow<'_> {
    let mut cells = Vec::new();
    let mut position = 0;
    let mut is_utf8 = true;
    loop {
        let (cell, length) = match bytes.get(position) {
            Some(b'"') => match quoted(&bytes[position + 1..]) {
                Some((inside, length)) => (inside, length + 1),
                None => return ParsedRow::Incomplete,
            },
            _ => {
                let rest = &bytes[position..];
                let length = memchr::memchr3(delimiter, b'\n', b'\r', rest).unwrap_or(rest.len());
                (Cow::Borrowed(&rest[..length]), length)
            }
        };
        position += length;
        cells.push(match cell {
            Cow::Borrowed(cell) => std::str::from_utf8(cell).map_or_else(
                |_| {
                    is_utf8 = false;
                    decode(cell)
                },
                Cow::Borrowed,
            ),
            Cow::Owned(cell) => Cow::Owned(String::from_utf8(cell).unwrap_or_else(|error| {
                is_utf8 = false;
                decode(error.as_bytes()).into_owned()
            })),
        });
        match bytes[position..] {
            [byte, ..] if byte == delimiter => position += 1,
            [b'\r', b'\n', ..] => return ParsedRow::Row(cells, position + 2, is_utf8),
            [] | [b'\r'] if !ended => return ParsedRow::Incomplete,
            [] => return ParsedRow::Row(cells, position, is_utf8),
            // A carriage return alone ends a line, too.
            [b'\n' | b'\r', ..] => return ParsedRow::Row(cells, position + 1, is_utf8),
            _ => return ParsedRow::Broken("text after a closing quote"),
        }
    }
}

/// Returns the contents of a quoted cell, and its length with the closing quote; None if the quote is not closed.
/// `bytes` begin after the opening quote.
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

    use super::{CsvLines, FileReport, ReadLimits};

    /// Returns the text of a CSV file as JSON Lines, and the number of lines that were lost.
    fn read(text: &str) -> Result<(String, u64), &'static str> {
        let report = FileReport::new("file.csv", Arc::default());
        let mut lines = CsvLines::new(text.as_bytes(), ReadLimits::SMALL, report.clone())?;
        let mut out = String::new();
        lines.read_to_string(&mut out).expect("no error of the disk");
        Ok((out, report.problems()))
    }

    #[test]
    fn rows_become_objects() {
        let cases = [
            ("a,b\n1,2\n", "{\"a\":\"1\",\"b\":\"2\"}\n", 0),
            ("\u{feff}a;b\r\n\"x;\"\"y\"\"\r\nz\";2", "{\"a\":\"x;\\\"y\\\"\\r\\nz\",\"b\":\"2\"}\n", 0),
            ("sep=\t\r\na\tb\r\n\r\n\t\"\"\r\n\t\"x\"\r\n", "{\"a\":\"\",\"b\":\"x\"}\n", 0),
            ("a,b\n1\n3,4\n5,6,7\n", "{\"a\":\"3\",\"b\":\"4\"}\n", 2),
            ("a,b\n1,\"2\n3,4\n5,6\n", "{\"a\":\"3\",\"b\":\"4\"}\n{\"a\":\"5\",\"b\":\"6\"}\n", 1),
            ("a,b\n\"1\"2,3\n3,4\n", "{\"a\":\"3\",\"b\":\"4\"}\n", 1),
            ("Time [UTC],b\n1,2\n", "{\"Time\":\"1\",\"b\":\"2\"}\n", 0),
            ("Time [UTC+00:00],b\n1,2\n", "{\"Time\":\"1\",\"b\":\"2\"}\n", 0),
            ("Time [UTC-5:30],b\n1,2\n,2\n", "{\"Time\":\"1 -05:30\",\"b\":\"2\"}\n{\"Time\":\"\",\"b\":\"2\"}\n", 0),
            ("TIMEGENERATED [utc],id,b\n1,2,3\n", "{\"TimeGenerated\":\"1\",\"Id\":\"2\",\"b\":\"3\"}\n", 0),
        ];
        for (text, lines, lost) in cases {
            assert_eq!(read(text), Ok((lines.to_owned(), lost)), "{text:?}");
        }
    }

    #[test]
    fn concatenated_files_have_several_headers() {
        let cases = [
            ("a,b\n1,2\na,b\n3,4\n", "{\"a\":\"1\",\"b\":\"2\"}\n{\"a\":\"3\",\"b\":\"4\"}\n", 0),
            (
                "TimeGenerated,Type,Id\n1,2,3\n\u{feff}Id,TimeGenerated,Type\n4,5,6\n",
                "{\"TimeGenerated\":\"1\",\"Type\":\"2\",\"Id\":\"3\"}\n{\"Id\":\"4\",\"TimeGenerated\":\"5\",\"Type\":\"6\"}\n",
                0,
            ),
            (
                "TimeGenerated,Type,Id\n1,2,3\nTimeGenerated [Berlin],Type,Id\n4,5,6\n7,8,9\nTimeGenerated,Type,Id\n1,2,3\n",
                &"{\"TimeGenerated\":\"1\",\"Type\":\"2\",\"Id\":\"3\"}\n".repeat(2),
                2,
            ),
            // Without a newline between the files, the joined row is lost, and the rows after it are read with their
            // header.
            (
                "TimeGenerated,Type,Id\n1,2,3\n1,2,9Id,TimeGenerated,Type\n4,5,6\n",
                "{\"TimeGenerated\":\"1\",\"Type\":\"2\",\"Id\":\"3\"}\n{\"Id\":\"4\",\"TimeGenerated\":\"5\",\"Type\":\"6\"}\n",
                1,
            ),
            // A row that contains the name of a column is a row.
            ("Location,b,c\nLocation,2,3\n", "{\"Location\":\"Location\",\"b\":\"2\",\"c\":\"3\"}\n", 0),
        ];
        for (text, lines, lost) in cases {
            assert_eq!(read(text), Ok((lines.to_owned(), lost)), "{text:?}");
        }
    }

    #[test]
    fn lines_before_the_header_are_passed() {
        let row = "{\"TimeGenerated\":\"1\",\"Id\":\"3\"}\n".to_owned();
        for text in [
            "\r\n  \r\nTimeGenerated,Id\r\n1,3\r\n",
            "#TYPE System.Management.Automation.PSCustomObject\r\n\"TimeGenerated\",\"Id\"\r\n1,3\r\n",
            "\u{feff}sep=;\n\nTimeGenerated;Id\n1;3\n",
            // An unnamed column does not lose the others.
            ",TimeGenerated,Id,\n0,1,3,\n",
        ] {
            assert_eq!(read(text), Ok((row.clone(), 0)), "{text:?}");
        }
    }

    #[test]
    fn csv_without_known_columns_or_time_zone_is_refused() {
        for text in [
            "Time [Berlin],b\n1,2\n",
            "Time [Local],b\n1,2\n",
            "Time [CET],b\n1,2\n",
            "Time [UTC+15:00],b\n1,2\n",
            "1,2\n3,4\n",
            "\"a,b\n",
            "#TYPE Microsoft.Graph,x\n",
            "#TYPE Microsoft.Graph\n\"Id\",\"Status\"\n",
            "\n\n",
            ",a,b\n1,2,3\n",
            "Request ID,Date (UTC),Authentication method\n",
        ] {
            assert!(read(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn labels_of_the_portal_become_values() {
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
