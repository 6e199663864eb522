//! Scalar functions, a file a family.

pub mod string;

use super::ScalarFunction;

/// Every family of scalar functions.
pub static FAMILIES: &[&[ScalarFunction]] = &[string::FUNCTIONS];
