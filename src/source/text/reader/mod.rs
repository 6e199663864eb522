//! Decodes blocks of records into batches: candidates are scanned, the columns of the filter decoded, then the other
//! columns of the remaining rows.

mod batches;
mod damaged;
mod inner;

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

use super::block_origin::{BlockOrigin, BlockStop};
use super::classify::{RecordClass, RowClass, row, table_of_path};
use super::column::ColumnWriter;
use super::decoded_text::DecodedText;
use super::events::{ScanEvents, may_lack_failures};
use super::line_index::{LineIndex, count_lines, line_end, line_start};
use super::plan::{RecordSelection, ScanPlan};
use super::record_scanner::{RecordScanner, ValueRange};
use super::row_values::{CurrentFile, ScannedRow, ValueFindings, writer_for};
use crate::diagnostic::{Error, Result};
use crate::entra::portal::PortalHeader;
use crate::entra::{KnownTable, RowKind};
use crate::records::{
    BlockHalt, ColumnHeader, Effort, RecordExtent, RecordSpan, SkippedRange, ValueSplitter, extent, is_wrapped,
    trim_start,
};
use crate::scan::{Damage, Reject, RejectReason};
use crate::storage::counters::ScanCount;
use crate::types::{Batch, dynamic};

/// Record classes that are remembered as seen.
const MAX_SEEN_CLASSES: usize = 64;

/// Decodes the records of any number of files in sequence. Call [`Self::finish`] at the end: nothing is reported on
/// drop.
#[derive(Debug)]
pub(crate) struct JsonReader {
    plan: Arc<ScanPlan>,
    events: Arc<ScanEvents>,
    scanner: RecordScanner,
    rows: Vec<ScannedRow>,
    ranges: Vec<ValueRange>,
    decoded: DecodedText,
    writers: Vec<ColumnWriter>,
    written: usize,
    emitted: usize,
    ready: VecDeque<Batch>,
    /// Approximate bytes of the batches in `ready`.
    ready_bytes: usize,
    /// Findings about the current file that were not reported yet.
    findings: ValueFindings,
    /// Record classes that were seen and reported.
    seen_classes: Vec<RecordClass>,
    /// Set once a record has identified the table of the file.
    shape_known: bool,
    decoded_records: u64,
    file: CurrentFile,
    /// The position in the block up to which newlines were counted.
    lines: LineCounter,
    /// Effort spent on distinguishing multi-line values from truncated lines.
    effort: Effort,
    stopped: Option<BlockStop>,
}

/// The kind of a row, and its table if it is a known one.
struct TableRow {
    kind: RowKind,
    table: Option<&'static KnownTable>,
}

/// The number of newlines before a position of the block.
#[derive(Debug, Default)]
struct LineCounter {
    position: usize,
    lines: u64,
}

impl JsonReader {
    /// Creates a reader without rows.
    pub(crate) fn new(plan: Arc<ScanPlan>, events: Arc<ScanEvents>) -> Self {
        Self {
            scanner: RecordScanner::new(Arc::clone(&plan.tree)).finding_all_duplicates(events.report.is_thorough()),
            rows: Vec::new(),
            ranges: Vec::new(),
            decoded: DecodedText::default(),
            writers: plan.columns.iter().map(writer_for).collect(),
            written: 0,
            emitted: 0,
            ready: VecDeque::new(),
            ready_bytes: 0,
            findings: ValueFindings::default(),
            seen_classes: Vec::new(),
            shape_known: false,
            decoded_records: 0,
            file: CurrentFile::default(),
            lines: LineCounter::default(),
            effort: Effort::default(),
            stopped: None,
            plan,
            events,
        }
    }

    /// Returns the next full batch.
    pub(crate) fn take_ready(&mut self) -> Option<Batch> {
        let batch = self.ready.pop_front();
        if batch.is_none() {
            self.ready_bytes = 0;
        }
        batch
    }

    /// Returns the approximate bytes that the reader holds, with the full batches that were not taken.
    pub(crate) fn held_bytes(&self) -> usize {
        let rows = self.rows.capacity() * size_of::<ScannedRow>() + self.ranges.capacity() * size_of::<ValueRange>();
        rows + self.column_bytes() + self.ready_bytes + self.decoded.text.capacity()
    }

