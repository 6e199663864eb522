//! Checksums of the Parquet files that this program writes. Pages have their own checksums, which every reader
//! verifies. Two entries of the footer cover the rest of the file. [`CHECKSUMS_KEY`] has the checksums of each row
//! group, of the bytes between the row groups and the footer, and of each page index and bloom filter among these, so
//! that a query can verify what it reads. [`SEAL_KEY`] has the checksum of the footer itself, which is computed with
//! zeros in place of its own digits. All checksums are CRC-32, which detects damage but not forgery.

use std::fmt;
use std::ops::Range;

use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData, RowGroupMetaData};

use super::input::ParquetInput;
use super::pages::chunk_range;
use super::{ParquetFile, footer, reader};
use crate::scan::{Damage, ScanReport};

/// The key of the checksums of the parts of a file.
pub const CHECKSUMS_KEY: &str = "coldcase.checksums";
/// The key of the checksum of the footer.
pub const SEAL_KEY: &str = "coldcase.seal";
/// The value of [`SEAL_KEY`] before its digits.
pub const UNSEALED: &str = "crc32:";
/// Number of hexadecimal digits of a checksum.
pub const SEAL_DIGITS: usize = 8;
/// Number of bytes after the footer: its length and the magic bytes.
pub const TRAILER_BYTES: usize = 8;

/// Number of bytes that are read at once for verification.
const PIECE_BYTES: u64 = 8 << 20;

/// A part of a file that exists once for each column chunk, and has a checksum for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileSection {
    /// The statistics of the pages of the chunk.
    ColumnIndex,
    /// The offsets of the pages of the chunk.
    OffsetIndex,
    /// The bloom filter of the chunk.
    BloomFilter,
}

impl FileSection {
    const ALL: [Self; 3] = [Self::ColumnIndex, Self::OffsetIndex, Self::BloomFilter];

    /// Returns the byte range of the section in the file; None if the chunk has none.
    fn range(self, chunk: &ColumnChunkMetaData) -> Option<Range<u64>> {
        match self {
            Self::ColumnIndex => chunk.column_index_range(),
            Self::OffsetIndex => chunk.offset_index_range(),
            Self::BloomFilter => {
                let start = u64::try_from(chunk.bloom_filter_offset()?).ok()?;
                Some(start..start.checked_add(u64::try_from(chunk.bloom_filter_length()?).ok()?)?)
            }
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::ColumnIndex | Self::OffsetIndex => "page index",
            Self::BloomFilter => "bloom filter",
        }
    }
}

/// The checksums of the parts of a file. The length of their text depends only on the number of parts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checksums {
    /// The checksums of the row groups.
    pub groups: Vec<u32>,
    /// The checksum of the bytes between the row groups and the footer.
    pub between: u32,
    /// The checksums of the sections of each chunk, by row group and column; 0 for a missing section.
    sections: Vec<[u32; 3]>,
}

impl Checksums {
    /// Creates the checksums for row groups with `columns` columns; the other checksums are filled in later.
    #[must_use]
    pub fn of_groups(groups: Vec<u32>, columns: usize) -> Self {
        let sections = vec![[0; 3]; groups.len() * columns];
        Self { groups, between: 0, sections }
    }

