//! Reads what a hunt needs of a rule: its queries, and what describes their rows. When a service would run the rule, and
//! which results would be alerts, does not matter.

use super::fields::{Fields, Read, wrong};
use super::{DetectionRule, EntityMapping, RuleKind, RuleQuery, custom_detection, sentinel_alert};
use crate::diagnostic::Span;

/// A query that is run once over a whole archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HuntRule {
    /// The identifier, as written.
    pub id: Option<String>,
    /// The name for people.
    pub name: String,
    /// The kind; None for a query without a rule.
    pub kind: Option<RuleKind>,
    /// The severity, as its service writes it: `High`, or `Sev0`; empty if it is unknown.
    pub severity: String,
    /// The query.
    pub query: RuleQuery,
    /// The entities of a row and their columns.
    pub entities: Vec<EntityMapping>,
    /// The tactics of MITRE ATT&CK.
    pub tactics: Vec<String>,
    /// The techniques of MITRE ATT&CK.
    pub techniques: Vec<String>,
    /// Where the rule begins in the file.
    pub span: Span,
}

impl HuntRule {
    /// A query that is not part of a rule.
    #[must_use]
    pub fn of_query(name: String, query: RuleQuery) -> Self {
        let (id, kind, severity, span) = (None, None, String::new(), Span::default());
        let (entities, tactics, techniques) = (Vec::new(), Vec::new(), Vec::new());
        Self { id, name, kind, severity, query, entities, tactics, techniques, span }
    }
}

/// Reads the queries of the rule whose fields are `fields`. None if its kind has no query; one error if it lacks one.
pub(super) fn read(rule: DetectionRule, fields: Fields<'_>) -> Vec<Read<HuntRule>> {
    let DetectionRule { id, name, kind, queries, span } = rule;
    if kind == RuleKind::WithoutQuery {
        return Vec::new();
    }
    let details = match details(kind, fields) {
        Ok(_) if queries.is_empty() => return vec![wrong(span, "the rule has no query")],
        Ok(details) => details,
        Err(error) => return vec![Err(error)],
    };
    let name = name.or_else(|| id.clone()).unwrap_or_default();
    let several = queries.len() > 1;
    let rule = |(index, query): (usize, RuleQuery)| {
        if query.is_expression {
            let reason = "the query is an expression of the template, which only a deployment evaluates";
            return wrong(query.key, reason);
        }
        let name = if several { format!("{name} (query {})", index + 1) } else { name.clone() };
        let RuleDetails { severity, entities, tactics, techniques } = details.clone();
        let (id, kind) = (id.clone(), Some(kind));
        Ok(HuntRule { id, name, kind, severity, query, entities, tactics, techniques, span })
    };
    queries.into_iter().enumerate().map(rule).collect()
}

/// The fields that describe the results of a rule.
#[derive(Clone, Default)]
struct RuleDetails {
    severity: String,
    entities: Vec<EntityMapping>,
    tactics: Vec<String>,
    techniques: Vec<String>,
}

fn details(kind: RuleKind, fields: Fields<'_>) -> Read<RuleDetails> {
    match kind {
        RuleKind::CustomDetection => {
            let action = fields.mapping("detectionAction")?;
            let template = action.map(|action| action.mapping("alertTemplate")).transpose()?.flatten();
            let Some(template) = template else { return Ok(RuleDetails::default()) };
            let [tactics, techniques] = custom_detection::tactics(template)?;
            let entities = custom_detection::entities(template)?;
            Ok(RuleDetails { severity: text(template, "severity"), entities, tactics, techniques })
        }
        RuleKind::LogAlert => {
            let action = fields.mapping("action")?;
            let severity = [Some(fields), action].into_iter().flatten().map(|fields| text(fields, "severity"));
            let severity = severity.filter(|severity| !severity.is_empty()).map(|number| format!("Sev{number}")).next();
            Ok(RuleDetails { severity: severity.unwrap_or_default(), ..RuleDetails::default() })
        }
        RuleKind::SavedSearch => Ok(RuleDetails {
            tactics: tag(fields, "tactics")?,
            techniques: [tag(fields, "techniques")?, tag(fields, "relevantTechniques")?].concat(),
            ..RuleDetails::default()
        }),
        RuleKind::Scheduled | RuleKind::NearRealTime | RuleKind::Hunting | RuleKind::WithoutQuery => Ok(RuleDetails {
            severity: text(fields, "severity"),
            entities: sentinel_alert::entities(fields)?,
            tactics: fields.texts("tactics")?,
            techniques: [fields.texts("relevantTechniques")?, fields.texts("techniques")?].concat(),
        }),
    }
}

/// The string under `name`; empty if it is missing, or an expression of a template.
fn text(fields: Fields<'_>, name: &str) -> String {
    fields.text(name).ok().flatten().unwrap_or_default().to_owned()
}

/// The values, divided by commas, of a tag of a saved search.
fn tag(fields: Fields<'_>, name: &str) -> Read<Vec<String>> {
    let tags = fields.list("tags")?;
    let named = tags.into_iter().filter(|tag| text(*tag, "name").eq_ignore_ascii_case(name));
    let values: Vec<String> = named.map(|tag| text(tag, "value")).collect();
    let values = values.iter().flat_map(|value| value.split(','));
    Ok(values.map(|value| value.trim().to_owned()).filter(|value| !value.is_empty()).collect())
}
