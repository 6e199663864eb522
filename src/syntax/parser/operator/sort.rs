//! Parses `sort` and `top`.

use nom::Parser;
use nom::combinator::cut;

use super::super::expr::expression;
use super::super::{Expected, ParseResult, Tokens, comma_list, committed, unsupported, word};
use crate::diagnostic::{Code, Diagnostic};
use crate::syntax::ast::{NullsOrder, OperatorKind, SortExpr, SortOrder};

/// Parses `sort by a desc nulls last, b`.
pub(super) fn sort_operator(input: Tokens<'_>) -> ParseResult<'_, OperatorKind> {
    let (rest, ()) = unsupported::parameter(input, &[])?;
    let (rest, _) = cut(word("by")).parse(rest)?;
    let (rest, keys) = comma_list(sort_key)(rest)?;
    Ok((rest, OperatorKind::Sort(keys)))
}

/// Parses `top n by a desc nulls last`.
pub(super) fn top_operator(input: Tokens<'_>) -> ParseResult<'_, OperatorKind> {
    let (rest, ()) = unsupported::parameter(input, &[])?;
    let (rest, (count, _)) = (expression("a number of rows"), cut(word("by"))).parse(rest)?;
    let (rest, by) = committed(sort_key(rest))?;
    if rest.peek().is_symbol(",") {
        let diagnostic = Diagnostic::new(Code::UnexpectedToken, rest.span(), "`top` takes one sort key");
        return rest.refuse(diagnostic.help("for several, write `sort by a, b | take n`"));
    }
    Ok((rest, OperatorKind::Top { count, by }))
}

/// Parses a sort key with an optional `asc` or `desc`, and an optional `nulls first` or `nulls last`.
fn sort_key(input: Tokens<'_>) -> ParseResult<'_, SortExpr> {
    let (rest, value) = expression("a column")(input)?;
    let token = rest.peek();
    let (rest, order) = match token.text {
        "asc" => (rest.advance(1), Some(SortOrder::Ascending)),
        "desc" => (rest.advance(1), Some(SortOrder::Descending)),
        "granny-asc" | "granny-desc" => {
            let message = format!("`{}` is not supported yet", token.text);
            return rest.refuse(Diagnostic::new(Code::UnsupportedSyntax, token.span, message));
        }
        _ => {
            rest.note(Expected::Text("asc"));
            rest.note(Expected::Text("desc"));
            (rest, None)
        }
    };
    if !rest.peek().is_word("nulls") {
        rest.note(Expected::Text("nulls"));
        return Ok((rest, SortExpr { value, order, nulls: None }));
    }
    let (rest, nulls) = cut(nulls_order).parse(rest.advance(1))?;
    Ok((rest, SortExpr { value, order, nulls: Some(nulls) }))
}

fn nulls_order(input: Tokens<'_>) -> ParseResult<'_, NullsOrder> {
    let first = word("first").map(|_| NullsOrder::First);
    let last = word("last").map(|_| NullsOrder::Last);
    first.or(last).parse(input)
}
