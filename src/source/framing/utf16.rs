//! UTF-16 -> UTF-8, as it is read. Windows PowerShell redirects output in UTF-16; other tools append UTF-8 to that.

use std::io::{self, Read};

use super::append::append;
use super::pieces::Pieces;

/// Bytes read at once.
const CHUNK: usize = 32 << 10;

/// Bytes that tell that a line is UTF-8.
const LINE_BYTES: usize = 11;

/// Reads UTF-16 and yields UTF-8. Halves of surrogate pairs become U+FFFD, as does a last odd byte. From a line on that
/// begins as a record in UTF-8, the text is passed on as it stands.
pub(crate) struct Utf16Reader<R> {
    input: R,
    big_endian: bool,
    /// Bytes of the input that make no whole code unit, or the first half of a pair, yet.
    rest: Vec<u8>,
    /// True behind the UTF-16.
    is_utf8: bool,
    /// The last character so far.
    last: Option<char>,
    /// What ended the input early: it comes behind what was read before it.
    failure: Option<io::Error>,
}

/// Which UTF-16 the first bytes of a text are, if any: told by the byte order mark, or by every second byte of ASCII
/// text being 0. True for big-endian.
pub(crate) fn detect(head: &[u8]) -> Option<bool> {
    match head {
        [0xff, 0xfe, ..] => return Some(false),
        [0xfe, 0xff, ..] => return Some(true),
        _ => {}
    }
    let pairs = head.chunks_exact(2).take(8);
    let all = |zero: usize| pairs.len() >= 2 && pairs.clone().all(|pair| pair[zero] == 0 && pair[1 - zero] != 0);
    match (all(0), all(1)) {
        (true, _) => Some(true),
        (_, true) => Some(false),
        _ => None,
    }
}

impl<R: Read> Utf16Reader<R> {
    pub(crate) fn new(input: R, big_endian: bool) -> Self {
        Self { input, big_endian, rest: Vec::new(), is_utf8: false, last: None, failure: None }
    }

    /// The text of the bytes at hand.
    fn take(&mut self, ended: bool) -> Vec<u8> {
        if self.is_utf8 {
            return std::mem::take(&mut self.rest);
        }
        let newline = if self.big_endian { [0, b'\n'] } else { [b'\n', 0] };
        let (pairs, _) = self.rest.as_chunks::<2>();
        let line_ends = (0..pairs.len()).filter(|&pair| pairs[pair] == newline);
        let starts = line_ends.map(|pair| 2 * (pair + 1));
        let mut whole = self.rest.len();
        for start in starts {
            let line = &self.rest[start..];
            if begins_in_utf8(line) {
                self.is_utf8 = true;
                whole = start;
                break;
            }
            if line.len() < LINE_BYTES && !ended {
                // The line end waits for what follows it.
                whole = start - 2;
                break;
            }
        }
        let behind = self.rest.split_off(whole);
        let mut text = self.decode(ended || self.is_utf8).into_bytes();
        if self.is_utf8 {
            text.extend(behind);
        } else {
            self.rest.extend(behind);
        }
        text
    }

    /// The text of the code units at hand.
    fn decode(&mut self, ended: bool) -> String {
        let unit = |pair: &[u8]| match self.big_endian {
            true => u16::from_be_bytes([pair[0], pair[1]]),
            false => u16::from_le_bytes([pair[0], pair[1]]),
        };
        let mut units: Vec<u16> = self.rest.chunks_exact(2).map(unit).collect();
        let splits = units.last().is_some_and(|last| (0xd800..0xdc00).contains(last));
        if splits && !ended {
            units.pop();
        }
        let odd = ended && self.rest.len() % 2 == 1;
        self.rest.drain(..units.len() * 2);
        if odd {
            self.rest.clear();
        }
        let mut text = String::with_capacity(units.len() * 2);
        text.extend(char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)));
        self.last = text.chars().next_back().or(self.last);
        if odd {
            // A record that is whole stays what it is.
            if matches!(self.last, Some('}' | ']')) {
                text.push('\n');
            }
            text.push(char::REPLACEMENT_CHARACTER);
        }
        text
    }
}

