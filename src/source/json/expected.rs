//! A short text that is expected to come again, compared a vector at a time.

use wide::u8x16;

/// Bytes that are compared at once.
const WIDTH: usize = 16;

/// A text, and how to tell how much of it comes again.
#[derive(Debug)]
pub(crate) struct Expected {
    /// The text, filled up to whole vectors.
    padded: Vec<[u8; WIDTH]>,
    /// Its length.
    pub length: usize,
}

impl Expected {
    /// Expects `text`.
    pub(crate) fn new(text: &[u8]) -> Self {
        let mut expected = Self { padded: Vec::new(), length: 0 };
        expected.set(text);
        expected
    }

    /// Expects `text` from now on.
    pub(crate) fn set(&mut self, text: &[u8]) {
        self.length = text.len();
        self.padded.clear();
        let (whole, rest) = text.as_chunks::<WIDTH>();
        self.padded.extend_from_slice(whole);
        let mut last = [0; WIDTH];
        last[..rest.len()].copy_from_slice(rest);
        self.padded.push(last);
    }

    /// How many bytes `text` begins with that are as expected, up to all of them.
    #[inline]
    pub(crate) fn same(&self, text: &[u8]) -> usize {
        let (blocks, _) = text.as_chunks::<WIDTH>();
        if blocks.len() < self.padded.len() {
            return self.same_near_end(text);
        }
        for (index, (expected, found)) in self.padded.iter().zip(blocks).enumerate() {
            let equal = u8x16::new(*expected).simd_eq(u8x16::new(*found)).to_bitmask();
            if equal != 0xffff {
                return (index * WIDTH + equal.trailing_ones() as usize).min(self.length);
            }
        }
        self.length
    }

    /// The same where fewer bytes are left than the vectors hold.
    fn same_near_end(&self, text: &[u8]) -> usize {
        let expected = &self.padded.as_flattened()[..self.length];
        expected.iter().zip(text).take_while(|(expected, found)| expected == found).count()
    }
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::Expected;

    #[test]
    fn as_much_is_the_same_as_byte_by_byte() {
        let mut random = ChaCha8Rng::seed_from_u64(9);
        let mut expected = Expected::new(b"");
        for _ in 0..20_000 {
            let mut text = |length: usize| -> Vec<u8> {
                (0..random.random_range(0..=length)).map(|_| if random.random_bool(0.99) { 0 } else { 1 }).collect()
            };
            let (before, now) = (text(70), text(120));
            expected.set(&before);
            let same = before.iter().zip(&now).take_while(|(before, now)| before == now).count();
            assert_eq!(expected.same(&now), same, "{before:?} {now:?}");
            assert_eq!(expected.length, before.len());
        }
    }
}
