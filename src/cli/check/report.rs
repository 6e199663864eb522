//! The result of a check, in one of several formats.

use std::path::PathBuf;

use serde_json::{Value as Json, json};

use super::super::args::{CheckArgs, CheckFormat};
use super::super::query_files::TextFile;
use super::super::reporter::{self, Reporter};
use super::super::session::Session;
use super::super::{destination, documents};
use super::finding::{Finding, Verdict};
use super::sarif::SarifLog;
use crate::diagnostic::{Region, Result, Sources, Span, visible, visible_json};
use crate::messages::CommandNote;
use crate::rules::RuleKind;
use crate::types::Schema;

/// A query and what its check found.
#[derive(Clone, Debug, Default)]
pub(super) struct CheckedQuery {
    /// The identifier of the rule.
    pub id: Option<String>,
    /// The name of the rule.
    pub name: Option<String>,
    /// The kind of the rule; None for a query without a rule.
    pub kind: Option<RuleKind>,
    /// The position in the file.
    pub span: Span,
    /// The verdict.
    pub verdict: Verdict,
    /// Errors and warnings.
    pub findings: Vec<Finding>,
    /// The columns of the result of a valid query; None if it returns several results.
    pub columns: Option<Schema>,
}

/// Collects and writes the results of a run.
pub(super) struct CheckReport<'a> {
    args: &'a CheckArgs,
    session: &'a Session,
    /// The report so far, for stdout or the file that `-O` names.
    text: String,
    log: SarifLog,
    /// The number of queries by verdict.
    counts: [usize; 4],
    worst: Verdict,
}

impl<'a> CheckReport<'a> {
    pub fn new(args: &'a CheckArgs, session: &'a Session) -> Self {
        let (text, log) = (String::new(), SarifLog::default());
        Self { args, session, text, log, counts: [0; 4], worst: Verdict::Valid }
    }

    /// Prints a note, unless `-q` was given.
    pub fn note(&self, note: CommandNote) {
        self.session.reporter.note(note);
    }

    /// Adds the queries of `file`.
    pub fn add(&mut self, file: &TextFile, queries: Vec<CheckedQuery>) -> Result<()> {
        let path = file.path.display().to_string();
        let mut sources = Sources::new(file.text.as_str(), &path);
        self.session.catalog.library().add_to(&mut sources);
        let reporter = Reporter::new(&self.args.source.messages, &path, &file.text);
        let reporter = reporter.with_library(self.session.catalog.library());
        for query in queries {
            self.worst = self.worst.max(query.verdict);
            self.counts[query.verdict as usize] += 1;
            match self.args.format {
                CheckFormat::Text => self.add_text(&query, &sources, &reporter),
                CheckFormat::Json => {
                    self.text.push_str(&visible_json(&self.json(&query, &sources).to_string()));
                    self.text.push('\n');
                }
                CheckFormat::Sarif => query.findings.iter().for_each(|finding| {
                    self.log.add(finding, level(&query, finding), &sources.region(finding.span));
                }),
                CheckFormat::Github => query.findings.iter().for_each(|finding| {
                    self.text.push_str(&annotation(finding, level(&query, finding), &sources.region(finding.span)));
                }),
            }
        }
        self.flush(false)
    }

    /// Writes the rest, and returns the worst verdict.
    pub fn finish(mut self) -> Result<Verdict> {
        if self.args.format == CheckFormat::Sarif {
            self.text = visible_json(&format!("{:#}\n", self.log.json())).into_owned();
        }
        self.flush(true)?;
        let [valid, unsupported, unreadable, wrong] = self.counts;
        let counts = [(wrong, "wrong"), (unreadable, "unreadable"), (unsupported, "not supported"), (valid, "valid")];
        let counts: Vec<String> =
            counts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect();
        let all: usize = self.counts.iter().sum();
        self.session.reporter.info(&format!(
            "{all} {}: {}",
            if all == 1 { "query" } else { "queries" },
            counts.join(", ")
        ));
        Ok(self.worst)
    }

