//! Reads as much as possible of damaged records, and reports the rest.

use std::ops::Range;
use std::sync::Arc;

use super::JsonReader;
use crate::diagnostic::Result;
use crate::json::cursor::{JsonError, MORE_TEXT};
use crate::records::{
    BlockHalt, ColumnHeader, Encoding, RecordSpan, SkippedRange, ValueSplitter, decode, is_sequence, trim_start,
    utf16_in,
};
use crate::scan::Damage;
use crate::source::text::block_origin::{BlockOrigin, BlockStop};
use crate::types::dynamic;

impl JsonReader {
    /// Decodes a record that is not UTF-8.
    #[cold]
    pub(super) fn read_undecodable(
        &mut self,
        block: &[u8],
        span: Range<usize>,
        header: Option<&Arc<ColumnHeader>>,
        origin: BlockOrigin<'_>,
    ) -> Result<()> {
        let record = decode(&block[span.clone()]);
        let held = self.start_decoded_text(block, span.start, span.start, origin)?;
        self.findings.add_damage(Damage::NotUtf8, 1);
        self.read_record(record.as_bytes(), 0..record.len(), header, held)
    }

    /// Reads as much as possible of an invalid record. `is_row` is true if it is an array of cells.
    #[cold]
    pub(super) fn read_flawed(
        &mut self,
        block: &[u8],
        span: Range<usize>,
        json_error: JsonError,
        is_row: bool,
        origin: BlockOrigin<'_>,
    ) -> Result<()> {
        let bytes = &block[span.clone()];
        if json_error.reason == MORE_TEXT && (is_record_next(&bytes[json_error.at..]) || is_sequence(bytes)) {
            return self.read_several(block, span, origin);
        }
        if !is_row
            && (self.read_padded(block, span.clone(), origin)?
                || self.read_around(block, span.clone(), origin)?
                || self.read_cut_line(block, span.clone(), origin)?)
        {
            return Ok(());
        }
        // A truncated record is reported at its start, where the file can be repaired.
        let place = if json_error.reason == "cut off" { span.start } else { span.start + json_error.at };
        self.lost(block, span, place, origin, json_error.reason);
        Ok(())
    }

    /// Reads a record that is invalid because of NUL bytes. Either the text continues in UTF-16, or an interrupted
    /// write left NUL bytes around whole records. In any other case, returns false and reads nothing.
    pub(super) fn read_padded(&mut self, block: &[u8], span: Range<usize>, origin: BlockOrigin<'_>) -> Result<bool> {
        let bytes = &block[span.clone()];
        if let Some((start, encoding)) = utf16_in(bytes).filter(|_| origin.may_change_encoding) {
            self.stop_at_encoding(block, span, start, encoding, origin);
            return Ok(true);
        }
        let pieces: Vec<Range<usize>> = pieces_between_nul_bytes(bytes);
        let is_whole = |piece: &Range<usize>| dynamic::validate(&bytes[piece.clone()]).is_ok();
        let is_padded = bytes.contains(&0) && (pieces.len() <= 1 || pieces.iter().any(is_whole));
        if is_padded {
            self.findings.add_damage(Damage::NulBytes, 1);
            for piece in pieces {
                self.read_record(block, span.start + piece.start..span.start + piece.end, None, origin)?;
            }
        }
        Ok(is_padded)
    }

    /// Makes the reader stop where a block of lines continues in another encoding, `start` bytes after the start of
    /// the record at `span`.
    fn stop_at_encoding(
        &mut self,
        block: &[u8],
        span: Range<usize>,
        start: usize,
        encoding: Encoding,
        origin: BlockOrigin<'_>,
    ) {
        if !block[span.start..span.start + start].trim_ascii().is_empty() {
            self.lost(block, span.start..span.start + start, span.start, origin, "cut off");
        }
        self.stopped = Some(BlockStop { at: span.start + start, why: BlockHalt::OtherEncoding(encoding) });
    }

    /// Decodes the whole records in an invalid line: those after a truncated record, or those in a damaged wrapper.
    /// Only records that begin like the first record of the file are found. Returns false, and reads nothing, if
    /// there are none.
    fn read_cut_line(&mut self, block: &[u8], line: Range<usize>, origin: BlockOrigin<'_>) -> Result<bool> {
        let head = std::mem::take(&mut self.file.head);
        let bytes = &block[line.clone()];
        // As the head was taken, the records that are found are not searched in the same way.
        let mut inside = memchr::memmem::find_iter(bytes, &head).filter(|&at| at > 0);
        if head.is_empty() || inside.next().is_none() {
            self.file.head = head;
            return Ok(false);
        }
        let mut splitter = ValueSplitter::inside_array();
        let (spans, done) = splitter.split(bytes, false);
        let is_record = |span: &RecordSpan| span.start > 0 && bytes[span.start..span.end].starts_with(&head);
        let found: Vec<Range<usize>> = spans
            .iter()
            .filter(|span| is_record(span))
            .map(|span| line.start + span.start..line.start + span.end)
            .collect();
        if !found.is_empty() {
            let offset = origin.offset + line.start as u64;
            let gaps = splitter.take_skipped().into_iter().map(|lost| SkippedRange::of(lost, offset));
            let open = splitter.take_open().map(|lost| SkippedRange::of(lost, offset + done as u64));
            for (index, gap) in gaps.chain(open).enumerate() {
                // The first range is reported at the start of the line, where the file can be repaired.
                let place = if index == 0 { origin.offset + line.start as u64 } else { gap.offset };
                self.lost_gap(block, place, &gap, origin);
            }
        }
        for span in &found {
            self.read_record(block, span.clone(), None, origin)?;
        }
        self.file.head = head;
        Ok(!found.is_empty())
    }

    /// Reports the record at `span` as lost, because of an error at `place`.
    pub(super) fn lost(
        &mut self,
        block: &[u8],
        span: Range<usize>,
        place: usize,
        origin: BlockOrigin<'_>,
        reason: &str,
    ) {
        let place = self.describe(block, place, origin);
        self.events.report.lost_record(origin.file, &place, reason, Some(&block[span]));
    }

    /// Reports a range that was skipped between two records; `offset` is its position in the file.
    pub(super) fn lost_gap(&mut self, block: &[u8], offset: u64, gap: &SkippedRange, origin: BlockOrigin<'_>) {
        let place = usize::try_from(offset.saturating_sub(origin.offset)).unwrap_or(0).min(block.len());
        let place = self.describe(block, place, origin);
        self.events.report.lost_record(origin.file, &place, &gap.reason(), Some(&gap.raw));
    }
}

/// Returns the ranges between NUL bytes, except those that have only whitespace.
fn pieces_between_nul_bytes(bytes: &[u8]) -> Vec<Range<usize>> {
    let mut end = 0;
    let range = |piece: &[u8]| {
        let text = trim_start(piece);
        let start = end + piece.len() - text.len();
        end += piece.len() + 1;
        start..start + text.trim_ascii_end().len()
    };
    bytes.split(|byte| *byte == 0).map(range).filter(|piece| !piece.is_empty()).collect()
}

/// True if another record begins in `rest`, which follows a whole record: then that record did not end too early.
fn is_record_next(rest: &[u8]) -> bool {
    let rest = trim_start(rest);
    trim_start(rest.strip_prefix(b",").unwrap_or(rest)).starts_with(b"{")
}
