//! Reads the files of a partition into batches.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::partitioning::FileSlice;
use super::shared_scan::{SharedScan, is_called_document};
use super::written_files::is_written;
use crate::diagnostic::{Error, Result};
use crate::records;
use crate::records::{BlockReader, FileRange, FileReport, Framing, HeldBytes, Opened, SourceMap};
use crate::scan::{BatchIterator, Note, Partition, ScanReport, ScanReservation};
use crate::source::text::{BlockOrigin, JsonReader, count_lines};
use crate::storage::counters::ScanCount;
use crate::storage::files::DataFile;
use crate::storage::limits::DecompressionLimit;
use crate::types::{Batch, SharedMemory};

/// The reason why a file that ends inside an array or object is damaged.
const CUT_OFF: &str = "the file ends inside an array: it was cut off";

/// The reason why a file is damaged none of whose records can be read.
pub(super) const NOTHING_READ: &str = "none of its records can be read";

/// Maximum number of remote files that a partition prefetches.
const EXPECTED_FILES: usize = 8;

/// Files that are read in sequence.
pub(super) struct FilePartition {
    pub scan: Arc<SharedScan>,
    pub slices: Vec<FileSlice>,
}

impl fmt::Debug for FilePartition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FilePartition").field("slices", &self.slices).finish_non_exhaustive()
    }
}

impl Partition for FilePartition {
    fn read(&self) -> Result<BatchIterator<'_>> {
        Ok(Box::new(PartitionIterator {
            scan: &self.scan,
            slices: self.slices.iter(),
            reader: JsonReader::new(Arc::clone(&self.scan.plan), Arc::clone(&self.scan.events)),
            open: None,
            buffer: Vec::new(),
            started: 0,
            at: None,
            batches: Vec::new().into_iter(),
            ended: false,
            reservation: self.scan.request.memory.reservation(),
        }))
    }
}

/// Iterator over the batches of the files of a partition.
struct PartitionIterator<'a> {
    scan: &'a Arc<SharedScan>,
    slices: std::slice::Iter<'a, FileSlice>,
    reader: JsonReader,
    open: Option<OpenTextFile<'a>>,
    buffer: Vec<u8>,
    /// Number of files that were opened.
    started: usize,
    /// The index of the current file in the table.
    at: Option<usize>,
    /// The remaining batches of a small columnar file.
    batches: std::vec::IntoIter<Batch>,
    ended: bool,
    reservation: ScanReservation,
}

/// An open text file.
struct OpenTextFile<'a> {
    file: &'a DataFile,
    blocks: BlockReader,
    lines: Option<u64>,
    places: Option<Arc<SourceMap>>,
    /// The memory of the readers that convert the text.
    converters: Vec<HeldBytes>,
    /// The bytes that the thread may use for one block.
    max_bytes: usize,
    /// The number of records of this file, in all of its parts that were read completely.
    records: &'a AtomicU64,
}

