//! Collects input rows into sorted runs: in memory while there is room, then in temporary files.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::thread::JoinHandle;

use super::blocks::BlockBuilder;
use super::dictionaries::StringDictionaries;
use super::keys::{SortedRows, keys};
use super::limits::Limits;
use crate::diagnostic::{Error, Result};
use crate::exec::spill::{self, SpillFile, SpillFolder, SpillWriter, rows};
use crate::types::{Batch, Column, Schema, Type, Value};

/// A run: rows that are sorted by key. Rows with equal keys keep their input order.
#[derive(Debug)]
pub(super) enum ArchiveRun {
    Memory(MemoryRun),
    Spilled(SpilledRun),
}

impl ArchiveRun {
    /// Returns the smallest and the largest key of the run.
    pub fn span(&self) -> (i64, i64) {
        match self {
            Self::Memory(run) => run.span(),
            Self::Spilled(run) => run.span,
        }
    }

    /// Returns the types of the columns. A column of dictionary codes has the type int.
    pub fn types(&self) -> &[Type] {
        match self {
            Self::Memory(run) => &run.types,
            Self::Spilled(run) => &run.types,
        }
    }

    /// Opens the run for the merge, which reads a few rows at a time. Its columns are converted to `types`.
    pub fn opened(
        self,
        types: &[Type],
        dictionaries: &Arc<StringDictionaries>,
        limits: &Limits,
    ) -> spill::Run<Vec<i64>> {
        let (step, threads) = (limits.chunk_rows, limits.threads);
        let first = vec![self.span().0];
        // Another run may have strings where this one has codes.
        let differ: Vec<usize> = (0..types.len()).filter(|index| self.types()[*index] != types[*index]).collect();
        let dictionaries = Arc::clone(dictionaries);
        let as_texts = move |rows: Result<SortedRows>| {
            let SortedRows { batch, keys } = rows?;
            Ok(SortedRows { batch: dictionaries.decoded(batch, &differ)?, keys })
        };
        spill::Run {
            first,
            open: Box::new(move || match self {
                Self::Memory(run) => Ok(Box::new(run.read(step, threads).map(as_texts)) as Box<_>),
                Self::Spilled(run) => Ok(Box::new(run.read()?.map(as_texts)) as Box<_>),
            }),
        }
    }
}

/// A run in a temporary file.
#[derive(Debug)]
pub(super) struct SpilledRun {
    file: Arc<SpillFile>,
    types: Vec<Type>,
    time: Option<usize>,
    /// The smallest and the largest key of the run.
    span: (i64, i64),
}

impl SpilledRun {
    fn of(run: &MemoryRun, time: Option<usize>, limits: &Limits, folder: &SpillFolder) -> Result<Self> {
        let constant = |index: usize| {
            let parts: Vec<&Column> = run.batches.iter().map(|batch| batch.column(index)).collect();
            // At least one column is stored, because the file must record the number of rows.
            rows::common_constant(&parts).filter(|_| index > 0 && Some(index) != time).cloned()
        };
        let constants: Vec<Option<Value>> = (0..run.types.len()).map(constant).collect();
        let parts =
            (0..run.rows()).step_by(limits.spill_rows).map(|start| run.part(start, limits.spill_rows, limits.threads));
        Self::write(parts, &run.types, time, &constants, limits.threads, folder)
    }

    /// Writes sorted rows to a temporary file in `folder`.
    pub fn write(
        parts: impl Iterator<Item = Result<SortedRows>>,
        types: &[Type],
        time: Option<usize>,
        constants: &[Option<Value>],
        threads: usize,
        folder: &SpillFolder,
    ) -> Result<Self> {
        let mut writer = SpillWriter::new(folder, types, constants, false)?;
        let mut span: Option<(i64, i64)> = None;
        for part in parts {
            let part = part?;
            writer.write(&part.batch, threads)?;
            if let (Some(&first), Some(&last)) = (part.keys.first(), part.keys.last()) {
                span = Some((span.map_or(first, |(first, _)| first), last));
            }
        }
        Ok(Self { file: Arc::new(writer.finish()?), types: types.to_vec(), time, span: span.unwrap_or((0, 0)) })
    }

