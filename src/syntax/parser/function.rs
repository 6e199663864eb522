//! Parses functions that a query defines: `(parameter:type) { body }`.

use nom::Parser;
use nom::combinator::{cut, opt};

use super::expr::{expression_or_pipeline, infix_at};
use super::statement::{begins_let, let_statement};
use super::{
    Expected, ParseResult, Tokens, any_name, brackets, column_declaration, comma_list, committed, literal, symbol,
    type_name, unsupported,
};
use crate::syntax::ast::{
    DatatableColumn, Function, FunctionBody, FunctionParameter, LetValue, ParameterKind, ParsedExpr, ParsedExprKind,
    Statement,
};

/// True if a function begins here: parentheses and braces, optionally after `view`.
pub(in crate::syntax) fn begins_function(input: &Tokens<'_>) -> bool {
    let list = if input.peek().is_word("view") { input.advance(1) } else { *input };
    list.peek().is_symbol("(") && list.peek_after_brackets().is_symbol("{")
}

/// Parses `view (parameter, ...) { body }`.
pub(in crate::syntax) fn function(input: Tokens<'_>) -> ParseResult<'_, Function> {
    let view = input.peek().is_word("view");
    let rest = if view { input.advance(1) } else { input };
    let (rest, parameters) = committed(brackets("(", function_parameters, ")")(rest))?;
    let (rest, body) = committed(function_body(rest))?;
    Ok((rest, Function { view, parameters, body, span: rest.span_since(input.span()) }))
}

fn function_parameters(input: Tokens<'_>) -> ParseResult<'_, Vec<FunctionParameter>> {
    if input.peek().is_symbol(")") {
        return Ok((input, Vec::new()));
    }
    comma_list(function_parameter)(input)
}

/// Parses a parameter: `name:type`, `name:type = default`, `name:(column:type, ...)` or `name:(*)`.
fn function_parameter(input: Tokens<'_>) -> ParseResult<'_, FunctionParameter> {
    let (rest, name) = any_name("a parameter")(input)?;
    let (rest, _) = cut(symbol(":")).parse(rest)?;
    let (rest, kind) = match rest.peek().is_symbol("(") {
        true => table_type.map(ParameterKind::Tabular).parse(rest)?,
        false => cut(scalar_type).parse(rest)?,
    };
    Ok((rest, FunctionParameter { name, kind }))
}

/// Parses the type of a table: `(column:type, ...)`, or `(*)`, for which it returns no columns.
fn table_type(input: Tokens<'_>) -> ParseResult<'_, Vec<DatatableColumn>> {
    if input.peek_at(1).is_symbol("*") {
        let (rest, _) = brackets("(", symbol("*"), ")")(input)?;
        return Ok((rest, Vec::new()));
    }
    brackets("(", comma_list(column_declaration.map(|(name, ty)| DatatableColumn { name, ty })), ")")(input)
}

/// Parses the type of a value: `type`, or `type = default`.
fn scalar_type(input: Tokens<'_>) -> ParseResult<'_, ParameterKind> {
    let (rest, ty) = type_name(input)?;
    if !rest.peek().is_symbol("=") {
        rest.note(Expected::Text("="));
        return Ok((rest, ParameterKind::Scalar { ty, default: None }));
    }
    let (rest, default) = cut(literal::signed_literal).parse(rest.advance(1))?;
    Ok((rest, ParameterKind::Scalar { ty, default: Some(default) }))
}

/// Parses `{ let name = value; ... result }`.
pub(super) fn function_body(input: Tokens<'_>) -> ParseResult<'_, FunctionBody> {
    brackets("{", statements, "}")(input)
}

/// True if a `let` statement begins here, and not a value that is named `let`.
fn begins_local(input: &Tokens<'_>) -> bool {
    let after = input.advance(1);
    let is_index = after.peek().is_symbol("[") && !after.peek_after_brackets().is_symbol("=");
    begins_let(input) && infix_at(&after).is_none() && !is_index
}

fn statements(input: Tokens<'_>) -> ParseResult<'_, FunctionBody> {
    let (mut rest, mut lets) = (input, Vec::new());
    while begins_local(&rest) {
        let (after, kind) = let_statement(rest)?;
        lets.push(Statement { kind, span: after.span_since(rest.span()) });
        (rest, _) = committed(symbol(";")(after))?;
    }
    if unsupported::begins_declaration(&rest) {
        return unsupported::declaration(rest);
    }
    let (rest, result) = expression_or_pipeline("a value or a table")(rest)?;
    let (rest, _) = opt(symbol(";")).parse(rest)?;
    let result = match result {
        ParsedExpr { kind: ParsedExprKind::Pipeline(pipeline), .. } => LetValue::Pipeline(*pipeline),
        value => LetValue::Expr(value),
    };
    Ok((rest, FunctionBody { lets, result }))
}