impl Iterator for PartitionIterator<'_> {
    type Item = Result<Batch>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(batch) = self.reader.take_ready() {
                return Some(Ok(batch));
            }
            if let Some(batch) = self.batches.next() {
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

impl PartitionIterator<'_> {
    /// Reads one block of the current file, opens the next file, or ends the iteration.
    fn step(&mut self) -> Result<()> {
        if self.reader.is_satisfied() {
            self.ended = true;
            self.reader.finish();
            return Ok(());
        }
        if let Some(mut open) = self.open.take() {
            match open.step(&mut self.reader, self.scan) {
                Ok(true) => {
                    let held = open.held_bytes() + self.reader.held_bytes();
                    self.reservation.try_set(held, &open.file.name)?;
                    // Not what a long record needs, and bounded.
                    self.reservation.set(held + open.file.location.prefetched_bytes(EXPECTED_FILES));
                    self.open = Some(open);
                }
                Ok(false) => {
                    let index = self.at.filter(|_| open.blocks.is_of_whole_file() && !self.reader.has_read_any());
                    if let Some(index) = index.filter(|_| self.scan.events.report.has_lost(&open.file.name)) {
                        self.scan.count_refused(index, NOTHING_READ.to_owned());
                    }
                    self.buffer = open.blocks.into_buffer();
                }
                Err(error) => return self.at.map_or(Ok(()), |file| self.scan.pass_unreadable(file, error)),
            }
            return Ok(());
        }
        if let Some(file) = self.at.take() {
            self.scan.left.end(file);
        }
        let slice = self.slices.next();
        self.at = slice.map(|slice| slice.file);
        match slice {
            Some(slice) => match self.scan.files[slice.file].refused() {
                Some(reason) => {
                    self.scan.refuse(slice.file, reason);
                    Ok(())
                }
                None => self.start(*slice).or_else(|error| self.scan.pass_unreadable(slice.file, error)),
            },
            None => {
                self.ended = true;
                self.reader.finish();
                self.scan.end_partition()
            }
        }
    }

    fn start(&mut self, slice: FileSlice) -> Result<()> {
        let scan = self.scan;
        // Prefetch grows with the number of files read: the query may need only a few rows.
        for next in self.slices.as_slice().iter().take(self.started.min(EXPECTED_FILES)) {
            scan.files[next.file].location.prefetch();
        }
        self.started += 1;
        let file = &scan.files[slice.file];
        let (report, counters) = (&scan.events.report, &scan.request.counters);
        let buffer = std::mem::take(&mut self.buffer);
        let opened = match slice.origin {
            FileRange { start: 0, end: None } => {
                records::open(file, file.open_at(0, None, Some(counters))?, buffer, scan.limits, report)?
            }
            // Only uncompressed text is read in parts.
            origin => Opened::Text(records::open_at(file, origin, buffer, counters)?),
        };
        let text = match opened {
            Opened::Text(text) => text,
            Opened::Columns => return self.read_columns(slice.file),
            Opened::Refused(reason) => {
                scan.refuse(slice.file, reason);
                return Ok(());
            }
        };
        if file.found_in().is_some() && is_written(&text) {
            scan.leave_out(slice.file);
            return Ok(());
        }
        if is_called_document(file) && records::is_bracketed_text(text.input.head()) {
            scan.refuse(slice.file, records::NO_RECORDS);
            return Ok(());
        }
        let file_report = FileReport::new(&file.name, Arc::clone(report));
        let blocks = BlockReader::start(text.input, slice.origin, scan.limits, file_report)
            .map_err(|error| file.failed(error))?;
        // The decoded columns of a long record take as much again.
        let blocks = blocks.limited_to(scan.request.memory.max_bytes / 2);
        counters.add(ScanCount::Files, (slice.origin.start == 0).into());
        match blocks.framing() {
            Framing::Lines | Framing::Values => {
                self.reader.start_file(slice.file, &file.name, text.all_strings, text.header);
                let lines = slice.lines.filter(|_| text.layers.container.is_none());
                let lines = lines.map(|lines| lines + blocks.lines_before());
                let records = &scan.records[slice.file];
                let (max_bytes, places, converters) = (scan.request.memory.max_bytes, text.source_map, text.held);
                self.open = Some(OpenTextFile { file, blocks, lines, places, converters, max_bytes, records });
            }
            Framing::Empty => self.end_empty(slice.file, &blocks)?,
            Framing::Foreign(reason) => scan.refuse(slice.file, reason),
        }
        Ok(())
    }

    /// Reports a file without text: it is empty, or nothing in it can be decompressed.
    fn end_empty(&self, index: usize, blocks: &BlockReader) -> Result<()> {
        let (file, report) = (&self.scan.files[index], &self.scan.events.report);
        file.check_remote()?;
        match blocks.damage().map(|(_, error)| error) {
            Some(error) => match DecompressionLimit::of(error) {
                Some(reason) => return Err(reason.error(&file.name)),
                None => self.scan.broken(
                    index,
                    "byte 0 of the decompressed text",
                    format!("cannot be decompressed: {error}"),
                ),
            },
            None if report.has_lost(&file.name) => self.scan.count_refused(index, NOTHING_READ.to_owned()),
            None if !report.is_damaged(&file.name) => report.note_once(Note::EmptyFile(file.name.clone())),
            None => {}
        }
        Ok(())
    }

    fn read_columns(&mut self, file: usize) -> Result<()> {
        let (counters, bytes) = (&self.scan.request.counters, self.scan.files[file].bytes);
        // The bytes that were read to detect the format are not counted: they are read again if needed.
        let looked_at = bytes.min(records::HEAD_BYTES as u64);
        counters.take_back(ScanCount::Bytes, looked_at);
        counters.add(ScanCount::BytesDone, bytes - looked_at);
        self.reader.finish();
        let mut batches: Vec<Batch> = std::iter::from_fn(|| self.reader.take_ready()).collect();
        let (mut memory, mut held) = (SharedMemory::default(), 0_usize);
        for partition in self.scan.columns(file)? {
            for batch in partition.read()? {
                let batch = batch?;
                held = held.saturating_add(memory.add(&batch));
                self.reservation.try_set(held, &self.scan.files[file].name)?;
                batches.push(batch);
            }
        }
        self.batches = batches.into_iter();
        Ok(())
    }
}

