//! Interprets the header line of a CSV file.

use std::borrow::Cow;
use std::sync::Arc;

use super::portal::PortalRow;
use crate::entra::headerless_columns::headerless_columns;
use crate::entra::known_tables;
use crate::entra::portal::{PortalHeader, portal_column};
use crate::records::FileReport;
use crate::scan::ColumnNote;
use crate::types::{datetime, dynamic};

/// Maximum number of columns of a file.
const MAX_COLUMNS: usize = 4_096;

/// Maximum length of all column names in bytes: every converted row repeats them, so long names would inflate the
/// text.
const MAX_HEADER_BYTES: usize = 256 << 10;

/// An upper bound of the length in bytes of column names of known tables.
const MAX_NAME: usize = 96;

/// The column whose presence shows that rows are rows of a table.
const TIME: &str = "TimeGenerated";

/// The beginning of the line that Export-Csv writes before the header.
pub(super) const TYPE_LINE: &str = "#TYPE ";

/// The reason why a CSV of PowerShell objects is not read.
const POWERSHELL: &str =
    "Export-Csv replaced nested objects with type names: export again with ConvertTo-Json -Depth 10";

/// The rule by which the rows of a file are converted to objects.
pub(super) enum CsvLayout {
    /// Each cell becomes the value of a key.
    Keys(Vec<CsvColumn>),
    /// A download of the Entra admin center.
    Portal(PortalRow),
    /// Rows under a later header that is not supported: the reason, and the number of cells.
    Unread(&'static str, usize),
}

/// A column whose cells become the values of a key.
pub(super) struct CsvColumn {
    /// The key as a JSON string with its colon; "" for an unnamed column, which is not read.
    key: String,
    /// The offset from UTC that is appended to its times; "" for UTC.
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

    /// Returns the reason why the rows are not read; None if they are.
    pub(super) fn unread(&self) -> Option<&'static str> {
        match self {
            Self::Unread(reason, _) => Some(reason),
            Self::Keys(_) | Self::Portal(_) => None,
        }
    }

    /// Returns the header, if it is the header of a CSV of the Entra admin center.
    pub(super) fn portal_header(&self) -> Option<Arc<PortalHeader>> {
        match self {
            Self::Portal(row) => Some(row.header()),
            Self::Keys(_) | Self::Unread(..) => None,
        }
    }

    /// Reports what was found in the rows since the last call.
    pub(super) fn report(&mut self, report: &FileReport) {
        match self {
            Self::Portal(row) => row.report(report),
            Self::Keys(keys) if keys.iter().any(|column| column.key.is_empty()) => {
                report.note(ColumnNote::UnnamedCsvColumns, 1);
            }
            Self::Keys(_) | Self::Unread(..) => {}
        }
    }

    /// Writes a row to `text` as a JSON object.
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
                        // A time with a zone of its own becomes invalid with a second one.
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

/// Interprets the first line. Returns the layout, and true if the line is a header, false if it is a row. `typed` is
/// true if a line with a PowerShell type precedes it; `file` is the name of the file. Err has the reason why the file
/// is not read.
pub(super) fn layout(cells: &[String], typed: bool, file: &str) -> Result<(CsvLayout, bool), &'static str> {
    if cells.len() > MAX_COLUMNS {
        return Err("it has too many columns");
    }
    if let Some(columns) = headerless_columns(cells) {
        return Ok((CsvLayout::Keys(columns.map(|name| key(name, String::new())).collect()), false));
    }
    if cells.iter().map(String::len).sum::<usize>() > MAX_HEADER_BYTES {
        return Err("its column names are too long");
    }
    let (names, offsets): (Vec<&str>, Vec<String>) =
        cells.iter().map(|cell| column_name(cell.trim())).collect::<Result<Vec<_>, _>>()?.into_iter().unzip();
    let names = spelled_as_in_tables(names);
    let has = |name: &str| names.contains(&name);
    let is_table = has(TIME);
    if (typed || (has("CreatedDateTime") && has("AppliedConditionalAccessPolicies"))) && !is_table {
        return Err(POWERSHELL);
    }
    if has("Request ID") && has("Authentication method") {
        return Err("details of authentications, which belong to the sign-ins of another download");
    }
    if names.iter().filter(|name| portal_column(name).is_some()).count() >= 3 && !is_table {
        return Ok((CsvLayout::Portal(PortalRow::new(cells, file)), true));
    }
    let is_value = |name: &&str| {
        name.parse::<f64>().is_ok() || datetime::parse(name).is_some() || name.contains("{\"") || name.starts_with('{')
    };
    // An unnamed index or a trailing comma does not affect the columns of a table.
    if names.iter().any(is_value) || (!is_table && has("")) {
        return Err("CSV without a header line: its columns are unknown");
    }
    Ok((CsvLayout::Keys(names.into_iter().zip(offsets).map(|(name, offset)| key(name, offset)).collect()), true))
}

/// The column names of the header lines so far, to recognise repeated headers.
pub(super) struct HeaderLines {
    names: Vec<String>,
}

impl HeaderLines {
    /// Creates the state with the first header; None if the file has none.
    pub(super) fn new(header: Option<&[String]>) -> Self {
        Self { names: header.into_iter().flatten().map(|name| name.trim().to_owned()).collect() }
    }

