//! Writes custom detections: `detectionRule` of Microsoft Graph.

use std::collections::BTreeMap;

use super::super::duration::MINUTE;
use super::super::{AlertRule, RuleKind, iso_duration};
use super::{SourceRule, custom_details, entity_names, identifier, list, map, not_empty, present, sentinel, string};
use crate::rules::node::Node;

/// Keys of `alertTemplate` that are no part of the model, and stay as they are written.
pub(super) const KEPT_IN_TEMPLATE: &[&str] = &["recommendedActions", "impactedAssets"];
/// Keys of `detectionAction` that are no part of the model, and stay as they are written.
pub(super) const KEPT_IN_ACTION: &[&str] = &["responseActions", "automatedActions", "organizationalScope"];

/// Returns the rule as an object.
pub(super) fn object(rule: &AlertRule, source: &SourceRule<'_>) -> Node {
    let is_same = rule.kind == RuleKind::CustomDetection;
    let kept = |path: &[&str]| source.fields().get(path).filter(|node| is_same && !node.is_null()).cloned();
    let in_template = |name: &str| kept(&["detectionAction", "alertTemplate", name]);
    let in_action = |name: &str| kept(&["detectionAction", name]);
    let template = present([
        ("title", Some(string(rule.overrides.name.as_ref().unwrap_or(&rule.name)))),
        ("description", rule.overrides.description.as_ref().or(rule.description.as_ref()).map(string)),
        ("severity", Some(string(sentinel::severity(&rule.severity).to_ascii_lowercase()))),
        ("category", in_template("category")),
        ("recommendedActions", in_template("recommendedActions")),
        ("mitreTechniques", in_template("mitreTechniques").or_else(|| not_empty(&techniques(rule)))),
        ("tactics", in_template("tactics").or_else(|| tactics(rule, is_same))),
        ("customDetails", custom_details(rule)),
        ("entityMappings", in_template("entityMappings").or_else(|| entities(rule))),
        ("impactedAssets", in_template("impactedAssets")),
    ]);
    let action = present([
        ("alertTemplate", Some(template)),
        ("organizationalScope", in_action("organizationalScope")),
        ("responseActions", in_action("responseActions")),
        ("automatedActions", in_action("automatedActions")),
    ]);
    present([
        ("id", rule.id.as_deref().map(|id| string(identifier(id)))),
        ("displayName", Some(string(&rule.name))),
        ("description", kept(&["description"])),
        ("status", Some(string(if rule.is_enabled { "enabled" } else { "disabled" }))),
        ("queryCondition", Some(map([("queryText", string(&rule.query.text))]))),
        ("schedule", Some(schedule(rule))),
        ("detectionAction", Some(action)),
    ])
}

/// Zero evaluates each row when it arrives.
fn schedule(rule: &AlertRule) -> Node {
    let is_continuous = match rule.kind {
        RuleKind::NearRealTime => true,
        RuleKind::CustomDetection => rule.schedule.frequency == MINUTE,
        _ => false,
    };
    if is_continuous {
        return map([("frequency", string("PT0S"))]);
    }
    map([
        ("frequency", string(iso_duration(rule.schedule.frequency))),
        ("lookback", string(iso_duration(rule.schedule.lookback))),
    ])
}

fn techniques(rule: &AlertRule) -> Vec<String> {
    if rule.kind == RuleKind::CustomDetection { Vec::new() } else { rule.techniques.clone() }
}

/// The tactics without techniques: rules of Sentinel do not say which tactic a technique belongs to.
fn tactics(rule: &AlertRule, is_same: bool) -> Option<Node> {
    let tactic = |name: &String| map([("tactic", string(name))]);
    (!is_same && !rule.tactics.is_empty()).then(|| list(rule.tactics.iter().map(tactic).collect()))
}

fn entities(rule: &AlertRule) -> Option<Node> {
    let mut collections: BTreeMap<String, Vec<Node>> = BTreeMap::new();
    for entity in entity_names::of_graph(&rule.entities) {
        let columns = entity.fields.iter().map(|(identifier, column)| (format!("{identifier}Column"), string(column)));
        collections.entry(entity.entity).or_default().push(map(columns));
    }
    let collections = collections.into_iter().map(|(name, entities)| (name, list(entities)));
    let all: Vec<(String, Node)> = collections.collect();
    (!all.is_empty()).then(|| map(all))
}
