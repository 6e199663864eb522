//! The positions of records in their files, for messages and provenance columns.

use crate::records::{AfterBlock, BlockHalt, SourceMap};

/// The position of a block of records in its file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BlockOrigin<'a> {
    /// The name of the file.
    pub file: &'a str,
    /// Offset of the block, in bytes after decompression.
    pub offset: u64,
    /// Number of lines before the block; None if they were not counted.
    pub lines: Option<u64>,
    /// Maps offsets to positions in the file; None unless the text was generated from another format.
    pub places: Option<&'a SourceMap>,
    /// What follows the block in the file.
    pub rest: AfterBlock,
    /// True if the rest of the text may be read in another encoding.
    pub may_change_encoding: bool,
    /// For text that was decoded or rewritten, the position of the value that it was made from.
    pub source: Option<SourcePosition>,
}

/// The position of the string or value from which the text of a record was made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SourcePosition {
    /// The offset in bytes after decompression.
    pub offset: u64,
    /// The line in the file; None if it is not needed or not known.
    pub line: Option<u64>,
    /// The byte in the file; None if it is not needed or not known.
    pub byte: Option<u64>,
}

/// The position at which reading a block of lines stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BlockStop {
    /// The offset in the block.
    pub at: usize,
    pub why: BlockHalt,
}

impl BlockOrigin<'_> {
    /// Describes the position `place` of the block for messages. `lines` is the number of newlines of the file before
    /// it, if they were counted.
    pub(crate) fn describe(self, place: usize, lines: Option<u64>) -> String {
        let offset = self.source.map_or(self.offset + place as u64, |source| source.offset);
        if let Some(place) = self.places.and_then(|places| places.describe(offset)) {
            return place;
        }
        match lines {
            Some(lines) => format!("line {}, byte {offset}", lines + 1),
            None => format!("byte {offset}"),
        }
    }
}
