//! The registry of everything a query can call: scalar functions, aggregates, operators and special forms.
//!
//! Each family has a file with a table of its functions; being in that table registers a function. The binder,
//! `coldcase functions`, the generated documentation and the tests read these tables.

pub mod aggregate;
pub mod args;
pub mod differences;
pub(crate) mod digest;
pub(crate) mod distinct_set;
pub mod docs;
pub mod doubt;
pub mod entry_cache;
pub mod known;
pub mod location;
pub mod needle;
pub(crate) mod operand;
pub mod operator;
pub mod parse;
pub mod pattern;
pub mod per_segment;
pub mod plugin;
pub mod reduce;
pub mod scalar;
pub mod signature;
pub mod special;
pub mod table_function;

pub use aggregate::{Accumulator, AggregateFunction};
pub use args::{Args, ResultValue};
pub use docs::{Category, Example};
pub use doubt::{Doubt, Doubts};
pub use entry_cache::EntryCache;
pub use location::LocationDatabase;
pub use plugin::{Plugin, plugin};
pub use signature::{
    Accepts, Kernel, NUMERIC, Nulls, Occurs, Overload, Param, ResultName, Returns, SUMMABLE, Volatility,
};
pub use special::SpecialForm;
pub use table_function::{TableFunction, TableOutput};

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use crate::diagnostic::{Diagnostic, Result};
use crate::types::{Column, Type, Value};

/// The settings of a run that functions can read. Functions have no clock: `now` is fixed.
#[derive(Clone, Debug)]
pub struct EvalContext {
    /// The result of `now()`, in ticks of a datetime.
    pub now: i64,
    /// True if the plan will be run at several times. Calls of `now()` must then stay in it instead of becoming
    /// constants.
    pub keeps_clock: bool,
    /// The seed of the run's random numbers.
    pub seed: u64,
    /// The database of `geo_info_from_ip_address()`, if the run has one.
    locations: Option<Arc<LocationDatabase>>,
    /// The number of random number generators created so far: no two calls may share random numbers.
    generators: Arc<AtomicU64>,
    doubts: Arc<Doubts>,
    entry_cache: Arc<EntryCache>,
}

impl EvalContext {
    /// Returns the settings of a run at `now`, in ticks, with the random seed `seed`.
    #[must_use]
    pub fn new(now: i64, seed: u64) -> Self {
        Self {
            now,
            keeps_clock: false,
            seed,
            locations: None,
            generators: Arc::default(),
            doubts: Arc::default(),
            entry_cache: Arc::default(),
        }
    }

    /// Sets the database of `geo_info_from_ip_address()`.
    #[must_use]
    pub fn with_locations(self, locations: Option<Arc<LocationDatabase>>) -> Self {
        Self { locations, ..self }
    }

    /// Returns the database of the locations of IP addresses, if the run has one.
    #[must_use]
    pub fn locations(&self) -> Option<&LocationDatabase> {
        self.locations.as_deref()
    }

    /// Returns the values for which functions of the run have no certain result.
    #[must_use]
    pub fn doubts(&self) -> &Doubts {
        &self.doubts
    }

    /// Returns the results that are remembered for dictionaries of long strings.
    #[must_use]
    pub fn entry_cache(&self) -> &EntryCache {
        &self.entry_cache
    }

    /// Returns a random number generator that no other call of this run shares. Which call gets which one depends on
    /// the scheduling of threads.
    #[must_use]
    pub fn generator(&self) -> ChaCha8Rng {
        let mut generator = ChaCha8Rng::seed_from_u64(self.seed);
        generator.set_stream(self.generators.fetch_add(1, Ordering::Relaxed));
        generator
    }
}

