//! Adds checksums to the pages of the column chunks that are written.
//!
//! The parquet crate verifies checksums of pages, but it writes none. So the pages are kept here after they are
//! encoded, the checksum is added to their headers, and the sizes and offsets in the metadata of the chunk are
//! corrected.

use std::io::{self, Read};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use parquet::arrow::arrow_writer::ArrowColumnChunk;
use parquet::column::page_store::{PageKey, PageStore, PageStoreArgs, PageStoreFactory};
use parquet::column::writer::ColumnCloseResult;
use parquet::errors::ParquetError;
use parquet::file::reader::{ChunkReader, Length};

/// The pages of the chunks of one row group, by the position of the column.
#[derive(Clone, Debug, Default)]
pub(super) struct GroupPages(Arc<Mutex<Vec<SharedPages>>>);

type SharedPages = Arc<Mutex<BufferedPages>>;

/// The pages of one chunk: header and data of the first page, then of the second page, and so on.
#[derive(Debug, Default)]
struct BufferedPages {
    /// The header of the page whose data are written next.
    header: Option<Bytes>,
    dictionary: Vec<Bytes>,
    pages: Vec<Bytes>,
    /// For each data page, the number of bytes by which its header grew.
    growth: Vec<usize>,
    /// Number of bytes of all pages with their headers.
    bytes: usize,
    /// Number of bytes by which all headers together grew.
    grown: usize,
}

/// A complete chunk, and its metadata.
#[derive(Debug)]
pub(super) struct CheckedChunk {
    pub bytes: ChunkBytes,
    pub close: ColumnCloseResult,
}

impl GroupPages {
    /// Removes the pages of the last row group.
    pub fn clear(&self) {
        lock(&self.0).clear();
    }

    /// Returns the chunk of the column at `index`, after all of its pages were written.
    pub fn take(&self, index: usize, chunk: &ArrowColumnChunk) -> Result<CheckedChunk, ParquetError> {
        let pages = lock(&self.0).get(index).cloned();
        let pages = pages.ok_or_else(|| ParquetError::General("a chunk without pages".to_owned()))?;
        let pages = std::mem::take(&mut *lock(&pages));
        let mut close = chunk.close().clone();
        close.bytes_written += pages.grown as u64;
        let (compressed, uncompressed) = (close.metadata.compressed_size(), close.metadata.uncompressed_size());
        let grown = i64::try_from(pages.grown).unwrap_or(i64::MAX);
        let builder = close.metadata.into_builder().set_total_compressed_size(compressed + grown);
        close.metadata = builder.set_total_uncompressed_size(uncompressed + grown).build()?;
        if let Some(index) = &mut close.offset_index {
            let mut offset = 0;
            for (location, growth) in index.page_locations.iter_mut().zip(&pages.growth) {
                location.compressed_page_size += i32::try_from(*growth).unwrap_or(0);
                location.offset = offset;
                offset += i64::from(location.compressed_page_size);
            }
        }
        let dictionary = pages.dictionary.iter().map(Bytes::len).sum();
        let close = close.update_dictionary_location(dictionary)?;
        Ok(CheckedChunk { bytes: ChunkBytes([pages.dictionary, pages.pages].concat()), close })
    }
}

impl PageStoreFactory for GroupPages {
    fn create(&self, args: &PageStoreArgs<'_>) -> Result<Box<dyn PageStore>, ParquetError> {
        let mut chunks = lock(&self.0);
        let needed = args.column_index() + 1;
        if chunks.len() < needed {
            chunks.resize_with(needed, SharedPages::default);
        }
        Ok(Box::new(Store(Arc::clone(&chunks[args.column_index()]))))
    }
}

/// Receives the pages of one column.
struct Store(SharedPages);

impl PageStore for Store {
    fn put(&mut self, value: Bytes) -> Result<PageKey, ParquetError> {
        let mut chunk = lock(&self.0);
        match chunk.header.take() {
            None => chunk.header = Some(value),
            Some(header) => chunk.add(&header, value)?,
        }
        Ok(PageKey::new(0))
    }

