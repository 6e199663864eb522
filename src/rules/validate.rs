//! What the services reject although the fields of a rule are well-formed: by the text of its query, and by the columns of
//! its result.
//!
//! Sources: the pages on log search alert rules, on scheduled rules of Microsoft Sentinel and on custom detections, with
//! their limits. What they say of single fields is checked where these are read.

use super::{AGGREGATED_VALUE, AlertMeasure, AlertRule, ColumnPurpose, NamedColumn, RuleFileError, RuleKind};
use crate::diagnostic::{Span, suggest};
use crate::syntax::{Token, TokenKind, tokens};
use crate::types::{Schema, Type};

/// The maximum number of characters of a query of Microsoft Sentinel.
const MAX_QUERY: usize = 10_000;
/// The ticks of a minute.
const MINUTE: i64 = 600_000_000;

/// Functions and plugins that log search alert rules do not support.
const NOT_IN_ALERTS: &[&str] = &["bag_unpack", "pivot", "narrow"];
/// Operators and functions that a rule must not have if it runs every minute.
const NOT_EVERY_MINUTE: &[&str] = &["search", "union", "take", "limit"];
const CALLS_NOT_EVERY_MINUTE: &[&str] = &["ingestion_time", "adx"];
/// Operators that continuous detections must not have: they read one table.
const NOT_CONTINUOUS: &[&str] = &["join", "lookup", "union", "externaldata", "external_data", "search", "find"];

/// Returns the reasons why a service rejects the query of a rule, in the order of its text.
#[must_use]
pub fn query(rule: &AlertRule) -> Vec<RuleFileError> {
    let text = &rule.query.text;
    let whole = rule.query.key;
    if text.is_empty() {
        return vec![RuleFileError { span: whole, reason: "the query is empty".to_owned() }];
    }
    let is_sentinel = matches!(rule.kind, RuleKind::Scheduled | RuleKind::NearRealTime);
    let count = text.chars().count();
    if is_sentinel && count > MAX_QUERY {
        let reason = format!("the query has {count} characters; Microsoft Sentinel allows {MAX_QUERY}");
        return vec![RuleFileError { span: whole, reason }];
    }
    let query = QueryTokens { tokens: tokens(text) };
    let found = match rule.kind {
        RuleKind::Scheduled | RuleKind::NearRealTime => query.of_sentinel(),
        RuleKind::LogAlert => query.of_log_alert(rule),
        RuleKind::CustomDetection if is_continuous(rule) => query.of_continuous(text),
        _ => Vec::new(),
    };
    let in_file = |span: Span| rule.query.positions.as_ref().map_or(whole, |positions| positions.span(span));
    found.into_iter().map(|(span, reason)| RuleFileError { span: in_file(span), reason }).collect()
}

/// True for a custom detection that evaluates each row once, when it arrives.
fn is_continuous(rule: &AlertRule) -> bool {
    rule.schedule.frequency == MINUTE
}

/// Returns the reasons why a rule cannot work with results of `schema`.
#[must_use]
pub fn result(rule: &AlertRule, schema: &Schema) -> Vec<RuleFileError> {
    let is_condition =
        |column: &&NamedColumn| matches!(column.purpose, ColumnPurpose::Dimension | ColumnPurpose::Measure);
    let mut errors: Vec<RuleFileError> = missing_columns(rule, schema)
        .into_iter()
        .filter(is_condition)
        .map(|column| {
            let reason =
                format!("the query returns no column `{}`, which the condition of the rule needs", column.name);
            RuleFileError { span: column.span, reason: reason + &similar(column, schema) }
        })
        .collect();
    let measures = rule.columns.iter().filter(|column| column.purpose == ColumnPurpose::Measure);
    errors.extend(measures.filter_map(|column| {
        let ty = schema.field(schema.index_of(&column.name)?).ty;
        let reason = format!("the measured column `{}` has type {ty}, but must be a number", column.name);
        (!ty.is_numeric()).then_some(RuleFileError { span: column.span, reason })
    }));
    let has = |name: &str| schema.index_of(name).is_some_and(|index| schema.field(index).ty == Type::Datetime);
    let is_of_bins = matches!(&rule.condition.measure, AlertMeasure::Breaches(breaches) if breaches.adjacent.is_some());
    if is_of_bins && !schema.fields().iter().any(|field| field.ty == Type::Datetime) {
        let reason = "the rule counts breaches in a row, so the query must return the time of its bins".to_owned();
        errors.push(RuleFileError { span: rule.query.key, reason });
    }
    if rule.condition.periods.evaluated > 1 && !schema.fields().iter().any(|field| field.ty == Type::Datetime) {
        let reason = "the rule evaluates several periods, so the query must return a datetime column".to_owned();
        errors.push(RuleFileError { span: rule.query.key, reason });
    }
    if rule.kind == RuleKind::CustomDetection && !has("TimeGenerated") && !has("Timestamp") {
        let reason = "the query of a custom detection must return TimeGenerated or Timestamp".to_owned();
        errors.push(RuleFileError { span: rule.query.key, reason });
    }
    errors
}

/// Returns the columns that the rule names and results of `schema` lack.
#[must_use]
pub fn missing_columns<'r>(rule: &'r AlertRule, schema: &Schema) -> Vec<&'r NamedColumn> {
    rule.columns.iter().filter(|column| schema.index_of(&column.name).is_none()).collect()
}

