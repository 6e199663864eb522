//! Bytes of a file, block by block, each of whole records.

use std::io::{self, Read};

use super::FileReport;
use super::chunk_source::ChunkReader;
use super::encoding::Encoding;
use super::multi_line::{AfterBlock, BOUNDARY_BYTES, record_boundary};
use super::peek_reader::PeekReader;
use super::query_response::FramingNote;
use super::resync::RelativeSkip;
use super::transcoder::Transcoder;
use super::value_scan::value_end;
use super::value_splitter::{RecordSpan, ValueSplitter};
use super::{Framing, detect, trim_start, without_byte_order_mark, without_padding};
use crate::scan::Damage;

/// Bytes read at once: what is read is still in the cache of the core when it is scanned. Few in unit tests, so that they
/// meet the borders of blocks.
const BLOCK_BYTES: usize = if cfg!(test) { 16 << 10 } else { 256 << 10 };

/// Bytes behind the end of a part in which its last line most likely ends.
const TAIL_BYTES: usize = BLOCK_BYTES / 16;

/// A record may be this long; shorter in unit tests.
pub(crate) const MAX_RECORD_BYTES: usize = if cfg!(test) { 1 << 20 } else { 64 << 20 };

/// Which part of a file a block reader reads: from the first border between records at or behind `start` to the first
/// one at or behind `end`. A record that begins in a part belongs to it, however long it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct FileRange {
    /// Offset of the part.
    pub start: u64,
    /// Offset behind the part; None for the end of the file.
    pub end: Option<u64>,
}

impl FileRange {
    /// Offset of the first byte that the input has to yield: what stands in front of a part tells where it begins.
    pub(crate) fn offset(self) -> u64 {
        self.start.saturating_sub(BOUNDARY_BYTES as u64)
    }
}

/// Reads blocks.
pub(crate) struct BlockReader {
    input: Box<dyn Read + Send>,
    buffer: Vec<u8>,
    filled: usize,
    done: usize,
    /// Offset in the file of the first byte of the buffer.
    offset: u64,
    origin: FileRange,
    /// Lines that belong to the part before.
    passed_lines: u64,
    /// Bytes that the next block needs, where more than usual.
    wanted: usize,
    ended: bool,
    /// True where the border at the end of the part was found.
    at_border: bool,
    /// How the records of the file follow each other, and how they do here: an array may stand among lines.
    detected: Framing,
    framing: Framing,
    splitter: ValueSplitter,
    /// Where such arrays ended too early.
    unclosed: Vec<u64>,
    /// What was lost between records.
    skipped: Vec<SkippedRange>,
    skipping: bool,
    /// The damage that ended the input early.
    damage: Option<io::Error>,
    report: FileReport,
}

/// Whole records.
pub(crate) struct Block<'a> {
    /// The bytes.
    pub bytes: &'a [u8],
    /// Offset of the first of them in the file, after decompression.
    pub offset: u64,
    /// Where the records are; None where each line is one.
    pub spans: Option<Vec<RecordSpan>>,
    /// How many of the bytes are done with: the next block begins behind them.
    pub done: usize,
    /// What follows it.
    pub rest: AfterBlock,
}

/// What was lost between two records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SkippedRange {
    /// Where JSON ends in the file, after decompression.
    pub offset: u64,
    /// Where records begin again; None where they do not.
    pub end: Option<u64>,
    /// Its first bytes.
    pub raw: Vec<u8>,
}

impl SkippedRange {
    /// The same of bytes that begin at this offset.
    pub(crate) fn of(lost: RelativeSkip, offset: u64) -> Self {
        let at = |place: i64| offset.saturating_add_signed(place);
        Self { offset: at(lost.place), end: lost.end.map(at), raw: lost.raw }
    }

    /// What is said of it.
    pub(crate) fn reason(&self) -> String {
        match self.end {
            Some(end) => format!("no JSON; records go on at byte {end}"),
            None => "no JSON; no record was found behind it, and the rest is not read".to_owned(),
        }
    }
}

/// Why the reader of a block of lines stops before its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BlockHalt {
    /// The next block begins here, and is longer if this one began here.
    MoreLines,
    /// An array over several lines begins here that is too long to be read as one record.
    EndlessArray,
    /// The text goes on in this encoding.
    OtherEncoding(Encoding),
}

