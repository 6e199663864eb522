//! Rows as they come -> sorted runs, in memory as long as there is room, then in temporary files.

use std::path::PathBuf;

use super::limits::Limits;
use super::parallel;
use super::rows::{self, SortedRows};
use super::spill::SpilledRun;
use crate::diagnostic::{Error, Result};
use crate::types::{Batch, Schema};

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

    /// Its rows, some at a time.
    pub fn read(self, limits: &Limits) -> Result<Box<dyn Iterator<Item = Result<SortedRows>>>> {
        match self {
            Self::Memory(run) => Ok(Box::new(run.read(limits))),
            Self::Spilled(run) => Ok(Box::new(run.read()?)),
        }
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

    pub fn batches(&self) -> &[Batch] {
        &self.batches
    }

    pub fn span(&self) -> (i64, i64) {
        let key = |place: Option<&Place>| place.map_or(0, |place| place.key);
        (key(self.order.first()), key(self.order.last()))
    }

    /// The rows from `start` on, at most `count`.
    pub fn part(&self, start: usize, count: usize, threads: usize) -> Result<SortedRows> {
        let places = &self.order[start..self.order.len().min(start + count)];
        let mut local = vec![usize::MAX; self.batches.len()];
        let mut used: Vec<&Batch> = Vec::new();
        let mut at = Vec::with_capacity(places.len());
        for place in places {
            let slot = &mut local[place.batch as usize];
            if *slot == usize::MAX {
                *slot = used.len();
                used.push(&self.batches[place.batch as usize]);
            }
            at.push((*slot, place.row as usize));
        }
        let batch = rows::gather(&used, &at, threads)?;
        Ok(SortedRows { batch, keys: places.iter().map(|place| place.key).collect() })
    }

    fn read(self, limits: &Limits) -> impl Iterator<Item = Result<SortedRows>> + use<> {
        let (step, threads) = (limits.chunk_rows, limits.threads);
        (0..self.rows()).step_by(step).map(move |start| self.part(start, step, threads))
    }
}

/// Takes rows as they come.
pub(super) struct RunBuilder {
    schema: Schema,
    time: Option<usize>,
    limits: Limits,
    folder: PathBuf,
    batches: Vec<Batch>,
    keys: Vec<Vec<i64>>,
    bytes: u64,
    runs: Vec<Run>,
    total_bytes: u64,
    total_rows: u64,
}

impl RunBuilder {
    /// Runs that do not fit the memory are written to `folder`, which need not exist yet.
    pub fn new(schema: Schema, time: Option<usize>, limits: Limits, folder: PathBuf) -> Self {
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
        let keys = rows::keys(&batch, self.time);
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
        let number = self.runs.len();
        std::fs::create_dir_all(&self.folder).map_err(|error| Error::io(&self.folder, error))?;
        let path = self.folder.join(format!("run-{number:06}.arrow"));
        let step = Limits::spilled_rows(self.row_bytes());
        let spilled = SpilledRun::write(&run, path, (&self.schema, self.time), (step, self.limits.threads))?;
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

/// The columns of some rows of a run, with memory of their own.
pub(super) fn detached(rows: &SortedRows, threads: usize) -> Result<Batch> {
    let columns = rows.batch.columns();
    let columns = parallel::map(threads, columns.len(), |index| Ok(rows::detached(&columns[index])))?;
    Ok(Batch::new(columns, rows.batch.rows()))
}
