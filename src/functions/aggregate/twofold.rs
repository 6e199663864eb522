//! A sum of doubles kept in twice their precision.
//!
//! The sum of doubles depends on the order of its terms. Kept as two doubles, what is lost at each step is some 2^-106
//! of the sum: the rounded result is the same however the rows were split over threads and batches.

/// `high + low`, where `low` is what `high` cannot hold.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Twofold {
    high: f64,
    low: f64,
}

impl Twofold {
    /// Adds a double.
    pub fn add(&mut self, value: f64) {
        let (high, low) = two_sum(self.high, value);
        (self.high, self.low) = quick_two_sum(high, self.low + low);
    }

    /// Adds the exact product of two doubles.
    pub fn add_product(&mut self, a: f64, b: f64) {
        self.add_twofold(two_product(a, b));
    }

    /// Adds another sum.
    pub fn add_twofold(&mut self, other: Self) {
        let (high, high_rest) = two_sum(self.high, other.high);
        let (low, low_rest) = two_sum(self.low, other.low);
        let (high, rest) = quick_two_sum(high, high_rest + low);
        (self.high, self.low) = quick_two_sum(high, rest + low_rest);
    }

    /// The product with another sum.
    #[must_use]
    pub fn times(self, other: Self) -> Self {
        let product = two_product(self.high, other.high);
        let rest = product.low + (self.high * other.low + self.low * other.high);
        let (high, low) = quick_two_sum(product.high, rest);
        Self { high, low }
    }

    /// The sum with its sign turned.
    #[must_use]
    pub fn negated(self) -> Self {
        Self { high: -self.high, low: -self.low }
    }

    /// The nearest double.
    #[must_use]
    pub fn value(self) -> f64 {
        // Beyond the range of doubles the rest is not a number, but the infinity is right.
        if self.high.is_finite() { self.high + self.low } else { self.high }
    }
}

impl From<f64> for Twofold {
    fn from(high: f64) -> Self {
        Self { high, low: 0.0 }
    }
}

/// The sum and what it lost (Knuth).
fn two_sum(a: f64, b: f64) -> (f64, f64) {
    let sum = a + b;
    if !sum.is_finite() {
        return (sum, 0.0);
    }
    let other = sum - a;
    (sum, (a - (sum - other)) + (b - other))
}

/// The same for `|a| >= |b|` (Dekker).
fn quick_two_sum(a: f64, b: f64) -> (f64, f64) {
    let sum = a + b;
    if sum.is_finite() { (sum, b - (sum - a)) } else { (sum, 0.0) }
}

/// The product and what it lost.
fn two_product(a: f64, b: f64) -> Twofold {
    let high = a * b;
    if !high.is_finite() {
        return Twofold { high, low: 0.0 };
    }
    Twofold { high, low: a.mul_add(b, -high) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_lost_between_large_and_small() {
        let mut sum = Twofold::default();
        [1e16, 1.0, -1e16, 0.1, 0.2, 0.3].into_iter().for_each(|value| sum.add(value));
        assert_eq!(sum.value(), 1.6);
    }

    #[test]
    fn infinities_stay() {
        let mut sum = Twofold::from(f64::INFINITY);
        sum.add(1.0);
        assert_eq!(sum.value(), f64::INFINITY);
        sum.add(f64::NEG_INFINITY);
        assert!(sum.value().is_nan());
    }

    #[test]
    fn products_are_exact() {
        let mut sum = Twofold::default();
        sum.add_product(134_217_729.0, 134_217_729.0);
        sum.add(-18_014_398_777_917_440.0);
        assert_eq!(sum.value(), 1.0);
    }
}
