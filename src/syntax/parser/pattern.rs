//! Parses `declare pattern`.

use std::sync::Arc;

use nom::Parser;
use nom::combinator::cut;

use super::function::function_body;
use super::literal::single_string;
use super::{Expected, ParseResult, Tokens, brackets, column_declaration, comma_list, committed, name, symbol, word};
use crate::syntax::ast::{PatternCase, PatternDeclaration, PatternMapping, StatementKind};

/// Parses `declare pattern name` or `declare pattern name = (parameter:string, ...)[path:string] { case ... }`.
pub(super) fn pattern_statement(input: Tokens<'_>) -> ParseResult<'_, StatementKind> {
    let (rest, _) = (word("declare"), cut(word("pattern"))).parse(input)?;
    let (rest, name) = cut(name("a name")).parse(rest)?;
    let (rest, mapping) = if rest.peek().is_symbol("=") {
        committed(pattern_mapping(rest.advance(1)))?
    } else {
        rest.note(Expected::Text("="));
        (rest, None)
    };
    Ok((rest, StatementKind::DeclarePattern(Arc::new(PatternDeclaration { name, mapping }))))
}

/// Parses the parameters and cases: `(parameter:string, ...)[path:string] { case ... }`.
fn pattern_mapping(input: Tokens<'_>) -> ParseResult<'_, Option<PatternMapping>> {
    let (rest, parameters) = brackets("(", comma_list(column_declaration), ")")(input)?;
    let (rest, path) = if rest.peek().is_symbol("[") {
        let (rest, path) = committed(brackets("[", column_declaration, "]")(rest))?;
        (rest, Some(path))
    } else {
        rest.note(Expected::Text("["));
        (rest, None)
    };
    let (rest, cases) = committed(brackets("{", pattern_cases, "}")(rest))?;
    Ok((rest, Some(PatternMapping { parameters, path, cases })))
}

fn pattern_cases(input: Tokens<'_>) -> ParseResult<'_, Vec<PatternCase>> {
    let (mut rest, mut cases) = (input, Vec::new());
    while rest.peek().is_symbol("(") {
        let (after, case) = committed(pattern_case(rest))?;
        cases.push(case);
        rest = after;
    }
    rest.note(Expected::Text("("));
    Ok((rest, cases))
}

/// Parses a case: `("argument", ...).["path"] = { body };`
fn pattern_case(input: Tokens<'_>) -> ParseResult<'_, PatternCase> {
    let (rest, arguments) = brackets("(", comma_list(single_string), ")")(input)?;
    let (rest, path) = if rest.peek().is_symbol(".") {
        let (rest, path) = committed(brackets("[", single_string, "]")(rest.advance(1)))?;
        (rest, Some(path))
    } else {
        rest.note(Expected::Text("."));
        (rest, None)
    };
    let (rest, _) = symbol("=")(rest)?;
    let (rest, body) = function_body(rest)?;
    let span = rest.span_since(input.span());
    let (rest, _) = symbol(";")(rest)?;
    Ok((rest, PatternCase { arguments, path, body, span }))
}
