//! Parses statements: `let`, `set`, `declare query_parameters`, and queries.

use std::sync::Arc;

use nom::Parser;
use nom::combinator::cut;

use super::expr::{expression, expression_or_pipeline};
use super::function::{begins_function, function};
use super::pattern::pattern_statement;
use super::source::pipeline;
use super::{
    Expected, ParseResult, TokenKind, Tokens, brackets, column_declaration, comma_list, committed, default_value, name,
    symbol, unsupported, word,
};
use crate::diagnostic::{Code, Diagnostic, Span};
use crate::syntax::ast::{LetValue, ParameterDeclaration, ParsedExprKind, Query, Statement, StatementKind};

/// Parses all statements of a query; those that have mistakes are left out.
pub(in crate::syntax) fn query(input: Tokens<'_>) -> Query {
    let (mut rest, mut statements) = (input, Vec::new());
    while rest.peek().kind != TokenKind::End {
        let result = statement(rest).and_then(|(after, statement)| {
            statements.push(statement);
            end_of_statement(after)
        });
        rest = match result {
            Ok((after, ())) => after,
            Err(_) => after_mistake(rest),
        };
        let is_query = matches!(statements.last(), Some(Statement { kind: StatementKind::Query(_), .. }));
        if is_query && rest.peek().is_symbol(";") {
            let message = "expected a statement or the end of the query, found `;`";
            rest.report(Diagnostic::new(Code::UnexpectedToken, rest.peek().span, message));
            break;
        }
    }
    Query { statements }
}

/// Parses the `;` after a statement, or the end of the text.
fn end_of_statement(input: Tokens<'_>) -> ParseResult<'_, ()> {
    let token = input.peek();
    match token.kind {
        TokenKind::End => Ok((input, ())),
        _ if token.is_symbol(";") => Ok((input.advance(1), ())),
        _ => {
            input.note(Expected::Text(";"));
            input.mismatch(Expected::Kind("the end of the query"))
        }
    }
}

/// Reports the mistake in the statement that begins at `input`, and returns the start of the next statement.
fn after_mistake(input: Tokens<'_>) -> Tokens<'_> {
    let mut rest = input.recover(&[]);
    // Recovery also stops at a closing bracket, and would never get past it.
    while !rest.peek().is_symbol(";") && rest.peek().kind != TokenKind::End {
        rest = rest.advance(1).skip_to(&[]);
    }
    rest.advance(1)
}

/// Parses a statement, without the `;` after it.
fn statement(input: Tokens<'_>) -> ParseResult<'_, Statement> {
    let token = input.peek();
    let (rest, kind) = match token.text {
        "let" if begins_let(&input) => let_statement(input)?,
        "set" => set_statement(input)?,
        "declare" if input.peek_at(1).is_word("query_parameters") => declare_statement(input)?,
        "declare" if input.peek_at(1).is_word("pattern") => pattern_statement(input)?,
        _ if unsupported::begins_statement(&input) => return unsupported::statement(input),
        _ => pipeline.map(StatementKind::Query).parse(input)?,
    };
    Ok((rest, Statement { kind, span: rest.span_since(token.span) }))
}

/// True if a `let` statement begins here; `let` may be a name, too.
pub(super) fn begins_let(input: &Tokens<'_>) -> bool {
    input.peek().is_word("let") && (input.peek_at(1).is_plain_word() || input.peek_at(1).is_symbol("["))
}

/// Parses `let name = value`.
pub(super) fn let_statement(input: Tokens<'_>) -> ParseResult<'_, StatementKind> {
    let (rest, _) = word("let")(input)?;
    let (rest, name) = cut(name("a name")).parse(rest)?;
    let (rest, _) = cut(symbol("=")).parse(rest)?;
    let (rest, value) = cut(let_value).parse(rest)?;
    Ok((rest, StatementKind::Let { name, value }))
}

fn let_value(input: Tokens<'_>) -> ParseResult<'_, LetValue> {
    if begins_function(&input) {
        return function.map(|function| LetValue::Function(Arc::new(function))).parse(input);
    }
    if unsupported::begins_entity_group(&input) {
        return unsupported::entity_group(input);
    }
    let (rest, value) = expression_or_pipeline("a value or a table")(input)?;
    Ok(match value.kind {
        ParsedExprKind::Pipeline(pipeline) => (rest, LetValue::Pipeline(*pipeline)),
        _ => (rest, LetValue::Expr(value)),
    })
}

/// Parses `set option` or `set option = value`.
fn set_statement(input: Tokens<'_>) -> ParseResult<'_, StatementKind> {
    let (rest, _) = word("set")(input)?;
    let (rest, option) = cut(name("an option")).parse(rest)?;
    if !rest.peek().is_symbol("=") {
        rest.note(Expected::Text("="));
        return Ok((rest, StatementKind::Set { option, value: None }));
    }
    let (rest, value) = cut(expression("a value")).parse(rest.advance(1))?;
    Ok((rest, StatementKind::Set { option, value: Some(value) }))
}

/// Parses `declare query_parameters(name:type = default, ...)`.
fn declare_statement(input: Tokens<'_>) -> ParseResult<'_, StatementKind> {
    let (rest, _) = (word("declare"), cut(word("query_parameters"))).parse(input)?;
    let (rest, list) = committed(brackets("(", comma_list(parameter_declaration), ")")(rest))?;
    Ok((rest, StatementKind::DeclareParameters(list)))
}

/// Parses a query parameter: `name:type` or `name:type = default`.
fn parameter_declaration(input: Tokens<'_>) -> ParseResult<'_, ParameterDeclaration> {
    let (rest, (name, ty)) = column_declaration(input)?;
    if !rest.peek().is_symbol("=") {
        rest.note(Expected::Text("="));
        return Ok((rest, ParameterDeclaration { name, ty, default: None }));
    }
    let (rest, default) = cut(default_value).parse(rest.advance(1))?;
    Ok((rest, ParameterDeclaration { name, ty, default: Some(default) }))
}

/// Returns the message about a text without a query.
pub(in crate::syntax) fn no_query(span: Span) -> Diagnostic {
    Diagnostic::new(Code::EmptyQuery, span, "the text contains no query")
        .help("a query begins with a table, `print`, `datatable`, `range` or `union`")
}
