//! Determines from page headers how much memory the decompressed pages of a chunk need.
//!
//! The parquet crate allocates what a header claims, and a few bytes may decompress to gigabytes. So the headers of
//! pages are checked before the crate reads them.

use std::ops::Range;

use parquet::arrow::arrow_reader::RowSelection;
use parquet::file::metadata::{ColumnChunkMetaData, RowGroupMetaData};
use parquet::file::page_index::offset_index::PageLocation;

use super::input::ParquetInput;
use super::page_header::PageHeader;
use super::pages::chunk_range;
use super::reader::DamageReason;

/// Number of bytes that are read to parse a header. If the header is longer because of statistics, the next number is
/// tried.
const HEADER_BYTES: [u64; 3] = [256, 64 << 10, 16 << 20];

/// The sizes of those pages of a chunk that are read for some rows.
#[derive(Debug, Default)]
pub(super) struct PageSizes {
    /// The size in bytes of the largest page and of the dictionary together, because the dictionary stays in memory.
    pub largest: usize,
    /// For each data page, the number of its values and of its decompressed bytes.
    pages: Vec<(usize, usize)>,
}

impl PageSizes {
    /// Reads the page headers of a chunk: those of pages with selected rows if `locations` has the pages, otherwise
    /// all.
    pub fn read(
        input: &ParquetInput,
        chunk: &ColumnChunkMetaData,
        locations: &[PageLocation],
        selection: &RowSelection,
    ) -> Result<Self, DamageReason> {
        let (start, length) = chunk_range(chunk).ok_or("a column lies outside of the file")?;
        let end = start.saturating_add(length);
        let (mut sizes, mut dictionary, mut largest) = (Self::default(), 0, 0);
        let mut add = |header: &PageHeader| {
            let bytes = header.compressed.saturating_add(header.decompressed);
            if header.kind == PageHeader::DICTIONARY {
                dictionary = bytes;
            } else {
                largest = largest.max(bytes);
                sizes.pages.push((header.values, header.decompressed));
            }
        };
        let first = locations.first().and_then(|page| u64::try_from(page.offset).ok()).unwrap_or(end);
        walk(input, start..first, &mut add)?;
        for page in if locations.is_empty() { Vec::new() } else { selection.scan_ranges(locations) } {
            add(&header(input, page)?.0);
        }
        sizes.largest = dictionary.saturating_add(largest);
        Ok(sizes)
    }

    /// Returns the maximum number of bytes of the pages that have any `rows` consecutive rows.
    fn of_rows(&self, rows: usize) -> usize {
        let (mut from, mut values, mut bytes, mut most) = (0, 0_usize, 0_usize, 0);
        for (page_values, page_bytes) in &self.pages {
            (values, bytes) = (values.saturating_add(*page_values), bytes.saturating_add(*page_bytes));
            // The rows include at least one row of the first page.
            while from + 1 < self.pages.len() && values.saturating_sub(self.pages[from].0) + 1 >= rows.max(1) {
                let (first_values, first_bytes) = self.pages[from];
                if values == *page_values {
                    break;
                }
                (values, bytes, from) = (values - first_values, bytes - first_bytes, from + 1);
            }
            most = most.max(bytes);
        }
        most
    }
}

/// Returns the number of rows of a batch: `rows`, or fewer if their pages would take much more than `max_bytes`
/// together.
pub(super) fn batch_rows(sizes: &[PageSizes], mut rows: usize, max_bytes: usize) -> usize {
    let single: usize = sizes.iter().map(|sizes| sizes.of_rows(1)).fold(0, usize::saturating_add);
    let max_bytes = max_bytes.saturating_add(single);
    while rows > 1 && sizes.iter().map(|sizes| sizes.of_rows(rows)).fold(0, usize::saturating_add) > max_bytes {
        rows /= 2;
    }
    rows
}

/// Calls `each` with the headers of all pages in `range`.
fn walk(input: &ParquetInput, mut range: Range<u64>, each: &mut dyn FnMut(&PageHeader)) -> Result<(), DamageReason> {
    while range.start < range.end {
        let (header, length) = header(input, range.clone())?;
        each(&header);
        range.start = range.start.saturating_add(length).saturating_add(header.compressed as u64);
    }
    Ok(())
}

/// Reads the header at the start of `range`. Returns its length, too.
fn header(input: &ParquetInput, range: Range<u64>) -> Result<(PageHeader, u64), DamageReason> {
    let available = range.end.saturating_sub(range.start);
    let mut tried = 0;
    for most in HEADER_BYTES {
        let length = most.min(available);
        if length == tried {
            break;
        }
        tried = length;
        let mut bytes = Vec::new();
        input.read_into(range.start..range.start + length, &mut bytes).map_err(|error| error.to_string())?;
        let mut rest = &bytes[..];
        if let Some(header) = PageHeader::read(&mut rest) {
            return Ok((header, (bytes.len() - rest.len()) as u64));
        }
    }
    Err("the header of a page cannot be read".to_owned())
}

/// Returns the page sizes of `leaves` in a row group.
pub(super) fn of_leaves(
    input: &ParquetInput,
    group: &RowGroupMetaData,
    leaves: &[usize],
    locations: &dyn Fn(usize) -> Vec<PageLocation>,
    selection: &RowSelection,
) -> Result<Vec<PageSizes>, DamageReason> {
    let sizes = |&leaf: &usize| PageSizes::read(input, group.column(leaf), &locations(leaf), selection);
    leaves.iter().map(sizes).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_a_batch_are_fewer_where_pages_are_dense() {
        let of = |pages: &[(usize, usize)]| PageSizes { largest: 0, pages: pages.to_vec() };
        let sparse = of(&[(8_192, 1_000), (8_192, 1_000)]);
        assert_eq!(batch_rows(std::slice::from_ref(&sparse), 8_192, 10_000), 8_192);
        let dense = of(&[(8_192, 1_000), (1, 500_000), (1, 500_000), (1, 500_000), (8_192, 1_000)]);
        assert_eq!(batch_rows(&[sparse, dense], 8_192, 600_000), 2);
        let one_long = of(&[(8_192, 1_000), (1, 500_000)]);
        assert_eq!(batch_rows(&[one_long], 8_192, 2_000), 8_192);
    }
}
