//! The string forms of integers and reals, and the conversions between them that may lose digits.

use std::fmt::{self, Write};

/// Writes a real as `tostring()` does: the fewest digits that are read back as the same double, always with a point or
/// an exponent; or `NaN`, `inf`, `-inf`.
///
/// Numbers from 1e21 upwards and below 1e-6 are written with an exponent (`1e+21`, `1.5e-7`). The reference does not
/// define these bounds; they are those of most JSON writers.
///
/// # Errors
/// Only errors of `out`.
pub fn write_real(value: f64, out: &mut impl Write) -> fmt::Result {
    if value.is_nan() {
        return out.write_str("NaN");
    }
    if value.is_infinite() {
        return out.write_str(if value > 0.0 { "inf" } else { "-inf" });
    }
    let magnitude = value.abs();
    if magnitude != 0.0 && !(1e-6..1e21).contains(&magnitude) {
        return write_scientific(value, out);
    }
    if value.fract() == 0.0 { write!(out, "{value}.0") } else { write!(out, "{value}") }
}

/// Writes a number with an exponent, such as `1e+21`: like the standard library, but always with the sign of the
/// exponent.
fn write_scientific(value: f64, out: &mut impl Write) -> fmt::Result {
    let text = format!("{value:e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let sign = if exponent.starts_with('-') { "" } else { "+" };
    write!(out, "{digits}e{sign}{exponent}")
}

/// Returns what `tostring()` returns for a real; see [`write_real`].
#[must_use]
pub fn real_to_text(value: f64) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = write_real(value, &mut text);
    text
}

/// Parses what `tolong()` accepts: a decimal integer with an optional sign, or `0x` and the bits in hexadecimal digits,
/// with optional whitespace around it. None if the result of `tolong()` is null.
#[must_use]
pub fn parse_long(text: &str) -> Option<i64> {
    let text = text.trim();
    match hexadecimal(text) {
        Some(digits) => Some(u64::from_str_radix(digits, 16).ok()?.cast_signed()),
        None => text.parse().ok(),
    }
}

/// Parses what `toint()` accepts: like [`parse_long`], but with 32 bits.
#[must_use]
pub fn parse_int(text: &str) -> Option<i32> {
    let text = text.trim();
    match hexadecimal(text) {
        Some(digits) => Some(u32::from_str_radix(digits, 16).ok()?.cast_signed()),
        None => text.parse().ok(),
    }
}

/// Returns the hexadecimal digits after `0x`; None if there is no `0x` at the start, or anything but digits after it.
fn hexadecimal(text: &str) -> Option<&str> {
    let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"))?;
    // The standard library would accept a sign here.
    digits.bytes().all(|byte| byte.is_ascii_hexdigit()).then_some(digits)
}

/// Parses what `todouble()` accepts: a decimal number with an optional fraction and exponent, or a spelling of infinity
/// or NaN, with optional whitespace around it. None if the result of `todouble()` is null.
#[must_use]
pub fn parse_real(text: &str) -> Option<f64> {
    text.trim().parse().ok()
}

/// Parses what `tobool()` accepts: true or false in upper or lower case, or an integer, which is true unless it is
/// zero, with optional whitespace around it. None if the result of `tobool()` is null.
#[must_use]
pub fn parse_bool(text: &str) -> Option<bool> {
    let text = text.trim();
    if text.eq_ignore_ascii_case("true") {
        Some(true)
    } else if text.eq_ignore_ascii_case("false") {
        Some(false)
    } else {
        parse_long(text).map(|number| number != 0)
    }
}

/// Converts a long like `toint()`: to its low 32 bits.
#[must_use]
#[expect(clippy::cast_possible_truncation, reason = "Kusto wraps modulo 2^32")]
pub fn wrap_to_int(value: i64) -> i32 {
    value as i32
}

/// Converts a real like `toint()`: truncates it, and returns the nearest int if it does not fit; None for NaN.
#[must_use]
#[expect(clippy::cast_possible_truncation, reason = "Kusto saturates, as the cast does")]
pub fn real_to_int(value: f64) -> Option<i32> {
    (!value.is_nan()).then_some(value as i32)
}

/// Converts a real like `tolong()`: truncates it, and returns the nearest long if it does not fit; None for NaN.
#[must_use]
#[expect(clippy::cast_possible_truncation, reason = "Kusto saturates, as the cast does")]
pub fn real_to_long(value: f64) -> Option<i64> {
    (!value.is_nan()).then_some(value as i64)
}

