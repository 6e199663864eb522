//! `join` and `lookup`.

use nom::Parser;
use nom::combinator::cut;

use super::super::expr::expression;
use super::super::source::table_operand;
use super::super::{Parsed, Tokens, comma_list, committed, parameters, word};
use crate::syntax::ast::{JoinKey, OperatorKind, Parameter, Pipeline};

/// `join kind=inner (right) on key`.
pub(super) fn join_operator(input: Tokens<'_>) -> Parsed<'_, OperatorKind> {
    let (rest, (parameters, right, on)) = join_parts(input)?;
    Ok((rest, OperatorKind::Join { parameters, right: Box::new(right), on }))
}

/// `lookup kind=leftouter (right) on key`.
pub(super) fn lookup_operator(input: Tokens<'_>) -> Parsed<'_, OperatorKind> {
    let (rest, (parameters, right, on)) = join_parts(input)?;
    Ok((rest, OperatorKind::Lookup { parameters, right: Box::new(right), on }))
}

type JoinParts = (Vec<Parameter>, Pipeline, Vec<JoinKey>);

fn join_parts(input: Tokens<'_>) -> Parsed<'_, JoinParts> {
    (parameters, cut(table_operand), cut(on_clause)).parse(input)
}

/// `on a, $left.b == $right.c`.
fn on_clause(input: Tokens<'_>) -> Parsed<'_, Vec<JoinKey>> {
    let (rest, _) = word("on")(input)?;
    let key = expression("a column").map(|condition| JoinKey { condition });
    committed(comma_list(key)(rest))
}
