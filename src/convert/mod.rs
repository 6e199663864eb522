//! Converts a table of any export shape to an archive that is fast to read: sorted by time, in Parquet.
//!
//! The input may be larger than memory. Rows are collected into sorted runs (`runs.rs`), runs that do not fit in
//! memory are spilled to temporary files (`exec::spill`), and all runs are merged (`merge.rs`) into an
//! [`ArchiveSink`]. An archive is written beside its destination, and renamed when it is complete (`staging.rs`).
//! Queries over it return the same results as over the original files: the footers record the KQL types that Parquet
//! lacks, and the reader restores them.

mod blocks;
mod dictionaries;
mod keys;
mod known_ids;
mod layout;
mod limits;
mod merge;
mod prefetch;
mod publish;
mod runs;
mod staging;
mod storage;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

pub use known_ids::KnownIds;
pub use layout::PartitionPeriod;
pub use publish::{Disk, RealDisk};
pub use staging::Staging;
pub use storage::Ranges;
pub use writer::{ArchiveTarget, ArchiveWriter};

use self::keys::SortedRows;
use self::limits::Limits;
use self::merge::ArchiveMerge;
use self::runs::RunBuilder;
use crate::diagnostic::{Error, Result};
use crate::engine::{Flow, Prepared};
use crate::exec::spill::SpillFolder;
use crate::messages;
use crate::scan::{ArchivedWarnings, ScanReport};
use crate::types::{Batch, Schema, Type};

/// Minimum memory limit of a query or conversion, in bytes.
pub const LEAST_MEMORY: u64 = 16 << 20;

/// A table whose rows are sorted by time.
#[derive(Clone, Debug)]
pub struct SortedTable {
    /// The name of the table.
    pub name: String,
    /// The columns of the table.
    pub schema: Schema,
    /// The position of the column by which rows are sorted; None if they keep their input order.
    pub time: Option<usize>,
    /// The smallest and largest values of its datetime and timespan columns.
    pub ranges: Ranges,
    /// The warnings about the input files.
    pub archived_warnings: ArchivedWarnings,
    /// The number of rows.
    pub rows: u64,
}

/// A chunk of rows of a [`SortedTable`].
#[derive(Clone, Debug)]
pub struct ArchiveRows {
    /// The rows, in the order of `keys`.
    pub batch: Batch,
    /// The time of each row in ticks, ascending; `i64::MAX` if it is null.
    keys: Vec<i64>,
}

impl ArchiveRows {
    /// Divides the rows: those before the row at `count`, and the others.
    fn split_at(self, count: usize) -> (Self, Self) {
        let count = count.min(self.keys.len());
        let part = |from: usize, to: usize| Self {
            batch: self.batch.slice(from, to - from),
            keys: self.keys[from..to].to_vec(),
        };
        (part(0, count), part(count, self.keys.len()))
    }
}

/// Receives sorted rows.
pub trait ArchiveSink {
    /// Begins the table; called once, before any rows.
    fn begin(&mut self, table: &SortedTable) -> Result<()>;

    /// Returns the period by which the archive is partitioned. All rows of one call belong to one period.
    fn partition(&self) -> PartitionPeriod {
        PartitionPeriod::None
    }

    /// Receives the next rows.
    fn rows(&mut self, rows: &ArchiveRows) -> Result<()>;

    /// Ends the table; called once, after all rows.
    fn finish(&mut self) -> Result<()>;
}

/// The progress of a conversion, which other threads read. The progress of its scans is counted elsewhere.
#[derive(Debug, Default)]
pub struct Progress {
    /// Number of rows that were read so far.
    pub rows_read: AtomicU64,
    /// Number of rows that were written so far.
    pub rows_written: AtomicU64,
}

/// The options for sorting a table.
#[derive(Clone, Debug)]
pub struct SortOptions {
    /// The name of the column by which rows are sorted, if the table has it.
    pub time_column: String,
    /// Maximum number of bytes of rows in memory.
    pub max_memory: u64,
    /// The number of threads that sort and merge.
    pub threads: usize,
    /// The folder for temporary files.
    pub temporary: PathBuf,
    /// The progress, which is updated during the conversion.
    pub progress: Arc<Progress>,
}

/// Returns the name of a table's folder in an archive.
#[must_use]
pub fn folder_of(table: &str) -> PathBuf {
    PathBuf::from(writer::folder_name(table))
}

