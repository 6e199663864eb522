//! Reads blocks whose records are lines.

use std::ops::Range;
use std::sync::Arc;

use super::super::block_origin::{BlockOrigin, BlockStop};
use super::super::line_index::{LineIndex, count_lines, line_end, line_start};
use super::position::LineCounter;
use super::{JsonReader, is_object_or_row};
use crate::diagnostic::{Error, Result};
use crate::records::{BlockHalt, RecordExtent, SkippedRange, ValueSplitter, extent, is_wrapped, trim_start};
use crate::storage::counters::ScanCount;

impl JsonReader {
    /// Decodes a block whose records are lines, up to a position at which reading lines must stop. Returns the number
    /// of lines if it read the block to its end; otherwise the number is not used.
    pub(crate) fn read_lines(&mut self, block: &[u8], origin: BlockOrigin<'_>) -> Result<u64> {
        self.lines = LineCounter::default();
        let plan = Arc::clone(&self.plan);
        let Some(prefilter) = &plan.prefilter else {
            let (mut start, mut lines) = (0, 0);
            while start < block.len() && self.stopped.is_none() {
                let end = line_end(block, start);
                let next = self.read_line(block, start..end, origin)?;
                lines += if next == end + 1 { u64::from(end < block.len()) } else { count_lines(&block[start..next]) };
                start = next;
            }
            self.flush(block)?;
            return Ok(lines);
        };
        let line_index = LineIndex::of(block);
        let mut suspects = line_index.suspects.iter().copied().peekable();
        let mut start = 0;
        let mut read = 0;
        let mut hits = prefilter.hits();
        let mut wanted = (!self.shape_known).then_some(0);
        // A truncated last line is damage, whatever is searched.
        let looks_at_last = plan.watches_times() || !block.ends_with(b"\n");
        let last = looks_at_last.then(|| line_start(block, block.trim_ascii_end().len()));
        while start < block.len() && self.stopped.is_none() {
            while suspects.next_if(|&line| line < start).is_some() {}
            let hit = hits.next(block, start);
            let looked_at = wanted.into_iter().chain(last.filter(|&last| last >= start));
            let Some(hit) = hit.into_iter().chain(looked_at).chain(suspects.peek().copied()).min() else { break };
            let line = line_start(block, hit).max(start)..line_end(block, hit);
            let next = self.read_line(block, line.clone(), origin)?;
            let spans_lines = next != line.end + 1;
            read += if spans_lines { LineIndex::of(&block[line.start..next]).filled } else { 1 };
            start = next;
            // The text after a multi-line value, on its last line, is read.
            wanted = (!self.shape_known || spans_lines || self.file.wrapped).then_some(start);
        }
        let filled = self.stopped.map_or(line_index.filled, |stop| LineIndex::of(&block[..stop.at]).filled);
        let skipped = filled.saturating_sub(read);
        self.count_skipped(skipped);
        self.flush(block)?;
        Ok(line_index.lines)
    }

    /// Decodes one line, which may have several records or begin a multi-line value. Returns the start of the next
    /// line to read.
    pub(super) fn read_line(&mut self, block: &[u8], line: Range<usize>, origin: BlockOrigin<'_>) -> Result<usize> {
        let bytes = &block[line.clone()];
        let trimmed = trim_start(bytes);
        // Elements of an array whose brackets are on other lines, or the rest of the line after a multi-line value, may
        // begin with a comma.
        let trimmed = trim_start(trimmed.strip_prefix(b",").unwrap_or(trimmed));
        let start = line.end - trimmed.len();
        let mut bytes = trimmed.trim_ascii_end();
        let mut next = line.end + 1;
        if bytes.is_empty() {
            return Ok(next);
        }
        if !bytes.ends_with(b"}") {
            match extent(block, line.clone(), origin.rest, &mut self.effort) {
                RecordExtent::End(end) if end == line.end => {}
                RecordExtent::End(end) => (bytes, next) = (&block[start..end], end),
                open => {
                    let why =
                        if open == RecordExtent::Endless { BlockHalt::EndlessArray } else { BlockHalt::MoreLines };
                    self.stopped = Some(BlockStop { at: line.start, why });
                    return Ok(line.start);
                }
            }
        }
        let span = start..start + bytes.len();
        if may_be_wrapped(bytes) && is_wrapped(bytes) {
            self.file.wrapped = true;
            self.read_several(block, span, origin)?;
        } else {
            self.read_record(block, span, None, origin)?;
        }
        Ok(next)
    }

    /// Decodes a line that has a wrapper of records, or several values.
    pub(super) fn read_several(&mut self, block: &[u8], line: Range<usize>, origin: BlockOrigin<'_>) -> Result<()> {
        let mut splitter = ValueSplitter::default();
        let start = line.start;
        let (spans, done) = splitter.split(&block[line.clone()], false);
        for span in spans {
            let record = start + span.start..start + span.end;
            let is_suspect = !span.is_whole || !is_object_or_row(&block[record.clone()]);
            if is_suspect || self.may_be_wanted(&block[record.clone()]) {
                self.read_record(block, record, span.header.as_ref(), origin)?;
            } else {
                self.file.records += 1;
                self.plan.counters.add(ScanCount::RecordsSkipped, 1);
            }
        }
        let offset = origin.offset + start as u64;
        let gaps = splitter.take_skipped().into_iter().map(|lost| SkippedRange::of(lost, offset));
        for gap in gaps.chain(splitter.take_open().map(|lost| SkippedRange::of(lost, offset + done as u64))) {
            self.lost_gap(block, gap.offset, &gap, origin);
        }
        if splitter.is_unclosed() {
            self.lost(block, line.clone(), line.end, origin, "cut off");
        }
        match splitter.change() {
            Some(encoding) if origin.may_change_encoding => {
                self.stopped = Some(BlockStop { at: start + done, why: BlockHalt::OtherEncoding(encoding) });
            }
            Some(_) => self.lost(block, start + done..line.end, start + done, origin, "text in UTF-16"),
            None => {}
        }
        splitter.take_notes().iter().for_each(|note| self.events.note(note, origin.file, offset));
        match splitter.refusal() {
            Some(reason) => Err(Error::Data { file: origin.file.to_owned(), place: None, reason: reason.to_owned() }),
            None => Ok(()),
        }
    }

    /// True if a record in a sequence must be read: it may match, or it is needed to identify the file.
    pub(super) fn may_be_wanted(&self, record: &[u8]) -> bool {
        !self.shape_known || self.plan.watches_times() || self.may_match(record)
    }
}

/// True if the first key of the line may be that of a wrapper. Only then is the line examined more closely.
fn may_be_wrapped(line: &[u8]) -> bool {
    let key = line.iter().skip(1).find(|byte| !byte.is_ascii_whitespace() && **byte != b'"');
    line.starts_with(b"[")
        || matches!(
            key,
            Some(b'\\' | b'r' | b'v' | b'@' | b'o' | b'n' | b'c' | b't' | b'T' | b'F' | b'E' | b'e' | b's')
        )
}
