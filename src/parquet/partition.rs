//! Row groups and their parts, each of which one thread reads. Before a row group is read, it is decided whether it,
//! or some of its pages, can be skipped.

use std::cell::RefCell;
use std::ops::Range;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use arrow::array::StringArray;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions, RowSelection};
use parquet::basic::Type as PhysicalType;
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData, ParquetMetaDataBuilder, RowGroupMetaData};

use super::chunk_probes::ChunkProbes;
use super::file_columns::{StoredAs, is_dictionary_only};
use super::filter::FilteredRows;
use super::input::ParquetInput;
use super::pages::{MappedRowGroup, RowGroupPageIndex, chunk_range, index_ranges};
use super::prune::{RowGroupStatistics, may_match};
use super::reader::{DamageReason, guarded};
use super::{ColumnMapping, ParquetFile};
use crate::diagnostic::{Error, Result};
use crate::scan::{BatchIterator, Partition, ScanColumn, ScanRequest};
use crate::storage::counters::ScanCount;

/// Maximum number of parts of a row group, even if it claims to have many rows.
const MAX_PARTS: usize = 1 << 10;
/// Maximum size in bytes of the filter's columns that a part keeps in memory while it reads the other columns.
const PART_BYTES: u64 = 32 << 20;
/// Batches of narrow columns have this many times the usual number of rows, because some work is done once for each
/// dictionary.
pub(super) const NARROW_BATCHES: usize = 4;
/// Maximum number of columns of a narrow batch.
const NARROW_COLUMNS: usize = 8;

/// The scan of one row group. It is prepared once for all of its parts.
#[derive(Debug)]
pub(super) struct RowGroupScan {
    pub file: Arc<ParquetFile>,
    pub mapping: Arc<ColumnMapping>,
    pub group: usize,
    pub request: ScanRequest,
    prepared: OnceLock<PreparedRowGroup>,
}

/// The result of preparing a row group.
#[derive(Debug)]
pub(super) enum PreparedRowGroup {
    /// No row of the row group can match.
    Pruned,
    /// The row group cannot be read, for this reason.
    Damaged(DamageReason),
    /// The row group can be read.
    Ready(ReadableRowGroup),
}

/// What is needed to read a row group.
#[derive(Debug)]
pub(super) struct ReadableRowGroup {
    /// The metadata of a file that has only this row group.
    pub metadata: ArrowReaderMetadata,
    /// The same metadata with 96-bit timestamps as seconds; None if there are no such timestamps.
    pub seconds: Option<ArrowReaderMetadata>,
    /// The rows of the pages that may match; None for all rows.
    pages: Option<RowSelection>,
    /// The dictionaries that were read for pruning, each with its leaf.
    dictionaries: Mutex<Vec<(usize, StringArray)>>,
}

