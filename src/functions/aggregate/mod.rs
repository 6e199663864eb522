//! Aggregates: many rows -> one value a group.
//!
//! An [`Accumulator`] holds the state of one aggregate for all groups at once. Each part of the input has its own; the
//! parts are merged in the order of the rows, so an answer depends neither on threads nor on batch size.

pub mod count;

use std::any::Any;
use std::fmt::Debug;

use super::docs::Example;
use super::signature::{Param, ResultName, Returns};
use crate::diagnostic::Result;
use crate::types::{Column, Type, Value};

/// Every family of aggregates.
pub static FAMILIES: &[&[AggregateFunction]] = &[count::FUNCTIONS];

/// One aggregate.
#[derive(Debug)]
pub struct AggregateFunction {
    /// Its name, lower case.
    pub name: &'static str,
    /// Other names for the same aggregate.
    pub aliases: &'static [&'static str],
    /// One sentence.
    pub summary: &'static str,
    /// What it takes.
    pub params: &'static [Param],
    /// The type of its (first) result, from the argument types after their casts.
    pub returns: Returns,
    /// What an unnamed column of its result is called.
    pub result_name: ResultName,
    /// True where the call answers a column for each argument, named after them: `arg_max`, `take_any`.
    pub answers_arguments: bool,
    /// Fresh state for a call.
    pub accumulator: fn(&AggregateCall) -> Result<Box<dyn Accumulator>>,
    /// Whole queries that answer one cell; they run in the tests.
    pub examples: &'static [Example],
}

impl AggregateFunction {
    /// What most aggregates have in common.
    pub const DEFAULT: Self = Self {
        name: "",
        aliases: &[],
        summary: "",
        params: &[],
        returns: Returns::Type(Type::Long),
        result_name: ResultName::Numbered,
        answers_arguments: false,
        accumulator: count::rows,
        examples: &[],
    };
}

/// What an aggregate knows about the call it serves.
#[derive(Clone, Debug)]
pub struct AggregateCall {
    /// The types of its arguments, after their casts.
    pub arguments: Vec<Type>,
    /// The values of those arguments that are constants, by position.
    pub constants: Vec<Option<Value>>,
    /// The type of its (first) result.
    pub returns: Type,
    /// Seed for hash tables: rows are written by attackers.
    pub seed: u64,
}

/// State of one aggregate for every group.
///
/// Group numbers are dense: `0..groups`. Every method may be called with a greater `groups` than before and must then
/// make room. Dictionary-encoded texts may arrive; [`Column::text_at`] reads them.
pub trait Accumulator: Debug + Send {
    /// Takes in a batch: row `i` belongs to group `rows[i]`; `arguments` have `rows.len()` rows each.
    fn update(&mut self, rows: &[u32], groups: usize, arguments: &[Column]) -> Result<()>;

    /// Takes in the state of a later part of the input: its group `i` is this one's group `map[i]`.
    fn merge(&mut self, later: Box<dyn Accumulator>, map: &[u32], groups: usize) -> Result<()>;

    /// The results, a row a group: one column, or one for each argument where the aggregate answers its arguments.
    fn finish(&mut self, groups: usize) -> Result<Vec<Column>>;

    /// For `merge`, which knows that both sides are of one type.
    fn into_any(self: Box<Self>) -> Box<dyn Any>;

    /// Bytes held, roughly.
    fn memory(&self) -> usize;
}

/// The concrete state behind `later`; a mismatch is a bug of the executor.
pub fn downcast<T: 'static>(later: Box<dyn Accumulator>) -> Result<Box<T>> {
    later
        .into_any()
        .downcast::<T>()
        .map_err(|_| crate::diagnostic::Error::internal("aggregate states of different kinds cannot be merged"))
}
