//! Parses the text of a query into a syntax tree.
//!
//! [`parse`] is the entry point: a lexer splits the text into tokens, and the parsers in `parser` build the tree of
//! [`ast`] from them. A mistake does not end parsing: it continues at the next `|` or `;`, so that one run reports
//! all mistakes. `grammar/kql.ebnf` describes the same language, and a test checks that both agree.

pub mod ast;
mod encoding;
mod format;
mod lexer;
mod library;
mod mismatch;
mod parser;
mod placeholder;
mod print;
mod stream;
mod string;
#[cfg(test)]
mod tests;
mod token;

use std::collections::BTreeMap;

use crate::diagnostic::{Code, Diagnostic, Error, Result, Span};

pub use encoding::decode_text;
pub use format::format;
pub use library::{Definition, definitions};
pub use parser::operator::{OPERATOR_NOTES, OPERATORS, OperatorInfo};
pub use placeholder::{Placeholder, placeholders};
pub use print::{print, print_expression, print_name};
pub use token::{Token, TokenKind, is_reserved};

/// Maximum length of a query in bytes. It is large, because lists of indicators are long.
pub const MAX_TEXT: usize = 16 << 20;

/// Maximum length in bytes of a function file, and of all function bodies that a query expands.
pub const MAX_FUNCTIONS: usize = 1 << 20;

/// The result of parsing a query.
#[derive(Clone, Debug, PartialEq)]
pub struct Parsed {
    /// The tree, without the parts that have mistakes.
    pub query: ast::Query,
    /// The mistakes, in the order of the text.
    pub diagnostics: Vec<Diagnostic>,
}

impl Parsed {
    /// Returns the tree; an error if the query has mistakes.
    ///
    /// # Errors
    /// [`Error::Query`] with every mistake.
    pub fn into_result(self) -> Result<ast::Query> {
        if self.diagnostics.is_empty() { Ok(self.query) } else { Err(Error::Query(self.diagnostics)) }
    }
}

/// Returns the canonical name of the table that `text` consists of, such as `T` or `workspace('w').T`; None if it is
/// anything else.
#[must_use]
pub fn table_name(text: &str) -> Option<String> {
    let query = parse(text).into_result().ok()?;
    match query.statements.as_slice() {
        [ast::Statement { kind: ast::StatementKind::Query(pipeline), .. }] if pipeline.operators.is_empty() => {
            match &pipeline.source.kind {
                ast::SourceKind::Name(name) | ast::SourceKind::Remote(name) => Some(name.text.clone()),
                _ => None,
            }
        }
        _ => None,
    }
}

/// Returns the query of a text that has exactly one; None if it has none or several.
#[must_use]
pub fn only_pipeline(query: &ast::Query) -> Option<&ast::Pipeline> {
    let mut pipelines = query.statements.iter().filter_map(|statement| match &statement.kind {
        ast::StatementKind::Query(pipeline) => Some(pipeline),
        _ => None,
    });
    pipelines.next().filter(|_| pipelines.next().is_none())
}

/// Parses a query. It never panics, whatever the text is.
#[must_use]
pub fn parse(text: &str) -> Parsed {
    parse_filled(text, &BTreeMap::new())
}

/// Like [`parse`], with values that replace placeholders, by name. Positions are still those in `text`.
#[must_use]
pub fn parse_filled(text: &str, values: &BTreeMap<String, String>) -> Parsed {
    let (query, mut diagnostics) = read(text, values);
    if let Some(last) = diagnostics.get_mut(stream::MAX_DIAGNOSTICS - 1) {
        last.help.push("parsing stopped here: too many mistakes".to_owned());
    }
    diagnostics.truncate(stream::MAX_DIAGNOSTICS);
    Parsed { query: query.unwrap_or(ast::Query { statements: Vec::new() }), diagnostics }
}

fn read(text: &str, values: &BTreeMap<String, String>) -> (Option<ast::Query>, Vec<Diagnostic>) {
    if text.len() > MAX_TEXT {
        return (None, vec![too_long(text.len(), MAX_TEXT, Span::default())]);
    }
    let (written, mut diagnostics) = lexer::tokens(text);
    let filled = if values.is_empty() { Vec::new() } else { placeholder::filled(&written, values) };
    let mut tokens: Vec<Token<'_>> = written;
    for (number, text) in &filled {
        tokens[*number].text = text;
    }
    let context = match stream::ParserState::new(&tokens) {
        // Parsing malformed tokens would only cause further messages.
        Ok(context) if diagnostics.is_empty() => context,
        other => {
            diagnostics.extend(other.err());
            return (None, diagnostics);
        }
    };
    let query = parser::statement::query(stream::Tokens::new(&context));
    let mut diagnostics = context.into_diagnostics();
    several_queries(text, &tokens, &mut diagnostics);
    let has_query = query.statements.iter().any(|statement| matches!(statement.kind, ast::StatementKind::Query(_)));
    if diagnostics.is_empty() && !has_query {
        let end = tokens.last().map_or(Span::default(), |token| token.span);
        diagnostics.push(parser::statement::no_query(end));
    }
    (Some(query), diagnostics)
}

/// Returns the tokens of `text`, of which the last is [`TokenKind::End`]. Whitespace, comments and malformed input
/// are left out.
#[must_use]
pub fn tokens(text: &str) -> Vec<Token<'_>> {
    lexer::tokens(text).0
}

/// If the first mistake is that another query begins after an empty line, replaces the message by one that tells so.
/// Tools that run only the query at the cursor allow this.
fn several_queries(text: &str, tokens: &[Token<'_>], diagnostics: &mut Vec<Diagnostic>) {
    let Some(at) = diagnostics.first().map(|first| first.span.start) else { return };
    let Some(number) = tokens.iter().position(|token| token.span.start == at && token.kind == TokenKind::Word) else {
        return;
    };
    let Some(before) = number.checked_sub(1).map(|before| tokens[before].span.end as usize) else { return };
    let between: Vec<&str> = text[before..at as usize].split('\n').collect();
    // The first of these lines ends the query, and the last contains the token.
    let has_blank_line = between.iter().rev().skip(1).rev().skip(1).any(|line| line.trim().is_empty());
    if has_blank_line && parse(&text[..before]).diagnostics.is_empty() {
        let message = "a second query begins here, after an empty line";
        let help = "run one query at a time, or put them all into a JSON Lines file for `coldcase batch`";
        let span = tokens[number].span;
        *diagnostics = vec![Diagnostic::new(Code::UnsupportedStatement, span, message).help(help)];
    }
}

fn too_long(length: usize, most: usize, span: Span) -> Diagnostic {
    let message = format!("the query has {length} bytes; the limit is {most}");
    Diagnostic::new(Code::TextTooLong, span, message)
}
