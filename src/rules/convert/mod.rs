//! Converts rules between the formats of the services.
//!
//! A rule is written in the new format, read again, and compared with the original. So the query is the same byte for
//! byte, the new rule is valid, and what the new format cannot say is known: it is returned as losses.

mod detection;
mod entity_names;
mod log_alert;
mod losses;
mod sentinel;
mod yaml_writer;

pub use entity_names::sentinel_entity;

use super::fields::{Fields, wrong};
use super::node::{Node, NodeContent, NodeKey};
use super::recognise::{self, FoundRule};
use super::{AlertMeasure, AlertRule, RuleFileError, RuleFormat, RuleKind, json, parse, read_alerts};
use crate::diagnostic::Span;

/// A format in which services accept rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RuleTarget {
    /// A rule of Microsoft Sentinel in YAML, as in the Azure-Sentinel repository.
    SentinelYaml,
    /// A template of Azure Resource Manager with `alertRules` of Microsoft Sentinel.
    SentinelArm,
    /// A template of Azure Resource Manager with `scheduledQueryRules` of Azure Monitor.
    LogAlert,
    /// `detectionRule` of Microsoft Graph.
    CustomDetection,
}

impl RuleTarget {
    /// All formats.
    pub const ALL: [Self; 4] = [Self::SentinelYaml, Self::SentinelArm, Self::LogAlert, Self::CustomDetection];

    /// The format of the file.
    #[must_use]
    pub fn format(self) -> RuleFormat {
        match self {
            Self::SentinelYaml => RuleFormat::Yaml,
            _ => RuleFormat::Json,
        }
    }

    /// True if rules of `kind` have this format.
    fn has_kind(self, kind: RuleKind) -> bool {
        match self {
            Self::SentinelYaml | Self::SentinelArm => matches!(kind, RuleKind::Scheduled | RuleKind::NearRealTime),
            Self::LogAlert => kind == RuleKind::LogAlert,
            Self::CustomDetection => kind == RuleKind::CustomDetection,
        }
    }
}

/// A rule in another format.
#[derive(Clone, Debug)]
pub struct ConvertedRule {
    /// The name.
    pub name: String,
    /// The text of the new file.
    pub text: String,
    /// What the new rule lacks or does differently, a sentence each.
    pub losses: Vec<String>,
    node: Node,
}

/// Converts the alert rules of a file, in order.
///
/// # Errors
/// The file cannot be read, a rule in it is wrong, or the service of the new format would reject a rule.
pub fn convert(text: &str, format: RuleFormat, target: RuleTarget) -> Result<Vec<ConvertedRule>, RuleFileError> {
    let root = parse(text, format)?;
    let found = recognise::rules(&root, text);
    if found.is_empty() {
        return wrong(Span::default(), "no rule is recognised in it");
    }
    found.into_iter().map(|found| converted(found, target)).collect()
}

fn converted(found: FoundRule<'_>, target: RuleTarget) -> Result<ConvertedRule, RuleFileError> {
    let source = SourceRule { node: found.node, properties: found.properties };
    let rule = found.alert_rule()?;
    if let AlertMeasure::Breaches(_) = rule.condition.measure {
        let reason = "`metricTrigger` has no counterpart in other formats, so that the conversion is not supported";
        return wrong(rule.span, reason);
    }
    let condition = &rule.condition;
    let is_about_absence =
        condition.measure == AlertMeasure::Rows && condition.operator.holds(0.0, condition.threshold);
    if target == RuleTarget::CustomDetection && is_about_absence {
        let reason = "its condition is fulfilled without rows, and custom detections make alerts of rows";
        return wrong(rule.span, format!("the rule `{}` cannot be written in this format: {reason}", rule.name));
    }
    let node = match target {
        RuleTarget::SentinelYaml => sentinel::yaml(&rule, &source),
        RuleTarget::SentinelArm => sentinel::resource(&rule, &source),
        RuleTarget::LogAlert => log_alert::resource(&rule, &source),
        RuleTarget::CustomDetection => detection::object(&rule, &source),
    };
    let name = rule.name.clone();
    let text = document(std::slice::from_ref(&node), target);
    let fails =
        |reason: &str| wrong(rule.span, format!("the rule `{name}` cannot be written in this format: {reason}"));
    let read = match read_alerts(&text, target.format()).map(|mut rules| rules.pop()) {
        Ok(Some(Ok(read))) => read,
        Ok(Some(Err(error))) | Err(error) => return fails(&error.reason),
        Ok(None) => return fails("it would not be recognised"),
    };
    if read.query.text != rule.query.text {
        return fails("its query would change");
    }
    let losses = losses::losses(&rule, &read, &source, target);
    Ok(ConvertedRule { name, text, losses, node })
}

