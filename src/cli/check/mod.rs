//! `coldcase check`: parses and binds the queries of files without data.

mod advice;
mod archive;
mod baseline;
pub(super) mod finding;
mod reach;
mod report;
mod row_bounds;
mod sarif;

use std::sync::Arc;

use self::advice::{AdviceKind, advice};
use self::archive::ArchiveCheck;
use self::baseline::Baseline;
use self::finding::{Finding, Verdict};
use self::report::{CheckReport, CheckedQuery};
use super::args::CheckArgs;
use super::query_files::{QUERY_EXTENSIONS, TextFile, find_files};
use super::rule_files::{JSON_EXTENSIONS, YAML_EXTENSIONS, rule_format};
use super::session::{self, QueryText, Session};
use super::sources::SourceOptions;
use super::{Outcome, stop};
use crate::diagnostic::{Error, Result, Span};
use crate::engine::{Engine, Settings, TimeRange};
use crate::messages::CommandNote;
use crate::rules::{self, AlertRule, DetectionRule, RuleFileError, RuleKind, RuleQuery, TextMap, validate};
use crate::scan::{Catalog, SchemaCatalog};
use crate::syntax::placeholders;

/// The number of ticks of a day.
const DAY: i64 = 864_000_000_000;

pub(super) fn run(args: &CheckArgs) -> Result<Outcome> {
    let call = SourceOptions { stdin_taken: Some("the query"), ..args.source.call(&args.data) };
    let session = session::of_text(QueryText::none("check"), &args.source, &args.inputs, &call)?;
    let extensions = [QUERY_EXTENSIONS, YAML_EXTENSIONS, JSON_EXTENSIONS].concat();
    let files = find_files(&args.paths, &extensions)?;
    let data =
        (!args.data.is_empty()).then(|| ArchiveCheck { engine: &session.engine, report: session.engine.report() });
    let checker = Checker::new(&session, data.as_ref());
    let mut report = CheckReport::new(args, &session);
    let mut baseline = args.baseline.as_deref().map(Baseline::read).transpose()?.unwrap_or_default();
    let mut found = Baseline::default();
    for path in &files {
        stop::check()?;
        let file = TextFile::read(path)?;
        let mut checked = checker.file(&file, &mut report, args.paths.contains(path))?;
        checked.iter().for_each(|query| found.add(&file.path, query));
        checked.iter_mut().for_each(|query| baseline.remove_known(&file.path, query));
        report.add(&file, checked)?;
    }
    if let Some(data) = &data {
        session.reporter.report(&data.report);
    }
    if let Some(path) = &args.write_baseline {
        found.write(path)?;
        report.finish()?;
        return Ok(Outcome::Success);
    }
    let is_damaged = session.strict && data.is_some_and(|data| data.report.is_incomplete());
    match report.finish()? {
        Verdict::Valid if is_damaged => Ok(Outcome::Damaged),
        Verdict::Valid => Ok(Outcome::Success),
        verdict => Err(Error::Reported(verdict.exit_code())),
    }
}

/// Checks queries against the tables of a session.
struct Checker<'a> {
    catalog: Arc<dyn Catalog>,
    settings: Settings,
    /// The data on which rules should be able to fire.
    data: Option<&'a ArchiveCheck<'a>>,
}

impl<'a> Checker<'a> {
    fn new(session: &Session, data: Option<&'a ArchiveCheck<'a>>) -> Self {
        let catalog = Arc::clone(&session.catalog) as Arc<dyn Catalog>;
        let catalog = Arc::new(SchemaCatalog::new(catalog)) as Arc<dyn Catalog>;
        Self { catalog, settings: session.engine.settings().clone(), data }
    }

    /// Checks the queries of a file. A file without rules is skipped with a note, and an error if it `is_named`.
    fn file(&self, file: &TextFile, report: &mut CheckReport<'_>, is_named: bool) -> Result<Vec<CheckedQuery>> {
        let Some(format) = rule_format(&file.path) else { return Ok(vec![self.whole_file(&file.text)?]) };
        let rules = match rules::read(&file.text, format) {
            Ok(rules) => rules,
            Err(error) => return Ok(vec![CheckedQuery::wrong_file(Finding::of_file(error.span, error.reason))]),
        };
        if rules.is_empty() && is_named {
            let reason = "no rule is recognised in it".to_owned();
            return Ok(vec![CheckedQuery::wrong_file(Finding::of_file(Span::default(), reason))]);
        }
        if rules.is_empty() {
            report.note(CommandNote::NoRule(file.path.display().to_string()));
        }
        let mut checked = Vec::new();
        let alerts = rules::read_alerts(&file.text, format).unwrap_or_default();
        for (rule, alert) in rules.iter().zip(alerts) {
            if rule.kind == RuleKind::WithoutQuery {
                let file = file.path.display().to_string();
                report.note(CommandNote::RuleWithoutQuery { file, rule: rule.name.clone() });
            } else if rule.queries.is_empty() {
                let finding = Finding::of_file(rule.span, "the rule has no query".to_owned());
                checked.push(CheckedQuery::of_rule(rule, rule.span).with(Verdict::Wrong, vec![finding]));
            }
            let first = checked.len();
            for query in &rule.queries {
                let unchecked = CheckedQuery::of_rule(rule, query.key);
                // Parsing a query that is too long for its service takes time and memory, and tells nothing more.
                let is_too_long = alert.is_err() && query.text.len() > rules::MAX_PROPERTIES as usize;
                checked.push(if is_too_long { unchecked } else { self.query(unchecked, query)? });
            }
            if let Some(query) = checked.get_mut(first).filter(|_| is_alert_rule(rule)) {
                self.add_advice(query, alert)?;
            }
        }
        Ok(checked)
    }

