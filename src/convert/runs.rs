//! Rows as they come -> sorted runs, in memory as long as there is room, then in temporary files.

use std::sync::Arc;

use super::keys::{SortedRows, keys};
use super::limits::Limits;
use crate::diagnostic::{Error, Result};
use crate::exec::spill::{self, SpillFile, SpillFolder, SpillWriter, rows};
use crate::types::{Batch, Column, Schema, Type, Value};

/// Rows in order of their keys; those with equal keys in the order they came in.
#[derive(Debug)]
pub(super) enum Run {
    Memory(MemoryRun),
    Spilled(SpilledRun),
}

impl Run {
    /// The least and the greatest key.
    pub fn span(&self) -> (i64, i64) {
        match self {
            Self::Memory(run) => run.span(),
            Self::Spilled(run) => run.span,
        }
    }

    /// For the merge, which reads it some rows at a time.
    pub fn opened(self, limits: &Limits) -> spill::Run<Vec<i64>> {
        let (step, threads) = (limits.chunk_rows, limits.threads);
        let first = vec![self.span().0];
        spill::Run {
            first,
            open: Box::new(move || match self {
                Self::Memory(run) => Ok(Box::new(run.read(step, threads)) as Box<_>),
                Self::Spilled(run) => Ok(Box::new(run.read()?) as Box<_>),
            }),
        }
    }
}

/// A run in a temporary file.
#[derive(Debug)]
pub(super) struct SpilledRun {
    file: Arc<SpillFile>,
    time: Option<usize>,
    /// The least and the greatest key.
    span: (i64, i64),
}

impl SpilledRun {
    fn of(
        run: &MemoryRun,
        (schema, time): (&Schema, Option<usize>),
        limits: &Limits,
        folder: &SpillFolder,
    ) -> Result<Self> {
        let constant = |index: usize| {
            let parts: Vec<&Column> = run.batches.iter().map(|batch| batch.column(index)).collect();
            // At least one column is stored, since the file must say how many rows there are.
            rows::common_constant(&parts).filter(|_| index > 0 && Some(index) != time).cloned()
        };
        let constants: Vec<Option<Value>> = (0..schema.len()).map(constant).collect();
        let parts =
            (0..run.rows()).step_by(limits.spill_rows).map(|start| run.part(start, limits.spill_rows, limits.threads));
        Self::write(parts, (schema, time), &constants, (limits.threads, folder))
    }

    /// Writes rows that come in order.
    pub fn write(
        parts: impl Iterator<Item = Result<SortedRows>>,
        (schema, time): (&Schema, Option<usize>),
        constants: &[Option<Value>],
        (threads, folder): (usize, &SpillFolder),
    ) -> Result<Self> {
        let types: Vec<Type> = schema.fields().iter().map(|field| field.ty).collect();
        let mut writer = SpillWriter::new(folder, &types, constants, false)?;
        let mut span: Option<(i64, i64)> = None;
        for part in parts {
            let part = part?;
            writer.write(&part.batch, threads)?;
            if let (Some(&first), Some(&last)) = (part.keys.first(), part.keys.last()) {
                span = Some((span.map_or(first, |(first, _)| first), last));
            }
        }
        Ok(Self { file: Arc::new(writer.finish()?), time, span: span.unwrap_or((0, 0)) })
    }

    /// Its rows, as many at a time as they were written.
    fn read(self) -> Result<impl Iterator<Item = Result<SortedRows>> + Send> {
        let batches = self.file.read()?;
        Ok(batches.map(move |batch| batch.map(|batch| SortedRows { keys: keys(&batch, self.time), batch })))
    }
}

/// A row in the order of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    key: i64,
    batch: u32,
    row: u32,
}

/// A run that is in memory: rows where they came in, and their order.
#[derive(Debug)]
pub(super) struct MemoryRun {
    batches: Vec<Batch>,
    order: Vec<Place>,
}

