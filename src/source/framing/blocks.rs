//! Bytes of a file, block by block, each of whole records.

use std::io::{self, Read};

use super::values::{Span, ValueSplitter, value_end};
use super::{Framing, detect, without_byte_order_mark};

/// Bytes read at once: what is read is still in the cache of the core when it is scanned. Few in unit tests, so that they
/// meet the borders of blocks.
const BLOCK_BYTES: usize = if cfg!(test) { 16 << 10 } else { 256 << 10 };

/// Bytes behind the end of a part in which its last line most likely ends.
const TAIL_BYTES: usize = BLOCK_BYTES / 16;

/// A record may be this long; shorter in unit tests.
pub(crate) const MAX_RECORD_BYTES: usize = if cfg!(test) { 1 << 20 } else { 64 << 20 };

/// Which part of a file a block reader reads: the lines that start in `start..end`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Origin {
    /// Offset of the first byte that the input yields.
    pub offset: u64,
    /// True where that byte may stand inside a line that belongs to the part before.
    pub skip_line: bool,
    /// Offset behind the part; None for the end of the file.
    pub end: Option<u64>,
}

/// Reads blocks.
pub(crate) struct Blocks {
    input: Box<dyn Read + Send>,
    buffer: Vec<u8>,
    filled: usize,
    done: usize,
    /// Offset in the file of the first byte of the buffer.
    offset: u64,
    origin: Origin,
    ended: bool,
    framing: Framing,
    splitter: ValueSplitter,
    /// True in a value over several lines among lines.
    among_lines: bool,
    skipping: bool,
    /// The damage that ended the input early.
    damage: Option<io::Error>,
}

/// Whole records.
pub(crate) struct Block<'a> {
    /// The bytes.
    pub bytes: &'a [u8],
    /// Offset of the first of them in the file, after decompression.
    pub offset: u64,
    /// Where the records are; None where each line is one.
    pub spans: Option<Vec<Span>>,
    /// How many of the bytes are done with: the next block begins behind them.
    pub done: usize,
}

/// What comes next.
pub(crate) enum Next<'a> {
    /// Whole records.
    Block(Block<'a>),
    /// A record that begins at this offset and is too long to be read.
    TooLong(u64),
    /// Nothing more.
    End,
}

impl Blocks {
    /// Reads the first bytes of `input` and tells the framing. `buffer` is used again, whatever it holds.
    pub(crate) fn start(input: Box<dyn Read + Send>, buffer: Vec<u8>, origin: Origin) -> io::Result<Self> {
        let mut blocks = Self {
            input,
            buffer,
            filled: 0,
            done: 0,
            offset: origin.offset,
            origin,
            ended: false,
            framing: Framing::Lines,
            splitter: ValueSplitter::default(),
            among_lines: false,
            skipping: origin.skip_line,
            damage: None,
        };
        blocks.fill(BLOCK_BYTES)?;
        if origin.offset == 0 {
            let head = &blocks.buffer[..blocks.filled];
            blocks.framing = detect(head, blocks.ended);
            blocks.done = head.len() - without_byte_order_mark(head).len();
        }
        Ok(blocks)
    }

    /// How the records follow each other.
    pub(crate) fn framing(&self) -> Framing {
        self.framing
    }

    /// Goes back to this offset, which lies in the block that was handed out last. With `value`, what begins there is a
    /// value over several lines; lines follow it again.
    pub(crate) fn go_back(&mut self, offset: u64, value: bool) {
        self.done = usize::try_from(offset.saturating_sub(self.offset)).unwrap_or(self.done).min(self.done);
        if value {
            (self.framing, self.among_lines) = (Framing::Values, true);
        }
    }

    /// The damage that ended the input before its end, and the offset of it.
    pub(crate) fn damage(&self) -> Option<(u64, &io::Error)> {
        self.damage.as_ref().map(|error| (self.offset + self.filled as u64, error))
    }

    /// Where the file ended too early, though every record in it is whole.
    pub(crate) fn unclosed(&self) -> Option<u64> {
        (self.damage.is_none() && self.splitter.is_unclosed()).then_some(self.offset + self.filled as u64)
    }

