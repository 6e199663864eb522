//! The report of a backtest as an HTML page.

use std::path::PathBuf;
use std::sync::Arc;

use super::super::report_page;
use super::super::reporter::Message;
use super::super::session::Session;
use super::tables::{self, RuleBacktest};
use crate::backtest::{Backtest, EventOutcome, RunCost};
use crate::diagnostic::Result;
use crate::html::{self, PageCell, ReportPage, TimeChart, TimeSeries};
use crate::rules::AlertRule;
use crate::scan::ScanReport;
use crate::storage::remote::redacted;
use crate::types::timespan;

/// What limits the results.
pub(super) struct RunMessages<'a> {
    /// The reports of all scans.
    pub reports: &'a [Arc<ScanReport>],
    /// What results rest on.
    pub findings: Vec<Message>,
}

/// The page of the backtests of rules, which are in `files`.
pub(super) fn page(
    session: &Session,
    tested: &[RuleBacktest],
    files: &[PathBuf],
    messages: RunMessages<'_>,
) -> Result<ReportPage> {
    let count =
        |of: fn(&Backtest) -> usize| tested.iter().map(|tested| of(&tested.backtest)).sum::<usize>().to_string();
    let rules = match tested.len() {
        1 => "1 rule".to_owned(),
        count => format!("{count} rules"),
    };
    let mut page = ReportPage::new("Backtest", &format!("What {rules} would have done over an archive"));
    page.facts(&[
        ("Rules", tested.len().to_string()),
        ("Alerts", count(|backtest| backtest.alerts.len())),
        ("Events", count(|backtest| backtest.events.as_ref().map_or(0, Vec::len))),
        ("Missed events", count(|backtest| missed(backtest).count())),
    ]);
    page.section("Alerts over time");
    let alerts = tested.iter().flat_map(|tested| tested.backtest.alerts.iter().map(|alert| alert.detected));
    let lost = tested.iter().flat_map(|tested| missed(&tested.backtest).map(|event| event.event.times.generated));
    let series = [("alerts", alerts.collect()), ("missed events", lost.collect())];
    let range = tested.iter().map(|tested| tested.backtest.range);
    let range = range.reduce(|one, other| [one[0].min(other[0]), one[1].max(other[1])]);
    page.chart(&TimeChart {
        series: series.map(|(name, times)| TimeSeries { name, times }).into(),
        range: range.map(|[from, to]| [from, to.saturating_sub(1)]),
    });
    report_page::messages(&mut page, messages.reports, messages.findings);
    for one in tested {
        rule(&mut page, one, &tables::name_among(one, tested));
    }
    report_page::reproduction(&mut page, session, files)?;
    Ok(page)
}

/// The events that no alert includes.
fn missed(backtest: &Backtest) -> impl Iterator<Item = &EventOutcome> {
    let is_missed = |event: &&EventOutcome| event.caught.is_err_and(|reason| !reason.is_undecided());
    backtest.events.iter().flatten().filter(is_missed)
}

fn rule(page: &mut ReportPage, tested: &RuleBacktest, name: &str) {
    let RuleBacktest { rule, backtest, .. } = tested;
    page.section(name);
    page.paragraph(&tested.summary(name));
    if let Some(description) = &rule.description {
        page.paragraph(description.trim());
    }
    page.facts(&facts(rule, backtest));
    if let Some(cost) = &backtest.cost {
        page.heading("What a run reads");
        page.facts(&cost_facts(cost));
        page.paragraph(COST);
    }
    page.heading("Alerts");
    match backtest.alerts.is_empty() {
        true => page.paragraph("The rule makes no alert."),
        false => report_page::table(page, &["Detected", "Window", "Rows", "Value", "Entities"], &alerts(tested)),
    }
    page.heading("Missed events");
    match &backtest.events {
        None => page.paragraph("Which events are missed is not known: a row of the query is not one record."),
        Some(_) if missed(backtest).next().is_none() => page.paragraph("No event is missed."),
        Some(_) => report_page::table(page, &["Time", "Arrived", "Reason", "Record"], &missed_rows(backtest)),
    }
    page.heading("Query");
    page.code(&redacted(&rule.query.text));
}

fn facts(rule: &AlertRule, backtest: &Backtest) -> Vec<(&'static str, String)> {
    let schedule = backtest.schedule;
    let [from, to] = backtest.range.map(html::time);
    vec![
        ("Kind", rule.kind.name().to_owned()),
        ("Severity", rule.severity.clone()),
        ("Runs", backtest.runs.count().to_string()),
        ("Runs every", timespan::to_text(schedule.frequency)),
        ("Looks back", timespan::to_text(schedule.lookback)),
        ("Sees rows that arrive within", timespan::to_text(schedule.delay)),
        ("Anchor", html::time(backtest.grid.anchor)),
        ("From", from),
        ("To", to),
    ]
}

/// What the numbers of rows and bytes mean.
const COST: &str = "Rows of the tables of the rule in the window of a run, to the minute, whether or not they had arrived. \
                    Bytes are estimated: the share of these rows in the size of the files as they are stored.";

fn cost_facts(cost: &RunCost) -> Vec<(&'static str, String)> {
    let bytes = |number: f64| format!("{number:.0}");
    vec![
        ("Rows of a run (mean)", format!("{:.1}", cost.rows_per_run())),
        ("Rows of a run (most)", cost.most_rows.to_string()),
        ("Rows of all runs", cost.rows.to_string()),
        ("Bytes of a run (mean)", bytes(cost.bytes_per_run())),
        ("Bytes of a run (most)", bytes(cost.most_bytes)),
        ("Bytes of all runs", bytes(cost.bytes)),
    ]
}

fn alerts(tested: &RuleBacktest) -> Vec<Vec<PageCell>> {
    let alert = |alert: &crate::backtest::Alert| {
        let [start, end] = tested.window(alert).map(html::time);
        let entities: Vec<String> = alert.entities.iter().map(ToString::to_string).collect();
        let muted = if alert.is_muted { " (actions muted)" } else { "" };
        vec![
            PageCell::Time(format!("{}{muted}", html::time(alert.detected))),
            PageCell::Time(format!("{start} to\n{end}")),
            PageCell::count(alert.rows),
            PageCell::Number(alert.value.to_string()),
            PageCell::text(entities.join("\n")),
        ]
    };
    tested.backtest.alerts.iter().map(alert).collect()
}

fn missed_rows(backtest: &Backtest) -> Vec<Vec<PageCell>> {
    let event = |outcome: &EventOutcome| {
        let event = &outcome.event;
        let line = event.line.map_or(String::new(), |line| format!(", line {line}"));
        vec![
            PageCell::Time(html::time(event.times.generated)),
            PageCell::Time(event.times.arrived.map_or(String::new(), html::time)),
            PageCell::text(outcome.caught.err().map_or("", |reason| reason.name())),
            PageCell::text(format!("{} in {}{line}", event.table, event.file)),
        ]
    };
    missed(backtest).map(event).collect()
}
