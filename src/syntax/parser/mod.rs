//! Builds the tree from tokens: the basic parsers that all others use, and recovery after a mistake.
//!
//! Every production of `grammar/kql.ebnf` has a function of the same name in this folder. The first tokens of a
//! construct identify it, so nothing is parsed twice. After these tokens, [`cut`] makes a mismatch final, so that the
//! message is precise.

mod evaluate;
pub(super) mod expr;
mod external;
mod find;
pub(super) mod function;
pub(super) mod literal;
pub(super) mod operator;
mod pattern;
mod remote;
pub(super) mod source;
pub(super) mod statement;
mod unsupported;

use nom::Parser;
use nom::combinator::cut;
use nom::multi::many0;
use nom::sequence::preceded;

use super::ast::{Assignment, ColumnPattern, Name, Parameter, ParsedExpr, ParsedExprKind};
use super::stream::{Expected, Mismatch, ParseResult, Tokens};
use super::string;
use super::token::{Token, TokenKind};
use crate::diagnostic::Span;
use crate::types::{Type, Value};

/// Returns a parser of the given word.
fn word<'a>(word: &'static str) -> impl Fn(Tokens<'a>) -> ParseResult<'a, Token<'a>> {
    move |input| {
        let token = input.peek();
        if token.is_word(word) { Ok((input.advance(1), token)) } else { input.mismatch(Expected::Text(word)) }
    }
}

/// Returns a parser of the given punctuation.
fn symbol<'a>(symbol: &'static str) -> impl Fn(Tokens<'a>) -> ParseResult<'a, Token<'a>> {
    move |input| {
        let token = input.peek();
        if token.is_symbol(symbol) { Ok((input.advance(1), token)) } else { input.mismatch(Expected::Text(symbol)) }
    }
}

