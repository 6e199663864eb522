//! Parses `mv-expand` and `mv-apply`.

use nom::Parser;
use nom::combinator::cut;
use nom::multi::many0;

use super::super::expr::expression;
use super::super::source::subquery;
use super::super::{
    Expected, ParseResult, Tokens, assigned_names, assigned_value, brackets, comma_list, committed, hint, parameter,
    type_name, word,
};
use crate::diagnostic::{Code, Diagnostic};
use crate::syntax::ast::{MvExpandItem, Name, OperatorKind, Parameter, ParsedExpr, ParsedExprKind};
use crate::types::{Type, Value};

/// Parses `mv-expand kind=array a, b = c to typeof(long) limit 10`.
pub(super) fn mv_expand_operator(input: Tokens<'_>) -> ParseResult<'_, OperatorKind> {
    let (rest, (parameters, items, limit)) = expansion(input)?;
    Ok((rest, OperatorKind::MvExpand { parameters, items, limit }))
}

/// Maximum number of rows that `mvexpand` without a limit makes of one row. Source: the reference's page on
/// mv-expand.
const LEGACY_LIMIT: i64 = 128;

/// Parses `mvexpand a`, the old form of `mv-expand`, which has a default limit.
pub(super) fn mvexpand_operator(input: Tokens<'_>) -> ParseResult<'_, OperatorKind> {
    let span = input.span();
    let (rest, (parameters, items, limit)) = expansion(input)?;
    let default = || ParsedExpr { kind: ParsedExprKind::Literal(Value::Long(LEGACY_LIMIT)), span };
    Ok((rest, OperatorKind::MvExpand { parameters, items, limit: limit.or_else(|| Some(default())) }))
}

/// Parses `mv-apply a, b = c to typeof(long) limit 10 on (operators)`.
pub(super) fn mv_apply_operator(input: Tokens<'_>) -> ParseResult<'_, OperatorKind> {
    let (rest, (parameters, items, limit)) = expansion(input)?;
    let (rest, _) = committed(word("on")(rest))?;
    let (rest, body) = committed(brackets("(", subquery, ")")(rest))?;
    Ok((rest, OperatorKind::MvApply { parameters, items, limit, body }))
}

/// Parses the part that both operators share: `kind=array a, b = c to typeof(long) limit 10`.
fn expansion(input: Tokens<'_>) -> ParseResult<'_, (Vec<Parameter>, Vec<MvExpandItem>, Option<ParsedExpr>)> {
    let (rest, parameters) = many0(expand_parameter).parse(input)?;
    let (rest, items) = comma_list(mv_expand_item)(rest)?;
    if !rest.peek().is_word("limit") {
        rest.note(Expected::Text("limit"));
        return Ok((rest, (parameters, items, None)));
    }
    let (rest, limit) = cut(expression("a number of rows")).parse(rest.advance(1))?;
    Ok((rest, (parameters, items, Some(limit))))
}

/// The parameters of `mv-expand`.
const EXPAND_PARAMETERS: &[&str] = &["bagexpansion", "kind", "with_itemindex"];

/// Parses a parameter: `kind = array`, `bagexpansion = array`, `with_itemindex = name`, or a hint.
fn expand_parameter(input: Tokens<'_>) -> ParseResult<'_, Parameter> {
    if begins_parameter(&input, EXPAND_PARAMETERS) { parameter(input) } else { hint(input) }
}

/// True if one of the parameters `names` begins here.
pub(super) fn begins_parameter(input: &Tokens<'_>, names: &[&str]) -> bool {
    names.contains(&input.peek().text) && input.peek_at(1).is_symbol("=")
}

/// Parses a value with an optional name and an optional `to typeof(type)`.
fn mv_expand_item(input: Tokens<'_>) -> ParseResult<'_, MvExpandItem> {
    let (rest, names) = item_names(input, EXPAND_PARAMETERS)?;
    let (rest, assignment) = assigned_value(rest, names, "a column")?;
    if !rest.peek().is_word("to") {
        rest.note(Expected::Text("to"));
        return Ok((rest, MvExpandItem { assignment, to: None }));
    }
    let (rest, ty) = cut(element_type).parse(rest.advance(1))?;
    Ok((rest, MvExpandItem { assignment, to: Some(ty) }))
}

/// Parses the names of an item and the `=` after them. The name of a parameter is reported as misplaced.
pub(super) fn item_names<'a>(input: Tokens<'a>, parameters: &[&str]) -> ParseResult<'a, Vec<Name>> {
    if !begins_parameter(&input, parameters) {
        return assigned_names(input);
    }
    let word = input.peek().text;
    let message = format!("the parameter `{word}` goes before the columns");
    let diagnostic = Diagnostic::new(Code::UnexpectedToken, input.span(), message);
    input.refuse(diagnostic.help(format!("for a column of this name, write ['{word}']")))
}

/// Parses `typeof(type)`.
fn element_type(input: Tokens<'_>) -> ParseResult<'_, Type> {
    let (rest, _) = word("typeof")(input)?;
    committed(brackets("(", type_name, ")")(rest))
}
