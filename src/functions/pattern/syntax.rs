//! Where the syntax of regular expressions in Kusto differs from that of the regex crate.

/// Escapes that a group in braces belongs to: classes by name, code points and word boundaries.
const ESCAPES_WITH_BRACES: &str = "pPxuUb";

/// Returns the pattern with every opening brace escaped that begins no repetition; None if there is none.
///
/// Kusto matched with RE2 before, which reads such a brace as itself. Published queries have `\${jndi:`. A brace around
/// digits, commas and spaces alone stays, so that a mistyped repetition is an error.
pub fn with_literal_braces(pattern: &str) -> Option<String> {
    let mut result = String::with_capacity(pattern.len() + 8);
    let mut rest = pattern;
    while let Some(at) = rest.find(['\\', '{']) {
        let (before, from) = rest.split_at(at);
        result.push_str(before);
        let length = if from.starts_with('\\') { escape_length(from) } else { repetition_length(from) };
        if length == 0 {
            result.push_str(r"\{");
        }
        let (kept, after) = from.split_at(length.max(1));
        result.push_str(if length == 0 { "" } else { kept });
        rest = after;
    }
    result.push_str(rest);
    (result.len() != pattern.len()).then_some(result)
}

/// Whether the pattern has an escape of one digit, which other tools read as what a group matched.
///
/// The reference reads it as the octal code of a control character, which nobody means; two or three digits are octal.
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

/// The length in bytes of the escape at the start of `text`, with its group in braces.
fn escape_length(text: &str) -> usize {
    let mut characters = text.chars().skip(1);
    let Some(escaped) = characters.next() else { return 1 };
    let length = 1 + escaped.len_utf8();
    let after = &text[length..];
    if !after.starts_with('{') || !ESCAPES_WITH_BRACES.contains(escaped) {
        return length;
    }
    after.find('}').map_or(text.len(), |end| length + end + 1)
}

/// The length in bytes of what may be a repetition at the start of `text`: digits, commas and spaces in braces; 0 if it
/// is none.
fn repetition_length(text: &str) -> usize {
    match text[1..].find(|c: char| !c.is_ascii_digit() && c != ',' && c != ' ') {
        Some(end) if end > 0 && text[1 + end..].starts_with('}') => end + 2,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::{has_back_reference, with_literal_braces};

    #[test]
    fn braces_that_begin_no_repetition_are_escaped() {
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
