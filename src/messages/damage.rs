//! The text of damage: what happened, and what this means for the result.

use std::collections::BTreeMap;

use super::{NO_EVIDENCE, counted};
use crate::functions::Doubt;
use crate::scan::{Damage, RejectReason};

/// Maximum number of files that a message names. The others are only counted.
const FILES_NAMED: usize = 3;

/// Returns the text about what a function returned for values for which it has no certain result.
fn doubt(doubt: Doubt, count: u64) -> String {
    // Equal values count once.
    let values = |noun: &str| if count == 1 { format!("1 {noun}") } else { format!("{count} distinct {noun}s") };
    let (is, names) = if count == 1 { ("is", "names") } else { ("are", "name") };
    match doubt {
        Doubt::XmlDepth => {
            format!("parse_xml returned null for {} that {is} nested too deep", values("document"))
        }
        Doubt::UserAgentLength => {
            format!("parse_user_agent returned null for {} that {is} too long", values("user agent"))
        }
        Doubt::UserAgentPart => format!(
            "parse_user_agent returned null for {} that {names} no browser, operating system or device",
            values("string")
        ),
        Doubt::HashOfEmpty => "hash returned null for the empty string: its hash in Kusto is not known".to_owned(),
        Doubt::SeriesElements => format!(
            "series functions returned null for {} with elements that are not numbers: fill the gaps first, for \
             example with series_fill_const",
            values("array")
        ),
        Doubt::SeriesUndefined => format!(
            "series functions returned null for {} for which the result is undefined, such as a series with too few \
             points, or with equal points only",
            values("array")
        ),
        Doubt::SeriesTooLarge => format!(
            "series functions returned null for {} with too many points, or with numbers that are too large",
            values("array")
        ),
        Doubt::SeriesInfiniteScore => format!(
            "scores of {} are infinite, because most of the points are equal: Kusto may score them differently",
            values("array")
        ),
    }
}

