//! Casts of single values between types; [`cast_column`] casts whole columns.
//!
//! [`Scalar`] alone defines the result of each cast. A null stays null ("" for string), and any value that cannot be
//! cast becomes null. Only casts that involve decimals can fail: Kusto's decimal is wider than the one here, and a
//! number is never rounded silently.
//!
//! Sources: the reference's pages tostring, toint, tolong, toreal, tobool, todecimal, todatetime, totimespan, toguid
//! and parse_json, and the results of the engine, which differ from them in some cases.

mod column;

pub use column::{cast_column, cast_elements};

use super::decimal::{self, Decimal, OutOfRange};
use super::dynamic::{self, Kind};
use super::{Type, Value, datetime, guid, number, timespan};

/// Casts `value` as `to...()` does: [`Type::String`] is `tostring()`, [`Type::Dynamic`] is `parse_json()`.
///
/// # Errors
/// [`OutOfRange`] if a decimal is involved and the number does not fit.
pub fn cast(value: &Value, to: Type) -> Result<Value, OutOfRange> {
    if value.ty() == to {
        return Ok(value.clone());
    }
    let Some(scalar) = Scalar::of(value) else {
        return Ok(Value::null(to));
    };
    scalar.to_value(to)
}

/// Casts an element as `mv-expand ... to typeof(T)` does. It is like [`cast`], but a number comes only from a JSON
/// number, a boolean only from a JSON boolean, and a datetime, timespan or guid only from a JSON string. Source: the
/// reference's page on the mv-expand operator, and the results of the engine for numbers.
///
/// # Errors
/// The errors of [`cast`].
pub fn cast_element(json: &str, to: Type) -> Result<Value, OutOfRange> {
    let fits = match to {
        Type::Int | Type::Long | Type::Real | Type::Decimal => matches!(dynamic::kind(json), Kind::Long | Kind::Double),
        Type::Bool => dynamic::kind(json) == Kind::Bool,
        Type::Datetime | Type::Timespan | Type::Guid => dynamic::kind(json) == Kind::String,
        Type::String | Type::Dynamic => true,
    };
    if fits { Scalar::Json(json).to_value(to) } else { Ok(Value::null(to)) }
}

