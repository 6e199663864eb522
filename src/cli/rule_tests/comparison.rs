//! Compares the alerts of a test with the expected ones.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use crate::backtest::{Alert, Backtest};
use crate::rules::{ExpectedAlerts, ExpectedEntities, ExpectedResult, ExpectedRows, GivenRow, GivenTable};

/// Returns how the result differs from the expected one.
pub(super) fn failures(expected: &ExpectedResult, backtest: &Backtest) -> Vec<String> {
    let count = backtest.alerts.len();
    match expected {
        ExpectedResult::SomeAlert if count == 0 => vec!["no alert, where one was expected".to_owned()],
        ExpectedResult::NoAlert if count > 0 => vec![format!("{}, where none was expected", alerts_text(count))],
        ExpectedResult::Alerts(expected) => differences(expected, &backtest.alerts),
        _ => Vec::new(),
    }
}

fn alerts_text(count: usize) -> String {
    format!("{count} {}", if count == 1 { "alert" } else { "alerts" })
}

/// The number of rows of all alerts.
pub(super) fn row_count(alerts: &[Alert]) -> usize {
    alerts.iter().map(|alert| alert.rows).sum()
}

/// The values of the identifiers of all entities of a type.
pub(super) fn entity_values<'a>(entity: &str, alerts: &'a [Alert]) -> BTreeSet<&'a str> {
    let entities = alerts.iter().flat_map(|alert| &alert.entities);
    let of_type = entities.filter(|found| found.entity.eq_ignore_ascii_case(entity));
    of_type.flat_map(|found| &found.fields).map(|(_, value)| value.as_str()).collect()
}

fn differences(expected: &ExpectedAlerts, alerts: &[Alert]) -> Vec<String> {
    let mut differences = Vec::new();
    let mut number = |name: &str, expected: usize, found: usize| {
        if expected != found {
            differences.push(format!("{name}: expected {expected}, found {found}"));
        }
    };
    if let Some(count) = &expected.alerts {
        number("alerts", count.node, alerts.len());
    }
    match &expected.rows {
        Some(ExpectedRows::Number(count)) => number("rows", count.node, row_count(alerts)),
        Some(ExpectedRows::Listed(rows)) => differences.extend(row_difference(rows, alerts)),
        None => {}
    }
    differences.extend(expected.entities.iter().filter_map(|expected| entity_difference(expected, alerts)));
    differences
}

fn entity_difference(expected: &ExpectedEntities, alerts: &[Alert]) -> Option<String> {
    let found = entity_values(&expected.entity, alerts);
    let wanted: BTreeSet<&str> = expected.values.iter().map(String::as_str).collect();
    let list = |values: &BTreeSet<&str>| match values.is_empty() {
        true => "none".to_owned(),
        false => values.iter().copied().collect::<Vec<_>>().join(", "),
    };
    let text = || format!("entities of type {}: expected {}, found {}", expected.entity, list(&wanted), list(&found));
    (found != wanted).then(text)
}

/// Assigns each expected row another row of the alerts.
fn row_difference(expected: &GivenTable, alerts: &[Alert]) -> Option<String> {
    let count = row_count(alerts);
    if expected.rows.len() != count {
        return Some(format!("rows: expected {}, found {count}", expected.rows.len()));
    }
    let found: Vec<&Json> = alerts.iter().flat_map(|alert| &alert.results).collect();
    if found.len() < count {
        let text = "rows: an alert has more rows than can be compared: expect their number instead of a list";
        return Some(text.to_owned());
    }
    let mut assigned = vec![None; found.len()];
    let unmatched = expected.rows.iter().position(|row| {
        let mut seen = vec![false; found.len()];
        !assign(row, &found, &mut assigned, &mut seen)
    });
    unmatched.map(|index| {
        let fields = expected.rows[index].fields.iter().map(|(name, value)| format!("{name}: {}", value.json_text()));
        format!("rows: no row of the alerts has {{{}}}", fields.collect::<Vec<_>>().join(", "))
    })
}

/// Assigns `row` a row of `found`, moving rows that were assigned before if that is necessary.
fn assign<'a>(row: &'a GivenRow, found: &[&Json], assigned: &mut [Option<&'a GivenRow>], seen: &mut [bool]) -> bool {
    for index in 0..found.len() {
        if seen[index] || !is_like(row, found[index]) {
            continue;
        }
        seen[index] = true;
        let is_free = match assigned[index] {
            None => true,
            Some(other) => assign(other, found, assigned, seen),
        };
        if is_free {
            assigned[index] = Some(row);
            return true;
        }
    }
    false
}

/// True if the columns of `row` have these values in `found`, which lacks columns that are empty.
fn is_like(row: &GivenRow, found: &Json) -> bool {
    row.fields.iter().all(|(name, value)| {
        let expected: Json = serde_json::from_str(&value.json_text()).unwrap_or_default();
        is_same(&expected, found.get(name).unwrap_or(&Json::Null))
    })
}

fn is_same(expected: &Json, found: &Json) -> bool {
    let text = |value: &Json| match value {
        Json::Null => String::new(),
        Json::String(text) => text.clone(),
        other => other.to_string(),
    };
    let (expected_text, found_text) = (text(expected), text(found));
    let time = |text: &str| crate::types::datetime::parse_iso8601(text);
    expected == found
        || expected_text == found_text
        || time(&expected_text).is_some_and(|expected| time(&found_text) == Some(expected))
}
