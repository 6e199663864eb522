//! The timeline of a hunt as JSON Lines for Timesketch.
//!
//! Source: the page of Timesketch on importing JSON and CSV. Each event needs `message`, `datetime` and
//! `timestamp_desc`; all other members are attributes.

use serde_json::{Map, Value as Json};

use crate::hunt::TimelineEntry;
use crate::rules::{AlertEntity, HuntRule};
use crate::types::datetime;

/// The members that Timesketch reads itself: columns of the same names get a prefix.
const RESERVED: &[&str] = &["message", "datetime", "timestamp", "timestamp_desc", "tag", "data_type", "source"];
/// Members that describe the rule.
const OF_RULE: &[&str] = &["rule", "rule_id", "severity", "tactics", "techniques", "entities"];
/// The number of values that a message shows if the rule has no entities.
const SHOWN_VALUES: usize = 4;

/// An event, without a line end. An entry without a time has `now`, and says so.
pub(super) fn line(entry: &TimelineEntry, rule: &HuntRule, now: i64) -> String {
    let row = match entry.json() {
        Json::Object(row) => row,
        _ => Map::new(),
    };
    let description = match entry.time {
        Some(_) => entry.time_column.to_string(),
        None => "Time of the hunt (the row has no time)".to_owned(),
    };
    let mut event = Map::new();
    let mut add = |name: &str, value: String| {
        if !value.is_empty() {
            event.insert(name.to_owned(), Json::String(value));
        }
    };
    add("message", message(entry, rule, &row));
    add("datetime", time(entry.time.unwrap_or(now)));
    add("timestamp_desc", description);
    add("rule", rule.name.clone());
    add("rule_id", rule.id.clone().unwrap_or_default());
    add("severity", rule.severity.clone());
    add("tactics", rule.tactics.join(", "));
    add("techniques", rule.techniques.join(", "));
    add("entities", entities(&entry.entities));
    for (name, value) in row {
        let is_taken = RESERVED.iter().chain(OF_RULE).any(|taken| taken.eq_ignore_ascii_case(&name));
        let name = if is_taken { format!("result_{name}") } else { name };
        let value = match value {
            list @ (Json::Array(_) | Json::Object(_)) => Json::String(list.to_string()),
            other => other,
        };
        event.insert(name, value);
    }
    Json::Object(event).to_string()
}

/// The rule, and what it is about.
fn message(entry: &TimelineEntry, rule: &HuntRule, row: &Map<String, Json>) -> String {
    let severity = if rule.severity.is_empty() { String::new() } else { format!(" [{}]", rule.severity) };
    let about = match entry.entities.is_empty() {
        false => entities(&entry.entities),
        true => {
            let texts = row.iter().filter_map(|(name, value)| match value {
                Json::String(text) => Some(format!("{name}={text}")),
                Json::Number(number) => Some(format!("{name}={number}")),
                _ => None,
            });
            texts.take(SHOWN_VALUES).collect::<Vec<_>>().join(", ")
        }
    };
    format!("{}{severity}: {about}", rule.name)
}

/// `Account FullName=bg@contoso.com; IP Address=203.0.113.7`
pub(super) fn entities(entities: &[AlertEntity]) -> String {
    entities.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// ISO 8601 with microseconds, the most that Timesketch keeps.
fn time(ticks: i64) -> String {
    let text = datetime::to_text(ticks);
    let digits = text.trim_end_matches('Z');
    format!("{}+00:00", digits.get(..digits.len().saturating_sub(1)).unwrap_or(digits))
}
