//! Writes the text of a cell for people and spreadsheets.

use std::fmt::Write;

use crate::types::column::decimal_from_bytes;
use crate::types::{Column, Type, datetime, decimal, dynamic, guid, timespan};

/// Appends the text of a cell. It is that of `tostring()`, except that a bool is `true` or `false`, and infinities
/// and NaN have their full names. A null is "".
pub fn write_cell(column: &Column, row: usize, out: &mut String) {
    // Writing to a String cannot fail.
    let _ = match column.ty() {
        Type::Bool => column.bool_at(row).map(|value| out.push_str(if value { "true" } else { "false" })),
        Type::Int | Type::Long => column.i64_at(row).map(|value| _ = write!(out, "{value}")),
        Type::Real => column.f64_at(row).map(|value| write_real(value, out)),
        Type::Decimal => column.bytes_at(row).map(|bytes| out.push_str(&decimal::to_text(decimal_from_bytes(&bytes)))),
        Type::String => column.text_at(row).map(|text| out.push_str(text)),
        Type::Datetime => column.i64_at(row).map(|ticks| _ = datetime::write_text(ticks, out)),
        Type::Timespan => column.i64_at(row).map(|ticks| _ = timespan::write_text(ticks, out)),
        Type::Guid => column.bytes_at(row).map(|bytes| _ = guid::write_text(&bytes, out)),
        Type::Dynamic => column.text_at(row).map(|json| out.push_str(&dynamic::to_text(json))),
    };
}

fn write_real(value: f64, out: &mut String) {
    if value.is_infinite() {
        out.push_str(if value > 0.0 { "Infinity" } else { "-Infinity" });
    } else {
        _ = crate::types::number::write_real(value, out);
    }
}
