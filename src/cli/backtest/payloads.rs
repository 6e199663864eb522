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
use crate::rules::{
    AGGREGATED_VALUE, AlertGrouping, AlertMeasure, AlertRule, FailingPeriods, RuleKind, ThresholdOperator,
    TimeAggregation, iso_duration,
};
use crate::types::datetime;

/// The ticks of a second.
const SECOND: i64 = 10_000_000;

/// True if the service would notify somebody of an alert.
pub(super) fn is_handed_on(rule: &AlertRule, alert: &Alert) -> bool {
    rule.is_enabled && !alert.is_muted
}

/// Returns one line for each alert that `is_wanted`, or for each rule.
pub(super) fn text(
    format: BacktestFormat,
    tested: &[RuleBacktest],
    is_wanted: fn(&AlertRule, &Alert) -> bool,
) -> String {
    let line = match format {
        BacktestFormat::PreviewJson => return terminated(tested.iter().map(preview)),
        BacktestFormat::SecurityAlert => security_alert,
        BacktestFormat::CommonAlert => common_alert,
    };
    let lines = tested.iter().flat_map(|tested| {
        let wanted = numbered(tested).filter(|(_, alert)| is_wanted(&tested.rule, alert));
        wanted.map(|(id, alert)| line(tested, &id, alert))
    });
    terminated(lines)
}

/// Writes each document on a line.
fn terminated(documents: impl Iterator<Item = Json>) -> String {
    documents.map(|document| format!("{document}\n")).collect::<Vec<_>>().concat()
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
                "alertRule": alert.name,
                "description": alert.description,
                "severity": severity(alert),
                "alertTargetIDs": rule.scopes,
                "configurationItems": rule.scopes.iter().map(|scope| last_segment(scope)).collect::<Vec<_>>(),
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
                    "windowSize": iso_duration(window_size(rule)),
                    "allOf": [condition(rule, alert)],
                    "windowStartTime": time(start),
                    "windowEndTime": time(end),
                },
                "properties": properties(rule, alert),
            },
            "customProperties": rule.custom_properties.iter().cloned().collect::<BTreeMap<_, _>>(),
        },
        // What the service does not hand on.
        "coldcase": {
            "actionGroups": rule.action_groups,
            "actionsMuted": alert.is_muted,
            "beyondData": alert.is_beyond_data,
            "rows": alert.rows,
            "results": alert.results,
        },
    })
}

/// The custom properties of the rule, and the custom details of the alert.
fn properties(rule: &AlertRule, alert: &Alert) -> Map<String, Json> {
    let own = rule.custom_properties.iter().map(|(name, value)| (name.clone(), Json::String(value.clone())));
    own.chain(alert.details.iter().cloned()).collect()
}

fn last_segment(scope: &str) -> &str {
    scope.rsplit('/').next().unwrap_or(scope)
}

/// The length of a window as the rule has it: rules with several periods read as many windows.
fn window_size(rule: &AlertRule) -> i64 {
    match rule.condition.periods.length {
        0 => rule.schedule.lookback,
        length => length,
    }
}

