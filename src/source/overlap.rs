//! Finds files of a table that contain the same record, as overlapping exports do: a query then counts the record once
//! for each file.
//!
//! The Ids of the rows of text files are compared while they are scanned. If none of them repeats, some records are
//! compared after the scan, because the query may have skipped repeated ones. The number of these records is bounded.
//! Small inputs are compared completely. Of a few files, the first records are compared; of many files, only those of
//! files of equal length. Of Parquet files beside text files more rows are compared, because an archive may lie
//! beside its original files. Files without Ids are compared by the times and accounts of their records; in larger inputs they are only named.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::Value as Json;

use super::event_files::{EventFiles, RecordEvent};
use super::file_table::FileTable;
use super::id_sketch::{IdSketch, RepeatedIds};
use crate::diagnostic::Result;
use crate::records;
use crate::records::{BlockReader, FileRange, FileReport, Framing, NextBlock, Opened};
use crate::scan::{Overlap, OverlapBasis, ScanColumn, ScanReport, ScanRequest, TableProvider};
use crate::storage::files::{DataFile, FileFormat};
use crate::storage::limits::ReadLimits;
use crate::types::Type;

/// The column that identifies a record.
const ID: &str = "Id";

/// Inputs with fewer bytes than this are compared completely.
const SMALL: u64 = 1 << 20;

/// Maximum number of decompressed bytes that are read of a text file in a small input.
const MAX_BYTES: u64 = 4 << 20;

/// With at most this many files, the first records of every text file are compared.
const FEW: usize = 16;

/// With more files, the number of pairs of equal length that are compared.
const MAX_PAIRS: usize = 2;

/// Number of records of each text file that are compared in a large input.
const HEAD: usize = 16;

/// Number of rows of each Parquet file that are compared with the Ids of text files.
const HEAD_ROWS: usize = 4096;

/// Returns two of `files` that have rows with the same Id, among the rows that scans returned; None if there are
/// none.
pub(crate) fn among_rows(files: &[DataFile], sketch: &IdSketch) -> Option<Overlap> {
    let RepeatedIds { files: pair, repeated, compared, are_all } = sketch.repeated()?;
    let name = |index: usize| files.get(index).map(|file| file.name.clone());
    let basis = OverlapBasis::Ids { repeated, compared, is_sample: !are_all };
    Some(Overlap { files: [name(pair[0])?, name(pair[1])?], basis })
}

/// Returns a file whose rows have no Ids, beside one with Ids, among the rows that scans returned: whether they
/// contain the same records is unknown. None if the input is small, because [`find`] then compares all records.
pub(crate) fn of_unknown(files: &[DataFile], sketch: &IdSketch) -> Option<Overlap> {
    let (lacking, rows) = sketch.first_without_ids().filter(|_| !is_small(files))?;
    let other = sketch.first_with_ids().or_else(|| files.iter().position(DataFile::is_parquet))?;
    let name = |index: usize| files.get(index).map(|file| file.name.clone());
    Some(Overlap { files: [name(other)?, name(lacking)?], basis: OverlapBasis::NoIds { rows } })
}

fn is_small(files: &[DataFile]) -> bool {
    files.iter().map(|file| file.bytes).fold(0, u64::saturating_add) < SMALL
}

/// The parts of a record by which it is compared.
#[derive(Debug)]
struct ComparedRecord {
    id: Option<String>,
    event: RecordEvent,
}

/// Returns two of `files` that contain a record with the same Id, or else a file without Ids whose records are all in
/// other files. `read` has the Ids of the rows that scans returned; `table` makes the table of one Parquet file.
pub(crate) fn find(
    files: &[DataFile],
    read: &IdSketch,
    limits: ReadLimits,
    table: impl Fn(&DataFile) -> FileTable,
) -> Option<Overlap> {
    let mut first: HashMap<String, usize> = HashMap::new();
    let mut events = EventFiles::default();
    let is_small = is_small(files);
    for index in candidates(files, is_small) {
        let file = &files[index];
        // Problems of a file are reported by the query itself.
        let records = match file.format() {
            Ok(FileFormat::Parquet) => records_of_table(&table(file)),
            _ => records_of_text(file, limits, is_small).unwrap_or_default(),
        };
        for ComparedRecord { id, event } in records {
            events.add(index, event, id.is_some());
            let Some(id) = id else { continue };
            let known = first.get(&id).copied().or_else(|| read.file_with(id.as_bytes()));
            if let Some(other) = known.filter(|other| *other != index) {
                let basis = if is_small { OverlapBasis::AllRecords } else { OverlapBasis::FirstRecords };
                let files = [files.get(other)?.name.clone(), file.name.clone()];
                return Some(Overlap { files, basis });
            }
            first.entry(id).or_insert(index);
        }
    }
    let pair = events.contained().filter(|_| is_small)?;
    Some(Overlap { files: pair.map(|index| files[index].name.clone()), basis: OverlapBasis::TimesAndAccounts })
}

