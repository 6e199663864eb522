//! Turns a logical plan into a pipeline.
//!
//! Aggregate, sort and top consume the pipeline of their input and start a new one. A join consumes the pipeline of its
//! build side, and becomes an operator in that of its probe side.

use std::sync::Arc;

use super::aggregate::{self, Grouping};
use super::context::ExecContext;
use super::late::LatePlan;
use super::metrics;
use super::operator::{CountOutput, Filter, ParseRows, Project, TableCallRows, UnnestRows};
use super::per_row::{self, PerRowPlan};
use super::pipeline::ExecPipeline;
use super::sequence::SequenceStage;
use super::sort::{self, Sorter, TopRows, TopSpec};
use super::window::WindowStage;
use super::{join, scan, series, table_call};
use crate::diagnostic::Result;
use crate::expr::Expr;
use crate::plan::{Join, LogicalPlan, PlanNode, Side};
use crate::types::{Schema, Type};

/// Assumed size in bytes of a row of a `top`. If its rows of that size do not fit in memory, all rows are sorted
/// instead.
const TOP_ROW_BYTES: usize = 4096;

/// Maximum number of rows of a limit that the first partition is expected to fill alone.
const MAX_FIRST_PARTITION_LIMIT: usize = 1_024;

/// Returns the pipeline of `node`. Runs what must be complete before the pipeline can start, such as the build side of
/// a join.
pub(super) fn plan(node: PlanNode<'_>, context: &ExecContext) -> Result<ExecPipeline> {
    plan_filtered(node, None, context)
}

/// Like [`plan`], for a node below a filter by `residual`: may leave out rows for which `residual` is not true.
fn plan_filtered(node: PlanNode<'_>, residual: Option<&Expr>, context: &ExecContext) -> Result<ExecPipeline> {
    let Some(metrics) = context.metrics.as_ref().and_then(|metrics| metrics.of(node.id)) else {
        return build(node, residual, context);
    };
    let _scope = metrics::enter(Some(Arc::clone(metrics)));
    Ok(build(node, residual, context)?.then(Arc::new(CountOutput(Arc::clone(metrics)))))
}

/// Returns the pipeline of `node`, in two phases if that is worthwhile.
fn build(node: PlanNode<'_>, residual: Option<&Expr>, context: &ExecContext) -> Result<ExecPipeline> {
    let Some(late) = LatePlan::of(node, residual, plan, context) else { return build_plain(node, residual, context) };
    match late.rows(context)? {
        Some(rows) => Ok(rows),
        None => build_plain(node, residual, &ExecContext { reads_late: false, ..context.clone() }),
    }
}

