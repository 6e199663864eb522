//! Parses `externaldata`, which reads rows of files that the query names by address.

use nom::Parser;
use nom::combinator::cut;

use super::expr::expression;
use super::source::declared_columns;
use super::{Expected, ParseResult, Tokens, any_name, brackets, comma_list, committed, default_value, symbol};
use crate::syntax::ast::{ExternalData, Parameter, SourceKind};

/// Parses `externaldata(name:type, ...) [address, ...] with (property = value, ...)`.
pub(super) fn externaldata_source(input: Tokens<'_>) -> ParseResult<'_, SourceKind> {
    let (rest, columns) = committed(declared_columns(input.advance(1)))?;
    let (rest, addresses) = committed(brackets("[", comma_list(expression("a URL or a path")), "]")(rest))?;
    if !rest.peek().is_word("with") {
        rest.note(Expected::Text("with"));
        let data = ExternalData { columns, addresses, properties: Vec::new() };
        return Ok((rest, SourceKind::External(Box::new(data))));
    }
    let (rest, properties) = committed(brackets("(", comma_list(external_property), ")")(rest.advance(1)))?;
    Ok((rest, SourceKind::External(Box::new(ExternalData { columns, addresses, properties }))))
}

/// Parses a property: `name = value`.
fn external_property(input: Tokens<'_>) -> ParseResult<'_, Parameter> {
    let (rest, name) = any_name("a property")(input)?;
    let (rest, _) = cut(symbol("=")).parse(rest)?;
    let (rest, value) = cut(default_value).parse(rest)?;
    Ok((rest, Parameter { name, value }))
}
