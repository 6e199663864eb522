//! Words the message about a token that no parser accepted, with help for what other languages write there.

use std::fmt;

use super::ast::{BinaryOperator, MembershipOperator};
use super::token::{Token, TokenKind};
use crate::diagnostic::{Code, Diagnostic};

/// A token or construct that a parser would have accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expected {
    /// A word or punctuation.
    Text(&'static str),
    /// A kind of construct, such as "a column".
    Kind(&'static str),
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(f, "`{text}`"),
            Self::Kind(kind) => f.write_str(kind),
        }
    }
}

/// What is expected where an operator may continue an expression.
pub(super) const OPERATOR: Expected = Expected::Kind("an operator");

/// Returns the message that `token` is none of what was `expected`.
pub(super) fn unexpected(token: Token<'_>, expected: &[Expected]) -> Diagnostic {
    let found = token.describe();
    let names: Vec<String> = expected.iter().map(Expected::to_string).collect();
    let message = match names.as_slice() {
        [] => format!("{found} is not valid here"),
        [one] => format!("expected {one}, found {found}"),
        [most @ .., last] => format!("expected {} or {last}, found {found}", most.join(", ")),
    };
    let diagnostic = Diagnostic::new(Code::UnexpectedToken, token.span, message);
    if expected.contains(&Expected::Text("..")) && token.is_symbol(",") {
        return diagnostic.help("a range is written `between (low .. high)`");
    }
    if expected.contains(&OPERATOR) { with_operator_help(diagnostic, token) } else { diagnostic }
}

/// Adds help for a token in the place of an operator.
fn with_operator_help(diagnostic: Diagnostic, token: Token<'_>) -> Diagnostic {
    let negated = token.text.strip_prefix('!');
    match token.text {
        "?" => diagnostic.help("write `iff(condition, then, else)`"),
        _ if token.kind != TokenKind::Word => diagnostic,
        "as" => diagnostic.help("a new name comes first: `name = value`"),
        "not" => diagnostic.help("write an operator such as `!in` or `!has`, or `not(...)` around the condition"),
        "is" => diagnostic.help("write `isnull(...)`, `isnotnull(...)`, `isempty(...)` or `isnotempty(...)`"),
        "group" => diagnostic.help("write `by`"),
        "ascending" => diagnostic.help("write `asc`"),
        "descending" => diagnostic.help("write `desc`"),
        "!has_any" | "!has_all" | "!matches" => {
            diagnostic.help(format!("write `not(...)` around a condition with `{}`", negated.unwrap_or_default()))
        }
        word if word.ends_with("_any") || word.ends_with("_all") => {
            diagnostic.help("`has_any` and `has_all` take lists; write other operators once for each value, with `or`")
        }
        word => diagnostic.suggest(word, operators()),
    }
}

fn operators() -> impl Iterator<Item = &'static str> {
    let binary = BinaryOperator::SPELLINGS.iter().map(|(text, _)| *text);
    let membership = MembershipOperator::SPELLINGS.iter().map(|(text, _)| *text);
    let is_word = |text: &&str| text.len() > 2 && !text.contains(' ');
    binary.chain(membership).chain(["between", "!between"]).filter(is_word)
}