    /// Writes what was collected: to stdout at once, to a file at the end.
    fn flush(&mut self, is_end: bool) -> Result<()> {
        match &self.args.output_file {
            Some(path) if is_end => destination::write_file(path, |out| out.write_all(self.text.as_bytes())),
            Some(_) => Ok(()),
            None => documents::print(std::mem::take(&mut self.text).as_bytes()).map(drop),
        }
    }

    /// Prints the findings, and adds the columns.
    fn add_text(&mut self, query: &CheckedQuery, sources: &Sources, reporter: &Reporter) {
        for finding in &query.findings {
            match &finding.diagnostic {
                Some(diagnostic) => reporter.warnings(std::slice::from_ref(diagnostic)),
                None => {
                    let Region { file, line, column, .. } = sources.region(finding.span);
                    let level = level(query, finding).name();
                    reporter::print_line(&format!("{level}: {file}:{line}:{column}: {}", finding.line()));
                }
            }
        }
        let Some(schema) = query.columns.as_ref().filter(|_| self.args.schema) else { return };
        let Region { file, line, .. } = sources.region(query.span);
        let name = query.name.as_deref().map(|name| format!(": {name}")).unwrap_or_default();
        self.text.extend([&*visible(&format!("{file}:{line}{name}")), "\n"]);
        for field in schema.fields() {
            self.text.extend(["    ", &*visible(&field.name), ": ", field.ty.name(), "\n"]);
        }
    }

    fn json(&self, query: &CheckedQuery, sources: &Sources) -> Json {
        let region = sources.region(query.span);
        let mut object = json!({
            "file": region.file,
            "line": region.line,
            "id": query.id,
            "name": query.name,
            "kind": query.kind.map(RuleKind::name),
            "verdict": query.verdict.name(),
        });
        let findings = query.findings.iter().map(|finding| finding_json(query, finding, sources));
        object["findings"] = findings.collect();
        if let Some(schema) = query.columns.as_ref().filter(|_| self.args.schema) {
            let column = |field: &crate::types::Field| json!({"name": field.name, "type": field.ty.name()});
            object["columns"] = schema.fields().iter().map(column).collect();
        }
        object
    }
}

fn finding_json(query: &CheckedQuery, finding: &Finding, sources: &Sources) -> Json {
    let region = sources.region(finding.span);
    json!({
        "code": finding.id(),
        "severity": level(query, finding).name(),
        "message": finding.message,
        "file": region.file,
        "line": region.line,
        "column": region.column,
        "endLine": region.end_line,
        "endColumn": region.end_column,
        "text": region.text,
        "help": finding.help,
    })
}

/// How serious a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FindingLevel {
    /// The query is wrong.
    Error,
    /// The query cannot be checked, or may not mean what its author intended.
    Warning,
}

impl FindingLevel {
    /// The name in all formats.
    pub fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

fn level(query: &CheckedQuery, finding: &Finding) -> FindingLevel {
    let is_error = !finding.is_warning() && query.verdict != Verdict::Unsupported;
    if is_error { FindingLevel::Error } else { FindingLevel::Warning }
}

/// A workflow command of GitHub Actions, which shows the finding beside the line.
fn annotation(finding: &Finding, level: FindingLevel, region: &Region) -> String {
    let data = |text: &str| visible(text).replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A");
    let property = |text: &str| data(text).replace(':', "%3A").replace(',', "%2C");
    let title = finding.id().unwrap_or("rule file");
    let file = PathBuf::from(&region.file).to_string_lossy().replace('\\', "/");
    format!(
        "::{} file={},line={},endLine={},col={},endColumn={},title={title}::{}\n",
        level.name(),
        property(&file),
        region.line,
        region.end_line,
        region.column,
        region.end_column,
        data(&finding.line())
    )
}
