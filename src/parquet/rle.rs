//! Decodes the hybrid encoding of run lengths (RLE) and bit-packing that levels and dictionary codes have.

use std::ops::Range;

/// An iterator over the runs of an encoded sequence of numbers.
pub(super) struct RleDecoder<'a> {
    bytes: &'a [u8],
    /// Number of bits of each number.
    width: usize,
}

/// A run of numbers.
pub(super) enum RleRun<'a> {
    /// The same number `count` times.
    Repeated { number: i32, count: usize },
    /// Different numbers, each of `width` bits, packed without gaps.
    BitPacked { bytes: &'a [u8], count: usize },
}

impl<'a> RleDecoder<'a> {
    /// Maximum number of bits of a number, so that it fits into an i32.
    const MAX_WIDTH: usize = 31;

    /// Creates a decoder of numbers of `width` bits; None if they do not fit into an i32.
    pub fn new(bytes: &'a [u8], width: usize) -> Option<Self> {
        (width <= Self::MAX_WIDTH).then_some(Self { bytes, width })
    }
}

impl<'a> Iterator for RleDecoder<'a> {
    type Item = RleRun<'a>;

    /// Returns the next run, which is not empty; None at the end, or if the encoding is invalid.
    fn next(&mut self) -> Option<RleRun<'a>> {
        let (mut head, mut shift) = (0_usize, 0);
        loop {
            let byte = self.bytes.split_off_first()?;
            head |= usize::from(byte & 0x7f).checked_shl(shift).filter(|_| shift < 35)?;
            shift += 7;
            if byte & 0x80 == 0 {
                break;
            }
        }
        match (head >> 1, head & 1) {
            (0, _) => None,
            (count, 0) => {
                let bytes = self.bytes.split_off(..self.width.div_ceil(8))?;
                let number = bytes.iter().rev().fold(0_i64, |number, byte| number << 8 | i64::from(*byte));
                Some(RleRun::Repeated { number: i32::try_from(number).ok()?, count })
            }
            (groups, _) => {
                let bytes = self.bytes.split_off(..groups.checked_mul(self.width)?)?;
                Some(RleRun::BitPacked { bytes, count: groups.checked_mul(8)? })
            }
        }
    }
}

/// Unpacks the integers of `width` bits at `indices` of a bit-packed run, and appends them to `numbers`.
#[expect(clippy::cast_possible_truncation, reason = "numbers have at most 31 bits")]
pub(super) fn unpack(packed: &[u8], width: usize, indices: Range<usize>, numbers: &mut Vec<i32>) {
    /// Number of integers of at most `MAX_WIDTH` bits that a 64-bit word has, at whatever bit the first begins.
    const LANES: usize = 4;
    const MAX_WIDTH: usize = 14;
    let mask = (1_u64 << width) - 1;
    let word = |index: usize| {
        let bit = index * width;
        word_at(packed, bit / 8) >> (bit % 8)
    };
    let mut next = indices.start;
    if width <= MAX_WIDTH {
        while next + LANES <= indices.end {
            let word = word(next);
            let lane = |lane: usize| ((word >> (lane * width)) & mask) as i32;
            numbers.extend_from_slice(&[lane(0), lane(1), lane(2), lane(3)]);
            next += LANES;
        }
    }
    numbers.extend((next..indices.end).map(|index| (word(index) & mask) as i32));
}

/// Returns the eight bytes at `start` as an integer; bytes after the end count as zeros.
fn word_at(bytes: &[u8], start: usize) -> u64 {
    let rest = bytes.get(start..).unwrap_or_default();
    if let Some(word) = rest.first_chunk() {
        return u64::from_le_bytes(*word);
    }
    let mut word = [0; 8];
    word[..rest.len()].copy_from_slice(rest);
    u64::from_le_bytes(word)
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    /// Packs numbers of `width` bits without gaps, bit by bit.
    fn packed(numbers: &[i32], width: usize) -> Vec<u8> {
        let mut bytes = vec![0; (numbers.len() * width).div_ceil(8)];
        for (place, number) in numbers.iter().enumerate() {
            for bit in (0..width).filter(|bit| number >> bit & 1 == 1) {
                bytes[(place * width + bit) / 8] |= 1 << ((place * width + bit) % 8);
            }
        }
        bytes
    }

    #[test]
    fn numbers_are_those_that_were_packed() {
        let mut random = ChaCha8Rng::seed_from_u64(31);
        for width in 0..=RleDecoder::MAX_WIDTH {
            let numbers: Vec<i32> =
                (0..80).map(|_| (random.random::<u32>() >> 1) as i32 & ((1_i64 << width) - 1) as i32).collect();
            let packed = packed(&numbers, width);
            for _ in 0..20 {
                let start = random.random_range(0..80);
                let end = random.random_range(start..=80);
                let mut unpacked = vec![7];
                unpack(&packed, width, start..end, &mut unpacked);
                assert_eq!(unpacked[1..], numbers[start..end], "{width} bits");
            }
        }
    }

    #[test]
    fn runs_follow_each_other() {
        // Three times the number 300, then a group of eight numbers of nine bits.
        let bytes = [6, 0x2c, 0x01, 3, 1, 0, 0, 0, 0, 0, 0, 0, 0];
        let mut runs = RleDecoder::new(&bytes, 9).unwrap();
        assert!(matches!(runs.next(), Some(RleRun::Repeated { number: 300, count: 3 })));
        assert!(matches!(runs.next(), Some(RleRun::BitPacked { bytes: [1, ..], count: 8 })));
        assert!(runs.next().is_none());
        assert!(RleDecoder::new(&bytes, 32).is_none());
        assert!(RleDecoder::new(&[0x80; 12], 9).unwrap().next().is_none());
    }
}
