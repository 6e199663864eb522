//! Parses `partition`.

use nom::Parser;
use nom::combinator::cut;
use nom::multi::many0;

use super::super::source::{pipeline, subquery};
use super::super::{Expected, ParseResult, Tokens, brackets, committed, hint, name, word};
use crate::syntax::ast::{OperatorKind, PartitionBody};

/// Parses `partition hint.strategy=native by a (operators)` or `partition by a { pipeline }`.
pub(super) fn partition_operator(input: Tokens<'_>) -> ParseResult<'_, OperatorKind> {
    let (rest, parameters) = many0(hint).parse(input)?;
    let (rest, (_, key)) = (cut(word("by")), cut(name("a column"))).parse(rest)?;
    let (rest, body) = if rest.peek().is_symbol("{") {
        let (rest, body) = committed(brackets("{", pipeline, "}")(rest))?;
        (rest, PartitionBody::Pipeline(Box::new(body)))
    } else {
        rest.note(Expected::Text("{"));
        let (rest, body) = committed(brackets("(", subquery, ")")(rest))?;
        (rest, PartitionBody::Operators(body))
    };
    Ok((rest, OperatorKind::Partition { parameters, key, body }))
}
