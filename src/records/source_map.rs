//! Maps positions in converted text to positions in the original file: rows of CSV and messages of a capture become
//! JSON Lines, but messages to the user name positions in the file.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The unit by which positions in the original file are given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SourceUnit {
    /// Rows, which are identified by line and byte offset.
    Row,
    /// Messages, which are identified by their number, with the byte offset inside the message.
    Message,
    /// Rows of a columnar file, which are identified by their number.
    ColumnarRow,
}

/// The position at which a unit begins.
#[derive(Clone, Copy, Debug)]
pub(crate) struct UnitStart {
    /// The offset of the unit in the converted text.
    pub text: u64,
    /// The line number of a row, or the number of a message; from 1.
    pub number: u64,
    /// The byte offset of a row in the original file.
    pub byte: u64,
}

/// The units of the text that is being read. The converter adds units, and the reader drops those before its
/// position, so that only a few are kept.
#[derive(Debug)]
pub(crate) struct SourceMap {
    unit: SourceUnit,
    starts: Mutex<VecDeque<UnitStart>>,
}

impl SourceMap {
    pub(crate) fn new(unit: SourceUnit) -> Self {
        Self { unit, starts: Mutex::default() }
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<UnitStart>> {
        self.starts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds units, which must be in the order of the text; `starts` is empty afterwards.
    pub(crate) fn add(&self, starts: &mut Vec<UnitStart>) {
        self.lock().extend(starts.drain(..));
    }

    /// Drops the units that end before the offset `text`.
    pub(crate) fn forget(&self, text: u64) {
        let mut starts = self.lock();
        let gone = starts.partition_point(|start| start.text <= text).saturating_sub(1);
        starts.drain(..gone);
    }

    /// Returns the original position of the offset `text`: the line and byte offset of a row, the number of a message
    /// and the byte offset in it, or the number of a row of a columnar file. Returns None if no unit is known at this
    /// offset.
    pub(crate) fn at(&self, text: u64) -> Option<(u64, Option<u64>)> {
        let starts = self.lock();
        let start = starts.get(starts.partition_point(|start| start.text <= text).checked_sub(1)?)?;
        Some(match self.unit {
            SourceUnit::Row => (start.number, Some(start.byte)),
            SourceUnit::Message => (start.number, Some(text - start.text)),
            SourceUnit::ColumnarRow => (start.number, None),
        })
    }

    /// Describes the original position of the offset `text` for messages; None if no unit is known there.
    pub(crate) fn describe(&self, text: u64) -> Option<String> {
        let (number, byte) = self.at(text)?;
        Some(match (self.unit, byte) {
            (SourceUnit::Row, Some(byte)) => format!("line {number}, byte {byte}"),
            (SourceUnit::Message, Some(byte)) => format!("byte {byte} of message {number}"),
            _ => format!("row {number}"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{SourceMap, SourceUnit, UnitStart};

    #[test]
    fn offsets_lead_to_units() {
        let starts = [(0, 2, 10), (20, 3, 15), (50, 7, 40)];
        let fill = |unit| {
            let source_map = SourceMap::new(unit);
            source_map.add(&mut starts.iter().map(|&(text, number, byte)| UnitStart { text, number, byte }).collect());
            source_map
        };
        let rows = fill(SourceUnit::Row);
        let at = |number, byte| Some((number, Some(byte)));
        assert_eq!([0, 19, 20, 60].map(|text| rows.at(text)), [at(2, 10), at(2, 10), at(3, 15), at(7, 40)]);
        let messages = fill(SourceUnit::Message);
        assert_eq!([0, 19, 20, 60].map(|text| messages.at(text)), [at(2, 0), at(2, 19), at(3, 0), at(7, 10)]);
        messages.forget(30);
        assert_eq!((messages.at(10), messages.at(30)), (None, at(3, 10)));
        assert_eq!(messages.describe(60).as_deref(), Some("byte 10 of message 7"));
        let columnar = fill(SourceUnit::ColumnarRow);
        assert_eq!((columnar.at(60), columnar.describe(60).as_deref()), (Some((7, None)), Some("row 7")));
        assert_eq!(SourceMap::new(SourceUnit::Row).at(0), None);
    }
}