    /// Returns the cells of the last header; empty if there was none.
    pub(super) fn names(&self) -> &[String] {
        &self.names
    }

    /// True if a row is a header: it repeats the last one, or most of its cells are column names. The first cell
    /// already rules out most rows.
    pub(super) fn is_header(&self, cells: &[Cow<'_, str>]) -> bool {
        let filled = || cells.iter().map(|cell| cell.trim()).filter(|cell| !cell.is_empty());
        if !filled().next().is_some_and(|cell| self.is_name(cell)) {
            return false;
        }
        let names = filled().filter(|cell| self.is_name(cell)).count();
        self.is_same(cells) || (names >= 3 && names * 2 > filled().count())
    }

    /// True if a row repeats the header.
    pub(super) fn is_same(&self, cells: &[Cow<'_, str>]) -> bool {
        self.names.len() == cells.len() && self.names.iter().zip(cells).all(|(name, cell)| name == cell.trim())
    }

    /// Returns the header with which a row ends, if a file without a final line end was joined to another file.
    /// `width` is the number of cells of a row. The first name of the header is the longest known column name with
    /// which the joined cell ends; "" if there is none.
    pub(super) fn joined(&self, cells: &[Cow<'_, str>], width: usize) -> Option<Vec<String>> {
        let last = cells.get(width.checked_sub(1)?)?;
        let others = cells.get(width..).filter(|others| others.len() <= MAX_COLUMNS)?;
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
        if name.is_empty() {
            return false;
        }
        // Times, numbers and long strings are ruled out at once.
        if name.len() > MAX_NAME || name.starts_with(|first: char| first.is_ascii_digit()) {
            return self.names.iter().any(|own| own == cell);
        }
        self.names.iter().any(|own| without_zone(own) == name)
            || portal_column(name).is_some()
            || known_tables().any(|table| table.schema.index_of(name).is_some())
    }
}

/// Returns the names of columns as tables spell them: without the time zone, and in the case of the table. Returns
/// None if the times of a column are not in UTC.
pub(crate) fn table_names<'h>(headers: &[&'h str]) -> Option<Vec<&'h str>> {
    let is_utc = |header: &&str| column_name(header.trim()).is_ok_and(|(_, offset)| offset.is_empty());
    headers.iter().all(is_utc).then(|| {
        let names = headers.iter().filter_map(|header| column_name(header.trim()).ok());
        spelled_as_in_tables(names.map(|(name, _)| name).collect())
    })
}

/// Returns the column names in the case of the tables, because some tools change it. If one of them is `TimeGenerated`
/// in exactly this case, or none is in any case, they are returned unchanged.
fn spelled_as_in_tables(names: Vec<&str>) -> Vec<&str> {
    if names.contains(&TIME) || !names.iter().any(|name| name.eq_ignore_ascii_case(TIME)) {
        return names;
    }
    let spelled = |name| {
        let mut columns = known_tables().flat_map(|table| table.schema.fields());
        columns.find(|field| field.name.eq_ignore_ascii_case(name)).map_or(name, |field| field.name.as_str())
    };
    names.into_iter().map(spelled).collect()
}

/// Returns the column name, and the offset of its times from UTC ("" for none). The Log Analytics portal appends the
/// time zone to the names of columns with times. Err has the reason why a time zone is not supported.
fn column_name(header: &str) -> Result<(&str, String), &'static str> {
    let Some((name, zone)) = header.strip_suffix(']').and_then(|rest| rest.rsplit_once(" [")) else {
        return Ok((header, String::new()));
    };
    let offset = offset(zone);
    offset.map(|offset| (name, offset)).ok_or("its times are not in UTC: export it again with the time zone UTC")
}

/// Returns the offset that `UTC`, `UTC+01:00` or `UTC-5` names; "" for none. Returns None for other zones, whose
/// offset depends on the date.
fn offset(zone: &str) -> Option<String> {
    let zone = zone.trim().replace('\u{2212}', "-");
    let prefix = zone.get(..3).filter(|prefix| ["UTC", "GMT"].iter().any(|name| prefix.eq_ignore_ascii_case(name)))?;
    let rest = zone[prefix.len()..].trim();
    if rest.is_empty() {
        return Some(String::new());
    }
    let sign = rest.chars().next().filter(|sign| matches!(sign, '+' | '-' | '\u{b1}'))?;
    let (hours, minutes) = rest[sign.len_utf8()..].split_once(':').unwrap_or((&rest[sign.len_utf8()..], "00"));
    let number = |text: &str, max: u32| {
        let is_short = (1..=2).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse::<u32>().ok().filter(|number| is_short && *number <= max)
    };
    match (number(hours, 14)?, number(minutes, 59)?) {
        (0, 0) => Some(String::new()),
        _ if sign == '\u{b1}' => None,
        (hours, minutes) => Some(format!("{sign}{hours:02}:{minutes:02}")),
    }
}

/// Returns the column name without the time zone after it.
fn without_zone(header: &str) -> &str {
    header.strip_suffix(']').and_then(|rest| rest.rsplit_once(" [")).map_or(header, |(name, _)| name)
}

fn key(name: &str, offset: String) -> CsvColumn {
    let mut key = String::new();
    if !name.is_empty() {
        dynamic::quote(name, &mut key);
        key.push(':');
    }
    CsvColumn { key, offset }
}
