//! What there was to say of the files that an archive was made of: kept in the footers of the archive, so that a query
//! over it says as much as one over its originals.
//!
//! Anybody may write a footer. So what is read back is bounded as what is written is, cannot drive a terminal, and is
//! said as what it is: words of the archive.

use std::collections::BTreeSet;

use super::ScanReport;
use crate::diagnostic::visible;

/// What the rows were before.
const SHAPES_KEY: &str = "coldcase.shape";
/// Columns that one of the files did not have: a line each.
const LACKING_KEY: &str = "coldcase.lacking";
/// Why answers may mislead: a line each.
const WARNINGS_KEY: &str = "coldcase.warnings";
/// What else was noticed when the rows were read: a line each.
const NOTES_KEY: &str = "coldcase.notes";

/// How words of an archive begin when they are said again.
const AGAIN: &str = "when the archive was made: ";

/// Most lines under a key; of more, the number is kept.
const MAX_LINES: usize = 50;
/// Most characters of a line.
const MAX_LENGTH: usize = 400;
/// Most names of columns.
const MAX_COLUMNS: usize = 1_000;

/// What there was to say of some files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ArchivedWarnings {
    /// The shapes of their records.
    pub shapes: Vec<String>,
    /// The columns of the table that one of them, a CSV file for instance, did not have.
    pub lacking: BTreeSet<String>,
    /// Why answers may mislead.
    pub warnings: Vec<String>,
    /// What else was noticed.
    pub notes: Vec<String>,
}

impl ArchivedWarnings {
    /// What a scan found, once it has run. The text depends on the files alone: examples of damage, which depend on
    /// threads, are no part of it.
    #[must_use]
    pub fn of(report: &ScanReport) -> Self {
        let lost = report.problems().into_iter().map(|(file, damage)| format!("{file}: {}", damage.count()));
        let damage = report.damage().messages().into_iter().chain(lost);
        Self {
            shapes: report.shapes(),
            lacking: report.lacking(),
            warnings: bounded(report.warnings().into_iter().chain(damage)),
            notes: bounded(report.notices().into_iter().map(with_count)),
        }
    }

    /// The pairs of a footer, without those that say nothing.
    #[must_use]
    pub fn pairs(&self) -> Vec<(&'static str, String)> {
        let lacking: Vec<&str> = self.lacking.iter().map(String::as_str).collect();
        let pairs = [
            (SHAPES_KEY, self.shapes.join(", ")),
            (LACKING_KEY, lacking.join("\n")),
            (WARNINGS_KEY, self.warnings.join("\n")),
            (NOTES_KEY, self.notes.join("\n")),
        ];
        pairs.into_iter().filter(|(_, text)| !text.is_empty()).collect()
    }

    /// Those of a footer, whose values `value` knows; a key that is not there says nothing.
    pub(crate) fn read<'a>(value: impl Fn(&str) -> Option<&'a str>) -> Self {
        let lines = |key: &str| value(key).unwrap_or_default().lines().map(str::to_owned);
        let shapes = value(SHAPES_KEY).unwrap_or_default().split(", ").filter(|name| !name.is_empty());
        Self {
            shapes: bounded(shapes.map(str::to_owned)),
            lacking: lines(LACKING_KEY).take(MAX_COLUMNS).collect(),
            warnings: again(lines(WARNINGS_KEY)),
            notes: again(lines(NOTES_KEY)),
        }
    }
}

/// A notice with the number of its occurrences.
fn with_count((text, times): (String, u64)) -> String {
    if times == 1 { text } else { format!("{text} ({times} times)") }
}

/// Words of an archive, as they are said again; an archive that was made of another one says them as that one did.
fn again(lines: impl Iterator<Item = String>) -> Vec<String> {
    let own = |line: String| if line.starts_with(AGAIN) { line } else { format!("{AGAIN}{line}") };
    bounded(lines.map(own))
}

/// The first of many texts, each a line that is not too long; instead of the others their number.
fn bounded(texts: impl Iterator<Item = String>) -> Vec<String> {
    let mut texts = texts.fuse();
    let mut lines: Vec<String> = texts.by_ref().take(MAX_LINES).map(|text| shortened(&text)).collect();
    let more = texts.count();
    if more > 0 {
        lines.truncate(MAX_LINES - 1);
        lines.push(format!("{} more of the kind", more + 1));
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
        let report = ScanReport::default();
        assert!(ArchivedWarnings::of(&report).pairs().is_empty());
        report.warn("successes only");
        report.notice_times("a note", 3);
        report.lost("a.json", "byte 7", "cut off");
        report.lacks("City");
        report.note_shape("flat table rows");
        let kept = ArchivedWarnings::of(&report);
        let said = read(&kept.pairs());
        assert_eq!(said.shapes, ["flat table rows"]);
        assert_eq!(said.lacking.iter().collect::<Vec<_>>(), ["City"]);
        let warnings = ["successes only", "a.json: 1 record was not read"].map(|text| format!("{AGAIN}{text}"));
        assert_eq!(said.warnings, warnings);
        assert_eq!(said.notes, [format!("{AGAIN}a note (3 times)")]);
        assert_eq!(read(&said.pairs()), said, "an archive of an archive says the same");
        assert_eq!(read(&[]), ArchivedWarnings::default());
    }

    #[test]
    fn footers_of_others_are_bounded() {
        let long = format!("\u{1b}[31m{}", "x".repeat(100_000));
        let many: Vec<String> = (0..1_000).map(|number| format!("{number} {long}")).collect();
        let said = read(&[(WARNINGS_KEY, many.join("\n")), (SHAPES_KEY, many.join(", "))]);
        for lines in [&said.warnings, &said.shapes] {
            assert_eq!(lines.len(), MAX_LINES);
            assert!(lines.iter().all(|line| line.len() < MAX_LENGTH + 50 && !line.contains('\u{1b}')));
            assert_eq!(lines.last().map(String::as_str), Some("951 more of the kind"));
        }
        assert_eq!(read(&said.pairs()).warnings.len(), MAX_LINES);
    }
}
