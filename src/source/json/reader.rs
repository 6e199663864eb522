//! Blocks of records -> batches: candidates are scanned, the filter's columns decoded, then the rest of the survivors.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;
use std::sync::Arc;

use arrow::array::Array;

use super::classify::{Class, RowClass, table_of_path};
use super::cmdlet;
use super::column::{ColumnWriter, dynamic_text};
use super::cursor::MORE_TEXT;
use super::plan::{PlannedColumn, PlannedSource, Rows, ScanPlan, UNKNOWN_RECORDS};
use super::record::{Place, RecordScanner};

use crate::diagnostic::{Error, Result};
use crate::source::framing::{
    Extent, Header, Places, Rest, Span, ValueSplitter, extent, is_sequence, is_wrapped, trim_start,
};
use crate::source::provenance::{Provenance, position};
use crate::source::shape::{KnownTable, RowKind};
use crate::source::{Count, Reject};
use crate::types::{Batch, Type, dynamic};

/// Classes of records that are remembered.
const MAX_MET: usize = 64;

/// Where a block of records stands, for messages.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Whereabouts<'a> {
    /// The file.
    pub file: &'a str,
    /// Offset of the block, after decompression.
    pub offset: u64,
    /// Lines in front of the block, where they were counted.
    pub lines: Option<u64>,
    /// Where parts of the text stand in the file, where it was made of something else.
    pub places: Option<&'a Places>,
    /// What follows the block.
    pub rest: Rest,
}

/// Where a block of lines was left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stop {
    /// The offset in the block.
    pub at: usize,
    /// True where an array begins there that is not read as a whole; false where it takes more lines to tell.
    pub endless: bool,
}

/// The file that is being read.
#[derive(Debug, Default)]
struct CurrentFile {
    /// Its place in the list.
    index: usize,
    name: String,
    /// True where its text was made of something else, so that places in the text say nothing.
    made: bool,
    /// True where its columns were compared with those that are wanted.
    compared: bool,
    /// How the rows are laid out that it holds, by the first of them.
    kind: Option<RowKind>,
    /// Its records so far, read or skipped.
    records: u64,
}

/// Decodes the records of any number of files, one after the other.
#[derive(Debug)]
pub(crate) struct JsonReader {
    plan: Arc<ScanPlan>,
    scanner: RecordScanner,
    rows: Vec<Row>,
    places: Vec<Place>,
    writers: Vec<ColumnWriter>,
    written: usize,
    emitted: usize,
    ready: VecDeque<Batch>,
    notices: BTreeMap<String, u64>,
    /// Classes of records that were met before.
    met: Vec<Class>,
    /// True where a record of the file told what the file holds.
    settled: bool,
    decoded: u64,
    file: CurrentFile,
    /// Up to where lines were counted in the block, and how many.
    counted: (usize, u64),
    stopped: Option<Stop>,
}

