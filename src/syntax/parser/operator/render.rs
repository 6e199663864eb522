//! Parses `render`.

use nom::Parser;
use nom::combinator::cut;

use super::super::{
    Expected, ParseResult, Tokens, brackets, comma_list, committed, is_parameter, name_of, parameter, parameter_value,
    parameters,
};
use crate::syntax::ast::{Name, OperatorKind, Parameter};

/// Parses `render chart kind=stacked with (title = 'x', ycolumns = a, b)`.
pub(super) fn render_operator(input: Tokens<'_>) -> ParseResult<'_, OperatorKind> {
    let (rest, chart) = chart(input)?;
    let (rest, mut properties) = parameters(rest)?;
    if !rest.peek().is_word("with") {
        rest.note(Expected::Text("with"));
        return Ok((rest, OperatorKind::Render { chart, properties }));
    }
    let (rest, more) = cut(with_clause).parse(rest.advance(1))?;
    properties.extend(more);
    Ok((rest, OperatorKind::Render { chart, properties }))
}

fn chart(input: Tokens<'_>) -> ParseResult<'_, Name> {
    let token = input.peek();
    if token.is_plain_word() {
        Ok((input.advance(1), name_of(token)))
    } else {
        input.mismatch(Expected::Kind("a chart"))
    }
}

/// Parses `(property = value, ...)`. A property with several values becomes several properties of the same name.
fn with_clause(input: Tokens<'_>) -> ParseResult<'_, Vec<Parameter>> {
    committed(brackets("(", properties, ")")(input))
}

fn properties(input: Tokens<'_>) -> ParseResult<'_, Vec<Parameter>> {
    let rest = input.advance(usize::from(input.peek().is_symbol(",")));
    if rest.peek().is_symbol(")") {
        return Ok((rest, Vec::new()));
    }
    let (rest, lists) = comma_list(property)(rest)?;
    Ok((rest, lists.into_iter().flatten().collect()))
}

/// Parses a property: `name = value`, or `name = value, value`.
fn property(input: Tokens<'_>) -> ParseResult<'_, Vec<Parameter>> {
    let (mut rest, first) = parameter(input)?;
    let name = first.name.clone();
    let mut list = vec![first];
    while rest.peek().is_symbol(",") && !is_parameter(&rest.advance(1)) {
        let (after, value) = cut(parameter_value).parse(rest.advance(1))?;
        list.push(Parameter { name: name.clone(), value });
        rest = after;
    }
    Ok((rest, list))
}
