//! Rows of a table in any shape -> an archive that is read fast: sorted by time, in Parquet.
//!
//! The input may be larger than the memory: rows are gathered into sorted runs (`runs.rs`), runs that do not fit are
//! written to temporary files (`exec::spill`), and all of them are merged (`merge.rs`) into a [`Sink`]. An archive comes
//! into being beside its place and gets its name when it is whole (`staging.rs`). It answers every query as its
//! original does: types that Parquet has not are noted in the footers, from which the reader restores them.

mod ahead;
mod blocks;
mod keys;
mod known_ids;
mod layout;
mod limits;
mod merge;
mod publish;
mod runs;
mod staging;
mod storage;
mod words;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

pub use known_ids::KnownIds;
pub use layout::Partition;
pub use publish::{Disk, RealDisk};
pub use staging::Staging;
pub use storage::Ranges;
pub use writer::{ArchiveWriter, Place};

use self::keys::SortedRows;
use self::limits::Limits;
use self::merge::Merge;
use self::runs::RunBuilder;
use crate::diagnostic::{Error, Result};
use crate::engine::{Flow, Prepared};
use crate::exec::spill::SpillFolder;
use crate::source::{Cautions, ScanReport};
use crate::types::{Batch, Schema, Type};

/// Least memory that a query or a conversion can be asked to do with, in bytes.
pub const LEAST_MEMORY: u64 = 16 << 20;

/// A table whose rows come in order.
#[derive(Clone, Debug)]
pub struct SortedTable {
    /// Its name.
    pub name: String,
    /// Its columns.
    pub schema: Schema,
    /// The column that gives the order; None where the rows keep the one they came in.
    pub time: Option<usize>,
    /// What values its times have.
    pub ranges: Ranges,
    /// What there was to say of the files.
    pub cautions: Cautions,
    /// Its rows.
    pub rows: u64,
}

/// Some rows of a [`SortedTable`].
#[derive(Clone, Debug)]
pub struct Rows {
    /// The rows.
    pub batch: Batch,
    /// The time of each in ticks, `i64::MAX` where it is null; never falling.
    keys: Vec<i64>,
}

/// Where rows in order go.
pub trait Sink {
    /// The table; called once, first.
    fn begin(&mut self, table: &SortedTable) -> Result<()>;

    /// Rows that are handed over together are of one period of these.
    fn partition(&self) -> Partition {
        Partition::None
    }

    /// The next rows.
    fn rows(&mut self, rows: &Rows) -> Result<()>;

    /// The end.
    fn finish(&mut self) -> Result<()>;
}

/// How far a conversion has come, besides its scans; read by others while it runs.
#[derive(Debug, Default)]
pub struct Progress {
    /// Rows that were read.
    pub rows_read: AtomicU64,
    /// Rows that were written.
    pub rows_written: AtomicU64,
}

/// How a table is sorted.
#[derive(Clone, Debug)]
pub struct Options {
    /// The column that gives the order, where the table has it.
    pub time_column: String,
    /// Bytes of memory that rows may take.
    pub max_memory: u64,
    /// Threads that put rows together.
    pub threads: usize,
    /// The folder for rows that do not fit the memory.
    pub temporary: PathBuf,
    /// Where to say how far it is.
    pub progress: Arc<Progress>,
}

/// The folder of a table in an archive.
#[must_use]
pub fn folder_of(table: &str) -> PathBuf {
    PathBuf::from(writer::folder_name(table))
}

/// The name of a table as a query must write it.
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
    /// What there is to say of the files.
    report: Arc<ScanReport>,
}

/// Reads all rows of `prepared`; `keep` says which of them are wanted.
///
/// # Errors
/// Those of the query and of the disk.
pub fn gather(
    prepared: &Prepared,
    options: &Options,
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
    /// Hands the rows to `sink` in the order of their time, as rows of the table `name`, and returns what was found;
    /// without rows, `sink` hears nothing.
    ///
    /// # Errors
    /// Those of the disk and of the sink.
    pub fn write(self, name: &str, options: &Options, sink: &mut dyn Sink) -> Result<SortedTable> {
        let Self { schema, time, ranges, folder, builder, report } = self;
        let cautions = Cautions::of(&report);
        let table = SortedTable { name: name.to_owned(), schema, time, ranges, cautions, rows: builder.rows() };
        if table.rows > 0 {
            merge(builder, &table, options, (&folder, sink))?;
        }
        Ok(table)
    }
}

fn merge(
    builder: RunBuilder,
    table: &SortedTable,
    options: &Options,
    (folder, sink): (&SpillFolder, &mut dyn Sink),
) -> Result<()> {
    let limits = Limits::new(options.max_memory, options.threads).for_rows(builder.row_bytes());
    let mut merge = Merge::new(builder.finish()?, (&table.schema, table.time), &limits, folder)?;
    sink.begin(table)?;
    let partition = sink.partition();
    let next = || merge.next(&|key| partition.end(key));
    ahead::ahead(options.threads, next, |SortedRows { batch, keys }| {
        options.progress.rows_written.fetch_add(batch.rows() as u64, Ordering::Relaxed);
        sink.rows(&Rows { batch, keys })
    })?;
    sink.finish()
}

/// The column that gives the order: the one that was asked for, or else the first datetime.
fn time_column(schema: &Schema, wanted: &str) -> Result<Option<usize>> {
    let is_time = |index: &usize| schema.field(*index).ty == Type::Datetime;
    match schema.index_of(wanted) {
        Some(index) if is_time(&index) => Ok(Some(index)),
        Some(index) => {
            let ty = schema.field(index).ty;
            Err(Error::Usage(format!(
                "--time-column {wanted}: the column is a {ty}, and rows are ordered by a datetime"
            )))
        }
        None => Ok((0..schema.len()).find(is_time)),
    }
}

/// True where a folder holds nothing, or is not there.
pub fn is_empty(folder: &Path) -> Result<bool> {
    match std::fs::read_dir(folder) {
        Ok(mut entries) => Ok(entries.next().is_none()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(true),
        Err(error) => Err(Error::io(folder, error)),
    }
}
