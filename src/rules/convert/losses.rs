//! What a rule in a new format lacks or does differently.

use std::collections::BTreeSet;

use super::super::node::{Node, NodeContent};
use super::super::{AlertGrouping, AlertRule, AlertStatePolicy, EntityMapping, RuleKind, WindowClock, iso_duration};
use super::{RuleTarget, SourceRule, detection, entity_names, identifier, log_alert, sentinel};

/// Keys that say how a rule is stored, and not what it does.
const STORAGE: &[&str] = &[
    "$schema",
    "type",
    "apiVersion",
    "name",
    "location",
    "id",
    "kind",
    "properties",
    "dependsOn",
    "@odata.type",
    "@odata.context",
    "createdBy",
    "createdDateTime",
    "lastModifiedBy",
    "lastModifiedDateTime",
    "lastModifiedUtc",
    "lastRunDetails",
    "detectorId",
    "etag",
];

/// Keys that the model has, by kind of rule, as paths.
const SENTINEL: &[&str] = &[
    "displayName",
    "description",
    "severity",
    "enabled",
    "query",
    "queryFrequency",
    "queryPeriod",
    "triggerOperator",
    "triggerThreshold",
    "tactics",
    "relevantTechniques",
    "techniques",
    "entityMappings",
    "customDetails",
    "eventGroupingSettings",
    "suppressionEnabled",
    "suppressionDuration",
    "alertDetailsOverride",
    "version",
    "templateVersion",
];
const LOG_ALERT: &[&str] = &[
    "displayName",
    "description",
    "severity",
    "enabled",
    "evaluationFrequency",
    "windowSize",
    "overrideQueryTimeRange",
    "criteria",
    "autoMitigate",
    "muteActionsDuration",
    "actions",
    "resolveConfiguration",
    "source",
    "schedule",
    "action",
];
const DETECTION: &[&str] =
    &["displayName", "status", "isEnabled", "queryCondition", "schedule", "detectionAction", "description"];
const DETECTION_TEMPLATE: &[&str] =
    &["title", "description", "severity", "category", "mitreTechniques", "tactics", "customDetails", "entityMappings"];

/// Keys of `alertDetailsOverride` that the model has.
const OVERRIDES: &[&str] =
    &["alertDisplayNameFormat", "alertDescriptionFormat", "alertSeverityColumnName", "alertTacticsColumnName"];

/// Returns the differences between a rule and what it became in a format, and the keys that were dropped.
pub(super) fn losses(old: &AlertRule, new: &AlertRule, source: &SourceRule<'_>, target: RuleTarget) -> Vec<String> {
    let mut losses: Vec<String> = changes(old, new).into_iter().collect();
    losses.extend(new.omissions.iter().filter(|_| old.kind != new.kind).map(|omission| omission.reason.clone()));
    losses.extend(dropped(old, source, target).into_iter().map(|key| format!("`{key}` is dropped")));
    losses
}

/// The differences in what the model has.
fn changes(old: &AlertRule, new: &AlertRule) -> Vec<String> {
    let mut changes = Vec::new();
    let mut change = |is_changed: bool, text: String| {
        if is_changed {
            changes.push(text);
        }
    };
    let id = |rule: &AlertRule| rule.id.as_deref().map(identifier).map(str::to_owned);
    change(old.id.is_some() && id(old) != id(new), "the identifier is dropped".to_owned());
    change(old.name != new.name, format!("the name becomes `{}`", new.name));
    change(old.description.is_some() && old.description != new.description, "the description is dropped".to_owned());
    let severity = |rule: &AlertRule| log_alert::severity(&rule.severity).to_owned();
    change(severity(old) != severity(new), format!("the severity {} becomes {}", old.severity, new.severity));
    change(old.is_enabled != new.is_enabled, "the rule is disabled, but the new one is enabled".to_owned());
    let (before, after) = (old.schedule, new.schedule);
    let of = |ticks: i64| iso_duration(ticks);
    change(
        before.frequency != after.frequency,
        format!("the rule runs every {} instead of {}", of(after.frequency), of(before.frequency)),
    );
    change(
        before.lookback != after.lookback,
        format!("a run reads the last {} instead of {}", of(after.lookback), of(before.lookback)),
    );
    change(before.clock != after.clock, clock_change(after.clock).to_owned());
    let (mut was, is) = (old.condition.clone(), &new.condition);
    // Services with one period do not give its length.
    if was.periods.evaluated == is.periods.evaluated {
        was.periods = is.periods;
    }
    change(was != *is, "the condition on the number of rows, its columns or its periods is dropped".to_owned());
    let (counted, all) = (counted_range(old), counted_range(new));
    change(
        counted != before.lookback && all == after.lookback,
        format!("all rows of the last {} count, not only those of the last {}", of(all), of(counted)),
    );
    changes.extend(alert_changes(old, new));
    changes
}

