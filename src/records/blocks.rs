//! Reads a file block by block; each block consists of whole records.

use std::io::{self, Read};

use super::FileReport;
use super::chunk_source::ChunkReader;
use super::encoding::Encoding;
use super::multi_line::{AfterBlock, BOUNDARY_BYTES, record_boundary};
use super::peek_reader::PeekReader;
use super::query_response::FramingNote;
use super::rest_of_range::RestOfRange;
use super::resync::RelativeSkip;
use super::transcoder::Transcoder;
use super::value_scan::value_end;
use super::value_splitter::{RecordSpan, ValueSplitter};
use super::{Framing, detect, trim_start, without_byte_order_mark, without_padding};
use crate::scan::Damage;
use crate::storage::limits::ReadLimits;

/// A block reads this fraction of its size beyond the end of a range: it most likely contains the end of the last
/// line.
const TAIL_FRACTION: usize = 16;

/// The range of a file that a reader reads: from the first record boundary at or after `start` to the first one at or
/// after `end`. A record belongs to the range in which it begins, even if it ends after it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct FileRange {
    /// Offset of the first byte.
    pub start: u64,
    /// Offset after the last byte; None means the end of the file.
    pub end: Option<u64>,
}

impl FileRange {
    /// Returns the offset of the first byte that the input must yield. It is before the range, because the bytes
    /// before it show whether a record begins at its start.
    pub(crate) fn offset(self) -> u64 {
        self.start.saturating_sub(BOUNDARY_BYTES as u64)
    }
}

/// Reads the blocks of a file, or of a range of a file.
pub(crate) struct BlockReader {
    input: Box<dyn Read + Send>,
    buffer: Vec<u8>,
    filled: usize,
    consumed: usize,
    /// Offset in the file of the first byte in the buffer.
    offset: u64,
    origin: FileRange,
    limits: ReadLimits,
    /// Offset after the last byte of the range; None means the end of the input.
    end: Option<u64>,
    /// Number of newlines before the first line of the range; these lines belong to the range before.
    lines_before: u64,
    /// Minimum size of the next block in bytes, if it must be larger than usual; otherwise 0.
    min_bytes: usize,
    /// Maximum size of the buffer in bytes.
    max_bytes: usize,
    ended: bool,
    /// True once the record boundary at the end of the range was found.
    at_boundary: bool,
    /// How the records of the file are separated. `framing` is the separation at the position: an array may lie among
    /// lines.
    detected: Framing,
    framing: Framing,
    splitter: ValueSplitter,
    /// Offsets at which arrays among lines ended without a closing bracket.
    unclosed: Vec<u64>,
    /// Ranges between records that could not be read.
    skipped: Vec<SkippedRange>,
    skipping: bool,
    /// The error that ended the input early.
    damage: Option<io::Error>,
    report: FileReport,
}

/// A block that consists of whole records.
pub(crate) struct Block<'a> {
    pub bytes: &'a [u8],
    /// Offset of the first byte of the block in the decompressed file.
    pub offset: u64,
    /// The positions of the records; None if each line is a record.
    pub spans: Option<Vec<RecordSpan>>,
    /// Number of bytes of the buffer that the block uses. The next block begins after them.
    pub consumed: usize,
    /// What follows the block.
    pub rest: AfterBlock,
}

/// A range between two records that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SkippedRange {
    /// Offset in the decompressed file at which the JSON becomes invalid.
    pub offset: u64,
    /// Offset of the next record; None if no record was found after the range.
    pub end: Option<u64>,
    pub raw: Vec<u8>,
}

impl SkippedRange {
    /// Converts a skip that is relative to bytes which begin at `offset` of the file.
    pub(crate) fn of(lost: RelativeSkip, offset: u64) -> Self {
        let at = |position: i64| offset.saturating_add_signed(position);
        Self { offset: at(lost.position), end: lost.end.map(at), raw: lost.raw }
    }

    /// Returns the reason why the range was skipped, for messages.
    pub(crate) fn reason(&self) -> String {
        match self.end {
            Some(end) => format!("not JSON; records resume at byte {end}"),
            None => "not JSON; no record was found after it, so the rest is not read".to_owned(),
        }
    }
}

