//! `coldcase test`: unit tests of rules.

mod comparison;
mod fixture;
mod report;
mod update;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use self::comparison::failures;
use self::fixture::{TestRun, prepared};
use self::report::TestReport;
use self::update::Updates;
use super::args::TestArgs;
use super::query_files::{TextFile, find_files};
use super::reporter::{self, Reporter};
use super::rule_files::{FiledRule, TEST_EXTENSIONS, read_alert_rules, report_error};
use super::session::{self, QueryText, Session};
use super::sources::SourceOptions;
use super::{Outcome, stop};
use crate::backtest::{self, Backtest, BacktestError};
use crate::diagnostic::{Error, Result, Spanned};
use crate::engine::{Engine, Settings};
use crate::rules::{RuleFileError, RuleTest, read_tests};
use crate::scan::{Catalog, SchemaCatalog};

/// A test and the rule that it is about.
struct BoundTest<'a> {
    file: &'a TextFile,
    test: RuleTest,
    rule: Rc<FiledRule>,
    run: TestRun,
}

/// What came out of a test.
pub(super) struct TestOutcome<'a> {
    /// The file of the test.
    file: &'a TextFile,
    test: &'a RuleTest,
    rule: &'a FiledRule,
    /// How the result differs from the expected one. The test passes if there is no difference.
    failures: Vec<String>,
    /// The result; None if the query of the rule cannot run.
    backtest: Option<Backtest>,
}

pub(super) fn run(args: &TestArgs) -> Result<Outcome> {
    let call = SourceOptions { stdin_taken: Some("the tests"), ..args.source.call(&[]) };
    let session = session::of_text(QueryText::none("test"), &args.source, &args.inputs, &call)?;
    let here = [PathBuf::from(".")];
    let paths = if args.paths.is_empty() { &here[..] } else { &args.paths };
    let files = find_files(paths, TEST_EXTENSIONS)?;
    let files: Vec<TextFile> = files.iter().map(|path| TextFile::read(path)).collect::<Result<_>>()?;
    let catalog = Arc::new(SchemaCatalog::new(Arc::clone(&session.catalog) as Arc<dyn Catalog>)) as Arc<dyn Catalog>;
    let tests = bound_tests(&files, &catalog)?;
    let mut outcomes = Vec::new();
    for test in &tests {
        stop::check()?;
        outcomes.push(outcome(test, &session, args)?);
    }
    if args.update {
        let updates = Updates::of(&outcomes);
        updates.show();
        updates.write(&files)?;
        outcomes.retain(|outcome| !updates.include(outcome));
    }
    TestReport::new(&outcomes).write(args)?;
    Ok(match outcomes.iter().all(|outcome| outcome.failures.is_empty()) {
        true => Outcome::Success,
        false => Outcome::Negative,
    })
}

/// Runs a test. An error of the query is a failure of the test.
fn outcome<'a>(bound: &'a BoundTest<'a>, session: &Session, args: &TestArgs) -> Result<TestOutcome<'a>> {
    let BoundTest { file, test, rule, run } = bound;
    let settings = Settings { time_range: None, seed: 0, now: run.now, ..session.engine.settings().clone() };
    let engine = Engine::new(Arc::clone(&run.catalog) as Arc<dyn Catalog>, settings);
    let of = |failures, backtest| TestOutcome { file, test, rule, failures, backtest };
    match backtest::run(&rule.rule, &engine, &run.assumptions, &engine.report()) {
        Ok(backtest) => Ok(of(failures(&test.expected, &backtest), Some(backtest))),
        Err(BacktestError::Rule(problems)) => {
            let line = |problem: &RuleFileError| format!("{}: {}", rule.place(problem.span), problem.reason);
            Ok(of(problems.iter().map(line).collect(), None))
        }
        Err(BacktestError::NoRows) => Ok(of(vec!["the test gives no rows with times".to_owned()], None)),
        Err(BacktestError::Other(error @ (Error::Query(_) | Error::Usage(_)))) => {
            let moved = rule.moved_error(error);
            let reporter = Reporter::new(&args.source.messages, &rule.file.path.display().to_string(), &rule.file.text);
            let reporter = reporter.with_library(session.catalog.library());
            let text = reporter.error_text(&moved);
            Ok(of(text.lines().map(|line| format!("the query cannot run: {line}")).collect(), None))
        }
        Err(BacktestError::Other(error)) => Err(error),
    }
}

