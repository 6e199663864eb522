//! `coldcase backtest`: what alert rules would have done over an archive.

mod assumptions;
mod expectations;
mod findings;
mod page;
mod payloads;
mod resume;
mod tables;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use self::assumptions::assumptions;
use self::expectations::Expectations;
use self::resume::StateFile;
use self::tables::RuleBacktest;
use super::args::{BacktestArgs, BacktestFormat, BacktestReport, Unexpected};
use super::configuration::Defaults;
use super::progress::{self, ProgressLine};
use super::rule_files::{FiledRule, ReadRules, WRONG_RULE, read_right_rules};
use super::session::{self, QueryText, Session};
use super::sources::SourceOptions;
use super::{Outcome, destination, documents, report_page, reporter, rows};
use crate::backtest::{self, Alert, Assumptions, Backtest, BacktestError};
use crate::diagnostic::{Error, Result, visible_json};
use crate::engine::{Settings, TimeRange};
use crate::html::ReportPage;
use crate::messages::{CommandNote, CommandWarning, RuleNote, RuleWarning};
use crate::rules::AlertRule;
use crate::scan::{Catalog, ScanReport};

pub(super) fn run(args: &BacktestArgs) -> Result<Outcome> {
    let (rules, data) = args.rules_and_data();
    let ReadRules { rules, failed, skipped } = read_right_rules(&rules)?;
    if rules.is_empty() {
        return Err(Error::Reported(failed.unwrap_or(WRONG_RULE)));
    }
    let mut session = open_session(args, data, skipped)?;
    let range = take_time_range(&mut session)?;
    let expectations = args.expectations.as_deref().map(|path| Expectations::read(path, &rules)).transpose()?;
    let mut state = args.resume.as_deref().map(|path| StateFile::open(path, args.spool.clone(), &rules)).transpose()?;
    if let Some(state) = &mut state {
        state.write_outbox()?;
    }
    let (mut tested, mut untested) = (Vec::new(), Untested { without_rows: 0, failed });
    report_page::check(&args.output)?;
    let files = files_of(&rules);
    let (mut reports, mut said) = (Vec::new(), Vec::new());
    for rule in rules {
        let names = session.catalog.names();
        let mut assumptions = assumptions(&rule.rule, args, &session.backtest, range.as_ref(), &names)?;
        assumptions.keeps_state = state.is_some();
        assumptions.resumed = state.as_ref().and_then(|state| state.state(&rule.rule));
        let report = session.engine.report();
        let outcome = backtest(&session, &rule, &assumptions, args, &report)?;
        reports.push(report);
        match outcome {
            RuleOutcome::Tested(backtest) => {
                let messages = findings::messages(&rule, &backtest, &assumptions);
                findings::report(&session, &rule, &backtest, &messages);
                said.extend(messages);
                tested.push(RuleBacktest::new(rule, *backtest));
            }
            RuleOutcome::WithoutRows => untested.without_rows += 1,
            RuleOutcome::Failed(code) => untested.failed = untested.failed.or(Some(code)),
        }
    }
    session.report_unread();
    session.finish()?;
    if tested.is_empty() {
        return Err(Error::Reported(untested.failed.unwrap_or(NO_ROWS)));
    }
    let is_damaged = session.strict && reports.iter().any(|report| report.is_incomplete());
    let messages = page::RunMessages { reports: &reports, findings: said };
    match &mut state {
        Some(state) => {
            report_withheld(&session, &tested);
            state.hand_on(&tested, &alert_lines(args.form, &tested, payloads::is_handed_on))?;
        }
        None => write(&session, args, &tested, || page::page(&session, &tested, &files, messages))?,
    }
    tables::summaries(&tested).for_each(|summary| session.reporter.info(&summary));
    if let Some(code) = untested.failed {
        return Err(Error::Reported(code));
    }
    if is_damaged {
        return Ok(Outcome::Damaged);
    }
    Ok(match args.are_met(&session, &tested, expectations.as_ref(), &untested) {
        true => Outcome::Success,
        false => Outcome::Negative,
    })
}

/// The files of the rules, each once.
fn files_of(rules: &[FiledRule]) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = rules.iter().map(|rule| rule.file.path.clone()).collect();
    files.dedup();
    files
}

/// The exit code if no rule can be tested, because the files lack its tables.
const NO_ROWS: u8 = 5;

/// The rules without a result.
struct Untested {
    /// The number of rules whose tables have no rows.
    without_rows: usize,
    /// The exit code of the first rule that cannot run.
    failed: Option<u8>,
}

/// What became of a rule.
enum RuleOutcome {
    Tested(Box<Backtest>),
    /// Its tables have no rows, as was reported.
    WithoutRows,
    /// It cannot run, for a reason that was reported; the exit code.
    Failed(u8),
}

/// Refuses a spool in a folder of the data, because the next run would read its alerts as records.
fn refuse_spool_among(data: &[OsString], spool: Option<&Path>) -> Result<()> {
    let Some(spool) = spool else { return Ok(()) };
    let Ok(inside) = spool.canonicalize() else { return Ok(()) };
    let is_around = |path: &&OsString| Path::new(path).canonicalize().is_ok_and(|folder| inside.starts_with(folder));
    match data.iter().find(is_around) {
        Some(folder) => Err(Error::Usage(format!(
            "--spool {}: this folder is inside {}, which is searched for records: choose another one",
            spool.display(),
            Path::new(folder).display()
        ))),
        None => Ok(()),
    }
}

