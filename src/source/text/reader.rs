//! Blocks of records -> batches: candidates are scanned, the filter's columns decoded, then the rest of the survivors.

mod batches;
mod damaged;
mod wrapped;

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

use super::classify::{Class, RowClass, table_of_path};
use super::column::ColumnWriter;
use super::plan::{Rows, ScanPlan, may_lack_failures};
use super::record::{Place, RecordScanner};
use super::rows::{CurrentFile, Findings, Row, writer_for};
use super::survey::{Survey, count_lines, line_end, line_start};
use super::unwrapped::Unwrapped;
use super::whereabouts::{Stop, Whereabouts};
use crate::diagnostic::{Error, Result};
use crate::entra::portal::PortalHeader;
use crate::entra::{KnownTable, RowKind};
use crate::records::{
    BlockHalt, ColumnHeader, Effort, RecordExtent, RecordSpan, SkippedRange, ValueSplitter, extent, is_wrapped,
    trim_start,
};
use crate::scan::{Damage, Reject};
use crate::storage::counters::ScanCount;
use crate::types::Batch;

/// Classes of records that are remembered.
const MAX_MET: usize = 64;

/// Decodes the records of any number of files, one after the other.
#[derive(Debug)]
pub(crate) struct JsonReader {
    plan: Arc<ScanPlan>,
    scanner: RecordScanner,
    rows: Vec<Row>,
    places: Vec<Place>,
    unwrapped: Unwrapped,
    writers: Vec<ColumnWriter>,
    written: usize,
    emitted: usize,
    ready: VecDeque<Batch>,
    /// What there is to say of values of the current file.
    findings: Findings,
    /// Classes of records that were met before.
    met: Vec<Class>,
    /// True where a record of the file told what the file holds.
    settled: bool,
    decoded: u64,
    file: CurrentFile,
    /// Up to where lines were counted in the block, and how many.
    counted: (usize, u64),
    /// What was spent on telling values over several lines from lines that were cut off.
    effort: Effort,
    stopped: Option<Stop>,
}

