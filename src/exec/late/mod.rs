//! Late materialisation above a columnar table: operators first run over the columns that decide which rows are
//! returned, and over the positions of these rows. The other columns are then read for these rows alone.
//!
//! This applies to aggregates that choose rows, such as `arg_max(x, *)`, and to operators above them that do not read
//! the late columns: filters, projections, sorting and limits. The plain plan of `planner` returns the same rows.

mod aggregate;
mod fetch;
mod narrow;

use std::sync::Arc;

use self::aggregate::{LateColumn, TwoPhaseAggregate};
use self::fetch::{FetchedRows, row_positions};
use super::context::ExecContext;
use super::metrics;
use super::operator::{CountOutput, Filter, Project, RowOperator};
use super::pipeline::ExecPipeline;
use super::scheduler::Flow;
use super::sort::{self, TopRows, TopSpec};
use crate::diagnostic::{Result, Span};
use crate::expr::{Expr, evaluate, visit};
use crate::functions::EvalContext;
use crate::memory::Reservation;
use crate::plan::{LogicalPlan, PlanNode};
use crate::scan::ScanReport;
use crate::storage::counters::ScanCount;
use crate::types::{Batch, Column, Field, Schema, SharedMemory, Type};

/// Makes the pipeline of a node.
type Planner = fn(PlanNode<'_>, &ExecContext) -> Result<ExecPipeline>;

/// A plan that is run in two phases.
pub struct LatePlan<'a> {
    node: PlanNode<'a>,
    residual: Option<&'a Expr>,
    /// Makes the pipeline of the rows below the aggregation, which has one phase.
    planner: Planner,
    aggregate: TwoPhaseAggregate,
    /// For each column of the node, how it is read late; None if the first phase returns it.
    columns: Vec<Option<LateColumn>>,
}

impl<'a> LatePlan<'a> {
    /// Returns the two phases of `node`, below a filter by `residual`; None if they do not apply.
    pub fn of(node: PlanNode<'a>, residual: Option<&'a Expr>, planner: Planner, context: &ExecContext) -> Option<Self> {
        if !context.reads_late || context.report.is_thorough() {
            return None;
        }
        let (aggregate, columns) = analyse(node.plan)?;
        let residual = residual.filter(|residual| reads_early(residual, &columns));
        Some(Self { node, residual, planner, aggregate, columns })
    }

    /// Returns the rows of the node; None if they must be read by the plain plan, because some cannot be read, or
    /// because they do not fit in memory.
    pub fn rows(&self, context: &ExecContext) -> Result<Option<ExecPipeline>> {
        let with_report = || ExecContext { report: Arc::default(), ..context.clone() };
        let (first, second) = (with_report(), with_report());
        let Some(early) = self.early_rows(self.node, self.residual, &first)? else { return Ok(None) };
        let Some(early) = EarlyRows::collect(&early, self.columns.len(), context)? else { return Ok(None) };
        let fetched = FetchedRows::read(&self.aggregate.late, &early.row_positions, &second)?;
        let Some(fetched) = fetched.filter(|_| !has_problems(&first.report) && !has_problems(&second.report)) else {
            return Ok(None);
        };
        for count in ScanCount::ALL {
            context.report.counters.add(count, first.report.counters.get(count));
        }
        context.report.counters.add(ScanCount::Bytes, second.report.counters.get(ScanCount::Bytes));
        context.report.absorb(&first.report);
        context.report.absorb(&second.report);
        // The second scan skips rows of the table, so only the first one knows which times the files cover.
        context.report.watch_coverages_of(&first.report);
        let rows = ExecPipeline::in_memory(&self.early_schema(self.node.plan.schema()), early.batches, context)?;
        let columns = self.columns.clone();
        let (eval, batch_bytes) = (context.eval.clone(), context.memory.batch_bytes());
        let operator = CompleteRows { fetched, columns, context: eval, batch_bytes };
        Ok(Some(rows.holding(early.reservation).then(Arc::new(operator))))
    }

    /// Returns the rows of `node`, with nulls for late columns, and then the positions of the rows that have them.
    fn early_rows(
        &self,
        node: PlanNode<'_>,
        residual: Option<&Expr>,
        context: &ExecContext,
    ) -> Result<Option<ExecPipeline>> {
        let metrics = context.metrics.as_ref().and_then(|metrics| metrics.of(node.id));
        let is_measured = node.id != self.node.id;
        let Some(metrics) = metrics.filter(|_| is_measured) else { return self.build(node, residual, context) };
        let _scope = metrics::enter(Some(Arc::clone(metrics)));
        let rows = self.build(node, residual, context)?;
        Ok(rows.map(|rows| rows.then(Arc::new(CountOutput(Arc::clone(metrics))))))
    }

    fn build(
        &self,
        node: PlanNode<'_>,
        residual: Option<&Expr>,
        context: &ExecContext,
    ) -> Result<Option<ExecPipeline>> {
        let residual = match node.plan {
            LogicalPlan::Filter { predicate, .. } => Some(predicate).filter(|predicate| predicate.is_repeatable()),
            _ => residual,
        };
        let Some(input) = input_of(node.plan) else {
            let LogicalPlan::Aggregate { input, .. } = node.plan else { return Ok(None) };
            let input = PlanNode { plan: &self.aggregate.early.plan, ..node.first_input(input) };
            return self.aggregate.first_phase(&(self.planner)(input, context)?, residual, context).map(Some);
        };
        let passed_on = residual.filter(|_| matches!(node.plan, LogicalPlan::Filter { .. }));
        let Some(rows) = self.early_rows(node.first_input(input), passed_on, context)? else { return Ok(None) };
        let schema = self.early_schema(input.schema());
        Ok(Some(match node.plan {
            LogicalPlan::Filter { predicate, .. } => rows.then(Arc::new(Filter::new(predicate.clone(), context))),
            LogicalPlan::Project { expressions, .. } => {
                let position = |index| Expr::column(index, Type::Long, Span::default());
                let positions = (input.schema().len()..schema.len()).map(position);
                let expressions = expressions.iter().cloned().chain(positions).collect();
                rows.then(Arc::new(Project::new(expressions, context)))
            }
            LogicalPlan::Limit { count, .. } => rows.limited(*count, false),
            LogicalPlan::Sort { keys, .. } => sort::sort(&rows, &schema, keys, context)?,
            LogicalPlan::Top { keys, count, .. } => {
                match sort::top(&rows, TopSpec { schema: &schema, keys, count: *count }, context)? {
                    TopRows::InMemory(batches, reservation) => {
                        ExecPipeline::in_memory(&schema, batches, context)?.holding(reservation)
                    }
                    TopRows::Sorted(sorted) => sorted.limited(*count, false),
                }
            }
            _ => return Ok(None),
        }))
    }

