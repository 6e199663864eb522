//! HyperLogLog: estimates the number of distinct hashes in a few kilobytes.
//!
//! Flajolet et al., "HyperLogLog: the analysis of a near-optimal cardinality estimation algorithm" (2007), with the
//! estimator of Ertl, "New cardinality estimation algorithms for HyperLogLog sketches" (2017), which is unbiased over
//! the whole range without tables.

/// A HyperLogLog sketch, which represents a set of hashes approximately.
#[derive(Clone, Debug)]
pub struct Sketch {
    /// For each register the length of the longest run of zeros seen, plus one; 0 if it has seen no hash.
    registers: Box<[u8]>,
    precision: u8,
}

impl Sketch {
    /// Returns the empty set with `2^precision` registers. The standard error of an estimate is about
    /// `1.04 / sqrt(2^precision)`.
    #[must_use]
    pub fn new(precision: u8) -> Self {
        Self { registers: vec![0; 1 << precision].into(), precision }
    }

    /// Adds a hash.
    pub fn insert(&mut self, hash: u64) {
        let index = usize::try_from(hash >> (64 - self.precision)).unwrap_or(0);
        // The bit set below ends the run of zeros if the rest of the hash is all zeros.
        let rest = hash << self.precision | 1 << (self.precision - 1);
        let rank = u8::try_from(rest.leading_zeros() + 1).unwrap_or(u8::MAX);
        self.registers[index] = self.registers[index].max(rank);
    }

    /// Adds the hashes of another sketch of the same precision.
    pub fn merge(&mut self, other: &Self) {
        for (register, other) in self.registers.iter_mut().zip(&other.registers) {
            *register = (*register).max(*other);
        }
    }

    /// Returns the registers.
    #[must_use]
    pub fn registers(&self) -> &[u8] {
        &self.registers
    }

    /// Returns the sketch with these registers; None if their number or a value does not fit the precision.
    #[must_use]
    pub fn from_registers(precision: u8, registers: Vec<u8>) -> Option<Self> {
        let is_valid = registers.len() == 1 << precision && registers.iter().all(|rank| *rank <= 65 - precision);
        is_valid.then(|| Self { registers: registers.into(), precision })
    }

    /// Returns the sketch of the same set with `precision`, or with its own if that is lower.
    #[must_use]
    pub fn reduced(&self, precision: u8) -> Self {
        let dropped = self.precision - precision.min(self.precision);
        let mut reduced = Self::new(self.precision - dropped);
        for (index, rank) in self.registers.iter().enumerate().filter(|(_, rank)| **rank > 0) {
            // The dropped bits of the index begin the rest of the hash.
            let bits = index & ((1 << dropped) - 1);
            let zeros = u8::try_from(usize::BITS - bits.leading_zeros()).map_or(0, |length| dropped - length);
            let rank = if bits == 0 { rank + dropped } else { zeros + 1 };
            let register = &mut reduced.registers[index >> dropped];
            *register = (*register).max(rank);
        }
        reduced
    }

    /// Returns the memory use in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.registers.len()
    }

    /// Returns the estimated number of distinct hashes.
    #[must_use]
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        clippy::cast_sign_loss,
        reason = "an estimate is finite and positive, and no exact number"
    )]
    pub fn estimate(&self) -> u64 {
        let size = self.registers.len() as f64;
        let last = usize::from(64 - self.precision) + 1;
        let mut counts = vec![0.0; last + 1];
        self.registers.iter().for_each(|rank| counts[usize::from(*rank).min(last)] += 1.0);
        let mut sum = size * tau(1.0 - counts[last] / size);
        for count in counts[1..last].iter().rev() {
            sum = 0.5 * (sum + count);
        }
        sum += size * sigma(counts[0] / size);
        let estimate = size * size / (2.0 * std::f64::consts::LN_2 * sum);
        if estimate.is_finite() { estimate.round() as u64 } else { 0 }
    }
}

/// Returns `x + x^2 + 2 x^4 + 4 x^8 + ...`, which the estimator needs for registers without a hash.
#[expect(clippy::float_cmp, reason = "terms are added until they change nothing")]
fn sigma(mut x: f64) -> f64 {
    if x >= 1.0 {
        return f64::INFINITY;
    }
    let (mut sum, mut weight) = (x, 1.0);
    loop {
        x *= x;
        let before = sum;
        sum += x * weight;
        weight += weight;
        if sum == before {
            return sum;
        }
    }
}

/// Returns `(1 - x - (1 - x^(1/2))^2 / 2 - (1 - x^(1/4))^2 / 4 - ...) / 3`, needed for registers at their maximum.
#[expect(clippy::float_cmp, reason = "terms are added until they change nothing")]
fn tau(mut x: f64) -> f64 {
    if x <= 0.0 || x >= 1.0 {
        return 0.0;
    }
    let (mut sum, mut weight) = (1.0 - x, 1.0);
    loop {
        x = x.sqrt();
        let before = sum;
        weight *= 0.5;
        sum -= (1.0 - x).powi(2) * weight;
        if sum == before {
            return sum / 3.0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns a well-mixed number for each index (splitmix64).
    fn hash(index: u64) -> u64 {
        let mut z = index.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    #[test]
    fn estimates_stay_within_three_sigma() {
        for precision in [12, 14, 18] {
            let mut sketch = Sketch::new(precision);
            let mut counted = 0;
            for target in [10, 1_000, 50_000, 1_000_000] {
                (counted..target).for_each(|index| sketch.insert(hash(index + 1)));
                counted = target;
                let error = sketch.estimate() as f64 / target as f64 - 1.0;
                let bound = 3.0 * 1.04 / f64::from(1 << precision).sqrt();
                assert!(error.abs() <= bound, "{precision} {target}: {error}");
            }
        }
    }

    #[test]
    fn the_union_of_halves_is_the_whole() {
        let (mut whole, mut low, mut high) = (Sketch::new(12), Sketch::new(12), Sketch::new(12));
        (0..10_000).for_each(|index| whole.insert(hash(index)));
        (0..6_000).for_each(|index| low.insert(hash(index)));
        (4_000..10_000).for_each(|index| high.insert(hash(index)));
        low.merge(&high);
        assert_eq!(low.estimate(), whole.estimate());
    }

    #[test]
    fn the_empty_set_and_the_rarest_hash() {
        let mut sketch = Sketch::new(12);
        assert_eq!(sketch.estimate(), 0);
        sketch.insert(0);
        sketch.insert(u64::MAX);
        assert_eq!(sketch.estimate(), 2);
    }
}