    /// Returns the position at which reading the last block stopped, if not at its end.
    pub(crate) fn take_stop(&mut self) -> Option<BlockStop> {
        self.stopped.take()
    }

    /// Returns the number of records of the finished file; 0 if its source has no limit.
    pub(crate) fn records_of_file(&self) -> u64 {
        let limited = self.file.kind.is_some_and(|kind| kind != RowKind::Diagnostic) && !self.file.is_generated;
        if limited { self.file.records } else { 0 }
    }

    /// True if any record of the finished file is whole, or was skipped because it cannot match.
    pub(crate) fn has_read_any(&self) -> bool {
        self.file.read_any
    }

    /// Makes a last batch of the remaining rows, and reports the current file.
    pub(crate) fn finish(&mut self) {
        if self.written > 0 {
            self.emit();
        }
        self.report_pending();
    }

    /// Reports what was counted and found since the last report, for a reader that is abandoned after an error.
    pub(crate) fn report_pending(&mut self) {
        self.count_decoded();
        self.report_damage();
    }

    /// True if no more rows are needed.
    pub(crate) fn is_satisfied(&self) -> bool {
        self.emitted + self.written >= self.plan.limit
    }

    /// Starts the file at `index` in the list of files. Its first records are read whether or not they may match, until
    /// one of them identifies the table.
    pub(crate) fn start_file(
        &mut self,
        index: usize,
        name: &str,
        is_generated: bool,
        header: Option<Arc<PortalHeader>>,
    ) {
        self.report_damage();
        self.shape_known = false;
        self.effort = Effort::default();
        self.file = CurrentFile { index, name: name.to_owned(), is_generated, header, ..CurrentFile::default() };
    }

    /// Decodes a block whose records are lines, up to a position at which reading lines must stop. Returns the number
    /// of lines, if the block was read to its end.
    pub(crate) fn read_lines(&mut self, block: &[u8], origin: BlockOrigin<'_>) -> Result<u64> {
        self.lines = LineCounter::default();
        let plan = Arc::clone(&self.plan);
        let Some(prefilter) = &plan.prefilter else {
            let (mut start, mut lines) = (0, 0);
            while start < block.len() && self.stopped.is_none() {
                let end = line_end(block, start);
                let next = self.read_line(block, start..end, origin)?;
                lines += if next == end + 1 { u64::from(end < block.len()) } else { count_lines(&block[start..next]) };
                start = next;
            }
            self.flush(block)?;
            return Ok(lines);
        };
        let line_index = LineIndex::of(block);
        let mut suspects = line_index.suspects.iter().copied().peekable();
        let mut start = 0;
        let mut read = 0;
        let mut hits = prefilter.hits();
        let mut wanted = (!self.shape_known).then_some(0);
        // A truncated last line is damage, whatever is searched.
        let looks_at_last = plan.watches_times() || !block.ends_with(b"\n");
        let last = looks_at_last.then(|| line_start(block, block.trim_ascii_end().len()));
        while start < block.len() && self.stopped.is_none() {
            while suspects.next_if(|&line| line < start).is_some() {}
            let hit = hits.next(block, start);
            let looked_at = wanted.into_iter().chain(last.filter(|&last| last >= start));
            let Some(hit) = hit.into_iter().chain(looked_at).chain(suspects.peek().copied()).min() else { break };
            let line = line_start(block, hit).max(start)..line_end(block, hit);
            let next = self.read_line(block, line.clone(), origin)?;
            let spans_lines = next != line.end + 1;
            read += if spans_lines { LineIndex::of(&block[line.start..next]).filled } else { 1 };
            start = next;
            // The text after a multi-line value, on its last line, is read.
            wanted = (!self.shape_known || spans_lines || self.file.wrapped).then_some(start);
        }
        let filled = self.stopped.map_or(line_index.filled, |stop| LineIndex::of(&block[..stop.at]).filled);
        let skipped = filled.saturating_sub(read);
        self.count_skipped(skipped);
        self.flush(block)?;
        Ok(line_index.lines)
    }

