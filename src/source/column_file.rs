//! Opens Parquet files and Arrow IPC files behind one type: the columnar formats, which store values column by
//! column.

use std::sync::Arc;

use crate::diagnostic::Result;
use crate::parquet::{ArrowFile, FileInTable, ParquetFile};
use crate::scan::{ArchivedWarnings, Partition, ScanRequest};
use crate::storage::files::{DataFile, FileFormat};
use crate::storage::limits::ReadLimits;
use crate::types::Schema;

/// A columnar file whose schema has been read.
#[derive(Clone, Debug)]
pub(crate) enum ColumnFile {
    /// A Parquet file.
    Parquet(Arc<ParquetFile>),
    /// An Arrow IPC file or stream.
    Arrow(Arc<ArrowFile>),
}

impl ColumnFile {
    /// Opens `file` and reads its schema, within `limits`.
    ///
    /// # Errors
    /// The file cannot be opened, or its schema is inconsistent.
    pub fn of(file: &DataFile, limits: ReadLimits) -> Result<Self> {
        match file.format()? {
            FileFormat::Arrow => ArrowFile::of(file, limits).map(Self::Arrow),
            _ => ParquetFile::of(file).map(Self::Parquet),
        }
    }

    /// Returns the name of the file, as messages show it.
    pub fn name(&self) -> &str {
        match self {
            Self::Parquet(file) => file.name(),
            Self::Arrow(file) => file.name(),
        }
    }

    /// Returns the name of the format, as messages show it.
    pub fn format(&self) -> &'static str {
        match self {
            Self::Parquet(_) => "Parquet",
            Self::Arrow(_) => "Arrow",
        }
    }

    /// Returns the readable columns, with the KQL types that the file suggests for them.
    pub fn columns(&self) -> Schema {
        match self {
            Self::Parquet(file) => file.columns(),
            Self::Arrow(file) => file.columns(),
        }
    }

    /// Returns the name of the table whose archive the file is, if `convert` wrote it; None for other files.
    pub fn archived_table(&self) -> Option<&str> {
        match self {
            Self::Parquet(file) => file.archived_table(),
            Self::Arrow(_) => None,
        }
    }

    /// Returns the warnings about the original files, if the file is an archive that `convert` wrote.
    pub fn archived_warnings(&self) -> Option<ArchivedWarnings> {
        match self {
            Self::Parquet(file) => file.archived_warnings(),
            Self::Arrow(_) => None,
        }
    }

    /// True for a query result that this program wrote.
    pub fn is_answer(&self) -> bool {
        match self {
            Self::Parquet(file) => file.is_answer(),
            Self::Arrow(file) => file.is_answer(),
        }
    }

    /// Returns the number of rows that the file records.
    pub fn rows(&self) -> u64 {
        match self {
            Self::Parquet(file) => file.rows(),
            Self::Arrow(file) => file.rows(),
        }
    }

    /// Returns the number of nulls in a column; None if there is no such column, or if the file does not count
    /// nulls.
    pub fn nulls(&self, column: &str) -> Option<u64> {
        match self {
            Self::Parquet(file) => file.nulls(column),
            Self::Arrow(_) => None,
        }
    }

    /// Returns partitions that contain all rows of a table that the request may match, in the order of the rows.
    pub fn partitions_of(&self, table: &FileInTable, request: &ScanRequest) -> Result<Vec<Arc<dyn Partition>>> {
        match self {
            Self::Parquet(file) => file.partitions_of(table, request),
            Self::Arrow(file) => Ok(file.partitions_of(table, request)),
        }
    }
}
