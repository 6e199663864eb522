//! Scalar functions, one file per family.

pub mod around;
mod array_elements;
pub mod array_positions;
pub mod array_sort;
mod beta;
pub mod bit;
pub mod command_line;
pub mod compress;
pub mod conditional;
pub mod convert;
pub mod data_size;
pub mod datetime;
pub mod dynamic_array;
pub mod dynamic_bag;
pub mod dynamic_series;
pub mod dynamic_set;
pub mod encode;
pub mod format;
pub mod geo_distance;
pub mod geo_info;
pub mod guid;
pub mod hash;
pub mod ipv4;
pub mod ipv6;
pub mod json;
pub mod json_path;
pub mod math;
pub mod parse;
pub mod path;
pub mod punycode;
pub mod regex;
pub mod rounding;
pub mod search;
pub mod series;
pub mod series_decompose;
pub mod series_fill;
pub mod series_fill_linear;
pub mod series_filter;
pub mod series_fit;
pub mod series_fit_poly;
pub mod series_fit_two;
pub mod series_fourier;
pub mod series_math;
pub mod series_outliers;
pub mod series_periods;
pub mod session;
pub mod sketches;
pub mod special_math;
pub mod string;
pub mod timespan;
pub mod timezone;
pub mod tree_path;
pub mod unit;
pub mod url;
pub mod user_agent;
pub mod xml;

use super::ScalarFunction;

/// Every family of scalar functions.
pub static FAMILIES: &[&[ScalarFunction]] = &[
    around::FUNCTIONS,
    bit::FUNCTIONS,
    command_line::FUNCTIONS,
    compress::FUNCTIONS,
    conditional::FUNCTIONS,
    convert::FUNCTIONS,
    datetime::FUNCTIONS,
    array_positions::FUNCTIONS,
    array_sort::FUNCTIONS,
    dynamic_array::FUNCTIONS,
    dynamic_bag::FUNCTIONS,
    dynamic_series::FUNCTIONS,
    dynamic_set::FUNCTIONS,
    encode::FUNCTIONS,
    format::FUNCTIONS,
    geo_distance::FUNCTIONS,
    geo_info::FUNCTIONS,
    guid::FUNCTIONS,
    hash::FUNCTIONS,
    ipv4::FUNCTIONS,
    ipv6::FUNCTIONS,
    json::FUNCTIONS,
    math::FUNCTIONS,
    parse::FUNCTIONS,
    path::FUNCTIONS,
    punycode::FUNCTIONS,
    regex::FUNCTIONS,
    rounding::FUNCTIONS,
    search::FUNCTIONS,
    series_decompose::FUNCTIONS,
    series_fill::FUNCTIONS,
    series_fill_linear::FUNCTIONS,
    series_filter::FUNCTIONS,
    series_fit::FUNCTIONS,
    series_fit_poly::FUNCTIONS,
    series_fit_two::FUNCTIONS,
    series_fourier::FUNCTIONS,
    series_outliers::FUNCTIONS,
    series_periods::FUNCTIONS,
    series_math::FUNCTIONS,
    session::FUNCTIONS,
    sketches::FUNCTIONS,
    special_math::FUNCTIONS,
    string::FUNCTIONS,
    timespan::FUNCTIONS,
    timezone::FUNCTIONS,
    tree_path::FUNCTIONS,
    unit::FUNCTIONS,
    url::FUNCTIONS,
    user_agent::FUNCTIONS,
    xml::FUNCTIONS,
];

#[cfg(test)]
mod tests;
