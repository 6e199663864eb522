//! Double-double (compensated) sums.
//!
//! The sum of doubles depends on the order of its terms. If it is kept as two doubles, the error of each step is about
//! 2^-106 of the sum, so that the rounded result does not depend on how rows are split over threads and batches.

/// The sum `high + low`, in which `low` is the rounding error of `high`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct DoubleDouble {
    high: f64,
    low: f64,
}

impl DoubleDouble {
    /// Adds a double to the sum.
    pub fn add(&mut self, value: f64) {
        let (high, low) = two_sum(self.high, value);
        (self.high, self.low) = quick_two_sum(high, self.low + low);
    }

    /// Adds the product of two doubles to the sum, without rounding the product.
    pub fn add_product(&mut self, a: f64, b: f64) {
        self.add_sum(two_product(a, b));
    }

    /// Adds another sum to this one.
    pub fn add_sum(&mut self, other: Self) {
        let (high, high_rest) = two_sum(self.high, other.high);
        let (low, low_rest) = two_sum(self.low, other.low);
        let (high, rest) = quick_two_sum(high, high_rest + low);
        (self.high, self.low) = quick_two_sum(high, rest + low_rest);
    }

    /// Returns the product with another sum.
    #[must_use]
    pub fn times(self, other: Self) -> Self {
        let product = two_product(self.high, other.high);
        let rest = product.low + (self.high * other.low + self.low * other.high);
        let (high, low) = quick_two_sum(product.high, rest);
        Self { high, low }
    }

    /// Returns the negated sum.
    #[must_use]
    pub fn negated(self) -> Self {
        Self { high: -self.high, low: -self.low }
    }

    /// Returns the nearest double.
    #[must_use]
    pub fn value(self) -> f64 {
        // Beyond the range of doubles `low` is NaN, but `high` is correctly infinite.
        if self.high.is_finite() { self.high + self.low } else { self.high }
    }
}

impl From<f64> for DoubleDouble {
    fn from(high: f64) -> Self {
        Self { high, low: 0.0 }
    }
}

/// Returns the sum and its rounding error (Knuth).
fn two_sum(a: f64, b: f64) -> (f64, f64) {
    let sum = a + b;
    if !sum.is_finite() {
        return (sum, 0.0);
    }
    let other = sum - a;
    (sum, (a - (sum - other)) + (b - other))
}

/// Returns the sum and its rounding error, if `|a| >= |b|` (Dekker).
fn quick_two_sum(a: f64, b: f64) -> (f64, f64) {
    let sum = a + b;
    if sum.is_finite() { (sum, b - (sum - a)) } else { (sum, 0.0) }
}

/// Returns the product and its rounding error.
fn two_product(a: f64, b: f64) -> DoubleDouble {
    let high = a * b;
    if !high.is_finite() {
        return DoubleDouble { high, low: 0.0 };
    }
    DoubleDouble { high, low: a.mul_add(b, -high) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_lost_between_large_and_small() {
        let mut sum = DoubleDouble::default();
        [1e16, 1.0, -1e16, 0.1, 0.2, 0.3].into_iter().for_each(|value| sum.add(value));
        assert_eq!(sum.value(), 1.6);
    }

    #[test]
    fn infinities_stay() {
        let mut sum = DoubleDouble::from(f64::INFINITY);
        sum.add(1.0);
        assert_eq!(sum.value(), f64::INFINITY);
        sum.add(f64::NEG_INFINITY);
        assert!(sum.value().is_nan());
    }

    #[test]
    fn products_are_exact() {
        let mut sum = DoubleDouble::default();
        sum.add_product(134_217_729.0, 134_217_729.0);
        sum.add(-18_014_398_777_917_440.0);
        assert_eq!(sum.value(), 1.0);
    }
}