/// Reads the tests and their rules. What is wrong in them is reported all at once.
fn bound_tests<'a>(files: &'a [TextFile], catalog: &Arc<dyn Catalog>) -> Result<Vec<BoundTest<'a>>> {
    let mut binder = TestBinder { catalog, rules: BTreeMap::new(), is_wrong: false };
    let mut bound = Vec::new();
    for file in files {
        match read_tests(&file.text) {
            Ok(tests) => bound.extend(tests.into_iter().flat_map(|test| binder.bind(file, &test))),
            Err(error) => binder.report(file, &error),
        }
    }
    if binder.is_wrong { Err(Error::Reported(3)) } else { Ok(bound) }
}

/// Finds the rules of tests.
struct TestBinder<'a> {
    catalog: &'a Arc<dyn Catalog>,
    /// The rules of each file; None if it is wrong, which was reported.
    rules: BTreeMap<PathBuf, Option<Vec<Rc<FiledRule>>>>,
    is_wrong: bool,
}

impl TestBinder<'_> {
    fn report(&mut self, file: &TextFile, error: &RuleFileError) {
        report_error(file, error);
        self.is_wrong = true;
    }

    /// The test with each of its rules; none if the test is wrong.
    fn bind<'f>(&mut self, file: &'f TextFile, test: &RuleTest) -> Vec<BoundTest<'f>> {
        let mut bound = Vec::new();
        for path in &test.rules {
            let rule = self.rule(file, path, test.selected.as_ref());
            let prepared = rule.and_then(|rule| match rule {
                Some(rule) => Ok(Some((prepared(test, &rule.rule, self.catalog)?, rule))),
                None => Ok(None),
            });
            match prepared {
                Ok(Some((run, rule))) => bound.push(BoundTest { file, test: test.clone(), rule, run }),
                Ok(None) => {}
                Err(error) => self.report(file, &error),
            }
        }
        bound
    }

    /// The rule of the file at `path`; None if the file is wrong, which was reported.
    fn rule(
        &mut self,
        file: &TextFile,
        path: &Spanned<String>,
        selected: Option<&Spanned<String>>,
    ) -> std::result::Result<Option<Rc<FiledRule>>, RuleFileError> {
        let full = file.path.parent().unwrap_or(Path::new("")).join(&path.node);
        if !full.is_file() {
            return Err(RuleFileError {
                span: path.span,
                reason: format!("{}: there is no such file", full.display()),
            });
        }
        let known = self.rules.entry(full.clone()).or_insert_with(|| match read_alert_rules(&[full]) {
            Ok(rules) => Some(rules.into_iter().map(Rc::new).collect()),
            Err(error) => {
                if !matches!(error, Error::Reported(_)) {
                    reporter::print_line(&format!("error: {error}"));
                }
                None
            }
        });
        let Some(rules) = known else {
            self.is_wrong = true;
            return Ok(None);
        };
        let is_selected = |rule: &&Rc<FiledRule>| {
            selected.is_none_or(|name| rule.rule.id.as_ref() == Some(&name.node) || rule.rule.name == name.node)
        };
        let mut chosen = rules.iter().filter(is_selected);
        match (chosen.next(), chosen.next()) {
            (Some(rule), None) => Ok(Some(Rc::clone(rule))),
            (None, _) => {
                let span = selected.map_or(path.span, |name| name.span);
                Err(RuleFileError { span, reason: format!("{}: it has no such rule", path.node) })
            }
            (Some(_), Some(_)) => {
                let reason = format!("{}: it has several rules: choose one with `select`", path.node);
                Err(RuleFileError { span: path.span, reason })
            }
        }
    }
}
