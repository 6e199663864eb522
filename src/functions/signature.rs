//! Function signatures: parameters, result types, and the choice of the overload that fits the arguments.

use std::fmt;

use super::args::Args;
use crate::diagnostic::Result;
use crate::types::{Column, Type, Value};

/// Computes a function for whole columns of arguments; the result has the same number of rows.
pub type Kernel = fn(&Args<'_>) -> Result<Column>;

/// One signature of a function, with its kernel.
#[derive(Debug)]
pub struct Overload {
    /// The parameters, in order.
    pub params: &'static [Param],
    /// The type of the result.
    pub returns: Returns,
    /// The code that computes the result.
    pub kernel: Kernel,
}

/// A parameter of a function.
#[derive(Debug)]
pub struct Param {
    /// The name, usually that in the KQL reference.
    pub name: &'static str,
    /// The types of arguments that the parameter accepts.
    pub accepts: Accepts,
    /// What the argument is, in a few words for the documentation, without a period.
    pub about: &'static str,
    /// How many arguments the parameter takes.
    pub occurs: Occurs,
    /// True if the argument must be a constant.
    pub constant: bool,
}

/// How many arguments of a call a parameter takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Occurs {
    /// Exactly one argument.
    Once,
    /// At most one argument; only optional parameters follow.
    Optional,
    /// One or more arguments; only as the last parameter.
    Repeated,
    /// Any number of arguments; only as the last parameter.
    Any,
    /// One or more arguments, alternating with the adjacent grouped parameters, as in `case(if, then, if, then, else)`.
    Grouped,
}

impl Param {
    /// Returns a parameter of one type; arguments of other types are cast if KQL casts them implicitly.
    #[must_use]
    pub const fn new(name: &'static str, ty: Type, about: &'static str) -> Self {
        Self { name, accepts: Accepts::Type(ty), about, occurs: Occurs::Once, constant: false }
    }

    /// Returns a parameter that accepts the types of `accepts`.
    #[must_use]
    pub const fn of(name: &'static str, accepts: Accepts, about: &'static str) -> Self {
        Self { name, accepts, about, occurs: Occurs::Once, constant: false }
    }

    /// Makes the parameter optional.
    #[must_use]
    pub const fn optional(self) -> Self {
        Self { occurs: Occurs::Optional, ..self }
    }

    /// Lets the parameter take one or more arguments.
    #[must_use]
    pub const fn repeated(self) -> Self {
        Self { occurs: Occurs::Repeated, ..self }
    }

    /// Lets the parameter take any number of arguments.
    #[must_use]
    pub const fn any_number(self) -> Self {
        Self { occurs: Occurs::Any, ..self }
    }

    /// Lets the parameter take one or more arguments, alternating with the adjacent grouped parameters.
    #[must_use]
    pub const fn grouped(self) -> Self {
        Self { occurs: Occurs::Grouped, ..self }
    }

    /// Restricts the parameter to constant arguments.
    #[must_use]
    pub const fn constant(self) -> Self {
        Self { constant: true, ..self }
    }
}

/// The types that a parameter accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accepts {
    /// The given type. An argument that KQL casts implicitly, such as a dynamic or a narrower number, is cast to it.
    Type(Type),
    /// Any of these types, unchanged; a dynamic is cast to the first of them, and an int to the first wider number.
    OneOf(&'static [Type]),
    /// Any of these types, unchanged, and an int, cast to the first wider number. A dynamic is not cast: the query must
    /// convert it.
    Only(&'static [Type]),
    /// Any of these types, unchanged, and no other.
    Exactly(&'static [Type]),
    /// A type variable: the arguments of all such parameters of an overload are cast to one common type.
    Same(TypeVariable),
    /// Any type, unchanged.
    Any,
    /// A table, for special forms only.
    Table,
    /// A column of the input, for special forms only.
    Column,
}

/// The type that all [`Accepts::Same`] parameters of an overload share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TypeVariable {
    /// The types that the variable can take; the first of equally good ones is chosen.
    pub types: &'static [Type],
    /// Which casts of arguments to that type are allowed.
    pub casts: Casts,
}

/// The casts that are allowed to reach a common type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Casts {
    /// All casts that KQL makes implicitly.
    Implicit,
    /// From int to long.
    IntToLong,
    /// From int to long, and from both to real and decimal.
    IntegerToNumber,
}

