//! Fills in the checksums at the end of a Parquet file.
//!
//! The bytes after the row groups (bloom filters, page indexes and the footer) are held back until all of them were
//! written. The footer has room for checksums, which are filled in before these bytes go to the output.

use std::io::{self, Write};
use std::ops::Range;

use parquet::file::metadata::ParquetMetaData;

use crate::diagnostic::{Error, Result};
use crate::parquet::checksums::{Checksums, SEAL_DIGITS, TRAILER_BYTES, UNSEALED, footer_range};

/// An output whose last bytes can be held back.
pub(crate) struct Sealed<W> {
    output: W,
    /// Number of bytes that were written to `output`.
    written: u64,
    held: Option<Vec<u8>>,
}

impl<W: Write> Sealed<W> {
    pub fn new(output: W) -> Self {
        Self { output, written: 0, held: None }
    }

    /// Holds back everything that is written from now on.
    pub fn hold(&mut self) {
        self.held.get_or_insert_default();
    }

    /// Fills in the checksums of the bytes that were held back, and writes these bytes. `groups_end` is the offset in
    /// the file at which the row groups end; `checksums` are the checksums that the footer has so far.
    pub fn release(&mut self, metadata: &ParquetMetaData, groups_end: u64, mut checksums: Checksums) -> Result<&mut W> {
        let mut held = self.held.take().unwrap_or_default();
        let room = checksums.to_string();
        let at = |offset: u64| offset.checked_sub(self.written).and_then(|offset| usize::try_from(offset).ok());
        let section = |range: Range<u64>| held.get(at(range.start)?..at(range.end)?);
        let unknown = || Error::internal("the end of a Parquet file is not laid out as expected");
        checksums.sum_sections(metadata, &section).ok_or_else(unknown)?;
        let footer = footer_range(&held).ok_or_else(unknown)?;
        checksums.between =
            crc32fast::hash(held.get(at(groups_end).ok_or_else(unknown)?..footer.start).ok_or_else(unknown)?);
        let footer = &mut held[footer.start..];
        overwrite(footer, room.as_bytes(), checksums.to_string().as_bytes()).ok_or_else(unknown)?;
        let seal = format!("{UNSEALED}{:0SEAL_DIGITS$x}", crc32fast::hash(footer));
        let unsealed = format!("{UNSEALED}{:0SEAL_DIGITS$x}", 0);
        overwrite(footer, unsealed.as_bytes(), seal.as_bytes()).ok_or_else(unknown)?;
        debug_assert!(held.len() > TRAILER_BYTES);
        self.output.write_all(&held).map_err(|error| Error::io("the output", error))?;
        self.written += held.len() as u64;
        Ok(&mut self.output)
    }
}

/// Replaces the last occurrence of `old` by `new`, which must have the same length. Returns None if that is not
/// possible.
fn overwrite(bytes: &mut [u8], old: &[u8], new: &[u8]) -> Option<()> {
    let at = memchr::memmem::rfind(bytes, old)?;
    let place = bytes.get_mut(at..at + old.len()).filter(|place| place.len() == new.len())?;
    place.copy_from_slice(new);
    Some(())
}

impl<W: Write> Write for Sealed<W> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        if let Some(held) = &mut self.held {
            held.extend_from_slice(buffer);
            return Ok(buffer.len());
        }
        let count = self.output.write(buffer)?;
        self.written += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.held.is_some() { Ok(()) } else { self.output.flush() }
    }
}
