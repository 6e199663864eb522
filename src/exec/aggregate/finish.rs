//! Turns the states of groups into rows.
//!
//! A HAVING predicate often keeps few groups, as `where People >= 5` does for a million addresses. The aggregates that
//! the predicate reads are finished first. The others, such as lists of names, are finished only for the groups that
//! remain.

use arrow::array::BooleanArray;

use super::{AggregateSpec, GroupStates, with_function_name};
use crate::diagnostic::Result;
use crate::exec::operator::mask;
use crate::expr::{Expr, evaluate, visit};
use crate::functions::Accumulator;
use crate::plan::AggregateExpr;
use crate::types::{Batch, Column, Value};

/// Groups are removed from the states only if at most one in this many of them is kept.
const MIN_REDUCTION: usize = 2;

/// The rows of the groups that were finished.
pub(super) struct FinishedGroups {
    /// A row for each group that is kept.
    pub rows: Batch,
    /// The groups that are kept; None if all are.
    pub kept: Option<Vec<u32>>,
}

/// The result columns of each aggregate; None for an aggregate that is not finished yet.
type AggregateResults = Vec<Option<Vec<Column>>>;

impl GroupStates {
    /// Returns a row for each group. Groups for which the HAVING predicate is not true may be left out, but need not
    /// be: a filter above tests it again.
    pub fn finish(mut self, spec: &AggregateSpec<'_>) -> Result<FinishedGroups> {
        let mut results: AggregateResults = vec![None; self.accumulators.len()];
        let kept = match spec.residual {
            Some(residual) => {
                let mask = self.evaluate_residual(residual, spec, &mut results)?;
                self.keep(&mask, &mut results)?
            }
            None => None,
        };
        let groups = self.table.len();
        let mut columns = self.table.columns();
        for ((accumulator, result), aggregate) in self.accumulators.iter_mut().zip(results).zip(spec.aggregates) {
            match result {
                Some(result) => columns.extend(result),
                None => columns.extend(finish_aggregate(accumulator.as_mut(), groups, aggregate)?),
            }
        }
        Ok(FinishedGroups { rows: Batch::new(columns, groups), kept })
    }

    /// Evaluates `residual` for each group, and finishes the aggregates that it reads.
    fn evaluate_residual(
        &mut self,
        residual: &Expr,
        spec: &AggregateSpec<'_>,
        results: &mut AggregateResults,
    ) -> Result<BooleanArray> {
        let groups = self.table.len();
        let used = visit::columns(residual);
        let unused = |ty| Column::constant(Value::null(ty), groups);
        let mut columns = match used.first() {
            Some(first) if *first < spec.keys.len() => self.table.columns(),
            _ => spec.keys.iter().map(|key| unused(key.ty)).collect(),
        };
        for ((accumulator, result), aggregate) in self.accumulators.iter_mut().zip(results).zip(spec.aggregates) {
            let positions = columns.len()..columns.len() + aggregate.fields.len();
            if used.iter().any(|position| positions.contains(position)) {
                let known = finish_aggregate(accumulator.as_mut(), groups, aggregate)?;
                columns.extend(known.iter().cloned());
                *result = Some(known);
            } else {
                columns.extend(aggregate.fields.iter().map(|field| unused(field.ty)));
            }
        }
        mask(&evaluate(residual, &Batch::new(columns, groups), &spec.context.eval)?)
    }

    /// Removes the groups that are not in `mask`, if that is worthwhile; returns the groups that are left, or None if
    /// all are.
    fn keep(&mut self, mask: &BooleanArray, results: &mut AggregateResults) -> Result<Option<Vec<u32>>> {
        if mask.true_count() > self.table.len() / MIN_REDUCTION {
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

fn finish_aggregate(
    accumulator: &mut dyn Accumulator,
    groups: usize,
    aggregate: &AggregateExpr,
) -> Result<Vec<Column>> {
    accumulator.finish(groups).map_err(|error| with_function_name(aggregate, error))
}
