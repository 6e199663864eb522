//! Reads a few rows of large pages.
//!
//! Some writers put a whole chunk into one page, and the parquet crate decompresses whole pages. Here, a page of
//! plain values is decompressed in small steps up to the last selected row, and other rows are skipped. Everything
//! else, and reporting damage, is left to the crate.

use std::io::{BufRead, BufReader, Read};
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Builder, StringViewBuilder};
use arrow::compute;
use arrow::datatypes::DataType;
use parquet::arrow::arrow_reader::RowSelection;
use parquet::basic::{Compression, Type as PhysicalType};
use parquet::file::metadata::ColumnChunkMetaData;

use super::input::ParquetInput;
use super::page_header::PageHeader;
use super::pages::chunk_range;
use super::rle::{RleDecoder, RleRun};

/// Number of bytes that are decompressed at once.
const BUFFER: usize = 64 << 10;
/// Maximum size in bytes of the strings in the selected rows of a chunk.
const MAX_GATHERED: u64 = 32 << 20;
/// Maximum size in bytes of a chunk that is read here.
const MAX_BYTES: u64 = 64 << 20;

/// Returns the selected rows of a chunk as an array of type `ty`; None if the parquet crate must read them.
pub(super) fn read_selected(
    input: &ParquetInput,
    chunk: &ColumnChunkMetaData,
    selection: &RowSelection,
    ty: &DataType,
) -> Option<ArrayRef> {
    if !is_simple(chunk, ty) || input.is_remote() {
        return None;
    }
    let (start, length) = chunk_range(chunk).filter(|(_, length)| *length <= MAX_BYTES)?;
    let bytes = input.read(start..start.checked_add(length)?).ok()?;
    let mut wanted = SelectedRows::new(selection);
    let mut gathered = GatheredValues::new(ty, selection.row_count());
    let has_nulls = chunk.column_descr().max_def_level() > 0;
    let (mut rest, mut first) = (&bytes[..], 0);
    while let Some(next) = wanted.peek() {
        let header = PageHeader::read(&mut rest)?;
        let page = rest.get(..header.compressed)?;
        rest = &rest[header.compressed..];
        let end = first + header.values;
        if next < end {
            DecompressingPage::open(&header, page, has_nulls)?.read_selected(first..end, &mut wanted, &mut gathered)?;
        } else if !matches!(header.kind, PageHeader::DATA | PageHeader::DATA_2) {
            return None;
        }
        first = end;
    }
    gathered.finish(ty)
}

/// True if the footer states that a chunk has plain values, is compressed with Zstandard, and is not nested.
fn is_simple(chunk: &ColumnChunkMetaData, ty: &DataType) -> bool {
    let column = chunk.column_descr();
    let fits = match ty {
        DataType::Utf8View => chunk.column_type() == PhysicalType::BYTE_ARRAY,
        DataType::Int64 | DataType::Timestamp(..) => chunk.column_type() == PhysicalType::INT64,
        _ => false,
    };
    fits && matches!(chunk.compression(), Compression::ZSTD(_))
        && chunk.dictionary_page_offset().is_none()
        && column.max_rep_level() == 0
        && column.max_def_level() <= 1
}

/// The numbers of the selected rows, sorted; those before `at` were read.
struct SelectedRows {
    rows: Vec<usize>,
    at: usize,
}

impl SelectedRows {
    fn new(selection: &RowSelection) -> Self {
        let (mut rows, mut first) = (Vec::with_capacity(selection.row_count()), 0);
        for selector in selection.iter() {
            if !selector.skip {
                rows.extend(first..first + selector.row_count);
            }
            first += selector.row_count;
        }
        Self { rows, at: 0 }
    }

    fn peek(&self) -> Option<usize> {
        self.rows.get(self.at).copied()
    }

    /// Returns the last selected row before `end` that was not read; None if there is none.
    fn last_before(&self, end: usize) -> Option<usize> {
        let rest = self.rows.get(self.at..)?;
        rest.partition_point(|row| *row < end).checked_sub(1).map(|place| rest[place])
    }

    /// Returns true, and counts the row as read, if `row` is the next selected row.
    fn take(&mut self, row: usize) -> bool {
        let is_next = self.peek() == Some(row);
        self.at += usize::from(is_next);
        is_next
    }
}

/// The values of the selected rows that were read.
enum GatheredValues {
    Strings(StringViewBuilder),
    Numbers(Int64Builder),
}

impl GatheredValues {
    fn new(ty: &DataType, rows: usize) -> Self {
        match ty {
            DataType::Utf8View => Self::Strings(StringViewBuilder::with_capacity(rows)),
            _ => Self::Numbers(Int64Builder::with_capacity(rows)),
        }
    }

    fn push_null(&mut self) {
        match self {
            Self::Strings(builder) => builder.append_null(),
            Self::Numbers(builder) => builder.append_null(),
        }
    }

    /// Skips the next `count` values of a page.
    fn skip(&self, page: &mut impl BufRead, count: usize) -> Option<()> {
        match self {
            Self::Strings(_) => (0..count).try_for_each(|_| {
                let length = u32::from_le_bytes(take(page)?);
                skip(page, length.into())
            }),
            Self::Numbers(_) => skip(page, 8 * count as u64),
        }
    }