/// Returns one document with several rules of a format that is JSON.
#[must_use]
pub fn joined(rules: &[ConvertedRule], target: RuleTarget) -> String {
    document(&rules.iter().map(|rule| rule.node.clone()).collect::<Vec<_>>(), target)
}

/// The text of a file with these rules. A file in YAML has the first one.
fn document(rules: &[Node], target: RuleTarget) -> String {
    match target {
        RuleTarget::SentinelYaml => rules.first().map(yaml_writer::text).unwrap_or_default(),
        RuleTarget::CustomDetection => match rules {
            [one] => json::to_lines(one),
            several => json::to_lines(&map([("value", list(several.to_vec()))])),
        },
        RuleTarget::SentinelArm | RuleTarget::LogAlert => json::to_lines(&template(rules)),
    }
}

/// A template that deploys these resources to a workspace.
fn template(resources: &[Node]) -> Node {
    let schema = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#";
    map([
        ("$schema", string(schema)),
        ("contentVersion", string("1.0.0.0")),
        ("parameters", map([("workspace", map([("type", string("string"))]))])),
        ("resources", list(resources.to_vec())),
    ])
}

/// A rule as it is written.
struct SourceRule<'a> {
    /// The whole rule.
    node: &'a Node,
    /// Its `properties`, if it is a resource.
    properties: Option<&'a Node>,
}

impl<'a> SourceRule<'a> {
    /// The mapping with the fields of the rule.
    fn fields(&self) -> &'a Node {
        self.properties.unwrap_or(self.node)
    }

    /// The value under `name`.
    fn value(&self, name: &str) -> Option<Node> {
        Fields::new(self.fields(), super::fields::Notation::default()).value(name).cloned()
    }
}

/// The identifier of a rule of Microsoft Sentinel: of the name of a resource, such as
/// `[concat(parameters('workspace'), '/Microsoft.SecurityInsights/ID')]`, the last part.
fn identifier(text: &str) -> &str {
    let last = text.rsplit('/').next().unwrap_or(text);
    match text.starts_with('[') && text.ends_with(']') {
        true => last.trim_end_matches(|c: char| "')] ".contains(c)),
        false => last,
    }
}

/// The name of a resource: the identifier of the rule, or its name without the characters that are not allowed.
fn resource_name(rule: &AlertRule) -> String {
    match rule.id.as_deref().map(identifier) {
        Some(id) => id.to_owned(),
        None => rule.name.replace(|c: char| !c.is_alphanumeric(), "-"),
    }
}

fn node(content: NodeContent) -> Node {
    Node { content, span: Span::default() }
}

fn string(text: impl Into<String>) -> Node {
    node(NodeContent::String(text.into()))
}

/// A number or a truth value.
fn plain(value: impl std::fmt::Display) -> Node {
    node(NodeContent::Other(value.to_string()))
}

fn list(elements: Vec<Node>) -> Node {
    node(NodeContent::Sequence(elements))
}

fn strings(texts: &[String]) -> Node {
    list(texts.iter().map(string).collect())
}

fn map<K: Into<String>>(entries: impl IntoIterator<Item = (K, Node)>) -> Node {
    let entry = |(key, value): (K, Node)| (NodeKey { text: key.into(), span: Span::default() }, value);
    node(NodeContent::Mapping(entries.into_iter().map(entry).collect()))
}

/// The entries that have a value.
fn present<const N: usize>(entries: [(&'static str, Option<Node>); N]) -> Node {
    map(entries.into_iter().filter_map(|(key, value)| Some((key, value?))))
}

/// The list, if it has elements.
fn not_empty(texts: &[String]) -> Option<Node> {
    (!texts.is_empty()).then(|| strings(texts))
}

/// A query in a template, in which a string in square brackets would be an expression.
fn template_text(text: &str) -> Node {
    match text.starts_with('[') && text.ends_with(']') {
        true => string(format!("[{text}")),
        false => string(text),
    }
}

/// The names and columns of custom details.
fn custom_details(rule: &AlertRule) -> Option<Node> {
    let details = &rule.custom_details;
    (!details.is_empty()).then(|| map(details.iter().map(|(name, column)| (name.clone(), string(column)))))
}

#[cfg(test)]
mod tests;
