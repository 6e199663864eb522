//! Reads the column values of the rows in a block.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use super::column::ColumnWriter;
use super::key_tree::ValueSlot;
use super::plan::{PlannedColumn, PlannedSource, RESULT};
use super::record_scanner::ValueRange;
use crate::entra::dynamic_strings::{Fit, has_unpaired_surrogate, read_dynamic};
use crate::entra::integral_columns::{is_no_number, without_point};
use crate::entra::numeric_dates::{DateOrder, DateOrderVerdict, DateOrders, DateRead, NumericDate, begins_with_year};
use crate::entra::portal::PortalHeader;
use crate::entra::powershell;
use crate::entra::python;
use crate::entra::spelling::Spellings;
use crate::entra::wrapped_scalars::wrapped_scalar;
use crate::entra::{KnownTable, RowKind};
use crate::scan::provenance::{Provenance, position};
use crate::scan::{ColumnNote, Damage, Note, ScanReport, Warning};
use crate::types::{Type, dynamic};

/// The file that is being read, and what is known about it.
#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each says something of its own")]
pub(super) struct CurrentFile {
    /// The position of the file in the list of files.
    pub index: usize,
    pub name: String,
    /// True if the text was generated from another format, so that offsets in the text are not positions in the file.
    pub is_generated: bool,
    /// True once the columns of the file were compared with the requested columns.
    pub compared: bool,
    /// The kind of the first row of the file.
    pub kind: Option<RowKind>,
    /// For a file that may contain only successes: whether it has a failure. None for other files.
    pub failed: Option<bool>,
    /// The header of a CSV of the admin center: the Graph properties that the file has.
    pub header: Option<Arc<PortalHeader>>,
    /// The start of the first record, up to the end of its first key.
    pub head: Vec<u8>,
    /// True if wrappers in the file carry findings about its records. The prefilter is then not used, so that each is
    /// read.
    pub wrapped: bool,
    /// Number of records of the file so far, read or skipped.
    pub records: u64,
    /// True if the file has a whole record, read or skipped by the prefilter.
    pub read_any: bool,
}

/// A record that is a row of the table.
#[derive(Clone, Debug)]
pub(super) struct ScannedRow {
    pub record: Range<usize>,
    pub kind: RowKind,
    pub table: Option<&'static KnownTable>,
    /// The line in which the record begins, from 1; None if it is not needed or not known.
    pub line: Option<u64>,
    /// The position of the first byte of the record in the file; None if it is not needed or not known.
    pub byte: Option<u64>,
    /// The offset of the first byte of the record in the decompressed text.
    pub offset: u64,
}

/// The rows of a block, in order, with what is needed to decode their values.
pub(super) struct BlockRows<'a> {
    pub block: &'a [u8],
    pub rows: &'a [ScannedRow],
    /// The ranges of the needed values: `slots` ranges for each row.
    pub ranges: &'a [ValueRange],
    pub slots: usize,
    pub file: &'a CurrentFile,
    /// The order of day and month in the numeric dates of the files.
    pub dates: &'a dyn DateOrders,
}