/// Converts a real to ticks, truncated; None if it is not finite or does not fit.
#[must_use]
#[expect(clippy::cast_possible_truncation, reason = "the range was checked")]
pub fn real_to_ticks(value: f64) -> Option<i64> {
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    (-LIMIT..LIMIT).contains(&value).then_some(value as i64)
}

/// Returns the real that is nearest to a long.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "KQL widens long to real this way")]
pub fn long_to_real(value: i64) -> f64 {
    value as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reals_as_text() {
        for (value, expected) in [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (1.0, "1.0"),
            (-2.5, "-2.5"),
            (118.0, "118.0"),
            (10.000000000000002, "10.000000000000002"),
            (0.1 + 0.2, "0.30000000000000004"),
            (123_456_789_012_345_680.0, "123456789012345680.0"),
            (1e20, "100000000000000000000.0"),
            (1e21, "1e+21"),
            (-1.5e300, "-1.5e+300"),
            (0.000001, "0.000001"),
            (1.5e-7, "1.5e-7"),
            (f64::NAN, "NaN"),
            (f64::INFINITY, "inf"),
            (f64::NEG_INFINITY, "-inf"),
        ] {
            assert_eq!(real_to_text(value), expected);
        }
        for value in [f64::MIN, f64::MAX, f64::MIN_POSITIVE, 5e-324, 1.0 / 3.0, 1e15, 1e-6 - 1e-22] {
            assert_eq!(real_to_text(value).parse::<f64>(), Ok(value), "the digits read back");
        }
    }

    #[test]
    fn text_as_numbers() {
        for (text, long, int, real) in [
            ("5.7", None, None, Some(5.7)),
            ("1e3", None, None, Some(1000.0)),
            (" 7 ", Some(7), Some(7), Some(7.0)),
            ("-3", Some(-3), Some(-3), Some(-3.0)),
            ("0x10", Some(16), Some(16), None),
            ("1,000", None, None, None),
            ("+4", Some(4), Some(4), Some(4.0)),
            ("", None, None, None),
            ("9999999999", Some(9_999_999_999), None, Some(9_999_999_999.0)),
            ("5.", None, None, Some(5.0)),
            ("010", Some(10), Some(10), Some(10.0)),
            ("0xFFFFFFFF", Some(4_294_967_295), Some(-1), None),
            ("0xFFFFFFFFFFFFFFFF", Some(-1), None, None),
            ("0x10000000000000000", None, None, None),
            ("0x+1", None, None, None),
            ("+0x10", None, None, None),
            ("0x", None, None, None),
            ("9223372036854775807", Some(i64::MAX), None, Some(9.223_372_036_854_776e18)),
            ("9223372036854775808", None, None, Some(9.223_372_036_854_776e18)),
            ("-9223372036854775808", Some(i64::MIN), None, Some(-9.223_372_036_854_776e18)),
            ("٣", None, None, None),
        ] {
            assert_eq!(parse_long(text), long, "{text}");
            assert_eq!(parse_int(text), int, "{text}");
            assert_eq!(parse_real(text), real, "{text}");
        }
    }

    #[test]
    fn text_as_bool() {
        for (text, expected) in [
            ("TRUE", Some(true)),
            (" true ", Some(true)),
            ("\ttrue", Some(true)),
            ("False", Some(false)),
            ("0002", Some(true)),
            ("-1", Some(true)),
            ("0", Some(false)),
            ("1.5", None),
            ("0.0", None),
            ("t", None),
            ("", None),
        ] {
            assert_eq!(parse_bool(text), expected, "{text}");
        }
    }

    #[test]
    fn lossy_conversions() {
        assert_eq!(wrap_to_int(864_000_000_000), 711_573_504);
        assert_eq!(real_to_int(1e10), Some(i32::MAX));
        assert_eq!(real_to_int(-5.7), Some(-5));
        assert_eq!(real_to_int(f64::NAN), None);
        assert_eq!(real_to_long(1e30), Some(i64::MAX));
        assert_eq!(real_to_ticks(f64::INFINITY), None);
        assert_eq!(real_to_ticks(9.3e18), None);
        assert_eq!(real_to_ticks(-9_223_372_036_854_775_808.0), Some(i64::MIN));
        assert_eq!(real_to_ticks(10.0), Some(10));
    }
}
