//! `coldcase backtest`: what alert rules would have done over an archive.

mod assumptions;
mod expectations;
mod payloads;
mod tables;

use std::path::PathBuf;
use std::time::Instant;

use self::assumptions::assumptions;
use self::expectations::Expectations;
use self::tables::RuleBacktest;
use super::args::{BacktestArgs, BacktestReport, Unexpected};
use super::configuration::Defaults;
use super::progress::{self, ProgressLine};
use super::rule_files::{FiledRule, read_alert_rules};
use super::session::{self, QueryText, Session};
use super::sources::SourceOptions;
use super::{Outcome, destination, documents, rows};
use crate::backtest::{self, Assumptions, Backtest};
use crate::diagnostic::{Error, Result, visible_json};
use crate::engine::{Settings, TimeRange};
use crate::messages::{CommandNote, CommandWarning, RuleWarning};
use crate::types::{datetime, timespan};

pub(super) fn run(args: &BacktestArgs) -> Result<Outcome> {
    let has_tables = !args.source.tables.is_empty();
    let count = args.paths.len() - usize::from(!has_tables && args.paths.len() > 1);
    let (rules, data) = args.paths.split_at(count);
    let rules: Vec<PathBuf> = rules.iter().map(PathBuf::from).collect();
    let rules = read_alert_rules(&rules)?;
    let call = SourceOptions { stdin_taken: None, ..args.source.call(data) };
    let mut session = session::of_text(QueryText::none("backtest"), &args.source, &args.inputs, &call)?;
    let range = take_time_range(&mut session)?;
    let expectations = args.expectations.as_deref().map(Expectations::read).transpose()?;
    let mut tested = Vec::new();
    for rule in rules {
        let assumptions = assumptions(&rule.rule, args, &session.backtest, range.as_ref())?;
        let backtest = backtest(&session, &rule, &assumptions, args)?;
        report_assumptions(&session, &rule, &backtest);
        tested.push(RuleBacktest { rule: rule.rule, backtest });
    }
    session.report_unread();
    session.finish()?;
    write(&session, args, &tested)?;
    tested.iter().for_each(|tested| session.reporter.info(&tested.summary()));
    if let Some(name) = expectations.as_ref().and_then(|all| all.without_rule(&tested).into_iter().next()) {
        return Err(Error::Usage(format!("--expectations: no rule has the identifier or name `{name}`")));
    }
    let is_as_expected = args.is_as_expected(&session, &tested)
        & expectations.is_none_or(|expectations| args.meets(&expectations, &session, &tested));
    Ok(match is_as_expected {
        true => Outcome::Success,
        false => Outcome::Negative,
    })
}

/// Takes `--from`, `--to` and `--last`, which are about the runs and not about the rows.
fn take_time_range(session: &mut Session) -> Result<Option<TimeRange>> {
    let settings = session.engine.settings();
    if settings.dedup.is_some() {
        let text = "backtest reads every delivery of a record: write an archive with `convert --dedup` first";
        return Err(Error::Usage(text.to_owned()));
    }
    let range = settings.time_range.clone();
    session.engine = session.engine.with_settings(Settings { time_range: None, ..settings.clone() });
    Ok(range)
}

fn backtest(session: &Session, rule: &FiledRule, assumptions: &Assumptions, args: &BacktestArgs) -> Result<Backtest> {
    let (started, report) = (Instant::now(), session.engine.report());
    let scans = std::sync::Arc::clone(&report);
    let line = ProgressLine::start(session.reporter.progress_mode(), started, move |elapsed| {
        progress::scans(&scans.counters, elapsed)
    });
    let result = backtest::run(&rule.rule, &session.engine, assumptions, &report);
    line.end();
    session.reporter.report(&report);
    result.map_err(|error| rule.query_error(error, &args.source.messages, session))
}

/// Writes the report, or the alerts in the form of a service.
fn write(session: &Session, args: &BacktestArgs, tested: &[RuleBacktest]) -> Result<()> {
    if let Some(form) = args.form {
        let text = visible_json(&payloads::text(form, tested)).into_owned();
        return match &args.output.output_file {
            Some(path) => destination::write_file(path, |out| out.write_all(text.as_bytes())),
            None => documents::print(text.as_bytes()).map(drop),
        };
    }
    let (columns, table) = match args.report {
        BacktestReport::Alerts => (tables::ALERTS, tables::alerts(tested)),
        BacktestReport::Events => (tables::EVENTS, tables::events(tested)),
        BacktestReport::Days => (tables::DAYS, tables::days(tested)),
        BacktestReport::States => (tables::STATES, tables::states(tested)),
    };
    let (output, excel_safe) = (session.format.clone(), Some(session.excel_safe));
    rows::write(&args.output, &Defaults { output, excel_safe, ..Defaults::default() }, columns, table)
}

/// Says what the result rests on.
fn report_assumptions(session: &Session, rule: &FiledRule, backtest: &Backtest) {
    let name = || rule.rule.name.clone();
    for (table, rows) in &backtest.without_arrival {
        let table = table.clone();
        session.reporter.note(CommandNote::ArrivalAssumed { rule: name(), table, rows: *rows });
    }
    if !rule.rule.is_enabled {
        session.reporter.note(CommandNote::RuleDisabled(name()));
    }
    if backtest.events.is_none() {
        let reason = match backtest.rows_in_memory {
            Some(_) => "a row of its query is not one record",
            None => "the files are read again at every run",
        };
        session.reporter.note(CommandNote::MissesUnknown { rule: name(), reason });
    }
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

impl BacktestArgs {
    /// Tells what is not as expected.
    fn is_as_expected(&self, session: &Session, tested: &[RuleBacktest]) -> bool {
        let alerts: usize = tested.iter().map(|tested| tested.backtest.alerts.len()).sum();
        let mut as_expected = true;
        if let Some(expected) = self.expect_alerts.filter(|expected| *expected != alerts) {
            session.reporter.warn(CommandWarning::Rule(RuleWarning::OtherAlerts { found: alerts, expected }));
            as_expected = false;
        }
        for tested in tested.iter().filter(|tested| self.expect_no_miss && tested.missed() != Some(0)) {
            let rule = tested.rule.name.clone();
            session.reporter.warn(CommandWarning::Rule(RuleWarning::EventsMissed { rule, missed: tested.missed() }));
            as_expected = false;
        }
        as_expected
    }

    /// Tells which rules do not make as many alerts as expected.
    fn meets(&self, expectations: &Expectations, session: &Session, tested: &[RuleBacktest]) -> bool {
        let mut as_expected = true;
        for tested in tested {
            let (rule, found) = (tested.rule.name.clone(), tested.backtest.alerts.len());
            let (expected, is_failure) = match expectations.of(tested) {
                Some(expectation) if expectation.is_met(found) => continue,
                Some(expectation) => (expectation.text(), true),
                None if found == 0 || self.unexpected == Unexpected::Ignore => continue,
                None => ("none".to_owned(), self.unexpected == Unexpected::Fail),
            };
            session.reporter.warn(CommandWarning::Rule(RuleWarning::Unexpected { rule, found, expected }));
            as_expected &= !is_failure;
        }
        as_expected
    }
}
