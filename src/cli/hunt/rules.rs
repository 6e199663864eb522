//! The rules and queries of a hunt, and where they are.

use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::super::check::finding::Finding;
use super::super::query_files::{QUERY_EXTENSIONS, TextFile, find_files};
use super::super::rule_files::{JSON_EXTENSIONS, YAML_EXTENSIONS, rule_format};
use super::super::session::Session;
use crate::diagnostic::{Diagnostic, Error, Region, Result, Sources, Span};
use crate::hunt::HuntOutcome;
use crate::messages::{CommandNote, CommandWarning, RuleWarning};
use crate::rules::{self, HuntRule, RuleKind, RuleQuery, TextMap};

/// The rules of a hunt.
#[derive(Default)]
pub(super) struct HuntRules {
    /// The rules, in the order of their files.
    pub rules: Vec<HuntRule>,
    /// The file of each rule.
    files: Vec<Rc<TextFile>>,
    /// The number of rules and files that cannot be read.
    pub unreadable: usize,
}

impl HuntRules {
    /// Reads the files of `paths`, and those in folders. Warns of rules and files that cannot be read.
    ///
    /// # Errors
    /// A path does not exist, or no rule can be read.
    pub fn read(paths: &[PathBuf], session: &Session) -> Result<Self> {
        let mut hunt = Self::default();
        let extensions = [QUERY_EXTENSIONS, YAML_EXTENSIONS, JSON_EXTENSIONS].concat();
        for path in find_files(paths, &extensions)? {
            match TextFile::read(&path) {
                Ok(file) => hunt.read_file(&Rc::new(file), paths.contains(&path), session),
                Err(error) => hunt.warn(session, path.display().to_string(), error.to_string()),
            }
        }
        match hunt.rules.is_empty() {
            true if hunt.unreadable > 0 => Err(Error::Reported(3)),
            true => Err(Error::Usage("the files contain no rule with a query".to_owned())),
            false => Ok(hunt),
        }
    }

    fn read_file(&mut self, file: &Rc<TextFile>, is_named: bool, session: &Session) {
        let Some(format) = rule_format(&file.path) else {
            let positions = Some(TextMap::whole(&file.text));
            let query = RuleQuery { text: file.text.clone(), key: Span::default(), positions, is_expression: false };
            return self.add(HuntRule::of_query(stem(&file.path), query), file);
        };
        let (all, queries) = match rules::read(&file.text, format).and_then(|all| {
            let queries = rules::read_hunts(&file.text, format)?;
            Ok((all, queries))
        }) {
            Ok(read) => read,
            Err(error) => return self.warn(session, position(file, error.span), error.reason),
        };
        let name = || file.path.display().to_string();
        match all.is_empty() {
            true if is_named => self.warn(session, name(), "no rule is recognised in it".to_owned()),
            true => session.reporter.note(CommandNote::NoRule(name())),
            false => {}
        }
        for rule in all.into_iter().filter(|rule| rule.kind == RuleKind::WithoutQuery) {
            session.reporter.note(CommandNote::RuleWithoutQuery { file: name(), rule: rule.name });
        }
        for rule in queries {
            match rule {
                Ok(rule) => self.add(rule, file),
                Err(error) => self.warn(session, position(file, error.span), error.reason),
            }
        }
    }

    fn add(&mut self, rule: HuntRule, file: &Rc<TextFile>) {
        self.rules.push(rule);
        self.files.push(Rc::clone(file));
    }

    fn warn(&mut self, session: &Session, position: String, reason: String) {
        self.unreadable += 1;
        session.reporter.warn(CommandWarning::Rule(RuleWarning::NotRead { position, reason }));
    }

    /// The files of the rules, each once.
    pub fn paths(&self) -> Vec<PathBuf> {
        let mut paths: Vec<PathBuf> = self.files.iter().map(|file| file.path.clone()).collect();
        paths.dedup();
        paths
    }

    /// The name of the file of a rule.
    pub fn file(&self, rule: usize) -> String {
        self.files.get(rule).map_or(String::new(), |file| file.path.display().to_string())
    }

    /// The position and the text of the error that kept a rule from running.
    pub fn located(&self, rule: usize, error: &Error) -> (String, String) {
        match error {
            Error::Query(list) => match list.first() {
                Some(first) => self.located_in_query(rule, first, list.len() - 1),
                None => (self.file(rule), error.to_string()),
            },
            _ => (self.position(rule, self.rules[rule].query.key), error.to_string()),
        }
    }

    /// The warnings about the query of a rule.
    pub fn doubts<'a>(&'a self, rule: usize, outcome: &'a HuntOutcome) -> impl Iterator<Item = RuleWarning> + 'a {
        outcome.warnings.iter().map(move |diagnostic| {
            let (position, text) = self.located_in_query(rule, diagnostic, 0);
            RuleWarning::QueryDoubtful { position, rule: self.rules[rule].name.clone(), text }
        })
    }

    /// The position and the text of a message about the query of a rule.
    fn located_in_query(&self, rule: usize, diagnostic: &Diagnostic, others: usize) -> (String, String) {
        let finding = Finding::of_query(diagnostic, &self.rules[rule].query);
        let more = match others {
            0 => String::new(),
            1 => "; and 1 more error".to_owned(),
            _ => format!("; and {others} more errors"),
        };
        (self.position(rule, finding.span), finding.line() + &more)
    }

    fn position(&self, rule: usize, span: Span) -> String {
        self.files.get(rule).map_or(String::new(), |file| position(file, span))
    }
}

/// The name of a file without its extension.
fn stem(path: &Path) -> String {
    path.file_stem().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

/// `FILE:LINE:COLUMN`.
fn position(file: &TextFile, span: Span) -> String {
    let sources = Sources::new(file.text.as_str(), file.path.display().to_string());
    let Region { file, line, column, .. } = sources.region(span);
    format!("{file}:{line}:{column}")
}