/// Returns the text about `count` cases of damage.
#[must_use]
#[expect(clippy::too_many_lines, reason = "a sentence for each kind")]
pub fn damage(kind: &Damage, count: u64) -> String {
    let counted = |noun| counted(count, noun);
    let (is, they) = if count == 1 { ("is", "it") } else { ("are", "they") };
    match kind {
        Damage::UnrecognisedRecords => format!("skipped {} of unrecognised shape", counted("record")),
        Damage::UnknownTable(name) => {
            format!("skipped {} of {:?}, which is not a known table", counted("record"), shorten(name))
        }
        Damage::SimilarTable(name, table) => format!(
            "skipped {} of {:?}, which may be rows of {table}: bind the files with -t {table}=PATH to read them",
            counted("record"),
            shorten(name)
        ),
        Damage::UnreadableTime(column) => format!(
            "{} of {column} cannot be read as a datetime: {they} {is} null here, so a filter on \
             {column} drops {}",
            counted("value"),
            if count == 1 { "the row" } else { "those rows" }
        ),
        Damage::UnreadableValue(column, ty) => {
            format!("{} of {column} cannot be read as {ty}: {they} {is} null here", counted("value"))
        }
        Damage::InvalidUtf8(column) => {
            format!("{} of {column} {is} not valid UTF-8: the invalid bytes are replaced here", counted("value"))
        }
        Damage::ChecksumMismatch(part) => format!(
            "the checksum of {part} does not match: the file was damaged or changed after it was written; \
             `coldcase verify` lists every damaged part"
        ),
        Damage::NotUtf8 => format!(
            "{} {is} not valid UTF-8: the invalid bytes are read as Windows-1252, so non-ASCII letters may be \
             wrong",
            counted("record")
        ),
        Damage::BrokenUtf16 => {
            format!("{} of a UTF-16 file {is} incomplete and replaced by U+FFFD here", counted("character"))
        }
        Damage::Undecodable(encoding) => {
            format!("{} {is} not valid in {encoding}, as specified, and replaced by U+FFFD here", counted("character"))
        }
        Damage::ProbablyUtf8(encoding) => format!(
            "{} {is} read as {encoding}, as specified, but valid UTF-8: non-ASCII characters are probably wrong",
            counted("file")
        ),
        Damage::HalfSurrogatePair(column) => {
            format!(
                "{} of {column} {} an unpaired surrogate, replaced by U+FFFD here",
                counted("value"),
                if count == 1 { "has" } else { "have" }
            )
        }
        Damage::RepeatedKey => {
            format!(
                "{} {} a duplicate key: the last value is used",
                counted("record"),
                if count == 1 { "has" } else { "have" }
            )
        }
        Damage::NulBytes => format!(
            "skipped {} of NUL bytes, probably left by an interrupted write: records may be missing there",
            counted("run")
        ),
        Damage::MayBeCutOff => {
            "the last line has no line end: the file may be truncated and its last row incomplete".to_owned()
        }
        Damage::UnreadableColumn(column, reason) => {
            let files = if count == 1 { String::new() } else { format!(" in {count} files") };
            format!("column {column} cannot be read{files}: {reason}")
        }
        Damage::AmbiguousDates(column, order) => format!(
            "{} of {column} may have the day or the month first, and no value of the file decides it: {they} {} \
             read {order}; specify the order with --date-order dmy or --date-order mdy",
            counted("value"),
            if count == 1 { "was" } else { "were" }
        ),
        Damage::ContradictoryDates(column) => format!(
            "{} of {column} {is} in a file that has both day-first and month-first dates: ambiguous dates were \
             read month first",
            counted("value")
        ),
        Damage::NotJson(column) => {
            format!(
                "{} of {column} {is} not JSON: every path into {} is empty",
                counted("value"),
                match count {
                    1 => "it",
                    _ => "them",
                }
            )
        }
        Damage::CutByPowerShell(column) => format!(
            "{} of {column} {} truncated by PowerShell, which left only type names: export again with \
             ConvertTo-Json -Depth 10",
            counted("value"),
            if count == 1 { "was" } else { "were" }
        ),
        Damage::UnknownLabel(column) => format!(
            "{} of {column} {is} not a known label, perhaps because the admin center used another language: {they} \
             {stay} unchanged, so a filter on {column} may miss the row; download the file as JSON instead",
            counted("value"),
            stay = if count == 1 { "stays" } else { "stay" },
        ),
        Damage::MissingResult(column) => {
            format!("{} without {column}: success or failure is unknown", counted("sign-in"))
        }
        Damage::MissingTime(column) => format!(
            "{} {} no {column}: it is null there, so a filter on {column} drops {}",
            counted("row"),
            if count == 1 { "has" } else { "have" },
            if count == 1 { "the row" } else { "those rows" }
        ),
        Damage::MissingTable(table, found) => {
            let found = if found.is_empty() { "nor of any other known table" } else { &format!("only {found}") };
            format!("the files contain no {table} records ({found}): {NO_EVIDENCE}")
        }
        Damage::MissingTables(pattern, found) => {
            let found = if found.is_empty() { "no known table" } else { found };
            format!(
                "the files contain none of the tables that `{pattern}` matches (they contain {found}): {NO_EVIDENCE}"
            )
        }
        Damage::Doubt(kind) => doubt(*kind, count),
        Damage::HiddenTable(name) => format!(
            "the stored function {name} hides the table {name}, whose records are not read: rename the function, \
             or ignore the catalog with --no-catalog"
        ),
        Damage::NotSearched(table) => format!(
            "{} not searched for {table}, because Parquet files do not name the table of each row: bind the files \
             with -t {table}=PATH",
            match count {
                1 => "1 Parquet file was".to_owned(),
                _ => format!("{count} Parquet files were"),
            }
        ),
        Damage::ChangedFile => {
            format!("{} changed while being read: rows may be missing, or mixed from two versions", counted("file"))
        }
        Damage::KeyInOtherCase(key, column) => format!(
            "the key {:?} differs from {column} in case and is not read as {column}: {NO_EVIDENCE}",
            shorten(key)
        ),
        Damage::RefusedFile(reason) => format!("not read: {reason}"),
        Damage::NotRead(note) => note.to_string(),
        Damage::NotConverted(names) => {
            format!("the archive has no columns for these keys, and their values are not in it: {names}")
        }
        Damage::OnlyPreviews => format!(
            "skipped {} of a Splunk search that was still running, and the file does not have the final results: rows \
             are missing",
            counted("preview row")
        ),
        Damage::PartialAnswer
        | Damage::FewerRows(..)
        | Damage::ErrorAnswer(_)
        | Damage::MissingPages(_)
        | Damage::MissingRecords(..)
        | Damage::MissingFrames => response_damage(kind, count),
        Damage::Archived(text) => text.clone(),
        Damage::Other => format!("{} of damage of other kinds", counted("more case")),
    }
}

