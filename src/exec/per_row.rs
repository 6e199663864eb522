//! Runs a plan, the body, for each row of its input (`mv-apply`).
//!
//! The body runs once for some thousand input rows at a time. It keeps the number of each row as a column, and never
//! combines what belongs to different rows. So the rows of its result that belong to one input row are next to each
//! other, or can be sorted by that number.

use std::sync::Arc;

use arrow::array::{Array, Int64Array, UInt32Array};

use super::context::ExecContext;
use super::operator::{RowOperator, halves};
use super::{Flow, collect_reserved, planner};
use crate::diagnostic::{Code, Diagnostic, Error, Result, Span};
use crate::expr::evaluate;
use crate::memory::Reservation;
use crate::plan::{LogicalPlan, NodeId, PerRow, PerRowOutput, PlanNode, RowColumns, visit};
use crate::scan::{BatchIterator, MemoryTable};
use crate::types::{Batch, Column, Type};

/// The number of input rows for which the body runs at a time.
const ROWS_AT_A_TIME: usize = 4_096;

/// The operator that runs the body of a [`PerRow`].
#[derive(Debug)]
pub struct PerRowPlan {
    body: LogicalPlan,
    /// The id of the body in the plan of the run.
    body_id: NodeId,
    output: Vec<PerRowOutput>,
    context: ExecContext,
    /// The memory reserved for the tables that the body reads.
    _tables: Vec<Reservation>,
}

impl PerRowPlan {
    /// Returns the operator for `plan`; the input of `plan` is not used. Tables that the body reads are read now, once.
    pub fn new(node: PlanNode<'_>, plan: &PerRow, context: &ExecContext) -> Result<Self> {
        let body_id = node.inputs().last().map_or(node.id, |body| body.id);
        let mut tables = Vec::new();
        let body = with_tables(plan.body.as_ref().clone(), context, &mut tables)?;
        // The threads of the run work on different rows. The nodes of other tables are not in the body any more, so the
        // ids of the others do not fit.
        let metrics = context.metrics.clone().filter(|_| tables.is_empty());
        let context = ExecContext { threads: 1, metrics, ..context.clone() };
        Ok(Self { body, body_id, output: plan.output.clone(), context, _tables: tables })
    }

    /// Runs the body for some input rows, and returns the output rows.
    fn apply(&self, batch: Batch) -> Result<Vec<Batch>> {
        let outer = Arc::new(batch);
        let context = ExecContext { outer_rows: Some(Arc::clone(&outer)), ..self.context.clone() };
        let (mut results, mut reservation) = (Vec::new(), context.memory.reservation());
        let pipeline = planner::plan(PlanNode { plan: &self.body, id: self.body_id }, &context)?;
        pipeline.run(&context, &mut |result| {
            reservation.grow(result.bytes());
            if reservation.exceeds_alone() {
                return Err(context.memory.exceeded("the subquery of mv-apply", reservation.bytes()));
            }
            results.push(result);
            Ok(Flow::Continue(()))
        })?;
        let results = if in_order(&results)? { results } else { vec![self.sorted(&results)?] };
        // A row may be repeated for thousands of elements, with all of its strings.
        let max_bytes = self.context.memory.batch_bytes();
        let mut batches = Vec::with_capacity(results.len());
        for result in &results {
            batches.extend(self.beside(&outer, result)?.pieces(max_bytes));
        }
        Ok(batches)
    }

    /// Returns the rows of `result` with the columns of the input rows to which they belong.
    fn beside(&self, outer: &Batch, result: &Batch) -> Result<Batch> {
        let numbers = numbers(result)?;
        let rows: UInt32Array = numbers.values().iter().map(|number| u32::try_from(*number).ok()).collect();
        let column = |output: &PerRowOutput| match output {
            PerRowOutput::Input(index) => outer.column(*index).take(&rows),
            PerRowOutput::Body(index) => Ok(result.column(*index).clone()),
        };
        Ok(Batch::new(self.output.iter().map(column).collect::<Result<_>>()?, result.rows()))
    }

    /// Returns all rows of `results`, sorted by the number of the input row.
    fn sorted(&self, results: &[Batch]) -> Result<Batch> {
        let types: Vec<Type> = self.body.schema().fields().iter().map(|field| field.ty).collect();
        let all = Batch::concat(&types, results)?;
        let numbers = numbers(&all)?;
        let mut order: Vec<u32> = (0..u32::try_from(all.rows()).map_err(|_| too_many())?).collect();
        order.sort_by_key(|row| numbers.value(*row as usize));
        all.take(&UInt32Array::from(order))
    }
}

