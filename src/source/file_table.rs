//! A table over many files of any format.
//!
//! Partitions follow the order of the files. Many small files share a partition, so that thousands of them cost little
//! more than their bytes; a big file of lines is cut at line ends, so that several threads read it.

use std::fmt;
use std::io::{self, Read};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::done::PartsLeft;
use super::files::{Compression, DataFile, Format};
use super::framing::{self, Blocks, Framing, Opened, Origin, Places, Text};
use super::json::{JsonReader, Rows, ScanPlan, Whereabouts, count_lines};
use super::limits::UnpacksToMore;
use super::of_table::{self, Belonging};
use super::parquet::{FileRows, ParquetFile};
use super::provenance::Origins;
use super::{BatchIterator, Count, Limits, Partition, Predicate, Reject, ScanReport, ScanRequest, TableProvider};
use crate::diagnostic::{Error, Result};
use crate::types::{Batch, Schema};

/// Bytes of files that one partition reads; few in unit tests, so that they meet the borders of parts.
const PART_BYTES: u64 = if cfg!(test) { 64 << 10 } else { 8 << 20 };

/// The same for a part of a file on a server, where starting one takes round trips.
const REMOTE_PART_BYTES: u64 = 4 * PART_BYTES;

/// What is said of a file that ends inside of an array or object.
const CUT_OFF: &str = "the file ends inside of an array: it was cut off";

/// Files on servers that one partition asks for ahead.
const EXPECTED_FILES: usize = 8;

/// Files that one partition reads.
const PART_FILES: usize = 256;

/// The rows of a table in files.
#[derive(Debug)]
pub struct FileTable {
    name: String,
    files: Arc<[DataFile]>,
    rows: Rows,
    origins: Origins,
    limits: Limits,
    /// What there was to say when the files were listed.
    notices: Arc<[String]>,
}

impl FileTable {
    /// The table `name`, whose rows are those of `files` that `rows` names.
    #[must_use]
    pub fn new(name: impl Into<String>, files: Arc<[DataFile]>, rows: Rows, limits: Limits) -> Self {
        let origins = Origins::none(rows.schema());
        Self { name: name.into(), files, origins, rows, limits, notices: Arc::default() }
    }

    /// The same table, with this to say in every scan.
    #[must_use]
    pub fn with_notices(self, notices: Arc<[String]>) -> Self {
        Self { notices, ..self }
    }

    fn parts(&self, wants_lines: bool, report: &Arc<ScanReport>) -> Result<Vec<Part>> {
        let mut parts = Vec::new();
        let mut group: Vec<Piece> = Vec::new();
        let mut bytes = 0;
        for (index, file) in self.files.iter().enumerate() {
            if file.bytes > PART_BYTES {
                if !group.is_empty() {
                    parts.push(Part::Text(std::mem::take(&mut group)));
                    bytes = 0;
                }
                parts.extend(self.big_file(index, wants_lines, report)?);
                continue;
            }
            if !group.is_empty() && (bytes + file.bytes > PART_BYTES || group.len() == PART_FILES) {
                parts.push(Part::Text(std::mem::take(&mut group)));
                bytes = 0;
            }
            bytes += file.bytes;
            group.push(Piece::whole(index));
        }
        if !group.is_empty() {
            parts.push(Part::Text(group));
        }
        Ok(parts)
    }

