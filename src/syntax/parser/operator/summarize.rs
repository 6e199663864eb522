//! Parses `summarize`.

use nom::Parser;
use nom::multi::many0;

use super::super::{Expected, ParseResult, Tokens, assignment, comma_list, committed, hint};
use crate::syntax::ast::{Assignment, OperatorKind};

/// Parses `summarize a = count(), ... by b, ...`, which has aggregates, keys, or both.
pub(super) fn summarize_operator(input: Tokens<'_>) -> ParseResult<'_, OperatorKind> {
    let (rest, parameters) = many0(hint).parse(input)?;
    let begins_keys = |rest: &Tokens<'_>| rest.peek().is_word("by") && !rest.peek_at(1).is_symbol("=");
    let (rest, aggregates) = match begins_keys(&rest) {
        true => (rest, Vec::new()),
        false => comma_list(assignment("an aggregate"))(rest)?,
    };
    if !begins_keys(&rest) {
        rest.note(Expected::Text("by"));
        return Ok((rest, OperatorKind::Summarize { parameters, aggregates, by: None }));
    }
    let (rest, by) = by_clause(rest)?;
    Ok((rest, OperatorKind::Summarize { parameters, aggregates, by: Some(by) }))
}

/// Parses `by key, ...`.
pub(super) fn by_clause(input: Tokens<'_>) -> ParseResult<'_, Vec<Assignment>> {
    committed(comma_list(assignment("a column"))(input.advance(1)))
}
