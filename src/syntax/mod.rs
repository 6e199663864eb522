//! Text -> tree.
//!
//! [`parse`] is the only way in: a lexer cuts the text into tokens, the parsers in `parser` build the tree of
//! [`ast`]. A mistake does not end the run: parsing goes on at the next `|` or `;`, so that one run reports them all.
//! `grammar/kql.ebnf` describes the same language, and a test holds the two together.

pub mod ast;
mod lexer;
mod library;
mod parser;
mod print;
mod stream;
mod string;
#[cfg(test)]
mod tests;
mod token;

use crate::diagnostic::{Code, Diagnostic, Error, Result, Span};

pub use library::{Definition, definitions};
pub use parser::operator::{OPERATORS, OperatorInfo};
pub use print::{print, print_expression};
pub use token::{Token, TokenKind, is_reserved};

/// The longest text that is read, in bytes.
pub const MAX_TEXT: usize = 1024 * 1024;

/// A text, read.
#[derive(Clone, Debug, PartialEq)]
pub struct Parsed {
    /// The tree. Where there are diagnostics, what they are about is missing from it.
    pub query: ast::Query,
    /// What is wrong, in the order of the text.
    pub diagnostics: Vec<Diagnostic>,
}

impl Parsed {
    /// The tree of a text without mistakes.
    ///
    /// # Errors
    ///
    /// [`Error::Query`] with every mistake.
    pub fn into_result(self) -> Result<ast::Query> {
        if self.diagnostics.is_empty() { Ok(self.query) } else { Err(Error::Query(self.diagnostics)) }
    }
}

/// Reads the text of a query. Never panics, whatever the text.
#[must_use]
pub fn parse(text: &str) -> Parsed {
    let (query, mut diagnostics) = read(text);
    if let Some(last) = diagnostics.get_mut(stream::MAX_DIAGNOSTICS - 1) {
        last.help.push("reading stopped here: there were too many mistakes".to_owned());
    }
    diagnostics.truncate(stream::MAX_DIAGNOSTICS);
    Parsed { query: query.unwrap_or(ast::Query { statements: Vec::new() }), diagnostics }
}

fn read(text: &str) -> (Option<ast::Query>, Vec<Diagnostic>) {
    if text.len() > MAX_TEXT {
        return (None, vec![too_long(text.len(), Span::default())]);
    }
    let (tokens, mut diagnostics) = lexer::tokens(text);
    let context = match stream::Context::new(&tokens) {
        // What is no token would only cause further messages.
        Ok(context) if diagnostics.is_empty() => context,
        other => {
            diagnostics.extend(other.err());
            return (None, diagnostics);
        }
    };
    let query = parser::statement::query(stream::Tokens::new(&context));
    let mut diagnostics = context.into_diagnostics();
    let has_query = query.statements.iter().any(|statement| matches!(statement.kind, ast::StatementKind::Query(_)));
    if diagnostics.is_empty() && !has_query {
        let end = tokens.last().map_or(Span::default(), |token| token.span);
        diagnostics.push(parser::statement::no_query(end));
    }
    (Some(query), diagnostics)
}

/// The words of `text`, blanks and comments left out, what is no word skipped; a [`TokenKind::End`] is the last.
#[must_use]
pub fn tokens(text: &str) -> Vec<Token<'_>> {
    lexer::tokens(text).0
}

fn too_long(length: usize, span: Span) -> Diagnostic {
    let message = format!("the text has {length} bytes, and {MAX_TEXT} are the most that are read");
    Diagnostic::new(Code::TextTooLong, span, message)
}
