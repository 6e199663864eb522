//! Limits on the resources that reading an untrusted file may take.

use std::{fmt, io};

use crate::diagnostic::Error;

/// A compressed file may always decompress to this many bytes.
const MIN_LIMIT: u64 = 1 << 30;

/// Maximum compression ratio of larger files; logs reach about a tenth of it.
const MAX_RATIO: u64 = 500;

/// Limits on reading files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadLimits {
    /// Maximum decompressed bytes of a file. If None: 1 GiB, or 500 times its compressed size if that is more.
    pub max_decompressed: Option<u64>,
    /// Bytes of text read at once: few enough that they are still in the cache of the core when they are scanned.
    pub block_bytes: usize,
    /// Maximum bytes of a record.
    pub max_record_bytes: usize,
}

impl Default for ReadLimits {
    fn default() -> Self {
        Self { max_decompressed: None, block_bytes: 256 << 10, max_record_bytes: 64 << 20 }
    }
}

impl ReadLimits {
    /// Limits that the small files of unit tests reach: records cross block boundaries, and some are too long.
    #[cfg(test)]
    pub(crate) const SMALL: Self = Self { max_decompressed: None, block_bytes: 16 << 10, max_record_bytes: 1 << 20 };

    /// Maximum decompressed bytes of a file of `compressed` bytes.
    #[must_use]
    pub fn decompressed(self, compressed: u64) -> u64 {
        self.max_decompressed.unwrap_or_else(|| compressed.saturating_mul(MAX_RATIO).max(MIN_LIMIT))
    }
}

/// A file decompresses to more bytes than allowed. It is passed inside an [`io::Error`], because it occurs inside
/// readers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DecompressionLimit {
    /// The allowed bytes.
    pub limit: u64,
}

impl DecompressionLimit {
    /// Extracts it from an I/O error.
    pub(crate) fn of(error: &io::Error) -> Option<Self> {
        error.get_ref()?.downcast_ref().copied()
    }

    /// The error that ends the run.
    pub(crate) fn error(self, file: &str) -> Error {
        Error::Limit(format!(
            "{file}: {self}. No partial result is returned: raise --max-decompressed if you trust the file"
        ))
    }
}

impl fmt::Display for DecompressionLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "it decompresses to more than the limit of {} bytes", self.limit)
    }
}

impl std::error::Error for DecompressionLimit {}

impl From<DecompressionLimit> for io::Error {
    fn from(reason: DecompressionLimit) -> Self {
        Self::other(reason)
    }
}
