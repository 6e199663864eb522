//! Splits a sequence of JSON values into records by counting brackets. The records are validated later.

mod recovery;
mod responses;

use std::sync::Arc;

use super::effort::Effort;
use super::encoding::{ENCODING_BYTES, Encoding, utf16_in};
use super::object_keys::{RecordKeys, is_error_key};
use super::query_response::{FramingNote, QueryResponse, ResponsePart};
use super::resync::{RecordPrefixes, RelativeSkip, Resync};
use super::trim_start;
use super::value_scan::{ScanStop, ValueScan, value_end};
use crate::scan::result_pages::ResultPage;
use crate::storage::limits::ReadLimits;
use crate::types::dynamic;

/// Maximum length in bytes of the part of a table before its rows.
const MAX_RESPONSE_HEADER_BYTES: usize = 2 << 20;

/// Maximum length in bytes of a frame without rows.
const MAX_FRAME_BYTES: usize = 4 << 10;

/// The byte order mark before the values of each file; joined files have several.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Maximum length in bytes of a key around records that is examined.
const MAX_KEY: usize = 128;

/// Maximum nesting depth of the brackets around records.
const MAX_DEPTH: usize = 16;

/// The columns of the table to which a row of cells belongs.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ColumnHeader {
    /// The column names, in the order of the cells.
    pub names: Vec<String>,
}

/// The position of a record in a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RecordSpan {
    pub start: usize,
    pub end: usize,
    /// The columns, if the record is an array of cells; None for other records.
    pub header: Option<Arc<ColumnHeader>>,
    /// False if the text ends inside the record.
    pub is_whole: bool,
}

/// Finds the records in the blocks of one file, in order. Records are the elements of a top-level array, the elements
/// of the array under `records` or `value` of a top-level object, the rows of the tables of a query response, and any
/// other top-level object. A string or number where a record is expected is returned as a record, so that the reader
/// reports it. After a lost bracket or quote, the next record is the next one that can be recognised.
#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts about the text between records")]
pub(crate) struct ValueSplitter {
    enclosing: Vec<Enclosing>,
    scan: Option<ValueScan>,
    /// Offset of an array in the current value, if the array has not been classified yet.
    array: Option<usize>,
    response: QueryResponse,
    /// The columns of the rows that are being returned; None if rows are skipped.
    header: Option<Arc<ColumnHeader>>,
    rows: u64,
    /// The last key around records. `page` is the page of the response, if the response may have several.
    key: Vec<u8>,
    page: Option<ResultPage>,
    /// True after the colon of a key around records.
    keyed: bool,
    /// True if the current value belongs to such a key.
    of_key: bool,
    /// True if the text ended inside a record, which was returned as it is.
    cut_off: bool,
    prefixes: RecordPrefixes,
    resync: Option<Resync>,
    /// True once a value was returned.
    begun: bool,
    effort: Effort,
    /// True if closing brackets without an opening one are accepted, because the start of the text is missing or was
    /// damaged.
    unbalanced: bool,
    /// Number of records since the last skipped range.
    records_since_skip: usize,
    skipped: Vec<RelativeSkip>,
    /// The encoding in which the text continues at the position; None if it does not change.
    change: Option<Encoding>,
    nul_runs: u64,
}

/// A bracket around records that is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Enclosing {
    /// `[` at the top level or in an array.
    Array,
    /// The `{` of an object around an array of records.
    Wrapper,
    /// The `{` of an object around an array of rows.
    Table,
    /// The `[` around the records of a wrapper.
    Records,
    /// The `[` around the tables of a query response.
    QueryResponse,
    /// The `[` around the rows of a table.
    Rows,
}

/// What follows an element of an array.
#[derive(Clone, Copy, PartialEq, Eq)]
enum AfterElement {
    /// A separator, a closing bracket or the next element, as it should be.
    Fine,
    /// The rest of a record, because a stray bracket ended the element early.
    Rest,
    /// More bytes are needed to decide.
    Unclear,
}

impl ValueSplitter {
    /// Creates a splitter for a file that is read within these limits.
    pub(crate) fn new(limits: ReadLimits) -> Self {
        Self { effort: Effort::new(limits), ..Self::default() }
    }

