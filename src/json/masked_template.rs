//! Compares a record with a validated template, 16 bytes at a time, and finds how far they match. Wildcard bytes of
//! the template match any plain character.

use wide::u8x16;

/// Number of bytes that are compared at once.
const WIDTH: usize = 16;

/// A validated JSON text in which some bytes are wildcards.
#[derive(Debug, Default)]
pub(crate) struct MaskedTemplate {
    /// The text, followed by a chunk of zeros, which match nothing because they cannot occur in JSON.
    text: Vec<u8>,
    /// For each byte, 0xff if it is a wildcard, which matches any character for which [`is_plain`] is true; otherwise
    /// 0.
    wildcards: Vec<u8>,
    length: usize,
}

impl MaskedTemplate {
    /// Returns a template that matches only `text`.
    pub(crate) fn new(text: &[u8]) -> Self {
        let mut padded = Vec::with_capacity(text.len() + WIDTH);
        padded.extend_from_slice(text);
        padded.resize(text.len() + WIDTH, 0);
        Self { wildcards: vec![0; padded.len()], text: padded, length: text.len() }
    }

    pub(crate) fn len(&self) -> usize {
        self.length
    }

    pub(crate) fn text(&self) -> &[u8] {
        &self.text[..self.length]
    }

    /// Makes the byte at `at` a wildcard, so that it matches any plain character.
    pub(crate) fn set_wildcard(&mut self, at: usize) {
        self.wildcards[at] = 0xff;
    }

    /// Makes the byte at `at` match nothing: it becomes 0xff, which does not occur in UTF-8.
    pub(crate) fn set_barrier(&mut self, at: usize) {
        self.text[at] = 0xff;
    }

    /// True if the byte at `at` is a wildcard.
    pub(crate) fn is_wildcard(&self, at: usize) -> bool {
        self.wildcards.get(at) == Some(&0xff)
    }

    /// Returns how many bytes at the start of `found` match the template from the offset `at` on.
    #[inline]
    pub(crate) fn matching_prefix(&self, at: usize, found: &[u8]) -> usize {
        let (text, wildcards) = (&self.text[at..], &self.wildcards[at..]);
        let (text_chunks, wildcard_chunks, (found_chunks, rest)) =
            (text.as_chunks::<WIDTH>().0, wildcards.as_chunks::<WIDTH>().0, found.as_chunks::<WIDTH>());
        let mut passed = 0;
        for ((text, wildcards), found) in text_chunks.iter().zip(wildcard_chunks).zip(found_chunks) {
            let matches = matches_of_chunk(text, wildcards, found);
            if matches != 0xffff {
                return (passed + matches.trailing_ones() as usize).min(self.length - at);
            }
            passed += WIDTH;
        }
        // Fewer than `WIDTH` bytes are left: the template ends here, after which nothing matches, or `found` does.
        let rest = if passed < found_chunks.len() * WIDTH { &found_chunks.as_flattened()[passed..] } else { rest };
        let left = self.text[at + passed..].iter().zip(&self.wildcards[at + passed..]).zip(rest);
        let matches =
            left.take_while(|((text, wildcards), found)| text == found || (**wildcards == 0xff && is_plain(**found)));
        (passed + matches.count()).min(self.length - at)
    }
}

/// Returns a mask with a bit for each byte of `found`, which is 1 if the byte matches.
#[inline]
fn matches_of_chunk(text: &[u8; WIDTH], wildcards: &[u8; WIDTH], found: &[u8; WIDTH]) -> u32 {
    let (text, wildcards, found) = (u8x16::new(*text), u8x16::new(*wildcards), u8x16::new(*found));
    // `to_bitmask` takes the highest bit of each byte: it is set for wildcards, and not set in ASCII.
    let ascii_wildcards = wildcards & !found;
    let above_quotes = found.max(u8x16::splat(MIN_PLAIN)).simd_eq(found);
    let backslash = found.simd_eq(u8x16::splat(b'\\'));
    (text.simd_eq(found) | (ascii_wildcards & above_quotes & !backslash)).to_bitmask()
}

/// The first character after the quote, the space and the control characters.
const MIN_PLAIN: u8 = b'#';

/// True for most one-byte characters that stand for themselves in a string, that is, not for quotes, backslashes and
/// control characters. Spaces are excluded, too, because that saves a comparison.
fn is_plain(byte: u8) -> bool {
    (MIN_PLAIN..0x80).contains(&byte) && byte != b'\\'
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::{MaskedTemplate, is_plain};

    #[test]
    fn prefix_is_as_long_as_byte_by_byte() {
        let mut random = ChaCha8Rng::seed_from_u64(9);
        for _ in 0..20_000 {
            let length = random.random_range(1..120);
            let text: Vec<u8> = (0..length).map(|_| random.random_range(1..=255)).collect();
            let mut template = MaskedTemplate::new(&text);
            let often = random.random_range(0.8..1.0);
            (0..length).filter(|_| random.random_bool(0.5)).for_each(|at| template.set_wildcard(at));
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
                there == here || (template.is_wildcard(at + index) && is_plain(here))
            };
            let matches = (0..found.len().min(length - at)).take_while(|&index| fits(index)).count();
            assert_eq!(template.matching_prefix(at, &found), matches, "{text:?} at {at} {found:?}");
        }
    }
}
