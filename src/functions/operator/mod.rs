//! Kernels behind the operators of the language: entries of the same kind as functions, named by the operator's symbol,
//! which no query can call by that name.

use super::ScalarFunction;

/// Every family of operators.
pub static FAMILIES: &[&[ScalarFunction]] = &[];

/// The operator written as `symbol`: `==`, `!has_cs`, `between`, `unary -`.
#[must_use]
pub fn operator(symbol: &str) -> Option<&'static ScalarFunction> {
    FAMILIES.iter().copied().flatten().find(|function| function.name == symbol)
}
