//! Where records stand: in which file, behind how many bytes and lines.

use crate::records::{AfterBlock, BlockHalt, SourceMap};

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
    pub places: Option<&'a SourceMap>,
    /// What follows the block.
    pub rest: AfterBlock,
    /// True if the rest of the text may be read in another encoding.
    pub may_change_encoding: bool,
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
    pub why: BlockHalt,
}

impl Whereabouts<'_> {
    /// A place in the block, after so many newlines of the file, for messages.
    pub(crate) fn describe(self, place: usize, lines: Option<u64>) -> String {
        let offset = self.holder.map_or(self.offset + place as u64, |holder| holder.offset);
        if let Some(place) = self.places.and_then(|places| places.describe(offset)) {
            return place;
        }
        match lines {
            Some(lines) => format!("line {}, byte {offset}", lines + 1),
            None => format!("byte {offset}"),
        }
    }
}
