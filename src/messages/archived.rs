//! The warnings that an archive keeps about its original files.

use crate::scan::{ArchivedWarnings, ScanReport};

/// Collects the warnings of a finished scan for the footer of an archive. The result depends only on the files:
/// examples of damage depend on threads, so they are not included.
#[must_use]
pub fn archived_warnings(report: &ScanReport) -> ArchivedWarnings {
    let problems = report.problems();
    let lost = problems.iter().map(|(file, problems)| format!("{file}: {}", super::number_lost(problems)));
    let damage = super::all_damage(&report.damage()).into_iter().chain(lost);
    ArchivedWarnings::new(report, damage, super::warnings(report).into_iter(), super::counted_notes(report))
}
