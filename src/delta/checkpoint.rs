//! Checkpoints of a Delta log: Parquet files with the state of the table, which stand for the commits before them.

use std::sync::Arc;

use super::{DAMAGED, Refusal};
use crate::diagnostic::{Error, Result};
use crate::parquet::ParquetFile;
use crate::scan::{Partition, ScanColumn, ScanReport, ScanRequest};
use crate::storage::files::DataFile;
use crate::types::{Batch, Field, Schema, Type};

/// The names of the actions that are read from a checkpoint; each is a column.
const ACTIONS: [&str; 3] = ["protocol", "metaData", "add"];

/// The column in which a checkpoint names further files with actions.
const SIDECAR: &str = "sidecar";

/// A file that is one part of a checkpoint.
pub(super) struct CheckpointPart {
    /// The version of the table.
    pub version: u64,
    /// The number of this part, counted from 1.
    pub number: u32,
    /// The number of parts that the checkpoint consists of.
    pub parts: u32,
}

/// Parses the name of a checkpoint file: `<version>.checkpoint.parquet`, or
/// `<version>.checkpoint.<part>.<parts>.parquet` for one of several parts. None for any other file.
pub(super) fn part(name: &str) -> Option<CheckpointPart> {
    let (version, rest) = name.strip_suffix(".parquet")?.split_once(".checkpoint")?;
    let (part, parts) = match rest {
        "" => (1, 1),
        rest => {
            let (part, parts) = rest.strip_prefix('.')?.split_once('.')?;
            (part.parse().ok()?, parts.parse().ok()?)
        }
    };
    let version = version.parse().ok()?;
    (1..=parts).contains(&part).then_some(CheckpointPart { version, number: part, parts })
}

/// Calls `act` with each action in a part of a checkpoint, as JSON like that of commits. The inner error is the reason
/// why the checkpoint cannot be used.
pub(super) fn read(file: &DataFile, act: &mut dyn FnMut(&str) -> Result<(), Refusal>) -> Result<Result<(), Refusal>> {
    let opened = match ParquetFile::of(file) {
        Ok(opened) => opened,
        Err(Error::Data { .. }) => return Ok(Err(DAMAGED)),
        Err(error) => return Err(error),
    };
    let held = opened.columns();
    if ACTIONS.iter().any(|action| held.index_of(action).is_none()) {
        return Ok(Err(DAMAGED));
    }
    let names = ACTIONS.into_iter().chain([SIDECAR]);
    let schema = Schema::new(names.map(|name| Field::new(name, Type::Dynamic)));
    let request = request(schema.len());
    for part in opened.partitions(&schema, &request)? {
        if let Err(reason) = read_part(part.as_ref(), act)? {
            return Ok(Err(reason));
        }
    }
    Ok(if request.report.is_incomplete() { Err(DAMAGED) } else { Ok(()) })
}

fn read_part(part: &dyn Partition, act: &mut dyn FnMut(&str) -> Result<(), Refusal>) -> Result<Result<(), Refusal>> {
    for batch in part.read()? {
        let batch = batch?;
        for row in 0..batch.rows() {
            if let Err(reason) = read_row(&batch, row, act) {
                return Ok(Err(reason));
            }
        }
    }
    Ok(Ok(()))
}

fn read_row(batch: &Batch, row: usize, act: &mut dyn FnMut(&str) -> Result<(), Refusal>) -> Result<(), Refusal> {
    if batch.column(ACTIONS.len()).text_at(row).is_some() {
        return Err("a Delta table whose checkpoint has sidecars, which are not supported");
    }
    for (index, action) in ACTIONS.into_iter().enumerate() {
        if let Some(value) = batch.column(index).text_at(row) {
            act(&format!("{{\"{action}\":{value}}}"))?;
        }
    }
    Ok(())
}

fn request(columns: usize) -> ScanRequest {
    ScanRequest {
        columns: (0..columns).map(ScanColumn::Column).collect(),
        prune: Vec::new(),
        filter: None,
        limit: None,
        batch_rows: 1024,
        memory: crate::scan::ScanMemory::default(),
        sizes: crate::scan::ScanSizes::default(),
        stated: None,
        named_columns: Arc::default(),
        report: Arc::new(ScanReport::default()),
        counters: Arc::default(),
    }
}
