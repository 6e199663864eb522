//! A sequence of JSON values -> its records, found by counting brackets; what stands between them is checked later.

use std::borrow::Cow;
use std::sync::Arc;

use super::tables::{Piece, Tables};
use super::trim_start;
use crate::types::dynamic;

/// Bytes in front of the array of records inside a wrapping object.
const MAX_HEADER_BYTES: usize = 64 << 10;

/// The same for the names of columns in front of the rows of a table.
const MAX_ANSWER_HEADER_BYTES: usize = 2 << 20;

/// It stands in front of the values of each file where files were joined.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Brackets around records that are followed.
const MAX_AROUND: usize = 16;

/// Keys that a wrapping object may have in front of its records, apart from those that start with `@`.
const HEADER_KEYS: [&[u8]; 5] = [b"odata.metadata", b"odata.nextLink", b"nextLink", b"count", b"total"];

/// Keys of an answer that may stand in front of its tables; their values may be anything.
const ANSWER_KEYS: [&[u8]; 4] = [b"error", b"statistics", b"render", b"Exceptions"];

/// The columns of the table whose row a record is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Header {
    /// Their names, in the order of the cells.
    pub names: Vec<String>,
}

/// Where a record lies in a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub start: usize,
    pub end: usize,
    /// For a record that is an array of cells: what its columns are.
    pub header: Option<Arc<Header>>,
}

/// Finds records in the blocks of one file, in order. Elements of an array at the top, and of the array under
/// `records` or `value` of an object at the top, are records; so are the rows of the tables of an answer, and any other
/// object at the top. A text or number in the place of a record is handed out as one: whoever reads it says that it is
/// none.
#[derive(Debug, Default)]
pub(crate) struct ValueSplitter {
    around: Vec<Around>,
    scan: Option<Scan>,
    tables: Tables,
    /// The columns of the rows that are being handed out; None where they are passed over.
    header: Option<Arc<Header>>,
    rows: u64,
    /// True behind the key of an error of the answer.
    error_follows: bool,
    /// True where the values ended inside of a record, which was handed out as it is.
    cut_off: bool,
}

/// A bracket around records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Around {
    /// `[`, at the top or in an array.
    Array,
    /// `{` whose records stand in an array.
    Wrapper,
    /// That array.
    Records,
    /// The array around the tables of an answer.
    Tables,
    /// The array around the rows of one of them.
    Rows,
}

/// How far a record has been looked at; kept from block to block.
#[derive(Clone, Copy, Debug, Default)]
struct Scan {
    depth: usize,
    in_text: bool,
    /// Next byte to be looked at, from the start of the record.
    next: usize,
    /// What is passed over, not handed out.
    ignored: bool,
}

/// What an object at the top is.
enum Opening {
    /// An object around records, the first of which comes behind this many bytes.
    Wrapper(usize),
    /// An object around tables, the first of which comes behind this many bytes; true where it speaks of an error.
    Answer(usize, bool),
    /// A frame of an answer.
    Frame,
    Record,
    /// It takes more bytes to tell.
    Unclear,
}

impl ValueSplitter {
    /// The records that end in `bytes`, and how many bytes are done with. The next call starts with the byte behind.
    /// At the end of the file (`more` is false) a record without an end is handed out too.
    pub(crate) fn split(&mut self, bytes: &[u8], more: bool) -> (Vec<Span>, usize) {
        let mut spans = Vec::new();
        let mut position = 0;
        loop {
            if self.scan.is_none() && !self.begin(bytes, &mut position, more) {
                return (spans, position);
            }
            let Some(scan) = &mut self.scan else { continue };
            let end = match scan.find_end(&bytes[position..]) {
                Some(length) => position + length,
                None if more => return (spans, position),
                None => {
                    self.cut_off = true;
                    bytes.len()
                }
            };
            if scan.ignored {
                self.pass(&bytes[position..end]);
            } else {
                let rows = self.around.last() == Some(&Around::Rows);
                self.rows += u64::from(rows);
                let header = self.header.as_ref().filter(|_| rows).map(Arc::clone);
                spans.push(Span { start: position, end, header });
            }
            self.scan = None;
            position = end;
        }
    }

