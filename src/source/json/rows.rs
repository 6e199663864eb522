//! Rows that were found in a block -> values of columns.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use super::cmdlet;
use super::column::{ColumnWriter, dynamic_text};
use super::plan::{PlannedColumn, PlannedSource};
use super::record::Place;
use crate::source::provenance::{Provenance, position};
use crate::source::shape::portal::PortalHeader;
use crate::source::shape::spelling::Spellings;
use crate::source::shape::whole::without_point;
use crate::source::shape::{KnownTable, RowKind};
use crate::source::{Damage, ScanReport};
use crate::types::{Type, dynamic};

/// The file that is being read.
#[derive(Debug, Default)]
pub(super) struct CurrentFile {
    /// Its place in the list.
    pub index: usize,
    pub name: String,
    /// True where its text was made of something else, so that places in the text say nothing.
    pub made: bool,
    /// True where its columns were compared with those that are wanted.
    pub compared: bool,
    /// How the rows are laid out that it holds, by the first of them.
    pub kind: Option<RowKind>,
    /// Where it may hold successes only, whether it holds a failure.
    pub failed: Option<bool>,
    /// The properties of a Graph object that the header of a CSV of the admin center names.
    pub header: Option<Arc<PortalHeader>>,
    /// What its records begin with, by the first of them.
    pub head: Vec<u8>,
    /// True if values around its records say something about them, so that each is looked at.
    pub wrapped: bool,
    /// Its records so far, read or skipped.
    pub records: u64,
}

/// A record that is a row of the table.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub record: Range<usize>,
    pub kind: RowKind,
    pub table: Option<&'static KnownTable>,
    /// The line in which it begins, where lines are wanted; from 1.
    pub line: Option<u64>,
    /// Where its first byte stands in the file, where that is known.
    pub byte: Option<u64>,
    /// The offset of its first byte in the text.
    pub offset: u64,
}

/// Rows of a block, in the order in which they were found.
pub(super) struct Found<'a> {
    pub block: &'a [u8],
    pub rows: &'a [Row],
    /// Where the wanted values lie: so many for each row.
    pub places: &'a [Place],
    pub slots: usize,
    pub file: &'a CurrentFile,
}

impl Found<'_> {
    /// Appends the values that a column has in the rows at `kept`, and counts the damaged ones.
    pub(super) fn append(
        &self,
        writer: &mut ColumnWriter,
        column: &PlannedColumn,
        kept: &[usize],
        damage: &mut BTreeMap<Damage, u64>,
        report: &ScanReport,
    ) {
        if let PlannedSource::Origin(of) = column.sources[0] {
            kept.iter().for_each(|&index| append_origin(writer, of, &self.rows[index], self.file));
            return;
        }
        let result = column.name == RESULT && column.path.is_none();
        let mut tally = Tally::default();
        for &index in kept {
            let row = &self.rows[index];
            let record = Record {
                text: &self.block[row.record.clone()],
                places: &self.places[index * self.slots..(index + 1) * self.slots],
            };
            tally.empty += u64::from(result && lacks_result(column, row, record));
            match append_value(writer, column, row, record) {
                Appended::Whole => {}
                Appended::Misfit => tally.misfits += 1,
                Appended::DayFirst => tally.day_first += 1,
                Appended::Cut => tally.cut += 1,
                Appended::Cautioned(caution) => tally.caution = Some(caution),
            }
        }
        tally.add_to(damage, column);
        if let Some(caution) = tally.caution {
            report.warn(caution);
        }
    }
}

/// The column with the outcome of a sign-in.
const RESULT: &str = "ResultType";

/// The damaged values of a column, by kind.
#[derive(Default)]
struct Tally {
    misfits: u64,
    day_first: u64,
    cut: u64,
    empty: u64,
    /// What to tell about one of the values.
    caution: Option<&'static str>,
}

impl Tally {
    fn add_to(&self, damage: &mut BTreeMap<Damage, u64>, column: &PlannedColumn) {
        let name = &column.name;
        let misfit = |name: String| match column.ty {
            Type::Datetime => Damage::UnreadableTime(name),
            ty => Damage::UnreadableValue(name, ty),
        };
        let kinds: [(u64, &dyn Fn(String) -> Damage); 4] = [
            (self.misfits, &misfit),
            (self.day_first, &Damage::DayFirstDates),
            (self.cut, &Damage::CutByPowerShell),
            (self.empty, &Damage::MissingResult),
        ];
        for (count, kind) in kinds.into_iter().filter(|(count, _)| *count > 0) {
            *damage.entry(kind(name.clone())).or_default() += count;
        }
    }
}

/// How a value went into its column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Appended {
    Whole,
    /// It does not fit the type of the column.
    Misfit,
    /// It is a date with slashes whose first number is no month.
    DayFirst,
    /// A part of it was cut off before it came to us.
    Cut,
    /// It is one that the user is to be told about.
    Cautioned(&'static str),
}

impl Appended {
    fn of(fits: bool, cut: bool) -> Self {
        match (fits, cut) {
            (_, true) => Self::Cut,
            (true, false) => Self::Whole,
            (false, false) => Self::Misfit,
        }
    }
}

