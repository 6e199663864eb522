//! Reads Parquet files.
//!
//! A file is opened once: its footer is kept in memory, and its row groups are read as partitions. Rows are skipped
//! as early as possible: files and row groups by statistics (`prune.rs`), row groups by bloom filters and
//! dictionaries (`chunk_probes.rs`), and pages by the page index (`pages.rs`). Columns that the filter does not read
//! are decoded only for rows that pass (`filter.rs`); large pages are decompressed only up to the last selected row
//! (`sparse_pages.rs`). Strings keep the dictionaries of the file (`file_columns.rs`, `strings.rs`); if few columns
//! are read, selected rows are gathered from the dictionaries directly (`dictionary_gather.rs`).
//!
//! Damage is contained: a row group that cannot be decoded is reported as lost, with its rows, and the rest of the
//! file is read. Checksums of pages are verified, and so are those of other parts of the file that are read
//! (`checksums.rs`).

mod bounds;
mod cast;
pub mod checksums;
mod chunk_probes;
mod convert;
mod decode;
mod decompressor;
mod dictionary_gather;
mod file_columns;
mod filter;
pub mod footer;
mod input;
mod ipc;
mod nested;
mod page_header;
mod page_sizes;
mod pages;
mod partition;
mod prune;
mod reader;
mod rle;
mod sparse_pages;
mod string_lengths;
mod strings;
mod survivors;
mod times;
pub(crate) mod writer;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData, ParquetMetaDataReader};

use self::bounds::{BoundValue, Bounds};
use self::checksums::Checksums;
use self::file_columns::{FileColumn, FileColumns};
use self::input::ParquetInput;
pub(crate) use self::ipc::ArrowFile;
use self::partition::RowGroupScan;
use self::prune::{PruningStatistics, RowGroupStatistics, may_match};
use crate::diagnostic::{Error, Result};
use crate::entra::numeric_dates::DateOrders;
use crate::scan::provenance::{Provenance, ProvenanceColumns};
use crate::scan::{
    ArchivedWarnings, Damage, Partition, Predicate, ScanRequest, StatedRange, TableProvider, TimeCoverage,
};
use crate::storage::counters::ScanCount;
use crate::storage::files::DataFile;
use crate::storage::location::Location;
use crate::types::{Field, Schema, Type};

/// Maximum number of rows that a row group may claim to have. Real row groups have a few million rows; a query that
/// only counts rows trusts this number.
const MAX_GROUP_ROWS: i64 = i32::MAX as i64;

/// Number of bytes at the end of a remote file that are fetched at once; most footers are shorter.
const TAIL_BYTES: u64 = 64 << 10;

/// A Parquet file whose footer has been read.
#[derive(Debug)]
pub struct ParquetFile {
    location: Location,
    name: String,
    bytes: u64,
    metadata: Arc<ParquetMetaData>,
    checksums: Option<Checksums>,
    layout: FileColumns,
    columns: Schema,
}

impl ParquetFile {
    /// Opens the file at `path` and reads its footer. Messages call the file `name`.
    ///
    /// # Errors
    /// [`Error::Io`] if the file cannot be opened, [`Error::Data`] if it is not a Parquet file, was truncated, or has
    /// an invalid footer.
    pub fn open(path: impl Into<PathBuf>, name: impl Into<String>) -> Result<Arc<Self>> {
        Self::at(Location::Disk(path.into()), name.into())
    }

    /// Like [`Self::open`], for a file at any location.
    pub(crate) fn of(file: &DataFile) -> Result<Arc<Self>> {
        Self::at(file.location.clone(), file.name.clone())
    }

