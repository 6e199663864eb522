//! Detects the Unicode encoding of a text, and the position at which it changes, because tools append text in other
//! encodings.

/// Number of ASCII code units by which UTF-16 is recognised.
const UNITS: usize = 4;

/// Number of bytes that are needed to distinguish UTF-16 from stray NUL bytes.
pub(super) const ENCODING_BYTES: usize = 4 * UNITS;

/// Number of bytes that are needed to recognise the beginning of UTF-8.
const BEGINNING_BYTES: usize = 48;

/// Length in bytes of a run of ASCII that cannot be UTF-16: as UTF-16, it would be 32 characters of rare scripts.
const ASCII_RUN: usize = 64;

/// The byte order mark of UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// A Unicode encoding of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    Utf8,
    Utf16Le,
    Utf16Be,
}

/// Tells whether and where a text changes its encoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EncodingChange {
    /// The given bytes have no change.
    None,
    /// The encoding changes to this one at this byte.
    To(usize, Encoding),
    /// The encoding may change at or after this byte; more bytes are needed to decide.
    Unclear(usize),
}

impl Encoding {
    /// Returns the encoding of a text that begins with `head`. It is recognised by the byte order mark, or, for ASCII
    /// text in UTF-16, by NUL bytes in every second position.
    pub(crate) fn of(head: &[u8]) -> Self {
        match head {
            [0xff, 0xfe, ..] => Self::Utf16Le,
            [0xfe, 0xff, ..] => Self::Utf16Be,
            _ => {
                let pairs = head.as_chunks::<2>().0;
                let first = &pairs[..pairs.len().min(2 * UNITS)];
                let zeros =
                    |zero: usize| first.len() >= 2 && first.iter().all(|pair| pair[zero] == 0 && pair[1 - zero] != 0);
                match (zeros(0), zeros(1)) {
                    (true, _) => Self::Utf16Be,
                    (_, true) => Self::Utf16Le,
                    _ => Self::Utf8,
                }
            }
        }
    }

    /// Returns the name of the encoding for messages.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Utf8 => "UTF-8",
            Self::Utf16Le => "UTF-16 LE",
            Self::Utf16Be => "UTF-16 BE",
        }
    }

    /// Returns a newline in this encoding.
    pub(crate) fn line_end(self) -> &'static [u8] {
        match self {
            Self::Utf8 => b"\n",
            Self::Utf16Le => b"\n\0",
            Self::Utf16Be => b"\0\n",
        }
    }

    /// Returns the code unit that two bytes encode in UTF-16.
    pub(crate) fn unit(self, pair: [u8; 2]) -> u16 {
        if self == Self::Utf16Be { u16::from_be_bytes(pair) } else { u16::from_le_bytes(pair) }
    }

    /// Finds the first change in a text of this encoding. `ended` is true if no bytes follow.
    pub(crate) fn change(self, bytes: &[u8], ended: bool) -> EncodingChange {
        match self {
            Self::Utf8 => after_utf8(bytes, ended),
            Self::Utf16Le | Self::Utf16Be => after_utf16(bytes, self, ended),
        }
    }

    /// True if the bytes begin like ASCII text in this byte order of UTF-16.
    fn begins(self, bytes: &[u8]) -> bool {
        is_alternating(bytes, usize::from(self == Self::Utf16Le))
    }
}

/// True if the first code units are ASCII in UTF-16. `zero` tells which of their two bytes is 0, the first (0) or the
/// second (1).
fn is_alternating(bytes: &[u8], zero: usize) -> bool {
    let pairs = bytes.as_chunks::<2>().0;
    let first = &pairs[..pairs.len().min(UNITS)];
    first.len() >= 2 && first.iter().all(|pair| pair[zero] == 0 && is_ascii_text(pair[1 - zero]))
}

fn is_ascii_text(byte: u8) -> bool {
    matches!(byte, b'\t' | b'\n' | b'\r' | b' '..=b'~')
}

/// Maximum number of bytes before the first NUL byte of UTF-16: the byte order mark, and the first byte of a code
/// unit.
const BEFORE_ZERO: usize = 3;