/// The definition of a scalar function.
#[derive(Debug)]
pub struct ScalarFunction {
    /// The name, in lower case.
    pub name: &'static str,
    /// Other names for the same function.
    pub aliases: &'static [&'static str],
    /// The chapter of the documentation that the function belongs to.
    pub category: Category,
    /// One sentence for the documentation: what the function returns.
    pub summary: &'static str,
    /// The signatures of the function, each with the code that computes it.
    pub overloads: &'static [Overload],
    /// Examples for the documentation, at least one. The tests run them.
    pub examples: &'static [Example],
    /// How a result column is named if the query gives no name.
    pub result_name: ResultName,
    /// The names and types of the result columns, if the function returns several; otherwise empty. The kernel then
    /// returns an array of their values, and only operators that make columns can call the function (`project`,
    /// `extend`, `print`).
    pub columns: &'static [(&'static str, Type)],
    /// Whether a last argument `typeof(type)` may name the type of the result.
    pub type_argument: TypeArgument,
    /// How often a call must be computed: for the run, or for each row.
    pub volatility: Volatility,
    /// The effect of a null argument on the result.
    pub nulls: Nulls,
    /// Returns the position of the argument that is the result for every row, if there is one: the columns are the
    /// arguments of a call. That column is then returned as it is, with its encoding.
    pub chosen: fn(&[Column]) -> Option<usize>,
    /// Rejects constant arguments that are wrong for every row, such as an invalid regular expression. The error has an
    /// empty span; the binder adds the location. None stands for an argument that is not constant.
    pub validate: fn(&[Option<&Value>]) -> Result<()>,
    /// Returns a warning about constant arguments that are probably a mistake. Its span is empty; the binder adds the
    /// location.
    pub caution: fn(&[Option<&Value>]) -> Option<Diagnostic>,
}

impl ScalarFunction {
    /// The defaults: a function without side effects, for which a null argument gives null, and whose results are named
    /// `ColumnN`.
    pub const DEFAULT: Self = Self {
        name: "",
        aliases: &[],
        category: Category::String,
        summary: "",
        overloads: &[],
        examples: &[],
        result_name: ResultName::Numbered,
        columns: &[],
        type_argument: TypeArgument::None,
        volatility: Volatility::Pure,
        nulls: Nulls::Propagate,
        chosen: |_| None,
        validate: |_| Ok(()),
        caution: |_| None,
    };

    /// Returns the functions that check the constant arguments of a call.
    pub(crate) fn checks(&self) -> ConstantChecks {
        ConstantChecks { validate: self.validate, caution: self.caution }
    }
}

/// The functions that check the constant arguments of a call; see [`ScalarFunction::validate`] and
/// [`ScalarFunction::caution`].
#[derive(Clone, Copy)]
pub(crate) struct ConstantChecks {
    pub validate: fn(&[Option<&Value>]) -> Result<()>,
    pub caution: fn(&[Option<&Value>]) -> Option<Diagnostic>,
}

/// Whether the last argument of a call may be `typeof(type)`, and what that does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TypeArgument {
    /// The last argument may not be `typeof(type)`.
    None,
    /// The string that the function returns is cast to that type.
    CastsString,
    /// The JSON value that the function finds is cast to that type.
    CastsJson,
}

impl TypeArgument {
    /// Returns the parameter as signatures show it; "" if there is none.
    fn parameter(self) -> &'static str {
        if self == Self::None { "" } else { ", [typeof(type)]" }
    }
}

/// Returns the scalar function of this name or alias.
#[must_use]
pub fn scalar_function(name: &str) -> Option<&'static ScalarFunction> {
    scalar_functions().find(|function| function.name == name || function.aliases.contains(&name))
}

/// Returns every scalar function.
pub fn scalar_functions() -> impl Iterator<Item = &'static ScalarFunction> {
    scalar::FAMILIES.iter().copied().flatten()
}

/// Returns the aggregate of this name or alias.
#[must_use]
pub fn aggregate_function(name: &str) -> Option<&'static AggregateFunction> {
    aggregate_functions().find(|function| function.name == name || function.aliases.contains(&name))
}

/// Returns every aggregate.
pub fn aggregate_functions() -> impl Iterator<Item = &'static AggregateFunction> {
    aggregate::FAMILIES.iter().copied().flatten()
}

/// Returns the special form of this name or alias.
#[must_use]
pub fn special_form(name: &str) -> Option<&'static SpecialForm> {
    special_forms().find(|form| form.name == name || form.aliases.contains(&name))
}

/// Returns every special form.
pub fn special_forms() -> impl Iterator<Item = &'static SpecialForm> {
    special::FORMS.iter()
}

/// True if a query can call a function of this name.
#[must_use]
pub fn is_callable(name: &str) -> bool {
    special_form(name).is_some() || scalar_function(name).is_some() || aggregate_function(name).is_some()
}

/// Returns the names of all functions that a query can call, without aliases.
pub fn callable_names() -> impl Iterator<Item = &'static str> {
    let scalars = scalar_functions().map(|function| function.name);
    let aggregates = aggregate_functions().map(|function| function.name);
    special_forms().map(|form| form.name).chain(scalars).chain(aggregates)
}
