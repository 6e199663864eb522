//! Rows of the CSV that the Entra admin center offers for download -> objects laid out as Microsoft Graph does.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use crate::entra::portal::{
    PortalColumn, PortalHeader, PortalValues, is_interactive, is_success, portal_column, table_of,
};
use crate::records::FileReport;
use crate::scan::Damage;
use crate::types::dynamic;

/// Says what every object is; its value is the table, where the headers tell it.
const MARK: &str = "\"@portalCsv\":";

/// How the cells of a row make an object.
pub(super) struct PortalRow {
    properties: Vec<PortalProperty>,
    outcome: Option<usize>,
    table: Option<&'static str>,
    /// Whether the sign-ins are interactive, if the name of the file tells it.
    interactive: Option<bool>,
    width: usize,
    /// Headers without a column, and error codes that are blank though the sign-in did not succeed.
    unknown: Vec<String>,
    blank_codes: u64,
    /// Labels that stand for no known value, by the column of the table.
    labels: BTreeMap<&'static str, u64>,
}

/// A property of the object: one value, or an object of several.
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
            blank_codes: 0,
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

    /// The properties that the header names.
    pub(super) fn header(&self) -> Arc<PortalHeader> {
        let cells = self.properties.iter().flat_map(|property| &property.cells);
        Arc::new(PortalHeader::new(cells.map(|cell| cell.column), self.interactive.is_some()))
    }

    /// Reports what was met in the rows since the last time.
    pub(super) fn report(&mut self, report: &FileReport) {
        for (column, count) in std::mem::take(&mut self.labels) {
            report.damaged(Damage::UnknownLabel(column.to_owned()), count);
        }
        let unknown = std::mem::take(&mut self.unknown);
        let mut notices: Vec<(String, u64)> =
            unknown.iter().map(|header| (format!("the column {header:?} of the CSV is not read"), 1)).collect();
        let blank = std::mem::take(&mut self.blank_codes);
        if blank > 0 {
            let text = "sign-ins of the CSV without an error code that did not succeed: their ResultType is empty";
            notices.push((text.to_owned(), blank));
        }
        report.notices(notices);
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
                        let blank = cell.column.values == PortalValues::Code && cells[cell.index].trim().is_empty();
                        self.blank_codes += u64::from(blank && !succeeded);
                        if !write_value(cell, &cells[cell.index], succeeded, text, &mut self.labels) {
                            text.truncate(member);
                        }
                    }
                    text.push('}');
                    true
                }
                // Of a header that comes twice, the first cell that holds something counts.
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

/// Writes what a cell stands for; false where it holds nothing.
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

/// The text without the apostrophe that the portal puts in front of what a spreadsheet would take for a formula.
fn unguarded(value: &str) -> &str {
    match value.strip_prefix('\'') {
        Some(rest) if rest.starts_with(['-', '+', '=', '@']) => rest,
        _ => value,
    }
}
