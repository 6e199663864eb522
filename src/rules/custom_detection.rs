//! Reads custom detections of Microsoft Defender: `detectionRule` of Microsoft Graph.

use super::alert_rule::{
    AlertGrouping, AlertOverrides, AlertSchedule, AlertStatePolicy, ColumnPurpose, EntityMapping, NamedColumn,
    WindowClock,
};
use super::duration::{DAY, HOUR, MINUTE};
use super::fields::{Fields, Read, wrong};
use super::node::{Node, NodeContent};
use super::sentinel_alert::{any_row, format_columns};
use super::{AlertRule, RuleText};
use crate::diagnostic::Span;

/// The maximum number of alerts of a run.
const MAX_ALERTS: usize = 150;

const SEVERITIES: &[(&str, &str)] =
    &[("informational", "Informational"), ("low", "Low"), ("medium", "Medium"), ("high", "High")];

/// The lookbacks of the frequencies that a custom detection may choose from.
const LOOKBACKS: &[(i64, i64)] =
    &[(24 * HOUR, 30 * DAY), (12 * HOUR, 48 * HOUR), (3 * HOUR, 12 * HOUR), (HOUR, 4 * HOUR)];

/// The longest lookbacks of other frequencies up to these, which only rules over data of Microsoft Sentinel may have. The
/// page of the service gives ranges and no default.
const ASSUMED_LOOKBACKS: &[(i64, i64)] = &[(HOUR, 48 * HOUR), (DAY, 30 * DAY), (14 * DAY, 14 * DAY)];
/// The maximum number of columns in a title.
const MAX_TITLE_COLUMNS: usize = 3;
/// The maximum number of custom details.
const MAX_DETAILS: usize = 20;

/// Reads the rule whose fields are `fields`.
pub(super) fn read(rule: RuleText, fields: Fields<'_>) -> Read<AlertRule> {
    let Some(action) = fields.mapping("detectionAction")? else {
        return wrong(fields.span(), "the rule has no `detectionAction`");
    };
    let Some(template) = action.mapping("alertTemplate")? else {
        return wrong(action.span(), "the rule has no `alertTemplate`");
    };
    let [tactics, techniques] = tactics(template)?;
    let (schedule, assumes_lookback) = schedule(fields)?;
    let overrides = overrides(template)?;
    let mentioned = format_columns(overrides.name.as_deref().unwrap_or_default(), template.span_of("title"));
    if mentioned.len() > MAX_TITLE_COLUMNS {
        let reason = format!("a `title` mentions at most {MAX_TITLE_COLUMNS} columns");
        return wrong(template.span_of("title"), reason);
    }
    let columns = columns(template, &overrides)?;
    Ok(AlertRule {
        severity: template.required_choice("severity", SEVERITIES)?.to_owned(),
        is_enabled: is_enabled(fields)?,
        schedule,
        condition: any_row(),
        grouping: AlertGrouping::AlertPerResult { limit: MAX_ALERTS },
        suppression: None,
        muting: None,
        state: AlertStatePolicy::Stateless,
        entities: entities(template)?,
        custom_details: custom_details(template)?,
        tactics,
        techniques,
        action_groups: Vec::new(),
        custom_properties: Vec::new(),
        scopes: Vec::new(),
        resource_types: Vec::new(),
        overrides,
        columns,
        assumes_lookback,
        omissions: Vec::new(),
        description: template.text("description")?.map(str::to_owned),
        id: rule.id,
        name: rule.name,
        kind: rule.kind,
        query: rule.query,
        span: rule.span,
    })
}

/// The tactics and the techniques.
pub(super) fn tactics(template: Fields<'_>) -> Read<[Vec<String>; 2]> {
    let tactics = template.list("tactics").unwrap_or_default();
    let techniques: Vec<Vec<String>> = tactics.iter().map(|tactic| tactic.texts("techniques")).collect::<Read<_>>()?;
    let names: Vec<Option<&str>> = tactics.iter().map(|tactic| tactic.text("tactic")).collect::<Read<_>>()?;
    let category = template.text("category")?;
    let names = names.into_iter().flatten().chain(category).map(str::to_owned).collect();
    Ok([names, [template.texts("mitreTechniques")?, techniques.concat()].concat()])
}

fn is_enabled(fields: Fields<'_>) -> Read<bool> {
    let status = fields.choice("status", &[("enabled", true), ("disabled", false), ("autoDisabled", false)])?;
    Ok(status.or(fields.flag("isEnabled")?).unwrap_or(true))
}

/// True if a custom detection of this frequency may have this lookback.
#[must_use]
pub fn allows_lookback(frequency: i64, lookback: i64) -> bool {
    (frequency..=30 * DAY).contains(&lookback)
}

