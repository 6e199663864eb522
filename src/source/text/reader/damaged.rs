//! Reads what can be read of records that are damaged, and counts what cannot.

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
use crate::source::text::whereabouts::{Stop, Whereabouts};
use crate::types::dynamic;

impl JsonReader {
    /// Decodes a record that is not UTF-8.
    #[cold]
    pub(super) fn read_undecodable(
        &mut self,
        block: &[u8],
        span: Range<usize>,
        header: Option<&Arc<ColumnHeader>>,
        at: Whereabouts<'_>,
    ) -> Result<()> {
        let record = decode(&block[span.clone()]);
        let held = self.hold(block, (span.start, span.start), at)?;
        self.findings.add_damage(Damage::NotUtf8, 1);
        self.read_record(record.as_bytes(), 0..record.len(), header, held)
    }

    /// Reads what can be read of a record with a flaw; `is_row` for an array of cells.
    #[cold]
    pub(super) fn read_flawed(
        &mut self,
        block: &[u8],
        span: Range<usize>,
        (json_error, is_row): (JsonError, bool),
        at: Whereabouts<'_>,
    ) -> Result<()> {
        let bytes = &block[span.clone()];
        if json_error.reason == MORE_TEXT && (is_record_next(&bytes[json_error.at..]) || is_sequence(bytes)) {
            return self.read_several(block, span, at);
        }
        if !is_row
            && (self.read_padded(block, span.clone(), at)?
                || self.read_around(block, span.clone(), at)?
                || self.read_torn(block, span.clone(), at)?)
        {
            return Ok(());
        }
        // A record that was cut off is placed by its start: that is where the file can be mended.
        let place = if json_error.reason == "cut off" { span.start } else { span.start + json_error.at };
        self.lost(block, (span, place), at, json_error.reason);
        Ok(())
    }

    /// Reads what is no record for the NUL bytes in it: the text goes on in UTF-16, or an interrupted write left them around
    /// whole records. False, and nothing is read, if it is neither.
    pub(super) fn read_padded(&mut self, block: &[u8], span: Range<usize>, at: Whereabouts<'_>) -> Result<bool> {
        let bytes = &block[span.clone()];
        if let Some((start, encoding)) = utf16_in(bytes).filter(|_| at.may_change_encoding) {
            self.stop_at_encoding(block, span, start, encoding, at);
            return Ok(true);
        }
        let pieces: Vec<Range<usize>> = pieces_between_nul_bytes(bytes);
        let is_whole = |piece: &Range<usize>| dynamic::validate(&bytes[piece.clone()]).is_ok();
        let is_padded = bytes.contains(&0) && (pieces.len() <= 1 || pieces.iter().any(is_whole));
        if is_padded {
            self.findings.add_damage(Damage::NulBytes, 1);
            for piece in pieces {
                self.read_record(block, span.start + piece.start..span.start + piece.end, None, at)?;
            }
        }
        Ok(is_padded)
    }

    /// Stops where a block of lines goes on in another encoding, `start` bytes behind the start of a record.
    fn stop_at_encoding(
        &mut self,
        block: &[u8],
        span: Range<usize>,
        start: usize,
        encoding: Encoding,
        at: Whereabouts<'_>,
    ) {
        if !block[span.start..span.start + start].trim_ascii().is_empty() {
            self.lost(block, (span.start..span.start + start, span.start), at, "cut off");
        }
        self.stopped = Some(Stop { at: span.start + start, why: BlockHalt::OtherEncoding(encoding) });
    }

    /// Decodes the whole records in what is none: those behind one that was torn, or of a wrapper that is damaged. They
    /// must begin as the first record of the file does. False, and nothing is read, where there are none.
    fn read_torn(&mut self, block: &[u8], line: Range<usize>, at: Whereabouts<'_>) -> Result<bool> {
        let head = std::mem::take(&mut self.file.head);
        let bytes = &block[line.clone()];
        // Each record is looked into once: what is found in it is found in no other.
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
            let offset = at.offset + line.start as u64;
            let gaps = splitter.take_skipped().into_iter().map(|lost| SkippedRange::of(lost, offset));
            let open = splitter.take_open().map(|lost| SkippedRange::of(lost, offset + done as u64));
            for (index, gap) in gaps.chain(open).enumerate() {
                // The first one is placed by its start: that is where the file can be mended.
                let place = if index == 0 { at.offset + line.start as u64 } else { gap.offset };
                self.lost_gap(block, place, &gap, at);
            }
        }
        for span in &found {
            self.read_record(block, span.clone(), None, at)?;
        }
        self.file.head = head;
        Ok(!found.is_empty())
    }

    /// Counts the record at `span`, which has a flaw at `place`.
    pub(super) fn lost(
        &mut self,
        block: &[u8],
        (span, place): (Range<usize>, usize),
        at: Whereabouts<'_>,
        reason: &str,
    ) {
        let place = self.describe(block, place, at);
        self.plan.report.lost_record(at.file, &place, reason, Some(&block[span]));
    }

    /// Counts what was lost between two records, at an offset of the file.
    pub(super) fn lost_gap(&mut self, block: &[u8], offset: u64, gap: &SkippedRange, at: Whereabouts<'_>) {
        let place = usize::try_from(offset.saturating_sub(at.offset)).unwrap_or(0).min(block.len());
        let place = self.describe(block, place, at);
        self.plan.report.lost_record(at.file, &place, &gap.reason(), Some(&gap.raw));
    }
}

/// The ranges between runs of NUL bytes that are more than whitespace.
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

/// True if another record begins behind a whole one, so that this one did not end too early.
fn is_record_next(rest: &[u8]) -> bool {
    let rest = trim_start(rest);
    trim_start(rest.strip_prefix(b",").unwrap_or(rest)).starts_with(b"{")
}
