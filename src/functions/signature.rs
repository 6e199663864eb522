//! What a function takes and answers, and which of its forms fits the arguments at hand.

use std::fmt;

use super::args::Args;
use crate::diagnostic::Result;
use crate::types::{Column, Type, Value};

/// Computes a function over whole columns: one result row for each argument row.
pub type Kernel = fn(&Args<'_>) -> Result<Column>;

/// One form of a function.
#[derive(Debug)]
pub struct Overload {
    /// What it takes, in order.
    pub params: &'static [Param],
    /// The type of what it answers.
    pub returns: Returns,
    /// How it is computed.
    pub kernel: Kernel,
}

/// One parameter.
#[derive(Debug)]
pub struct Param {
    /// Its name, as the reference has it where that is a good name.
    pub name: &'static str,
    /// What may stand there.
    pub accepts: Accepts,
    /// What it is for, a few words.
    pub about: &'static str,
    /// Whether it may or must occur, and how often.
    pub occurs: Occurs,
    /// True where its value must be known before the query runs.
    pub constant: bool,
}

/// How often a parameter occurs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Occurs {
    /// Exactly once.
    Once,
    /// Once or not at all; only optional parameters follow.
    Optional,
    /// Once or more; the last parameter.
    Repeated,
    /// Never, once or more; the last parameter.
    Any,
    /// Once or more together with the parameters next to it that say the same: `case(if, then, if, then, else)`.
    Grouped,
}

impl Param {
    /// A parameter of one type; other types are cast where the language casts silently.
    #[must_use]
    pub const fn new(name: &'static str, ty: Type, about: &'static str) -> Self {
        Self { name, accepts: Accepts::Type(ty), about, occurs: Occurs::Once, constant: false }
    }

    /// A parameter that takes several types as they are.
    #[must_use]
    pub const fn of(name: &'static str, accepts: Accepts, about: &'static str) -> Self {
        Self { name, accepts, about, occurs: Occurs::Once, constant: false }
    }

    /// The same, but it may be left out.
    #[must_use]
    pub const fn optional(self) -> Self {
        Self { occurs: Occurs::Optional, ..self }
    }

    /// The same, once or more.
    #[must_use]
    pub const fn repeated(self) -> Self {
        Self { occurs: Occurs::Repeated, ..self }
    }

    /// The same, any number of times.
    #[must_use]
    pub const fn any_number(self) -> Self {
        Self { occurs: Occurs::Any, ..self }
    }

    /// The same, once or more in turn with its neighbours of this kind.
    #[must_use]
    pub const fn grouped(self) -> Self {
        Self { occurs: Occurs::Grouped, ..self }
    }

    /// The same, known before the query runs.
    #[must_use]
    pub const fn constant(self) -> Self {
        Self { constant: true, ..self }
    }
}

/// What a parameter takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accepts {
    /// This type; a dynamic, an untyped null and a narrower number are cast to it.
    Type(Type),
    /// Any of these as they are; a dynamic is cast to the first of them, an int to the first wider number.
    OneOf(&'static [Type]),
    /// Any of these as they are, an int as the first wider number; a dynamic must be converted by the query.
    Only(&'static [Type]),
    /// Any of these as they are, and nothing else: no cast.
    Exactly(&'static [Type]),
    /// Anything, as it is.
    Any,
}

/// int, long, real, decimal.
pub const NUMERIC: Accepts = Accepts::OneOf(&[Type::Long, Type::Int, Type::Real, Type::Decimal]);
/// Whatever can be ordered and summed: numbers, timespan; datetime too where the function says so.
pub const SUMMABLE: Accepts = Accepts::OneOf(&[Type::Long, Type::Int, Type::Real, Type::Decimal, Type::Timespan]);

impl Accepts {
    /// The type that an argument of type `given` is handed over as; None where it does not fit.
    #[must_use]
    pub fn cast_target(self, given: Type) -> Option<Type> {
        match self {
            Self::Any => Some(given),
            Self::Type(wanted) => (implicit_cost(given, wanted).is_some()).then_some(wanted),
            Self::OneOf(types) | Self::Only(types) | Self::Exactly(types) if types.contains(&given) => Some(given),
            Self::Exactly(_) => None,
            Self::Only(_) if given == Type::Dynamic => None,
            Self::OneOf(types) | Self::Only(types) => {
                types.iter().copied().find(|wanted| implicit_cost(given, *wanted).is_some())
            }
        }
    }

    /// How far `given` is from what is wanted; None where it does not fit.
    fn cost(self, given: Type) -> Option<u32> {
        match self {
            Self::Any => Some(1),
            Self::Type(wanted) => implicit_cost(given, wanted),
            Self::Only(types) if given == Type::Dynamic && !types.contains(&given) => None,
            Self::Exactly(types) => types.contains(&given).then_some(0),
            Self::OneOf(types) | Self::Only(types) => {
                types.iter().filter_map(|wanted| implicit_cost(given, *wanted)).min()
            }
        }
    }
}

/// The price of the silent cast `from` -> `to`; None where the language has none.
#[must_use]
pub fn implicit_cost(from: Type, to: Type) -> Option<u32> {
    match (from, to) {
        (a, b) if a == b => Some(0),
        (Type::Int, Type::Long) => Some(1),
        (Type::Int | Type::Long, Type::Real) => Some(2),
        (Type::Int | Type::Long | Type::Real, Type::Decimal) => Some(3),
        (Type::Dynamic, _) => Some(8),
        _ => None,
    }
}

/// The type of a function's result.
#[derive(Clone, Copy)]
pub enum Returns {
    /// Always this one.
    Type(Type),
    /// That of the argument at this position, after its cast.
    Argument(usize),
    /// Computed from the argument types, after their casts.
    By(fn(&[Type]) -> Type),
    /// Computed from the argument types, after their casts, and from the arguments that are constant.
    ByConstants(fn(&[Type], &[Option<&Value>]) -> Type),
}

impl Returns {
    /// The type for arguments of these types, none of which is known to be constant.
    #[must_use]
    pub fn resolve(self, arguments: &[Type]) -> Type {
        self.resolve_with(arguments, &[])
    }

    /// The type for arguments of these types, of which some are constant: None stands for one that is not.
    #[must_use]
    pub fn resolve_with(self, arguments: &[Type], constants: &[Option<&Value>]) -> Type {
        match self {
            Self::ByConstants(rule) => rule(arguments, constants),
            Self::Type(ty) => ty,
            Self::Argument(index) => arguments.get(index).copied().unwrap_or(Type::Dynamic),
            Self::By(rule) => rule(arguments),
        }
    }
}

impl fmt::Debug for Returns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Type(ty) => write!(f, "{ty}"),
            Self::Argument(index) => write!(f, "type of argument {index}"),
            Self::By(_) | Self::ByConstants(_) => f.write_str("by the arguments"),
        }
    }
}

