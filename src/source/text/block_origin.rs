//! The positions of records in their file, for messages and provenance.

use crate::records::{AfterBlock, BlockHalt, SourceMap};

/// The position of a block of records.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BlockOrigin<'a> {
    /// The name of the file.
    pub file: &'a str,
    /// Offset of the block, in bytes after decompression.
    pub offset: u64,
    /// Number of lines before the block; None if they were not counted.
    pub lines: Option<u64>,
    /// Maps offsets to positions in the file, if the text was generated from another format.
    pub places: Option<&'a SourceMap>,
    /// The data after the block.
    pub rest: AfterBlock,
    /// True if the rest of the text may be read in another encoding.
    pub may_change_encoding: bool,
    /// For text that was decoded or rewritten: the position of the original.
    pub source: Option<SourcePosition>,
}

/// The position of the string or value from which the text of a record was made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SourcePosition {
    /// Offset, in bytes after decompression.
    pub offset: u64,
    /// The line in the file, if needed and known.
    pub line: Option<u64>,
    /// The byte in the file, if needed and known.
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
    /// Describes an offset in the block for messages; `lines` is the number of newlines of the file before it.
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
