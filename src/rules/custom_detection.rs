//! Reads custom detections of Microsoft Defender: `detectionRule` of Microsoft Graph.

use super::alert_rule::{AlertGrouping, AlertSchedule, AlertStatePolicy, EntityMapping, WindowClock};
use super::duration::{DAY, HOUR, MINUTE};
use super::fields::{Fields, Read, wrong};
use super::node::{Node, NodeContent};
use super::sentinel_alert::any_row;
use super::{AlertRule, RuleText};

/// The maximum number of alerts of a run.
const MAX_ALERTS: usize = 150;

const SEVERITIES: &[(&str, &str)] =
    &[("informational", "Informational"), ("low", "Low"), ("medium", "Medium"), ("high", "High")];

/// The lookbacks of the frequencies that a custom detection may choose from.
const LOOKBACKS: &[(i64, i64)] =
    &[(24 * HOUR, 30 * DAY), (12 * HOUR, 48 * HOUR), (3 * HOUR, 12 * HOUR), (HOUR, 4 * HOUR)];

/// Reads the rule whose fields are `fields`.
pub(super) fn read(rule: RuleText, fields: Fields<'_>) -> Read<AlertRule> {
    let Some(action) = fields.mapping("detectionAction")? else {
        return wrong(fields.span(), "the rule has no `detectionAction`");
    };
    let Some(template) = action.mapping("alertTemplate")? else {
        return wrong(action.span(), "the rule has no `alertTemplate`");
    };
    let [tactics, techniques] = tactics(template)?;
    Ok(AlertRule {
        severity: template.required_choice("severity", SEVERITIES)?.to_owned(),
        is_enabled: is_enabled(fields)?,
        schedule: schedule(fields)?,
        condition: any_row(),
        grouping: AlertGrouping::AlertPerResult { limit: MAX_ALERTS },
        suppression: None,
        muting: None,
        state: AlertStatePolicy::Stateless,
        entities: entities(template)?,
        custom_details: template.pairs("customDetails")?,
        tactics,
        techniques,
        action_groups: Vec::new(),
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

/// The schedule, from `frequency` and `lookback`, or from the older `period`, which is `0`, `1H`, `3H`, `12H` or `24H`.
fn schedule(fields: Fields<'_>) -> Read<AlertSchedule> {
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
        return Ok(of(MINUTE, MINUTE));
    }
    if !(5 * MINUTE..=14 * DAY).contains(&frequency) {
        return wrong(schedule.span_of("frequency"), "`frequency` must be from 5 minutes to 14 days, or zero");
    }
    let usual = LOOKBACKS.iter().find(|(known, _)| *known == frequency).map(|(_, lookback)| *lookback);
    match schedule.duration("lookback")?.or(usual) {
        Some(lookback) if (frequency..=30 * DAY).contains(&lookback) => Ok(of(frequency, lookback)),
        Some(_) => wrong(schedule.span_of("lookback"), "`lookback` must be from `frequency` to 30 days"),
        None => wrong(schedule.span(), "the rule has no `lookback`, which its frequency requires"),
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
            entities.push(EntityMapping { entity: kind.text.clone(), fields: columns(entity) });
        }
    }
    Ok(entities)
}

fn columns(entity: &Node) -> Vec<(String, String)> {
    let NodeContent::Mapping(entries) = &entity.content else { return Vec::new() };
    let column = |key: &str, value: &Node| Some((key.strip_suffix("Column")?.to_owned(), value.text()?.to_owned()));
    entries.iter().filter_map(|(key, value)| column(&key.text, value)).collect()
}
