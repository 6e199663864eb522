//! What the chunks of a row group hold: bloom filters, and dictionaries where no value stands outside of them.

use std::cell::RefCell;
use std::ops::Range;

use arrow::array::{AsArray, BinaryArray, StringArray};
use arrow::datatypes::DataType;
use parquet::bloom_filter::Sbbf;
use parquet::file::metadata::ParquetMetaDataReader;

use super::bounds::Bounds;
use super::checksums::Section;
use super::dictionary_gather;
use super::file_columns::{FileColumn, Source, is_dictionary_only};
use super::input::Input;
use super::page_header::PageHeader;
use super::prune::{Evidence, RowGroupStatistics};
use super::reader::guarded;
use crate::scan::ScanReport;
use crate::types::{Type, Value};

/// The contents of one row group, read from the file as they are asked for.
pub(super) struct Contents<'a> {
    pub statistics: RowGroupStatistics<'a>,
    /// The position of the row group in the file.
    pub group: usize,
    pub input: &'a Input,
    pub report: &'a ScanReport,
    /// The dictionaries that were read, by leaf.
    pub dictionaries: RefCell<Vec<(usize, StringArray)>>,
}

impl Contents<'_> {
    /// Largest bloom filter or dictionary that is read, in bytes; larger ones cost more than they can save.
    const MAX_BYTES: u64 = 4 << 20;
    /// Largest dictionary when it is decompressed.
    const MAX_UNPACKED: usize = 64 << 20;

    fn file_column(&self, column: usize) -> Option<&FileColumn> {
        self.statistics.mapping.file_column(self.statistics.file, column)
    }

    /// Whether a range of bytes lies within the file and is short enough.
    fn is_readable(&self, start: i64, length: i64) -> bool {
        let end = start.checked_add(length).and_then(|end| u64::try_from(end).ok());
        let length = u64::try_from(length).unwrap_or(0);
        start >= 0
            && (1..=Self::MAX_BYTES).contains(&length)
            && end.is_some_and(|end| end <= self.statistics.file.bytes)
    }

    fn filter(&self, leaf: usize) -> Option<Sbbf> {
        let chunk = self.statistics.group.column(leaf);
        // Without its length, the crate would believe the length inside of the filter and reserve that much.
        let (offset, length) = (chunk.bloom_filter_offset()?, chunk.bloom_filter_length()?);
        if !self.is_readable(offset, length.into()) {
            return None;
        }
        let start = u64::try_from(offset).ok()?;
        let bytes = self.input.read(start..start + u64::try_from(length).ok()?).ok()?;
        let file = self.statistics.file;
        if !file.is_intact(Section::BloomFilter, (self.group, leaf), &bytes, self.report) {
            return None;
        }
        let read = || Sbbf::read_from_column_chunk(chunk, self.input).map_err(|e| e.to_string());
        guarded(read).ok().flatten().filter(|filter| filter.num_blocks() > 0)
    }

    /// Whether the filter of a column rules a value out; None where there is none, or it says nothing.
    fn filter_lacks(&self, column: usize, value: &Value) -> Option<bool> {
        let column = self.file_column(column)?;
        let filter = self.filter(column.leaf()?)?;
        // The filter holds values as they are stored; null, which a string shows as "", is not in it.
        let may_hold = match (&column.source, value) {
            (Source::Text, Value::String(text)) if !text.is_empty() => filter.check(text.as_bytes()),
            (Source::Uuid, Value::Guid(bytes)) => filter.check(&bytes[..]),
            (Source::Scalar(DataType::Int64), Value::Long(number)) => filter.check(number),
            (Source::Scalar(DataType::Int32), Value::Int(number)) => filter.check(number),
            _ => return None,
        };
        Some(!may_hold)
    }

    /// The leaf of a string column, and the range of its dictionary if every text is in it.
    fn dictionary_of(&self, column: usize) -> Option<(usize, Range<u64>)> {
        let file_column = self.file_column(column)?;
        if file_column.source != Source::Text || self.statistics.mapping.ty(column) != Type::String {
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

    /// The texts of a dictionary; null is not among them.
    fn texts(&self, leaf: usize, range: Range<u64>) -> Option<StringArray> {
        let mut dictionaries = self.dictionaries.borrow_mut();
        if let Some((_, texts)) = dictionaries.iter().find(|(of, _)| *of == leaf) {
            return Some(texts.clone());
        }
        let texts = dictionary_gather::dictionary(self.input, self.statistics.group.column(leaf), range)?;
        dictionaries.push((leaf, texts.clone()));
        Some(texts)
    }

    /// The same as the crate reads it.
    fn bytes(&self, leaf: usize, range: Range<u64>) -> Option<BinaryArray> {
        // The crate reserves as much as the header of the page claims.
        let mut bytes = Vec::new();
        self.input.read_into(range, &mut bytes).ok()?;
        PageHeader::read(&mut &bytes[..]).filter(|header| header.unpacked <= Self::MAX_UNPACKED)?;
        let metadata = &self.statistics.file.metadata;
        let read = || ParquetMetaDataReader::read_column_dictionary(self.input, metadata, self.group, leaf);
        let dictionary = guarded(|| read().map_err(|e| e.to_string())).ok().flatten()?;
        dictionary.as_binary_opt::<i32>().cloned()
    }

    /// Whether no text of the dictionary may pass; None where there is no dictionary that can tell.
    fn dictionary_lacks(&self, column: usize, test: &dyn Fn(&str) -> bool) -> Option<bool> {
        let (leaf, range) = self.dictionary_of(column)?;
        if let Some(texts) = self.texts(leaf, range.clone()) {
            return Some(!texts.iter().flatten().any(test));
        }
        // Bytes that are no text are the reader's to complain about.
        Some(!self.bytes(leaf, range)?.iter().flatten().any(|bytes| std::str::from_utf8(bytes).map_or(true, test)))
    }
}

impl Evidence for Contents<'_> {
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