/// True for a sign-in that does not say how it ended. Of the admin center's CSV that is said where it is taken apart.
fn lacks_result(column: &PlannedColumn, row: &Row, record: Record<'_>) -> bool {
    let PlannedSource::Keys(slots) = &column.sources[row.kind as usize] else { return false };
    let sign_in = row.table.is_some_and(|table| table.category.ends_with("SignInLogs"));
    let value = first_filled(slots.iter().map(|&slot| record.value(slot)));
    sign_in && row.kind != RowKind::PortalCsv && value.is_none_or(|value| matches!(value, "null" | "\"\""))
}

/// A record and where its wanted values are.
#[derive(Clone, Copy)]
struct Record<'a> {
    text: &'a [u8],
    places: &'a [Place],
}

impl<'a> Record<'a> {
    fn value(self, slot: usize) -> Option<&'a str> {
        self.places[slot].text(self.text)
    }
}

/// Appends the value of a column in a record.
fn append_value(writer: &mut ColumnWriter, column: &PlannedColumn, row: &Row, record: Record<'_>) -> Appended {
    let constant = |writer: &mut ColumnWriter, text: &str| {
        writer.append_constant(text);
        Appended::Whole
    };
    let json = match &column.sources[row.kind as usize] {
        PlannedSource::Constant(text) => return constant(writer, text),
        // Not read from the record.
        PlannedSource::Origin(_) => return Appended::Whole,
        PlannedSource::Table => return constant(writer, row.table.map_or("", |table| table.name)),
        PlannedSource::Category => return constant(writer, row.table.map_or("", |table| table.category)),
        PlannedSource::Keys(slots) => first_filled(slots.iter().map(|&slot| record.value(slot))),
        PlannedSource::UnlessZero { value, guard } => {
            let zero = record.value(*guard).is_some_and(|json| without_point(&dynamic::to_text(json)) == "0");
            if zero { None } else { record.value(*value) }
        }
    };
    // The command line writes `None` for null; in a string column, which has no null, the word was there.
    let none = row.kind == RowKind::Az && column.ty != Type::String;
    let json = json.filter(|json| !none || *json != "\"None\"");
    let lowered = json.filter(|_| row.kind == RowKind::Cmdlet && column.ty.is_text()).and_then(cmdlet::camel_case);
    let json = lowered.as_deref().or(json);
    if let Some(spellings) = column.spellings[row.kind as usize] {
        return append_spelled(writer, spellings, json);
    }
    let cut = row.kind.is_graph() && column.ty.is_text() && json.is_some_and(cmdlet::is_cut);
    let Some(path) = &column.path else {
        let appended = Appended::of(writer.append(json), cut);
        let day_first = appended == Appended::Misfit && column.ty == Type::Datetime && json.is_some_and(is_day_first);
        return if day_first { Appended::DayFirst } else { appended };
    };
    let json = json.and_then(dynamic_text);
    let found = json.as_deref().and_then(|json| dynamic::extract(json, path));
    writer.append_dynamic(found);
    Appended::of(true, cut && found.is_none_or(cmdlet::is_cut))
}

/// Appends a string in the spelling of the table.
fn append_spelled(writer: &mut ColumnWriter, spellings: &'static Spellings, json: Option<&str>) -> Appended {
    let table = json.and_then(|json| spellings.of_table(json));
    writer.append(table.or(json));
    spellings.caution.filter(|_| table.is_some()).map_or(Appended::Whole, Appended::Cautioned)
}

/// True for a text that begins like `31/1/2026`.
fn is_day_first(json: &str) -> bool {
    let day = json.trim_start_matches(['"', ' ']).split_once('/').and_then(|(day, _)| day.parse::<u8>().ok());
    day.is_some_and(|day| (13..=31).contains(&day))
}

/// Appends what is asked about the origin of a row.
fn append_origin(writer: &mut ColumnWriter, of: Provenance, row: &Row, file: &CurrentFile) {
    let number = match of {
        Provenance::File => return writer.append_constant(&file.name),
        Provenance::Shape => return writer.append_constant(row.table.map_or("JSON objects", |_| row.kind.describe())),
        Provenance::Line => row.line.and_then(|line| i64::try_from(line).ok()),
        Provenance::Byte => row.byte.and_then(|byte| i64::try_from(byte).ok()),
        Provenance::Position => Some(position(file.index, row.offset)),
    };
    writer.append(number.map(|number| number.to_string()).as_deref());
}

/// A writer for the values of a column.
pub(super) fn writer_for(column: &PlannedColumn) -> ColumnWriter {
    ColumnWriter::new(if column.path.is_some() { Type::Dynamic } else { column.ty }).of_whole_numbers(column.whole)
}

/// The first value that is there, not null and not ""; else the first that is there.
fn first_filled<'a>(values: impl Iterator<Item = Option<&'a str>>) -> Option<&'a str> {
    let mut first = None;
    for value in values.flatten() {
        if !matches!(value, "null" | "\"\"") {
            return Some(value);
        }
        first = first.or(Some(value));
    }
    first
}
