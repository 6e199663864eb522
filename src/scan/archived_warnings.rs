//! Archived warnings: the footer of an archive keeps the warnings about its original files, so that a query over the
//! archive reports the same warnings as a query over the originals.
//!
//! Footers are untrusted. So the strings that are read from one are limited in number and length, their control
//! characters are escaped, and a prefix tells that they come from the archive.

use std::collections::BTreeSet;

use super::ScanReport;
use crate::diagnostic::visible;

/// The key of the export shapes of the original records.
const SHAPES_KEY: &str = "coldcase.shape";
/// The key of the columns that one of the original files lacked, one per line.
const LACKING_KEY: &str = "coldcase.lacking";
/// The key of the damage, one case per line.
const DAMAGE_KEY: &str = "coldcase.damage";
/// The key of damage and warnings, one per line. Version 0.2.0 does not distinguish them, and reads only this key.
const WARNINGS_KEY: &str = "coldcase.warnings";
/// The key of the notes, one per line.
const NOTES_KEY: &str = "coldcase.notes";

/// The prefix of warnings that come from an archive.
const PREFIX: &str = "when the archive was made: ";

/// Maximum number of lines of a key. If there are more, the last line tells how many were dropped.
const MAX_LINES: usize = 50;
/// Maximum number of characters in a line.
const MAX_LENGTH: usize = 400;
/// Maximum number of column names that are read.
const MAX_COLUMNS: usize = 1_000;

/// The warnings about the original files of an archive.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ArchivedWarnings {
    /// The export shapes of the records.
    pub shapes: Vec<String>,
    /// Columns of the table that at least one of the files lacked, as a CSV file may.
    pub lacking: BTreeSet<String>,
    /// Messages about what could not be read, is missing or is ambiguous.
    pub damage: Vec<String>,
    /// Messages about other reasons why results may mislead.
    pub warnings: Vec<String>,
    /// Messages about further observations.
    pub notes: Vec<String>,
}

impl ArchivedWarnings {
    /// Collects what a finished scan reported. `damage`, `warnings` and `notes` are the messages of its events; their
    /// number and length is limited.
    pub fn new(
        report: &ScanReport,
        damage: impl Iterator<Item = String>,
        warnings: impl Iterator<Item = String>,
        notes: impl Iterator<Item = String>,
    ) -> Self {
        let (shapes, lacking) = (report.shapes(), report.lacking());
        Self { shapes, lacking, damage: bounded(damage), warnings: bounded(warnings), notes: bounded(notes) }
    }

    /// Returns the keys of the footer with their values; keys without a value are left out.
    #[must_use]
    pub fn pairs(&self) -> Vec<(&'static str, String)> {
        let lacking: Vec<&str> = self.lacking.iter().map(String::as_str).collect();
        let warnings: Vec<&str> = self.warnings.iter().chain(&self.damage).map(String::as_str).collect();
        let pairs = [
            (SHAPES_KEY, self.shapes.join(", ")),
            (LACKING_KEY, lacking.join("\n")),
            (DAMAGE_KEY, self.damage.join("\n")),
            (WARNINGS_KEY, warnings.join("\n")),
            (NOTES_KEY, self.notes.join("\n")),
        ];
        pairs.into_iter().filter(|(_, text)| !text.is_empty()).collect()
    }

    /// Reads the warnings from a footer. `value` returns the value of a key.
    pub(crate) fn read<'a>(value: impl Fn(&str) -> Option<&'a str>) -> Self {
        let lines = |key: &str| value(key).unwrap_or_default().lines().map(str::to_owned);
        let shapes = value(SHAPES_KEY).unwrap_or_default().split(", ").filter(|name| !name.is_empty());
        let damage: BTreeSet<String> = lines(DAMAGE_KEY).take(MAX_LINES).collect();
        Self {
            shapes: bounded(shapes.map(str::to_owned)),
            lacking: lines(LACKING_KEY).take(MAX_COLUMNS).collect(),
            damage: replayed(lines(DAMAGE_KEY)),
            warnings: replayed(lines(WARNINGS_KEY).filter(|line| !damage.contains(line))),
            notes: replayed(lines(NOTES_KEY)),
        }
    }
}

/// Adds the prefix to warnings from an archive, unless they have it already because they came from another archive
/// before.
fn replayed(lines: impl Iterator<Item = String>) -> Vec<String> {
    let own = |line: String| if line.starts_with(PREFIX) { line } else { format!("{PREFIX}{line}") };
    bounded(lines.map(own))
}

/// Limits the number of strings and the length of each. If some are dropped, the last line tells how many.
fn bounded(texts: impl Iterator<Item = String>) -> Vec<String> {
    let mut texts = texts.fuse();
    let mut lines: Vec<String> = texts.by_ref().take(MAX_LINES).map(|text| shortened(&text)).collect();
    let more = texts.count();
    if more > 0 {
        lines.truncate(MAX_LINES - 1);
        lines.push(format!("{} more of these", more + 1));
    }
    lines
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(MAX_LENGTH) {
        Some((end, _)) => format!("{}...", visible(&text[..end])),
        None => visible(text).into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn read(pairs: &[(&'static str, String)]) -> ArchivedWarnings {
        let pairs: BTreeMap<_, _> = pairs.iter().map(|(key, text)| (*key, text.as_str())).collect();
        ArchivedWarnings::read(|key| pairs.get(key).copied())
    }

    #[test]
    fn what_is_kept_is_said_again() {
        let none = std::iter::empty;
        let report = ScanReport::default();
        assert!(ArchivedWarnings::new(&report, none(), none(), none()).pairs().is_empty());
        report.lacks("City");
        report.note_shape("flat table rows");
        let texts = ["1 record was not read", "successes only", "a note (3 times)"];
        let [damage, warning, note] = texts.map(|text| std::iter::once(text.to_owned()));
        let kept = ArchivedWarnings::new(&report, damage, warning, note);
        let said = read(&kept.pairs());
        assert_eq!(said.shapes, ["flat table rows"]);
        assert_eq!(said.lacking.iter().collect::<Vec<_>>(), ["City"]);
        assert_eq!(said.damage, [format!("{PREFIX}1 record was not read")]);
        assert_eq!(said.warnings, [format!("{PREFIX}successes only")]);
        assert_eq!(said.notes, [format!("{PREFIX}a note (3 times)")]);
        assert_eq!(read(&said.pairs()), said, "an archive of an archive says the same");
        assert_eq!(read(&[]), ArchivedWarnings::default());
    }

    #[test]
    fn footers_of_others_are_bounded() {
        let long = format!("\u{1b}[31m{}", "x".repeat(100_000));
        let many: Vec<String> = (0..1_000).map(|number| format!("{number} {long}")).collect();
        let keys = [(WARNINGS_KEY, "\n"), (SHAPES_KEY, ", ")];
        let said = read(&keys.map(|(key, separator)| (key, many.join(separator))));
        let damaged = read(&[(DAMAGE_KEY, many.join("\n"))]);
        for lines in [&said.warnings, &said.shapes, &damaged.damage] {
            assert_eq!(lines.len(), MAX_LINES);
            assert!(lines.iter().all(|line| line.len() < MAX_LENGTH + 50 && !line.contains('\u{1b}')));
            assert_eq!(lines.last().map(String::as_str), Some("951 more of these"));
        }
        assert_eq!(read(&said.pairs()).warnings.len(), MAX_LINES);
    }
}
