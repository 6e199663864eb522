//! Findings in SARIF 2.1.0, which code scanning services show beside the lines.

use serde_json::{Value as Json, json};

use super::advice::AdviceKind;
use super::finding::Finding;
use super::report::FindingLevel;
use crate::diagnostic::{Code, Region};

/// The identifier of findings about files.
const RULE_FILE: &str = "rule-file";

/// The code of a finding about a query, or the kind of one about a rule; neither if it is about a file.
type FindingKind = (Option<Code>, Option<AdviceKind>);

/// The findings of a run.
#[derive(Debug, Default)]
pub(super) struct SarifLog {
    /// The kinds of finding so far.
    kinds: Vec<FindingKind>,
    results: Vec<Json>,
}

impl SarifLog {
    /// Adds a finding at `region`.
    pub fn add(&mut self, finding: &Finding, level: FindingLevel, region: &Region) {
        let kind = (finding.code, finding.advice);
        let index = self.kinds.iter().position(|known| *known == kind).unwrap_or(self.kinds.len());
        if index == self.kinds.len() {
            self.kinds.push(kind);
        }
        self.results.push(json!({
            "ruleId": finding.id().unwrap_or(RULE_FILE),
            "ruleIndex": index,
            "level": level.name(),
            "message": {"text": finding.line()},
            "locations": [{"physicalLocation": {
                "artifactLocation": {"uri": uri(&region.file)},
                "region": {
                    "startLine": region.line,
                    "startColumn": region.column,
                    "endLine": region.end_line,
                    "endColumn": region.end_column,
                },
            }}],
        }));
    }

    /// The log as a document.
    pub fn json(&self) -> Json {
        let rules: Vec<Json> = self.kinds.iter().map(|kind| descriptor(*kind)).collect();
        json!({
            "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
            "version": "2.1.0",
            "runs": [{
                "tool": {"driver": {
                    "name": "coldcase",
                    "version": env!("CARGO_PKG_VERSION"),
                    "rules": rules,
                }},
                "columnKind": "unicodeCodePoints",
                "results": self.results,
            }],
        })
    }
}

fn descriptor((code, advice): FindingKind) -> Json {
    if let Some(advice) = advice {
        return json!({"id": advice.id(), "shortDescription": {"text": advice.title()}});
    }
    let Some(info) = code.map(Code::info) else {
        return json!({"id": RULE_FILE, "shortDescription": {"text": "the file is not a valid rule file"}});
    };
    json!({"id": info.id, "shortDescription": {"text": info.title}, "fullDescription": {"text": info.meaning}})
}

/// A path as a reference: relative to the working folder, or with `file://` if it is absolute.
fn uri(path: &str) -> String {
    let path = path.replace('\\', "/");
    let path = path.strip_prefix("./").unwrap_or(&path);
    let encoded: String = path.bytes().map(encoded).collect();
    let is_drive = path.as_bytes().get(1) == Some(&b':');
    match path.starts_with('/') {
        true => format!("file://{encoded}"),
        false if is_drive => format!("file:///{encoded}"),
        false => encoded,
    }
}

fn encoded(byte: u8) -> String {
    match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'/' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    }
}
