//! The settings of a run, with their defaults.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crate::binder::{ArrivalRange, TimeRange};
use crate::functions::LocationDatabase;
use crate::scan::RejectSink;

/// The default maximum number of rows of a batch: large enough to amortise the cost of a batch, small enough for the
/// cache of the processor.
pub const DEFAULT_BATCH_ROWS: usize = 8_192;

/// The settings of a run. The caller fills them in: the engine reads neither the clock nor the environment.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a setting of its own")]
pub struct Settings {
    /// The value of `now()`, in ticks.
    pub now: i64,
    /// Seed of hash tables and of `rand()`.
    pub seed: u64,
    /// Threads that read and compute; at least one.
    pub threads: usize,
    /// The maximum number of rows of a batch; scans of narrow columns may return a few times as many.
    pub batch_rows: usize,
    /// Whether plans are optimized; results are the same either way.
    pub optimize: bool,
    /// The values of query parameters, as they were written.
    pub parameters: BTreeMap<String, String>,
    /// The time range that every table is filtered by.
    pub time_range: Option<TimeRange>,
    /// The times of arrival that every table is filtered by.
    pub arrival_range: Option<ArrivalRange>,
    /// True for a run of a backtest, in which rows arrive as is assumed: `ingestion_time()` is refused.
    pub assumes_arrival: bool,
    /// The time column of tables that are not in `time_columns`.
    pub time_column: String,
    /// The time column by table.
    pub time_columns: BTreeMap<String, String>,
    /// The column that `ingestion_time()` returns, by table.
    pub ingestion_columns: BTreeMap<String, String>,
    /// The local table by the name of another one, which [`table_name`](crate::syntax::table_name) returns.
    pub aliases: BTreeMap<String, String>,
    /// Whether tables of files have provenance columns, which tell the origin of each row.
    pub provenance: bool,
    /// The key column of deduplication: of several rows with the same value, the last delivery counts.
    pub dedup: Option<String>,
    /// Where unreadable records are written. Forces every record to be parsed.
    pub rejects: Option<Arc<dyn RejectSink>>,
    /// Whether every record is parsed, so that damage is reported even in records that cannot match.
    pub thorough: bool,
    /// The database of the locations of addresses, for `geo_info_from_ip_address()`.
    pub locations: Option<Arc<LocationDatabase>>,
    /// The bytes of memory that all operators together may use before they spill to temporary files.
    pub max_memory: u64,
    /// The folder for temporary files; None for the system's.
    pub temp_dir: Option<PathBuf>,
    /// Set from outside to stop the run.
    pub cancelled: Arc<AtomicBool>,
}

impl Settings {
    /// The default settings, with this `now`.
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
            arrival_range: None,
            assumes_arrival: false,
            time_column: "TimeGenerated".to_owned(),
            time_columns: BTreeMap::new(),
            ingestion_columns: BTreeMap::new(),
            aliases: BTreeMap::new(),
            provenance: false,
            dedup: None,
            rejects: None,
            thorough: false,
            locations: None,
            max_memory: u64::MAX,
            temp_dir: None,
            cancelled: Arc::new(AtomicBool::new(false)),
        }
    }
}
