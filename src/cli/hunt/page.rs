//! The report of a hunt as an HTML page.

use std::path::PathBuf;
use std::sync::Arc;

use super::super::report_page;
use super::super::session::Session;
use super::rules::HuntRules;
use super::timesketch;
use crate::diagnostic::Result;
use crate::html::{self, PageCell, ReportPage, TimeChart, TimeSeries};
use crate::hunt::{Hunt, TimelineEntry};
use crate::messages::CommandWarning;
use crate::scan::ScanReport;
use crate::storage::remote::redacted;

/// The page of a hunt.
pub(super) fn page(session: &Session, rules: &HuntRules, hunt: &Hunt, report: &Arc<ScanReport>) -> Result<ReportPage> {
    let mut page = ReportPage::new("Hunt", &super::summary(rules, hunt));
    let failed = hunt.outcomes.iter().filter(|outcome| outcome.rows.is_err()).count() + rules.unreadable;
    let found = hunt.outcomes.iter().filter(|outcome| outcome.rows.as_ref().is_ok_and(|rows| *rows > 0)).count();
    let times = || hunt.timeline.iter().filter_map(|entry| entry.time);
    let time = |ticks: Option<i64>| ticks.map_or("not given".to_owned(), html::time);
    let range = session.engine.settings().time_range.as_ref();
    let (from, to) = (range.and_then(|range| range.from), range.and_then(|range| range.to.or(range.through)));
    page.facts(&[
        ("Rules", (hunt.outcomes.len() + rules.unreadable).to_string()),
        ("Rules with rows", found.to_string()),
        ("Rules that did not run", failed.to_string()),
        ("Rows", hunt.timeline.len().to_string()),
        ("First row", times().min().map_or("none".to_owned(), html::time)),
        ("Last row", times().max().map_or("none".to_owned(), html::time)),
        ("From", time(from)),
        ("To", time(to)),
    ]);
    page.section("Rows over time");
    let range = from.zip(to).map(|(from, to)| [from, to.saturating_sub(1)]);
    page.chart(&TimeChart { series: vec![TimeSeries { name: "rows", times: times().collect() }], range });
    let doubts = hunt.outcomes.iter().enumerate().flat_map(|(index, outcome)| rules.doubts(index, outcome));
    report_page::messages(
        &mut page,
        std::slice::from_ref(report),
        doubts.map(|doubt| CommandWarning::Rule(doubt).into()),
    );
    page.section("Rules");
    report_page::table(&mut page, &["Rule", "Severity", "Tactics", "Rows", "Outcome", "File"], &outcomes(rules, hunt));
    page.section("Timeline");
    let rows: Vec<Vec<PageCell>> = hunt.timeline.iter().map(|entry| row(entry, rules)).collect();
    report_page::table(&mut page, &["Time", "Rule", "Severity", "Entities", "Row"], &rows);
    page.section("Queries");
    for rule in &rules.rules {
        page.heading(&rule.name);
        page.code(&redacted(&rule.query.text));
    }
    let files: Vec<PathBuf> = rules.paths();
    report_page::reproduction(&mut page, session, &files)?;
    Ok(page)
}

fn outcomes(rules: &HuntRules, hunt: &Hunt) -> Vec<Vec<PageCell>> {
    let outcome = |(index, outcome): (usize, &crate::hunt::HuntOutcome)| {
        let rule = &rules.rules[index];
        let (rows, text) = match &outcome.rows {
            Ok(rows) => (PageCell::count(*rows), "ran".to_owned()),
            Err(error) => (PageCell::text(""), format!("did not run: {}", rules.located(index, error).1)),
        };
        vec![
            PageCell::text(&*rule.name),
            PageCell::text(&*rule.severity),
            PageCell::text(rule.tactics.join(", ")),
            rows,
            PageCell::text(text),
            PageCell::text(rules.file(index)),
        ]
    };
    hunt.outcomes.iter().enumerate().map(outcome).collect()
}

fn row(entry: &TimelineEntry, rules: &HuntRules) -> Vec<PageCell> {
    let rule = &rules.rules[entry.rule];
    let members = match entry.json() {
        serde_json::Value::Object(members) => members,
        _ => serde_json::Map::new(),
    };
    let member = |(name, value): (&String, &serde_json::Value)| match value {
        serde_json::Value::String(text) => format!("{name}: {text}"),
        other => format!("{name}: {other}"),
    };
    vec![
        PageCell::Time(entry.time.map_or(String::new(), html::time)),
        PageCell::text(&*rule.name),
        PageCell::text(&*rule.severity),
        PageCell::text(timesketch::entities(&entry.entities)),
        PageCell::text(members.iter().map(member).collect::<Vec<_>>().join("\n")),
    ]
}