/// Tells why the reader of a block of lines stops before the end of the block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BlockHalt {
    /// The record here may continue after the block. The next block begins here, and is longer if this one began
    /// here, too.
    MoreLines,
    /// An array that spans several lines begins here, and is too long to be read as one record.
    EndlessArray,
    /// The text continues in this encoding.
    OtherEncoding(Encoding),
}

/// The next block, or the reason why there is none.
pub(crate) enum NextBlock<'a> {
    /// A block of whole records.
    Block(Block<'a>),
    /// The record at this offset is too long to be read.
    TooLong(u64),
    /// The record at this offset needs a larger buffer than the memory limit allows.
    ExceedsMemory(u64),
    /// The end of the range or file.
    End,
}

impl BlockReader {
    /// Reads the first bytes of `input` and detects the framing. Nothing must have been read from `input` before.
    /// Damage that costs no record is reported to `report`.
    pub(crate) fn start(
        input: PeekReader,
        origin: FileRange,
        limits: ReadLimits,
        report: FileReport,
    ) -> io::Result<Self> {
        let (buffer, filled, input) = input.into_parts();
        let mut blocks = Self {
            input,
            buffer,
            filled,
            consumed: 0,
            offset: origin.offset(),
            origin,
            limits,
            end: origin.end,
            lines_before: 0,
            min_bytes: 0,
            max_bytes: usize::MAX,
            ended: false,
            at_boundary: false,
            detected: Framing::Lines,
            framing: Framing::Lines,
            splitter: ValueSplitter::new(limits),
            unclosed: Vec::new(),
            skipped: Vec::new(),
            skipping: false,
            damage: None,
            report,
        };
        blocks.fill(limits.block_bytes + BOUNDARY_BYTES)?;
        if origin.start > 0 {
            blocks.pass_to_boundary()?;
        } else {
            let head = &blocks.buffer[..blocks.filled];
            blocks.detected = detect(head, blocks.ended);
            blocks.framing = blocks.detected;
            blocks.consumed = head.len() - without_byte_order_mark(head).len();
            if blocks.framing == Framing::Values
                && !matches!(trim_start(without_padding(head)).first(), None | Some(b'{' | b'['))
            {
                blocks.splitter.begin_inside();
            }
        }
        Ok(blocks)
    }

    /// Limits the buffer to `max_bytes` bytes, but never to less than its usual size.
    pub(crate) fn limited_to(self, max_bytes: usize) -> Self {
        Self { max_bytes: max_bytes.max(2 * self.limits.block_bytes), ..self }
    }

    /// Returns the size of the buffer in bytes.
    pub(crate) fn held_bytes(&self) -> usize {
        self.buffer.capacity()
    }

    /// Returns the framing at the current position.
    pub(crate) fn framing(&self) -> Framing {
        self.framing
    }

    /// Returns the number of newlines between the byte before the range and its first line.
    pub(crate) fn lines_before(&self) -> u64 {
        self.lines_before
    }

    /// Moves the position back to `offset` in the last block, at which the reader of the block stopped because of
    /// `halt`.
    pub(crate) fn go_back(&mut self, offset: u64, halt: BlockHalt) {
        self.consumed = usize::try_from(offset.saturating_sub(self.offset)).unwrap_or(self.consumed).min(self.consumed);
        self.at_boundary = false;
        match halt {
            BlockHalt::EndlessArray => self.framing = Framing::Values,
            BlockHalt::MoreLines => {
                self.min_bytes = (self.filled - self.consumed).saturating_mul(2).min(self.limits.max_record_bytes);
            }
            BlockHalt::OtherEncoding(encoding) => self.change_encoding(encoding),
        }
    }

    /// Reads the rest of the range in another encoding. From here on, offsets count the bytes of the converted text.
    fn change_encoding(&mut self, encoding: Encoding) {
        let in_buffer = |end: u64| usize::try_from(end.saturating_sub(self.offset)).unwrap_or(usize::MAX);
        let end = self.end.take().map(in_buffer);
        let input = std::mem::replace(&mut self.input, Box::new(io::empty()));
        let input = DamagedInput { input, damage: self.damage.take(), ended: self.ended };
        let rest = RestOfRange::new(self.buffer[..self.filled].to_vec(), self.consumed, end, input);
        let rest = ChunkReader::new(rest);
        self.input = Box::new(ChunkReader::new(Transcoder::new(rest, encoding, self.report.clone())));
        (self.filled, self.ended, self.at_boundary) = (self.consumed, false, false);
    }

