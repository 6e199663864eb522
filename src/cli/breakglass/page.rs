//! The review of emergency accounts as an HTML page.

use std::sync::Arc;

use super::super::report_page;
use super::super::session::Session;
use crate::diagnostic::Result;
use crate::html::{self, ReportPage, TimeChart, TimeSeries};
use crate::messages::{AccountWarning, CommandWarning};
use crate::scan::ScanReport;
use crate::types::{Batch, Schema, Value};

/// The result of a review.
pub(super) struct Review<'a> {
    /// The columns of the rows.
    pub schema: &'a Schema,
    /// A row for each account.
    pub batches: &'a [Batch],
    /// What is wrong with the accounts, or cannot be told.
    pub findings: Vec<AccountWarning>,
    /// The times of successes and failures.
    pub uses: [Vec<i64>; 2],
}

/// The page of a review, with its query.
pub(super) fn page(session: &Session, review: Review<'_>, report: &Arc<ScanReport>) -> Result<ReportPage> {
    let Review { schema, batches, findings, uses: [successes, failures] } = review;
    let accounts: usize = batches.iter().map(Batch::rows).sum();
    let mut page = ReportPage::new("Emergency accounts", "The use of emergency accounts, from logs alone");
    page.facts(&[
        ("Accounts", accounts.to_string()),
        ("Successes", successes.len().to_string()),
        ("Failures", failures.len().to_string()),
    ]);
    page.section("Sign-ins over time");
    let series = [("successes", successes), ("failures", failures)];
    page.chart(&TimeChart { series: series.map(|(name, times)| TimeSeries { name, times }).into(), range: None });
    let findings = findings.into_iter().map(|finding| CommandWarning::Account(finding).into());
    report_page::messages(&mut page, std::slice::from_ref(report), findings);
    for batch in batches {
        for row in 0..batch.rows() {
            account(&mut page, schema, batch, row);
        }
    }
    page.section("Query");
    page.code(&session.text);
    report_page::reproduction(&mut page, session, &[])?;
    Ok(page)
}

/// The review of an account: its name, and then the values of the other columns.
fn account(page: &mut ReportPage, schema: &Schema, batch: &Batch, row: usize) {
    let fields = schema.fields().iter().enumerate();
    let values: Vec<(&str, String)> =
        fields.map(|(index, field)| (field.name.as_str(), shown(&batch.column(index).value(row)))).collect();
    if let Some(((_, name), others)) = values.split_first() {
        page.section(name);
        page.values(others);
    }
}

/// The value; a list has a line for each element. A dash stands for what is not known or never happened.
fn shown(value: &Value) -> String {
    let text = match value {
        Value::Null(_) => return "–".to_owned(),
        Value::Datetime(ticks) => return html::time(*ticks),
        other => other.to_text(),
    };
    match serde_json::from_str(&text) {
        Ok(serde_json::Value::Array(elements)) if elements.is_empty() => "none".to_owned(),
        Ok(serde_json::Value::Array(elements)) => {
            let element = |element: &serde_json::Value| element.as_str().map_or(element.to_string(), str::to_owned);
            elements.iter().map(element).collect::<Vec<_>>().join("\n")
        }
        _ => text,
    }
}
