//! Converts rows of CSV downloads of the Entra admin center to JSON objects like those of Microsoft Graph.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use crate::entra::portal::{
    PortalColumn, PortalHeader, PortalValues, is_interactive, is_success, portal_column, table_of,
};
use crate::records::FileReport;
use crate::scan::{ColumnNote, Damage};
use crate::types::dynamic;

/// The key that marks every such object; its value is the table, if the header identifies it.
const MARK: &str = "\"@portalCsv\":";

/// The rule by which the cells of a row become an object.
pub(super) struct PortalRow {
    properties: Vec<PortalProperty>,
    outcome: Option<usize>,
    table: Option<&'static str>,
    /// Whether the sign-ins are interactive; None if the name of the file does not tell.
    interactive: Option<bool>,
    width: usize,
    /// Headers that are not known. `empty_codes` is the number of failed sign-ins with an empty error code.
    unknown: Vec<String>,
    empty_codes: u64,
    /// For each table column, the number of labels for which no value is known.
    labels: BTreeMap<&'static str, u64>,
}

/// A property of the object: a value, or an object of several values.
struct PortalProperty {
    key: String,
    nested: bool,
    cells: Vec<PortalCell>,
}

struct PortalCell {
    key: &'static str,
    index: usize,
    column: &'static PortalColumn,
}

impl PortalRow {
    pub(super) fn new(headers: &[String], file: &str) -> Self {
        let mut row = Self {
            properties: Vec::new(),
            outcome: None,
            table: table_of(headers),
            interactive: is_interactive(file),
            width: headers.len(),
            unknown: Vec::new(),
            empty_codes: 0,
            labels: BTreeMap::new(),
        };
        for (index, header) in headers.iter().enumerate() {
            match portal_column(header) {
                Some(column) if column.values == PortalValues::Outcome => row.outcome = Some(index),
                Some(column) => row.add(index, column),
                None => row.unknown.push(header.trim().chars().take(64).collect()),
            }
        }
        row
    }

    fn add(&mut self, index: usize, column: &'static PortalColumn) {
        let name = column.path[0];
        let mut key = String::new();
        dynamic::quote(name, &mut key);
        key.push(':');
        let cell = PortalCell { key: column.path.last().copied().unwrap_or(name), index, column };
        match self.properties.iter_mut().find(|property| property.key == key) {
            Some(property) => property.cells.push(cell),
            None => self.properties.push(PortalProperty { key, nested: column.path.len() > 1, cells: vec![cell] }),
        }
    }

    pub(super) fn width(&self) -> usize {
        self.width
    }

    /// Returns the Graph properties for which the header has columns.
    pub(super) fn header(&self) -> Arc<PortalHeader> {
        let cells = self.properties.iter().flat_map(|property| &property.cells);
        Arc::new(PortalHeader::new(cells.map(|cell| cell.column), self.interactive.is_some()))
    }

    /// Reports what was found in the rows since the last call.
    pub(super) fn report(&mut self, report: &FileReport) {
        for (column, count) in std::mem::take(&mut self.labels) {
            report.damaged(Damage::UnknownLabel(column.to_owned()), count);
        }
        let unknown = std::mem::take(&mut self.unknown);
        unknown.into_iter().for_each(|header| report.note(ColumnNote::UnknownCsvColumn(header), 1));
        report.note(ColumnNote::MissingErrorCodes, std::mem::take(&mut self.empty_codes));
    }

    pub(super) fn write(&mut self, cells: &[Cow<'_, str>], text: &mut String) {
        let succeeded = self.outcome.is_some_and(|index| is_success(&cells[index]));
        text.push('{');
        for property in &self.properties {
            let start = text.len();
            text.push_str(&property.key);
            let written = match property.nested {
                true => {
                    text.push('{');
                    for cell in &property.cells {
                        let member = text.len();
                        text.push_str(if text.ends_with('{') { "" } else { "," });
                        dynamic::quote(cell.key, text);
                        text.push(':');
                        let empty = cell.column.values == PortalValues::Code && cells[cell.index].trim().is_empty();
                        self.empty_codes += u64::from(empty && !succeeded);
                        if !write_value(cell, &cells[cell.index], succeeded, text, &mut self.labels) {
                            text.truncate(member);
                        }
                    }
                    text.push('}');
                    true
                }
                // If a header occurs twice, the first cell that is not empty counts.
                false => {
                    let labels = &mut self.labels;
                    property.cells.iter().any(|cell| write_value(cell, &cells[cell.index], succeeded, text, labels))
                }
            };
            match written {
                true => text.push(','),
                false => text.truncate(start),
            }
        }
        if let Some(interactive) = self.interactive {
            text.push_str(if interactive { "\"isInteractive\":true," } else { "\"isInteractive\":false," });
        }
        text.push_str(MARK);
        match self.table {
            Some(table) => dynamic::quote(table, text),
            None => text.push('1'),
        }
        text.push_str("}\n");
    }
}

/// Writes the value of a cell to `text`; returns false if it is empty.
fn write_value(
    cell: &PortalCell,
    value: &str,
    succeeded: bool,
    text: &mut String,
    labels: &mut BTreeMap<&'static str, u64>,
) -> bool {
    let trimmed = value.trim();
    match &cell.column.values {
        PortalValues::Code if trimmed.is_empty() && succeeded => text.push('0'),
        _ if trimmed.is_empty() => return false,
        PortalValues::Code => match trimmed.parse::<u32>() {
            Ok(code) => text.push_str(&code.to_string()),
            Err(_) => dynamic::quote(trimmed, text),
        },
        PortalValues::Bool => match truth(trimmed) {
            Some(truth) => text.push_str(if truth { "true" } else { "false" }),
            None => dynamic::quote(trimmed, text),
        },
        PortalValues::Location => {
            let mut parts = value.rsplitn(3, ", ").map(str::trim);
            let [country, state, city] = [(); 3].map(|()| parts.next().unwrap_or(""));
            for (key, part) in [("{\"city\":", city), (",\"state\":", state), (",\"countryOrRegion\":", country)] {
                text.push_str(key);
                dynamic::quote(part, text);
            }
            text.push('}');
        }
        PortalValues::Strings(others) => {
            let other = others.iter().find(|(words, _)| *words == trimmed).map(|(_, value)| *value);
            let known = other.or_else(|| cell.column.spellings?.1.of_label(trimmed));
            if let (None, Some((column, _))) = (known, cell.column.spellings) {
                *labels.entry(column).or_default() += 1;
            }
            dynamic::quote(known.unwrap_or_else(|| unguarded(value)), text);
        }
        PortalValues::Outcome => return false,
    }
    true
}

fn truth(words: &str) -> Option<bool> {
    let is = |list: [&str; 4]| list.contains(&words.to_lowercase().as_str());
    if is(["yes", "true", "oui", "sí"]) {
        Some(true)
    } else if is(["no", "false", "non", "0"]) {
        Some(false)
    } else {
        None
    }
}

/// Returns the value without the apostrophe that the portal writes before values that a spreadsheet would take for
/// formulas.
fn unguarded(value: &str) -> &str {
    match value.strip_prefix('\'') {
        Some(rest) if rest.starts_with(['-', '+', '=', '@']) => rest,
        _ => value,
    }
}
