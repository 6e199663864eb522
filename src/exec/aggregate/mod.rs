//! Hash aggregation: one row for each group.
//!
//! Each part of the input has states for the groups of its rows; they are merged in the order of the rows. If they get
//! too large, `partitioned` continues with temporary files.

mod finish;
mod partitioned;

use std::sync::atomic::{AtomicBool, Ordering};

use crate::diagnostic::{Error, Result};
use crate::exec::context::ExecContext;
use crate::exec::fold::{PartialState, fold};
use crate::exec::hash::GroupTable;
use crate::exec::pipeline::ExecPipeline;
use crate::expr::{Expr, evaluate};
use crate::functions::Accumulator;
use crate::functions::aggregate::AggregateCall;
use crate::memory::Reservation;
use crate::plan::AggregateExpr;
use crate::types::{Batch, Column, Schema, Type, Value};

use partitioned::PartitionedGroups;

/// The states of all threads that are not merged yet may together use the memory limit divided by this number.
const UNMERGED_SHARE: usize = 48;

/// States of fewer rows than this may use [`LONG_STATES`] times as much: if few rows have long strings, later rows
/// often have the same ones, and merging them each time would take longer than reading them.
const FEW_ROWS: usize = 1 << 10;

/// See [`FEW_ROWS`].
const LONG_STATES: usize = 8;
/// Maximum number of rows that are passed on at once if there is no memory for states.
const MAX_RAW_ROWS: usize = 8_192;

/// The keys and aggregates of an aggregation.
#[derive(Clone, Copy)]
pub struct Grouping<'a> {
    /// The expressions whose values are the same for all rows of a group.
    pub keys: &'a [Expr],
    /// The aggregates of each group.
    pub aggregates: &'a [AggregateExpr],
    /// A HAVING predicate, which a filter above tests again: groups for which it is not true may be left out.
    pub residual: Option<&'a Expr>,
}

/// Returns a row for each group of `input`, in order of first appearance. Without keys there is one group, even if
/// there are no rows.
pub fn aggregate(
    input: &ExecPipeline,
    schema: &Schema,
    grouping: Grouping<'_>,
    context: &ExecContext,
) -> Result<ExecPipeline> {
    let spec = AggregateSpec::new(grouping, context);
    let mut groups = PartitionedGroups::new(&spec)?;
    let combine = &mut |partial: PartialAggregate<'_>| groups.append(partial.states, &partial.raw_rows);
    fold(input, context, &|| spec.partial(), combine)?;
    groups.finish(schema)
}

/// The parts of an aggregation that all of its threads share.
struct AggregateSpec<'a> {
    pub keys: &'a [Expr],
    pub aggregates: &'a [AggregateExpr],
    residual: Option<&'a Expr>,
    pub context: &'a ExecContext,
    /// The expressions that are evaluated for each row: the keys, then the columns that the aggregates take as
    /// arguments, each only once.
    inputs: Vec<&'a Expr>,
    /// Where each aggregate gets its arguments from.
    arguments: Vec<Vec<ArgumentSource>>,
    /// True once the groups are partitioned: partial aggregates then pass on rows, not states.
    pub is_partitioned: AtomicBool,
}

enum ArgumentSource {
    /// The position of the argument in [`AggregateSpec::inputs`].
    Column(usize),
    Constant(Value),
}

impl<'a> AggregateSpec<'a> {
    fn new(Grouping { keys, aggregates, residual }: Grouping<'a>, context: &'a ExecContext) -> Self {
        let mut inputs: Vec<&Expr> = keys.iter().collect();
        let mut argument = |argument: &'a Expr| {
            if let Some(value) = argument.as_literal() {
                return ArgumentSource::Constant(value.clone());
            }
            let same = |known: &&Expr| argument.as_column().is_some() && known.as_column() == argument.as_column();
            let known = inputs.iter().position(same);
            ArgumentSource::Column(known.unwrap_or_else(|| {
                inputs.push(argument);
                inputs.len() - 1
            }))
        };
        let arguments = aggregates.iter().map(|call| call.arguments.iter().map(&mut argument).collect()).collect();
        Self { keys, aggregates, residual, context, inputs, arguments, is_partitioned: AtomicBool::new(false) }
    }

    /// Evaluates [`Self::inputs`] over the rows of `batch`.
    fn evaluate_inputs(&self, batch: &Batch) -> Result<Batch> {
        let column = |expr: &&Expr| evaluate(expr, batch, &self.context.eval);
        Ok(Batch::new(self.inputs.iter().map(column).collect::<Result<_>>()?, batch.rows()))
    }

    /// Returns the types of [`Self::inputs`].
    pub fn input_types(&self) -> impl Iterator<Item = Type> {
        self.inputs.iter().map(|expr| expr.ty)
    }

    /// Returns the name of the operator in the query, for messages.
    pub fn name(&self) -> &'static str {
        if self.aggregates.is_empty() { "distinct" } else { "summarize" }
    }

    /// Returns states without groups.
    pub fn states(&self) -> Result<GroupStates> {
        let types = self.keys.iter().map(|key| key.ty).collect();
        let seed = self.context.eval.seed;
        let accumulators = self.aggregates.iter().map(|aggregate| {
            let call = AggregateCall {
                arguments: aggregate.arguments.iter().map(|argument| argument.ty).collect(),
                constants: aggregate.arguments.iter().map(|argument| argument.as_literal().cloned()).collect(),
                returns: aggregate.fields[0].ty,
                seed,
                max_value: self.context.memory.value_bytes(),
            };
            (aggregate.function.accumulator)(&call)
        });
        let accumulators = accumulators.collect::<Result<_>>()?;
        let (table, reservation) = (GroupTable::new(types, seed), self.context.memory.reservation());
        Ok(GroupStates { table, accumulators, batch_groups: Vec::new(), reservation })
    }

    fn partial(&self) -> Result<PartialAggregate<'_>> {
        Ok(PartialAggregate {
            spec: self,
            states: self.states()?,
            aggregated_rows: 0,
            raw_rows: Vec::new(),
            row_count: 0,
            bytes: 0,
        })
    }
}

