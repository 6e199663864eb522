//! The text of events: warnings, notes, damage, and records that could not be read.
//!
//! Scans report typed events ([`crate::scan::ScanReport`]), and so do commands ([`CommandWarning`], [`CommandNote`]);
//! only this module has their wording. Names in the text may come from the files, so whoever prints the text must
//! escape control characters.

mod archived;
mod command;
mod damage;
mod detection;
mod lost;
mod note;
#[cfg(test)]
mod tests;
mod warning;

use std::collections::{BTreeMap, BTreeSet};

pub use self::archived::archived_warnings;
pub use self::command::{CommandNote, CommandWarning};
pub use self::damage::{damage, damage_in_files, reject_reason};
pub use self::detection::{AccountWarning, RuleNote, RuleWarning};
pub use self::lost::{lost, number_lost};
pub use self::note::note;
use self::note::note_about_files;
pub use self::warning::warning;
use crate::scan::{DamageLog, ScanReport};

/// Maximum number of files that notes of one kind name. The others are only counted.
const MAX_NOTED_FILES: usize = 10;

/// The end of messages about rows that may be missing.
const NO_EVIDENCE: &str = "finding no rows is not evidence of absence";

/// Returns the warnings of a report, sorted. Damage is not included.
#[must_use]
pub fn warnings(report: &ScanReport) -> BTreeSet<String> {
    report.warnings().iter().map(warning).collect()
}

/// Returns the notes of a report, sorted, each with the number of its occurrences.
#[must_use]
pub fn notes(report: &ScanReport) -> BTreeMap<String, u64> {
    let mut texts = BTreeMap::new();
    for (event, count) in report.notes() {
        *texts.entry(note(&event)).or_default() += count;
    }
    texts
}

/// Returns the notes of a report, sorted, each followed by the number of its occurrences. If there are many notes of
/// one kind about files, only the first files are named.
pub fn counted_notes(report: &ScanReport) -> impl Iterator<Item = String> {
    let mut files: BTreeMap<String, usize> = BTreeMap::new();
    let mut texts: BTreeMap<String, u64> = BTreeMap::new();
    for (event, count) in report.notes() {
        let kind = note_about_files(&event);
        let of_kind = kind.clone().map(|kind| files.entry(kind).or_default());
        let is_named = of_kind.is_none_or(|files| {
            *files += 1;
            *files <= MAX_NOTED_FILES
        });
        if is_named {
            *texts.entry(note(&event)).or_default() += count;
        }
    }
    let more = files.into_iter().filter(|(_, count)| *count > MAX_NOTED_FILES);
    let more: Vec<String> =
        more.map(|(kind, count)| format!("{kind}: {} more files", count - MAX_NOTED_FILES)).collect();
    let texts = texts.into_iter();
    texts.map(|(text, count)| if count == 1 { text } else { format!("{text} ({count} times)") }).chain(more)
}

/// Returns a message for each kind of damage, which names the first files.
#[must_use]
pub fn all_damage(log: &DamageLog) -> Vec<String> {
    log.kinds().map(|(kind, files)| damage_in_files(kind, files)).collect()
}

/// Returns "1 record", "2 records" and so on.
#[must_use]
pub fn counted(count: u64, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}
