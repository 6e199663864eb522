//! Rows that stream past the held side of a join.

use std::sync::atomic::{AtomicBool, Ordering};

use arrow::array::{BooleanArray, UInt32Array};

use super::Operator;
use crate::diagnostic::Result;
use crate::exec::ExecContext;
use crate::exec::group_table::GroupTable;
use crate::exec::sink::JoinTable;
use crate::expr::{Expr, evaluate};
use crate::functions::EvalContext;
use crate::plan::{Join, JoinKind};
use crate::scan::BatchIterator;
use crate::types::{Batch, Column, Type, Value};

/// Finds for each row the rows of a [`JoinTable`] with the same keys.
#[derive(Debug)]
pub struct ProbeJoin {
    table: JoinTable,
    keys: Vec<Expr>,
    output: Vec<JoinedColumn>,
    rows: Rows,
    context: EvalContext,
    batch_rows: usize,
    batch_bytes: usize,
}

/// Which rows come out.
#[derive(Debug)]
enum Rows {
    /// A row for each pair.
    Pairs {
        /// Rows that stream past come out without a match, too.
        pad: bool,
        /// The keys that were met, where the rest of the held rows is wanted.
        met: Option<Vec<AtomicBool>>,
    },
    /// The rows that stream past, if they have a match, or if they have none.
    Having(bool),
}

/// A column that comes out.
#[derive(Clone, Copy, Debug)]
pub enum JoinedColumn {
    /// A column of the rows that stream past.
    Streamed(usize, Type),
    /// A column of the table.
    Held(usize),
}

impl ProbeJoin {
    /// The join of `plan`, whose side to be held in memory is `table`. `keys` and `output` are about the rows that stream
    /// past and the columns of the table.
    #[must_use]
    pub fn new(
        plan: &Join,
        table: JoinTable,
        keys: Vec<Expr>,
        output: Vec<JoinedColumn>,
        context: &ExecContext,
    ) -> Self {
        let streamed = plan.build.other();
        let rows = match plan.kind {
            JoinKind::LeftSemi | JoinKind::RightSemi => Rows::Having(true),
            JoinKind::LeftAnti | JoinKind::RightAnti => Rows::Having(false),
            kind => Rows::Pairs {
                pad: kind.pads(streamed),
                met: kind.pads(plan.build).then(|| (0..table.keys()).map(|_| AtomicBool::new(false)).collect()),
            },
        };
        let (batch_rows, batch_bytes) = (context.batch_rows, context.memory.batch_bytes());
        Self { table, keys, output, rows, context: context.eval.clone(), batch_rows, batch_bytes }
    }

    /// True where held rows may be left that no row matched.
    #[must_use]
    pub fn has_rest(&self) -> bool {
        matches!(self.rows, Rows::Pairs { met: Some(_), .. })
    }

    /// The key of each row, as the table numbers it.
    fn find(&self, batch: &Batch) -> Result<Vec<u32>> {
        let keys = self.keys.iter().map(|key| evaluate(key, batch, &self.context)).collect::<Result<Vec<_>>>()?;
        let mut found = Vec::new();
        self.table.find(&keys, batch.rows(), &mut found)?;
        Ok(found)
    }

    fn start(&self, batch: Batch) -> Result<BatchIterator<'_>> {
        let found = self.find(&batch)?;
        match &self.rows {
            Rows::Having(wanted) => {
                let mask: BooleanArray = found.iter().map(|key| Some((*key != GroupTable::NONE) == *wanted)).collect();
                let batch = Batch::new(self.streamed(&batch), batch.rows());
                Ok(Box::new(std::iter::once(batch.filter(&mask))))
            }
            Rows::Pairs { pad, met } => {
                if let Some(met) = met {
                    let hits = found.iter().filter(|key| **key != GroupTable::NONE);
                    hits.for_each(|key| met[*key as usize].store(true, Ordering::Relaxed));
                }
                let bytes = self.streamed_bytes(&batch);
                Ok(Box::new(Pairs { probe: self, batch, found, bytes, pad: *pad, row: 0, partner: 0 }))
            }
        }
    }

    /// By row, the bytes of the strings that each of its pairs repeats.
    fn streamed_bytes(&self, batch: &Batch) -> Vec<usize> {
        let streamed = self.output.iter().filter_map(|output| match output {
            JoinedColumn::Streamed(column, _) => Some(*column),
            JoinedColumn::Held(_) => None,
        });
        batch.project(&streamed.collect::<Vec<_>>()).text_bytes_of_rows()
    }

    /// The output columns of a join that answers rows that stream past.
    fn streamed(&self, batch: &Batch) -> Vec<Column> {
        let column = |output: &JoinedColumn| match output {
            JoinedColumn::Streamed(column, _) => Some(batch.column(*column).clone()),
            JoinedColumn::Held(_) => None,
        };
        self.output.iter().filter_map(column).collect()
    }
}