    /// Decodes one line, which may contain several records or begin a multi-line value; returns the start of the next
    /// line.
    fn read_line(&mut self, block: &[u8], line: Range<usize>, origin: BlockOrigin<'_>) -> Result<usize> {
        let bytes = &block[line.clone()];
        let trimmed = trim_start(bytes);
        // Elements of an array whose brackets are on other lines, or the rest of the line after a multi-line value, may
        // begin with a comma.
        let trimmed = trim_start(trimmed.strip_prefix(b",").unwrap_or(trimmed));
        let start = line.end - trimmed.len();
        let mut bytes = trimmed.trim_ascii_end();
        let mut next = line.end + 1;
        if bytes.is_empty() {
            return Ok(next);
        }
        if !bytes.ends_with(b"}") {
            match extent(block, line.clone(), origin.rest, &mut self.effort) {
                RecordExtent::End(end) if end == line.end => {}
                RecordExtent::End(end) => (bytes, next) = (&block[start..end], end),
                open => {
                    let why =
                        if open == RecordExtent::Endless { BlockHalt::EndlessArray } else { BlockHalt::MoreLines };
                    self.stopped = Some(BlockStop { at: line.start, why });
                    return Ok(line.start);
                }
            }
        }
        let span = start..start + bytes.len();
        if may_be_wrapped(bytes) && is_wrapped(bytes) {
            self.file.wrapped = true;
            self.read_several(block, span, origin)?;
        } else {
            self.read_record(block, span, None, origin)?;
        }
        Ok(next)
    }

    /// Decodes the records of a wrapper, or of several values on one line.
    fn read_several(&mut self, block: &[u8], line: Range<usize>, origin: BlockOrigin<'_>) -> Result<()> {
        let mut splitter = ValueSplitter::default();
        let start = line.start;
        let (spans, done) = splitter.split(&block[line.clone()], false);
        for span in spans {
            let record = start + span.start..start + span.end;
            let is_suspect = !span.is_whole || !is_object_or_row(&block[record.clone()]);
            if is_suspect || self.may_be_wanted(&block[record.clone()]) {
                self.read_record(block, record, span.header.as_ref(), origin)?;
            } else {
                self.file.records += 1;
                self.plan.counters.add(ScanCount::RecordsSkipped, 1);
            }
        }
        let offset = origin.offset + start as u64;
        let gaps = splitter.take_skipped().into_iter().map(|lost| SkippedRange::of(lost, offset));
        for gap in gaps.chain(splitter.take_open().map(|lost| SkippedRange::of(lost, offset + done as u64))) {
            self.lost_gap(block, gap.offset, &gap, origin);
        }
        if splitter.is_unclosed() {
            self.lost(block, line.clone(), line.end, origin, "cut off");
        }
        match splitter.change() {
            Some(encoding) if origin.may_change_encoding => {
                self.stopped = Some(BlockStop { at: start + done, why: BlockHalt::OtherEncoding(encoding) });
            }
            Some(_) => self.lost(block, start + done..line.end, start + done, origin, "text in UTF-16"),
            None => {}
        }
        splitter.take_notes().iter().for_each(|note| self.events.note(note, origin.file, offset));
        match splitter.refusal() {
            Some(reason) => Err(Error::Data { file: origin.file.to_owned(), place: None, reason: reason.to_owned() }),
            None => Ok(()),
        }
    }

    /// True if a record of a sequence may match, or is needed to identify the file.
    fn may_be_wanted(&self, record: &[u8]) -> bool {
        !self.shape_known || self.plan.watches_times() || self.may_match(record)
    }

    /// Decodes records at `spans` of a block.
    pub(crate) fn read_values(&mut self, block: &[u8], spans: Vec<RecordSpan>, origin: BlockOrigin<'_>) -> Result<()> {
        self.lines = LineCounter::default();
        let plan = Arc::clone(&self.plan);
        let mut skipped = 0;
        let mut left = spans.len();
        for RecordSpan { start, end, header, is_whole } in spans {
            left -= 1;
            let wanted = !self.shape_known
                || self.file.wrapped
                || !is_whole
                || !is_object_or_row(&block[start..end])
                || (left == 0 && plan.watches_times())
                || self.may_match(&block[start..end]);
            if wanted {
                self.read_record(block, start..end, header.as_ref(), origin)?;
            } else {
                skipped += 1;
            }
        }
        self.count_skipped(skipped);
        self.flush(block)
    }