/// Returns the positions of the files whose records are compared.
fn candidates(files: &[DataFile], is_small: bool) -> Vec<usize> {
    if files.len() < 2 {
        return Vec::new();
    }
    if is_small {
        return (0..files.len()).collect();
    }
    // Opening a Parquet file again would cost more than most queries over an archive, but little beside text files.
    let is_archive = |file: &DataFile| file.ending().eq_ignore_ascii_case("parquet") && file.local_path().is_some();
    let most = if files.iter().all(is_archive) { 0 } else { FEW };
    let beside_texts = (0..files.len()).filter(|&index| is_archive(&files[index])).take(most);
    if files.len() <= FEW {
        let texts = (0..files.len()).filter(|&index| !files[index].is_parquet());
        return texts.chain(beside_texts).collect();
    }
    let mut by_length: HashMap<u64, usize> = HashMap::new();
    let mut pairs = Vec::new();
    for (index, file) in files.iter().enumerate().filter(|(_, file)| file.bytes > 0 && file.local_path().is_some()) {
        if let Some(other) = by_length.insert(file.bytes, index) {
            pairs.extend([other, index].into_iter().filter(|&index| !files[index].is_parquet()));
            if pairs.len() >= 2 * MAX_PAIRS {
                break;
            }
        }
    }
    pairs.extend(beside_texts);
    pairs.sort_unstable();
    pairs.dedup();
    pairs
}

/// Returns the first records of a text file, whatever their table; all records if `is_small`.
fn records_of_text(file: &DataFile, limits: ReadLimits, is_small: bool) -> Result<Vec<ComparedRecord>> {
    let unused_report = Arc::new(ScanReport::default());
    let Opened::Text(text) = records::open(file, file.open()?, Vec::new(), limits, &unused_report)? else {
        return Ok(Vec::new());
    };
    let failed = |error| file.failed(error);
    let report = FileReport::new(&file.name, unused_report);
    let mut blocks = BlockReader::start(text.input, FileRange::default(), limits, report).map_err(failed)?;
    // Queries refuse such a file, too.
    if !matches!(blocks.framing(), Framing::Lines | Framing::Values) {
        return Ok(Vec::new());
    }
    let (mut records, mut seen) = (Vec::new(), 0);
    while let NextBlock::Block(block) = blocks.next().map_err(failed)? {
        let room = if is_small { usize::MAX } else { HEAD };
        let mut add = |record: &[u8]| {
            if let Ok(record) = serde_json::from_slice(record) {
                add_records(&record, room, &mut records);
            }
        };
        match &block.spans {
            Some(spans) => {
                let texts = spans.iter().take(room).filter_map(|span| block.bytes.get(span.start..span.end));
                texts.for_each(&mut add);
            }
            None => block.bytes.split(|byte| *byte == b'\n').take(room).for_each(&mut add),
        }
        seen += block.bytes.len() as u64;
        if !is_small || seen >= MAX_BYTES {
            break;
        }
    }
    Ok(records)
}

/// Adds a record of any export shape. If it is a wrapper, adds at most `room` of the records inside it.
fn add_records(record: &Json, room: usize, records: &mut Vec<ComparedRecord>) {
    let own = |record: &Json| [ID, "id"].into_iter().find_map(|key| Some(record.get(key)?.as_str()?.to_owned()));
    let id = |record: &Json| own(record).or_else(|| own(record.get("properties")?)).filter(|id| !id.is_empty());
    let compared = |record: &Json| ComparedRecord { id: id(record), event: RecordEvent::of_json(record) };
    let wrapped = ["value", "records"].into_iter().find_map(|key| record.get(key));
    match wrapped.unwrap_or(record).as_array().filter(|_| id(record).is_none()) {
        Some(wrapped) => records.extend(wrapped.iter().take(room).map(compared)),
        None => records.push(compared(record)),
    }
}

/// Returns the first rows of a table; empty if it has no string column `Id`, or if it cannot be read.
fn records_of_table(table: &FileTable) -> Vec<ComparedRecord> {
    let schema = table.schema();
    let column = |name: &str, ty: Type| schema.index_of(name).filter(|&index| schema.field(index).ty == ty);
    let Some(id) = column(ID, Type::String) else { return Vec::new() };
    let account = column("UserPrincipalName", Type::String).unwrap_or(id);
    let times = ["TimeGenerated", "CreatedDateTime"].into_iter().filter_map(|name| column(name, Type::Datetime));
    let request = ScanRequest {
        columns: [id, account].into_iter().chain(times).map(ScanColumn::Column).collect(),
        prune: Vec::new(),
        filter: None,
        limit: Some(HEAD_ROWS),
        batch_rows: HEAD_ROWS,
        memory: crate::scan::ScanMemory::default(),
        sizes: crate::scan::ScanSizes::default(),
        stated: None,
        named_columns: Arc::default(),
        report: Arc::new(ScanReport::default()),
        counters: Arc::default(),
    };
    let parts = table.scan(&request).unwrap_or_default();
    let batches = parts.iter().filter_map(|part| part.read().ok()).flatten().map_while(Result::ok);
    let Some(batch) = batches.into_iter().find(|batch| batch.rows() > 0) else { return Vec::new() };
    let record = |row: usize| {
        let text = |column: usize| batch.column(column).text_at(row).filter(|text| !text.is_empty());
        let times = batch.columns().iter().skip(2).filter_map(|times| times.i64_at(row));
        let event = text(1).map_or_else(RecordEvent::default, |account| RecordEvent::new(times, account));
        ComparedRecord { id: text(0).map(str::to_owned), event }
    };
    (0..batch.rows()).map(record).collect()
}
