//! What a file may cost, whoever made it.

use std::{fmt, io};

use crate::diagnostic::Error;

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

/// The reason for which reading ends where a file unpacks to more than is allowed. It travels as an error of input, for
/// it is met below readers of packed bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct UnpacksToMore {
    /// The bytes that are allowed.
    pub limit: u64,
}

impl UnpacksToMore {
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

impl fmt::Display for UnpacksToMore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "it unpacks to more than {} bytes, the limit", self.limit)
    }
}

impl std::error::Error for UnpacksToMore {}

impl From<UnpacksToMore> for io::Error {
    fn from(reason: UnpacksToMore) -> Self {
        Self::other(reason)
    }
}
