//! A bound on the work of finding records after damage, whatever the file holds.
//!
//! Whoever writes parts of a log must not make reading it slow: candidates that turn out to be no record are looked at
//! for a fixed number of bytes for each byte of the file, in all searches of the file together.

/// Rejected bytes that are looked at for each byte that is passed.
const MAX_PER_BYTE: u64 = 8;

/// Rejected bytes that are looked at in any file.
const FREE_BYTES: u64 = 1 << 20;

/// The work that was done in vain in one file, against the bytes that were passed.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Effort {
    spent: u64,
    passed: u64,
}

impl Effort {
    /// Counts bytes that were looked at in vain.
    pub(crate) fn spend(&mut self, bytes: usize) {
        self.spent = self.spent.saturating_add(bytes as u64);
    }

    /// Counts bytes that need not be looked at again.
    pub(crate) fn pass(&mut self, bytes: usize) {
        self.passed = self.passed.saturating_add(bytes as u64);
    }

    /// True if no more candidates may be looked at before further bytes are passed.
    pub(crate) fn is_exhausted(&self) -> bool {
        self.spent > FREE_BYTES.saturating_add(MAX_PER_BYTE.saturating_mul(self.passed))
    }
}
