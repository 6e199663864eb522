//! Whole numbers of up to 76 digits, with which decimals are multiplied and divided without loss.

use std::cmp::Ordering;
use std::ops::{Add, Mul};

use arrow::datatypes::i256;

/// A whole number whose magnitude is below 2^255. Operations on decimals never need more; a larger result would wrap
/// around.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Wide(i256);

/// Returns ten to the `power`, which must be at most 76.
pub(super) fn power_of_ten(power: u32) -> Wide {
    Wide(i256::from_i128(10).wrapping_pow(power))
}

impl Wide {
    pub fn from_i128(number: i128) -> Self {
        Self(i256::from_i128(number))
    }

    pub fn to_i128(self) -> Option<i128> {
        self.0.to_i128()
    }

    pub fn is_zero(self) -> bool {
        self.0 == i256::ZERO
    }

    /// Returns the number of decimal digits; 0 for zero.
    pub fn count_digits(self) -> usize {
        let mut rest = self.0.wrapping_abs();
        let mut digits = 0;
        while rest.to_i128().is_none() {
            rest = rest.wrapping_div(i256::from_i128(10));
            digits += 1;
        }
        let low = rest.to_i128().and_then(i128::checked_ilog10);
        digits + low.map_or(0, |power| power as usize + 1)
    }

    /// Returns the quotient, truncated towards zero, and the remainder. The divisor must not be zero.
    pub fn divide(self, divisor: Self) -> (Self, Self) {
        (Self(self.0.wrapping_div(divisor.0)), Self(self.0.wrapping_rem(divisor.0)))
    }

    /// Drops the last `digits` digits, and rounds halves to an even number. Returns the rounded number, and true if the
    /// dropped digits were zeros.
    pub fn round_half_even(self, digits: usize) -> (Self, bool) {
        let unit = power_of_ten(u32::try_from(digits).unwrap_or(0));
        let (quotient, rest) = self.divide(unit);
        let is_odd = quotient.0.wrapping_rem(i256::from_i128(2)) != i256::ZERO;
        let away = match (rest.0.wrapping_abs().wrapping_mul(i256::from_i128(2))).cmp(&unit.0) {
            Ordering::Less => false,
            Ordering::Equal => is_odd,
            Ordering::Greater => true,
        };
        let step = if away { i256::from_i128(if self.0 < i256::ZERO { -1 } else { 1 }) } else { i256::ZERO };
        (Self(quotient.0.wrapping_add(step)), rest.is_zero())
    }
}

impl Add for Wide {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0.wrapping_add(other.0))
    }
}

impl Mul for Wide {
    type Output = Self;

    fn mul(self, other: Self) -> Self {
        Self(self.0.wrapping_mul(other.0))
    }
}
