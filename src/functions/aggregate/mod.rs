//! Aggregates: compute one value per group of rows.
//!
//! An [`Accumulator`] holds the state of one aggregate for all groups at once. Each part of the input has its own;
//! the parts are merged in the order of the rows, so a result depends neither on threads nor on batch size.

pub mod arg_extreme;
pub mod binary_all;
pub mod buildschema;
mod chosen_rows;
mod conditional;
pub mod count;
pub mod dcount;
mod double_double;
mod element;
mod fold;
pub mod hll;
pub mod make_bag;
pub mod make_list;
pub mod make_set;
mod members;
pub mod min_max;
pub mod percentile;
pub(crate) mod sketch;
pub mod sum_avg;
mod summary;
pub mod take_any;
pub mod tdigest;
#[cfg(test)]
mod tests;
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
    hll::FUNCTIONS,
    tdigest::FUNCTIONS,
    buildschema::FUNCTIONS,
];

/// The definition of an aggregate function.
#[derive(Debug)]
pub struct AggregateFunction {
    /// The name of the function, in lower case.
    pub name: &'static str,
    /// Other names for the same aggregate.
    pub aliases: &'static [&'static str],
    /// The chapter of the documentation that the function belongs to.
    pub category: Category,
    /// One sentence for the documentation: what the function returns.
    pub summary: &'static str,
    /// The parameters of the function.
    pub params: &'static [Param],
    /// The type of the result, from the argument types after their casts; of the first result if there are several.
    pub returns: Returns,
    /// The name of an unnamed result column, if the result is a single column.
    pub result_name: ResultName,
    /// True if a call returns a column for each argument: `arg_max`, `take_any`. Only these accept a `*` for the
    /// columns that are neither keys nor other arguments; the binder expands it into arguments.
    pub returns_arguments: bool,
    /// The number of arguments, the first ones, that decide from which row a call with more arguments returns the
    /// others; None for functions that do not choose a row.
    pub deciding_arguments: Option<usize>,
    /// Returns the result columns of a call. An empty name stands for `ColumnN`; the binder handles explicit names and
    /// makes duplicate names unique.
    pub columns: fn(&AggregateFunction, &[AggregateArgument<'_>]) -> Vec<Field>,
    /// Rejects constant arguments, as [`ScalarFunction::validate`](super::ScalarFunction::validate) does.
    pub validate: fn(&[Option<&Value>]) -> Result<()>,
    /// Returns a warning about constant arguments that are probably a mistake, as
    /// [`ScalarFunction::caution`](super::ScalarFunction::caution) does.
    pub caution: fn(&[Option<&Value>]) -> Option<Diagnostic>,
    /// Returns the initial state of a call whose constant arguments are valid.
    pub accumulator: fn(&AggregateCall) -> Result<Box<dyn Accumulator>>,
    /// Examples for the documentation: whole queries that return one cell. The tests run them.
    pub examples: &'static [Example],
}

impl AggregateFunction {
    /// The defaults of most aggregates.
    pub const DEFAULT: Self = Self {
        name: "",
        aliases: &[],
        category: Category::Statistical,
        summary: "",
        params: &[],
        returns: Returns::Type(Type::Long),
        result_name: ResultName::Numbered,
        returns_arguments: false,
        deciding_arguments: None,
        columns: one_column,
        validate: |_| Ok(()),
        caution: |_| None,
        accumulator: count::rows,
        examples: &[],
    };

    /// Returns the functions that check the constant arguments of a call.
    pub(crate) fn checks(&self) -> ConstantChecks {
        ConstantChecks { validate: self.validate, caution: self.caution }
    }

    /// Returns the result columns of a call with `arguments`, as many as [`Accumulator::finish`] returns.
    #[must_use]
    pub fn result_columns(&self, arguments: &[AggregateArgument<'_>]) -> Vec<Field> {
        (self.columns)(self, arguments)
    }
}

/// An argument, as far as names and types of result columns depend on it.
#[derive(Clone, Copy, Debug)]
pub struct AggregateArgument<'a> {
    /// The name of the argument as a column; None if it has none.
    pub name: Option<&'a str>,
    /// The type of the argument, after its cast.
    pub ty: Type,
    /// The value of the argument; None if it is not constant.
    pub constant: Option<&'a Value>,
}

impl AggregateArgument<'_> {
    /// Returns the name, or "" if there is none.
    #[must_use]
    pub fn label(&self) -> &str {
        self.name.unwrap_or("")
    }
}

