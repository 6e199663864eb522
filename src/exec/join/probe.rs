//! The probe side of a join: an operator that looks up each row in the hash table of the build side.

use std::sync::atomic::{AtomicBool, Ordering};

use arrow::array::{BooleanArray, UInt32Array};

use super::build::{InputColumn, JoinTable};
use crate::diagnostic::Result;
use crate::exec::context::ExecContext;
use crate::exec::hash::GroupTable;
use crate::exec::operator::RowOperator;
use crate::expr::{Expr, evaluate};
use crate::functions::EvalContext;
use crate::plan::{Join, JoinKind};
use crate::scan::BatchIterator;
use crate::types::{Batch, Column, Value};

/// Joins each row of the probe side with the rows of a [`JoinTable`] that have the same keys.
#[derive(Debug)]
pub struct ProbeJoin {
    table: JoinTable,
    keys: Vec<Expr>,
    output: Vec<JoinedColumn>,
    mode: JoinMode,
    window: Option<ProbeWindow>,
    context: EvalContext,
    batch_rows: usize,
    batch_bytes: usize,
}

/// Which rows a join returns.
#[derive(Debug)]
enum JoinMode {
    /// A row for each pair of rows with equal keys.
    Pairs {
        /// True if probe rows without a match are returned, too, with nulls for the build side.
        keeps_unmatched_probe_rows: bool,
        /// For each key, whether it has been matched; None if unmatched build rows are not returned.
        matched: Option<Vec<AtomicBool>>,
    },
    /// Only the probe rows with a match.
    Semi,
    /// Only the probe rows without a match.
    Anti,
}

/// The times of the build rows that match a probe row, relative to the time of the probe row.
#[derive(Clone, Copy, Debug)]
struct ProbeWindow {
    /// The position of the datetime column of the probe side.
    column: usize,
    /// The range of the build row's time minus the probe row's time, in ticks; both ends are inclusive.
    min: i64,
    max: i64,
    /// The number of bytes of the times in the table.
    bytes: usize,
}

impl ProbeWindow {
    /// Sorts the rows of `table` by the time of the window; None if the join has no window.
    fn new(join: &Join, table: &mut JoinTable, output: &[JoinedColumn]) -> Option<Self> {
        let window = join.window?;
        match (output.get(window.from)?, output.get(window.to)?) {
            (JoinedColumn::Probe(from), JoinedColumn::Build(to)) => {
                let bytes = table.sort_by_time(*to);
                Some(Self { column: from.index, min: window.min, max: window.max, bytes })
            }
            _ => None,
        }
    }

    /// Returns the build rows with this key whose time is in the window of a probe row; none if the probe row has no
    /// time.
    fn partners(&self, table: &JoinTable, key: u32, batch: &Batch, row: usize) -> Vec<u32> {
        match batch.column(self.column).i64_at(row) {
            Some(time) => table.rows_within(key, time.saturating_add(self.min), time.saturating_add(self.max)),
            None => Vec::new(),
        }
    }
}

/// Where an output column comes from.
#[derive(Clone, Copy, Debug)]
pub enum JoinedColumn {
    /// A column of the input of the probe side.
    Probe(InputColumn),
    /// A column of the table, by its position there.
    Build(usize),
}

impl ProbeJoin {
    /// Returns the operator that joins rows with `table`. `keys` and the probe columns of `output` refer to the probe
    /// batches.
    #[must_use]
    pub fn new(
        join: &Join,
        mut table: JoinTable,
        keys: Vec<Expr>,
        output: Vec<JoinedColumn>,
        context: &ExecContext,
    ) -> Self {
        let window = ProbeWindow::new(join, &mut table, &output);
        let mode = match join.kind {
            JoinKind::LeftSemi | JoinKind::RightSemi => JoinMode::Semi,
            JoinKind::LeftAnti | JoinKind::RightAnti => JoinMode::Anti,
            kind => JoinMode::Pairs {
                keeps_unmatched_probe_rows: kind.pads(join.build.other()),
                matched: kind.pads(join.build).then(|| (0..table.keys()).map(|_| AtomicBool::new(false)).collect()),
            },
        };
        let (batch_rows, batch_bytes) = (context.batch_rows, context.memory.batch_bytes());
        Self { table, keys, output, mode, window, context: context.eval.clone(), batch_rows, batch_bytes }
    }

