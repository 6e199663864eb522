//! States of groups -> rows.
//!
//! A condition on the result often leaves few groups, as `where People >= 5` does of a million addresses. What it asks
//! about is finished first then, and the rest, such as lists of names, only of the groups for which it is true.

use arrow::array::BooleanArray;

use super::{State, Work, of_function};
use crate::diagnostic::Result;
use crate::exec::operator::mask;
use crate::expr::{Expr, evaluate, visit};
use crate::functions::Accumulator;
use crate::plan::AggregateExpr;
use crate::types::{Batch, Column, Value};

/// Taking some groups out of their states pays where they are less than one in so many.
const FEW: usize = 2;

/// Rows of groups.
pub(in crate::exec::sink) struct Finished {
    /// A row for each group that is kept.
    pub rows: Batch,
    /// These groups, where some were left out.
    pub kept: Option<Vec<u32>>,
}

/// By aggregate, its results where they are known.
type Results = Vec<Option<Vec<Column>>>;

impl State {
    /// A row a group, but for those that nobody wants.
    pub fn finish(mut self, work: &Work<'_>) -> Result<Finished> {
        let mut results: Results = vec![None; self.accumulators.len()];
        let kept = match work.wanted {
            Some(wanted) => {
                let mask = self.test(wanted, work, &mut results)?;
                self.keep(&mask, &mut results)?
            }
            None => None,
        };
        let groups = self.table.len();
        let mut columns = self.table.columns();
        for ((accumulator, result), aggregate) in self.accumulators.iter_mut().zip(results).zip(work.aggregates) {
            match result {
                Some(result) => columns.extend(result),
                None => columns.extend(finished(accumulator.as_mut(), groups, aggregate)?),
            }
        }
        Ok(Finished { rows: Batch::new(columns, groups), kept })
    }

    /// For which groups a condition is true. It finishes the aggregates that the condition asks about.
    fn test(&mut self, wanted: &Expr, work: &Work<'_>, results: &mut Results) -> Result<BooleanArray> {
        let groups = self.table.len();
        let used = visit::columns(wanted);
        let untold = |ty| Column::constant(Value::null(ty), groups);
        let mut columns = match used.first() {
            Some(first) if *first < work.keys.len() => self.table.columns(),
            _ => work.keys.iter().map(|key| untold(key.ty)).collect(),
        };
        for ((accumulator, result), aggregate) in self.accumulators.iter_mut().zip(results).zip(work.aggregates) {
            let places = columns.len()..columns.len() + aggregate.fields.len();
            if used.iter().any(|place| places.contains(place)) {
                let known = finished(accumulator.as_mut(), groups, aggregate)?;
                columns.extend(known.iter().cloned());
                *result = Some(known);
            } else {
                columns.extend(aggregate.fields.iter().map(|field| untold(field.ty)));
            }
        }
        mask(&evaluate(wanted, &Batch::new(columns, groups), &work.context.eval)?)
    }

    /// Leaves out all other groups, where that pays; answers which are left then.
    fn keep(&mut self, mask: &BooleanArray, results: &mut Results) -> Result<Option<Vec<u32>>> {
        if mask.true_count() > self.table.len() / FEW {
            return Ok(None);
        }
        let kept: Vec<u32> = mask.values().set_indices_u32().collect();
        self.table = self.table.select(&kept)?;
        for (accumulator, result) in self.accumulators.iter_mut().zip(results) {
            match result {
                Some(columns) => {
                    let all = Batch::new(std::mem::take(columns), mask.len());
                    *columns = all.filter(mask)?.columns().to_vec();
                }
                None => *accumulator = accumulator.select(&kept)?,
            }
        }
        Ok(Some(kept))
    }
}

fn finished(accumulator: &mut dyn Accumulator, groups: usize, aggregate: &AggregateExpr) -> Result<Vec<Column>> {
    accumulator.finish(groups).map_err(|error| of_function(aggregate, error))
}