impl<R: Read> Pieces for Utf16Reader<R> {
    fn next(&mut self, text: &mut Vec<u8>) -> io::Result<bool> {
        if let Some(failure) = self.failure.take() {
            return Err(failure);
        }
        let (count, read) = append(&mut self.input, &mut self.rest, CHUNK);
        *text = self.take(count == 0);
        self.failure = read.err();
        Ok(count > 0 || self.failure.is_some())
    }
}

/// True for a line that begins with a key in UTF-8, or with a byte order mark of it: as UTF-16 these are signs that no line
/// begins with.
fn begins_in_utf8(line: &[u8]) -> bool {
    let unmarked = line.strip_prefix(b"\xef\xbb\xbf");
    let text = unmarked.unwrap_or(line);
    let is_text = text.get(..8).is_some_and(|text| text.iter().all(|byte| *byte >= b' '));
    is_text && (unmarked.is_some() || text.starts_with(b"{\""))
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::super::pieces::Made;
    use super::{Utf16Reader, detect};

    /// Yields a byte at a time.
    struct Slow<'a>(&'a [u8]);

    impl Read for Slow<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let count = buffer.len().min(1);
            self.0.read(&mut buffer[..count])
        }
    }

    fn decode(bytes: &[u8], big_endian: bool) -> String {
        let mut text = String::new();
        Made::new(Utf16Reader::new(Slow(bytes), big_endian)).read_to_string(&mut text).expect("UTF-8");
        text
    }

    #[test]
    fn both_orders_are_read() {
        let text = "\u{feff}{\"city\":\"München 🗺\"}\r\n";
        let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        assert_eq!((detect(&little), detect(&big)), (Some(false), Some(true)));
        assert_eq!((detect(&little[2..]), detect(&big[2..])), (Some(false), Some(true)));
        assert_eq!((decode(&little, false).as_str(), decode(&big, true).as_str()), (text, text));
        assert_eq!(detect(text.as_bytes()), None);
        assert_eq!(detect(b"{\0"), None);
    }

    #[test]
    fn lines_in_utf8_may_follow() {
        let (first, second) = ("{\"a\":\"München\"}\n≻\n", "{\"b\":\"Köln\"}\n{\"c\":1}\n");
        for big_endian in [false, true] {
            let units = first.encode_utf16();
            let utf16: Vec<u8> = if big_endian {
                units.flat_map(u16::to_be_bytes).collect()
            } else {
                units.flat_map(u16::to_le_bytes).collect()
            };
            for mark in [&b""[..], b"\xef\xbb\xbf"] {
                let bytes = [&utf16[..], mark, second.as_bytes()].concat();
                let text = decode(&bytes, big_endian);
                assert_eq!(text.replace('\u{feff}', ""), [first, second].concat());
            }
            // The first bytes of a line, and nothing else.
            let bytes = [&utf16[..], b"{\""].concat();
            assert_eq!(decode(&bytes, big_endian), first.to_owned() + if big_endian { "笢" } else { "≻" });
        }
    }

    #[test]
    fn what_stands_before_a_failure_is_read() {
        struct Failing;
        impl Read for Failing {
            fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
                Err(std::io::ErrorKind::InvalidData.into())
            }
        }
        let mut made = Made::new(Utf16Reader::new((&b"a\0\n\0"[..]).chain(Failing), false));
        let mut text = Vec::new();
        assert!(made.read_to_end(&mut text).is_err());
        assert_eq!(text, b"a\n");
    }

    #[test]
    fn damage_stays_where_it_is() {
        assert_eq!(decode(&[0x3d, 0xd8, b'a', 0, b'b'], false), "\u{fffd}a\u{fffd}");
        assert_eq!(decode(&[0x3d, 0xd8], false), "\u{fffd}");
        assert_eq!(decode(&[b'{', 0, b'}', 0, b'\r'], false), "{}\n\u{fffd}");
        assert_eq!(decode(&[], true), "");
    }
}
