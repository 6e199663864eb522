//! Parses `sample`, `sample-distinct` and `top-hitters`, which take a number of rows or values.

use nom::Parser;
use nom::combinator::cut;

use super::super::expr::expression;
use super::super::{Expected, ParseResult, Tokens, assignment, committed, word};
use crate::syntax::ast::{OperatorKind, ParsedExpr};

/// Parses `sample n`.
pub(super) fn sample_operator(input: Tokens<'_>) -> ParseResult<'_, OperatorKind> {
    expression("a number of rows").map(OperatorKind::Sample).parse(input)
}

/// Parses `sample-distinct n of a`.
pub(super) fn sample_distinct_operator(input: Tokens<'_>) -> ParseResult<'_, OperatorKind> {
    let (rest, (count, of)) = values_of(input)?;
    Ok((rest, OperatorKind::SampleDistinct { count, of }))
}

/// Parses `top-hitters n of a by b`.
pub(super) fn top_hitters_operator(input: Tokens<'_>) -> ParseResult<'_, OperatorKind> {
    let (rest, (count, of)) = values_of(input)?;
    if !rest.peek().is_word("by") {
        rest.note(Expected::Text("by"));
        return Ok((rest, OperatorKind::TopHitters { count, of, by: None }));
    }
    let (rest, by) = committed(assignment("a column")(rest.advance(1)))?;
    Ok((rest, OperatorKind::TopHitters { count, of, by: Some(by) }))
}

/// Parses `n of a`.
fn values_of(input: Tokens<'_>) -> ParseResult<'_, (ParsedExpr, ParsedExpr)> {
    let (rest, (count, _)) = (expression("a number of values"), cut(word("of"))).parse(input)?;
    let (rest, of) = committed(expression("a column")(rest))?;
    Ok((rest, (count, of)))
}