/// What comes next.
pub(crate) enum NextBlock<'a> {
    /// Whole records.
    Block(Block<'a>),
    /// A record that begins at this offset and is too long to be read.
    TooLong(u64),
    /// Nothing more.
    End,
}

impl BlockReader {
    /// Reads the first bytes of `input`, none of which was handed on, and tells the framing. Damage that costs no record
    /// goes to `report`.
    pub(crate) fn start(input: PeekReader, origin: FileRange, report: FileReport) -> io::Result<Self> {
        let (buffer, filled, input) = input.into_parts();
        let mut blocks = Self {
            input,
            buffer,
            filled,
            done: 0,
            offset: origin.offset(),
            origin,
            passed_lines: 0,
            wanted: 0,
            ended: false,
            at_border: false,
            detected: Framing::Lines,
            framing: Framing::Lines,
            splitter: ValueSplitter::default(),
            unclosed: Vec::new(),
            skipped: Vec::new(),
            skipping: false,
            damage: None,
            report,
        };
        blocks.fill(BLOCK_BYTES + BOUNDARY_BYTES)?;
        if origin.start > 0 {
            blocks.pass_to_border()?;
        } else {
            let head = &blocks.buffer[..blocks.filled];
            blocks.detected = detect(head, blocks.ended);
            blocks.framing = blocks.detected;
            blocks.done = head.len() - without_byte_order_mark(head).len();
            if blocks.framing == Framing::Values
                && !matches!(trim_start(without_padding(head)).first(), None | Some(b'{' | b'['))
            {
                blocks.splitter.begin_inside();
            }
        }
        Ok(blocks)
    }

    /// How the records follow each other.
    pub(crate) fn framing(&self) -> Framing {
        self.framing
    }

    /// Newlines in front of the first line of the part, from the byte before its start on.
    pub(crate) fn passed_lines(&self) -> u64 {
        self.passed_lines
    }

    /// Goes back to this offset, which lies in the block that was handed out last, for a reason.
    pub(crate) fn go_back(&mut self, offset: u64, halt: BlockHalt) {
        self.done = usize::try_from(offset.saturating_sub(self.offset)).unwrap_or(self.done).min(self.done);
        self.at_border = false;
        match halt {
            BlockHalt::EndlessArray => self.framing = Framing::Values,
            BlockHalt::MoreLines => self.wanted = (self.filled - self.done).saturating_mul(2).min(MAX_RECORD_BYTES),
            BlockHalt::OtherEncoding(encoding) => self.change_encoding(encoding),
        }
    }

    /// Reads what is not done with yet in another encoding.
    fn change_encoding(&mut self, encoding: Encoding) {
        let rest = io::Cursor::new(self.buffer[self.done..self.filled].to_vec());
        let input = std::mem::replace(&mut self.input, Box::new(io::empty()));
        let input = DamagedInput { input, damage: self.damage.take(), ended: self.ended };
        self.input = Box::new(ChunkReader::new(Transcoder::new(rest.chain(input), encoding, self.report.clone())));
        (self.filled, self.ended) = (self.done, false);
    }

    /// True if all of the file is read, not a part of it.
    pub(crate) fn is_of_whole_file(&self) -> bool {
        self.origin == FileRange::default()
    }

    /// The damage that ended the input before its end, and the offset of it.
    pub(crate) fn damage(&self) -> Option<(u64, &io::Error)> {
        self.damage.as_ref().map(|error| (self.offset + self.filled as u64, error))
    }

    /// Where arrays ended too early, though every record in them is whole.
    pub(crate) fn unclosed(&self) -> impl Iterator<Item = u64> {
        let at_end = self.damage.is_none() && self.splitter.is_unclosed();
        self.unclosed.iter().copied().chain(at_end.then_some(self.offset + self.filled as u64))
    }

    /// What was lost between records, since the last call; at the end of the file also what no record was found behind.
    pub(crate) fn take_skipped(&mut self) -> Vec<SkippedRange> {
        let mut lost = std::mem::take(&mut self.skipped);
        if self.ended && self.done == self.filled {
            let offset = self.offset + self.done as u64;
            lost.extend(self.splitter.take_open().map(|open| SkippedRange::of(open, offset)));
        }
        lost
    }

