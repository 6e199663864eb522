//! Finds the bytes that end a string, or that must not occur in a string, in 64 bytes at once.
//!
//! Most bytes of a record are inside strings that the query does not need. A mask finds the ends of all strings in 64
//! bytes with a few vector instructions, and serves all strings that end there.

use wide::u8x16;

use crate::json::escapes::escape_starts;

/// Number of bytes that a mask covers.
const WIDTH: usize = 64;

/// The special bytes from the offset `start` on, which lies inside a string.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct StringMask {
    start: usize,
    end: usize,
    /// A bit for each special byte: a quote that is not escaped, a control character, or a backslash that begins no
    /// valid escape.
    special: u64,
}

impl StringMask {
    /// Returns the offset of the first special byte at or after `at`, which lies inside a string; the length of
    /// `bytes` if there is none. `at` must not decrease from call to call, and there must be no backslash between two
    /// strings.
    #[inline]
    pub(crate) fn special(&mut self, bytes: &[u8], mut at: usize) -> usize {
        loop {
            if at >= self.end {
                *self = Self::of(bytes, at);
            }
            let rest = self.special >> (at - self.start);
            if rest != 0 {
                return at + rest.trailing_zeros() as usize;
            }
            at = self.end;
        }
    }

    #[inline]
    fn of(bytes: &[u8], start: usize) -> Self {
        let rest = bytes.get(start..).unwrap_or_default();
        let StringByteMasks { quotes, controls, backslashes } = match rest.first_chunk::<WIDTH>() {
            Some(chunk) => StringByteMasks::of(chunk),
            None => {
                // The chunk is padded with NUL, a control character, so a special byte is always found.
                let mut chunk = [0; WIDTH];
                chunk[..rest.len()].copy_from_slice(rest);
                StringByteMasks::of(&chunk)
            }
        };
        let mask = Self { start, end: start + WIDTH, special: quotes | controls };
        if backslashes == 0 { mask } else { mask.without_escapes(rest, quotes, backslashes) }
    }

    /// Removes escaped quotes from the special bytes, and adds backslashes that begin no valid escape.
    fn without_escapes(mut self, rest: &[u8], quotes: u64, backslashes: u64) -> Self {
        let begins = escape_starts(backslashes);
        if begins >> (WIDTH - 1) != 0 {
            // The byte escaped by the last one is not covered: the next mask begins at the backslash.
            self.end -= 1;
        }
        let escaped = begins << 1;
        let mut rare = escaped & !quotes & !backslashes;
        self.special &= !(escaped & quotes);
        while rare != 0 {
            let at = rare.trailing_zeros() as usize - 1;
            rare &= rare - 1;
            if escape_length(&rest[at..]).is_none() {
                self.special |= 1 << at;
            }
        }
        self
    }
}

/// Returns a mask with a bit for each byte, which is 1 for quotes, backslashes and control characters.
#[inline]
pub(crate) fn special_of_chunk(chunk: &[u8; 16]) -> u32 {
    let chunk = u8x16::new(*chunk);
    let quotes = chunk.simd_eq(u8x16::splat(b'"'));
    let backslashes = chunk.simd_eq(u8x16::splat(b'\\'));
    let controls = chunk.min(u8x16::splat(0x1f)).simd_eq(chunk);
    (quotes | backslashes | controls).to_bitmask()
}

/// Returns the length of the escape with which `text` begins; None if it begins with no valid escape.
#[inline]
pub(crate) fn escape_length(text: &[u8]) -> Option<usize> {
    match text.get(1)? {
        b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Some(2),
        b'u' => text.get(2..6)?.iter().all(u8::is_ascii_hexdigit).then_some(6),
        _ => None,
    }
}

/// The masks of a chunk: a bit is set in a mask if the byte at its position belongs to the class of the mask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct StringByteMasks {
    quotes: u64,
    controls: u64,
    backslashes: u64,
}

impl StringByteMasks {
    #[inline]
    fn of(chunk: &[u8; WIDTH]) -> Self {
        let mut masks = Self { quotes: 0, controls: 0, backslashes: 0 };
        for (index, part) in chunk.as_chunks::<16>().0.iter().enumerate() {
            let part = u8x16::new(*part);
            let bits = |matched: u8x16| u64::from(matched.to_bitmask()) << (index * 16);
            masks.quotes |= bits(part.simd_eq(u8x16::splat(b'"')));
            masks.controls |= bits(part.min(u8x16::splat(0x1f)).simd_eq(part));
            masks.backslashes |= bits(part.simd_eq(u8x16::splat(b'\\')));
        }
        masks
    }
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::{StringByteMasks, StringMask, WIDTH, escape_length};

    /// Bytes that are special, or close to special ones.
    const BYTES: &[u8] = b"\"\"\\\\\\/bfnrtu0a9Fg \x00\x1f\x20\x7f\x80\xff\xc3{},:";

    /// Computes the masks byte by byte: the reference implementation.
    fn masks_byte_by_byte(chunk: &[u8; WIDTH]) -> StringByteMasks {
        let gather = |holds: fn(u8) -> bool| {
            chunk.iter().enumerate().fold(0, |bits, (index, byte)| bits | u64::from(holds(*byte)) << index)
        };
        StringByteMasks {
            quotes: gather(|byte| byte == b'"'),
            controls: gather(|byte| byte < 0x20),
            backslashes: gather(|byte| byte == b'\\'),
        }
    }

    #[test]
    fn masks_are_those_of_byte_by_byte() {
        let mut random = ChaCha8Rng::seed_from_u64(7);
        for _ in 0..10_000 {
            let chunk: [u8; WIDTH] = std::array::from_fn(|_| match random.random_bool(0.5) {
                true => BYTES[random.random_range(0..BYTES.len())],
                false => random.random(),
            });
            assert_eq!(StringByteMasks::of(&chunk), masks_byte_by_byte(&chunk), "{chunk:?}");
        }
    }

    /// Finds the special byte slowly: the reference implementation of [`StringMask::special`].
    fn special_byte_by_byte(bytes: &[u8], mut at: usize) -> usize {
        while at < bytes.len() {
            match bytes[at] {
                b'\\' => match escape_length(&bytes[at..]) {
                    Some(length) => at += length,
                    None => return at,
                },
                b'"' | 0..0x20 => return at,
                _ => at += 1,
            }
        }
        bytes.len()
    }

    #[test]
    fn ends_of_strings_of_any_length_are_found() {
        let mut random = ChaCha8Rng::seed_from_u64(8);
        for _ in 0..20_000 {
            let plain = random.random_range(0..20);
            let bytes: Vec<u8> = (0..random.random_range(0..400))
                .map(|_| if random.random_range(0..20) < plain { b'x' } else { BYTES[random.random_range(0..19)] })
                .collect();
            let mut mask = StringMask::default();
            let mut at = 0;
            while at < bytes.len() {
                let end = mask.special(&bytes, at);
                assert_eq!(end, special_byte_by_byte(&bytes, at), "from {at} of {bytes:?}");
                if bytes.get(end) != Some(&b'"') {
                    break;
                }
                at = end + 1;
            }
        }
    }
}
