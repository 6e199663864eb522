//! Writes log search alert rules of Azure Monitor.

use super::super::{
    AGGREGATED_VALUE, AlertDimension, AlertMeasure, AlertRule, AlertStatePolicy, RuleKind, ThresholdOperator,
    TimeAggregation, iso_duration,
};
use super::{SourceRule, list, map, not_empty, plain, present, resource_name, string, strings, template_text};
use crate::rules::node::Node;

/// Keys of `properties` that are no part of the model, and stay as they are written.
pub(super) const KEPT: &[&str] = &[
    "scopes",
    "targetResourceTypes",
    "checkWorkspaceAlertsStorageConfigured",
    "skipQueryValidation",
    "resolveConfiguration",
];

/// Returns the rule as a resource.
pub(super) fn resource(rule: &AlertRule, source: &SourceRule<'_>) -> Node {
    let kept = |name: &str| source.value(name).filter(|_| rule.kind == RuleKind::LogAlert);
    let scopes = || list(vec![string("[parameters('workspace')]")]);
    let all_periods = period_length(rule).saturating_mul(i64::from(rule.condition.periods.evaluated));
    let range = (rule.schedule.lookback != all_periods).then(|| string(iso_duration(rule.schedule.lookback)));
    let is_stateful = rule.state != AlertStatePolicy::Stateless;
    let properties = present([
        ("displayName", (!is_named_by_resource(rule)).then(|| string(&rule.name))),
        ("description", rule.description.as_ref().map(string)),
        ("severity", Some(plain(severity(&rule.severity)))),
        ("enabled", Some(plain(rule.is_enabled))),
        ("scopes", Some(kept("scopes").unwrap_or_else(scopes))),
        ("targetResourceTypes", kept("targetResourceTypes")),
        ("evaluationFrequency", Some(string(iso_duration(rule.schedule.frequency)))),
        ("windowSize", Some(string(iso_duration(period_length(rule))))),
        ("overrideQueryTimeRange", range),
        ("criteria", Some(map([("allOf", list(vec![criterion(rule)]))]))),
        ("autoMitigate", Some(plain(is_stateful))),
        ("muteActionsDuration", rule.muting.map(|time| string(iso_duration(time)))),
        ("resolveConfiguration", kept("resolveConfiguration")),
        ("checkWorkspaceAlertsStorageConfigured", kept("checkWorkspaceAlertsStorageConfigured")),
        ("skipQueryValidation", kept("skipQueryValidation")),
        ("actions", actions(rule, source)),
    ]);
    map([
        ("type", string("Microsoft.Insights/scheduledQueryRules")),
        ("apiVersion", string("2023-12-01")),
        ("name", string(if is_named_by_resource(rule) { rule.name.clone() } else { resource_name(rule) })),
        ("location", string("[resourceGroup().location]")),
        ("kind", string("LogAlert")),
        ("properties", properties),
    ])
}

/// True if the only name of the rule is that of its resource.
fn is_named_by_resource(rule: &AlertRule) -> bool {
    rule.kind == RuleKind::LogAlert && rule.id.is_none()
}

/// The length of a period. Other services evaluate one, which is the whole range.
fn period_length(rule: &AlertRule) -> i64 {
    match rule.condition.periods.length {
        0 => rule.schedule.lookback,
        length => length,
    }
}

/// The severity of Azure Monitor that is next to that of any service.
pub(super) fn severity(text: &str) -> &str {
    match text {
        "High" => "1",
        "Medium" => "2",
        "Low" => "3",
        "Informational" => "4",
        other => other.trim_start_matches("Sev"),
    }
}

fn criterion(rule: &AlertRule) -> Node {
    let condition = &rule.condition;
    let (column, aggregation) = match &condition.measure {
        AlertMeasure::Rows => (None, TimeAggregation::Count),
        AlertMeasure::Column { name, aggregation } => (Some(string(name)), *aggregation),
        // Refused before: no other API version has it.
        AlertMeasure::Breaches(_) => (Some(string(AGGREGATED_VALUE)), TimeAggregation::Count),
    };
    let aggregation = match aggregation {
        TimeAggregation::Count => "Count",
        TimeAggregation::Average => "Average",
        TimeAggregation::Minimum => "Minimum",
        TimeAggregation::Maximum => "Maximum",
        TimeAggregation::Total => "Total",
    };
    let operator = match condition.operator {
        ThresholdOperator::Equal => "Equals",
        other => other.name(),
    };
    let dimensions = condition.dimensions.iter().map(dimension).collect::<Vec<_>>();
    let periods = map([
        ("numberOfEvaluationPeriods", plain(condition.periods.evaluated)),
        ("minFailingPeriodsToAlert", plain(condition.periods.violations)),
    ]);
    present([
        ("query", Some(template_text(&rule.query.text))),
        ("timeAggregation", Some(string(aggregation))),
        ("metricMeasureColumn", column),
        ("dimensions", (!dimensions.is_empty()).then(|| list(dimensions))),
        ("operator", Some(string(operator))),
        ("threshold", Some(plain(condition.threshold))),
        ("failingPeriods", Some(periods)),
    ])
}

fn dimension(dimension: &AlertDimension) -> Node {
    map([
        ("name", string(&dimension.name)),
        ("operator", string(if dimension.includes { "Include" } else { "Exclude" })),
        ("values", strings(&dimension.values)),
    ])
}

fn actions(rule: &AlertRule, source: &SourceRule<'_>) -> Option<Node> {
    let written = source.value("actions").filter(|actions| rule.kind == RuleKind::LogAlert && actions.is_mapping());
    written.or_else(|| Some(map([("actionGroups", not_empty(&rule.action_groups)?)])))
}
