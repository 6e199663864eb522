//! One row a group.

use super::fold;
use crate::diagnostic::Result;
use crate::exec::context::ExecContext;
use crate::exec::group_table::GroupTable;
use crate::exec::physical::Pipeline;
use crate::expr::{Expr, evaluate};
use crate::functions::aggregate::AggregateCall;
use crate::functions::{Accumulator, EvalContext};
use crate::plan::AggregateExpr;
use crate::types::{Batch, Column};

/// The groups of the rows of `input`, in order of first appearance; one group, even of no rows, where there are no keys.
pub fn aggregate(
    input: &Pipeline,
    keys: &[Expr],
    aggregates: &[AggregateExpr],
    context: &ExecContext,
) -> Result<Vec<Batch>> {
    let work = Work { keys, aggregates, context: &context.eval };
    let mut whole = work.state()?;
    if keys.is_empty() {
        whole.table.assign(&[], 0, &mut whole.rows)?;
    }
    let add = |state: &mut State, batch| work.add(state, &batch);
    fold(input, context, &|| work.state(), &add, &mut |part| whole.merge(part))?;
    whole.finish(aggregates, context.batch_rows)
}

struct Work<'a> {
    keys: &'a [Expr],
    aggregates: &'a [AggregateExpr],
    context: &'a EvalContext,
}

/// The groups of a part of the input.
struct State {
    table: GroupTable,
    accumulators: Vec<Box<dyn Accumulator>>,
    /// The group of each row of the batch at hand.
    rows: Vec<u32>,
}

impl Work<'_> {
    fn state(&self) -> Result<State> {
        let types = self.keys.iter().map(|key| key.ty).collect();
        let accumulators = self.aggregates.iter().map(|aggregate| {
            let call = AggregateCall {
                arguments: aggregate.arguments.iter().map(|argument| argument.ty).collect(),
                constants: aggregate.arguments.iter().map(|argument| argument.as_literal().cloned()).collect(),
                returns: aggregate.fields[0].ty,
                seed: self.context.seed,
            };
            (aggregate.function.accumulator)(&call)
        });
        let accumulators = accumulators.collect::<Result<_>>()?;
        Ok(State { table: GroupTable::new(types, self.context.seed), accumulators, rows: Vec::new() })
    }

    fn add(&self, state: &mut State, batch: &Batch) -> Result<()> {
        let columns = |expressions: &[Expr]| -> Result<Vec<Column>> {
            expressions.iter().map(|expr| evaluate(expr, batch, self.context)).collect()
        };
        state.table.assign(&columns(self.keys)?, batch.rows(), &mut state.rows)?;
        for (accumulator, aggregate) in state.accumulators.iter_mut().zip(self.aggregates) {
            accumulator.update(&state.rows, state.table.len(), &columns(&aggregate.arguments)?)?;
        }
        Ok(())
    }
}

impl State {
    fn merge(&mut self, later: Self) -> Result<()> {
        let map = self.table.merge(&later.table)?;
        for (accumulator, part) in self.accumulators.iter_mut().zip(later.accumulators) {
            accumulator.merge(part, &map, self.table.len())?;
        }
        Ok(())
    }

    fn finish(mut self, aggregates: &[AggregateExpr], batch_rows: usize) -> Result<Vec<Batch>> {
        let groups = self.table.len();
        let mut columns = self.table.columns();
        for (accumulator, aggregate) in self.accumulators.iter_mut().zip(aggregates) {
            columns.extend(accumulator.finish(groups).map_err(|error| error.placed(aggregate.span))?);
        }
        let whole = Batch::new(columns, groups);
        let starts = (0..groups).step_by(batch_rows.max(1));
        Ok(starts.map(|start| whole.slice(start, batch_rows.min(groups - start))).collect())
    }
}
