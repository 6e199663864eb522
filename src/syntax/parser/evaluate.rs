//! Parses `evaluate`, a call of a plugin, as an operator and as a source.

use nom::Parser;
use nom::combinator::cut;
use nom::multi::many0;

use super::expr::{arguments, infix_at};
use super::{
    Expected, ParseResult, TokenKind, Tokens, brackets, column_declaration, comma_list, committed, hint,
    is_bracketed_name, is_hint, name, symbol, word,
};
use crate::syntax::ast::{DatatableColumn, Evaluate, OutputSchema, SourceKind};

/// True if `evaluate` begins a source here; the word may also be a name.
pub(super) fn begins_evaluate(input: &Tokens<'_>) -> bool {
    let after = input.advance(1);
    let is_word = after.peek().kind == TokenKind::Word && infix_at(&after).is_none();
    let is_plugin = is_word && after.peek_at(1).is_symbol("(")
        || is_bracketed_name(&after) && after.peek_after_brackets().is_symbol("(");
    input.peek().is_word("evaluate") && (is_plugin || is_hint(&after))
}

/// Parses `evaluate plugin(argument, ...)` at the beginning of a pipeline.
pub(super) fn evaluate_source(input: Tokens<'_>) -> ParseResult<'_, SourceKind> {
    let (rest, _) = word("evaluate")(input)?;
    evaluate_call.map(|call| SourceKind::Evaluate(Box::new(call))).parse(rest)
}

/// Parses the part after `evaluate`.
pub(super) fn evaluate_call(input: Tokens<'_>) -> ParseResult<'_, Evaluate> {
    let (rest, parameters) = many0(hint).parse(input)?;
    let (rest, plugin) = name("a plugin")(rest)?;
    let (rest, arguments) = committed(brackets("(", arguments, ")")(rest))?;
    if !rest.peek().is_symbol(":") {
        rest.note(Expected::Text(":"));
        return Ok((rest, Evaluate { parameters, plugin, arguments, schema: None }));
    }
    let (rest, schema) = committed(output_schema(rest.advance(1)))?;
    Ok((rest, Evaluate { parameters, plugin, arguments, schema: Some(schema) }))
}

/// Parses `(column:type, ...)` or `(*, column:type, ...)`.
fn output_schema(input: Tokens<'_>) -> ParseResult<'_, OutputSchema> {
    let (rest, (keeps_input, columns)) = brackets("(", output_columns, ")")(input)?;
    Ok((rest, OutputSchema { keeps_input, columns, span: rest.span_since(input.span()) }))
}

/// Parses `column:type, ...`, optionally after `*`.
fn output_columns(input: Tokens<'_>) -> ParseResult<'_, (bool, Vec<DatatableColumn>)> {
    let column = || column_declaration.map(|(name, ty)| DatatableColumn { name, ty });
    if !input.peek().is_symbol("*") {
        input.note(Expected::Text("*"));
        let (rest, columns) = comma_list(column())(input)?;
        return Ok((rest, (false, columns)));
    }
    let rest = input.advance(1);
    if !rest.peek().is_symbol(",") {
        return Ok((rest, (true, Vec::new())));
    }
    let (rest, _) = cut(symbol(",")).parse(rest)?;
    let (rest, columns) = committed(comma_list(column())(rest))?;
    Ok((rest, (true, columns)))
}
