//! What the header line of a CSV file says its rows are.

use std::borrow::Cow;
use std::sync::Arc;

use super::portal::PortalRow;
use crate::entra::headerless_columns::headerless_columns;
use crate::entra::known_tables;
use crate::entra::portal::{PortalHeader, portal_column};
use crate::records::FileReport;
use crate::types::{datetime, dynamic};

/// Columns that a file may have.
const MAX_COLUMNS: usize = 4_096;

/// Bytes of their names: every row repeats them, so long ones would make much of little.
const MAX_HEADER_BYTES: usize = 256 << 10;

/// Bytes of the longest name that a column of a known table has, and more.
const MAX_NAME: usize = 96;

/// The column that makes rows those of a table.
const TIME: &str = "TimeGenerated";

/// How the line begins that Export-Csv puts in front of the header.
pub(super) const TYPE_LINE: &str = "#TYPE ";

/// Why the CSV of PowerShell objects is not read.
const POWERSHELL: &str =
    "Export-Csv wrote the names of types in place of nested objects: save with ConvertTo-Json -Depth 10";

/// What the rows are.
pub(super) enum CsvLayout {
    /// Cells under these keys.
    Keys(Vec<KeyColumn>),
    /// A download of the Entra admin center.
    Portal(PortalRow),
    /// Rows under a header, further down, that is not read; why, and how many cells they have.
    Unread(&'static str, usize),
}

/// A column whose cells become values of a key.
pub(super) struct KeyColumn {
    /// The key, quoted and with its colon; "" for a column without a name, which is not read.
    key: String,
    /// The offset from UTC of its times, as it is written behind a time; "" for UTC.
    offset: String,
}

impl CsvLayout {
    pub(super) fn width(&self) -> usize {
        match self {
            Self::Keys(keys) => keys.len(),
            Self::Portal(row) => row.width(),
            Self::Unread(_, width) => *width,
        }
    }

    /// Why the rows are not read, where they are not.
    pub(super) fn unread(&self) -> Option<&'static str> {
        match self {
            Self::Unread(reason, _) => Some(reason),
            Self::Keys(_) | Self::Portal(_) => None,
        }
    }

    /// What the header names, if it is one of the Entra admin center.
    pub(super) fn portal_header(&self) -> Option<Arc<PortalHeader>> {
        match self {
            Self::Portal(row) => Some(row.header()),
            Self::Keys(_) | Self::Unread(..) => None,
        }
    }

    /// Reports what was met in the rows since the last time.
    pub(super) fn report(&mut self, report: &FileReport) {
        match self {
            Self::Portal(row) => row.report(report),
            Self::Keys(keys) if keys.iter().any(|column| column.key.is_empty()) => {
                report.notices(vec![("columns of a CSV file that have no name are not read".to_owned(), 1)]);
            }
            Self::Keys(_) | Self::Unread(..) => {}
        }
    }

    /// Writes the object that a row is.
    pub(super) fn write(&mut self, cells: &[Cow<'_, str>], text: &mut String) {
        match self {
            Self::Keys(keys) => {
                text.push('{');
                for (column, cell) in keys.iter().zip(cells).filter(|(column, _)| !column.key.is_empty()) {
                    text.push_str(if text.ends_with('{') { "" } else { "," });
                    text.push_str(&column.key);
                    if column.offset.is_empty() || cell.trim().is_empty() {
                        dynamic::quote(cell, text);
                    } else {
                        // A time that has a zone of its own is none with a second one.
                        dynamic::quote(&format!("{} {}", cell.trim(), column.offset), text);
                    }
                }
                text.push_str("}\n");
            }
            Self::Portal(row) => row.write(cells, text),
            Self::Unread(..) => {}
        }
    }
}

/// What the first line says; true where it is a header, false where it is a row already. `typed` where a line with a
/// type of PowerShell stands in front of it; `file` is the name of the file.
pub(super) fn layout(cells: &[String], typed: bool, file: &str) -> Result<(CsvLayout, bool), &'static str> {
    if cells.len() > MAX_COLUMNS {
        return Err("it has more columns than are read");
    }
    if let Some(columns) = headerless_columns(cells) {
        return Ok((CsvLayout::Keys(columns.map(|name| key(name, String::new())).collect()), false));
    }
    if cells.iter().map(String::len).sum::<usize>() > MAX_HEADER_BYTES {
        return Err("the names of its columns are longer than is read");
    }
    let (names, offsets): (Vec<&str>, Vec<String>) =
        cells.iter().map(|cell| column_name(cell.trim())).collect::<Result<Vec<_>, _>>()?.into_iter().unzip();
    let names: Vec<&str> = names.into_iter().map(|name| spelled(name, cells)).collect();
    let has = |name: &str| names.contains(&name);
    let is_table = has(TIME);
    if (typed || (has("CreatedDateTime") && has("AppliedConditionalAccessPolicies"))) && !is_table {
        return Err(POWERSHELL);
    }
    if has("Request ID") && has("Authentication method") {
        return Err("details of authentications, which belong to the rows of another download");
    }
    if names.iter().filter(|name| portal_column(name).is_some()).count() >= 3 && !is_table {
        return Ok((CsvLayout::Portal(PortalRow::new(cells, file)), true));
    }
    let is_value = |name: &&str| name.parse::<f64>().is_ok() || datetime::parse(name).is_some();
    // An index without a name, or a comma too many, hides no column of a table.
    if names.iter().any(is_value) || (!is_table && has("")) {
        return Err("CSV without a header line: which columns it has cannot be told");
    }
    Ok((CsvLayout::Keys(names.into_iter().zip(offsets).map(|(name, offset)| key(name, offset)).collect()), true))
}