    /// Returns the columns of `schema`, and then those of the positions.
    fn early_schema(&self, schema: &Schema) -> Schema {
        let position = |_| Field::new("", Type::Long);
        Schema::new(schema.fields().iter().cloned().chain((0..self.aggregate.sources).map(position)))
    }
}

/// Returns the input of a node that can run before late columns are read; None for other nodes.
fn input_of(plan: &LogicalPlan) -> Option<&LogicalPlan> {
    match plan {
        LogicalPlan::Filter { input, .. }
        | LogicalPlan::Project { input, .. }
        | LogicalPlan::Limit { input, .. }
        | LogicalPlan::Sort { input, .. }
        | LogicalPlan::Top { input, .. } => Some(input),
        _ => None,
    }
}

/// Returns the aggregation from which the rows of `plan` come, and for each column of `plan` how it is read late.
/// Returns None if an operator reads a late column.
fn analyse(plan: &LogicalPlan) -> Option<(TwoPhaseAggregate, Vec<Option<LateColumn>>)> {
    let Some(input) = input_of(plan) else {
        let aggregate = TwoPhaseAggregate::of(plan)?;
        let columns = aggregate.columns.clone();
        return Some((aggregate, columns));
    };
    let (aggregate, columns) = analyse(input)?;
    let is_early = |expr: &Expr| reads_early(expr, &columns);
    match plan {
        LogicalPlan::Project { expressions, .. } => {
            let column = |expr: &Expr| match expr.as_column() {
                Some(column) => Some(columns[column].clone()),
                None => is_early(expr).then_some(None),
            };
            let columns = expressions.iter().map(column).collect::<Option<_>>()?;
            Some((aggregate, columns))
        }
        LogicalPlan::Filter { predicate, .. } => is_early(predicate).then_some((aggregate, columns)),
        LogicalPlan::Sort { keys, .. } | LogicalPlan::Top { keys, .. } => {
            keys.iter().all(|key| is_early(&key.expr)).then_some((aggregate, columns))
        }
        _ => Some((aggregate, columns)),
    }
}

/// True if `expr` reads no late column.
fn reads_early(expr: &Expr, columns: &[Option<LateColumn>]) -> bool {
    visit::columns(expr).into_iter().all(|column| columns[column].is_none())
}

fn has_problems(report: &ScanReport) -> bool {
    !report.problems().is_empty()
}

/// The rows of the first phase.
struct EarlyRows {
    batches: Vec<Batch>,
    /// The positions of the rows that the second phase reads, in ascending order and without duplicates.
    row_positions: Arc<[i64]>,
    reservation: Reservation,
}

impl EarlyRows {
    /// Returns the rows of `input`, whose positions come after the first `width` columns. Returns None if the rows do
    /// not fit in memory, or if a group has no row.
    fn collect(input: &ExecPipeline, width: usize, context: &ExecContext) -> Result<Option<Self>> {
        let (mut batches, mut positions, mut is_complete) = (Vec::new(), Vec::new(), true);
        let (mut memory, mut reservation) = (SharedMemory::default(), context.memory.reservation());
        input.run(context, &mut |batch| {
            for index in width..batch.columns().len() {
                let before = positions.len();
                positions.extend(row_positions(&batch, index).flatten());
                is_complete &= positions.len() == before + batch.rows();
            }
            let batch = batch.compacted();
            reservation.grow(memory.add(&batch));
            batches.push(batch);
            is_complete &= !reservation.should_spill();
            Ok(if is_complete { Flow::Continue(()) } else { Flow::Break(()) })
        })?;
        positions.sort_unstable();
        positions.dedup();
        Ok(is_complete.then(|| Self { batches, row_positions: positions.into(), reservation }))
    }
}

/// Replaces the nulls of late columns with the values of the rows that were read late.
#[derive(Debug)]
struct CompleteRows {
    fetched: FetchedRows,
    /// For each output column, how it is read late; None if the first phase returned it.
    columns: Vec<Option<LateColumn>>,
    context: EvalContext,
    batch_bytes: usize,
}

impl RowOperator for CompleteRows {
    fn process(&self, batch: Batch) -> Result<Vec<Batch>> {
        let sources = self.columns.len()..batch.columns().len();
        let rows: Vec<Batch> =
            sources.map(|index| self.fetched.gather(row_positions(&batch, index))).collect::<Result<_>>()?;
        let column = |(early, late): (&Column, &Option<LateColumn>)| match late {
            Some(late) => evaluate(&late.value, &rows[late.source], &self.context),
            None => Ok(early.clone()),
        };
        let columns = batch.columns().iter().zip(&self.columns).map(column).collect::<Result<_>>()?;
        Ok(Batch::new(columns, batch.rows()).pieces(self.batch_bytes))
    }
}
