//! What is damaged among the values: where it ends, and where the next record or another encoding begins.

use super::{Around, MAX_FRAME_BYTES, ValueSplitter};
use crate::records::encoding::{ENCODING_BYTES, utf16_in};
use crate::records::torn::{Lost, Searched, Torn, Wanted, signed};

impl ValueSplitter {
    /// The record at the position is damaged: another encoding begins there, or nothing behind it is what it seems to be.
    pub(super) fn tear_at(&mut self, rest: &[u8], at: usize, position: &mut usize) {
        match utf16_in(&rest[..rest.len().min(at + ENCODING_BYTES)]) {
            Some((start, encoding)) if start <= at => {
                if !rest[..start].trim_ascii().is_empty() {
                    let raw = rest[..start.min(MAX_FRAME_BYTES)].to_vec();
                    let (place, end) = (signed(*position), signed(*position + start));
                    self.lost.push(Lost { place, end: Some(end), raw });
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
        self.torn = Some(Torn::new(rest, at, &mut self.heads));
        (self.scan, self.array) = (None, None);
    }

    /// Looks for the next record. False where `bytes` ends first.
    pub(super) fn mend(&mut self, bytes: &[u8], position: &mut usize, more: bool) -> bool {
        let Some(mut torn) = self.torn.take() else { return true };
        let wanted = match (self.around.last(), &self.header) {
            (Some(Around::Rows), Some(header)) => Wanted::Cells(header.names.len()),
            (Some(Around::Rows), None) => Wanted::Nothing,
            _ => Wanted::Records(&self.heads),
        };
        match torn.search(&bytes[*position..], wanted, more, &mut self.effort) {
            Searched::Utf16(at, encoding) => {
                self.lost.push(torn.into_lost(*position, Some(at)));
                *position += at;
                self.change = Some(encoding);
                false
            }
            Searched::Record(at) => {
                self.lost.push(torn.into_lost(*position, Some(at)));
                *position += at;
                (self.loose, self.since) = (true, 0);
                if !matches!(self.around.last(), Some(Around::Array | Around::Records | Around::Rows)) {
                    self.around.clear();
                }
                true
            }
            Searched::Nothing(done) => {
                *position += done;
                self.torn = Some(torn);
                false
            }
        }
    }

    /// True where no more than one record was found behind what was lost: it may lie behind the end of the array.
    pub(crate) fn is_just_mended(&self) -> bool {
        self.loose && self.since <= 1
    }

    /// What was lost, since the last call; places count from the start of the bytes that were split last.
    pub(crate) fn take_lost(&mut self) -> Vec<Lost> {
        std::mem::take(&mut self.lost)
    }

    /// What was lost at the end, behind which no record was found; its place counts from what was not split yet.
    pub(crate) fn take_open(&mut self) -> Option<Lost> {
        let torn = self.torn.take()?;
        self.cut_off = true;
        Some(torn.into_lost(0, None))
    }
}
