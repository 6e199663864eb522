//! Window functions: columns that depend on other rows, computed on the rows in order.
//!
//! `running` has the functions that look at the rows so far (`row_number` and its kin), `neighbor` those that look at
//! one other row (`prev`, `next`). Rows are held back as far as `next` looks ahead.

mod neighbor;
mod running;

use std::sync::Arc;

use crate::diagnostic::{Error, Result};
use crate::exec::context::ExecContext;
use crate::expr::evaluate;
use crate::memory::Reservation;
use crate::plan::{Window, WindowCall, WindowFunction};
use crate::types::{Batch, Column, Type, Value};

use neighbor::Neighbors;
use running::Running;

/// The window functions of one node.
#[derive(Debug)]
pub struct WindowStage {
    plan: Window,
    context: ExecContext,
}

impl WindowStage {
    /// The stage for `plan`; the input of `plan` is not used.
    #[must_use]
    pub fn new(plan: &Window, context: &ExecContext) -> Arc<Self> {
        Arc::new(Self { plan: plan.clone(), context: context.clone() })
    }

    /// Starts before the first row.
    pub fn start(&self) -> WindowRun<'_> {
        let running = self.plan.calls.iter().filter_map(Running::of).collect();
        let neighbors = Neighbors::new(&self.plan);
        WindowRun {
            stage: self,
            running,
            neighbors,
            segment: None,
            held: None,
            reservation: self.context.memory.reservation(),
        }
    }
}

/// The state of the functions between two batches.
#[derive(Debug)]
pub struct WindowRun<'a> {
    stage: &'a WindowStage,
    /// One for each call that looks at the rows so far, in order.
    running: Vec<Running>,
    neighbors: Neighbors,
    /// The segment of the last row.
    segment: Option<Value>,
    /// Rows that wait for the rows that `next` looks at, with the columns of [`Self::running`].
    held: Option<Batch>,
    reservation: Reservation,
}

impl WindowRun<'_> {
    /// Returns the rows that are complete once `batch` is known.
    pub fn push(&mut self, batch: &Batch) -> Result<Batch> {
        let begins = self.segment_begins(batch)?;
        let own = self.run(batch, &begins)?;
        let columns = batch.columns().iter().cloned().chain(own).collect();
        let new = Batch::new(columns, batch.rows());
        self.neighbors.push(batch, &begins, &self.stage.context)?;
        let held = match self.held.take() {
            Some(held) => Batch::concat(&self.held_types(), &[held, new])?,
            None => new,
        };
        let ready = held.rows().saturating_sub(self.neighbors.ahead());
        self.emit(&held, ready)
    }

    /// Returns the rows that are left after the last batch.
    pub fn finish(&mut self) -> Result<Option<Batch>> {
        match self.held.take() {
            Some(held) => self.emit(&held, held.rows()).map(Some),
            None => Ok(None),
        }
    }

    /// Returns the first `ready` rows of `held` and keeps the others.
    fn emit(&mut self, held: &Batch, ready: usize) -> Result<Batch> {
        let neighbors = self.neighbors.take(ready)?;
        if ready < held.rows() {
            self.held = Some(held.slice(ready, held.rows() - ready).compacted());
        }
        let kept = self.held.as_ref().map_or(0, Batch::bytes) + self.neighbors.bytes();
        self.reservation.set(kept);
        if self.reservation.exceeds_alone() {
            return Err(self.stage.context.memory.exceeded("a window function", kept));
        }
        Ok(self.assemble(&held.slice(0, ready), neighbors))
    }

    /// The input columns of `rows`, then the columns of all calls in order.
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

    /// The types of the columns of `held`.
    fn held_types(&self) -> Vec<Type> {
        let plan = &self.stage.plan;
        let input = plan.input.schema().fields().iter().map(|field| field.ty);
        let is_neighbor = |function: &WindowFunction| matches!(function, WindowFunction::Neighbor { .. });
        input.chain(plan.calls.iter().filter(|call| !is_neighbor(&call.function)).map(WindowCall::ty)).collect()
    }

    /// The columns of the calls that look at the rows so far.
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
            Ok(running.column(term.as_ref(), batch.rows(), &begins))
        };
        self.running.iter_mut().zip(calls).map(column).collect()
    }

    /// For each row whether a segment begins there; empty if there are no segments.
    fn segment_begins(&mut self, batch: &Batch) -> Result<Vec<bool>> {
        let Some(segment) = &self.stage.plan.segment else { return Ok(Vec::new()) };
        let column = evaluate(segment, batch, &self.stage.context.eval)?;
        if column.ty() != Type::Long {
            return Err(Error::internal("segments are numbered"));
        }
        let mut begins = Vec::with_capacity(batch.rows());
        let mut last = self.segment.as_ref().and_then(Value::as_i64);
        for row in 0..batch.rows() {
            let own = column.i64_at(row);
            begins.push(last.is_some() && own != last);
            last = own;
        }
        self.segment = last.map(Value::Long);
        Ok(begins)
    }
}