impl ReadableRowGroup {
    /// Removes and returns the dictionaries that were read. Only the first decoder gets them, so that they do not
    /// stay in memory for every row group.
    pub fn take_dictionaries(&self) -> Vec<(usize, StringArray)> {
        std::mem::take(&mut self.dictionaries.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl RowGroupScan {
    pub fn new(file: Arc<ParquetFile>, mapping: &Arc<ColumnMapping>, group: usize, request: &ScanRequest) -> Arc<Self> {
        let (mapping, request) = (Arc::clone(mapping), request.clone());
        Arc::new(Self { file, mapping, group, request, prepared: OnceLock::new() })
    }

    /// Returns the parts of the row group, in the order of the rows.
    pub fn parts(self: Arc<Self>) -> Vec<Arc<dyn Partition>> {
        let rows = self.rows();
        let step = if self.is_fetched_whole() { rows } else { self.part_rows(rows).max(rows.div_ceil(MAX_PARTS)) };
        let step = step.max(1);
        let part = |start| RowGroupPart { scan: Arc::clone(&self), rows: start..rows.min(start + step) };
        (0..rows).step_by(step).map(|start| Arc::new(part(start)) as Arc<dyn Partition>).collect()
    }

    /// True if each part of a remote file would fetch all pages, because the row group has no page index. It is then
    /// one part.
    fn is_fetched_whole(&self) -> bool {
        let has_no_index = |chunk: &ColumnChunkMetaData| chunk.offset_index_range().is_none();
        self.file.location.remote().is_some() && self.metadata().columns().iter().any(has_no_index)
    }

    pub fn metadata(&self) -> &RowGroupMetaData {
        self.file.metadata.row_group(self.group)
    }

    /// True if the query reads paths inside the table column at `index`.
    pub fn takes_apart(&self, index: usize) -> bool {
        let tested = self.request.filter.iter().flat_map(|filter| filter.columns());
        let is_part = |wanted: &ScanColumn| matches!(wanted, ScanColumn::Path { column, .. } if *column == index);
        self.request.columns.iter().chain(tested).any(is_part)
    }

    /// Returns the number of rows in the row groups before this one.
    pub fn first_row(&self) -> u64 {
        let before = &self.file.metadata.row_groups()[..self.group];
        before.iter().map(|group| u64::try_from(group.num_rows()).unwrap_or(0)).fold(0, u64::saturating_add)
    }

    /// Returns the number of rows in the row group.
    pub fn rows(&self) -> usize {
        usize::try_from(self.metadata().num_rows()).unwrap_or(0)
    }

    /// Returns the number of rows of a part. It is smaller if columns of the filter are wide and must be kept for the
    /// output.
    fn part_rows(&self, rows: usize) -> usize {
        let most = self.request.sizes.parquet_rows;
        let Some(filter) = &self.request.filter else { return most };
        let kept = self.request.columns.iter().filter(|column| reads(filter.columns(), column.column()));
        let leaves = self.leaves(&kept.map(ScanColumn::column).collect::<Vec<_>>());
        let fitting = rows_of(PART_BYTES, self.row_bytes(&leaves));
        // A part has at least one batch, or starting it would cost more than reading it.
        most.min(fitting).max(self.request.batch_rows.min(most)).min(rows.max(1))
    }

    /// Returns the leaves of `columns` of the table, sorted and without duplicates.
    pub fn leaves(&self, columns: &[usize]) -> Vec<usize> {
        let columns = columns.iter().filter_map(|&column| self.mapping.file_column(&self.file, column));
        let mut leaves: Vec<usize> = columns.flat_map(|column| column.leaves.clone()).collect();
        leaves.sort_unstable();
        leaves.dedup();
        leaves
    }

    /// Returns the maximum number of rows of a batch that reads `leaves`.
    pub fn batch_rows(&self, leaves: &[usize]) -> usize {
        let rows = self.request.batch_rows;
        let most = if self.is_narrow(leaves) { rows.saturating_mul(NARROW_BATCHES) } else { rows };
        // With a filter, it is unknown how many rows must be read to return `limit` rows.
        let limit = self.request.limit.filter(|_| self.request.filter.is_none());
        let wanted = limit.map_or(most, |limit| limit.min(most));
        wanted.min(rows_of(self.request.memory.batch_bytes as u64, self.row_bytes(leaves))).max(1)
    }

    /// True if `leaves` are few, and all strings among them are dictionary-encoded.
    fn is_narrow(&self, leaves: &[usize]) -> bool {
        let is_text = |leaf: usize| self.metadata().column(leaf).column_type() == PhysicalType::BYTE_ARRAY;
        let (texts, others): (Vec<usize>, Vec<usize>) = leaves.iter().partition(|&&leaf| is_text(leaf));
        let is_dictionary = |leaf: &usize| is_dictionary_only(self.metadata().column(*leaf));
        !texts.is_empty() && texts.len() + others.len() <= NARROW_COLUMNS && texts.iter().all(is_dictionary)
    }

    /// Returns the average number of bytes of `leaves` in a row.
    fn row_bytes(&self, leaves: &[usize]) -> u64 {
        let group = self.metadata();
        let bytes = |leaf: &usize| u64::try_from(group.column(*leaf).uncompressed_size()).unwrap_or(0);
        leaves.iter().map(bytes).fold(0, u64::saturating_add) / (self.rows().max(1) as u64)
    }

    /// Returns the prepared row group. Only the first call does the work.
    pub fn prepared(&self, input: &ParquetInput) -> &PreparedRowGroup {
        self.prepared.get_or_init(|| guarded(|| self.prepare(input)).unwrap_or_else(PreparedRowGroup::Damaged))
    }

    fn prepare(&self, input: &ParquetInput) -> Result<PreparedRowGroup, DamageReason> {
        let (file, mapping, group) = (self.file.as_ref(), self.mapping.as_ref(), self.metadata());
        let predicates = &self.request.prune;
        let statistics = RowGroupStatistics { file, mapping, group };
        let report = &*self.request.report;
        let evidence = ChunkProbes { statistics, group: self.group, input, report, dictionaries: RefCell::default() };
        if !predicates.iter().all(|predicate| may_match(predicate, &evidence)) {
            self.request.counters.add(ScanCount::RowGroupsPruned, 1);
            return Ok(PreparedRowGroup::Pruned);
        }
        let mut columns: Vec<usize> = self.request.columns.iter().map(ScanColumn::column).collect();
        columns.extend(self.request.filter.iter().flat_map(|filter| filter.columns()).map(ScanColumn::column));
        columns.extend(predicates.iter().flat_map(crate::scan::Predicate::columns));
        let leaves = self.leaves(&columns);
        for &leaf in &leaves {
            check_range(group, leaf, file.bytes)?;
        }
        let indexes = || leaves.iter().flat_map(|&leaf| index_ranges(group.column(leaf))).collect();
        let input = &input.with(indexes).map_err(|e| e.to_string())?;
        let group_of_file = MappedRowGroup { file, mapping, index: self.group };
        let pages = RowGroupPageIndex::read(group_of_file, input, report, &leaves, predicates);
        let selection = pages.select(predicates);
        if selection.as_ref().is_some_and(|selection| !selection.selects_any()) {
            self.request.counters.add(ScanCount::RowGroupsPruned, 1);
            return Ok(PreparedRowGroup::Pruned);
        }
        let metadata = self.alone(pages)?;
        let with = |schema| {
            let options = ArrowReaderOptions::new().with_schema(schema);
            ArrowReaderMetadata::try_new(Arc::clone(&metadata), options).map_err(|e| e.to_string())
        };
        let is_int96 =
            |&column: &usize| mapping.file_column(file, column).is_some_and(|column| column.source == StoredAs::Int96);
        let seconds = columns.iter().any(is_int96).then(|| with(file.layout.schema_of_seconds())).transpose()?;
        let metadata = with(file.layout.schema_for(group))?;
        let left = selection.as_ref().map_or(self.rows(), RowSelection::row_count);
        self.request.counters.add(ScanCount::RowGroups, 1);
        self.request.counters.add(ScanCount::PageRowsPruned, self.rows().saturating_sub(left) as u64);
        let dictionaries = Mutex::new(evidence.dictionaries.into_inner());
        Ok(PreparedRowGroup::Ready(ReadableRowGroup { metadata, seconds, pages: selection, dictionaries }))
    }

    /// Returns the metadata of a file that has only this row group, with its page index.
    fn alone(&self, pages: RowGroupPageIndex<'_>) -> Result<Arc<ParquetMetaData>, DamageReason> {
        let group = self.metadata().clone();
        let index = pages.into_index(group.num_columns());
        let builder = ParquetMetaDataBuilder::new(self.file.metadata.file_metadata().clone());
        Ok(Arc::new(builder.add_row_group(group).set_page_index(Some(index)).build()))
    }
}

/// Returns the number of rows of `row_bytes` bytes that fit into `bytes`.
fn rows_of(bytes: u64, row_bytes: u64) -> usize {
    usize::try_from(bytes / row_bytes.max(1)).unwrap_or(usize::MAX)
}

/// True if one of `columns` reads the table column `column`.
pub(super) fn reads(columns: &[ScanColumn], column: usize) -> bool {
    columns.iter().any(|other| other.column() == column)
}

/// Returns an error for a chunk that lies outside the file, before memory is allocated for it.
fn check_range(group: &RowGroupMetaData, leaf: usize, bytes: u64) -> Result<(), DamageReason> {
    match chunk_range(group.column(leaf)).and_then(|(start, length)| start.checked_add(length)) {
        Some(end) if end <= bytes => Ok(()),
        _ => Err(format!("column {} lies outside of the file", group.column(leaf).column_path().string())),
    }
}

/// A range of rows of a row group, which one thread reads.
#[derive(Debug)]
pub(super) struct RowGroupPart {
    pub scan: Arc<RowGroupScan>,
    pub rows: Range<usize>,
}

impl RowGroupPart {
    /// Returns the rows of the part that may match.
    pub fn selection(&self, readable: &ReadableRowGroup) -> RowSelection {
        let rows = RowSelection::from_consecutive_ranges(std::iter::once(self.rows.clone()), self.scan.rows());
        match &readable.pages {
            Some(pages) => rows.intersection(pages),
            None => rows,
        }
    }

    /// Reports rows that could not be read. Returns an error if the server failed to deliver them.
    pub fn lost(&self, rows: usize, reason: &str) -> Result<()> {
        let file = &self.scan.file;
        if let Some(fault) = file.location.fault() {
            return Err(Error::io(&file.name, fault));
        }
        let place = format!("row group {}, rows {} to {}", self.scan.group, self.rows.start, self.rows.end - 1);
        let reason = format!("{rows} rows not read: {reason}");
        self.scan.request.report.lost_rows(&file.name, &place, &reason, rows as u64);
        Ok(())
    }
}

impl Partition for RowGroupPart {
    fn read(&self) -> Result<BatchIterator<'_>> {
        let file = &self.scan.file;
        let input = ParquetInput::open(&file.location).map_err(|source| Error::io(&file.name, source))?;
        match self.scan.prepared(&input) {
            PreparedRowGroup::Pruned => Ok(Box::new(std::iter::empty())),
            PreparedRowGroup::Damaged(reason) => {
                self.lost(self.rows.len(), reason)?;
                Ok(Box::new(std::iter::empty()))
            }
            PreparedRowGroup::Ready(readable) => Ok(Box::new(FilteredRows::new(self, readable, input))),
        }
    }
}
