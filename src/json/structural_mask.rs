//! Finds the brackets outside strings in 64 bytes of JSON at once.
//!
//! Records in arrays are found by counting brackets, and dozens of strings lie between two brackets. A few vector
//! instructions distinguish strings from structure in all 64 bytes.

use wide::u8x16;

use crate::json::escapes::escape_starts;

/// Number of bytes that a mask covers.
pub(crate) const WIDTH: usize = 64;

/// The structure of one chunk of bytes.
pub(crate) struct StructuralMask {
    /// A bit for each bracket outside strings.
    pub brackets: u64,
    /// True if the chunk ends inside a string.
    pub in_string: bool,
    /// Number of bytes that are covered: one more than the chunk has if its last byte begins an escape.
    pub length: usize,
}

impl StructuralMask {
    /// Returns the mask of a chunk that lies between the bytes `before` and `after`. `in_string` is true if it begins
    /// inside a string. Returns None if a string begins or ends where JSON allows none, or if a backslash is outside
    /// strings: the chunk must then be read byte by byte.
    #[inline]
    pub(crate) fn of(chunk: &[u8; WIDTH], before: u8, after: u8, in_string: bool) -> Option<Self> {
        let masks = StructuralByteMasks::of(chunk);
        let escapes = if masks.backslashes == 0 { 0 } else { escape_starts(masks.backslashes) };
        let quotes = masks.quotes & !(escapes << 1);
        let inside = parity(quotes) ^ if in_string { u64::MAX } else { 0 };
        let (opening, closing) = (quotes & inside, quotes & !inside);
        let may_open = (masks.opening | masks.separators) << 1 | u64::from(may_precede_string(before));
        let may_close = (masks.closing | masks.separators) >> 1 | u64::from(may_follow_string(after)) << (WIDTH - 1);
        let misplaced = (opening & !may_open) | (closing & !may_close) | (masks.backslashes & !inside);
        let last = WIDTH - 1;
        (misplaced == 0).then_some(Self {
            brackets: (masks.opening | masks.closing) & !inside,
            in_string: inside >> last != 0,
            length: if escapes >> last == 0 { WIDTH } else { WIDTH + 1 },
        })
    }
}

/// True for bytes that JSON allows directly before a string.
pub(crate) fn may_precede_string(byte: u8) -> bool {
    matches!(byte, b'{' | b'[' | b',' | b':' | b' ' | b'\t' | b'\r' | b'\n')
}

/// True for bytes that JSON allows directly after a string.
pub(crate) fn may_follow_string(byte: u8) -> bool {
    matches!(byte, b'}' | b']' | b',' | b':' | b' ' | b'\t' | b'\r' | b'\n')
}

/// Returns the prefix XOR: bit `i` of the result is 1 if an odd number of the bits 0 to `i` is 1.
#[inline]
fn parity(bits: u64) -> u64 {
    [1, 2, 4, 8, 16, 32].into_iter().fold(bits, |bits, shift| bits ^ bits << shift)
}

/// The masks of a chunk: a bit is set in a mask if the byte at its position belongs to the class of the mask.
#[derive(Default)]
struct StructuralByteMasks {
    quotes: u64,
    backslashes: u64,
    opening: u64,
    closing: u64,
    /// Commas, colons and whitespace.
    separators: u64,
}

impl StructuralByteMasks {
    #[inline]
    fn of(chunk: &[u8; WIDTH]) -> Self {
        let mut masks = Self::default();
        for (index, part) in chunk.as_chunks::<16>().0.iter().enumerate() {
            let part = u8x16::new(*part);
            let is = |byte: u8| part.simd_eq(u8x16::splat(byte));
            // `[` and `{` are one bit apart, and so are `]` and `}`.
            let lower = part | u8x16::splat(0x20);
            let is_lower = |byte: u8| lower.simd_eq(u8x16::splat(byte));
            let bits = |matched: u8x16| u64::from(matched.to_bitmask()) << (index * 16);
            masks.quotes |= bits(is(b'"'));
            masks.backslashes |= bits(is(b'\\'));
            masks.opening |= bits(is_lower(b'{'));
            masks.closing |= bits(is_lower(b'}'));
            masks.separators |= bits(is(b',') | is(b':') | is(b' ') | is(b'\t') | is(b'\r') | is(b'\n'));
        }
        masks
    }
}
