//! The interface between tables and queries.
//!
//! A [`TableProvider`] turns a [`ScanRequest`] into partitions, each an iterator of batches. Partitions are read in
//! parallel, and their order is the order of the rows: it depends on the files alone, never on the number of threads.

pub mod archived_warnings;
pub mod catalog;
pub(crate) mod completion;
pub mod coverage;
pub mod damage;
mod event_log;
pub mod events;
pub mod external;
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
pub use wildcard::Wildcard;

use crate::diagnostic::Result;
use crate::storage::ScanCounters;
use crate::types::{Batch, Column, Schema, Type, dynamic, extract};

/// The batches of one partition.
pub type BatchIterator<'a> = Box<dyn Iterator<Item = Result<Batch>> + Send + 'a>;

/// Two files that hold the same record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overlap {
    /// The names of the files.
    pub files: [String; 2],
    /// The records that were compared.
    pub basis: OverlapBasis,
}

/// A table that can be read.
pub trait TableProvider: Debug + Send + Sync {
    /// Its columns.
    fn schema(&self) -> &Schema;

    /// The partitions that contain the requested rows, in the order of the rows.
    fn scan(&self, request: &ScanRequest) -> Result<Vec<Arc<dyn Partition>>>;

    /// A short description for `explain`.
    fn describe(&self) -> String;

    /// True if reading its rows needs no file.
    fn is_in_memory(&self) -> bool {
        false
    }

    /// True if it has no rows, as far as that is known without reading files.
    fn is_known_empty(&self) -> bool {
        false
    }

    /// The number of its files, and their total bytes.
    fn extent(&self) -> (u64, u64) {
        (0, 0)
    }

    /// True if reading one column costs a fraction of reading all.
    fn is_columnar(&self) -> bool {
        false
    }

    /// Describes which files statistics exclude for these predicates, and by which columns, for `explain`; None if all
    /// files are read.
    fn describe_pruning(&self, _prune: &[Predicate]) -> Option<String> {
        None
    }

    /// Returns the table with additional columns at the end: the `names` that its records have and its schema lacks.
    /// None if there are none. If the columns are known to `exist`, a column whose type cannot be inferred is a string.
    fn with_columns(&self, _names: &BTreeSet<String>, _exist: bool) -> Result<Option<Arc<dyn TableProvider>>> {
        Ok(None)
    }

    /// Returns the table with the columns of [`provenance`] at the end; None if its rows do not come from files.
    fn with_provenance(&self) -> Option<Arc<dyn TableProvider>> {
        None
    }

    /// Returns two files that contain the same record, among the rows that scans returned and in a few other places;
    /// None if none are found.
    fn overlap(&self) -> Option<Overlap> {
        None
    }

    /// Returns the table as one of several that a wildcard matches: it is damage only if the files contain none of
    /// them. None if the table cannot be missing.
    fn matched_by_wildcard(&self, _wildcard: &Arc<Wildcard>) -> Option<Arc<dyn TableProvider>> {
        None
    }
}

/// A part of a table that is read by one thread.
pub trait Partition: Debug + Send + Sync {
    /// Reads the batches: the columns of the request in its order, only rows that pass its filter, and at most
    /// `batch_rows` rows each, or a few times as many if the columns are narrow. Dropping the iterator stops reading.
    fn read(&self) -> Result<BatchIterator<'_>>;
}

/// Describes the rows and columns to read from a table.
#[derive(Clone, Debug)]
pub struct ScanRequest {
    /// The output columns.
    pub columns: Vec<ScanColumn>,
    /// Predicates that every requested row fulfils; used only to skip rows.
    pub prune: Vec<Predicate>,
    /// The exact filter. A provider must apply it, but need not decode the other columns of rows that fail.
    pub filter: Option<Arc<dyn RowFilter>>,
    /// The number of rows that will be used, if it is small: a hint not to prefetch.
    pub limit: Option<usize>,
    /// Maximum rows of a batch; a few times as many if its columns are narrow.
    pub batch_rows: usize,
    /// Memory limits.
    pub memory: ScanMemory,
    /// How files are divided.
    pub sizes: ScanSizes,
    /// The columns that the query names, even if it reads all columns.
    pub named_columns: Arc<NamedColumns>,
    /// Collects warnings, notes and damage.
    pub report: Arc<ScanReport>,
    /// Counts what is read and skipped.
    pub counters: Arc<ScanCounters>,
}

/// The columns of tables, and the paths into them, that a query names.
#[derive(Clone, Debug, Default)]
pub struct NamedColumns {
    /// The columns that rows are filtered, sorted, grouped or joined by, or that something is computed of.
    pub columns: BTreeSet<String>,
    /// The paths that are looked up in a column, and in what is parsed from it.
    pub paths: BTreeSet<(String, dynamic::Path)>,
}

/// How scans divide files among threads. Tests divide small files, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScanSizes {
    /// Bytes of text files that one partition reads.
    pub text_bytes: u64,
    /// Rows of a Parquet row group that one partition reads: enough to make its start worth while, few enough to share
    /// a large row group among threads.
    pub parquet_rows: usize,
    /// Selected rows are read by themselves if they are at most one in this many.
    pub sparse_rows: usize,
}

impl ScanSizes {
    /// Sizes that divide the small files of unit tests.
    #[cfg(test)]
    pub(crate) const SMALL: Self = Self { text_bytes: 64 << 10, parquet_rows: 300, sparse_rows: 3 };
}

impl Default for ScanSizes {
    fn default() -> Self {
        Self { text_bytes: 8 << 20, parquet_rows: 1 << 17, sparse_rows: 16 }
    }
}

/// One output column of a scan.
#[derive(Clone, Debug, PartialEq)]
pub enum ScanColumn {
    /// A column of the table, by its position.
    Column(usize),
    /// The value at a path in a dynamic column: dynamic, and null if the path does not exist.
    Path {
        /// The position of the dynamic column.
        column: usize,
        /// The path.
        path: dynamic::Path,
    },
}

impl ScanColumn {
    /// The position of the column that it reads.
    #[must_use]
    pub fn column(&self) -> usize {
        match self {
            Self::Column(column) | Self::Path { column, .. } => *column,
        }
    }

    /// The type of its values.
    #[must_use]
    pub fn ty(&self, table: &Schema) -> Type {
        match self {
            Self::Column(column) => table.field(*column).ty,
            Self::Path { .. } => Type::Dynamic,
        }
    }

    /// Evaluates it over complete rows of the table: the reference implementation of pushed-down paths.
    pub fn evaluate(&self, rows: &Batch) -> Result<Column> {
        match self {
            Self::Column(column) => Ok(rows.column(*column).clone()),
            Self::Path { column, path } => Ok(extract::extract_column(rows.column(*column), path)),
        }
    }
}

/// An exact filter that needs only some of the columns.
pub trait RowFilter: Debug + Send + Sync {
    /// The columns that [`Self::evaluate`] needs, in order.
    fn columns(&self) -> &[ScanColumn];

    /// True for the rows that pass.
    fn evaluate(&self, columns: &Batch) -> Result<BooleanArray>;

    /// The requested time range. A provider that skips rows by their times must still record these times in it.
    fn time_coverage(&self) -> Option<&TimeCoverage> {
        None
    }
}
