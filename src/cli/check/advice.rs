//! Advice about alert rules: what a service accepts, and its author may not intend.
//!
//! Sources: Microsoft's pages on ingestion delay, on scheduled rules, on log search alert rules and on emergency accounts.

use super::finding::Finding;
use super::reach::reach;
use super::row_bounds;
use crate::diagnostic::Span;
use crate::rules::{
    AlertMeasure, AlertRule, ColumnPurpose, RuleFileError, RuleKind, WindowClock, iso_duration, validate,
};
use crate::syntax::ast::{OperatorKind, Pipeline};
use crate::syntax::{Token, TokenKind, only_pipeline, parse, tokens};
use crate::types::{Schema, Type};

/// Sign-in and audit logs usually arrive within ten minutes.
const USUAL_DELAY: i64 = 10 * 600_000_000;

/// Columns with names of users, whose letters may be in either case.
const USER_NAMES: &[&str] = &["UserPrincipalName", "AccountUPN", "AccountUpn", "SignInIdentifier"];
/// Operators that tell upper case from lower case.
const EXACT: &[&str] = &["==", "!=", "in", "!in", "has_cs", "contains_cs", "startswith_cs", "endswith_cs"];

/// The kinds of finding about a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::cli) enum AdviceKind {
    /// The service rejects the rule.
    Rejected,
    /// Rows that arrive late are missed.
    LateRows,
    /// Some rows are never read.
    Gap,
    /// The query asks for rows before those that a run reads.
    ShortLookback,
    /// The result has no time.
    WithoutTime,
    /// The result lacks a column that alerts name.
    MissingColumn,
    /// A table has only some of the sign-ins.
    SiblingTable,
    /// Names of users are compared with their case.
    CaseSensitive,
    /// The condition is never true.
    NeverFires,
    /// The condition is always true.
    AlwaysFires,
    /// The service requires a field that the rule lacks.
    Incomplete,
    /// The data that were given have nothing that the rule looks for.
    CannotFire,
}

impl AdviceKind {
    /// The identifier in all formats.
    pub fn id(self) -> &'static str {
        match self {
            Self::Rejected => "rule-rejected",
            Self::LateRows => "rule-late-rows",
            Self::Gap => "rule-gap",
            Self::ShortLookback => "rule-short-lookback",
            Self::WithoutTime => "rule-without-time",
            Self::MissingColumn => "rule-missing-column",
            Self::SiblingTable => "rule-sibling-table",
            Self::CaseSensitive => "rule-case-sensitive",
            Self::NeverFires => "rule-never-fires",
            Self::AlwaysFires => "rule-always-fires",
            Self::Incomplete => "rule-incomplete",
            Self::CannotFire => "rule-cannot-fire",
        }
    }

    /// What the finding says, in general.
    pub fn title(self) -> &'static str {
        match self {
            Self::Rejected => "the service rejects the rule",
            Self::LateRows => "rows that arrive late may be missed",
            Self::Gap => "some rows are never read",
            Self::ShortLookback => "the query asks for rows before those that a run reads",
            Self::WithoutTime => "the result has no TimeGenerated",
            Self::MissingColumn => "the result lacks a column that alerts name",
            Self::SiblingTable => "another table has further sign-ins",
            Self::CaseSensitive => "names of users are compared with their case",
            Self::NeverFires => "the condition is never true",
            Self::AlwaysFires => "the condition is always true",
            Self::Incomplete => "the service requires a field that the rule lacks",
            Self::CannotFire => "the rule cannot fire on the given data",
        }
    }
}

/// Returns advice about a rule whose query returns `schema`.
pub(super) fn advice(rule: &AlertRule, schema: Option<&Schema>) -> Vec<Finding> {
    let advisor = Advisor { rule };
    let parsed = parse(&rule.query.text).query;
    let mut findings: Vec<Finding> = advisor.schedule().into_iter().chain(advisor.suppression()).collect();
    findings.extend(schema.map(|schema| advisor.missing_columns(schema)).unwrap_or_default());
    findings.extend(advisor.short_lookback());
    findings.extend(advisor.omissions());
    findings.extend(advisor.sibling_table());
    findings.extend(advisor.case_sensitive());
    if let Some(pipeline) = only_pipeline(&parsed) {
        findings.extend(advisor.condition(pipeline));
        findings.extend(schema.and_then(|schema| advisor.without_time(pipeline, schema)));
    }
    findings
}

struct Advisor<'a> {
    rule: &'a AlertRule,
}