impl BlockRows<'_> {
    /// Appends the values of a column in the rows at `kept` to `writer`, and adds what must be reported to
    /// `findings`.
    pub(super) fn append(
        &self,
        writer: &mut ColumnWriter,
        column: &PlannedColumn,
        kept: &[usize],
        findings: &mut ValueFindings,
    ) {
        if let PlannedSource::Origin(of) = column.sources[0] {
            kept.iter().for_each(|&index| append_origin(writer, of, &self.rows[index], self.file));
            return;
        }
        let mut empty = 0;
        let mut outcomes: BTreeMap<ValueOutcome, u64> = BTreeMap::new();
        for &index in kept {
            let row = &self.rows[index];
            let record = RecordValues {
                text: &self.block[row.record.clone()],
                ranges: &self.ranges[index * self.slots..(index + 1) * self.slots],
            };
            empty += u64::from(column.is_required && lacks_required(column, row, record));
            match self.append_value(writer, column, row, record) {
                ValueOutcome::Whole => {}
                outcome => *outcomes.entry(outcome).or_default() += 1,
            }
        }
        if empty > 0 {
            let missing = if column.name == RESULT { Damage::MissingResult } else { Damage::MissingTime };
            findings.add_damage(missing(column.name.clone()), empty);
        }
        outcomes.into_iter().for_each(|(outcome, count)| findings.add(outcome, column, count));
    }

    /// Calls `each` with the bytes of every string of a column that is not empty, in the rows at `kept`. Strings with
    /// escape sequences are left out.
    pub(super) fn for_each_string(&self, column: &PlannedColumn, kept: &[usize], each: &mut dyn FnMut(&[u8])) {
        for &index in kept {
            let row = &self.rows[index];
            let PlannedSource::Keys(slots) = &column.sources[row.kind as usize] else { continue };
            let text = &self.block[row.record.clone()];
            let ranges = &self.ranges[index * self.slots..(index + 1) * self.slots];
            let json = first_filled(slots.iter().map(|&slot| ranges[slot].bytes(text))).unwrap_or_default();
            let string = json.strip_prefix(b"\"").and_then(|json| json.strip_suffix(b"\"")).unwrap_or_default();
            if !string.is_empty() && memchr::memchr(b'\\', string).is_none() {
                each(string);
            }
        }
    }

    /// Appends the value of a column in one record. Returns how it was converted.
    fn append_value(
        &self,
        writer: &mut ColumnWriter,
        column: &PlannedColumn,
        row: &ScannedRow,
        record: RecordValues<'_>,
    ) -> ValueOutcome {
        let constant = |writer: &mut ColumnWriter, text: &str| {
            writer.append_constant(text);
            ValueOutcome::Whole
        };
        let json = match &column.sources[row.kind as usize] {
            PlannedSource::Constant(text) => return constant(writer, text),
            // The caller appends it.
            PlannedSource::Origin(_) => return ValueOutcome::Whole,
            PlannedSource::Table => return constant(writer, row.table.map_or("", |table| table.name)),
            PlannedSource::Category => return constant(writer, row.table.map_or("", |table| table.category)),
            PlannedSource::Keys(slots) => filled(column, row.kind, slots, record),
            PlannedSource::UnlessZero { value, guard } => {
                let zero = record.value(*guard).is_some_and(|json| without_point(&dynamic::to_text(json)) == "0");
                if zero { None } else { record.value(*value) }
            }
        };
        let is_wrapped = |json: &&str| column.ty != Type::Dynamic && json.starts_with('{');
        let json = json.filter(is_wrapped).and_then(wrapped_scalar).or(json);
        if let Some(spellings) = column.spellings[row.kind as usize] {
            return append_spelled(writer, spellings, json, column.warns);
        }
        if let Some(date) = json.filter(|_| column.ty == Type::Datetime).and_then(|json| numeric_date(json, row.kind)) {
            return append_date(writer, &date, self.dates.verdict(self.file.index, &date));
        }
        let lowered =
            json.filter(|_| row.kind == RowKind::Cmdlet && column.ty.is_text()).and_then(powershell::camel_case);
        let json = lowered.as_deref().or(json);
        let may_be_cut = column.is_nested || column.is_validated || (row.kind.is_graph() && column.ty.is_text());
        let Some(path) = &column.path else {
            let python = json.filter(|json| column.holds_json && is_python(json));
            if let Some(json) = python {
                return append_python(writer, json);
            }
            let cut = may_be_cut && json.is_some_and(powershell::is_cut);
            let fit = writer.append(json);
            if column.ty == Type::Dynamic && json.is_some_and(has_unpaired_surrogate) {
                return ValueOutcome::HalfPair;
            }
            let is_broken = column.is_validated && fit == Fit::Whole && json.is_some_and(holds_broken_json);
            return ValueOutcome::of(if is_broken { Fit::NotJson } else { fit }, cut);
        };
        let whole = json;
        let (json, fit) = json.map_or((None, Fit::Whole), |json| read_dynamic(json, column.is_nested));
        let found = json.as_deref().and_then(|json| dynamic::extract(json, path));
        let found = if column.is_number { found.map(unquoted_number) } else { found };
        writer.append_dynamic(found);
        if found.is_some_and(has_unpaired_surrogate) {
            return ValueOutcome::HalfPair;
        }
        // `found` is short, so it is searched first.
        let is_cut = may_be_cut && found.is_none_or(powershell::is_cut) && whole.is_some_and(powershell::is_cut);
        ValueOutcome::of(fit, is_cut)
    }
}

/// What must be reported about the values of a file, with the number of cases.
#[derive(Debug, Default)]
pub(super) struct ValueFindings {
    damage: BTreeMap<Damage, u64>,
    notes: BTreeMap<Note, u64>,
    respelled: BTreeSet<&'static str>,
}

impl ValueFindings {
    /// Adds `count` cases of damage.
    pub(super) fn add_damage(&mut self, damage: Damage, count: u64) {
        *self.damage.entry(damage).or_default() += count;
    }

    /// Adds the findings of `other`.
    pub(super) fn merge(&mut self, other: Self) {
        other.damage.into_iter().for_each(|(damage, count)| self.add_damage(damage, count));
        other.notes.into_iter().for_each(|(note, count)| self.note(note, count));
        self.respelled.extend(other.respelled);
    }

