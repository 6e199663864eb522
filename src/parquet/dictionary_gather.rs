//! Reads selected rows of dictionary-encoded column chunks.
//!
//! For such pages, the parquet crate decodes all rows into levels and buffers, which it allocates for each batch;
//! this takes most of the time of a query that reads few columns. Here, the pages are decompressed one by one into
//! the same buffer, and only the codes of the selected rows are unpacked. Everything else, and reporting damage, is
//! left to the crate.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{ArrayRef, DictionaryArray, Int32Array, Int64Array, StringArray};
use arrow::buffer::{Buffer, OffsetBuffer};
use arrow::compute;
use arrow::datatypes::DataType;
use parquet::arrow::arrow_reader::RowSelection;
use parquet::basic::{Compression, Type as PhysicalType};
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::page_index::offset_index::PageLocation;

use super::decompressor::{PageDecompressor, with_decompressor};
use super::file_columns::is_dictionary_only;
use super::input::ParquetInput;
use super::page_header::PageHeader;
use super::pages::chunk_range;
use super::rle::{RleDecoder, RleRun, unpack};

/// Maximum number of codes in memory, over all columns; they take 4 MiB.
pub(super) const MAX_ROWS: usize = 1 << 20;
/// Maximum size in bytes of a chunk that is read here.
const MAX_BYTES: u64 = 64 << 20;

/// Reads the strings of the dictionary of `chunk`, which is at `range` in the file; None if the parquet crate must
/// read it.
pub(super) fn dictionary(input: &ParquetInput, chunk: &ColumnChunkMetaData, range: Range<u64>) -> Option<StringArray> {
    with_decompressor(|decompressor, compressed| {
        input.read_into(range, compressed).ok()?;
        match DictionaryPage::read(&mut &compressed[..], decompressor, chunk)? {
            DictionaryPage::Strings(strings) => Some(strings),
            DictionaryPage::Numbers(_) => None,
        }
    })
}

/// A column chunk and its pages.
pub(super) struct ChunkPages<'a> {
    pub input: &'a ParquetInput,
    pub chunk: &'a ColumnChunkMetaData,
    /// The locations of the data pages, from the page index; empty if there is none.
    pub pages: &'a [PageLocation],
}

/// Returns the selected rows of a chunk as an array of type `ty`; None if the parquet crate must read them. `known`
/// are the strings of the dictionary, if they were read before.
pub(super) fn gather(
    source: &ChunkPages<'_>,
    known: Option<StringArray>,
    selection: &RowSelection,
    ty: &DataType,
) -> Option<ArrayRef> {
    if !is_simple(source.chunk, ty) || source.input.is_remote() {
        return None;
    }
    with_decompressor(|decompressor, compressed| {
        let mut wanted = SelectedRanges::new(selection);
        let first = source.read(wanted.span()?, compressed)?;
        let mut rest = &compressed[..];
        let dictionary = match known {
            Some(strings) => {
                let header = PageHeader::read(&mut rest)?;
                rest.split_off(..header.compressed)?;
                DictionaryPage::Strings(strings)
            }
            None => DictionaryPage::read(&mut rest, decompressor, source.chunk)?,
        };
        let mut codes = Vec::with_capacity(selection.row_count());
        gather_codes(rest, first, source.chunk, decompressor, &mut wanted, &mut codes)?;
        dictionary.at(codes, ty)
    })
}

/// Appends the codes of the selected rows to `codes`. `rest` are data pages; the first of them begins with row
/// `first`.
fn gather_codes(
    mut rest: &[u8],
    mut first: usize,
    chunk: &ColumnChunkMetaData,
    decompressor: &mut PageDecompressor,
    wanted: &mut SelectedRanges,
    codes: &mut Vec<i32>,
) -> Option<()> {
    let has_levels = chunk.column_descr().max_def_level() > 0;
    while let Some(next) = wanted.peek() {
        let header = PageHeader::read(&mut rest)?;
        let page = rest.split_off(..header.compressed)?;
        let rows = first..first + header.values;
        first = rows.end;
        if !matches!(header.kind, PageHeader::DATA | PageHeader::DATA_2) {
            return None;
        }
        if next < rows.end {
            if !header.is_intact(page) {
                return None;
            }
            let bytes = codes_of(&header, page, has_levels, decompressor, chunk.compression())?;
            gather_page(bytes, rows, wanted, codes)?;
        }
    }
    Some(())
}