/// The length of the range whose rows the condition counts: rules of Azure Monitor may read more.
fn counted_range(rule: &AlertRule) -> i64 {
    match rule.condition.periods.length {
        0 => rule.schedule.lookback,
        length => length.saturating_mul(i64::from(rule.condition.periods.evaluated)),
    }
}

fn clock_change(new: WindowClock) -> &'static str {
    match new {
        WindowClock::Generated => {
            "rows are selected by TimeGenerated instead of their time of arrival: late rows are missed"
        }
        WindowClock::Ingested => "rows are selected by their time of arrival instead of TimeGenerated",
    }
}

/// The differences in the alerts that a rule makes.
fn alert_changes(old: &AlertRule, new: &AlertRule) -> Vec<String> {
    let mut changes = Vec::new();
    let is_per_row = |rule: &AlertRule| rule.grouping != AlertGrouping::SingleAlert;
    match (is_per_row(old), is_per_row(new)) {
        (true, false) => changes.push("a run makes one alert instead of one for each row".to_owned()),
        (false, true) => changes.push("a run makes an alert for each row instead of one".to_owned()),
        _ => {}
    }
    let joins = |rule: &AlertRule| rule.kind == RuleKind::CustomDetection;
    match (joins(old), joins(new)) {
        (false, true) => changes.push("alerts with equal entities, details and texts become one".to_owned()),
        (true, false) => changes.push("alerts with equal entities, details and texts stay apart".to_owned()),
        _ => {}
    }
    changes.extend(text_changes(old, new));
    let mut dropped = |is_dropped: bool, what: &str| {
        if is_dropped {
            changes.push(format!("{what} is dropped"));
        }
    };
    dropped(old.suppression != new.suppression, "the suppression");
    dropped(old.muting != new.muting, "the time without actions after an alert");
    dropped(old.action_groups != new.action_groups, "the list of action groups");
    let sorted = |texts: &[String]| texts.iter().cloned().collect::<BTreeSet<_>>();
    dropped(!sorted(&old.tactics).is_subset(&sorted(&new.tactics)), "the list of tactics");
    dropped(!sorted(&old.techniques).is_subset(&sorted(&new.techniques)), "the list of techniques");
    dropped(old.custom_details != new.custom_details, "the list of custom details");
    let is_stateful = |rule: &AlertRule| rule.state != AlertStatePolicy::Stateless;
    match (is_stateful(old), is_stateful(new)) {
        (true, false) => {
            changes.push("every run whose condition holds makes an alert, also while an alert lasts".to_owned());
        }
        _ if old.state != new.state => changes.push("alerts are resolved after another time".to_owned()),
        _ => {}
    }
    for (entity, identifier) in entity_names_of(old).difference(&entity_names_of(new)) {
        changes.push(format!("the identifier {identifier} of the entity {entity} is dropped"));
    }
    changes
}

/// The differences in what alerts take from their rows.
fn text_changes(old: &AlertRule, new: &AlertRule) -> Vec<String> {
    let name = |rule: &AlertRule| rule.overrides.name.clone().unwrap_or_else(|| rule.name.clone());
    let description = |rule: &AlertRule| rule.overrides.description.clone().or_else(|| rule.description.clone());
    let (was, is) = (&old.overrides, &new.overrides);
    let texts = [
        (name(old) != name(new), "the name"),
        (was.description.is_some() && description(old) != description(new), "the description"),
        (was.severity_column.is_some() && was.severity_column != is.severity_column, "the severity"),
        (was.tactics_column.is_some() && was.tactics_column != is.tactics_column, "the list of tactics"),
    ];
    let dropped = texts.into_iter().filter(|(is_dropped, _)| *is_dropped);
    dropped.map(|(_, what)| format!("{what} that alerts have instead of that of the rule is dropped")).collect()
}