/// How a record is laid out, and its table where it is a known one.
type TableRow = (RowKind, Option<&'static KnownTable>);

impl JsonReader {
    /// A reader without rows.
    pub(crate) fn new(plan: Arc<ScanPlan>) -> Self {
        Self {
            scanner: RecordScanner::new(Arc::clone(&plan.tree)).exact(plan.report.is_thorough()),
            rows: Vec::new(),
            places: Vec::new(),
            unwrapped: Unwrapped::default(),
            writers: plan.columns.iter().map(writer_for).collect(),
            written: 0,
            emitted: 0,
            ready: VecDeque::new(),
            findings: Findings::default(),
            met: Vec::new(),
            settled: false,
            decoded: 0,
            file: CurrentFile::default(),
            counted: (0, 0),
            effort: Effort::default(),
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

    /// True if any record of the file that is done is whole, or was skipped because it cannot match.
    pub(crate) fn has_read_any(&self) -> bool {
        self.file.read_any
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
    pub(crate) fn start_file(&mut self, index: usize, name: &str, made: bool, header: Option<Arc<PortalHeader>>) {
        self.report_damage();
        self.settled = false;
        self.effort = Effort::default();
        self.file = CurrentFile { index, name: name.to_owned(), made, header, ..CurrentFile::default() };
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
        let mut hits = prefilter.hits();
        let mut wanted = (!self.settled).then_some(0);
        // What the file ends inside of is damage, whatever is searched for.
        let looks_at_last = plan.watches_times() || !block.ends_with(b"\n");
        let last = looks_at_last.then(|| line_start(block, block.trim_ascii_end().len()));
        while start < block.len() && self.stopped.is_none() {
            while odd.next_if(|&line| line < start).is_some() {}
            let hit = hits.next(block, start);
            let looked_at = wanted.into_iter().chain(last.filter(|&last| last >= start));
            let Some(hit) = hit.into_iter().chain(looked_at).chain(odd.peek().copied()).min() else { break };
            let line = line_start(block, hit).max(start)..line_end(block, hit);
            let next = self.read_line(block, line.clone(), at)?;
            let spans_lines = next != line.end + 1;
            read += if spans_lines { Survey::of(&block[line.start..next]).filled } else { 1 };
            start = next;
            // What stands behind a value over several lines, on its last one, is looked at.
            wanted = (!self.settled || spans_lines || self.file.wrapped).then_some(start);
        }
        let filled = self.stopped.map_or(survey.filled, |stop| Survey::of(&block[..stop.at]).filled);
        let skipped = filled.saturating_sub(read);
        self.count_skipped(skipped);
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
            match extent(block, line.clone(), at.rest, &mut self.effort) {
                RecordExtent::End(end) if end == line.end => {}
                RecordExtent::End(end) => (bytes, next) = (&block[start..end], end),
                open => {
                    let why =
                        if open == RecordExtent::Endless { BlockHalt::EndlessArray } else { BlockHalt::MoreLines };
                    self.stopped = Some(Stop { at: line.start, why });
                    return Ok(line.start);
                }
            }
        }
        let span = start..start + bytes.len();
        if may_be_wrapped(bytes) && is_wrapped(bytes) {
            self.file.wrapped = true;
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
        let (spans, done) = splitter.split(&block[line.clone()], false);
        for span in spans {
            let record = start + span.start..start + span.end;
            let is_odd = !span.is_whole || !is_object_or_row(&block[record.clone()]);
            if is_odd || self.may_be_wanted(&block[record.clone()]) {
                self.read_record(block, record, span.header.as_ref(), at)?;
            } else {
                self.file.records += 1;
                self.plan.counters.add(ScanCount::RecordsSkipped, 1);
            }
        }
        let offset = at.offset + start as u64;
        let gaps = splitter.take_skipped().into_iter().map(|lost| SkippedRange::of(lost, offset));
        for gap in gaps.chain(splitter.take_open().map(|lost| SkippedRange::of(lost, offset + done as u64))) {
            self.lost_gap(block, gap.offset, &gap, at);
        }
        if splitter.is_unclosed() {
            self.lost(block, (line.clone(), line.end), at, "cut off");
        }
        match splitter.change() {
            Some(encoding) if at.may_change_encoding => {
                self.stopped = Some(Stop { at: start + done, why: BlockHalt::OtherEncoding(encoding) });
            }
            Some(_) => self.lost(block, (start + done..line.end, start + done), at, "text in UTF-16"),
            None => {}
        }
        splitter.take_notes().iter().for_each(|note| self.plan.note(note, at.file, offset));
        match splitter.refusal() {
            Some(reason) => Err(Error::Data { file: at.file.to_owned(), place: None, reason: reason.to_owned() }),
            None => Ok(()),
        }
    }

    /// True for a record of several that may match, or tells what there is to know of the file.
    fn may_be_wanted(&self, record: &[u8]) -> bool {
        !self.settled || self.plan.watches_times() || self.may_match(record)
    }

    /// Decodes records that lie at `spans` of a block.
    pub(crate) fn read_values(&mut self, block: &[u8], spans: Vec<RecordSpan>, at: Whereabouts<'_>) -> Result<()> {
        self.counted = (0, 0);
        let plan = Arc::clone(&self.plan);
        let mut skipped = 0;
        let mut left = spans.len();
        for RecordSpan { start, end, header, is_whole } in spans {
            left -= 1;
            let wanted = !self.settled
                || self.file.wrapped
                || !is_whole
                || !is_object_or_row(&block[start..end])
                || (left == 0 && plan.watches_times())
                || self.may_match(&block[start..end]);
            if wanted {
                self.read_record(block, start..end, header.as_ref(), at)?;
            } else {
                skipped += 1;
            }
        }
        self.count_skipped(skipped);
        self.flush(block)
    }

    /// True for a record that told what the file holds, where that was all: it cannot match, and nobody asks for its time.
    fn is_done_with(&self, record: &[u8]) -> bool {
        !self.plan.watches_times() && !self.may_match(record)
    }

    /// False only if the prefilter rules the record out.
    fn may_match(&self, record: &[u8]) -> bool {
        self.plan.prefilter.as_ref().is_none_or(|prefilter| prefilter.may_match(record))
    }

    /// Counts records that were skipped because they cannot match.
    fn count_skipped(&mut self, records: u64) {
        self.file.records += records;
        self.file.read_any |= records > 0;
        self.plan.counters.add(ScanCount::RecordsSkipped, records);
    }

    /// Checks and classifies one record, and keeps it if it is a row. An array of cells comes with its header.
    fn read_record(
        &mut self,
        block: &[u8],
        span: Range<usize>,
        header: Option<&Arc<ColumnHeader>>,
        at: Whereabouts<'_>,
    ) -> Result<()> {
        let bytes = &block[span.clone()];
        let record = match simdutf8::compat::from_utf8(bytes) {
            Ok(record) => record,
            Err(_) if self.read_padded(block, span.clone(), at)? => return Ok(()),
            Err(_) => return self.read_undecodable(block, span, header, at),
        };
        let scanned = match header {
            None => self.scanner.scan(record),
            Some(header) => self.scanner.scan_cells(record, header),
        };
        if let Err(json_error) = scanned {
            return self.read_flawed(block, span, (json_error, header.is_some()), at);
        }
        let looked_at = !self.settled;
        let class = self.plan.markers.as_ref().map(|markers| markers.classify(&self.scanner, record));
        if self.is_changed(class.as_ref()) && self.read_rewritten(block, span.clone(), (header, class.as_ref()), at)? {
            return Ok(());
        }
        if header.is_none()
            && self.may_hold_records(class.as_ref())
            && self.read_wrapped(block, span.clone(), class.as_ref(), at)?
        {
            return Ok(());
        }
        self.decoded += 1;
        self.file.read_any = true;
        self.file.records += u64::from(header.is_none());
        if self.file.head.is_empty() && header.is_none() {
            self.file.head = first_key(bytes).to_vec();
        }
        if class.is_none() {
            self.note_error(bytes, at);
        }
        let (kind, table) = match self.row_of(class, at.file) {
            Ok(row) => row,
            Err(reason) => {
                self.reject(block, span, reason, at);
                return Ok(());
            }
        };
        if self.scanner.repeats_key() {
            self.findings.add_damage(Damage::RepeatedKey, 1);
        }
        if self.scanner.has_cut() && kind.is_graph() {
            self.note_cut(record, kind);
        }
        self.learn_of_file(kind, record, header.is_some());
        for key in self.scanner.take_unknown() {
            self.plan.say_unknown_key(&key, kind, at.file);
        }
        if looked_at && self.is_done_with(bytes) {
            return Ok(());
        }
        let offset = at.offset + span.start as u64;
        let (line, byte) = self.source_of(block, span.start, at);
        let record = self.place_record(block, span, at)?;
        self.rows.push(Row { record, kind, table, line, byte, offset });
        self.places.extend_from_slice(self.scanner.places());
        if self.rows.len() >= self.plan.batch_rows { self.flush(block) } else { Ok(()) }
    }

    /// Keeps a record that is no row, if there is a reason and somebody wants it.
    fn reject(&mut self, block: &[u8], span: Range<usize>, reason: Option<String>, at: Whereabouts<'_>) {
        if let Some(reason) = reason.filter(|_| self.plan.report.is_thorough()) {
            let place = self.describe(block, span.start, at);
            let (file, raw) = (at.file, Some(&block[span]));
            self.plan.report.reject(&Reject { file, place: Some(&place), reason: &reason, raw });
        }
    }

    /// What a record tells of its file: what its columns lack, who wrote it, whether it has failures. `is_row` where the
    /// record is an array of cells.
    fn learn_of_file(&mut self, kind: RowKind, record: &str, is_row: bool) {
        if !self.file.compared && (is_row || self.file.made) && matches!(kind, RowKind::Flat | RowKind::Az) {
            self.file.compared = true;
            let lacks = |slots: &[usize]| slots.iter().all(|&slot| self.scanner.value(slot, record).is_none());
            self.plan.say_lacking(kind, &lacks);
        }
        if let Some(header) = self.file.header.take_if(|_| kind == RowKind::PortalCsv) {
            self.plan.say_portal_lacks(&header);
        }
        if self.file.kind.is_none() {
            self.file.kind = Some(kind);
            self.file.failed = may_lack_failures(kind, &self.file.name).then_some(false);
        }
        if self.file.failed == Some(false) {
            let failed = is_failure(record.as_bytes());
            self.file.failed = Some(failed);
            self.plan.note_failures(self.file.index, failed);
        }
    }

    /// The line and byte of the file that lead to what begins at `start` of the block, as far as they are wanted.
    fn source_of(&mut self, block: &[u8], start: usize, at: Whereabouts<'_>) -> (Option<u64>, Option<u64>) {
        if let Some(holder) = at.holder {
            return (holder.line, holder.byte);
        }
        let offset = at.offset + start as u64;
        match at.places.filter(|_| self.plan.wants_places) {
            Some(places) => places.at(offset).unzip(),
            None => (self.line_of(block, start, at), Some(offset).filter(|_| !self.file.made)),
        }
    }

    /// The line in which a record of the block begins, where lines are wanted. Records come in order.
    fn line_of(&mut self, block: &[u8], start: usize, at: Whereabouts<'_>) -> Option<u64> {
        let before = at.lines.filter(|_| self.plan.wants_lines)?;
        Some(before + self.lines_to(block, start) + 1)
    }

    /// The newlines of the block before `place`. Most places are near the one before.
    fn lines_to(&mut self, block: &[u8], place: usize) -> u64 {
        let (from, lines) = self.counted;
        let between = |range: Range<usize>| count_lines(block.get(range).unwrap_or_default());
        let lines = match from <= place {
            true => lines + between(from..place),
            false => lines.saturating_sub(between(place..from)),
        };
        self.counted = (place, lines);
        lines
    }

    /// A place in the block, for messages.
    fn describe(&mut self, block: &[u8], place: usize, at: Whereabouts<'_>) -> String {
        let lines = at.lines.filter(|_| at.holder.is_none()).map(|before| before + self.lines_to(block, place));
        at.describe(place, lines)
    }

    /// True for what is none of the known records, or does not say of which table it is: it may be an object around
    /// others, under keys that such objects do not usually have.
    fn may_hold_records(&self, class: Option<&Class>) -> bool {
        match class {
            Some(Class::Unknown) => true,
            Some(Class::Row(row)) => !row.certain && row.kind == RowKind::Flat && !self.file.made,
            Some(Class::OtherTable(_)) | None => false,
        }
    }

    /// How to read a record of this class as a row; an error where it is none of this table, with the reason where it is none of
    /// any.
    fn row_of(&mut self, class: Option<Class>, file: &str) -> Result<TableRow, Option<String>> {
        let Some(mut class) = class else {
            self.settled = true;
            return Ok((RowKind::Flat, None));
        };
        if let Class::Row(row) = &mut class
            && !row.certain
            && let Some(table) = table_of_path(file)
        {
            (row.table, row.certain) = (table, true);
        }
        if let Class::OtherTable(name) = &class
            && let Some(renamed) = self.plan.renamed(name)
        {
            class = renamed;
        }
        self.settled |= matches!(class, Class::Row(_) | Class::OtherTable(_));
        if !self.met.contains(&class) {
            self.meet(&class);
        }
        let damage = match &class {
            Class::Row(row) => {
                let table = self.plan.rows.one_table().map_or(row.table, |(table, _)| table);
                return if self.plan.accepts(*row) { Ok((row.kind, Some(table))) } else { Err(None) };
            }
            Class::OtherTable(name) if self.plan.rows.is_named(name) => return Ok((RowKind::Flat, None)),
            Class::OtherTable(name) if self.plan.may_be_asked_for(name) => {
                let wanted = self.plan.rows.one_table().map_or("", |(table, _)| table.name);
                Damage::SimilarTable(name.clone(), wanted.to_owned())
            }
            Class::OtherTable(_) if !matches!(self.plan.rows, Rows::AllAs(_)) => return Err(None),
            Class::OtherTable(name) => Damage::UnknownTable(name.clone()),
            Class::Unknown => Damage::UnrecognisedRecords,
        };
        let reason = damage.describe(1);
        self.findings.add_damage(damage, 1);
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
            self.plan.report.note_shape(&row.kind.shape(row.complete));
            self.plan.say_unsupplied(*row);
        }
    }

    /// Reports the damage that was met in the current file since the last time.
    fn report_damage(&mut self) {
        self.findings.report(&self.plan.report, &self.file.name);
    }

    /// Counts the records that were decoded since the last time.
    fn count_decoded(&mut self) {
        self.plan.counters.add(ScanCount::Rows, std::mem::take(&mut self.decoded));
    }
}

impl Drop for JsonReader {
    fn drop(&mut self) {
        self.count_decoded();
        self.report_damage();
    }
}

/// False for what stands in the place of a record without being one.
fn is_object_or_row(value: &[u8]) -> bool {
    matches!((value.first(), value.last()), (Some(b'{'), Some(b'}')) | (Some(b'['), Some(b']')))
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

/// True for a record with an error code other than 0. No text of a record has a bare quote inside of it.
fn is_failure(record: &[u8]) -> bool {
    const KEY: &[u8] = b"rrorCode\"";
    memchr::memmem::find_iter(record, KEY).any(|at| {
        let value = record[at + KEY.len()..].iter().find(|byte| !matches!(byte, b' ' | b':' | b'"'));
        matches!(value, Some(b'1'..=b'9'))
    })
}

/// A record up to the end of its first key; nothing where that is long or strange.
fn first_key(record: &[u8]) -> &[u8] {
    const LONGEST: usize = 64;
    let end = record.iter().take(LONGEST).position(|byte| *byte == b':');
    end.map_or(&[], |end| &record[..end])
}
