//! A single value of any type, including null.

use std::sync::Arc;

use super::{Decimal, Type, datetime, decimal, dynamic, guid, number, timespan};

/// A value of any KQL type.
///
/// A string is never null: `Value::null(Type::String)` is the empty string. JSON `null` is the null of dynamic.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// The null of a type other than string.
    Null(Type),
    /// A boolean.
    Bool(bool),
    /// A 32-bit integer.
    Int(i32),
    /// A 64-bit integer.
    Long(i64),
    /// A double.
    Real(f64),
    /// A decimal number.
    Decimal(Decimal),
    /// A string.
    String(Arc<str>),
    /// A datetime: ticks of 100 ns since 0001-01-01T00:00:00Z.
    Datetime(i64),
    /// A timespan: ticks of 100 ns.
    Timespan(i64),
    /// A guid: its bytes, in the order in which its string form shows them.
    Guid([u8; 16]),
    /// A dynamic: JSON other than `null`.
    Dynamic(Arc<str>),
}

impl Value {
    /// Returns the null of `ty`; the empty string for string.
    #[must_use]
    pub fn null(ty: Type) -> Self {
        if ty == Type::String { Self::String("".into()) } else { Self::Null(ty) }
    }

    /// Creates a string.
    pub fn string(text: impl Into<Arc<str>>) -> Self {
        Self::String(text.into())
    }

    /// Creates a dynamic from JSON; null if the JSON is `null`.
    pub fn dynamic(json: impl Into<Arc<str>>) -> Self {
        let json = json.into();
        if json.trim() == "null" { Self::Null(Type::Dynamic) } else { Self::Dynamic(json) }
    }

    /// Returns the type.
    #[must_use]
    pub fn ty(&self) -> Type {
        match self {
            Self::Null(ty) => *ty,
            Self::Bool(_) => Type::Bool,
            Self::Int(_) => Type::Int,
            Self::Long(_) => Type::Long,
            Self::Real(_) => Type::Real,
            Self::Decimal(_) => Type::Decimal,
            Self::String(_) => Type::String,
            Self::Datetime(_) => Type::Datetime,
            Self::Timespan(_) => Type::Timespan,
            Self::Guid(_) => Type::Guid,
            Self::Dynamic(_) => Type::Dynamic,
        }
    }

    /// True for a null; never true for a string.
    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null(_))
    }

    /// Returns the number if the value is an int or long, otherwise None.
    #[must_use]
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Self::Int(n) => Some(i64::from(*n)),
            Self::Long(n) => Some(*n),
            _ => None,
        }
    }

    /// Returns the string if the value is a string, otherwise None.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// Returns what `tostring()` returns: for example "" for null, `True` or `False` for a bool, an ISO 8601 datetime
    /// with seven fractional digits, and compact JSON for a dynamic.
    #[must_use]
    pub fn to_text(&self) -> String {
        match self {
            Self::Null(_) => String::new(),
            Self::Bool(b) => if *b { "True" } else { "False" }.to_owned(),
            Self::Int(n) => n.to_string(),
            Self::Long(n) => n.to_string(),
            Self::Real(n) => number::real_to_text(*n),
            Self::Decimal(n) => decimal::to_text(*n),
            Self::String(text) => text.to_string(),
            Self::Datetime(ticks) => datetime::to_text(*ticks),
            Self::Timespan(ticks) => timespan::to_text(*ticks),
            Self::Guid(bytes) => guid::to_text(bytes),
            Self::Dynamic(json) => dynamic::to_text(json).into_owned(),
        }
    }
}
