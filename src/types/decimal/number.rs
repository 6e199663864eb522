//! The decimal number itself: up to 34 significant digits, as IEEE 754 decimal128 and Kusto have them.

use std::cmp::Ordering;
use std::ops::Neg;

use super::OutOfRange;
use super::wide::{Wide, power_of_ten};

/// Maximum number of significant digits.
pub(super) const DIGITS: usize = 34;

/// The largest power of ten that a digit can stand for; the smallest is its negative. Kusto's decimals reach farther,
/// but how Kusto shows such numbers is not known.
const MAX_POWER: i32 = 150;

/// Number of bits for the digits in the serialised form; they are a number below 2^113. Sign and exponent are in the
/// higher bits.
const DIGIT_BITS: u32 = 113;
const SIGN_BIT: u128 = 1 << 127;
const EXPONENT_BIAS: i32 = 1 << 13;

/// A decimal number: digits times a power of ten. Equal numbers have equal fields, because the digits never end in
/// zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Decimal {
    /// The digits, with the sign of the number; their magnitude is below 10^34.
    digits: i128,
    exponent: i32,
}

impl Decimal {
    /// The number 0.
    pub const ZERO: Self = Self { digits: 0, exponent: 0 };
    /// The greatest number that a decimal can be.
    pub const MAX: Self = Self { digits: 10_i128.pow(34) - 1, exponent: MAX_POWER - 33 };
    /// The least number that a decimal can be.
    pub const MIN: Self = Self { digits: 1 - 10_i128.pow(34), ..Self::MAX };

    /// Returns `digits` times ten to the `exponent`.
    ///
    /// # Errors
    /// [`OutOfRange`] for more than 34 significant digits, or too large or small a power of ten.
    pub fn from_parts(digits: i128, exponent: i32) -> Result<Self, OutOfRange> {
        match Self::rounded(Wide::from_i128(digits), exponent) {
            Some(Rounded { value, is_exact: true }) => Ok(value),
            _ => Err(OutOfRange),
        }
    }

    /// Returns the decimal nearest to `digits` times ten to the `exponent`; of two equally near ones, the one whose
    /// last digit is even. None if a power of ten is too large or too small.
    fn rounded(mut digits: Wide, exponent: i32) -> Option<Rounded> {
        if digits.is_zero() {
            return Some(Rounded { value: Self::ZERO, is_exact: true });
        }
        let mut exponent = i64::from(exponent);
        let excess = digits.count_digits().saturating_sub(DIGITS);
        let mut is_exact = true;
        if excess > 0 {
            (digits, is_exact) = digits.round_half_even(excess);
            exponent += i64::try_from(excess).ok()?;
        }
        let mut digits = digits.to_i128()?;
        while digits % 10 == 0 {
            digits /= 10;
            exponent += 1;
        }
        let leading = exponent + i64::try_from(count_digits(digits)).ok()? - 1;
        if exponent < i64::from(-MAX_POWER) || leading > i64::from(MAX_POWER) {
            return None;
        }
        Some(Rounded { value: Self { digits, exponent: i32::try_from(exponent).ok()? }, is_exact })
    }