    /// Computes the checksums of the sections. `bytes` returns the bytes of a range of the file; if it lacks a range,
    /// this function returns None.
    pub fn sum_sections<'a>(
        &mut self,
        metadata: &ParquetMetaData,
        bytes: &dyn Fn(Range<u64>) -> Option<&'a [u8]>,
    ) -> Option<()> {
        let chunks = metadata.row_groups().iter().flat_map(RowGroupMetaData::columns);
        for (sums, chunk) in self.sections.iter_mut().zip(chunks) {
            for (sum, section) in sums.iter_mut().zip(FileSection::ALL) {
                if let Some(range) = section.range(chunk) {
                    *sum = crc32fast::hash(bytes(range)?);
                }
            }
        }
        Some(())
    }

    fn parse(text: &str) -> Option<Self> {
        let sums = |text: &str| {
            let (digits, rest) = text.as_bytes().as_chunks::<SEAL_DIGITS>();
            let sum = |digits: &[u8; SEAL_DIGITS]| u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok();
            digits.iter().map(sum).collect::<Option<Vec<u32>>>().filter(|_| rest.is_empty())
        };
        let mut parts = text.split('|').map(sums);
        let (groups, between, sections) = (parts.next()??, parts.next()??, parts.next()??);
        let [between] = between[..] else { return None };
        let (sections, rest) = sections.as_chunks();
        (rest.is_empty() && parts.next().is_none()).then(|| Self { groups, between, sections: sections.to_vec() })
    }
}

impl fmt::Display for Checksums {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.groups.iter().try_for_each(|sum| write!(f, "{sum:08x}"))?;
        write!(f, "|{:08x}|", self.between)?;
        self.sections.iter().flatten().try_for_each(|sum| write!(f, "{sum:08x}"))
    }
}

/// Returns the range of the footer in `bytes`, which end where the file ends; None if they have no whole footer.
#[must_use]
pub fn footer_range(bytes: &[u8]) -> Option<Range<usize>> {
    let end = bytes.len().checked_sub(TRAILER_BYTES)?;
    let length = u32::from_le_bytes(bytes.get(end..end + 4)?.try_into().ok()?);
    Some(end.checked_sub(usize::try_from(length).ok()?)?..end)
}

/// Reads the checksums of a file and verifies its footer. Returns None for a file without checksums.
///
/// # Errors
/// The checksum of the footer does not match.
pub(super) fn read(input: &ParquetInput, bytes: u64, metadata: &ParquetMetaData) -> Result<Option<Checksums>, String> {
    let Some(seal) = footer::value(metadata, SEAL_KEY) else { return Ok(None) };
    let damaged = || "its checksum does not match: the file was damaged or changed after it was written".to_owned();
    let sum = seal.strip_prefix(UNSEALED).and_then(|digits| u32::from_str_radix(digits, 16).ok());
    let footer = footer_bytes(input, bytes).map_err(|e| e.to_string())?;
    let at = memchr::memmem::rfind(&footer, seal.as_bytes()).map(|at| at + UNSEALED.len()).ok_or_else(damaged)?;
    let mut hash = crc32fast::Hasher::new();
    hash.update(&footer[..at]);
    hash.update(&[b'0'; SEAL_DIGITS]);
    hash.update(footer.get(at + SEAL_DIGITS..).ok_or_else(damaged)?);
    if sum != Some(hash.finalize()) {
        return Err(damaged());
    }
    let checksums = footer::value(metadata, CHECKSUMS_KEY).and_then(Checksums::parse).ok_or_else(damaged)?;
    let columns: usize = metadata.row_groups().iter().map(RowGroupMetaData::num_columns).sum();
    let fits = checksums.groups.len() == metadata.num_row_groups() && checksums.sections.len() == columns;
    if fits { Ok(Some(checksums)) } else { Err(damaged()) }
}

/// Returns the footer of a file of `bytes` bytes, with the bytes after the footer.
fn footer_bytes(input: &ParquetInput, bytes: u64) -> std::io::Result<bytes::Bytes> {
    let trailer = input.read(bytes.saturating_sub(TRAILER_BYTES as u64)..bytes)?;
    let length = trailer.first_chunk().map_or(0, |length| u32::from_le_bytes(*length));
    input.read(bytes.saturating_sub(TRAILER_BYTES as u64 + u64::from(length))..bytes)
}

