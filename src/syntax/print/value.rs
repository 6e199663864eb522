//! Prints literals and names.

use super::super::lexer::tokens;
use super::super::string;
use super::super::token::TokenKind;
use crate::types::Value;

/// Returns the canonical literal of exactly this value.
pub(super) fn literal(value: &Value) -> String {
    match value {
        Value::Null(ty) => format!("{ty}(null)"),
        Value::Bool(truth) => truth.to_string(),
        Value::Int(number) => format!("int({number})"),
        Value::Long(number) if *number < 0 => format!("long({number})"),
        Value::Long(number) => number.to_string(),
        Value::Real(number) => real(*number),
        Value::Decimal(_) => format!("decimal({})", value.to_text()),
        Value::String(text) => string::encode(text),
        Value::Datetime(_) => format!("datetime({})", value.to_text()),
        Value::Timespan(ticks) => timespan(*ticks).unwrap_or_else(|| format!("timespan({})", value.to_text())),
        Value::Guid(_) => format!("guid({})", value.to_text()),
        Value::Dynamic(json) => format!("dynamic({json})"),
    }
}

/// Returns the shortest literal that has the same bits.
fn real(number: f64) -> String {
    match number {
        _ if number.is_nan() => "real(nan)".to_owned(),
        _ if number.is_infinite() => if number > 0.0 { "real(+inf)" } else { "real(-inf)" }.to_owned(),
        _ if number.is_sign_negative() => format!("real({number:?})"),
        _ => format!("{number:?}"),
    }
}

/// Returns a literal such as `7d` if the timespan is not negative and a whole number of one unit; otherwise None.
fn timespan(ticks: i64) -> Option<String> {
    const UNITS: [(&str, i64); 5] =
        [("d", 864_000_000_000), ("h", 36_000_000_000), ("m", 600_000_000), ("s", 10_000_000), ("ms", 10_000)];
    let (unit, worth) = UNITS.into_iter().find(|(_, worth)| ticks >= 0 && ticks % worth == 0)?;
    Some(format!("{}{unit}", ticks / worth))
}

/// Returns `name` unchanged, or in brackets and quotes if the plain word would mean something else.
pub(super) fn name(name: &str) -> String {
    match tokens(name).0.as_slice() {
        [token, end] if token.is_name() && token.text == name && end.kind == TokenKind::End => name.to_owned(),
        _ => bracketed(name),
    }
}

/// Returns the name in brackets and quotes: `['name']`.
pub(super) fn bracketed(name: &str) -> String {
    format!("[{}]", string::encode(name))
}