impl Advisor<'_> {
    fn finding(&self, kind: AdviceKind, in_query: Span, message: String) -> Finding {
        Finding::of_rule(kind, &self.rule.query, in_query, message)
    }

    /// Advice about the whole rule.
    fn about_rule(&self, kind: AdviceKind, message: String) -> Finding {
        let start = self.rule.span.start;
        Finding::about_rule(kind, Span { start, end: start }, message)
    }

    /// The window against the time without runs after an alert. The first run after it is at a tick.
    fn suppression(&self) -> Option<Finding> {
        let schedule = self.rule.schedule;
        let suppression = self.rule.suppression?;
        let pause = suppression.unsigned_abs().div_ceil(schedule.frequency.unsigned_abs().max(1));
        let pause = i64::try_from(pause).ok()?.checked_mul(schedule.frequency)?;
        let [suppression, lookback, pause_text] = [suppression, schedule.lookback, pause].map(iso_duration);
        let message = format!(
            "after an alert, the query does not run for {suppression}, and the next run reads the last {lookback}: rows of \
             the time before that are never read; `queryPeriod` of at least {pause_text} reads them"
        );
        (pause > schedule.lookback).then(|| self.about_rule(AdviceKind::Gap, message))
    }

    /// The window against the frequency and the delay of rows.
    fn schedule(&self) -> Option<Finding> {
        let schedule = self.rule.schedule;
        let range = match self.rule.kind {
            RuleKind::LogAlert => "windowSize",
            _ => "queryPeriod",
        };
        let (frequency, lookback) = (iso_duration(schedule.frequency), iso_duration(schedule.lookback));
        match schedule.safe_delay() {
            _ if schedule.clock == WindowClock::Ingested => None,
            None => {
                let message = format!(
                    "the rule runs every {frequency} and reads the last {lookback}: rows between two windows are never read"
                );
                Some(self.about_rule(AdviceKind::Gap, message))
            }
            Some(safe) if safe < USUAL_DELAY => {
                let enough = self.rule.allowed_lookback(schedule.lookback_for(USUAL_DELAY));
                let (safe, enough) = (iso_duration(safe), iso_duration(enough));
                let message = format!(
                    "the rule runs every {frequency} and reads the last {lookback}: rows that arrive more than {safe} late \
                     may be missed, and logs may take ten minutes; `{range}` of at least {enough} is safe"
                );
                Some(self.about_rule(AdviceKind::LateRows, message))
            }
            Some(_) => None,
        }
    }

    /// The window against the time for which the query asks.
    fn short_lookback(&self) -> Option<Finding> {
        let schedule = self.rule.schedule;
        let (reach, span) = reach(&tokens(&self.rule.query.text))?;
        let range = match self.rule.kind {
            RuleKind::LogAlert => "overrideQueryTimeRange",
            _ => "queryPeriod",
        };
        let [asked, lookback] = [reach, schedule.lookback].map(iso_duration);
        let message = format!(
            "the query asks for rows of the last {asked}, but a run reads only those of the last {lookback}: `{range}` says \
             how far back it reads"
        );
        let is_short = schedule.clock == WindowClock::Generated && reach > schedule.lookback;
        is_short.then(|| self.finding(AdviceKind::ShortLookback, span, message))
    }

    /// Columns of entities and details; those of the condition are errors.
    fn missing_columns(&self, schema: &Schema) -> Vec<Finding> {
        let named = validate::missing_columns(self.rule, schema).into_iter().filter_map(|column| {
            let what = match column.purpose {
                ColumnPurpose::Entity => "an entity",
                ColumnPurpose::Detail => "a custom detail",
                ColumnPurpose::Override => "the text of alerts",
                ColumnPurpose::Dimension | ColumnPurpose::Measure => return None,
            };
            let similar = validate::similar(column, schema);
            let message = format!("the query returns no column `{}`, so {what} is empty{similar}", column.name);
            Some(Finding::about_rule(AdviceKind::MissingColumn, column.span, message))
        });
        named.collect()
    }

    /// What keeps the service from deploying the rule, and not this program from running it.
    fn omissions(&self) -> Vec<Finding> {
        let omissions = self.rule.omissions.iter();
        let finding = |omission: &RuleFileError| {
            let start = omission.span.start;
            Finding::about_rule(AdviceKind::Incomplete, Span { start, end: start }, omission.reason.clone())
        };
        omissions.map(finding).collect()
    }

    fn sibling_table(&self) -> Option<Finding> {
        let text = &self.rule.query.text;
        let tokens = tokens(text);
        let of = |name: &str| tokens.iter().find(|token| token.kind == TokenKind::Word && token.text == name);
        let table = of("SigninLogs").filter(|_| of("AADNonInteractiveUserSignInLogs").is_none())?;
        let message = "SigninLogs has interactive sign-ins only: sign-ins with a refresh token or by a client in the \
                       name of the user are in AADNonInteractiveUserSignInLogs";
        Some(self.finding(AdviceKind::SiblingTable, table.span, message.to_owned()))
    }

    /// Comparisons of user names, or of columns that are named after them, with strings or with lists of strings.
    fn case_sensitive(&self) -> Vec<Finding> {
        let tokens = tokens(&self.rule.query.text);
        let names = user_names(&tokens);
        let lists: Vec<&str> = let_names(&tokens, "dynamic").collect();
        let is_text = |token: &Token<'_>| token.kind == TokenKind::String || lists.contains(&token.text);
        let is_name = |token: &Token<'_>| names.contains(&token.text);
        let found = tokens.windows(4).filter_map(|part| {
            let [left, operator, right, inner] = part else { return None };
            let compared = if right.text == "(" { inner } else { right };
            let is_exact = EXACT.contains(&operator.text);
            let name = match is_exact {
                true if is_name(left) && is_text(compared) => left,
                // The name may stand on the right.
                true if left.kind == TokenKind::String && is_name(right) && inner.text != "(" => right,
                _ => return None,
            };
            Some((name.text, operator))
        });
        let finding = |(name, operator): (&str, &Token<'_>)| {
            let exact = operator.text;
            let other = match exact {
                "==" => "=~",
                "!=" => "!~",
                "in" => "in~",
                "!in" => "!in~",
                cs => cs.trim_end_matches("_cs"),
            };
            let message =
                format!("`{exact}` tells upper case from lower case, and {name} may have either: use `{other}`");
            self.finding(AdviceKind::CaseSensitive, operator.span, message)
        };
        found.map(finding).collect()
    }

    /// A condition on the number of rows that no result can change.
    fn condition(&self, pipeline: &Pipeline) -> Option<Finding> {
        let condition = &self.rule.condition;
        let is_plain = condition.measure == AlertMeasure::Rows
            && condition.dimensions.is_empty()
            && condition.periods.evaluated == 1;
        let bounds = row_bounds::of(pipeline);
        let outcomes = bounds.outcomes(condition.operator, condition.threshold);
        let (operator, threshold) = (condition.operator.name(), condition.threshold);
        let span = pipeline.operators.last().map_or(pipeline.span, |operator| operator.span);
        let text = bounds.text();
        match outcomes.as_slice() {
            [false] if is_plain => {
                let message =
                    format!("the rule never fires: the query returns {text}, and {operator} {threshold} is never true");
                Some(self.finding(AdviceKind::NeverFires, span, message))
            }
            [true] if is_plain => {
                let message =
                    format!("every run fires: the query returns {text}, and {operator} {threshold} is always true");
                Some(self.finding(AdviceKind::AlwaysFires, span, message))
            }
            _ => None,
        }
    }

    fn without_time(&self, pipeline: &Pipeline, schema: &Schema) -> Option<Finding> {
        let has_time = |name: &str| schema.index_of(name).is_some_and(|at| schema.field(at).ty == Type::Datetime);
        let keeps_rows = pipeline.operators.iter().all(|operator| row_bounds::keeps_records(&operator.kind));
        let is_projection = |kind: &OperatorKind| {
            matches!(kind, OperatorKind::Project(_) | OperatorKind::ProjectAway(_) | OperatorKind::ProjectKeep(_))
        };
        let drops = pipeline.operators.iter().rfind(|operator| is_projection(&operator.kind))?;
        let message = "the query drops TimeGenerated: alerts do not tell when their events happened, and a rule with \
                       several periods needs it";
        let is_dropped = keeps_rows && !has_time("TimeGenerated") && !has_time("Timestamp");
        is_dropped.then(|| self.finding(AdviceKind::WithoutTime, drops.keyword, message.to_owned()))
    }
}

/// The columns with names of users, and those to which `extend` or `project` gives their values unchanged.
fn user_names<'a>(tokens: &[Token<'a>]) -> Vec<&'a str> {
    let mut names = USER_NAMES.to_vec();
    let ends = |token: Option<&Token<'_>>| token.is_none_or(|token| matches!(token.text, "," | "|" | ")" | ";"));
    for (at, part) in tokens.windows(3).enumerate() {
        let [name, equals, value] = part else { continue };
        let is_alias = name.kind == TokenKind::Word && equals.text == "=" && names.contains(&value.text);
        if is_alias && ends(tokens.get(at + 3)) {
            names.push(name.text);
        }
    }
    names
}

/// The names that `let` gives to literals of this type.
fn let_names<'t, 'a>(tokens: &'t [Token<'a>], ty: &'t str) -> impl Iterator<Item = &'a str> + 't {
    tokens.windows(4).filter_map(move |part| match part {
        [keyword, name, equals, value] if keyword.text == "let" && equals.text == "=" => {
            value.text.starts_with(ty).then_some(name.text)
        }
        _ => None,
    })
}
