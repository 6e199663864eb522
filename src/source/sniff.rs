//! What a file is, told by its first bytes: how it is packed, how its text is encoded, how records follow each other.

use std::io::Read;

use super::files::{Compression, DataFile, Format};
use super::framing::{self, Framing};
use crate::diagnostic::{Error, Result};

/// Bytes of unpacked text that are looked at.
const HEAD_BYTES: u64 = 64 << 10;

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileKind {
    /// `JSON Lines`, `JSON`, `Parquet`, or why it is not read.
    pub format: &'static str,
    /// Of text; "" for others.
    pub encoding: &'static str,
    /// How the whole file is packed; "" for Parquet, whose columns are packed one by one.
    pub compression: &'static str,
}

impl FileKind {
    /// Looks at the first bytes of `file`.
    ///
    /// # Errors
    /// The file cannot be opened or read.
    pub fn of(file: &DataFile) -> Result<Self> {
        if let Some(reason) = file.refused() {
            return Ok(Self { format: reason, encoding: "", compression: "" });
        }
        match file.format()? {
            Format::Parquet => Ok(Self { format: "Parquet", encoding: "", compression: "" }),
            Format::Unsupported(reason) => Ok(Self { format: reason, encoding: "", compression: "" }),
            Format::Text(compression) => Self::of_text(file, compression),
        }
    }

    fn of_text(file: &DataFile, compression: Compression) -> Result<Self> {
        let mut head = Vec::new();
        let read = framing::open(file, compression, 0)?.take(HEAD_BYTES).read_to_end(&mut head);
        if let Err(error) = read
            && error.raw_os_error().is_some()
        {
            return Err(Error::io(&file.path, error));
        }
        let format = match framing::detect(&head, (head.len() as u64) < HEAD_BYTES) {
            Framing::Lines => "JSON Lines",
            Framing::Values => "JSON",
            Framing::Empty => "empty",
            Framing::Foreign(reason) => reason,
        };
        let compression = match compression {
            Compression::None => "none",
            Compression::Gzip => "gzip",
            Compression::Zstd => "zstd",
        };
        Ok(Self { format, encoding: encoding(&head), compression })
    }
}

fn encoding(head: &[u8]) -> &'static str {
    match head {
        [0xef, 0xbb, 0xbf, ..] => "UTF-8 with BOM",
        [0xff, 0xfe, ..] => "UTF-16 LE",
        [0xfe, 0xff, ..] => "UTF-16 BE",
        [0, second, ..] if *second != 0 => "UTF-16 BE",
        [first, 0, ..] if *first != 0 => "UTF-16 LE",
        _ => "UTF-8",
    }
}
