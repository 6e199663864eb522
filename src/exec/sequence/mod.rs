//! The operator `scan`: follows sequences of steps through the rows, in their order.
//!
//! Source: the reference's page on the scan operator, section "Matching logic". A record is tested against the steps
//! from the last one to the first. It can match a step with the state of the previous step, whose sequence then moves
//! on to this step, or with the state of the step itself. The first step begins a sequence if it has none.
//!
//! The time is linear in the number of rows and steps. Parts of expressions that read only the current row are computed
//! for whole batches ([`compile`]), other parts for more and more rows until the state changes ([`lookahead`]).

mod batch;
mod compile;
mod lookahead;
mod output;
mod states;

use std::collections::VecDeque;
use std::sync::Arc;

use arrow::array::UInt32Array;

use crate::diagnostic::{Error, Result};
use crate::exec::context::ExecContext;
use crate::exec::operator::{halves, mask};
use crate::memory::Reservation;
use crate::plan::{RecordColumn, Sequence, StepOutput};
use crate::types::{Batch, Value};

use batch::CurrentBatch;
use compile::CompiledSteps;
use lookahead::Lookahead;
use output::{MatchedRecord, OutputRecords};
use states::StepStates;

/// The operator `scan` of a plan, with its prepared expressions.
#[derive(Debug)]
pub struct SequenceStage {
    plan: Sequence,
    compiled: CompiledSteps,
    context: ExecContext,
}

impl SequenceStage {
    /// Returns the stage for `plan`; of its input, only the columns are used.
    #[must_use]
    pub fn new(plan: &Sequence, context: &ExecContext) -> Arc<Self> {
        Arc::new(Self { plan: plan.clone(), compiled: CompiledSteps::new(plan), context: context.clone() })
    }

    /// Returns the state of the scan before the first row.
    pub fn start(&self) -> SequenceRun<'_> {
        let steps = self.plan.steps.len();
        SequenceRun {
            stage: self,
            states: StepStates::new(&self.plan),
            own_checks: (0..steps).map(|_| Lookahead::default()).collect(),
            promotion_checks: (0..steps).map(|_| Lookahead::default()).collect(),
            last: vec![None; steps],
            carried: None,
            waiting: VecDeque::new(),
            current: None,
            segment: Vec::new(),
            output: OutputRecords::new(&self.plan),
            is_ended: false,
            reservation: self.context.memory.reservation(),
        }
    }
}

/// The state of the operator `scan` between two rows.
#[derive(Debug)]
pub struct SequenceRun<'a> {
    stage: &'a SequenceStage,
    states: StepStates,
    /// For each step, the results of its condition with its own state.
    own_checks: Vec<Lookahead>,
    /// For each step, the results of its condition with the state of the previous step.
    promotion_checks: Vec<Lookahead>,
    /// For each step with `output=last`, the record to be returned when the series of that step ends.
    last: Vec<Option<MatchedRecord>>,
    /// The rows of the records in `last`, between two batches.
    carried: Option<Batch>,
    /// Batches whose rows have not been evaluated at all.
    waiting: VecDeque<Batch>,
    current: Option<CurrentBatch>,
    /// The numbers of the segment of the last row; empty before the first row.
    segment: Vec<Option<i64>>,
    output: OutputRecords,
    /// True once no more rows follow.
    is_ended: bool,
    reservation: Reservation,
}

