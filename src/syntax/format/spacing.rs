//! Decides whether a space separates two tokens.

use super::super::token::{Token, TokenKind, is_reserved};
use super::super::{ast, lexer};
use super::Formatter;

/// Words after which a bracket is not the argument list of a call. Operators between values are not in this list.
const BEFORE_BRACKETS: &[&str] = &[
    "and", "as", "between", "!between", "by", "declare", "extend", "from", "in", "limit", "of", "on", "or", "output",
    "project", "regex", "step", "to", "view", "where", "with",
];

/// Operators whose operands may be patterns such as `Sign*`.
const WITH_PATTERNS: &[&str] = &["find", "project-away", "project-keep", "project-reorder", "search", "union"];

/// Operators whose properties are written without spaces around `=`.
const WITH_PROPERTIES: &[&str] = &["parse-kv", "render"];

/// Words after which `+` or `-` is the sign of the number that follows.
const BEFORE_SIGNS: &[&str] = &["default", "from", "limit", "of", "step", "take", "to", "top", "where"];

impl Formatter<'_> {
    /// True if a space separates the token `index` from the token before it, if both are on one line.
    pub(super) fn is_spaced(&self, index: usize) -> bool {
        let (before, token) = (&self.tokens[index - 1], &self.tokens[index]);
        let is_glued = before.span.end == token.span.start;
        match (symbol(before), symbol(token)) {
            (_, "," | ";" | ")" | "]") | ("(" | "[", _) => false,
            // Without a space, the number and the dot would be another number.
            (_, ".") if matches!(before.kind, TokenKind::Long | TokenKind::Real) => !is_glued,
            (".", _) | (_, ".") => false,
            ("*", _) | (_, "*") if WITH_PATTERNS.contains(&self.keyword.get()) => !is_glued,
            ("=", _) | (_, "=") if WITH_PROPERTIES.contains(&self.keyword.get()) => false,
            ("=", _) | (_, "=") if self.is_in_step(index) => false,
            (_, ":") => before.is_symbol(")"),
            (":", _) => self.is_spaced_colon(index - 1),
            ("-" | "+", _) => !self.is_sign(index - 1),
            (_, "(" | "[") => self.is_spaced_bracket(index),
            _ => true,
        }
    }

    /// True if a space follows the colon `index`: in a bag, in a step of `scan`, and before the declared columns of a
    /// plugin.
    fn is_spaced_colon(&self, index: usize) -> bool {
        let before = index.checked_sub(1).map(|at| &self.tokens[at]);
        self.is_in_step(index) || before.is_some_and(|token| token.kind == TokenKind::String || token.is_symbol(")"))
    }

    /// True if the token `index` is in the head of a step of `scan`, as in `step s1 output=none:`.
    fn is_in_step(&self, index: usize) -> bool {
        const LENGTH: usize = 6;
        let before = self.tokens[..index].iter().rev().take(LENGTH);
        let mut head = before.take_while(|token| token.kind == TokenKind::Word || token.is_symbol("="));
        self.keyword.get() == "scan" && head.any(|token| token.is_word("step"))
    }

    /// True if the `+` or `-` at `index` is a sign, and not an operator between two values.
    fn is_sign(&self, index: usize) -> bool {
        let Some(before) = index.checked_sub(1).map(|at| &self.tokens[at]) else { return true };
        match before.kind {
            TokenKind::Symbol => !matches!(before.text, ")" | "]" | "}"),
            TokenKind::Word if is_infix(before.text) || is_reserved(before.text) => true,
            TokenKind::Word if BEFORE_SIGNS.contains(&before.text) || self.is_keyword(index - 1) => {
                // These words may be columns, too: `step - 1`.
                let (sign, after) = (&self.tokens[index], &self.tokens[index + 1]);
                sign.span.end == after.span.start && before.span.end < sign.span.start
            }
            _ => false,
        }
    }

    /// True if a space precedes the bracket `index`: it begins neither an argument list nor an index.
    fn is_spaced_bracket(&self, index: usize) -> bool {
        let (before, bracket) = (&self.tokens[index - 1], &self.tokens[index]);
        match before.kind {
            TokenKind::Word if is_infix(before.text) || BEFORE_BRACKETS.contains(&before.text) => true,
            // `partition by name (...)`.
            TokenKind::Word if self.keyword.get() == "partition" && self.tokens[index - 2].is_word("by") => true,
            // `datetime (...)` is a call, and `datetime(...)` a literal.
            TokenKind::Word => bracket.text == "(" && lexer::TYPED.contains(&before.text),
            _ if bracket.text == "(" => true,
            TokenKind::Symbol => match before.text {
                ")" => self.is_datatable(index),
                "]" => false,
                _ => true,
            },
            _ => false,
        }
    }

    /// True if the bracket `index` has the rows of a `datatable` or the addresses of an `externaldata`.
    pub(super) fn is_datatable(&self, index: usize) -> bool {
        let columns = index.checked_sub(1).map(|before| self.opening[before]);
        let word = columns.and_then(|columns| columns.checked_sub(1)).map(|at| &self.tokens[at]);
        self.tokens[index].is_symbol("[")
            && word.is_some_and(|word| {
                ["datatable", "externaldata", "external_data"].iter().any(|name| word.is_word(name))
            })
    }
}

/// Returns the text of punctuation; "" for other tokens.
fn symbol<'a>(token: &Token<'a>) -> &'a str {
    if token.kind == TokenKind::Symbol { token.text } else { "" }
}

/// True for a word that is an operator between two values.
pub(super) fn is_infix(word: &str) -> bool {
    ast::BinaryOperator::SPELLINGS.iter().any(|(spelling, _)| *spelling == word)
        || ast::MembershipOperator::SPELLINGS.iter().any(|(spelling, _)| *spelling == word)
        || matches!(word, "between" | "!between" | "matches" | "regex")
}
