//! Sixty-four bytes of JSON at a glance: which brackets stand outside of texts.
//!
//! Records in arrays are found by counting brackets, and between two of them stand dozens of texts. A few vector
//! instructions tell for all of these bytes at once what is text and what is not.

use wide::u8x16;

use crate::json::escapes::escape_starts;

/// How many bytes are looked at.
pub(crate) const WIDTH: usize = 64;

/// What was seen of some bytes.
pub(crate) struct StructuralMask {
    /// A bit for each bracket outside of texts.
    pub brackets: u64,
    /// True where a text goes on behind them.
    pub in_string: bool,
    /// How many bytes were seen: what the last one escapes is one of them.
    pub length: usize,
}

impl StructuralMask {
    /// Looks at bytes between two others, the first of which may stand in a text. None where a text begins or ends in a
    /// place where JSON has none, or a backslash stands outside of texts: these want a closer look.
    #[inline]
    pub(crate) fn of(chunk: &[u8; WIDTH], (before, behind): (u8, u8), in_string: bool) -> Option<Self> {
        let masks = StructuralByteMasks::of(chunk);
        let escapes = if masks.backslashes == 0 { 0 } else { escape_starts(masks.backslashes) };
        let quotes = masks.quotes & !(escapes << 1);
        let inside = parity(quotes) ^ if in_string { u64::MAX } else { 0 };
        let (opening, closing) = (quotes & inside, quotes & !inside);
        let may_open = (masks.opening | masks.separators) << 1 | u64::from(may_precede_string(before));
        let may_close = (masks.closing | masks.separators) >> 1 | u64::from(may_follow_string(behind)) << (WIDTH - 1);
        let odd = (opening & !may_open) | (closing & !may_close) | (masks.backslashes & !inside);
        let last = WIDTH - 1;
        (odd == 0).then_some(Self {
            brackets: (masks.opening | masks.closing) & !inside,
            in_string: inside >> last != 0,
            length: if escapes >> last == 0 { WIDTH } else { WIDTH + 1 },
        })
    }
}

/// True for what may stand in front of a text.
pub(crate) fn may_precede_string(byte: u8) -> bool {
    matches!(byte, b'{' | b'[' | b',' | b':' | b' ' | b'\t' | b'\r' | b'\n')
}

/// True for what may stand behind a text.
pub(crate) fn may_follow_string(byte: u8) -> bool {
    matches!(byte, b'}' | b']' | b',' | b':' | b' ' | b'\t' | b'\r' | b'\n')
}

/// A bit for each bit up to which, itself included, an odd number of bits is set.
#[inline]
fn parity(bits: u64) -> u64 {
    [1, 2, 4, 8, 16, 32].into_iter().fold(bits, |bits, shift| bits ^ bits << shift)
}

/// A bit for each byte that is one of these.
#[derive(Default)]
struct StructuralByteMasks {
    quotes: u64,
    backslashes: u64,
    opening: u64,
    closing: u64,
    /// Commas, colons and blanks.
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
