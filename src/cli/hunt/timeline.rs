//! The timeline of a hunt as a table.

use serde_json::{Map, Value as Json};

use super::rules::HuntRules;
use crate::hunt::{Hunt, TimelineEntry};
use crate::rules::{AlertEntity, HuntRule};
use crate::types::{Type, Value};

pub(super) const COLUMNS: &[(&str, Type)] = &[
    ("Time", Type::Datetime),
    ("Rule", Type::String),
    ("Severity", Type::String),
    ("Tactics", Type::Dynamic),
    ("Techniques", Type::Dynamic),
    ("Entities", Type::Dynamic),
    ("Result", Type::Dynamic),
    ("TimeColumn", Type::String),
    ("RuleId", Type::String),
    ("RuleFile", Type::String),
];

/// The rows of the timeline.
pub(super) fn rows<'a>(rules: &'a HuntRules, hunt: &'a Hunt) -> impl Iterator<Item = Vec<Value>> + 'a {
    hunt.timeline.iter().map(|entry| row(entry, &rules.rules[entry.rule], rules.file(entry.rule)))
}

fn row(entry: &TimelineEntry, rule: &HuntRule, file: String) -> Vec<Value> {
    let list = |texts: &[String]| Value::dynamic(Json::from(texts).to_string());
    vec![
        entry.time.map_or(Value::null(Type::Datetime), Value::Datetime),
        Value::string(&*rule.name),
        Value::string(&*rule.severity),
        list(&rule.tactics),
        list(&rule.techniques),
        Value::dynamic(entry.entities.iter().map(entity).collect::<Json>().to_string()),
        Value::dynamic(entry.row.clone()),
        Value::string(&*entry.time_column),
        Value::string(rule.id.clone().unwrap_or_default()),
        Value::string(file),
    ]
}

/// An entity as an object with its type.
fn entity(entity: &AlertEntity) -> Json {
    let mut object = Map::new();
    object.insert("Type".to_owned(), Json::String(entity.entity.clone()));
    object.extend(entity.fields.iter().map(|(name, value)| (name.clone(), Json::String(value.clone()))));
    Json::Object(object)
}
