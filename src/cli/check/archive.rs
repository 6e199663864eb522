//! Rules that cannot fire on an archive, and why.
//!
//! The first operators of a query, which look at each row by itself, run one after the other over the whole archive. The
//! first one that returns no rows is the reason: a run sees a part of these rows. What comes after an aggregation may be
//! true for a part although it is false for the whole, and is never a reason.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::advice::AdviceKind;
use super::finding::Finding;
use super::row_bounds::is_empty_of_empty;
use crate::diagnostic::{Code, Error, Result, Span};
use crate::engine::{Engine, Flow};
use crate::rules::{AlertMeasure, AlertRule, TimeAggregation};
use crate::scan::ScanReport;
use crate::syntax::ast::{BinaryOperator, OperatorKind, ParsedExpr, ParsedExprKind, Pipeline};
use crate::syntax::{Token, TokenKind, only_pipeline, parse, tokens};

/// Functions whose values depend on the time of the run.
const CLOCKS: &[&str] = &["ago", "now"];
/// Operators and functions that may return rows for a part of the rows although they return none for all of them.
const NOT_MONOTONE: &[&str] = &[
    "summarize",
    "count",
    "top",
    "take",
    "limit",
    "sample",
    "join",
    "lookup",
    "make-series",
    "partition",
    "evaluate",
    "invoke",
    "scan",
    "reduce",
    "mv-apply",
    "toscalar",
    "prev",
    "next",
    "row_number",
    "row_cumsum",
    "row_window_session",
    "row_rank_dense",
    "row_rank_min",
];

/// Runs parts of queries over an archive.
pub(super) struct ArchiveCheck<'a> {
    pub engine: &'a Engine,
    pub report: Arc<ScanReport>,
}

impl ArchiveCheck<'_> {
    /// Returns why `rule` cannot fire; None if it can, or if that is not known.
    pub fn cannot_fire(&self, rule: &AlertRule) -> Result<Option<Finding>> {
        let text = &rule.query.text;
        let parsed = parse(text).query;
        let Some(pipeline) = only_pipeline(&parsed).filter(|_| needs_rows(rule)) else { return Ok(None) };
        if !pipeline.operators.iter().all(|operator| is_empty_of_empty(&operator.kind)) {
            return Ok(None);
        }
        let search = ReasonSearch { check: self, text, pipeline };
        let reason = search.reason()?;
        Ok(reason.map(|(span, reason)| {
            Finding::of_rule(
                AdviceKind::CannotFire,
                &rule.query,
                span,
                format!("the rule cannot fire on these data: {reason}"),
            )
        }))
    }

    /// True if the query returns a row; None if it cannot run.
    fn has_rows(&self, text: &str) -> Result<Option<bool>> {
        match self.first_number(&format!("{text}\n| take 1\n| count"))? {
            Some(count) => Ok(Some(count > 0)),
            None => Ok(None),
        }
    }

    /// The first value of a query that counts; None if it cannot run.
    fn first_number(&self, text: &str) -> Result<Option<i64>> {
        let prepared = match self.engine.prepare_with(text, Arc::clone(&self.report)) {
            Ok(prepared) => prepared,
            Err(Error::Query(diagnostics)) if diagnostics.iter().all(|one| one.code == Code::NothingToRead) => {
                return Ok(Some(0));
            }
            Err(Error::Query(_)) => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut number = None;
        prepared.run(&mut |batch| {
            number = (batch.rows() > 0).then(|| batch.column(0).i64_at(0)).flatten();
            Ok(Flow::Continue(()))
        })?;
        Ok(number)
    }
}

/// True if the condition is false for a result without rows.
fn needs_rows(rule: &AlertRule) -> bool {
    let condition = &rule.condition;
    let is_zero = match &condition.measure {
        AlertMeasure::Rows | AlertMeasure::Breaches(_) => true,
        AlertMeasure::Column { aggregation, .. } => {
            matches!(aggregation, TimeAggregation::Count | TimeAggregation::Total)
        }
    };
    !(is_zero && condition.operator.holds(0.0, condition.threshold))
}