    /// True for a record that was read only to identify the file: it cannot match, and its time is not needed.
    fn is_done_with(&self, record: &[u8]) -> bool {
        !self.plan.watches_times() && !self.may_match(record)
    }

    /// False only if the prefilter excludes the record.
    fn may_match(&self, record: &[u8]) -> bool {
        self.plan.prefilter.as_ref().is_none_or(|prefilter| prefilter.may_match(record))
    }

    /// Counts records that were skipped because they cannot match.
    fn count_skipped(&mut self, records: u64) {
        self.file.records += records;
        self.file.read_any |= records > 0;
        self.plan.counters.add(ScanCount::RecordsSkipped, records);
    }

    /// Validates and classifies one record, and keeps it if it is a row. `header` is that of an array of cells.
    fn read_record(
        &mut self,
        block: &[u8],
        span: Range<usize>,
        header: Option<&Arc<ColumnHeader>>,
        origin: BlockOrigin<'_>,
    ) -> Result<()> {
        let bytes = &block[span.clone()];
        let record = match simdutf8::compat::from_utf8(bytes) {
            Ok(record) => record,
            Err(_) if self.read_padded(block, span.clone(), origin)? => return Ok(()),
            Err(_) => return self.read_undecodable(block, span, header, origin),
        };
        let scanned = match header {
            None => self.scanner.scan(record),
            Some(header) => self.scanner.scan_cells(record, header),
        };
        if let Err(json_error) = scanned {
            return self.read_flawed(block, span, json_error, header.is_some(), origin);
        }
        let looked_at = !self.shape_known;
        let class = self.plan.markers.as_ref().map(|markers| markers.classify(&self.scanner, record));
        if self.is_changed(class.as_ref())
            && self.read_rewritten(block, span.clone(), header, class.as_ref(), origin)?
        {
            return Ok(());
        }
        if header.is_none()
            && self.may_hold_records(class.as_ref())
            && self.read_wrapped(block, span.clone(), class.as_ref(), origin)?
        {
            return Ok(());
        }
        self.note_decoded(bytes, header.is_some());
        if class.is_none() {
            self.note_error(bytes, origin);
        }
        let class = class.map(|class| self.as_bound_row(class, record, header));
        let TableRow { kind, table } = match self.row_of(class, origin.file) {
            Ok(row) => row,
            Err(damage) => {
                self.reject(block, span, damage, origin);
                return Ok(());
            }
        };
        if self.scanner.has_duplicate_key() {
            self.findings.add_damage(Damage::RepeatedKey, 1);
        }
        if self.scanner.has_cut() && kind.is_graph() {
            self.note_cut(record, kind);
        }
        self.learn_of_file(kind, record, header.is_some());
        for key in self.scanner.take_unknown() {
            self.events.report_unknown_key(&key, kind, origin.file);
        }
        if looked_at && self.is_done_with(bytes) {
            return Ok(());
        }
        let offset = origin.offset + span.start as u64;
        let (line, byte) = self.source_of(block, span.start, origin);
        let record = self.place_record(block, span, origin)?;
        self.rows.push(ScannedRow { record, kind, table, line, byte, offset });
        self.ranges.extend_from_slice(self.scanner.ranges());
        if self.rows.len() >= self.plan.batch_rows { self.flush(block) } else { Ok(()) }
    }

    /// Counts a decoded record, and keeps the first key of the file.
    fn note_decoded(&mut self, record: &[u8], is_array: bool) {
        self.decoded_records += 1;
        self.file.read_any = true;
        self.file.records += u64::from(!is_array);
        if self.file.head.is_empty() && !is_array {
            self.file.head = first_key(record).to_vec();
        }
    }

    /// Keeps a record that is not a row as a reject, if it is damage and rejects are kept.
    fn reject(&mut self, block: &[u8], span: Range<usize>, damage: Option<Damage>, origin: BlockOrigin<'_>) {
        if let Some(damage) = damage.filter(|_| self.events.report.is_thorough()) {
            let place = self.describe(block, span.start, origin);
            let (file, raw) = (origin.file, Some(&block[span]));
            let reason = RejectReason::Damage(&damage, 1);
            self.events.report.reject(&Reject { file, place: Some(&place), reason, raw });
        }
    }