    fn at(location: Location, name: String) -> Result<Arc<Self>> {
        let failed = |source: io::Error| Error::io(&name, source);
        let input = ParquetInput::open(&location).map_err(failed)?;
        let bytes = input.bytes().map_err(failed)?;
        let input =
            input.with(|| std::iter::once(bytes.saturating_sub(TAIL_BYTES)..bytes).collect()).map_err(failed)?;
        let damaged = |reason: String| match location.fault() {
            Some(fault) => failed(fault),
            None => Error::Data { file: name.clone(), place: Some("footer".to_owned()), reason },
        };
        let metadata =
            reader::guarded(|| ParquetMetaDataReader::new().parse_and_finish(&input).map_err(|e| e.to_string()));
        let metadata = metadata.and_then(check_counts).map(Arc::new).map_err(damaged)?;
        let checksums = checksums::read_guarded(&input, bytes, &metadata).map_err(damaged)?;
        let layout = reader::guarded(|| FileColumns::new(&metadata)).map_err(damaged)?;
        let columns = Schema::new(layout.columns.iter().map(|column| Field::new(&column.name, column.ty)));
        Ok(Arc::new(Self { location, name, bytes, metadata, checksums, layout, columns }))
    }

    /// Returns the name of the file in messages.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the columns that can be read, with the KQL types that the file suggests for them.
    #[must_use]
    pub fn columns(&self) -> Schema {
        self.columns.clone()
    }

    /// Returns the name of the table whose rows the file has, if `convert` wrote the file; otherwise None.
    #[must_use]
    pub fn archived_table(&self) -> Option<&str> {
        footer::value(&self.metadata, footer::TABLE_KEY)
    }

    /// Returns the warnings about the original files, if `convert` wrote the file; otherwise None.
    pub(crate) fn archived_warnings(&self) -> Option<ArchivedWarnings> {
        self.archived_table()?;
        Some(ArchivedWarnings::read(|key| footer::value(&self.metadata, key)))
    }

    /// True for a query result that this program wrote.
    pub(crate) fn is_answer(&self) -> bool {
        footer::value(&self.metadata, footer::ANSWER_KEY).is_some()
    }