    /// Appends the next value of a page.
    fn push(&mut self, page: &mut impl BufRead) -> Option<()> {
        match self {
            Self::Strings(builder) => {
                let length = u64::from(u32::from_le_bytes(take(page)?));
                if length.saturating_add(builder.allocated_size() as u64) > MAX_GATHERED {
                    return None;
                }
                let mut text = Vec::new();
                page.take(length).read_to_end(&mut text).ok()?;
                let text = std::str::from_utf8(&text).ok().filter(|text| text.len() as u64 == length)?;
                builder.try_append_value(text).ok()
            }
            Self::Numbers(builder) => {
                builder.append_value(i64::from_le_bytes(take(page)?));
                Some(())
            }
        }
    }

    fn finish(self, ty: &DataType) -> Option<ArrayRef> {
        match self {
            Self::Strings(mut builder) => Some(Arc::new(builder.finish())),
            Self::Numbers(mut builder) => compute::cast(&builder.finish(), ty).ok(),
        }
    }
}

/// A page whose values are decompressed while they are read.
struct DecompressingPage<R> {
    values: R,
    /// The encoded definition levels, which tell which rows are null; None if no row is null.
    levels: Option<Vec<u8>>,
}

impl<'a> DecompressingPage<BufReader<PageBytes<'a>>> {
    fn open(header: &PageHeader, page: &'a [u8], has_nulls: bool) -> Option<Self> {
        if header.encoding != PageHeader::PLAIN || !header.is_intact(page) {
            return None;
        }
        let (front, rest) = match header.kind {
            PageHeader::DATA => (None, page),
            PageHeader::DATA_2 if header.levels.1 == 0 => {
                (Some(page.get(..header.levels.0)?), page.get(header.levels.0..)?)
            }
            _ => return None,
        };
        let decompressed = header.decompressed.checked_sub(front.map_or(0, <[u8]>::len))?;
        let unpacking: PageBytes<'a> = match header.is_uncompressed {
            true => Box::new(rest),
            false => Box::new(zstd::stream::read::Decoder::with_buffer(rest).ok()?.take(decompressed as u64)),
        };
        let mut values = BufReader::with_capacity(BUFFER, unpacking);
        let levels = match front {
            Some(levels) => has_nulls.then(|| levels.to_vec()),
            None if has_nulls => {
                let length = u64::from(u32::from_le_bytes(take(&mut values)?));
                let mut levels = Vec::new();
                (&mut values).take(length).read_to_end(&mut levels).ok()?;
                Some(levels)
            }
            None => None,
        };
        Some(Self { values, levels })
    }
}

/// The decompressed values of a page.
type PageBytes<'a> = Box<dyn Read + 'a>;

impl<R: BufRead> DecompressingPage<R> {
    /// Appends the values of the selected rows to `gathered`. The page has the rows `rows`.
    fn read_selected(
        mut self,
        rows: std::ops::Range<usize>,
        wanted: &mut SelectedRows,
        gathered: &mut GatheredValues,
    ) -> Option<()> {
        let last = wanted.last_before(rows.end)?;
        let is_there = match &self.levels {
            Some(levels) => Some(bits(levels, last + 1 - rows.start)?),
            None => None,
        };
        let mut passed = 0;
        for row in rows.start..=last {
            let is_there = is_there.as_ref().is_none_or(|is_there| is_there[row - rows.start]);
            match (wanted.take(row), is_there) {
                (true, true) => {
                    gathered.skip(&mut self.values, std::mem::take(&mut passed))?;
                    gathered.push(&mut self.values)?;
                }
                (true, false) => gathered.push_null(),
                (false, _) => passed += usize::from(is_there),
            }
        }
        Some(())
    }
}

/// Decodes the first `count` levels, each of one bit.
fn bits(bytes: &[u8], count: usize) -> Option<Vec<bool>> {
    let mut runs = RleDecoder::new(bytes, 1)?;
    let mut bits = Vec::with_capacity(count.min(1 << 20));
    while bits.len() < count {
        let left = count - bits.len();
        match runs.next()? {
            RleRun::Repeated { number, count } => bits.extend(std::iter::repeat_n(number & 1 == 1, count.min(left))),
            RleRun::BitPacked { bytes, .. } => {
                let decompressed = bytes.iter().flat_map(|byte| (0..8).map(move |bit| byte >> bit & 1 == 1));
                bits.extend(decompressed.take(left));
            }
        }
    }
    Some(bits)
}

fn take<const N: usize>(page: &mut impl Read) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    page.read_exact(&mut bytes).ok()?;
    Some(bytes)
}

fn skip(page: &mut impl BufRead, bytes: u64) -> Option<()> {
    let mut left = usize::try_from(bytes).ok()?;
    while left > 0 {
        let passed = page.fill_buf().ok()?.len().min(left);
        if passed == 0 {
            return None;
        }
        page.consume(passed);
        left -= passed;
    }
    Some(())
}

#[cfg(test)]
#[path = "tests/sparse_pages.rs"]
mod tests;
