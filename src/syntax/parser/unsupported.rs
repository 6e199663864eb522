//! Refuses valid KQL that this program does not implement: the message names it, and does not report it as a mistake.

use super::{ParseResult, Token, TokenKind, Tokens};
use crate::diagnostic::{Code, Diagnostic, Span};

/// The position in a query at which a word of [`KNOWN`] is valid.
#[derive(Clone, Copy, PartialEq, Eq)]
enum WordPosition {
    /// After a `|`.
    Operator,
    /// At the start of a pipeline, or after a `|`.
    Source,
    /// At the start of a statement, before the given second word.
    Statement(&'static str),
    /// Between two values, as an operator.
    Infix,
}

/// The unsupported words of KQL and the positions at which they are valid.
const KNOWN: &[(&str, WordPosition)] = &[
    ("assert-schema", WordPosition::Operator),
    ("execute_and_cache", WordPosition::Operator),
    ("__executeAndCache", WordPosition::Operator),
    ("find", WordPosition::Operator),
    ("graph-mark-components", WordPosition::Operator),
    ("graph-match", WordPosition::Operator),
    ("graph-shortest-paths", WordPosition::Operator),
    ("graph-to-table", WordPosition::Operator),
    ("graph-where-edges", WordPosition::Operator),
    ("graph-where-nodes", WordPosition::Operator),
    ("make-graph", WordPosition::Operator),
    ("__partitionby", WordPosition::Operator),
    ("project-smart", WordPosition::Operator),
    ("inline_external_table", WordPosition::Source),
    ("macro-expand", WordPosition::Source),
    ("alias", WordPosition::Statement("database")),
    ("restrict", WordPosition::Statement("access")),
    ("like", WordPosition::Infix),
    ("likecs", WordPosition::Infix),
    ("notlike", WordPosition::Infix),
    ("notlikecs", WordPosition::Infix),
];

/// Returns all unsupported operators, for suggestions.
pub(super) fn operators() -> impl Iterator<Item = &'static str> {
    KNOWN.iter().filter(|(_, position)| is_operator(*position)).map(|(word, _)| *word)
}

fn is_operator(position: WordPosition) -> bool {
    matches!(position, WordPosition::Operator | WordPosition::Source)
}

fn is_known(token: Token<'_>, position: impl Fn(WordPosition) -> bool) -> bool {
    KNOWN.iter().any(|(word, at)| *word == token.text && position(*at))
}

/// True if `token` is the keyword of an unsupported operator.
pub(super) fn is_unsupported_operator(token: Token<'_>) -> bool {
    token.kind == TokenKind::Word && is_known(token, is_operator)
}

