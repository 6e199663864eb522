//! Parses `make-series`.

use nom::Parser;
use nom::combinator::cut;
use nom::multi::many0;

use super::super::expr::{expression, relation};
use super::super::{
    Expected, ParseResult, Tokens, assigned_names, assigned_value, brackets, comma_list, committed, hint, parameter,
    symbol, word,
};
use super::expand::{begins_parameter, item_names};
use super::summarize::by_clause;
use crate::syntax::ast::{
    Assignment, AxisBounds, MakeSeries, MakeSeriesItem, Name, OperatorKind, Parameter, ParsedExpr,
};

/// Parses `make-series kind=nonempty a = count() default=0, ... on t from b to c step d by e, ...`.
pub(super) fn make_series_operator(input: Tokens<'_>) -> ParseResult<'_, OperatorKind> {
    let (rest, parameters) = many0(series_parameter).parse(input)?;
    let (rest, items) = committed(comma_list(series_item)(rest))?;
    let (rest, (_, axis, bounds)) = (cut(word("on")), cut(axis), cut(axis_bounds)).parse(rest)?;
    let (rest, by) = match rest.peek().is_word("by") {
        true => by_clause(rest)?,
        false => {
            rest.note(Expected::Text("by"));
            (rest, Vec::new())
        }
    };
    Ok((rest, OperatorKind::MakeSeries(Box::new(MakeSeries { parameters, items, axis, bounds, by }))))
}

/// The parameters of `make-series`.
const PARAMETERS: &[&str] = &["kind"];

/// Parses a parameter: `kind = nonempty`, or a hint.
fn series_parameter(input: Tokens<'_>) -> ParseResult<'_, Parameter> {
    if begins_parameter(&input, PARAMETERS) { parameter(input) } else { hint(input) }
}

/// Parses an aggregate with an optional name and an optional `default = value`.
fn series_item(input: Tokens<'_>) -> ParseResult<'_, MakeSeriesItem> {
    let (rest, names) = series_names(input)?;
    let (rest, assignment) = assigned_value(rest, names, "an aggregate")?;
    if !rest.peek().is_word("default") {
        rest.note(Expected::Text("default"));
        return Ok((rest, MakeSeriesItem { assignment, default: None }));
    }
    let (rest, (_, default)) = (cut(symbol("=")), cut(expression("a value"))).parse(rest.advance(1))?;
    Ok((rest, MakeSeriesItem { assignment, default: Some(default) }))
}

/// Parses the names of an item and the `=` after them. The name of a parameter is reported as misplaced.
fn series_names(input: Tokens<'_>) -> ParseResult<'_, Vec<Name>> {
    item_names(input, PARAMETERS)
}

/// Parses the axis with an optional name. It ends before `in`, which would otherwise be an operator.
fn axis(input: Tokens<'_>) -> ParseResult<'_, Assignment> {
    let (rest, names) = assigned_names(input)?;
    let (rest, value) = relation("a column")(rest)?;
    Ok((rest, Assignment { names, value }))
}

/// Parses `from a to b step c`, in which only the step is required, or `in range(a, b, c)`.
fn axis_bounds(input: Tokens<'_>) -> ParseResult<'_, AxisBounds> {
    let bound = || cut(expression("a value"));
    if input.peek().is_word("in") {
        let (rest, _) = word("range")(input.advance(1))?;
        let three = |rest| (bound(), cut(symbol(",")), bound(), cut(symbol(",")), bound()).parse(rest);
        let (rest, (start, _, stop, _, step)) = brackets("(", three, ")")(rest)?;
        return Ok((rest, AxisBounds::InRange { start, stop, step }));
    }
    input.note(Expected::Text("in"));
    let (rest, from) = optional_bound(input, "from")?;
    let (rest, to) = optional_bound(rest, "to")?;
    let (rest, (_, step)) = (cut(word("step")), bound()).parse(rest)?;
    Ok((rest, AxisBounds::FromTo { from, to, step }))
}

/// Parses `keyword value`; returns None if the keyword does not follow.
fn optional_bound<'a>(input: Tokens<'a>, keyword: &'static str) -> ParseResult<'a, Option<ParsedExpr>> {
    if !input.peek().is_word(keyword) {
        input.note(Expected::Text(keyword));
        return Ok((input, None));
    }
    cut(expression("a value")).map(Some).parse(input.advance(1))
}