    /// Creates a splitter for the elements of an array whose brackets are not part of the text.
    pub(crate) fn inside_array() -> Self {
        Self { enclosing: vec![Enclosing::Array], ..Self::default() }
    }

    /// Makes the splitter begin inside a record, because the beginning of the text is missing.
    pub(crate) fn begin_inside(&mut self) {
        (self.resync, self.unbalanced) = (Some(Resync::at_start()), true);
    }

    /// Returns the records that end in `bytes`, and the number of bytes that are done; the next call must begin after
    /// them. At the end of the file (`more` is false), an incomplete record is returned, too.
    pub(crate) fn split(&mut self, bytes: &[u8], more: bool) -> (Vec<RecordSpan>, usize) {
        let mut spans = Vec::new();
        let mut position = 0;
        while self.step(bytes, &mut position, more, &mut spans) {}
        (spans, position)
    }

    /// Moves past a record, or past something between records. Returns false if more bytes are needed, or if the text
    /// ends.
    fn step(&mut self, bytes: &[u8], position: &mut usize, more: bool, spans: &mut Vec<RecordSpan>) -> bool {
        if self.change.is_some() {
            return false;
        }
        if self.resync.is_some() {
            return self.resync(bytes, position, more);
        }
        if self.scan.is_none() && !self.begin(bytes, position, more) {
            return self.resync.is_some() && self.change.is_none();
        }
        let Some(scan) = &mut self.scan else { return true };
        let rest = &bytes[*position..];
        let found = self.array.map_or_else(|| scan.resume(rest), ScanStop::Array);
        match found {
            ScanStop::Array(at) => return self.classify(rest, at, position, more),
            ScanStop::Invalid(at) => self.recover_at(rest, at, position),
            ScanStop::More if more => return false,
            ScanStop::More => {
                self.cut_off = true;
                self.end(rest, rest.len(), position, spans);
            }
            ScanStop::End(length) => match self.after(rest, length, more) {
                AfterElement::Unclear => return false,
                AfterElement::Rest => self.recover_at(rest, length, position),
                AfterElement::Fine => self.end(rest, length, position, spans),
            },
        }
        true
    }

    /// Moves past what is between records, up to the next record, and begins to scan it. Returns false if `bytes`
    /// ends before it, or if something is misplaced.
    fn begin(&mut self, bytes: &[u8], position: &mut usize, more: bool) -> bool {
        while let Some(&byte) = bytes.get(*position) {
            let inside = self.enclosing.last().copied();
            let between = matches!(inside, Some(Enclosing::Wrapper | Enclosing::Table));
            match (byte, inside) {
                (b' ' | b'\t' | b'\r' | b'\n' | b',' | 0x1e, _) => *position += 1,
                (b':', _) if between => {
                    self.keyed = true;
                    *position += 1;
                }
                (0xef, _) if bytes[*position..].starts_with(BYTE_ORDER_MARK) => *position += BYTE_ORDER_MARK.len(),
                (0xef, _) if more && bytes.len() - *position < BYTE_ORDER_MARK.len() => return false,
                (b']', Some(Enclosing::Rows)) => {
                    self.response.end_rows(std::mem::take(&mut self.rows));
                    self.enclosing.pop();
                    *position += 1;
                }
                (b']', Some(Enclosing::Array | Enclosing::Records | Enclosing::QueryResponse)) => {
                    self.enclosing.pop();
                    if self.enclosing.is_empty() {
                        self.response.end_frames();
                    }
                    *position += 1;
                }
                (b'}', _) if between => {
                    if self.enclosing.pop() == Some(Enclosing::Wrapper) {
                        self.response.notes.extend(self.page.take().map(FramingNote::Page));
                    }
                    *position += 1;
                }
                (b']' | b'}', None) if self.unbalanced => *position += 1,
                (b'[', None | Some(Enclosing::Array)) if self.enclosing.len() < MAX_DEPTH => {
                    self.enclosing.push(Enclosing::Array);
                    *position += 1;
                }
                (b'{', Some(Enclosing::QueryResponse)) => {
                    if !self.begin_part(bytes, position, more) {
                        return self.scan.is_some();
                    }
                }
                (0 | 0xfe | 0xff, _) if more && bytes.len() - *position < ENCODING_BYTES => return false,
                (0 | 0xfe | 0xff, _) if self.continues_in_utf16(bytes, position) => return false,
                (0, _) => {
                    self.nul_runs += 1;
                    *position += bytes[*position..].iter().take_while(|byte| **byte == 0).count();
                }
                (byte, inside) => {
                    if self.is_stray(byte, inside) {
                        self.recover(&bytes[*position..], 0);
                        return false;
                    }
                    self.scan = Some(self.scan_of(byte, inside));
                    return true;
                }
            }
        }
        false
    }