/// The session over the data; `notes` are about the files of the rules.
///
/// # Errors
/// No data is given, or options contradict each other.
fn open_session(args: &BacktestArgs, data: &[OsString], notes: Vec<CommandNote>) -> Result<Session> {
    refuse_spool_among(data, args.spool.as_deref())?;
    if args.resume.is_some() && args.form == Some(BacktestFormat::PreviewJson) {
        let text =
            "--resume writes alerts, and preview-json is about evaluations: use --as common-alert or security-alert";
        return Err(Error::Usage(text.to_owned()));
    }
    let call = SourceOptions { stdin_taken: None, ..args.source.call(data) };
    let session = session::of_text(QueryText::none("backtest"), &args.source, &args.inputs, &call)?;
    notes.into_iter().for_each(|note| session.reporter.note(note));
    if data.is_empty() && session.catalog.readable()?.is_empty() {
        let text = "no data: give a file, folder, glob or URL as the last PATH, or bind tables with -t";
        return Err(Error::Usage(text.to_owned()));
    }
    Ok(session)
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

fn backtest(
    session: &Session,
    rule: &FiledRule,
    assumptions: &Assumptions,
    args: &BacktestArgs,
    report: &Arc<ScanReport>,
) -> Result<RuleOutcome> {
    let started = Instant::now();
    let scans = Arc::clone(report);
    let line = ProgressLine::start(session.reporter.progress_mode(), started, move |elapsed| {
        progress::scans(&scans.counters, elapsed)
    });
    let result = backtest::run(&rule.rule, &session.engine, assumptions, report);
    line.end();
    session.reporter.report(report);
    let error = match result {
        Ok(backtest) => return Ok(RuleOutcome::Tested(Box::new(backtest))),
        Err(BacktestError::NoRows) => {
            session.reporter.warn(CommandWarning::Rule(RuleWarning::NotTested(rule.rule.name.clone())));
            return Ok(RuleOutcome::WithoutRows);
        }
        Err(BacktestError::Rule(problems)) => {
            problems.iter().for_each(|problem| rule.print_error(problem));
            return Ok(RuleOutcome::Failed(WRONG_RULE));
        }
        Err(BacktestError::Other(error)) => error,
    };
    match rule.query_error(error, &args.source.messages, session) {
        Error::Reported(code) => Ok(RuleOutcome::Failed(code)),
        error @ (Error::Usage(_) | Error::Limit(_) | Error::BatchTooLarge(_)) => {
            let place = rule.place(rule.rule.span);
            reporter::print_line(&format!("error: {place}: the rule `{}`: {error}", rule.rule.name));
            Ok(RuleOutcome::Failed(error.exit_code()))
        }
        error => Err(error),
    }
}

/// The alerts in the form of a service, one line each, but for those that `is_wanted` leaves out.
fn alert_lines(
    form: Option<BacktestFormat>,
    tested: &[RuleBacktest],
    is_wanted: fn(&AlertRule, &Alert) -> bool,
) -> String {
    form.map_or(String::new(), |form| visible_json(&payloads::text(form, tested, is_wanted)).into_owned())
}

/// Says which alerts are not handed on. Of a disabled rule, [`findings`] says it.
fn report_withheld(session: &Session, tested: &[RuleBacktest]) {
    for RuleBacktest { rule, backtest, .. } in tested.iter().filter(|tested| tested.rule.is_enabled) {
        let muted = backtest.alerts.iter().filter(|alert| !payloads::is_handed_on(rule, alert)).count();
        if muted > 0 {
            let note = RuleNote::MutedAlerts { rule: rule.name.clone(), alerts: muted };
            session.reporter.note(CommandNote::Rule(note));
        }
    }
}

/// Writes the report, or the alerts in the form of a service.
fn write(
    session: &Session,
    args: &BacktestArgs,
    tested: &[RuleBacktest],
    page: impl FnOnce() -> Result<ReportPage>,
) -> Result<()> {
    if report_page::is_requested(&args.output) {
        return report_page::write(page()?, &args.output).map(drop);
    }
    if args.form.is_some() {
        let text = alert_lines(args.form, tested, |_, _| true);
        return match &args.output.output_file {
            Some(path) => destination::write_file(path, |out| out.write_all(text.as_bytes())),
            None => documents::print(text.as_bytes()).map(drop),
        };
    }
    let (columns, table) = match args.report {
        BacktestReport::Alerts => (tables::ALERTS, tables::alerts(tested)),
        BacktestReport::Events => (tables::EVENTS, tables::events(tested)),
        BacktestReport::Days => (tables::DAYS, tables::days(tested)),
        BacktestReport::Rules => (tables::RULES, tables::rules(tested)),
        BacktestReport::States => (tables::STATES, tables::states(tested)),
    };
    let (output, excel_safe) = (session.format.clone(), Some(session.excel_safe));
    rows::write(&args.output, &Defaults { output, excel_safe, ..Defaults::default() }, columns, table)
}

impl BacktestArgs {
    /// The paths of rules, and that of the data, unless options or the catalog file name them.
    fn rules_and_data(&self) -> (Vec<PathBuf>, &[OsString]) {
        let has_tables = !self.source.tables.is_empty();
        let count = self.paths.len() - usize::from(!has_tables && self.paths.len() > 1);
        let (rules, data) = self.paths.split_at(count);
        (rules.iter().map(PathBuf::from).collect(), data)
    }

    /// True if the exit code tells whether rules do what is expected.
    fn has_expectations(&self) -> bool {
        self.expect_alerts.is_some() || self.expect_no_miss || self.expectations.is_some()
    }

    /// Tells which expectations are not met; true if all are.
    fn are_met(
        &self,
        session: &Session,
        tested: &[RuleBacktest],
        expectations: Option<&Expectations>,
        untested: &Untested,
    ) -> bool {
        self.is_as_expected(session, tested)
            & expectations.is_none_or(|expectations| self.meets(expectations, session, tested))
            & (untested.without_rows == 0 || !self.has_expectations())
    }

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
