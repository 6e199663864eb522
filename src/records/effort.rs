//! Limits the work of finding records after damage, whatever a file contains.
//!
//! An attacker who writes parts of a log must not be able to make reading it slow. So the number of bytes that all
//! searches of a file examine in rejected candidates is limited in proportion to the bytes read.

use crate::storage::limits::ReadLimits;

/// Number of rejected bytes that may be examined for each byte that is read.
const MAX_PER_BYTE: u64 = 8;

/// Number of rejected bytes that may be examined in any file, however short.
const FREE_BYTES: u64 = 1 << 20;

/// The number of bytes of one file that were examined in vain, and the number of bytes that were read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Effort {
    spent: u64,
    passed: u64,
    /// A candidate that is longer, in bytes, is rejected, so that the records after it are found.
    pub max_candidate_bytes: usize,
}

impl Default for Effort {
    fn default() -> Self {
        Self::new(ReadLimits::default())
    }
}

impl Effort {
    /// Creates the budget for reading a file with these limits.
    pub(crate) fn new(limits: ReadLimits) -> Self {
        Self { spent: 0, passed: 0, max_candidate_bytes: limits.max_record_bytes / 2 }
    }

    /// Counts bytes that were examined in vain.
    pub(crate) fn spend(&mut self, bytes: usize) {
        self.spent = self.spent.saturating_add(bytes as u64);
    }

    /// Counts bytes that will not be examined again.
    pub(crate) fn pass(&mut self, bytes: usize) {
        self.passed = self.passed.saturating_add(bytes as u64);
    }

    /// True if no more candidates may be examined before more bytes are read.
    pub(crate) fn is_exhausted(&self) -> bool {
        self.spent > FREE_BYTES.saturating_add(MAX_PER_BYTE.saturating_mul(self.passed))
    }
}
