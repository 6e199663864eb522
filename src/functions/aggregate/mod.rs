//! Aggregates: many rows -> one value a group.
//!
//! An [`Accumulator`] holds the state of one aggregate for all groups at once. Each part of the input has its own; the
//! parts are merged in the order of the rows, so an answer depends neither on threads nor on batch size.

pub mod arg_extreme;
pub mod binary_all;
mod chosen_rows;
mod conditional;
pub mod count;
pub mod dcount;
mod element;
mod fold;
mod interner;
pub mod make_bag;
pub mod make_list;
pub mod make_set;
mod members;
pub mod min_max;
pub mod percentile;
mod sketch;
pub mod sum_avg;
pub mod take_any;
#[cfg(test)]
mod tests;
mod twofold;
pub mod variance;

use std::any::Any;
use std::fmt::Debug;

use super::ConstantChecks;
use super::docs::{Category, Example};
use super::signature::{Param, ResultName, Returns};
use crate::diagnostic::{Diagnostic, Error, Result};
use crate::types::{Column, Field, Type, Value};

/// Every family of aggregates.
pub static FAMILIES: &[&[AggregateFunction]] = &[
    count::FUNCTIONS,
    sum_avg::FUNCTIONS,
    min_max::FUNCTIONS,
    arg_extreme::FUNCTIONS,
    take_any::FUNCTIONS,
    dcount::FUNCTIONS,
    make_list::FUNCTIONS,
    make_set::FUNCTIONS,
    make_bag::FUNCTIONS,
    percentile::FUNCTIONS,
    variance::FUNCTIONS,
    binary_all::FUNCTIONS,
];

/// One aggregate.
#[derive(Debug)]
pub struct AggregateFunction {
    /// Its name, lower case.
    pub name: &'static str,
    /// Other names for the same aggregate.
    pub aliases: &'static [&'static str],
    /// Its chapter in the documentation.
    pub category: Category,
    /// One sentence.
    pub summary: &'static str,
    /// What it takes.
    pub params: &'static [Param],
    /// The type of its (first) result, from the argument types after their casts.
    pub returns: Returns,
    /// What an unnamed column of its result is called, where the result is one column.
    pub result_name: ResultName,
    /// True where the call answers a column for each argument: `arg_max`, `take_any`. Only there may a `*` stand for
    /// the columns that are neither keys nor arguments yet; the binder writes them out as further arguments.
    pub returns_arguments: bool,
    /// The columns of its result. An empty name stands for `ColumnN`; explicit names and the numbers of repeated ones
    /// are the binder's.
    pub columns: fn(&AggregateFunction, &[Argument<'_>]) -> Vec<Field>,
    /// Rejects constant arguments, as [`ScalarFunction::validate`](super::ScalarFunction::validate) does.
    pub validate: fn(&[Option<&Value>]) -> Result<()>,
    /// A warning about constant arguments that are probably a mistake, as
    /// [`ScalarFunction::caution`](super::ScalarFunction::caution).
    pub caution: fn(&[Option<&Value>]) -> Option<Diagnostic>,
    /// The initial state of a call whose constant arguments are valid.
    pub accumulator: fn(&AggregateCall) -> Result<Box<dyn Accumulator>>,
    /// Whole queries that answer one cell; they run in the tests.
    pub examples: &'static [Example],
}

impl AggregateFunction {
    /// What most aggregates have in common.
    pub const DEFAULT: Self = Self {
        name: "",
        aliases: &[],
        category: Category::Statistical,
        summary: "",
        params: &[],
        returns: Returns::Type(Type::Long),
        result_name: ResultName::Numbered,
        returns_arguments: false,
        columns: one_column,
        validate: |_| Ok(()),
        caution: |_| None,
        accumulator: count::rows,
        examples: &[],
    };

    /// The checks of its constant arguments.
    pub(crate) fn checks(&self) -> ConstantChecks {
        ConstantChecks { validate: self.validate, caution: self.caution }
    }

    /// The columns that a call with `arguments` answers, as many as [`Accumulator::finish`] gives.
    #[must_use]
    pub fn result_columns(&self, arguments: &[Argument<'_>]) -> Vec<Field> {
        (self.columns)(self, arguments)
    }
}

/// What the names and types of result columns depend on.
#[derive(Clone, Copy, Debug)]
pub struct Argument<'a> {
    /// The name that a column of this expression alone would have, where it would have one.
    pub name: Option<&'a str>,
    /// Its type, after its cast.
    pub ty: Type,
    /// Its value, where that is a constant.
    pub constant: Option<&'a Value>,
}

impl Argument<'_> {
    /// The name, "" where there is none.
    #[must_use]
    pub fn label(&self) -> &str {
        self.name.unwrap_or("")
    }
}

/// One column, named by the entry's `result_name`.
fn one_column(function: &AggregateFunction, arguments: &[Argument<'_>]) -> Vec<Field> {
    let first = arguments.first().map_or("", Argument::label);
    let name = match function.result_name {
        ResultName::Numbered | ResultName::Sorted => String::new(),
        ResultName::FirstArgument => first.to_owned(),
        ResultName::Prefix(prefix) => format!("{prefix}{first}"),
    };
    let types: Vec<Type> = arguments.iter().map(|argument| argument.ty).collect();
    vec![Field::new(name, function.returns.resolve(&types))]
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
    /// Bytes that one value may take which is made of many.
    pub max_value: usize,
}

/// The error of an aggregate whose result would take more than `max_value` bytes.
#[must_use]
pub fn value_too_long(max_value: usize) -> Error {
    Error::Limit(format!(
        "the result would take more than {} MiB: raise --max-memory, or collect fewer or shorter values",
        max_value >> 20
    ))
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

    /// The results, a row a group: the columns that [`AggregateFunction::result_columns`] names.
    fn finish(&mut self, groups: usize) -> Result<Vec<Column>>;

    /// The state of these groups alone: its group `i` is this one's `groups[i]`. Each is selected once at most, and
    /// nothing is asked of this one afterwards.
    fn select(&mut self, groups: &[u32]) -> Result<Box<dyn Accumulator>>;

    /// For `merge`, which knows that both sides are of one type.
    fn into_any(self: Box<Self>) -> Box<dyn Any>;

    /// Bytes held, roughly.
    fn memory(&self) -> usize;
}

/// The states of some groups, which lose them; a group beyond the end of `all` has none yet.
fn taken<T: Default>(all: &mut [T], groups: &[u32]) -> Vec<T> {
    groups.iter().map(|group| all.get_mut(*group as usize).map(std::mem::take).unwrap_or_default()).collect()
}

/// The concrete state behind `later`; a mismatch is a bug of the executor.
pub fn downcast<T: 'static>(later: Box<dyn Accumulator>) -> Result<Box<T>> {
    later
        .into_any()
        .downcast::<T>()
        .map_err(|_| crate::diagnostic::Error::internal("aggregate states of different kinds cannot be merged"))
}
