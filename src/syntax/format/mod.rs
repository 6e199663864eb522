//! Formats query text: one operator a line, with all comments, and strings and numbers as written.
//!
//! The formatter moves only whitespace: it writes the same tokens and comments. So it works on tokens and brackets and
//! needs no tree, which has no comments. A query whose tree would change is refused.

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

/// Returns `text` as canonical KQL. Formatting the result again returns the same. Lines end as the first line of `text`
/// does, with a line feed if it has one line.
///
/// # Errors
/// [`Error::Query`] if the query does not parse, [`Error::Internal`] if its meaning would change.
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

/// The tokens of a query and what is between them.
struct Formatter<'a> {
    /// Ends with [`super::TokenKind::End`].
    tokens: &'a [Token<'a>],
    /// The gap before each token.
    gaps: Vec<Gap<'a>>,
    /// For each opening bracket, the index of the closing one; for other tokens, their own.
    closing: Vec<usize>,
    /// For each closing bracket, the index of the opening one; for other tokens, their own.
    opening: Vec<usize>,
    /// The keyword of the innermost operator that is being written; "" outside operators.
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

    /// The text of a token.
    fn token(&self, index: usize) -> Document<'a> {
        Document::Text(self.tokens[index].text)
    }

    /// Returns the text between the token `index` and the one before it: `separator`, or the comments there.
    fn before(&self, index: usize, separator: Document<'a>) -> Document<'a> {
        if self.gaps[index].comments.is_empty() {
            return separator;
        }
        Document::Sequence(vec![self.comments(index, false), Document::line()])
    }

    /// Like [`Self::before`], with text on a line of its own indented.
    fn before_indented(&self, index: usize, separator: Document<'a>) -> Document<'a> {
        Document::indented(self.before(index, separator))
    }

    /// The comments before the token `index`, with the empty lines before them if `keeps_empty`.
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

    /// Divides `range` at the tokens for which `is_separator` is true, outside brackets. The separators are between the
    /// parts; what follows the last one may be empty.
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

    /// True if `symbol` is in `range`, outside brackets.
    fn contains(&self, range: Range<usize>, symbol: &str) -> bool {
        self.split(range, |token| token.is_symbol(symbol)).len() > 1
    }
}