    /// True if UTF-16 begins at the position, or at the byte before it, which was taken for a bracket.
    fn continues_in_utf16(&mut self, bytes: &[u8], position: &mut usize) -> bool {
        let start = position.saturating_sub(1);
        let Some((at, encoding)) = utf16_in(&bytes[start..bytes.len().min(start + ENCODING_BYTES)]) else {
            return false;
        };
        if start + at > *position {
            return false;
        }
        if start + at < *position && bytes[start] == b'[' {
            self.enclosing.pop();
        }
        *position = start + at;
        self.change = Some(encoding);
        true
    }

    /// True for bytes that are misplaced: the rest of a damaged record, or something after an array that was closed
    /// early.
    fn is_stray(&mut self, byte: u8, inside: Option<Enclosing>) -> bool {
        let keyed = std::mem::take(&mut self.keyed);
        self.of_key = keyed;
        let opens = matches!(byte, b'{' | b'[');
        match inside {
            Some(Enclosing::Rows) => self.header.is_some() && !opens,
            Some(Enclosing::Array | Enclosing::Records) => matches!(byte, b'}' | b':'),
            Some(Enclosing::Table) if opens && !keyed => {
                self.enclosing.push(Enclosing::Rows);
                true
            }
            Some(Enclosing::Wrapper) if opens && !keyed => {
                self.enclosing.push(Enclosing::Records);
                true
            }
            _ => false,
        }
    }

    /// Returns the kind of scan for the value that begins with `byte`.
    fn scan_of(&mut self, byte: u8, inside: Option<Enclosing>) -> ValueScan {
        // An object among rows reports an error.
        let aside = inside == Some(Enclosing::Rows) && (self.header.is_none() || byte == b'{');
        let is_error = self.of_key && is_error_key(&self.key);
        let enclosing =
            inside == Some(Enclosing::Table) || (inside == Some(Enclosing::Wrapper) && (byte != b'[' || is_error));
        match inside {
            _ if aside || enclosing => ValueScan::ignoring(),
            None | Some(Enclosing::Array) => ValueScan::halting(),
            _ => ValueScan::strict(),
        }
    }

