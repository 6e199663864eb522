//! Parses the operators `parse`, `parse-where` and `parse-kv`.

use nom::Parser;
use nom::combinator::cut;
use nom::multi::{many0, many1};

use super::super::expr::expression;
use super::super::source::declared_columns;
use super::super::{
    Expected, Mismatch, ParseResult, TokenKind, Tokens, any_name, brackets, committed, literal, name_of, parameter,
    symbol, type_name, word,
};
use crate::syntax::ast::{OperatorKind, Parameter, ParsedExpr, ParsedExprKind, PatternPart, PatternPartKind};

/// Parses `parse kind=regex flags=i text with * "a=" a:long *`.
pub(super) fn parse_operator(input: Tokens<'_>) -> ParseResult<'_, OperatorKind> {
    parse_parts(input, false)
}

/// Parses `parse-where text with "a=" a`.
pub(super) fn parse_where_operator(input: Tokens<'_>) -> ParseResult<'_, OperatorKind> {
    parse_parts(input, true)
}

fn parse_parts(input: Tokens<'_>, drops_unmatched: bool) -> ParseResult<'_, OperatorKind> {
    let (rest, parameters) = many0(pattern_parameter).parse(input)?;
    let (rest, value) = expression("a value to parse")(rest)?;
    let (rest, _) = cut(word("with")).parse(rest)?;
    let (rest, pattern) = cut(many1(pattern_part)).parse(rest)?;
    Ok((rest, OperatorKind::Parse { drops_unmatched, parameters, value, pattern }))
}

/// Parses a parameter: `kind = regex` or `flags = i`.
fn pattern_parameter(input: Tokens<'_>) -> ParseResult<'_, Parameter> {
    let name = input.peek();
    if !matches!(name.text, "kind" | "flags") || !input.peek_at(1).is_symbol("=") {
        return Err(nom::Err::Error(Mismatch));
    }
    let rest = input.advance(2);
    let value = rest.peek();
    if !value.is_plain_word() {
        return committed(rest.mismatch(Expected::Kind("a word")));
    }
    let value = ParsedExpr { kind: ParsedExprKind::Name(name_of(value)), span: value.span };
    Ok((rest.advance(1), Parameter { name: name_of(name), value }))
}

/// Parses a part of a pattern: `*`, a string, or a column with an optional type.
fn pattern_part(input: Tokens<'_>) -> ParseResult<'_, PatternPart> {
    let first = input.peek();
    let (rest, kind) = match first.kind {
        TokenKind::String => literal::string_literal.map(PatternPartKind::Text).parse(input)?,
        _ => symbol("*").map(|_| PatternPartKind::Star).or(pattern_column).parse(input)?,
    };
    Ok((rest, PatternPart { kind, span: rest.span_since(first.span) }))
}

/// Parses `name` or `name:type`.
fn pattern_column(input: Tokens<'_>) -> ParseResult<'_, PatternPartKind> {
    let (rest, name) = any_name("a column")(input)?;
    if !rest.peek().is_symbol(":") {
        rest.note(Expected::Text(":"));
        return Ok((rest, PatternPartKind::Column { name, ty: None }));
    }
    let (rest, ty) = cut(type_name).parse(rest.advance(1))?;
    Ok((rest, PatternPartKind::Column { name, ty: Some(ty) }))
}

/// Parses `parse-kv text as (a:long, b:string) with (pair_delimiter=",", kv_delimiter="=")`.
pub(super) fn parse_kv_operator(input: Tokens<'_>) -> ParseResult<'_, OperatorKind> {
    let (rest, value) = expression("a value to parse")(input)?;
    let (rest, _) = cut(word("as")).parse(rest)?;
    let (rest, keys) = committed(declared_columns(rest))?;
    if !rest.peek().is_word("with") {
        rest.note(Expected::Text("with"));
        return Ok((rest, OperatorKind::ParseKv { value, keys, properties: Vec::new() }));
    }
    let (rest, properties) = committed(brackets("(", |inside| many0(kv_property).parse(inside), ")")(rest.advance(1)))?;
    Ok((rest, OperatorKind::ParseKv { value, keys, properties }))
}

/// Parses a property `name = value`, and the comma after it, which may be missing.
fn kv_property(input: Tokens<'_>) -> ParseResult<'_, Parameter> {
    if input.peek().is_symbol(")") {
        return Err(nom::Err::Error(Mismatch));
    }
    let (rest, property) = parameter(input)?;
    Ok((rest.advance(usize::from(rest.peek().is_symbol(","))), property))
}