impl RowOperator for PerRowPlan {
    fn process(&self, batch: Batch) -> Result<Vec<Batch>> {
        self.stream(batch).collect()
    }

    fn stream(&self, batch: Batch) -> BatchIterator<'_> {
        let starts = (0..batch.rows()).step_by(ROWS_AT_A_TIME);
        Box::new(starts.flat_map(move |start| {
            let rows = ROWS_AT_A_TIME.min(batch.rows() - start);
            self.stream_rows(batch.slice(start, rows))
        }))
    }
}

impl PerRowPlan {
    /// Returns the output rows for some input rows; for half of them at a time if the result for all is too large.
    fn stream_rows(&self, batch: Batch) -> BatchIterator<'_> {
        match self.apply(batch.clone()) {
            Ok(batches) => Box::new(batches.into_iter().map(Ok)),
            Err(Error::Limit(_) | Error::BatchTooLarge(_)) if batch.rows() > 1 => {
                Box::new(halves(&batch).into_iter().flat_map(|half| self.stream_rows(half)))
            }
            Err(error) => Box::new(std::iter::once(Err(error))),
        }
    }
}

/// Replaces the parts of a body that do not depend on the input rows with tables in memory. `tables` gets the memory
/// that these use.
fn with_tables(plan: LogicalPlan, context: &ExecContext, tables: &mut Vec<Reservation>) -> Result<LogicalPlan> {
    let is_in_memory = matches!(&plan, LogicalPlan::Scan(scan) if scan.table.is_in_memory());
    if is_in_memory || depends_on_rows(&plan) {
        return visit::map_inputs(plan, &mut |input| with_tables(input, context, tables));
    }
    let context = ExecContext { metrics: None, ..context.clone() };
    let (rows, reservation) = collect_reserved(&plan, &context)?;
    tables.push(reservation);
    Ok(LogicalPlan::scan("table", Arc::new(MemoryTable::new(plan.schema().clone(), rows))))
}

fn depends_on_rows(plan: &LogicalPlan) -> bool {
    matches!(plan, LogicalPlan::Rows(_)) || visit::inputs(plan).into_iter().any(depends_on_rows)
}

/// Returns the rows that the body begins with: columns of the input rows, and their numbers.
pub fn leaf(rows: &RowColumns, context: &ExecContext) -> Result<Batch> {
    let outer = context.outer_rows.as_ref().ok_or_else(read_as_table)?;
    let mut columns = Vec::with_capacity(rows.schema.len());
    for column in &rows.columns {
        columns.push(evaluate(column, outer, &context.eval)?);
    }
    if rows.is_numbered() {
        let count = i64::try_from(outer.rows()).map_err(|_| too_many())?;
        columns.push(Column::array(Type::Long, Arc::new(Int64Array::from_iter_values(0..count))));
    }
    Ok(Batch::new(columns, outer.rows()))
}

/// Returns the numbers of the input rows, which are the last column of a result.
fn numbers(batch: &Batch) -> Result<Int64Array> {
    let column = batch.columns().last().ok_or_else(|| Error::internal("a subquery without columns"))?;
    let array = column.to_array();
    let longs = array.as_any().downcast_ref::<Int64Array>();
    longs.cloned().ok_or_else(|| Error::internal("the numbers of rows are longs"))
}

/// True if the numbers of the input rows never decrease.
fn in_order(results: &[Batch]) -> Result<bool> {
    let mut last = i64::MIN;
    for result in results {
        let numbers = numbers(result)?;
        if !numbers.values().is_sorted() || numbers.values().first().is_some_and(|first| *first < last) {
            return Ok(false);
        }
        last = numbers.values().last().copied().unwrap_or(last);
    }
    Ok(true)
}

/// Returns the error for a subquery inside the body that reads the rows of the body as a table, for example by the name
/// that `as` gave them.
fn read_as_table() -> Error {
    let message = "the rows of a subquery cannot be read as a table inside it yet";
    Error::Query(vec![Diagnostic::new(Code::UnsupportedSyntax, Span::default(), message)])
}

fn too_many() -> Error {
    Error::internal("a batch has too many rows")
}
