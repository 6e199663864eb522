//! Writes rules of Microsoft Sentinel, in YAML and as resources.

use super::super::duration::short_duration;
use super::super::{AlertGrouping, AlertRule, EntityMapping, RuleKind, ThresholdOperator, iso_duration};
use super::{
    SourceRule, custom_details, entity_names, identifier, list, map, not_empty, plain, present, resource_name, string,
    template_text,
};
use crate::rules::node::Node;

/// Keys of both formats that are no part of the model, and stay as they are written.
pub(super) const KEPT: &[&str] = &["sentinelEntitiesMappings", "incidentConfiguration"];
/// Keys of YAML that stay as they are written there.
pub(super) const KEPT_IN_YAML: &[&str] = &["status", "requiredDataConnectors", "tags", "metadata"];
/// Keys of resources that stay as they are written there.
pub(super) const KEPT_IN_RESOURCE: &[&str] = &["alertRuleTemplateName", "subTechniques"];

/// The time that `suppressionDuration` has while it is not enabled.
const UNUSED_SUPPRESSION: i64 = 5 * crate::rules::duration::HOUR;

/// Returns the rule as a file in YAML.
pub(super) fn yaml(rule: &AlertRule, source: &SourceRule<'_>) -> Node {
    let is_scheduled = rule.kind != RuleKind::NearRealTime && !is_continuous(rule);
    let scheduled = |value: Node| is_scheduled.then_some(value);
    let kept = |name: &str| kept(rule, source, name);
    let suppression = rule.suppression.unwrap_or(UNUSED_SUPPRESSION);
    present([
        ("id", rule.id.as_deref().map(|id| string(identifier(id)))),
        ("name", Some(string(&rule.name))),
        ("version", kept("version").or_else(|| kept("templateVersion")).map(as_text)),
        ("kind", Some(string(if is_scheduled { "Scheduled" } else { "NRT" }))),
        ("description", rule.description.as_ref().map(string)),
        ("severity", Some(string(severity(&rule.severity)))),
        ("status", kept("status")),
        ("requiredDataConnectors", kept("requiredDataConnectors")),
        ("queryFrequency", scheduled(string(short_duration(rule.schedule.frequency)))),
        ("queryPeriod", scheduled(string(short_duration(rule.schedule.lookback)))),
        ("triggerOperator", scheduled(string(short_operator(rule.condition.operator)))),
        ("triggerThreshold", scheduled(plain(rule.condition.threshold))),
        ("tactics", not_empty(&rule.tactics)),
        ("relevantTechniques", not_empty(&rule.techniques)),
        ("tags", kept("tags")),
        ("query", Some(string(&rule.query.text))),
        ("entityMappings", entities(rule)),
        ("sentinelEntitiesMappings", kept("sentinelEntitiesMappings")),
        ("customDetails", custom_details(rule)),
        ("alertDetailsOverride", overrides(rule, source)),
        ("eventGroupingSettings", grouping(rule)),
        ("suppressionEnabled", Some(plain(rule.suppression.is_some()))),
        ("suppressionDuration", Some(string(short_duration(suppression)))),
        ("incidentConfiguration", kept("incidentConfiguration")),
        ("metadata", kept("metadata")),
    ])
}