    /// Returns the number of bytes that the window takes in addition to the table.
    #[must_use]
    pub fn window_bytes(&self) -> usize {
        self.window.map_or(0, |window| window.bytes)
    }

    /// True if unmatched rows of the build side are returned after the last probe row.
    #[must_use]
    pub fn has_unmatched_rows(&self) -> bool {
        matches!(self.mode, JoinMode::Pairs { matched: Some(_), .. })
    }

    /// Returns the key of each probe row, as the number that the key has in the table.
    fn find(&self, batch: &Batch) -> Result<Vec<u32>> {
        let keys = self.keys.iter().map(|key| evaluate(key, batch, &self.context)).collect::<Result<Vec<_>>>()?;
        let mut found = Vec::new();
        self.table.find(&keys, batch.rows(), &mut found)?;
        Ok(found)
    }

    fn start(&self, batch: Batch) -> Result<BatchIterator<'_>> {
        let found = self.find(&batch)?;
        match &self.mode {
            JoinMode::Semi => self.filter(&batch, &found, true),
            JoinMode::Anti => self.filter(&batch, &found, false),
            JoinMode::Pairs { keeps_unmatched_probe_rows, matched } => {
                if let Some(matched) = matched {
                    let hits = found.iter().filter(|key| **key != GroupTable::NONE);
                    hits.for_each(|key| matched[*key as usize].store(true, Ordering::Relaxed));
                }
                let string_bytes = self.probe_string_bytes(&batch);
                let keeps_unmatched = *keeps_unmatched_probe_rows;
                let (row, partner, within) = (0, 0, Vec::new());
                Ok(Box::new(ProbePairs {
                    probe: self,
                    batch,
                    found,
                    string_bytes,
                    keeps_unmatched,
                    row,
                    partner,
                    within,
                }))
            }
        }
    }

    /// Returns the probe rows that have a match, or with `has_match` false those that have none.
    fn filter(&self, batch: &Batch, found: &[u32], has_match: bool) -> Result<BatchIterator<'_>> {
        let mask: BooleanArray = found.iter().map(|key| Some((*key != GroupTable::NONE) == has_match)).collect();
        let columns = self.probe_columns().map(|column| batch.column(column).clone()).collect();
        Ok(Box::new(std::iter::once(Batch::new(columns, batch.rows()).filter(&mask))))
    }

    /// Returns for each probe row the bytes of its strings in the output, which each of its pairs repeats.
    fn probe_string_bytes(&self, batch: &Batch) -> Vec<usize> {
        batch.project(&self.probe_columns().collect::<Vec<_>>()).text_bytes_of_rows()
    }

    /// Returns the positions of the probe columns that are in the output.
    fn probe_columns(&self) -> impl Iterator<Item = usize> {
        self.output.iter().filter_map(|output| match output {
            JoinedColumn::Probe(column) => Some(column.index),
            JoinedColumn::Build(_) => None,
        })
    }

    fn with_null_probe_row(&self, positions: &UInt32Array) -> Result<Batch> {
        let column = |output: &JoinedColumn| match output {
            JoinedColumn::Probe(column) => Ok(Column::constant(Value::null(column.ty), positions.len())),
            JoinedColumn::Build(column) => self.table.column(*column, positions),
        };
        let columns = self.output.iter().map(column).collect::<Result<_>>()?;
        Ok(Batch::new(columns, positions.len()))
    }
}

impl RowOperator for ProbeJoin {
    fn process(&self, batch: Batch) -> Result<Vec<Batch>> {
        self.start(batch)?.collect()
    }

