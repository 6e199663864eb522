//! Reads scheduled and near-real-time rules of Microsoft Sentinel, in YAML and as resources.
//!
//! Ranges are those of Microsoft's pages on scheduled rules and of the validation of the Azure-Sentinel repository.

use super::alert_rule::{
    AlertCondition, AlertGrouping, AlertMeasure, AlertSchedule, AlertStatePolicy, EntityMapping, FailingPeriods,
    ThresholdOperator, WindowClock,
};
use super::duration::{DAY, HOUR, MINUTE};
use super::fields::{Fields, Read, wrong};
use super::{AlertRule, RuleKind, RuleText};

/// Scheduled rules run so long after their scheduled time.
const SCHEDULED_DELAY: i64 = 5 * MINUTE;
/// The age of the events that a near-real-time rule reads, at most and at least, when it runs.
const NEAR_REAL_TIME_DELAY: i64 = 2 * MINUTE;
/// The maximum number of alerts of a run.
const SCHEDULED_ALERTS: usize = 150;
const NEAR_REAL_TIME_ALERTS: usize = 30;

const OPERATORS: &[(&str, ThresholdOperator)] = &[
    ("gt", ThresholdOperator::GreaterThan),
    ("lt", ThresholdOperator::LessThan),
    ("eq", ThresholdOperator::Equal),
    ("ne", ThresholdOperator::NotEqual),
    ("GreaterThan", ThresholdOperator::GreaterThan),
    ("LessThan", ThresholdOperator::LessThan),
    ("Equal", ThresholdOperator::Equal),
    ("NotEqual", ThresholdOperator::NotEqual),
];
const SEVERITIES: &[(&str, &str)] =
    &[("Informational", "Informational"), ("Low", "Low"), ("Medium", "Medium"), ("High", "High")];

/// Reads the rule whose fields are `fields`.
pub(super) fn read(rule: RuleText, fields: Fields<'_>) -> Read<AlertRule> {
    let is_scheduled = rule.kind == RuleKind::Scheduled;
    let schedule = if is_scheduled { schedule(fields)? } else { near_real_time() };
    let limit = if is_scheduled { SCHEDULED_ALERTS } else { NEAR_REAL_TIME_ALERTS };
    Ok(AlertRule {
        severity: fields.required_choice("severity", SEVERITIES)?.to_owned(),
        is_enabled: fields.flag("enabled")?.unwrap_or(true),
        schedule,
        condition: if is_scheduled { condition(fields)? } else { any_row() },
        grouping: grouping(fields, limit)?,
        suppression: suppression(fields)?,
        muting: None,
        state: AlertStatePolicy::Stateless,
        entities: entities(fields)?,
        custom_details: fields.pairs("customDetails")?,
        tactics: fields.texts("tactics")?,
        techniques: [fields.texts("relevantTechniques")?, fields.texts("techniques")?].concat(),
        action_groups: Vec::new(),
        description: fields.text("description")?.map(str::to_owned),
        id: rule.id,
        name: rule.name,
        kind: rule.kind,
        query: rule.query,
        span: rule.span,
    })
}

fn schedule(fields: Fields<'_>) -> Read<AlertSchedule> {
    let within = |name: &str| -> Read<i64> {
        let ticks = fields.required_duration(name)?;
        match (5 * MINUTE..=14 * DAY).contains(&ticks) {
            true => Ok(ticks),
            false => wrong(fields.span_of(name), format!("`{name}` must be from 5 minutes to 14 days")),
        }
    };
    let (frequency, lookback) = (within("queryFrequency")?, within("queryPeriod")?);
    if frequency > lookback {
        let reason = "`queryFrequency` must not exceed `queryPeriod`: rows between two periods would never be seen";
        return wrong(fields.span_of("queryFrequency"), reason);
    }
    if lookback >= 2 * DAY && frequency < HOUR {
        let reason = "`queryFrequency` must be at least one hour if `queryPeriod` is two days or more";
        return wrong(fields.span_of("queryFrequency"), reason);
    }
    Ok(AlertSchedule { frequency, lookback, clock: WindowClock::Generated, delay: SCHEDULED_DELAY })
}

/// Every minute, over the rows that arrived in the minute before the last two.
fn near_real_time() -> AlertSchedule {
    AlertSchedule { frequency: MINUTE, lookback: MINUTE, clock: WindowClock::Ingested, delay: NEAR_REAL_TIME_DELAY }
}

fn condition(fields: Fields<'_>) -> Read<AlertCondition> {
    let operator = fields.required_choice("triggerOperator", OPERATORS)?;
    let Some(threshold) = fields.whole("triggerThreshold", 0, 10_000)? else {
        return wrong(fields.span(), "the rule has no `triggerThreshold`");
    };
    Ok(AlertCondition { operator, threshold: f64::from(threshold), ..any_row() })
}

/// The condition that a result has a row.
pub(super) fn any_row() -> AlertCondition {
    AlertCondition {
        measure: AlertMeasure::Rows,
        dimensions: Vec::new(),
        operator: ThresholdOperator::GreaterThan,
        threshold: 0.0,
        periods: FailingPeriods { length: 0, evaluated: 1, violations: 1 },
    }
}

fn grouping(fields: Fields<'_>, limit: usize) -> Read<AlertGrouping> {
    let kinds =
        [("SingleAlert", AlertGrouping::SingleAlert), ("AlertPerResult", AlertGrouping::AlertPerResult { limit })];
    let settings = fields.mapping("eventGroupingSettings")?;
    let kind = settings.map(|settings| settings.choice("aggregationKind", &kinds)).transpose()?;
    Ok(kind.flatten().unwrap_or(AlertGrouping::SingleAlert))
}

fn suppression(fields: Fields<'_>) -> Read<Option<i64>> {
    let duration = fields.duration("suppressionDuration")?;
    if fields.flag("suppressionEnabled")? != Some(true) {
        return Ok(None);
    }
    match duration {
        Some(ticks) if (5 * MINUTE..=DAY).contains(&ticks) => Ok(Some(ticks)),
        Some(_) => {
            wrong(fields.span_of("suppressionDuration"), "`suppressionDuration` must be from 5 minutes to 24 hours")
        }
        None => wrong(fields.span_of("suppressionEnabled"), "the rule has no `suppressionDuration`"),
    }
}

/// The entities of a rule or hunting query.
pub(super) fn entities(fields: Fields<'_>) -> Read<Vec<EntityMapping>> {
    let field = |mapping: Fields<'_>| -> Read<(String, String)> {
        Ok((mapping.required("identifier")?.to_owned(), mapping.required("columnName")?.to_owned()))
    };
    let entity = |mapping: Fields<'_>| -> Read<EntityMapping> {
        let fields = mapping.list("fieldMappings")?.into_iter().map(field).collect::<Read<_>>()?;
        Ok(EntityMapping { entity: mapping.required("entityType")?.to_owned(), fields })
    };
    fields.list("entityMappings")?.into_iter().map(entity).collect()
}