fn condition(rule: &AlertRule, alert: &Alert) -> Json {
    let (measure, aggregation) = match &rule.condition.measure {
        AlertMeasure::Rows => (None, "Count"),
        AlertMeasure::Column { name, aggregation } => (Some(name.as_str()), aggregation_name(*aggregation)),
        // The value is the number of breaches.
        AlertMeasure::Breaches(_) => (Some(AGGREGATED_VALUE), "Count"),
    };
    let dimensions = alert.dimensions.iter().map(|(name, value)| json!({"name": name, "value": value}));
    json!({
        "searchQuery": rule.query.text,
        "metricMeasureColumn": measure,
        "targetResourceTypes": rule.resource_types,
        "operator": rule.condition.operator.name(),
        "threshold": rule.condition.threshold.to_string(),
        "timeAggregation": aggregation,
        "dimensions": dimensions.collect::<Json>(),
        "metricValue": alert.value,
        "failingPeriods": {
            "numberOfEvaluationPeriods": rule.condition.periods.evaluated,
            "minFailingPeriodsToAlert": rule.condition.periods.violations,
        },
        // There is no portal to link to.
        "linkToSearchResultsUI": Json::Null,
        "linkToFilteredSearchResultsUI": Json::Null,
        "linkToSearchResultsAPI": Json::Null,
        "linkToFilteredSearchResultsAPI": Json::Null,
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
fn severity(alert: &Alert) -> &str {
    match alert.severity.as_str() {
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
    let [first, last] = alert.events.unwrap_or([start, end]);
    json!({
        "TimeGenerated": time(alert.detected),
        "DisplayName": alert.name,
        "AlertName": alert.name,
        "AlertSeverity": alert.severity,
        "Description": alert.description,
        "ProviderName": if rule.kind == RuleKind::CustomDetection { "MDATP" } else { "ASI Scheduled Alerts" },
        "VendorName": "Microsoft",
        "SystemAlertId": id,
        "StartTime": time(first),
        "EndTime": time(last),
        "Tactics": alert.tactics.join(", "),
        "Techniques": rule.techniques,
        "Entities": entities.to_string(),
        "ExtendedProperties": extended_properties(tested, id, alert).to_string(),
        "Type": "SecurityAlert",
    })
}

fn extended_properties(tested: &RuleBacktest, id: &str, alert: &Alert) -> Json {
    let rule = &tested.rule;
    let [start, end] = tested.window(alert);
    let second = |time: i64, offset: i64| time.saturating_add(offset).div_euclid(SECOND).saturating_mul(SECOND);
    json!({
        "Query Period": iso_duration(rule.schedule.lookback),
        "Trigger Operator": rule.condition.operator.name(),
        "Trigger Threshold": rule.condition.threshold.to_string(),
        "Correlation Id": id,
        "Search Query Results Overall Count": alert.run_rows.to_string(),
        "Data Sources": json!(tested.backtest.tables).to_string(),
        "Query": format!("set query_now = datetime({});\n{}", time(alert.time), rule.query.text),
        "OriginalQuery": rule.query.text,
        "Query Start Time UTC": time(second(start, 0)),
        "Query End Time UTC": time(second(end, SECOND - 1)),
        "Analytic Rule Ids": rule.id,
        "Event Grouping": match rule.grouping {
            AlertGrouping::SingleAlert => "SingleAlert",
            AlertGrouping::AlertPerResult { .. } => "AlertPerResult",
        },
        "Analytic Rule Name": rule.name,
        "ProcessedBySentinel": "True",
        "Alert generation status": "Full alert created",
        "Custom Details": alert.details.iter().cloned().collect::<Map<_, _>>(),
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
    let FailingPeriods { length, .. } = rule.condition.periods;
    let [high, low] = thresholds(rule);
    let period = |(number, value): (i64, &Option<f64>)| {
        let timestamp = change.time.saturating_sub(number.saturating_mul(length));
        let violates = value.is_some_and(|value| rule.condition.operator.holds(value, rule.condition.threshold));
        json!({
            "timestamp": time(timestamp),
            "highThreshold": high,
            "lowThreshold": low,
            "metricValue": value,
            "thresholdMet": violates,
        })
    };
    json!({
        "evaluationTime": time(change.time),
        "alertState": change.state.name(),
        "thresholdMet": is_met,
        "evaluatedPeriods": (0..).zip(&change.periods).map(period).collect::<Json>(),
    })
}

/// The threshold as the upper and the lower one.
fn thresholds(rule: &AlertRule) -> [Option<f64>; 2] {
    let threshold = Some(rule.condition.threshold);
    match rule.condition.operator {
        ThresholdOperator::GreaterThan | ThresholdOperator::GreaterThanOrEqual => [threshold, None],
        ThresholdOperator::LessThan | ThresholdOperator::LessThanOrEqual => [None, threshold],
        ThresholdOperator::Equal | ThresholdOperator::NotEqual => [threshold, threshold],
    }
}
