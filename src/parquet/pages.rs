//! The page index: the locations of the pages of a chunk, and which of them cannot contain matching rows.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use parquet::arrow::arrow_reader::RowSelection;
use parquet::file::metadata::page_index::{PageIndex, PageIndexBuilder};
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData, RowGroupMetaData};
use parquet::file::page_index::column_index::ColumnIndexMetaData;
use parquet::file::page_index::index_reader::{decode_column_index, decode_offset_index};
use parquet::file::page_index::offset_index::{OffsetIndexMetaData, PageLocation};

use super::bounds::{Bounds, BoundsReader};
use super::checksums::FileSection;
use super::input::ParquetInput;
use super::prune::{PruningStatistics, may_match};
use super::reader::{RowGroupRead, guarded};
use super::{ColumnMapping, ParquetFile};
use crate::scan::{Predicate, ScanReport};

/// A row group of a file, and the mapping of the file's columns to those of the table.
#[derive(Clone, Copy)]
pub(super) struct MappedRowGroup<'a> {
    pub file: &'a ParquetFile,
    pub mapping: &'a ColumnMapping,
    /// The index of the row group in the file.
    pub index: usize,
}

/// The page index of one row group, as far as it is needed and valid.
pub(super) struct RowGroupPageIndex<'a> {
    file: &'a ParquetFile,
    mapping: &'a ColumnMapping,
    rows: usize,
    offsets: Vec<(usize, OffsetIndexMetaData)>,
    statistics: Vec<(usize, ColumnIndexMetaData)>,
}

impl<'a> RowGroupPageIndex<'a> {
    /// Reads the page locations of `leaves` in a row group, and the page statistics of the columns of `predicates`.
    pub fn read(
        MappedRowGroup { file, mapping, index }: MappedRowGroup<'a>,
        input: &ParquetInput,
        report: &ScanReport,
        leaves: &[usize],
        predicates: &[Predicate],
    ) -> Self {
        let group = file.metadata.row_group(index);
        let is_intact = |section, leaf, bytes: &Bytes| file.is_intact(section, index, leaf, bytes, report);
        let rows = usize::try_from(group.num_rows()).unwrap_or(0);
        let mut pages = Self { file, mapping, rows, offsets: Vec::new(), statistics: Vec::new() };
        let spoken_of: Vec<usize> = predicates
            .iter()
            .flat_map(Predicate::columns)
            .filter_map(|column| mapping.file_column(file, column)?.leaf())
            .collect();
        for &leaf in leaves {
            let Some(offsets) = read_offsets(file, input, group, leaf, &is_intact) else { continue };
            if spoken_of.contains(&leaf)
                && let Some(statistics) = read_statistics(file, input, group, leaf, &is_intact)
                && usize::try_from(statistics.num_pages()) == Ok(offsets.page_locations().len())
            {
                pages.statistics.push((leaf, statistics));
            }
            pages.offsets.push((leaf, offsets));
        }
        pages
    }

    /// Returns the rows that may fulfil all predicates; None if these are all rows.
    pub fn select(&self, predicates: &[Predicate]) -> Option<RowSelection> {
        let selections = predicates.iter().filter_map(|predicate| self.rows_of(predicate));
        selections.reduce(|one, other| one.intersection(&other))
    }

    fn rows_of(&self, predicate: &Predicate) -> Option<RowSelection> {
        match predicate {
            Predicate::All(list) => self.select(list),
            Predicate::Any(list) => {
                let selections: Option<Vec<_>> = list.iter().map(|predicate| self.rows_of(predicate)).collect();
                selections?.into_iter().reduce(|one, other| one.union(&other))
            }
            Predicate::Compare { column, .. }
            | Predicate::OneOf { column, .. }
            | Predicate::Contains { column, .. } => self.rows_of_column(predicate, *column),
        }
    }

    fn rows_of_column(&self, predicate: &Predicate, column: usize) -> Option<RowSelection> {
        let file_column = self.mapping.file_column(self.file, column)?;
        let leaf = file_column.leaf()?;
        let reader = BoundsReader::new(&self.file.metadata, file_column, self.mapping.ty(column))?;
        let statistics = find(&self.statistics, leaf)?;
        let starts = find(&self.offsets, leaf)?.page_locations();
        let kept = (0..starts.len())
            .filter(|&page| may_match(predicate, &PageStatistics { bounds: reader.page(statistics, page) }));
        let range = |page: usize| {
            let first = |start: &PageLocation| usize::try_from(start.first_row_index).unwrap_or(self.rows);
            let row = |page: usize| starts.get(page).map_or(self.rows, first);
            row(page)..row(page + 1)
        };
        Some(RowSelection::from_consecutive_ranges(kept.map(range), self.rows))
    }

    /// Returns the page locations in the form that the reader of the parquet crate expects.
    pub fn into_index(self, columns: usize) -> Arc<PageIndex> {
        let mut builder = PageIndexBuilder::new(1, columns);
        for (leaf, offsets) in self.offsets {
            builder.put_offset_index(offsets, 0, leaf);
        }
        Arc::new(builder.build())
    }
}

fn find<T>(list: &[(usize, T)], leaf: usize) -> Option<&T> {
    list.iter().find(|(of, _)| *of == leaf).map(|(_, value)| value)
}

/// The statistics of one page of the column of a predicate.
struct PageStatistics {
    bounds: Bounds,
}

