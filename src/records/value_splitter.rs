//! A sequence of JSON values -> its records, found by counting brackets; what stands between them is checked later.

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
use crate::scan::pages::Page;
use crate::types::dynamic;

/// Bytes of the names of columns in front of the rows of a table.
const MAX_ANSWER_HEADER_BYTES: usize = 2 << 20;

/// Frames of an answer without rows are no longer.
const MAX_FRAME_BYTES: usize = 4 << 10;

/// It stands in front of the values of each file where files were joined.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Bytes of a key around records that may mean something.
const MAX_KEY: usize = 128;

/// Brackets around records that are followed.
const MAX_AROUND: usize = 16;

/// The columns of the table whose row a record is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ColumnHeader {
    /// Their names, in the order of the cells.
    pub names: Vec<String>,
}

/// Where a record lies in a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RecordSpan {
    pub start: usize,
    pub end: usize,
    /// For a record that is an array of cells: what its columns are.
    pub header: Option<Arc<ColumnHeader>>,
    /// False if the text ends inside of it.
    pub is_whole: bool,
}

/// Finds records in the blocks of one file, in order. Elements of an array at the top, and of the array under
/// `records` or `value` of an object at the top, are records; so are the rows of the tables of an answer, and any other
/// object at the top. A text or number in the place of a record is handed out as one: whoever reads it says that it is
/// none. Where a bracket or quote was lost, records go on where the next one is recognised.
#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "what was seen between records, each by itself")]
pub(crate) struct ValueSplitter {
    around: Vec<Enclosing>,
    scan: Option<ValueScan>,
    /// The array inside of the value that is scanned of which it is not clear yet what it is.
    array: Option<usize>,
    tables: QueryResponse,
    /// The columns of the rows that are being handed out; None where they are passed over.
    header: Option<Arc<ColumnHeader>>,
    rows: u64,
    /// The key around records that was passed last, and its page, where there may be several.
    key: Vec<u8>,
    page: Option<Page>,
    /// True behind the colon of a key around records.
    keyed: bool,
    /// True for the value of such a key.
    of_key: bool,
    /// True where the values ended inside of a record, which was handed out as it is.
    cut_off: bool,
    heads: RecordPrefixes,
    torn: Option<Resync>,
    /// True if a value was handed out.
    begun: bool,
    effort: Effort,
    /// True where brackets may close that were never opened.
    loose: bool,
    /// Records since the last gap.
    since: usize,
    skipped: Vec<RelativeSkip>,
    /// The encoding in which the text goes on at the position.
    change: Option<Encoding>,
    nul_runs: u64,
}

/// A bracket around records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Enclosing {
    /// `[`, at the top or in an array.
    Array,
    /// `{` whose records stand in an array.
    Wrapper,
    /// `{` whose rows stand in an array.
    Table,
    /// That array.
    Records,
    /// The array around the tables of an answer.
    QueryResponse,
    /// The array around the rows of one of them.
    Rows,
}

/// What comes behind an element of an array.
#[derive(Clone, Copy, PartialEq, Eq)]
enum AfterElement {
    /// What may.
    Fine,
    /// The rest of a record: the element ended too early.
    Rest,
    /// It takes more bytes to tell.
    Unclear,
}

impl ValueSplitter {
    /// For the elements of an array without its brackets.
    pub(crate) fn inside_array() -> Self {
        Self { around: vec![Enclosing::Array], ..Self::default() }
    }

    /// For a text that begins inside of a record.
    pub(crate) fn begin_inside(&mut self) {
        (self.torn, self.loose) = (Some(Resync::at_start()), true);
    }

    /// The records that end in `bytes`, and how many bytes are done with. The next call starts with the byte behind.
    /// At the end of the file (`more` is false) a record without an end is handed out too.
    pub(crate) fn split(&mut self, bytes: &[u8], more: bool) -> (Vec<RecordSpan>, usize) {
        let mut spans = Vec::new();
        let mut position = 0;
        while self.step(bytes, &mut position, more, &mut spans) {}
        (spans, position)
    }

    /// Passes a record, or what stands around it. False where `bytes` ends first.
    fn step(&mut self, bytes: &[u8], position: &mut usize, more: bool, spans: &mut Vec<RecordSpan>) -> bool {
        if self.change.is_some() {
            return false;
        }
        if self.torn.is_some() {
            return self.resync(bytes, position, more);
        }
        if self.scan.is_none() && !self.begin(bytes, position, more) {
            return self.torn.is_some() && self.change.is_none();
        }
        let Some(scan) = &mut self.scan else { return true };
        let rest = &bytes[*position..];
        let found = self.array.map_or_else(|| scan.go_on(rest), ScanStop::Array);
        match found {
            ScanStop::Array(at) => return self.look_into(rest, at, position, more),
            ScanStop::Invalid(at) => self.tear_at(rest, at, position),
            ScanStop::More if more => return false,
            ScanStop::More => {
                self.cut_off = true;
                self.end(rest, rest.len(), position, spans);
            }
            ScanStop::End(length) => match self.behind(rest, length, more) {
                AfterElement::Unclear => return false,
                AfterElement::Rest => self.tear_at(rest, length, position),
                AfterElement::Fine => self.end(rest, length, position, spans),
            },
        }
        true
    }