    /// Goes on in another encoding if the values ended where it begins.
    fn follow_encoding(&mut self) {
        let Some(encoding) = self.splitter.change() else { return };
        self.splitter.abandon();
        match self.is_of_whole_file() {
            true => self.change_encoding(encoding),
            // In a part of a file, what cannot be read is lost line by line.
            false => self.framing = Framing::Lines,
        }
    }

    /// What the file says about itself, since the last call.
    pub(crate) fn take_notes(&mut self) -> Vec<FramingNote> {
        self.splitter.take_notes()
    }

    /// Why the file cannot be read, though rows of it may have been.
    pub(crate) fn refusal(&self) -> Option<&'static str> {
        self.splitter.refusal()
    }

    /// The buffer, for the next file.
    pub(crate) fn into_buffer(self) -> Vec<u8> {
        self.buffer
    }

    /// The next block.
    pub(crate) fn next(&mut self) -> io::Result<NextBlock<'_>> {
        self.follow_encoding();
        self.drop_done();
        let mut target = self.block_bytes();
        loop {
            self.drop_done();
            self.fill(target)?;
            if self.skipping && !self.skip_line() {
                if self.ended {
                    return Ok(NextBlock::End);
                }
                continue;
            }
            if self.at_border || (self.ended && self.done == self.filled) {
                return Ok(NextBlock::End);
            }
            let (spans, end) = self.cut();
            let changes = self.splitter.change().is_some();
            if end > self.done || changes || spans.as_ref().is_some_and(|spans| !spans.is_empty()) {
                let rest = self.rest(end);
                let start = std::mem::replace(&mut self.done, end);
                let bytes = &self.buffer[start..self.filled.max(end)];
                let bytes = if spans.is_some() { bytes } else { &bytes[..end - start] };
                let (offset, done) = (self.offset + start as u64, end - start);
                return Ok(NextBlock::Block(Block { bytes, offset, spans, done, rest }));
            }
            if self.ended || self.at_border {
                return Ok(NextBlock::End);
            }
            if self.filled - self.done >= MAX_RECORD_BYTES {
                return Ok(NextBlock::TooLong(self.give_up()));
            }
            target = self.filled * 2;
        }
    }

    /// What follows a block that ends at `end`.
    fn rest(&self, end: usize) -> AfterBlock {
        match self.filled - self.done {
            _ if self.at_border || (self.ended && end == self.filled) => AfterBlock::Nothing,
            MAX_RECORD_BYTES.. => AfterBlock::BlockIsFull,
            _ => AfterBlock::Lines,
        }
    }

    /// Bytes that are read at once: at the end of a part no more than its last line most likely needs.
    fn block_bytes(&mut self) -> usize {
        let left = self.origin.end.map(|end| usize::try_from(end.saturating_sub(self.offset)).unwrap_or(usize::MAX));
        let usual = left.map_or(BLOCK_BYTES, |left| left.saturating_add(TAIL_BYTES).min(BLOCK_BYTES));
        usual.max(std::mem::take(&mut self.wanted)) + BOUNDARY_BYTES
    }

    /// Passes lines up to the first border of the part: they belong to the part before. Where there is none, so does
    /// all of it.
    fn pass_to_border(&mut self) -> io::Result<()> {
        self.done = usize::try_from(self.origin.start - 1 - self.offset).unwrap_or(0).min(self.filled);
        loop {
            let found = record_boundary(&self.buffer[..self.filled], self.done, !self.ended);
            let next = found.map_or_else(|next| next, |newline| newline + 1);
            self.passed_lines += memchr::memchr_iter(b'\n', &self.buffer[self.done..next]).count() as u64;
            self.done = next;
            let behind = self.origin.end.is_some_and(|end| self.offset + next as u64 >= end);
            if found.is_ok() || behind || self.ended {
                self.at_border = found.is_err() || behind;
                return Ok(());
            }
            self.drop_done();
            self.fill(BLOCK_BYTES)?;
        }
    }

    /// Leaves the record that begins here: a line is skipped, a sequence of values cannot be followed any more.
    fn give_up(&mut self) -> u64 {
        let offset = self.offset + self.done as u64;
        self.done = self.filled;
        match self.framing {
            Framing::Lines => self.skipping = true,
            _ => self.ended = true,
        }
        offset
    }

    /// Forgets what is done with, but for the bytes that tell whether a border follows.
    fn drop_done(&mut self) {
        let gone = self.done.saturating_sub(BOUNDARY_BYTES);
        self.buffer.copy_within(gone..self.filled, 0);
        self.offset += gone as u64;
        self.filled -= gone;
        self.done -= gone;
    }

    /// Reads until `target` bytes are there.
    fn fill(&mut self, target: usize) -> io::Result<()> {
        if self.buffer.len() < target {
            self.buffer.resize(target, 0);
        }
        while !self.ended && self.filled < target {
            match self.input.read(&mut self.buffer[self.filled..target]) {
                Ok(0) => self.ended = true,
                Ok(count) => self.filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.raw_os_error().is_some() => return Err(error),
                Err(error) => {
                    self.damage = Some(error);
                    self.ended = true;
                }
            }
        }
        Ok(())
    }

    /// Passes the rest of a line; false where it does not end in the buffer.
    fn skip_line(&mut self) -> bool {
        let found = memchr::memchr(b'\n', &self.buffer[self.done..self.filled]);
        self.done = found.map_or(self.filled, |at| self.done + at + 1);
        self.skipping = found.is_none();
        found.is_some()
    }

    /// Where the records in the buffer lie, and where the last whole one ends.
    fn cut(&mut self) -> (Option<Vec<RecordSpan>>, usize) {
        if self.framing != Framing::Lines {
            let (spans, end) = self.cut_values();
            return (Some(spans), end);
        }
        if let Some(end) = self.origin.end {
            let last = usize::try_from((end - 1).saturating_sub(self.offset)).unwrap_or(usize::MAX);
            let from = last.max(self.done.saturating_sub(1));
            if let Ok(newline) = record_boundary(&self.buffer[..self.filled], from, !self.ended) {
                self.at_border = true;
                return (None, newline + 1);
            }
        }
        let bytes = &self.buffer[self.done..self.filled];
        let end = if self.ended { Some(bytes.len()) } else { memchr::memrchr(b'\n', bytes).map(|at| at + 1) };
        (None, self.done + end.unwrap_or(0))
    }

    fn cut_values(&mut self) -> (Vec<RecordSpan>, usize) {
        let bytes = &self.buffer[self.done..self.filled];
        if self.detected != Framing::Lines {
            let (spans, done) = self.splitter.split(bytes, !self.ended);
            self.keep_skipped(self.done);
            let unclosed = self.splitter.change().is_some() && self.splitter.is_unclosed();
            self.unclosed.extend(unclosed.then_some(self.offset + (self.done + done) as u64));
            return (spans, self.done + done);
        }
        // An array that was cut off ends where lines are records again.
        let end =
            record_boundary(&self.buffer[..self.filled], self.done, !self.ended).map(|newline| newline + 1 - self.done);
        let bytes = end.map_or(bytes, |end| &bytes[..end]);
        let first = value_end(bytes).filter(|_| self.splitter.is_idle());
        let (spans, done) = self.splitter.split(first.map_or(bytes, |end| &bytes[..end]), end.is_err() && !self.ended);
        self.keep_skipped(self.done);
        let done = self.done + done;
        if self.splitter.is_idle() || end.is_ok() {
            self.framing = Framing::Lines;
            let open = self.splitter.take_open();
            self.skipped.extend(open.map(|lost| SkippedRange::of(lost, self.offset + done as u64)));
            let unclosed = self.splitter.is_unclosed() && !self.splitter.is_just_resynced();
            self.unclosed.extend(unclosed.then_some(self.offset + done as u64));
            self.splitter.abandon();
        }
        (spans, done)
    }

    /// Keeps what was lost in the bytes from `start` of the buffer on.
    fn keep_skipped(&mut self, start: usize) {
        self.report.damaged(Damage::NulBytes, self.splitter.take_nul_runs());
        let offset = self.offset + start as u64;
        self.skipped.extend(self.splitter.take_skipped().into_iter().map(|lost| SkippedRange::of(lost, offset)));
    }
}

