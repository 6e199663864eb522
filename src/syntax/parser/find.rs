//! Parses `find`, which begins a pipeline.

use nom::Parser;
use nom::combinator::cut;

use super::source::{search_predicate, search_tables};
use super::{
    Expected, ParseResult, Tokens, any_name, brackets, comma_list, committed, parameters, symbol, type_name, word,
};
use crate::syntax::ast::{Find, FindColumn, SourceKind};

/// Parses `find withsource=name in (A, B) where condition project a, b:long, pack_all()`.
pub(super) fn find_source(input: Tokens<'_>) -> ParseResult<'_, SourceKind> {
    let (rest, _) = word("find")(input)?;
    let (rest, parameters) = parameters(rest)?;
    let (rest, tables) = search_tables(rest)?;
    let has_where = rest.peek().is_word("where");
    let (rest, ()) = match has_where || !tables.is_empty() {
        true => committed(word("where").map(|_| ()).parse(rest))?,
        false => {
            rest.note(Expected::Text("where"));
            (rest, ())
        }
    };
    let (rest, predicate) = search_predicate(rest)?;
    let (rest, columns) = find_columns(rest)?;
    Ok((rest, SourceKind::Find(Box::new(Find { parameters, tables, predicate, columns }))))
}

/// Parses `project a, b:long, pack_all()`. Returns None for `project-smart`, which is the default.
fn find_columns(input: Tokens<'_>) -> ParseResult<'_, Option<Vec<FindColumn>>> {
    if input.peek().is_word("project-smart") {
        return Ok((input.advance(1), None));
    }
    if !input.peek().is_word("project") {
        input.note(Expected::Text("project"));
        input.note(Expected::Text("project-smart"));
        return Ok((input, None));
    }
    let (rest, columns) = committed(comma_list(find_column)(input.advance(1)))?;
    Ok((rest, Some(columns)))
}

/// Parses an output column: `a`, `a:long`, `pack_all()` or `pack(*)`.
fn find_column(input: Tokens<'_>) -> ParseResult<'_, FindColumn> {
    let (first, is_call) = (input.peek(), input.peek_at(1).is_symbol("("));
    if is_call && first.is_word("pack_all") {
        let (rest, ()) = committed(brackets("(", |inside| Ok((inside, ())), ")")(input.advance(1)))?;
        return Ok((rest, FindColumn::Pack(rest.span_since(first.span))));
    }
    if is_call && first.is_word("pack") {
        let (rest, _) = committed(brackets("(", symbol("*"), ")")(input.advance(1)))?;
        return Ok((rest, FindColumn::Pack(rest.span_since(first.span))));
    }
    let (rest, name) = any_name("a column")(input)?;
    if !rest.peek().is_symbol(":") {
        rest.note(Expected::Text(":"));
        return Ok((rest, FindColumn::Named(name, None)));
    }
    let (rest, ty) = cut(type_name).parse(rest.advance(1))?;
    Ok((rest, FindColumn::Named(name, Some(ty))))
}
