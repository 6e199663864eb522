//! Logical plan -> pipelines.
//!
//! A pipeline is partitions, the operators that run inside each of them, and a row limit at its end. Nodes that must
//! see all rows first (aggregate, sort, top) run their input to its end and become a source of their own.

use std::sync::Arc;

use arrow::array::AsArray;
use arrow::compute;
use arrow::datatypes::Int64Type;

use super::context::ExecContext;
use super::operator::{Filter, Operator, OperatorPartition, Project, Unnest};
use super::pipeline::{self, Flow};
use super::sink;
use crate::diagnostic::Result;
use crate::expr::evaluate;
use crate::functions::EvalContext;
use crate::plan::{LogicalPlan, Scan, ScanFilter};
use crate::source::{
    BatchIterator, MemoryTable, Partition, RowFilter, ScanColumn, ScanRequest, TableProvider, TimeCoverage,
};
use crate::types::{Batch, Schema};

/// Partitions in order, a limit on the rows taken from them, and operators behind the limit.
#[derive(Debug)]
pub struct Pipeline {
    partitions: Vec<Arc<dyn Partition>>,
    /// What the caller's thread does with the rows, in order.
    serial: Vec<Serial>,
}

#[derive(Debug)]
enum Serial {
    Limit(usize),
    Operator(Arc<dyn Operator>),
}

impl Pipeline {
    /// The pipeline of `plan`; runs whatever must be complete before it starts.
    pub fn new(plan: &LogicalPlan, context: &ExecContext) -> Result<Self> {
        match plan {
            LogicalPlan::Scan(scan) => scan_partitions(scan, context).map(Self::of),
            LogicalPlan::Filter { input, predicate } => {
                let filter = Filter::new(predicate.clone(), context);
                Ok(Self::new(input, context)?.then(Arc::new(filter)))
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
                pipeline.serial.push(Serial::Limit(*count));
                Ok(pipeline)
            }
            LogicalPlan::Aggregate { input, keys, aggregates, .. } => {
                let input = Self::new(input, context)?;
                let rows = sink::aggregate(&input, keys, aggregates, context)?;
                in_memory(plan.schema(), rows, context)
            }
            LogicalPlan::Sort { input, keys } => {
                let rows = sink::sort(&Self::new(input, context)?, input.schema(), keys, context)?;
                in_memory(plan.schema(), rows, context)
            }
            LogicalPlan::Top { input, keys, count } => {
                let rows = sink::top(&Self::new(input, context)?, input.schema(), keys, *count, context)?;
                in_memory(plan.schema(), rows, context)
            }
            LogicalPlan::Union { inputs, schema } => union(inputs, schema, context),
        }
    }

    fn of(partitions: Vec<Arc<dyn Partition>>) -> Self {
        Self { partitions, serial: Vec::new() }
    }

    /// The pipeline with one more operator: inside the partitions, or behind the limit where there is one.
    fn then(mut self, operator: Arc<dyn Operator>) -> Self {
        if self.serial.is_empty() {
            let wrap = |input| Arc::new(OperatorPartition::new(input, Arc::clone(&operator))) as Arc<dyn Partition>;
            self.partitions = self.partitions.into_iter().map(wrap).collect();
        } else {
            self.serial.push(Serial::Operator(operator));
        }
        self
    }

    /// Calls `consume` with every batch in order, until it breaks off.
    pub fn run(&self, context: &ExecContext, consume: &mut dyn FnMut(Batch) -> Result<Flow>) -> Result<()> {
        let mut stages = Stages::new(&self.serial);
        if stages.done() {
            return Ok(());
        }
        pipeline::for_each_batch(&self.partitions, context, &mut |batch| stages.push(batch, consume))
    }

    /// The partitions, where rows need not pass the caller's thread first.
    pub(super) fn parallel_partitions(&self) -> Option<&[Arc<dyn Partition>]> {
        self.serial.is_empty().then_some(self.partitions.as_slice())
    }
}

/// The serial end of a pipeline, with what is left of each limit.
struct Stages<'a> {
    stages: Vec<(&'a Serial, usize)>,
}

impl<'a> Stages<'a> {
    fn new(serial: &'a [Serial]) -> Self {
        let left = |stage: &Serial| match stage {
            Serial::Limit(count) => *count,
            Serial::Operator(_) => 0,
        };
        Self { stages: serial.iter().map(|stage| (stage, left(stage))).collect() }
    }

