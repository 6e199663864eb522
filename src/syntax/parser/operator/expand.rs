//! `mv-expand`.

use nom::Parser;
use nom::combinator::cut;

use super::super::expr::expression;
use super::super::{
    Expected, Parsed, TokenKind, Tokens, assignment, brackets, comma_list, committed, is_hint, parameters, type_name,
    word,
};
use crate::syntax::ast::{MvExpandItem, OperatorKind};
use crate::types::Type;

/// `mv-expand kind=array a, b = c to typeof(long) limit 10`.
pub(super) fn mv_expand_operator(input: Tokens<'_>) -> Parsed<'_, OperatorKind> {
    let (rest, parameters) = parameters(is_expand_parameter)(input)?;
    let (rest, items) = comma_list(mv_expand_item)(rest)?;
    if !rest.peek().is_word("limit") {
        rest.note(Expected::Text("limit"));
        return Ok((rest, OperatorKind::MvExpand { parameters, items, limit: None }));
    }
    let (rest, limit) = cut(expression("a number of rows")).parse(rest.advance(1))?;
    Ok((rest, OperatorKind::MvExpand { parameters, items, limit: Some(limit) }))
}

/// `kind = array a`: a parameter, as something to expand follows. `kind = a` is an item of that name.
fn is_expand_parameter(input: &Tokens<'_>) -> bool {
    let is_known = matches!(input.peek().text, "bagexpansion" | "kind" | "with_itemindex");
    let next = input.peek_at(3);
    let goes_on = next.is_plain_word() && !matches!(next.text, "to" | "limit") && is_item_start(&input.advance(3));
    is_hint(input) || is_known && input.peek_at(1).is_symbol("=") && input.peek_at(2).is_plain_word() && goes_on
}

/// True for a word that begins an item, rather than continuing the value before it.
fn is_item_start(input: &Tokens<'_>) -> bool {
    input.peek().kind == TokenKind::Word && super::super::expr::infix_at(input).is_none()
}

/// A value, its name, `to typeof(type)`.
fn mv_expand_item(input: Tokens<'_>) -> Parsed<'_, MvExpandItem> {
    let (rest, assignment) = assignment("a column")(input)?;
    if !rest.peek().is_word("to") {
        rest.note(Expected::Text("to"));
        return Ok((rest, MvExpandItem { assignment, to: None }));
    }
    let (rest, ty) = cut(element_type).parse(rest.advance(1))?;
    Ok((rest, MvExpandItem { assignment, to: Some(ty) }))
}

/// `typeof(type)`.
fn element_type(input: Tokens<'_>) -> Parsed<'_, Type> {
    let (rest, _) = word("typeof")(input)?;
    committed(brackets("(", type_name, ")")(rest))
}
