//! Logical plan -> pipelines.
//!
//! A pipeline is partitions, the operators that run inside each of them, and a row limit at its end. Nodes that must
//! see all rows first (aggregate, sort, top) run their input to its end and become a source of their own. A join holds
//! the rows of one side, and is an operator on those of the other.

use std::sync::Arc;

use arrow::array::AsArray;
use arrow::compute;
use arrow::datatypes::Int64Type;

use super::context::ExecContext;
use super::memory::Reservation;
use super::metrics::{self, Meter};
use super::operator::{Filter, JoinedColumn, Operator, OperatorPartition, ProbeJoin, Project, Unnest};
use super::pipeline::{self, Flow};
use super::sink::{self, FirstRows, Grouping, JoinBuild, JoinSide, Sorter};
use crate::diagnostic::Result;
use crate::expr::Expr;
use crate::functions::EvalContext;
use crate::plan::{Join, JoinColumn, JoinKind, LogicalPlan, Scan, ScanFilter};
use crate::scan::{
    BatchIterator, MemoryTable, Partition, RowFilter, ScanColumn, ScanRequest, TableProvider, TimeCoverage, watched,
};
use crate::storage::counters::ScanCounters;
use crate::types::{Batch, Field, Schema, Type};

/// Bytes that a row of a `top` takes, at most as a rule: where so many do not fit the memory, everything is sorted.
const TOP_ROW: usize = 4096;

/// Most rows that one partition is trusted to have.
const FEW_ROWS: usize = 1_024;

/// Partitions in order, a limit on the rows taken from them, and operators behind the limit.
#[derive(Debug)]
pub struct Pipeline {
    partitions: Vec<Arc<dyn Partition>>,
    /// What each partition does with its rows.
    operators: Vec<Arc<dyn Operator>>,
    /// What the caller's thread does with the rows, in order.
    serial: Vec<Serial>,
    /// The memory that the rows take which the partitions read.
    held: Vec<Reservation>,
    /// The first partition is likely to have all rows that are wanted: the others are not begun before it is done.
    is_first_enough: bool,
}

#[derive(Debug)]
enum Serial {
    Limit(usize),
    Operator(Arc<dyn Operator>),
    /// What an operator has to say after the last row.
    Rest(Arc<dyn Operator>),
}

impl Pipeline {
    /// The pipeline of `plan`; runs whatever must be complete before it starts.
    pub fn new(plan: &LogicalPlan, context: &ExecContext) -> Result<Self> {
        Self::below(None, plan, context)
    }

    /// The pipeline of `plan` below a filter for `wanted` rows: it may leave out others.
    fn below(wanted: Option<&Expr>, plan: &LogicalPlan, context: &ExecContext) -> Result<Self> {
        let Some(node) = context.metrics.as_ref().and_then(|metrics| metrics.of(plan)) else {
            return Self::build(wanted, plan, context);
        };
        let _working = metrics::work_for(Some(Arc::clone(node)));
        Ok(Self::build(wanted, plan, context)?.then(Arc::new(Meter(Arc::clone(node)))))
    }

