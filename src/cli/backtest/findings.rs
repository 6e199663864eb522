//! What is said of each rule besides its result: what the result rests on, and what it cannot tell.

use super::super::reporter::Message;
use super::super::rule_files::FiledRule;
use super::super::session::Session;
use super::tables;
use crate::backtest::{Assumptions, Backtest, MissReason};
use crate::messages::{CommandNote, CommandWarning, RuleNote, RuleWarning};
use crate::rules::{AlertRule, AlertStatePolicy, NamedColumn, RuleKind, validate};
use crate::types::{datetime, timespan};

/// What the result rests on, and what it cannot tell.
pub(super) fn messages(rule: &FiledRule, backtest: &Backtest, assumptions: &Assumptions) -> Vec<Message> {
    let name = || rule.rule.name.clone();
    let column = |column: &NamedColumn| {
        let hint = validate::similar(column, &backtest.schema);
        RuleWarning::ColumnMissing { place: rule.place(column.span), column: column.name.clone(), hint }
    };
    let missing = validate::missing_columns(&rule.rule, &backtest.schema);
    let warnings = missing.into_iter().map(column).chain(range_warnings(&name(), backtest, assumptions));
    let warnings = warnings.chain(too_many_alerts(rule, backtest));
    let mut notes = Vec::new();
    if rule.rule.assumes_lookback && assumptions.lookback.is_none() {
        let lookback = timespan::to_text(backtest.schedule.lookback);
        notes.push(RuleNote::LookbackAssumed { rule: name(), lookback });
    }
    if assumptions.lookback.is_some() && !rule.rule.assumes_lookback {
        let lookback = timespan::to_text(backtest.schedule.lookback);
        notes.push(RuleNote::LookbackFixed { rule: name(), lookback });
    }
    if backtest.is_about_absence {
        notes.push(RuleNote::AboutAbsence(name()));
    }
    notes.extend(late_events(&rule.rule, backtest));
    for (table, rows) in &backtest.without_arrival {
        notes.push(RuleNote::ArrivalAssumed { rule: name(), table: table.clone(), rows: *rows });
    }
    if !rule.rule.is_enabled {
        notes.push(match assumptions.keeps_state {
            true => RuleNote::HandsOnNothing(name()),
            false => RuleNote::Disabled(name()),
        });
    }
    if backtest.events.is_none() && !assumptions.keeps_state {
        let reason = match backtest.rows_in_memory {
            Some(_) => "a row of its query is not one record",
            None => "the files are read again at every run",
        };
        notes.push(RuleNote::MissesUnknown { rule: name(), reason });
    }
    let warnings = warnings.map(|warning| Message::from(CommandWarning::Rule(warning)));
    let notes = notes.into_iter().map(|note| Message::from(CommandNote::Rule(note)));
    warnings.chain(notes).collect()
}

/// The maximum number of alerts of a run of a log search alert rule, with and without state. Which ones the service makes
/// of more is not documented. Source: the page on the limits of Azure Monitor.
const MAX_ALERTS: [usize; 2] = [300, 6_000];

/// A warning if runs of a log search alert rule make more alerts than the service does.
fn too_many_alerts(rule: &FiledRule, backtest: &Backtest) -> Option<RuleWarning> {
    let [with_state, without_state] = MAX_ALERTS;
    let limit = if rule.rule.state == AlertStatePolicy::Stateless { without_state } else { with_state };
    let runs = backtest.alerts.chunk_by(|alert, next| alert.time == next.time);
    let alerts = runs.map(<[_]>::len).max()?;
    let is_limited = rule.rule.kind == RuleKind::LogAlert && alerts > limit;
    is_limited.then(|| RuleWarning::TooManyAlerts { rule: rule.rule.name.clone(), alerts, limit })
}

/// The lookbacks that catch the events that are missed because they arrive too late; None if there are none.
///
/// An event that arrives `delay` after its time is in a window that has not been evaluated, whatever the anchor, if
/// `delay` is at most the lookback, less the frequency, plus the time that a run waits.
fn late_events(rule: &AlertRule, backtest: &Backtest) -> Option<RuleNote> {
    let events = backtest.events.as_deref()?;
    let missed = events.iter().filter(|event| event.caught == Err(MissReason::Delay)).count();
    let times = events.iter().map(|outcome| outcome.event.times);
    let mut delays: Vec<i64> = times.filter_map(|times| Some(times.arrived?.saturating_sub(times.generated))).collect();
    delays.sort_unstable();
    let schedule = backtest.schedule;
    let lookback = |delay: &i64| {
        let needed = delay.saturating_add(schedule.frequency).saturating_sub(schedule.delay);
        timespan::to_text(rule.allowed_lookback(needed.max(schedule.frequency)))
    };
    let most = delays.get((delays.len() * 99).div_ceil(100).checked_sub(1)?).map(lookback)?;
    let all = delays.last().map(lookback)?;
    (missed > 0).then(|| RuleNote::LateEvents { rule: rule.name.clone(), events: missed, most, all })
}

/// Says what the result rests on.
pub(super) fn report(session: &Session, rule: &FiledRule, backtest: &Backtest, messages: &[Message]) {
    let name = || rule.rule.name.clone();
    messages.iter().for_each(|message| session.reporter.message(message));
    if let [_, _, ..] = backtest.anchors.as_slice() {
        session.reporter.info(&tables::spread(name(), &backtest.anchors));
    }
    session.reporter.detail(|| {
        let schedule = backtest.schedule;
        let safe = schedule.safe_delay().map_or("none".to_owned(), |delay| match delay {
            i64::MAX => "any".to_owned(),
            delay => timespan::to_text(delay),
        });
        format!(
            "rule `{}`: runs every {} from {}, over {}; delays that are never missed: {safe}",
            rule.rule.name,
            timespan::to_text(schedule.frequency),
            datetime::to_text(backtest.grid.time(backtest.runs.first)),
            timespan::to_text(schedule.lookback),
        )
    });
}

/// The warnings about runs outside the range of the data.
fn range_warnings(rule: &str, backtest: &Backtest, assumptions: &Assumptions) -> Vec<RuleWarning> {
    let rule = || rule.to_owned();
    let Some(data) = backtest.data else { return vec![RuleWarning::NoRows(rule())] };
    let mut warnings = Vec::new();
    // The data of a quiet hour do not reach its ends.
    let slack = backtest.schedule.frequency.max(backtest.schedule.lookback);
    let [first, last] = data.generated;
    let begins_before = assumptions.from.is_some_and(|from| from.saturating_add(slack) < first);
    // A run that goes on later is meant to reach beyond the data of now.
    let ends_after = !assumptions.keeps_state && assumptions.to.is_some_and(|to| to.saturating_sub(slack) > last);
    if begins_before || ends_after {
        let ranges = [backtest.range, data.generated].map(|range| range.map(datetime::to_text));
        warnings.push(RuleWarning::RangeBeyondData { rule: rule(), ranges });
    }
    let alerts = backtest.alerts.iter().filter(|alert| alert.is_beyond_data).count();
    if backtest.is_about_absence && alerts > 0 {
        warnings.push(RuleWarning::AlertsBeyondData { rule: rule(), alerts });
    }
    warnings
}
