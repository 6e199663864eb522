//! The tables of `externaldata`: files whose format and columns the query declares. Records of Avro are read as JSON.
//!
//! Such files are small lists, so each is read as a whole. The format is the one that the query names, or that the
//! extension implies; it is not detected. Source: the reference's page on ingestion formats.

mod delimited;
mod json;
mod values;

use std::sync::Arc;

use self::delimited::{DelimitedRows, escaped_cells};
use self::json::JsonObjects;
use self::values::RowBuilder;
use super::file_table::FileTable;
use super::text::RecordSelection;
use crate::diagnostic::{Error, Result};
use crate::records::{AvroContent, whole_text};
use crate::scan::memory::select;
use crate::scan::{
    BatchIterator, ExternalColumn, ExternalFormat, ExternalSource, Partition, ScanRequest, ScanReservation,
    TableProvider,
};
use crate::storage::counters::ScanCount;
use crate::storage::file_id::unique_files;
use crate::storage::files::{DataFile, FileFormat};
use crate::storage::limits::ReadLimits;
use crate::storage::listing::{DiscoveryNote, Listing};
use crate::storage::zip_archive;
use crate::types::dynamic::Step;
use crate::types::{Batch, Schema};

/// Returns the table that `source` declares over `files`.
///
/// # Errors
/// A zip archive cannot be opened, or a file is not Parquet although the query says so.
pub fn external_table(
    source: &ExternalSource,
    name: String,
    files: Listing,
    limits: ReadLimits,
) -> Result<Arc<dyn TableProvider>> {
    let named = unique_files(files);
    let mut listed = zip_archive::expand(&named.files, limits)?;
    listed.notes.extend(named.notes);
    if source.format != ExternalFormat::Parquet {
        return Ok(Arc::new(ExternalTable { source: source.clone(), listed, limits }));
    }
    for file in &listed.files {
        if file.format()? != FileFormat::Parquet {
            let reason = "it is not a Parquet file, as the query says".to_owned();
            return Err(Error::Data { file: file.name.clone(), place: None, reason });
        }
    }
    let rows = RecordSelection::AnyObjects(source.columns.clone());
    Ok(Arc::new(FileTable::new(name, listed.files.into(), rows, limits).with_notes(listed.notes.into())))
}

/// The text files of an `externaldata` operator.
#[derive(Debug)]
struct ExternalTable {
    source: ExternalSource,
    listed: Listing,
    limits: ReadLimits,
}

impl TableProvider for ExternalTable {
    fn schema(&self) -> &Schema {
        &self.source.columns
    }

    fn scan(&self, request: &ScanRequest) -> Result<Vec<Arc<dyn Partition>>> {
        self.listed.notes.iter().for_each(|note: &DiscoveryNote| request.report.discovered(note));
        let partition = |file: &DataFile| {
            let (source, file, limits) = (self.source.clone(), file.clone(), self.limits);
            Arc::new(ExternalPartition { source, file, limits, request: request.clone() }) as Arc<dyn Partition>
        };
        Ok(self.listed.files.iter().map(partition).collect())
    }

    fn describe(&self) -> String {
        let (files, bytes) = self.extent();
        format!("{files} files ({bytes} bytes)")
    }

    fn extent(&self) -> (u64, u64) {
        let bytes = self.listed.files.iter().map(|file| file.bytes).fold(0, u64::saturating_add);
        (self.listed.files.len() as u64, bytes)
    }
}

/// A partition that reads one file.
#[derive(Debug)]
struct ExternalPartition {
    source: ExternalSource,
    file: DataFile,
    limits: ReadLimits,
    request: ScanRequest,
}

impl ExternalPartition {
    /// Returns the fields that are read of Avro containers; None for other formats.
    fn avro(&self) -> Option<AvroContent> {
        let read = |column: &ExternalColumn| match column {
            ExternalColumn::Path(path) => match path.steps.first() {
                Some(Step::Member(name)) => Some(Some(name.clone())),
                // The whole record.
                _ => Some(None),
            },
            ExternalColumn::Cell(_) | ExternalColumn::Constant(_) | ExternalColumn::Missing => None,
        };
        let names = self.source.mapping.iter().filter_map(read).collect();
        (self.source.format == ExternalFormat::Avro).then_some(AvroContent::Objects(names))
    }
}

impl Partition for ExternalPartition {
    fn read(&self) -> Result<BatchIterator<'_>> {
        let ScanRequest { report, counters, .. } = &self.request;
        let mut reservation = self.request.memory.reservation();
        counters.add(ScanCount::Files, 1);
        let text = match whole_text(&self.file, self.avro(), self.limits, report, counters, &mut reservation)? {
            Ok(text) => text,
            Err(reason) => {
                report.refuse_file(&self.file.name, reason);
                String::new()
            }
        };
        let rows = RowBuilder::new(&self.source, &self.file.name, report);
        Ok(Box::new(ExternalBatches {
            partition: self,
            text,
            position: TextPosition::default(),
            rows,
            _held: reservation,
        }))
    }
}