    /// Reports the findings about `file`, and clears them.
    pub(super) fn report(&mut self, report: &ScanReport, file: &str) {
        let Self { damage, notes, respelled } = std::mem::take(self);
        damage.into_iter().for_each(|(damage, count)| report.damaged(damage, file, count));
        notes.into_iter().for_each(|(note, count)| report.note_times(note, count));
        respelled.into_iter().for_each(|text| report.warn(Warning::Respelled(text)));
    }

    fn add(&mut self, outcome: ValueOutcome, column: &PlannedColumn, count: u64) {
        let name = column.name.clone();
        let damage = match outcome {
            ValueOutcome::Whole => return,
            ValueOutcome::Misfit => match column.ty {
                Type::Datetime => Damage::UnreadableTime(name),
                // Any other JSON value is a valid string.
                Type::String => Damage::HalfSurrogatePair(name),
                ty => Damage::UnreadableValue(name, ty),
            },
            ValueOutcome::HalfPair => Damage::HalfSurrogatePair(name),
            ValueOutcome::Cut => Damage::CutByPowerShell(name),
            ValueOutcome::NotJson => Damage::NotJson(name),
            ValueOutcome::Ambiguous(order) => Damage::AmbiguousDates(name, order),
            ValueOutcome::Contradictory => Damage::ContradictoryDates(name),
            ValueOutcome::Proven(order) => {
                return self.note(ColumnNote::DateOrderProven { column: name, order }, count);
            }
            ValueOutcome::Counted(unit) => return self.note(ColumnNote::CountedTimes { column: name, unit }, count),
            ValueOutcome::Python => return self.note(ColumnNote::PythonNotation(name), count),
            ValueOutcome::Respelled(warning) => {
                self.respelled.insert(warning);
                return;
            }
        };
        self.add_damage(damage, count);
    }

    fn note(&mut self, note: impl Into<Note>, count: u64) {
        *self.notes.entry(note.into()).or_default() += count;
    }
}

/// Tells how a value was converted to the type of its column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum ValueOutcome {
    Whole,
    /// The value does not fit the type of the column.
    Misfit,
    /// The value has a string with an unpaired surrogate, which is replaced when the string is read.
    HalfPair,
    /// The value was truncated before it was exported.
    Cut,
    /// The value is a string that is not JSON, in place of an object or array.
    NotJson,
    /// The value is a date that was read in this order, which no other date proves.
    Ambiguous(DateOrder),
    /// The value is a date of a file whose dates contradict each other.
    Contradictory,
    /// The value is a date that was read in the order that other dates prove.
    Proven(DateOrder),
    /// The value is a time that was given as a count of this unit.
    Counted(&'static str),
    /// The value was a Python dict or list, and was converted to JSON.
    Python,
    /// The value was translated into the spelling of the table, about which this warning is reported.
    Respelled(&'static str),
}

impl ValueOutcome {
    fn of(fit: Fit, cut: bool) -> Self {
        match fit {
            _ if cut => Self::Cut,
            Fit::Whole => Self::Whole,
            Fit::Misfit => Self::Misfit,
            Fit::Counted(unit) => Self::Counted(unit),
            Fit::Python => Self::Python,
            Fit::NotJson => Self::NotJson,
            Fit::HalfPair => Self::HalfPair,
        }
    }
}

/// True for a sign-in without a result, and for any row without a time. A missing result in a CSV of the admin center
/// is not counted here: it is reported where the result is converted.
fn lacks_required(column: &PlannedColumn, row: &ScannedRow, record: RecordValues<'_>) -> bool {
    let PlannedSource::Keys(slots) = &column.sources[row.kind as usize] else { return false };
    let has_result = || row.table.is_some_and(|table| table.category.ends_with("SignInLogs"));
    let is_expected = column.name != RESULT || (row.kind != RowKind::PortalCsv && has_result());
    let value = filled(column, row.kind, slots, record);
    let is_no_result = |json: &str| column.name == RESULT && is_no_number(json.trim_matches('"'));
    is_expected && value.is_none_or(|value| matches!(value, "null" | "\"\"") || is_no_result(value))
}

/// Returns the first value of the keys of a column that is neither null nor "", or else the first value present.
fn filled<'a>(column: &PlannedColumn, kind: RowKind, slots: &[ValueSlot], record: RecordValues<'a>) -> Option<&'a str> {
    // The Azure command line writes `None` for null. A string column has no null, so there the word is a value.
    let has_none = kind == RowKind::Az && column.ty != Type::String;
    let values = slots.iter().map(|&slot| record.value(slot).filter(|json| !has_none || *json != "\"None\""));
    first_filled(values)
}

/// The text of a record, and the ranges of its needed values.
#[derive(Clone, Copy)]
struct RecordValues<'a> {
    text: &'a [u8],
    ranges: &'a [ValueRange],
}

