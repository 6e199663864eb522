//! One row a group.
//!
//! Each part of the input has a state for every group of its rows; the states are combined in the order of the rows.
//! Where they get too large for that, `divided_groups` goes on with the rows in temporary files.

mod finish;

use std::sync::atomic::{AtomicBool, Ordering};

use super::divided_groups::Groups;
use super::{Part, fold};
use crate::diagnostic::{Error, Result};
use crate::exec::context::ExecContext;
use crate::exec::group_table::GroupTable;
use crate::exec::memory::Reservation;
use crate::exec::physical::Pipeline;
use crate::expr::{Expr, evaluate};
use crate::functions::Accumulator;
use crate::functions::aggregate::AggregateCall;
use crate::plan::AggregateExpr;
use crate::types::{Batch, Column, Schema, Type, Value};

pub(super) use finish::Finished;

/// States that are on their way to be combined may take this part of the memory, for each thread together.
const ON_THE_WAY: usize = 48;
/// Rows that are handed on at once where there is no room for states.
const ROWS: usize = 8_192;

/// What to make groups of, and which of them are wanted.
#[derive(Clone, Copy)]
pub struct Grouping<'a> {
    /// What the rows of a group have in common.
    pub keys: &'a [Expr],
    /// What is computed of the rows of a group.
    pub aggregates: &'a [AggregateExpr],
    /// A condition on the result that is tested above: groups for which it is not true may be left out.
    pub wanted: Option<&'a Expr>,
}

/// The groups of the rows of `input`, in order of first appearance; one group, even of no rows, where there are no keys.
pub fn aggregate(input: &Pipeline, schema: &Schema, grouping: Grouping<'_>, context: &ExecContext) -> Result<Pipeline> {
    let work = Work::new(grouping, context);
    let mut groups = Groups::new(&work)?;
    fold(input, context, &|| work.part(), &mut |part: AggregatePart<'_>| groups.append(part.state, &part.rows))?;
    groups.finish(schema)
}

/// What is to be done with rows.
pub(super) struct Work<'a> {
    pub keys: &'a [Expr],
    pub aggregates: &'a [AggregateExpr],
    /// What is true of the groups that are wanted.
    wanted: Option<&'a Expr>,
    pub context: &'a ExecContext,
    /// What of a row matters, each column once.
    expressions: Vec<&'a Expr>,
    /// By aggregate, where its arguments are.
    arguments: Vec<Vec<Argument>>,
    /// True where parts are to hand on rows, not states.
    pub is_divided: AtomicBool,
}

enum Argument {
    /// At this place among the expressions.
    Column(usize),
    Constant(Value),
}

impl<'a> Work<'a> {
    fn new(Grouping { keys, aggregates, wanted }: Grouping<'a>, context: &'a ExecContext) -> Self {
        let mut expressions: Vec<&Expr> = keys.iter().collect();
        let mut argument = |argument: &'a Expr| {
            if let Some(value) = argument.as_literal() {
                return Argument::Constant(value.clone());
            }
            let same = |known: &&Expr| argument.as_column().is_some() && known.as_column() == argument.as_column();
            let known = expressions.iter().position(same);
            Argument::Column(known.unwrap_or_else(|| {
                expressions.push(argument);
                expressions.len() - 1
            }))
        };
        let arguments = aggregates.iter().map(|call| call.arguments.iter().map(&mut argument).collect()).collect();
        Self { keys, aggregates, wanted, context, expressions, arguments, is_divided: AtomicBool::new(false) }
    }

    /// What matters of rows: the keys, then what the aggregates take.
    fn relevant(&self, batch: &Batch) -> Result<Batch> {
        let column = |expr: &&Expr| evaluate(expr, batch, &self.context.eval);
        Ok(Batch::new(self.expressions.iter().map(column).collect::<Result<_>>()?, batch.rows()))
    }

    /// The types of [`Self::relevant`].
    pub fn types(&self) -> impl Iterator<Item = Type> {
        self.expressions.iter().map(|expr| expr.ty)
    }

    /// What the query calls it.
    pub fn name(&self) -> &'static str {
        if self.aggregates.is_empty() { "distinct" } else { "summarize" }
    }

    /// No groups yet.
    pub fn state(&self) -> Result<State> {
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
        Ok(State { table, accumulators, rows: Vec::new(), reservation })
    }

    fn part(&self) -> Result<AggregatePart<'_>> {
        Ok(AggregatePart { work: self, state: self.state()?, rows: Vec::new(), count: 0, bytes: 0 })
    }
}