impl PruningStatistics for PageStatistics {
    fn bounds(&self, _: usize) -> Bounds {
        self.bounds.clone()
    }
}

/// Returns the byte ranges of the page index of a chunk; those that are too long are left out.
pub(super) fn index_ranges(chunk: &ColumnChunkMetaData) -> impl Iterator<Item = Range<u64>> {
    let ranges = [chunk.column_index_range(), chunk.offset_index_range()];
    ranges.into_iter().flatten().filter(|range| range.end.saturating_sub(range.start) <= MAX_BYTES)
}

/// Returns the offset of the first byte of a chunk and its length. Returns None if the footer is invalid; the
/// function of the parquet crate would panic then.
pub(super) fn chunk_range(chunk: &ColumnChunkMetaData) -> Option<(u64, u64)> {
    let start = chunk.dictionary_page_offset().unwrap_or(chunk.data_page_offset());
    Some((u64::try_from(start).ok()?, u64::try_from(chunk.compressed_size()).ok()?))
}

/// Returns the byte ranges that the reader of the only row group of `metadata` will read: the dictionary and the
/// pages of selected rows if there is a page index, otherwise whole chunks.
pub(super) fn wanted_ranges(metadata: &ParquetMetaData, wanted: &RowGroupRead) -> Vec<Range<u64>> {
    let group = metadata.row_group(0);
    let index = metadata.page_index_for_row_group(0);
    let mut ranges = Vec::new();
    for &leaf in &wanted.leaves {
        let Some((start, length)) = chunk_range(group.column(leaf)) else { continue };
        let pages = index.offset_index(leaf).map_or(&[][..], |index| index.page_locations());
        match pages.first().map(|page| u64::try_from(page.offset)) {
            Some(Ok(first)) => {
                ranges.push(start..first.max(start));
                ranges.extend(wanted.selection.scan_ranges(pages));
            }
            _ => ranges.push(start..start.saturating_add(length)),
        }
    }
    ranges
}

/// Maximum length in bytes of each part of the page index of a chunk.
const MAX_BYTES: u64 = 16 << 20;

fn read_range(file: &ParquetFile, input: &ParquetInput, range: Option<Range<u64>>) -> Option<Bytes> {
    let range = range.filter(|range| range.start < range.end && range.end <= file.bytes)?;
    if range.end - range.start > MAX_BYTES { None } else { input.read(range).ok() }
}

fn read_statistics(
    file: &ParquetFile,
    input: &ParquetInput,
    group: &RowGroupMetaData,
    leaf: usize,
    is_intact: &dyn Fn(FileSection, usize, &Bytes) -> bool,
) -> Option<ColumnIndexMetaData> {
    let chunk = group.column(leaf);
    let bytes = read_range(file, input, chunk.column_index_range())?;
    if !is_intact(FileSection::ColumnIndex, leaf, &bytes) {
        return None;
    }
    guarded(|| decode_column_index(&bytes, chunk.column_type()).map_err(|e| e.to_string())).ok()
}

/// Reads the page locations of a chunk. Locations that do not fit the chunk are not used, because the reader would
/// trust them and return rows of the wrong pages.
fn read_offsets(
    file: &ParquetFile,
    input: &ParquetInput,
    group: &RowGroupMetaData,
    leaf: usize,
    is_intact: &dyn Fn(FileSection, usize, &Bytes) -> bool,
) -> Option<OffsetIndexMetaData> {
    let chunk = group.column(leaf);
    let bytes = read_range(file, input, chunk.offset_index_range())?;
    if !is_intact(FileSection::OffsetIndex, leaf, &bytes) {
        return None;
    }
    // The crate allocates memory for as many pages as the list claims to have.
    if claimed_pages(&bytes)? > bytes.len() as u64 {
        return None;
    }
    let index = guarded(|| decode_offset_index(&bytes).map_err(|e| e.to_string())).ok()?;
    let (start, length) = chunk_range(chunk)?;
    let pages = index.page_locations();
    let inside = pages.iter().all(|page| {
        let first = u64::try_from(page.offset).unwrap_or(0);
        let size = u64::try_from(page.compressed_page_size).unwrap_or(u64::MAX);
        start <= first && first.checked_add(size).is_some_and(|end| end <= start.saturating_add(length))
    });
    let rising = pages
        .windows(2)
        .all(|pair| pair[0].first_row_index < pair[1].first_row_index && pair[0].offset < pair[1].offset);
    let within = pages.first().is_some_and(|page| page.first_row_index == 0)
        && pages.last().is_some_and(|page| page.first_row_index < group.num_rows());
    (inside && rising && within).then_some(index)
}

/// Returns the number of pages that an offset index claims to have; None if it is too short. It is the length of the
/// list at its start: in Thrift's compact protocol a field header, a list header, and for fifteen or more pages a
/// varint.
fn claimed_pages(bytes: &[u8]) -> Option<u64> {
    let header = bytes.get(1)? >> 4;
    if header < 15 {
        return Some(u64::from(header));
    }
    let mut claimed = 0;
    for (place, byte) in bytes.get(2..)?.iter().take(5).enumerate() {
        claimed |= u64::from(byte & 0x7f) << (7 * place);
        if byte & 0x80 == 0 {
            return Some(claimed);
        }
    }
    None
}