    /// Learns from a record about its file: which columns it lacks, who wrote it, whether it has failures. `is_row` if
    /// the record is an array of cells.
    fn learn_of_file(&mut self, kind: RowKind, record: &str, is_row: bool) {
        if !self.file.compared && (is_row || self.file.is_generated) && matches!(kind, RowKind::Flat | RowKind::Az) {
            self.file.compared = true;
            let lacks = |slots: &[usize]| slots.iter().all(|&slot| self.scanner.value(slot, record).is_none());
            self.events.report_lacking(kind, &lacks);
        }
        if let Some(header) = self.file.header.take_if(|_| kind == RowKind::PortalCsv) {
            self.events.report_portal_lacks(&header);
        }
        if self.file.kind.is_none() {
            self.file.kind = Some(kind);
            self.file.failed = may_lack_failures(kind, &self.file.name).then_some(false);
        }
        if self.file.failed == Some(false) {
            let failed = is_failure(record.as_bytes());
            self.file.failed = Some(failed);
            self.events.log.add_failures(self.file.index, failed);
        }
    }

    /// The line and byte in the file of `start` in the block, as far as needed.
    fn source_of(&mut self, block: &[u8], start: usize, origin: BlockOrigin<'_>) -> (Option<u64>, Option<u64>) {
        if let Some(source) = origin.source {
            return (source.line, source.byte);
        }
        let offset = origin.offset + start as u64;
        match origin.places.filter(|_| self.plan.wants_places) {
            Some(places) => places.at(offset).unzip(),
            None => (self.line_of(block, start, origin), Some(offset).filter(|_| !self.file.is_generated)),
        }
    }

    /// The line in which a record of the block begins, if lines are needed.
    fn line_of(&mut self, block: &[u8], start: usize, origin: BlockOrigin<'_>) -> Option<u64> {
        let before = origin.lines.filter(|_| self.plan.wants_lines)?;
        Some(before + self.lines_to(block, start) + 1)
    }

    /// Returns the number of newlines of the block before `place`. Most positions are close to the previous one.
    fn lines_to(&mut self, block: &[u8], place: usize) -> u64 {
        let LineCounter { position: from, lines } = self.lines;
        let between = |range: Range<usize>| count_lines(block.get(range).unwrap_or_default());
        let lines = match from <= place {
            true => lines + between(from..place),
            false => lines.saturating_sub(between(place..from)),
        };
        self.lines = LineCounter { position: place, lines };
        lines
    }

    /// Describes a position in the block for messages.
    fn describe(&mut self, block: &[u8], place: usize, origin: BlockOrigin<'_>) -> String {
        let lines = origin.lines.filter(|_| origin.source.is_none()).map(|before| before + self.lines_to(block, place));
        origin.describe(place, lines)
    }

    /// True for a record of unrecognised shape or without a table name: it may wrap other records under unusual keys.
    fn may_hold_records(&self, class: Option<&RecordClass>) -> bool {
        match class {
            Some(RecordClass::Unknown) => true,
            Some(RecordClass::Row(row)) => !row.certain && row.kind == RowKind::Flat && !self.file.is_generated,
            Some(RecordClass::OtherTable(_)) | None => false,
        }
    }

    /// Returns the class of a record in files that are bound to a table which is read only by name: if nothing else
    /// tells its table, a record with columns of that table is a row of it.
    fn as_bound_row(&self, class: RecordClass, record: &str, header: Option<&Arc<ColumnHeader>>) -> RecordClass {
        let RecordSelection::BoundTable(table) = self.plan.selection else { return class };
        if class != RecordClass::Unknown || !table.by_name {
            return class;
        }
        let is_column = |name: &str| table.schema.index_of(name).is_some();
        let has_column = match header {
            Some(header) => header.names.iter().any(|name| is_column(name)),
            None => dynamic::unique_entries(record).iter().any(|entry| is_column(&entry.key.text())),
        };
        if has_column { row(RowKind::Flat, table, false, false) } else { class }
    }

