//! Converts text to UTF-8 while it is read: from UTF-16, from a specified encoding, or from several encodings in one
//! file. Windows PowerShell redirects output in UTF-16; other tools append 8-bit text to that, and vice versa.

use std::io::{self, Read};

use super::FileReport;
use super::chunk_source::ChunkSource;
use super::encoding::{Encoding, EncodingChange};
use super::legacy_decoder::LegacyDecoder;
use super::read_more::read_more;
use crate::scan::Damage;
use crate::storage::text_settings::TextEncoding;

/// Number of bytes that are read at once.
const CHUNK: usize = 32 << 10;

/// Yields a text in UTF-8. Unpaired surrogates and an odd last byte become U+FFFD.
pub(crate) struct Transcoder<R> {
    input: R,
    encoding: Encoding,
    /// Decodes the parts that are not UTF-16; None if these are UTF-8.
    legacy: Option<LegacyDecoder>,
    /// Bytes of the input that are not converted yet, such as a part of a code unit or the first half of a surrogate
    /// pair.
    rest: Vec<u8>,
    /// The last character that was converted.
    last: Option<char>,
    /// The last byte of the text that was converted.
    last_byte: Option<u8>,
    report: FileReport,
    /// The error that ended the input early. It is returned after the bytes that were read before it.
    failure: Option<io::Error>,
}

impl<R: Read> Transcoder<R> {
    /// Creates a reader for a text that begins in `encoding`. Replaced code units are reported to `report`.
    pub(crate) fn new(input: R, encoding: Encoding, report: FileReport) -> Self {
        Self { input, encoding, legacy: None, rest: Vec::new(), last: None, last_byte: None, report, failure: None }
    }

    /// Sets the encoding of the parts that are not UTF-16; None means UTF-8.
    pub(crate) fn with_legacy(self, encoding: Option<TextEncoding>) -> Self {
        Self { legacy: encoding.map(LegacyDecoder::new), ..self }
    }

    /// Converts the buffered bytes as far as their encoding is known, and appends them to `text`. `ended` is true if
    /// no bytes follow.
    fn take(&mut self, ended: bool, text: &mut Vec<u8>) {
        loop {
            let (length, next) = match self.encoding.change(&self.rest, ended) {
                EncodingChange::None => (self.rest.len(), None),
                EncodingChange::Unclear(at) => (at, None),
                EncodingChange::To(at, encoding) => (at, Some(encoding)),
            };
            let after = self.rest.split_off(length);
            self.decode(next.is_some() || ended, text);
            self.rest.extend(after);
            self.last_byte = text.last().copied().or(self.last_byte);
            let Some(encoding) = next else { return };
            self.encoding = encoding;
            // A truncated record does not continue in another encoding, whatever it ends with.
            if self.last_byte.is_some_and(|last| !matches!(last, b'\n' | b'\r' | b' ' | b'}' | b']' | b',')) {
                text.extend_from_slice("\u{fffd}\n".as_bytes());
            }
        }
    }

    /// Reports the specified encoding as damage if it is probably wrong, because the text is valid UTF-8.
    fn compare_with_utf8(&self) {
        if let Some(legacy) = self.legacy.as_ref().filter(|legacy| legacy.is_probably_utf8()) {
            self.report.damaged(Damage::ProbablyUtf8(legacy.name().to_owned()), 1);
        }
    }

    /// Converts the buffered bytes in the current encoding, and appends them to `text`. With `whole`, an incomplete
    /// character at the end is converted, too.
    fn decode(&mut self, whole: bool, text: &mut Vec<u8>) {
        match &mut self.legacy {
            _ if self.encoding != Encoding::Utf8 => self.decode_utf16(whole, text),
            None => text.append(&mut self.rest),
            Some(legacy) => {
                let replaced = legacy.decode(&self.rest, whole, text);
                self.rest.clear();
                self.report.damaged(Damage::Undecodable(legacy.name().to_owned()), replaced);
            }
        }
    }