    /// True if the whole file is read, not a range of it.
    pub(crate) fn is_of_whole_file(&self) -> bool {
        self.origin == FileRange::default()
    }

    /// Returns the error that ended the input early, with its offset in the file.
    pub(crate) fn damage(&self) -> Option<(u64, &io::Error)> {
        self.damage.as_ref().map(|error| (self.offset + self.filled as u64, error))
    }

    /// Returns the offsets at which arrays ended without a closing bracket, although every record in them is whole.
    pub(crate) fn unclosed(&self) -> impl Iterator<Item = u64> {
        let at_end = self.damage.is_none() && self.splitter.is_unclosed();
        self.unclosed.iter().copied().chain(at_end.then_some(self.offset + self.filled as u64))
    }

    /// Returns the ranges that were skipped since the last call. At the end of the file, this includes the rest if no
    /// record was found in it.
    pub(crate) fn take_skipped(&mut self) -> Vec<SkippedRange> {
        let mut lost = std::mem::take(&mut self.skipped);
        if self.ended && self.consumed == self.filled {
            let offset = self.offset + self.consumed as u64;
            lost.extend(self.splitter.take_open().map(|open| SkippedRange::of(open, offset)));
        }
        lost
    }

    /// Continues in another encoding if the values ended where that encoding begins.
    fn follow_encoding(&mut self) {
        let Some(encoding) = self.splitter.change() else { return };
        self.splitter.abandon();
        self.change_encoding(encoding);
    }

    /// Returns what the text around the records said about them since the last call.
    pub(crate) fn take_notes(&mut self) -> Vec<FramingNote> {
        self.splitter.take_notes()
    }