impl Operator for ProbeJoin {
    fn process(&self, batch: Batch) -> Result<Vec<Batch>> {
        self.start(batch)?.collect()
    }

    fn stream(&self, batch: Batch) -> BatchIterator<'_> {
        self.start(batch).unwrap_or_else(|error| Box::new(std::iter::once(Err(error))))
    }

    fn rest(&self) -> BatchIterator<'_> {
        let Rows::Pairs { met: Some(met), .. } = &self.rows else { return Box::new(std::iter::empty()) };
        let mut left = vec![true; self.table.null_row() as usize];
        for (key, _) in met.iter().enumerate().filter(|(_, met)| met.load(Ordering::Relaxed)) {
            let key = u32::try_from(key).unwrap_or(GroupTable::NONE);
            self.table.rows_of(key).iter().for_each(|row| left[*row as usize] = false);
        }
        let mut rows = (0..self.table.null_row()).filter(move |row| left[*row as usize]);
        Box::new(std::iter::from_fn(move || {
            let (mut positions, mut bytes) = (Vec::new(), 0);
            while positions.len() < self.batch_rows
                && bytes < self.batch_bytes
                && let Some(row) = rows.next()
            {
                bytes += self.table.text_bytes(row);
                positions.push(row);
            }
            (!positions.is_empty()).then(|| self.beside_nulls(&UInt32Array::from(positions)))
        }))
    }
}

impl ProbeJoin {
    fn beside_nulls(&self, positions: &UInt32Array) -> Result<Batch> {
        let column = |output: &JoinedColumn| match output {
            JoinedColumn::Streamed(_, ty) => Ok(Column::constant(Value::null(*ty), positions.len())),
            JoinedColumn::Held(column) => self.table.column(*column, positions),
        };
        let columns = self.output.iter().map(column).collect::<Result<_>>()?;
        Ok(Batch::new(columns, positions.len()))
    }
}

/// The pairs of one batch, some at a time: one row may have any number of partners.
struct Pairs<'a> {
    probe: &'a ProbeJoin,
    batch: Batch,
    found: Vec<u32>,
    /// By row, the bytes of its strings.
    bytes: Vec<usize>,
    pad: bool,
    /// The row whose partners are next, and which of them.
    row: usize,
    partner: usize,
}

impl Pairs<'_> {
    /// The next pairs: positions of rows that stream past, and of rows of the table.
    fn next_positions(&mut self) -> (Vec<u32>, Vec<u32>) {
        let most = self.probe.batch_rows;
        let (mut streamed, mut held, mut bytes) = (Vec::new(), Vec::new(), 0_usize);
        while self.row < self.found.len() && held.len() < most && bytes < self.probe.batch_bytes {
            let row = u32::try_from(self.row).unwrap_or(u32::MAX);
            let partners = match self.found[self.row] {
                GroupTable::NONE if self.pad => &[self.probe.table.null_row()],
                GroupTable::NONE => &[][..],
                key => self.probe.table.rows_of(key),
            };
            let mut end = self.partner;
            while end < partners.len() && held.len() < most && (bytes < self.probe.batch_bytes || end == self.partner) {
                bytes = bytes
                    .saturating_add(self.bytes[self.row])
                    .saturating_add(self.probe.table.text_bytes(partners[end]));
                held.push(partners[end]);
                end += 1;
            }
            streamed.resize(held.len(), row);
            let is_done = end == partners.len();
            self.partner = if is_done { 0 } else { end };
            self.row += usize::from(is_done);
        }
        (streamed, held)
    }

    fn batch_of(&self, streamed: Vec<u32>, held: Vec<u32>) -> Result<Batch> {
        let rows = held.len();
        let one_each = rows == self.batch.rows() && streamed.iter().zip(0..).all(|(row, place)| *row == place);
        let (streamed, held) = (UInt32Array::from(streamed), UInt32Array::from(held));
        let column = |output: &JoinedColumn| match output {
            JoinedColumn::Streamed(column, _) if one_each => Ok(self.batch.column(*column).clone()),
            JoinedColumn::Streamed(column, _) => self.batch.column(*column).take(&streamed),
            JoinedColumn::Held(column) => self.probe.table.column(*column, &held),
        };
        Ok(Batch::new(self.probe.output.iter().map(column).collect::<Result<_>>()?, rows))
    }
}

impl Iterator for Pairs<'_> {
    type Item = Result<Batch>;

    fn next(&mut self) -> Option<Self::Item> {
        let (streamed, held) = self.next_positions();
        (!held.is_empty()).then(|| self.batch_of(streamed, held))
    }
}
