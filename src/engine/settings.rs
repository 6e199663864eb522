//! The settings of a run, with their defaults.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::WindowTimes;
use crate::binder::{ArrivalRange, RuleRun, TimeRange};
use crate::functions::LocationDatabase;
use crate::scan::RejectSink;

/// The default maximum number of rows of a batch. It is large enough that the cost per batch does not matter, and small
/// enough for a batch to fit into the processor's cache.
pub const DEFAULT_BATCH_ROWS: usize = 8_192;

/// The settings of a run. The caller fills them in: the engine reads neither the clock nor the environment.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The value of `now()`, in ticks.
    pub now: i64,
    /// The seed of hash tables and of `rand()`.
    pub seed: u64,
    /// The number of threads that read and compute; at least one.
    pub threads: usize,
    /// The maximum number of rows of a batch; scans of narrow columns may return a few times as many.
    pub batch_rows: usize,
    /// True if plans are optimized; the results are the same either way.
    pub optimize: bool,
    /// The values of query parameters, as they were written.
    pub parameters: BTreeMap<String, String>,
    /// The time range by which every table is filtered; None for all times.
    pub time_range: Option<TimeRange>,
    /// The times of arrival by which every table is filtered; None for all times.
    pub arrival_range: Option<ArrivalRange>,
    /// How the query of an alert rule is bound; None for other queries.
    pub rule_run: Option<RuleRun>,
    /// When rows arrive in the runs of an alert rule, as `ingestion_time()` returns it there; None for other queries.
    pub arrivals: Option<WindowTimes>,
    /// The name of the time column of tables that are not in `time_columns`.
    pub time_column: String,
    /// The name of the time column, by table.
    pub time_columns: BTreeMap<String, String>,
    /// The name of the column that `ingestion_time()` returns, by table.
    pub ingestion_columns: BTreeMap<String, String>,
    /// The local tables that stand for others. The key is the name of the other table as
    /// [`table_name`](crate::syntax::table_name) returns it, and the value is the name of the local table.
    pub aliases: BTreeMap<String, String>,
    /// True if tables of files have provenance columns, which show the source location of each row.
    pub provenance: bool,
    /// The key column of deduplication: of several rows with the same value, only the latest delivery counts. None for
    /// none.
    pub dedup: Option<String>,
    /// The sink to which records that cannot be read are written; None if they are not written. With a sink, every
    /// record is parsed.
    pub rejects: Option<Arc<dyn RejectSink>>,
    /// True if every record is parsed, so that damage is reported even in records that the query does not need.
    pub thorough: bool,
    /// The database of the locations of IP addresses, for `geo_info_from_ip_address()`.
    pub locations: Option<Arc<LocationDatabase>>,
    /// The number of bytes of memory that all operators together may use before they spill rows to temporary files.
    pub max_memory: u64,
    /// The folder for temporary files; None for the folder of the system.
    pub temp_dir: Option<PathBuf>,
    /// Becomes true if the run is to be stopped, for example by a signal.
    pub cancelled: Arc<AtomicBool>,
}

impl Settings {
    /// Returns the default settings, with this value of `now()`.
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
            rule_run: None,
            arrivals: None,
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