impl TypeVariable {
    /// Returns the cost of casting `given` to `ty`; None if that cast is not allowed.
    fn cost(self, given: Type, ty: Type) -> Option<u32> {
        let allowed = match self.casts {
            Casts::Implicit => true,
            Casts::IntToLong => given == ty || (given, ty) == (Type::Int, Type::Long),
            Casts::IntegerToNumber => given == ty || matches!(given, Type::Int | Type::Long),
        };
        implicit_cost(given, ty).filter(|_| allowed)
    }
}

/// Accepts int, long, real and decimal.
pub const NUMERIC: Accepts = Accepts::OneOf(&[Type::Long, Type::Int, Type::Real, Type::Decimal]);
/// Accepts numbers and timespans.
pub const SUMMABLE: Accepts = Accepts::OneOf(&[Type::Long, Type::Int, Type::Real, Type::Decimal, Type::Timespan]);

impl Accepts {
    /// Returns the type to which an argument of type `given` is cast; None if it is not accepted.
    #[must_use]
    pub fn cast_target(self, given: Type) -> Option<Type> {
        match self {
            Self::Any => Some(given),
            Self::Type(wanted) => (implicit_cost(given, wanted).is_some()).then_some(wanted),
            Self::OneOf(types) | Self::Only(types) | Self::Exactly(types) if types.contains(&given) => Some(given),
            Self::Same(variable) => variable.types.iter().copied().find(|ty| variable.cost(given, *ty).is_some()),
            Self::Exactly(_) | Self::Table | Self::Column => None,
            Self::Only(_) if given == Type::Dynamic => None,
            Self::OneOf(types) | Self::Only(types) => {
                types.iter().copied().find(|wanted| implicit_cost(given, *wanted).is_some())
            }
        }
    }

    /// Returns the cost of casting `given` to an accepted type; None if it is not accepted.
    fn cost(self, given: Type) -> Option<u32> {
        match self {
            Self::Any => Some(1),
            Self::Type(wanted) => implicit_cost(given, wanted),
            Self::Only(types) if given == Type::Dynamic && !types.contains(&given) => None,
            Self::Exactly(types) => types.contains(&given).then_some(0),
            Self::Same(variable) => variable.types.iter().filter_map(|ty| variable.cost(given, *ty)).min(),
            Self::Table | Self::Column => None,
            Self::OneOf(types) | Self::Only(types) => {
                types.iter().filter_map(|wanted| implicit_cost(given, *wanted)).min()
            }
        }
    }

    /// Returns the cost of an argument and the type to which it is cast; None if it is not accepted. `same` is the type
    /// for which the type variable stands, if there is one.
    fn cast_with(self, same: Option<Type>, given: Type) -> Option<(u32, Type)> {
        match (self, same) {
            (Self::Same(variable), Some(ty)) => Some((variable.cost(given, ty)?, ty)),
            _ => Some((self.cost(given)?, self.cast_target(given)?)),
        }
    }
}

/// Returns the cost of the implicit cast from `from` to `to`, by which overloads are chosen; None if KQL has no such
/// cast.
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

/// The rule by which the type of a result is determined.
#[derive(Clone, Copy)]
pub enum Returns {
    /// Always the same type, which is given here.
    Type(Type),
    /// The type of the argument at the given position, after its cast.
    Argument(usize),
    /// The type that the given function returns for the argument types, after their casts.
    By(fn(&[Type]) -> Type),
    /// The type that the given function returns for the argument types, after their casts, and the constant arguments.
    ByConstants(fn(&[Type], &[Option<&Value>]) -> Type),
}

impl Returns {
    /// Returns the result type for these argument types, if it does not depend on constants.
    #[must_use]
    pub fn resolve(self, arguments: &[Type]) -> Type {
        self.resolve_with(arguments, &[])
    }