    /// Returns the sum; None if it needs more than 34 digits.
    #[must_use]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.sum(other)?.exact()
    }

    /// Returns the difference; None if it needs more than 34 digits.
    #[must_use]
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.checked_add(-other)
    }

    /// Returns the difference, rounded to 34 digits; None if it is too large.
    #[must_use]
    pub fn rounded_sub(self, other: Self) -> Option<Self> {
        self.sum(-other).map(|sum| sum.value)
    }

    fn sum(self, other: Self) -> Option<Rounded> {
        /// Maximum number of zeros that are appended to the digits of the number with the larger exponent. Together
        /// with its own digits they fill a wide number.
        const MAX_SHIFT: u32 = 40;
        let (high, low) = if self.exponent >= other.exponent { (self, other) } else { (other, self) };
        if high.digits == 0 {
            return Some(Rounded { value: low, is_exact: true });
        }
        let distance = high.exponent.abs_diff(low.exponent);
        let shift = distance.min(MAX_SHIFT);
        let (low_digits, rest) = low.split(distance - shift);
        // One more digit than needed stands for everything that is cut off of the lower number.
        let sum = Wide::from_i128(high.digits) * power_of_ten(shift + 1)
            + Wide::from_i128(low_digits) * power_of_ten(1)
            + Wide::from_i128(rest.signum());
        let exponent = low.exponent + i32::try_from(distance - shift).ok()?;
        Self::rounded(sum, exponent - 1)
    }

    /// Divides the digits by ten to the `power`. Returns the quotient, truncated towards zero, and the remainder.
    fn split(self, power: u32) -> (i128, i128) {
        match 10_i128.checked_pow(power) {
            Some(divisor) => (self.digits / divisor, self.digits % divisor),
            None => (0, self.digits),
        }
    }

    /// Returns the product; None if it needs more than 34 digits.
    #[must_use]
    pub fn checked_mul(self, other: Self) -> Option<Self> {
        let product = Wide::from_i128(self.digits) * Wide::from_i128(other.digits);
        Self::rounded(product, self.exponent + other.exponent)?.exact()
    }

    /// Returns the quotient, rounded to 34 digits; None if `other` is zero, or if the quotient is too large or too
    /// small.
    #[must_use]
    pub fn rounded_div(self, other: Self) -> Option<Self> {
        if other.is_zero() {
            return None;
        }
        // Two digits more than needed, and one that stands for the remainder.
        let wanted = DIGITS + 2 + count_digits(other.digits);
        let shift = u32::try_from(wanted - count_digits(self.digits).min(wanted)).ok()?;
        let (quotient, rest) =
            (Wide::from_i128(self.digits) * power_of_ten(shift)).divide(Wide::from_i128(other.digits));
        let sign = self.digits.signum() * other.digits.signum();
        let sticky = if rest.is_zero() { 0 } else { sign };
        let digits = quotient * power_of_ten(1) + Wide::from_i128(sticky);
        let exponent = self.exponent - other.exponent - i32::try_from(shift).ok()?;
        Self::rounded(digits, exponent - 1).map(|quotient| quotient.value)
    }

    /// Returns the remainder of the division, with the sign of `self`; None if `other` is zero.
    #[must_use]
    pub fn checked_rem(self, other: Self) -> Option<Self> {
        if other.is_zero() {
            return None;
        }
        let divisor = other.digits.abs();
        if self.exponent >= other.exponent {
            let mut rest = self.digits % divisor;
            for _ in 0..self.exponent.abs_diff(other.exponent) {
                rest = rest * 10 % divisor;
            }
            return Self::from_parts(rest, other.exponent).ok();
        }
        let distance = other.exponent.abs_diff(self.exponent);
        if usize::try_from(distance).ok()? > DIGITS {
            // The divisor is larger.
            return Some(self);
        }
        let (_, rest) = Wide::from_i128(self.digits).divide(Wide::from_i128(divisor) * power_of_ten(distance));
        Self::from_parts(rest.to_i128()?, self.exponent).ok()
    }

    /// Returns the nearest number with `digits` digits after the point; halves are rounded away from zero.
    #[must_use]
    pub fn round(self, digits: u32) -> Self {
        let kept = -i64::from(digits);
        let Ok(dropped) = u32::try_from(kept - i64::from(self.exponent)) else { return self };
        let (mut quotient, rest) = self.split(dropped);
        let half = 10_i128.checked_pow(dropped).map(|divisor| divisor / 2);
        if half.is_some_and(|half| dropped > 0 && rest.abs() >= half) {
            quotient += self.digits.signum();
        }
        // Rounding adds no digits but the carry of nines.
        let exponent = self.exponent + i32::try_from(dropped).unwrap_or(0);
        Self::from_parts(quotient, exponent).unwrap_or(self)
    }

    /// Returns the number without its fraction.
    #[must_use]
    pub fn trunc(self) -> Self {
        let Ok(dropped) = u32::try_from(-self.exponent) else { return self };
        Self::from_parts(self.split(dropped).0, 0).unwrap_or(self)
    }

    /// Returns the smallest whole number that is not less than this one.
    #[must_use]
    pub fn ceil(self) -> Self {
        let whole = self.trunc();
        if whole < self { whole.checked_add(Self::from(1)).unwrap_or(whole) } else { whole }
    }

    /// Returns the magnitude of the number.
    #[must_use]
    pub fn abs(self) -> Self {
        Self { digits: self.digits.abs(), ..self }
    }

    /// True if the number is zero.
    #[must_use]
    pub fn is_zero(self) -> bool {
        self.digits == 0
    }

    /// True if the number is below zero.
    #[must_use]
    pub fn is_negative(self) -> bool {
        self.digits < 0
    }

    /// True if the number has no fraction.
    #[must_use]
    pub fn is_integer(self) -> bool {
        self.exponent >= 0
    }

    /// Returns the number without its fraction as 64 bits; None if it does not fit.
    #[must_use]
    pub fn to_i64(self) -> Option<i64> {
        let whole = self.trunc();
        let power = 10_i128.checked_pow(u32::try_from(whole.exponent).ok()?)?;
        i64::try_from(whole.digits.checked_mul(power)?).ok()
    }

    /// Returns the digits without the sign, and the power of ten by which they are multiplied.
    pub(super) fn to_parts(self) -> (u128, i32) {
        (self.digits.unsigned_abs(), self.exponent)
    }

    /// Returns the number as sixteen bytes; they are the same for equal numbers.
    #[must_use]
    pub fn serialize(self) -> [u8; 16] {
        let sign = if self.is_negative() { SIGN_BIT } else { 0 };
        let exponent = u128::from((self.exponent + EXPONENT_BIAS).unsigned_abs()) << DIGIT_BITS;
        (sign | exponent | self.digits.unsigned_abs()).to_le_bytes()
    }

    /// Returns the number that [`Self::serialize`] converted to these bytes; zero for other bytes.
    #[must_use]
    pub fn deserialize(bytes: [u8; 16]) -> Self {
        let bits = u128::from_le_bytes(bytes);
        let digits = i128::try_from(bits & ((1 << DIGIT_BITS) - 1)).unwrap_or_default();
        let exponent = i32::try_from((bits & !SIGN_BIT) >> DIGIT_BITS).unwrap_or_default() - EXPONENT_BIAS;
        let digits = if bits & SIGN_BIT == 0 { digits } else { -digits };
        Self::from_parts(digits, exponent).unwrap_or_default()
    }
}