/// Groups, and the accumulators with the states of all aggregates.
struct GroupStates {
    pub table: GroupTable,
    accumulators: Vec<Box<dyn Accumulator>>,
    /// The group of each row of the last batch.
    batch_groups: Vec<u32>,
    pub reservation: Reservation,
}

impl GroupStates {
    /// Adds rows to the groups. The columns of `batch` are the values of [`AggregateSpec::inputs`].
    pub fn update(&mut self, spec: &AggregateSpec<'_>, batch: &Batch) -> Result<()> {
        self.table.assign(&batch.columns()[..spec.keys.len()], batch.rows(), &mut self.batch_groups)?;
        let column = |argument: &ArgumentSource| match argument {
            ArgumentSource::Column(index) => batch.column(*index).clone(),
            ArgumentSource::Constant(value) => Column::constant(value.clone(), batch.rows()),
        };
        let calls = spec.arguments.iter().zip(spec.aggregates);
        for (accumulator, (arguments, aggregate)) in self.accumulators.iter_mut().zip(calls) {
            let arguments: Vec<Column> = arguments.iter().map(column).collect();
            let updated = accumulator.update(&self.batch_groups, self.table.len(), &arguments);
            updated.map_err(|error| with_function_name(aggregate, error))?;
        }
        self.update_reservation();
        Ok(())
    }

    /// Merges the states of later rows into these; returns for each of their groups the group that it is here.
    pub fn merge(&mut self, later: Self, spec: &AggregateSpec<'_>) -> Result<Vec<u32>> {
        let group_map = self.table.merge(&later.table)?;
        let states = later.accumulators.into_iter().zip(spec.aggregates);
        for (accumulator, (state, aggregate)) in self.accumulators.iter_mut().zip(states) {
            let merged = accumulator.merge(state, &group_map, self.table.len());
            merged.map_err(|error| with_function_name(aggregate, error))?;
        }
        self.update_reservation();
        Ok(group_map)
    }

    /// Moves the states of some groups out of these states.
    pub fn take_states(&mut self, groups: &[u32]) -> Result<Self> {
        let table = self.table.select(groups)?;
        let accumulators = self.accumulators.iter_mut().map(|state| state.select(groups)).collect::<Result<_>>()?;
        let mut selected =
            Self { table, accumulators, batch_groups: Vec::new(), reservation: self.reservation.another() };
        selected.update_reservation();
        Ok(selected)
    }

    /// Returns the group of each row of the last batch.
    pub fn batch_groups(&self) -> &[u32] {
        &self.batch_groups
    }

    fn update_reservation(&mut self) {
        let states: usize = self.accumulators.iter().map(|accumulator| accumulator.memory()).sum();
        self.reservation.set(states.saturating_add(self.table.bytes()));
    }
}

/// Completes an error of an aggregate: adds its name to an exceeded limit, and its position in the query to other
/// errors.
fn with_function_name(aggregate: &AggregateExpr, error: Error) -> Error {
    match error {
        Error::Limit(message) => Error::Limit(format!("`{}`: {message}", aggregate.function.name)),
        other => other.placed(aggregate.span),
    }
}

/// The aggregation of some consecutive rows: the states of the first of them, and then rows that are not aggregated
/// yet.
struct PartialAggregate<'a> {
    spec: &'a AggregateSpec<'a>,
    states: GroupStates,
    /// Number of rows that are aggregated in `states`.
    aggregated_rows: usize,
    /// The rows that are not aggregated, as values of [`AggregateSpec::inputs`].
    raw_rows: Vec<Batch>,
    row_count: usize,
    /// Number of bytes of `raw_rows`.
    bytes: usize,
}

impl PartialState for PartialAggregate<'_> {
    fn push(&mut self, batch: Batch) -> Result<()> {
        let batch = self.spec.evaluate_inputs(&batch)?;
        if self.spec.is_partitioned.load(Ordering::Relaxed) {
            let batch = batch.compacted();
            self.row_count += batch.rows();
            self.bytes += batch.own_bytes();
            self.raw_rows.push(batch);
            return Ok(());
        }
        self.states.update(self.spec, &batch)?;
        self.aggregated_rows += batch.rows();
        Ok(())
    }

    fn is_full(&self) -> bool {
        let ExecContext { memory, threads, .. } = self.spec.context;
        let has_many_rows = self.row_count >= MAX_RAW_ROWS || self.bytes >= memory.batch_bytes();
        let share = memory.limit() / UNMERGED_SHARE / threads;
        let share = if self.aggregated_rows < FEW_ROWS { share.saturating_mul(LONG_STATES) } else { share };
        has_many_rows || self.states.reservation.bytes() > share
    }
}
