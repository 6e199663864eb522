//! Pipelines: partitions in order, the operators that run inside each of them, and the stages that follow a row limit.
//!
//! Operators run inside the partitions, in parallel, until a limit needs the rows in order: from there on, the rows
//! pass through serial stages on the thread of the caller.

use std::sync::Arc;

use super::context::ExecContext;
use super::operator::{OperatorPartition, RowOperator, timed_operator, timed_partitions};
use super::scheduler::{self, Flow};
use super::sequence::{SequenceRun, SequenceStage};
use super::window::{WindowRun, WindowStage};
use crate::diagnostic::Result;
use crate::memory::Reservation;
use crate::scan::{BatchIterator, MemoryTable, Partition, ScanColumn, TableProvider};
use crate::types::{Batch, Schema};

/// A source of rows in order, and what is done with them.
#[derive(Debug)]
pub(super) struct ExecPipeline {
    partitions: Vec<Arc<dyn Partition>>,
    /// The operators that run inside each partition.
    operators: Vec<Arc<dyn RowOperator>>,
    /// The stages that run on the thread of the caller, over the rows of all partitions in order.
    serial: Vec<SerialStage>,
    /// The memory reserved for the rows that the partitions read.
    reservations: Vec<Reservation>,
    /// True if the first partition probably has all rows that are needed: the others start only after it is done.
    is_first_enough: bool,
}

#[derive(Debug)]
enum SerialStage {
    Limit(usize),
    Operator(Arc<dyn RowOperator>),
    /// Emits the rows that an operator still has after the last row.
    Flush(Arc<dyn RowOperator>),
    /// Window functions, such as `row_number()`.
    Window(Arc<WindowStage>),
    /// The operator `scan`.
    Sequence(Arc<SequenceStage>),
}

impl ExecPipeline {
    /// Returns a pipeline of these partitions, without operators.
    pub fn of(partitions: Vec<Arc<dyn Partition>>) -> Self {
        Self {
            partitions: timed_partitions(partitions),
            operators: Vec::new(),
            serial: Vec::new(),
            reservations: Vec::new(),
            is_first_enough: false,
        }
    }

    /// Returns a pipeline of rows in memory.
    pub fn in_memory(schema: &Schema, batches: Vec<Batch>, context: &ExecContext) -> Result<Self> {
        let columns = (0..schema.len()).map(ScanColumn::Column).collect();
        let max_bytes = context.memory.batch_bytes();
        let batches = batches.into_iter().flat_map(|batch| batch.pieces(max_bytes)).collect();
        MemoryTable::new(schema.clone(), batches).scan(&context.scan_request(columns)).map(Self::of)
    }

    /// Returns a pipeline of the rows of all `pipelines`, one after the other; each of them must be parallel.
    pub fn concat(pipelines: Vec<Self>) -> Self {
        let (mut partitions, mut reservations) = (Vec::new(), Vec::new());
        for pipeline in pipelines {
            debug_assert!(pipeline.is_parallel());
            partitions.extend(pipeline.partitions_with_operators());
            reservations.extend(pipeline.reservations);
        }
        Self { reservations, ..Self::of(partitions) }
    }

    /// Keeps `reservation` as long as the pipeline exists.
    pub fn holding(mut self, reservation: Reservation) -> Self {
        self.reservations.push(reservation);
        self
    }

    /// Appends an operator: inside the partitions, or to the serial stages if there are any.
    pub fn then(mut self, operator: Arc<dyn RowOperator>) -> Self {
        let operator = timed_operator(operator);
        if self.is_parallel() {
            self.operators.push(operator);
        } else {
            self.serial.push(SerialStage::Operator(operator));
        }
        self
    }

    /// Appends a stage that emits the rows that `operator` still has after the last row. `operator` is already part of
    /// the pipeline.
    pub fn then_flush(mut self, operator: Arc<dyn RowOperator>) -> Self {
        self.serial.push(SerialStage::Flush(operator));
        self
    }

    /// Appends window functions, which need the rows in order.
    pub fn in_order(mut self, stage: Arc<WindowStage>) -> Self {
        self.serial.push(SerialStage::Window(stage));
        self
    }

    /// Appends the operator `scan`, which needs the rows in order.
    pub fn sequences(mut self, stage: Arc<SequenceStage>) -> Self {
        self.serial.push(SerialStage::Sequence(stage));
        self
    }

    /// Appends a limit of `count` rows. With `is_first_enough`, the first partition runs alone before the others start.
    pub fn limited(mut self, count: usize, is_first_enough: bool) -> Self {
        self.is_first_enough = self.is_parallel() && is_first_enough;
        self.serial.push(SerialStage::Limit(count));
        self
    }

    /// True if no row has to pass through the thread of the caller.
    pub fn is_parallel(&self) -> bool {
        self.serial.is_empty()
    }

    /// Returns the partitions with their operators; None if rows must pass through the thread of the caller.
    pub fn parallel_partitions(&self) -> Option<Vec<Arc<dyn Partition>>> {
        self.is_parallel().then(|| self.partitions_with_operators())
    }

    /// Calls `consume` with every batch in order, until `consume` returns a break.
    pub fn run(&self, context: &ExecContext, consume: &mut dyn FnMut(Batch) -> Result<Flow>) -> Result<()> {
        let mut stages = SerialStages::new(&self.serial);
        let partitions = self.partitions_with_operators();
        let (first, others) = partitions.split_at(usize::from(self.is_first_enough).min(partitions.len()));
        for partitions in [first, others] {
            if !stages.are_done() {
                scheduler::for_each_batch(partitions, context, &mut |batch| stages.push(0, batch, consume))?;
            }
        }
        stages.flush(consume)
    }