/// The groups of a part of the input.
pub(super) struct State {
    pub table: GroupTable,
    accumulators: Vec<Box<dyn Accumulator>>,
    /// The group of each row of the batch at hand.
    rows: Vec<u32>,
    pub reservation: Reservation,
}

impl State {
    /// Takes in rows, of which there is what matters.
    pub fn update(&mut self, work: &Work<'_>, batch: &Batch) -> Result<()> {
        self.table.assign(&batch.columns()[..work.keys.len()], batch.rows(), &mut self.rows)?;
        let column = |argument: &Argument| match argument {
            Argument::Column(index) => batch.column(*index).clone(),
            Argument::Constant(value) => Column::constant(value.clone(), batch.rows()),
        };
        let calls = work.arguments.iter().zip(work.aggregates);
        for (accumulator, (arguments, aggregate)) in self.accumulators.iter_mut().zip(calls) {
            let arguments: Vec<Column> = arguments.iter().map(column).collect();
            let updated = accumulator.update(&self.rows, self.table.len(), &arguments);
            updated.map_err(|error| of_function(aggregate, error))?;
        }
        self.account();
        Ok(())
    }

    /// Takes in the state of later rows; answers its groups as groups of this one.
    pub fn merge(&mut self, later: Self, work: &Work<'_>) -> Result<Vec<u32>> {
        let map = self.table.merge(&later.table)?;
        let parts = later.accumulators.into_iter().zip(work.aggregates);
        for (accumulator, (part, aggregate)) in self.accumulators.iter_mut().zip(parts) {
            let merged = accumulator.merge(part, &map, self.table.len());
            merged.map_err(|error| of_function(aggregate, error))?;
        }
        self.account();
        Ok(map)
    }

    /// The state of some groups, which are not in this one afterwards.
    pub fn select(&mut self, groups: &[u32]) -> Result<Self> {
        let table = self.table.select(groups)?;
        let accumulators = self.accumulators.iter_mut().map(|state| state.select(groups)).collect::<Result<_>>()?;
        let mut selected = Self { table, accumulators, rows: Vec::new(), reservation: self.reservation.another() };
        selected.account();
        Ok(selected)
    }

    /// The group of each row that was taken in last.
    pub fn groups(&self) -> &[u32] {
        &self.rows
    }

    fn account(&mut self) {
        let states: usize = self.accumulators.iter().map(|accumulator| accumulator.memory()).sum();
        self.reservation.set(states.saturating_add(self.table.bytes()));
    }
}

/// The error of an aggregate with its name, where a limit was hit.
pub(super) fn of_function(aggregate: &AggregateExpr, error: Error) -> Error {
    match error {
        Error::Limit(message) => Error::Limit(format!("`{}`: {message}", aggregate.function.name)),
        other => other.placed(aggregate.span),
    }
}

/// A part of the input: first the state of some rows, then rows.
struct AggregatePart<'a> {
    work: &'a Work<'a>,
    state: State,
    rows: Vec<Batch>,
    count: usize,
    /// Bytes of the rows.
    bytes: usize,
}

impl Part for AggregatePart<'_> {
    fn push(&mut self, batch: Batch) -> Result<()> {
        let batch = self.work.relevant(&batch)?;
        if self.work.is_divided.load(Ordering::Relaxed) {
            let batch = batch.compacted();
            self.count += batch.rows();
            self.bytes += batch.own_bytes();
            self.rows.push(batch);
            return Ok(());
        }
        self.state.update(self.work, &batch)
    }

    fn is_full(&self) -> bool {
        let ExecContext { memory, threads, .. } = self.work.context;
        let is_much = self.count >= ROWS || self.bytes >= memory.batch_bytes();
        is_much || self.state.reservation.bytes() > memory.limit() / ON_THE_WAY / threads
    }
}
