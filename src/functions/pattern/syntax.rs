//! Where the syntax of regular expressions in Kusto differs from that of the regex crate.

/// The letters of escapes that braces may follow: named classes, code points and word boundaries.
const ESCAPES_WITH_BRACES: &str = "pPxuUb";

/// Returns the pattern with a backslash before every opening brace that does not begin a repetition; None if there is no
/// such brace.
///
/// RE2, which Kusto used before, matches such a brace literally, and published queries rely on it (`\${jndi:`). Braces that
/// contain only digits, commas and spaces are not changed, so that a mistyped repetition is still an error.
pub fn with_literal_braces(pattern: &str) -> Option<String> {
    let mut result = String::with_capacity(pattern.len() + 8);
    let mut rest = pattern;
    while let Some(at) = rest.find(['\\', '{']) {
        let (before, from) = rest.split_at(at);
        result.push_str(before);
        let length = if from.starts_with('\\') { escape_length(from) } else { repetition_length(from) };
        if length == 0 {
            result.push('\\');
        }
        let (unchanged, after) = from.split_at(length.max(1));
        result.push_str(unchanged);
        rest = after;
    }
    result.push_str(rest);
    (result.len() != pattern.len()).then_some(result)
}

/// True if the pattern has an escape of one digit, such as `\1`.
///
/// Other engines read it as a back-reference. The reference of KQL lists escapes of up to three digits as octal codes, but
/// those of one digit are control characters: a back-reference is more likely, and it is not supported.
pub fn has_back_reference(pattern: &str) -> bool {
    let mut rest = pattern;
    while let Some(at) = rest.find('\\') {
        let escape = &rest.as_bytes()[at + 1..];
        if let [b'1'..=b'9', after @ ..] = escape
            && !matches!(after, [b'0'..=b'7', ..])
        {
            return true;
        }
        rest = &rest[at + escape_length(&rest[at..])..];
    }
    false
}

/// Returns the length in bytes of the escape at the start of `pattern`, including the braces that belong to it.
fn escape_length(pattern: &str) -> usize {
    let Some(escaped) = pattern.chars().nth(1) else { return 1 };
    let length = 1 + escaped.len_utf8();
    let after = &pattern[length..];
    if !after.starts_with('{') || !ESCAPES_WITH_BRACES.contains(escaped) {
        return length;
    }
    after.find('}').map_or(pattern.len(), |end| length + end + 1)
}

/// Returns the length in bytes of the braces at the start of `pattern` if they contain only digits, commas and spaces, as a
/// repetition does; otherwise 0.
fn repetition_length(pattern: &str) -> usize {
    match pattern[1..].find(|c: char| !c.is_ascii_digit() && c != ',' && c != ' ') {
        Some(end) if end > 0 && pattern[1 + end..].starts_with('}') => end + 2,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::{has_back_reference, with_literal_braces};

    #[test]
    fn braces_that_do_not_begin_a_repetition_are_escaped() {
        let cases = [
            (r"\${jndi:(ldap|dns)", Some(r"\$\{jndi:(ldap|dns)")),
            ("{{a}}", Some(r"\{\{a}}")),
            ("a{2}{b", Some(r"a{2}\{b")),
            ("a{", Some(r"a\{")),
            (r"[{}]x{", Some(r"[\{}]x\{")),
            (r"\p{Greek}\x{41}\u{e9}\b{start}{é", Some(r"\p{Greek}\x{41}\u{e9}\b{start}\{é")),
            (r"\\{a", Some(r"\\\{a")),
            (r"\é{é", Some(r"\é\{é")),
            (r"a{2,3}{,4}{ 5 }", None),
            (r"\{a", None),
            (r"a\", None),
            (r"\p{", None),
            ("", None),
        ];
        for (pattern, expected) in cases {
            assert_eq!(with_literal_braces(pattern).as_deref(), expected, "{pattern}");
        }
    }

    #[test]
    fn one_digit_is_a_back_reference_and_more_are_octal() {
        let with = [r"(a)\1", r"\9", r"[\2]", r"\\\1", r"\18"];
        let without = [r"\101", r"\12", r"\07", r"\\1", r"\d1", "1", r"\"];
        assert!(with.iter().all(|pattern| has_back_reference(pattern)), "{with:?}");
        assert!(!without.iter().any(|pattern| has_back_reference(pattern)), "{without:?}");
    }
}