    /// Returns the number of rows according to the footer.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.metadata.row_groups().iter().map(|group| u64::try_from(group.num_rows()).unwrap_or(0)).sum()
    }

    /// Returns the number of rows without a value in a column; None if there is no such column, or if the footer does
    /// not say.
    pub(crate) fn nulls(&self, column: &str) -> Option<u64> {
        let groups = self.metadata.row_groups().iter();
        let chunk = |chunk: &&ColumnChunkMetaData| chunk.column_path().parts() == [column];
        groups.map(|group| group.columns().iter().find(chunk)?.statistics()?.null_count_opt()).sum()
    }

    /// Returns the partitions of the file that may contain matching rows of `table`, in the order of the rows.
    ///
    /// Columns are found by their names. A column that the file lacks is null in every row, and a column of another
    /// type is converted to the type of the table.
    ///
    /// # Errors
    /// None at present: damage below the footer is found when the partitions are read.
    pub fn partitions(self: &Arc<Self>, table: &Schema, request: &ScanRequest) -> Result<Vec<Arc<dyn Partition>>> {
        self.partitions_of(&FileInTable::new(ProvenanceColumns::none(table), 0), request)
    }

    /// Like [`Self::partitions`], for a table that may have provenance columns.
    pub(crate) fn partitions_of(
        self: &Arc<Self>,
        table: &FileInTable,
        request: &ScanRequest,
    ) -> Result<Vec<Arc<dyn Partition>>> {
        let mapping = Arc::new(ColumnMapping::new(self, table.clone()));
        for (column, reason) in &self.layout.unreadable {
            request.report.damaged(Damage::UnreadableColumn(column.clone(), reason.clone()), &self.name, 1);
        }
        for coverage in request.filter.iter().flat_map(|filter| filter.time_coverages()) {
            self.record_times(&mapping, coverage);
        }
        let total = self.metadata.num_row_groups();
        // A filter may remove the rows with the first or the last value.
        let stated = request.stated.as_deref().filter(|_| request.filter.is_none());
        let is_stated = |group: usize| stated.is_some_and(|stated| self.adds_range(&mapping, group, stated));
        let kept: Vec<usize> =
            (0..total).filter(|&group| self.group_may_match(&mapping, group, &request.prune)).collect();
        let counters = &request.counters;
        if kept.is_empty() && total > 0 {
            counters.add(ScanCount::FilesPruned, 1);
            counters.add(ScanCount::FilesPrunedByTime, self.is_of_other_times(&mapping, &request.prune).into());
            return Ok(Vec::new());
        }
        counters.add(ScanCount::Files, 1);
        counters.add(ScanCount::RowGroupsPruned, (total - kept.len()) as u64);
        let read = kept.into_iter().filter(|group| !is_stated(*group));
        let scans = read.map(|group| RowGroupScan::new(Arc::clone(self), &mapping, group, request));
        Ok(scans.flat_map(RowGroupScan::parts).collect())
    }

    /// True if predicates on datetimes alone exclude every row of the file.
    fn is_of_other_times(&self, mapping: &ColumnMapping, prune: &[Predicate]) -> bool {
        let is_time = |column: usize| mapping.ty(column) == Type::Datetime;
        let of_time = prune.iter().filter(|predicate| predicate.columns().into_iter().all(is_time));
        let of_time: Vec<Predicate> = of_time.cloned().collect();
        (0..self.metadata.num_row_groups()).all(|group| !self.group_may_match(mapping, group, &of_time))
    }

    /// Records the times of all rows of the file, as statistics state them, whether or not the rows are read.
    fn record_times(&self, mapping: &ColumnMapping, coverage: &TimeCoverage) {
        for group in self.metadata.row_groups() {
            let statistics = RowGroupStatistics { file: self, mapping, group };
            let bounds = reader::guarded(|| Ok(statistics.bounds(coverage.column()))).unwrap_or_default();
            if let (Some(BoundValue::Number(first)), Some(BoundValue::Number(last))) = (bounds.min, bounds.max) {
                coverage.record(first, last);
            }
        }
    }

    /// Adds the range of a column in a row group, if its statistics state that exactly; otherwise returns false.
    fn adds_range(&self, mapping: &ColumnMapping, group: usize, stated: &StatedRange) -> bool {
        let statistics = RowGroupStatistics { file: self, mapping, group: self.metadata.row_group(group) };
        let bounds = reader::guarded(|| Ok(statistics.exact_bounds(stated.column))).ok().flatten();
        match bounds {
            Some(Bounds { min: Some(BoundValue::Number(first)), max: Some(BoundValue::Number(last)), .. }) => {
                stated.add(first, last);
                true
            }
            Some(Bounds { all_null, .. }) => all_null,
            None => false,
        }
    }

    /// Returns the columns of the predicates that exclude row groups, if statistics exclude every row of the file.
    /// Returns None if a row may match.
    #[must_use]
    pub(crate) fn ruled_out_by(&self, table: &FileInTable, prune: &[Predicate]) -> Option<Vec<usize>> {
        let mapping = ColumnMapping::new(self, table.clone());
        let mut groups = 0..self.metadata.num_row_groups();
        if groups.is_empty() || groups.any(|group| self.group_may_match(&mapping, group, prune)) {
            return None;
        }
        let groups = 0..self.metadata.num_row_groups();
        let rules_out = |index: &usize| {
            groups.clone().any(|group| !self.group_may_match(&mapping, group, std::slice::from_ref(&prune[*index])))
        };
        Some((0..prune.len()).filter(rules_out).collect())
    }

    /// True if a row of the row group may match; false if statistics exclude every row.
    fn group_may_match(&self, mapping: &ColumnMapping, group: usize, prune: &[Predicate]) -> bool {
        let group = self.metadata.row_group(group);
        let statistics = RowGroupStatistics { file: self, mapping, group };
        let verdict = reader::guarded(|| Ok(prune.iter().all(|predicate| may_match(predicate, &statistics))));
        group.num_rows() > 0 && verdict.unwrap_or(true)
    }
}