impl<'a> RecordValues<'a> {
    fn value(self, slot: usize) -> Option<&'a str> {
        self.ranges[slot].text(self.text)
    }
}

/// Appends a string in the spelling of the table. `warns` is true if a warning about the spelling is shown.
fn append_spelled(
    writer: &mut ColumnWriter,
    spellings: &'static Spellings,
    json: Option<&str>,
    warns: bool,
) -> ValueOutcome {
    let table = json.and_then(|json| spellings.of_table(json));
    writer.append(table.or(json));
    spellings.warning.filter(|_| warns && table.is_some()).map_or(ValueOutcome::Whole, ValueOutcome::Respelled)
}

/// Returns the numeric date with which a time begins if its year is last; None for other times. Most times begin with
/// the year.
fn numeric_date(json: &str, kind: RowKind) -> Option<NumericDate> {
    if begins_with_year(json) || !json.starts_with('"') {
        None
    } else {
        NumericDate::of(&dynamic::unescape(json), kind)
    }
}

/// Appends a date, with day and month in the order that `verdict` gives.
fn append_date(writer: &mut ColumnWriter, date: &NumericDate, verdict: DateOrderVerdict) -> ValueOutcome {
    let (ticks, outcome) = match date.read(verdict) {
        DateRead::Never => (None, ValueOutcome::Misfit),
        DateRead::Certain(ticks) => (Some(ticks), ValueOutcome::Whole),
        DateRead::Proven(ticks, order) => (Some(ticks), ValueOutcome::Proven(order)),
        DateRead::Contradictory(ticks) => (Some(ticks), ValueOutcome::Contradictory),
        DateRead::Ambiguous(ticks, order) => (Some(ticks), ValueOutcome::Ambiguous(order)),
    };
    writer.append_ticks(ticks);
    outcome
}

/// Returns the number in a JSON string that has only digits, because some records have numbers as strings; other JSON
/// unchanged.
fn unquoted_number(json: &str) -> &str {
    let inside = json.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    let is_number =
        |text: &&str| text.bytes().all(|byte| byte.is_ascii_digit()) && dynamic::validate(text.as_bytes()).is_ok();
    inside.filter(is_number).unwrap_or(json)
}

/// True for a string that begins like a JSON object or array but is not valid JSON.
fn holds_broken_json(json: &str) -> bool {
    let begins_nested = json.strip_prefix('"').is_some_and(|text| text.trim_start().starts_with(['{', '[']));
    begins_nested && dynamic::validate(dynamic::unescape(json).as_bytes()).is_err()
}

/// True for a string that begins like a Python dict or list of strings.
fn is_python(json: &str) -> bool {
    let is_nested = json.starts_with("\"[") || json.starts_with("\"{");
    is_nested && json[1..].trim_start_matches(['[', '{', '(', ' ']).starts_with('\'')
}

/// Appends a Python dict or list, converted to JSON, to a string column that contains JSON.
fn append_python(writer: &mut ColumnWriter, json: &str) -> ValueOutcome {
    let Some(read) = python::to_json(&dynamic::unescape(json)) else {
        writer.append(Some(json));
        return ValueOutcome::NotJson;
    };
    let mut quoted = String::new();
    dynamic::quote(&read, &mut quoted);
    writer.append(Some(&quoted));
    ValueOutcome::Python
}

/// Appends the value of a provenance column for a row.
fn append_origin(writer: &mut ColumnWriter, of: Provenance, row: &ScannedRow, file: &CurrentFile) {
    let number = match of {
        Provenance::File => return writer.append_constant(&file.name),
        Provenance::Shape => return writer.append_constant(row.table.map_or("JSON objects", |_| row.kind.describe())),
        Provenance::Line => row.line.and_then(|line| i64::try_from(line).ok()),
        Provenance::Byte => row.byte.and_then(|byte| i64::try_from(byte).ok()),
        Provenance::Position => Some(position(file.index, row.offset)),
    };
    writer.append(number.map(|number| number.to_string()).as_deref());
}

/// Returns an empty writer for the values of a column.
pub(super) fn writer_for(column: &PlannedColumn) -> ColumnWriter {
    let writer = ColumnWriter::new(if column.path.is_some() { Type::Dynamic } else { column.ty });
    writer.of_whole_numbers(column.whole).of_nested(column.is_nested)
}

/// Returns the first value that is neither null nor "", or else the first value present; None if there is none.
fn first_filled<'a, T: AsRef<[u8]> + ?Sized>(values: impl Iterator<Item = Option<&'a T>>) -> Option<&'a T> {
    let mut first = None;
    for value in values.flatten() {
        if !matches!(value.as_ref(), b"null" | b"\"\"") {
            return Some(value);
        }
        first = first.or(Some(value));
    }
    first
}
