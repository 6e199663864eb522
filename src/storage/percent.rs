//! Decodes percent codes in the URLs and paths of files.

use percent_encoding::percent_decode_str;

/// Decodes the percent codes of `text`. Returns None if a `%` is not followed by two digits, or if the result is not
/// UTF-8.
pub(crate) fn decoded(text: &str) -> Option<String> {
    let is_code = |after: &str| after.len() >= 2 && after.as_bytes()[..2].iter().all(u8::is_ascii_hexdigit);
    if !text.split('%').skip(1).all(is_code) {
        return None;
    }
    percent_decode_str(text).decode_utf8().ok().map(Into::into)
}

#[cfg(test)]
mod tests {
    use super::decoded;

    #[test]
    fn malformed_codes_are_refused() {
        assert_eq!(decoded("a%20b+%C3%a9").as_deref(), Some("a b+é"));
        for text in ["%", "%2", "%2%30", "%+1", "%zz", "%é", "%ff"] {
            assert_eq!(decoded(text), None, "{text}");
        }
    }
}
