//! Where records stand: in which file, behind how many bytes and lines.

use super::survey::count_lines;
use crate::source::framing::{Places, Rest};

/// Where a block of records stands, for messages.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Whereabouts<'a> {
    /// The file.
    pub file: &'a str,
    /// Offset of the block, after decompression.
    pub offset: u64,
    /// Lines in front of the block, where they were counted.
    pub lines: Option<u64>,
    /// Where parts of the text stand in the file, where it was made of something else.
    pub places: Option<&'a Places>,
    /// What follows the block.
    pub rest: Rest,
    /// For text that was decoded or written anew: where what it was made of stands.
    pub holder: Option<Holder>,
}

/// Where the string stands that holds a record.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Holder {
    /// The offset, after decompression.
    pub offset: u64,
    /// The line and byte in the file, as far as they are wanted and known.
    pub line: Option<u64>,
    /// See `line`.
    pub byte: Option<u64>,
}

/// Where a block of lines was left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stop {
    /// The offset in the block.
    pub at: usize,
    /// True where an array begins there that is not read as a whole; false where it takes more lines to tell.
    pub endless: bool,
}

impl Whereabouts<'_> {
    /// A place in the block, for messages.
    pub(crate) fn describe(self, block: &[u8], place: usize) -> String {
        let offset = self.holder.map_or(self.offset + place as u64, |holder| holder.offset);
        if let Some(place) = self.places.and_then(|places| places.describe(offset)) {
            return place;
        }
        match self.lines.filter(|_| self.holder.is_none()) {
            Some(lines) => format!("line {}, byte {offset}", lines + count_lines(&block[..place]) + 1),
            None => format!("byte {offset}"),
        }
    }
}
