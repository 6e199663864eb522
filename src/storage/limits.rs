//! What a file may cost, whoever made it.

use std::{fmt, io};

use crate::diagnostic::Error;

/// Bytes that a packed file may always unpack to.
const ALWAYS: u64 = 1 << 30;

/// Bytes that it may unpack to for each of its own; logs are packed a tenth of this tightly.
const RATIO: u64 = 500;

/// Bounds on reading files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReadLimits {
    /// Bytes that a packed file may unpack to. Without a number: a gigabyte, or 500 times its own bytes where that is
    /// more.
    pub max_decompressed: Option<u64>,
}

impl ReadLimits {
    /// Bytes that a packed file of `packed` bytes may unpack to.
    #[must_use]
    pub fn decompressed(self, compressed: u64) -> u64 {
        self.max_decompressed.unwrap_or_else(|| compressed.saturating_mul(RATIO).max(ALWAYS))
    }
}

/// The reason for which reading ends where a file unpacks to more than is allowed. It travels as an error of input, for
/// it is met below readers of packed bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DecompressionLimit {
    /// The bytes that are allowed.
    pub limit: u64,
}

impl DecompressionLimit {
    /// The reason that such an error of input carries.
    pub(crate) fn of(error: &io::Error) -> Option<Self> {
        error.get_ref()?.downcast_ref().copied()
    }

    /// The error of the run, which names the file.
    pub(crate) fn error(self, file: &str) -> Error {
        Error::Limit(format!(
            "{file}: {self}; nothing is answered from a part of it: raise --max-decompressed if it is not a bomb"
        ))
    }
}

impl fmt::Display for DecompressionLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "it unpacks to more than {} bytes, the limit", self.limit)
    }
}

impl std::error::Error for DecompressionLimit {}

impl From<DecompressionLimit> for io::Error {
    fn from(reason: DecompressionLimit) -> Self {
        Self::other(reason)
    }
}