/// Returns a question about a similar column, after a colon; "" if there is none.
#[must_use]
pub fn similar(column: &NamedColumn, schema: &Schema) -> String {
    let names = schema.fields().iter().map(|field| field.name.as_str());
    suggest(&column.name, names).map_or(String::new(), |name| format!(": did you mean `{name}`?"))
}

type Reasons = Vec<(Span, String)>;

/// The tokens of a query.
struct QueryTokens<'a> {
    tokens: Vec<Token<'a>>,
}

impl QueryTokens<'_> {
    fn of_sentinel(&self) -> Reasons {
        let stars = self.operators(&["search", "union"]).filter(|at| self.has_star(*at));
        stars.map(|at| self.reason(at, |name| format!("Microsoft Sentinel rejects rules with `{name} *`"))).collect()
    }

    fn of_log_alert(&self, rule: &AlertRule) -> Reasons {
        let calls = self.calls(NOT_IN_ALERTS);
        let mut reasons: Reasons =
            calls.map(|at| self.reason(at, |name| format!("log search alert rules do not support `{name}`"))).collect();
        let is_measured = matches!(rule.condition.measure, AlertMeasure::Breaches(_));
        let words = self.tokens.iter().filter(|token| token.is_word(AGGREGATED_VALUE) && !is_measured);
        reasons.extend(
            words.map(|token| (token.span, "the name `AggregatedValue` is reserved in alert rules".to_owned())),
        );
        let variables = self.calls(&["ago"]).filter(|at| !self.has_literal(at + 2));
        let reason = "`ago` in a log search alert rule needs a literal, such as ago(1h)";
        reasons.extend(variables.map(|at| self.reason(at, |_| reason.to_owned())));
        if rule.schedule.frequency == MINUTE {
            let parts = self.operators(NOT_EVERY_MINUTE).chain(self.calls(CALLS_NOT_EVERY_MINUTE));
            let reason = |name: &str| format!("a rule that runs every minute must not use `{name}`");
            reasons.extend(parts.map(|at| self.reason(at, reason)));
        }
        reasons
    }

    fn of_continuous(&self, text: &str) -> Reasons {
        let operators = self.operators(NOT_CONTINUOUS);
        let mut reasons: Reasons = operators
            .map(|at| self.reason(at, |name| format!("a continuous detection reads one table, without `{name}`")))
            .collect();
        let starts = self.tokens.iter().filter(|token| token.kind != TokenKind::End).map(|token| token.span);
        let mut end = 0;
        for next in starts.chain([Span::new(text.len(), text.len())]) {
            let between = text.get(end..next.start as usize).unwrap_or_default();
            if let Some(at) = between.find("//") {
                let span = Span::new(end + at, next.start as usize);
                reasons.push((span, "the query of a continuous detection must not have comments".to_owned()));
            }
            end = next.end as usize;
        }
        reasons
    }

    fn reason(&self, at: usize, text: impl Fn(&str) -> String) -> (Span, String) {
        (self.tokens[at].span, text(self.tokens[at].text))
    }

    /// The positions of operators and sources with these names.
    fn operators<'q>(&'q self, names: &'q [&str]) -> impl Iterator<Item = usize> + 'q {
        let is_one = move |at: &usize| {
            let token = &self.tokens[*at];
            let before = at.checked_sub(1).map(|before| &self.tokens[before]);
            let begins =
                before.is_none_or(|token| ["|", "(", ";", "{", "=", ","].iter().any(|text| token.is_symbol(text)));
            // `union (A), (B)` and `take(3)` are operators; a call of a function is none.
            let is_call = self.tokens.get(at + 1).is_some_and(|next| next.is_symbol("("));
            let may_be_called = ["union", "externaldata", "external_data"].contains(&token.text)
                || before.is_none_or(|token| token.is_symbol("|"));
            begins && names.iter().any(|name| token.is_word(name)) && (!is_call || may_be_called)
        };
        (0..self.tokens.len()).filter(is_one)
    }

    /// The positions of calls of these functions.
    fn calls<'q>(&'q self, names: &'q [&str]) -> impl Iterator<Item = usize> + 'q {
        let is_one = move |at: &usize| {
            let is_call = self.tokens.get(at + 1).is_some_and(|next| next.is_symbol("("));
            is_call && names.iter().any(|name| self.tokens[*at].is_word(name))
        };
        (0..self.tokens.len()).filter(is_one)
    }

    /// True if the operator at this position reads `*`: all tables, or all columns.
    fn has_star(&self, at: usize) -> bool {
        let rest = &self.tokens[at + 1..];
        let end = rest.iter().position(|token| [")", "|", ";"].iter().any(|text| token.is_symbol(text)));
        let arguments = &rest[..end.unwrap_or(rest.len())];
        // The star of `Sign*` follows its name directly.
        let is_whole = |number: usize| {
            let before = if number == 0 { &self.tokens[at] } else { &arguments[number - 1] };
            arguments[number].is_symbol("*")
                && (before.span.end < arguments[number].span.start || before.is_symbol(","))
        };
        (0..arguments.len()).any(is_whole)
    }

    /// True if the token at this position is a timespan, or a number or null instead of one.
    fn has_literal(&self, at: usize) -> bool {
        let token = self.tokens.get(at).filter(|token| !token.is_symbol("-")).or_else(|| self.tokens.get(at + 1));
        token.is_some_and(|token| {
            matches!(token.kind, TokenKind::Timespan | TokenKind::Typed | TokenKind::Long | TokenKind::Real)
        })
    }
}
