//! `coldcase breakglass`: the review of emergency accounts, from logs alone.
//!
//! The review is a query (`uses.kql` and `review.kql`), so that what it says can be checked and changed by hand.

mod page;

use std::time::Instant;

use page::Review;

use super::args::{BreakglassArgs, QueryInputArgs};
use super::destination::Destination;
use super::session::{self, QueryText, Session, time};
use super::{Outcome, report_page, stop};
use crate::diagnostic::{Error, Result};
use crate::engine::Flow;
use crate::messages::{AccountWarning, CommandWarning};
use crate::scan::{Catalog, ScanReport};
use crate::types::{Batch, Schema, Value, datetime, dynamic};

/// The sign-ins of the accounts, after the lets with the accounts and the times of maintenance.
const USES: &str = include_str!("uses.kql");
/// The query about them.
const REVIEW: &str = include_str!("review.kql");

/// The tables with sign-ins besides SigninLogs that a review should not lack.
const OTHER_SIGN_INS: &[&str] = &["AADServicePrincipalSignInLogs", "AADManagedIdentitySignInLogs"];

pub(super) fn run(args: &BreakglassArgs) -> Result<Outcome> {
    let text = QueryText { text: query(args)?, origin: "breakglass" };
    let mut session = session::of_text(text, &args.source, &QueryInputArgs::default(), &args.source.call(&args.paths))?;
    if args.paths.is_empty() && session.catalog.readable()?.is_empty() {
        let text = "no data: give files, folders, globs or URLs as PATH, or bind tables with -t";
        return Err(Error::Usage(text.to_owned()));
    }
    session.text = format!("{}{}", range(&session), session.text);
    let started = Instant::now();
    let destination = match report_page::is_requested(&args.output) {
        true => report_page::check(&args.output).map(|()| None)?,
        false => Some(Destination::with_default(&args.output, session.format.as_deref())?),
    };
    let prepared = session.prepare(&session.engine, &session.text, started);
    let prepared = prepared.map_err(|error| session.reporter.query_error(error))?;
    session.report_unread();
    let line = session.progress(&prepared, started);
    let mut batches = Vec::new();
    let outcome = prepared.run(&mut |batch| {
        batches.push(batch);
        Ok(Flow::Continue(()))
    });
    line.end();
    session.reporter.report(prepared.report());
    session.finish()?;
    outcome.map_err(|error| session.reporter.query_error(error))?;
    let findings = findings(prepared.report(), prepared.schema(), &batches)?;
    findings.iter().for_each(|finding| session.reporter.warn(CommandWarning::Account(finding.clone())));
    let is_damaged = session.strict && prepared.report().is_incomplete();
    let outcome = if is_damaged { Outcome::Damaged } else { Outcome::Success };
    let Some(destination) = destination else {
        let uses = uses(&session)?;
        let review = Review { schema: prepared.schema(), batches: &batches, findings, uses };
        report_page::write(page::page(&session, review, prepared.report())?, &args.output)?;
        return Ok(outcome);
    };
    let mut writer = destination.with_excel_safe(session.excel_safe).open(prepared.schema(), None)?;
    batches.iter().try_for_each(|batch| writer.batch(batch))?;
    writer.finish()?;
    stop::check()?;
    Ok(outcome)
}

/// The times of the successes and of the failures of all accounts.
fn uses(session: &Session) -> Result<[Vec<i64>; 2]> {
    let (lets, _) = session.text.split_once(REVIEW).unwrap_or((&session.text, ""));
    let rows = session.engine.query(&format!("{lets}uses | project TimeGenerated, IsSuccess = ResultType == 0"))?;
    let mut times = [Vec::new(), Vec::new()];
    for batch in &rows.batches {
        for row in 0..batch.rows() {
            let is_success = batch.column(1).value(row) == Value::Bool(true);
            times[usize::from(!is_success)].extend(batch.column(0).i64_at(row));
        }
    }
    Ok(times)
}

