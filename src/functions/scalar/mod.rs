//! Scalar functions, a file a family.

pub mod regex;
pub mod search;
pub mod string;

use super::ScalarFunction;

/// Every family of scalar functions.
pub static FAMILIES: &[&[ScalarFunction]] = &[regex::FUNCTIONS, search::FUNCTIONS, string::FUNCTIONS];