    /// Returns what follows the array element of length `length` at the start of `rest`.
    fn after(&self, rest: &[u8], length: usize, more: bool) -> AfterElement {
        let rows = match self.enclosing.last() {
            Some(Enclosing::Rows) => self.header.is_some(),
            Some(Enclosing::Array | Enclosing::Records) => false,
            None if self.unbalanced => false,
            _ => return AfterElement::Fine,
        };
        let scalar = !matches!(rest[0], b'{' | b'[' | b'"');
        if scalar && !self.enclosing.is_empty() && dynamic::validate(&rest[..length]).is_err() {
            return AfterElement::Rest;
        }
        let after = &rest[length..];
        let comma = after.iter().position(|byte| !matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | b',' | 0x1e));
        match comma.map(|at| (at, after[at])) {
            None if more => AfterElement::Unclear,
            Some((_, b':')) => AfterElement::Rest,
            // A bracket is missing in the element, or one is superfluous after it.
            Some((_, b'}')) if dynamic::validate(&rest[..length]).is_err() => AfterElement::Rest,
            Some((at, b'"')) if !rows => {
                match value_end(&after[at..]).map(|end| after[at + end..].trim_ascii_start()) {
                    None | Some([]) if more => AfterElement::Unclear,
                    Some([b':', ..]) => AfterElement::Rest,
                    _ => AfterElement::Fine,
                }
            }
            Some((_, byte)) if rows && !matches!(byte, b'[' | b']' | b'{') => AfterElement::Rest,
            _ => AfterElement::Fine,
        }
    }

    /// Ends the value at the start of `rest`: it is returned as a record, or skipped.
    fn end(&mut self, rest: &[u8], length: usize, position: &mut usize, spans: &mut Vec<RecordSpan>) {
        let (Some(scan), value) = (self.scan.take(), &rest[..length]) else { return };
        if scan.ignored || self.is_beside_records(value) {
            self.pass(value);
        } else if let Some(part) = self.frame(value, scan) {
            if let ResponsePart::Rows(length, header) = part {
                self.begin_rows(length, header, position);
                return;
            }
        } else if scan.has_empty_array && !self.cut_off && !RecordKeys::of(value).is_record() {
            self.begin_page(ResultPage::of(value, value.len()));
            self.response.notes.extend(self.page.take().map(FramingNote::Page));
        } else {
            let rows = self.enclosing.last() == Some(&Enclosing::Rows);
            self.rows += u64::from(rows);
            if let Some(page) = self.page.as_mut().filter(|_| self.enclosing.last() == Some(&Enclosing::Records)) {
                page.records += 1;
            }
            if !rows && !self.cut_off && value[0] == b'{' {
                self.prefixes.learn(value);
            }
            self.records_since_skip += 1;
            self.begun = true;
            let header = self.header.as_ref().filter(|_| rows).map(Arc::clone);
            spans.push(RecordSpan { start: *position, end: *position + length, header, is_whole: !self.cut_off });
        }
        *position += length;
    }

    /// True if the text ended between the records of an array that is not closed.
    pub(crate) fn is_unclosed(&self) -> bool {
        !self.enclosing.is_empty() && !self.cut_off && self.resync.is_none()
    }

    /// True if the position is between two top-level values.
    pub(crate) fn is_idle(&self) -> bool {
        self.enclosing.is_empty() && self.scan.is_none() && self.resync.is_none()
    }

    /// Closes all brackets and scans that are open, because nothing more of them follows.
    pub(crate) fn abandon(&mut self) {
        self.enclosing.clear();
        (self.scan, self.array, self.header, self.rows) = (None, None, None, 0);
        (self.page, self.of_key, self.cut_off, self.unbalanced) = (None, false, false, false);
        (self.resync, self.change) = (None, None);
    }

    /// Returns the encoding in which the text continues after the bytes that are done; None if it does not change.
    pub(crate) fn change(&self) -> Option<Encoding> {
        self.change
    }

    /// Returns the number of runs of NUL bytes between values that were skipped since the last call.
    pub(crate) fn take_nul_runs(&mut self) -> u64 {
        std::mem::take(&mut self.nul_runs)
    }

    /// Returns what the text around the records said about them since the last call.
    pub(crate) fn take_notes(&mut self) -> Vec<FramingNote> {
        std::mem::take(&mut self.response.notes)
    }

    /// Returns the reason why the values cannot be read; None if they can.
    pub(crate) fn refusal(&self) -> Option<&'static str> {
        self.response.refusal
    }
}