/// Returns an error if a row group claims an impossible number of rows.
fn check_counts(metadata: ParquetMetaData) -> Result<ParquetMetaData, String> {
    match metadata
        .row_groups()
        .iter()
        .map(parquet::file::metadata::RowGroupMetaData::num_rows)
        .find(|rows| !(0..=MAX_GROUP_ROWS).contains(rows))
    {
        Some(rows) => Err(format!("a row group claims to have {rows} rows")),
        None => Ok(metadata),
    }
}

/// A file as a part of a table.
#[derive(Clone, Debug)]
pub(crate) struct FileInTable {
    /// The columns of the table.
    pub origins: ProvenanceColumns,
    /// The index of the file among the files of the table.
    pub index: usize,
    /// Determines the order of day and month in numeric dates; None if it is not known.
    pub dates: Option<Arc<dyn DateOrders>>,
    /// Columns in which a row without a value is damage. They are checked row by row, because the file does not count
    /// nulls.
    pub required: Vec<&'static str>,
}

impl FileInTable {
    /// Creates the entry for the file at `index` of a table with the columns `origins`.
    pub fn new(origins: ProvenanceColumns, index: usize) -> Self {
        Self { origins, index, dates: None, required: Vec::new() }
    }

    /// Returns the entry with `dates`, which decides the order of day and month in numeric dates.
    pub fn with_dates(self, dates: &Arc<dyn DateOrders>) -> Self {
        Self { dates: Some(Arc::clone(dates)), ..self }
    }

    /// Returns the entry with `required`: rows without a value in these columns are reported as damage.
    pub fn requiring(self, required: Vec<&'static str>) -> Self {
        Self { required, ..self }
    }
}

/// Maps the columns of a table to the columns of a file.
#[derive(Debug)]
struct ColumnMapping {
    columns: Vec<(Option<usize>, Type)>,
    table: FileInTable,
}

impl ColumnMapping {
    fn new(file: &ParquetFile, table: FileInTable) -> Self {
        let find = |(index, field): (usize, &Field)| {
            let is_own = table.origins.at(index).is_none();
            let found = file.layout.columns.iter().position(|column| column.name == field.name);
            (found.filter(|_| is_own), field.ty)
        };
        Self { columns: table.origins.schema.fields().iter().enumerate().map(find).collect(), table }
    }

    /// Returns the column of the file for the table column at `index`; None if the file lacks it.
    fn file_column<'a>(&self, file: &'a ParquetFile, index: usize) -> Option<&'a FileColumn> {
        self.columns[index].0.map(|column| &file.layout.columns[column])
    }

    /// Returns the provenance column at `index` of the table; None for its other columns.
    fn origin(&self, index: usize) -> Option<Provenance> {
        self.table.origins.at(index)
    }

    /// Returns the type of the table column at `index`.
    fn ty(&self, index: usize) -> Type {
        self.columns[index].1
    }
}

/// A table whose rows are those of several Parquet files.
#[derive(Debug)]
pub struct ParquetTable {
    schema: Schema,
    files: Vec<Arc<ParquetFile>>,
}

impl ParquetTable {
    /// Creates a table with the columns of `schema` and the rows of `files`.
    #[must_use]
    pub fn new(schema: Schema, files: Vec<Arc<ParquetFile>>) -> Self {
        Self { schema, files }
    }
}

impl TableProvider for ParquetTable {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn scan(&self, request: &ScanRequest) -> Result<Vec<Arc<dyn Partition>>> {
        let parts: Vec<_> =
            self.files.iter().map(|file| file.partitions(&self.schema, request)).collect::<Result<_>>()?;
        Ok(parts.into_iter().flatten().collect())
    }

    fn describe(&self) -> String {
        let rows: u64 = self.files.iter().map(|file| file.rows()).sum();
        format!("parquet ({} files, {rows} rows)", self.files.len())
    }

    fn is_columnar(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests;
