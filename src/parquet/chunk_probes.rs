//! Probes of column chunks: bloom filters, and the dictionaries of chunks in which every page is dictionary-encoded.
//! They rule out values that minimum and maximum cannot.

use std::cell::RefCell;
use std::ops::Range;

use arrow::array::{AsArray, BinaryArray, StringArray};
use arrow::datatypes::DataType;
use parquet::bloom_filter::Sbbf;
use parquet::file::metadata::ParquetMetaDataReader;

use super::bounds::Bounds;
use super::checksums::FileSection;
use super::dictionary_gather;
use super::file_columns::{FileColumn, StoredAs, is_dictionary_only};
use super::input::ParquetInput;
use super::page_header::PageHeader;
use super::prune::{PruningStatistics, RowGroupStatistics};
use super::reader::guarded;
use crate::scan::ScanReport;
use crate::types::{Type, Value};

/// The probes of one row group, which are read from the file when they are needed.
pub(super) struct ChunkProbes<'a> {
    pub statistics: RowGroupStatistics<'a>,
    /// The index of the row group in the file.
    pub group: usize,
    pub input: &'a ParquetInput,
    pub report: &'a ScanReport,
    /// The dictionaries that were read, each with its leaf column.
    pub dictionaries: RefCell<Vec<(usize, StringArray)>>,
}

impl ChunkProbes<'_> {
    /// Maximum size of a bloom filter or dictionary in the file, in bytes; larger ones cost more than they save.
    const MAX_BYTES: u64 = 4 << 20;
    /// Maximum size of a decompressed dictionary in bytes.
    const MAX_DECOMPRESSED: usize = 64 << 20;

    fn file_column(&self, column: usize) -> Option<&FileColumn> {
        self.statistics.mapping.file_column(self.statistics.file, column)
    }

    /// True if a byte range lies inside the file and is not too long to be read.
    fn is_readable(&self, start: i64, length: i64) -> bool {
        let end = start.checked_add(length).and_then(|end| u64::try_from(end).ok());
        let length = u64::try_from(length).unwrap_or(0);
        start >= 0
            && (1..=Self::MAX_BYTES).contains(&length)
            && end.is_some_and(|end| end <= self.statistics.file.bytes)
    }

    fn filter(&self, leaf: usize) -> Option<Sbbf> {
        let chunk = self.statistics.group.column(leaf);
        // Without its length, the crate would trust the length inside the filter and allocate that much.
        let (offset, length) = (chunk.bloom_filter_offset()?, chunk.bloom_filter_length()?);
        if !self.is_readable(offset, length.into()) {
            return None;
        }
        let start = u64::try_from(offset).ok()?;
        let bytes = self.input.read(start..start + u64::try_from(length).ok()?).ok()?;
        let file = self.statistics.file;
        if !file.is_intact(FileSection::BloomFilter, self.group, leaf, &bytes, self.report) {
            return None;
        }
        let read = || Sbbf::read_from_column_chunk(chunk, self.input).map_err(|e| e.to_string());
        guarded(read).ok().flatten().filter(|filter| filter.num_blocks() > 0)
    }

    /// True if the bloom filter of a column excludes a value; None if there is no filter that can tell.
    fn filter_lacks(&self, column: usize, value: &Value) -> Option<bool> {
        let column = self.file_column(column)?;
        let filter = self.filter(column.leaf()?)?;
        // The filter contains values as they are stored; null, which strings show as "", is not in it.
        let may_hold = match (&column.source, value) {
            (StoredAs::String, Value::String(text)) if !text.is_empty() => filter.check(text.as_bytes()),
            (StoredAs::Uuid, Value::Guid(bytes)) => filter.check(&bytes[..]),
            (StoredAs::Scalar(DataType::Int64), Value::Long(number)) => filter.check(number),
            (StoredAs::Scalar(DataType::Int32), Value::Int(number)) => filter.check(number),
            _ => return None,
        };
        Some(!may_hold)
    }

    /// Returns the leaf of a string column and the byte range of its dictionary, if every page of the chunk is
    /// dictionary-encoded.
    fn dictionary_of(&self, column: usize) -> Option<(usize, Range<u64>)> {
        let file_column = self.file_column(column)?;
        if file_column.source != StoredAs::String || self.statistics.mapping.ty(column) != Type::String {
            return None;
        }
        let leaf = file_column.leaf()?;
        let chunk = self.statistics.group.column(leaf);
        let start = chunk.dictionary_page_offset()?;
        let length = chunk.data_page_offset().checked_sub(start)?;
        if !is_dictionary_only(chunk) || !self.is_readable(start, length) {
            return None;
        }
        Some((leaf, u64::try_from(start).ok()?..u64::try_from(start + length).ok()?))
    }

    /// Returns the strings of a dictionary; None if the parquet crate must read it.
    fn strings(&self, leaf: usize, range: Range<u64>) -> Option<StringArray> {
        let mut dictionaries = self.dictionaries.borrow_mut();
        if let Some((_, texts)) = dictionaries.iter().find(|(of, _)| *of == leaf) {
            return Some(texts.clone());
        }
        let texts = dictionary_gather::dictionary(self.input, self.statistics.group.column(leaf), range)?;
        dictionaries.push((leaf, texts.clone()));
        Some(texts)
    }

    /// Returns the dictionary as the parquet crate reads it; None if it cannot be read.
    fn bytes(&self, leaf: usize, range: Range<u64>) -> Option<BinaryArray> {
        // The crate allocates as much as the header of the page claims.
        let mut bytes = Vec::new();
        self.input.read_into(range, &mut bytes).ok()?;
        PageHeader::read(&mut &bytes[..]).filter(|header| header.decompressed <= Self::MAX_DECOMPRESSED)?;
        let metadata = &self.statistics.file.metadata;
        let read = || ParquetMetaDataReader::read_column_dictionary(self.input, metadata, self.group, leaf);
        let dictionary = guarded(|| read().map_err(|e| e.to_string())).ok().flatten()?;
        dictionary.as_binary_opt::<i32>().cloned()
    }

    /// True if no string of the dictionary passes `test`; None if there is no usable dictionary.
    fn dictionary_lacks(&self, column: usize, test: &dyn Fn(&str) -> bool) -> Option<bool> {
        let (leaf, range) = self.dictionary_of(column)?;
        if let Some(texts) = self.strings(leaf, range.clone()) {
            return Some(!texts.iter().flatten().any(test));
        }
        // Bytes that are not UTF-8 are reported by the reader.
        Some(!self.bytes(leaf, range)?.iter().flatten().any(|bytes| std::str::from_utf8(bytes).map_or(true, test)))
    }
}

impl PruningStatistics for ChunkProbes<'_> {
    fn bounds(&self, column: usize) -> Bounds {
        self.statistics.bounds(column)
    }

    fn lacks(&self, column: usize, value: &Value) -> bool {
        let by_dictionary = || match value {
            Value::String(wanted) if !wanted.is_empty() => {
                self.dictionary_lacks(column, &|held| *held == **wanted).unwrap_or(false)
            }
            _ => false,
        };
        self.filter_lacks(column, value).unwrap_or_else(by_dictionary)
    }

    fn lacks_text(&self, column: usize, test: &dyn Fn(&str) -> bool) -> bool {
        self.dictionary_lacks(column, test).unwrap_or(false)
    }
}