    /// How a big file is read.
    fn big_file(&self, index: usize, wants_lines: bool, report: &Arc<ScanReport>) -> Result<Vec<Part>> {
        let file = &self.files[index];
        let whole = vec![Part::Text(vec![Piece::whole(index)])];
        match file.format()? {
            Format::Parquet => return Ok(vec![Part::Parquet(index)]),
            Format::Text(Compression::None) => {}
            _ => return Ok(whole),
        }
        let Opened::Text(text @ Text { plain: true, .. }) = framing::open(file, file.open()?, self.limits, report)?
        else {
            return Ok(whole);
        };
        let blocks = Blocks::start(text.input, Vec::new(), Origin::default());
        if blocks.map_err(|error| file.failed(error))?.framing() != Framing::Lines {
            return Ok(whole);
        }
        let part_bytes = if file.place.path().is_some() { PART_BYTES } else { REMOTE_PART_BYTES };
        let starts: Vec<u64> = (0..file.bytes).step_by(usize::try_from(part_bytes).unwrap_or(usize::MAX)).collect();
        let origin = |start: u64| Origin { start, end: Some(start + part_bytes).filter(|end| *end < file.bytes) };
        let lines = if wants_lines { lines_before(file, &starts)? } else { Vec::new() };
        let piece = |(part, start): (usize, &u64)| Piece {
            file: index,
            origin: origin(*start),
            lines: if part == 0 { Some(0) } else { lines.get(part).copied() },
        };
        Ok(starts.iter().enumerate().map(|part| Part::Text(vec![piece(part)])).collect())
    }
}

/// The number of newlines in front of each part of a file and the byte before it; its first line begins behind.
fn lines_before(file: &DataFile, starts: &[u64]) -> Result<Vec<u64>> {
    let mut input = file.open()?;
    let mut lines = 0;
    let mut at = 0;
    let mut counts = Vec::new();
    for start in starts {
        let end = start.saturating_sub(1);
        lines += newlines(&mut input.by_ref().take(end - at)).map_err(|error| file.failed(error))?;
        at = end;
        counts.push(lines);
    }
    Ok(counts)
}

fn newlines(input: &mut dyn Read) -> io::Result<u64> {
    let mut buffer = vec![0; 1 << 18];
    let mut lines = 0;
    loop {
        match input.read(&mut buffer)? {
            0 => return Ok(lines),
            read => lines += count_lines(&buffer[..read]),
        }
    }
}

enum Part {
    /// Files one after the other, or a part of one.
    Text(Vec<Piece>),
    /// A big Parquet file.
    Parquet(usize),
}

/// A file or a part of it.
#[derive(Clone, Copy, Debug)]
struct Piece {
    file: usize,
    origin: Origin,
    /// Newlines of the file in front of it and the byte before it, where they are known.
    lines: Option<u64>,
}

impl Piece {
    fn whole(file: usize) -> Self {
        Self { file, origin: Origin::default(), lines: Some(0) }
    }
}

impl TableProvider for FileTable {
    fn schema(&self) -> &Schema {
        &self.origins.schema
    }

    fn scan(&self, request: &ScanRequest) -> Result<Vec<Arc<dyn Partition>>> {
        let plan = Arc::new(ScanPlan::new(self.rows.clone(), &self.origins, request));
        let parts = self.parts(plan.wants_lines, &request.report)?;
        self.notices.iter().for_each(|notice| request.report.notice(notice.clone()));
        let scan = Arc::new(Scan {
            name: self.name.clone(),
            files: Arc::clone(&self.files),
            origins: self.origins.clone(),
            limits: self.limits,
            unread: AtomicUsize::new(parts.iter().filter(|part| matches!(part, Part::Text(_))).count()),
            records: self.files.iter().map(|_| AtomicU64::new(0)).collect(),
            foreign: AtomicUsize::new(0),
            refused: AtomicUsize::new(0),
            first_refused: Mutex::new(None),
            left: Arc::new(PartsLeft::new(&self.files, &request.counters)),
            plan,
            request: request.clone(),
        });
        let mut partitions: Vec<Arc<dyn Partition>> = Vec::new();
        for part in parts {
            match part {
                Part::Text(pieces) => {
                    pieces.iter().for_each(|piece| scan.left.expect(piece.file));
                    partitions.push(Arc::new(FilePartition { scan: Arc::clone(&scan), pieces }));
                }
                Part::Parquet(index) => {
                    scan.foreign.fetch_add(1, Ordering::Relaxed);
                    partitions.extend(scan.left.watch(index, self.files[index].bytes, scan.parquet(index)?));
                }
            }
        }
        if scan.unread.load(Ordering::Acquire) == 0 && scan.foreign.load(Ordering::Acquire) > 0 {
            scan.say_absent();
        }
        Ok(partitions)
    }

