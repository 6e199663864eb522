//! Every setting of a run, once: name, default, meaning.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crate::binder::TimeRange;
use crate::scan::RejectSink;

/// Rows a batch has at most, unless set otherwise: large enough to amortise the work a batch costs, small enough for
/// the processor's cache.
pub const DEFAULT_BATCH_ROWS: usize = 8_192;

/// How a query runs. The front door fills it in: nothing below reads a clock or the environment.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What `now()` answers, in ticks.
    pub now: i64,
    /// Seed of hash tables and of `rand()`.
    pub seed: u64,
    /// Threads that read and compute; at least one.
    pub threads: usize,
    /// Rows a batch has at most, a few times as many where its columns are narrow.
    pub batch_rows: usize,
    /// Whether plans are improved before they run; answers are the same either way.
    pub optimize: bool,
    /// Values of query parameters, as text.
    pub parameters: BTreeMap<String, String>,
    /// A time range that every table is cut to.
    pub time_range: Option<TimeRange>,
    /// The column that holds the time, where a table has none of its own.
    pub time_column: String,
    /// By table, the column that the time range cuts instead of the range's own.
    pub time_columns: BTreeMap<String, String>,
    /// By table, the column that `ingestion_time()` answers.
    pub ingestion_columns: BTreeMap<String, String>,
    /// Whether tables of files have the columns that tell where a row came from.
    pub provenance: bool,
    /// The column whose repeated values are the same record delivered again: the last delivery counts.
    pub dedup: Option<String>,
    /// Where what could not be read is kept; every record is looked at then.
    pub rejects: Option<Arc<dyn RejectSink>>,
    /// Whether every record is looked at, so that no damage is missed in records that cannot be in the answer.
    pub thorough: bool,
    /// Bytes of memory that the operators of a run may hold together; what is more goes to temporary files.
    pub max_memory: u64,
    /// The folder for these; None for the system's.
    pub temp_dir: Option<PathBuf>,
    /// Set from outside to stop the run.
    pub cancelled: Arc<AtomicBool>,
}

impl Settings {
    /// The defaults, with this `now`.
    #[must_use]
    pub fn new(now: i64) -> Self {
        Self {
            now,
            seed: 0,
            threads: 1,
            batch_rows: DEFAULT_BATCH_ROWS,
            optimize: true,
            parameters: BTreeMap::new(),
            time_range: None,
            time_column: "TimeGenerated".to_owned(),
            time_columns: BTreeMap::new(),
            ingestion_columns: BTreeMap::new(),
            provenance: false,
            dedup: None,
            rejects: None,
            thorough: false,
            max_memory: u64::MAX,
            temp_dir: None,
            cancelled: Arc::new(AtomicBool::new(false)),
        }
    }
}
