//! Divides the files of a table into partitions: each reads many small files, or a part of a large one.

use std::io::{self, Read};
use std::sync::Arc;

use super::FileTable;
use super::written_files::is_written;
use crate::diagnostic::{Error, Result};
use crate::records;
use crate::records::{BlockReader, FileRange, FileReport, Framing, Opened, OpenedText};
use crate::scan::{ScanReport, ScanRequest};
use crate::source::text::count_lines;
use crate::storage::files::{Compression, DataFile, FileFormat};

/// A partition of a remote file has this many times the bytes of a local one, because starting to read takes round
/// trips.
const REMOTE_FACTOR: u64 = 4;

/// Maximum number of files per partition.
const MAX_PARTITION_FILES: usize = 256;

/// The input of one partition.
pub(super) enum PlannedPartition {
    /// Files that are read in sequence, or a part of one file.
    Text(Vec<FileSlice>),
    /// A large columnar file, by its index in the table.
    Columns(usize),
}

/// A file or a byte range of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct FileSlice {
    pub file: usize,
    pub origin: FileRange,
    /// Number of newlines before the byte that precedes the slice; None if they were not counted.
    pub lines: Option<u64>,
}

impl FileSlice {
    /// Returns the slice that is the whole file.
    pub(super) fn whole(file: usize) -> Self {
        Self { file, origin: FileRange::default(), lines: Some(0) }
    }
}

impl FileTable {
    /// Divides the files into partitions. With `wants_places`, lines are counted, so that the position of each
    /// record is known.
    pub(super) fn parts(&self, wants_places: bool, request: &ScanRequest) -> Result<Vec<PlannedPartition>> {
        let most = request.sizes.text_bytes;
        let mut parts = Vec::new();
        let mut group: Vec<FileSlice> = Vec::new();
        let mut bytes = 0;
        for (index, file) in self.files.iter().enumerate() {
            if file.bytes > most {
                if !group.is_empty() {
                    parts.push(PlannedPartition::Text(std::mem::take(&mut group)));
                    bytes = 0;
                }
                parts.extend(self.big_file(index, wants_places, request)?);
                continue;
            }
            if !group.is_empty() && (bytes + file.bytes > most || group.len() == MAX_PARTITION_FILES) {
                parts.push(PlannedPartition::Text(std::mem::take(&mut group)));
                bytes = 0;
            }
            bytes += file.bytes;
            group.push(FileSlice::whole(index));
        }
        if !group.is_empty() {
            parts.push(PlannedPartition::Text(group));
        }
        Ok(parts)
    }

    /// Divides a large file into parts if its format allows that; otherwise it is one partition.
    fn big_file(&self, index: usize, wants_places: bool, request: &ScanRequest) -> Result<Vec<PlannedPartition>> {
        let file = &self.files[index];
        // The scan opens the file again, and reports what it finds.
        let unused_report: Arc<ScanReport> = Arc::default();
        let whole = vec![PlannedPartition::Text(vec![FileSlice::whole(index)])];
        let format = match file.format() {
            // The scan reports this as damage.
            Err(Error::Io { .. }) if file.local_path().is_some() => return Ok(whole),
            format => format?,
        };
        match format {
            FileFormat::Parquet | FileFormat::Arrow => return Ok(vec![PlannedPartition::Columns(index)]),
            FileFormat::Text(Compression::None) => {}
            _ => return Ok(whole),
        }
        let Opened::Text(text @ OpenedText { plain: true, .. }) =
            records::open(file, file.open()?, Vec::new(), self.limits, &unused_report)?
        else {
            return Ok(whole);
        };
        // Only the first part of the file would show that it is left out.
        if file.found_in().is_some() && is_written(&text) {
            return Ok(whole);
        }
        let report = FileReport::new(&file.name, unused_report);
        let blocks = BlockReader::start(text.input, FileRange::default(), self.limits, report);
        if blocks.map_err(|error| file.failed(error))?.framing() != Framing::Lines {
            return Ok(whole);
        }
        let factor = if file.location.remote().is_none() { 1 } else { REMOTE_FACTOR };
        let part_bytes = request.sizes.text_bytes.saturating_mul(factor);
        let starts: Vec<u64> = (0..file.bytes).step_by(usize::try_from(part_bytes).unwrap_or(usize::MAX)).collect();
        let origin = |start: u64| FileRange { start, end: Some(start + part_bytes).filter(|end| *end < file.bytes) };
        let lines = match wants_places.then(|| lines_before(file, &starts)).transpose()? {
            // Positions are those in the text after conversion to UTF-8, which needs all text before them.
            Some(None) => return Ok(whole),
            Some(Some(lines)) => lines,
            None => Vec::new(),
        };
        let slice = |(part, start): (usize, &u64)| FileSlice {
            file: index,
            origin: origin(*start),
            lines: if part == 0 { Some(0) } else { lines.get(part).copied() },
        };
        Ok(starts.iter().enumerate().map(|part| PlannedPartition::Text(vec![slice(part)])).collect())
    }
}

/// Returns the number of newlines before the byte that precedes each of `starts`. The first line of a part begins
/// after the first newline at or after that byte. Returns None if there is a NUL byte before the last start: then
/// the text may be UTF-16.
fn lines_before(file: &DataFile, starts: &[u64]) -> Result<Option<Vec<u64>>> {
    let mut input = file.open()?;
    let mut lines = 0;
    let mut at = 0;
    let mut counts = Vec::new();
    for start in starts {
        let end = start.saturating_sub(1);
        let Some(newlines) = newlines(&mut input.by_ref().take(end - at)).map_err(|error| file.failed(error))? else {
            return Ok(None);
        };
        lines += newlines;
        at = end;
        counts.push(lines);
    }
    Ok(Some(counts))
}

/// Returns the number of newlines in `input`; None if it has NUL bytes.
fn newlines(input: &mut dyn Read) -> io::Result<Option<u64>> {
    let mut buffer = vec![0; 1 << 18];
    let mut lines = 0;
    loop {
        match input.read(&mut buffer)? {
            0 => return Ok(Some(lines)),
            read if memchr::memchr(0, &buffer[..read]).is_some() => return Ok(None),
            read => lines += count_lines(&buffer[..read]),
        }
    }
}
