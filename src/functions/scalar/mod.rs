//! Scalar functions, a file a family.

pub mod search;
pub mod string;

use super::ScalarFunction;

/// Every family of scalar functions.
pub static FAMILIES: &[&[ScalarFunction]] = &[search::FUNCTIONS, string::FUNCTIONS];
