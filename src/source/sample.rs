//! Reads the first records of files, to infer columns from them.

use std::ops::ControlFlow;
use std::sync::Arc;

use super::column_file::ColumnFile;
use super::record_rows;
use crate::diagnostic::{Error, Result};
use crate::records;
use crate::records::{BlockReader, FileRange, FileReport, Framing, NextBlock, Opened, OpenedText};
use crate::scan::ScanReport;
use crate::source::text::Inference;
use crate::storage::files::DataFile;
use crate::storage::limits::ReadLimits;

/// Number of decompressed bytes of records that are read to infer columns.
const INFERRED_BYTES: u64 = 64 << 20;

/// Takes a columnar file, as far as it can be opened; sampling ends with a break.
pub(crate) type TakeColumns<'a> = dyn FnMut(&DataFile, Result<ColumnFile>) -> Result<ControlFlow<()>> + 'a;

/// Passes the records of text files to `inference`, and calls `columns` with each columnar file whose rows are not
/// records of text. Files are read in order, until enough was seen or `columns` breaks. Damage is not reported here,
/// but when the files are read.
pub(crate) fn sample_files(
    inference: &mut Inference,
    files: &[DataFile],
    limits: ReadLimits,
    columns: &mut TakeColumns<'_>,
) -> Result<()> {
    let mut left = INFERRED_BYTES;
    let unused_report = Arc::new(ScanReport::default());
    for file in files.iter().filter(|file| file.refused().is_none()) {
        let opened = match file.open().and_then(|input| records::open(file, input, Vec::new(), limits, &unused_report))
        {
            Err(Error::Io { .. }) if files.len() > 1 && file.local_path().is_some() => continue,
            opened => opened?,
        };
        match opened {
            Opened::Text(text) => left = left.saturating_sub(sample_file(inference, file, text, limits, left)?),
            Opened::Columns => {
                let opened = ColumnFile::of(file, limits);
                if let Ok(opened) = &opened
                    && record_rows::holds_known_records(opened)?
                {
                    left = left.saturating_sub(record_rows::sample_rows(opened, inference)?);
                } else if columns(file, opened)?.is_break() {
                    return Ok(());
                }
            }
            Opened::Refused(_) => {}
        }
        if left == 0 || inference.is_certain() {
            break;
        }
    }
    Ok(())
}

/// Passes the records in the first `max_bytes` bytes of a file to `inference`; returns the number of bytes read.
fn sample_file(
    inference: &mut Inference,
    file: &DataFile,
    text: OpenedText,
    limits: ReadLimits,
    max_bytes: u64,
) -> Result<u64> {
    let failed = |error| file.failed(error);
    inference.start_file(text.all_strings);
    let report = FileReport::new(&file.name, Arc::default());
    let mut blocks = BlockReader::start(text.input, FileRange::default(), limits, report).map_err(failed)?;
    let mut seen = 0;
    if !matches!(blocks.framing(), Framing::Lines | Framing::Values) {
        file.check_remote()?;
        return Ok(seen);
    }
    while seen < max_bytes && !inference.is_certain() {
        let NextBlock::Block(block) = blocks.next().map_err(failed)? else { break };
        seen += block.bytes.len() as u64;
        let stop = match &block.spans {
            Some(spans) => {
                inference.observe_records(block.bytes, spans);
                None
            }
            None => inference.observe_lines(block.bytes, block.rest),
        };
        if let Some((offset, why)) = stop.map(|stop| (block.offset + stop.at as u64, stop.why)) {
            blocks.go_back(offset, why);
        }
    }
    file.check_remote()?;
    Ok(seen)
}