/// Searches the operator after which no rows are left.
struct ReasonSearch<'a> {
    check: &'a ArchiveCheck<'a>,
    text: &'a str,
    pipeline: &'a Pipeline,
}

impl ReasonSearch<'_> {
    fn reason(&self) -> Result<Option<(Span, String)>> {
        let source = self.pipeline.source.span;
        let spans = std::iter::once(source).chain(self.pipeline.operators.iter().map(|operator| operator.span));
        let ends: Vec<Span> = spans.take_while(|span| self.is_about_rows(*span)).collect();
        let begins_so = self.is_about_rows(Span { start: 0, end: source.start });
        let Some(last) = ends.last().filter(|_| begins_so) else { return Ok(None) };
        if self.check.has_rows(self.until(*last))? != Some(false) {
            return Ok(None);
        }
        for (number, end) in ends.iter().enumerate() {
            if self.check.has_rows(self.until(*end))? != Some(false) {
                continue;
            }
            let Some(index) = number.checked_sub(1) else {
                return Ok(Some((source, format!("they have no rows of {}", source.text(self.text)))));
            };
            let operator = &self.pipeline.operators[index];
            return match &operator.kind {
                OperatorKind::Where(predicate) => self.condition(self.until(ends[index]), predicate).map(Some),
                _ => Ok(Some((operator.keyword, "no row passes this operator".to_owned()))),
            };
        }
        Ok(None)
    }

    /// The text from the beginning to the end of an operator.
    fn until(&self, span: Span) -> &str {
        &self.text[..span.end as usize]
    }

    /// True if a row passes or not whatever the other rows and the time are.
    fn is_about_rows(&self, span: Span) -> bool {
        let tokens = tokens(span.text(self.text));
        let is_clock = |pair: &[Token<'_>]| CLOCKS.contains(&pair[0].text) && pair[1].is_symbol("(");
        // `!in` of a table depends on the rows of that table.
        let is_exclusion = |part: &[Token<'_>]| {
            part[0].text.starts_with("!in") && part[1].is_symbol("(") && part[2].kind == TokenKind::Word
        };
        let is_other = |token: &Token<'_>| token.kind == TokenKind::Word && NOT_MONOTONE.contains(&token.text);
        !tokens.windows(2).any(is_clock) && !tokens.windows(3).any(is_exclusion) && !tokens.iter().any(is_other)
    }

    /// Why no row of `before` fulfils `predicate`.
    fn condition(&self, before: &str, predicate: &ParsedExpr) -> Result<(Span, String)> {
        let rows = match self.check.first_number(&format!("{before}\n| count"))?.unwrap_or(0) {
            1 => "the only row that reaches this operator".to_owned(),
            rows => format!("all {rows} rows that reach this operator"),
        };
        for part in conjuncts(predicate) {
            let text = part.span.text(self.text);
            if self.check.has_rows(&format!("{before}\n| where {text}"))? != Some(false) {
                continue;
            }
            for column in names(text) {
                if self.check.has_rows(&format!("{before}\n| where isnotempty({column})"))? == Some(false) {
                    return Ok((part.span, format!("the column {column} is empty in {rows}")));
                }
            }
            return Ok((part.span, format!("`{text}` is false for {rows}")));
        }
        Ok((predicate.span, format!("the conditions are never true together, for {rows}")))
    }
}

/// The parts of a predicate that must all be true.
fn conjuncts(predicate: &ParsedExpr) -> Vec<&ParsedExpr> {
    match &predicate.kind {
        ParsedExprKind::Binary { operator: BinaryOperator::And, left, right, .. } => {
            [conjuncts(left), conjuncts(right)].concat()
        }
        ParsedExprKind::Parenthesised(inner) => conjuncts(inner),
        _ => vec![predicate],
    }
}

/// The words of an expression, which may be columns.
fn names(text: &str) -> BTreeSet<&str> {
    let words = tokens(text).into_iter().filter(|token| token.kind == TokenKind::Word);
    words.map(|token| token.text).filter(|word| word.starts_with(|c: char| c.is_alphabetic() || c == '_')).collect()
}