impl MemoryRun {
    fn new(batches: Vec<Batch>, keys: &[Vec<i64>]) -> Result<Self> {
        let too_many = |_| Error::Limit("more than 4,294,967,295 rows in one sorted run".to_owned());
        let mut order = Vec::with_capacity(keys.iter().map(Vec::len).sum());
        for (batch, keys) in keys.iter().enumerate() {
            let batch = u32::try_from(batch).map_err(too_many)?;
            for (row, &key) in keys.iter().enumerate() {
                order.push(Place { key, batch, row: u32::try_from(row).map_err(too_many)? });
            }
        }
        // Exports are mostly in order already. The place decides last, so the sort is stable.
        if !order.is_sorted() {
            order.sort_unstable();
        }
        Ok(Self { batches, order })
    }

    pub fn rows(&self) -> usize {
        self.order.len()
    }

    pub fn span(&self) -> (i64, i64) {
        let key = |place: Option<&Place>| place.map_or(0, |place| place.key);
        (key(self.order.first()), key(self.order.last()))
    }

    /// The rows from `start` on, at most `count`.
    pub fn part(&self, start: usize, count: usize, threads: usize) -> Result<SortedRows> {
        let places = &self.order[start..self.order.len().min(start + count)];
        let batches: Vec<&Batch> = self.batches.iter().collect();
        let at: Vec<(usize, usize)> = places.iter().map(|place| (place.batch as usize, place.row as usize)).collect();
        let batch = rows::gather(&batches, &at, threads)?;
        Ok(SortedRows { batch, keys: places.iter().map(|place| place.key).collect() })
    }

    fn read(self, step: usize, threads: usize) -> impl Iterator<Item = Result<SortedRows>> + Send {
        (0..self.rows()).step_by(step).map(move |start| self.part(start, step, threads))
    }
}

/// Takes rows as they come.
pub(super) struct RunBuilder {
    schema: Schema,
    time: Option<usize>,
    limits: Limits,
    folder: Arc<SpillFolder>,
    batches: Vec<Batch>,
    keys: Vec<Vec<i64>>,
    bytes: u64,
    runs: Vec<Run>,
    total_bytes: u64,
    total_rows: u64,
}

impl RunBuilder {
    /// Runs that do not fit the memory are written to `folder`.
    pub fn new(schema: Schema, time: Option<usize>, limits: Limits, folder: Arc<SpillFolder>) -> Self {
        Self {
            schema,
            time,
            limits,
            folder,
            batches: Vec::new(),
            keys: Vec::new(),
            bytes: 0,
            runs: Vec::new(),
            total_bytes: 0,
            total_rows: 0,
        }
    }

    /// Appends rows.
    pub fn push(&mut self, batch: &Batch) -> Result<()> {
        let batch = rows::plain(batch)?;
        let keys = keys(&batch, self.time);
        // The places of the rows count, too.
        let bytes = rows::bytes(&batch) + 24 * batch.rows() as u64;
        self.total_bytes += bytes;
        self.total_rows += batch.rows() as u64;
        self.bytes += bytes;
        self.batches.push(batch);
        self.keys.push(keys);
        if self.bytes >= self.limits.buffer_bytes() { self.spill() } else { Ok(()) }
    }

    fn take(&mut self) -> Result<MemoryRun> {
        self.bytes = 0;
        MemoryRun::new(std::mem::take(&mut self.batches), &std::mem::take(&mut self.keys))
    }

    fn spill(&mut self) -> Result<()> {
        let run = self.take()?;
        let limits = Limits { spill_rows: spill::chunk_rows(self.row_bytes()), ..self.limits };
        let spilled = SpilledRun::of(&run, (&self.schema, self.time), &limits, &self.folder)?;
        self.runs.push(Run::Spilled(spilled));
        Ok(())
    }

    /// Bytes of a row, on average.
    pub fn row_bytes(&self) -> u64 {
        self.total_bytes / self.total_rows.max(1)
    }

    /// Rows so far.
    pub fn rows(&self) -> u64 {
        self.total_rows
    }

    /// The runs, in the order in which their rows came.
    pub fn finish(mut self) -> Result<Vec<Run>> {
        if !self.batches.is_empty() {
            let run = Run::Memory(self.take()?);
            self.runs.push(run);
        }
        Ok(self.runs)
    }
}
