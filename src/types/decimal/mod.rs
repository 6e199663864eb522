//! decimal: the number, its string form and conversions.
//!
//! A number that needs more than 34 digits is [`OutOfRange`], and never rounded, except by division. The caller reports
//! [`OutOfRange`] to the user as the error KQL4001.

#[cfg(test)]
mod arithmetic_tests;
mod number;
mod wide;

use std::fmt;

use super::number as reals;
use crate::diagnostic::{Code, Error, Span};
pub use number::Decimal;

/// The error for a number that [`Decimal`] cannot hold exactly, or that does not fit the requested type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutOfRange;

impl fmt::Display for OutOfRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the number does not fit the 34 digits of a decimal, or the target type")
    }
}

impl std::error::Error for OutOfRange {}

impl From<OutOfRange> for Error {
    /// Converts to the error KQL4001, without a position; the caller that knows the function call adds it.
    fn from(error: OutOfRange) -> Self {
        Self::query(Code::ValueOutOfRange, Span::default(), error.to_string())
    }
}

/// Parses what `todecimal()` accepts: digits with an optional sign, fraction and exponent, surrounded by optional
/// whitespace. `Ok(None)` if the result is null.
///
/// # Errors
/// [`OutOfRange`] for a number with too many digits.
pub fn parse(text: &str) -> Result<Option<Decimal>, OutOfRange> {
    let text = text.trim();
    let (negative, unsigned) = match text.as_bytes() {
        [b'-', ..] => (true, &text[1..]),
        [b'+', ..] => (false, &text[1..]),
        _ => (false, text),
    };
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => match exponent.parse::<i32>() {
            Ok(exponent) => (mantissa, exponent),
            Err(_) => return if is_exponent(exponent) && is_mantissa(mantissa) { Err(OutOfRange) } else { Ok(None) },
        },
        None => (unsigned, 0),
    };
    if !is_mantissa(mantissa) {
        return Ok(None);
    }
    from_digits(mantissa, exponent).map(|value| Some(if negative { -value } else { value }))
}

/// True if the string consists of digits, at least one, and at most one point.
fn is_mantissa(text: &str) -> bool {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    digits > 0 && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') && text.len() - digits <= 1
}

fn is_exponent(text: &str) -> bool {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// Returns `mantissa` times ten to the `exponent`, exactly.
fn from_digits(mantissa: &str, exponent: i32) -> Result<Decimal, OutOfRange> {
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    let significant = digits.trim_start_matches('0').trim_end_matches('0');
    if significant.is_empty() {
        return Ok(Decimal::ZERO);
    }
    // Trailing zeros are moved to the exponent.
    let trailing = digits.len() - digits.trim_end_matches('0').len();
    let shift = |length: usize| i64::try_from(length).unwrap_or(i64::MAX);
    let exponent = i64::from(exponent).saturating_sub(shift(fraction.len())).saturating_add(shift(trailing));
    let number: i128 = significant.parse().map_err(|_| OutOfRange)?;
    Decimal::from_parts(number, i32::try_from(exponent).map_err(|_| OutOfRange)?)
}

/// Returns what `tostring()` returns for a decimal: digits without an exponent, and without trailing zeros in the
/// fraction.
#[must_use]
pub fn to_text(value: Decimal) -> String {
    let (digits, exponent) = value.to_parts();
    let mut text = digits.to_string();
    match usize::try_from(exponent) {
        Ok(zeros) => text.extend(std::iter::repeat_n('0', zeros)),
        Err(_) => {
            let fraction = exponent.unsigned_abs() as usize;
            let missing = (fraction + 1).saturating_sub(text.len());
            text.insert_str(0, &"0".repeat(missing));
            text.insert(text.len() - fraction, '.');
        }
    }
    if value.is_negative() {
        text.insert(0, '-');
    }
    text
}

/// Converts a real like `todecimal()`: to the number that `tostring()` writes for it. `Ok(None)` for NaN and infinity.
///
/// # Errors
/// [`OutOfRange`] if the number has too many digits, or is too large or too small, for a decimal.
pub fn from_real(value: f64) -> Result<Option<Decimal>, OutOfRange> {
    if value.is_finite() { parse(&reals::real_to_text(value)) } else { Ok(None) }
}

/// Converts a decimal like `todouble()`: to the nearest real.
#[must_use]
pub fn to_real(value: Decimal) -> f64 {
    to_text(value).parse().unwrap_or(f64::NAN)
}

/// Converts a decimal like `tolong()`: the fraction is dropped.
///
/// # Errors
/// [`OutOfRange`] if the number without its fraction does not fit 64 bits.
pub fn to_long(value: Decimal) -> Result<i64, OutOfRange> {
    value.to_i64().ok_or(OutOfRange)
}

/// Converts a decimal like `toint()`: the fraction is dropped.
///
/// # Errors
/// [`OutOfRange`] if the number without its fraction does not fit 32 bits.
pub fn to_int(value: Decimal) -> Result<i32, OutOfRange> {
    to_long(value).and_then(|number| i32::try_from(number).map_err(|_| OutOfRange))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Option<String>, OutOfRange> {
        parse(text).map(|value| value.map(to_text))
    }

    #[test]
    fn text() {
        for (text, expected) in [
            ("123.45678", Some("123.45678")),
            ("1.10", Some("1.1")),
            (" -0.5 ", Some("-0.5")),
            ("-0", Some("0")),
            ("1e3", Some("1000")),
            ("1.5E-3", Some("0.0015")),
            (".5", Some("0.5")),
            ("5.", Some("5")),
            ("+7", Some("7")),
            ("1000000000000000000000000000.0000000000", Some("1000000000000000000000000000")),
            ("9999999999999999999999999999999999", Some("9999999999999999999999999999999999")),
            ("-0.1234567890123456789012345678901234", Some("-0.1234567890123456789012345678901234")),
            ("0.0000000000000000000000000001", Some("0.0000000000000000000000000001")),
            ("12e33", Some("12000000000000000000000000000000000")),
            ("", None),
            (".", None),
            ("1e", None),
            ("1.2.3", None),
            ("abc", None),
            ("1,000", None),
            ("--1", None),
            ("0x10", None),
        ] {
            let expected = expected.map(str::to_owned);
            assert_eq!(read(text), Ok(expected), "{text}");
        }
        for text in [
            "10000000000000000000000000000000001",
            "1e151",
            "1e-151",
            "0.12345678901234567890123456789012345",
            "1e999999999",
            "0e999999999999",
            "-1e99999999999999",
            &"9".repeat(4000),
        ] {
            assert_eq!(read(text), Err(OutOfRange), "{text}");
        }
    }

    #[test]
    fn other_numbers() {
        assert_eq!(from_real(0.1).map(|value| value.map(to_text)), Ok(Some("0.1".to_owned())));
        assert_eq!(from_real(f64::NAN), Ok(None));
        assert_eq!(from_real(1e300), Err(OutOfRange));
        let value = |text| parse(text).unwrap().unwrap();
        assert_eq!(to_real(value("0.1")), 0.1);
        assert_eq!(to_long(value("-2.9")), Ok(-2));
        assert_eq!(to_long(value("9223372036854775808")), Err(OutOfRange));
        assert_eq!(to_int(value("2147483648")), Err(OutOfRange));
        assert_eq!(to_int(value("7.5")), Ok(7));
    }
}
