//! Decodes blocks of records into batches. Candidates are scanned, then the columns of the filter are decoded, then
//! the other columns of the remaining rows.

mod batches;
mod damaged;
mod inner;
mod lines;
mod membership;
mod position;

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

use membership::TableRow;
use position::LineCounter;

use super::block_origin::{BlockOrigin, BlockStop};
use super::classify::RecordClass;
use super::column::ColumnWriter;
use super::decoded_text::DecodedText;
use super::events::ScanEvents;
use super::plan::ScanPlan;
use super::record_scanner::{RecordScanner, ValueRange};
use super::row_values::{CurrentFile, ScannedRow, ValueFindings, writer_for};
use crate::diagnostic::Result;
use crate::entra::RowKind;
use crate::entra::portal::PortalHeader;
use crate::records::{ColumnHeader, Effort, RecordSpan};
use crate::scan::{Damage, Reject, RejectReason};
use crate::storage::counters::ScanCount;
use crate::types::Batch;

/// Decodes the records of any number of files, one file after the other. Call [`Self::finish`] at the end, because
/// dropping the reader reports nothing.
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
    /// Findings about the current file that have not been reported yet.
    findings: ValueFindings,
    /// Record classes that have been reported.
    seen_classes: Vec<RecordClass>,
    /// True once a record has identified the table of the file.
    shape_known: bool,
    decoded_records: u64,
    file: CurrentFile,
    /// The number of newlines before the position up to which they were counted.
    lines: LineCounter,
    /// The effort spent so far on distinguishing multi-line values from truncated lines; it is limited.
    effort: Effort,
    stopped: Option<BlockStop>,
}

impl JsonReader {
    /// Creates a reader that has no rows yet.
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

    /// Returns the next full batch; None if there is none yet.
    pub(crate) fn take_ready(&mut self) -> Option<Batch> {
        let batch = self.ready.pop_front();
        if batch.is_none() {
            self.ready_bytes = 0;
        }
        batch
    }

    /// Returns the approximate bytes that the reader holds, including full batches that were not taken.
    pub(crate) fn held_bytes(&self) -> usize {
        let rows = self.rows.capacity() * size_of::<ScannedRow>() + self.ranges.capacity() * size_of::<ValueRange>();
        rows + self.column_bytes() + self.ready_bytes + self.decoded.text.capacity()
    }

    /// Returns the position at which reading the last block stopped; None if it was read to its end.
    pub(crate) fn take_stop(&mut self) -> Option<BlockStop> {
        self.stopped.take()
    }

    /// Returns the number of records of the finished file; 0 if the service that wrote it does not limit its rows.
    pub(crate) fn records_of_file(&self) -> u64 {
        let limited = self.file.kind.is_some_and(|kind| kind != RowKind::Diagnostic) && !self.file.is_generated;
        if limited { self.file.records } else { 0 }
    }

    /// True if the finished file has a whole record, read or skipped by the prefilter.
    pub(crate) fn has_read_any(&self) -> bool {
        self.file.read_any
    }

    /// Turns the remaining rows into a last batch, and reports the findings about the current file.
    pub(crate) fn finish(&mut self) {
        if self.written > 0 {
            self.emit();
        }
        self.report_pending();
    }

    /// Reports what was counted and found since the last report. Called on its own after an error, when the reader is
    /// abandoned.
    pub(crate) fn report_pending(&mut self) {
        self.count_decoded();
        self.report_damage();
    }

    /// True if no more rows are needed, because the limit of the query is reached.
    pub(crate) fn is_satisfied(&self) -> bool {
        self.emitted + self.written >= self.plan.limit
    }

    /// Starts the file at `index` in the list of files. Its first records are read even if they cannot match, until
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

    /// Decodes the records at `spans` of a block.
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

    /// True for a record that is not needed as a row: it was read only to identify the file, it cannot match, and
    /// times are not recorded.
    fn is_done_with(&self, record: &[u8]) -> bool {
        !self.plan.watches_times() && !self.may_match(record)
    }

    /// True unless the prefilter shows that the record cannot match.
    fn may_match(&self, record: &[u8]) -> bool {
        self.plan.prefilter.as_ref().is_none_or(|prefilter| prefilter.may_match(record))
    }

    /// Counts records that the prefilter skipped.
    fn count_skipped(&mut self, records: u64) {
        self.file.records += records;
        self.file.read_any |= records > 0;
        self.plan.counters.add(ScanCount::RecordsSkipped, records);
    }

    /// Validates and classifies one record, and keeps it if it is a row. `header` names the columns if the record is
    /// an array of cells.
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

    /// Counts a decoded record, and remembers the first key of the first record of the file.
    fn note_decoded(&mut self, record: &[u8], is_array: bool) {
        self.decoded_records += 1;
        self.file.read_any = true;
        self.file.records += u64::from(!is_array);
        if self.file.head.is_empty() && !is_array {
            self.file.head = first_key(record).to_vec();
        }
    }

    /// Writes a record that is not a row to the rejects, if it counts as damage and rejects are kept.
    fn reject(&mut self, block: &[u8], span: Range<usize>, damage: Option<Damage>, origin: BlockOrigin<'_>) {
        if let Some(damage) = damage.filter(|_| self.events.report.is_thorough()) {
            let place = self.describe(block, span.start, origin);
            let (file, raw) = (origin.file, Some(&block[span]));
            let reason = RejectReason::Damage(&damage, 1);
            self.events.report.reject(&Reject { file, place: Some(&place), reason, raw });
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

/// True for an object or an array. False for any other value where a record is expected.
fn is_object_or_row(value: &[u8]) -> bool {
    matches!((value.first(), value.last()), (Some(b'{'), Some(b'}')) | (Some(b'['), Some(b']')))
}

/// Returns a record up to the end of its first key; empty if that key is long.
fn first_key(record: &[u8]) -> &[u8] {
    const LONGEST: usize = 64;
    let end = record.iter().take(LONGEST).position(|byte| *byte == b':');
    end.map_or(&[], |end| &record[..end])
}
