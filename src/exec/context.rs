//! What a run knows: its `now`, its threads, its batch size, and whether it is stopped.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::bound::ScanBound;
use super::memory::MemoryBudget;
use super::metrics::PlanMetrics;
use super::spill::SpillFolder;
use crate::diagnostic::{Error, Result};
use crate::functions::EvalContext;
use crate::scan::ScanReport;

/// Fixed for one run; cheap to clone.
#[derive(Clone, Debug)]
pub struct ExecContext {
    /// What functions see.
    pub eval: EvalContext,
    /// How many threads read and compute; at least one.
    pub threads: usize,
    /// Rows a batch has at most.
    pub batch_rows: usize,
    /// What operators may hold.
    pub memory: Arc<MemoryBudget>,
    /// Where what is more goes.
    pub spill: Arc<SpillFolder>,
    /// Set from outside to stop the run.
    pub cancelled: Arc<AtomicBool>,
    /// What scans need not read any more.
    pub bound: Option<Arc<ScanBound>>,
    /// Where scans count what they skip.
    pub report: Arc<ScanReport>,
    /// Where the nodes of the plan are measured, if they are.
    pub metrics: Option<Arc<PlanMetrics>>,
}

impl ExecContext {
    /// An error where the run was stopped from outside.
    pub fn check_cancelled(&self) -> Result<()> {
        if self.cancelled.load(Ordering::Relaxed) { Err(Error::Cancelled) } else { Ok(()) }
    }
}