impl SequenceRun<'_> {
    /// Adds rows of the input; [`Self::next_batch`] returns the records that match.
    pub fn push(&mut self, batch: Batch) {
        self.waiting.push_back(batch);
    }

    /// Returns the next records that match, among the rows so far; None if there are no more.
    pub fn next_batch(&mut self) -> Result<Option<Batch>> {
        let context = &self.stage.context;
        let (max_rows, max_bytes) = (context.batch_rows, context.memory.batch_bytes());
        loop {
            let Some(mut current) = self.current.take() else {
                let Some(batch) = self.waiting.pop_front() else {
                    return if std::mem::take(&mut self.is_ended) { self.finish() } else { Ok(None) };
                };
                self.begin(&batch)?;
                continue;
            };
            while current.row < current.rows() && !self.output.is_full(max_rows, max_bytes) {
                self.match_row(&current)?;
                current.row += 1;
            }
            let ready = self.output.take(&current.records)?;
            if current.row < current.rows() {
                self.current = Some(current);
            } else {
                self.end_batch(&current)?;
            }
            if ready.is_some() {
                return Ok(ready);
            }
        }
    }

    /// Marks the end of the input: no more rows follow.
    pub fn end(&mut self) {
        self.is_ended = true;
    }

    /// Returns the records that are left after the last row.
    fn finish(&mut self) -> Result<Option<Batch>> {
        self.end_sequences()?;
        match self.carried.take() {
            Some(rows) => self.output.take(&rows),
            None => Ok(None),
        }
    }

    /// Prepares the rows of a batch; one half after the other, if a column for all of them is too large.
    fn begin(&mut self, batch: &Batch) -> Result<()> {
        let stage = self.stage;
        match CurrentBatch::new(batch, &stage.plan, &stage.compiled, &stage.context.eval) {
            Err(Error::BatchTooLarge(_)) if batch.rows() > 1 => {
                halves(batch).into_iter().rev().for_each(|half| self.waiting.push_front(half));
            }
            current => {
                let carried = self.carried.take();
                self.current = Some(current?.after(carried, &stage.plan)?);
            }
        }
        Ok(())
    }

    /// Keeps the rows of the records that may still be returned after the end of this batch.
    fn end_batch(&mut self, current: &CurrentBatch) -> Result<()> {
        self.own_checks.iter_mut().chain(&mut self.promotion_checks).for_each(Lookahead::end_batch);
        let mut records: Vec<&mut MatchedRecord> = self.last.iter_mut().rev().flatten().collect();
        records.sort_by_key(|record| record.row);
        let mut rows = Vec::with_capacity(records.len());
        for record in records {
            rows.push(u32::try_from(record.row).map_err(|_| Error::internal("a batch has too many rows"))?);
            record.row = rows.len() - 1;
        }
        if !rows.is_empty() {
            self.carried = Some(current.records.take(&UInt32Array::from(rows))?.compacted());
        }
        self.reserve()
    }

    fn reserve(&mut self) -> Result<()> {
        let bytes = self.states.bytes() + self.carried.as_ref().map_or(0, Batch::bytes);
        self.reservation.set(bytes);
        if self.reservation.exceeds_alone() {
            return Err(self.stage.context.memory.exceeded("`scan`", bytes));
        }
        Ok(())
    }

    /// Tests the current row against all steps, from the last one to the first.
    fn match_row(&mut self, current: &CurrentBatch) -> Result<()> {
        if !current.segment().eq(self.segment.iter().copied()) {
            if !self.segment.is_empty() {
                self.end_sequences()?;
            }
            self.segment = current.segment().collect();
        }
        for step in (0..self.stage.plan.steps.len()).rev() {
            if !current.may_match(step) {
                continue;
            }
            if step > 0 && self.states.is_active(step - 1) && self.holds(current, step, step - 1)? {
                self.promote(step)?;
                self.matched(current, step)?;
            } else if (step == 0 || self.states.is_active(step)) && self.holds(current, step, step)? {
                if !self.states.is_active(step) {
                    self.states.begin();
                }
                self.matched(current, step)?;
            }
        }
        Ok(())
    }

    /// True if the current row meets the condition of `step` with the state of the step `of`.
    fn holds(&mut self, current: &CurrentBatch, step: usize, of: usize) -> Result<bool> {
        let Some(condition) = &self.stage.compiled.steps[step].condition else { return Ok(true) };
        let (state, context) = (self.states.values(of), &self.stage.context.eval);
        let checks = if of == step { &mut self.own_checks } else { &mut self.promotion_checks };
        checks[step].at(current.row, current.rows(), &|first, rows| {
            mask(&condition.evaluate(&current.row_batch, first..first + rows, state, context)?)
        })
    }

    /// Moves the sequence of the previous step on to `step`. That ends the current series of records of both steps.
    fn promote(&mut self, step: usize) -> Result<()> {
        self.end_series(step)?;
        self.end_series(step - 1)?;
        self.states.promote(step);
        self.own_checks[step - 1].reset();
        self.state_changed(step);
        Ok(())
    }

    /// Ends the series of a step, and returns its last record if the step has `output=last`.
    fn end_series(&mut self, step: usize) -> Result<()> {
        match self.last[step].take() {
            Some(record) => self.output.push(&record),
            None => Ok(()),
        }
    }

    fn state_changed(&mut self, step: usize) {
        self.own_checks[step].reset();
        if let Some(next) = self.promotion_checks.get_mut(step + 1) {
            next.reset();
        }
    }

    /// Adds the current row to the series of `step`, and updates the state of the step.
    fn matched(&mut self, current: &CurrentBatch, step: usize) -> Result<()> {
        let record = self.record(current, step)?;
        let (plan, compiled) = (&self.stage.plan, &self.stage.compiled);
        let bytes = self.states.bytes();
        for (position, state) in plan.state.iter().enumerate().filter(|(_, state)| state.step == step) {
            let value = match state.column {
                RecordColumn::Input(column) => current.records.column(column).value(record.row),
                RecordColumn::Declared(declared) => record.declared[declared].clone(),
            };
            self.states.set(step, position, value);
        }
        if compiled.steps[step].reads_own {
            self.own_checks[step].reset();
        }
        if compiled.steps.get(step + 1).is_some_and(|next| next.reads_previous) {
            self.promotion_checks[step + 1].reset();
        }
        match plan.steps[step].output {
            StepOutput::All => self.output.push(&record)?,
            StepOutput::Last => self.last[step] = Some(record),
            StepOutput::None => {}
        }
        if self.states.bytes() == bytes { Ok(()) } else { self.reserve() }
    }

    /// Returns the record of the current row, with the values that `step` assigns.
    fn record(&self, current: &CurrentBatch, step: usize) -> Result<MatchedRecord> {
        let (plan, context) = (&self.stage.plan, &self.stage.context.eval);
        let state = self.states.values(step);
        let mut declared: Vec<Value> = plan.defaults.clone();
        for (assignment, value) in plan.steps[step].assignments.iter().zip(&self.stage.compiled.steps[step].values) {
            declared[assignment.declared] = value.value_at(&current.row_batch, current.row, state, context)?;
        }
        Ok(MatchedRecord { row: current.record(), declared, match_id: self.states.match_id(step) })
    }

    /// Ends all sequences. The last records of their series are returned in the order of the rows.
    fn end_sequences(&mut self) -> Result<()> {
        let mut records: Vec<MatchedRecord> = self.last.iter_mut().rev().filter_map(Option::take).collect();
        records.sort_by_key(|record| record.row);
        records.iter().try_for_each(|record| self.output.push(record))?;
        self.states.end_all();
        self.own_checks.iter_mut().chain(&mut self.promotion_checks).for_each(Lookahead::reset);
        Ok(())
    }
}