    /// Adds what is to be said about the rule of a query.
    fn add_advice(&self, query: &mut CheckedQuery, rule: std::result::Result<AlertRule, RuleFileError>) -> Result<()> {
        match rule {
            Err(error) => {
                let verdict = if error.is_unsupported() { Verdict::Unsupported } else { Verdict::Wrong };
                query.verdict = query.verdict.max(verdict);
                query.findings.push(Finding::about_rule(AdviceKind::Rejected, error.span, error.reason));
            }
            Ok(rule) if query.verdict == Verdict::Valid => {
                let problems = query.columns.as_ref().map(|schema| validate::result(&rule, schema)).unwrap_or_default();
                if !problems.is_empty() {
                    query.verdict = Verdict::Wrong;
                }
                let rejected =
                    |error: RuleFileError| Finding::about_rule(AdviceKind::Rejected, error.span, error.reason);
                query.findings.extend(problems.into_iter().map(rejected));
                query.findings.extend(advice(&rule, query.columns.as_ref()));
                if let Some(data) = self.data {
                    query.findings.extend(data.cannot_fire(&rule)?);
                }
            }
            Ok(_) => {}
        }
        Ok(())
    }

    /// Checks the query that a file consists of.
    fn whole_file(&self, text: &str) -> Result<CheckedQuery> {
        let positions = Some(TextMap::whole(text));
        let query = RuleQuery { text: text.to_owned(), key: Span::default(), positions, is_expression: false };
        self.query(CheckedQuery::default(), &query)
    }

    fn query(&self, checked: CheckedQuery, query: &RuleQuery) -> Result<CheckedQuery> {
        if query.is_expression {
            let reason = "the query is an expression of the template, which only a deployment evaluates";
            let finding = Finding::of_file(query.key, reason.to_owned());
            return Ok(checked.with(Verdict::Unsupported, vec![finding]));
        }
        let engine = Engine::new(Arc::clone(&self.catalog), self.settings_for(&query.text));
        match engine.prepare_results(&query.text, engine.report()) {
            Ok(results) => {
                let warnings = results.iter().flat_map(|prepared| &prepared.warnings);
                let findings = warnings.map(|warning| Finding::of_query(warning, query)).collect();
                let columns = match results.as_slice() {
                    [prepared] => Some(prepared.schema().clone()),
                    _ => None,
                };
                Ok(CheckedQuery { columns, ..checked.with(Verdict::Valid, findings) })
            }
            Err(Error::Query(diagnostics)) => {
                let verdict = finding::verdict(&diagnostics, &query.text, &self.catalog.names());
                let findings = diagnostics.iter().map(|diagnostic| Finding::of_query(diagnostic, query)).collect();
                Ok(checked.with(verdict, findings))
            }
            Err(error @ (Error::Limit(_) | Error::BatchTooLarge(_) | Error::Data { .. })) => {
                Ok(checked.with(Verdict::Unreadable, vec![Finding::of_file(query.key, error.to_string())]))
            }
            Err(error) => Err(error),
        }
    }

    /// The settings for `text`. Placeholders for times get the last day, if no time range is given.
    fn settings_for(&self, text: &str) -> Settings {
        let mut settings = self.settings.clone();
        let is_filled = !placeholders(text).is_empty();
        settings.time_range = settings.time_range.filter(|_| is_filled);
        if is_filled && settings.time_range.is_none() {
            let (from, to) = (settings.now.saturating_sub(DAY), settings.now);
            let column = settings.time_column.clone();
            settings.time_range = Some(TimeRange { column, from: Some(from), to: Some(to), through: None });
        }
        settings
    }
}

/// True for rules that make alerts, and whose queries are not expressions of a template.
fn is_alert_rule(rule: &DetectionRule) -> bool {
    rule.kind.is_alert() && rule.queries.iter().all(|query| !query.is_expression)
}

impl CheckedQuery {
    /// The query of `rule` that begins at `span`, before it is checked.
    fn of_rule(rule: &DetectionRule, span: Span) -> Self {
        Self { id: rule.id.clone(), name: rule.name.clone(), kind: Some(rule.kind), span, ..Self::default() }
    }

    /// A file that is no file of rules.
    fn wrong_file(finding: Finding) -> Self {
        Self { span: finding.span, ..Self::default() }.with(Verdict::Wrong, vec![finding])
    }

    fn with(self, verdict: Verdict, findings: Vec<Finding>) -> Self {
        Self { verdict, findings, ..self }
    }
}