/// How a record is laid out, and its table where it is a known one.
type TableRow = (RowKind, Option<&'static KnownTable>);

/// A record that is a row of the table.
#[derive(Clone, Debug)]
struct Row {
    record: Range<usize>,
    kind: RowKind,
    table: Option<&'static KnownTable>,
    /// The line in which it begins, where lines are wanted; from 1.
    line: Option<u64>,
    /// Where its first byte stands in the file, where that is known.
    byte: Option<u64>,
    /// The offset of its first byte in the text.
    offset: u64,
}

impl JsonReader {
    /// A reader without rows.
    pub(crate) fn new(plan: Arc<ScanPlan>) -> Self {
        Self {
            scanner: RecordScanner::new(Arc::clone(&plan.tree)),
            rows: Vec::new(),
            places: Vec::new(),
            writers: plan.columns.iter().map(writer_for).collect(),
            written: 0,
            emitted: 0,
            ready: VecDeque::new(),
            notices: BTreeMap::new(),
            met: Vec::new(),
            settled: false,
            decoded: 0,
            file: CurrentFile::default(),
            counted: (0, 0),
            stopped: None,
            plan,
        }
    }

    /// The next full batch.
    pub(crate) fn take_ready(&mut self) -> Option<Batch> {
        self.ready.pop_front()
    }

    /// Where the block that was read last was left, where that was not at its end.
    pub(crate) fn take_stop(&mut self) -> Option<Stop> {
        self.stopped.take()
    }

    /// How many records the file has that is done, where a service may have left some out.
    pub(crate) fn records_of_file(&self) -> u64 {
        let limited = self.file.kind.is_some_and(|kind| kind != RowKind::Diagnostic) && !self.file.made;
        if limited { self.file.records } else { 0 }
    }

    /// The rows that are left, as a last batch.
    pub(crate) fn finish(&mut self) {
        if self.written > 0 {
            self.emit();
        }
    }

    /// True where no more rows are wanted.
    pub(crate) fn is_satisfied(&self) -> bool {
        self.emitted + self.written >= self.plan.limit
    }

    /// Goes on to the file at `index` in the list of files. Its first records are looked at whether or not they may
    /// match, until one of them tells what the file holds.
    pub(crate) fn start_file(&mut self, index: usize, name: &str, made: bool) {
        self.settled = false;
        self.file = CurrentFile { index, name: name.to_owned(), made, ..CurrentFile::default() };
    }

    /// Decodes a block whose records are lines, up to one where reading lines has to stop; answers how many lines it
    /// has, where it was read to its end.
    pub(crate) fn read_lines(&mut self, block: &[u8], at: Whereabouts<'_>) -> Result<u64> {
        self.counted = (0, 0);
        let plan = Arc::clone(&self.plan);
        let Some(prefilter) = &plan.prefilter else {
            let (mut start, mut lines) = (0, 0);
            while start < block.len() && self.stopped.is_none() {
                let end = line_end(block, start);
                let next = self.read_line(block, start..end, at)?;
                lines += if next == end + 1 { u64::from(end < block.len()) } else { count_lines(&block[start..next]) };
                start = next;
            }
            self.flush(block)?;
            return Ok(lines);
        };
        let survey = Survey::of(block);
        let mut odd = survey.odd.iter().copied().peekable();
        let mut start = 0;
        let mut read = 0;
        let mut hits = [(!self.settled).then_some(0), prefilter.next_needle(block, 0), prefilter.next_hidden(block, 0)];
        while start < block.len() && self.stopped.is_none() {
            while odd.next_if(|&line| line < start).is_some() {}
            let Some(hit) = hits.iter().flatten().copied().chain(odd.peek().copied()).min() else { break };
            let line = line_start(block, hit).max(start)..line_end(block, hit);
            let next = self.read_line(block, line.clone(), at)?;
            let spans_lines = next != line.end + 1;
            read += if spans_lines { Survey::of(&block[line.start..next]).filled } else { 1 };
            start = next;
            // What stands behind a value over several lines, on its last one, is looked at.
            hits[0] = (!self.settled || spans_lines).then_some(start);
            if hits[1].is_some_and(|hit| hit < start) {
                hits[1] = prefilter.next_needle(block, start.min(block.len()));
            }
            if hits[2].is_some_and(|hit| hit < start) {
                hits[2] = prefilter.next_hidden(block, start.min(block.len()));
            }
        }
        let filled = self.stopped.map_or(survey.filled, |stop| Survey::of(&block[..stop.at]).filled);
        let skipped = filled.saturating_sub(read);
        self.file.records += skipped;
        plan.counters.add(Count::RecordsSkipped, skipped);
        self.flush(block)?;
        Ok(survey.lines)
    }

    /// Decodes one line, which may hold several records, or a value that begins with it; answers where the next line
    /// begins.
    fn read_line(&mut self, block: &[u8], line: Range<usize>, at: Whereabouts<'_>) -> Result<usize> {
        let bytes = &block[line.clone()];
        let trimmed = trim_start(bytes);
        // Elements of an array whose brackets are elsewhere, or what is left behind a value over several lines.
        let trimmed = trim_start(trimmed.strip_prefix(b",").unwrap_or(trimmed));
        let start = line.end - trimmed.len();
        let mut bytes = trimmed.trim_ascii_end();
        let mut next = line.end + 1;
        if bytes.is_empty() {
            return Ok(next);
        }
        if !bytes.ends_with(b"}") {
            match extent(block, line.clone(), at.rest) {
                Extent::End(end) if end == line.end => {}
                Extent::End(end) => (bytes, next) = (&block[start..end], end),
                open => {
                    self.stopped = Some(Stop { at: line.start, endless: open == Extent::Endless });
                    return Ok(line.start);
                }
            }
        }
        let span = start..start + bytes.len();
        if may_be_wrapped(bytes) && is_wrapped(bytes) {
            self.read_several(block, span, at)?;
        } else {
            self.read_record(block, span, None, at)?;
        }
        Ok(next)
    }

    /// Decodes the records of a wrapper, or of values that follow each other on one line.
    fn read_several(&mut self, block: &[u8], line: Range<usize>, at: Whereabouts<'_>) -> Result<()> {
        let mut splitter = ValueSplitter::default();
        let start = line.start;
        for span in splitter.split(&block[line.clone()], false).0 {
            self.read_record(block, start + span.start..start + span.end, span.header.as_ref(), at)?;
        }
        if splitter.is_unclosed() {
            self.lost(block, (line.clone(), line.end), at, "cut off");
        }
        for note in splitter.take_notes() {
            self.count(format!("{}: {note}", at.file));
        }
        match splitter.refusal() {
            Some(reason) => Err(Error::Data { file: at.file.to_owned(), place: None, reason: reason.to_owned() }),
            None => Ok(()),
        }
    }

    /// Decodes records that lie at `spans` of a block.
    pub(crate) fn read_values(&mut self, block: &[u8], spans: Vec<Span>, at: Whereabouts<'_>) -> Result<()> {
        self.counted = (0, 0);
        let plan = Arc::clone(&self.plan);
        let mut skipped = 0;
        for Span { start, end, header } in spans {
            let wanted = !self.settled
                || plan.prefilter.as_ref().is_none_or(|prefilter| prefilter.may_match(&block[start..end]));
            if wanted {
                self.read_record(block, start..end, header.as_ref(), at)?;
            } else {
                skipped += 1;
            }
        }
        self.file.records += skipped;
        plan.counters.add(Count::RecordsSkipped, skipped);
        self.flush(block)
    }

    /// Checks and classifies one record, and keeps it if it is a row. An array of cells comes with its header.
    fn read_record(
        &mut self,
        block: &[u8],
        span: Range<usize>,
        header: Option<&Arc<Header>>,
        at: Whereabouts<'_>,
    ) -> Result<()> {
        let bytes = &block[span.clone()];
        let record = match simdutf8::compat::from_utf8(bytes) {
            Ok(record) => record,
            Err(error) => {
                let place = span.start + error.valid_up_to();
                self.lost(block, (span, place), at, "not UTF-8");
                return Ok(());
            }
        };
        let scanned = match header {
            None => self.scanner.scan(record),
            Some(header) => self.scanner.scan_cells(record, header),
        };
        if let Err(flaw) = scanned {
            if flaw.reason == MORE_TEXT && is_sequence(bytes) {
                return self.read_several(block, span, at);
            }
            // A record that was cut off is placed by its start: that is where the file can be mended.
            let place = if flaw.reason == "cut off" { span.start } else { span.start + flaw.at };
            self.lost(block, (span, place), at, flaw.reason);
            return Ok(());
        }
        self.decoded += 1;
        self.file.records += u64::from(header.is_none());
        let (kind, table) = match self.row_of(record, at.file) {
            Ok(row) => row,
            Err(reason) => {
                if let Some(reason) = reason.filter(|_| self.plan.report.is_thorough()) {
                    let place = place_of(block, span.start, at);
                    let (file, raw) = (at.file, Some(bytes));
                    self.plan.report.reject(&Reject { file, place: Some(&place), reason: &reason, raw });
                }
                return Ok(());
            }
        };
        if !self.file.compared && (header.is_some() || self.file.made) && matches!(kind, RowKind::Flat | RowKind::Az) {
            self.file.compared = true;
            let lacks = |slots: &[usize]| slots.iter().all(|&slot| self.scanner.value(slot, record).is_none());
            self.plan.say_lacking(kind, &lacks);
        }
        if self.file.kind.is_none() {
            self.file.kind = Some(kind);
            self.plan.say_collector(kind, &self.file.name);
        }
        for key in self.scanner.take_unknown() {
            self.plan.say_unknown_key(&key);
        }
        let offset = at.offset + span.start as u64;
        let (line, byte) = match at.places.filter(|_| self.plan.wants_places) {
            Some(places) => places.at(offset).unzip(),
            None => (self.line_of(block, span.start, at), Some(offset).filter(|_| !self.file.made)),
        };
        self.rows.push(Row { record: span, kind, table, line, byte, offset });
        self.places.extend_from_slice(self.scanner.places());
        if self.rows.len() >= self.plan.batch_rows { self.flush(block) } else { Ok(()) }
    }

    /// The line in which a record of the block begins, where lines are wanted. Records come in order.
    fn line_of(&mut self, block: &[u8], start: usize, at: Whereabouts<'_>) -> Option<u64> {
        let before = at.lines.filter(|_| self.plan.wants_lines)?;
        let (from, lines) = self.counted;
        self.counted = (start, lines + count_lines(block.get(from..start).unwrap_or_default()));
        Some(before + self.counted.1 + 1)
    }

    /// How to read the record as a row; an error where it is none of this table, with the reason where it is none of
    /// any.
    fn row_of(&mut self, record: &str, file: &str) -> Result<TableRow, Option<String>> {
        let Some(markers) = &self.plan.markers else {
            self.settled = true;
            return Ok((RowKind::Flat, None));
        };
        let mut class = markers.classify(&self.scanner, record);
        if let Class::Row(row) = &mut class
            && !row.certain
            && let Some(table) = table_of_path(file)
        {
            (row.table, row.certain) = (table, true);
        }
        self.settled |= matches!(class, Class::Row(_) | Class::OtherTable(_));
        if !self.met.contains(&class) {
            self.meet(&class);
        }
        let reason = match &class {
            Class::Row(row) => {
                let table = self.plan.rows.one_table().map_or(row.table, |(table, _)| table);
                return if self.plan.accepts(*row) { Ok((row.kind, Some(table))) } else { Err(None) };
            }
            Class::OtherTable(name) if self.plan.rows.is_named(name) => return Ok((RowKind::Flat, None)),
            Class::OtherTable(_) if !matches!(self.plan.rows, Rows::AllAs(_)) => return Err(None),
            Class::OtherTable(name) => format!("records of {:?}, whose columns are not known: not read", shorten(name)),
            Class::Unknown => format!("{UNKNOWN_RECORDS}: not read"),
        };
        self.count(reason.clone());
        Err(Some(reason))
    }

    /// Says what there is to say about a class of records that was not met before.
    fn meet(&mut self, class: &Class) {
        if self.met.len() < MAX_MET {
            self.met.push(class.clone());
        }
        self.plan.note_seen(class);
        if let Class::Row(row @ RowClass { .. }) = class
            && self.plan.accepts(*row)
        {
            self.plan.report.met_shape(row.kind.describe());
            self.plan.say_unsupplied(*row);
        }
    }

    fn count(&mut self, notice: String) {
        *self.notices.entry(notice).or_default() += 1;
    }

    /// Counts the record at `span`, which has a flaw at `place`.
    fn lost(&self, block: &[u8], (span, place): (Range<usize>, usize), at: Whereabouts<'_>, reason: &str) {
        self.plan.report.lost_record(at.file, &place_of(block, place, at), reason, Some(&block[span]));
    }

    /// Counts the records that were decoded since the last time.
    fn count_decoded(&mut self) {
        self.plan.counters.add(Count::Rows, std::mem::take(&mut self.decoded));
    }

    /// Filters and decodes the rows kept of this block.
    fn flush(&mut self, block: &[u8]) -> Result<()> {
        self.count_decoded();
        let rows = std::mem::take(&mut self.rows);
        let mut kept = self.filter(block, &rows)?;
        kept.truncate(self.plan.limit.saturating_sub(self.emitted + self.written));
        let mut rest = &kept[..];
        while !rest.is_empty() {
            let (now, later) = rest.split_at(rest.len().min(self.plan.batch_rows - self.written));
            self.write(block, &rows, now);
            if self.written == self.plan.batch_rows {
                self.emit();
            }
            rest = later;
        }
        self.rows = rows;
        self.rows.clear();
        self.places.clear();
        Ok(())
    }

    /// Which of the rows pass the filter.
    fn filter(&mut self, block: &[u8], rows: &[Row]) -> Result<Vec<usize>> {
        let all: Vec<usize> = (0..rows.len()).collect();
        let plan = Arc::clone(&self.plan);
        let Some(filter) = plan.filter.as_ref().filter(|_| !rows.is_empty()) else { return Ok(all) };
        let mut columns = Vec::with_capacity(plan.filter_columns.len());
        for column in &plan.filter_columns {
            let mut writer = writer_for(column);
            self.append(&mut writer, column, block, rows, &all);
            columns.push(writer.finish());
        }
        let passed = filter.evaluate(&Batch::new(columns, rows.len()))?;
        Ok(all.into_iter().filter(|&row| passed.is_valid(row) && passed.value(row)).collect())
    }

    fn write(&mut self, block: &[u8], rows: &[Row], kept: &[usize]) {
        let plan = Arc::clone(&self.plan);
        let mut writers = std::mem::take(&mut self.writers);
        for (column, writer) in plan.columns.iter().zip(&mut writers) {
            // What there is to say about a column of the filter was counted there.
            let counted = plan.filter_columns.iter().any(|other| other.name == column.name);
            let notices = counted.then(|| self.notices.clone());
            self.append(writer, column, block, rows, kept);
            self.notices = notices.unwrap_or_else(|| std::mem::take(&mut self.notices));
        }
        self.writers = writers;
        self.written += kept.len();
    }

    /// Appends the values that a column has in the rows at `kept`.
    fn append(
        &mut self,
        writer: &mut ColumnWriter,
        column: &PlannedColumn,
        block: &[u8],
        rows: &[Row],
        kept: &[usize],
    ) {
        if let PlannedSource::Origin(of) = column.sources[0] {
            kept.iter().for_each(|&index| append_origin(writer, of, &rows[index], &self.file));
            return;
        }
        let slots = self.plan.tree.slot_count();
        let result = column.name == RESULT && column.path.is_none();
        let mut tally = Tally::default();
        for &index in kept {
            let record = Record {
                text: &block[rows[index].record.clone()],
                places: &self.places[index * slots..(index + 1) * slots],
            };
            let row = &rows[index];
            tally.empty += u64::from(result && lacks_result(column, row, record));
            match append_value(writer, column, row, record) {
                Appended::Whole => {}
                Appended::Misfit => tally.misfits += 1,
                Appended::Cut => tally.cut += 1,
            }
        }
        tally.say(column, &mut self.notices);
    }

    fn emit(&mut self) {
        let rows = std::mem::take(&mut self.written);
        let columns = self.writers.iter_mut().map(ColumnWriter::finish).collect();
        self.emitted += rows;
        self.ready.push_back(Batch::new(columns, rows));
    }
}

impl Drop for JsonReader {
    fn drop(&mut self) {
        self.count_decoded();
        for (text, count) in std::mem::take(&mut self.notices) {
            self.plan.report.notices_of(text, count);
        }
    }
}

/// The column with the outcome of a sign-in.
const RESULT: &str = "ResultType";

/// What is worth saying about the values of a column.
#[derive(Default)]
struct Tally {
    misfits: u64,
    cut: u64,
    empty: u64,
}

impl Tally {
    fn say(&self, column: &PlannedColumn, notices: &mut BTreeMap<String, u64>) {
        let name = &column.name;
        let mut count = |count: u64, text: &dyn Fn() -> String| {
            if count > 0 {
                *notices.entry(text()).or_default() += count;
            }
        };
        count(self.misfits, &|| format!("values of {name} that are no {}: read as null", column.ty));
        count(self.cut, &|| {
            format!(
                "values of {name} that PowerShell cut off, leaving names of types: save with ConvertTo-Json -Depth 10"
            )
        });
        count(self.empty, &|| format!("sign-ins whose {name} is empty: neither a success nor a failure is known"));
    }
}

/// How a value went into its column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Appended {
    Whole,
    /// It does not fit the type of the column.
    Misfit,
    /// A part of it was cut off before it came to us.
    Cut,
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
            let zero = record.value(*guard).is_some_and(|json| dynamic::to_text(json) == "0");
            if zero { None } else { record.value(*value) }
        }
    };
    // The command line writes `None` for null; in a string column, which has no null, the word was there.
    let none = row.kind == RowKind::Az && column.ty != Type::String;
    let json = json.filter(|json| !none || *json != "\"None\"");
    let lowered = json.filter(|_| row.kind == RowKind::Cmdlet && column.ty.is_text()).and_then(cmdlet::camel_case);
    let json = lowered.as_deref().or(json);
    let cut = row.kind.is_graph() && column.ty.is_text() && json.is_some_and(cmdlet::is_cut);
    let Some(path) = &column.path else { return Appended::of(writer.append(json), cut) };
    let json = json.and_then(dynamic_text);
    let found = json.as_deref().and_then(|json| dynamic::extract(json, path));
    writer.append_dynamic(found);
    Appended::of(true, cut && found.is_none_or(cmdlet::is_cut))
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

