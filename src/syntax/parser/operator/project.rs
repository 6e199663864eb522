//! Parses `project` and its variants.

use nom::Parser;
use nom::combinator::cut;

use super::super::expr::expression;
use super::super::{ParseResult, Tokens, any_name, assignment, column_pattern, comma_list, name, symbol};
use super::MapList;
use crate::syntax::ast::{Assignment, OperatorKind, ParsedExpr, ParsedExprKind, ReorderItem, ReorderOrder};

/// Parses `project a, b = f(c)`.
pub(super) fn project_operator(input: Tokens<'_>) -> ParseResult<'_, OperatorKind> {
    comma_list(assignment("a column")).map_list(OperatorKind::Project, input)
}

/// Parses `project-away a, b*`.
pub(super) fn project_away_operator(input: Tokens<'_>) -> ParseResult<'_, OperatorKind> {
    comma_list(column_pattern("a column")).map_list(OperatorKind::ProjectAway, input)
}

/// Parses `project-by-names "a", dynamic(["b", "c*"])`.
pub(super) fn project_by_names_operator(input: Tokens<'_>) -> ParseResult<'_, OperatorKind> {
    comma_list(expression("the name of a column")).map_list(OperatorKind::ProjectByNames, input)
}

/// Parses `project-keep a, b*`.
pub(super) fn project_keep_operator(input: Tokens<'_>) -> ParseResult<'_, OperatorKind> {
    comma_list(column_pattern("a column")).map_list(OperatorKind::ProjectKeep, input)
}

/// Parses `project-rename new = old`.
pub(super) fn project_rename_operator(input: Tokens<'_>) -> ParseResult<'_, OperatorKind> {
    comma_list(renaming).map_list(OperatorKind::ProjectRename, input)
}

fn renaming(input: Tokens<'_>) -> ParseResult<'_, Assignment> {
    let (rest, (new, _, old)) = (any_name("a column"), cut(symbol("=")), cut(name("a column"))).parse(input)?;
    let value = ParsedExpr { span: old.span, kind: ParsedExprKind::Name(old) };
    Ok((rest, Assignment { names: vec![new], value }))
}

/// Parses `project-reorder a, b* asc`.
pub(super) fn project_reorder_operator(input: Tokens<'_>) -> ParseResult<'_, OperatorKind> {
    comma_list(reorder_item).map_list(OperatorKind::ProjectReorder, input)
}

fn reorder_item(input: Tokens<'_>) -> ParseResult<'_, ReorderItem> {
    let (rest, pattern) = column_pattern("a column")(input)?;
    let order = [
        ("asc", ReorderOrder::Ascending),
        ("desc", ReorderOrder::Descending),
        ("granny-asc", ReorderOrder::GrannyAscending),
        ("granny-desc", ReorderOrder::GrannyDescending),
    ]
    .into_iter()
    .find(|(word, _)| rest.peek().is_word(word))
    .map(|(_, order)| order);
    Ok((rest.advance(usize::from(order.is_some())), ReorderItem { pattern, order }))
}