    /// Returns the result type for these argument types and constants; None stands for an argument that is not
    /// constant.
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

/// How the result column of a call is named if the query gives no name. Source: results of the engine; `ResultNameKind`
/// of the published analyzer has the same cases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResultName {
    /// `Column1`, `Column2` and so on.
    Numbered,
    /// The name of the first argument, if it is a column or has a name by the same rule.
    FirstArgument,
    /// The given prefix and the name of the first argument, if any: `sum_x`, or `sum_`.
    Prefix(&'static str),
    /// Always the same name, which is given here.
    Fixed(&'static str),
    /// The name of the first argument if it is a column, else `array0`, followed by `_sorted`.
    Sorted,
}

/// How often a call must be computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Volatility {
    /// Once for equal arguments, which always give equal results.
    Pure,
    /// Once per run, as for `now()`.
    Run,
    /// Once per row, as for `rand()` and `new_guid()`.
    Row,
}

/// The effect of a null argument on the result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nulls {
    /// A null argument makes the result null ("" for string results); the row loops of [`Args`] do that.
    Propagate,
    /// The kernel decides what the result for a null argument is.
    Handled,
}

/// Returns the overload that fits the argument types best, and the types to which the arguments are cast; None if no
/// overload fits.
#[must_use]
pub fn choose<'a>(overloads: &'a [Overload], arguments: &[Type]) -> Option<(&'a Overload, Vec<Type>)> {
    let fitting = overloads.iter().filter_map(|overload| {
        let params = expand(overload.params, arguments.len())?;
        let (cost, casts) = cheapest_casts(&params, arguments)?;
        Some((cost, overload, casts))
    });
    fitting.min_by_key(|(cost, ..)| *cost).map(|(_, overload, casts)| (overload, casts))
}

/// Returns the total cost and the target types of the cheapest casts of `arguments` to `params`; None if they do not
/// fit.
fn cheapest_casts(params: &[&Param], arguments: &[Type]) -> Option<(u32, Vec<Type>)> {
    let casts = |same: Option<Type>| {
        let each = params.iter().zip(arguments).map(|(param, given)| param.accepts.cast_with(same, *given));
        let (costs, types): (Vec<u32>, Vec<Type>) = each.collect::<Option<Vec<_>>>()?.into_iter().unzip();
        Some((costs.iter().sum::<u32>(), types))
    };
    match type_variable(params.iter().copied()) {
        None => casts(None),
        Some(variable) => variable.types.iter().filter_map(|ty| casts(Some(*ty))).min_by_key(|(cost, _)| *cost),
    }
}

/// Returns the type variable of an overload with these parameters, if it has one.
pub(super) fn type_variable<'p>(mut params: impl Iterator<Item = &'p Param>) -> Option<TypeVariable> {
    params.find_map(|param| match param.accepts {
        Accepts::Same(variable) => Some(variable),
        _ => None,
    })
}

/// Returns the parameter of each of `count` arguments; None if the number does not fit.
#[must_use]
pub fn expand(params: &'static [Param], count: usize) -> Option<Vec<&'static Param>> {
    let Arity { least, most } = arity(params);
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

/// Repeats the group of `size` parameters at `start` until it is `grouped` parameters long.
fn expand_group(params: &'static [Param], start: usize, size: usize, grouped: usize) -> Vec<&'static Param> {
    let (before, rest) = params.split_at(start);
    let (group, after) = rest.split_at(size);
    before.iter().chain(group.iter().cycle().take(grouped)).chain(after).collect()
}

/// The numbers of arguments that a call may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arity {
    /// The minimum number of arguments.
    pub least: usize,
    /// The maximum number of arguments; None if there is no limit.
    pub most: Option<usize>,
}

/// Returns the number of arguments of a function with these parameters.
#[must_use]
pub fn arity(params: &[Param]) -> Arity {
    let needed = |param: &&Param| matches!(param.occurs, Occurs::Once | Occurs::Repeated | Occurs::Grouped);
    let many = |param: &Param| matches!(param.occurs, Occurs::Repeated | Occurs::Any | Occurs::Grouped);
    let least = params.iter().filter(needed).count();
    Arity { least, most: (!params.iter().any(many)).then_some(params.len()) }
}
