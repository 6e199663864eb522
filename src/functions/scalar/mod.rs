//! Scalar functions, one file per family.

pub mod bit;
pub mod conditional;
pub mod convert;
pub mod datetime;
pub mod dynamic_array;
pub mod dynamic_bag;
pub mod dynamic_series;
pub mod dynamic_set;
pub mod encode;
pub mod guid;
pub mod hash;
pub mod ipv4;
pub mod ipv6;
pub mod json;
pub mod json_path;
pub mod math;
pub mod parse;
pub mod regex;
pub mod rounding;
pub mod search;
pub mod series;
pub mod series_decompose;
pub mod series_fit;
pub mod series_math;
mod series_period;
pub mod string;
pub mod timespan;
pub mod url;

use super::ScalarFunction;

/// Every family of scalar functions.
pub static FAMILIES: &[&[ScalarFunction]] = &[
    bit::FUNCTIONS,
    conditional::FUNCTIONS,
    convert::FUNCTIONS,
    datetime::FUNCTIONS,
    dynamic_array::FUNCTIONS,
    dynamic_bag::FUNCTIONS,
    dynamic_series::FUNCTIONS,
    dynamic_set::FUNCTIONS,
    encode::FUNCTIONS,
    guid::FUNCTIONS,
    hash::FUNCTIONS,
    ipv4::FUNCTIONS,
    ipv6::FUNCTIONS,
    json::FUNCTIONS,
    math::FUNCTIONS,
    parse::FUNCTIONS,
    regex::FUNCTIONS,
    rounding::FUNCTIONS,
    search::FUNCTIONS,
    series_decompose::FUNCTIONS,
    series_fit::FUNCTIONS,
    series_math::FUNCTIONS,
    string::FUNCTIONS,
    timespan::FUNCTIONS,
    url::FUNCTIONS,
];

#[cfg(test)]
mod tests;
