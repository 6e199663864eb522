//! Reads scheduled and near-real-time rules of Microsoft Sentinel, in YAML and as resources.
//!
//! Ranges are those of Microsoft's pages on scheduled rules and of the validation of the Azure-Sentinel repository.

use super::alert_rule::{
    AlertCondition, AlertGrouping, AlertMeasure, AlertOverrides, AlertSchedule, AlertStatePolicy, ColumnPurpose,
    EntityMapping, FailingPeriods, NamedColumn, ThresholdOperator, WindowClock,
};
use super::duration::{DAY, HOUR, MINUTE};
use super::fields::{Fields, Read, wrong};
use super::{AlertRule, RuleKind, RuleText};
use crate::diagnostic::Span;

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

/// The types of entities.
const ENTITIES: &[&str] = &[
    "Account",
    "Host",
    "IP",
    "Malware",
    "File",
    "Process",
    "CloudApplication",
    "DNS",
    "AzureResource",
    "FileHash",
    "RegistryKey",
    "RegistryValue",
    "SecurityGroup",
    "URL",
    "Mailbox",
    "MailCluster",
    "MailMessage",
    "SubmissionMail",
];
/// The maximum numbers of entities, of identifiers of an entity, and of custom details.
const MAX_ENTITIES: usize = 10;
const MAX_IDENTIFIERS: usize = 3;
const MAX_DETAILS: usize = 20;
/// The maximum numbers of characters of the name of a custom detail, and of the name and the description of a rule.
const MAX_DETAIL_NAME: usize = 20;
const MAX_NAME: usize = 256;
const MAX_DESCRIPTION: usize = 5_000;

/// Reads the rule whose fields are `fields`.
pub(super) fn read(rule: RuleText, fields: Fields<'_>) -> Read<AlertRule> {
    let is_scheduled = rule.kind == RuleKind::Scheduled;
    [("name", MAX_NAME), ("displayName", MAX_NAME), ("description", MAX_DESCRIPTION)]
        .into_iter()
        .try_for_each(|(name, most)| fields.check_length(name, most))?;
    let overrides = overrides(fields)?;
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
        custom_details: custom_details(fields)?,
        tactics: fields.texts("tactics")?,
        techniques: [fields.texts("relevantTechniques")?, fields.texts("techniques")?].concat(),
        action_groups: Vec::new(),
        custom_properties: Vec::new(),
        scopes: Vec::new(),
        resource_types: Vec::new(),
        columns: [entity_columns(fields)?, fields.columns("customDetails", ColumnPurpose::Detail)?, overrides.1]
            .concat(),
        overrides: overrides.0,
        assumes_lookback: false,
        omissions: Vec::new(),
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
        let entity = mapping.required("entityType")?;
        if !ENTITIES.iter().any(|known| known.eq_ignore_ascii_case(entity)) {
            let reason = format!("`entityType`: unknown value `{entity}`; expected one of {}", ENTITIES.join(", "));
            return wrong(mapping.span_of("entityType"), reason);
        }
        let fields = mapping.list("fieldMappings")?;
        if fields.is_empty() || fields.len() > MAX_IDENTIFIERS {
            let reason = format!("an entity must have 1 to {MAX_IDENTIFIERS} `fieldMappings`");
            return wrong(mapping.span_of("fieldMappings"), reason);
        }
        Ok(EntityMapping { entity: entity.to_owned(), fields: fields.into_iter().map(field).collect::<Read<_>>()? })
    };
    let entities = fields.list("entityMappings")?;
    if entities.len() > MAX_ENTITIES {
        let reason = format!("a rule has at most {MAX_ENTITIES} `entityMappings`");
        return wrong(fields.span_of("entityMappings"), reason);
    }
    entities.into_iter().map(entity).collect()
}

/// The columns of the entities.
fn entity_columns(fields: Fields<'_>) -> Read<Vec<NamedColumn>> {
    let mut columns = Vec::new();
    for entity in fields.list("entityMappings")? {
        for field in entity.list("fieldMappings")? {
            columns.extend(field.column("columnName", ColumnPurpose::Entity)?);
        }
    }
    Ok(columns)
}

fn custom_details(fields: Fields<'_>) -> Read<Vec<(String, String)>> {
    let details = fields.pairs("customDetails")?;
    if details.len() > MAX_DETAILS {
        return wrong(fields.span_of("customDetails"), format!("a rule has at most {MAX_DETAILS} `customDetails`"));
    }
    match details.iter().find(|(name, _)| name.chars().count() > MAX_DETAIL_NAME) {
        Some((name, _)) => {
            let reason = format!("the name `{name}` in `customDetails` has more than {MAX_DETAIL_NAME} characters");
            wrong(fields.span_of("customDetails"), reason)
        }
        None => Ok(details),
    }
}

/// What alerts take from their rows, and the columns.
fn overrides(fields: Fields<'_>) -> Read<(AlertOverrides, Vec<NamedColumn>)> {
    let Some(fields) = fields.mapping("alertDetailsOverride")? else { return Ok(Default::default()) };
    let format = |name: &str| Ok(fields.text(name)?.map(str::to_owned));
    let columns =
        ["alertSeverityColumnName", "alertTacticsColumnName"].map(|name| fields.column(name, ColumnPurpose::Override));
    let [severity, tactics] = columns;
    let (severity, tactics) = (severity?, tactics?);
    let name = |column: &Option<NamedColumn>| column.as_ref().map(|column| column.name.clone());
    let overrides = AlertOverrides {
        name: format("alertDisplayNameFormat")?,
        description: format("alertDescriptionFormat")?,
        severity_column: name(&severity),
        tactics_column: name(&tactics),
    };
    let mut columns: Vec<NamedColumn> = severity.into_iter().chain(tactics).collect();
    for (key, format) in
        [("alertDisplayNameFormat", &overrides.name), ("alertDescriptionFormat", &overrides.description)]
    {
        columns.extend(format_columns(format.as_deref().unwrap_or_default(), fields.span_of(key)));
    }
    Ok((overrides, columns))
}

/// The columns that a format mentions in double braces.
pub(super) fn format_columns(format: &str, span: Span) -> Vec<NamedColumn> {
    let names = format.split("{{").skip(1).filter_map(|rest| rest.split_once("}}")).map(|(name, _)| name.trim());
    names.map(|name| NamedColumn { name: name.to_owned(), purpose: ColumnPurpose::Override, span }).collect()
}
