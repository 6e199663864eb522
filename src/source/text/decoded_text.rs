//! The text of records that were decoded from strings or rewritten, and that are therefore not in the block.

/// Number of bytes of decoded text after which its rows must be decoded.
const MAX_BYTES: usize = 4 << 20;

/// The text of the last rows, if it is not in the block.
#[derive(Debug, Default)]
pub(super) struct DecodedText {
    pub text: Vec<u8>,
    /// True if the last rows refer to `text`.
    pub is_current: bool,
    /// True while the records inside a value are read. Values inside these records are not searched again.
    pub is_inside: bool,
    pub is_rewritten: bool,
}

impl DecodedText {
    /// Appends a record; returns its range in `text`.
    pub(super) fn add(&mut self, record: &[u8]) -> std::ops::Range<usize> {
        let start = self.text.len();
        self.text.extend_from_slice(record);
        start..self.text.len()
    }

    /// True if the rows must be decoded before more text is added.
    pub(super) fn is_full(&self) -> bool {
        self.text.len() >= MAX_BYTES
    }

    /// Clears the text, but keeps its allocation.
    pub(super) fn emptied(mut self) -> Self {
        self.text.clear();
        Self { is_current: false, ..self }
    }
}
