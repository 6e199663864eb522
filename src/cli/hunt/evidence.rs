//! What a manifest says of a hunt: what was run over the inputs, and what came out.

use std::path::Path;

use serde_json::{Value as Json, json};

use super::super::manifest;
use super::rules::HuntRules;
use crate::diagnostic::Result;
use crate::hunt::{Hunt, HuntOutcome};
use crate::scan::ScanReport;
use crate::storage::remote::redacted;

/// The rules with their queries and numbers of rows, the files that they are in, and the messages of all scans.
///
/// # Errors
/// A file of rules cannot be read again.
pub(super) fn entries(rules: &HuntRules, hunt: &Hunt, report: &ScanReport) -> Result<Json> {
    let answer = |(number, outcome): (usize, &HuntOutcome)| {
        let rule = &rules.rules[number];
        let entry = json!({"id": rule.id, "rule": rule.name, "file": rules.file(number),
            "query": redacted(&rule.query.text)});
        manifest::merged(
            entry,
            match &outcome.rows {
                Ok(rows) => json!({"rows": rows}),
                Err(error) => {
                    let (position, reason) = rules.located(number, error);
                    json!({"error": format!("{position}: {reason}"), "code": error.exit_code()})
                }
            },
        )
    };
    let answers: Vec<Json> = hunt.outcomes.iter().enumerate().map(answer).collect();
    // The text of stdin is in the queries.
    let files = rules.paths().into_iter().filter(|path| path.as_path() != Path::new("-"));
    let files = files.map(|path| manifest::written(&path)).collect::<Result<Vec<_>>>()?;
    let entries = json!({"answers": answers, "rules": files, "rulesNotRead": rules.unreadable});
    Ok(manifest::merged(entries, manifest::scan_messages(report)))
}