/// For this many records without an end, the end is searched for in all of the remaining text. After that it is
/// searched for only in the first line of a record, so that damaged text does not take quadratic time.
const MAX_UNCLOSED: usize = 64;

/// The position of the next record in a text, and what is known about the records before it.
#[derive(Clone, Copy, Debug)]
struct TextPosition {
    /// Bytes before the next record.
    offset: usize,
    /// The line number, from 1.
    line: u64,
    /// True until the first record has been read.
    is_first: bool,
    /// The number of records read so far that have no end.
    unclosed: usize,
}

impl Default for TextPosition {
    fn default() -> Self {
        Self { offset: 0, line: 1, is_first: true, unclosed: 0 }
    }
}

impl TextPosition {
    /// Moves the position forward by `length` bytes of `text`.
    fn pass(&mut self, text: &str, length: usize) {
        let passed = text.as_bytes().get(self.offset..self.offset + length).unwrap_or_default();
        self.line += memchr::memchr_iter(b'\n', passed).count() as u64;
        self.offset += length;
    }

    /// Returns the text in which the end of the next record is searched for: the rest, or only a line after too
    /// many records without an end.
    fn record_text<'t>(&self, text: &'t str) -> &'t str {
        let rest = &text[self.offset..];
        if self.unclosed < MAX_UNCLOSED { rest } else { &rest[..self.line_length(text)] }
    }

    /// Returns the length of the next line in bytes, including its line end.
    fn line_length(&self, text: &str) -> usize {
        let rest = &text.as_bytes()[self.offset..];
        memchr::memchr(b'\n', rest).map_or(rest.len(), |newline| newline + 1)
    }
}

struct ExternalBatches<'a> {
    partition: &'a ExternalPartition,
    text: String,
    position: TextPosition,
    rows: RowBuilder<'a>,
    _held: ScanReservation,
}

impl ExternalBatches<'_> {
    /// Reads the next record into the row builder; returns false at the end of the text.
    fn read_record(&mut self) -> bool {
        let (text, position, rows) = (self.text.as_str(), &mut self.position, &mut self.rows);
        let skips = self.partition.source.skips_first && position.is_first;
        match self.partition.source.format {
            ExternalFormat::Delimited(delimiter) => DelimitedRows { text, delimiter }.next(position, rows, skips),
            ExternalFormat::EscapedTabs => next_line(text, position, |line| {
                if !skips {
                    rows.add_cells(&escaped_cells(line));
                }
            }),
            ExternalFormat::Lines => next_line(text, position, |line| {
                if !skips {
                    rows.add_cells(&[line.into()]);
                }
            }),
            ExternalFormat::Whole => {
                let is_value = position.is_first && !skips && !text.is_empty();
                if is_value {
                    rows.add_cells(&[text.into()]);
                }
                position.is_first = false;
                is_value
            }
            ExternalFormat::Json | ExternalFormat::Avro => JsonObjects { text }.next(position, rows),
            // Columnar files are tables of their own.
            ExternalFormat::Parquet => false,
        }
    }

    /// Returns the rows of `whole` that pass the filter, with the requested columns; `whole` has all columns.
    fn requested(&self, whole: Batch) -> Result<Batch> {
        let request = &self.partition.request;
        let kept = match &request.filter {
            Some(filter) => whole.filter(&filter.evaluate(&select(&whole, filter.columns())?)?)?,
            None => whole,
        };
        select(&kept, &request.columns)
    }
}

/// Calls `take` for the next line; empty lines are skipped, without a call. Returns false at the end of the text.
fn next_line(text: &str, position: &mut TextPosition, mut take: impl FnMut(&str)) -> bool {
    while position.offset < text.len() {
        let length = position.line_length(text);
        let line = text[position.offset..position.offset + length].trim_end_matches(['\r', '\n']);
        position.pass(text, length);
        if !line.is_empty() {
            take(line);
            position.is_first = false;
            return true;
        }
    }
    false
}

impl Iterator for ExternalBatches<'_> {
    type Item = Result<Batch>;

    fn next(&mut self) -> Option<Self::Item> {
        let request = &self.partition.request;
        let (rows, bytes) = (request.batch_rows.max(1), request.memory.batch_bytes);
        while self.rows.count() < rows && self.rows.bytes() < bytes && self.read_record() {}
        let batch = self.rows.finish()?;
        request.counters.add(ScanCount::Rows, batch.rows() as u64);
        Some(self.requested(batch))
    }
}
