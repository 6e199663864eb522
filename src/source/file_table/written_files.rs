//! Recognises text that this program wrote: found in a folder, it is no evidence.
//!
//! Manifests, rejects and pages name the program. The results of commands are recognised by their first columns, and the
//! results of queries by the provenance columns. Other results have no marker.

use memchr::memmem;

use crate::records::{OpenedText, object_keys};
use crate::scan::Provenance;

/// Maximum number of keys of a record that are examined.
const MAX_KEYS: usize = 1 << 10;

/// Number of bytes at the start of a page that are searched for [`PAGE_GENERATOR`].
const PAGE_HEAD_BYTES: usize = 1 << 9;

/// The element by which pages name the program.
const PAGE_GENERATOR: &str = "<meta name=\"generator\" content=\"coldcase\">";

/// Number of columns by which the results of a command are recognised.
const RESULT_COLUMNS: usize = 4;

/// The first columns of the results of commands.
const RESULTS: [[&str; RESULT_COLUMNS]; 9] = [
    // hunt, and its events for Timesketch
    ["Time", "Rule", "Severity", "Tactics"],
    ["message", "datetime", "timestamp_desc", "rule"],
    // backtest
    ["Rule", "Severity", "Detected", "WindowStart"],
    ["Rule", "TimeGenerated", "Arrived", "Outcome"],
    ["Rule", "Day", "Alerts", "Events"],
    // sniff
    ["File", "Table", "Shape", "Rows"],
    ["Table", "Shape", "Day", "Rows"],
    // verify
    ["File", "Table", "RowGroups", "Rows"],
    // tables
    ["Table", "Pattern", "From", "Files"],
];

/// True if the text was written by this program.
pub(super) fn is_written(text: &OpenedText) -> bool {
    has_columns_of_result(text.columns.iter().map(String::as_bytes)) || begins_as_written(text.input.head())
}

/// True if JSON or a page with these first bytes was written by this program.
fn begins_as_written(head: &[u8]) -> bool {
    let record = head.trim_ascii_start();
    let record = record.strip_prefix(b"[").map_or(record, |elements| elements.trim_ascii_start());
    names_program(record) || is_page(record) || is_result(record)
}

/// True for the start of a manifest or of a file of rejects.
fn names_program(record: &[u8]) -> bool {
    let mut rest = record;
    [&b"{"[..], b"\"program\"", b":", b"\"coldcase\""].iter().all(|token| {
        let after = rest.trim_ascii_start().strip_prefix(*token);
        rest = after.unwrap_or_default();
        after.is_some()
    })
}

/// True for the start of a report as a page.
fn is_page(text: &[u8]) -> bool {
    let head = &text[..text.len().min(PAGE_HEAD_BYTES)];
    text.starts_with(b"<!DOCTYPE html>") && memmem::find(head, PAGE_GENERATOR.as_bytes()).is_some()
}

/// True for the start of the first row of a result.
fn is_result(record: &[u8]) -> bool {
    if !record.starts_with(b"{") {
        return false;
    }
    // Keys are read only if they can matter: every file of an archive comes this way.
    (begins_with_result_column(record) || names_provenance(record))
        && has_columns_of_result(object_keys(record, MAX_KEYS).iter().map(|key| &**key))
}

/// True if the first key of an object is the first column of the result of a command.
fn begins_with_result_column(record: &[u8]) -> bool {
    let key = record[1..].trim_ascii_start().strip_prefix(b"\"").unwrap_or_default();
    let is_first = |column: &str| key.strip_prefix(column.as_bytes()).is_some_and(|rest| rest.starts_with(b"\""));
    RESULTS.iter().any(|columns| is_first(columns[0]))
}

/// True if the first record may have a provenance column. It is searched up to the end of its line, or in all of `head`
/// if the line has only a bracket.
fn names_provenance(head: &[u8]) -> bool {
    let line = memchr::memchr(b'\n', head).filter(|end| *end > 2).unwrap_or(head.len());
    memmem::find(&head[..line], Provenance::Shape.name().as_bytes()).is_some()
}

fn has_columns_of_result<'a>(columns: impl Iterator<Item = &'a [u8]> + Clone) -> bool {
    let first = || columns.clone().take(RESULT_COLUMNS);
    let begins_with = |result: &[&str; RESULT_COLUMNS]| first().eq(result.iter().map(|column| column.as_bytes()));
    let has = |column: &Provenance| columns.clone().any(|name| name == column.name().as_bytes());
    [Provenance::File, Provenance::Shape].iter().all(has) || RESULTS.iter().any(begins_with)
}

#[cfg(test)]
mod tests {
    use super::begins_as_written;

    #[test]
    fn results_are_recognised_by_their_columns_and_records_are_not() {
        for head in [
            r#"{"program": "coldcase", "version""#,
            r#"{"Time":"2026-03-02T09:00:00Z","Rule":"a","Severity":"","Tactics":[],"Te"#,
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta name=\"generator\" content=\"coldcase\">",
            r#"[{"Time":null,"Rule":"a","Severity":"","Tactics":[]}"#,
            r#"{"Id":"1","_SourceFile":"a.json","_SourceLine":1,"_SourceByte":0,"_SourceShape":"flat table rows"}"#,
            "{\n  \"Id\": \"1\",\n  \"_SourceFile\": \"a.json\",\n  \"_SourceShape\": \"flat table rows\"\n}",
        ] {
            assert!(begins_as_written(head.as_bytes()), "{head}");
        }
        for head in [
            "",
            "[",
            r#"{"Time":"2026-03-02T09:00:00Z","Rule":"a","Severity":"","#,
            r#"{"Id":"1","_SourceFile":"a.json"}"#,
            r#"{"Id":"1","DeviceDetail":{"_SourceFile":"a.json","_SourceShape":"x"}}"#,
            r#"{"message":"x","datetime":"2026-03-02T09:00:00Z","timestamp_desc":"x","TimeGenerated":""}"#,
        ] {
            assert!(!begins_as_written(head.as_bytes()), "{head}");
        }
    }
}
