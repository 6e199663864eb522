//! The text of records that do not stand in the block as they are read: decoded from strings, or written anew.

/// Bytes of such text that are kept until its rows are decoded.
const MAX_BYTES: usize = 4 << 20;

/// The text of the rows that were found last, where they are not those of the block.
#[derive(Debug, Default)]
pub(super) struct Unwrapped {
    pub text: Vec<u8>,
    /// True if the rows that were found last stand here.
    pub is_current: bool,
    /// True inside a value that was looked into, and inside a record that was written anew.
    pub is_inside: bool,
    pub is_rewritten: bool,
}

impl Unwrapped {
    /// Adds a record; where it lies.
    pub(super) fn add(&mut self, record: &[u8]) -> std::ops::Range<usize> {
        let start = self.text.len();
        self.text.extend_from_slice(record);
        start..self.text.len()
    }

    /// True if the rows should be decoded before more are found.
    pub(super) fn is_full(&self) -> bool {
        self.text.len() >= MAX_BYTES
    }

    /// The same without text.
    pub(super) fn emptied(mut self) -> Self {
        self.text.clear();
        Self { is_current: false, ..self }
    }
}