    /// Returns the reason why the file is refused, even if some of its rows were read; None if it is not.
    pub(crate) fn refusal(&self) -> Option<&'static str> {
        self.splitter.refusal()
    }

    /// Returns the buffer, so that it can be used for the next file.
    pub(crate) fn into_buffer(self) -> Vec<u8> {
        self.buffer
    }

    /// Returns the next block, or the reason why there is none.
    pub(crate) fn next(&mut self) -> io::Result<NextBlock<'_>> {
        self.follow_encoding();
        self.drop_consumed();
        let mut target = self.block_bytes();
        loop {
            self.drop_consumed();
            if target > self.max_bytes {
                return Ok(NextBlock::ExceedsMemory(self.offset + self.consumed as u64));
            }
            self.fill(target)?;
            if self.skipping && !self.skip_line() {
                if self.ended {
                    return Ok(NextBlock::End);
                }
                continue;
            }
            if self.at_boundary || (self.ended && self.consumed == self.filled) {
                return Ok(NextBlock::End);
            }
            let (spans, end) = self.cut();
            let changes = self.splitter.change().is_some();
            if end > self.consumed || changes || spans.as_ref().is_some_and(|spans| !spans.is_empty()) {
                let rest = self.rest(end);
                let start = std::mem::replace(&mut self.consumed, end);
                let bytes = &self.buffer[start..self.filled.max(end)];
                let bytes = if spans.is_some() { bytes } else { &bytes[..end - start] };
                let (offset, consumed) = (self.offset + start as u64, end - start);
                return Ok(NextBlock::Block(Block { bytes, offset, spans, consumed, rest }));
            }
            if self.ended || self.at_boundary {
                return Ok(NextBlock::End);
            }
            if self.filled - self.consumed >= self.limits.max_record_bytes {
                return Ok(NextBlock::TooLong(self.give_up()));
            }
            target = self.filled * 2;
        }
    }

    /// Returns what follows a block that ends at `end` in the buffer.
    fn rest(&self, end: usize) -> AfterBlock {
        match self.filled - self.consumed {
            _ if self.at_boundary || (self.ended && end == self.filled) => AfterBlock::Nothing,
            bytes if bytes >= self.limits.max_record_bytes => AfterBlock::BlockIsFull,
            _ => AfterBlock::Lines,
        }
    }

    /// Returns the number of bytes to read at once. At the end of a range these are only as many as its last line
    /// most likely needs.
    fn block_bytes(&mut self) -> usize {
        let left = self.end.map(|end| usize::try_from(end.saturating_sub(self.offset)).unwrap_or(usize::MAX));
        let whole = self.limits.block_bytes;
        let usual = left.map_or(whole, |left| left.saturating_add(whole / TAIL_FRACTION).min(whole));
        usual.max(std::mem::take(&mut self.min_bytes)) + BOUNDARY_BYTES
    }

    /// Skips the lines before the first record boundary of the range, because they belong to the range before. If
    /// there is no boundary in the range, all of it belongs to the range before.
    fn pass_to_boundary(&mut self) -> io::Result<()> {
        self.consumed = usize::try_from(self.origin.start - 1 - self.offset).unwrap_or(0).min(self.filled);
        loop {
            let found = record_boundary(&self.buffer[..self.filled], self.consumed, !self.ended);
            let next = found.map_or_else(|next| next, |newline| newline + 1);
            self.lines_before += memchr::memchr_iter(b'\n', &self.buffer[self.consumed..next]).count() as u64;
            self.consumed = next;
            let is_past_end = self.origin.end.is_some_and(|end| self.offset + next as u64 >= end);
            if found.is_ok() || is_past_end || self.ended {
                self.at_boundary = found.is_err() || is_past_end;
                return Ok(());
            }
            self.drop_consumed();
            self.fill(self.limits.block_bytes)?;
        }
    }

    /// Gives up the record at the position, and returns its offset. A line is skipped; a sequence of values cannot be
    /// continued, so it ends.
    fn give_up(&mut self) -> u64 {
        let offset = self.offset + self.consumed as u64;
        self.consumed = self.filled;
        match self.framing {
            Framing::Lines => self.skipping = true,
            _ => self.ended = true,
        }
        offset
    }

    /// Drops consumed bytes from the buffer, except the last ones, which show whether a record boundary follows.
    fn drop_consumed(&mut self) {
        let gone = self.consumed.saturating_sub(BOUNDARY_BYTES);
        self.buffer.copy_within(gone..self.filled, 0);
        self.offset += gone as u64;
        self.filled -= gone;
        self.consumed -= gone;
    }

    /// Reads until the buffer has `target` bytes or the input ends.
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

    /// Skips the rest of a line; returns false if the line does not end in the buffer.
    fn skip_line(&mut self) -> bool {
        let found = memchr::memchr(b'\n', &self.buffer[self.consumed..self.filled]);
        self.consumed = found.map_or(self.filled, |at| self.consumed + at + 1);
        self.skipping = found.is_none();
        found.is_some()
    }

    /// Returns the records in the buffer and the end of the last whole one. The records are None if each line is one.
    fn cut(&mut self) -> (Option<Vec<RecordSpan>>, usize) {
        if self.framing != Framing::Lines {
            let (spans, end) = self.cut_values();
            return (Some(spans), end);
        }
        if let Some(end) = self.end {
            let last = usize::try_from((end - 1).saturating_sub(self.offset)).unwrap_or(usize::MAX);
            let from = last.max(self.consumed.saturating_sub(1));
            if let Ok(newline) = record_boundary(&self.buffer[..self.filled], from, !self.ended) {
                self.at_boundary = true;
                return (None, newline + 1);
            }
        }
        let bytes = &self.buffer[self.consumed..self.filled];
        let end = if self.ended { Some(bytes.len()) } else { memchr::memrchr(b'\n', bytes).map(|at| at + 1) };
        (None, self.consumed + end.unwrap_or(0))
    }

    fn cut_values(&mut self) -> (Vec<RecordSpan>, usize) {
        let bytes = &self.buffer[self.consumed..self.filled];
        if self.detected != Framing::Lines {
            let (spans, consumed) = self.splitter.split(bytes, !self.ended);
            self.keep_skipped(self.consumed);
            let unclosed = self.splitter.change().is_some() && self.splitter.is_unclosed();
            self.unclosed.extend(unclosed.then_some(self.offset + (self.consumed + consumed) as u64));
            return (spans, self.consumed + consumed);
        }
        // A truncated array ends where lines are records again.
        let end = record_boundary(&self.buffer[..self.filled], self.consumed, !self.ended)
            .map(|newline| newline + 1 - self.consumed);
        let bytes = end.map_or(bytes, |end| &bytes[..end]);
        let first = value_end(bytes).filter(|_| self.splitter.is_idle());
        let (spans, consumed) =
            self.splitter.split(first.map_or(bytes, |end| &bytes[..end]), end.is_err() && !self.ended);
        self.keep_skipped(self.consumed);
        let consumed = self.consumed + consumed;
        if self.splitter.is_idle() || end.is_ok() {
            self.framing = Framing::Lines;
            let open = self.splitter.take_open();
            self.skipped.extend(open.map(|lost| SkippedRange::of(lost, self.offset + consumed as u64)));
            let unclosed = self.splitter.is_unclosed() && !self.splitter.is_just_resynced();
            self.unclosed.extend(unclosed.then_some(self.offset + consumed as u64));
            self.splitter.abandon();
        }
        (spans, consumed)
    }

    /// Keeps the skipped ranges that the splitter found in the bytes from `start` of the buffer on.
    fn keep_skipped(&mut self, start: usize) {
        self.report.damaged(Damage::NulBytes, self.splitter.take_nul_runs());
        let offset = self.offset + start as u64;
        self.skipped.extend(self.splitter.take_skipped().into_iter().map(|lost| SkippedRange::of(lost, offset)));
    }
}