    /// What the file says about itself, since the last call.
    pub(crate) fn take_notes(&mut self) -> Vec<String> {
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
    pub(crate) fn next(&mut self) -> io::Result<Next<'_>> {
        self.drop_done();
        let mut target = self.block_bytes();
        loop {
            self.drop_done();
            self.fill(target)?;
            if self.skipping && !self.skip_line() {
                if self.ended {
                    return Ok(Next::End);
                }
                continue;
            }
            if self.past_end() || (self.ended && self.done == self.filled) {
                return Ok(Next::End);
            }
            let (spans, end) = self.cut();
            if end > self.done || spans.as_ref().is_some_and(|spans| !spans.is_empty()) {
                let start = std::mem::replace(&mut self.done, end);
                let bytes = &self.buffer[start..self.filled.max(end)];
                let bytes = if spans.is_some() { bytes } else { &bytes[..end - start] };
                return Ok(Next::Block(Block { bytes, offset: self.offset + start as u64, spans, done: end - start }));
            }
            if self.ended {
                return Ok(Next::End);
            }
            if self.filled - self.done >= MAX_RECORD_BYTES {
                return Ok(Next::TooLong(self.give_up()));
            }
            target = (self.filled - self.done) * 2;
        }
    }

    /// Bytes that are read at once: at the end of a part no more than its last line most likely needs.
    fn block_bytes(&self) -> usize {
        let left = self.origin.end.map(|end| usize::try_from(end.saturating_sub(self.offset)).unwrap_or(usize::MAX));
        left.map_or(BLOCK_BYTES, |left| left.saturating_add(TAIL_BYTES).min(BLOCK_BYTES))
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

    fn drop_done(&mut self) {
        self.buffer.copy_within(self.done..self.filled, 0);
        self.offset += self.done as u64;
        self.filled -= self.done;
        self.done = 0;
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

    fn past_end(&self) -> bool {
        self.origin.end.is_some_and(|end| self.offset + self.done as u64 >= end)
    }

    /// Where the records in the buffer lie, and where the last whole one ends.
    fn cut(&mut self) -> (Option<Vec<Span>>, usize) {
        let bytes = &self.buffer[self.done..self.filled];
        if self.framing != Framing::Lines {
            let bytes = match value_end(bytes).filter(|_| self.among_lines && self.splitter.is_idle()) {
                Some(end) => &bytes[..end],
                None => bytes,
            };
            let (spans, done) = self.splitter.split(bytes, !self.ended);
            if self.among_lines && self.splitter.is_idle() {
                (self.framing, self.among_lines) = (Framing::Lines, false);
            }
            return (Some(spans), self.done + done);
        }
        if let Some(end) = self.origin.end {
            // The part ends with the line that holds the last byte before its end.
            let last = usize::try_from(end - 1 - self.offset).unwrap_or(usize::MAX).max(self.done);
            let rest = self.buffer[..self.filled].get(last..).unwrap_or(&[]);
            if let Some(at) = memchr::memchr(b'\n', rest) {
                return (None, last + at + 1);
            }
        }
        let end = if self.ended { Some(bytes.len()) } else { memchr::memrchr(b'\n', bytes).map(|at| at + 1) };
        (None, self.done + end.unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use super::{Blocks, Next, Origin};

    /// All blocks of a part of a text.
    fn read(text: &str, start: u64, end: Option<u64>) -> String {
        let origin = match start {
            0 => Origin { end, ..Origin::default() },
            _ => Origin { offset: start - 1, skip_line: true, end },
        };
        let input = std::io::Cursor::new(text.as_bytes()[usize::try_from(origin.offset).unwrap()..].to_vec());
        let mut blocks = Blocks::start(Box::new(input), Vec::new(), origin).unwrap();
        let mut all = String::new();
        while let Next::Block(block) = blocks.next().unwrap() {
            assert!(block.spans.is_none());
            all.push_str(std::str::from_utf8(block.bytes).unwrap());
        }
        all
    }

    #[test]
    fn parts_hold_every_line_once() {
        let text = "{\"a\":1}\n{\"a\":22}\n\n{\"a\":333}\r\n{\"a\":4}";
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