/// The schedule, from `frequency` and `lookback`, or from the older `period`, which is `0`, `1H`, `3H`, `12H` or `24H`.
/// True if the lookback is assumed.
fn schedule(fields: Fields<'_>) -> Read<(AlertSchedule, bool)> {
    let Some(schedule) = fields.mapping("schedule")? else { return wrong(fields.span(), "the rule has no `schedule`") };
    let periods = [("0", 0), ("1H", HOUR), ("3H", 3 * HOUR), ("12H", 12 * HOUR), ("24H", 24 * HOUR)];
    let period = match schedule.value("frequency") {
        Some(_) => None,
        None => schedule.choice("period", &periods)?,
    };
    let Some(frequency) = schedule.duration("frequency")?.or(period) else {
        return wrong(schedule.span(), "the rule has no `frequency`");
    };
    let of = |frequency, lookback| AlertSchedule { frequency, lookback, clock: WindowClock::Ingested, delay: 0 };
    // Continuous: each row is evaluated once, when it arrives.
    if frequency == 0 {
        return Ok((of(MINUTE, MINUTE), false));
    }
    if !(5 * MINUTE..=14 * DAY).contains(&frequency) {
        return wrong(schedule.span_of("frequency"), "`frequency` must be from 5 minutes to 14 days, or zero");
    }
    let usual = LOOKBACKS.iter().find(|(known, _)| *known == frequency);
    match schedule.duration("lookback")?.or(usual.map(|(_, lookback)| *lookback)) {
        Some(lookback) if allows_lookback(frequency, lookback) => Ok((of(frequency, lookback), false)),
        Some(_) => wrong(schedule.span_of("lookback"), "`lookback` must be from `frequency` to 30 days"),
        None => {
            let assumed = ASSUMED_LOOKBACKS.iter().find(|(most, _)| frequency <= *most);
            Ok((of(frequency, assumed.map_or(frequency, |(_, lookback)| *lookback)), true))
        }
    }
}

/// The entities: lists of objects whose keys end in `Column`, by the kind of entity.
pub(super) fn entities(template: Fields<'_>) -> Read<Vec<EntityMapping>> {
    let Some(mappings) = template.value("entityMappings") else { return Ok(Vec::new()) };
    let NodeContent::Mapping(kinds) = &mappings.content else {
        return wrong(mappings.span, "`entityMappings` must have keys and values");
    };
    let mut entities = Vec::new();
    for (kind, list) in kinds {
        for entity in list.children() {
            let fields = entity_columns(entity).map(|(key, column, _)| (key.to_owned(), column.to_owned())).collect();
            entities.push(EntityMapping { entity: kind.text.clone(), fields });
        }
    }
    Ok(entities)
}

/// The identifiers of an entity, their columns, and the positions of these.
fn entity_columns(entity: &Node) -> impl Iterator<Item = (&str, &str, Span)> {
    let entries = match &entity.content {
        NodeContent::Mapping(entries) => entries.as_slice(),
        _ => &[],
    };
    entries.iter().filter_map(|(key, value)| Some((key.text.strip_suffix("Column")?, value.text()?, value.span)))
}

fn custom_details(template: Fields<'_>) -> Read<Vec<(String, String)>> {
    let details = template.pairs("customDetails")?;
    if details.len() > MAX_DETAILS {
        return wrong(template.span_of("customDetails"), format!("a rule has at most {MAX_DETAILS} `customDetails`"));
    }
    Ok(details)
}

/// The title, and the description if it mentions columns.
fn overrides(template: Fields<'_>) -> Read<AlertOverrides> {
    let description = template.text("description")?.filter(|text| text.contains("{{"));
    Ok(AlertOverrides {
        name: template.text("title")?.map(str::to_owned),
        description: description.map(str::to_owned),
        ..AlertOverrides::default()
    })
}

/// The columns that alerts need.
fn columns(template: Fields<'_>, overrides: &AlertOverrides) -> Read<Vec<NamedColumn>> {
    let entities = template.value("entityMappings").into_iter().flat_map(Node::children).flat_map(Node::children);
    let column = |(_, name, span): (&str, &str, Span)| NamedColumn {
        name: name.to_owned(),
        purpose: ColumnPurpose::Entity,
        span,
    };
    let mut columns: Vec<NamedColumn> = entities.flat_map(entity_columns).map(column).collect();
    columns.extend(template.columns("customDetails", ColumnPurpose::Detail)?);
    for (key, format) in [("title", &overrides.name), ("description", &overrides.description)] {
        columns.extend(format_columns(format.as_deref().unwrap_or_default(), template.span_of(key)));
    }
    Ok(columns)
}