/// Returns the rule as a resource of a workspace.
pub(super) fn resource(rule: &AlertRule, source: &SourceRule<'_>) -> Node {
    let is_scheduled = rule.kind != RuleKind::NearRealTime && !is_continuous(rule);
    let scheduled = |value: Node| is_scheduled.then_some(value);
    let kept = |name: &str| kept(rule, source, name);
    let suppression = rule.suppression.unwrap_or(UNUSED_SUPPRESSION);
    let properties = present([
        ("displayName", Some(string(&rule.name))),
        ("description", rule.description.as_ref().map(string)),
        ("severity", Some(string(severity(&rule.severity)))),
        ("enabled", Some(plain(rule.is_enabled))),
        ("query", Some(template_text(&rule.query.text))),
        ("queryFrequency", scheduled(string(iso_duration(rule.schedule.frequency)))),
        ("queryPeriod", scheduled(string(iso_duration(rule.schedule.lookback)))),
        ("triggerOperator", scheduled(string(rule.condition.operator.name()))),
        ("triggerThreshold", scheduled(plain(rule.condition.threshold))),
        ("suppressionEnabled", Some(plain(rule.suppression.is_some()))),
        ("suppressionDuration", Some(string(iso_duration(suppression)))),
        ("tactics", not_empty(&rule.tactics)),
        ("techniques", not_empty(&rule.techniques)),
        ("subTechniques", kept("subTechniques")),
        ("alertRuleTemplateName", kept("alertRuleTemplateName")),
        ("templateVersion", kept("templateVersion").or_else(|| kept("version")).map(as_text)),
        ("entityMappings", entities(rule)),
        ("sentinelEntitiesMappings", kept("sentinelEntitiesMappings")),
        ("customDetails", custom_details(rule)),
        ("alertDetailsOverride", overrides(rule, source)),
        ("eventGroupingSettings", grouping(rule)),
        ("incidentConfiguration", kept("incidentConfiguration")),
    ]);
    let id = resource_name(rule).replace('\'', "''");
    let name = format!("[concat(parameters('workspace'), '/Microsoft.SecurityInsights/{id}')]");
    map([
        ("type", string("Microsoft.OperationalInsights/workspaces/providers/alertRules")),
        ("apiVersion", string("2024-09-01")),
        ("name", string(name)),
        ("kind", string(if is_scheduled { "Scheduled" } else { "NRT" })),
        ("properties", properties),
    ])
}

/// True for custom detections that evaluate each row when it arrives.
fn is_continuous(rule: &AlertRule) -> bool {
    rule.kind == RuleKind::CustomDetection && rule.schedule.frequency == crate::rules::duration::MINUTE
}

/// The severity of Microsoft Sentinel that is next to that of any service.
pub(super) fn severity(text: &str) -> &str {
    match text {
        "Sev0" | "Sev1" => "High",
        "Sev2" => "Medium",
        "Sev3" => "Low",
        "Sev4" => "Informational",
        other => other,
    }
}

/// Versions are strings, even if they look like numbers.
fn as_text(node: Node) -> Node {
    node.text().map(string).unwrap_or(node)
}

fn short_operator(operator: ThresholdOperator) -> &'static str {
    match operator {
        ThresholdOperator::GreaterThan => "gt",
        ThresholdOperator::LessThan => "lt",
        ThresholdOperator::Equal => "eq",
        ThresholdOperator::NotEqual => "ne",
        // The service has none of these: reading the rule again refuses it.
        ThresholdOperator::GreaterThanOrEqual | ThresholdOperator::LessThanOrEqual => operator.name(),
    }
}

/// What a rule of this service has under `name`, and the model has not.
fn kept(rule: &AlertRule, source: &SourceRule<'_>, name: &str) -> Option<Node> {
    let is_same = matches!(rule.kind, RuleKind::Scheduled | RuleKind::NearRealTime);
    source.value(name).filter(|_| is_same)
}

/// What alerts take from their rows.
fn overrides(rule: &AlertRule, source: &SourceRule<'_>) -> Option<Node> {
    let own = || {
        let text = |text: &Option<String>| text.as_ref().filter(|text| **text != rule.name).map(string);
        let (name, description) = (text(&rule.overrides.name), text(&rule.overrides.description));
        let is_any = name.is_some() || description.is_some();
        is_any.then(|| present([("alertDisplayNameFormat", name), ("alertDescriptionFormat", description)]))
    };
    kept(rule, source, "alertDetailsOverride").or_else(own)
}

fn grouping(rule: &AlertRule) -> Option<Node> {
    let kind = match rule.grouping {
        AlertGrouping::SingleAlert => "SingleAlert",
        AlertGrouping::AlertPerResult { .. } => "AlertPerResult",
    };
    Some(map([("aggregationKind", string(kind))]))
}

fn entities(rule: &AlertRule) -> Option<Node> {
    let entities = match rule.kind {
        RuleKind::CustomDetection => entity_names::of_sentinel(&rule.entities),
        _ => rule.entities.clone(),
    };
    let field = |(identifier, column): &(String, String)| {
        map([("identifier", string(identifier)), ("columnName", string(column))])
    };
    let entity = |EntityMapping { entity, fields }: &EntityMapping| {
        map([("entityType", string(entity)), ("fieldMappings", list(fields.iter().map(field).collect()))])
    };
    (!entities.is_empty()).then(|| list(entities.iter().map(entity).collect()))
}
