//! Formats the text of a query: one operator on each line; comments, strings and numbers stay as written.
//!
//! The formatter changes only whitespace: it writes the same tokens and comments. So it works on tokens and brackets
//! instead of the tree, which has no comments. If the result would parse to another tree, the query is refused.

mod brackets;
mod comments;
mod layout;
mod operator;
mod spacing;
mod statement;
#[cfg(test)]
mod tests;

use std::cell::Cell;
use std::ops::Range;

use super::token::Token;
use super::{lexer, parse, print, stream};
use crate::diagnostic::{Error, Result};
use comments::{Gap, gaps};
use layout::{Document, render};

/// Returns `text` in the canonical format. Formatting the result again returns the same. Line ends are those of the
/// first line of `text`, or a line feed if it has only one line.
///
/// # Errors
/// [`Error::Query`] if the query does not parse, [`Error::Internal`] if formatting would change its meaning.
pub fn format(text: &str) -> Result<String> {
    let query = parse(text).into_result()?;
    let tokens = lexer::tokens(text).0;
    let formatter = Formatter::new(text, &tokens)?;
    let line_end = match text.split_once('\n') {
        Some((line, _)) if line.ends_with('\r') => "\r\n",
        _ => "\n",
    };
    let formatted = render(&formatter.query(), line_end);
    let after = parse(&formatted);
    if !after.diagnostics.is_empty() || print(&after.query) != print(&query) || !formatter.is_kept_in(&formatted) {
        return Err(Error::internal("formatting would change the query"));
    }
    Ok(formatted)
}

/// The tokens of a query, and what is between them.
struct Formatter<'a> {
    /// The tokens; the last one is [`super::TokenKind::End`].
    tokens: &'a [Token<'a>],
    /// The comments and line ends before each token.
    gaps: Vec<Gap<'a>>,
    /// For each opening bracket, the index of its closing bracket; for other tokens, their own index.
    closing: Vec<usize>,
    /// For each closing bracket, the index of its opening bracket; for other tokens, their own index.
    opening: Vec<usize>,
    /// The keyword of the innermost operator that is being laid out; "" outside operators.
    keyword: Cell<&'a str>,
}

impl<'a> Formatter<'a> {
    fn new(text: &'a str, tokens: &'a [Token<'a>]) -> Result<Self> {
        let closing = stream::match_brackets(tokens)?;
        let mut opening: Vec<usize> = (0..tokens.len()).collect();
        for (open, close) in closing.iter().enumerate() {
            if open != *close {
                opening[*close] = open;
            }
        }
        let gaps = gaps(text, tokens);
        Ok(Self { tokens, gaps, closing, opening, keyword: Cell::new("") })
    }

    /// True if `text` has the same tokens and comments.
    fn is_kept_in(&self, text: &str) -> bool {
        let tokens = lexer::tokens(text).0;
        let comments = |gaps: &[Gap<'_>]| -> Vec<String> {
            gaps.iter().flat_map(|gap| &gap.comments).map(|comment| comment.text.to_owned()).collect()
        };
        tokens.len() == self.tokens.len()
            && tokens.iter().zip(self.tokens).all(|(new, old)| (new.kind, new.text) == (old.kind, old.text))
            && comments(&gaps(text, &tokens)) == comments(&self.gaps)
    }

    /// Returns the text of the token `index`.
    fn token(&self, index: usize) -> Document<'a> {
        Document::Text(self.tokens[index].text)
    }

    /// Lays out the space before the token `index`: `separator`, or the comments if there are any.
    fn before(&self, index: usize, separator: Document<'a>) -> Document<'a> {
        if self.gaps[index].comments.is_empty() {
            return separator;
        }
        Document::Sequence(vec![self.comments(index, false), Document::line()])
    }

    /// Like [`Self::before`], with new lines indented.
    fn before_indented(&self, index: usize, separator: Document<'a>) -> Document<'a> {
        Document::indented(self.before(index, separator))
    }

    /// Lays out the comments before the token `index`. If `keeps_empty`, an empty line before a comment is kept.
    fn comments(&self, index: usize, keeps_empty: bool) -> Document<'a> {
        let mut documents = Vec::new();
        for comment in &self.gaps[index].comments {
            documents.push(match comment.is_alone {
                true => Document::Line { empty: keeps_empty && comment.after_empty_line },
                false => Document::Text(" "),
            });
            documents.push(Document::Comment(comment.text));
        }
        Document::Sequence(documents)
    }

    /// Divides `range` at the tokens outside brackets for which `is_separator` is true. The parts do not include
    /// these tokens; the last part may be empty.
    fn split(&self, range: Range<usize>, is_separator: impl Fn(&Token<'_>) -> bool) -> Vec<Range<usize>> {
        let (mut parts, mut from, mut at) = (Vec::new(), range.start, range.start);
        while at < range.end {
            if is_separator(&self.tokens[at]) {
                parts.push(from..at);
                from = at + 1;
            }
            at = self.closing[at] + 1;
        }
        parts.push(from..range.end);
        parts
    }

    /// True if `range` has the punctuation `symbol` outside brackets.
    fn contains(&self, range: Range<usize>, symbol: &str) -> bool {
        self.split(range, |token| token.is_symbol(symbol)).len() > 1
    }
}
