//! Parentheses without a partner in a regular expression. In a pattern of `parse`, the engine reads them as literals;
//! elsewhere they are an error.

use std::borrow::Cow;

/// Escapes the parentheses of `fragment` that have no partner, so that they are literals.
pub(super) fn escape_unpaired(fragment: &str) -> Cow<'_, str> {
    let unpaired = unpaired(fragment);
    if unpaired.is_empty() {
        return Cow::Borrowed(fragment);
    }
    let mut escaped = String::with_capacity(fragment.len() + unpaired.len());
    let mut from = 0;
    for at in unpaired {
        escaped.push_str(&fragment[from..at]);
        escaped.push('\\');
        from = at;
    }
    escaped.push_str(&fragment[from..]);
    Cow::Owned(escaped)
}

/// Returns the byte positions of the parentheses without a partner, in ascending order.
fn unpaired(fragment: &str) -> Vec<usize> {
    let bytes = fragment.as_bytes();
    let (mut open, mut unpaired) = (Vec::new(), Vec::new());
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 1,
            b'[' => at = class_end(bytes, at),
            b'(' => open.push(at),
            b')' if open.pop().is_none() => unpaired.push(at),
            _ => {}
        }
        at += 1;
    }
    // A group such as `(?:` is malformed without its end; only a plain parenthesis is a literal.
    unpaired.extend(open.into_iter().filter(|at| bytes.get(at + 1) != Some(&b'?')));
    unpaired.sort_unstable();
    unpaired
}

/// Returns the position of the `]` that ends the character class at `start`, or of the last byte if the class has no
/// end.
fn class_end(bytes: &[u8], start: usize) -> usize {
    let mut depth = 0_usize;
    let mut at = start;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 1,
            b'[' => {
                depth += 1;
                at += usize::from(bytes.get(at + 1) == Some(&b'^'));
                // A bracket at the start of a class is one of its characters.
                at += usize::from(bytes.get(at + 1) == Some(&b']'));
            }
            b']' if depth == 1 => return at,
            b']' => depth -= 1,
            _ => {}
        }
        at += 1;
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::escape_unpaired;

    #[test]
    fn parentheses_without_a_partner_are_escaped() {
        for (fragment, expected) in [
            ("", ""),
            ("a(b)c", "a(b)c"),
            (")", r"\)"),
            ("(a", r"\(a"),
            ("(a))", r"(a)\)"),
            (")(", r"\)\("),
            ("((a)", r"\((a)"),
            (r"\(a", r"\(a"),
            ("[(]a", "[(]a"),
            ("[](]a)", r"[](]a\)"),
            ("[^](]", "[^](]"),
            ("[[:alpha:](]x", "[[:alpha:](]x"),
            (r"[\](]", r"[\](]"),
            ("(?:a", "(?:a"),
            ("é)", r"é\)"),
            ("[(", "[("),
            ("a\\", "a\\"),
        ] {
            assert_eq!(escape_unpaired(fragment), expected, "{fragment}");
        }
    }
}