/// True if the footer states that a chunk is dictionary-encoded, not nested, and has strings or 64-bit numbers.
fn is_simple(chunk: &ColumnChunkMetaData, ty: &DataType) -> bool {
    let column = chunk.column_descr();
    let fits = match ty {
        DataType::Dictionary(_, strings) => {
            **strings == DataType::Utf8 && chunk.column_type() == PhysicalType::BYTE_ARRAY
        }
        DataType::Int64 | DataType::Timestamp(..) => chunk.column_type() == PhysicalType::INT64,
        _ => false,
    };
    fits && is_dictionary_only(chunk) && column.max_rep_level() == 0 && column.max_def_level() <= 1
}

impl ChunkPages<'_> {
    /// Appends the bytes of the dictionary page, and of the data pages with the rows of `span`, to `compressed`.
    /// Returns the first row of these data pages.
    fn read(&self, span: Range<usize>, compressed: &mut Vec<u8>) -> Option<usize> {
        let Self { input, chunk, pages } = self;
        let (start, length) = chunk_range(chunk).filter(|(_, length)| *length <= MAX_BYTES)?;
        let end = start.checked_add(length)?;
        let Some(front) = pages.first() else {
            input.read_into(start..end, compressed).ok()?;
            return Some(0);
        };
        let row = |page: &PageLocation| usize::try_from(page.first_row_index).unwrap_or(usize::MAX);
        let offset = |page: &PageLocation| u64::try_from(page.offset).ok();
        let from = &pages[pages.partition_point(|page| row(page) <= span.start).checked_sub(1)?];
        let to = pages.get(pages.partition_point(|page| row(page) < span.end)).map_or(Some(end), offset)?;
        let (front, first) = (offset(front)?, offset(from)?);
        if !(start <= front && front <= first && first <= to && to <= end) {
            return None;
        }
        input.read_into(start..front, compressed).ok()?;
        input.read_into(first..to, compressed).ok()?;
        Some(row(from))
    }
}

/// The entries of a dictionary page.
enum DictionaryPage {
    Strings(StringArray),
    Numbers(Vec<i64>),
}

impl DictionaryPage {
    /// Reads the page at the start of `bytes`, and advances `bytes` to the end of the page.
    fn read(bytes: &mut &[u8], decompressor: &mut PageDecompressor, chunk: &ColumnChunkMetaData) -> Option<Self> {
        let header = PageHeader::read(bytes)?;
        let page = bytes.split_off(..header.compressed)?;
        let is_plain = matches!(header.encoding, PageHeader::PLAIN | PageHeader::PLAIN_DICTIONARY);
        if header.kind != PageHeader::DICTIONARY || !is_plain || !header.is_intact(page) {
            return None;
        }
        let page = decompressor.decompress(page, chunk.compression(), header.decompressed)?;
        if chunk.column_type() == PhysicalType::BYTE_ARRAY {
            return strings(page, header.values).map(Self::Strings);
        }
        let (numbers, rest) = page.as_chunks();
        let is_whole = rest.is_empty() && numbers.len() == header.values;
        is_whole.then(|| Self::Numbers(numbers.iter().map(|bytes| i64::from_le_bytes(*bytes)).collect()))
    }

    /// Returns an array of the entries at `codes`; None if a code is invalid.
    fn at(self, codes: Vec<i32>, ty: &DataType) -> Option<ArrayRef> {
        match self {
            Self::Strings(strings) => {
                let rows = DictionaryArray::try_new(Int32Array::from(codes), Arc::new(strings)).ok()?;
                Some(Arc::new(rows))
            }
            Self::Numbers(numbers) => {
                let number = |place: i32| numbers.get(usize::try_from(place).ok()?).copied();
                let rows = codes.into_iter().map(number).collect::<Option<Vec<i64>>>()?;
                compute::cast(&Int64Array::from(rows), ty).ok()
            }
        }
    }
}

/// Parses strings in the plain encoding, in which the length of each precedes it.
fn strings(mut page: &[u8], count: usize) -> Option<StringArray> {
    let mut bytes = Vec::with_capacity(page.len());
    let mut ends = vec![0];
    while let Some(length) = page.split_off(..4) {
        let length = u32::from_le_bytes(length.try_into().ok()?);
        bytes.extend_from_slice(page.split_off(..usize::try_from(length).ok()?)?);
        ends.push(i32::try_from(bytes.len()).ok()?);
    }
    if !page.is_empty() || ends.len() != count + 1 {
        return None;
    }
    StringArray::try_new(OffsetBuffer::new(ends.into()), Buffer::from(bytes), None).ok()
}

