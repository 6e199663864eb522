//! What a service requires of a rule when it is deployed, although it changes nothing about what the rule finds.
//!
//! Sources: the references of `scheduledQueryRules` and of `detectionRule`.

use super::fields::Fields;
use super::{RuleFileError, RuleKind};

/// Required keys of a log search alert rule: of the resource, and of its properties.
const LOG_ALERT: &[&str] = &["location"];
const LOG_ALERT_PROPERTIES: &[&str] = &["enabled", "scopes"];

/// Returns what is missing from the rule `node`, which has `properties` if it is a resource.
pub(super) fn omissions(kind: RuleKind, node: Fields<'_>, properties: Option<Fields<'_>>) -> Vec<RuleFileError> {
    match (kind, properties) {
        (RuleKind::LogAlert, Some(properties))
            if node.value("type").is_some() && properties.value("criteria").is_some() =>
        {
            missing(node, LOG_ALERT).chain(missing(properties, LOG_ALERT_PROPERTIES)).collect()
        }
        (RuleKind::CustomDetection, _) => of_detection(node),
        _ => Vec::new(),
    }
}

fn of_detection(node: Fields<'_>) -> Vec<RuleFileError> {
    let Ok(Some(action)) = node.mapping("detectionAction") else { return Vec::new() };
    let Ok(Some(template)) = action.mapping("alertTemplate") else { return Vec::new() };
    let has = |name: &str| template.value(name).is_some_and(|value| value.children().next().is_some());
    let reason = "the service requires an entity: the rule has neither `entityMappings` nor `impactedAssets`";
    let entity = (!has("entityMappings") && !has("impactedAssets"))
        .then(|| RuleFileError { span: action.span_of("alertTemplate"), reason: reason.to_owned() });
    missing(template, &["title"]).chain(entity).collect()
}

fn missing<'a>(fields: Fields<'a>, names: &'a [&'a str]) -> impl Iterator<Item = RuleFileError> + 'a {
    let missing = names.iter().filter(move |name| fields.value(name).is_none());
    missing.map(move |name| RuleFileError {
        span: fields.span(),
        reason: format!("the rule has no `{name}`, which the service requires"),
    })
}
