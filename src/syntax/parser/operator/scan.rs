//! Parses `scan`.

use nom::Parser;
use nom::branch::alt;
use nom::combinator::cut;
use nom::multi::many1;

use super::super::expr::expression;
use super::super::{
    Expected, ParseResult, Tokens, any_name, brackets, column_declaration, comma_list, committed, literal, parameters,
    symbol, unsupported, word,
};
use crate::syntax::ast::{Assignment, OperatorKind, ScanColumnDeclaration, ScanOperator, ScanStep, ScanStepOutput};

/// Parses `scan with_match_id=m declare (a:long = 0, ...) with (step s: condition => a = b, ...; ...)`.
pub(super) fn scan_operator(input: Tokens<'_>) -> ParseResult<'_, OperatorKind> {
    let (rest, parameters) = parameters(input)?;
    let (rest, ()) = unsupported::scan_clause(rest)?;
    let (rest, declared) = scan_declarations(rest)?;
    let (rest, _) = cut(word("with")).parse(rest)?;
    let (rest, steps) = committed(brackets("(", |input| many1(scan_step).parse(input), ")")(rest))?;
    Ok((rest, OperatorKind::Scan(Box::new(ScanOperator { parameters, declared, steps }))))
}

/// Parses `declare (name:type = default, ...)`; returns no columns if it does not follow.
fn scan_declarations(input: Tokens<'_>) -> ParseResult<'_, Vec<ScanColumnDeclaration>> {
    if !input.peek().is_word("declare") {
        input.note(Expected::Text("declare"));
        return Ok((input, Vec::new()));
    }
    committed(brackets("(", declaration_list, ")")(input.advance(1)))
}

fn declaration_list(input: Tokens<'_>) -> ParseResult<'_, Vec<ScanColumnDeclaration>> {
    if input.peek().is_symbol(")") {
        return Ok((input, Vec::new()));
    }
    comma_list(scan_declaration)(input)
}

/// Parses a declared column: `name:type` or `name:type = default`.
fn scan_declaration(input: Tokens<'_>) -> ParseResult<'_, ScanColumnDeclaration> {
    let (rest, (name, ty)) = column_declaration(input)?;
    if !rest.peek().is_symbol("=") {
        rest.note(Expected::Text("="));
        return Ok((rest, ScanColumnDeclaration { name, ty, default: None }));
    }
    let (rest, default) = cut(literal::signed_literal).parse(rest.advance(1))?;
    Ok((rest, ScanColumnDeclaration { name, ty, default: Some(default) }))
}

/// Parses `step name optional output=last: condition => name = value, ...;`.
fn scan_step(input: Tokens<'_>) -> ParseResult<'_, ScanStep> {
    let (rest, _) = word("step")(input)?;
    let (rest, name) = cut(any_name("a name")).parse(rest)?;
    let optional = rest.peek().is_word("optional").then(|| rest.span());
    let rest = if optional.is_some() { rest.advance(1) } else { rest };
    let (rest, output) = scan_step_output(rest)?;
    let (rest, (_, condition)) = (cut(symbol(":")), cut(expression("a condition"))).parse(rest)?;
    let (rest, assignments) = match rest.peek().is_symbol("=>") {
        true => committed(comma_list(step_assignment)(rest.advance(1)))?,
        false => {
            rest.note(Expected::Text("=>"));
            (rest, Vec::new())
        }
    };
    let (rest, _) = cut(symbol(";")).parse(rest)?;
    Ok((rest, ScanStep { name, optional, output, condition, assignments }))
}

/// Parses `output = all`, `last` or `none`; returns None if it does not follow.
fn scan_step_output(input: Tokens<'_>) -> ParseResult<'_, Option<ScanStepOutput>> {
    if !input.peek().is_word("output") {
        input.note(Expected::Text("output"));
        return Ok((input, None));
    }
    let (rest, _) = cut(symbol("=")).parse(input.advance(1))?;
    let output = alt((
        word("all").map(|_| ScanStepOutput::All),
        word("last").map(|_| ScanStepOutput::Last),
        word("none").map(|_| ScanStepOutput::None),
    ));
    cut(output).map(Some).parse(rest)
}

/// Parses an assignment to a declared column: `name = value`.
fn step_assignment(input: Tokens<'_>) -> ParseResult<'_, Assignment> {
    let (rest, (name, _)) = (any_name("a declared column"), cut(symbol("="))).parse(input)?;
    let (rest, value) = cut(expression("a value")).parse(rest)?;
    Ok((rest, Assignment { names: vec![name], value }))
}
