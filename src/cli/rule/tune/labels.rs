//! The file of `--labels`: rows of a query, each with a label.

use std::collections::HashMap;
use std::path::Path;

use serde_json::Value as Json;

use super::super::super::query_files::{TextFile, has_extension};
use crate::diagnostic::{Error, Result};
use crate::rules::typed_value;
use crate::types::Type;

/// The maximum number of labels.
const MAX_LABELS: usize = 100_000;
/// The column of the label, and one for notes.
const LABEL: &str = "Label";
const COMMENT: &str = "Comment";

/// What an investigator found out about a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RowLabel {
    /// The row should make no alert.
    FalsePositive,
    /// The row must make an alert.
    TruePositive,
}

/// A line of the file.
#[derive(Debug)]
pub(super) struct LabelledRow {
    /// The number of the line.
    pub line: usize,
    /// The label.
    pub label: RowLabel,
    /// The columns and values by which the row is found.
    pub fields: Vec<(String, String)>,
}

/// The labels of the rows of a query.
pub(super) struct Labelled {
    /// True for false positives.
    pub is_false: Vec<bool>,
    /// True for true positives.
    pub is_true: Vec<bool>,
    /// The number of the label of each row that has one.
    pub label_of: HashMap<usize, usize>,
}

/// An error in a line of a file.
pub(super) fn mistake(file: &Path, line: usize, reason: &str) -> Error {
    Error::Data { file: file.display().to_string(), place: Some(format!("line {line}")), reason: reason.to_owned() }
}

/// Reads a file: CSV if its name ends so, else JSON Lines.
///
/// # Errors
/// It cannot be read, or a line has no label or nothing else.
pub(super) fn read_labels(path: &Path) -> Result<Vec<LabelledRow>> {
    let file = TextFile::read(path)?;
    let rows = if has_extension(path, &["csv"]) { read_csv(path, &file.text)? } else { read_json(path, &file.text)? };
    if rows.len() > MAX_LABELS {
        return Err(Error::Limit(format!("{}: more than {MAX_LABELS} labels", path.display())));
    }
    let of_row = |(line, fields): (usize, Vec<(String, String)>)| labelled(path, line, fields);
    rows.into_iter().map(of_row).collect()
}

/// The number of a line, and its columns and values.
type NumberedFields = (usize, Vec<(String, String)>);

fn read_csv(path: &Path, text: &str) -> Result<Vec<NumberedFields>> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let wrong = |error: &csv::Error| {
        let line = error.position().map_or(1, |position| usize::try_from(position.line()).unwrap_or(1));
        mistake(path, line, &format!("not CSV: {error}"))
    };
    let names: Vec<String> =
        reader.headers().map_err(|error| wrong(&error))?.iter().map(|name| name.trim().to_owned()).collect();
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| wrong(&error))?;
        let line = record.position().map_or(1, |position| usize::try_from(position.line()).unwrap_or(1));
        rows.push((line, names.iter().cloned().zip(record.iter().map(str::to_owned)).collect()));
    }
    Ok(rows)
}

fn read_json(path: &Path, text: &str) -> Result<Vec<NumberedFields>> {
    let mut rows = Vec::new();
    for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let object: Json = serde_json::from_str(line)
            .map_err(|error| mistake(path, index + 1, &format!("not a JSON object: {error}")))?;
        let Json::Object(fields) = object else {
            return Err(mistake(
                path,
                index + 1,
                "not a JSON object: expected JSON Lines, or a file that ends in .csv",
            ));
        };
        let text = |value: Json| match value {
            Json::Null => String::new(),
            Json::String(text) => text,
            other => other.to_string(),
        };
        rows.push((index + 1, fields.into_iter().map(|(name, value)| (name, text(value))).collect()));
    }
    Ok(rows)
}

fn labelled(path: &Path, line: usize, fields: Vec<(String, String)>) -> Result<LabelledRow> {
    let (labels, mut fields): (Vec<_>, Vec<_>) =
        fields.into_iter().partition(|(name, _)| name.eq_ignore_ascii_case(LABEL));
    fields.retain(|(name, _)| !name.eq_ignore_ascii_case(COMMENT));
    let text = labels.first().map_or("", |(_, text)| text.as_str());
    let normal: String = text.chars().filter(|c| c.is_alphanumeric()).map(|c| c.to_ascii_lowercase()).collect();
    let label = match normal.as_str() {
        "fp" | "falsepositive" | "benignpositive" => RowLabel::FalsePositive,
        "tp" | "truepositive" => RowLabel::TruePositive,
        _ => {
            let reason = format!("`{LABEL}` is `{text}`: expected fp or tp, or FalsePositive or TruePositive");
            return Err(mistake(path, line, &reason));
        }
    };
    match fields.is_empty() {
        true => Err(mistake(path, line, "no columns besides the label: give those by which the row is found")),
        false => Ok(LabelledRow { line, label, fields }),
    }
}

/// Returns the text of a column with this type for a value as result files write it.
pub(super) fn column_text(text: &str, ty: Type) -> String {
    if text.is_empty() {
        return String::new();
    }
    typed_value(text, ty).map_or_else(|| text.to_owned(), |value| value.to_text())
}
