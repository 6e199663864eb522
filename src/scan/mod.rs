//! The interface between tables and queries.
//!
//! A [`TableProvider`] turns a [`ScanRequest`] into partitions, each of which yields batches. Partitions are read in
//! parallel, but their order is the order of the rows: it depends only on the files, never on the number of threads.

pub mod archived_warnings;
pub mod catalog;
pub(crate) mod completion;
pub mod coverage;
pub mod damage;
mod event_log;
pub mod events;
pub mod external;
mod held;
pub mod library;
mod lost;
pub mod memory;
pub mod predicate;
pub mod provenance;
pub mod range;
mod recorded_catalog;
pub mod report;
pub(crate) mod result_pages;
pub mod scan_memory;
mod schema_catalog;
pub mod slice;
mod stated_range;
mod wildcard;

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::sync::Arc;

use arrow::array::BooleanArray;

pub use archived_warnings::ArchivedWarnings;
pub use catalog::{Catalog, CatalogOverlay, MemoryCatalog, Watchlist, WithColumns};
pub use completion::on_completion;
pub use coverage::TimeCoverage;
pub use damage::{Damage, DamageLog};
pub use events::{ColumnNote, EmptyReason, Note, OverlapBasis, TimeGap, UnnamedRows, Warning};
pub use external::{ExternalColumn, ExternalFormat, ExternalSource, ExternalTarget};
pub use held::HeldTable;
pub use library::{FunctionLibrary, StoredFunction};
pub use lost::FileProblems;
pub use memory::MemoryTable;
pub use predicate::{Comparison, Predicate};
pub use provenance::Provenance;
pub use range::RangeTable;
pub use recorded_catalog::RecordedCatalog;
pub use report::{Reject, RejectReason, RejectSink, ScanReport};
pub use result_pages::ResultPages;
pub use scan_memory::{ScanMemory, ScanReservation};
pub use schema_catalog::SchemaCatalog;
pub use slice::{SharedSlice, SliceBounds, SliceRows, SliceTable};
pub use stated_range::StatedRange;
pub use wildcard::Wildcard;

use crate::diagnostic::Result;
use crate::storage::ScanCounters;
use crate::types::{Batch, Column, Schema, Type, dynamic, extract};

/// The batches of one partition.
pub type BatchIterator<'a> = Box<dyn Iterator<Item = Result<Batch>> + Send + 'a>;

/// Two files that contain the same record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overlap {
    /// The names of the files.
    pub files: [String; 2],
    /// The records that were compared to find it.
    pub basis: OverlapBasis,
}

/// A table that can be read.
pub trait TableProvider: Debug + Send + Sync {
    /// Returns the columns of the table.
    fn schema(&self) -> &Schema;

    /// Returns partitions that contain all requested rows, in the order of the rows.
    fn scan(&self, request: &ScanRequest) -> Result<Vec<Arc<dyn Partition>>>;

    /// Returns a short description for `explain`.
    fn describe(&self) -> String;

    /// True if reading the rows needs no file.
    fn is_in_memory(&self) -> bool {
        false
    }

    /// True if the table is known to have no rows without reading a file.
    fn is_known_empty(&self) -> bool {
        false
    }

    /// Returns the number of files of the table, and their total size in bytes.
    fn extent(&self) -> (u64, u64) {
        (0, 0)
    }

    /// True if reading one column is much cheaper than reading all columns.
    fn is_columnar(&self) -> bool {
        false
    }

    /// Describes for `explain` which files statistics exclude for these predicates, and by which columns; None if all
    /// files are read.
    fn describe_pruning(&self, _prune: &[Predicate]) -> Option<String> {
        None
    }

    /// Returns the table with additional columns at the end: those of `names` that its records have and its schema
    /// lacks. Returns None if there are none. With `exist`, the caller knows that all names exist; a column whose
    /// type cannot be inferred is then a string.
    fn with_columns(&self, _names: &BTreeSet<String>, _exist: bool) -> Result<Option<Arc<dyn TableProvider>>> {
        Ok(None)
    }

    /// Returns the table with the columns of [`provenance`] at the end; None if its rows do not come from files.
    fn with_provenance(&self) -> Option<Arc<dyn TableProvider>> {
        None
    }

    /// Returns two files that contain the same record; None if none are found. The rows that scans returned are
    /// compared, and a few other records.
    fn overlap(&self) -> Option<Overlap> {
        None
    }

    /// True for a table that [`Self::matched_by_wildcard`] returned: it may be missing without being damage.
    fn is_of_wildcard(&self) -> bool {
        false
    }

    /// Returns the table as one of several that a wildcard matches; None if the table cannot be missing. It is then
    /// damage only if the files contain none of these tables.
    fn matched_by_wildcard(&self, _wildcard: &Arc<Wildcard>) -> Option<Arc<dyn TableProvider>> {
        None
    }
}