/// A borrowed value that is not null.
#[derive(Clone, Copy, Debug, PartialEq)]
#[expect(missing_docs, reason = "each is the variant of that name of Value")]
pub enum Scalar<'a> {
    Bool(bool),
    Int(i32),
    Long(i64),
    Real(f64),
    Decimal(Decimal),
    Text(&'a str),
    Datetime(i64),
    Timespan(i64),
    Guid([u8; 16]),
    /// The JSON of a dynamic.
    Json(&'a str),
}

impl<'a> Scalar<'a> {
    /// Borrows `value`; None if it is null.
    #[must_use]
    pub fn of(value: &'a Value) -> Option<Self> {
        Some(match value {
            Value::Null(_) => return None,
            Value::Bool(value) => Self::Bool(*value),
            Value::Int(value) => Self::Int(*value),
            Value::Long(value) => Self::Long(*value),
            Value::Real(value) => Self::Real(*value),
            Value::Decimal(value) => Self::Decimal(*value),
            Value::String(text) => Self::Text(text),
            Value::Datetime(ticks) => Self::Datetime(*ticks),
            Value::Timespan(ticks) => Self::Timespan(*ticks),
            Value::Guid(bytes) => Self::Guid(*bytes),
            Value::Dynamic(json) => Self::Json(json),
        })
    }

    /// Casts to `to`.
    ///
    /// # Errors
    /// [`OutOfRange`] if a decimal is involved and the number does not fit.
    pub fn to_value(self, to: Type) -> Result<Value, OutOfRange> {
        let value = match to {
            Type::Bool => self.to_bool().map(Value::Bool),
            Type::Int => self.to_int()?.map(Value::Int),
            Type::Long => self.to_long()?.map(Value::Long),
            Type::Real => self.to_real().map(Value::Real),
            Type::Decimal => self.to_decimal()?.map(Value::Decimal),
            Type::Datetime => self.to_datetime()?.map(Value::Datetime),
            Type::Timespan => self.to_timespan()?.map(Value::Timespan),
            Type::Guid => self.to_guid().map(Value::Guid),
            Type::String => {
                let mut text = String::new();
                self.write_text(&mut text);
                Some(Value::string(text))
            }
            Type::Dynamic => {
                let mut json = String::new();
                self.write_json(&mut json);
                Some(Value::dynamic(json))
            }
        };
        Ok(value.unwrap_or_else(|| Value::null(to)))
    }

    /// Casts like `tobool()`: a number is true unless it is zero, and a string may be `true`, `false` or an integer.
    #[must_use]
    pub fn to_bool(self) -> Option<bool> {
        match self {
            Self::Bool(value) => Some(value),
            Self::Int(value) => Some(value != 0),
            Self::Long(value) => Some(value != 0),
            Self::Real(value) => Some(value != 0.0),
            Self::Decimal(value) => Some(!value.is_zero()),
            Self::Text(text) => number::parse_bool(text),
            Self::Json(json) => with_scalar(json, |value| value?.to_bool()),
            Self::Datetime(_) | Self::Timespan(_) | Self::Guid(_) => None,
        }
    }

    /// Casts like `toint()`: longs and ticks wrap around, reals saturate, and a string must be an integer.
    ///
    /// # Errors
    /// [`OutOfRange`] for a decimal that does not fit.
    pub fn to_int(self) -> Result<Option<i32>, OutOfRange> {
        Ok(match self {
            Self::Int(value) => Some(value),
            Self::Bool(value) => Some(i32::from(value)),
            Self::Long(value) | Self::Datetime(value) | Self::Timespan(value) => Some(number::wrap_to_int(value)),
            Self::Real(value) => number::real_to_int(value),
            Self::Decimal(value) => Some(decimal::to_int(value)?),
            Self::Text(text) => number::parse_int(text),
            Self::Json(json) => return with_scalar(json, |value| value.map_or(Ok(None), Scalar::to_int)),
            Self::Guid(_) => None,
        })
    }

    /// Casts like `tolong()`: datetimes and timespans give their ticks, reals saturate, and a string must be an
    /// integer.
    ///
    /// # Errors
    /// [`OutOfRange`] for a decimal that does not fit.
    pub fn to_long(self) -> Result<Option<i64>, OutOfRange> {
        Ok(match self {
            Self::Long(value) | Self::Datetime(value) | Self::Timespan(value) => Some(value),
            Self::Bool(value) => Some(i64::from(value)),
            Self::Int(value) => Some(i64::from(value)),
            Self::Real(value) => number::real_to_long(value),
            Self::Decimal(value) => Some(decimal::to_long(value)?),
            Self::Text(text) => number::parse_long(text),
            Self::Json(json) => return with_scalar(json, |value| value.map_or(Ok(None), Scalar::to_long)),
            Self::Guid(_) => None,
        })
    }

    /// Casts like `toreal()`: datetimes and timespans give their ticks.
    #[must_use]
    pub fn to_real(self) -> Option<f64> {
        match self {
            Self::Real(value) => Some(value),
            Self::Bool(value) => Some(f64::from(value)),
            Self::Int(value) => Some(f64::from(value)),
            Self::Long(value) | Self::Datetime(value) | Self::Timespan(value) => Some(number::long_to_real(value)),
            Self::Decimal(value) => Some(decimal::to_real(value)),
            Self::Text(text) => number::parse_real(text),
            Self::Json(json) => with_scalar(json, |value| value?.to_real()),
            Self::Guid(_) => None,
        }
    }

    /// Casts like `todecimal()`: a real gives the number that `tostring()` writes for it.
    ///
    /// # Errors
    /// [`OutOfRange`] if the number has too many digits, or is too large or too small, for a decimal.
    pub fn to_decimal(self) -> Result<Option<Decimal>, OutOfRange> {
        Ok(match self {
            Self::Decimal(value) => Some(value),
            Self::Bool(value) => Some(Decimal::from(value)),
            Self::Int(value) => Some(Decimal::from(value)),
            Self::Long(value) | Self::Datetime(value) | Self::Timespan(value) => Some(Decimal::from(value)),
            Self::Real(value) => decimal::from_real(value)?,
            Self::Text(text) => decimal::parse(text)?,
            // A JSON number keeps all of its digits.
            Self::Json(json) if dynamic::kind(json) == Kind::Double => decimal::parse(json)?,
            Self::Json(json) => return with_scalar(json, |value| value.map_or(Ok(None), Scalar::to_decimal)),
            Self::Guid(_) => None,
        })
    }

    /// Casts like `todatetime()`: a string may have any format that [`datetime::parse`] reads, and numbers are ticks.
    ///
    /// # Errors
    /// [`OutOfRange`] for a decimal that does not fit.
    pub fn to_datetime(self) -> Result<Option<i64>, OutOfRange> {
        Ok(match self {
            Self::Datetime(ticks) => Some(ticks),
            Self::Text(text) => datetime::parse(text),
            Self::Json(json) => return with_scalar(json, |value| value.map_or(Ok(None), Scalar::to_datetime)),
            Self::Bool(_) => None,
            _ => self.to_timespan()?.and_then(datetime::in_range),
        })
    }

    /// Casts like `totimespan()`: a string must be one that [`timespan::parse`] reads, and numbers and datetimes are
    /// ticks.
    ///
    /// # Errors
    /// [`OutOfRange`] for a decimal that does not fit.
    pub fn to_timespan(self) -> Result<Option<i64>, OutOfRange> {
        Ok(match self {
            Self::Text(text) => timespan::parse(text),
            Self::Real(value) => number::real_to_ticks(value),
            Self::Json(json) => return with_scalar(json, |value| value.map_or(Ok(None), Scalar::to_timespan)),
            _ => self.to_long()?,
        })
    }

    /// Casts like `toguid()`: only strings can be cast.
    #[must_use]
    pub fn to_guid(self) -> Option<[u8; 16]> {
        match self {
            Self::Guid(bytes) => Some(bytes),
            Self::Text(text) => guid::parse(text),
            Self::Json(json) => with_scalar(json, |value| value?.to_guid()),
            _ => None,
        }
    }

    /// Appends what `tostring()` returns for the value.
    pub fn write_text(self, out: &mut String) {
        // Writing to a String cannot fail.
        match self {
            Self::Bool(value) => out.push_str(if value { "True" } else { "False" }),
            Self::Decimal(value) => out.push_str(&decimal::to_text(value)),
            Self::Text(text) => out.push_str(text),
            Self::Json(json) => out.push_str(&dynamic::to_text(json)),
            Self::Int(value) => push_integer(i64::from(value), out),
            Self::Long(value) => push_integer(value, out),
            Self::Real(value) => _ = number::write_real(value, out),
            Self::Datetime(ticks) => _ = datetime::write_text(ticks, out),
            Self::Timespan(ticks) => _ = timespan::write_text(ticks, out),
            Self::Guid(bytes) => _ = guid::write_text(&bytes, out),
        }
    }

    /// Appends what `parse_json()` returns for the value: a string is parsed, and anything else is written as
    /// [`dynamic::write_value`] does. Do not use it to store a string as a JSON string.
    pub fn write_json(self, out: &mut String) {
        match self {
            Self::Text(text) => out.push_str(&dynamic::from_text(text)),
            Self::Json(json) => out.push_str(json),
            Self::Bool(value) => dynamic::write_value(&Value::Bool(value), out),
            Self::Int(value) => dynamic::write_value(&Value::Int(value), out),
            Self::Long(value) => dynamic::write_value(&Value::Long(value), out),
            Self::Real(value) => dynamic::write_value(&Value::Real(value), out),
            Self::Decimal(value) => dynamic::write_value(&Value::Decimal(value), out),
            Self::Datetime(ticks) => dynamic::write_value(&Value::Datetime(ticks), out),
            Self::Timespan(ticks) => dynamic::write_value(&Value::Timespan(ticks), out),
            Self::Guid(bytes) => dynamic::write_value(&Value::Guid(bytes), out),
        }
    }
}

fn push_integer(value: i64, out: &mut String) {
    use std::fmt::Write;
    // Writing to a String cannot fail.
    let _ = write!(out, "{value}");
}

/// Passes the boolean, number or string in a dynamic to `of`. It passes None for null, arrays and bags, which can only
/// be cast to string.
fn with_scalar<T>(json: &str, of: impl FnOnce(Option<Scalar<'_>>) -> T) -> T {
    let json = json.trim_ascii();
    match dynamic::kind(json) {
        Kind::Bool => of(Some(Scalar::Bool(json == "true"))),
        Kind::Long => of(json.parse().ok().map(Scalar::Long)),
        Kind::Double => of(json.parse().ok().map(Scalar::Real)),
        Kind::String => of(Some(Scalar::Text(&dynamic::unescape(json)))),
        Kind::Null | Kind::Array | Kind::Bag => of(None),
    }
}

#[cfg(test)]
mod tests;