/// Returns a parser of `item, item, ...` with at least one item.
pub(super) fn comma_list<'a, T>(
    item: impl Parser<Tokens<'a>, Output = T, Error = Mismatch>,
) -> impl FnOnce(Tokens<'a>) -> ParseResult<'a, Vec<T>> {
    let mut item = item;
    move |input| {
        let (rest, first) = item.parse(input)?;
        let mut list = vec![first];
        let (rest, more) = many0(preceded(symbol(","), cut(|input| item.parse(input)))).parse(rest)?;
        list.extend(more);
        Ok((rest, list))
    }
}

/// Returns a parser of `open inside close`; the content counts as one level of nesting.
fn brackets<'a, T>(
    open: &'static str,
    inside: impl FnOnce(Tokens<'a>) -> ParseResult<'a, T>,
    close: &'static str,
) -> impl FnOnce(Tokens<'a>) -> ParseResult<'a, T> {
    move |input| {
        let (rest, _) = symbol(open)(input)?;
        let (rest, value) = committed(rest.nested(close, |rest| {
            let (rest, value) = inside(rest)?;
            let (rest, _) = symbol(close)(rest)?;
            Ok((rest, value))
        }))?;
        Ok((rest, value))
    }
}

/// Makes a mismatch final, as nom's [`cut`] does for a parser: no other alternative is tried.
fn committed<T>(result: ParseResult<'_, T>) -> ParseResult<'_, T> {
    result.map_err(|error| match error {
        nom::Err::Error(mismatch) => nom::Err::Failure(mismatch),
        other => other,
    })
}

/// True for a token at which a pipeline, a list or a statement ends.
fn is_end(token: Token<'_>) -> bool {
    token.kind == TokenKind::End
        || token.kind == TokenKind::Symbol && matches!(token.text, "|" | ";" | ")" | "," | "]" | "}")
}

/// Returns a parser of a name: a word that is not reserved, or any text in brackets and quotes, as in `['any text']`.
pub(super) fn name<'a>(expected: &'static str) -> impl Fn(Tokens<'a>) -> ParseResult<'a, Name> {
    move |input| match input.peek() {
        token if token.is_name() => Ok((input.advance(1), name_of(token))),
        token if token.is_symbol("[") => bracketed_name(expected)(input),
        _ => input.mismatch(Expected::Kind(expected)),
    }
}

/// Like [`name`], but reserved words are allowed, for positions at which only a name is possible.
fn any_name<'a>(expected: &'static str) -> impl Fn(Tokens<'a>) -> ParseResult<'a, Name> {
    move |input| match input.peek() {
        token if token.is_plain_word() => Ok((input.advance(1), name_of(token))),
        _ => name(expected)(input),
    }
}

fn name_of(token: Token<'_>) -> Name {
    Name { text: token.text.to_owned(), span: token.span }
}

/// Returns a parser of `['any text']`.
fn bracketed_name<'a>(expected: &'static str) -> impl Fn(Tokens<'a>) -> ParseResult<'a, Name> {
    move |input| {
        if !is_bracketed_name(&input) {
            return input.mismatch(Expected::Kind(expected));
        }
        let (rest, text) = brackets("[", literal::string_literal, "]")(input)?;
        Ok((rest, Name { text, span: rest.span_since(input.span()) }))
    }
}

/// True if a name in brackets begins here.
fn is_bracketed_name(input: &Tokens<'_>) -> bool {
    input.peek().is_symbol("[") && {
        let mut distance = 1;
        while input.peek_at(distance).kind == TokenKind::String {
            distance += 1;
        }
        distance > 1 && input.peek_at(distance).is_symbol("]")
    }
}

/// Parses the name of a type, for example `long`.
fn type_name(input: Tokens<'_>) -> ParseResult<'_, Type> {
    let token = input.peek();
    match Type::from_name(token.text) {
        Some(ty) if token.kind == TokenKind::Word => Ok((input.advance(1), ty)),
        _ => input.mismatch(Expected::Kind("a type")),
    }
}

/// Parses `name:type`.
fn column_declaration(input: Tokens<'_>) -> ParseResult<'_, (Name, Type)> {
    let (rest, name) = any_name("a name")(input)?;
    let (rest, _) = cut(symbol(":")).parse(rest)?;
    let (rest, ty) = cut(type_name).parse(rest)?;
    Ok((rest, (name, ty)))
}

/// Returns a parser of `name = value`, `(a, b) = value`, or a value without a name.
fn assignment<'a>(expected: &'static str) -> impl Fn(Tokens<'a>) -> ParseResult<'a, Assignment> {
    move |input| {
        let (rest, names) = assigned_names(input)?;
        assigned_value(rest, names, expected)
    }
}

/// Parses the value of an assignment, after its `names` and the `=`.
fn assigned_value<'a>(input: Tokens<'a>, names: Vec<Name>, expected: &'static str) -> ParseResult<'a, Assignment> {
    let (rest, value) = match names.is_empty() {
        true => expr::expression(expected)(input)?,
        false => cut(expr::expression("a value")).parse(input)?,
    };
    Ok((rest, Assignment { names, value }))
}

/// Parses `name =` or `(a, b) =`; returns no names if neither begins here.
fn assigned_names(input: Tokens<'_>) -> ParseResult<'_, Vec<Name>> {
    if begins_named(&input) {
        let (rest, name) = any_name("a name")(input)?;
        return Ok((rest.advance(1), vec![name]));
    }
    if input.peek().is_symbol("(") && input.peek_after_brackets().is_symbol("=") {
        let (rest, names) = brackets("(", comma_list(any_name("a name")), ")")(input)?;
        return Ok((rest.advance(1), names));
    }
    Ok((input, Vec::new()))
}

/// True if `name =` begins here.
fn begins_named(input: &Tokens<'_>) -> bool {
    input.peek().is_plain_word() && input.peek_at(1).is_symbol("=")
        || is_bracketed_name(input) && input.peek_after_brackets().is_symbol("=")
}

/// Returns a parser of a column or a pattern: `name`, `*`, `pre*fix*`. No whitespace separates the parts of a
/// pattern.
fn column_pattern<'a>(expected: &'static str) -> impl Fn(Tokens<'a>) -> ParseResult<'a, ColumnPattern> {
    move |input| {
        let first = input.peek();
        let is_pattern = first.is_symbol("*") || first.is_plain_word() && is_glued_star(first, input.peek_at(1));
        if !is_pattern {
            let (rest, name) = name(expected)(input)?;
            return Ok((rest, ColumnPattern { name, wildcard: false }));
        }
        let (mut rest, mut text) = (input.advance(1), first.text.to_owned());
        while is_glued_part(rest.span_since(first.span), rest.peek()) {
            text.push_str(rest.peek().text);
            rest = rest.advance(1);
        }
        let span = rest.span_since(first.span);
        Ok((rest, ColumnPattern { name: Name { text, span }, wildcard: true }))
    }
}

fn is_glued_star(before: Token<'_>, token: Token<'_>) -> bool {
    token.is_symbol("*") && before.span.end == token.span.start
}

fn is_glued_part(before: Span, token: Token<'_>) -> bool {
    before.end == token.span.start && (token.is_symbol("*") || token.is_plain_word() || token.kind == TokenKind::Long)
}

/// Parses a parameter before the operands of an operator. Its name may have dots: `hint.strategy = shuffle`.
pub(super) fn parameter(input: Tokens<'_>) -> ParseResult<'_, Parameter> {
    let (mut rest, mut name) = any_name("a parameter")(input)?;
    while rest.peek().is_symbol(".") {
        let (after, part) = cut(any_name("a parameter")).parse(rest.advance(1))?;
        name = Name { text: format!("{}.{}", name.text, part.text), span: name.span.to(part.span) };
        rest = after;
    }
    let (rest, _) = cut(symbol("=")).parse(rest)?;
    let (rest, value) = cut(parameter_value).parse(rest)?;
    Ok((rest, Parameter { name, value }))
}

/// Parses a name or a literal. Adjacent strings are not concatenated, because the second may be an operand.
fn parameter_value(input: Tokens<'_>) -> ParseResult<'_, ParsedExpr> {
    let token = input.peek();
    if token.kind == TokenKind::String {
        let (rest, text) = literal::single_string(input)?;
        return Ok((rest, literal_expr(Value::string(text), token.span)));
    }
    default_value(input)
}

/// Parses a name or a literal.
fn default_value(input: Tokens<'_>) -> ParseResult<'_, ParsedExpr> {
    let token = input.peek();
    if token.is_plain_word() || token.is_symbol("[") {
        let (rest, name) = any_name("a value")(input)?;
        return Ok((rest, ParsedExpr { span: name.span, kind: ParsedExprKind::Name(name) }));
    }
    literal::signed_literal(input)
}

/// True if a [`parameter`] begins here: `name =` or `name.name =`.
fn is_parameter(input: &Tokens<'_>) -> bool {
    let mut distance = 1;
    while input.peek_at(distance).is_symbol(".") {
        distance += 2;
    }
    input.peek().is_plain_word() && input.peek_at(distance).is_symbol("=")
}

/// True if a hint begins here: `hint.name =`.
fn is_hint(input: &Tokens<'_>) -> bool {
    input.peek().is_word("hint") && input.peek_at(1).is_symbol(".") && is_parameter(input)
}

/// Parses all parameters before the operands of an operator.
fn parameters(input: Tokens<'_>) -> ParseResult<'_, Vec<Parameter>> {
    many0(|input| if is_parameter(&input) { parameter(input) } else { Err(nom::Err::Error(Mismatch)) }).parse(input)
}

/// Parses a hint: `hint.name = value`.
fn hint(input: Tokens<'_>) -> ParseResult<'_, Parameter> {
    if is_hint(&input) { parameter(input) } else { Err(nom::Err::Error(Mismatch)) }
}

/// Returns a literal as an expression.
fn literal_expr(value: Value, span: Span) -> ParsedExpr {
    ParsedExpr { kind: ParsedExprKind::Literal(value), span }
}
