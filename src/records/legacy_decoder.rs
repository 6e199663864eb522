//! Decodes text in an encoding that is not Unicode and that the user specified.

use encoding_rs::{Decoder, DecoderResult};

use crate::storage::text_settings::TextEncoding;

/// Number of bytes of UTF-8 that are produced at once.
const OUTPUT_BYTES: usize = 4 << 10;

/// Decodes text chunk by chunk. A character may begin in one chunk and end in the next.
pub(super) struct LegacyDecoder {
    encoding: TextEncoding,
    decoder: Decoder,
    output: Vec<u8>,
    /// Bytes at the end of the last chunk that may be the beginning of a character in UTF-8.
    open: Vec<u8>,
    /// True as long as the text so far is valid UTF-8.
    may_be_utf8: bool,
    is_ascii: bool,
}

impl LegacyDecoder {
    pub(super) fn new(encoding: TextEncoding) -> Self {
        Self {
            encoding,
            decoder: encoding.standard().new_decoder_without_bom_handling(),
            output: vec![0; OUTPUT_BYTES],
            open: Vec::new(),
            may_be_utf8: true,
            is_ascii: true,
        }
    }

    /// Returns the name of the encoding.
    pub(super) fn name(&self) -> &'static str {
        self.encoding.name()
    }

    /// True if the text has characters beyond ASCII and all of it is valid UTF-8. The specified encoding is then most
    /// likely wrong.
    pub(super) fn is_probably_utf8(&self) -> bool {
        self.may_be_utf8 && !self.is_ascii && self.open.is_empty()
    }

    /// Appends the characters of `bytes` to `text` in UTF-8. `whole` is true if no more bytes follow. Returns the
    /// number of invalid sequences; each becomes U+FFFD.
    pub(super) fn decode(&mut self, bytes: &[u8], whole: bool, text: &mut Vec<u8>) -> u64 {
        self.compare_with_utf8(bytes);
        let mut rest = bytes;
        let mut replaced = 0;
        loop {
            let (result, read, written) =
                self.decoder.decode_to_utf8_without_replacement(rest, &mut self.output, whole);
            text.extend_from_slice(&self.output[..written]);
            rest = &rest[read..];
            match result {
                DecoderResult::InputEmpty => break,
                DecoderResult::OutputFull => {}
                DecoderResult::Malformed(..) => {
                    replaced += 1;
                    text.extend_from_slice("\u{fffd}".as_bytes());
                }
            }
        }
        if whole {
            self.decoder = self.encoding.standard().new_decoder_without_bom_handling();
        }
        replaced
    }

    fn compare_with_utf8(&mut self, bytes: &[u8]) {
        if !self.may_be_utf8 || (self.open.is_empty() && bytes.is_ascii()) {
            return;
        }
        self.is_ascii = false;
        self.open.extend_from_slice(bytes);
        match std::str::from_utf8(&self.open) {
            Ok(_) => self.open.clear(),
            Err(error) if error.error_len().is_none() => drop(self.open.drain(..error.valid_up_to())),
            Err(_) => (self.may_be_utf8, self.open) = (false, Vec::new()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::LegacyDecoder;

    /// Decodes `bytes` in chunks of `chunk` bytes. Returns the text, the number of invalid sequences, and whether the
    /// text is probably UTF-8.
    fn decode(label: &str, bytes: &[u8], chunk: usize) -> (String, u64, bool) {
        let mut decoder = LegacyDecoder::new(label.parse().expect("a label"));
        let mut text = Vec::new();
        let mut replaced: u64 = bytes.chunks(chunk).map(|chunk| decoder.decode(chunk, false, &mut text)).sum();
        replaced += decoder.decode(&[], true, &mut text);
        (String::from_utf8(text).expect("UTF-8"), replaced, decoder.is_probably_utf8())
    }

    #[test]
    fn chunks_may_end_anywhere() {
        let long = "李".repeat(5_000);
        for (label, text) in [
            ("windows-1252", "Jürgen – €"),
            ("iso-8859-2", "Łukasz Żółć"),
            ("windows-1251", "Юрий"),
            ("shift_jis", "佐藤 ソ表"),
            ("gb18030", "李雷 𠮷"),
            ("euc-kr", "김철수"),
            ("big5", &long),
        ] {
            let bytes = encoding_rs::Encoding::for_label(label.as_bytes()).expect("an encoding").encode(text).0;
            for chunk in [1, 2, 3, 5_000, 100_000] {
                assert_eq!(decode(label, &bytes, chunk), (text.to_owned(), 0, false), "{label} {chunk}");
            }
        }
    }

    #[test]
    fn invalid_sequences_are_replaced_and_counted() {
        for chunk in [1, 100] {
            assert_eq!(
                decode("shift_jis", b"{\"a\":\"\x83\"}\x83", chunk),
                ("{\"a\":\"\u{fffd}\"}\u{fffd}".to_owned(), 2, false)
            );
        }
        let (text, replaced, _) = decode("euc-jp", &[0xff; 100_000], 100_000);
        assert_eq!((text.chars().count(), replaced), (100_000, 100_000));
    }

    #[test]
    fn utf8_is_recognised() {
        for chunk in [1, 2, 100] {
            assert!(decode("windows-1252", "Jürgen – 李".as_bytes(), chunk).2);
            assert!(!decode("windows-1252", b"Jurgen", chunk).2);
            assert!(!decode("windows-1252", "Jü".as_bytes().split_last().expect("bytes").1, chunk).2);
        }
    }
}
