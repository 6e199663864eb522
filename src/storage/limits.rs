//! Limits on the resources that reading an untrusted file may use.

use std::{fmt, io};

use crate::diagnostic::Error;

/// Number of bytes to which any compressed file may decompress, however small it is.
const MIN_LIMIT: u64 = 1 << 30;

/// Maximum compression ratio of larger files. Logs reach about a tenth of it.
const MAX_RATIO: u64 = 500;

/// Limits on reading files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadLimits {
    /// Maximum number of decompressed bytes of a file. If None, it is 1 GiB, or 500 times the compressed size if that
    /// is more.
    pub max_decompressed: Option<u64>,
    /// Number of bytes of text that are read at once: few enough to be in the cache of the processor core when they
    /// are scanned.
    pub block_bytes: usize,
    /// Maximum length of a record in bytes.
    pub max_record_bytes: usize,
}

impl Default for ReadLimits {
    fn default() -> Self {
        Self { max_decompressed: None, block_bytes: 256 << 10, max_record_bytes: 64 << 20 }
    }
}

impl ReadLimits {
    /// Limits that even the small files of unit tests reach: records cross the boundaries of blocks, and some are too
    /// long.
    #[cfg(test)]
    pub(crate) const SMALL: Self = Self { max_decompressed: None, block_bytes: 16 << 10, max_record_bytes: 1 << 20 };

    /// Returns the maximum number of decompressed bytes of a file that has `compressed` bytes.
    #[must_use]
    pub fn decompressed(self, compressed: u64) -> u64 {
        self.max_decompressed.unwrap_or_else(|| compressed.saturating_mul(MAX_RATIO).max(MIN_LIMIT))
    }
}

/// The error that a file decompresses to more bytes than allowed. It occurs inside readers, so it is passed inside an
/// [`io::Error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DecompressionLimit {
    /// Number of bytes that are allowed.
    pub limit: u64,
}

impl DecompressionLimit {
    /// Returns the error that is inside an I/O error; None if it is another error.
    pub(crate) fn of(error: &io::Error) -> Option<Self> {
        error.get_ref()?.downcast_ref().copied()
    }

    /// Returns the error that ends the run.
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
