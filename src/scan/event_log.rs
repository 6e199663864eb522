//! The events of all scans of one run, with their counts. Events are added, and almost never removed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::lost::ProblemLog;
use super::{Damage, DamageLog, Note, ResultPages, TimeCoverage, Warning, Wildcard};

/// Maximum number of extra columns whose names are kept; these are the first ones in alphabetical order.
const MAX_EXTRA_COLUMNS: usize = 1_000;

/// The events of a run. The size of each set is bounded: by the queries, the known tables, or a limit of its own.
#[derive(Debug, Default)]
pub(super) struct EventLog {
    pub warnings: BTreeSet<Warning>,
    /// The notes, each with the number of its occurrences.
    pub notes: BTreeMap<Note, u64>,
    pub damage: DamageLog,
    pub problems: ProblemLog,
    /// Files that were not read, each with the reason.
    pub refused: BTreeMap<String, String>,
    /// Tables that the files contain or may contain.
    pub tables: BTreeSet<String>,
    /// Export shapes of the queried rows.
    pub shapes: BTreeSet<String>,
    /// Requested columns that at least one of the files lacks.
    pub lacking: BTreeSet<String>,
    pub extra_columns: BTreeSet<String>,
    pub pages: ResultPages,
    /// The time ranges that scans request; checked after the scans.
    pub coverages: Vec<Arc<TimeCoverage>>,
    /// The wildcards that queries use; checked after the scans.
    pub wildcards: Vec<Arc<Wildcard>>,
    /// True while notes and damage are ignored, because another scan of the same files will report them.
    pub muted: bool,
}

impl EventLog {
    /// Counts `count` occurrences of a note, unless the log is muted.
    pub fn add_note(&mut self, note: Note, count: u64) {
        if !self.muted && count > 0 {
            *self.notes.entry(note).or_default() += count;
        }
    }

    /// Adds a note with a count of 1, unless it is already there.
    pub fn add_note_once(&mut self, note: Note) {
        if !self.muted {
            self.notes.entry(note).or_insert(1);
        }
    }

    /// Counts `count` cases of damage in `file`. Returns true for the first case of this kind in the file.
    pub fn add_damage(&mut self, damage: Damage, file: &str, count: u64) -> bool {
        self.muted || self.damage.add(damage, file, count)
    }

    /// Adds a column of the records that the table lacks.
    pub fn add_extra_column(&mut self, column: &str) {
        self.extra_columns.insert(column.to_owned());
        if self.extra_columns.len() > MAX_EXTRA_COLUMNS {
            self.extra_columns.pop_last();
        }
    }

    /// Adds the events of another report about the same files, except lost records, pages and time ranges. Notes and
    /// damage that both reports have are not counted twice.
    pub fn absorb(&mut self, other: &Self) {
        self.warnings.extend(other.warnings.iter().cloned());
        self.refused.extend(other.refused.clone());
        for (own, found) in
            [(&mut self.tables, &other.tables), (&mut self.shapes, &other.shapes), (&mut self.lacking, &other.lacking)]
        {
            own.extend(found.iter().cloned());
        }
        other.extra_columns.iter().for_each(|column| self.add_extra_column(column));
        if self.muted {
            return;
        }
        for (note, count) in &other.notes {
            let known = self.notes.entry(note.clone()).or_default();
            *known = (*known).max(*count);
        }
        self.damage.absorb(&other.damage);
    }
}

/// Inserts a name into a set. Usually the set has it already, so no string is allocated then.
pub(super) fn insert(names: &mut BTreeSet<String>, name: &str) {
    if !names.contains(name) {
        names.insert(name.to_owned());
    }
}