/// The lets with the range of the review.
fn range(session: &Session) -> String {
    let range = session.engine.settings().time_range.as_ref();
    let bounds = [
        ("review_from", range.and_then(|range| range.from)),
        ("review_to", range.and_then(|range| range.to.or(range.through.map(|last| last.saturating_add(1))))),
    ];
    let bound = |(name, ticks): (&str, Option<i64>)| {
        let text = ticks.map_or("null".to_owned(), datetime::to_text);
        format!("let {name} = datetime({text});\n")
    };
    bounds.map(bound).concat()
}

/// The whole query, but for its range.
fn query(args: &BreakglassArgs) -> Result<String> {
    if args.accounts.iter().any(|account| account.trim().is_empty()) {
        return Err(Error::Usage("--account: the name of an account must not be empty".to_owned()));
    }
    let mut accounts: Vec<String> = args.accounts.iter().map(|account| account.to_lowercase()).collect();
    accounts.sort();
    accounts.dedup();
    let names = accounts.iter().map(|account| {
        let mut quoted = String::new();
        dynamic::quote(account, &mut quoted);
        quoted
    });
    let names: Vec<String> = names.collect();
    let maintenance = args.maintenance.iter().map(|text| maintenance(text)).collect::<Result<Vec<_>>>()?;
    Ok(format!(
        "let accounts = datatable(Account:string)[{}];\nlet maintenance = datatable(From:datetime, To:datetime)[{}];\n\
         let has_maintenance = {};\n{USES}{REVIEW}",
        names.join(", "),
        maintenance.join(", "),
        !maintenance.is_empty()
    ))
}

/// The two cells of `FROM/TO`.
fn maintenance(text: &str) -> Result<String> {
    let wrong = || Error::Usage(format!("--maintenance {text}: expected FROM/TO, two datetimes in ISO 8601"));
    let (from, to) = text.split_once('/').ok_or_else(wrong)?;
    let (from, to) = (time("--maintenance", from)?, time("--maintenance", to)?);
    let literal = |ticks| format!("datetime({})", datetime::to_text(ticks));
    match from < to {
        true => Ok(format!("{}, {}", literal(from), literal(to))),
        false => Err(Error::Usage(format!("--maintenance {text}: FROM must be before TO"))),
    }
}

/// What is wrong with the accounts, and what the files cannot tell.
fn findings(report: &ScanReport, schema: &Schema, batches: &[Batch]) -> Result<Vec<AccountWarning>> {
    let mut findings = Vec::new();
    let mut warn = |warning| findings.push(warning);
    let rows: usize = batches.iter().map(Batch::rows).sum();
    if rows < 2 {
        warn(AccountWarning::FewAccounts);
    }
    for batch in batches {
        for row in 0..batch.rows() {
            let value = |name: &str| {
                let index = schema.index_of(name).ok_or_else(|| Error::internal("the review lacks a column"))?;
                Ok::<Value, Error>(batch.column(index).value(row))
            };
            let account = value("Account")?.to_text();
            if value("LastSuccess")?.is_null() {
                warn(AccountWarning::NotTested(account.clone()));
            }
            let policies = value("AppliedPolicies")?;
            if !matches!(&*policies.to_text(), "" | "[]") {
                warn(AccountWarning::PolicyApplied { account: account.clone(), policies: policies.to_text() });
            }
            if value("ResetAfterUse")? == Value::Bool(false) {
                let used = value("LastSuccess")?.to_text();
                warn(AccountWarning::NotReset { account, used });
            }
            let aliases = value("AlsoGivenAs")?.to_text();
            if !matches!(&*aliases, "" | "[]") {
                warn(AccountWarning::GivenTwice { account: value("Account")?.to_text(), aliases });
            }
            let days = value("DaysWithoutData")?.to_text();
            if row == 0 && !matches!(&*days, "" | "[]") {
                warn(AccountWarning::DaysWithoutData(days));
            }
        }
    }
    let found = report.tables();
    let missing = OTHER_SIGN_INS.iter().filter(|table| !found.iter().any(|name| name == *table));
    let missing: Vec<String> = missing.map(|table| (*table).to_owned()).collect();
    if !missing.is_empty() {
        warn(AccountWarning::TablesMissing(missing));
    }
    Ok(findings)
}