/// Finds the end of UTF-8. JSON in UTF-8 has no NUL bytes, and UTF-16 has one in the first code unit. Searching for
/// NUL bytes alone is faster than searching for byte order marks, too.
fn after_utf8(bytes: &[u8], ended: bool) -> EncodingChange {
    let mut from = 0;
    while let Some(found) = memchr::memchr(0, &bytes[from..]) {
        let at = from + found;
        if bytes.len() - at <= 2 * UNITS && !ended {
            return EncodingChange::Unclear(at.saturating_sub(BEFORE_ZERO));
        }
        if let Some((at, encoding)) = utf16_at(bytes, at) {
            return EncodingChange::To(at, encoding);
        }
        from = at + bytes[at..].iter().take_while(|byte| **byte == 0).count();
    }
    if ended || bytes.is_empty() {
        EncodingChange::None
    } else {
        EncodingChange::Unclear(bytes.len().saturating_sub(BEFORE_ZERO))
    }
}

/// Returns the UTF-16 encoding whose first NUL byte is at `at`, and the position of its first byte, which may be that
/// of a byte order mark. Returns None if no UTF-16 begins there.
fn utf16_at(bytes: &[u8], at: usize) -> Option<(usize, Encoding)> {
    let big = Encoding::Utf16Be.begins(&bytes[at..]);
    let before = at.checked_sub(1).filter(|&before| Encoding::Utf16Le.begins(&bytes[before..]));
    if let Some(mark) = before.filter(|&before| bytes[..before].ends_with(&[0xff, 0xfe])) {
        return Some((mark - 2, Encoding::Utf16Le));
    }
    if big && bytes[..at].ends_with(&[0xfe, 0xff]) {
        return Some((at - 2, Encoding::Utf16Be));
    }
    // ASCII in the two byte orders differs by one byte: the byte before the zero ends the UTF-8, or begins the UTF-16.
    match before {
        Some(before) if !big || !ends_before_bracket(bytes[before], bytes[at + 1]) => Some((before, Encoding::Utf16Le)),
        _ => big.then_some((at, Encoding::Utf16Be)),
    }
}

/// True if a text may end with the byte `last` and another text may begin with the byte `next`.
fn ends_before_bracket(last: u8, next: u8) -> bool {
    let opens = |byte: u8| matches!(byte, b'{' | b'[');
    matches!(last, b'\n' | b' ' | b'}' | b']') || (opens(next) && !opens(last) && last != b'\r')
}

/// Finds the end of UTF-16. Another encoding begins after a line, an object or an array, or with its own byte order
/// mark, or it is recognised by a long run of ASCII.
fn after_utf16(bytes: &[u8], encoding: Encoding, ended: bool) -> EncodingChange {
    const OTHER_MARK: u16 = 0xfffe;
    let mut run = 0;
    for (index, &pair) in bytes.as_chunks::<2>().0.iter().enumerate() {
        let (start, end) = (2 * index, 2 * index + 2);
        let unit = encoding.unit(pair);
        if unit == OTHER_MARK {
            return EncodingChange::To(start, other_order(encoding));
        }
        run = if pair.iter().all(|byte| is_ascii_text(*byte)) { run + 2 } else { 0 };
        if run >= ASCII_RUN {
            let from = (end - run).saturating_sub(BYTE_ORDER_MARK.len() + 1);
            let mark = memchr::memmem::find(&bytes[from..end], BYTE_ORDER_MARK);
            return EncodingChange::To(mark.map_or(end - run, |at| from + at), Encoding::Utf8);
        }
        if ![b'\n', b'}', b']'].map(u16::from).contains(&unit) {
            continue;
        }
        if let Some(change) = change_at(bytes, end, encoding) {
            return change;
        }
        if bytes.len() - end < BEGINNING_BYTES && !ended {
            return EncodingChange::Unclear(start);
        }
    }
    let open = bytes.len() / 2 * 2 - run;
    if run > 0 && !ended { EncodingChange::Unclear(open) } else { EncodingChange::None }
}

fn other_order(encoding: Encoding) -> Encoding {
    if encoding == Encoding::Utf16Le { Encoding::Utf16Be } else { Encoding::Utf16Le }
}

/// Returns the other encoding that begins at `at`, or one byte later, because a truncated text may end with half a
/// code unit.
fn change_at(bytes: &[u8], at: usize, encoding: Encoding) -> Option<EncodingChange> {
    let other = other_order(encoding);
    if other.begins(bytes.get(at..)?) {
        return Some(EncodingChange::To(at, other));
    }
    [at, at + 2, at + 1].into_iter().find_map(|at| {
        let text = bytes.get(at..)?;
        let marked = match text {
            [0xff, 0xfe, ..] => Encoding::Utf16Le.begins(&text[2..]).then_some(Encoding::Utf16Le),
            [0xfe, 0xff, ..] => Encoding::Utf16Be.begins(&text[2..]).then_some(Encoding::Utf16Be),
            _ => begins_in_utf8(text).then_some(Encoding::Utf8),
        };
        marked.map(|encoding| EncodingChange::To(at, encoding))
    })
}

