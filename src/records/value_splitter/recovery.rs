//! What is damaged among the values: where it ends, and where the next record or another encoding begins.

use super::{Enclosing, MAX_FRAME_BYTES, ValueSplitter};
use crate::records::encoding::{ENCODING_BYTES, utf16_in};
use crate::records::resync::{RelativeSkip, Resync, ResyncOutcome, ResyncTarget, signed};

impl ValueSplitter {
    /// The record at the position is damaged: another encoding begins there, or nothing behind it is what it seems to be.
    pub(super) fn tear_at(&mut self, rest: &[u8], at: usize, position: &mut usize) {
        match utf16_in(&rest[..rest.len().min(at + ENCODING_BYTES)]) {
            Some((start, encoding)) if start <= at => {
                if !rest[..start].trim_ascii().is_empty() {
                    let raw = rest[..start.min(MAX_FRAME_BYTES)].to_vec();
                    let (place, end) = (signed(*position), signed(*position + start));
                    self.skipped.push(RelativeSkip { place, end: Some(end), raw });
                }
                (self.scan, self.array) = (None, None);
                *position += start;
                self.change = Some(encoding);
            }
            _ => self.tear(rest, at),
        }
    }

    /// The record that `rest` begins with is damaged: nothing behind it is what it seems to be.
    pub(super) fn tear(&mut self, rest: &[u8], at: usize) {
        self.torn = Some(Resync::new(rest, at, &mut self.heads));
        (self.scan, self.array) = (None, None);
    }

    /// Looks for the next record. False where `bytes` ends first.
    pub(super) fn resync(&mut self, bytes: &[u8], position: &mut usize, more: bool) -> bool {
        let Some(mut torn) = self.torn.take() else { return true };
        let wanted = match (self.around.last(), &self.header) {
            (Some(Enclosing::Rows), Some(header)) => ResyncTarget::Cells(header.names.len()),
            (Some(Enclosing::Rows), None) => ResyncTarget::Nothing,
            _ => ResyncTarget::Records(&self.heads),
        };
        match torn.search(&bytes[*position..], wanted, more, &mut self.effort) {
            ResyncOutcome::Utf16(at, encoding) => {
                self.skipped.push(torn.into_skip(*position, Some(at)));
                *position += at;
                self.change = Some(encoding);
                false
            }
            ResyncOutcome::Record(at) => {
                self.skipped.push(torn.into_skip(*position, Some(at)));
                *position += at;
                (self.loose, self.since) = (true, 0);
                if !matches!(self.around.last(), Some(Enclosing::Array | Enclosing::Records | Enclosing::Rows)) {
                    self.around.clear();
                }
                true
            }
            ResyncOutcome::Nothing(done) => {
                *position += done;
                self.torn = Some(torn);
                false
            }
        }
    }

    /// True where no more than one record was found behind what was lost: it may lie behind the end of the array.
    pub(crate) fn is_just_resynced(&self) -> bool {
        self.loose && self.since <= 1
    }

    /// What was lost, since the last call; places count from the start of the bytes that were split last.
    pub(crate) fn take_skipped(&mut self) -> Vec<RelativeSkip> {
        std::mem::take(&mut self.skipped)
    }

    /// What was lost at the end, behind which no record was found; its place counts from what was not split yet.
    pub(crate) fn take_open(&mut self) -> Option<RelativeSkip> {
        let torn = self.torn.take()?;
        self.cut_off = true;
        Some(torn.into_skip(0, None))
    }
}
