//! Window functions: columns that depend on other rows, computed on the rows in order.
//!
//! `running` has the functions that depend on the rows so far (such as `row_number`), `neighbor` those that look at one
//! other row (`prev`, `next`). As many rows are held back as `next` looks ahead.

mod neighbor;
mod running;

use std::collections::VecDeque;
use std::sync::Arc;

use crate::diagnostic::{Error, Result};
use crate::exec::context::ExecContext;
use crate::expr::evaluate;
use crate::memory::Reservation;
use crate::plan::{Window, WindowCall, WindowFunction};
use crate::types::{Batch, Column, Type};

use neighbor::Neighbors;
use running::Running;

/// The window functions of one plan node.
#[derive(Debug)]
pub struct WindowStage {
    plan: Window,
    context: ExecContext,
}

impl WindowStage {
    /// Returns the stage for `plan`; the input of `plan` is not used.
    #[must_use]
    pub fn new(plan: &Window, context: &ExecContext) -> Arc<Self> {
        Arc::new(Self { plan: plan.clone(), context: context.clone() })
    }

    /// Returns the state before the first row.
    pub fn start(&self) -> WindowRun<'_> {
        let running = self.plan.calls.iter().filter_map(Running::of).collect();
        let neighbors = Neighbors::new(&self.plan);
        WindowRun {
            stage: self,
            running,
            neighbors,
            segment: Vec::new(),
            held: VecDeque::new(),
            held_rows: 0,
            held_bytes: 0,
            is_ended: false,
            reservation: self.context.memory.reservation(),
        }
    }
}

/// The state of the functions between two batches.
#[derive(Debug)]
pub struct WindowRun<'a> {
    stage: &'a WindowStage,
    /// The functions that depend on the rows so far, in the order of their calls.
    running: Vec<Running>,
    neighbors: Neighbors,
    /// The numbers of the segment of the last row; empty before the first row.
    segment: Vec<Option<i64>>,
    /// The rows that are held back until the rows that `next` looks at arrive, with the columns of [`Self::running`].
    held: VecDeque<Batch>,
    held_rows: usize,
    held_bytes: usize,
    /// True once no more rows follow.
    is_ended: bool,
    reservation: Reservation,
}

impl WindowRun<'_> {
    /// Adds rows of the input; [`Self::next_batch`] returns them once they are complete.
    pub fn push(&mut self, batch: &Batch) -> Result<()> {
        let begins = self.segment_begins(batch)?;
        let own = self.run(batch, &begins)?;
        let columns = batch.columns().iter().cloned().chain(own).collect();
        let new = Batch::new(columns, batch.rows());
        self.neighbors.push(batch, &begins, &self.stage.context)?;
        let new = if self.neighbors.ahead() > 0 { new.compacted() } else { new };
        self.held_rows += new.rows();
        self.held_bytes += new.bytes();
        self.held.push_back(new);
        Ok(())
    }

    /// Marks the end of the input: no more rows follow.
    pub fn end(&mut self) {
        self.is_ended = true;
    }

    /// Returns the next rows whose columns are all known; None if there are none.
    pub fn next_batch(&mut self) -> Result<Option<Batch>> {
        let ahead = if self.is_ended { 0 } else { self.neighbors.ahead() };
        let complete = self.held_rows.saturating_sub(ahead);
        let first = if complete > 0 { self.held.pop_front() } else { None };
        let Some(first) = first else {
            self.reserve()?;
            return Ok(None);
        };
        let rows = first.rows().min(complete);
        let columns = self.neighbors.take(rows)?;
        let ready = self.assemble(&first.slice(0, rows), columns);
        self.held_rows -= rows;
        self.held_bytes -= first.bytes();
        if rows < first.rows() {
            let rest = first.slice(rows, first.rows() - rows);
            self.held_bytes += rest.bytes();
            self.held.push_front(rest);
        }
        Ok(Some(ready))
    }

    fn reserve(&mut self) -> Result<()> {
        let kept = self.held_bytes + self.neighbors.bytes();
        self.reservation.set(kept);
        if self.reservation.exceeds_alone() {
            return Err(self.stage.context.memory.exceeded("a window function", kept));
        }
        Ok(())
    }

    /// Returns the input columns of `rows`, followed by the columns of all calls in order.
    fn assemble(&self, rows: &Batch, neighbors: Vec<Column>) -> Batch {
        let inputs = rows.columns().len() - self.running.len();
        let mut columns = rows.columns()[..inputs].to_vec();
        let mut running = rows.columns()[inputs..].iter().cloned();
        let mut neighbors = neighbors.into_iter();
        columns.extend(self.stage.plan.calls.iter().filter_map(|call| match call.function {
            WindowFunction::Neighbor { .. } => neighbors.next(),
            _ => running.next(),
        }));
        Batch::new(columns, rows.rows())
    }

    /// Returns the columns of the calls that depend on the rows so far.
    fn run(&mut self, batch: &Batch, begins: &[bool]) -> Result<Vec<Column>> {
        let context = &self.stage.context.eval;
        let is_running = |function: &WindowFunction| !matches!(function, WindowFunction::Neighbor { .. });
        let calls = self.stage.plan.calls.iter().filter(|call| is_running(&call.function));
        let column = |(running, call): (&mut Running, &WindowCall)| {
            let term = call.term.as_ref().map(|term| evaluate(term, batch, context)).transpose()?;
            let restart = call.restart.as_ref().map(|restart| evaluate(restart, batch, context)).transpose()?;
            let begins = |row: usize| {
                begins.get(row).copied().unwrap_or(false)
                    || restart.as_ref().is_some_and(|restart| restart.bool_at(row) == Some(true))
            };
            running.column(term.as_ref(), batch.rows(), &begins).map_err(|error| error.placed(call.span))
        };
        self.running.iter_mut().zip(calls).map(column).collect()
    }

    /// Returns for each row whether a segment begins there; empty if the plan has no segments.
    fn segment_begins(&mut self, batch: &Batch) -> Result<Vec<bool>> {
        let numbers = self.stage.plan.segment.iter();
        let numbers = numbers.map(|number| evaluate(number, batch, &self.stage.context.eval));
        let numbers = numbers.collect::<Result<Vec<_>>>()?;
        if numbers.is_empty() || batch.rows() == 0 {
            return Ok(Vec::new());
        }
        if numbers.iter().any(|column| column.ty() != Type::Long) {
            return Err(Error::internal("segments are numbered"));
        }
        let segment = |row: usize| numbers.iter().map(move |column| column.i64_at(row));
        let begins_at = |row: usize| !segment(row).eq(segment(row - 1));
        let first = !self.segment.is_empty() && !segment(0).eq(self.segment.iter().copied());
        self.segment = segment(batch.rows() - 1).collect();
        Ok(std::iter::once(first).chain((1..batch.rows()).map(begins_at)).collect())
    }
}