/// What an unnamed result column is called.
/// Source: the engine's answers; the published analyzer's `ResultNameKind` has the same cases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResultName {
    /// `Column1`, `Column2`, ...
    Numbered,
    /// The name of the first argument, where that is a column or has a name by the same rule.
    FirstArgument,
    /// This prefix before the first argument's name: `sum_` gives `sum_x`, and `sum_` where it has none.
    Prefix(&'static str),
    /// The name of the first argument, where that is a column, or else `array0`, with `_sorted` behind it.
    Sorted,
}

/// Whether a call can be computed before the query runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Volatility {
    /// Equal arguments give equal results.
    Pure,
    /// One value for the whole run: `now()`.
    Run,
    /// Each row its own: `rand()`, `new_guid()`.
    Row,
}

/// What a null argument does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nulls {
    /// A null argument makes the result null ("" for string results); the kernel's row loops see to it.
    Propagate,
    /// The kernel decides.
    Handled,
}

/// The form that fits best, with the types its arguments are cast to.
#[must_use]
pub fn choose<'a>(overloads: &'a [Overload], arguments: &[Type]) -> Option<(&'a Overload, Vec<Type>)> {
    let priced = overloads.iter().filter_map(|overload| {
        let params = expand(overload.params, arguments.len())?;
        let prices = params.iter().zip(arguments).map(|(param, given)| param.accepts.cost(*given));
        let price = prices.sum::<Option<u32>>()?;
        let casts = params.iter().zip(arguments).map(|(param, given)| param.accepts.cast_target(*given));
        Some((price, overload, casts.collect::<Option<Vec<_>>>()?))
    });
    priced.min_by_key(|(price, ..)| *price).map(|(_, overload, casts)| (overload, casts))
}

/// One parameter for each of `count` arguments; None where the number does not fit.
#[must_use]
pub fn expand(params: &'static [Param], count: usize) -> Option<Vec<&'static Param>> {
    let (least, most) = arity(params);
    if count < least || most.is_some_and(|most| count > most) {
        return None;
    }
    let grouped = |param: &Param| param.occurs == Occurs::Grouped;
    if let Some(start) = params.iter().position(grouped) {
        let size = params[start..].iter().take_while(|param| grouped(param)).count();
        let group = (count - least).is_multiple_of(size);
        return group.then(|| expand_group(params, start, size, count - least + size));
    }
    let last = params.len().saturating_sub(1);
    Some((0..count).map(|index| &params[index.min(last)]).collect())
}

/// The parameters with the group of `size` that begins at `start` repeated to the length of `grouped`.
fn expand_group(params: &'static [Param], start: usize, size: usize, grouped: usize) -> Vec<&'static Param> {
    let (before, rest) = params.split_at(start);
    let (group, after) = rest.split_at(size);
    before.iter().chain(group.iter().cycle().take(grouped)).chain(after).collect()
}

/// The least and the greatest number of arguments; None for the greatest where there is no bound.
#[must_use]
pub fn arity(params: &[Param]) -> (usize, Option<usize>) {
    let needed = |param: &&Param| matches!(param.occurs, Occurs::Once | Occurs::Repeated | Occurs::Grouped);
    let many = |param: &Param| matches!(param.occurs, Occurs::Repeated | Occurs::Any | Occurs::Grouped);
    let least = params.iter().filter(needed).count();
    (least, (!params.iter().any(many)).then_some(params.len()))
}