    fn decode_utf16(&mut self, whole: bool, text: &mut Vec<u8>) {
        let (pairs, odd) = self.rest.as_chunks::<2>();
        let mut units: Vec<u16> = pairs.iter().map(|pair| self.encoding.unit(*pair)).collect();
        let splits = units.last().is_some_and(|last| (0xd800..0xdc00).contains(last));
        if splits && !whole {
            units.pop();
        }
        let odd = whole && !odd.is_empty();
        let mut replaced = u64::from(odd);
        let mut decoded = String::with_capacity(units.len() * 2);
        self.rest.drain(..units.len() * 2);
        decoded.extend(char::decode_utf16(units).map(|unit| {
            unit.unwrap_or_else(|_| {
                replaced += 1;
                char::REPLACEMENT_CHARACTER
            })
        }));
        self.last = decoded.chars().next_back().or(self.last);
        if odd {
            self.rest.clear();
            // Separates a whole record from the damage.
            if matches!(self.last, Some('}' | ']')) {
                decoded.push('\n');
            }
            decoded.push(char::REPLACEMENT_CHARACTER);
        }
        self.report.damaged(Damage::BrokenUtf16, replaced);
        text.extend_from_slice(decoded.as_bytes());
    }
}

impl<R: Read> ChunkSource for Transcoder<R> {
    fn next_chunk(&mut self, text: &mut Vec<u8>) -> io::Result<bool> {
        if let Some(failure) = self.failure.take() {
            return Err(failure);
        }
        let (count, read) = read_more(&mut self.input, &mut self.rest, CHUNK);
        self.take(count == 0, text);
        if count == 0 {
            self.compare_with_utf8();
        }
        self.failure = read.err();
        Ok(count > 0 || self.failure.is_some())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::sync::Arc;

    use super::super::chunk_source::ChunkReader;
    use super::{Encoding, FileReport, Transcoder};

    /// A reader that yields one byte at a time.
    struct Slow<'a>(&'a [u8]);

    impl Read for Slow<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let count = buffer.len().min(1);
            self.0.read(&mut buffer[..count])
        }
    }

    fn decode(bytes: &[u8], encoding: Encoding) -> String {
        let report = FileReport::new("file", Arc::default());
        let mut text = String::new();
        let mut made = ChunkReader::new(Transcoder::new(Slow(bytes), encoding, report));
        made.read_to_string(&mut text).expect("UTF-8");
        text
    }

    #[test]
    fn encodings_may_follow_each_other() {
        let (first, second) = ("{\"a\":\"München\"}\n≻\n", "{\"b\":\"Köln 🗺\"}\n{\"c\":1}\n");
        let utf8 = |text: &str| text.as_bytes().to_vec();
        let little = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
        let big = |text: &str| text.encode_utf16().flat_map(u16::to_be_bytes).collect::<Vec<u8>>();
        for mark in ["", "\u{feff}"] {
            let second = format!("{mark}{second}");
            for (encoding, bytes) in [
                (Encoding::Utf16Le, [little(first), utf8(&second), little(first)].concat()),
                (Encoding::Utf16Be, [big(first), utf8(&second), big(first)].concat()),
                (Encoding::Utf8, [utf8(first), little(&second), utf8(first)].concat()),
                (Encoding::Utf8, [utf8(first), big(&second), utf8(first)].concat()),
                (Encoding::Utf16Le, [little(first), big(&second), utf8(first)].concat()),
            ] {
                let text = decode(&bytes, encoding);
                assert_eq!(text.replace('\u{feff}', ""), [first, &second, first].concat().replace('\u{feff}', ""));
            }
        }
        // The first bytes of a line alone do not prove another encoding.
        assert_eq!(decode(&[little(first), utf8("{\"")].concat(), Encoding::Utf16Le), first.to_owned() + "≻");
    }

    #[test]
    fn text_before_a_failure_is_read() {
        struct Failing;
        impl Read for Failing {
            fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
                Err(std::io::ErrorKind::InvalidData.into())
            }
        }
        let report = FileReport::new("file", Arc::default());
        let input = (&b"a\0\n\0"[..]).chain(Failing);
        let mut made = ChunkReader::new(Transcoder::new(input, Encoding::Utf16Le, report));
        let mut text = Vec::new();
        assert!(made.read_to_end(&mut text).is_err());
        assert_eq!(text, b"a\n");
    }

    #[test]
    fn damage_is_limited_to_one_character() {
        let little = |bytes: &[u8]| decode(bytes, Encoding::Utf16Le);
        assert_eq!(little(&[0x3d, 0xd8, b'a', 0, b'b']), "\u{fffd}a\u{fffd}");
        assert_eq!(little(&[0x3d, 0xd8]), "\u{fffd}");
        assert_eq!(little(&[b'{', 0, b'}', 0, b'\r']), "{}\n\u{fffd}");
        assert_eq!(decode(&[], Encoding::Utf16Be), "");
    }
}
