//! Reads the comments and empty lines between tokens, which the syntax tree does not have.

use super::super::lexer::is_line_break;
use super::super::token::{Token, TokenKind};

/// The line ends and comments between a token and the one before it.
#[derive(Clone, Debug, Default)]
pub(super) struct Gap<'a> {
    /// The comments, in order.
    pub comments: Vec<Comment<'a>>,
    /// True if the line before the token is empty.
    pub ends_empty: bool,
}

/// A comment, from `//` to the end of the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Comment<'a> {
    /// The text, without whitespace at the end.
    pub text: &'a str,
    /// True if nothing but whitespace is before it on its line.
    pub is_alone: bool,
    /// True if the line before it is empty.
    pub after_empty_line: bool,
}

/// Returns the gap before each of `tokens`.
///
/// Comments before a comma or semicolon are moved after it, where they stay on the same line.
pub(super) fn gaps<'a>(text: &'a str, tokens: &[Token<'_>]) -> Vec<Gap<'a>> {
    let mut from = 0;
    let gap = |token: &Token<'_>| {
        // The token for the end of the query has the span of the last token.
        let to = if token.kind == TokenKind::End { text.len() } else { token.span.start as usize };
        let gap = read(&text[from..to], from == 0);
        from = token.span.end as usize;
        gap
    };
    let mut gaps: Vec<Gap<'a>> = tokens.iter().map(gap).collect();
    for (index, _) in tokens.iter().enumerate().filter(|(_, token)| token.is_symbol(",") || token.is_symbol(";")) {
        let mut comments = std::mem::take(&mut gaps[index].comments);
        if let (false, Some(next)) = (comments.is_empty(), gaps.get_mut(index + 1)) {
            let later = next.comments.drain(..).map(|comment| Comment { is_alone: true, ..comment });
            comments.extend(later);
            next.comments = comments;
        }
    }
    gaps
}

/// Reads the text between two tokens. `begins` is true at the beginning of the query.
fn read(text: &str, begins: bool) -> Gap<'_> {
    let (mut gap, mut rest, mut lines) = (Gap::default(), text, 0);
    while let Some(first) = rest.chars().next() {
        if rest.starts_with("//") {
            let length = rest.find(is_line_break).unwrap_or(rest.len());
            let is_alone = lines > 0 || begins && gap.comments.is_empty();
            gap.comments.push(Comment { text: rest[..length].trim_end(), is_alone, after_empty_line: lines > 1 });
            (rest, lines) = (&rest[length..], 0);
            continue;
        }
        lines += usize::from(is_line_break(first));
        rest = rest.strip_prefix("\r\n").unwrap_or(&rest[first.len_utf8()..]);
    }
    gap.ends_empty = lines > 1;
    gap
}

#[cfg(test)]
mod tests {
    use super::{Gap, gaps};

    /// Returns the comments before each token: `+` marks a comment alone on its line, `_` an empty line before it.
    fn comments(text: &str) -> Vec<String> {
        let show = |gap: Gap<'_>| {
            let mark = |alone, empty| format!("{}{}", if empty { "_" } else { "" }, if alone { "+" } else { "" });
            let all: String =
                gap.comments.iter().map(|one| mark(one.is_alone, one.after_empty_line) + one.text).collect();
            all + if gap.ends_empty { "_" } else { "" }
        };
        gaps(text, &crate::syntax::tokens(text)).into_iter().map(show).collect()
    }

    #[test]
    fn comments_belong_to_the_token_after_them() {
        let cases = [
            ("a // b\n c", &["", "// b", ""][..]),
            ("// a\r\n\r\n// b  \r\n\r\nc", &["+// a_+// b_", ""]),
            ("a\n\n\n// b\nc // d", &["", "_+// b", "// d"]),
            ("a // b\n, // c\n d", &["", "", "// b+// c", ""]),
            ("a;\n\nb", &["", "", "_", ""]),
            ("a // b\n;", &["", "", "// b"]),
            ("'// a' '//'", &["", "", ""]),
        ];
        for (text, expected) in cases {
            assert_eq!(comments(text), expected, "{text}");
        }
    }
}
