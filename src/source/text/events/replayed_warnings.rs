//! Repeats the warnings that an archive keeps about its original files.

use super::ScanEvents;
use crate::entra::RowKind;
use crate::scan::{ArchivedWarnings, Damage, EmptyReason, Note, Warning};

impl ScanEvents {
    /// Reports the warnings about the original files of the archive `file`.
    pub(crate) fn replay_warnings(&self, archived_warnings: &ArchivedWarnings, file: &str) {
        // An archive made of this one inherits them.
        archived_warnings.shapes.iter().for_each(|shape| self.report.note_shape(shape));
        archived_warnings.lacking.iter().for_each(|column| self.report.lacks(column));
        if let Some(table) = self.plan.selection.known() {
            let kinds = archived_warnings.shapes.iter().filter_map(|shape| RowKind::of_shape(shape));
            kinds.for_each(|(kind, complete)| self.report_shape(kind, complete, table));
            let lacking = self
                .plan
                .wanted()
                .filter(|name| archived_warnings.lacking.contains(*name))
                .map(str::to_owned)
                .collect();
            self.warn_empty(EmptyReason::MissingFromOriginals, lacking);
        }
        for text in &archived_warnings.damage {
            self.report.damaged(Damage::Archived(text.clone()), file, 1);
        }
        archived_warnings.warnings.iter().for_each(|warning| self.report.warn(Warning::Archived(warning.clone())));
        archived_warnings.notes.iter().for_each(|note| self.report_once(Note::Archived(note.clone())));
    }
}