    fn describe(&self) -> String {
        let (files, bytes) = self.extent();
        format!("{files} files ({bytes} bytes)")
    }

    fn extent(&self) -> (u64, u64) {
        let bytes = self.files.iter().map(|file| file.bytes).fold(0, u64::saturating_add);
        (self.files.len() as u64, bytes)
    }

    fn reads_columns_apart(&self) -> bool {
        self.files.iter().all(|file| matches!(file.format(), Ok(Format::Parquet)))
    }

    fn left_out(&self, prune: &[Predicate]) -> Option<String> {
        let mut columns: Vec<&str> = Vec::new();
        let mut count = 0;
        for (index, file) in self.files.iter().enumerate().filter(|_| !prune.is_empty()) {
            // What is wrong with a file, the scan will say.
            let Ok(Format::Parquet) = file.format() else { continue };
            let Ok(opened) = ParquetFile::of(file) else { continue };
            let rows = FileRows { origins: self.origins.clone(), index };
            let Some(by) = opened.ruled_out_by(&rows, prune) else { continue };
            count += 1;
            let names = by.iter().flat_map(|&at| prune[at].columns()).map(|at| self.schema().field(at).name.as_str());
            columns.extend(names);
        }
        columns.sort_unstable();
        columns.dedup();
        let files = self.files.len();
        (count > 0).then(|| format!("{count} of {files} files left out: {}", columns.join(", ")))
    }

    fn with_provenance(&self) -> Option<Arc<dyn TableProvider>> {
        let origins = Origins::all(self.rows.schema());
        Some(Arc::new(Self {
            name: self.name.clone(),
            files: Arc::clone(&self.files),
            rows: self.rows.clone(),
            origins,
            limits: self.limits,
            notices: Arc::clone(&self.notices),
        }))
    }
}

/// What the partitions of one scan share.
#[derive(Debug)]
struct Scan {
    name: String,
    files: Arc<[DataFile]>,
    origins: Origins,
    limits: Limits,
    plan: Arc<ScanPlan>,
    request: ScanRequest,
    /// Partitions that have not been read to their end.
    unread: AtomicUsize,
    /// By file, the records in the parts that were read to their end.
    records: Vec<AtomicU64>,
    /// Files whose rows are not told apart by table.
    foreign: AtomicUsize,
    /// Files that are no exports, and the first of them with the reason.
    refused: AtomicUsize,
    first_refused: Mutex<Option<(usize, &'static str)>>,
    /// Parts of files that are not done with.
    left: Arc<PartsLeft>,
}

impl Scan {
    fn parquet(&self, index: usize) -> Result<Vec<Arc<dyn Partition>>> {
        let file = &self.files[index];
        let rows = FileRows { origins: self.origins.clone(), index };
        let opened = ParquetFile::of(file)?;
        if let Rows::Named(name, _) = &self.plan.rows {
            self.request.counters.add(Count::FilesForeign, 1);
            self.plan.say_once(format!("Parquet files are not searched for records of {name}: bind them to a name"));
            return Ok(Vec::new());
        }
        let Some((table, bound)) = self.plan.rows.one_table() else {
            return opened.partitions_of(&rows, &self.request);
        };
        let belonging = of_table::belonging(&opened, table, bound);
        for name in of_table::meet(&opened, table, belonging, &self.request.report) {
            self.plan.note_table(name);
        }
        if belonging != Belonging::None {
            self.plan.say_missing(&opened.columns());
        }
        match belonging {
            Belonging::Archived => opened.partitions_of(&rows, &self.request),
            Belonging::ByType => opened.partitions_of(&rows, &of_table::only_of(table, &self.request)),
            Belonging::All => {
                let text = format!("Parquet files that do not name their table are read as {}", table.name);
                self.plan.say_once(text);
                opened.partitions_of(&rows, &self.request)
            }
            Belonging::None => {
                self.request.counters.add(Count::FilesForeign, 1);
                Ok(Vec::new())
            }
        }
    }