/// The rest of an input, with the damage that ended it.
struct DamagedInput {
    input: Box<dyn Read + Send>,
    damage: Option<io::Error>,
    ended: bool,
}

impl Read for DamagedInput {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.damage.take() {
            Some(error) => Err(error),
            None if self.ended => Ok(0),
            None => self.input.read(buffer),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::value_scan::work;
    use super::{BlockReader, FileRange, FileReport, NextBlock, PeekReader};

    /// All blocks of a part of a text.
    fn read(text: &str, start: u64, end: Option<u64>) -> String {
        let origin = FileRange { start, end };
        let input = std::io::Cursor::new(text.as_bytes()[usize::try_from(origin.offset()).unwrap()..].to_vec());
        let report = FileReport::new("file", Arc::default());
        let mut blocks = BlockReader::start(PeekReader::unread(Box::new(input), Vec::new()), origin, report).unwrap();
        let mut all = String::new();
        while let NextBlock::Block(block) = blocks.next().unwrap() {
            assert!(block.spans.is_none());
            all.push_str(std::str::from_utf8(block.bytes).unwrap());
        }
        all
    }

    #[test]
    fn parts_hold_every_line_once() {
        let lines = "{\"a\":1}\n{\"a\":22}\n\n{\"a\":333}\r\n{\"a\":4}";
        let values = "{\"a\":1}\n{\n \"a\": [\n  {},\n  {}\n ]\n}\n[{},\n{}]\n{}\n{}\n{\"a\":\n{}\n{},\n{}\n{}";
        for text in [lines, values] {
            parts_hold(text);
        }
    }