/// Returns the single result column, named as the `result_name` of the function demands.
fn one_column(function: &AggregateFunction, arguments: &[AggregateArgument<'_>]) -> Vec<Field> {
    let first = arguments.first().map_or("", AggregateArgument::label);
    let name = match function.result_name {
        ResultName::Numbered | ResultName::Sorted => String::new(),
        ResultName::Fixed(name) => name.to_owned(),
        ResultName::FirstArgument => first.to_owned(),
        ResultName::Prefix(prefix) => format!("{prefix}{first}"),
    };
    let types: Vec<Type> = arguments.iter().map(|argument| argument.ty).collect();
    vec![Field::new(name, function.returns.resolve(&types))]
}

/// What the accumulator of an aggregate knows about its call.
#[derive(Clone, Debug)]
pub struct AggregateCall {
    /// The types of the arguments, after their casts.
    pub arguments: Vec<Type>,
    /// The value of each argument if it is constant, otherwise None.
    pub constants: Vec<Option<Value>>,
    /// The type of the result; of the first result if there are several.
    pub returns: Type,
    /// The seed for hash tables. They need one because attackers write the rows.
    pub seed: u64,
    /// Maximum size in bytes of one result value that collects many values, such as an array.
    pub max_value: usize,
}

/// Returns the error for a result that would take more than `max_value` bytes.
#[must_use]
pub fn value_too_long(max_value: usize) -> Error {
    Error::Limit(format!(
        "the result would take more than {} MiB: raise --max-memory, or collect fewer or shorter values",
        max_value >> 20
    ))
}

/// State of one aggregate for every group.
///
/// Group numbers are dense: `0..groups`. Every method can be called with more `groups` than before and must then make
/// room. Strings can be dictionary-encoded; [`Column::text_at`] reads them.
pub trait Accumulator: Debug + Send {
    /// Adds a batch: row `i` belongs to group `rows[i]`; `arguments` have `rows.len()` rows each.
    fn update(&mut self, rows: &[u32], groups: usize, arguments: &[Column]) -> Result<()>;

    /// Merges the state of a later part of the input into this one: group `i` of `later` is group `map[i]` here.
    fn merge(&mut self, later: Box<dyn Accumulator>, map: &[u32], groups: usize) -> Result<()>;

    /// Returns the results, one row per group: the columns that [`AggregateFunction::result_columns`] names.
    fn finish(&mut self, groups: usize) -> Result<Vec<Column>>;

    /// Moves the state of some groups out: group `i` of the returned state is group `groups[i]` here. Each group is
    /// selected at most once, and this state is not used afterwards.
    fn select(&mut self, groups: &[u32]) -> Result<Box<dyn Accumulator>>;

    /// Converts the state to `Any`, so that [`Self::merge`] can restore its concrete type.
    fn into_any(self: Box<Self>) -> Box<dyn Any>;

    /// Returns the approximate memory use in bytes.
    fn memory(&self) -> usize;
}

/// Moves the states of some groups out; a group beyond the end of `all` has the default state.
fn take_states<T: Default>(all: &mut [T], groups: &[u32]) -> Vec<T> {
    groups.iter().map(|group| all.get_mut(*group as usize).map(std::mem::take).unwrap_or_default()).collect()
}

/// Converts `later` to its concrete type; another type is an internal error.
pub fn downcast<T: 'static>(later: Box<dyn Accumulator>) -> Result<Box<T>> {
    later
        .into_any()
        .downcast::<T>()
        .map_err(|_| crate::diagnostic::Error::internal("aggregate states of different kinds cannot be merged"))
}
