//! Files -> what each partition reads: many small files, or a part of a big one.

use std::io::{self, Read};
use std::sync::Arc;

use super::FileTable;
use crate::diagnostic::{Error, Result};
use crate::records;
use crate::records::{BlockReader, FileRange, FileReport, Framing, Opened, OpenedText};
use crate::scan::ScanRequest;
use crate::source::text::count_lines;
use crate::storage::files::{Compression, DataFile, FileFormat};

/// Times the bytes of a local partition that a partition of a file on a server has: starting one takes round trips.
const REMOTE_FACTOR: u64 = 4;

/// Files that one partition reads.
const PART_FILES: usize = 256;

/// What one partition reads.
pub(super) enum Part {
    /// Files one after the other, or a part of one.
    Text(Vec<Piece>),
    /// A big file of columns.
    Columns(usize),
}

/// A file or a part of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Piece {
    pub file: usize,
    pub origin: FileRange,
    /// Newlines of the file in front of it and the byte before it, where they are known.
    pub lines: Option<u64>,
}

impl Piece {
    /// All of a file.
    pub(super) fn whole(file: usize) -> Self {
        Self { file, origin: FileRange::default(), lines: Some(0) }
    }
}

impl FileTable {
    /// How the files are cut.
    pub(super) fn parts(&self, wants_lines: bool, request: &ScanRequest) -> Result<Vec<Part>> {
        let most = request.sizes.text_bytes;
        let mut parts = Vec::new();
        let mut group: Vec<Piece> = Vec::new();
        let mut bytes = 0;
        for (index, file) in self.files.iter().enumerate() {
            if file.bytes > most {
                if !group.is_empty() {
                    parts.push(Part::Text(std::mem::take(&mut group)));
                    bytes = 0;
                }
                parts.extend(self.big_file(index, wants_lines, request)?);
                continue;
            }
            if !group.is_empty() && (bytes + file.bytes > most || group.len() == PART_FILES) {
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
    fn big_file(&self, index: usize, wants_lines: bool, request: &ScanRequest) -> Result<Vec<Part>> {
        let report = &request.report;
        let file = &self.files[index];
        let whole = vec![Part::Text(vec![Piece::whole(index)])];
        let format = match file.format() {
            // Where it is read, that counts as damage.
            Err(Error::Io { .. }) if file.local_path().is_some() => return Ok(whole),
            format => format?,
        };
        match format {
            FileFormat::Parquet | FileFormat::Arrow => return Ok(vec![Part::Columns(index)]),
            FileFormat::Text(Compression::None) => {}
            _ => return Ok(whole),
        }
        let Opened::Text(text @ OpenedText { plain: true, .. }) =
            records::open(file, file.open()?, Vec::new(), self.limits, report)?
        else {
            return Ok(whole);
        };
        if changes_encoding_at_end(file)? {
            return Ok(whole);
        }
        let blocks =
            BlockReader::start(text.input, FileRange::default(), FileReport::new(&file.name, Arc::clone(report)));
        if blocks.map_err(|error| file.failed(error))?.framing() != Framing::Lines {
            return Ok(whole);
        }
        let factor = if file.location.remote().is_none() { 1 } else { REMOTE_FACTOR };
        let part_bytes = request.sizes.text_bytes.saturating_mul(factor);
        let starts: Vec<u64> = (0..file.bytes).step_by(usize::try_from(part_bytes).unwrap_or(usize::MAX)).collect();
        let origin = |start: u64| FileRange { start, end: Some(start + part_bytes).filter(|end| *end < file.bytes) };
        let lines = if wants_lines { lines_before(file, &starts)? } else { Vec::new() };
        let piece = |(part, start): (usize, &u64)| Piece {
            file: index,
            origin: origin(*start),
            lines: if part == 0 { Some(0) } else { lines.get(part).copied() },
        };
        Ok(starts.iter().enumerate().map(|part| Part::Text(vec![piece(part)])).collect())
    }
}

/// True if the last bytes of a file on the disk are UTF-16 although its first are UTF-8: it cannot be read in parts.
fn changes_encoding_at_end(file: &DataFile) -> Result<bool> {
    if file.location.path().is_none() {
        return Ok(false);
    }
    let mut tail = Vec::new();
    let start = file.bytes.saturating_sub(records::HEAD_BYTES as u64);
    let mut input = file.open_at((start, None), None)?.take(records::HEAD_BYTES as u64);
    input.read_to_end(&mut tail).map_err(|error| file.failed(error))?;
    Ok(records::utf16_in(&tail).is_some())
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
