//! The text of warnings.

use super::NO_EVIDENCE;
use super::note::shape;
use crate::entra::RowLimit;
use crate::scan::{EmptyReason, TimeGap, Warning};
use crate::types::datetime;

/// Returns the text of a warning.
#[must_use]
pub fn warning(event: &Warning) -> String {
    match event {
        Warning::EmptyColumn { column, reason } => {
            format!("{column} {}, so it is empty here: {NO_EVIDENCE}", empty_reason(*reason))
        }
        Warning::EmptyColumns { first, others, reason } => format!(
            "{first} and {others} other columns that the query reads: each {}, so it is empty here: {NO_EVIDENCE}",
            empty_reason(*reason)
        ),
        Warning::RowLimit { file, limit } => row_limit(file, *limit),
        Warning::SuccessesOnly { file_prefix } => format!(
            "{file_prefix}* files: for large tenants their collector (DFIR-O365RC) keeps only successes, so finding no \
             failures is not evidence of absence"
        ),
        Warning::Respelled(text) => (*text).to_owned(),
        Warning::Archived(text) => text.clone(),
        Warning::TimeGap(gap) => time_gap(gap),
        Warning::NoDedupColumn { table, column } => {
            format!("{table} has no column {column}: duplicate deliveries are not dropped")
        }
    }
}

/// Returns the reason why a column is empty, as the predicate of a sentence.
fn empty_reason(reason: EmptyReason) -> String {
    match reason {
        EmptyReason::MissingFromFiles(format) => format!("is missing from some {format} files"),
        EmptyReason::MissingFromCsv => "is missing from a CSV file or saved query result".to_owned(),
        EmptyReason::MissingFromPortalCsv => "is missing from a CSV file of the Entra admin center".to_owned(),
        EmptyReason::UndeterminedInPortalCsv => {
            "cannot be determined from the header or the name of a CSV file of the Entra admin center".to_owned()
        }
        EmptyReason::MissingFromOriginals => {
            "is missing from some of the files that the archive was made of".to_owned()
        }
        EmptyReason::NotExported { kind, is_v1 } => format!("is not exported in {}", shape(kind, is_v1)),
    }
}

fn row_limit(file: &str, limit: RowLimit) -> String {
    let what = match limit {
        RowLimit::Portal => "the Log Analytics portal shows",
        RowLimit::AdminCenter => "the Entra admin center downloads",
        RowLimit::QueryApi => "the query API returns",
        RowLimit::SearchJob => "a search job returns",
    };
    format!("{file}: exactly {} rows, the maximum that {what}: there may have been more", limit.rows())
}

fn time_gap(gap: &TimeGap) -> String {
    let bound = |word: &str, ticks: Option<i64>| {
        ticks.map_or(String::new(), |ticks| format!(" {word} {}", datetime::to_text(ticks)))
    };
    let [first, last] = gap.covered.map(datetime::to_text);
    format!(
        "the query asks for {} by {}{}{}, but these files cover only {first} to {last}{}; finding no rows outside that \
         range is not evidence of absence",
        gap.table,
        gap.column,
        bound("from", gap.from),
        bound("to", gap.to),
        if gap.is_estimate { ", by their first and last records" } else { "" }
    )
}