/// True for the beginning of an object, an array or a line of CSV in UTF-8, or for the byte order mark of UTF-8. Read
/// as UTF-16, these bytes would be characters with which no text begins.
fn begins_in_utf8(text: &[u8]) -> bool {
    const MIN_BYTES: usize = 8;
    let unmarked = text.strip_prefix(BYTE_ORDER_MARK);
    let is_marked = unmarked.is_some();
    let text = unmarked.unwrap_or(text);
    let is_text = |bytes: &[u8]| bytes.iter().all(|byte| matches!(byte, b'\t' | b'\n' | b'\r' | b' '..));
    if !text.get(..MIN_BYTES).is_some_and(is_text) {
        return false;
    }
    let json = text.trim_ascii_start();
    let inside = json.get(1..).unwrap_or_default().trim_ascii_start().first();
    let is_json = match json.first() {
        Some(b'{') => matches!(inside, Some(b'"' | b'}')),
        Some(b'[') => matches!(inside, Some(b'"' | b'{' | b'[' | b']')),
        _ => false,
    };
    let line = &text[..text.len().min(BEGINNING_BYTES - 4)];
    let is_csv = || line.len() >= 32 && line.iter().all(|byte| is_ascii_text(*byte)) && line.contains(&b',');
    is_marked || is_json || is_csv()
}

/// Returns the position at which UTF-16 begins in bytes that are not valid UTF-8 text; None if it does not.
pub(crate) fn utf16_in(bytes: &[u8]) -> Option<(usize, Encoding)> {
    match after_utf8(bytes, true) {
        EncodingChange::To(at, encoding) => Some((at, encoding)),
        EncodingChange::None | EncodingChange::Unclear(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{Encoding, EncodingChange};

    fn encode(text: &str, encoding: Encoding) -> Vec<u8> {
        match encoding {
            Encoding::Utf8 => text.as_bytes().to_vec(),
            Encoding::Utf16Le => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
            Encoding::Utf16Be => text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
        }
    }

    #[test]
    fn encoding_is_detected_by_the_first_bytes() {
        for encoding in [Encoding::Utf16Le, Encoding::Utf16Be] {
            let bytes = encode("\u{feff}{\"city\":\"München\"}", encoding);
            assert_eq!((Encoding::of(&bytes), Encoding::of(&bytes[2..])), (encoding, encoding));
        }
        assert_eq!(Encoding::of(b"{\"a\":1}"), Encoding::Utf8);
        assert_eq!(Encoding::of(b"{\0"), Encoding::Utf8);
    }

    #[test]
    fn changes_of_the_encoding_are_found() {
        use Encoding::{Utf8, Utf16Be, Utf16Le};
        for (first, second) in [(Utf8, Utf16Le), (Utf8, Utf16Be), (Utf16Le, Utf8), (Utf16Be, Utf8), (Utf16Le, Utf16Be)]
        {
            for before in ["[{\"a\":\"München – ≻\"}]", "{\"a\":1}\n", "[\r\n  {\r\n  }\r\n]\r\n"] {
                for after in [
                    "[{\"b\":\"Köln\",\"c\":1}]",
                    "{\"b\":\"Köln\"}\n{\"c\":1}\n",
                    "[\r\n  {\r\n    \"b\": 1\r\n  }\r\n]",
                ] {
                    let before = encode(before, first);
                    let bytes = [&before[..], &encode(after, second)].concat();
                    let context = format!("{first:?} {second:?} {after}");
                    assert_eq!(first.change(&bytes, true), EncodingChange::To(before.len(), second), "{context}");
                }
            }
        }
        let cut = encode("[{\"a\":\"x", Utf16Le);
        let long = "{\"TimeGenerated\":\"2026-03-02T09:07:43Z\",\"Id\":\"a-b-c-d\",\"Type\":\"SigninLogs\"}";
        let bytes = [&cut[..], long.as_bytes()].concat();
        assert_eq!(Utf16Le.change(&bytes, true), EncodingChange::To(cut.len(), Utf8));
        for text in ["{\"a\":\"\0\0\0\"}\0\0\0\0\n", "{\"a\":\"J\u{fffd}rgen\"}"] {
            assert_eq!(Utf8.change(text.as_bytes(), true), EncodingChange::None, "{text}");
        }
        assert_eq!(Utf16Le.change(&encode("{\"a\":\"李雷李雷\"}\n李雷,李雷", Utf16Le), true), EncodingChange::None);
    }
}
