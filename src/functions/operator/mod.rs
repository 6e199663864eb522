//! The operators of KQL, registered like functions. Their names are their symbols, so that no query can call them by
//! name.

mod access;
mod arithmetic;
mod between;
mod comparison;
pub(in crate::functions) mod decimal_arithmetic;
mod equality;
mod json_number;
mod logical;
mod members;
mod membership;
mod term_set;
mod text_match;

use super::ScalarFunction;
use super::signature::{Accepts, Param};
use crate::types::Type;

/// Every family of operators.
pub static FAMILIES: &[&[ScalarFunction]] = &[
    logical::OPERATORS,
    equality::OPERATORS,
    comparison::OPERATORS,
    between::OPERATORS,
    arithmetic::OPERATORS,
    text_match::OPERATORS,
    membership::OPERATORS,
    access::OPERATORS,
];

/// Returns the operator written as `symbol`, such as `==`, `!has_cs`, `between` or `unary -`.
#[must_use]
pub fn operator(symbol: &str) -> Option<&'static ScalarFunction> {
    operators().find(|function| function.name == symbol)
}

/// Returns every operator.
pub fn operators() -> impl Iterator<Item = &'static ScalarFunction> {
    FAMILIES.iter().copied().flatten()
}

/// Accepts int, long, real, decimal and bool; a dynamic is not cast.
const NUMBER_OR_BOOL: Accepts = Accepts::Only(&[Type::Long, Type::Int, Type::Real, Type::Decimal, Type::Bool]);
/// Accepts int, long, real and decimal; a dynamic is not cast.
const NUMBER: Accepts = Accepts::Only(&[Type::Long, Type::Int, Type::Real, Type::Decimal]);
const DATETIME: Accepts = Accepts::Only(&[Type::Datetime]);
const TIMESPAN: Accepts = Accepts::Only(&[Type::Timespan]);
const GUID: Accepts = Accepts::Only(&[Type::Guid]);
/// Accepts string and dynamic.
const TEXT: Accepts = Accepts::Only(&[Type::String, Type::Dynamic]);
/// Accepts dynamic only.
const JSON: Accepts = Accepts::Only(&[Type::Dynamic]);

/// Returns the parameter for the left operand.
const fn left(accepts: Accepts) -> Param {
    Param::of("left", accepts, "the left operand")
}

/// Returns the parameter for the right operand.
const fn right(accepts: Accepts) -> Param {
    Param::of("right", accepts, "the right operand")
}

#[cfg(test)]
mod tests;
