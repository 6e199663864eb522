//! Parses `reduce`.

use nom::Parser;
use nom::combinator::cut;

use super::super::{Expected, ParseResult, Tokens, assignment, comma_list, committed, is_parameter, parameter, word};
use crate::syntax::ast::{OperatorKind, Parameter};
use crate::syntax::stream::Mismatch;

/// Parses `reduce kind=source by a with threshold=0.1, characters="X"`.
pub(super) fn reduce_operator(input: Tokens<'_>) -> ParseResult<'_, OperatorKind> {
    let (rest, kind) = match is_parameter(&input) {
        true => parameter.map(Some).parse(input)?,
        false => (input, None),
    };
    let (rest, (_, value)) = (cut(word("by")), cut(assignment("a string"))).parse(rest)?;
    if !rest.peek().is_word("with") {
        rest.note(Expected::Text("with"));
        return Ok((rest, OperatorKind::Reduce { kind, value, properties: Vec::new() }));
    }
    let (rest, properties) = committed(comma_list(reduce_property)(rest.advance(1)))?;
    Ok((rest, OperatorKind::Reduce { kind, value, properties }))
}

/// Parses a property: `threshold = 0.1` or `characters = "X"`.
fn reduce_property(input: Tokens<'_>) -> ParseResult<'_, Parameter> {
    if is_parameter(&input) { parameter(input) } else { Err(nom::Err::Error(Mismatch)) }
}
