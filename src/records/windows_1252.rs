//! Decodes bytes that are not UTF-8 as Windows-1252, the encoding that Windows tools use for Western languages.

use std::borrow::Cow;

use encoding_rs::WINDOWS_1252;

/// Returns the text of `bytes`. Valid UTF-8 is kept; only the other bytes are decoded as Windows-1252.
pub(crate) fn decode(bytes: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Cow::Borrowed(text);
    }
    let mut text = String::with_capacity(bytes.len() + bytes.len() / 8);
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.push_str(&WINDOWS_1252.decode_without_bom_handling(chunk.invalid()).0);
    }
    Cow::Owned(text)
}

#[cfg(test)]
mod tests {
    use super::decode;

    #[test]
    fn only_invalid_utf8_is_decoded() {
        assert_eq!(decode("Jürgen".as_bytes()), "Jürgen");
        assert_eq!(decode(b"J\xfcrgen \x80 \xc3\xbc"), "J\u{fc}rgen \u{20ac} \u{fc}");
    }
}