    /// Returns the rows, in the chunks in which they were written.
    fn read(self) -> Result<impl Iterator<Item = Result<SortedRows>> + Send> {
        let batches = self.file.read()?;
        Ok(batches.map(move |batch| batch.map(|batch| SortedRows { keys: keys(&batch, self.time), batch })))
    }
}

/// The position of a row in the run, and its sort key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct RunRowPosition {
    key: i64,
    batch: u32,
    row: u32,
}

/// A run in memory: rows in input order, and their positions in sorted order.
#[derive(Debug)]
pub(super) struct MemoryRun {
    types: Vec<Type>,
    batches: Vec<Batch>,
    order: Vec<RunRowPosition>,
}

impl MemoryRun {
    fn new(types: Vec<Type>, batches: Vec<Batch>, keys: &[Vec<i64>]) -> Result<Self> {
        let too_many = |_| Error::Limit("more than 4,294,967,295 rows in one sorted run".to_owned());
        let mut order = Vec::with_capacity(keys.iter().map(Vec::len).sum());
        for (batch, keys) in keys.iter().enumerate() {
            let batch = u32::try_from(batch).map_err(too_many)?;
            for (row, &key) in keys.iter().enumerate() {
                order.push(RunRowPosition { key, batch, row: u32::try_from(row).map_err(too_many)? });
            }
        }
        // Exports are mostly sorted already. Positions break ties, so the sort is stable.
        if !order.is_sorted() {
            order.sort_unstable();
        }
        Ok(Self { types, batches, order })
    }

    pub fn rows(&self) -> usize {
        self.order.len()
    }

    pub fn span(&self) -> (i64, i64) {
        let key = |position: Option<&RunRowPosition>| position.map_or(0, |position| position.key);
        (key(self.order.first()), key(self.order.last()))
    }

    /// Returns at most `count` rows, from the position `start` in sorted order on.
    pub fn part(&self, start: usize, count: usize, threads: usize) -> Result<SortedRows> {
        let positions = &self.order[start..self.order.len().min(start + count)];
        let batches: Vec<&Batch> = self.batches.iter().collect();
        let at: Vec<(usize, usize)> =
            positions.iter().map(|position| (position.batch as usize, position.row as usize)).collect();
        let batch = rows::gather(&batches, &at, threads)?;
        Ok(SortedRows { batch, keys: positions.iter().map(|position| position.key).collect() })
    }

    fn read(self, step: usize, threads: usize) -> impl Iterator<Item = Result<SortedRows>> + Send {
        (0..self.rows()).step_by(step).map(move |start| self.part(start, step, threads))
    }
}

/// The run that is being written to a temporary file, if any.
#[derive(Debug, Default)]
struct Writing {
    writer: Option<JoinHandle<Result<SpilledRun>>>,
    done: Option<SpilledRun>,
}

impl Writing {
    /// Begins to write a run. With several threads, it is written in the background.
    fn start(&mut self, threads: usize, write: impl FnOnce() -> Result<SpilledRun> + Send + 'static) -> Result<()> {
        if threads > 1 {
            self.writer = Some(std::thread::spawn(write));
        } else {
            self.done = Some(write()?);
        }
        Ok(())
    }

    /// Waits until the run is written, and returns it; None if no run is being written.
    fn end(&mut self) -> Result<Option<ArchiveRun>> {
        let stopped = |_| Err(Error::internal("a thread stopped early"));
        let written = self.writer.take().map(|writer| writer.join().unwrap_or_else(stopped)).transpose()?;
        Ok(written.or_else(|| self.done.take()).map(ArchiveRun::Spilled))
    }
}

impl Drop for Writing {
    /// Waits until the run is written, because the temporary folder is deleted next.
    fn drop(&mut self) {
        let _ = self.end();
    }
}

/// All rows of a table, in sorted runs.
pub(super) struct SortedRuns {
    /// The runs, in input order.
    pub runs: Vec<ArchiveRun>,
    /// The dictionaries of the codes in all runs.
    pub dictionaries: StringDictionaries,
}

/// Collects input rows into sorted runs.
#[derive(Debug)]
pub(super) struct RunBuilder {
    schema: Schema,
    time: Option<usize>,
    limits: Limits,
    folder: Arc<SpillFolder>,
    dictionaries: StringDictionaries,
    block: BlockBuilder,
    batches: Vec<Batch>,
    keys: Vec<Vec<i64>>,
    bytes: u64,
    runs: Vec<ArchiveRun>,
    writing: Writing,
    /// The positions of columns that temporary files have as dictionary codes.
    coded: BTreeSet<usize>,
    total_bytes: u64,
    total_rows: u64,
}