    /// A partition was read to its end: behind the last one it is known whether the files hold the table at all.
    fn end_partition(&self) -> Result<()> {
        if self.unread.fetch_sub(1, Ordering::AcqRel) != 1 {
            return Ok(());
        }
        self.say_limits();
        if self.foreign.load(Ordering::Acquire) > 0 {
            self.say_absent();
            return Ok(());
        }
        if let Some((file, reason)) = *self.first_refused.lock().unwrap_or_else(PoisonError::into_inner)
            && self.refused.load(Ordering::Acquire) == self.files.len()
        {
            let count = self.files.len();
            let reason = format!("{reason}: none of the {count} files can be read");
            return Err(Error::Data { file: self.files[file].name.clone(), place: None, reason });
        }
        let (seen, strange) = (self.plan.seen(), self.plan.strange());
        if self.plan.rows.one_table().is_some() && seen.is_empty() && !strange.is_empty() {
            let file = match &*self.files {
                [file] => file.name.clone(),
                files => format!("{} files", files.len()),
            };
            let reason = format!("nothing in it can be read yet, only {}", strange.join("; "));
            return Err(Error::Data { file, place: None, reason });
        }
        self.say_absent();
        Ok(())
    }

    /// Says that no file holds records of the table, where that is so: no rows are no evidence then.
    fn say_absent(&self) {
        let Some((table, _)) = self.plan.rows.one_table() else { return };
        let seen = self.plan.seen();
        if seen.iter().any(|name| name == table.name) {
            return;
        }
        let found = if seen.is_empty() { "no known table".to_owned() } else { seen.join(", ") };
        let files = self.files.len();
        let report = &self.plan.report;
        report.notice(format!("no record of {} in {files} files, which hold records of: {found}", self.name));
    }

    /// Says which files have just as many records as a service gives at most.
    fn say_limits(&self) {
        for (file, records) in self.files.iter().zip(&self.records) {
            if let Some(note) = framing::limit_reached(records.load(Ordering::Acquire)) {
                self.plan.report.warn(format!("{}: {note}", file.name));
            }
        }
    }

    /// Counts a file that is not read.
    fn refuse(&self, file: usize, reason: &'static str) {
        self.refused.fetch_add(1, Ordering::AcqRel);
        let mut first = self.first_refused.lock().unwrap_or_else(PoisonError::into_inner);
        if first.is_none_or(|(earlier, _)| file < earlier) {
            *first = Some((file, reason));
        }
        let file = self.files[file].name.as_str();
        self.plan.report.notice(format!("not read: {file}: {reason}"));
        self.plan.report.reject(&Reject { file, place: None, reason, raw: None });
    }
}

/// Some files, read one after the other.
struct FilePartition {
    scan: Arc<Scan>,
    pieces: Vec<Piece>,
}

impl fmt::Debug for FilePartition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FilePartition").field("pieces", &self.pieces).finish_non_exhaustive()
    }
}

impl Partition for FilePartition {
    fn read(&self) -> Result<BatchIterator<'_>> {
        Ok(Box::new(FileIterator {
            scan: &self.scan,
            pieces: self.pieces.iter(),
            reader: JsonReader::new(Arc::clone(&self.scan.plan)),
            open: None,
            buffer: Vec::new(),
            started: 0,
            at: None,
            batches: Vec::new().into_iter(),
            ended: false,
        }))
    }
}