/// The rest of an input, followed by the error that ended it.
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
    use super::{BlockReader, FileRange, FileReport, NextBlock, PeekReader, ReadLimits};

    /// Returns the text of all blocks in a range.
    fn read(text: &str, start: u64, end: Option<u64>) -> String {
        let origin = FileRange { start, end };
        let input = std::io::Cursor::new(text.as_bytes()[usize::try_from(origin.offset()).unwrap()..].to_vec());
        let report = FileReport::new("file", Arc::default());
        let input = PeekReader::unread(Box::new(input), Vec::new());
        let mut blocks = BlockReader::start(input, origin, ReadLimits::SMALL, report).unwrap();
        let mut all = String::new();
        while let NextBlock::Block(block) = blocks.next().unwrap() {
            assert!(block.spans.is_none());
            all.push_str(std::str::from_utf8(block.bytes).unwrap());
        }
        all
    }

    #[test]
    fn ranges_contain_every_line_once() {
        let lines = "{\"a\":1}\n{\"a\":22}\n\n{\"a\":333}\r\n{\"a\":4}";
        let values = "{\"a\":1}\n{\n \"a\": [\n  {},\n  {}\n ]\n}\n[{},\n{}]\n{}\n{}\n{\"a\":\n{}\n{},\n{}\n{}";
        for text in [lines, values] {
            assert_ranges_cover(text);
        }
    }

    /// Tests that twice the bytes take at most about twice the work, for any text: records that never end, nested
    /// wrappers, quotes and brackets in any order.
    #[test]
    fn the_work_of_finding_records_is_linear() {
        let record = r#"{"TimeGenerated":"2026-03-02T06:59:48Z","Id":"a","ResultType":"0","Type":"SigninLogs""#;
        let damaged = format!("[{record},\"x\":\"y\"z,");
        let unclosed = format!("{record},\"x\":\"");
        let pieces = [
            (unclosed.as_str(), "{\"records\":[".to_owned()),
            ("[", "{\"value\":[".to_owned()),
            (&damaged, "{".to_owned()),
            (&damaged, "[".to_owned()),
            (&damaged, "\"".to_owned()),
            (&damaged, "]}".to_owned()),
            (&damaged, format!("{record},\"p\":[")),
            (&damaged, format!("{record},\"p\":{{\"q\":[1,")),
            (&damaged, format!("{record}}}:")),
            (&damaged, format!("{record},\"p\":01}}}},")),
            (&damaged, format!("{}1{}x,", "{\"a\":".repeat(60), "}".repeat(60))),
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
                let mut blocks = BlockReader::start(input, FileRange::default(), ReadLimits::SMALL, report).unwrap();
                while !matches!(blocks.next().unwrap(), NextBlock::End) {}
                work::take()
            };
            let (once, twice) = (work(400_000), work(800_000));
            assert!(twice < 3 * once + 2_000_000 && twice < 40 * 800_000, "{before} {piece}: {once}, {twice}");
        }
    }

    fn assert_ranges_cover(text: &str) {
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