    fn done(&self) -> bool {
        self.stages.iter().any(|(stage, left)| matches!(stage, Serial::Limit(_)) && *left == 0)
    }

    fn push(&mut self, batch: Batch, consume: &mut dyn FnMut(Batch) -> Result<Flow>) -> Result<Flow> {
        let mut batches = vec![batch];
        for (stage, left) in &mut self.stages {
            match stage {
                Serial::Limit(_) => batches = take(batches, left),
                Serial::Operator(operator) => {
                    let outputs =
                        batches.into_iter().map(|batch| operator.process(batch)).collect::<Result<Vec<_>>>()?;
                    batches = outputs.into_iter().flatten().collect();
                }
            }
        }
        for batch in batches {
            if batch.rows() > 0 && consume(batch)?.is_break() {
                return Ok(Flow::Break(()));
            }
        }
        Ok(if self.done() { Flow::Break(()) } else { Flow::Continue(()) })
    }
}

fn take(batches: Vec<Batch>, left: &mut usize) -> Vec<Batch> {
    batches
        .into_iter()
        .map(|batch| {
            let rows = batch.rows().min(*left);
            *left -= rows;
            if rows == batch.rows() { batch } else { batch.slice(0, rows) }
        })
        .collect()
}

/// A source over rows in memory.
fn in_memory(schema: &Schema, batches: Vec<Batch>, context: &ExecContext) -> Result<Pipeline> {
    let columns = (0..schema.len()).map(ScanColumn::Column).collect();
    MemoryTable::new(schema.clone(), batches).scan(&request(columns, context)).map(Pipeline::of)
}

fn union(inputs: &[LogicalPlan], schema: &Schema, context: &ExecContext) -> Result<Pipeline> {
    let mut partitions = Vec::new();
    for input in inputs {
        let pipeline = Pipeline::new(input, context)?;
        if pipeline.serial.is_empty() {
            partitions.extend(pipeline.partitions);
        } else {
            let mut rows = Vec::new();
            pipeline.run(context, &mut |batch| {
                rows.push(batch);
                Ok(Flow::Continue(()))
            })?;
            partitions.extend(in_memory(schema, rows, context)?.partitions);
        }
    }
    Ok(Pipeline::of(partitions))
}

fn request(columns: Vec<ScanColumn>, context: &ExecContext) -> ScanRequest {
    ScanRequest {
        columns,
        prune: Vec::new(),
        filter: None,
        limit: None,
        batch_rows: context.batch_rows,
        report: Arc::clone(&context.report),
    }
}

fn scan_partitions(scan: &Scan, context: &ExecContext) -> Result<Vec<Arc<dyn Partition>>> {
    let asked = TimeCoverage::asked(&scan.name, scan.table.schema(), &scan.prune).map(Arc::new);
    let filter = scan.filter.as_ref().map(|filter| {
        let (filter, coverage) = (filter.clone(), asked.clone());
        Arc::new(PredicateFilter { filter, context: context.eval.clone(), coverage }) as Arc<dyn RowFilter>
    });
    let request =
        ScanRequest { prune: scan.prune.clone(), filter, limit: scan.limit, ..request(scan.columns.clone(), context) };
    let partitions = scan.table.scan(&request)?;
    let Some(coverage) = asked else { return Ok(partitions) };
    coverage.expect(partitions.len());
    context.report.watch(Arc::clone(&coverage));
    let watched = |inner| Arc::new(WatchedPartition { inner, coverage: Arc::clone(&coverage) }) as Arc<dyn Partition>;
    Ok(partitions.into_iter().map(watched).collect())
}

/// A partition of which it matters whether it was read to its end.
#[derive(Debug)]
struct WatchedPartition {
    inner: Arc<dyn Partition>,
    coverage: Arc<TimeCoverage>,
}

impl Partition for WatchedPartition {
    fn read(&self) -> Result<BatchIterator<'_>> {
        let mut batches = self.inner.read()?.fuse();
        let mut ended = false;
        Ok(Box::new(std::iter::from_fn(move || {
            let batch = batches.next();
            if batch.is_none() && !std::mem::replace(&mut ended, true) {
                self.coverage.end_partition();
            }
            batch
        })))
    }
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
        super::operator::mask(&evaluate(&self.filter.predicate, columns, &self.context)?)
    }
}