/// Returns the text about damage that the responses of services report themselves.
fn response_damage(kind: &Damage, count: u64) -> String {
    match kind {
        Damage::FewerRows(rows, sent) => {
            format!("the response has {rows} rows, but says that it has {sent}: rows are missing")
        }
        Damage::ErrorAnswer(code) => {
            let code = shorten(code);
            let pages =
                if count == 1 { "1 page is an error response" } else { &format!("{count} pages are error responses") };
            format!("{pages} of Microsoft Graph or Azure ({code}): rows are missing")
        }
        Damage::MissingPages(context) => format!(
            "the page names a next page (@odata.nextLink or a similar member) that is not among the files: rows are \
             missing{}",
            if context.is_empty() { String::new() } else { format!(" ({})", shorten(context)) }
        ),
        Damage::MissingRecords(records, total) => {
            format!("the pages of a response have {records} of the {total} records that they state: rows are missing")
        }
        Damage::MissingFrames => {
            "the response lacks its last frames (TableCompletion, DataSetCompletion): it is not known to be complete, \
             and rows may be missing"
                .to_owned()
        }
        _ => "the response says that it is partial or had errors: rows are missing".to_owned(),
    }
}

/// Returns the text about damage, with the files and the number of cases in them.
#[must_use]
pub fn damage_in_files(kind: &Damage, files: &BTreeMap<String, u64>) -> String {
    let text = damage(kind, files.values().sum());
    let named: Vec<&String> = files.keys().filter(|file| !file.is_empty()).collect();
    let list = match named.as_slice() {
        [] => return text,
        // The text names the original files.
        _ if matches!(kind, Damage::Archived(_)) => return text,
        [file] => (*file).clone(),
        several => {
            let first = several.iter().take(FILES_NAMED).map(|file| format!("{file} {}", files[*file]));
            let mut list: Vec<String> = first.collect();
            if let Some(more) = several.len().checked_sub(FILES_NAMED).filter(|more| *more > 0) {
                let cases: u64 = several.iter().skip(FILES_NAMED).map(|file| files[*file]).sum();
                list.push(format!("{more} more files {cases}"));
            }
            list.join(", ")
        }
    };
    format!("{text}: {list}")
}

/// Returns the text of the reason why a record or file is a reject.
#[must_use]
pub fn reject_reason(reason: &RejectReason<'_>) -> String {
    match reason {
        RejectReason::Lost(text) => (*text).to_owned(),
        RejectReason::Damage(kind, count) => damage(kind, *count),
    }
}

fn shorten(name: &str) -> String {
    name.chars().take(64).collect()
}

#[cfg(test)]
mod tests {
    use super::super::all_damage;
    use crate::scan::{Damage, DamageLog};

    #[test]
    fn a_message_counts_all_files_and_names_the_first() {
        let mut log = DamageLog::default();
        log.add(Damage::UnrecognisedRecords, "a.json", 3);
        assert_eq!(all_damage(&log), ["skipped 3 records of unrecognised shape: a.json"]);
        for file in ["b.json", "c.json", "d.json", "e.json"] {
            log.add(Damage::UnrecognisedRecords, file, 1);
        }
        let several = "skipped 7 records of unrecognised shape: a.json 3, b.json 1, c.json 1, 2 more files 2";
        assert_eq!(all_damage(&log), [several]);
    }
}
