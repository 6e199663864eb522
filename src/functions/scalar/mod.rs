//! Scalar functions, a file a family.

pub mod convert;
pub mod datetime;
pub mod regex;
pub mod search;
pub mod string;
pub mod timespan;

use super::ScalarFunction;

/// Every family of scalar functions.
pub static FAMILIES: &[&[ScalarFunction]] = &[
    convert::FUNCTIONS,
    datetime::FUNCTIONS,
    regex::FUNCTIONS,
    search::FUNCTIONS,
    string::FUNCTIONS,
    timespan::FUNCTIONS,
];