    fn stream(&self, batch: Batch) -> BatchIterator<'_> {
        self.start(batch).unwrap_or_else(|error| Box::new(std::iter::once(Err(error))))
    }

    /// Returns the unmatched rows of the build side.
    fn flush(&self) -> BatchIterator<'_> {
        let JoinMode::Pairs { matched: Some(matched), .. } = &self.mode else { return Box::new(std::iter::empty()) };
        let mut unmatched = vec![true; self.table.null_row() as usize];
        for (key, _) in matched.iter().enumerate().filter(|(_, matched)| matched.load(Ordering::Relaxed)) {
            let key = u32::try_from(key).unwrap_or(GroupTable::NONE);
            self.table.rows_of(key).iter().for_each(|row| unmatched[*row as usize] = false);
        }
        let mut rows = (0..self.table.null_row()).filter(move |row| unmatched[*row as usize]);
        Box::new(std::iter::from_fn(move || {
            let (mut positions, mut bytes) = (Vec::new(), 0);
            while positions.len() < self.batch_rows
                && bytes < self.batch_bytes
                && let Some(row) = rows.next()
            {
                bytes += self.table.string_bytes(row);
                positions.push(row);
            }
            (!positions.is_empty()).then(|| self.with_null_probe_row(&UInt32Array::from(positions)))
        }))
    }
}

/// The pairs of one probe batch, produced batch by batch, because a probe row may match any number of build rows.
struct ProbePairs<'a> {
    probe: &'a ProbeJoin,
    batch: Batch,
    /// The key of each probe row, as the number that the key has in the table.
    found: Vec<u32>,
    /// The bytes of the strings of each probe row.
    string_bytes: Vec<usize>,
    keeps_unmatched: bool,
    /// The current probe row, and the index of the next build row among those that match it.
    row: usize,
    partner: usize,
    /// The build rows in the window of that probe row, if the join has a window.
    within: Vec<u32>,
}

impl ProbePairs<'_> {
    /// Returns the positions of the next pairs, for about one batch.
    fn next_positions(&mut self) -> PairPositions {
        let ProbeJoin { table, batch_rows: max_rows, batch_bytes: max_bytes, window, .. } = self.probe;
        let (mut probe, mut build, mut bytes) = (Vec::new(), Vec::new(), 0_usize);
        while self.row < self.found.len() && build.len() < *max_rows && bytes < *max_bytes {
            let row = u32::try_from(self.row).unwrap_or(u32::MAX);
            let partners = match (self.found[self.row], window) {
                (GroupTable::NONE, _) if self.keeps_unmatched => &[table.null_row()],
                (GroupTable::NONE, _) => &[][..],
                (key, None) => table.rows_of(key),
                (key, Some(window)) => {
                    if self.partner == 0 {
                        self.within = window.partners(table, key, &self.batch, self.row);
                    }
                    &self.within
                }
            };
            let mut end = self.partner;
            while end < partners.len() && build.len() < *max_rows && (bytes < *max_bytes || end == self.partner) {
                let own = table.string_bytes(partners[end]);
                bytes = bytes.saturating_add(self.string_bytes[self.row]).saturating_add(own);
                build.push(partners[end]);
                end += 1;
            }
            probe.resize(build.len(), row);
            let is_done = end == partners.len();
            self.partner = if is_done { 0 } else { end };
            self.row += usize::from(is_done);
        }
        PairPositions { probe, build }
    }

    fn batch_of(&self, positions: PairPositions) -> Result<Batch> {
        let rows = positions.build.len();
        let is_one_to_one = rows == self.batch.rows() && positions.probe.iter().zip(0..).all(|(row, own)| *row == own);
        let (probe, build) = (UInt32Array::from(positions.probe), UInt32Array::from(positions.build));
        let column = |output: &JoinedColumn| match output {
            JoinedColumn::Probe(column) if is_one_to_one => Ok(self.batch.column(column.index).clone()),
            JoinedColumn::Probe(column) => self.batch.column(column.index).take(&probe),
            JoinedColumn::Build(column) => self.probe.table.column(*column, &build),
        };
        Ok(Batch::new(self.probe.output.iter().map(column).collect::<Result<_>>()?, rows))
    }
}

impl Iterator for ProbePairs<'_> {
    type Item = Result<Batch>;

    fn next(&mut self) -> Option<Self::Item> {
        let positions = self.next_positions();
        (!positions.build.is_empty()).then(|| self.batch_of(positions))
    }
}

/// Pairs, as positions in the probe batch and in the table.
struct PairPositions {
    probe: Vec<u32>,
    build: Vec<u32>,
}