/// True if the text has only valid JSON values, with or without separators.
pub(crate) fn is_sequence(text: &[u8]) -> bool {
    let mut rest = trim_start(text);
    while !rest.is_empty() {
        let Some(length) = value_end(rest).filter(|length| dynamic::validate(&rest[..*length]).is_ok()) else {
            return false;
        };
        rest = trim_start(&rest[length..]);
        rest = trim_start(rest.strip_prefix(b",").unwrap_or(rest));
    }
    true
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::ValueSplitter;

    /// Returns the records of a text that arrives in pieces of `step` bytes.
    fn records(text: &str, step: usize) -> Vec<String> {
        let mut splitter = ValueSplitter::default();
        let mut found = Vec::new();
        let mut buffer: Vec<u8> = Vec::new();
        let mut pieces = text.as_bytes().chunks(step).peekable();
        while let Some(part) = pieces.next() {
            buffer.extend_from_slice(part);
            let (spans, done) = splitter.split(&buffer, pieces.peek().is_some());
            found.extend(spans.iter().map(|span| String::from_utf8_lossy(&buffer[span.start..span.end]).into_owned()));
            buffer.drain(..done);
        }
        found
    }

    /// Tests that the records do not depend on the number of bytes per call, whatever is damaged.
    #[test]
    fn records_do_not_depend_on_the_pieces() {
        let record = |id: usize| format!("{{\"time\":{id},\"category\":\"c\",\"p\":{{\"a\":[{{\"x\":\"y\"}}]}}}}");
        let all = |between: &str| (0..6).map(record).collect::<Vec<_>>().join(between);
        let table = "{\"tables\":[{\"columns\":[{\"name\":\"a\"},{\"name\":\"b\"},{\"name\":\"c\"}],\"rows\":[";
        let rows = (0..6).map(|id| format!("[{id},\"x\",[1]]")).collect::<Vec<_>>().join(",");
        let texts = [
            format!("[{}]", all(",")),
            format!("{{\"records\":[{}],\"n\":\"x\"}}", all(",\n")),
            all("\n"),
            format!("{table}{rows}]}}]}}"),
        ];
        let mut random = ChaCha8Rng::seed_from_u64(5);
        for _ in 0..300 {
            let mut text = texts[random.random_range(0..texts.len())].clone();
            let at = random.random_range(0..text.len());
            match random.random_range(0..3) {
                0 => drop(text.remove(at)),
                1 => text.replace_range(at..=at, ["x", "\"", "{", "]"][random.random_range(0..4)]),
                _ => text.insert(at, ['"', '}', '{', '[', ']', ':'][random.random_range(0..6)]),
            }
            let whole = records(&text, text.len());
            for step in [1, 7, 50] {
                assert_eq!(records(&text, step), whole, "{text} by {step}");
            }
        }
    }

    /// Tests that objects which begin like records but never end are not examined again and again.
    #[test]
    fn the_search_for_the_next_record_is_not_long() {
        for part in ["},{\"time\":1,\"category\":2,\"p\":{\"a\":[", "},{\"time\":1,\"category\":2,\"p\":[", "{[\",["] {
            let text = format!("[{{\"time\":1,\"category\":2,\"p\":\"x\"y{}", part.repeat(100_000));
            records(&text, 64 << 10);
        }
    }

    #[test]
    fn records_are_found_in_any_layout() {
        let cases: [(&str, &[&str]); 14] = [
            ("{\"a\":1}{\"a\":2}", &["{\"a\":1}", "{\"a\":2}"]),
            ("[{\"a\":1},\n {\"a\":[2]}]", &["{\"a\":1}", "{\"a\":[2]}"]),
            ("[{\"a\":1}][{\"a\":2}]\r\n{\"a\":3}", &["{\"a\":1}", "{\"a\":2}", "{\"a\":3}"]),
            ("{\"records\":[{\"a\":1},{\"a\":2}]}", &["{\"a\":1}", "{\"a\":2}"]),
            (
                "{ \"@odata.context\" : \"x]}\", \"value\" : [ {\"a\":1} ], \"@odata.nextLink\": \"y\", \"n\": {} }",
                &["{\"a\":1}"],
            ),
            ("{\"value\":[]}{\"a\":1}", &["{\"a\":1}"]),
            ("[{\"value\":[{\"a\":1}]},{\"value\":[{\"a\":2}]}]", &["{\"a\":1}", "{\"a\":2}"]),
            ("{\"value\":[1,2]}", &["{\"value\":[1,2]}"]),
            ("{\"name\":\"x\",\"value\":[{\"a\":1}]}", &["{\"name\":\"x\",\"value\":[{\"a\":1}]}"]),
            ("{\"a\":\"}\\\"{\"}", &["{\"a\":\"}\\\"{\"}"]),
            ("[1, \"x\", null]", &["1", "\"x\"", "null"]),
            ("{\"a\":1}\n]}\n", &["{\"a\":1}", "]", "}"]),
            ("[{\"a\":1},{\"a\":", &["{\"a\":1}", "{\"a\":"]),
            ("{\"value\":[{\"a\":1}],\"records\":[{\"a\":2}]}", &["{\"a\":1}", "[{\"a\":2}]"]),
        ];
        for (text, wanted) in cases {
            for step in [1, 2, 3, 7, text.len()] {
                assert_eq!(records(text, step), wanted, "{text} by {step}");
            }
        }
    }
}