fn writer_for(column: &PlannedColumn) -> ColumnWriter {
    ColumnWriter::new(if column.path.is_some() { Type::Dynamic } else { column.ty })
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

/// True where the first key may be one of a wrapping object, so that it is worth a look.
fn may_be_wrapped(line: &[u8]) -> bool {
    let key = line.iter().skip(1).find(|byte| !byte.is_ascii_whitespace() && **byte != b'"');
    line.starts_with(b"[")
        || matches!(
            key,
            Some(b'\\' | b'r' | b'v' | b'@' | b'o' | b'n' | b'c' | b't' | b'T' | b'F' | b'E' | b'e' | b's')
        )
}

/// A place in a block, for messages.
fn place_of(block: &[u8], place: usize, at: Whereabouts<'_>) -> String {
    let offset = at.offset + place as u64;
    if let Some(place) = at.places.and_then(|places| places.describe(offset)) {
        return place;
    }
    match at.lines {
        Some(lines) => format!("line {}, byte {offset}", lines + count_lines(&block[..place]) + 1),
        None => format!("byte {offset}"),
    }
}

fn shorten(name: &str) -> String {
    name.chars().take(64).collect()
}

/// The lines of a block at a glance.
struct Survey {
    /// Lines that end in the block.
    lines: u64,
    /// Lines that are more than blanks.
    filled: u64,
    /// Where lines start that do not look like whole objects. They are read whether or not they may match, so that
    /// records that were cut, run together or overwritten are counted as damage and not passed over.
    odd: Vec<usize>,
}

impl Survey {
    fn of(block: &[u8]) -> Self {
        let mut survey = Self { lines: 0, filled: 0, odd: Vec::new() };
        let mut start = 0;
        for end in memchr::memchr_iter(b'\n', block) {
            survey.add(start, &block[start..end]);
            survey.lines += 1;
            start = end + 1;
        }
        if start < block.len() {
            survey.add(start, &block[start..]);
        }
        survey
    }

    fn add(&mut self, start: usize, line: &[u8]) {
        let line = line.trim_ascii();
        self.filled += u64::from(!line.is_empty());
        let whole = line.starts_with(b"{") && line.ends_with(b"}");
        if !line.is_empty() && !whole {
            self.odd.push(start);
        }
    }
}

fn line_start(block: &[u8], at: usize) -> usize {
    memchr::memrchr(b'\n', &block[..at]).map_or(0, |newline| newline + 1)
}

/// Offset of the newline that ends the line, or of the end of the block.
fn line_end(block: &[u8], at: usize) -> usize {
    memchr::memchr(b'\n', &block[at..]).map_or(block.len(), |newline| at + newline)
}

/// The number of newlines.
pub(crate) fn count_lines(bytes: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', bytes).count() as u64
}