/// Types of entities and their identifiers, with the names of Sentinel where it has some.
fn entity_names_of(rule: &AlertRule) -> BTreeSet<(String, String)> {
    let names = |entity: &EntityMapping, field: &(String, String)| {
        let one = EntityMapping { entity: entity.entity.clone(), fields: vec![field.clone()] };
        let known = entity_names::of_sentinel(std::slice::from_ref(&one)).pop().unwrap_or(one);
        let identifier = known.fields.first().map(|(identifier, column)| format!("{identifier} ({column})"));
        (known.entity.clone(), identifier.unwrap_or_default())
    };
    rule.entities.iter().flat_map(|entity| entity.fields.iter().map(|field| names(entity, field))).collect()
}

/// The keys that neither the model nor the new format has.
fn dropped(rule: &AlertRule, source: &SourceRule<'_>, target: RuleTarget) -> Vec<String> {
    let is_same = target.has_kind(rule.kind);
    let with = |own: &[&'static str], kept: &[&[&'static str]]| -> Vec<&'static str> {
        let kept = kept.iter().filter(|_| is_same).flat_map(|keys| keys.iter().copied());
        own.iter().copied().chain(kept).collect()
    };
    let mut known = match rule.kind {
        RuleKind::LogAlert => with(LOG_ALERT, &[log_alert::KEPT]),
        RuleKind::CustomDetection => with(DETECTION, &[]),
        _ if target == RuleTarget::SentinelArm => with(SENTINEL, &[sentinel::KEPT, sentinel::KEPT_IN_RESOURCE]),
        _ => with(SENTINEL, &[sentinel::KEPT, sentinel::KEPT_IN_YAML]),
    };
    if rule.kind != RuleKind::LogAlert && !is_same {
        known.retain(|key| !matches!(*key, "version" | "templateVersion"));
    }
    let mut keys = unknown(source.fields(), &known, "");
    if source.properties.is_some() {
        keys.extend(unknown(source.node, &[], ""));
    }
    match rule.kind {
        RuleKind::LogAlert => {
            // Of rules of 2018, only what the model has is written.
            let actions: &[(&str, &[&str])] = match source.value("action") {
                Some(_) => &[
                    ("action", &["severity", "trigger", "throttlingInMin", "aznsAction"]),
                    ("action.aznsAction", &["actionGroup"]),
                ],
                None if is_same => &[],
                None => &[("actions", &["actionGroups"])],
            };
            for (path, own) in actions {
                let node = source.fields().get(&path.split('.').collect::<Vec<_>>());
                keys.extend(node.iter().flat_map(|node| unknown(node, own, &format!("{path}."))));
            }
        }
        RuleKind::Scheduled | RuleKind::NearRealTime if !is_same => {
            let node = source.value("alertDetailsOverride");
            keys.extend(node.iter().flat_map(|node| unknown(node, OVERRIDES, "alertDetailsOverride.")));
        }
        RuleKind::CustomDetection => {
            let action = |name| source.fields().get(&["detectionAction"]).and_then(|action| action.get(name));
            let own = with(&["alertTemplate"], &[detection::KEPT_IN_ACTION]);
            keys.extend(action(&[]).iter().flat_map(|node| unknown(node, &own, "detectionAction.")));
            let own = with(DETECTION_TEMPLATE, &[detection::KEPT_IN_TEMPLATE]);
            let prefix = "detectionAction.alertTemplate.";
            keys.extend(action(&["alertTemplate"]).iter().flat_map(|node| unknown(node, &own, prefix)));
        }
        _ => {}
    }
    keys
}

/// The keys of a mapping that have a value and are not `known`.
fn unknown(node: &Node, known: &[&str], prefix: &str) -> Vec<String> {
    let NodeContent::Mapping(entries) = &node.content else { return Vec::new() };
    let is_known = |key: &str| known.iter().chain(STORAGE).any(|name| name.eq_ignore_ascii_case(key));
    let dropped = entries.iter().filter(|(key, value)| !value.is_null() && !is_known(&key.text));
    dropped.map(|(key, _)| format!("{prefix}{}", key.text)).collect()
}
