//! Recovers from damage between values: finds the next record, or the position at which another encoding begins.

use super::{Enclosing, MAX_FRAME_BYTES, ValueSplitter};
use crate::records::encoding::{ENCODING_BYTES, utf16_in};
use crate::records::resync::{RelativeSkip, Resync, ResyncOutcome, ResyncTarget, signed};

impl ValueSplitter {
    /// Begins to recover from a record that is damaged at `at`: either another encoding begins there, or the next
    /// record must be found.
    pub(super) fn recover_at(&mut self, rest: &[u8], at: usize, position: &mut usize) {
        match utf16_in(&rest[..rest.len().min(at + ENCODING_BYTES)]) {
            Some((start, encoding)) if start <= at => {
                if !rest[..start].trim_ascii().is_empty() {
                    let raw = rest[..start.min(MAX_FRAME_BYTES)].to_vec();
                    let (position_of_error, end) = (signed(*position), signed(*position + start));
                    self.skipped.push(RelativeSkip { position: position_of_error, end: Some(end), raw });
                }
                (self.scan, self.array) = (None, None);
                *position += start;
                self.change = Some(encoding);
            }
            _ => self.recover(rest, at),
        }
    }

    /// Begins a search for the next record after the damaged one at the start of `rest`, because brackets after it
    /// cannot be trusted.
    pub(super) fn recover(&mut self, rest: &[u8], at: usize) {
        self.resync = Some(Resync::new(rest, at, &mut self.prefixes));
        (self.scan, self.array) = (None, None);
    }

    /// Continues the search for the next record. Returns false if more bytes are needed, or if the text ends.
    pub(super) fn resync(&mut self, bytes: &[u8], position: &mut usize, more: bool) -> bool {
        let Some(mut resync) = self.resync.take() else { return true };
        let target = match (self.enclosing.last(), &self.header) {
            (Some(Enclosing::Rows), Some(header)) => ResyncTarget::Cells(header.names.len()),
            (Some(Enclosing::Rows), None) => ResyncTarget::Nothing,
            _ => ResyncTarget::Records(&self.prefixes),
        };
        match resync.search(&bytes[*position..], target, more, &mut self.effort) {
            ResyncOutcome::Utf16(at, encoding) => {
                self.skipped.push(resync.into_skip(*position, Some(at)));
                *position += at;
                self.change = Some(encoding);
                false
            }
            ResyncOutcome::Record(at) => {
                self.skipped.push(resync.into_skip(*position, Some(at)));
                *position += at;
                (self.unbalanced, self.records_since_skip) = (true, 0);
                if !matches!(self.enclosing.last(), Some(Enclosing::Array | Enclosing::Records | Enclosing::Rows)) {
                    self.enclosing.clear();
                }
                true
            }
            ResyncOutcome::Nothing(done) => {
                *position += done;
                self.resync = Some(resync);
                false
            }
        }
    }

    /// True if at most one record was found since the last damage. That record may lie after the end of the array.
    pub(crate) fn is_just_resynced(&self) -> bool {
        self.unbalanced && self.records_since_skip <= 1
    }

    /// Returns the ranges that were skipped since the last call, relative to the bytes that were split last.
    pub(crate) fn take_skipped(&mut self) -> Vec<RelativeSkip> {
        std::mem::take(&mut self.skipped)
    }

    /// Returns the range at the end in which no record was found, relative to the bytes that are not split yet.
    pub(crate) fn take_open(&mut self) -> Option<RelativeSkip> {
        let resync = self.resync.take()?;
        self.cut_off = true;
        Some(resync.into_skip(0, None))
    }
}