/// Returns the encoded dictionary codes of a page; None if a row is null.
fn codes_of<'a>(
    header: &PageHeader,
    page: &'a [u8],
    has_levels: bool,
    decompressor: &'a mut PageDecompressor,
    compression: Compression,
) -> Option<&'a [u8]> {
    if !matches!(header.encoding, PageHeader::RLE_DICTIONARY | PageHeader::PLAIN_DICTIONARY) {
        return None;
    }
    if header.kind == PageHeader::DATA {
        let mut decompressed = decompressor.decompress(page, compression, header.decompressed)?;
        if has_levels {
            let length = u32::from_le_bytes(decompressed.split_off(..4)?.try_into().ok()?);
            has_no_nulls(decompressed.split_off(..usize::try_from(length).ok()?)?, header.values)?;
        }
        return Some(decompressed);
    }
    let (levels, compressed) = page.split_at_checked(header.levels.0).filter(|_| header.levels.1 == 0)?;
    if has_levels {
        has_no_nulls(levels, header.values)?;
    }
    match header.is_uncompressed {
        true => Some(compressed),
        false => decompressor.decompress(compressed, compression, header.decompressed.checked_sub(levels.len())?),
    }
}

/// Returns `Some` if none of `count` rows is null, and None if one is.
fn has_no_nulls(levels: &[u8], count: usize) -> Option<()> {
    let (mut runs, mut passed) = (RleDecoder::new(levels, 1)?, 0);
    while passed < count {
        passed += match runs.next()? {
            RleRun::Repeated { number: 1, count } => count,
            RleRun::BitPacked { bytes, count } if bytes.iter().all(|byte| *byte == u8::MAX) => count,
            _ => return None,
        };
    }
    Some(())
}

/// Appends the codes of the selected rows of a page to `codes`. The page has the rows `rows`.
fn gather_page(mut bytes: &[u8], rows: Range<usize>, wanted: &mut SelectedRanges, codes: &mut Vec<i32>) -> Option<()> {
    let width = usize::from(*bytes.split_off_first()?);
    let (mut runs, mut first) = (RleDecoder::new(bytes, width)?, rows.start);
    while first < rows.end && wanted.peek().is_some_and(|next| next < rows.end) {
        let run = runs.next()?;
        let (RleRun::Repeated { count, .. } | RleRun::BitPacked { count, .. }) = run;
        let end = first.saturating_add(count).min(rows.end);
        while let Some(piece) = wanted.take_before(end) {
            match run {
                RleRun::Repeated { number, .. } => codes.extend(std::iter::repeat_n(number, piece.len())),
                RleRun::BitPacked { bytes, .. } => unpack(bytes, width, piece.start - first..piece.end - first, codes),
            }
        }
        first = end;
    }
    Some(())
}

/// The selected rows that have not been read yet.
struct SelectedRanges(VecDeque<Range<usize>>);

impl SelectedRanges {
    fn new(selection: &RowSelection) -> Self {
        let (mut ranges, mut first) = (VecDeque::new(), 0);
        for selector in selection.iter() {
            let end = first + selector.row_count;
            if !selector.skip && first < end {
                ranges.push_back(first..end);
            }
            first = end;
        }
        Self(ranges)
    }

    /// Returns the range from the first to the last of these rows.
    fn span(&self) -> Option<Range<usize>> {
        Some(self.0.front()?.start..self.0.back()?.end)
    }

    fn peek(&self) -> Option<usize> {
        self.0.front().map(|range| range.start)
    }

    /// Removes and returns the next consecutive rows before `end`; None if there are none.
    fn take_before(&mut self, end: usize) -> Option<Range<usize>> {
        let range = self.0.front_mut().filter(|range| range.start < end)?;
        let taken = range.start..range.end.min(end);
        range.start = taken.end;
        if range.start == range.end {
            self.0.pop_front();
        }
        Some(taken)
    }
}

#[cfg(test)]
#[path = "tests/dictionary_gather.rs"]
mod tests;
