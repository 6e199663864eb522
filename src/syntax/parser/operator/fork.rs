//! Parses `fork` and `facet`, which return several results.

use nom::Parser;
use nom::combinator::{cut, opt};

use super::super::source::subquery;
use super::super::{
    Expected, ParseResult, Tokens, any_name, begins_named, brackets, comma_list, committed, name, symbol, word,
};
use super::operator;
use crate::syntax::ast::{ForkBranch, OperatorKind};

/// Parses `fork name=(operators) (operators)`.
pub(super) fn fork_operator(input: Tokens<'_>) -> ParseResult<'_, OperatorKind> {
    let (mut rest, first) = committed(fork_branch(input))?;
    let mut branches = vec![first];
    while begins_branch(&rest) {
        let (after, branch) = committed(fork_branch(rest))?;
        branches.push(branch);
        rest = after;
    }
    rest.note(Expected::Text("("));
    Ok((rest, OperatorKind::Fork(branches)))
}

fn begins_branch(input: &Tokens<'_>) -> bool {
    input.peek().is_symbol("(") || begins_named(input)
}

/// Parses a branch: `name=(operators)` or `(operators)`.
fn fork_branch(input: Tokens<'_>) -> ParseResult<'_, ForkBranch> {
    let (rest, name) = match begins_named(&input) {
        true => (any_name("a name"), symbol("=")).map(|(name, _)| Some(name)).parse(input)?,
        false => (input, None),
    };
    let (rest, operators) = brackets("(", subquery, ")")(rest)?;
    Ok((rest, ForkBranch { name, operators }))
}

/// Parses `facet by a, b with (operators)` or `facet by a with operator`.
pub(super) fn facet_operator(input: Tokens<'_>) -> ParseResult<'_, OperatorKind> {
    let (rest, _) = cut(word("by")).parse(input)?;
    let (rest, columns) = committed(comma_list(name("a column"))(rest))?;
    let (rest, with) = opt(facet_with).parse(rest)?;
    Ok((rest, OperatorKind::Facet { columns, with }))
}

/// Parses `with (operators)` or `with operator`.
fn facet_with(input: Tokens<'_>) -> ParseResult<'_, Vec<crate::syntax::ast::Operator>> {
    let (rest, _) = word("with")(input)?;
    match rest.peek().is_symbol("(") {
        true => committed(brackets("(", subquery, ")")(rest)),
        false => cut(operator).map(|operator| vec![operator]).parse(rest),
    }
}
