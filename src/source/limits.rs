//! What a file may cost, whoever made it.

/// Bytes that a packed file may always unpack to.
const ALWAYS: u64 = 1 << 30;

/// Bytes that it may unpack to for each of its own; logs are packed a tenth of this tightly.
const RATIO: u64 = 500;

/// Bounds on reading files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Bytes that a packed file may unpack to. Without a number: a gigabyte, or 500 times its own bytes where that is
    /// more.
    pub max_unpacked: Option<u64>,
}

impl Limits {
    /// Bytes that a packed file of `packed` bytes may unpack to.
    #[must_use]
    pub fn unpacked(self, packed: u64) -> u64 {
        self.max_unpacked.unwrap_or_else(|| packed.saturating_mul(RATIO).max(ALWAYS))
    }
}
