//! Parses `top-nested`.

use nom::Parser;
use nom::combinator::cut;

use super::super::expr::expression;
use super::super::{Expected, ParseResult, Tokens, assignment, committed, symbol, word};
use crate::syntax::ast::{OperatorKind, ParsedExpr, SortOrder, TopNestedLevel};

/// Parses `top-nested n of a by sum(b), top-nested ...`.
pub(super) fn top_nested_operator(input: Tokens<'_>) -> ParseResult<'_, OperatorKind> {
    let (mut rest, first) = top_nested_level(input)?;
    let mut levels = vec![first];
    while rest.peek().is_symbol(",") && rest.peek_at(1).is_word("top-nested") {
        let (after, level) = committed(top_nested_level(rest.advance(2)))?;
        levels.push(level);
        rest = after;
    }
    rest.note(Expected::Text(","));
    Ok((rest, OperatorKind::TopNested(levels)))
}

/// Parses a level: `n of a with others = b by sum(c) desc`.
fn top_nested_level(input: Tokens<'_>) -> ParseResult<'_, TopNestedLevel> {
    let (rest, count) = level_count(input)?;
    let (rest, _) = cut(word("of")).parse(rest)?;
    let (rest, of) = committed(assignment("a column")(rest))?;
    let (rest, others) = level_others(rest)?;
    let (rest, _) = cut(word("by")).parse(rest)?;
    let (rest, by) = committed(assignment("an aggregate")(rest))?;
    let token = rest.peek();
    let order = match token.text {
        "asc" => Some(SortOrder::Ascending),
        "desc" => Some(SortOrder::Descending),
        _ => {
            rest.note(Expected::Text("asc"));
            rest.note(Expected::Text("desc"));
            None
        }
    };
    let rest = rest.advance(usize::from(order.is_some()));
    Ok((rest, TopNestedLevel { count, of, others, by, order }))
}

/// Parses the number before `of`; returns None if `of` follows at once. A column may be called `of`, too.
fn level_count(input: Tokens<'_>) -> ParseResult<'_, Option<ParsedExpr>> {
    let is_name =
        input.peek_at(1).is_word("of") && !input.peek_at(2).is_word("by") && !input.peek_at(2).is_word("with");
    if input.peek().is_word("of") && !is_name {
        return Ok((input, None));
    }
    input.note(Expected::Text("of"));
    expression("a number of values").map(Some).parse(input)
}

/// Parses `with others = constant`; returns None if it does not follow.
fn level_others(input: Tokens<'_>) -> ParseResult<'_, Option<ParsedExpr>> {
    if !input.peek().is_word("with") {
        input.note(Expected::Text("with"));
        return Ok((input, None));
    }
    let (rest, (_, _, others)) =
        (cut(word("others")), cut(symbol("=")), cut(expression("a value"))).parse(input.advance(1))?;
    Ok((rest, Some(others)))
}