    /// Passes what stands around records up to the next record, which it begins. False where `bytes` ends first, or
    /// something stands there that does not belong there.
    fn begin(&mut self, bytes: &[u8], position: &mut usize, more: bool) -> bool {
        while let Some(&byte) = bytes.get(*position) {
            let inside = self.around.last().copied();
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
                    self.tables.end_rows(std::mem::take(&mut self.rows));
                    self.around.pop();
                    *position += 1;
                }
                (b']', Some(Enclosing::Array | Enclosing::Records | Enclosing::QueryResponse)) => {
                    self.around.pop();
                    *position += 1;
                }
                (b'}', _) if between => {
                    if self.around.pop() == Some(Enclosing::Wrapper) {
                        self.tables.notes.extend(self.page.take().map(FramingNote::Page));
                    }
                    *position += 1;
                }
                (b']' | b'}', None) if self.loose => *position += 1,
                (b'[', None | Some(Enclosing::Array)) if self.around.len() < MAX_AROUND => {
                    self.around.push(Enclosing::Array);
                    *position += 1;
                }
                (b'{', Some(Enclosing::QueryResponse)) => {
                    if !self.begin_piece(bytes, position, more) {
                        return self.scan.is_some();
                    }
                }
                (0 | 0xfe | 0xff, _) if more && bytes.len() - *position < ENCODING_BYTES => return false,
                (0 | 0xfe | 0xff, _) if self.goes_on_in_utf16(bytes, position) => return false,
                (0, _) => {
                    self.nul_runs += 1;
                    *position += bytes[*position..].iter().take_while(|byte| **byte == 0).count();
                }
                (byte, inside) => {
                    if self.is_stray(byte, inside) {
                        self.tear(&bytes[*position..], 0);
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
    fn goes_on_in_utf16(&mut self, bytes: &[u8], position: &mut usize) -> bool {
        let start = position.saturating_sub(1);
        let Some((at, encoding)) = utf16_in(&bytes[start..bytes.len().min(start + ENCODING_BYTES)]) else {
            return false;
        };
        if start + at > *position {
            return false;
        }
        if start + at < *position && bytes[start] == b'[' {
            self.around.pop();
        }
        *position = start + at;
        self.change = Some(encoding);
        true
    }

    /// True for what cannot stand where it does: the rest of a record that was damaged, or what follows an array that was
    /// closed too early.
    fn is_stray(&mut self, byte: u8, inside: Option<Enclosing>) -> bool {
        let keyed = std::mem::take(&mut self.keyed);
        self.of_key = keyed;
        let opens = matches!(byte, b'{' | b'[');
        match inside {
            Some(Enclosing::Rows) => self.header.is_some() && !opens,
            Some(Enclosing::Array | Enclosing::Records) => matches!(byte, b'}' | b':'),
            Some(Enclosing::Table) if opens && !keyed => {
                self.around.push(Enclosing::Rows);
                true
            }
            Some(Enclosing::Wrapper) if opens && !keyed => {
                self.around.push(Enclosing::Records);
                true
            }
            _ => false,
        }
    }

    /// How the value is looked at that begins with this byte.
    fn scan_of(&mut self, byte: u8, inside: Option<Enclosing>) -> ValueScan {
        // An object among rows tells of an error.
        let aside = inside == Some(Enclosing::Rows) && (self.header.is_none() || byte == b'{');
        let is_error = self.of_key && is_error_key(&self.key);
        let around =
            inside == Some(Enclosing::Table) || (inside == Some(Enclosing::Wrapper) && (byte != b'[' || is_error));
        match inside {
            _ if aside || around => ValueScan::ignoring(),
            None | Some(Enclosing::Array) => ValueScan::halting(),
            _ => ValueScan::strict(),
        }
    }

    /// What stands behind the element of an array that `rest` begins with.
    fn behind(&self, rest: &[u8], length: usize, more: bool) -> AfterElement {
        let rows = match self.around.last() {
            Some(Enclosing::Rows) => self.header.is_some(),
            Some(Enclosing::Array | Enclosing::Records) => false,
            None if self.loose => false,
            _ => return AfterElement::Fine,
        };
        let scalar = !matches!(rest[0], b'{' | b'[' | b'"');
        if scalar && !self.around.is_empty() && dynamic::validate(&rest[..length]).is_err() {
            return AfterElement::Rest;
        }
        let behind = &rest[length..];
        let comma = behind.iter().position(|byte| !matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | b',' | 0x1e));
        match comma.map(|at| (at, behind[at])) {
            None if more => AfterElement::Unclear,
            Some((_, b':')) => AfterElement::Rest,
            // One bracket too few in the element, or one too many behind it.
            Some((_, b'}')) if dynamic::validate(&rest[..length]).is_err() => AfterElement::Rest,
            Some((at, b'"')) if !rows => {
                match value_end(&behind[at..]).map(|end| behind[at + end..].trim_ascii_start()) {
                    None | Some([]) if more => AfterElement::Unclear,
                    Some([b':', ..]) => AfterElement::Rest,
                    _ => AfterElement::Fine,
                }
            }
            Some((_, byte)) if rows && !matches!(byte, b'[' | b']' | b'{') => AfterElement::Rest,
            _ => AfterElement::Fine,
        }
    }

    /// Hands the value out that `rest` begins with, or passes it over.
    fn end(&mut self, rest: &[u8], length: usize, position: &mut usize, spans: &mut Vec<RecordSpan>) {
        let (Some(scan), value) = (self.scan.take(), &rest[..length]) else { return };
        if scan.ignored {
            self.pass(value);
        } else if let Some(piece) = self.frame(value, scan) {
            if let ResponsePart::Rows(length, header) = piece {
                self.begin_rows(length, header, position);
                return;
            }
        } else if scan.hollow && !self.cut_off && !RecordKeys::of(value).is_record() {
            self.begin_page(Page::of(value, value.len()));
            self.tables.notes.extend(self.page.take().map(FramingNote::Page));
        } else {
            let rows = self.around.last() == Some(&Enclosing::Rows);
            self.rows += u64::from(rows);
            if !rows && !self.cut_off && value[0] == b'{' {
                self.heads.learn(value);
            }
            self.since += 1;
            self.begun = true;
            let header = self.header.as_ref().filter(|_| rows).map(Arc::clone);
            spans.push(RecordSpan { start: *position, end: *position + length, header, is_whole: !self.cut_off });
        }
        *position += length;
    }

    /// True where the values ended between the records of an array that is not closed.
    pub(crate) fn is_unclosed(&self) -> bool {
        !self.around.is_empty() && !self.cut_off && self.torn.is_none()
    }

    /// True between two values at the top.
    pub(crate) fn is_idle(&self) -> bool {
        self.around.is_empty() && self.scan.is_none() && self.torn.is_none()
    }

    /// Leaves what is open, of which nothing more comes.
    pub(crate) fn abandon(&mut self) {
        self.around.clear();
        (self.scan, self.array, self.header, self.rows) = (None, None, None, 0);
        (self.page, self.of_key, self.cut_off, self.loose) = (None, false, false, false);
        (self.torn, self.change) = (None, None);
    }

    /// The encoding in which the text goes on behind what was split.
    pub(crate) fn change(&self) -> Option<Encoding> {
        self.change
    }

    /// The runs of NUL bytes between values, since the last call.
    pub(crate) fn take_nul_runs(&mut self) -> u64 {
        std::mem::take(&mut self.nul_runs)
    }

    /// What the values say about themselves, since the last call.
    pub(crate) fn take_notes(&mut self) -> Vec<FramingNote> {
        std::mem::take(&mut self.tables.notes)
    }

    /// Why the values cannot be read.
    pub(crate) fn refusal(&self) -> Option<&'static str> {
        self.tables.refusal
    }
}

/// True where nothing but values and what may stand between them makes up the text.
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

    /// The records of a text that comes in pieces of `step` bytes.
    fn records(text: &str, step: usize) -> Vec<String> {
        let mut splitter = ValueSplitter::default();
        let mut found = Vec::new();
        let mut buffer: Vec<u8> = Vec::new();
        let mut pieces = text.as_bytes().chunks(step).peekable();
        while let Some(piece) = pieces.next() {
            buffer.extend_from_slice(piece);
            let (spans, done) = splitter.split(&buffer, pieces.peek().is_some());
            found.extend(spans.iter().map(|span| String::from_utf8_lossy(&buffer[span.start..span.end]).into_owned()));
            buffer.drain(..done);
        }
        found
    }

    /// What is found does not depend on how many bytes come at once, whatever is damaged.
    #[test]
    fn pieces_do_not_change_what_is_found() {
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

    /// Objects that begin as records do and never end are not looked at again and again.
    #[test]
    fn the_search_for_the_next_record_is_not_long() {
        for piece in ["},{\"time\":1,\"category\":2,\"p\":{\"a\":[", "},{\"time\":1,\"category\":2,\"p\":[", "{[\",["] {
            let text = format!("[{{\"time\":1,\"category\":2,\"p\":\"x\"y{}", piece.repeat(100_000));
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
