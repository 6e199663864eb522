//! The registry of everything a query can call.
//!
//! A family file holds a table of entries; the table is the registration. The binder, `coldcase functions`, the
//! generated documentation and the tests read it.

pub mod aggregate;
pub mod args;
pub mod docs;
pub mod known;
pub mod needle;
pub(crate) mod operand;
pub mod operator;
pub mod pattern;
pub mod scalar;
pub mod signature;

pub use aggregate::{Accumulator, AggregateFunction};
pub use args::{Args, Slot};
pub use docs::{Category, Example};
pub use signature::{
    Accepts, Kernel, NUMERIC, Nulls, Occurs, Overload, Param, ResultName, Returns, SUMMABLE, Volatility,
};

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use crate::diagnostic::{Diagnostic, Result};
use crate::types::{Column, Type, Value};

/// What is fixed for one run and visible to functions. Never a clock: `now` is a value.
#[derive(Clone, Debug)]
pub struct EvalContext {
    /// What `now()` answers: ticks of a datetime.
    pub now: i64,
    /// The seed of what is random in a run.
    pub seed: u64,
    /// How many generators were handed out: calls must not share their numbers.
    generators: Arc<AtomicU64>,
}

impl EvalContext {
    /// A run at `now`, whose random numbers come from `seed`.
    #[must_use]
    pub fn new(now: i64, seed: u64) -> Self {
        Self { now, seed, generators: Arc::default() }
    }

    /// Random numbers that no other call of this run gets. Which call gets which depends on the threads.
    #[must_use]
    pub fn generator(&self) -> ChaCha8Rng {
        let mut generator = ChaCha8Rng::seed_from_u64(self.seed);
        generator.set_stream(self.generators.fetch_add(1, Ordering::Relaxed));
        generator
    }
}

/// One scalar function.
#[derive(Debug)]
pub struct ScalarFunction {
    /// Its name, lower case.
    pub name: &'static str,
    /// Other names for the same function.
    pub aliases: &'static [&'static str],
    /// Its chapter.
    pub category: Category,
    /// One sentence.
    pub summary: &'static str,
    /// Its forms.
    pub overloads: &'static [Overload],
    /// At least one; they run in the tests.
    pub examples: &'static [Example],
    /// What an unnamed column of its result is called.
    pub result_name: ResultName,
    /// The columns that it answers, where these are several: the kernel answers an array of their values, and the
    /// function may stand only where columns are made.
    pub columns: &'static [(&'static str, Type)],
    /// Whether it can be computed beforehand.
    pub volatility: Volatility,
    /// What nulls do.
    pub nulls: Nulls,
    /// The argument that is the result of all rows at once, where the function only chooses among its arguments and
    /// these say so. It keeps its encoding.
    pub chosen: fn(&[Column]) -> Option<usize>,
    /// Refuses constant arguments that no row could use, such as a pattern that does not parse: an error with an empty
    /// span, to which the binder adds the place. None stands for an argument that is not constant.
    pub validate: fn(&[Option<&Value>]) -> Result<()>,
    /// The warning that goes with these constant arguments, with an empty span, to which the binder adds the place.
    pub caution: fn(&[Option<&Value>]) -> Option<Diagnostic>,
}

impl ScalarFunction {
    /// What most functions have in common: pure, null in null out, results named `ColumnN`.
    pub const DEFAULT: Self = Self {
        name: "",
        aliases: &[],
        category: Category::String,
        summary: "",
        overloads: &[],
        examples: &[],
        result_name: ResultName::Numbered,
        columns: &[],
        volatility: Volatility::Pure,
        nulls: Nulls::Propagate,
        chosen: |_| None,
        validate: |_| Ok(()),
        caution: |_| None,
    };
}

/// The scalar function of this name or alias.
#[must_use]
pub fn scalar_function(name: &str) -> Option<&'static ScalarFunction> {
    scalar_functions().find(|function| function.name == name || function.aliases.contains(&name))
}

/// Every scalar function that a query can call by name.
pub fn scalar_functions() -> impl Iterator<Item = &'static ScalarFunction> {
    scalar::FAMILIES.iter().copied().flatten()
}

/// The aggregate of this name or alias.
#[must_use]
pub fn aggregate_function(name: &str) -> Option<&'static AggregateFunction> {
    aggregate_functions().find(|function| function.name == name || function.aliases.contains(&name))
}

/// Every aggregate.
pub fn aggregate_functions() -> impl Iterator<Item = &'static AggregateFunction> {
    aggregate::FAMILIES.iter().copied().flatten()
}
