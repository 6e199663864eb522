//! `coldcase hunt`: rules and queries that run once over an archive, and their rows as one timeline.

mod evidence;
mod page;
mod rules;
mod timeline;
mod timesketch;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use self::rules::HuntRules;
use super::args::{HuntArgs, TIMESKETCH_FORMAT};
use super::configuration::Defaults;
use super::digest::OutputDigest;
use super::progress::{self, ProgressLine};
use super::session::{self, QueryText, Session};
use super::sources::SourceOptions;
use super::{Outcome, destination, documents, manifest, overwrite, report_page, rows};
use crate::diagnostic::{Error, Result, visible_json};
use crate::hunt::Hunt;
use crate::messages::{CommandWarning, RuleWarning};

pub(super) fn run(args: &HuntArgs) -> Result<Outcome> {
    let has_tables = !args.source.tables.is_empty();
    let count = args.paths.len() - usize::from(!has_tables && args.paths.len() > 1);
    let (rules, data) = args.paths.split_at(count);
    let rules: Vec<PathBuf> = rules.iter().map(PathBuf::from).collect();
    let call = SourceOptions { stdin_taken: None, ..args.source.call(data) };
    let session = session::of_text(QueryText::none("hunt"), &args.source, &args.inputs, &call)?;
    check_output(args)?;
    let rules = HuntRules::read(&rules, &session)?;
    let manifest = args.manifest.as_deref();
    overwrite::refuse(&session, &[("-O", args.output.output_file.as_deref()), ("--manifest", manifest)])?;
    let report = session.engine.report();
    let hunt = hunt(&session, &rules, &report)?;
    session.reporter.report(&report);
    session.report_unread();
    session.finish()?;
    let failed = report_outcomes(&session, &rules, &hunt)?;
    let digest = OutputDigest::default();
    match report_page::is_requested(&args.output) {
        true => digest.add(report_page::write(page::page(&session, &rules, &hunt, &report)?, &args.output)?.as_bytes()),
        false => write(&session, args, &rules, &hunt, &digest)?,
    }
    if let Some(path) = manifest {
        let written = manifest::output(args.output.output_file.as_deref(), Some(&digest));
        manifest::write(path, &session, manifest::merged(evidence::entries(&rules, &hunt, &report)?, written))?;
    }
    session.reporter.info(&summary(&rules, &hunt));
    Ok(match session.strict && report.is_incomplete() {
        true => Outcome::Damaged,
        false if failed + rules.unreadable > 0 => Outcome::Negative,
        false => Outcome::Success,
    })
}

/// Refuses formats that options do not fit, before anything is read.
fn check_output(args: &HuntArgs) -> Result<()> {
    if report_page::is_requested(&args.output) {
        return report_page::check(&args.output);
    }
    if is_timesketch(args) {
        return match args.output.spreadsheet.excel_safe {
            true => Err(Error::Usage(format!("--excel-safe has no effect on -o {TIMESKETCH_FORMAT}"))),
            false => Ok(()),
        };
    }
    destination::Destination::new(&args.output).map(drop)
}

fn is_timesketch(args: &HuntArgs) -> bool {
    args.output.format.as_deref() == Some(TIMESKETCH_FORMAT)
}

fn hunt(session: &Session, rules: &HuntRules, report: &Arc<crate::scan::ScanReport>) -> Result<Hunt> {
    let (scans, done) = (Arc::clone(report), Arc::new(AtomicUsize::new(0)));
    let (shown, all) = (Arc::clone(&done), rules.rules.len());
    let line = ProgressLine::start(session.reporter.progress_mode(), Instant::now(), move |elapsed| {
        format!("rule {} of {all}: {}", shown.load(Ordering::Relaxed) + 1, progress::scans(&scans.counters, elapsed))
    });
    let hunt = Hunt::run(&rules.rules, &session.engine, report, &|rule| done.store(rule, Ordering::Relaxed));
    line.end();
    hunt
}

/// Warns of rules that did not run, and of what is doubtful in others. Returns the number of rules that did not run.
///
/// # Errors
/// No rule ran.
fn report_outcomes(session: &Session, rules: &HuntRules, hunt: &Hunt) -> Result<usize> {
    let mut codes = Vec::new();
    for (index, outcome) in hunt.outcomes.iter().enumerate() {
        let rule = || rules.rules[index].name.clone();
        let warn = |warning| session.reporter.warn(CommandWarning::Rule(warning));
        rules.doubts(index, outcome).for_each(warn);
        match &outcome.rows {
            Ok(rows) => session.reporter.detail(|| format!("{}: {rows} rows", rule())),
            Err(error) => {
                let (position, reason) = rules.located(index, error);
                warn(RuleWarning::NotRun { position, rule: rule(), reason });
                codes.push(error.exit_code());
            }
        }
    }
    if hunt.splits > 0 {
        session.reporter.detail(|| {
            "the rows that several rules need do not fit in memory, so files were read several times; raise --max-memory"
                .to_owned()
        });
    }
    match codes.first() {
        Some(code) if codes.len() == hunt.outcomes.len() => Err(Error::Reported(*code)),
        _ => Ok(codes.len()),
    }
}

fn write(session: &Session, args: &HuntArgs, rules: &HuntRules, hunt: &Hunt, digest: &OutputDigest) -> Result<()> {
    if is_timesketch(args) {
        let now = session.engine.settings().now;
        let line = |entry| format!("{}\n", visible_json(&timesketch::line(entry, &rules.rules[entry.rule], now)));
        let lines = hunt.timeline.iter().map(line).inspect(|line| digest.add(line.as_bytes()));
        return match &args.output.output_file {
            Some(path) => destination::write_file(path, |out| {
                lines.into_iter().try_for_each(|line| out.write_all(line.as_bytes()))
            }),
            None => lines.into_iter().try_for_each(|line| documents::print(line.as_bytes()).map(drop)),
        };
    }
    let (output, excel_safe) = (session.format.clone(), Some(session.excel_safe));
    let defaults = Defaults { output, excel_safe, ..Defaults::default() };
    rows::write_hashed(&args.output, &defaults, timeline::COLUMNS, timeline::rows(rules, hunt), Some(digest))
}

/// What came out, in a line.
fn summary(rules: &HuntRules, hunt: &Hunt) -> String {
    let plural = |count: usize, one: &str| format!("{count} {one}{}", if count == 1 { "" } else { "s" });
    let found = hunt.outcomes.iter().filter(|outcome| outcome.rows.as_ref().is_ok_and(|rows| *rows > 0)).count();
    let failed = hunt.outcomes.iter().filter(|outcome| outcome.rows.is_err()).count() + rules.unreadable;
    let all = plural(hunt.outcomes.len() + rules.unreadable, "rule");
    let rows = plural(hunt.timeline.len(), "row");
    let failed = if failed > 0 { format!(", {failed} did not run") } else { String::new() };
    format!("{all}: {found} found {rows}{failed}")
}
