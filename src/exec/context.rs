//! The settings and shared state of one run.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::dynamic_filter::DynamicFilter;
use super::metrics::PlanMetrics;
use super::spill::SpillFolder;
use crate::diagnostic::{Error, Result};
use crate::functions::EvalContext;
use crate::memory::MemoryBudget;
use crate::scan::{NamedColumns, ScanColumn, ScanMemory, ScanReport, ScanRequest};
use crate::storage::counters::ScanCounters;
use crate::types::Batch;

/// The settings and the shared state of one run, which are cheap to clone.
#[derive(Clone, Debug)]
pub struct ExecContext {
    /// What functions can read: `now()` and the seed.
    pub eval: EvalContext,
    /// The number of threads that read and compute; at least one.
    pub threads: usize,
    /// The maximum number of rows of a batch.
    pub batch_rows: usize,
    /// The memory that all operators together may use.
    pub memory: Arc<MemoryBudget>,
    /// The folder of the temporary files for rows that do not fit in memory.
    pub spill: Arc<SpillFolder>,
    /// Becomes true if the run is to be stopped, for example by a signal.
    pub cancelled: Arc<AtomicBool>,
    /// A filter for scans that `top` learned while the query runs; None if there is none.
    pub dynamic_filter: Option<Arc<DynamicFilter>>,
    /// True if columns may be read late, in a second phase; false for a plain plan.
    pub reads_late: bool,
    /// The columns that the query names, and the paths into them, which each scan gets.
    pub named_columns: Arc<NamedColumns>,
    /// The report to which scans add what they skip.
    pub report: Arc<ScanReport>,
    /// The rows for which the body of `mv-apply` runs now; None outside of a body.
    pub outer_rows: Option<Arc<Batch>>,
    /// The measurements of each plan node; None if the run is not measured.
    pub metrics: Option<Arc<PlanMetrics>>,
}

impl ExecContext {
    /// Returns [`Error::Cancelled`] if the run was stopped from outside.
    pub fn check_cancelled(&self) -> Result<()> {
        if self.cancelled.load(Ordering::Relaxed) { Err(Error::Cancelled) } else { Ok(()) }
    }

    /// Returns a request for all rows of a table, with these columns.
    pub(super) fn scan_request(&self, columns: Vec<ScanColumn>) -> ScanRequest {
        ScanRequest {
            columns,
            prune: Vec::new(),
            filter: None,
            limit: None,
            batch_rows: self.batch_rows,
            memory: ScanMemory::new(&self.memory, self.threads),
            sizes: crate::scan::ScanSizes::default(),
            stated: None,
            named_columns: Arc::clone(&self.named_columns),
            report: Arc::clone(&self.report),
            counters: ScanCounters::of_run(&self.report.counters),
        }
    }
}
