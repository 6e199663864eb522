//! Alerts in the forms in which the services hand them on.
//!
//! Sources: the common alert schema of Azure Monitor, the table SecurityAlert, and the preview of alert rules (API
//! version 2025-05-01-preview).

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};

use super::super::args::BacktestFormat;
use super::tables::{RuleBacktest, entity};
use crate::backtest::{Alert, StateChange};
use crate::rules::alert_state::AlertState;
use crate::rules::{AlertMeasure, AlertRule, RuleKind, TimeAggregation, iso_duration};
use crate::types::datetime;

/// Returns one line for each alert, or for each rule.
pub(super) fn text(format: BacktestFormat, tested: &[RuleBacktest]) -> String {
    let lines = tested.iter().flat_map(|tested| match format {
        BacktestFormat::PreviewJson => vec![preview(tested)],
        BacktestFormat::SecurityAlert => {
            numbered(tested).map(|(id, alert)| security_alert(tested, &id, alert)).collect()
        }
        BacktestFormat::CommonAlert => numbered(tested).map(|(id, alert)| common_alert(tested, &id, alert)).collect(),
    });
    lines.map(|line| format!("{line}\n")).collect::<Vec<_>>().concat()
}

/// The alerts with identifiers that are the same in every run.
fn numbered(tested: &RuleBacktest) -> impl Iterator<Item = (String, &Alert)> {
    let rule = tested.rule.id.as_ref().unwrap_or(&tested.rule.name);
    let mut number = 0;
    let mut last = None;
    tested.backtest.alerts.iter().map(move |alert| {
        number = if last == Some(alert.time) { number + 1 } else { 0 };
        last = Some(alert.time);
        (format!("{rule}/{}/{number}", datetime::to_text(alert.time)), alert)
    })
}

fn time(ticks: i64) -> String {
    datetime::to_text(ticks)
}

fn common_alert(tested: &RuleBacktest, id: &str, alert: &Alert) -> Json {
    let rule = &tested.rule;
    let [start, end] = tested.window(alert);
    json!({
        "schemaId": "azureMonitorCommonAlertSchema",
        "data": {
            "essentials": {
                "alertId": id,
                "originAlertId": id,
                "alertRule": rule.name,
                "description": rule.description,
                "severity": severity(rule),
                "signalType": "Log",
                "monitorCondition": "Fired",
                "monitoringService": "Log Alerts V2",
                "firedDateTime": time(alert.detected),
                "essentialsVersion": "1.0",
                "alertContextVersion": "1.0",
            },
            "alertContext": {
                "conditionType": "LogQueryCriteria",
                "condition": {
                    "windowSize": iso_duration(rule.schedule.lookback),
                    "allOf": [condition(rule, alert)],
                    "windowStartTime": time(start),
                    "windowEndTime": time(end),
                },
                "properties": alert.details.iter().cloned().collect::<Map<_, _>>(),
            },
            "customProperties": {
                "actionGroups": rule.action_groups,
                "actionsMuted": alert.is_muted,
                "results": alert.results,
            },
        },
    })
}

fn condition(rule: &AlertRule, alert: &Alert) -> Json {
    let (measure, aggregation) = match &rule.condition.measure {
        AlertMeasure::Rows => (None, "Count"),
        AlertMeasure::Column { name, aggregation } => (Some(name), aggregation_name(*aggregation)),
    };
    let dimensions = alert.dimensions.iter().map(|(name, value)| json!({"name": name, "value": value}));
    json!({
        "searchQuery": rule.query.text,
        "metricMeasureColumn": measure,
        "operator": rule.condition.operator.name(),
        "threshold": rule.condition.threshold.to_string(),
        "timeAggregation": aggregation,
        "dimensions": dimensions.collect::<Json>(),
        "metricValue": alert.value,
        "failingPeriods": {
            "numberOfEvaluationPeriods": rule.condition.periods.evaluated,
            "minFailingPeriodsToAlert": rule.condition.periods.violations,
        },
    })
}

fn aggregation_name(aggregation: TimeAggregation) -> &'static str {
    match aggregation {
        TimeAggregation::Count => "Count",
        TimeAggregation::Average => "Average",
        TimeAggregation::Minimum => "Minimum",
        TimeAggregation::Maximum => "Maximum",
        TimeAggregation::Total => "Total",
    }
}

/// The severity as Azure Monitor names it.
fn severity(rule: &AlertRule) -> &str {
    match rule.severity.as_str() {
        "High" => "Sev1",
        "Medium" => "Sev2",
        "Low" => "Sev3",
        "Informational" => "Sev4",
        other => other,
    }
}

fn security_alert(tested: &RuleBacktest, id: &str, alert: &Alert) -> Json {
    let rule = &tested.rule;
    let [start, end] = tested.window(alert);
    let entities = alert.entities.iter().map(entity).collect::<Json>();
    let extended = json!({
        "Query Period": iso_duration(rule.schedule.lookback),
        "Trigger Operator": rule.condition.operator.name(),
        "Trigger Threshold": rule.condition.threshold.to_string(),
        "Search Query Results Overall Count": alert.rows.to_string(),
        "Query": rule.query.text,
        "Query Start Time UTC": time(start),
        "Query End Time UTC": time(end),
        "Analytic Rule Ids": rule.id,
        "Analytic Rule Name": rule.name,
        "Custom Details": alert.details.iter().cloned().collect::<Map<_, _>>(),
    });
    let [first, last] = alert.events.unwrap_or([start, end]);
    json!({
        "TimeGenerated": time(alert.detected),
        "DisplayName": rule.name,
        "AlertName": rule.name,
        "AlertSeverity": rule.severity,
        "Description": rule.description,
        "ProviderName": if rule.kind == RuleKind::CustomDetection { "MDATP" } else { "ASI Scheduled Alerts" },
        "VendorName": "Microsoft",
        "SystemAlertId": id,
        "StartTime": time(first),
        "EndTime": time(last),
        "Tactics": rule.tactics.join(", "),
        "Techniques": rule.techniques,
        "Entities": entities.to_string(),
        "ExtendedProperties": extended.to_string(),
        "Type": "SecurityAlert",
    })
}

/// The evaluations of a rule whose state is not `NoAlert`, by combination of dimension values.
fn preview(tested: &RuleBacktest) -> Json {
    let mut combinations: BTreeMap<_, Vec<Json>> = BTreeMap::new();
    for change in &tested.backtest.states {
        combinations.entry(&change.dimensions).or_default().push(evaluation(&tested.rule, change));
    }
    let results = combinations.into_iter().map(|(dimensions, evaluations)| {
        let dimensions = dimensions.iter().map(|(name, value)| json!({"name": name, "value": value}));
        json!({"dimensionCombination": dimensions.collect::<Json>(), "evaluations": evaluations})
    });
    json!({"rule": tested.rule.name, "rulePreviewResults": results.collect::<Json>()})
}

fn evaluation(rule: &AlertRule, change: &StateChange) -> Json {
    let is_met = matches!(change.state, AlertState::Fired | AlertState::Firing);
    let violates = rule.condition.operator.holds(change.value, rule.condition.threshold);
    json!({
        "evaluationTime": time(change.time),
        "alertState": change.state.name(),
        "thresholdMet": is_met,
        "evaluatedPeriods": [{
            "timestamp": time(change.time),
            "metricValue": change.value,
            "thresholdMet": violates,
        }],
    })
}