    fn take(&mut self, _: PageKey) -> Result<Bytes, ParquetError> {
        Err(ParquetError::General("the pages of a chunk are taken together".to_owned()))
    }

    fn memory_size(&self) -> usize {
        lock(&self.0).bytes
    }
}

impl BufferedPages {
    fn add(&mut self, header: &Bytes, page: Bytes) -> Result<(), ParquetError> {
        let checked = with_checksum(header, crc32fast::hash(&page));
        let checked = checked.ok_or_else(|| ParquetError::General("a page header of an unknown layout".to_owned()))?;
        let growth = checked.len() - header.len();
        self.grown += growth;
        self.bytes += checked.len() + page.len();
        let pages = match is_dictionary(header) {
            true => &mut self.dictionary,
            false => {
                self.growth.push(growth);
                &mut self.pages
            }
        };
        pages.extend([checked, page]);
        Ok(())
    }
}

/// The header of a field of 32 bits in Thrift's compact protocol whose id follows that of the field before.
const NEXT_I32: u8 = 0x15;

/// True for the header of a dictionary page: its first field, the type of the page, is 2.
fn is_dictionary(header: &[u8]) -> bool {
    header.get(1) == Some(&4)
}

/// Returns the header with `checksum` as its fourth field; None if it does not begin with the first three fields, or
/// if it has a fourth.
fn with_checksum(header: &[u8], checksum: u32) -> Option<Bytes> {
    let mut rest = header;
    for _ in 0..3 {
        if *rest.split_off_first()? != NEXT_I32 {
            return None;
        }
        while rest.split_off_first()? & 0x80 != 0 {}
    }
    let (&next, behind) = rest.split_first()?;
    // The number of the next field is counted from the last one.
    let next = next.checked_sub(0x10).filter(|next| next >> 4 > 0)?;
    let mut checked = header[..header.len() - rest.len()].to_vec();
    checked.push(NEXT_I32);
    let number = checksum.cast_signed();
    let mut zigzag = ((number << 1) ^ (number >> 31)).cast_unsigned();
    while zigzag > 0x7f {
        checked.push(zigzag.to_le_bytes()[0] | 0x80);
        zigzag >>= 7;
    }
    checked.push(zigzag.to_le_bytes()[0]);
    checked.push(next);
    checked.extend_from_slice(behind);
    Some(checked.into())
}

/// The bytes of a chunk, page by page.
#[derive(Debug)]
pub(super) struct ChunkBytes(Vec<Bytes>);

impl ChunkBytes {
    /// Returns the parts of the chunk, in order.
    pub fn parts(&self) -> &[Bytes] {
        &self.0
    }
}

impl Length for ChunkBytes {
    fn len(&self) -> u64 {
        self.0.iter().map(|part| part.len() as u64).sum()
    }
}

impl ChunkReader for ChunkBytes {
    type T = PartsReader;

    /// Returns a reader of the chunk. A chunk can only be read from its start.
    fn get_read(&self, start: u64) -> Result<Self::T, ParquetError> {
        match start {
            0 => Ok(PartsReader { parts: self.0.clone().into_iter(), part: Bytes::new() }),
            _ => Err(ParquetError::General("a chunk is read from its start".to_owned())),
        }
    }

    fn get_bytes(&self, _: u64, _: usize) -> Result<Bytes, ParquetError> {
        Err(ParquetError::General("a chunk is read as a stream".to_owned()))
    }
}

/// Reads byte strings one after the other.
#[derive(Debug)]
pub(super) struct PartsReader {
    parts: std::vec::IntoIter<Bytes>,
    part: Bytes,
}

impl Read for PartsReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.part.is_empty() {
            match self.parts.next() {
                Some(part) => self.part = part,
                None => return Ok(0),
            }
        }
        let count = self.part.len().min(buffer.len());
        buffer[..count].copy_from_slice(&self.part.split_to(count));
        Ok(count)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
