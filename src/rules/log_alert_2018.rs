//! Reads log search alert rules of Azure Monitor of API version 2018-04-16.

use super::alert_rule::{
    AlertCondition, AlertDimension, AlertMeasure, AlertSchedule, AlertStatePolicy, ColumnPurpose, FailingPeriods,
    NamedColumn,
};
use super::breaches::{AGGREGATED_VALUE, BreachCount, bin_length};
use super::duration::MINUTE;
use super::fields::{Fields, Read, wrong};
use super::log_alert::{FREQUENCIES, OPERATORS, WINDOWS, plain, severity, state};
use super::{AlertRule, RuleText};

/// The maximum number of minutes of a duration.
const MAX_MINUTES: u32 = 2_880;
/// The maximum number of columns by which the alerts of a metric measurement are apart.
const MAX_COLUMNS: usize = 3;

/// Reads the rule whose fields are `properties`, with its `schedule`.
pub(super) fn read(rule: RuleText, properties: Fields<'_>, schedule: Fields<'_>) -> Read<AlertRule> {
    let frequency = minutes(schedule, "frequencyInMinutes", FREQUENCIES)?;
    let lookback = minutes(schedule, "timeWindowInMinutes", WINDOWS)?;
    let Some(action) = properties.mapping("action")? else {
        return wrong(properties.span(), "the rule has no `action`");
    };
    let Some(trigger) = action.mapping("trigger")? else {
        return wrong(action.span(), "the rule has no `trigger`");
    };
    let (condition, columns) = condition(trigger, &rule.query.text)?;
    let throttling = action.whole("throttlingInMin", 0, MAX_MINUTES)?.filter(|minutes| *minutes > 0);
    let notified = action.mapping("aznsAction")?.map(|notified| notified.written_texts("actionGroup")).transpose()?;
    let state = match properties.flag("autoMitigate")? {
        Some(true) => state(properties, frequency)?,
        _ => AlertStatePolicy::Stateless,
    };
    let plain = plain(rule, severity(action)?, properties)?;
    Ok(AlertRule {
        schedule: AlertSchedule { frequency, lookback, ..plain.schedule },
        condition,
        columns,
        muting: throttling.map(|minutes| i64::from(minutes) * MINUTE),
        state,
        action_groups: notified.unwrap_or_default(),
        is_enabled: properties.flag("enabled")?.unwrap_or(true),
        ..plain
    })
}

/// A number of minutes that is one of `allowed`, in ticks.
fn minutes(schedule: Fields<'_>, name: &str, allowed: &[i64]) -> Read<i64> {
    match schedule.whole(name, 1, MAX_MINUTES)?.map(i64::from) {
        Some(minutes) if allowed.contains(&minutes) => Ok(minutes * MINUTE),
        Some(_) => {
            let known: Vec<String> = allowed.iter().map(i64::to_string).collect();
            wrong(schedule.span_of(name), format!("`{name}` must be one of {}", known.join(", ")))
        }
        None => wrong(schedule.span(), format!("the rule has no `{name}`")),
    }
}

/// The condition, and the columns that it needs.
fn condition(trigger: Fields<'_>, query: &str) -> Read<(AlertCondition, Vec<NamedColumn>)> {
    let (operator, threshold) = (trigger.required_choice("thresholdOperator", OPERATORS)?, threshold(trigger)?);
    let Some(metric) = trigger.mapping("metricTrigger")? else {
        return Ok((AlertCondition { operator, threshold, ..super::sentinel_alert::any_row() }, Vec::new()));
    };
    let span = trigger.span_of("metricTrigger");
    let adjacent = adjacent(metric, query)?;
    let mut columns = metric_columns(metric)?;
    let by_value = |column: &NamedColumn| AlertDimension {
        name: column.name.clone(),
        includes: true,
        values: vec!["*".to_owned()],
    };
    let condition = AlertCondition {
        measure: AlertMeasure::Breaches(BreachCount { operator, threshold, adjacent }),
        dimensions: columns.iter().map(by_value).collect(),
        operator: metric.required_choice("thresholdOperator", OPERATORS)?,
        threshold: self::threshold(metric)?,
        periods: FailingPeriods { length: 0, evaluated: 1, violations: 1 },
    };
    columns.push(NamedColumn { name: AGGREGATED_VALUE.to_owned(), purpose: ColumnPurpose::Measure, span });
    Ok((condition, columns))
}

fn threshold(trigger: Fields<'_>) -> Read<f64> {
    match trigger.number("threshold")? {
        Some(threshold) => Ok(threshold),
        None => wrong(trigger.span(), "the trigger has no `threshold`"),
    }
}

/// The length of a bin, if only breaches in a row count.
fn adjacent(metric: Fields<'_>, query: &str) -> Read<Option<i64>> {
    let name = "metricTriggerType";
    if !metric.required_choice(name, &[("Total", false), ("Consecutive", true)])? {
        return Ok(None);
    }
    match bin_length(query) {
        Some(length) => Ok(Some(length)),
        None => wrong(
            metric.span_of(name),
            "breaches in a row are supported only if the bins of the query have one length, such as \
             bin(TimeGenerated, 5m)",
        ),
    }
}

/// The columns for whose values alerts are apart; several are separated by commas.
fn metric_columns(metric: Fields<'_>) -> Read<Vec<NamedColumn>> {
    let (key, purpose) = ("metricColumn", ColumnPurpose::Dimension);
    let span = metric.span_of(key);
    let names = metric.text(key)?.unwrap_or_default().split(',').map(str::trim).filter(|name| !name.is_empty());
    let columns: Vec<NamedColumn> = names.map(|name| NamedColumn { name: name.to_owned(), purpose, span }).collect();
    match columns.len() <= MAX_COLUMNS {
        true => Ok(columns),
        false => wrong(span, format!("`{key}` has more than {MAX_COLUMNS} columns")),
    }
}
