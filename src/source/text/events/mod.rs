//! Reports what the partitions of one scan find. Each finding is reported once per scan, however many files and
//! threads find it.

mod replayed_warnings;
mod reporting;
mod scan_log;
mod unknown_columns;

use std::sync::Arc;

use self::scan_log::ScanLog;
use super::classify::{self, RecordClass};
use super::plan::{ScanPlan, is_renamed};
use crate::entra::RowKind;
use crate::scan::{Note, ScanReport};

/// Prefix of the names of files that DFIR-O365RC writes. For large tenants this collector fetches only sign-ins with
/// the error code 0.
const SUCCESSES_ONLY: &str = "AADSigninLog_";

/// The events of one scan, shared by its partitions.
#[derive(Debug)]
pub(crate) struct ScanEvents {
    plan: Arc<ScanPlan>,
    /// The report of the run.
    pub report: Arc<ScanReport>,
    /// The findings of the partitions, which are collected until all partitions are read.
    pub log: Arc<ScanLog>,
}

impl ScanEvents {
    /// Returns the events of a scan that begins.
    pub(crate) fn new(plan: &Arc<ScanPlan>, report: &Arc<ScanReport>) -> Self {
        Self { plan: Arc::clone(plan), report: Arc::clone(report), log: Arc::default() }
    }

    /// Returns the events of the same scan for partitions that read with another plan.
    pub(crate) fn for_plan(&self, plan: &Arc<ScanPlan>) -> Self {
        Self { plan: Arc::clone(plan), report: Arc::clone(&self.report), log: Arc::clone(&self.log) }
    }

    /// Reports a note, unless this scan reported it before.
    pub(crate) fn report_once(&self, note: impl Into<Note>) {
        let note = note.into();
        if self.log.is_new(&note) {
            self.report.note(note);
        }
    }

    /// Returns the class of a row that names another table, if that table is a copy of the one to which the user
    /// bound the file.
    pub(crate) fn renamed(&self, name: &str) -> Option<RecordClass> {
        let table = self.plan.selection.single_table().filter(|own| own.is_bound && is_renamed(name, own.table))?.table;
        self.report_renamed(name, table);
        Some(classify::row(RowKind::Flat, table, true, true))
    }
}

/// True for a file whose name says that its collector may have kept only successes.
pub(crate) fn may_lack_failures(kind: RowKind, file: &str) -> bool {
    let last = file.rsplit(['/', '\\']).next().unwrap_or(file);
    kind.is_graph() && last.starts_with(SUCCESSES_ONLY)
}