    fn partitions_with_operators(&self) -> Vec<Arc<dyn Partition>> {
        if self.operators.is_empty() {
            return self.partitions.clone();
        }
        let partition = |input: &Arc<dyn Partition>| {
            Arc::new(OperatorPartition::new(Arc::clone(input), self.operators.clone())) as Arc<dyn Partition>
        };
        self.partitions.iter().map(partition).collect()
    }
}

/// A serial stage and its state while the pipeline runs.
enum RunningStage<'a> {
    /// The number of rows that the limit still lets through.
    Limit(usize),
    Operator(&'a Arc<dyn RowOperator>),
    Flush(&'a Arc<dyn RowOperator>),
    Window(Box<WindowRun<'a>>),
    Sequence(Box<SequenceRun<'a>>),
}

impl<'a> RunningStage<'a> {
    fn start(stage: &'a SerialStage) -> Self {
        match stage {
            SerialStage::Limit(count) => Self::Limit(*count),
            SerialStage::Operator(operator) => Self::Operator(operator),
            SerialStage::Flush(operator) => Self::Flush(operator),
            SerialStage::Window(stage) => Self::Window(Box::new(stage.start())),
            SerialStage::Sequence(stage) => Self::Sequence(Box::new(stage.start())),
        }
    }
}

impl RunningStage<'_> {
    /// Returns the next rows of a stage that can hold rows back; None if none are ready.
    fn next_batch(&mut self) -> Result<Option<Batch>> {
        match self {
            Self::Window(run) => run.next_batch(),
            Self::Sequence(run) => run.next_batch(),
            Self::Limit(_) | Self::Operator(_) | Self::Flush(_) => Ok(None),
        }
    }
}

/// The serial stages of a running pipeline.
struct SerialStages<'a> {
    stages: Vec<RunningStage<'a>>,
    /// All stages before this index need no more rows.
    done: usize,
}

impl<'a> SerialStages<'a> {
    fn new(serial: &'a [SerialStage]) -> Self {
        let is_empty_limit = |stage: &SerialStage| matches!(stage, SerialStage::Limit(0));
        let done = serial.iter().rposition(is_empty_limit).map_or(0, |index| index + 1);
        Self { stages: serial.iter().map(RunningStage::start).collect(), done }
    }

    /// True if the pipeline needs no more rows from its partitions.
    fn are_done(&self) -> bool {
        self.done > 0
    }

    /// Passes rows through the stages from `index` on, and the result to `consume`.
    fn push(&mut self, index: usize, batch: Batch, consume: &mut dyn FnMut(Batch) -> Result<Flow>) -> Result<Flow> {
        if batch.rows() == 0 {
            return Ok(Flow::Continue(()));
        }
        let Some(stage) = self.stages.get_mut(index) else {
            let flow = consume(batch)?;
            if flow.is_break() {
                self.done = index;
            }
            return Ok(flow);
        };
        match stage {
            RunningStage::Limit(remaining) => {
                let rows = batch.rows().min(*remaining);
                *remaining -= rows;
                let is_last = *remaining == 0;
                let batch = if rows == batch.rows() { batch } else { batch.slice(0, rows) };
                let flow = self.push(index + 1, batch, consume)?;
                if is_last {
                    self.done = self.done.max(index + 1);
                }
                Ok(if is_last { Flow::Break(()) } else { flow })
            }
            RunningStage::Operator(operator) => {
                let operator: &'a Arc<dyn RowOperator> = operator;
                self.push_all(index + 1, operator.stream(batch), consume)
            }
            RunningStage::Flush(_) => self.push(index + 1, batch, consume),
            RunningStage::Window(run) => {
                run.push(&batch)?;
                self.push_ready(index, consume)
            }
            RunningStage::Sequence(run) => {
                run.push(batch);
                self.push_ready(index, consume)
            }
        }
    }

    /// Passes the rows that the stage at `index` has ready to the next stage.
    fn push_ready(&mut self, index: usize, consume: &mut dyn FnMut(Batch) -> Result<Flow>) -> Result<Flow> {
        while let Some(ready) = self.stages[index].next_batch()? {
            if self.push(index + 1, ready, consume)?.is_break() {
                return Ok(Flow::Break(()));
            }
        }
        Ok(Flow::Continue(()))
    }

    fn push_all(
        &mut self,
        index: usize,
        batches: BatchIterator<'_>,
        consume: &mut dyn FnMut(Batch) -> Result<Flow>,
    ) -> Result<Flow> {
        for batch in batches {
            if self.push(index, batch?, consume)?.is_break() {
                return Ok(Flow::Break(()));
            }
        }
        Ok(Flow::Continue(()))
    }

    /// Emits the rows that stages still have after the last row, unless later stages need no more rows.
    fn flush(&mut self, consume: &mut dyn FnMut(Batch) -> Result<Flow>) -> Result<()> {
        for index in 0..self.stages.len() {
            if index < self.done {
                continue;
            }
            match &mut self.stages[index] {
                RunningStage::Flush(operator) => {
                    let operator: &'a Arc<dyn RowOperator> = operator;
                    let _ = self.push_all(index + 1, operator.flush(), consume)?;
                }
                RunningStage::Window(run) => {
                    run.end();
                    let _ = self.push_ready(index, consume)?;
                }
                RunningStage::Sequence(run) => {
                    run.end();
                    let _ = self.push_ready(index, consume)?;
                }
                RunningStage::Limit(_) | RunningStage::Operator(_) => {}
            }
        }
        Ok(())
    }
}