fn build_plain(node: PlanNode<'_>, residual: Option<&Expr>, context: &ExecContext) -> Result<ExecPipeline> {
    match node.plan {
        LogicalPlan::Scan(scan) => scan::partitions(scan, context).map(ExecPipeline::of),
        LogicalPlan::Filter { input, predicate } => {
            let residual = predicate.is_repeatable().then_some(predicate);
            let input = plan_filtered(node.first_input(input), residual, context)?;
            Ok(input.then(Arc::new(Filter::new(predicate.clone(), context))))
        }
        LogicalPlan::Project { input, expressions, .. } => {
            let input = plan(node.first_input(input), context)?;
            Ok(input.then(Arc::new(Project::new(expressions.clone(), context))))
        }
        LogicalPlan::Unnest(unnest) => {
            let input = plan(node.first_input(&unnest.input), context)?;
            Ok(input.then(Arc::new(UnnestRows::new(unnest.clone(), context))))
        }
        LogicalPlan::Parse(parse) => {
            let input = plan(node.first_input(&parse.input), context)?;
            Ok(input.then(Arc::new(ParseRows::new(parse.clone(), context))))
        }
        LogicalPlan::Limit { input, count } => {
            let pipeline = plan(node.first_input(input), context)?;
            let is_first_enough = *count <= MAX_FIRST_PARTITION_LIMIT && is_unfiltered(input);
            Ok(pipeline.limited(*count, is_first_enough))
        }
        LogicalPlan::Aggregate { input, keys, aggregates, .. } => {
            let input = plan(node.first_input(input), context)?;
            aggregate::aggregate(&input, node.plan.schema(), Grouping { keys, aggregates, residual }, context)
        }
        LogicalPlan::Sort { input, keys } => {
            sort::sort(&plan(node.first_input(input), context)?, input.schema(), keys, context)
        }
        LogicalPlan::Top { input, keys, count } => {
            top(node.first_input(input), TopSpec { schema: input.schema(), keys, count: *count }, context)
        }
        LogicalPlan::Union { schema, .. } => union(&node.inputs(), schema, context),
        LogicalPlan::Join(join) => self::join(node, join, residual, context),
        LogicalPlan::TableCall(call) => {
            let input = plan(node.first_input(&call.input), context)?;
            match call.function.is_row_wise() {
                true => Ok(input.then(Arc::new(TableCallRows::new(call.clone(), context)))),
                false => table_call::call_with_all_rows(&input, call, context),
            }
        }
        LogicalPlan::Series(series) => {
            series::series(&plan(node.first_input(&series.input), context)?, series, context)
        }
        LogicalPlan::PerRow(per_row) => {
            let input = plan(node.first_input(&per_row.input), context)?;
            Ok(input.then(Arc::new(PerRowPlan::new(node, per_row, context)?)))
        }
        LogicalPlan::Rows(rows) => ExecPipeline::in_memory(&rows.schema, vec![per_row::leaf(rows, context)?], context),
        LogicalPlan::Sequence(sequence) => {
            let input = plan(node.first_input(&sequence.input), context)?;
            Ok(input.sequences(SequenceStage::new(sequence, context)))
        }
        LogicalPlan::Window(window) => {
            let input = plan(node.first_input(&window.input), context)?;
            Ok(if window.calls.is_empty() { input } else { input.in_order(WindowStage::new(window, context)) })
        }
    }
}

fn top(input: PlanNode<'_>, spec: TopSpec<'_>, context: &ExecContext) -> Result<ExecPipeline> {
    if spec.count.saturating_mul(TOP_ROW_BYTES) > context.memory.limit() {
        let sorted = sort::sort(&plan(input, context)?, spec.schema, spec.keys, context)?;
        return Ok(sorted.limited(spec.count, false));
    }
    let rows = match sort::two_phase_top(input.plan, spec, &|context| plan(input, context), context)? {
        Some(rows) => rows,
        None => sort::top(&plan(input, context)?, spec, context)?,
    };
    match rows {
        TopRows::InMemory(batches, reservation) => {
            Ok(ExecPipeline::in_memory(spec.schema, batches, context)?.holding(reservation))
        }
        TopRows::Sorted(sorted) => Ok(sorted.limited(spec.count, false)),
    }
}

/// Returns the pipeline of a join; reads the whole build side before the probe side is planned.
fn join(node: PlanNode<'_>, join: &Join, residual: Option<&Expr>, context: &ExecContext) -> Result<ExecPipeline> {
    let inputs = node.inputs();
    let input = |side| plan(inputs[usize::from(side == Side::Right)], context);
    let build_side = join::build_side(&input(join.build)?, join, context)?;
    join::join(join, build_side, input(join.build.other())?, residual, context)
}

fn union(inputs: &[PlanNode<'_>], schema: &Schema, context: &ExecContext) -> Result<ExecPipeline> {
    let types: Vec<Type> = schema.fields().iter().map(|field| field.ty).collect();
    let parallel = |input: &PlanNode<'_>| {
        let pipeline = plan(*input, context)?;
        // A sort without keys keeps the order of the rows.
        if pipeline.is_parallel() { Ok(pipeline) } else { Sorter::new(&types, &[], context).consume(&pipeline) }
    };
    Ok(ExecPipeline::concat(inputs.iter().map(parallel).collect::<Result<Vec<_>>>()?))
}

/// True if the plan returns all rows of a table: it is a scan without a filter, below any number of nodes that keep
/// every row.
fn is_unfiltered(plan: &LogicalPlan) -> bool {
    match plan {
        LogicalPlan::Scan(scan) => scan.filter.is_none(),
        LogicalPlan::Project { input, .. } => is_unfiltered(input),
        LogicalPlan::Parse(parse) => !parse.drops_unmatched && is_unfiltered(&parse.input),
        _ => false,
    }
}
