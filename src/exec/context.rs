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

/// The settings and shared state of one run; cheap to clone.
#[derive(Clone, Debug)]
pub struct ExecContext {
    /// The context of function calls: `now()` and the seed.
    pub eval: EvalContext,
    /// Threads that read and compute; at least one.
    pub threads: usize,
    /// The maximum number of rows of a batch.
    pub batch_rows: usize,
    /// The memory that operators may use.
    pub memory: Arc<MemoryBudget>,
    /// Where operators write rows that do not fit in memory.
    pub spill: Arc<SpillFolder>,
    /// Set from outside to stop the run.
    pub cancelled: Arc<AtomicBool>,
    /// A filter for scans that was learned while the query runs.
    pub dynamic_filter: Option<Arc<DynamicFilter>>,
    /// The columns that the query names.
    pub named_columns: Arc<NamedColumns>,
    /// Where scans count what they skip.
    pub report: Arc<ScanReport>,
    /// The rows for which the body of a plan per row runs; None outside of one.
    pub outer_rows: Option<Arc<Batch>>,
    /// The measurements of each plan node; None if the run is not measured.
    pub metrics: Option<Arc<PlanMetrics>>,
}

impl ExecContext {
    /// Returns an error if the run was stopped from outside.
    pub fn check_cancelled(&self) -> Result<()> {
        if self.cancelled.load(Ordering::Relaxed) { Err(Error::Cancelled) } else { Ok(()) }
    }

    /// A request for all rows of a table with these columns.
    pub(super) fn scan_request(&self, columns: Vec<ScanColumn>) -> ScanRequest {
        ScanRequest {
            columns,
            prune: Vec::new(),
            filter: None,
            limit: None,
            batch_rows: self.batch_rows,
            memory: ScanMemory::new(&self.memory, self.threads),
            sizes: crate::scan::ScanSizes::default(),
            named_columns: Arc::clone(&self.named_columns),
            report: Arc::clone(&self.report),
            counters: ScanCounters::of_run(&self.report.counters),
        }
    }
}