impl RunBuilder {
    /// Creates a builder. Runs that do not fit in memory are written to `folder`.
    pub fn new(schema: Schema, time: Option<usize>, limits: Limits, folder: Arc<SpillFolder>) -> Self {
        let dictionaries = StringDictionaries::new(&schema, limits.dictionary_bytes());
        let block = BlockBuilder::new(&schema, limits.block_bytes());
        let (batches, keys, runs) = (Vec::new(), Vec::new(), Vec::new());
        let (bytes, total_bytes, total_rows) = (0, 0, 0);
        let (writing, coded) = (Writing::default(), BTreeSet::new());
        Self {
            schema,
            time,
            limits,
            folder,
            dictionaries,
            block,
            batches,
            keys,
            bytes,
            runs,
            writing,
            coded,
            total_bytes,
            total_rows,
        }
    }

    /// Appends rows.
    pub fn push(&mut self, batch: &Batch) -> Result<()> {
        self.total_rows += batch.rows() as u64;
        if self.block.push(&rows::plain(batch)?, &mut self.dictionaries)? {
            self.end_block()?;
        }
        if self.bytes + self.dictionaries.bytes() >= self.limits.buffer_bytes() { self.spill() } else { Ok(()) }
    }

    fn end_block(&mut self) -> Result<()> {
        if self.block.is_empty() {
            return Ok(());
        }
        let batch = self.block.finish()?;
        // The sum includes the sort entries of the rows.
        let bytes = rows::bytes(&batch) + 24 * batch.rows() as u64;
        self.total_bytes += bytes;
        self.bytes += bytes;
        self.keys.push(keys(&batch, self.time));
        self.batches.push(batch);
        Ok(())
    }

    /// Returns the rows so far as a run. In each column, it has either only codes or only strings.
    fn take(&mut self) -> Result<MemoryRun> {
        self.end_block()?;
        self.bytes = 0;
        let mut batches = std::mem::take(&mut self.batches);
        let mut types: Vec<Type> = self.schema.fields().iter().map(|field| field.ty).collect();
        let mut mixed = Vec::new();
        for (index, ty) in types.iter_mut().enumerate() {
            let coded = |batch: &Batch| self.dictionaries.is_coded(index, batch.column(index));
            match batches.iter().all(coded) {
                true if ty.is_text() => *ty = Type::Int,
                _ => mixed.push(index),
            }
        }
        for batch in &mut batches {
            *batch = self.dictionaries.decoded(batch.clone(), &mixed)?;
        }
        for index in mixed.into_iter().filter(|index| !self.coded.contains(index)) {
            self.dictionaries.forget(index);
        }
        MemoryRun::new(types, batches, &std::mem::take(&mut self.keys))
    }

    /// Writes the rows so far to a temporary file, while the next rows are collected.
    fn spill(&mut self) -> Result<()> {
        let run = self.take()?;
        let types = self.schema.fields().iter().zip(&run.types);
        self.coded.extend(types.enumerate().filter(|(_, (field, ty))| field.ty != **ty).map(|(index, _)| index));
        let limits = Limits { spill_rows: spill::chunk_rows(self.row_bytes()), ..self.limits };
        let (time, folder) = (self.time, Arc::clone(&self.folder));
        self.runs.extend(self.writing.end()?);
        self.writing.start(limits.threads, move || SpilledRun::of(&run, time, &limits, &folder))
    }

    /// Returns the average size of a row in bytes.
    pub fn row_bytes(&self) -> u64 {
        self.total_bytes / self.total_rows.max(1)
    }

    /// Returns the number of rows that were appended so far.
    pub fn rows(&self) -> u64 {
        self.total_rows
    }

    /// Returns all runs, with the dictionaries of their codes.
    pub fn finish(mut self) -> Result<SortedRuns> {
        self.end_block()?;
        self.runs.extend(self.writing.end()?);
        if !self.batches.is_empty() {
            let run = ArchiveRun::Memory(self.take()?);
            self.runs.push(run);
        }
        self.dictionaries.close_all();
        Ok(SortedRuns { runs: self.runs, dictionaries: self.dictionaries })
    }
}
