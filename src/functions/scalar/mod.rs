//! Scalar functions, a file a family.

pub mod convert;
pub mod datetime;
pub mod dynamic_array;
pub mod dynamic_series;
pub mod dynamic_set;
pub mod ipv4;
pub mod ipv6;
pub mod regex;
pub mod search;
pub mod string;
pub mod timespan;

use super::ScalarFunction;

/// Every family of scalar functions.
pub static FAMILIES: &[&[ScalarFunction]] = &[
    convert::FUNCTIONS,
    datetime::FUNCTIONS,
    dynamic_array::FUNCTIONS,
    dynamic_series::FUNCTIONS,
    dynamic_set::FUNCTIONS,
    ipv4::FUNCTIONS,
    ipv6::FUNCTIONS,
    regex::FUNCTIONS,
    search::FUNCTIONS,
    string::FUNCTIONS,
    timespan::FUNCTIONS,
];