impl OpenTextFile<'_> {
    /// Decodes the next block into rows; returns false at the end of the file.
    fn step(&mut self, reader: &mut JsonReader, scan: &SharedScan) -> Result<bool> {
        let plan = &*scan.plan;
        let framing = self.blocks.framing();
        let may_change_encoding = framing == Framing::Lines;
        let file = self.file;
        match self.blocks.next().map_err(|error| file.failed(error))? {
            records::NextBlock::Block(block) => {
                let places = self.places.as_deref();
                places.into_iter().for_each(|places| places.forget(block.offset));
                let (offset, rest) = (block.offset, block.rest);
                let start = offset;
                let lines = self.lines;
                let at =
                    BlockOrigin { file: &file.name, offset, lines, places, rest, source: None, may_change_encoding };
                let mut back = None;
                match block.spans {
                    Some(spans) => {
                        let lines = self.lines.filter(|_| plan.wants_lines);
                        reader.read_values(block.bytes, spans, BlockOrigin { lines, ..at })?;
                        let done = block.bytes.get(..block.consumed).unwrap_or(block.bytes);
                        self.lines = lines.map(|lines| lines + count_lines(done));
                    }
                    None => {
                        let lines = reader.read_lines(block.bytes, at)?;
                        let stop = reader.take_stop();
                        let lines = stop.map_or(lines, |stop| count_lines(&block.bytes[..stop.at]));
                        self.lines = self.lines.map(|before| before + lines);
                        back = stop.map(|stop| (block.offset + stop.at as u64, stop.why));
                    }
                }
                if let Some((offset, why)) = back {
                    self.blocks.go_back(offset, why);
                }
                self.report_lost(&scan.events.report);
                let notes = self.blocks.take_notes();
                notes.iter().for_each(|note| scan.events.note(note, &file.name, start));
                match self.blocks.refusal() {
                    Some(reason) => {
                        Err(Error::Data { file: file.name.clone(), place: None, reason: reason.to_owned() })
                    }
                    None => Ok(true),
                }
            }
            records::NextBlock::ExceedsMemory(offset) => Err(self.exceeds_memory(offset)),
            records::NextBlock::TooLong(offset) => {
                let rest = if framing == Framing::Lines { "" } else { ", nor is the rest of the file" };
                self.lines = None;
                let megabytes = scan.limits.max_record_bytes >> 20;
                let reason = format!("a record longer than {megabytes} MiB is not read{rest}");
                scan.events.report.lost(&file.name, format!("byte {offset}"), reason);
                Ok(true)
            }
            records::NextBlock::End => {
                self.report_lost(&scan.events.report);
                report_damage(file, &self.blocks, &scan.events.report)?;
                self.records.fetch_add(reader.records_of_file(), Ordering::AcqRel);
                Ok(false)
            }
        }
    }
}

impl OpenTextFile<'_> {
    /// Returns the number of bytes of text in memory.
    fn held_bytes(&self) -> usize {
        self.blocks.held_bytes() + self.converters.iter().map(HeldBytes::get).sum::<usize>()
    }

    /// Returns the error for the record at `offset`, which needs more memory than its thread may use.
    fn exceeds_memory(&self, offset: u64) -> Error {
        let (name, allowed) = (&self.file.name, self.max_bytes >> 20);
        Error::Limit(format!(
            "{name}: the record at byte {offset} needs more memory than the {allowed} MiB that --max-memory leaves to each \
             thread: raise it, or use fewer threads"
        ))
    }

    /// Reports each skipped range between records as one lost record: how many records it held is unknown.
    fn report_lost(&mut self, report: &ScanReport) {
        for gap in self.blocks.take_skipped() {
            let place = self.places.as_deref().and_then(|places| places.describe(gap.offset));
            let place = place.unwrap_or_else(|| format!("byte {}", gap.offset));
            report.lost_record(&self.file.name, &place, &gap.reason(), Some(&gap.raw));
        }
    }
}

/// Reports the end of a file if it is missing or cannot be decompressed. Returns an error if the file exceeds the
/// limit for decompressed bytes, or if its server failed.
fn report_damage(file: &DataFile, blocks: &BlockReader, report: &ScanReport) -> Result<()> {
    file.check_remote()?;
    if let Some((offset, error)) = blocks.damage() {
        if let Some(reason) = DecompressionLimit::of(error) {
            return Err(reason.error(&file.name));
        }
        report.lost(
            &file.name,
            format!("byte {offset} of the decompressed text"),
            format!(
                "cannot be decompressed: {error}; what was read before is unverified, and the rest of the file is \
                 not read"
            ),
        );
    }
    for offset in blocks.unclosed() {
        report.lost(&file.name, format!("byte {offset}"), CUT_OFF);
    }
    Ok(())
}
