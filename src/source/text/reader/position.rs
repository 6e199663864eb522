//! Determines the positions of records in their file: lines and bytes.

use std::ops::Range;

use super::super::block_origin::BlockOrigin;
use super::super::line_index::count_lines;
use super::JsonReader;

/// A position in the block, and the number of newlines before it.
#[derive(Debug, Default)]
pub(super) struct LineCounter {
    pub position: usize,
    pub lines: u64,
}

impl JsonReader {
    /// Returns the line and the byte in the file at which the record at `start` in the block begins; None for what is
    /// not needed or not known.
    pub(super) fn source_of(
        &mut self,
        block: &[u8],
        start: usize,
        origin: BlockOrigin<'_>,
    ) -> (Option<u64>, Option<u64>) {
        if let Some(source) = origin.source {
            return (source.line, source.byte);
        }
        let offset = origin.offset + start as u64;
        match origin.places.filter(|_| self.plan.wants_places) {
            Some(places) => {
                let (line, byte) = places.at(offset).unzip();
                (line, byte.flatten())
            }
            None => (self.line_of(block, start, origin), Some(offset).filter(|_| !self.file.is_generated)),
        }
    }

    /// Returns the line in which a record of the block begins, from 1; None if lines are not needed or not known.
    pub(super) fn line_of(&mut self, block: &[u8], start: usize, origin: BlockOrigin<'_>) -> Option<u64> {
        let before = origin.lines.filter(|_| self.plan.wants_lines)?;
        Some(before + self.lines_to(block, start) + 1)
    }

    /// Returns the number of newlines of the block before `place`. It counts on from the previous call, whose
    /// position is usually close.
    pub(super) fn lines_to(&mut self, block: &[u8], place: usize) -> u64 {
        let LineCounter { position: from, lines } = self.lines;
        let between = |range: Range<usize>| count_lines(block.get(range).unwrap_or_default());
        let lines = match from <= place {
            true => lines + between(from..place),
            false => lines.saturating_sub(between(place..from)),
        };
        self.lines = LineCounter { position: place, lines };
        lines
    }

    /// Describes a position in the block for messages.
    pub(super) fn describe(&mut self, block: &[u8], place: usize, origin: BlockOrigin<'_>) -> String {
        let lines = origin.lines.filter(|_| origin.source.is_none()).map(|before| before + self.lines_to(block, place));
        origin.describe(place, lines)
    }
}
