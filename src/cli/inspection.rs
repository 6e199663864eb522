//! The text of an inspection of a file.

use crate::engine::inspect::FileInspection;
use crate::messages;

/// The unread records and the damage. Missing pages are left out, because only all files together show them. Warnings
/// are left out, too: they are about the columns that the query of the inspection names.
pub(super) fn damage<S>(inspection: &FileInspection<S>) -> Vec<String> {
    let report = &inspection.report;
    let lost: Vec<String> = report.problems().values().map(messages::lost).collect();
    let damage = messages::all_damage(&report.damage().without_missing_pages());
    inspection.unread.iter().cloned().chain(lost).chain(damage).collect()
}

/// The damage, then the notes.
pub(super) fn problems<S>(inspection: &FileInspection<S>) -> Vec<String> {
    damage(inspection).into_iter().chain(messages::counted_notes(&inspection.report)).collect()
}
