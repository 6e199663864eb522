//! Compares the numbers in dynamics with numbers of any type, and computes with them.

use std::cmp::Ordering;

use super::arithmetic;
use crate::functions::Args;
use crate::types::{Column, Decimal, Value, decimal, dynamic, number};

/// A number of a numeric type; int is widened to long.
#[derive(Clone, Copy, Debug)]
pub(super) enum Number {
    Long(i64),
    Real(f64),
    Decimal(Decimal),
}

impl Number {
    /// Returns the number in `value`, in which a bool counts as 0 or 1; None if it is not a number.
    pub(super) fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Bool(truth) => Some(Self::Long(i64::from(*truth))),
            Value::Real(n) => Some(Self::Real(*n)),
            Value::Decimal(n) => Some(Self::Decimal(*n)),
            other => other.as_i64().map(Self::Long),
        }
    }

    /// Returns `json` as a number; None if it is not one.
    pub(super) fn from_json(json: &str) -> Option<Self> {
        match dynamic::kind(json) {
            dynamic::Kind::Long => json.trim_ascii().parse().ok().map(Self::Long),
            dynamic::Kind::Double => json.trim_ascii().parse().ok().map(Self::Real),
            _ => None,
        }
    }

    /// Returns `json` as a number, or the number that a JSON string spells; None if there is none.
    pub(super) fn read_json(json: &str) -> Option<Self> {
        match dynamic::kind(json) {
            dynamic::Kind::String => {
                let text = dynamic::to_text(json);
                let whole = number::parse_long(&text).map(Self::Long);
                whole.or_else(|| number::parse_real(&text).map(Self::Real))
            }
            _ => Self::from_json(json),
        }
    }

    fn to_real(self) -> f64 {
        match self {
            Self::Long(n) => number::long_to_real(n),
            Self::Real(n) => n,
            Self::Decimal(n) => decimal::to_real(n),
        }
    }

    fn to_decimal(self) -> Option<Decimal> {
        match self {
            Self::Long(n) => Some(n.into()),
            Self::Real(_) => None,
            Self::Decimal(n) => Some(n),
        }
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.partial_cmp(other) == Some(Ordering::Equal)
    }
}

impl PartialOrd for Number {
    /// Compares two numbers in the wider of their types, of which real is the widest; None if one is NaN.
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Long(a), Self::Long(b)) => Some(a.cmp(b)),
            (Self::Real(_), _) | (_, Self::Real(_)) => self.to_real().partial_cmp(&other.to_real()),
            _ => Some(self.to_decimal()?.cmp(&other.to_decimal()?)),
        }
    }
}

/// An operation on two numbers; a result of None becomes null.
pub(super) type Operation = fn(Number, Number) -> Option<Number>;

/// Applies `of` to the numbers in two dynamics, row by row; null if either is not a number.
pub(super) fn map_pairs(args: &Args<'_>, of: Operation) -> Column {
    let (a, b) = (args.texts(0), args.texts(1));
    args.map(|row| of(Number::from_json(a.get(row)?)?, Number::from_json(b.get(row)?)?).map(Number::into_json))
}

/// Applies `of` to the number in a dynamic, row by row; null if it is not a number.
pub(super) fn map(args: &Args<'_>, of: fn(Number) -> Number) -> Column {
    let texts = args.texts(0);
    args.map(|row| Some(of(Number::from_json(texts.get(row)?)?).into_json()))
}

pub(super) fn add(a: Number, b: Number) -> Option<Number> {
    a.combine(b, |a, b| Some(a.wrapping_add(b)), |a, b| a + b)
}

pub(super) fn subtract(a: Number, b: Number) -> Option<Number> {
    a.combine(b, |a, b| Some(a.wrapping_sub(b)), |a, b| a - b)
}

pub(super) fn multiply(a: Number, b: Number) -> Option<Number> {
    a.combine(b, |a, b| Some(a.wrapping_mul(b)), |a, b| a * b)
}

pub(super) fn divide(a: Number, b: Number) -> Option<Number> {
    a.combine(b, arithmetic::divide, |a, b| a / b)
}

pub(super) fn modulo(a: Number, b: Number) -> Option<Number> {
    a.combine(b, arithmetic::modulo, arithmetic::real_modulo)
}

pub(super) fn negate(value: Number) -> Number {
    match value {
        Number::Long(n) => Number::Long(n.wrapping_neg()),
        Number::Real(n) => Number::Real(-n),
        Number::Decimal(n) => Number::Decimal(-n),
    }
}

impl Number {
    /// Applies `whole` to two longs, and `real` to any other pair, converted to reals.
    fn combine(self, other: Self, whole: fn(i64, i64) -> Option<i64>, real: fn(f64, f64) -> f64) -> Option<Self> {
        match (self, other) {
            (Self::Long(a), Self::Long(b)) => whole(a, b).map(Self::Long),
            _ => Some(Self::Real(real(self.to_real(), other.to_real()))),
        }
    }

    fn into_json(self) -> Value {
        let value = match self {
            Self::Long(n) => Value::Long(n),
            Self::Real(n) => Value::Real(n),
            Self::Decimal(n) => Value::Decimal(n),
        };
        let mut json = String::new();
        dynamic::write_value(&value, &mut json);
        Value::dynamic(json)
    }
}