/// The result of an operation, and whether it is exact or rounded.
struct Rounded {
    value: Decimal,
    is_exact: bool,
}

impl Rounded {
    fn exact(self) -> Option<Decimal> {
        self.is_exact.then_some(self.value)
    }
}

/// Returns the number of decimal digits; 0 for zero.
fn count_digits(number: i128) -> usize {
    number.unsigned_abs().checked_ilog10().map_or(0, |power| power as usize + 1)
}

impl Neg for Decimal {
    type Output = Self;

    fn neg(self) -> Self {
        Self { digits: -self.digits, ..self }
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        let by_sign = self.digits.signum().cmp(&other.digits.signum());
        if by_sign.is_ne() || self.digits == 0 {
            return by_sign;
        }
        let leading = |number: &Self| number.exponent + i32::try_from(count_digits(number.digits)).unwrap_or(0);
        let by_power = leading(self).cmp(&leading(other));
        if by_power.is_ne() {
            return if self.is_negative() { by_power.reverse() } else { by_power };
        }
        // The same leading power: the exponents differ by less than the digits.
        let least = self.exponent.min(other.exponent);
        let aligned = |number: &Self| Wide::from_i128(number.digits) * power_of_ten(number.exponent.abs_diff(least));
        aligned(self).cmp(&aligned(other))
    }
}

impl From<i64> for Decimal {
    fn from(number: i64) -> Self {
        Self::from_parts(number.into(), 0).unwrap_or_default()
    }
}

impl From<i32> for Decimal {
    fn from(number: i32) -> Self {
        i64::from(number).into()
    }
}

impl From<u64> for Decimal {
    fn from(number: u64) -> Self {
        Self::from_parts(number.into(), 0).unwrap_or_default()
    }
}

impl From<bool> for Decimal {
    fn from(truth: bool) -> Self {
        i64::from(truth).into()
    }
}
