//! How far back a query asks for rows.

use crate::diagnostic::Span;
use crate::syntax::{Token, TokenKind};
use crate::types::timespan;

/// Returns how long before now the earliest rows are that a query asks for by TimeGenerated, in ticks, and where it says so;
/// None if it does not say it with `ago()` of a literal, or of a name that `let` gives to one.
pub(super) fn reach(tokens: &[Token<'_>]) -> Option<(i64, Span)> {
    let asked = tokens.windows(4).enumerate().filter_map(|(at, part)| {
        let [function, open, span, close] = part else { return None };
        let is_call = function.text == "ago" && open.text == "(" && close.text == ")";
        let ticks = if is_call && is_lower_bound(&tokens[..at]) { length(tokens, span)? } else { return None };
        Some((ticks, Span { start: function.span.start, end: close.span.end }))
    });
    asked.max_by_key(|(ticks, _)| *ticks)
}

/// True if `tokens` end with `TimeGenerated >`, `TimeGenerated >=` or `TimeGenerated between (`.
fn is_lower_bound(tokens: &[Token<'_>]) -> bool {
    match tokens {
        [.., column, operator] if matches!(operator.text, ">" | ">=") => column.text == "TimeGenerated",
        [.., column, operator, open] => {
            column.text == "TimeGenerated" && operator.text == "between" && open.text == "("
        }
        _ => false,
    }
}

/// The length of time that a token stands for.
fn length(tokens: &[Token<'_>], token: &Token<'_>) -> Option<i64> {
    if token.kind == TokenKind::Timespan {
        return timespan::parse_unit(token.text);
    }
    let defined = tokens.windows(4).find_map(|part| match part {
        [keyword, name, equals, value] if keyword.text == "let" && name.text == token.text && equals.text == "=" => {
            Some(value)
        }
        _ => None,
    })?;
    if defined.kind == TokenKind::Timespan { timespan::parse_unit(defined.text) } else { None }
}