    fn build(wanted: Option<&Expr>, plan: &LogicalPlan, context: &ExecContext) -> Result<Self> {
        match plan {
            LogicalPlan::Scan(scan) => scan_partitions(scan, context).map(Self::of),
            LogicalPlan::Filter { input, predicate } => {
                let filter = Filter::new(predicate.clone(), context);
                let wanted = predicate.is_repeatable().then_some(predicate);
                Ok(Self::below(wanted, input, context)?.then(Arc::new(filter)))
            }
            LogicalPlan::Project { input, expressions, .. } => {
                let project = Project::new(expressions.clone(), context);
                Ok(Self::new(input, context)?.then(Arc::new(project)))
            }
            LogicalPlan::Unnest(unnest) => {
                let input = Self::new(&unnest.input, context)?;
                Ok(input.then(Arc::new(Unnest::new(unnest.clone(), context))))
            }
            LogicalPlan::Limit { input, count } => {
                let mut pipeline = Self::new(input, context)?;
                pipeline.is_first_enough = pipeline.serial.is_empty() && *count <= FEW_ROWS && is_unfiltered(input);
                pipeline.serial.push(Serial::Limit(*count));
                Ok(pipeline)
            }
            LogicalPlan::Aggregate { input, keys, aggregates, .. } => {
                let input = Self::new(input, context)?;
                sink::aggregate(&input, plan.schema(), Grouping { keys, aggregates, wanted }, context)
            }
            LogicalPlan::Sort { input, keys } => sink::sort(&Self::new(input, context)?, input.schema(), keys, context),
            LogicalPlan::Top { input, keys, count } if count.saturating_mul(TOP_ROW) > context.memory.limit() => {
                let mut sorted = sink::sort(&Self::new(input, context)?, input.schema(), keys, context)?;
                sorted.serial.push(Serial::Limit(*count));
                Ok(sorted)
            }
            LogicalPlan::Top { input, keys, count } => {
                let rows = match sink::top_of_columns(input, keys, *count, context)? {
                    Some((rows, held)) => FirstRows::Held(rows, held),
                    None => sink::top(&Self::new(input, context)?, input.schema(), keys, *count, context)?,
                };
                match rows {
                    FirstRows::Held(rows, held) => Ok(in_memory(plan.schema(), rows, context)?.holding(held)),
                    FirstRows::Sorted(mut sorted) => {
                        sorted.serial.push(Serial::Limit(*count));
                        Ok(sorted)
                    }
                }
            }
            LogicalPlan::Union { inputs, schema } => union(inputs, schema, context),
            LogicalPlan::Join(plan) => join(plan, wanted, context),
        }
    }

    /// These partitions.
    pub(super) fn of(partitions: Vec<Arc<dyn Partition>>) -> Self {
        Self {
            partitions: metrics::timed_partitions(partitions),
            operators: Vec::new(),
            serial: Vec::new(),
            held: Vec::new(),
            is_first_enough: false,
        }
    }

    /// The same, with memory that is in use as long as the pipeline is there.
    pub(super) fn holding(mut self, reservation: Reservation) -> Self {
        self.held.push(reservation);
        self
    }

    /// The pipeline with one more operator: inside the partitions, or behind the limit where there is one.
    fn then(mut self, operator: Arc<dyn Operator>) -> Self {
        let operator = metrics::timed_operator(operator);
        if self.serial.is_empty() {
            self.operators.push(operator);
        } else {
            self.serial.push(Serial::Operator(operator));
        }
        self
    }

    /// Calls `consume` with every batch in order, until it breaks off.
    pub fn run(&self, context: &ExecContext, consume: &mut dyn FnMut(Batch) -> Result<Flow>) -> Result<()> {
        let mut stages = Stages::new(&self.serial);
        let partitions = self.whole_partitions();
        let alone = usize::from(self.is_first_enough).min(partitions.len());
        let (first, others) = partitions.split_at(alone);
        for partitions in [first, others] {
            if !stages.are_done() {
                pipeline::for_each_batch(partitions, context, &mut |batch| stages.push(0, batch, consume))?;
            }
        }
        stages.finish(consume)
    }

    /// The partitions, where rows need not pass the caller's thread first.
    pub(super) fn parallel_partitions(&self) -> Option<Vec<Arc<dyn Partition>>> {
        self.serial.is_empty().then(|| self.whole_partitions())
    }

    /// The partitions with what they do with their rows.
    fn whole_partitions(&self) -> Vec<Arc<dyn Partition>> {
        let whole = |input: &Arc<dyn Partition>| {
            Arc::new(OperatorPartition::new(Arc::clone(input), self.operators.clone())) as Arc<dyn Partition>
        };
        let is_whole = self.operators.is_empty();
        self.partitions.iter().map(|input| if is_whole { Arc::clone(input) } else { whole(input) }).collect()
    }
}

/// The serial end of a pipeline, with what is left of each limit.
struct Stages<'a> {
    stages: Vec<(&'a Serial, usize)>,
    /// The stages before this one want no more rows.
    done: usize,
}

impl<'a> Stages<'a> {
    fn new(serial: &'a [Serial]) -> Self {
        let left = |stage: &Serial| match stage {
            Serial::Limit(count) => *count,
            Serial::Operator(_) | Serial::Rest(_) => 0,
        };
        let done = serial.iter().rposition(|stage| matches!(stage, Serial::Limit(0))).map_or(0, |index| index + 1);
        Self { stages: serial.iter().map(|stage| (stage, left(stage))).collect(), done }
    }

