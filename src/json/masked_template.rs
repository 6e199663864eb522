//! How far a text is like another one that was checked, many bytes at a time.

use wide::u8x16;

/// Bytes that are compared at once.
const WIDTH: usize = 16;

/// A checked text, and which of its bytes may be others.
#[derive(Debug, Default)]
pub(crate) struct MaskedTemplate {
    /// The text, followed by a chunk of zeros, which no JSON holds.
    text: Vec<u8>,
    /// 0xff where any plain character of a text may stand instead: see [`is_plain`].
    free: Vec<u8>,
    length: usize,
}

impl MaskedTemplate {
    /// Nothing else than `text`.
    pub(crate) fn new(text: &[u8]) -> Self {
        let mut padded = Vec::with_capacity(text.len() + WIDTH);
        padded.extend_from_slice(text);
        padded.resize(text.len() + WIDTH, 0);
        Self { free: vec![0; padded.len()], text: padded, length: text.len() }
    }

    /// The length of the text.
    pub(crate) fn len(&self) -> usize {
        self.length
    }

    /// The text.
    pub(crate) fn text(&self) -> &[u8] {
        &self.text[..self.length]
    }

    /// Lets any plain character stand at `at`.
    pub(crate) fn set_wildcard(&mut self, at: usize) {
        self.free[at] = 0xff;
    }

    /// Lets nothing stand at `at`: no UTF-8 has such a byte.
    pub(crate) fn set_barrier(&mut self, at: usize) {
        self.text[at] = 0xff;
    }

    /// True where any plain character may stand.
    pub(crate) fn is_wildcard(&self, at: usize) -> bool {
        self.free.get(at) == Some(&0xff)
    }

    /// How many bytes `found` begins with that may stand where the pattern goes on at `at`.
    #[inline]
    pub(crate) fn matching_prefix(&self, at: usize, found: &[u8]) -> usize {
        let (text, free) = (&self.text[at..], &self.free[at..]);
        let (texts, frees, (founds, rest)) =
            (text.as_chunks::<WIDTH>().0, free.as_chunks::<WIDTH>().0, found.as_chunks::<WIDTH>());
        let mut passed = 0;
        for ((text, free), found) in texts.iter().zip(frees).zip(founds) {
            let alike = matches_of_chunk(text, free, found);
            if alike != 0xffff {
                return (passed + alike.trailing_ones() as usize).min(self.length - at);
            }
            passed += WIDTH;
        }
        // Either the pattern ends here, behind which nothing is alike, or what was found.
        let rest = if passed < founds.len() * WIDTH { &founds.as_flattened()[passed..] } else { rest };
        let left = self.text[at + passed..].iter().zip(&self.free[at + passed..]).zip(rest);
        let alike = left.take_while(|((text, free), found)| text == found || (**free == 0xff && is_plain(**found)));
        (passed + alike.count()).min(self.length - at)
    }
}

/// A bit for each byte that may stand where it does.
#[inline]
fn matches_of_chunk(text: &[u8; WIDTH], free: &[u8; WIDTH], found: &[u8; WIDTH]) -> u32 {
    let (text, free, found) = (u8x16::new(*text), u8x16::new(*free), u8x16::new(*found));
    // A mask takes the highest bit of each byte: set where the byte is free, and not set in ASCII.
    let free_and_ascii = free & !found;
    let above_quotes = found.max(u8x16::splat(MIN_PLAIN)).simd_eq(found);
    let backslash = found.simd_eq(u8x16::splat(b'\\'));
    (text.simd_eq(found) | (free_and_ascii & above_quotes & !backslash)).to_bitmask()
}

/// The first character behind quotes, spaces and control characters.
const MIN_PLAIN: u8 = b'#';

/// True for most characters that stand for themselves inside of a text and are one byte: no quotes, backslashes and
/// control characters, and for the sake of speed no spaces.
fn is_plain(byte: u8) -> bool {
    (MIN_PLAIN..0x80).contains(&byte) && byte != b'\\'
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::{MaskedTemplate, is_plain};

    #[test]
    fn as_much_is_alike_as_byte_by_byte() {
        let mut random = ChaCha8Rng::seed_from_u64(9);
        for _ in 0..20_000 {
            let length = random.random_range(1..120);
            let text: Vec<u8> = (0..length).map(|_| random.random_range(1..=255)).collect();
            let mut pattern = MaskedTemplate::new(&text);
            let often = random.random_range(0.8..1.0);
            (0..length).filter(|_| random.random_bool(0.5)).for_each(|at| pattern.set_wildcard(at));
            let at = random.random_range(0..length);
            let mut found: Vec<u8> = text[at..].to_vec();
            found.resize(random.random_range(0..140), 0);
            for byte in &mut found {
                if !random.random_bool(often) {
                    *byte = random.random();
                }
            }
            let fits = |index: usize| {
                let (there, here) = (text[at + index], found[index]);
                there == here || (pattern.is_wildcard(at + index) && is_plain(here))
            };
            let alike = (0..found.len().min(length - at)).take_while(|&index| fits(index)).count();
            assert_eq!(pattern.matching_prefix(at, &found), alike, "{text:?} at {at} {found:?}");
        }
    }
}