/// Reads the files of a partition.
struct FileIterator<'a> {
    scan: &'a Scan,
    pieces: std::slice::Iter<'a, Piece>,
    reader: JsonReader,
    open: Option<OpenFile<'a>>,
    buffer: Vec<u8>,
    /// Files that were started.
    started: usize,
    /// The file at hand.
    at: Option<usize>,
    /// Batches of a small Parquet file.
    batches: std::vec::IntoIter<Batch>,
    ended: bool,
}

/// A text file that is being read.
struct OpenFile<'a> {
    file: &'a DataFile,
    blocks: Blocks,
    lines: Option<u64>,
    places: Option<Arc<Places>>,
    /// Its records in the parts that are done.
    records: &'a AtomicU64,
}

impl Iterator for FileIterator<'_> {
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
                return Some(Err(error));
            }
        }
    }
}

impl FileIterator<'_> {
    /// Reads a block, or opens the next file, or ends.
    fn step(&mut self) -> Result<()> {
        if self.reader.is_satisfied() {
            self.ended = true;
            self.reader.finish();
            return Ok(());
        }
        if let Some(mut open) = self.open.take() {
            if open.step(&mut self.reader, &self.scan.plan)? {
                self.open = Some(open);
            } else {
                self.buffer = open.blocks.into_buffer();
            }
            return Ok(());
        }
        if let Some(file) = self.at.take() {
            self.scan.left.end(file);
        }
        let piece = self.pieces.next();
        self.at = piece.map(|piece| piece.file);
        match piece {
            Some(piece) => match self.scan.files[piece.file].refused() {
                Some(reason) => {
                    self.scan.refuse(piece.file, reason);
                    Ok(())
                }
                None => self.start(*piece),
            },
            None => {
                self.ended = true;
                self.reader.finish();
                self.scan.end_partition()
            }
        }
    }

    fn start(&mut self, piece: Piece) -> Result<()> {
        let scan = self.scan;
        // The more files were read, the more are asked for ahead: a few rows may be all that is wanted.
        for next in self.pieces.as_slice().iter().take(self.started.min(EXPECTED_FILES)) {
            scan.files[next.file].place.expect();
        }
        self.started += 1;
        let file = &scan.files[piece.file];
        let (report, counters) = (&scan.plan.report, &scan.request.counters);
        let opened = match piece.origin {
            Origin { start: 0, end: None } => {
                framing::open(file, file.open_at((0, None), Some(counters))?, scan.limits, report)?
            }
            // Only plain text is read in parts.
            origin => Opened::Text(framing::open_at(file, (origin.offset(), origin.end), counters)?),
        };
        let text = match opened {
            Opened::Text(text) => text,
            Opened::Parquet => return self.read_parquet(piece.file),
            Opened::Refused(reason) => {
                scan.refuse(piece.file, reason);
                return Ok(());
            }
        };
        let buffer = std::mem::take(&mut self.buffer);
        let blocks = Blocks::start(text.input, buffer, piece.origin).map_err(|error| file.failed(error))?;
        counters.add(Count::Files, (piece.origin.start == 0).into());
        match blocks.framing() {
            Framing::Lines | Framing::Values => {
                self.reader.start_file(piece.file, &file.name, text.cells);
                let lines = piece.lines.filter(|_| text.layers.container.is_none());
                let lines = lines.map(|lines| lines + blocks.passed_lines());
                let records = &scan.records[piece.file];
                self.open = Some(OpenFile { records, file, blocks, lines, places: text.places });
            }
            Framing::Empty if blocks.damage().is_none() => report.notice(format!("empty: {}", file.name)),
            Framing::Empty => report_damage(file, &blocks, report)?,
            Framing::Foreign(reason) => scan.refuse(piece.file, reason),
        }
        Ok(())
    }

    fn read_parquet(&mut self, file: usize) -> Result<()> {
        let (counters, bytes) = (&self.scan.request.counters, self.scan.files[file].bytes);
        // What was looked at to tell the format does not count: it is read again, as far as it is wanted.
        let looked_at = bytes.min(framing::HEAD_BYTES as u64);
        counters.take_back(Count::Bytes, looked_at);
        counters.add(Count::BytesDone, bytes - looked_at);
        self.scan.foreign.fetch_add(1, Ordering::Relaxed);
        self.reader.finish();
        let mut batches: Vec<Batch> = std::iter::from_fn(|| self.reader.take_ready()).collect();
        for partition in self.scan.parquet(file)? {
            for batch in partition.read()? {
                batches.push(batch?);
            }
        }
        self.batches = batches.into_iter();
        Ok(())
    }
}