    fn are_done(&self) -> bool {
        self.done > 0
    }

    /// Rows through the stages from `index` on.
    fn push(&mut self, index: usize, batch: Batch, consume: &mut dyn FnMut(Batch) -> Result<Flow>) -> Result<Flow> {
        if batch.rows() == 0 {
            return Ok(Flow::Continue(()));
        }
        let Some((stage, left)) = self.stages.get_mut(index) else {
            let flow = consume(batch)?;
            if flow.is_break() {
                self.done = index;
            }
            return Ok(flow);
        };
        match stage {
            Serial::Limit(_) => {
                let rows = batch.rows().min(*left);
                *left -= rows;
                let is_last = *left == 0;
                let batch = if rows == batch.rows() { batch } else { batch.slice(0, rows) };
                let flow = self.push(index + 1, batch, consume)?;
                if is_last {
                    self.done = self.done.max(index + 1);
                }
                Ok(if is_last { Flow::Break(()) } else { flow })
            }
            Serial::Operator(operator) => self.push_all(index + 1, operator.stream(batch), consume),
            Serial::Rest(_) => self.push(index + 1, batch, consume),
        }
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

    /// What operators have to say after the last row, where it is still wanted.
    fn finish(&mut self, consume: &mut dyn FnMut(Batch) -> Result<Flow>) -> Result<()> {
        for index in 0..self.stages.len() {
            if let (Serial::Rest(operator), _) = self.stages[index]
                && index >= self.done
            {
                let _ = self.push_all(index + 1, operator.rest(), consume)?;
            }
        }
        Ok(())
    }
}

/// A source over rows in memory.
pub(super) fn in_memory(schema: &Schema, batches: Vec<Batch>, context: &ExecContext) -> Result<Pipeline> {
    let columns = (0..schema.len()).map(ScanColumn::Column).collect();
    let max_bytes = context.memory.batch_bytes();
    let batches = batches.into_iter().flat_map(|batch| batch.pieces(max_bytes)).collect();
    MemoryTable::new(schema.clone(), batches).scan(&request(columns, context)).map(Pipeline::of)
}

/// One side is read to its end first; the other is what the pipeline reads.
fn join(plan: &Join, wanted: Option<&Expr>, context: &ExecContext) -> Result<Pipeline> {
    let built = plan.input(plan.build);
    let mut held: Vec<(usize, Type)> = plan
        .output
        .iter()
        .filter(|output| output.side == plan.build)
        .map(|output| (output.column, built.schema().field(output.column).ty))
        .collect();
    held.dedup();
    let keys: Vec<_> = plan.side_keys(plan.build).cloned().collect();
    let build = JoinBuild {
        keys: &keys,
        columns: plan.kind.only().is_none().then_some(held.as_slice()),
        unique: plan.kind == JoinKind::InnerUnique,
    };
    let side = sink::join_build(&Pipeline::new(built, context)?, &build, context)?;
    let streamed = Pipeline::new(plan.input(plan.build.other()), context)?;
    let (table, reservation) = match side {
        JoinSide::Table(table, reservation) => (table, reservation),
        JoinSide::Divided(rows) => return sink::divided_join(plan, (&held, rows), &streamed, wanted, context),
    };
    let column = |(output, field): (&JoinColumn, &Field)| match output.side == plan.build {
        true => JoinedColumn::Held(held.iter().position(|(column, _)| *column == output.column).unwrap_or_default()),
        false => JoinedColumn::Streamed(output.column, field.ty),
    };
    let output = plan.output.iter().zip(plan.schema.fields()).map(column).collect();
    let keys = plan.side_keys(plan.build.other()).cloned().collect();
    let probe = Arc::new(ProbeJoin::new(plan, table, keys, output, context));
    let mut pipeline = streamed.then(Arc::clone(&probe) as _).holding(reservation);
    if probe.has_rest() {
        pipeline.serial.push(Serial::Rest(probe));
    }
    Ok(pipeline)
}

fn union(inputs: &[LogicalPlan], schema: &Schema, context: &ExecContext) -> Result<Pipeline> {
    let (mut partitions, mut held) = (Vec::new(), Vec::new());
    let types: Vec<Type> = schema.fields().iter().map(|field| field.ty).collect();
    for input in inputs {
        let pipeline = Pipeline::new(input, context)?;
        if pipeline.serial.is_empty() {
            partitions.extend(pipeline.whole_partitions());
            held.extend(pipeline.held);
        } else {
            // Without a key, rows keep their order.
            let mut rows = Sorter::new(&types, &[], context);
            pipeline.run(context, &mut |batch| {
                rows.push(batch)?;
                Ok(Flow::Continue(()))
            })?;
            let rows = rows.finish()?;
            partitions.extend(rows.whole_partitions());
            held.extend(rows.held);
        }
    }
    Ok(Pipeline { held, ..Pipeline::of(partitions) })
}

/// True for rows of a table that are not chosen among.
fn is_unfiltered(plan: &LogicalPlan) -> bool {
    match plan {
        LogicalPlan::Scan(scan) => scan.filter.is_none(),
        LogicalPlan::Project { input, .. } => is_unfiltered(input),
        _ => false,
    }
}

fn request(columns: Vec<ScanColumn>, context: &ExecContext) -> ScanRequest {
    ScanRequest {
        columns,
        prune: Vec::new(),
        filter: None,
        limit: None,
        batch_rows: context.batch_rows,
        memory: context.memory.scan(context.threads),
        report: Arc::clone(&context.report),
        counters: ScanCounters::of_run(&context.report.counters),
    }
}

fn scan_partitions(scan: &Scan, context: &ExecContext) -> Result<Vec<Arc<dyn Partition>>> {
    let asked = TimeCoverage::asked(&scan.name, scan.table.schema(), &scan.prune).map(Arc::new);
    let bounded = context.bound.as_ref().map(|bound| bound.within(scan));
    let scan = bounded.as_ref().unwrap_or(scan);
    let filter = scan.filter.as_ref().map(|filter| {
        let (filter, coverage) = (filter.clone(), asked.clone());
        Arc::new(PredicateFilter { filter, context: context.eval.clone(), coverage }) as Arc<dyn RowFilter>
    });
    let request =
        ScanRequest { prune: scan.prune.clone(), filter, limit: scan.limit, ..request(scan.columns.clone(), context) };
    if let Some(node) = metrics::at_work() {
        node.reads(&request.counters);
    }
    let partitions = scan.table.scan(&request)?;
    let Some(coverage) = asked else { return Ok(partitions) };
    coverage.expect(partitions.len());
    context.report.watch(Arc::clone(&coverage));
    let covered = |inner| {
        let coverage = Arc::clone(&coverage);
        watched(inner, move || coverage.end_partition())
    };
    Ok(partitions.into_iter().map(covered).collect())
}

/// A bound predicate as the test that a source applies.
#[derive(Debug)]
struct PredicateFilter {
    filter: ScanFilter,
    context: EvalContext,
    coverage: Option<Arc<TimeCoverage>>,
}

impl PredicateFilter {
    /// Notes the times of rows that are tested.
    fn note_times(&self, coverage: &TimeCoverage, columns: &Batch) {
        let is_time = |column: &ScanColumn| *column == ScanColumn::Column(coverage.column());
        let Some(index) = self.filter.columns.iter().position(is_time) else { return };
        let times = columns.column(index).to_array();
        let Some(times) = times.as_primitive_opt::<Int64Type>() else { return };
        if let (Some(first), Some(last)) = (compute::min(times), compute::max(times)) {
            coverage.saw(first, last);
        }
    }
}

impl RowFilter for PredicateFilter {
    fn columns(&self) -> &[ScanColumn] {
        &self.filter.columns
    }

    fn time_coverage(&self) -> Option<&TimeCoverage> {
        self.coverage.as_deref()
    }

    fn evaluate(&self, columns: &Batch) -> Result<arrow::array::BooleanArray> {
        if let Some(coverage) = &self.coverage {
            self.note_times(coverage, columns);
        }
        super::operator::evaluate_mask(&self.filter.predicate, columns, &self.context)
    }
}
