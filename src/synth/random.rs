//! Random numbers that are the same on every machine: a portable stream cipher, and integer arithmetic only.
//!
//! The ranges of the crate `rand` may change between its versions, and floating-point functions differ between
//! machines. Neither is used, so that the bytes of an archive depend only on its options.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// What a random stream is used for. The streams of one seed are independent of each other.
#[derive(Clone, Copy)]
pub enum Purpose {
    /// The organisation: its users, devices and policies.
    World = 1,
    /// The sign-ins of one chunk.
    Chunk = 2,
    /// The position of a break-glass visit.
    Visit = 3,
    /// The name of a file.
    File = 4,
    /// One user, with the user's devices.
    User = 5,
    /// The injected incidents.
    Incident = 6,
    /// The noisy hour.
    Noise = 7,
    /// The sign-ins of one chunk of `AADNonInteractiveUserSignInLogs`.
    NonInteractive = 8,
    /// The sign-ins of one chunk of `AADServicePrincipalSignInLogs`.
    ServicePrincipal = 9,
    /// The rows of one chunk of `AuditLogs`.
    Audit = 10,
    /// The rows of one chunk of `AADRiskyUsers` or `AADUserRiskEvents`.
    Risk = 11,
}

/// A stream of random numbers.
pub struct Random(ChaCha8Rng);

/// Returns a number that depends only on two others and looks random. It needs no stream.
pub fn mix(first: u64, second: u64) -> u64 {
    // The finaliser of SplitMix64.
    let mut mixed = first.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(second).wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

impl Random {
    /// Creates the stream `index` of `purpose` for a seed.
    pub fn new(seed: u64, purpose: Purpose, index: u64) -> Self {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        key[8..16].copy_from_slice(&(purpose as u64).to_le_bytes());
        key[16..24].copy_from_slice(&index.to_le_bytes());
        Self(ChaCha8Rng::from_seed(key))
    }

    /// Draws a number from 0 to `bound - 1`; 0 if `bound` is 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.0.next_u64()) * u128::from(bound)) >> 64) as u64
    }

    /// True with a probability of `per_mille` in a thousand.
    pub fn happens(&mut self, per_mille: u64) -> bool {
        self.below(1000) < per_mille
    }

    /// Draws a number from `from` to `to - 1`; `from` if the range is empty.
    pub fn between(&mut self, from: i64, to: i64) -> i64 {
        from + self.below((to - from).max(0) as u64) as i64
    }

    /// Draws one of `items`, which must not be empty.
    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len() as u64) as usize]
    }

    /// Draws a version 4 GUID.
    pub fn guid(&mut self) -> Guid {
        let mut bytes = [0; 16];
        self.0.fill_bytes(&mut bytes);
        bytes[6] = bytes[6] & 0x0f | 0x40;
        bytes[8] = bytes[8] & 0x3f | 0x80;
        Guid(bytes)
    }
}

/// A GUID: its bytes in the order in which the string form shows them.
#[derive(Clone, Copy)]
pub struct Guid([u8; 16]);

impl Guid {
    /// Returns the string form, lower case with dashes.
    pub fn text(self) -> String {
        let mut text = String::with_capacity(36);
        for (index, byte) in self.0.iter().enumerate() {
            if matches!(index, 4 | 6 | 8 | 10) {
                text.push('-');
            }
            for digit in [byte >> 4, byte & 15] {
                text.push(char::from(b"0123456789abcdef"[usize::from(digit)]));
            }
        }
        text
    }

    /// Returns the unique token identifier of the sign-in with this id: the id with its fields in little-endian order,
    /// as base64url without padding.
    pub fn token_identifier(self) -> String {
        const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let bytes = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15].map(|index: usize| self.0[index]);
        let mut text = String::with_capacity(22);
        for triple in bytes.chunks(3) {
            let bits = triple.iter().fold(0, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - triple.len()));
            for digit in 0..=triple.len() {
                text.push(char::from(ALPHABET[(bits >> (18 - 6 * digit) & 63) as usize]));
            }
        }
        text
    }
}

/// Alternatives that are drawn with different probabilities, by weight.
pub struct Weighted(Vec<u64>);

impl Weighted {
    /// Creates alternatives with the given weights, at least one of which is above 0.
    pub fn new(weights: impl IntoIterator<Item = u64>) -> Self {
        let sum = |total: &mut u64, weight| {
            *total += weight;
            Some(*total)
        };
        Self(weights.into_iter().scan(0, sum).collect())
    }

    /// Creates alternatives whose weights follow the law of Zipf and Mandelbrot: rank r has the weight 1/(r + `flat`).
    pub fn zipf(count: u64, flat: u64) -> Self {
        Self::new((1..=count).map(|rank| (1 << 32) / (rank + flat)))
    }

    /// Draws the index of an alternative, with a probability in proportion to its weight.
    pub fn pick(&self, random: &mut Random) -> usize {
        let total = self.0.last().copied().unwrap_or(0);
        let at = random.below(total);
        self.0.partition_point(|sum| *sum <= at)
    }
}

#[cfg(test)]
mod tests {
    use super::{Guid, Purpose, Random, Weighted};

    #[test]
    fn a_stream_is_known_for_ever() {
        let mut random = Random::new(42, Purpose::Chunk, 7);
        let numbers: Vec<u64> = (0..4).map(|_| random.below(1000)).collect();
        assert_eq!(numbers, [809, 9, 806, 149]);
    }

    #[test]
    fn forms_of_a_guid() {
        let guid = Guid([0x33, 0x80, 0x6d, 0x3f, 0x3b, 0x15, 0x52, 0x1b, 0xbe, 0x19, 0x8a, 0x52, 0x1e, 0x2f, 0x6c, 0]);
        assert_eq!(guid.text(), "33806d3f-3b15-521b-be19-8a521e2f6c00");
        assert_eq!(guid.token_identifier(), "P22AMxU7G1K-GYpSHi9sAA");
    }

    #[test]
    fn zipf_prefers_the_first() {
        let (zipf, mut random) = (Weighted::zipf(1000, 0), Random::new(1, Purpose::World, 0));
        let first = (0..10_000).filter(|_| zipf.pick(&mut random) == 0).count();
        // 1 / H(1000) = 13.4 %
        assert!((1200..1480).contains(&first), "{first}");
    }
}
