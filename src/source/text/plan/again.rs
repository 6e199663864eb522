//! What was said of the files that an archive was made of is said again where the archive is read.

use super::ScanPlan;
use crate::entra::RowKind;
use crate::scan::ArchivedWarnings;

/// What messages say of a column that those files lack.
const MISSING: &str = "is missing from some of the files that the archive was made of";

impl ScanPlan {
    /// Says of an archive what there was to say of the files that it was made of.
    pub(crate) fn say_again(&self, archived_warnings: &ArchivedWarnings) {
        // An archive of this one has the same to say.
        archived_warnings.shapes.iter().for_each(|shape| self.report.note_shape(shape));
        archived_warnings.lacking.iter().for_each(|column| self.report.lacks(column));
        if let Some(table) = self.rows.known() {
            let kinds = archived_warnings.shapes.iter().filter_map(|shape| RowKind::of_shape(shape));
            kinds.for_each(|kind| self.say_of_shape(kind, table));
            let lacking =
                self.wanted().filter(|name| archived_warnings.lacking.contains(*name)).map(str::to_owned).collect();
            self.warn_empty(MISSING, lacking);
        }
        archived_warnings.warnings.iter().for_each(|warning| self.report.warn(warning.as_str()));
        archived_warnings.notes.iter().for_each(|note| self.say_once(note.clone()));
    }
}
