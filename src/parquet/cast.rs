//! Converts a single value of a file to the type of the table column.

use crate::types::{Type, Value, cast as language, decimal, number};

/// Converts `value` to `target`; None if it is null, or if `target` has no equal value.
///
/// Strings are parsed as KQL parses them. A number is converted only if its value does not change: `toint()` would
/// wrap around, and `tolong()` would truncate, which nobody requested here. Numbers that are datetimes are read by
/// `times.rs`.
pub(super) fn cast(value: &Value, target: Type) -> Option<Value> {
    match (value, target) {
        (Value::Null(_), _) => None,
        (Value::String(_), _) | (_, Type::String | Type::Dynamic) => by_language(value, target),
        (Value::Bool(flag), _) => from_whole(i64::from(*flag), target),
        (Value::Int(_) | Value::Long(_), _) => from_whole(value.as_i64()?, target),
        (Value::Real(real), _) => from_real(*real, target),
        (Value::Decimal(number), Type::Real) => Some(Value::Real(decimal::to_real(*number))),
        (Value::Decimal(number), _) if number.is_integer() => from_whole(decimal::to_long(*number).ok()?, target),
        _ => None,
    }
}

fn by_language(value: &Value, target: Type) -> Option<Value> {
    language::cast(value, target).ok().filter(|value| !value.is_null())
}

fn from_whole(whole: i64, target: Type) -> Option<Value> {
    match target {
        Type::Bool => Some(Value::Bool(whole != 0)),
        Type::Int => i32::try_from(whole).ok().map(Value::Int),
        Type::Long => Some(Value::Long(whole)),
        Type::Real => Some(Value::Real(number::long_to_real(whole))),
        Type::Decimal => Some(Value::Decimal(whole.into())),
        _ => None,
    }
}

/// Converts a real. Loaders such as pandas turn integer columns into reals if a value is missing; this undoes it.
fn from_real(real: f64, target: Type) -> Option<Value> {
    match target {
        Type::Int | Type::Long | Type::Bool => {
            from_whole(number::real_to_long(real).filter(|&whole| is_same(whole, real))?, target)
        }
        Type::Decimal => by_language(&Value::Real(real), target),
        _ => None,
    }
}

#[expect(clippy::float_cmp, reason = "the question is whether it is exactly that number")]
fn is_same(whole: i64, real: f64) -> bool {
    // Out of range, the conversion saturates to i64::MAX, which as a real rounds up to a value outside the range.
    number::long_to_real(whole) == real && whole < i64::MAX
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stay_the_same_number_or_become_null() {
        let text = |text: &str| Value::string(text);
        for (value, target, expected) in [
            (Value::Long(5), Type::Int, Some(Value::Int(5))),
            (Value::Long(1 << 40), Type::Int, None),
            (Value::Real(50126.0), Type::Long, Some(Value::Long(50126))),
            (Value::Real(0.5), Type::Long, None),
            (Value::Real(9.3e18), Type::Long, None),
            (Value::Real(f64::NAN), Type::Long, None),
            (Value::Bool(true), Type::Long, Some(Value::Long(1))),
            (Value::Long(0), Type::Bool, Some(Value::Bool(false))),
            (Value::Long(50126), Type::String, Some(text("50126"))),
            (Value::Long(1_700_000_000), Type::Datetime, None),
            (Value::Datetime(0), Type::Long, None),
            (text("50126"), Type::Long, Some(Value::Long(50126))),
            (text("True"), Type::Bool, Some(Value::Bool(true))),
            (text("0001-01-01"), Type::Datetime, Some(Value::Datetime(0))),
            (text("never"), Type::Datetime, None),
            (text(""), Type::Long, None),
            (Value::Long(7), Type::Dynamic, Some(Value::dynamic("7"))),
        ] {
            assert_eq!(cast(&value, target), expected, "{value:?} as {target}");
        }
    }
}
