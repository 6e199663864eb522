//! `--update`: replaces what tests expect by what their rules made.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::super::query_files::TextFile;
use super::super::reporter;
use super::TestOutcome;
use super::comparison::{entity_values, failures, row_count};
use crate::backtest::Alert;
use crate::diagnostic::{Result, Sources, Span, visible};
use crate::rules::{ExpectedResult, ExpectedRows, RuleTest};

/// New texts for parts of a file, by the start of the part.
type FileEdits = BTreeMap<u32, FileEdit>;

/// A new text for a part of a file.
#[derive(Clone, PartialEq, Eq)]
struct FileEdit {
    span: Span,
    text: String,
}

/// The changes to all files.
pub(super) struct Updates {
    files: BTreeMap<PathBuf, (String, FileEdits)>,
    /// The starts of the tests that are changed, by file.
    tests: BTreeSet<(PathBuf, u32)>,
}

impl Updates {
    /// The changes that let failing tests pass. A test whose rules make different results is not changed.
    pub fn of(outcomes: &[TestOutcome<'_>]) -> Self {
        let mut updates = Self { files: BTreeMap::new(), tests: BTreeSet::new() };
        for same in outcomes.chunk_by(|first, second| first.key() == second.key()) {
            let edits: Vec<Option<FileEdits>> = same.iter().map(|outcome| edits(outcome.test, outcome)).collect();
            let is_failing = same.iter().any(|outcome| !outcome.failures.is_empty());
            let Some(Some(first)) = edits.first().filter(|first| edits.iter().all(|other| &other == first)) else {
                continue;
            };
            if !is_failing {
                continue;
            }
            let file = same[0].file;
            let entry = updates.files.entry(file.path.clone()).or_insert((file.text.clone(), FileEdits::new()));
            entry.1.extend(first.clone());
            updates.tests.insert(same[0].key());
        }
        updates
    }

    /// True if the test of the outcome was changed.
    pub fn include(&self, outcome: &TestOutcome<'_>) -> bool {
        self.tests.contains(&outcome.key())
    }

    /// Prints the lines that change, on stderr.
    pub fn show(&self) {
        for (path, (text, edits)) in &self.files {
            for edit in edits.values().filter(|edit| edit.span.text(text) != edit.text) {
                let region = Sources::new(text.as_str(), path.display().to_string()).region(edit.span);
                let start = text[..edit.span.start as usize].rfind('\n').map_or(0, |at| at + 1);
                let end =
                    text[edit.span.end as usize..].find('\n').map_or(text.len(), |at| edit.span.end as usize + at);
                let new = format!(
                    "{}{}{}",
                    &text[start..edit.span.start as usize],
                    edit.text,
                    &text[edit.span.end as usize..end]
                );
                reporter::print_line(&format!("{}:{}:", region.file, region.line));
                for (sign, lines) in [("-", &text[start..end]), ("+", new.as_str())] {
                    lines.lines().for_each(|line| reporter::print_line(&format!("{sign} {}", visible(line))));
                }
            }
        }
    }

    /// Writes the files.
    pub fn write(&self, files: &[TextFile]) -> Result<()> {
        let edits = |path: &Path| self.files.get(path);
        for file in files {
            let Some((text, edits)) = edits(&file.path) else { continue };
            let mut new = text.clone();
            for edit in edits.values().rev() {
                new.replace_range(edit.span.start as usize..edit.span.end as usize, &edit.text);
            }
            file.write(&new)?;
        }
        Ok(())
    }
}

impl TestOutcome<'_> {
    fn key(&self) -> (PathBuf, u32) {
        (self.file.path.clone(), self.test.span.start)
    }
}

/// The changes that let a test pass; None if there are none.
fn edits(test: &RuleTest, outcome: &TestOutcome<'_>) -> Option<FileEdits> {
    let (ExpectedResult::Alerts(expected), Some(backtest)) = (&test.expected, &outcome.backtest) else { return None };
    let alerts: &[Alert] = &backtest.alerts;
    let mut edits = FileEdits::new();
    let mut add = |span: Span, text: String| drop(edits.insert(span.start, FileEdit { span, text }));
    let mut fixed = expected.clone();
    if let Some(count) = &mut fixed.alerts {
        count.node = alerts.len();
        add(count.span, alerts.len().to_string());
    }
    if let Some(ExpectedRows::Number(count)) = &mut fixed.rows {
        count.node = row_count(alerts);
        add(count.span, count.node.to_string());
    }
    for entities in &mut fixed.entities {
        let values = entity_values(&entities.entity, alerts);
        entities.values = values.iter().map(|value| (*value).to_owned()).collect();
        let written: Vec<String> = values.iter().map(|value| serde_json::Value::from(*value).to_string()).collect();
        add(trimmed(entities.span, &outcome.file.text), format!("[{}]", written.join(", ")));
    }
    failures(&ExpectedResult::Alerts(fixed), backtest).is_empty().then_some(edits)
}

/// The span of a list without the whitespace after it, which belongs to what follows.
fn trimmed(span: Span, file: &str) -> Span {
    let length = span.text(file).trim_end().len();
    Span { end: span.start + u32::try_from(length).unwrap_or(0), ..span }
}