/// Refuses the operator that begins here.
pub(super) fn operator<T>(input: Tokens<'_>) -> ParseResult<'_, T> {
    let word = input.peek().text;
    let diagnostic = match word {
        "find" => Diagnostic::new(Code::UnsupportedOperator, input.span(), "`find` after `|` is not supported")
            .help("it would read tables, not these rows: begin the query with it, or filter with `search` or `where`"),
        _ => Diagnostic::new(Code::UnsupportedOperator, input.span(), format!("`{word}` is not supported yet")),
    };
    input.refuse(diagnostic)
}

/// True if an unsupported source begins here. `evaluate` may also be a name, so the next token decides.
pub(super) fn begins_source(input: &Tokens<'_>) -> bool {
    let (token, next) = (input.peek(), input.peek_at(1));
    let goes_on = next.kind == TokenKind::Word && super::expr::infix_at(&input.advance(1)).is_none();
    token.kind == TokenKind::Word
        && is_known(token, |position| position == WordPosition::Source)
        && (!token.is_name() || goes_on)
}

/// Refuses the source that begins here.
pub(super) fn source<T>(input: Tokens<'_>) -> ParseResult<'_, T> {
    operator(input)
}

/// True if an unsupported statement begins here; these include management commands and directives.
pub(super) fn begins_statement(input: &Tokens<'_>) -> bool {
    let token = input.peek();
    let known = KNOWN.iter().any(|(word, position)| match position {
        WordPosition::Statement(second) => token.is_word(word) && input.peek_at(1).is_word(second),
        _ => false,
    });
    known || token.is_symbol(".") || token.kind == TokenKind::Directive
}

/// Refuses the statement that begins here.
pub(super) fn statement<T>(input: Tokens<'_>) -> ParseResult<'_, T> {
    let (first, second) = (input.peek(), input.peek_at(1));
    let (what, span) = match first.text {
        "." => (format!("the management command `.{}`", second.text), first.span.to(second.span)),
        _ => (first.describe(), first.span),
    };
    let diagnostic = Diagnostic::new(Code::UnsupportedStatement, span, format!("{what} is not supported yet"));
    input.refuse(match first.text {
        "alias" => diagnostic.help("there are no other databases here: name tables with --alias NAME=TABLE"),
        "restrict" => diagnostic.help("a query reads only the tables that it names: remove the statement"),
        _ => diagnostic,
    })
}

/// True if a group of databases begins here, and not a value `entity_group` with an index.
pub(super) fn begins_entity_group(input: &Tokens<'_>) -> bool {
    let is_database = ["cluster", "database"].iter().any(|word| input.peek_at(2).is_word(word));
    input.peek().is_word("entity_group") && input.peek_at(1).is_symbol("[") && is_database
}

/// Refuses the group of databases that begins here.
pub(super) fn entity_group<T>(input: Tokens<'_>) -> ParseResult<'_, T> {
    let message = "`entity_group` is not supported yet";
    let diagnostic = Diagnostic::new(Code::UnsupportedStatement, input.span(), message);
    input.refuse(diagnostic.help("write a union of the tables, and map their names with --alias NAME=TABLE"))
}

/// True if a declaration of query parameters begins here. It is supported only outside functions.
pub(super) fn begins_declaration(input: &Tokens<'_>) -> bool {
    input.peek().is_word("declare") && input.peek_at(1).kind == TokenKind::Word
}

/// Refuses the declaration that begins here.
pub(super) fn declaration<T>(input: Tokens<'_>) -> ParseResult<'_, T> {
    let message = "declarations inside a function are not supported yet";
    let diagnostic = Diagnostic::new(Code::UnsupportedStatement, input.span(), message);
    input.refuse(diagnostic.help("declare the parameters of the query before the function"))
}

/// Refuses an unsupported operator between two values; accepts anything else without reading it.
pub(super) fn infix(input: Tokens<'_>) -> ParseResult<'_, ()> {
    let token = input.peek();
    if !is_known(token, |position| position == WordPosition::Infix) {
        return Ok((input, ()));
    }
    input.refuse(
        Diagnostic::new(Code::UnsupportedSyntax, token.span, format!("`{}` is not supported yet", token.text))
            .help("write `matches regex`"),
    )
}

/// Refuses a table of `cluster(...)`, `database(...)` and similar.
pub(super) fn other_database<T>(input: Tokens<'_>, span: Span) -> ParseResult<'_, T> {
    let message = "tables of other databases, clusters and workspaces are not supported";
    input.refuse(Diagnostic::new(Code::UnsupportedSyntax, span, message).help("use the table name alone"))
}

/// Refuses the clauses of `scan` that Microsoft's reference does not describe.
pub(super) fn scan_clause(input: Tokens<'_>) -> ParseResult<'_, ()> {
    let (token, next) = (input.peek(), input.peek_at(1));
    let instead = match token.text {
        "order" if next.is_word("by") => "sort the rows before it: | sort by ...",
        "partition" if next.is_word("by") => "write | partition by a (sort by ... | scan ...)",
        _ => return Ok((input, ())),
    };
    let message = format!("`{} by` inside `scan` is not supported", token.text);
    input.refuse(Diagnostic::new(Code::UnsupportedSyntax, token.span.to(next.span), message).help(instead))
}

/// Refuses a hint or one of the parameters `words` if it begins here, because the operator does not support it.
pub(super) fn parameter<'a>(input: Tokens<'a>, words: &[&str]) -> ParseResult<'a, ()> {
    let is_parameter = super::is_hint(&input) || words.contains(&input.peek().text) && super::is_parameter(&input);
    if !is_parameter {
        return Ok((input, ()));
    }
    let word = input.peek().text;
    input.refuse(Diagnostic::new(
        Code::UnsupportedSyntax,
        input.span(),
        format!("`{word}` is not supported for this operator yet"),
    ))
}