    /// Returns how to read a record of this class. Err(None): row of another table. Err(Some(_)): no known table.
    fn row_of(&mut self, class: Option<RecordClass>, file: &str) -> Result<TableRow, Option<Damage>> {
        let Some(mut class) = class else {
            self.shape_known = true;
            return Ok(TableRow { kind: RowKind::Flat, table: None });
        };
        if let RecordClass::Row(row) = &mut class
            && !row.certain
            && let Some(table) = table_of_path(file)
        {
            (row.table, row.certain) = (table, true);
        }
        if let RecordClass::OtherTable(name) = &class
            && let Some(renamed) = self.events.renamed(name)
        {
            class = renamed;
        }
        self.shape_known |= matches!(class, RecordClass::Row(_) | RecordClass::OtherTable(_));
        if !self.seen_classes.contains(&class) {
            self.report_class(&class);
        }
        let damage = match &class {
            RecordClass::Row(row) => {
                let table = self.plan.selection.single_table().map_or(row.table, |own| own.table);
                return if self.plan.accepts(*row) {
                    Ok(TableRow { kind: row.kind, table: Some(table) })
                } else {
                    Err(None)
                };
            }
            RecordClass::OtherTable(name) if self.plan.selection.is_named(name) => {
                return Ok(TableRow { kind: RowKind::Flat, table: None });
            }
            RecordClass::OtherTable(name) if self.plan.may_be_requested(name) => {
                let wanted = self.plan.selection.single_table().map_or("", |own| own.table.name);
                Damage::SimilarTable(name.clone(), wanted.to_owned())
            }
            RecordClass::OtherTable(_) if !matches!(self.plan.selection, RecordSelection::AllKnownAs(_)) => {
                return Err(None);
            }
            RecordClass::OtherTable(name) => Damage::UnknownTable(name.clone()),
            RecordClass::Unknown => Damage::UnrecognisedRecords,
        };
        self.findings.add_damage(damage.clone(), 1);
        Err(Some(damage))
    }

    /// Reports a class of records that was not seen before.
    fn report_class(&mut self, class: &RecordClass) {
        if self.seen_classes.len() < MAX_SEEN_CLASSES {
            self.seen_classes.push(class.clone());
        }
        self.events.note_seen(class);
        if let RecordClass::Row(row @ RowClass { .. }) = class
            && self.plan.accepts(*row)
        {
            self.events.report.note_shape(&row.kind.shape(row.complete));
            self.events.report_unsupplied(*row);
        }
    }

    /// Reports the findings about the current file since the last report.
    fn report_damage(&mut self) {
        self.findings.report(&self.events.report, &self.file.name);
    }

    /// Counts the records decoded since the last call.
    fn count_decoded(&mut self) {
        self.plan.counters.add(ScanCount::Rows, std::mem::take(&mut self.decoded_records));
    }
}

/// False for a value in the place of a record that is neither an object nor an array.
fn is_object_or_row(value: &[u8]) -> bool {
    matches!((value.first(), value.last()), (Some(b'{'), Some(b'}')) | (Some(b'['), Some(b']')))
}

/// True if the first key may be that of a wrapper, so that a closer check is worthwhile.
fn may_be_wrapped(line: &[u8]) -> bool {
    let key = line.iter().skip(1).find(|byte| !byte.is_ascii_whitespace() && **byte != b'"');
    line.starts_with(b"[")
        || matches!(
            key,
            Some(b'\\' | b'r' | b'v' | b'@' | b'o' | b'n' | b'c' | b't' | b'T' | b'F' | b'E' | b'e' | b's')
        )
}

/// True for a record with an error code other than 0. Inside strings, quotes are escaped.
fn is_failure(record: &[u8]) -> bool {
    const KEY: &[u8] = b"rrorCode\"";
    memchr::memmem::find_iter(record, KEY).any(|at| {
        let value = record[at + KEY.len()..].iter().find(|byte| !matches!(byte, b' ' | b':' | b'"'));
        matches!(value, Some(b'1'..=b'9'))
    })
}

/// A record up to the end of its first key; empty if that is long.
fn first_key(record: &[u8]) -> &[u8] {
    const LONGEST: usize = 64;
    let end = record.iter().take(LONGEST).position(|byte| *byte == b':');
    end.map_or(&[], |end| &record[..end])
}