    /// Twice the bytes are twice the work, whatever they are: records that never end, wrappers in wrappers, quotes and
    /// brackets in any order.
    #[test]
    fn the_work_of_finding_records_is_linear() {
        let record = r#"{"TimeGenerated":"2026-03-02T06:59:48Z","Id":"a","ResultType":"0","Type":"SigninLogs""#;
        let torn = format!("[{record},\"x\":\"y\"z,");
        let unclosed = format!("{record},\"x\":\"");
        let pieces = [
            (unclosed.as_str(), "{\"records\":[".to_owned()),
            ("[", "{\"value\":[".to_owned()),
            (&torn, "{".to_owned()),
            (&torn, "[".to_owned()),
            (&torn, "\"".to_owned()),
            (&torn, "]}".to_owned()),
            (&torn, format!("{record},\"p\":[")),
            (&torn, format!("{record},\"p\":{{\"q\":[1,")),
            (&torn, format!("{record}}}:")),
            (&torn, format!("{record},\"p\":01}}}},")),
            (&torn, format!("{}1{}x,", "{\"a\":".repeat(60), "}".repeat(60))),
            ("{", "\"value\":[],".to_owned()),
            ("{", "\"value\":[{}],".to_owned()),
            ("{\"tables\":[", "{\"name\":\"x\",\"columns\":[".to_owned()),
            ("{\"tables\":[", "{\"name\":\"x\",\"columns\":[{\"name\":\"a\"}],\"rows\":[".to_owned()),
            ("[", "{\"FrameType\":\"x\",\"rows\":[".to_owned()),
            ("[", ",{\"Id\":\"a".to_owned()),
        ];
        for (before, piece) in pieces {
            let work = |bytes: usize| {
                let text = format!("{before}{}\n{record}}}\n", piece.repeat(bytes / piece.len()));
                let report = FileReport::new("file", Arc::default());
                let input = PeekReader::unread(Box::new(std::io::Cursor::new(text)), Vec::new());
                work::take();
                let mut blocks = BlockReader::start(input, FileRange::default(), report).unwrap();
                while !matches!(blocks.next().unwrap(), NextBlock::End) {}
                work::take()
            };
            let (once, twice) = (work(400_000), work(800_000));
            assert!(twice < 3 * once + 2_000_000 && twice < 40 * 800_000, "{before} {piece}: {once}, {twice}");
        }
    }

    fn parts_hold(text: &str) {
        let length = text.len() as u64;
        for first in 0..=length {
            for second in first..=length {
                let parts = [(0, first), (first, second), (second, length)];
                let parts = parts.iter().filter(|(start, end)| end > start);
                let joined: String = parts.map(|(start, end)| read(text, *start, Some(*end))).collect();
                assert_eq!(joined, text, "cut at {first} and {second}");
            }
        }
    }
}
