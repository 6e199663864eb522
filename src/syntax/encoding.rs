//! Decodes query files, which editors and PowerShell may write in UTF-16.

/// Decodes UTF-8, or UTF-16 that begins with a byte order mark. The mark is removed.
///
/// # Errors
/// The bytes are neither; the error has the reason.
pub fn decode_text(bytes: Vec<u8>) -> Result<String, &'static str> {
    let utf16 = |bytes: &[u8], unit: fn([u8; 2]) -> u16| {
        let (pairs, rest) = bytes.as_chunks::<2>();
        let units: Vec<u16> = pairs.iter().map(|pair| unit(*pair)).collect();
        let text = String::from_utf16(&units).ok().filter(|_| rest.is_empty());
        text.ok_or("it begins as UTF-16 but is not valid UTF-16")
    };
    match bytes.as_slice() {
        [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, rest @ ..] => utf8(rest.to_vec()),
        _ => utf8(bytes),
    }
}

fn utf8(bytes: Vec<u8>) -> Result<String, &'static str> {
    if bytes.contains(&0) {
        return Err("it contains NUL bytes, like UTF-16 without a byte order mark; save it as UTF-8");
    }
    String::from_utf8(bytes).map_err(|_| "it is not valid UTF-8; save it as UTF-8")
}

#[cfg(test)]
mod tests {
    use super::decode_text;

    #[test]
    fn encodings_with_a_mark_are_read() {
        let text = "print 'é😀'";
        let utf16 = |unit: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(unit).collect::<Vec<u8>>();
        for (mark, bytes) in [
            (&[][..], text.as_bytes().to_vec()),
            (&[0xef, 0xbb, 0xbf], text.as_bytes().to_vec()),
            (&[0xff, 0xfe], utf16(u16::to_le_bytes)),
            (&[0xfe, 0xff], utf16(u16::to_be_bytes)),
        ] {
            assert_eq!(decode_text([mark, &bytes].concat()).as_deref(), Ok(text), "{mark:x?}");
        }
        for wrong in [&b"print '\xe9'"[..], b"p\0r\0", b"\xff\xfep", b"\xff\xfe\x00\xd8", b"\xff"] {
            assert!(decode_text(wrong.to_vec()).is_err(), "{wrong:x?}");
        }
    }
}
