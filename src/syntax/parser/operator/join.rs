//! Parses `join` and `lookup`.

use nom::Parser;
use nom::combinator::cut;

use super::super::expr::expression;
use super::super::source::table_operand;
use super::super::{ParseResult, Tokens, comma_list, committed, parameters, word};
use crate::syntax::ast::{JoinCondition, OperatorKind, Parameter, Pipeline};

/// Parses `join kind=inner (right) on key`.
pub(super) fn join_operator(input: Tokens<'_>) -> ParseResult<'_, OperatorKind> {
    let (rest, (parameters, right, on)) = join_parts(input)?;
    Ok((rest, OperatorKind::Join { parameters, right: Box::new(right), on }))
}

/// Parses `lookup kind=leftouter (right) on key`.
pub(super) fn lookup_operator(input: Tokens<'_>) -> ParseResult<'_, OperatorKind> {
    let (rest, (parameters, right, on)) = join_parts(input)?;
    Ok((rest, OperatorKind::Lookup { parameters, right: Box::new(right), on }))
}

type JoinParts = (Vec<Parameter>, Pipeline, Vec<JoinCondition>);

fn join_parts(input: Tokens<'_>) -> ParseResult<'_, JoinParts> {
    (parameters, cut(table_operand), cut(on_clause)).parse(input)
}

/// Parses `on a, $left.b == $right.c`.
fn on_clause(input: Tokens<'_>) -> ParseResult<'_, Vec<JoinCondition>> {
    let (rest, _) = word("on")(input)?;
    let key = expression("a column").map(|condition| JoinCondition { condition });
    committed(comma_list(key)(rest))
}
