//! The text of lost records.

use crate::scan::FileProblems;

/// Returns the number of lost records of a file, as a sentence.
#[must_use]
pub fn number_lost(problems: &FileProblems) -> String {
    match problems.lost {
        _ if problems.whole => "the file was not read".to_owned(),
        1 => "1 record was not read".to_owned(),
        records => format!("{records} records were not read"),
    }
}

/// Returns the number of lost records of a file, with the first positions and reasons.
#[must_use]
pub fn lost(problems: &FileProblems) -> String {
    let examples: Vec<String> = problems.examples.iter().map(|(place, reason)| format!("{place}: {reason}")).collect();
    let more = if problems.places > problems.examples.len() as u64 { "; ..." } else { "" };
    format!("{} ({}{more})", number_lost(problems), examples.join("; "))
}
