//! Findings that are known already: `--baseline` and `--write-baseline`.
//!
//! A finding is known by its file, rule, kind and message, and not by its line, which changes with every edit.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value as Json, json};

use super::super::destination;
use super::super::query_files::TextFile;
use super::finding::{Finding, Verdict};
use super::report::CheckedQuery;
use crate::diagnostic::{Error, Result, visible_json};

/// How often each finding occurs.
#[derive(Debug, Default)]
pub(super) struct Baseline {
    findings: BTreeMap<String, u64>,
}

impl Baseline {
    /// Reads a file that [`Self::write`] wrote.
    pub fn read(path: &Path) -> Result<Self> {
        let file = TextFile::read(path)?;
        let wrong = || {
            let reason = "not a baseline: expected a file that `coldcase check --write-baseline` wrote".to_owned();
            Error::Data { file: path.display().to_string(), place: None, reason }
        };
        let Ok(Json::Array(list)) = serde_json::from_str(&file.text) else { return Err(wrong()) };
        let mut baseline = Self::default();
        for finding in list {
            let fields = ["file", "rule", "code", "message"].map(|name| finding.get(name).cloned());
            let [Some(file), Some(rule), Some(code), Some(message)] = fields else { return Err(wrong()) };
            *baseline.findings.entry(json!([file, rule, code, message]).to_string()).or_default() += 1;
        }
        Ok(baseline)
    }

    /// Adds the findings of a query.
    pub fn add(&mut self, file: &Path, query: &CheckedQuery) {
        for finding in &query.findings {
            *self.findings.entry(key(file, query, finding)).or_default() += 1;
        }
    }

    /// Removes the findings that are known, each as often as it is known. A query without others is valid.
    pub fn remove_known(&mut self, file: &Path, query: &mut CheckedQuery) {
        let keys: Vec<String> = query.findings.iter().map(|finding| key(file, query, finding)).collect();
        let mut keys = keys.into_iter();
        let had_findings = !query.findings.is_empty();
        query.findings.retain(|_| {
            let count = keys.next().and_then(|key| self.findings.get_mut(&key)).filter(|count| **count > 0);
            count.map(|count| *count -= 1).is_none()
        });
        if had_findings && query.findings.iter().all(Finding::is_warning) {
            query.verdict = Verdict::Valid;
        }
    }

    /// Writes the findings as JSON, a line for each.
    pub fn write(&self, path: &Path) -> Result<()> {
        let mut lines = Vec::new();
        for (key, count) in &self.findings {
            let Ok(Json::Array(fields)) = serde_json::from_str(key) else { continue };
            let names = ["file", "rule", "code", "message"].map(str::to_owned);
            let object: Json = names.into_iter().zip(fields).collect();
            lines.extend(std::iter::repeat_n(object.to_string(), usize::try_from(*count).unwrap_or(1)));
        }
        let text = if lines.is_empty() { "[]\n".to_owned() } else { format!("[\n{}\n]\n", lines.join(",\n")) };
        destination::write_file(path, |out| out.write_all(visible_json(&text).as_bytes()))
    }
}

/// The finding as a JSON array.
fn key(file: &Path, query: &CheckedQuery, finding: &Finding) -> String {
    let file = file.display().to_string().replace('\\', "/");
    let rule = query.id.as_ref().or(query.name.as_ref());
    json!([file, rule, finding.id(), finding.message]).to_string()
}