impl OpenFile<'_> {
    /// Decodes the next block; false at the end of the file.
    fn step(&mut self, reader: &mut JsonReader, plan: &ScanPlan) -> Result<bool> {
        let framing = self.blocks.framing();
        let file = self.file;
        match self.blocks.next().map_err(|error| file.failed(error))? {
            framing::Next::Block(block) => {
                let places = self.places.as_deref();
                places.into_iter().for_each(|places| places.forget(block.offset));
                let (offset, rest) = (block.offset, block.rest);
                let at = Whereabouts { file: &file.name, offset, lines: self.lines, places, rest };
                let mut back = None;
                match block.spans {
                    Some(spans) => {
                        let lines = self.lines.filter(|_| plan.wants_lines);
                        reader.read_values(block.bytes, spans, Whereabouts { lines, ..at })?;
                        let done = block.bytes.get(..block.done).unwrap_or(block.bytes);
                        self.lines = lines.map(|lines| lines + count_lines(done));
                    }
                    None => {
                        let lines = reader.read_lines(block.bytes, at)?;
                        let stop = reader.take_stop();
                        let lines = stop.map_or(lines, |stop| count_lines(&block.bytes[..stop.at]));
                        self.lines = self.lines.map(|before| before + lines);
                        back = stop.map(|stop| (block.offset + stop.at as u64, stop.endless));
                    }
                }
                if let Some((offset, endless)) = back {
                    self.blocks.go_back(offset, endless);
                }
                let notes = self.blocks.take_notes();
                notes.into_iter().for_each(|note| plan.report.notice(format!("{}: {note}", file.name)));
                match self.blocks.refusal() {
                    Some(reason) => {
                        Err(Error::Data { file: file.name.clone(), place: None, reason: reason.to_owned() })
                    }
                    None => Ok(true),
                }
            }
            framing::Next::TooLong(offset) => {
                let rest = if framing == Framing::Lines { "" } else { ", and so is the rest of the file" };
                self.lines = None;
                let megabytes = framing::MAX_RECORD_BYTES >> 20;
                let reason = format!("a record longer than {megabytes} MiB is not read{rest}");
                plan.report.lost(&file.name, format!("byte {offset}"), reason);
                Ok(true)
            }
            framing::Next::End => {
                report_damage(file, &self.blocks, &plan.report)?;
                self.records.fetch_add(reader.records_of_file(), Ordering::AcqRel);
                Ok(false)
            }
        }
    }
}

/// Counts the end of a file that cannot be unpacked, or is missing; an error where it unpacks to more than is allowed, or
/// its server is to blame.
fn report_damage(file: &DataFile, blocks: &Blocks, report: &ScanReport) -> Result<()> {
    file.check_place()?;
    if let Some((offset, error)) = blocks.damage() {
        if let Some(reason) = UnpacksToMore::of(error) {
            return Err(reason.error(&file.name));
        }
        report.lost(&file.name, format!("byte {offset} of the unpacked text"), format!("cannot be unpacked: {error}"));
    }
    for offset in blocks.unclosed() {
        report.lost(&file.name, format!("byte {offset}"), CUT_OFF);
    }
    Ok(())
}