    /// Passes what stands around records up to the next record, which it begins. False where `bytes` ends first.
    fn begin(&mut self, bytes: &[u8], position: &mut usize, more: bool) -> bool {
        while let Some(&byte) = bytes.get(*position) {
            let inside = self.around.last().copied();
            match (byte, inside) {
                (b' ' | b'\t' | b'\r' | b'\n' | b',' | 0x1e, _) | (b':', Some(Around::Wrapper)) => *position += 1,
                (0xef, _) if bytes[*position..].starts_with(BYTE_ORDER_MARK) => *position += BYTE_ORDER_MARK.len(),
                (0xef, _) if more && bytes.len() - *position < BYTE_ORDER_MARK.len() => return false,
                (b']', Some(Around::Rows)) => {
                    self.tables.end_rows(std::mem::take(&mut self.rows));
                    self.around.pop();
                    *position += 1;
                }
                (b']', Some(Around::Array | Around::Records | Around::Tables)) | (b'}', Some(Around::Wrapper)) => {
                    self.around.pop();
                    *position += 1;
                }
                (b'[', None | Some(Around::Array)) if self.around.len() < MAX_AROUND => {
                    self.around.push(Around::Array);
                    *position += 1;
                }
                (b'{', None | Some(Around::Array)) => match opening(&bytes[*position..], more) {
                    Opening::Wrapper(length) => {
                        self.around.extend([Around::Wrapper, Around::Records]);
                        *position += length;
                    }
                    Opening::Answer(length, error) => {
                        if error {
                            self.tables.note_partial();
                        }
                        self.around.extend([Around::Wrapper, Around::Tables]);
                        *position += length;
                    }
                    Opening::Frame if self.begin_piece(bytes, position, more) => {}
                    Opening::Record => {
                        self.scan = Some(Scan::default());
                        return true;
                    }
                    Opening::Frame | Opening::Unclear => return self.scan.is_some(),
                },
                (b'{', Some(Around::Tables)) => {
                    if !self.begin_piece(bytes, position, more) {
                        return self.scan.is_some();
                    }
                }
                (byte, inside) => {
                    // An object among rows tells of an error.
                    let aside = inside == Some(Around::Rows) && (self.header.is_none() || byte == b'{');
                    self.error_follows |= aside && byte == b'{' && self.header.is_some();
                    let ignored = aside || (inside == Some(Around::Wrapper) && byte != b'[');
                    self.scan = Some(Scan { ignored, ..Scan::default() });
                    return true;
                }
            }
        }
        false
    }

    /// Passes the head of a table or a whole frame; where that is none, begins a record. False where there are too
    /// few bytes, or a record was begun.
    fn begin_piece(&mut self, bytes: &[u8], position: &mut usize, more: bool) -> bool {
        let rest = &bytes[*position..];
        match self.tables.piece(rest) {
            Piece::Rows(length, header) => {
                self.around.extend([Around::Wrapper, Around::Rows]);
                self.header = header;
                self.rows = 0;
                *position += length;
                return true;
            }
            Piece::Passed(length) => {
                *position += length;
                return true;
            }
            Piece::Unclear if more && rest.len() < MAX_ANSWER_HEADER_BYTES => {}
            Piece::Other | Piece::Unclear => self.scan = Some(Scan::default()),
        }
        false
    }

    /// Looks at what is passed over around records: the answer may say that it is not whole.
    fn pass(&mut self, value: &[u8]) {
        if std::mem::take(&mut self.error_follows) && value.first() == Some(&b'{') {
            self.tables.note_partial();
        }
        self.error_follows = value == b"\"error\"";
    }

    /// True where the values ended between the records of an array that is not closed.
    pub(crate) fn is_unclosed(&self) -> bool {
        !self.around.is_empty() && !self.cut_off
    }

    /// True between two values at the top.
    pub(crate) fn is_idle(&self) -> bool {
        self.around.is_empty() && self.scan.is_none()
    }

    /// Leaves what is open, of which nothing more comes.
    pub(crate) fn abandon(&mut self) {
        self.around.clear();
        (self.scan, self.header, self.rows) = (None, None, 0);
        (self.error_follows, self.cut_off) = (false, false);
    }

    /// What the values say about themselves, since the last call.
    pub(crate) fn take_notes(&mut self) -> Vec<String> {
        std::mem::take(&mut self.tables.notes)
    }

    /// Why the values cannot be read.
    pub(crate) fn refusal(&self) -> Option<&'static str> {
        self.tables.refusal
    }
}

/// The length of the value that `bytes` start with; None where it goes on behind them.
pub(crate) fn value_end(bytes: &[u8]) -> Option<usize> {
    Scan::default().find_end(bytes)
}

impl Scan {
    /// The length of the record that starts with `bytes`; None where it goes on behind them.
    fn find_end(&mut self, bytes: &[u8]) -> Option<usize> {
        if !matches!(bytes.first(), Some(b'{' | b'[' | b'"')) {
            return scalar_end(bytes);
        }
        while let Some(&byte) = bytes.get(self.next) {
            if self.in_text {
                let found = memchr::memchr2(b'"', b'\\', &bytes[self.next..])?;
                self.next += found;
                if bytes[self.next] == b'\\' {
                    bytes.get(self.next + 1)?;
                    self.next += 2;
                    continue;
                }
                self.in_text = false;
            } else {
                match byte {
                    b'"' => {
                        self.in_text = true;
                        self.next += 1;
                        continue;
                    }
                    b'{' | b'[' => self.depth += 1,
                    b'}' | b']' => self.depth = self.depth.saturating_sub(1),
                    _ => {
                        self.next += 1;
                        continue;
                    }
                }
            }
            self.next += 1;
            if self.depth == 0 {
                return Some(self.next);
            }
        }
        None
    }
}