/// The header lines of a file so far, to know another one when it comes.
pub(super) struct HeaderLines {
    names: Vec<String>,
}

impl HeaderLines {
    /// The first line is this header; without any, none is known.
    pub(super) fn new(header: Option<&[String]>) -> Self {
        Self { names: header.into_iter().flatten().map(|name| name.trim().to_owned()).collect() }
    }

    /// Whether a row is a header again: the same, or most of its cells are names of columns. Rows are many, so most
    /// have to be told by their first cell.
    pub(super) fn is_header(&self, cells: &[Cow<'_, str>]) -> bool {
        let filled = || cells.iter().map(|cell| cell.trim()).filter(|cell| !cell.is_empty());
        if !filled().next().is_some_and(|cell| self.is_name(cell)) {
            return false;
        }
        let names = filled().filter(|cell| self.is_name(cell)).count();
        self.is_same(cells) || (names >= 3 && names * 2 > filled().count())
    }

    /// True where a row is the header once more.
    pub(super) fn is_same(&self, cells: &[Cow<'_, str>]) -> bool {
        self.names.len() == cells.len() && self.names.iter().zip(cells).all(|(name, cell)| name == cell.trim())
    }

    /// The header that a row ends with: a file whose last line has no line end was joined to another. Its first name
    /// is what is known of where the row ends; "" where nothing is.
    pub(super) fn joined(&self, cells: &[Cow<'_, str>], width: usize) -> Option<Vec<String>> {
        let last = cells.get(width.checked_sub(1)?)?;
        let others = cells.get(width..)?;
        let names = others.iter().filter(|cell| self.is_name(cell.trim())).count();
        if names < 2 || names * 2 <= others.len() {
            return None;
        }
        let columns = known_tables().flat_map(|table| table.schema.names());
        let first = self.names.iter().map(String::as_str).chain(columns).filter(|name| last.trim().ends_with(name));
        let first = first.max_by_key(|name| name.len()).unwrap_or_default().to_owned();
        Some(std::iter::once(first).chain(others.iter().map(|cell| cell.clone().into_owned())).collect())
    }

    fn is_name(&self, cell: &str) -> bool {
        let name = without_zone(cell);
        // Times, numbers and long texts are told at once.
        if name.len() > MAX_NAME || name.starts_with(|first: char| first.is_ascii_digit()) {
            return self.names.iter().any(|own| own == cell);
        }
        self.names.iter().any(|own| without_zone(own) == name)
            || portal_column(name).is_some()
            || known_tables().any(|table| table.schema.index_of(name).is_some())
    }
}

/// The name as the table has it, where tools wrote names of columns in another case: without `TimeGenerated` as such.
fn spelled<'a>(name: &'a str, headers: &[String]) -> &'a str {
    let time = |header: &String| column_name(header.trim()).is_ok_and(|(name, _)| name == TIME);
    let other = |header: &String| column_name(header.trim()).is_ok_and(|(name, _)| name.eq_ignore_ascii_case(TIME));
    if headers.iter().any(time) || !headers.iter().any(other) {
        return name;
    }
    let mut columns = known_tables().flat_map(|table| table.schema.fields());
    columns.find(|field| field.name.eq_ignore_ascii_case(name)).map_or(name, |field| field.name.as_str())
}

/// The name of the column, and the offset of its times from UTC, "" for none: the portal of Log Analytics adds the time
/// zone to the names of times.
fn column_name(header: &str) -> Result<(&str, String), &'static str> {
    let Some((name, zone)) = header.strip_suffix(']').and_then(|rest| rest.rsplit_once(" [")) else {
        return Ok((header, String::new()));
    };
    let offset = offset(zone);
    offset.map(|offset| (name, offset)).ok_or("its times are not in UTC: export it again with the time zone UTC")
}

/// The offset that `UTC`, `UTC+01:00` or `UTC-5` names, "" for none. The offset of any other zone depends on the date.
fn offset(zone: &str) -> Option<String> {
    let zone = zone.trim().replace('\u{2212}', "-");
    let prefix = zone.get(..3).filter(|prefix| ["UTC", "GMT"].iter().any(|name| prefix.eq_ignore_ascii_case(name)))?;
    let rest = zone[prefix.len()..].trim();
    if rest.is_empty() {
        return Some(String::new());
    }
    let sign = rest.chars().next().filter(|sign| matches!(sign, '+' | '-' | '\u{b1}'))?;
    let (hours, minutes) = rest[sign.len_utf8()..].split_once(':').unwrap_or((&rest[sign.len_utf8()..], "00"));
    let number = |text: &str, most: u32| {
        let is_short = (1..=2).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse::<u32>().ok().filter(|number| is_short && *number <= most)
    };
    match (number(hours, 14)?, number(minutes, 59)?) {
        (0, 0) => Some(String::new()),
        _ if sign == '\u{b1}' => None,
        (hours, minutes) => Some(format!("{sign}{hours:02}:{minutes:02}")),
    }
}

/// The name of the column, whatever the time zone is that stands behind it.
fn without_zone(header: &str) -> &str {
    header.strip_suffix(']').and_then(|rest| rest.rsplit_once(" [")).map_or(header, |(name, _)| name)
}

fn key(name: &str, offset: String) -> KeyColumn {
    let mut key = String::new();
    if !name.is_empty() {
        dynamic::quote(name, &mut key);
        key.push(':');
    }
    KeyColumn { key, offset }
}