/// A part of a table that is read by one thread.
pub trait Partition: Debug + Send + Sync {
    /// Reads the batches of the partition. They have the columns of the request, in its order, and only rows that
    /// pass its filter. Each has at most `batch_rows` rows, or a few times as many if the columns are narrow.
    /// Dropping the iterator ends reading.
    fn read(&self) -> Result<BatchIterator<'_>>;
}

/// Describes the rows and columns that are to be read from a table.
#[derive(Clone, Debug)]
pub struct ScanRequest {
    /// The columns of the output.
    pub columns: Vec<ScanColumn>,
    /// Predicates that hold for every requested row. They are used only to skip rows, and need not be tested exactly.
    pub prune: Vec<Predicate>,
    /// The exact filter. A provider must apply it, but it need not decode the other columns of rows that do not pass.
    pub filter: Option<Arc<dyn RowFilter>>,
    /// The number of rows that will be used, if it is small: a hint not to read ahead.
    pub limit: Option<usize>,
    /// Maximum number of rows in a batch; a few times as many if its columns are narrow.
    pub batch_rows: usize,
    /// The memory limits of each thread.
    pub memory: ScanMemory,
    /// The sizes of the parts into which files are divided.
    pub sizes: ScanSizes,
    /// If given, only the range of a column is requested: rows whose range is added here need not be returned. A provider
    /// may ignore it.
    pub stated: Option<Arc<StatedRange>>,
    /// The columns that the query names, even if it reads all columns.
    pub named_columns: Arc<NamedColumns>,
    /// The report that collects warnings, notes and damage.
    pub report: Arc<ScanReport>,
    /// The counters of what is read and skipped.
    pub counters: Arc<ScanCounters>,
}

/// The columns of tables, and the paths into them, that a query names.
#[derive(Clone, Debug, Default)]
pub struct NamedColumns {
    /// The columns by which rows are filtered, sorted, grouped or joined, or from which something is computed.
    pub columns: BTreeSet<String>,
    /// Paths that the query looks up in a column, or in what it parses from the column.
    pub paths: BTreeSet<(String, dynamic::Path)>,
}

/// The sizes of the parts into which scans divide files, so that several threads read them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScanSizes {
    /// Number of bytes of text files that one partition reads.
    pub text_bytes: u64,
    /// Number of rows of a Parquet row group that one partition reads: enough to be worth starting, few enough that
    /// several threads share a large row group.
    pub parquet_rows: usize,
    /// Selected rows are read individually if at most one in this many rows is selected.
    pub sparse_rows: usize,
}

impl ScanSizes {
    /// Sizes for unit tests, which divide even small files.
    #[cfg(test)]
    pub(crate) const SMALL: Self = Self { text_bytes: 64 << 10, parquet_rows: 300, sparse_rows: 3 };
}

impl Default for ScanSizes {
    fn default() -> Self {
        Self { text_bytes: 8 << 20, parquet_rows: 1 << 17, sparse_rows: 16 }
    }
}

/// A column in the output of a scan.
#[derive(Clone, Debug, PartialEq)]
pub enum ScanColumn {
    /// A column of the table, by its position.
    Column(usize),
    /// The value at a path in a dynamic column. Its type is dynamic, and it is null if the path does not exist.
    Path {
        /// The position of the dynamic column.
        column: usize,
        /// The path in its values.
        path: dynamic::Path,
    },
}

impl ScanColumn {
    /// Returns the position of the table column that is read.
    #[must_use]
    pub fn column(&self) -> usize {
        match self {
            Self::Column(column) | Self::Path { column, .. } => *column,
        }
    }

    /// Returns the type of the values.
    #[must_use]
    pub fn ty(&self, table: &Schema) -> Type {
        match self {
            Self::Column(column) => table.field(*column).ty,
            Self::Path { .. } => Type::Dynamic,
        }
    }

    /// Computes the column from rows with all columns of the table. It is the reference implementation of reading a
    /// path inside the scan.
    pub fn evaluate(&self, rows: &Batch) -> Result<Column> {
        match self {
            Self::Column(column) => Ok(rows.column(*column).clone()),
            Self::Path { column, path } => Ok(extract::extract_column(rows.column(*column), path)),
        }
    }
}

/// An exact filter on rows; it may need only some of the columns.
pub trait RowFilter: Debug + Send + Sync {
    /// Returns the columns that [`Self::evaluate`] needs, in order.
    fn columns(&self) -> &[ScanColumn];

    /// Returns a mask that is true for the rows that pass. `columns` has the columns of [`Self::columns`].
    fn evaluate(&self, columns: &Batch) -> Result<BooleanArray>;

    /// Returns the strings for which the filter searches in the column at `index` of [`Self::columns`], as in all others;
    /// None if it may use the column in another way, too.
    fn searched_strings(&self, _index: usize) -> Option<&[String]> {
        None
    }

    /// Returns the time ranges that the filter requests. A provider that skips rows by their times must record these
    /// times in them.
    fn time_coverages(&self) -> &[Arc<TimeCoverage>] {
        &[]
    }
}