/// The length of a number, a word or a stray bracket.
fn scalar_end(bytes: &[u8]) -> Option<usize> {
    if matches!(bytes.first(), Some(b'}' | b']' | b':')) {
        return Some(1);
    }
    let ends = |byte: &u8| matches!(byte, b',' | b'{' | b'}' | b'[' | b']' | b' ' | b'\t' | b'\r' | b'\n');
    bytes.iter().position(ends)
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

/// True for an array, and for an object around an array of records or tables.
pub(crate) fn is_wrapped(line: &[u8]) -> bool {
    line.starts_with(b"[") || !matches!(opening(line, false), Opening::Record | Opening::Unclear)
}

/// Looks at the first keys of an object.
fn opening(bytes: &[u8], more: bool) -> Opening {
    let unclear = if more && bytes.len() < MAX_HEADER_BYTES { Opening::Unclear } else { Opening::Record };
    let mut reader = Head { bytes, position: 1 };
    let mut error = false;
    loop {
        if reader.skip_blanks() == Some(b',') {
            reader.position += 1;
            reader.skip_blanks();
        }
        match bytes.get(reader.position) {
            Some(b'"') => {}
            Some(_) => return Opening::Record,
            None => return unclear,
        }
        let Some(key) = reader.quoted() else { return unclear };
        let key = &*unescaped(key);
        if key == b"FrameType" {
            return Opening::Frame;
        }
        let answer = key.eq_ignore_ascii_case(b"tables");
        let records = key == b"records" || key == b"value" || answer;
        let of_answer = ANSWER_KEYS.contains(&key);
        if !records && !of_answer && !key.starts_with(b"@") && !HEADER_KEYS.contains(&key) {
            return Opening::Record;
        }
        match (reader.skip_blanks(), records) {
            (Some(b':'), _) => reader.position += 1,
            (Some(_), _) => return Opening::Record,
            (None, _) => return unclear,
        }
        match (reader.skip_blanks(), records) {
            (Some(b'['), true) => return reader.first_element(unclear, answer.then_some(error)),
            (None, _) => return unclear,
            (Some(_), false) if of_answer => match value_end(&bytes[reader.position..]) {
                Some(length) => {
                    error |= key == b"error" && bytes[reader.position] == b'{';
                    reader.position += length;
                }
                None => return unclear,
            },
            (_, true) | (Some(b'{' | b'['), _) => return Opening::Record,
            (Some(b'"'), _) => {
                if reader.quoted().is_none() {
                    return unclear;
                }
            }
            (Some(_), _) => match scalar_end(&bytes[reader.position..]) {
                Some(length) => reader.position += length,
                None => return unclear,
            },
        }
    }
}

/// The key that stands between quotes.
fn unescaped(key: &[u8]) -> Cow<'_, [u8]> {
    if !key.contains(&b'\\') {
        return Cow::Borrowed(key);
    }
    let quoted = format!("\"{}\"", String::from_utf8_lossy(key));
    Cow::Owned(dynamic::to_text(&quoted).into_owned().into_bytes())
}

/// A position in the first bytes of an object.
struct Head<'a> {
    bytes: &'a [u8],
    position: usize,
}

impl<'a> Head<'a> {
    fn skip_blanks(&mut self) -> Option<u8> {
        let rest = self.bytes.get(self.position..)?;
        let blanks = rest.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        self.position += blanks;
        rest.get(blanks).copied()
    }

    /// The inside of the quoted text at the position, which is passed.
    fn quoted(&mut self) -> Option<&'a [u8]> {
        let mut scan = Scan::default();
        let length = scan.find_end(self.bytes.get(self.position..)?)?;
        let text = self.bytes.get(self.position + 1..self.position + length - 1)?;
        self.position += length;
        Some(text)
    }

    /// Behind the `[` of what may be records: they are, if the first element is an object or there is none.
    fn first_element(mut self, unclear: Opening, answer: Option<bool>) -> Opening {
        self.position += 1;
        match (self.skip_blanks(), answer) {
            (Some(b'{' | b']'), Some(error)) => Opening::Answer(self.position, error),
            (Some(b'{' | b']'), None) => Opening::Wrapper(self.position),
            (Some(_), _) => Opening::Record,
            (None, _) => unclear,
        }
    }
}

#[cfg(test)]
mod tests {
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
