//! Reads columnar files whose rows are not rows of a table but records of another export shape.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::file_partition::NOTHING_READ;
use super::shared_scan::SharedScan;
use crate::diagnostic::{Error, Result};
use crate::records::{AfterBlock, SourceMap, SourceUnit, UnitStart};
use crate::scan::{BatchIterator, Partition, ScanReservation};
use crate::source::column_file::ColumnFile;
use crate::source::record_rows::{self, RowWriter};
use crate::source::text::{BlockOrigin, JsonReader, RecordSelection, ScanEvents, ScanPlan};
use crate::storage::counters::ScanCount;
use crate::types::{Batch, Schema};

impl SharedScan {
    /// True if each row of the file is read as a record of text, because the file is no table of this kind.
    pub(super) fn reads_records(&self, opened: &ColumnFile) -> Result<bool> {
        match &self.plan.selection {
            RecordSelection::Table(_) => Ok(record_rows::are_other_rows(opened)),
            // The user says that its rows are rows of the table, if nothing else tells it.
            RecordSelection::BoundTable(_) | RecordSelection::AllKnownAs(_) => record_rows::holds_known_records(opened),
            RecordSelection::AnyObjects(_) | RecordSelection::NamedTable(..) => Ok(false),
        }
    }

    /// Returns the only partition of a file whose rows are read as records of text. It is read in sequence,
    /// because the positions of its records are offsets in that text.
    pub(super) fn records(self: &Arc<Self>, opened: &ColumnFile, index: usize) -> Result<Vec<Arc<dyn Partition>>> {
        let parts = record_rows::partitions(opened, &self.request)?;
        let (plan, events) = self.text_plan();
        self.unread.fetch_add(1, Ordering::AcqRel);
        let columns = opened.columns();
        Ok(vec![Arc::new(RecordPartition { scan: Arc::clone(self), index, columns, parts, plan, events })])
    }

    /// Returns the plan and the events for reading text. A scan that has only columnar files has no such plan, so
    /// it is made here.
    fn text_plan(&self) -> (Arc<ScanPlan>, Arc<ScanEvents>) {
        let plan = &self.plan;
        let ids = plan.ids.as_ref().map(|ids| &ids.sketch);
        let (selection, dates) = (plan.selection.clone(), Arc::clone(&plan.dates));
        let plan = Arc::new(ScanPlan::new(selection, &self.origins, &self.request, dates, ids, true));
        let events = Arc::new(self.events.for_plan(&plan));
        (plan, events)
    }
}

/// The partition that reads all rows of a columnar file as text.
struct RecordPartition {
    scan: Arc<SharedScan>,
    /// The index of the file in the table.
    index: usize,
    columns: Schema,
    parts: Vec<Arc<dyn Partition>>,
    plan: Arc<ScanPlan>,
    events: Arc<ScanEvents>,
}

impl fmt::Debug for RecordPartition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecordPartition").field("index", &self.index).finish_non_exhaustive()
    }
}

impl Partition for RecordPartition {
    fn read(&self) -> Result<BatchIterator<'_>> {
        let file = &self.scan.files[self.index];
        let mut reader = JsonReader::new(Arc::clone(&self.plan), Arc::clone(&self.events));
        reader.start_file(self.index, &file.name, false, None);
        self.scan.request.counters.add(ScanCount::Files, 1);
        self.scan.request.counters.add(ScanCount::Bytes, file.bytes);
        Ok(Box::new(RecordIterator {
            scan: &self.scan,
            index: self.index,
            batches: Box::new(record_rows::batches(&self.parts)),
            pieces: Vec::new().into_iter(),
            reader,
            writer: RowWriter::new(&self.columns),
            text: String::new(),
            source_map: SourceMap::new(SourceUnit::ColumnarRow),
            offset: 0,
            rows: 0,
            ended: false,
            reservation: self.scan.request.memory.reservation(),
        }))
    }
}

/// Iterator over the batches of such a partition.
struct RecordIterator<'a> {
    scan: &'a SharedScan,
    index: usize,
    batches: BatchIterator<'a>,
    /// The remaining slices of a batch; the text of each slice has a bounded length.
    pieces: std::vec::IntoIter<Batch>,
    reader: JsonReader,
    writer: RowWriter,
    /// The rows of the current slice as JSON, one a line.
    text: String,
    source_map: SourceMap,
    /// The offset of the current slice in the text of all rows.
    offset: u64,
    /// Number of rows before the current slice.
    rows: u64,
    ended: bool,
    reservation: ScanReservation,
}

impl Iterator for RecordIterator<'_> {
    type Item = Result<Batch>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(batch) = self.reader.take_ready() {
                return Some(Ok(batch));
            }
            if self.ended {
                return None;
            }
            if let Err(error) = self.step() {
                self.ended = true;
                self.reader.report_pending();
                return Some(Err(error));
            }
        }
    }
}

impl RecordIterator<'_> {
    /// Reads the records of one slice, or ends the iteration.
    fn step(&mut self) -> Result<()> {
        if self.reader.is_satisfied() {
            self.ended = true;
            self.reader.finish();
            return Ok(());
        }
        if let Some(piece) = self.pieces.next() {
            return self.read_batch(&piece);
        }
        match self.batches.next() {
            Some(batch) => {
                self.pieces = batch?.pieces(self.scan.request.memory.batch_bytes).into_iter();
                Ok(())
            }
            None => self.end(),
        }
    }

    fn read_batch(&mut self, batch: &Batch) -> Result<()> {
        let file = &self.scan.files[self.index].name;
        self.text.clear();
        let mut starts = Vec::with_capacity(batch.rows());
        for (row, number) in (0..batch.rows()).zip(self.rows + 1..) {
            starts.push(UnitStart { text: self.offset + self.text.len() as u64, number, byte: 0 });
            self.writer.write(batch, row, &mut self.text);
        }
        self.source_map.forget(self.offset);
        self.source_map.add(&mut starts);
        let origin = BlockOrigin {
            file,
            offset: self.offset,
            lines: Some(self.rows),
            places: Some(&self.source_map),
            rest: AfterBlock::Nothing,
            may_change_encoding: false,
            source: None,
        };
        self.reader.read_lines(self.text.as_bytes(), origin)?;
        if self.reader.take_stop().is_some() {
            return Err(Error::internal("a row of a columnar file is not one line of JSON"));
        }
        self.reservation.try_set(self.text.capacity() + self.reader.held_bytes(), file)?;
        self.rows += batch.rows() as u64;
        self.offset += self.text.len() as u64;
        Ok(())
    }

    fn end(&mut self) -> Result<()> {
        self.ended = true;
        let file = &self.scan.files[self.index].name;
        if !self.reader.has_read_any() && self.scan.events.report.has_lost(file) {
            self.scan.count_refused(self.index, NOTHING_READ.to_owned());
        }
        self.scan.records[self.index].fetch_add(self.reader.records_of_file(), Ordering::AcqRel);
        self.reader.finish();
        self.scan.end_partition()
    }
}