impl ParquetFile {
    /// True if the checksum of a section of a chunk matches `bytes`, or if there are no checksums. Otherwise, damage
    /// is reported.
    pub(super) fn is_intact(
        &self,
        section: FileSection,
        group: usize,
        leaf: usize,
        bytes: &[u8],
        report: &ScanReport,
    ) -> bool {
        let columns = self.metadata.row_group(group).num_columns();
        let sums = self.checksums.as_ref().and_then(|sums| sums.sections.get(group * columns + leaf));
        let is_intact = sums.is_none_or(|sums| sums[section as usize] == crc32fast::hash(bytes));
        if !is_intact {
            let column = self.metadata.row_group(group).column(leaf).column_path().string();
            report.damaged(Damage::ChecksumMismatch(format!("the {} of {column}", section.name())), &self.name, 1);
        }
        is_intact
    }

    /// Reads the whole file and verifies its checksums.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn verify(&self) -> std::io::Result<ChecksumResult> {
        let Some(checksums) = &self.checksums else { return Ok(ChecksumResult::NoChecksums) };
        let input = ParquetInput::open(&self.location)?;
        let mut damaged = Vec::new();
        let mut next = MAGIC.len() as u64;
        if *input.read(0..next.min(self.bytes))? != *MAGIC {
            damaged.push("the magic bytes at the start of the file".to_owned());
        }
        for (index, (group, sum)) in self.metadata.row_groups().iter().zip(&checksums.groups).enumerate() {
            let end =
                group.columns().iter().filter_map(chunk_range).map(|(start, length)| start.saturating_add(length));
            let end = end.max().unwrap_or(next);
            if end < next || end > self.bytes || hash(&input, next..end)? != *sum {
                damaged.push(format!("row group {index}"));
            }
            next = next.max(end);
        }
        let footer = self.bytes.saturating_sub(footer_bytes(&input, self.bytes)?.len() as u64);
        if footer < next || hash(&input, next..footer)? != checksums.between {
            damaged.push("page indexes or bloom filters".to_owned());
        }
        Ok(if damaged.is_empty() { ChecksumResult::Intact } else { ChecksumResult::Damaged(damaged) })
    }

    /// Returns the number of row groups of the file.
    #[must_use]
    pub fn row_groups(&self) -> usize {
        self.metadata.num_row_groups()
    }
}

/// The first bytes of a Parquet file.
const MAGIC: &[u8; 4] = b"PAR1";

/// The result of verifying the checksums of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChecksumResult {
    /// All checksums match.
    Intact,
    /// The checksums of these parts do not match.
    Damaged(Vec<String>),
    /// The file has no checksums.
    NoChecksums,
}

fn hash(input: &ParquetInput, range: Range<u64>) -> std::io::Result<u32> {
    let mut hash = crc32fast::Hasher::new();
    let mut start = range.start;
    while start < range.end {
        let end = range.end.min(start + PIECE_BYTES);
        hash.update(&input.read(start..end)?);
        start = end;
    }
    Ok(hash.finalize())
}

/// Like [`read`], but invalid data that makes the parquet crate panic becomes an error.
pub(super) fn read_guarded(
    input: &ParquetInput,
    bytes: u64,
    metadata: &ParquetMetaData,
) -> Result<Option<Checksums>, reader::DamageReason> {
    reader::guarded(|| read(input, bytes, metadata))
}

#[cfg(test)]
mod tests {
    use super::Checksums;

    #[test]
    fn checksums_are_texts_of_a_fixed_length() {
        let mut sums = Checksums::of_groups(vec![1, 0xdead_beef], 2);
        let empty = sums.to_string();
        sums.between = 7;
        sums.sections[3] = [1, 2, u32::MAX];
        let text = sums.to_string();
        assert_eq!((text.len(), Checksums::parse(&text)), (empty.len(), Some(sums)));
        for text in ["", "|", "0000000|00000000|", "|00000000|00000000", "|00000000||", "|0000000g|"] {
            assert_eq!(Checksums::parse(text), None, "{text}");
        }
        assert_eq!(Checksums::parse("|00000000|"), Some(Checksums::default()));
    }
}