/// Returns the name of a table as a query must write it: in brackets and quotes.
#[must_use]
pub fn quoted(table: &str) -> String {
    format!("['{}']", table.replace('\\', "\\\\").replace('\'', "\\'"))
}

/// All rows of a table, in sorted runs.
#[derive(Debug)]
pub struct GatheredRows {
    schema: Schema,
    time: Option<usize>,
    ranges: Ranges,
    folder: Arc<SpillFolder>,
    builder: RunBuilder,
    /// The report with the notes and warnings about the input files.
    report: Arc<ScanReport>,
}

/// Reads the rows of `prepared`. `keep` returns those of a batch that are kept.
///
/// # Errors
/// The query fails, or a temporary file cannot be written.
pub fn gather(
    prepared: &Prepared,
    options: &SortOptions,
    keep: &mut dyn FnMut(Batch) -> Result<Batch>,
) -> Result<GatheredRows> {
    let schema = prepared.schema().clone();
    let time = time_column(&schema, &options.time_column)?;
    let limits = Limits::new(options.max_memory, options.threads);
    let mut ranges = Ranges::new(&schema);
    let folder = Arc::new(SpillFolder::new(Some(options.temporary.clone())));
    let mut builder = RunBuilder::new(schema.clone(), time, limits, Arc::clone(&folder));
    prepared.run(&mut |batch| {
        let batch = keep(batch)?;
        ranges.add(&batch);
        builder.push(&batch)?;
        options.progress.rows_read.fetch_add(batch.rows() as u64, Ordering::Relaxed);
        Ok(Flow::Continue(()))
    })?;
    let report = Arc::clone(prepared.report());
    Ok(GatheredRows { schema, time, ranges, folder, builder, report })
}

impl GatheredRows {
    /// Passes all rows to `sink`, sorted by time, as rows of the table `name`. If there are no rows, `sink` is not
    /// called.
    ///
    /// # Errors
    /// A temporary file cannot be read, or the sink fails.
    pub fn write(self, name: &str, options: &SortOptions, sink: &mut dyn ArchiveSink) -> Result<SortedTable> {
        let Self { schema, time, ranges, folder, builder, report } = self;
        let archived_warnings = messages::archived_warnings(&report);
        let table =
            SortedTable { name: name.to_owned(), schema, time, ranges, archived_warnings, rows: builder.rows() };
        if table.rows > 0 {
            merge(builder, &table, options, &folder, sink)?;
        }
        Ok(table)
    }
}

fn merge(
    builder: RunBuilder,
    table: &SortedTable,
    options: &SortOptions,
    folder: &SpillFolder,
    sink: &mut dyn ArchiveSink,
) -> Result<()> {
    let limits = Limits::new(options.max_memory, options.threads).for_rows(builder.row_bytes());
    let mut merge = ArchiveMerge::new(builder.finish()?, &table.schema, table.time, &limits, folder)?;
    sink.begin(table)?;
    let partition = sink.partition();
    let next = || merge.next(&|key| partition.end(key));
    prefetch::prefetch(options.threads, next, |SortedRows { batch, keys }| {
        options.progress.rows_written.fetch_add(batch.rows() as u64, Ordering::Relaxed);
        sink.rows(&ArchiveRows { batch, keys })
    })?;
    sink.finish()
}

/// Returns the position of the column `wanted`, or else of the first datetime column; None if there is none.
fn time_column(schema: &Schema, wanted: &str) -> Result<Option<usize>> {
    let is_time = |index: &usize| schema.field(*index).ty == Type::Datetime;
    match schema.index_of(wanted) {
        Some(index) if is_time(&index) => Ok(Some(index)),
        Some(index) => {
            let ty = schema.field(index).ty;
            Err(Error::Usage(format!(
                "--time-column {wanted}: the column has type {ty}, but rows are ordered by a datetime"
            )))
        }
        None => Ok((0..schema.len()).find(is_time)),
    }
}

/// True if a folder is empty or does not exist.
pub fn is_empty(folder: &Path) -> Result<bool> {
    match std::fs::read_dir(folder) {
        Ok(mut entries) => Ok(entries.next().is_none()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(true),
        Err(error) => Err(Error::io(folder, error)),
    }
}
