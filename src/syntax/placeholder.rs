//! Placeholders `{{Name}}` in literals: a portal fills them in before it runs the query.
//!
//! For example, hunting queries of Microsoft Sentinel contain `todatetime('{{StartTimeISO}}')`. If it is not filled
//! in, the literal is a string that is not a time, and the query finds nothing. A placeholder is replaced in the text
//! of its token; the span of the token stays that in the text of the user.

use std::collections::BTreeMap;
use std::ops::Range;

use super::token::{Token, TokenKind};
use crate::diagnostic::{Code, Diagnostic, Span};

const OPEN: &str = "{{";
const CLOSE: &str = "}}";

/// A placeholder in a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placeholder {
    /// The name between the braces.
    pub name: String,
    /// The position, braces included.
    pub span: Span,
}

impl Placeholder {
    /// Returns the message about a placeholder that has no value.
    #[must_use]
    pub fn unfilled(&self, help: impl Into<String>) -> Diagnostic {
        let message = format!("the placeholder `{{{{{}}}}}` has no value", self.name);
        let literal = "to search for these characters themselves, write strcat('{', '{...')";
        Diagnostic::new(Code::MissingParameter, self.span, message).help(help).help(literal)
    }
}

/// Returns the placeholders in the literals of `text`. Those in comments do not count.
#[must_use]
pub fn placeholders(text: &str) -> Vec<Placeholder> {
    if text.contains(OPEN) { of_tokens(&super::tokens(text)) } else { Vec::new() }
}

/// Returns the placeholders in `tokens`.
pub(super) fn of_tokens(tokens: &[Token<'_>]) -> Vec<Placeholder> {
    let of_token = |token: &Token<'_>| {
        let start = token.span.start as usize;
        let gap = |(range, name): (Range<usize>, &str)| Placeholder {
            name: name.to_owned(),
            span: Span::new(start + range.start, start + range.end),
        };
        gaps(token).into_iter().map(gap).collect::<Vec<_>>()
    };
    tokens.iter().flat_map(of_token).collect()
}

/// Returns each token that has placeholders with values: its index, and its text with the values filled in.
pub(super) fn filled(tokens: &[Token<'_>], values: &BTreeMap<String, String>) -> Vec<(usize, String)> {
    let fill = |(number, token): (usize, &Token<'_>)| {
        let (mut text, mut end) = (String::new(), 0);
        for (range, name) in gaps(token) {
            let Some(value) = values.get(name) else { continue };
            text.push_str(&token.text[end..range.start]);
            text.push_str(value);
            end = range.end;
        }
        (end > 0).then(|| (number, text + &token.text[end..]))
    };
    tokens.iter().enumerate().filter_map(fill).collect()
}

/// Returns the placeholders in a token: the byte range of each in its text, and its name.
fn gaps<'a>(token: &Token<'a>) -> Vec<(Range<usize>, &'a str)> {
    if !matches!(token.kind, TokenKind::String | TokenKind::Typed) {
        return Vec::new();
    }
    let (text, mut found, mut from) = (token.text, Vec::new(), 0);
    while let Some(at) = text[from..].find(OPEN) {
        let start = from + at;
        from = start + 1;
        let inside = &text[start + OPEN.len()..];
        let padded = inside.split(|c: char| !is_name_part(c) && c != ' ').next().unwrap_or("");
        let name = padded.trim_matches(' ');
        let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic());
        if is_name && inside[padded.len()..].starts_with(CLOSE) {
            from = start + OPEN.len() + padded.len() + CLOSE.len();
            found.push((start..from, name));
        }
    }
    found
}

fn is_name_part(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.')
}

#[cfg(test)]
mod tests {
    use super::placeholders;

    #[test]
    fn only_names_in_double_braces_in_literals_are_placeholders() {
        let names = |text: &str| placeholders(text).into_iter().map(|found| found.name).collect::<Vec<_>>();
        assert_eq!(names("print '{{A}}', \"x{{ B_1 }}y{{C}}\", @'{{D}}', ```{{E}}```"), ["A", "B_1", "C", "D", "E"]);
        assert_eq!(names("print '{{user name}} {{a.b}} {{ C-d }}'"), ["user name", "a.b", "C-d"]);
        assert_eq!(names("print datetime({{A}}), h'{{{B}}}'"), ["A", "B"]);
        for text in ["1 // {{A}}", "'{{}}'", "'{{ }}'", "'{A}'", "'{{A}'", "'{{{A}'", "'{{1}}'", "'{{A, b}}'"] {
            assert_eq!(names(&format!("print {text}")), Vec::<String>::new(), "{text}");
        }
        assert_eq!(names(r"print @'\{\{\w+\}\}', @'{{\d}}'"), Vec::<String>::new());
        let text = "print 'é{{Day}}'";
        let found = &placeholders(text)[0];
        assert_eq!(found.span.text(text), "{{Day}}");
    }
}
