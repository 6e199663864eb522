//! Files of detection rules: finding and reading them, and errors that point into them.

use std::path::{Path, PathBuf};

use super::args::MessageArgs;
use super::check::finding::Finding;
use super::query_files::{TextFile, find_files, has_extension};
use super::reporter::{self, Reporter};
use super::session::Session;
use crate::diagnostic::{Error, Region, Result, Sources, Span};
use crate::messages::CommandNote;
use crate::rules::{self, AlertRule, RuleFileError, RuleFormat, RuleKind, RuleQuery};

/// The extensions of rule files.
pub(super) const YAML_EXTENSIONS: &[&str] = &["yaml", "yml"];
pub(super) const JSON_EXTENSIONS: &[&str] = &["json"];
/// The extensions of unit tests of rules.
pub(super) const TEST_EXTENSIONS: &[&str] = &["test.yaml", "test.yml"];

/// The format of a rule file; None for a file that is one query.
pub(super) fn rule_format(path: &Path) -> Option<RuleFormat> {
    let formats =
        [(YAML_EXTENSIONS, RuleFormat::Yaml), (TEST_EXTENSIONS, RuleFormat::Yaml), (JSON_EXTENSIONS, RuleFormat::Json)];
    formats.into_iter().find(|(extensions, _)| has_extension(path, extensions)).map(|(_, format)| format)
}

/// The exit code of a rule that is wrong.
pub(super) const WRONG_RULE: u8 = 3;
/// The exit code of a rule that only this program does not support.
const UNSUPPORTED_RULE: u8 = 4;

/// An alert rule and the file that it is in.
pub(super) struct FiledRule {
    /// The rule.
    pub rule: AlertRule,
    /// The file.
    pub file: std::rc::Rc<TextFile>,
}

/// The alert rules of files and folders.
pub(super) struct ReadRules {
    pub rules: Vec<FiledRule>,
    /// The exit code of the first rule that is wrong or not supported.
    pub failed: Option<u8>,
    /// Notes about files in folders without an alert rule, and about other rules in them.
    pub skipped: Vec<CommandNote>,
}

/// Reads the alert rules of files, and of the files in folders. Rules that are wrong are reported all at once.
///
/// # Errors
/// A file cannot be read or holds no alert rule, or a rule is wrong.
pub(super) fn read_alert_rules(paths: &[PathBuf]) -> Result<Vec<FiledRule>> {
    match read_right_rules(paths)? {
        ReadRules { rules, failed: None, .. } => Ok(rules),
        ReadRules { failed: Some(code), .. } => Err(Error::Reported(code)),
    }
}

/// Reads the alert rules of files, and of the files in folders, but for those that are wrong or not supported, which are
/// reported.
///
/// # Errors
/// A file cannot be read, or is no rule file.
pub(super) fn read_right_rules(paths: &[PathBuf]) -> Result<ReadRules> {
    let (mut found, mut failed, mut skipped) = (Vec::new(), None, Vec::new());
    for path in find_files(paths, &[YAML_EXTENSIONS, JSON_EXTENSIONS].concat())? {
        let is_named = paths.contains(&path);
        let file = std::rc::Rc::new(TextFile::read(&path)?);
        let Some(format) = rule_format(&path) else {
            let text = format!("{}: not a rule file: its name must end in .yaml, .yml or .json", path.display());
            return Err(Error::Usage(text));
        };
        let mut wrong = |error: &RuleFileError| {
            report_error(&file, error);
            failed = failed.or(Some(exit_code(error)));
        };
        match rules::read_alerts(&file.text, format) {
            Err(error) => wrong(&error),
            Ok(rules) if rules.is_empty() && is_named => {
                let reason = "no rule is recognised in it".to_owned();
                wrong(&RuleFileError { span: Span::default(), reason });
            }
            Ok(rules) if rules.is_empty() => {
                skipped.push(CommandNote::NoRule(path.display().to_string()));
            }
            Ok(rules) => {
                let kinds = rules::read(&file.text, format).unwrap_or_default();
                for (rule, kind) in rules.into_iter().zip(kinds) {
                    match rule {
                        Ok(rule) => found.push(FiledRule { rule, file: std::rc::Rc::clone(&file) }),
                        // Beside alert rules, a folder may have others.
                        Err(_) if !is_named && matches!(kind.kind, RuleKind::Hunting | RuleKind::SavedSearch) => {
                            let (file, rule) = (path.display().to_string(), kind.name);
                            skipped.push(CommandNote::NoAlertRule { file, rule });
                        }
                        Err(error) => wrong(&error),
                    }
                }
            }
        }
    }
    Ok(ReadRules { rules: found, failed, skipped })
}

fn exit_code(error: &RuleFileError) -> u8 {
    // A file that lacks a value is wrong.
    match error.is_unsupported() && !error.is_expression() {
        true => UNSUPPORTED_RULE,
        false => WRONG_RULE,
    }
}

/// Prints what is wrong with a file, with the position in it.
pub(super) fn report_error(file: &TextFile, error: &RuleFileError) {
    let sources = Sources::new(file.text.as_str(), file.path.display().to_string());
    let Region { file, line, column, .. } = sources.region(error.span);
    reporter::print_line(&format!("error: {file}:{line}:{column}: {}", error.reason));
}

impl FiledRule {
    /// `file:line:column` of a position in the file.
    pub fn place(&self, span: Span) -> String {
        let sources = Sources::new(self.file.text.as_str(), self.file.path.display().to_string());
        let Region { file, line, column, .. } = sources.region(span);
        format!("{file}:{line}:{column}")
    }

    /// Prints an error at a position of the file.
    pub fn print_error(&self, error: &RuleFileError) {
        reporter::print_line(&format!("error: {}: {}", self.place(error.span), error.reason));
    }

    /// Prints an error of the query of the rule, with positions in its file; other errors are returned as they are.
    pub fn query_error(&self, error: Error, args: &MessageArgs, session: &Session) -> Error {
        let reporter = Reporter::new(args, &self.file.path.display().to_string(), &self.file.text);
        reporter.with_library(session.catalog.library()).query_error(self.moved_error(error))
    }

    /// Returns an error of the query of the rule with positions in its file; other errors as they are.
    pub fn moved_error(&self, error: Error) -> Error {
        let Error::Query(diagnostics) = error else { return error };
        let query: &RuleQuery = &self.rule.query;
        let moved = diagnostics.iter().filter_map(|diagnostic| Finding::of_query(diagnostic, query).diagnostic);
        Error::Query(moved.collect())
    }
}
