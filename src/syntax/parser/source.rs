//! Parses sources of rows (tables, `print`, `datatable`, `range`, `union`, parentheses) and the operators after them.

use nom::Parser;
use nom::combinator::cut;

use super::evaluate::{begins_evaluate, evaluate_source};
use super::expr::{begins_star, expression, path};
use super::external::externaldata_source;
use super::find::find_source;
use super::{
    Expected, ParseResult, TokenKind, Tokens, any_name, assignment, brackets, column_declaration, column_pattern,
    comma_list, committed, is_bracketed_name, literal, operator, parameters, unsupported, word,
};
use crate::diagnostic::{Code, Diagnostic};
use crate::syntax::ast::{
    DatatableColumn, Operator, Parameter, ParsedExpr, ParsedExprKind, Pipeline, Source, SourceKind,
};

/// Parses a source and its operators.
pub(in crate::syntax) fn pipeline(input: Tokens<'_>) -> ParseResult<'_, Pipeline> {
    let (rest, source) = source(input.begun())?;
    operators(rest, source)
}

/// Parses `| operator | operator ...` after a source. An operator that has a mistake is reported and left out.
pub(super) fn operators(input: Tokens<'_>, source: Source) -> ParseResult<'_, Pipeline> {
    let (rest, operators) = operators_after(input, Vec::new())?;
    let span = rest.span_since(source.span);
    Ok((rest, Pipeline { source, operators, span }))
}

/// Parses `operator | operator ...` without a source; another operator provides the rows.
pub(super) fn subquery(input: Tokens<'_>) -> ParseResult<'_, Vec<Operator>> {
    let (rest, first) = committed(operator::operator(input.begun()))?;
    let (rest, ()) = rest.counted_operator(input.span())?;
    operators_after(rest, vec![first])
}

/// Parses the operators that follow, each after a `|`, and appends them to `operators`.
fn operators_after(input: Tokens<'_>, mut operators: Vec<Operator>) -> ParseResult<'_, Vec<Operator>> {
    let mut rest = input;
    let mut height = input.height();
    while rest.peek().is_symbol("|") {
        (rest, ()) = match operator::operator(rest.advance(1)) {
            Ok((after, operator)) if ends_operator(&after) => {
                operators.push(operator);
                height = height.max(after.height());
                after.counted_operator(rest.span())?
            }
            Ok((after, _)) => (after.recover(&["|"]), ()),
            Err(_) => (rest.advance(1).recover(&["|"]), ()),
        };
    }
    note_ends(&rest);
    // Operators follow each other; only their operands nest.
    let (rest, ()) = rest.built(height + 1, rest.span())?;
    Ok((rest, operators))
}

/// True if an operator may end here, because the next token belongs to what surrounds the pipeline.
fn ends_operator(rest: &Tokens<'_>) -> bool {
    let token = rest.peek();
    let is_end = match token.kind {
        TokenKind::End => true,
        TokenKind::Symbol => matches!(token.text, "|" | ";" | ")" | "," | "}"),
        _ => false,
    };
    if !is_end {
        note_ends(rest);
    }
    is_end
}

/// Notes what may follow a pipeline, for the message about a mistake.
fn note_ends(rest: &Tokens<'_>) {
    rest.note(Expected::Text("|"));
    if let Some(closer) = rest.closer() {
        rest.note(Expected::Text(closer));
    } else {
        rest.note(Expected::Text(";"));
        rest.note(Expected::Kind("the end of the query"));
    }
}

/// True if a source begins here that is neither a name nor a call.
pub(super) fn begins_source(input: &Tokens<'_>) -> bool {
    let token = input.peek();
    token.kind == TokenKind::Word
        && (matches!(
            token.text,
            "print" | "datatable" | "union" | "search" | "find" | "externaldata" | "external_data"
        ) || begins_evaluate(input)
            || token.text == "range" && begins_range(&input.advance(1))
            || unsupported::begins_source(input))
}

/// True if a `datatable` or `externaldata` begins here, and not the call of a function of that name.
pub(super) fn begins_literal_table(input: &Tokens<'_>) -> bool {
    let is_keyword = matches!(input.peek().text, "datatable" | "externaldata" | "external_data");
    let declares = input.peek_at(2).is_symbol("[") || input.peek_at(3).is_symbol(":");
    input.peek().kind == TokenKind::Word && is_keyword && input.peek_at(1).is_symbol("(") && declares
}

/// True if the word `range` before this position begins a source. A column may be named `range`, too.
fn begins_range(input: &Tokens<'_>) -> bool {
    let is_word = input.peek().is_plain_word();
    is_word && (super::expr::infix_at(input).is_none() || input.peek_at(1).is_word("from"))
        || is_bracketed_name(input) && input.peek_after_brackets().is_word("from")
}

/// Parses a source.
pub(super) fn source(input: Tokens<'_>) -> ParseResult<'_, Source> {
    let token = input.peek();
    let (rest, kind) = match token.text {
        _ if token.kind != TokenKind::Word || !begins_source(&input) => return table(input),
        "print" => print_source(input)?,
        "datatable" => datatable_source(input)?,
        "union" => union_source(input)?,
        "externaldata" | "external_data" => externaldata_source(input)?,
        "range" => range_source(input)?,
        "search" => search_source(input)?,
        "find" => find_source(input)?,
        "evaluate" => evaluate_source(input)?,
        _ => return unsupported::source(input),
    };
    Ok((rest, Source { kind, span: rest.span_since(token.span) }))
}

/// Parses a table: a name, a call that returns a table, or a pipeline in parentheses.
fn table(input: Tokens<'_>) -> ParseResult<'_, Source> {
    let (rest, value) = path(input, "a table")?;
    from_expr(rest, value)
}

/// Converts a parsed value to a source. It must be a name, a call, or one of these in parentheses.
pub(super) fn from_expr(rest: Tokens<'_>, value: ParsedExpr) -> ParseResult<'_, Source> {
    let span = value.span;
    let kind = match value.kind {
        ParsedExprKind::Name(name) => SourceKind::Name(name),
        // `datetime()` is parsed as a call of `now`, but has no name of its own.
        ParsedExprKind::Call { function, arguments } if function.span != span => {
            SourceKind::Call { function, arguments }
        }
        ParsedExprKind::Parenthesised(inner) => {
            let (_, inner) = pipeline_of(rest, *inner)?;
            SourceKind::Parenthesised(Box::new(inner))
        }
        ParsedExprKind::Pipeline(pipeline) if pipeline.operators.is_empty() => pipeline.source.kind,
        ParsedExprKind::Member { base, name } => match base.kind {
            ParsedExprKind::Call { function, arguments } => {
                SourceKind::PatternCall { pattern: function, arguments, path: name }
            }
            _ => return unsupported::other_database(rest, span),
        },
        _ => {
            let message = "operators apply to tables, but this is a value";
            return rest.refuse(Diagnostic::new(Code::UnexpectedToken, span, message));
        }
    };
    Ok((rest, Source { kind, span }))
}

fn pipeline_of(rest: Tokens<'_>, value: ParsedExpr) -> ParseResult<'_, Pipeline> {
    if let ParsedExprKind::Pipeline(pipeline) = value.kind {
        return Ok((rest, *pipeline));
    }
    let (rest, source) = from_expr(rest, value)?;
    let span = source.span;
    Ok((rest, Pipeline { source, operators: Vec::new(), span }))
}

/// Parses the table of `join`, `lookup` or `union`. A table with operators must be in parentheses.
pub(super) fn table_operand(input: Tokens<'_>) -> ParseResult<'_, Pipeline> {
    let token = input.peek();
    let is_declared = ["datatable", "externaldata", "external_data"].iter().any(|word| token.is_word(word));
    let (rest, source) = match is_declared {
        true => source(input)?,
        false => table(input)?,
    };
    let span = source.span;
    Ok((rest, Pipeline { source, operators: Vec::new(), span }))
}

/// Parses `print name = value, ...`.
fn print_source(input: Tokens<'_>) -> ParseResult<'_, SourceKind> {
    let (rest, _) = word("print")(input)?;
    let (rest, values) = committed(comma_list(assignment("a value"))(rest))?;
    Ok((rest, SourceKind::Print(values)))
}

/// Parses `datatable(name:type, ...) [value, ...]`. Each list may end with a comma.
fn datatable_source(input: Tokens<'_>) -> ParseResult<'_, SourceKind> {
    let (rest, _) = word("datatable")(input)?;
    let (rest, columns) = committed(declared_columns(rest))?;
    let (rest, cells) = committed(brackets("[", trailing_list(literal::signed_literal, "]"), "]")(rest))?;
    Ok((rest, SourceKind::Datatable { columns, cells }))
}

/// Parses `(name:type, ...)` with at least one column. The list may end with a comma.
pub(super) fn declared_columns(input: Tokens<'_>) -> ParseResult<'_, Vec<DatatableColumn>> {
    let column = column_declaration.map(|(name, ty)| DatatableColumn { name, ty });
    brackets("(", trailing_list(column, ")"), ")")(input)
}

/// Returns a parser of items up to `close`, which may end with a comma. Before a `]`, there may be no item.
fn trailing_list<'a, T>(
    mut item: impl Parser<Tokens<'a>, Output = T, Error = super::Mismatch>,
    close: &'static str,
) -> impl FnOnce(Tokens<'a>) -> ParseResult<'a, Vec<T>> {
    move |input| {
        let (mut rest, mut list) = (input, Vec::new());
        while !(rest.peek().is_symbol(close) && (close == "]" || !list.is_empty())) {
            let (after, value) = item.parse(rest)?;
            list.push(value);
            rest = match after.peek().is_symbol(",") {
                true => after.advance(1),
                false => {
                    after.note(Expected::Text(","));
                    return Ok((after, list));
                }
            };
        }
        Ok((rest, list))
    }
}

/// Parses `range name from first to last step distance`.
fn range_source(input: Tokens<'_>) -> ParseResult<'_, SourceKind> {
    let (rest, _) = word("range")(input)?;
    let bound = || cut(expression("a value"));
    let (rest, column) = cut(any_name("a column")).parse(rest)?;
    let (rest, (_, from, _, to, _, step)) =
        (cut(word("from")), bound(), cut(word("to")), bound(), cut(word("step")), bound()).parse(rest)?;
    let (from, to, step) = (Box::new(from), Box::new(to), Box::new(step));
    Ok((rest, SourceKind::Range { column, from, to, step }))
}

/// Parses `union kind=... A, (B | ...)` at the beginning of a pipeline.
fn union_source(input: Tokens<'_>) -> ParseResult<'_, SourceKind> {
    let (rest, _) = word("union")(input)?;
    let (rest, (parameters, tables)) = union_tables(rest)?;
    Ok((rest, SourceKind::Union { parameters, tables }))
}

/// Parses `search kind=... in (A, B) "term"` at the beginning of a pipeline.
fn search_source(input: Tokens<'_>) -> ParseResult<'_, SourceKind> {
    let (rest, _) = word("search")(input)?;
    let (rest, parameters) = parameters(rest)?;
    let (rest, tables) = search_tables(rest)?;
    let (rest, predicate) = search_predicate(rest)?;
    Ok((rest, SourceKind::Search { parameters, tables, predicate: Box::new(predicate) }))
}

/// Parses `in (A, B)`; returns no tables if it does not follow.
pub(super) fn search_tables(input: Tokens<'_>) -> ParseResult<'_, Vec<Pipeline>> {
    if !input.peek().is_word("in") {
        input.note(Expected::Text("in"));
        return Ok((input, Vec::new()));
    }
    committed(brackets("(", comma_list(union_table), ")")(input.advance(1)))
}

/// Parses the predicate of `search`: `*`, or a condition in which a string on its own is a search term.
pub(super) fn search_predicate(input: Tokens<'_>) -> ParseResult<'_, ParsedExpr> {
    let token = input.peek();
    if token.is_symbol("*") && begins_star(&input).is_none() {
        let (rest, ()) = input.advance(1).built(1, token.span)?;
        return Ok((rest, ParsedExpr { kind: ParsedExprKind::Star, span: token.span }));
    }
    cut(expression("a search term")).parse(input)
}

/// Parses the part after `union`.
pub(super) fn union_tables(input: Tokens<'_>) -> ParseResult<'_, (Vec<Parameter>, Vec<Pipeline>)> {
    let (rest, parameters) = parameters(input)?;
    let (rest, tables) = committed(comma_list(union_table)(rest))?;
    Ok((rest, (parameters, tables)))
}

/// Parses a table of `union`, or a pattern for several: `Sign*`.
fn union_table(input: Tokens<'_>) -> ParseResult<'_, Pipeline> {
    let is_pattern = input.peek().is_symbol("*") || input.peek().is_plain_word() && input.peek_at(1).is_symbol("*");
    if !is_pattern {
        return table_operand(input);
    }
    let (rest, pattern) = column_pattern("a table")(input)?;
    let (rest, ()) = rest.built(1, pattern.name.span)?;
    let span = pattern.name.span;
    let source = Source { kind: SourceKind::Name(pattern.name), span };
    Ok((rest, Pipeline { source, operators: Vec::new(), span }))
}
