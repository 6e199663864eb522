//! Where rows come from.
//!
//! A [`TableProvider`] answers a [`ScanRequest`] with partitions, each an iterator of batches. Partitions are read in
//! parallel, and their order is the order of the rows: it depends on the files alone, never on the number of threads.

pub mod archived_warnings;
pub mod catalog;
pub(crate) mod completion;
pub mod coverage;
pub mod damage;
pub mod library;
pub mod memory;
pub mod predicate;
pub mod provenance;
pub mod range;
pub mod report;
pub(crate) mod result_pages;
mod wildcard;

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::sync::Arc;

use arrow::array::BooleanArray;

pub use archived_warnings::ArchivedWarnings;
pub use catalog::{Catalog, MemoryCatalog, Watchlist, WithColumns};
pub use completion::on_completion;
pub use coverage::TimeCoverage;
pub use damage::{Damage, DamageLog};
pub use library::{FunctionLibrary, StoredFunction};
pub use memory::MemoryTable;
pub use predicate::{Comparison, Predicate};
pub use provenance::Provenance;
pub use range::RangeTable;
pub use report::{FileProblems, Reject, RejectSink, ScanReport};
pub use result_pages::ResultPages;
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
}

/// A table that can be read.
pub trait TableProvider: Debug + Send + Sync {
    /// Its columns.
    fn schema(&self) -> &Schema;

    /// The parts that hold the wanted rows, in the order of the rows.
    fn scan(&self, request: &ScanRequest) -> Result<Vec<Arc<dyn Partition>>>;

    /// What it is, in a few words, for `explain`.
    fn describe(&self) -> String;

    /// True where no file has to be read for its rows.
    fn is_in_memory(&self) -> bool {
        false
    }

    /// How many files there are to be read, and their bytes.
    fn extent(&self) -> (u64, u64) {
        (0, 0)
    }

    /// True where reading one column costs a fraction of reading all.
    fn is_columnar(&self) -> bool {
        false
    }

    /// What statistics leave out of a scan with these conditions, and by which columns, for `explain`; None where all
    /// is read.
    fn left_out(&self, _prune: &[Predicate]) -> Option<String> {
        None
    }

    /// The same table with columns after its own: those of these names that it lacks and its records have. None if there
    /// are none. If they are known to `exist`, a column whose type cannot be inferred is a string.
    fn with_columns(&self, _names: &BTreeSet<String>, _exist: bool) -> Result<Option<Arc<dyn TableProvider>>> {
        Ok(None)
    }

    /// The same table with the columns of [`provenance`] behind its own; None where rows do not come from files.
    fn with_provenance(&self) -> Option<Arc<dyn TableProvider>> {
        None
    }

    /// Two of its files that are found, at little cost, to hold the same record; None if none are.
    fn overlap(&self) -> Option<Overlap> {
        None
    }

    /// The same table as one of those that a wildcard stands for: that it is missing in the files is no damage then,
    /// unless all of them are. None if it cannot be missing.
    fn matched_by_wildcard(&self, _wildcard: &Arc<Wildcard>) -> Option<Arc<dyn TableProvider>> {
        None
    }
}

/// A part of a table that one thread reads.
pub trait Partition: Debug + Send + Sync {
    /// Its batches: the columns of the request in its order, only rows that pass the request's filter, at most
    /// `batch_rows` rows each, a few times as many where the columns are narrow. Dropping the iterator stops the reading.
    fn read(&self) -> Result<BatchIterator<'_>>;
}

/// What is wanted of a table.
#[derive(Clone, Debug)]
pub struct ScanRequest {
    /// What each output column holds.
    pub columns: Vec<ScanColumn>,
    /// Conditions that every wanted row fulfils: for skipping only.
    pub prune: Vec<Predicate>,
    /// The exact test of a row. A source must apply it; it need not decode the other columns of a row that fails.
    pub filter: Option<Arc<dyn RowFilter>>,
    /// Rows wanted in all, where few are: a hint not to read ahead.
    pub limit: Option<usize>,
    /// Rows a batch has at most, a few times as many where its columns are narrow.
    pub batch_rows: usize,
    /// Memory that reading may take.
    pub memory: ScanMemory,
    /// How files are divided.
    pub sizes: ScanSizes,
    /// Where to say what was skipped, repaired and noticed.
    pub report: Arc<ScanReport>,
    /// Where to count what is read and left out.
    pub counters: Arc<ScanCounters>,
}

/// Memory that one thread of a scan may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScanMemory {
    /// Bytes that the strings of a batch have together, about; a batch of one row may have more.
    pub batch_bytes: usize,
    /// Bytes that the decompressed pages of a Parquet file may take at a time.
    pub page_bytes: usize,
}

impl Default for ScanMemory {
    /// Enough for whatever files usually hold.
    fn default() -> Self {
        Self { batch_bytes: 8 << 20, page_bytes: 1 << 30 }
    }
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
    /// What a path finds in a dynamic column: a dynamic, null where nothing is found.
    Path {
        /// The position of the dynamic column.
        column: usize,
        /// The path.
        path: dynamic::Path,
    },
}

impl ScanColumn {
    /// The table's column that it reads.
    #[must_use]
    pub fn column(&self) -> usize {
        match self {
            Self::Column(column) | Self::Path { column, .. } => *column,
        }
    }

    /// The type of what it holds.
    #[must_use]
    pub fn ty(&self, table: &Schema) -> Type {
        match self {
            Self::Column(column) => table.field(*column).ty,
            Self::Path { .. } => Type::Dynamic,
        }
    }

    /// Its value over whole rows of the table: the slow twin of a pushed-down path.
    pub fn evaluate(&self, rows: &Batch) -> Result<Column> {
        match self {
            Self::Column(column) => Ok(rows.column(*column).clone()),
            Self::Path { column, path } => Ok(extract::extract_column(rows.column(*column), path)),
        }
    }
}

/// The exact test of rows, evaluated on a few of their columns.
pub trait RowFilter: Debug + Send + Sync {
    /// The columns it needs, in the order in which it wants them.
    fn columns(&self) -> &[ScanColumn];

    /// True for the rows that pass.
    fn evaluate(&self, columns: &Batch) -> Result<BooleanArray>;

    /// The range of time that is asked for: a source that leaves rows out by their times tells it those, too.
    fn time_coverage(&self) -> Option<&TimeCoverage> {
        None
    }
}
