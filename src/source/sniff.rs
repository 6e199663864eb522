//! Detects from the first bytes of a file how it is compressed and encoded, and how its records are separated.

use std::io::Read;
use std::sync::Arc;

use crate::diagnostic::Result;
use crate::records;
use crate::records::{Framing, Opened, OpenedText, TextLayers};
use crate::scan::ScanReport;
use crate::storage::files::{DataFile, FileFormat};
use crate::storage::limits::ReadLimits;

/// Number of decompressed bytes that are examined.
const HEAD_BYTES: u64 = 64 << 10;

/// The format, encoding and compression of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileKind {
    /// `JSON Lines`, `JSON`, `CSV`, `Avro`, `Parquet`, `Arrow`, `zip archive`, or the reason why the file is not read.
    pub format: &'static str,
    /// The encoding of a text file; "" for other formats.
    pub encoding: &'static str,
    /// The compression of a text file, `none` if it is not compressed; "" for other formats. In Parquet and Arrow, each
    /// column is compressed separately.
    pub compression: &'static str,
}

impl FileKind {
    /// The result for a file that cannot be opened.
    pub const UNREADABLE: Self = Self { format: "unreadable", encoding: "", compression: "" };

    /// Examines the first bytes of `file`.
    ///
    /// # Errors
    /// The file cannot be opened or read.
    pub fn of(file: &DataFile) -> Result<Self> {
        if let Some(reason) = file.refused() {
            return Ok(Self { format: reason, encoding: "", compression: "" });
        }
        let other = |format: &'static str| Self { format, encoding: "", compression: "" };
        if file.format()? == FileFormat::Zip && file.is_plain() {
            return Ok(other("zip archive"));
        }
        // Damage inside the file is reported when it is read.
        let report = Arc::default();
        match records::open(file, file.open()?, Vec::new(), ReadLimits::default(), &report)? {
            Opened::Columns if file.format()? == FileFormat::Arrow => Ok(other("Arrow")),
            Opened::Columns => Ok(other("Parquet")),
            Opened::Refused(reason) => Ok(other(reason)),
            Opened::Text(text) => Self::of_text(file, text, &report),
        }
    }

    fn of_text(file: &DataFile, text: OpenedText, report: &ScanReport) -> Result<Self> {
        let mut head = Vec::new();
        let read = text.input.take(HEAD_BYTES).read_to_end(&mut head);
        let is_damaged = read.is_err() || report.has_lost(&file.name) || report.is_damaged(&file.name);
        if let Err(error) = read
            && error.raw_os_error().is_some()
        {
            return Err(file.failed(error));
        }
        file.check_remote()?;
        let format = match records::detect(&head, (head.len() as u64) < HEAD_BYTES) {
            Framing::Foreign(reason) => reason,
            // CSV without a readable row has no text.
            Framing::Empty if is_damaged => text.layers.container.unwrap_or("damaged"),
            Framing::Empty => "empty",
            Framing::Lines => text.layers.container.unwrap_or("JSON Lines"),
            Framing::Values => text.layers.container.unwrap_or("JSON"),
        };
        let TextLayers { compression, encoding, .. } = text.layers;
        Ok(Self { format, encoding, compression })
    }
}
